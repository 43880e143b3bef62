/*
 * explanation_stage.c - at which stage of the dialogue a reply was given that somebody pasted.
 */
#include "analyzer/explanation_query.h"

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
        if (better(&other, out)) {
            *out = other;
            reply->stage = context.stage;
        }
    }
}

void sw_query_reply_guess(const struct sw_reply_kb *kb, struct sw_query_reply *reply,
                          struct sw_reply_reading *out)
{
    struct sw_reply_context context = {.stage = reply->stage, .chunk = reply->chunk};
    sw_reply_read(kb, reply->code, reply->enhanced, reply->text, &context, out);
    if (reply->stage_given)
        return;
    uint16_t homes = reply->words_only ? UINT16_MAX : sw_query_stages(reply->code);
    read_at_stages(kb, reply, homes, out);
    if (!out->row)
        read_at_stages(kb, reply, UINT16_MAX, out);
}
