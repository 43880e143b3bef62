#include "analyzer/token_error.h"

enum { SHOWN = 120 };

/* Behind the closing quotation mark of the string that begins at `at`, or the length. */
static size_t behind_string(struct sw_span s, size_t at)
{
    for (size_t i = at + 1; i < s.len; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '"')
            return i + 1;
    }
    return s.len;
}

static struct sw_span string_at(struct sw_span s, size_t at)
{
    size_t behind = behind_string(s, at);
    bool closed = behind - at >= 2 && s.ptr[behind - 1] == '"';
    return sw_span_sub(s, at + 1, behind - at - 1 - closed);
}

static size_t skip_blanks(struct sw_span s, size_t at)
{
    while (at < s.len &&
           (s.ptr[at] == ' ' || s.ptr[at] == '\t' || s.ptr[at] == '\r' || s.ptr[at] == '\n'))
        at++;
    return at;
}

static struct sw_span value_at(struct sw_span s, size_t at)
{
    if (at < s.len && s.ptr[at] == '"')
        return string_at(s, at);
    size_t end = at;
    while (end < s.len && s.ptr[end] != ',' && s.ptr[end] != '}')
        end++;
    return sw_span_trim(sw_span_sub(s, at, end - at));
}

struct sw_span sw_token_error_member(struct sw_span json, const char *name)
{
    for (size_t at = 0; at < json.len;) {
        if (json.ptr[at] != '"') {
            at++;
            continue;
        }
        struct sw_span key = string_at(json, at);
        at = skip_blanks(json, behind_string(json, at));
        if (at >= json.len || json.ptr[at] != ':')
            continue; /* a value */
        at = skip_blanks(json, at + 1);
        if (sw_span_eq_nocase(key, sw_span_str(name)))
            return value_at(json, at);
        if (at < json.len && json.ptr[at] == '"')
            at = behind_string(json, at);
    }
    return (struct sw_span){NULL, 0};
}

/* What the numbers and words mean that servers send (RFC 6750 3.1, RFC 7628 3.2.2). */
static const char *meaning_of(struct sw_span status)
{
    static const struct {
        const char *status;
        const char *meaning;
    } known[] = {
        {"400", "the sign-in request was not well formed, or its token has expired"},
        {"401", "the token has expired, was withdrawn, or is none for this server"},
        {"403", "the token does not allow sending mail"},
        {"invalid_request", "the sign-in request was not well formed"},
        {"invalid_token", "the token has expired, was withdrawn, or is none for this server"},
        {"insufficient_scope", "the token does not allow sending mail"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (sw_span_eq_nocase(status, sw_span_str(known[i].status)))
            return known[i].meaning;
    }
    return NULL;
}

void sw_token_error_members(struct sw_span json, struct sw_prose *story)
{
    static const char *const members[] = {"status", "schemes", "scope"};
    const char *between = ": ";
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct sw_span value = sw_token_error_member(json, members[i]);
        if (value.len == 0)
            continue;
        sw_prose_add(story, "%s%s ", between, members[i]);
        sw_prose_wire(story, value, SHOWN);
        between = ", ";
    }
    const char *meaning = meaning_of(sw_token_error_member(json, "status"));
    if (meaning)
        sw_prose_add(story, "; %s", meaning);
    sw_prose_add(story, ".");
}

void sw_token_error_tell(const struct sw_auth *auth, struct sw_prose *story)
{
    if (auth->error_json.len == 0 || !auth->challenge)
        return;
    sw_prose_add(story, " The server explained (frame %s)",
                 sw_prose_frame(story, auth->challenge->first.frame));
    sw_token_error_members(auth->error_json, story);
}
