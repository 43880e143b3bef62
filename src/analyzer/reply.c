#include "analyzer/reply.h"

#include "analyzer/reply_automaton.h"
#include "analyzer/reply_rules.h"
#include "analyzer/reply_text.h"

#include <stdlib.h>

/* Where a word of the automaton was found first; length 0: not found. */
struct hit {
    uint16_t offset, length;
};

/* The words that were found, of each the first place. Few of all that are known are. */
struct hits {
    struct hit at[SW_WORDS_MAX]; /* of the words in the list below only */
    uint64_t known[SW_WORDS_MAX / 64];
    uint16_t list[SW_WORDS_MAX];
    size_t count;
};

static bool is_found(const struct hits *hits, uint16_t word)
{
    return hits->known[word / 64] >> word % 64 & 1;
}

static void add_hit(struct hits *hits, uint16_t word, size_t offset, size_t length)
{
    if (is_found(hits, word))
        return;
    hits->known[word / 64] |= UINT64_C(1) << word % 64;
    hits->at[word] = (struct hit){(uint16_t)offset, (uint16_t)length};
    hits->list[hits->count++] = word;
}

bool sw_reply_kb_init(struct sw_reply_kb *kb)
{
    size_t rows, bytes = sizeof(SW_REPLY_ADDRESS);
    const struct sw_reply_pattern *patterns = sw_reply_patterns(&rows);
    for (size_t i = 0; i < rows; i++) {
        bytes += strlen(patterns[i].needle);
        bytes += patterns[i].companion ? strlen(patterns[i].companion) : 0;
    }
    kb->words = calloc(rows, sizeof(*kb->words));
    kb->first_row = calloc(2 * rows + 1, sizeof(*kb->first_row));
    kb->automaton = malloc(sizeof(*kb->automaton));
    if (kb->automaton)
        memset(kb->automaton, 0, sizeof(*kb->automaton));
    if (!kb->words || !kb->first_row || !kb->automaton ||
        !sw_automaton_init(kb->automaton, 2 * rows + 1, bytes)) {
        sw_reply_kb_release(kb);
        return false;
    }
    kb->address = sw_automaton_add(kb->automaton, SW_REPLY_ADDRESS);
    for (size_t i = 0; i < rows; i++) {
        const struct sw_reply_pattern *p = &patterns[i];
        kb->words[i].needle = sw_automaton_add(kb->automaton, p->needle);
        kb->words[i].companion =
            p->companion ? sw_automaton_add(kb->automaton, p->companion) : kb->words[i].needle;
    }
    for (size_t i = rows; i > 0; i--) { /* in the order of the table */
        uint16_t *first = &kb->first_row[kb->words[i - 1].needle];
        kb->words[i - 1].next = *first;
        *first = (uint16_t)i;
    }
    if (!sw_automaton_close(kb->automaton)) {
        sw_reply_kb_release(kb);
        return false;
    }
    return true;
}

void sw_reply_kb_release(struct sw_reply_kb *kb)
{
    if (kb->automaton)
        sw_automaton_release(kb->automaton);
    free(kb->automaton);
    free(kb->words);
    free(kb->first_row);
    kb->first_row = NULL;
    kb->automaton = NULL;
    kb->words = NULL;
}

static bool is_letter_or_digit(struct sw_span text, size_t at)
{
    return at < text.len && (sw_ascii_alpha(text.ptr[at]) || sw_ascii_digit(text.ptr[at]));
}

/* Notes the words that end at a node, where the text has been read up to t->end. */
static void note_words(const struct sw_reply_automaton *a, uint16_t node,
                       const struct sw_reply_text *t, const uint16_t *starts, size_t given,
                       struct hits *hits)
{
    for (; node != 0; node = a->nodes[node].shorter) {
        for (uint16_t w = a->nodes[node].word; w != 0; w = a->words[w - 1].same_node) {
            const struct sw_word *word = &a->words[w - 1];
            size_t begin = starts[(given - word->length) % SW_WORD_MAX_BYTES];
            bool bounded =
                (!word->starts || begin == 0 || !is_letter_or_digit(t->text, begin - 1)) &&
                (!word->ends || !is_letter_or_digit(t->text, t->end));
            if (bounded)
                add_hit(hits, (uint16_t)(w - 1), begin, t->end - begin);
        }
    }
}

static void find_words(const struct sw_reply_automaton *a, struct sw_span text, struct hits *hits)
{
    uint16_t starts[SW_WORD_MAX_BYTES]; /* offsets of the last bytes, as a ring */
    struct sw_reply_text t;
    sw_reply_text_init(&t, text);
    uint16_t node = 0;
    size_t given = 0;
    for (int c = sw_reply_text_next(&t); c >= 0; c = sw_reply_text_next(&t)) {
        starts[given % SW_WORD_MAX_BYTES] = (uint16_t)t.offset;
        given++;
        node = sw_automaton_step(a, node, (uint8_t)c);
        if (a->nodes[node].word | a->nodes[node].shorter)
            note_words(a, node, &t, starts, given, hits);
    }
}

/* The length of an IPv4 address at the start of `s`, or 0. */
static size_t address_length(struct sw_span s)
{
    size_t at = 0;
    for (unsigned part = 0; part < 4; part++) {
        size_t from = at;
        while (at < s.len && at - from < 4 && sw_ascii_digit(s.ptr[at]))
            at++;
        if (at == from || at - from > 3 || (part < 3 && (at >= s.len || s.ptr[at] != '.')))
            return 0;
        at += part < 3 ? 1 : 0;
    }
    return at;
}

static void find_address(struct sw_span text, uint16_t word, struct hits *hits)
{
    text = sw_span_sub(text, 0, SW_REPLY_TEXT_MAX_BYTES);
    for (size_t dot = 0; dot < text.len; dot++) { /* each has one behind its first number */
        dot += sw_span_index(sw_span_from(text, dot), '.');
        size_t begin = dot;
        while (begin > 0 && sw_ascii_digit(text.ptr[begin - 1]))
            begin--;
        bool starts = begin < dot && (begin == 0 || !is_letter_or_digit(text, begin - 1));
        size_t length = starts ? address_length(sw_span_from(text, begin)) : 0;
        if (length > 0) {
            add_hit(hits, word, begin, length);
            return;
        }
    }
}

static bool code_fits(uint16_t wanted, int code)
{
    return wanted == 0 || wanted == code || (wanted < 10 && wanted == code / 100);
}

/* The first row of the table whose words were found and that speaks of such a reply; `count` when
 * there is none. */
static size_t first_row(const struct sw_reply_kb *kb, const struct hits *hits, int code,
                        const struct sw_reply_context *ctx)
{
    size_t count;
    const struct sw_reply_pattern *patterns = sw_reply_patterns(&count);
    size_t first = count;
    for (size_t i = 0; i < hits->count; i++) {
        size_t row = kb->first_row[hits->list[i]];
        for (; row != 0 && row - 1 < first; row = kb->words[row - 1].next) {
            const struct sw_reply_pattern *p = &patterns[row - 1];
            if ((p->stages & (1u << ctx->stage)) && code_fits(p->codes, code) &&
                is_found(hits, kb->words[row - 1].companion))
                first = row - 1;
        }
    }
    return first;
}

static bool read_text(const struct sw_reply_kb *kb, int code, struct sw_span text,
                      const struct sw_reply_context *ctx, struct sw_reply_reading *out)
{
    struct hits hits;
    memset(hits.known, 0, sizeof(hits.known));
    hits.count = 0;
    find_address(text, kb->address, &hits); /* first: it counts before the word itself */
    find_words(kb->automaton, text, &hits);
    size_t count;
    const struct sw_reply_pattern *patterns = sw_reply_patterns(&count);
    size_t row = first_row(kb, &hits, code, ctx);
    if (row == count)
        return false;
    const struct hit *hit = &hits.at[kb->words[row].needle];
    out->row = &patterns[row];
    out->cause = patterns[row].cause;
    out->also = patterns[row].also;
    out->decided_by = SW_REPLY_BY_TEXT;
    out->text_offset = hit->offset;
    out->text_length = hit->length;
    return true;
}

/* qmail and IronPort write the enhanced code into the sentence: "(#5.1.1)", "#5.1.0 ...". */
static struct sw_enhanced enhanced_in_text(int code, struct sw_span text)
{
    struct sw_enhanced found = {0};
    text = sw_span_sub(text, 0, SW_REPLY_TEXT_MAX_BYTES);
    while (text.len > 0) {
        text = sw_span_from(text, sw_span_index(text, '#') + 1);
        if (sw_enhanced_parse(text, &found) > 0 && found.klass == code / 100)
            return found;
    }
    return (struct sw_enhanced){0};
}

/* Details from here on are a provider's own; the registry's are smaller. */
enum { FIRST_OWN_DETAIL = 100 };

/* By the rules that speak of details from `least` on. */
static bool read_enhanced(int code, struct sw_enhanced enhanced, uint16_t least,
                          const struct sw_reply_context *ctx, struct sw_reply_reading *out)
{
    size_t rows;
    const struct sw_enhanced_rule *rules = sw_enhanced_rules(&rows);
    for (size_t i = 0; enhanced.klass != 0 && i < rows; i++) {
        const struct sw_enhanced_rule *r = &rules[i];
        bool fits = (r->stages & (1u << ctx->stage)) != 0 &&
                    (r->klass == 0 || r->klass == enhanced.klass) &&
                    r->subject == enhanced.subject && r->first >= least &&
                    enhanced.detail >= r->first && enhanced.detail <= r->last &&
                    (r->code == 0 || r->code == code);
        if (fits) {
            *out = (struct sw_reply_reading){
                .cause = r->cause,
                .decided_by = SW_REPLY_BY_ENHANCED,
                .own_number = r->first >= FIRST_OWN_DETAIL,
            };
            return true;
        }
    }
    return false;
}

static void read_code(int code, const struct sw_reply_context *ctx, struct sw_reply_reading *out)
{
    size_t rows;
    const struct sw_code_rule *rules = sw_code_rules(&rows);
    for (size_t i = 0; i < rows; i++) {
        if ((rules[i].stages & (1u << ctx->stage)) && code >= rules[i].first &&
            code <= rules[i].last) {
            out->cause = rules[i].cause;
            out->decided_by = SW_REPLY_BY_CODE;
            return;
        }
    }
}

static void remap(int code, struct sw_enhanced enhanced, const struct sw_reply_context *ctx,
                  struct sw_reply_reading *out)
{
    /* the sender's address stays one wherever it is spoken of (X.1.7: RFC 3463 3.2) */
    bool sender = (enhanced.subject == 1 && enhanced.detail == 7) ||
                  (out->row && strstr(out->row->needle, "sender") != NULL);
    if (out->cause == SW_CAUSE_MAIL_SENDER_SYNTAX && sender)
        return;
    /* and so does its domain (X.1.8), if the words are about some domain */
    if (out->cause == SW_CAUSE_RCPT_DOMAIN_NOT_FOUND && enhanced.subject == 1 &&
        enhanced.detail == 8)
        out->cause = SW_CAUSE_MAIL_SENDER_DOMAIN;
    size_t rows;
    const struct sw_remap_rule *rules = sw_remap_rules(&rows);
    for (size_t i = 0; i < rows; i++) {
        const struct sw_remap_rule *r = &rules[i];
        if (r->from == out->cause && (r->stages & (1u << ctx->stage)) &&
            (r->klass == 0 || r->klass == code / 100)) {
            out->cause = r->to;
            out->remapped = true;
            i = (size_t)-1; /* the rows form no circle, which a test makes sure of */
        }
    }
}

/* What a login's reply means depends on what was offered and tried. */
static void refine_auth(int code, const struct sw_reply_context *ctx, struct sw_reply_reading *out)
{
    bool no_login_here =
        out->cause == SW_CAUSE_AUTH_HIDDEN_UNTIL_TLS || out->cause == SW_CAUSE_AUTH_NOT_OFFERED;
    if (no_login_here && (code == 503 || code == 502 || code == 500))
        out->cause = ctx->starttls_offered && !ctx->tls_active && !ctx->auth_offered
                         ? SW_CAUSE_AUTH_HIDDEN_UNTIL_TLS
                         : SW_CAUSE_AUTH_NOT_OFFERED;
    if (ctx->auth_cancelled && (code == 501 || code == 535))
        out->cause = SW_CAUSE_AUTH_CANCELLED;
    else if (ctx->auth_oauth && out->cause == SW_CAUSE_AUTH_BAD_CREDENTIALS)
        out->cause = SW_CAUSE_AUTH_OAUTH_REJECTED;
}

/* RFC 3207 4.2: whoever sends more before the 220 gets an error, whatever its words. */
static void refine_starttls(const struct sw_reply_context *ctx, struct sw_reply_reading *out)
{
    bool no_other_reason = out->decided_by != SW_REPLY_BY_TEXT ||
                           out->cause == SW_CAUSE_SMTP_BAD_SEQUENCE ||
                           out->cause == SW_CAUSE_STARTTLS_REJECTED_PERM;
    if (ctx->spoke_after_starttls && no_other_reason)
        out->cause = SW_CAUSE_STARTTLS_PIPELINED;
}

/* What was offered, asked for and reached before gives the words at MAIL and RCPT their sense. */
static void refine_envelope(int code, struct sw_span text, const struct sw_reply_context *ctx,
                            struct sw_reply_reading *out)
{
    bool names_parameter = sw_span_index(text, '=') < text.len;
    if (out->cause == SW_CAUSE_MAIL_PARAM_UNSUPPORTED && ctx->wants_utf8 && !names_parameter)
        out->cause = SW_CAUSE_SMTP_UTF8_UNSUPPORTED;
    if (out->cause == SW_CAUSE_MAIL_POP_BEFORE_SMTP && ctx->auth_offered && !ctx->authenticated)
        out->cause = SW_CAUSE_AUTH_REQUIRED_NOT_ATTEMPTED;
    if (out->cause == SW_CAUSE_SESSION_MESSAGE_LIMIT && !ctx->mail_accepted)
        out->cause = SW_CAUSE_MAIL_RATE_LIMITED;
    /* 530 says "first ..." and not what: encryption if it was there to be used (RFC 3207 4) */
    bool bare_530 = code == 530 && out->decided_by != SW_REPLY_BY_TEXT;
    if (bare_530 && ctx->starttls_offered && !ctx->tls_active &&
        out->cause == SW_CAUSE_AUTH_REQUIRED_NOT_ATTEMPTED)
        out->cause = SW_CAUSE_STARTTLS_REQUIRED_NOT_USED;
}

static void refine(int code, struct sw_span text, const struct sw_reply_context *ctx,
                   struct sw_reply_reading *out)
{
    bool about_command = code >= 500 && code <= 504; /* RFC 5321 4.2.3 */
    if (ctx->chunk && about_command && out->decided_by == SW_REPLY_BY_CODE)
        out->cause = SW_CAUSE_SMTP_BAD_SEQUENCE;
    if (!ctx->dialogue_known)
        return;
    if (ctx->stage == SW_REPLY_STAGE_AUTH)
        refine_auth(code, ctx, out);
    if (ctx->stage == SW_REPLY_STAGE_STARTTLS)
        refine_starttls(ctx, out);
    refine_envelope(code, text, ctx, out);
    bool too_many = out->cause == SW_CAUSE_SESSION_TOO_MANY_ERRORS ||
                    out->cause == SW_CAUSE_AUTH_TOO_MANY_FAILURES;
    if (too_many && code == 421 && ctx->failed_logins > 0) {
        out->cause = SW_CAUSE_AUTH_BAD_CREDENTIALS;
        out->also = SW_CAUSE_AUTH_TOO_MANY_FAILURES;
    }
    /* RFC 5321 3.8: the server ends the session, wherever it stands; the text was not finished */
    if (ctx->inside_text && code == 421 && out->cause == SW_CAUSE_DATA_TEMP_FAILURE)
        out->cause = SW_CAUSE_SESSION_421_SHUTDOWN;
    if (ctx->client_spoke_early && ctx->stage == SW_REPLY_STAGE_GREETING && code / 100 == 5 &&
        out->decided_by == SW_REPLY_BY_CODE)
        out->cause = SW_CAUSE_GREET_EARLY_TALKER;
}

/*
 * "Log in first", to somebody whose login was accepted: the words are not true, so they do not
 * decide. What is left is that the server does not relay, or that it has lost the login.
 */
static bool denies_login(const struct sw_reply_context *ctx, enum sw_cause cause)
{
    const unsigned envelope = 1u << SW_REPLY_STAGE_MAIL | 1u << SW_REPLY_STAGE_RCPT |
                              1u << SW_REPLY_STAGE_DATA | 1u << SW_REPLY_STAGE_FINAL;
    return ctx->dialogue_known && ctx->authenticated && (envelope >> ctx->stage & 1) &&
           cause == SW_CAUSE_AUTH_REQUIRED_NOT_ATTEMPTED;
}

static enum sw_cause cause_behind_login(struct sw_span text, enum sw_reply_stage stage)
{
    bool relay = sw_span_find_nocase(text, SW_SPAN_LIT("relay")) < text.len;
    return relay && stage == SW_REPLY_STAGE_RCPT ? SW_CAUSE_RCPT_RELAY_DENIED
                                                 : SW_CAUSE_MAIL_SERVER_ERROR;
}

static enum sw_permanence permanence_of(int code, enum sw_cause cause)
{
    switch (code / 100) {
    case 4:
        return SW_PERMANENCE_TEMPORARY;
    case 5:
        return SW_PERMANENCE_PERMANENT;
    default:
        return sw_cause_info(cause)->permanence;
    }
}

void sw_reply_read(const struct sw_reply_kb *kb, int code, struct sw_enhanced enhanced,
                   struct sw_span text, const struct sw_reply_context *ctx,
                   struct sw_reply_reading *out)
{
    *out = (struct sw_reply_reading){.cause = SW_CAUSE_NONE};
    if (code < 400 || code > 599) {
        /* some servers hang up politely (Postfix: 221 to a web browser) */
        if (code / 100 == 2 && read_text(kb, code, text, ctx, out) &&
            out->cause == SW_CAUSE_OK_NO_ATTEMPT)
            return;
        *out = (struct sw_reply_reading){.cause = SW_CAUSE_NONE};
        return;
    }
    if (enhanced.klass == 0)
        enhanced = enhanced_in_text(code, text);
    bool has_words = read_text(kb, code, text, ctx, out);
    if (!has_words) {
        if (!read_enhanced(code, enhanced, 0, ctx, out))
            read_code(code, ctx, out);
    } else if (out->row->plain) {
        read_enhanced(code, enhanced, FIRST_OWN_DETAIL, ctx, out);
    }
    remap(code, enhanced, ctx, out);
    refine(code, text, ctx, out);
    if (denies_login(ctx, out->cause)) {
        out->login_denied = true;
        out->cause = cause_behind_login(text, ctx->stage);
        out->decided_by = SW_REPLY_BY_CODE;
        remap(code, enhanced, ctx, out);
    }
    out->permanence = permanence_of(code, out->cause);
}

const char *sw_reply_stage_name(enum sw_reply_stage stage)
{
    static const char *const names[SW_REPLY_STAGE_COUNT] = {
        [SW_REPLY_STAGE_GREETING] = "greeting", [SW_REPLY_STAGE_HELLO] = "hello",
        [SW_REPLY_STAGE_STARTTLS] = "starttls", [SW_REPLY_STAGE_AUTH] = "auth",
        [SW_REPLY_STAGE_MAIL] = "mail",         [SW_REPLY_STAGE_RCPT] = "rcpt",
        [SW_REPLY_STAGE_DATA] = "data",         [SW_REPLY_STAGE_FINAL] = "final",
    };
    return names[stage < SW_REPLY_STAGE_COUNT ? stage : SW_REPLY_STAGE_GREETING];
}

const char *sw_reply_decided_name(enum sw_reply_decided decided)
{
    switch (decided) {
    case SW_REPLY_BY_TEXT:
        return "text";
    case SW_REPLY_BY_ENHANCED:
        return "enhanced";
    case SW_REPLY_BY_CODE:
        return "code";
    case SW_REPLY_BY_NOTHING:
        break;
    }
    return "nothing";
}
