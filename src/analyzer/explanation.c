#include "analyzer/explanation.h"

#include "analyzer/advice.h"
#include "analyzer/explanation_near.h"
#include "analyzer/explanation_note.h"
#include "analyzer/explanation_query.h"
#include "analyzer/prose.h"
#include "analyzer/token_error.h"
#include "base/base64.h"

#include <stdio.h>

enum { QUERY_SHOWN = 4000, WORDS_SHOWN = 200, SENTENCE_WORDS = 3 };

/* What one call works with. */
struct work {
    const struct sw_reply_kb *kb;
    struct sw_arena *arena;
    struct sw_span query;
    struct sw_explanation *out;
};

static void add_advice(struct work *w, const char *step)
{
    size_t n = 0;
    while (n < SW_EXPLANATION_ADVICE && w->out->advice[n])
        n++;
    if (n < SW_EXPLANATION_ADVICE && step)
        w->out->advice[n] = step;
}

static void add_code(struct work *w, const struct sw_client_code *row)
{
    size_t n = 0;
    while (n < SW_EXPLANATION_CODES && w->out->client_codes[n])
        n++;
    if (n < SW_EXPLANATION_CODES)
        w->out->client_codes[n] = row;
}

static void add_cause(struct work *w, enum sw_cause cause)
{
    size_t n = 0;
    while (n < SW_EXPLANATION_CAUSES && w->out->causes[n] != SW_CAUSE_NONE) {
        if (w->out->causes[n] == cause)
            return;
        n++;
    }
    if (n < SW_EXPLANATION_CAUSES)
        w->out->causes[n] = cause;
}

/* "RFC 5321 3.8; RFC 3463" as single entries, none twice. */
static void add_references(struct work *w, const char *list)
{
    struct sw_span rest = sw_span_str(list);
    while (rest.len > 0) {
        size_t end = sw_span_find_nocase(rest, SW_SPAN_LIT("; "));
        struct sw_span one = sw_span_sub(rest, 0, end);
        rest = sw_span_from(rest, end + 2);
        size_t n = 0;
        while (n < SW_EXPLANATION_REFERENCES && w->out->references[n] &&
               !sw_span_eq(sw_span_str(w->out->references[n]), one))
            n++;
        if (n < SW_EXPLANATION_REFERENCES && !w->out->references[n])
            w->out->references[n] = sw_wire_text(w->arena, one, QUERY_SHOWN);
    }
}

/* Everything that the tables know of a cause. */
static void tell_cause(struct work *w, enum sw_cause cause, const struct sw_template_values *values)
{
    const struct sw_cause_info *info = sw_cause_info(cause);
    const struct sw_cause_wording *wording = sw_cause_wording_of_code(cause, w->out->code);
    w->out->cause = cause;
    w->out->permanence = info->permanence;
    w->out->actor = info->actor;
    w->out->summary = sw_template_fill(wording->summary, values, w->arena);
    w->out->meaning = sw_template_fill(wording->meaning, values, w->arena);
    for (size_t i = 0; wording->advice[i]; i++)
        add_advice(w, sw_template_fill(wording->advice[i], values, w->arena));
    add_references(w, wording->references);
    if (info->permanence == SW_PERMANENCE_NONE)
        return; /* a success shows as nothing */
    for (const struct sw_client_code *row = sw_client_code_next(cause, NULL); row;
         row = sw_client_code_next(cause, row))
        add_code(w, row);
}

/* What several causes have in common. */
static void join_causes(struct work *w)
{
    enum sw_permanence permanence = sw_cause_info(w->out->causes[0])->permanence;
    enum sw_actor actor = sw_cause_info(w->out->causes[0])->actor;
    for (size_t i = 0; i < SW_EXPLANATION_CAUSES && w->out->causes[i] != SW_CAUSE_NONE; i++) {
        const struct sw_cause_info *info = sw_cause_info(w->out->causes[i]);
        permanence = info->permanence != permanence ? SW_PERMANENCE_UNKNOWN : permanence;
        actor = info->actor != actor ? SW_ACTOR_NONE : actor;
    }
    w->out->permanence = permanence;
    w->out->actor = actor;
}

/* One line for each of several causes, and its first step as advice if there is none yet. */
static void tell_causes(struct work *w, struct sw_prose *meaning)
{
    bool advise = w->out->advice[0] == NULL;
    w->out->causes_told = true;
    for (size_t i = 0; i < SW_EXPLANATION_CAUSES && w->out->causes[i] != SW_CAUSE_NONE; i++) {
        enum sw_cause cause = w->out->causes[i];
        const struct sw_cause_wording *wording = sw_cause_wording(cause);
        const char *summary = sw_template_fill(wording->summary, NULL, w->arena);
        const char *step = NULL;
        if (advise && wording->advice[0])
            step = sw_template_fill(wording->advice[0], NULL, w->arena);
        sw_prose_add(meaning, "\n%s: %s", sw_cause_name(cause), summary ? summary : "");
        if (step)
            add_advice(w, sw_arena_printf(w->arena, "%s: %s", sw_cause_name(cause), step));
    }
    join_causes(w);
}

static void tell_finding(struct work *w, enum sw_finding_id id)
{
    const struct sw_finding_wording *wording = sw_finding_wording(id);
    w->out->kind = SW_EXPLANATION_FINDING;
    w->out->finding = id;
    w->out->summary = wording->summary;
    w->out->meaning = wording->meaning;
    if (wording->guard)
        w->out->meaning =
            sw_arena_printf(w->arena, "%s\nWhen it is less: %s", wording->meaning, wording->guard);
    add_advice(w, wording->advice);
    add_references(w, wording->references);
}

/* What a code says by itself, with the registry's and the providers' meaning, a line each, but for
 * the one that was said already. */
static void tell_code_meaning(struct sw_prose *prose, int code, struct sw_enhanced enhanced,
                              const char *said)
{
    const struct sw_reply_code_info *basic = sw_reply_code_info(code);
    const char *general = sw_reply_class_meaning(code);
    if (basic && basic->meaning != said)
        sw_prose_add(prose, "%d: %s.", code, basic->meaning);
    else if (!basic && general)
        sw_prose_add(prose, "%d is in no standard; its first digit says: %s.", code, general);
    if (enhanced.klass == 0)
        return;
    const struct sw_enhanced_info *info = sw_enhanced_registered(enhanced);
    const struct sw_enhanced_info *vendor = sw_enhanced_vendor(enhanced, NULL);
    const char *gap = prose->used > 0 ? "\n" : "";
    if (info && info->meaning != said)
        sw_prose_add(prose, "%s%d.%d.%d: %s.", gap, enhanced.klass, enhanced.subject,
                     enhanced.detail, info->meaning);
    else if (!info && !vendor)
        sw_prose_add(prose, "%s%d.%d.%d is not in the registry.", gap, enhanced.klass,
                     enhanced.subject, enhanced.detail);
    for (; vendor; vendor = sw_enhanced_vendor(enhanced, vendor)) {
        if (vendor->meaning != said)
            sw_prose_add(prose, "%s%s.", prose->used > 0 ? "\n" : "", vendor->meaning);
    }
}

static void add_code_references(struct work *w, int code, struct sw_enhanced enhanced)
{
    const struct sw_reply_code_info *basic = sw_reply_code_info(code);
    if (basic)
        add_references(w, basic->reference);
    const struct sw_enhanced_info *info =
        enhanced.klass != 0 ? sw_enhanced_registered(enhanced) : NULL;
    if (info)
        add_references(w, info->reference);
    for (info = enhanced.klass != 0 ? sw_enhanced_vendor(enhanced, NULL) : NULL; info;
         info = sw_enhanced_vendor(enhanced, info))
        add_references(w, info->reference);
}

/* The challenge in which a server says why it refuses a sign-in token. */
static bool tell_token_error(struct work *w, const struct sw_query_reply *reply)
{
    uint8_t json[512];
    int len = reply->code == 334 ? sw_base64_decode(reply->text, json, sizeof(json)) : 0;
    if (len <= 0 || json[0] != '{')
        return false;
    struct sw_prose prose = {.arena = w->arena};
    sw_token_error_members(sw_span_make(json, (size_t)len), &prose);
    tell_cause(w, SW_CAUSE_AUTH_OAUTH_REJECTED, NULL);
    w->out->meaning = sw_arena_printf(w->arena, "The server explains%s\n%s", sw_prose_text(&prose),
                                      w->out->meaning ? w->out->meaning : "");
    return true;
}

/* The positive end of a message is a success, everything else positive only goes on; what is
 * refused beside the mail is no failure of it. */
static void tell_no_failure(struct work *w, const struct sw_query_reply *reply)
{
    struct sw_prose prose = {.arena = w->arena};
    bool accepted = reply->code / 100 == 2 && reply->stage == SW_REPLY_STAGE_FINAL;
    if (accepted)
        tell_cause(w, SW_CAUSE_OK_DELIVERED, NULL);
    const struct sw_reply_code_info *basic = sw_reply_code_info(reply->code);
    if (!accepted)
        w->out->summary =
            sw_arena_printf(w->arena, "The server %s (%d): %s.",
                            reply->aside ? "refused a command that carries no mail" : "agreed",
                            reply->code, basic ? basic->meaning : "the dialogue goes on");
    if (reply->aside)
        w->out->kind = SW_EXPLANATION_REPLY_CODE; /* of no stage of a mail */
    tell_code_meaning(&prose, reply->code, reply->enhanced, NULL);
    w->out->meaning = sw_prose_text(&prose);
    add_code_references(w, reply->code, reply->enhanced);
}

static void tell_reply(struct work *w, struct sw_query_reply *reply)
{
    struct sw_reply_reading *reading = &w->out->reading;
    sw_query_reply_guess(w->kb, reply, reading);
    w->out->kind = SW_EXPLANATION_REPLY;
    w->out->code = reply->code;
    w->out->enhanced = reply->enhanced;
    w->out->stage = reply->stage;
    w->out->stage_given = reply->stage_given;
    if (tell_token_error(w, reply))
        return;
    if (reading->cause == SW_CAUSE_NONE) {
        tell_no_failure(w, reply);
        return;
    }
    const char *shown = sw_query_shown(reply->text, WORDS_SHOWN, w->arena);
    struct sw_template_values values = {
        .reply = sw_arena_printf(w->arena, "\"%d%s%s\"", reply->code, shown[0] ? " " : "", shown),
        .listed = sw_listed_name(reply->text, NULL),
    };
    if (reply->words_only || reply->inferred) { /* nobody said the code */
        values.reply = sw_arena_printf(w->arena, "\"%s\"", shown);
        w->out->code = 0;
    }
    tell_cause(w, reading->cause, &values);
    if (!reply->words_only)
        w->out->permanence = reading->permanence;
    struct sw_span words = sw_span_sub(reply->text, reading->text_offset, reading->text_length);
    if (reading->decided_by == SW_REPLY_BY_TEXT)
        w->out->decided_words = sw_wire_text(w->arena, words, WORDS_SHOWN);
    if (reading->also != SW_CAUSE_NONE)
        add_cause(w, reading->also);
    add_code_references(w, w->out->code, reply->enhanced);
}

/* All that a code without words may stand for, at the stages where it is at home. */
static void collect_causes(struct work *w, const struct sw_query_reply *reply, bool basic_given)
{
    uint16_t stages = basic_given ? sw_query_stages(reply->code) : UINT16_MAX;
    for (unsigned i = 0; i < SW_REPLY_STAGE_COUNT; i++) {
        struct sw_reply_context context = {.stage = (enum sw_reply_stage)i};
        struct sw_reply_reading reading;
        sw_reply_read(w->kb, reply->code, reply->enhanced, (struct sw_span){NULL, 0}, &context,
                      &reading);
        bool counts = basic_given || reading.decided_by == SW_REPLY_BY_ENHANCED;
        if ((stages & (1u << i)) && counts && reading.cause != SW_CAUSE_NONE)
            add_cause(w, reading.cause);
    }
}

/* The one sentence for a code without words. */
static const char *code_meaning(const struct sw_query_reply *reply, bool basic_given)
{
    const struct sw_reply_code_info *basic = sw_reply_code_info(reply->code);
    const struct sw_enhanced_info *info =
        reply->enhanced.klass != 0 ? sw_enhanced_registered(reply->enhanced) : NULL;
    if (!info && reply->enhanced.klass != 0)
        info = sw_enhanced_vendor(reply->enhanced, NULL);
    return info                   ? info->meaning
           : basic_given && basic ? basic->meaning
                                  : sw_reply_class_meaning(reply->code);
}

static void tell_reply_code(struct work *w, const struct sw_query_reply *reply, bool basic_given)
{
    struct sw_explanation *out = w->out;
    struct sw_prose prose = {.arena = w->arena};
    const char *what = code_meaning(reply, basic_given);
    out->kind = SW_EXPLANATION_REPLY_CODE;
    out->code = basic_given ? reply->code : 0;
    out->enhanced = reply->enhanced;
    collect_causes(w, reply, basic_given);
    tell_code_meaning(&prose, out->code, reply->enhanced, what);
    const char *gap = prose.used > 0 ? "\n" : "";
    if (out->causes[0] != SW_CAUSE_NONE && out->causes[1] == SW_CAUSE_NONE) {
        tell_cause(w, out->causes[0], NULL);
        sw_prose_add(&prose, "%s%s", gap, out->meaning ? out->meaning : "");
        out->causes_told = true; /* it is the cause */
    } else if (out->causes[0] != SW_CAUSE_NONE) {
        sw_prose_add(&prose, "%sDepending on the stage and on the server's words:", gap);
        tell_causes(w, &prose);
    } else if (prose.used == 0) {
        tell_code_meaning(&prose, out->code, reply->enhanced, NULL); /* there is nothing else */
    }
    out->meaning = sw_prose_text(&prose);
    char enhanced[24];
    (void)snprintf(enhanced, sizeof(enhanced), "%d.%d.%d", reply->enhanced.klass,
                   reply->enhanced.subject, reply->enhanced.detail);
    const char *codes = reply->enhanced.klass == 0 ? sw_arena_printf(w->arena, "%d", reply->code)
                        : !basic_given             ? enhanced
                                       : sw_arena_printf(w->arena, "%d %s", reply->code, enhanced);
    out->summary = sw_arena_printf(w->arena, "The server's reply %s means: %s.", codes,
                                   what ? what : "nothing that is in a standard");
    int digit = reply->code / 100;
    out->permanence = digit == 4   ? SW_PERMANENCE_TEMPORARY
                      : digit == 5 ? SW_PERMANENCE_PERMANENT
                                   : SW_PERMANENCE_NONE;
    add_code_references(w, out->code, reply->enhanced);
}

static bool row_has_cause(const struct sw_client_code *row, enum sw_cause cause)
{
    bool has = false;
    for (size_t i = 0; i < SW_CLIENT_CODE_CAUSES; i++)
        has = has || row->causes[i] == cause;
    return has;
}

/* The causes that all the codes in the query share, or when they share none, those of any. */
static void collect_row_causes(struct work *w, const struct sw_client_code *const *rows)
{
    for (unsigned any = 0; any < 2 && w->out->causes[0] == SW_CAUSE_NONE; any++) {
        for (size_t r = 0; rows[r] && (r == 0 || any); r++) {
            for (size_t i = 0; i < SW_CLIENT_CODE_CAUSES; i++) {
                bool fits = rows[r]->causes[i] != SW_CAUSE_NONE;
                for (size_t other = 1; rows[other] && !any; other++)
                    fits = fits && row_has_cause(rows[other], rows[r]->causes[i]);
                if (fits)
                    add_cause(w, rows[r]->causes[i]);
            }
        }
    }
}

/* "0x800CCC0E (IXP_E_...) in ... means: ..." for each row that fits equally well. */
static const char *row_summary(struct work *w)
{
    struct sw_prose prose = {.arena = w->arena};
    const struct sw_client_code *const *rows = w->out->client_codes;
    size_t weight = sw_client_code_weight(rows[0], w->query);
    for (size_t i = 0; rows[i] && sw_client_code_weight(rows[i], w->query) == weight; i++) {
        const struct sw_client_code *row = rows[i];
        bool named = strchr(row->symbol, '_') != NULL; /* not "status=deferred" */
        bool coded = strcmp(row->code, "-") != 0;
        struct sw_span said =
            coded ? sw_client_code_said(row, w->query) : (struct sw_span)SW_SPAN_LIT("This");
        const char *quote = sw_span_index(said, ' ') < said.len ? "\"" : ""; /* a sentence */
        sw_prose_add(&prose, "%s%s%.*s%s%s%s%s in %s means: %s.", i > 0 ? " " : "", quote,
                     (int)said.len, (const char *)said.ptr, quote, named ? " (" : "",
                     named ? row->symbol : "", named ? ")" : "", sw_client_code_program(row),
                     row->message);
    }
    return sw_prose_text(&prose);
}

/*
 * The causes behind a code: what a reply quoted beside it says, else what the table knows;
 * `in_full` when a note has told about them. Returns false when nothing on the network has to do
 * with it.
 */
static bool tell_row_causes(struct work *w, struct sw_prose *prose, bool in_full)
{
    struct sw_explanation *out = w->out;
    struct sw_query_reply reply;
    if (sw_query_reply_find(w->query, w->arena, &reply)) {
        struct sw_reply_reading reading;
        sw_query_reply_guess(w->kb, &reply, &reading);
        add_cause(w, reading.cause);
    } else {
        collect_row_causes(w, out->client_codes);
    }
    if (out->causes[0] == SW_CAUSE_NONE)
        return false;
    if (out->causes[1] != SW_CAUSE_NONE && in_full) {
        join_causes(w);
        return true;
    }
    if (out->causes[1] != SW_CAUSE_NONE) {
        sw_prose_add(prose, "%sIt may stand for:", prose->used > 0 ? "\n" : "");
        tell_causes(w, prose);
        return true;
    }
    struct sw_explanation row = *out; /* the cause adds its own; the row's words stay */
    tell_cause(w, out->causes[0], NULL);
    sw_prose_add(prose, "%s%s: %s", prose->used > 0 ? "\n" : "", sw_cause_name(out->cause),
                 out->summary ? out->summary : "");
    out->summary = row.summary;
    out->causes_told = true;
    memcpy(out->client_codes, row.client_codes, sizeof(out->client_codes));
    return true;
}

/* A name that says exactly what is wrong. */
static void tell_single(struct work *w, const struct sw_client_code *row, const char *name,
                        enum sw_cause cause)
{
    tell_cause(w, cause, NULL);
    memset(w->out->client_codes, 0, sizeof(w->out->client_codes));
    add_code(w, row);
    add_cause(w, cause);
    w->out->causes_told = true;
    w->out->kind = SW_EXPLANATION_CLIENT_CODE;
    w->out->summary = sw_arena_printf(w->arena, "%s in %s: %s", name, sw_client_code_program(row),
                                      w->out->summary ? w->out->summary : "");
}

static void tell_client_code(struct work *w, const struct sw_client_code *row)
{
    struct sw_explanation *out = w->out;
    const struct sw_code_note *note = sw_code_note(row);
    out->kind = SW_EXPLANATION_CLIENT_CODE;
    for (const struct sw_client_code *r = row; r; r = sw_client_code_find(w->query, r)) {
        if (r == row || sw_client_code_certain(r, w->query))
            add_code(w, r);
    }
    struct sw_prose prose = {.arena = w->arena};
    out->summary = note && note->summary ? note->summary : row_summary(w);
    if (note)
        sw_prose_add(&prose, "%s", note->meaning);
    if (row->wire[0] && !(note && note->summary)) /* such a note says it better */
        sw_prose_add(&prose, "%sOn the wire: %s.", note ? "\n" : "", row->wire);
    for (size_t i = 0; note && i < 8 && note->advice[i]; i++)
        add_advice(w, note->advice[i]);
    if (note)
        add_references(w, note->references);
    if (!tell_row_causes(w, &prose, note && note->summary) && !note)
        add_advice(w, "Nothing on the network has to do with this; restart the mail program, and "
                      "look at its settings and its log.");
    if (!out->advice[0])
        add_advice(w, "The sending of mail is not at fault; look at the side that the message "
                      "names (receiving, storing a copy, another account).");
    out->meaning = sw_prose_text(&prose);
}

/* Words of a reply without its code ("Relay access denied"); an id that is misspelt is none. */
static bool tell_bare_words(struct work *w)
{
    bool one_word = sw_span_index(w->query, ' ') == w->query.len;
    if (one_word && sw_span_index(w->query, '-') < w->query.len)
        return false;
    struct sw_query_reply reply = {
        .stage = SW_REPLY_STAGE_RCPT, .text = w->query, .words_only = true};
    struct sw_reply_reading reading = {0};
    static const int tries[] = {550, 450};
    for (size_t i = 0; i < 2 && !reading.row; i++) {
        reply.code = tries[i];
        sw_query_reply_guess(w->kb, &reply, &reading);
    }
    /* One short word says little by itself, and more in a sentence. */
    struct sw_span rest = w->query;
    unsigned words = 0;
    while (sw_span_word(&rest).len > 0)
        words++;
    if (!reading.row || reading.text_length < (words >= SENTENCE_WORDS ? 4 : 8))
        return false;
    size_t behind = reading.text_offset + reading.text_length;
    if (behind < reply.text.len && reply.text.ptr[behind] == '=') /* "relay=mx.example.org" */
        return false;
    tell_reply(w, &reply);
    return true;
}

/* An id of a cause or a finding that stands anywhere in the words. */
static bool tell_id(struct work *w)
{
    size_t at = 0;
    while (at < w->query.len) {
        size_t end = at;
        while (end < w->query.len &&
               (sw_ascii_alpha(w->query.ptr[end]) || sw_ascii_digit(w->query.ptr[end]) ||
                w->query.ptr[end] == '-'))
            end++;
        struct sw_span token = sw_span_sub(w->query, at, end - at);
        enum sw_cause cause = sw_cause_by_id(token);
        enum sw_finding_id finding = sw_finding_by_id(token);
        if (cause != SW_CAUSE_NONE && token.len > 0) {
            w->out->kind = SW_EXPLANATION_CAUSE;
            tell_cause(w, cause, NULL);
            return true;
        }
        if (finding < SW_FINDING_COUNT) {
            tell_finding(w, finding);
            return true;
        }
        at = end + 1;
    }
    return false;
}

/* A reply that is quoted in other text; of a mere number the words must say that it is one. */
static bool tell_reply_inside(struct work *w)
{
    struct sw_query_reply reply;
    if (!sw_query_reply_find(w->query, w->arena, &reply))
        return false;
    struct sw_query_reply tried = reply;
    struct sw_reply_reading reading;
    sw_query_reply_guess(w->kb, &tried, &reading);
    bool by_words = reading.row || reply.enhanced.klass != 0;
    if (reply.stray && !by_words)
        return false;
    tell_reply(w, &reply);
    return true;
}

static void tell(struct work *w)
{
    struct sw_query_reply reply;
    bool is_reply = sw_query_reply_read(w->query, w->arena, &reply);
    struct sw_enhanced alone;
    bool basic_given = is_reply && !reply.inferred;
    size_t codes_bytes = sw_enhanced_parse(reply.text, &alone);
    const struct sw_client_code *row = sw_client_code_find(w->query, NULL);
    enum sw_cause cause = SW_CAUSE_NONE;
    const char *single;
    bool bare = is_reply && !reply.stage_given && reply.text.len == codes_bytes;
    bool several = sw_span_index(w->query, '\n') < w->query.len;
    if (several && sw_query_dialogue_find(w->query, w->arena, &reply)) {
        tell_reply(w, &reply);
        return;
    }
    if (bare && basic_given && codes_bytes == 0 && !sw_reply_code_info(reply.code))
        is_reply = false; /* a port, a year, a count */
    if (bare && is_reply) {
        tell_reply_code(w, &reply, basic_given);
    } else if (is_reply) {
        tell_reply(w, &reply);
    } else if (tell_id(w)) {
        return;
    } else if (row && (single = sw_code_single_name(w->query, &cause))) {
        tell_single(w, row, single, cause);
    } else if (sw_query_success_find(w->query, w->arena, &reply)) {
        tell_reply(w, &reply);
    } else if (row && sw_client_code_certain(row, w->query)) {
        tell_client_code(w, row);
    } else if (tell_reply_inside(w)) {
        return;
    } else if (row) {
        tell_client_code(w, row);
    } else if (tell_bare_words(w)) {
        return;
    } else if (sw_query_code_find(w->query, &reply, &basic_given)) {
        tell_reply_code(w, &reply, basic_given);
    } else if (w->query.len > 0) {
        sw_nearest_ids(w->query, w->out->nearest, SW_EXPLANATION_NEAREST);
    }
}

void sw_explain(const struct sw_reply_kb *kb, struct sw_span query, struct sw_arena *arena,
                struct sw_explanation *out)
{
    *out = (struct sw_explanation){
        .kind = SW_EXPLANATION_UNKNOWN,
        .query = sw_query_shown(query, QUERY_SHOWN, arena),
        .permanence = SW_PERMANENCE_UNKNOWN,
        .finding = SW_FINDING_COUNT,
        .stage = SW_REPLY_STAGE_RCPT,
    };
    struct work w = {.kb = kb, .arena = arena, .query = sw_span_trim(query), .out = out};
    tell(&w);
    if (out->kind == SW_EXPLANATION_FINDING)
        out->permanence = SW_PERMANENCE_NONE;
}

const char *sw_explanation_kind_name(enum sw_explanation_kind kind)
{
    switch (kind) {
    case SW_EXPLANATION_CAUSE:
        return "cause";
    case SW_EXPLANATION_FINDING:
        return "finding";
    case SW_EXPLANATION_CLIENT_CODE:
        return "client-code";
    case SW_EXPLANATION_REPLY:
        return "reply";
    case SW_EXPLANATION_REPLY_CODE:
        return "reply-code";
    case SW_EXPLANATION_UNKNOWN:
        break;
    }
    return "unknown";
}
