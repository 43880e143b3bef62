/*
 * fit.c - how well the envelope of a try fits a story: point 1 of the rule in delivery.h.
 */
#include "analyzer/ledger.h"

uint32_t sw_story_addressee(const struct sw_story *s, uint64_t hash, uint32_t guess)
{
    const struct sw_attempt *all = s->envelope;
    if (guess < all->to_count && all->to[guess].hash == hash)
        return guess;
    uint32_t i = 0;
    while (i < all->to_count && all->to[i].hash != hash)
        i++;
    return i;
}

uint32_t sw_story_count(const struct sw_story *s, unsigned states)
{
    uint32_t count = 0;
    for (uint32_t i = 0; s->envelope && i < s->envelope->to_count; i++)
        count += states >> s->envelope->to[i].state & 1;
    return count;
}

/* How the recipients of a try lie in those of a story. */
struct overlap {
    uint32_t found, later, taken;
    uint32_t in_order; /* of the first ones */
};

static struct overlap overlap_of(const struct sw_story *s, const struct sw_attempt *a)
{
    struct overlap o = {0};
    for (uint32_t i = 0; i < a->to_count; i++) {
        uint32_t at = sw_story_addressee(s, a->to[i].hash, i);
        if (at == s->envelope->to_count)
            continue;
        enum sw_addressee_state state = s->envelope->to[at].state;
        o.found++;
        o.later += state == SW_ADDRESSEE_LATER;
        o.taken += state == SW_ADDRESSEE_TAKEN;
        o.in_order += at == i && o.in_order == i;
    }
    return o;
}

static bool recipients_fit(const struct sw_story *s, const struct sw_attempt *a, bool same_size)
{
    if (a->to_count == 0) /* the try ended at MAIL */
        return true;
    const struct sw_attempt *all = s->envelope;
    struct overlap o = overlap_of(s, a);
    bool all_found = o.found == a->to_count;
    if (all_found && o.found == all->to_count && a->to_more == all->to_more &&
        a->to_rest == all->to_rest)
        return true;
    if (a->to_more > 0 || all->to_more > 0)
        return false;
    if (all->to_count == 0)
        return true;
    /* It stopped after the first ones, the last time or this time. */
    if (same_size && !s->complete && o.in_order == all->to_count)
        return true;
    if (same_size && !a->complete && o.in_order == a->to_count)
        return true;
    if (!all_found || o.taken > 0)
        return false;
    /* It goes on with the rest, all of it or what the server had put off. */
    return a->to_count == sw_story_count(s, SW_STATES_NOT_TAKEN) ||
           (o.later == a->to_count && o.later == sw_story_count(s, SW_STATES_LATER)) || same_size;
}

/* What both show of the mail itself. A Message-ID outranks sizes: a server that takes no 8-bit text
 * gets the mail in another encoding (RFC 6152). */
static enum sw_fit mail_fit(const struct sw_story *s, const struct sw_attempt *a)
{
    enum sw_fit fit = SW_FIT_ENVELOPE;
    if (s->message_id && a->message_id)
        return s->message_id == a->message_id ? SW_FIT_MESSAGE_ID : SW_FIT_NONE;
    if (s->has_declared && a->has_declared) {
        if (s->size_declared != a->size_declared)
            return SW_FIT_NONE;
        fit = SW_FIT_SIZE;
    }
    if (s->has_seen && a->has_seen) {
        if (s->size_seen != a->size_seen)
            return SW_FIT_NONE;
        fit = SW_FIT_SIZE;
    }
    return fit;
}

/* The hosts of two IP versions count as one when each sends from the recorded link itself; who that
 * is for, behind a proxy, nothing shows. */
static bool is_same_client(const struct sw_tried *a, const struct sw_tried *b)
{
    return a->client == b->client ||
           (a->tuple.ip_version != b->tuple.ip_version && a->direct_ttl > 0 &&
            a->direct_ttl == b->direct_ttl && a->proxied_for_len == 0 && b->proxied_for_len == 0);
}

enum sw_fit sw_story_fit(const struct sw_story *s, const struct sw_attempt *a)
{
    if (!is_same_client(s->last->tried, a->tried) ||
        !sw_span_eq(sw_attempt_sender(s->envelope), sw_attempt_sender(a)))
        return SW_FIT_NONE;
    enum sw_fit fit = mail_fit(s, a);
    if (fit == SW_FIT_NONE || !recipients_fit(s, a, fit >= SW_FIT_SIZE))
        return SW_FIT_NONE;
    if (s->envelope->to_count > 0 && a->to_count > 0)
        return fit;
    /* Every host sends its bounces from nobody. */
    if (a->sender_len == 0 || sw_is_other_server(&s->last->tried->tuple, &a->tried->tuple))
        return SW_FIT_NONE;
    return SW_FIT_SENDER;
}
