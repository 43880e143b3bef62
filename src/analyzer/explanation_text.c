/*
 * explanation_text.c - pasted text of several lines: which of them belong together, where in a
 * dialogue the word fell that is asked about, and what of it may be shown.
 */
#include "analyzer/explanation.h"
#include "analyzer/explanation_query.h"
#include "analyzer/prose.h"
#include "session/session.h"

/* --- lines of a dialogue --- */

/* What programs put before the lines of either side: swaks, curl, msmtp, Thunderbird's log, ...
 * Before a mark of two sides ("CLIENT -> SERVER:" of PHPMailer) the time or a name may stand. */
static struct sw_span without_arrow(struct sw_span line)
{
    static const struct sw_span marks[] = {
        SW_SPAN_LIT("SERVER -> CLIENT: "),
        SW_SPAN_LIT("CLIENT -> SERVER: "),
        SW_SPAN_LIT(" S: "),
        SW_SPAN_LIT(" C: "),
        SW_SPAN_LIT(",<,"), /* the protocol log of Exchange */
        SW_SPAN_LIT(",>,"),
    };
    static const struct sw_span arrows[] = {
        SW_SPAN_LIT("C:"),  SW_SPAN_LIT("S:"),  SW_SPAN_LIT("-->"), SW_SPAN_LIT("<--"),
        SW_SPAN_LIT("->"),  SW_SPAN_LIT("<-"),  SW_SPAN_LIT("~>"),  SW_SPAN_LIT("<~"),
        SW_SPAN_LIT("<**"), SW_SPAN_LIT("**>"), SW_SPAN_LIT("=>"),  SW_SPAN_LIT(">>>"),
        SW_SPAN_LIT("<<<"), SW_SPAN_LIT("<="),  SW_SPAN_LIT(">"),   SW_SPAN_LIT("<"),
    };
    line = sw_span_trim(line);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        size_t at = sw_span_find_nocase(line, marks[i]);
        if (at < line.len)
            return sw_span_trim(sw_span_from(line, at + marks[i].len));
    }
    for (size_t i = 0; i < sizeof(arrows) / sizeof(arrows[0]); i++) {
        bool path = line.len > 1 && arrows[i].len == 1 && line.ptr[1] != ' ';
        if (sw_span_starts(line, arrows[i]) && !path)
            return sw_span_trim(sw_span_from(line, arrows[i].len));
    }
    return line;
}

/* A command as it stands in a dialogue, alone on its line. */
static bool is_command(struct sw_span line, enum sw_reply_stage *stage)
{
    static const struct {
        struct sw_span verb;
        bool alone; /* nothing may follow */
        enum sw_reply_stage stage;
    } commands[] = {
        {SW_SPAN_LIT("EHLO "), false, SW_REPLY_STAGE_HELLO},
        {SW_SPAN_LIT("HELO "), false, SW_REPLY_STAGE_HELLO},
        {SW_SPAN_LIT("LHLO "), false, SW_REPLY_STAGE_HELLO},
        {SW_SPAN_LIT("STARTTLS"), true, SW_REPLY_STAGE_STARTTLS},
        {SW_SPAN_LIT("MAIL FROM:"), false, SW_REPLY_STAGE_MAIL},
        {SW_SPAN_LIT("RCPT TO:"), false, SW_REPLY_STAGE_RCPT},
        {SW_SPAN_LIT("DATA"), true, SW_REPLY_STAGE_DATA},
        {SW_SPAN_LIT("."), true, SW_REPLY_STAGE_FINAL},
        {SW_SPAN_LIT("QUIT"), true, SW_REPLY_STAGE_HELLO},
        {SW_SPAN_LIT("RSET"), true, SW_REPLY_STAGE_HELLO},
    };
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (sw_span_starts_nocase(line, commands[i].verb) &&
            (!commands[i].alone || line.len == commands[i].verb.len)) {
            *stage = commands[i].stage;
            return true;
        }
    }
    if (!sw_span_starts_nocase(line, SW_SPAN_LIT("AUTH ")))
        return false;
    struct sw_span rest = sw_span_from(line, 5);
    *stage = SW_REPLY_STAGE_AUTH;
    return smtp_mechanism_of(sw_span_word(&rest)) != SMTP_MECH_UNKNOWN;
}

/* A line of a reply with this code, or of any when `code` is 0. */
static int reply_code_of(struct sw_span line, int code)
{
    int found = sw_query_code_at(line);
    return code == 0 || found == code ? found : 0;
}

/* The reply that begins with the line `text` begins with: all lines up to the last one of it. */
static struct sw_span whole_reply(struct sw_span text, struct sw_arena *arena)
{
    uint8_t *all = sw_arena_alloc(arena, text.len + 1);
    size_t used = 0;
    int code = 0;
    while (all && text.len > 0) {
        struct sw_span line = without_arrow(sw_query_next_line(&text));
        if (reply_code_of(line, code) == 0)
            break;
        code = sw_query_code_at(line);
        if (used > 0)
            all[used++] = '\n';
        memcpy(all + used, line.ptr, line.len);
        used += line.len;
        if (line.len < 4 || line.ptr[3] != '-')
            break;
    }
    return sw_span_make(all, used);
}

bool sw_query_dialogue_find(struct sw_span query, struct sw_arena *arena,
                            struct sw_query_reply *out)
{
    enum sw_reply_stage stage = SW_REPLY_STAGE_GREETING, at = stage;
    struct sw_span rest = query, last = {NULL, 0};
    unsigned commands = 0;
    while (rest.len > 0) {
        struct sw_span from_here = rest;
        struct sw_span line = without_arrow(sw_query_next_line(&rest));
        int code = sw_query_code_at(line);
        if (is_command(line, &stage)) {
            commands++;
        } else if (code >= 400 && sw_reply_code_info(code)) {
            last = from_here;
            at = stage;
            break; /* the first refusal; those behind it may be its consequences */
        } else if (code > 0) {
            last = from_here;
            at = stage;
            stage = code == 354 ? SW_REPLY_STAGE_FINAL : stage;
        }
    }
    while (rest.len > 0 && commands == 0) { /* a refusal of the first line: is it a dialogue? */
        enum sw_reply_stage ignored;
        commands += is_command(without_arrow(sw_query_next_line(&rest)), &ignored);
    }
    if (commands == 0 || last.len == 0)
        return false;
    struct sw_query_reply found;
    if (!sw_query_reply_read(whole_reply(last, arena), arena, &found))
        return false;
    *out = found;
    out->stage = at;
    out->stage_given = true;
    return true;
}

/* --- lines that belong together --- */

static bool is_blank(struct sw_span line)
{
    return sw_span_trim(line).len == 0;
}

/* A reply stands there by itself, perhaps behind its stage. */
static bool stands_alone(struct sw_span line)
{
    enum sw_reply_stage stage;
    line = sw_span_trim(line);
    (void)sw_query_take_stage(&line, &stage);
    return sw_query_code_at(line) != 0;
}

/* The code of the last line of what was read so far, when more lines of its reply have to follow.
 */
static int unfinished_code(struct sw_span so_far)
{
    struct sw_span line = {NULL, 0};
    enum sw_reply_stage stage;
    while (so_far.len > 0)
        line = sw_query_next_line(&so_far);
    (void)sw_query_take_stage(&line, &stage);
    int code = sw_query_code_at(line);
    return line.len > 3 && line.ptr[3] == '-' ? code : 0;
}

bool sw_explain_goes_on(struct sw_span so_far, struct sw_span line)
{
    if (so_far.len == 0 || is_blank(so_far) || is_blank(line))
        return false;
    int code = unfinished_code(so_far);
    struct sw_span words = sw_span_trim(line);
    if (code != 0)
        return sw_query_code_at(words) == code;
    /* RFC 5322 2.2.3: a line that is folded. Who indents a whole list indents its first line, too.
     */
    bool indented = line.ptr[0] == ' ' || line.ptr[0] == '\t';
    bool first_indented = so_far.ptr[0] == ' ' || so_far.ptr[0] == '\t';
    return indented && !first_indented && !stands_alone(words);
}

/* Words that stand once in a bounce or in an error message of several lines. */
static const struct sw_span whole_marks[] = {
    SW_SPAN_LIT("this is the mail system at"),
    SW_SPAN_LIT("created automatically by mail delivery"),
    SW_SPAN_LIT("qmail-send program"),
    SW_SPAN_LIT("reporting-mta:"),
    SW_SPAN_LIT("couldn't be delivered"),
    SW_SPAN_LIT("delivery has failed to these recipients"),
    SW_SPAN_LIT("did not reach some or all of the intended"),
    SW_SPAN_LIT("diagnostic information for administrators"),
    SW_SPAN_LIT("diagnoseinformationen für administratoren"),
    SW_SPAN_LIT("informations de diagnostic pour les administrateurs"),
    SW_SPAN_LIT("información de diagnóstico para administradores"),
    SW_SPAN_LIT("informazioni di diagnostica per gli amministratori"),
    SW_SPAN_LIT("einige oder alle empfänger nicht erreicht"),
    SW_SPAN_LIT("technical details of permanent failure"),
    SW_SPAN_LIT("unable to deliver your message to the following"),
    SW_SPAN_LIT("was undeliverable"),
    SW_SPAN_LIT("windows live mail error id"),
    SW_SPAN_LIT("nested exception is"),
};

/* Words that are said in one line as well; only beside others are they part of something longer. */
static const struct sw_span part_marks[] = {
    SW_SPAN_LIT("diagnostic-code:"),
    SW_SPAN_LIT("server response:"),
    SW_SPAN_LIT("the server response was"),
    SW_SPAN_LIT("server responded"),
    SW_SPAN_LIT("the response from the remote server was"),
    SW_SPAN_LIT("the response was:"),
    SW_SPAN_LIT("remote server returned '"),
    SW_SPAN_LIT("smtp error from remote mail server"),
    SW_SPAN_LIT("an error occurred while sending mail"),
};

static const struct sw_span companions[] = {
    SW_SPAN_LIT("final-recipient:"), SW_SPAN_LIT("action:"),       SW_SPAN_LIT("remote-mta:"),
    SW_SPAN_LIT("server:"),          SW_SPAN_LIT("protocol:"),     SW_SPAN_LIT("port:"),
    SW_SPAN_LIT("secure(ssl):"),     SW_SPAN_LIT("please check "),
};

enum { WHOLE = sizeof(whole_marks) / sizeof(whole_marks[0]) };
enum { PARTS = sizeof(part_marks) / sizeof(part_marks[0]) };

/* What the lines of a text are like. */
struct lines {
    unsigned count, alone, commands, replies, companions, unfinished, paragraphs;
    unsigned whole[WHOLE], parts[PARTS];
};

static void look_at(struct lines *lines, struct sw_span line)
{
    enum sw_reply_stage stage;
    lines->count++;
    lines->alone += stands_alone(line);
    lines->commands += is_command(without_arrow(line), &stage);
    lines->replies += sw_query_code_at(without_arrow(line)) != 0;
    for (int i = 0; i < WHOLE; i++)
        lines->whole[i] += sw_span_find_nocase(line, whole_marks[i]) < line.len;
    for (size_t i = 0; i < sizeof(companions) / sizeof(companions[0]); i++)
        lines->companions += sw_span_starts_nocase(line, companions[i]);
    for (int i = 0; i < PARTS; i++) {
        bool met = sw_span_find_nocase(line, part_marks[i]) < line.len;
        lines->parts[i] += met;
        lines->unfinished += met && line.ptr[line.len - 1] == ':';
    }
}

/* Is one of the words there, and none of them twice? */
static bool met_once(const unsigned *met, int count)
{
    bool any = false;
    for (int i = 0; i < count; i++) {
        if (met[i] > 1)
            return false; /* several messages, a line each */
        any = any || met[i] == 1;
    }
    return any;
}

bool sw_explain_is_one(struct sw_span text)
{
    struct lines lines = {0};
    bool blank = false;
    for (struct sw_span rest = text; rest.len > 0;) {
        size_t end = sw_span_index(rest, '\n');
        struct sw_span line = sw_span_trim(sw_span_sub(rest, 0, end));
        rest = sw_span_from(rest, end < rest.len ? end + 1 : end);
        lines.paragraphs += line.len > 0 && (blank || lines.count == 0);
        blank = line.len == 0;
        if (line.len > 0)
            look_at(&lines, line);
    }
    if (lines.count < 2 || lines.alone == lines.count)
        return false;
    if (lines.commands > 0 && lines.replies > 0)
        return true;
    bool together = lines.companions > 0 || lines.unfinished > 0 || lines.paragraphs > 1;
    return met_once(lines.whole, WHOLE) || (together && met_once(lines.parts, PARTS));
}

/* --- what comes back to the eyes --- */

/* Behind "AUTH ": how much stands before what is secret, 0 where these are words about logins. */
static size_t before_secret(struct sw_span text, bool several)
{
    size_t name = 0;
    while (name < text.len && text.ptr[name] > ' ')
        name++;
    struct sw_span data = sw_span_trim(sw_span_from(text, name));
    bool prose = !several;
    for (size_t i = 0; i < data.len && data.ptr[i] != ' '; i++)
        prose = prose && sw_ascii_alpha(data.ptr[i]) && data.ptr[i] == sw_ascii_lower(data.ptr[i]);
    if (prose || smtp_mechanism_of(sw_span_sub(text, 0, name)) == SMTP_MECH_UNKNOWN)
        return 0;
    return (size_t)(data.ptr - text.ptr);
}

/* "AUTH PLAIN AGFubmEA...": where the login begins, or the length. */
static size_t login_at(struct sw_span query, bool several)
{
    for (size_t at = 0; at < query.len;) {
        at += sw_span_find_nocase(sw_span_from(query, at), SW_SPAN_LIT("AUTH ")) + strlen("AUTH ");
        size_t shown = before_secret(sw_span_from(query, at), several);
        if (shown > 0)
            return at + shown;
    }
    return query.len;
}

/* "PASS word" of POP or FTP, said by a client or quoted by the server: where the word begins, or
 * the length. Amid other words it is one of theirs ("SPF PASS with"). */
static size_t pass_at(struct sw_span query)
{
    for (struct sw_span rest = query; rest.len > 0;) {
        struct sw_span line = without_arrow(sw_query_next_line(&rest));
        const uint8_t *start = line.ptr;
        for (size_t at = 0; at < line.len; at += strlen("PASS ")) {
            at += sw_span_find_nocase(sw_span_from(line, at), SW_SPAN_LIT("PASS "));
            if (at < line.len && (at == 0 || strchr("\"'`", start[at - 1]) != NULL))
                return (size_t)(start - query.ptr) + at + strlen("PASS ");
        }
    }
    return query.len;
}

/* "smtp://anna:word@host": where the word begins, or the length. */
static size_t password_of_url_at(struct sw_span query)
{
    for (size_t at = 0; at < query.len;) {
        at += sw_span_find_nocase(sw_span_from(query, at), SW_SPAN_LIT("://")) + strlen("://");
        size_t colon = 0;
        for (size_t i = at; i < query.len && query.ptr[i] > ' ' && query.ptr[i] != '/'; i++) {
            if (query.ptr[i] == ':' && colon == 0)
                colon = i;
            else if (query.ptr[i] == '@' && colon > 0)
                return colon + 1;
        }
    }
    return query.len;
}

/* Whoever pastes a dialogue should not see the password come back. */
static struct sw_span before_login(struct sw_span query)
{
    struct sw_span rest = query;
    (void)sw_query_next_line(&rest);
    bool several = rest.len > 0;
    if (several) /* what follows a challenge is its answer */
        query = sw_span_sub(query, 0, sw_span_find_nocase(query, SW_SPAN_LIT("334 ")));
    query = sw_span_sub(query, 0, pass_at(query));
    query = sw_span_sub(query, 0, password_of_url_at(query));
    return sw_span_sub(query, 0, login_at(query, several));
}

const char *sw_query_shown(struct sw_span words, size_t most, struct sw_arena *arena)
{
    struct sw_span shown = before_login(words);
    const char *text = sw_wire_text(arena, shown, most);
    if (shown.len < words.len)
        text = sw_arena_printf(arena, "%s ***", text);
    return text ? text : "";
}
