#include "analyzer/explanation_query.h"

#include "analyzer/reply_rules.h"

#define ON(stage) SW_REPLY_ON(stage)

/* Where a code is at home: the usual stage first, then all of them. */
static const struct {
    uint16_t first, last;
    enum sw_reply_stage usual;
    uint16_t stages;
} homes[] = {
    {220, 220, SW_REPLY_STAGE_GREETING, ON(GREETING) | ON(STARTTLS)},
    {235, 235, SW_REPLY_STAGE_AUTH, ON(AUTH)},
    {250, 250, SW_REPLY_STAGE_FINAL, ON(FINAL)},
    {334, 334, SW_REPLY_STAGE_AUTH, ON(AUTH)},
    {354, 354, SW_REPLY_STAGE_DATA, ON(DATA)},
    {421, 421, SW_REPLY_STAGE_GREETING, ON(GREETING) | ON(MAIL) | ON(RCPT) | ON(FINAL)},
    {432, 432, SW_REPLY_STAGE_AUTH, ON(AUTH) | ON(MAIL) | ON(FINAL)},
    {435, 435, SW_REPLY_STAGE_AUTH, ON(AUTH)},
    {450, 450, SW_REPLY_STAGE_RCPT, ON(MAIL) | ON(RCPT) | ON(FINAL)},
    {451, 452, SW_REPLY_STAGE_RCPT, ON(MAIL) | ON(RCPT) | ON(FINAL)},
    {454, 454, SW_REPLY_STAGE_AUTH, ON(STARTTLS) | ON(AUTH) | ON(MAIL)},
    {455, 455, SW_REPLY_STAGE_MAIL, ON(MAIL) | ON(RCPT)},
    {500, 500, SW_REPLY_STAGE_HELLO, ON(HELLO) | ON(AUTH)},
    {501, 501, SW_REPLY_STAGE_MAIL, ON(HELLO) | ON(AUTH) | ON(MAIL) | ON(RCPT)},
    {502, 502, SW_REPLY_STAGE_HELLO, ON(HELLO) | ON(STARTTLS) | ON(AUTH)},
    {503, 503, SW_REPLY_STAGE_MAIL, ON(AUTH) | ON(MAIL) | ON(DATA)},
    {504, 504, SW_REPLY_STAGE_AUTH, ON(HELLO) | ON(AUTH)},
    {521, 521, SW_REPLY_STAGE_GREETING, ON(GREETING)},
    {523, 525, SW_REPLY_STAGE_AUTH, ON(AUTH)},
    {530, 530, SW_REPLY_STAGE_MAIL, ON(AUTH) | ON(MAIL)},
    {534, 538, SW_REPLY_STAGE_AUTH, ON(AUTH)},
    {550, 550, SW_REPLY_STAGE_RCPT, ON(MAIL) | ON(RCPT) | ON(FINAL)},
    {551, 551, SW_REPLY_STAGE_RCPT, ON(RCPT)},
    {552, 552, SW_REPLY_STAGE_FINAL, ON(MAIL) | ON(RCPT) | ON(FINAL)},
    {553, 553, SW_REPLY_STAGE_RCPT, ON(MAIL) | ON(RCPT)},
    {554, 554, SW_REPLY_STAGE_RCPT, ON(GREETING) | ON(RCPT) | ON(DATA) | ON(FINAL)},
    {555, 555, SW_REPLY_STAGE_MAIL, ON(MAIL)},
    {571, 571, SW_REPLY_STAGE_FINAL, ON(FINAL)},
    {0, 599, SW_REPLY_STAGE_RCPT, ON(RCPT)},
};

static size_t home_of(int code)
{
    size_t i = 0;
    while (code < homes[i].first || code > homes[i].last)
        i++;
    return i;
}

uint16_t sw_query_stages(int code)
{
    return homes[home_of(code)].stages;
}

enum sw_reply_stage sw_query_stage(int code)
{
    return homes[home_of(code)].usual;
}

/* What people call the stages. The longer of two that begin alike stands first. */
static const struct {
    struct sw_span name;
    enum sw_reply_stage stage;
} prefixes[] = {
    {SW_SPAN_LIT("greeting"), SW_REPLY_STAGE_GREETING},
    {SW_SPAN_LIT("banner"), SW_REPLY_STAGE_GREETING},
    {SW_SPAN_LIT("connect"), SW_REPLY_STAGE_GREETING},
    {SW_SPAN_LIT("hello"), SW_REPLY_STAGE_HELLO},
    {SW_SPAN_LIT("ehlo"), SW_REPLY_STAGE_HELLO},
    {SW_SPAN_LIT("helo"), SW_REPLY_STAGE_HELLO},
    {SW_SPAN_LIT("lhlo"), SW_REPLY_STAGE_HELLO},
    {SW_SPAN_LIT("starttls"), SW_REPLY_STAGE_STARTTLS},
    {SW_SPAN_LIT("auth"), SW_REPLY_STAGE_AUTH},
    {SW_SPAN_LIT("mail from"), SW_REPLY_STAGE_MAIL},
    {SW_SPAN_LIT("mail"), SW_REPLY_STAGE_MAIL},
    {SW_SPAN_LIT("rcpt to"), SW_REPLY_STAGE_RCPT},
    {SW_SPAN_LIT("rcpt"), SW_REPLY_STAGE_RCPT},
    {SW_SPAN_LIT("data"), SW_REPLY_STAGE_DATA},
    {SW_SPAN_LIT("final"), SW_REPLY_STAGE_FINAL},
    {SW_SPAN_LIT("bdat"), SW_REPLY_STAGE_FINAL},
    {SW_SPAN_LIT("eod"), SW_REPLY_STAGE_FINAL},
    {SW_SPAN_LIT("dot"), SW_REPLY_STAGE_FINAL},
};

/* How logs tell at which stage a reply came. */
static const struct {
    struct sw_span words;
    enum sw_reply_stage stage;
} hints[] = {
    {SW_SPAN_LIT("end of data"), SW_REPLY_STAGE_FINAL},
    {SW_SPAN_LIT("after i sent the message"), SW_REPLY_STAGE_FINAL},
    {SW_SPAN_LIT("pipelined end"), SW_REPLY_STAGE_FINAL},
    {SW_SPAN_LIT("data end command"), SW_REPLY_STAGE_FINAL},
    {SW_SPAN_LIT("in reply to data"), SW_REPLY_STAGE_DATA},
    {SW_SPAN_LIT("after data"), SW_REPLY_STAGE_DATA},
    {SW_SPAN_LIT("failed on data"), SW_REPLY_STAGE_DATA},
    {SW_SPAN_LIT("data command failed"), SW_REPLY_STAGE_DATA},
    {SW_SPAN_LIT("rcpt to"), SW_REPLY_STAGE_RCPT},
    {SW_SPAN_LIT("reject: rcpt"), SW_REPLY_STAGE_RCPT},
    {SW_SPAN_LIT("does not like recipient"), SW_REPLY_STAGE_RCPT},
    {SW_SPAN_LIT("recipients was rejected"), SW_REPLY_STAGE_RCPT},
    {SW_SPAN_LIT("mail from"), SW_REPLY_STAGE_MAIL},
    {SW_SPAN_LIT("sender was rejected"), SW_REPLY_STAGE_MAIL},
    {SW_SPAN_LIT("sasl authentication failed"), SW_REPLY_STAGE_AUTH},
    {SW_SPAN_LIT("starttls"), SW_REPLY_STAGE_STARTTLS},
    {SW_SPAN_LIT("refused to start tls"), SW_REPLY_STAGE_STARTTLS},
    {SW_SPAN_LIT("refused to talk to me"), SW_REPLY_STAGE_GREETING},
    {SW_SPAN_LIT("greeting failed"), SW_REPLY_STAGE_GREETING},
    {SW_SPAN_LIT("initial connection"), SW_REPLY_STAGE_GREETING},
    {SW_SPAN_LIT("ehlo"), SW_REPLY_STAGE_HELLO},
    {SW_SPAN_LIT("helo"), SW_REPLY_STAGE_HELLO},
};

int sw_query_code_at(struct sw_span s)
{
    if (s.len < 3 || s.ptr[0] < '2' || s.ptr[0] > '5')
        return 0;
    if (!sw_ascii_digit(s.ptr[1]) || !sw_ascii_digit(s.ptr[2]))
        return 0;
    bool ends = s.len == 3 || s.ptr[3] == ' ' || s.ptr[3] == '-' || s.ptr[3] == '\\' ||
                (s.ptr[3] == ':' && s.len > 4 && s.ptr[4] == ' ') || s.ptr[3] == '\n' ||
                s.ptr[3] == '\r' || s.ptr[3] == ',' || s.ptr[3] == '\'';
    return ends ? (s.ptr[0] - '0') * 100 + (s.ptr[1] - '0') * 10 + (s.ptr[2] - '0') : 0;
}

bool sw_query_take_stage(struct sw_span *query, enum sw_reply_stage *stage)
{
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (!sw_span_starts_nocase(*query, prefixes[i].name))
            continue;
        struct sw_span rest = sw_span_from(*query, prefixes[i].name.len);
        bool colon = rest.len > 0 && rest.ptr[0] == ':';
        bool blank = rest.len > 0 && (rest.ptr[0] == ' ' || rest.ptr[0] == '\t');
        rest = sw_span_trim(sw_span_from(rest, colon ? 1 : 0));
        struct sw_enhanced any;
        if (colon ||
            (blank && (sw_query_code_at(rest) != 0 || sw_enhanced_parse(rest, &any) > 0))) {
            *query = rest;
            *stage = prefixes[i].stage;
            return true;
        }
    }
    return false;
}

struct sw_span sw_query_next_line(struct sw_span *rest)
{
    size_t end = 0, skip = 0;
    for (; end < rest->len && skip == 0; end++) {
        if (rest->ptr[end] == '\n')
            skip = 1;
        else if (rest->ptr[end] == '\\' && end + 1 < rest->len && rest->ptr[end + 1] == 'n')
            skip = 2;
    }
    if (skip > 0)
        end--;
    struct sw_span line = sw_span_sub(*rest, 0, end);
    *rest = sw_span_from(*rest, end + skip);
    if (skip == 2 && line.len >= 2 && memcmp(line.ptr + line.len - 2, "\\r", 2) == 0)
        line.len -= 2;
    return sw_span_trim(line);
}

static void read_lines(struct sw_span query, struct sw_arena *arena, struct sw_query_reply *out)
{
    uint8_t *text = query.len > 0 ? sw_arena_alloc(arena, query.len) : NULL;
    size_t used = 0;
    while (text && query.len > 0) {
        struct sw_span line = sw_query_next_line(&query);
        if (sw_query_code_at(line) == out->code && out->code != 0)
            line = sw_span_from(line, line.len > 3 ? 4 : 3);
        line = sw_span_trim(line);
        struct sw_enhanced code;
        if (out->enhanced.klass == 0 && sw_enhanced_parse(line, &code) > 0)
            out->enhanced = code;
        if (used > 0)
            text[used++] = '\n';
        if (line.len > 0)
            memcpy(text + used, line.ptr, line.len);
        used += line.len;
    }
    out->text = sw_span_make(text, used);
}

/* As it is quoted or pasted into a shell. */
static struct sw_span without_quotes(struct sw_span query)
{
    while (query.len > 0 && (query.ptr[0] == '"' || query.ptr[0] == '\'')) {
        bool both = query.len > 1 && query.ptr[query.len - 1] == query.ptr[0];
        query = sw_span_sub(query, 1, query.len - (both ? 2 : 1));
    }
    return sw_span_trim(query);
}

/*
 * "550 5.4.300 Message expired -> 451 4.3.2 busy", "5.7.57 Client not authenticated. Error: 535
 * no": Exchange quotes behind its own reply the one that it is about.
 */
static struct sw_span innermost(struct sw_span query)
{
    static const struct sw_span marks[] = {SW_SPAN_LIT(" -> "), SW_SPAN_LIT(" Error: ")};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        size_t at = sw_span_find_nocase(query, marks[i]);
        struct sw_span behind = sw_span_trim(sw_span_from(query, at + marks[i].len));
        int code = sw_query_code_at(behind);
        if (code >= 400 && sw_reply_code_info(code))
            query = behind;
    }
    return query;
}

/* For an enhanced code alone: the class is certain, the rest is usual (RFC 4954 6). */
static int usual_code(struct sw_enhanced code)
{
    bool login_refused = code.klass == 5 && code.subject == 7 && code.detail == 8;
    return login_refused ? 535 : code.klass * 100 + 50;
}

bool sw_query_reply_read(struct sw_span query, struct sw_arena *arena, struct sw_query_reply *out)
{
    *out = (struct sw_query_reply){.stage = SW_REPLY_STAGE_RCPT};
    query = sw_span_trim(query);
    out->chunk = sw_span_starts_nocase(query, SW_SPAN_LIT("bdat"));
    out->stage_given = sw_query_take_stage(&query, &out->stage);
    query = without_quotes(query);
    struct sw_enhanced code;
    if (sw_query_code_at(query) >= 400 || sw_enhanced_parse(query, &code) > 0)
        query = innermost(query);
    out->code = sw_query_code_at(query);
    if (out->code == 0 && sw_enhanced_parse(query, &code) == 0) {
        out->text = query;
        return false;
    }
    read_lines(query, arena, out);
    out->inferred = out->code == 0;
    if (out->inferred)
        out->code = usual_code(out->enhanced);
    if (!out->stage_given)
        out->stage = sw_query_stage(out->code);
    return true;
}

static bool find_hint(struct sw_span query, enum sw_reply_stage *stage)
{
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (sw_span_find_nocase(query, hints[i].words) < query.len) {
            *stage = hints[i].stage;
            return true;
        }
    }
    return false;
}

/* "The server responded: 5.7.1 no": mail programs leave the basic code out. */
static bool is_quoted_enhanced(struct sw_span query, size_t at)
{
    struct sw_span rest = sw_span_from(query, at);
    struct sw_enhanced code;
    size_t length = sw_enhanced_parse(rest, &code);
    struct sw_span before = sw_span_sub(query, 0, at);
    bool apart = at > 0 && (query.ptr[at - 1] == ' ' || query.ptr[at - 1] == '\n');
    before = sw_span_trim(before);
    return apart && before.len > 0 && before.ptr[before.len - 1] == ':' && length > 0 &&
           code.klass >= 4 && length + 2 < rest.len && rest.ptr[length] == ' ';
}

static bool is_quote(uint8_t c)
{
    return c == '\'' || c == '"';
}

/* "Server Response: '550 no'": so mail programs quote the server, whatever else they quote. */
static bool is_labelled(struct sw_span query, size_t at)
{
    struct sw_span before = sw_span_trim(sw_span_sub(query, 0, at - 1));
    return is_quote(query.ptr[at - 1]) && before.len > 0 && before.ptr[before.len - 1] == ':';
}

/* "shows error 550 when scanning", and not "said: 550 no" or "(550 no)". */
static bool is_stray(struct sw_span query, size_t at)
{
    struct sw_span before = sw_span_trim(sw_span_sub(query, 0, at));
    uint8_t last = before.len > 0 ? before.ptr[before.len - 1] : ':';
    return query.ptr[at - 1] == ' ' &&
           (sw_ascii_alpha(last) || sw_ascii_digit(last) || last == '.');
}

/* What was received, in the protocol log of Exchange: "...,<,550 5.7.1 no,". */
static bool is_logged(struct sw_span query, size_t at)
{
    return at > 1 && query.ptr[at - 1] == ',' && query.ptr[at - 2] == '<';
}

static bool find_reply(struct sw_span query, bool labelled, struct sw_arena *arena,
                       struct sw_query_reply *out)
{
    for (size_t i = 1; i < query.len; i++) {
        uint8_t before = query.ptr[i - 1];
        struct sw_span rest = sw_span_from(query, i);
        if (labelled && !is_labelled(query, i))
            continue;
        /* "Server Error: 550, Error Number" names a code; "said: 550 no" is a reply */
        bool starts = before == ' ' || is_quote(before) || before == '(' || before == '<' ||
                      before == '\n' || is_logged(query, i);
        int code = starts ? sw_query_code_at(rest) : 0;
        bool known = code >= 400 && rest.len >= 6 && sw_reply_code_info(code); /* 587 is a port */
        if (!known && !is_quoted_enhanced(query, i))
            continue;
        size_t quote = is_quote(before) ? sw_span_index(rest, before) : rest.len;
        if (!sw_query_reply_read(sw_span_sub(rest, 0, quote), arena, out) || out->text.len < 2)
            continue;
        out->stage_given = find_hint(query, &out->stage);
        out->stray = known && is_stray(query, i);
        return true;
    }
    return false;
}

/* "Detail: no such user SMTP code: 550 Additional SMTP info: 5.1.1": PHPMailer takes replies apart.
 */
static bool find_parts(struct sw_span query, struct sw_arena *arena, struct sw_query_reply *out)
{
    static const struct sw_span words_mark = SW_SPAN_LIT("Detail: ");
    static const struct sw_span code_mark = SW_SPAN_LIT(" SMTP code: ");
    static const struct sw_span enhanced_mark = SW_SPAN_LIT("Additional SMTP info: ");
    size_t end = sw_span_find_nocase(query, code_mark);
    size_t begin = sw_span_find_nocase(query, words_mark);
    struct sw_span rest = sw_span_from(query, end + code_mark.len);
    int code = sw_query_code_at(rest);
    if (begin >= end || code < 400 || !sw_reply_code_info(code))
        return false;
    begin += words_mark.len;
    struct sw_span words = sw_span_sub(query, begin, end - begin);
    rest = sw_span_from(rest, sw_span_find_nocase(rest, enhanced_mark) + enhanced_mark.len);
    struct sw_span enhanced = sw_span_word(&rest);
    const char *whole =
        sw_arena_printf(arena, "%d %.*s %.*s", code, (int)enhanced.len, (const char *)enhanced.ptr,
                        (int)words.len, (const char *)words.ptr);
    if (!whole || !sw_query_reply_read(sw_span_str(whole), arena, out))
        return false;
    out->stage_given = find_hint(query, &out->stage);
    return true;
}

bool sw_query_reply_find(struct sw_span query, struct sw_arena *arena, struct sw_query_reply *out)
{
    return find_parts(query, arena, out) || find_reply(query, true, arena, out) ||
           find_reply(query, false, arena, out);
}

bool sw_query_success_find(struct sw_span query, struct sw_arena *arena, struct sw_query_reply *out)
{
    static const struct sw_span marks[] = {
        SW_SPAN_LIT("status=sent ("), /* Postfix */
        SW_SPAN_LIT("stat=Sent ("),   /* Sendmail */
        SW_SPAN_LIT("] C=\""),        /* Exim */
    };
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        size_t at = sw_span_find_nocase(query, marks[i]);
        struct sw_span said = sw_span_from(query, at < query.len ? at + marks[i].len : at);
        if (sw_query_code_at(said) / 100 != 2 || !sw_query_reply_read(said, arena, out))
            continue;
        out->stage = SW_REPLY_STAGE_FINAL;
        out->stage_given = true;
        return true;
    }
    return false;
}

static bool is_known(struct sw_enhanced code)
{
    return sw_enhanced_registered(code) || sw_enhanced_vendor(code, NULL);
}

/* The next run of digits and dots of *rest that stands alone, without dots at its ends. */
static struct sw_span next_number(struct sw_span *rest)
{
    size_t at = 0;
    while (at < rest->len &&
           (!sw_ascii_digit(rest->ptr[at]) || (at > 0 && sw_ascii_alpha(rest->ptr[at - 1]))))
        at++;
    size_t end = at;
    while (end < rest->len && (sw_ascii_digit(rest->ptr[end]) || rest->ptr[end] == '.'))
        end++;
    struct sw_span number = sw_span_sub(*rest, at, end - at);
    *rest = sw_span_from(*rest, end);
    while (number.len > 0 && number.ptr[number.len - 1] == '.')
        number.len--;
    return number;
}

bool sw_query_code_find(struct sw_span query, struct sw_query_reply *out, bool *basic_given)
{
    *out = (struct sw_query_reply){.stage = SW_REPLY_STAGE_RCPT};
    struct sw_span rest = query;
    for (struct sw_span n = next_number(&rest); n.len > 0; n = next_number(&rest)) {
        struct sw_enhanced code;
        int basic = n.len == 3 ? sw_query_code_at(n) : 0;
        bool enhanced = sw_enhanced_parse(n, &code) == n.len && n.len > 0;
        if (out->code == 0 && basic >= 400 && sw_reply_code_info(basic))
            out->code = basic;
        else if (out->enhanced.klass == 0 && enhanced && is_known(code))
            out->enhanced = code;
    }
    *basic_given = out->code != 0;
    if (!*basic_given)
        out->code = out->enhanced.klass * 100 + 50;
    return *basic_given || out->enhanced.klass != 0;
}
