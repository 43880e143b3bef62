#include "analyzer/advice.h"

#include <ctype.h>

enum { NAME_COUNT = 21 };

/* What stands for a name in a sentence when its value is not known; NULL: nothing can. */
struct name {
    struct sw_span name;
    const char *prefix; /* before a value */
    const char *noun;
    size_t offset; /* in struct sw_template_values */
};

#define NAME(field, before, generic)                                                               \
    {                                                                                              \
        SW_SPAN_LIT(#field), before, generic, offsetof(struct sw_template_values, field)           \
    }

static const struct name names[NAME_COUNT] = {
    NAME(server, "", "the server"),
    NAME(port, "port ", "this port"),
    NAME(client, "", "the sending computer"),
    NAME(sender, "", "the sender's address"),
    NAME(recipient, "", "the recipient"),
    NAME(user, "", "the account"),
    NAME(mechanism, "", "another one"),
    NAME(reply, "", NULL),
    NAME(code, "", "an error code"),
    NAME(size, "", "its size"),
    NAME(limit, "", "less than that"),
    NAME(wait, "", "a long time"),
    NAME(ended, "", NULL),
    NAME(offered, "", "certain methods"),
    NAME(what, "", "the last step"),
    NAME(listed, "", "the address of the sending computer"),
    NAME(name, "", "of the server"),
    NAME(host, "", "the name of the outgoing server"),
    NAME(domain, "", "the part behind the @"),
    NAME(encrypted, "port ", "port 465"),
    NAME(plain, "port ", "port 25 or 587"),
};

/* Where the text is written; what does not fit is only measured. */
struct writer {
    char *at;
    size_t room;
    size_t length;
    bool sentence_start;
    bool quoted_stop; /* the last was a full stop in quotation marks, which does for the sentence */
};

/* A sentence begins behind a full stop or a line end, with any blanks and quotation marks between.
 */
static void put_run(struct writer *w, struct sw_span run)
{
    if (w->quoted_stop && run.len > 0 && run.ptr[0] == '.')
        run = sw_span_from(run, 1);
    w->quoted_stop = run.len > 1 && run.ptr[run.len - 1] == '"' && run.ptr[run.len - 2] == '.';
    if (run.len > 0 && w->length <= w->room && run.len <= w->room - w->length)
        memcpy(w->at + w->length, run.ptr, run.len);
    w->length += run.len;
    while (run.len > 0 && (run.ptr[run.len - 1] == ' ' || run.ptr[run.len - 1] == '"' ||
                           run.ptr[run.len - 1] == '\''))
        run.len--;
    if (run.len > 0)
        w->sentence_start = run.ptr[run.len - 1] == '.' || run.ptr[run.len - 1] == '\n';
}

static void put_text(struct writer *w, const char *text, bool capital)
{
    struct sw_span all = sw_span_str(text);
    if (capital && all.len > 0) {
        uint8_t first = sw_ascii_upper(all.ptr[0]);
        put_run(w, sw_span_make(&first, 1));
        all = sw_span_from(all, 1);
    }
    if (all.len > 0)
        put_run(w, all);
}

static const char *value_of(const struct name *name, const struct sw_template_values *values)
{
    if (!values)
        return NULL;
    const char *value;
    memcpy(&value, (const char *)values + name->offset, sizeof(value));
    return value && value[0] != '\0' ? value : NULL;
}

/* The name in braces at the start of `text`; *length gets what it takes up. NULL: none is there. */
static const struct name *name_at(struct sw_span text, size_t *length)
{
    if (text.len < 2 || text.ptr[0] != '{')
        return NULL;
    struct sw_span inside = sw_span_from(text, 1);
    for (size_t i = 0; i < NAME_COUNT; i++) {
        const struct sw_span name = names[i].name;
        bool maybe = inside.len > name.len && inside.ptr[0] == name.ptr[0];
        if (maybe && inside.ptr[name.len] == '}' && sw_span_starts(inside, name)) {
            *length = name.len + 2;
            return &names[i];
        }
    }
    return NULL;
}

static bool at_mark(struct sw_span text, char bracket)
{
    return text.len >= 2 && text.ptr[0] == (uint8_t)bracket && text.ptr[1] == (uint8_t)bracket;
}

/* The length of a section from its "[[" to behind its "]]", or 0 when it is not closed. */
static size_t section_length(struct sw_span text)
{
    for (size_t i = 2; i + 1 < text.len; i++) {
        if (at_mark(sw_span_from(text, i), ']'))
            return i + 2;
    }
    return 0;
}

/* Of these one or the other is known in a session; without one both are worth saying. */
static bool is_alternative(const struct name *name)
{
    return name->offset == offsetof(struct sw_template_values, host) ||
           name->offset == offsetof(struct sw_template_values, domain) ||
           name->offset == offsetof(struct sw_template_values, encrypted) ||
           name->offset == offsetof(struct sw_template_values, plain);
}

/* Is every name inside known? */
static bool section_holds(struct sw_span section, const struct sw_template_values *values)
{
    for (size_t i = 0; i < section.len; i++) {
        size_t length;
        const struct name *name = name_at(sw_span_from(section, i), &length);
        bool said = name && (value_of(name, values) || (!values && is_alternative(name)));
        if (name && !said)
            return false;
    }
    return true;
}

static void put_name(struct writer *w, const struct name *name, const char *value)
{
    if (value) {
        put_text(w, name->prefix, w->sentence_start);
        put_text(w, value, false);
    } else if (name->noun) {
        put_text(w, name->noun, w->sentence_start);
    }
}

/* How much of a template is written as it stands. */
static size_t plain_length(const char *text)
{
    return strcspn(text, "{[]");
}

/* `plain`: that of the text. */
static void write_all(struct writer *w, const char *text, size_t plain,
                      const struct sw_template_values *values)
{
    struct sw_span rest = sw_span_make(text, plain + strlen(text + plain));
    for (;;) {
        if (plain > 0)
            put_run(w, sw_span_sub(rest, 0, plain));
        rest = sw_span_from(rest, plain);
        if (rest.len == 0)
            return;
        size_t length = 0;
        const struct name *name = name_at(rest, &length);
        if (name) {
            put_name(w, name, value_of(name, values));
        } else if (at_mark(rest, '[') && (length = section_length(rest)) > 0) {
            /* what holds is written from inside, so that only its brackets are left out */
            length = section_holds(sw_span_sub(rest, 0, length), values) ? 2 : length;
        } else if (at_mark(rest, ']')) {
            length = 2;
        } else {
            length = 1;
            put_run(w, sw_span_sub(rest, 0, length));
        }
        rest = sw_span_from(rest, length);
        plain = rest.len > 0 ? plain_length((const char *)rest.ptr) : 0;
    }
}

uint32_t sw_template_names(const char *text)
{
    uint32_t found = 0;
    for (const char *at = strchr(text, '{'); at; at = strchr(at + 1, '{')) {
        size_t length;
        const struct name *name = name_at(sw_span_str(at), &length);
        if (name)
            found |= UINT32_C(1) << name->offset / sizeof(const char *);
    }
    return found;
}

const char *sw_template_fill(const char *text, const struct sw_template_values *values,
                             struct sw_arena *arena)
{
    const size_t plain = plain_length(text);
    if (text[plain] == '\0')
        return text;  /* a constant as it is */
    char usual[1024]; /* most texts fit: they are written once */
    struct writer w = {.at = usual, .room = sizeof(usual), .sentence_start = true};
    write_all(&w, text, plain, values);
    size_t length = w.length;
    char *filled = sw_arena_text(arena, length + 1);
    if (!filled)
        return NULL;
    if (length <= sizeof(usual)) {
        memcpy(filled, usual, length);
    } else {
        w = (struct writer){.at = filled, .room = length, .sentence_start = true};
        write_all(&w, text, plain, values);
    }
    filled[length] = '\0';
    return filled;
}

bool sw_template_valid(const char *text)
{
    bool open = false;
    struct sw_span all = sw_span_str(text);
    for (size_t i = 0; i < all.len; i++) {
        struct sw_span rest = sw_span_from(all, i);
        size_t length;
        bool known = name_at(rest, &length) != NULL;
        if (rest.ptr[0] == '{' && !known)
            return false;
        /* the server's words have no noun: outside a section a sentence would lose a part */
        if (known && !open && sw_span_starts(rest, SW_SPAN_LIT("{reply}")))
            return false;
        if (at_mark(rest, '['))
            open = true;
        if (at_mark(rest, ']'))
            open = false;
    }
    return !open;
}

bool sw_says_address(struct sw_span reply, const char *address)
{
    size_t length = strlen(address);
    for (size_t at = 0; at < reply.len; at++) {
        struct sw_span rest = sw_span_from(reply, at);
        at += sw_span_find_nocase(rest, sw_span_str(address));
        if (at >= reply.len)
            return false;
        struct sw_span behind = sw_span_from(reply, at + length);
        uint8_t before = at > 0 ? reply.ptr[at - 1] : ' ';
        uint8_t after = behind.len > 0 ? behind.ptr[0] : ' ';
        uint8_t next = behind.len > 1 ? behind.ptr[1] : ' ';
        bool longer = isxdigit(before) || before == '.' || isxdigit(after) ||
                      ((after == '.' || after == ':') && isxdigit(next));
        if (!longer)
            return true;
    }
    return false;
}

const char *sw_listed_name(struct sw_span reply, const char *address)
{
    struct sw_span host = SW_SPAN_LIT("client host [");
    if ((address && sw_says_address(reply, address)) ||
        sw_span_find_nocase(reply, host) < reply.len)
        return NULL;
    static const char *const said[][2] = {
        {"helo command [", "the name with which the sending computer introduced itself"},
        {"sender address [", "the sender's domain"},
        {"sender domain", "the sender's domain"},
        {"sender's domain", "the sender's domain"},
        {"your domain", "the sender's domain"},
        {"spamhaus dbl", "a domain that the mail names"},
        {"dbl.spamhaus", "a domain that the mail names"},
        {"surbl", "a domain that the mail names"},
        {"uribl", "a domain that the mail names"},
    };
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        if (sw_span_find_nocase(reply, sw_span_str(said[i][0])) < reply.len)
            return said[i][1];
    }
    return NULL;
}
