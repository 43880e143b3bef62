/*
 * mask_index.c - finds the session of the plan that a packet belongs to, by addresses, ports and
 * frame numbers.
 */
#include "pipeline/mask_inside.h"

#include "base/hash.h"
#include "flow/seq.h"

#include <stdlib.h>

struct sw_mask_key sw_mask_tuple_key(const struct sw_tuple *t)
{
    struct sw_mask_key key;
    memset(&key, 0, sizeof(key));
    int order = memcmp(t->src, t->dst, 16);
    bool up = order < 0 || (order == 0 && t->src_port <= t->dst_port);
    memcpy(key.low, up ? t->src : t->dst, 16);
    memcpy(key.high, up ? t->dst : t->src, 16);
    key.low_port = up ? t->src_port : t->dst_port;
    key.high_port = up ? t->dst_port : t->src_port;
    key.ip_version = t->ip_version;
    return key;
}

struct sw_mask_key sw_mask_client_key(const uint8_t address[16], uint8_t ip_version)
{
    struct sw_mask_key key;
    memset(&key, 0, sizeof(key));
    memcpy(key.low, address, 16);
    key.ip_version = ip_version;
    return key;
}

static struct sw_mask_key session_key(const struct sw_extract_session *s)
{
    return s->lookup ? sw_mask_client_key(s->tuple.src, s->tuple.ip_version)
                     : sw_mask_tuple_key(&s->tuple);
}

/* The bucket of a key: its own, or the first empty one. */
static uint32_t *bucket(const struct sw_mask *mask, enum sw_mask_kind which,
                        const struct sw_mask_key *key)
{
    uint32_t at = (uint32_t)sw_hash_bytes(&sw_hash_fixed_key, sw_span_make(key, sizeof(*key))) &
                  (mask->index_size - 1);
    for (;; at = (at + 1) & (mask->index_size - 1)) {
        uint32_t place = mask->index[which][at];
        if (place == 0)
            return &mask->index[which][at];
        struct sw_mask_key other = session_key(&mask->plan->sessions[place - 1]);
        if (memcmp(&other, key, sizeof(other)) == 0)
            return &mask->index[which][at];
    }
}

/* The session of this key that a frame stands in; `early`: a part may come before its beginning. */
bool sw_mask_find(const struct sw_mask *mask, enum sw_mask_kind which,
                  const struct sw_mask_key *key, uint64_t ref, uint64_t early, uint32_t *session)
{
    for (uint32_t place = *bucket(mask, which, key); place != 0; place = mask->next[place - 1]) {
        const struct sw_extract_session *s = &mask->plan->sessions[place - 1];
        if (ref + early >= s->first && ref <= s->last) {
            *session = place - 1;
            return true;
        }
    }
    return false;
}

static bool is_near(const struct sw_extract_side *side, uint64_t near, uint32_t number)
{
    enum { FAR_BYTES = 16 * 1024 * 1024 };
    int32_t apart = seq_diff(number, side->base + (uint32_t)near);
    return !side->based || (apart > -FAR_BYTES && apart < FAR_BYTES);
}

/* Can it be one of this connection, by its numbers? */
static bool fits(const struct sw_mask *mask, uint32_t session, const struct sw_packet *packet)
{
    const struct sw_extract_session *s = &mask->plan->sessions[session];
    const uint64_t *near = mask->near[session];
    enum sw_side from = sw_mask_side_of(s, &packet->tuple);
    enum sw_side to = sw_side_other(from);
    bool confirms = (packet->tcp.flags & SW_TCP_ACK) != 0;
    return is_near(&s->side[from], near[from], packet->tcp.seq) &&
           (!confirms || is_near(&s->side[to], near[to], packet->tcp.ack));
}

bool sw_mask_find_connection(const struct sw_mask *mask, const struct sw_packet *packet,
                             uint64_t ref, uint32_t *session)
{
    const struct sw_mask_key key = sw_mask_tuple_key(&packet->tuple);
    int best = 0;
    for (uint32_t place = *bucket(mask, SW_MASK_CONNECTIONS, &key); place != 0;
         place = mask->next[place - 1]) {
        const struct sw_extract_session *s = &mask->plan->sessions[place - 1];
        if (ref < s->first || ref > s->last)
            continue;
        int match = 2 * fits(mask, place - 1, packet) + (s->space == packet->space);
        if (match > best) {
            best = match;
            *session = place - 1;
        }
    }
    return best > 0;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

void sw_mask_index(struct sw_mask *mask)
{
    const struct sw_extract *plan = mask->plan;
    for (uint32_t i = plan->session_count; i > 0; i--) { /* the first one heads its chain */
        const struct sw_extract_session *s = &plan->sessions[i - 1];
        struct sw_mask_key key = session_key(s);
        uint32_t *head = bucket(mask, s->lookup ? SW_MASK_LOOKUPS : SW_MASK_CONNECTIONS, &key);
        mask->next[i - 1] = *head;
        *head = i;
        for (int f = 0; f < SW_EXTRACT_FRAMES && s->frames[f]; f++)
            mask->frames[mask->frame_count++] = s->frames[f];
    }
    if (mask->frame_count > 0)
        qsort(mask->frames, mask->frame_count, sizeof(mask->frames[0]), by_number);
}

bool sw_mask_is_further(const struct sw_mask *mask, uint64_t ref)
{
    return mask->frame_count > 0 &&
           bsearch(&ref, mask->frames, mask->frame_count, sizeof(ref), by_number) != NULL;
}
