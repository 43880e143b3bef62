/*
 * explanation_stage.c - at which stage of the dialogue a reply was given that somebody pasted.
 */
#include "analyzer/explanation_query.h"

#include "analyzer/reply_rules.h"

/* How much what decided says of the stage. */
static int weight(const struct sw_reply_reading *r)
{
    enum { NOTHING, PLAIN_WORDS, OWN_NUMBER, WORDS };
    if (r->row)
        return r->row->plain ? PLAIN_WORDS : WORDS;
    return r->own_number ? OWN_NUMBER : NOTHING;
}

/*
 * Is reading `a` a better guess than `b`? Earlier wordings say more, where either could be meant;
 * of those for different stages ("domain not found") the longer one does. A remapped one says less.
 */
static bool better(const struct sw_reply_reading *a, const struct sw_reply_reading *b)
{
    if (weight(a) != weight(b))
        return weight(a) > weight(b);
    if (!a->row)
        return false;
    if (a->row != b->row)
        return a->row->stages & b->row->stages ? a->row < b->row : a->text_length > b->text_length;
    return !a->remapped && b->remapped;
}

/* Is this cause one that no server can see yet at this stage, or none of a login? A greeting may
 * say anything about the client. */
static bool is_misplaced(enum sw_cause cause, enum sw_reply_stage stage)
{
    bool greeting = stage == SW_REPLY_STAGE_GREETING;
    switch (sw_cause_info(cause)->family) {
    case SW_FAMILY_HELLO:
        return stage == SW_REPLY_STAGE_AUTH;
    case SW_FAMILY_MAIL:
        return !greeting && stage < SW_REPLY_STAGE_MAIL;
    case SW_FAMILY_RCPT:
        return !greeting && stage < SW_REPLY_STAGE_RCPT;
    default:
        return false;
    }
}

/* Tries the stages of a set; the usual ones first, so that they win where the words fit several. */
static void read_at_stages(const struct sw_reply_kb *kb, struct sw_query_reply *reply,
                           uint16_t stages, struct sw_reply_reading *out)
{
    static const enum sw_reply_stage order[SW_REPLY_STAGE_COUNT] = {
        SW_REPLY_STAGE_FINAL,    SW_REPLY_STAGE_RCPT,  SW_REPLY_STAGE_MAIL, SW_REPLY_STAGE_AUTH,
        SW_REPLY_STAGE_GREETING, SW_REPLY_STAGE_HELLO, SW_REPLY_STAGE_DATA, SW_REPLY_STAGE_STARTTLS,
    };
    for (unsigned i = 0; i < SW_REPLY_STAGE_COUNT; i++) {
        struct sw_reply_context context = {.stage = order[i]};
        struct sw_reply_reading other;
        if (!(stages & (1u << order[i])))
            continue;
        sw_reply_read(kb, reply->code, reply->enhanced, reply->text, &context, &other);
        bool same = out->row && other.row == out->row && other.cause == out->cause;
        if (better(&other, out) || (same && is_misplaced(out->cause, reply->stage) &&
                                    !is_misplaced(other.cause, order[i]))) {
            *out = other;
            reply->stage = context.stage;
        }
    }
}

/* The stage of a command that a server names as the one it does not know or have ("502 5.5.1 AUTH
 * not implemented"): as it is sent, in capitals. */
static bool stage_of_command(struct sw_query_reply *reply)
{
    static const struct {
        struct sw_span verb;
        bool aside;
        enum sw_reply_stage stage;
    } commands[] = {
        {SW_SPAN_LIT("EHLO"), false, SW_REPLY_STAGE_HELLO},
        {SW_SPAN_LIT("HELO"), false, SW_REPLY_STAGE_HELLO},
        {SW_SPAN_LIT("STARTTLS"), false, SW_REPLY_STAGE_STARTTLS},
        {SW_SPAN_LIT("AUTH"), false, SW_REPLY_STAGE_AUTH},
        {SW_SPAN_LIT("MAIL"), false, SW_REPLY_STAGE_MAIL},
        {SW_SPAN_LIT("RCPT"), false, SW_REPLY_STAGE_RCPT},
        {SW_SPAN_LIT("DATA"), false, SW_REPLY_STAGE_DATA},
        {SW_SPAN_LIT("VRFY"), true, SW_REPLY_STAGE_HELLO},
        {SW_SPAN_LIT("EXPN"), true, SW_REPLY_STAGE_HELLO},
        {SW_SPAN_LIT("HELP"), true, SW_REPLY_STAGE_HELLO},
        {SW_SPAN_LIT("ETRN"), true, SW_REPLY_STAGE_HELLO},
    };
    if (reply->code != 500 && reply->code != 502)
        return false;
    for (struct sw_span rest = reply->text; rest.len > 0;) {
        struct sw_span word = sw_span_word(&rest);
        while (word.len > 0 && !sw_ascii_alpha(word.ptr[0]))
            word = sw_span_from(word, 1); /* quotes */
        while (word.len > 0 && !sw_ascii_alpha(word.ptr[word.len - 1]))
            word.len--;
        for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
            if (!sw_span_eq(word, commands[i].verb))
                continue;
            reply->stage = commands[i].stage;
            reply->aside = commands[i].aside;
            return true;
        }
    }
    return false;
}

/* Does a refused command have to do with a login? "Syntax error" is said of all of them. */
static bool speaks_of_login(struct sw_span text)
{
    static const struct sw_span marks[] = {
        SW_SPAN_LIT("auth"),     SW_SPAN_LIT("login"),      SW_SPAN_LIT("log in"),
        SW_SPAN_LIT("sasl"),     SW_SPAN_LIT("base64"),     SW_SPAN_LIT("decod"),
        SW_SPAN_LIT("password"), SW_SPAN_LIT("credential"), SW_SPAN_LIT("mechanism"),
        SW_SPAN_LIT("user"),     SW_SPAN_LIT("response"),
    };
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (sw_span_find_nocase(text, marks[i]) < text.len)
            return true;
    }
    return false;
}

void sw_query_reply_guess(const struct sw_reply_kb *kb, struct sw_query_reply *reply,
                          struct sw_reply_reading *out)
{
    struct sw_reply_context context = {.stage = reply->stage, .chunk = reply->chunk};
    sw_reply_read(kb, reply->code, reply->enhanced, reply->text, &context, out);
    if (reply->stage_given)
        return;
    if (stage_of_command(reply)) {
        context.stage = reply->stage;
        sw_reply_read(kb, reply->code, reply->enhanced, reply->text, &context, out);
        if (reply->aside)
            *out = (struct sw_reply_reading){.cause = SW_CAUSE_NONE};
        return;
    }
    uint16_t all = UINT16_MAX;
    if (reply->code >= 500 && reply->code <= 503 && !speaks_of_login(reply->text))
        all &= (uint16_t)~SW_REPLY_ON(AUTH);
    uint16_t homes = reply->words_only ? UINT16_MAX : sw_query_stages(reply->code);
    read_at_stages(kb, reply, homes & all, out);
    if (!out->row)
        read_at_stages(kb, reply, all, out);
}
