/*
 * mask_part.c - IP packets in parts: the first part names the connection, the length of the TCP
 * header may stand in a later one, and the checksum is of all of them.
 */
#include "pipeline/mask_inside.h"

#include "base/cursor.h"
#include "base/frame_ref.h"
#include "base/hash.h"
#include "decode/decode.h"

#include <stdlib.h>

enum {
    TCP_LEAST = 20,
    TCP_LENGTH_AT = 12,
    TCP_CHECKSUM_AT = 16,
    PARTS_APART = 4096, /* frames between the first part of an IP packet and another of it */
    PARTS_BEFORE = 256, /* frames by which a part may stand before the session's first frame */
};

/* The first part of an IP packet of a session. */
struct sw_mask_part {
    uint8_t src[16], dst[16];
    uint32_t id;
    uint8_t ip_version;
    uint8_t from;   /* enum sw_side */
    uint64_t frame; /* its reference */
    uint32_t session;
    uint32_t next; /* of the same bucket + 1 */
    uint32_t seq;
    uint32_t header;    /* bytes of the TCP header, 0 = not known */
    uint32_t delta;     /* what masking changes in the sum of all parts, */
    uint64_t summed[4]; /* and of which it is known: a bit for each eight bytes at their beginning,
                           so that a part that was captured twice counts once */
};

static uint32_t part_bucket(const struct sw_packet *packet)
{
    struct {
        uint8_t src[16], dst[16];
        uint32_t id, version;
    } key;
    memset(&key, 0, sizeof(key));
    memcpy(key.src, packet->tuple.src, 16);
    memcpy(key.dst, packet->tuple.dst, 16);
    key.id = packet->part.id;
    key.version = packet->tuple.ip_version;
    return (uint32_t)sw_hash_bytes(&sw_hash_fixed_key, sw_span_make(&key, sizeof(key))) &
           (SW_MASK_PART_BUCKETS - 1);
}

/* The first part that this one belongs to: the nearest with its id. */
static struct sw_mask_part *find_part(const struct sw_mask *mask, const struct sw_packet *packet,
                                      uint64_t ref)
{
    struct sw_mask_part *best = NULL;
    uint64_t best_distance = PARTS_APART;
    for (uint32_t place = mask->part_index[part_bucket(packet)]; place != 0;) {
        struct sw_mask_part *p = &mask->parts[place - 1];
        place = p->next;
        uint64_t distance = p->frame > ref ? p->frame - ref : ref - p->frame;
        bool same = p->id == packet->part.id && p->ip_version == packet->tuple.ip_version &&
                    memcmp(p->src, packet->tuple.src, 16) == 0 &&
                    memcmp(p->dst, packet->tuple.dst, 16) == 0;
        if (same && distance < best_distance) {
            best = p;
            best_distance = distance;
        }
    }
    return best;
}

/* A first part that begins with the TCP header of one of the sessions is remembered. */
static void remember_part(struct sw_mask *mask, const struct sw_packet *packet, uint64_t ref)
{
    struct sw_cursor c = sw_cursor_make(packet->payload);
    struct sw_tuple tuple = packet->tuple;
    tuple.src_port = sw_cursor_be16(&c);
    tuple.dst_port = sw_cursor_be16(&c);
    uint32_t seq = sw_cursor_be32(&c);
    struct sw_mask_key key = sw_mask_tuple_key(&tuple);
    uint32_t session = 0;
    const struct sw_mask_part *known = find_part(mask, packet, ref);
    bool twice = known && known->seq == seq; /* the same part, captured twice */
    if (c.bad || twice || mask->part_count == SW_MASK_PARTS ||
        !sw_mask_find(mask, SW_MASK_CONNECTIONS, &key, ref, PARTS_BEFORE, &session))
        return;
    if (mask->part_count == mask->part_room) {
        uint32_t room = mask->part_room ? 2 * mask->part_room : 64;
        struct sw_mask_part *parts = realloc(mask->parts, room * sizeof(*parts));
        if (!parts)
            return;
        mask->parts = parts;
        mask->part_room = room;
    }
    uint32_t *head = &mask->part_index[part_bucket(packet)];
    struct sw_mask_part *p = &mask->parts[mask->part_count++];
    *p = (struct sw_mask_part){.id = packet->part.id,
                               .ip_version = tuple.ip_version,
                               .from =
                                   (uint8_t)sw_mask_side_of(&mask->plan->sessions[session], &tuple),
                               .frame = ref,
                               .session = session,
                               .next = *head,
                               .seq = seq};
    memcpy(p->src, tuple.src, 16);
    memcpy(p->dst, tuple.dst, 16);
    *head = mask->part_count;
}

/* The length of the TCP header may stand in a later part than its ports. */
static void learn_header(struct sw_mask_part *p, const struct sw_packet *packet)
{
    struct sw_cursor c = sw_cursor_make(packet->payload);
    uint32_t offset = packet->part.offset;
    if (p->header > 0 || offset > TCP_LENGTH_AT)
        return;
    sw_cursor_skip(&c, TCP_LENGTH_AT - offset);
    uint32_t header = (uint32_t)(sw_cursor_u8(&c) >> 4) * 4;
    if (!c.bad && header >= TCP_LEAST)
        p->header = header;
}

/* Masks what a part holds of the payload; *delta gets what that changes. Where the header's length
 * is not known everything behind the least one is masked. */
static void mask_part(struct sw_mask *mask, const struct sw_frame *frame,
                      const struct sw_packet *packet, const struct sw_mask_part *p,
                      uint8_t *scratch, uint32_t *delta)
{
    uint32_t header = p->header > 0 ? p->header : TCP_LEAST;
    uint32_t offset = packet->part.offset;
    if (!sw_mask_is_inside(frame, packet->payload))
        return;
    uint32_t skip = offset < header ? header - offset : 0;
    if (skip >= packet->payload.len)
        return;
    const struct sw_extract_side *side =
        p->header > 0 ? &mask->plan->sessions[p->session].side[p->from] : NULL;
    uint8_t *bytes = sw_mask_own(frame, packet->payload.ptr, scratch) + skip;
    *delta =
        sw_mask_bytes(mask, side, &mask->near[p->session][p->from], p->seq + offset + skip - header,
                      bytes, packet->payload.len - skip, offset + skip);
    if (!mask->plan->keep_credentials)
        sw_mask_clear_behind(frame, packet->payload, scratch);
}

/* Was a part with this offset here before? Notes it. */
static bool is_summed(struct sw_mask_part *p, uint32_t offset)
{
    uint32_t unit = offset / 8;
    if (unit >= 64 * sizeof(p->summed) / sizeof(p->summed[0]))
        return false;
    uint64_t bit = UINT64_C(1) << unit % 64;
    bool before = p->summed[unit / 64] & bit;
    p->summed[unit / 64] |= bit;
    return before;
}

void sw_mask_learn(struct sw_mask *mask, const struct sw_frame *frame)
{
    struct sw_packet packet = {.payload = {NULL, 0}};
    uint64_t ref = sw_frame_ref(frame->file, frame->number);
    if (frame->link_type == SW_NO_LINK_TYPE || sw_decode(frame, &packet) != SW_DECODE_FRAGMENT ||
        packet.part.protocol != SW_MASK_TCP)
        return;
    if (packet.part.offset == 0 && !mask->summing)
        remember_part(mask, &packet, ref);
    struct sw_mask_part *p = find_part(mask, &packet, ref);
    uint32_t delta = 0;
    if (!p)
        return;
    learn_header(p, &packet);
    if (!mask->summing || is_summed(p, packet.part.offset) || !sw_mask_copy(mask, frame))
        return;
    mask_part(mask, frame, &packet, p, mask->scratch, &delta);
    p->delta += delta;
    p->delta = (p->delta & 0xFFFF) + (p->delta >> 16);
}

bool sw_mask_sum(struct sw_mask *mask)
{
    mask->summing = true;
    return mask->part_count > 0;
}

bool sw_mask_take_part(struct sw_mask *mask, const struct sw_frame *frame,
                       const struct sw_packet *packet, uint64_t ref)
{
    struct sw_mask_part *p =
        packet->part.protocol == SW_MASK_TCP ? find_part(mask, packet, ref) : NULL;
    uint32_t delta = 0;
    if (!p)
        return false;
    mask_part(mask, frame, packet, p, mask->scratch, &delta);
    uint32_t offset = packet->part.offset;
    bool has_checksum =
        offset <= TCP_CHECKSUM_AT && offset + packet->payload.len >= TCP_CHECKSUM_AT + 2;
    if (has_checksum && p->delta != 0 && sw_mask_is_inside(frame, packet->payload))
        sw_mask_fix_checksum(sw_mask_own(frame, packet->payload.ptr, mask->scratch) +
                                 TCP_CHECKSUM_AT - offset,
                             p->delta);
    return true;
}
