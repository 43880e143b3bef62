#include "pipeline/mask.h"

#include "base/cursor.h"
#include "base/frame_ref.h"
#include "base/hash.h"
#include "base/wipe.h"
#include "decode/decode.h"
#include "flow/seq.h"

#include <stdlib.h>

enum {
    TCP = 6,
    DNS_PORT = 53,
    TCP_LEAST = 20,
    TCP_MOST = 60,
    TCP_LENGTH_AT = 12,
    TCP_CHECKSUM_AT = 16,
    ICMP_HEADER = 8,
    ICMP_CHECKSUM_AT = 2,
    PARTS_APART = 4096, /* frames between the first part of an IP packet and another of it */
    PARTS_BEFORE = 256, /* frames by which a part may stand before the session's first frame */
    PART_BUCKETS = 1 << 14,
    CONNECTIONS = 0,
    LOOKUPS = 1,
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

/* --- which session a packet belongs to --- */

struct key {
    uint8_t low[16], high[16];
    uint16_t low_port, high_port;
    uint8_t ip_version;
    uint8_t none; /* no byte of it is padding: keys are compared and hashed as bytes */
};

static struct key tuple_key(const struct sw_tuple *t)
{
    struct key key;
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

static struct key client_key(const uint8_t address[16], uint8_t ip_version)
{
    struct key key;
    memset(&key, 0, sizeof(key));
    memcpy(key.low, address, 16);
    key.ip_version = ip_version;
    return key;
}

static struct key session_key(const struct sw_extract_session *s)
{
    return s->lookup ? client_key(s->tuple.src, s->tuple.ip_version) : tuple_key(&s->tuple);
}

/* The bucket of a key: its own, or the first empty one. */
static uint32_t *bucket(const struct sw_mask *mask, int which, const struct key *key)
{
    uint32_t at = (uint32_t)sw_hash_bytes(&sw_hash_fixed_key, sw_span_make(key, sizeof(*key))) &
                  (mask->index_size - 1);
    for (;; at = (at + 1) & (mask->index_size - 1)) {
        uint32_t place = mask->index[which][at];
        if (place == 0)
            return &mask->index[which][at];
        struct key other = session_key(&mask->plan->sessions[place - 1]);
        if (memcmp(&other, key, sizeof(other)) == 0)
            return &mask->index[which][at];
    }
}

/* The session of this key that a frame stands in; `early`: a part may come before its beginning. */
static bool find(const struct sw_mask *mask, int which, const struct key *key, uint64_t ref,
                 uint64_t early, uint32_t *session)
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

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void index_sessions(struct sw_mask *mask)
{
    const struct sw_extract *plan = mask->plan;
    for (uint32_t i = plan->session_count; i > 0; i--) { /* the first one heads its chain */
        const struct sw_extract_session *s = &plan->sessions[i - 1];
        struct key key = session_key(s);
        uint32_t *head = bucket(mask, s->lookup ? LOOKUPS : CONNECTIONS, &key);
        mask->next[i - 1] = *head;
        *head = i;
        for (int f = 0; f < SW_EXTRACT_FRAMES && s->frames[f]; f++)
            mask->frames[mask->frame_count++] = s->frames[f];
    }
    if (mask->frame_count > 0)
        qsort(mask->frames, mask->frame_count, sizeof(mask->frames[0]), by_number);
}

bool sw_mask_init(struct sw_mask *mask, const struct sw_extract *plan)
{
    *mask = (struct sw_mask){.plan = plan, .index_size = 16};
    while (mask->index_size < 2 * plan->session_count + 2)
        mask->index_size *= 2;
    size_t count = plan->session_count + 1;
    mask->index[0] = calloc(mask->index_size, sizeof(uint32_t));
    mask->index[1] = calloc(mask->index_size, sizeof(uint32_t));
    mask->next = calloc(count, sizeof(*mask->next));
    mask->near = calloc(count, sizeof(*mask->near));
    mask->frames = calloc(count * SW_EXTRACT_FRAMES, sizeof(*mask->frames));
    mask->part_index = calloc(PART_BUCKETS, sizeof(*mask->part_index));
    if (!mask->index[0] || !mask->index[1] || !mask->next || !mask->near || !mask->frames ||
        !mask->part_index)
        return false;
    index_sessions(mask);
    return true;
}

void sw_mask_rewind(struct sw_mask *mask)
{
    memset(mask->near, 0, (mask->plan->session_count + 1) * sizeof(*mask->near));
}

void sw_mask_release(struct sw_mask *mask)
{
    free(mask->index[0]);
    free(mask->index[1]);
    free(mask->next);
    free(mask->near);
    free(mask->frames);
    free(mask->parts);
    free(mask->part_index);
    sw_wipe_free(mask->scratch, mask->scratch_room);
    *mask = (struct sw_mask){.plan = NULL};
}

/* --- masking --- */

/* Adds to a sum what it means that the byte at `at` (counted from the checksummed header) changes
 * (RFC 1624). */
static uint32_t change(uint32_t sum, uint64_t at, uint8_t from, uint8_t to)
{
    uint32_t old_word = at % 2 == 0 ? (uint32_t)from << 8 : from;
    uint32_t new_word = at % 2 == 0 ? (uint32_t)to << 8 : to;
    sum += (~old_word & 0xFFFF) + new_word;
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return sum;
}

static void fix_checksum(uint8_t *field, uint32_t delta)
{
    uint32_t sum = (~((uint32_t)field[0] << 8 | field[1]) & 0xFFFF) + delta;
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    field[0] = (uint8_t)(~sum >> 8);
    field[1] = (uint8_t)~sum;
}

static bool stays(uint8_t byte)
{
    return byte == '\r' || byte == '\n' || byte == '=' || byte == 'A';
}

/* Payload of one side at `bytes`: what is not kept becomes 'A'. `at` counts from the checksummed
 * header. NULL for side: nothing is known, all is masked. */
static uint32_t mask_bytes(struct sw_mask *mask, const struct sw_extract_side *side, uint64_t *near,
                           uint32_t seq, uint8_t *bytes, size_t len, uint64_t at)
{
    uint32_t delta = 0;
    if (mask->plan->keep_credentials)
        return 0;
    int64_t begin = side && side->based ? seq_offset(seq, side->base, *near) : -1;
    for (size_t i = 0; i < len; i++) {
        int64_t offset = begin + (int64_t)i;
        bool known = side && side->based && offset >= 0;
        if (stays(bytes[i]) || (known && sw_extract_keeps(side, (uint64_t)offset)))
            continue;
        delta = change(delta, at + i, bytes[i], 'A');
        bytes[i] = 'A';
    }
    if (side && side->based && begin >= 0 && (uint64_t)begin + len > *near)
        *near = (uint64_t)begin + len;
    return delta;
}

static enum sw_side side_of(const struct sw_extract_session *s, const struct sw_tuple *t)
{
    bool client = memcmp(t->src, s->tuple.src, 16) == 0 && t->src_port == s->tuple.src_port;
    return client ? SW_CLIENT : SW_SERVER;
}

/* Where a borrowed byte of the frame stands in the copy that may be written to. */
static uint8_t *own(const struct sw_frame *frame, const uint8_t *borrowed, uint8_t *scratch)
{
    return scratch + (borrowed - frame->bytes);
}

static bool inside(const struct sw_frame *frame, struct sw_span s)
{
    return s.ptr >= frame->bytes && s.ptr + s.len <= frame->bytes + frame->caplen;
}

/* How many bytes stand between the TCP header's first byte and its payload; 0 = it cannot be told.
 */
static uint32_t header_before(const struct sw_frame *frame, const struct sw_packet *packet)
{
    size_t before = (size_t)(packet->payload.ptr - frame->bytes);
    for (uint32_t size = TCP_LEAST; size <= TCP_MOST && size <= before; size += 4) {
        struct sw_cursor c = sw_cursor_make(sw_span_make(packet->payload.ptr - size, size));
        bool same = sw_cursor_be16(&c) == packet->tuple.src_port;
        same = sw_cursor_be16(&c) == packet->tuple.dst_port && same;
        same = sw_cursor_be32(&c) == packet->tcp.seq && same;
        sw_cursor_skip(&c, 4);
        if (same && (uint32_t)(sw_cursor_u8(&c) >> 4) * 4 == size)
            return size;
    }
    return 0;
}

/* Behind the payload there may stand what was in the card's memory before. */
static void clear_behind(const struct sw_frame *frame, struct sw_span payload, uint8_t *scratch)
{
    size_t end = (size_t)(payload.ptr - frame->bytes) + payload.len;
    if (end < frame->caplen)
        memset(scratch + end, 0, frame->caplen - end);
}

/* Puts the checksum right; but what a network card was to fill in stays the sum that it was. */
static void fix_segment(const struct sw_frame *frame, const struct sw_packet *packet,
                        uint8_t *scratch, uint8_t *field, uint32_t delta)
{
    const uint8_t before[2] = {field[0], field[1]};
    struct sw_packet after = *packet;
    fix_checksum(field, delta);
    if (packet->segment.len == 0 || !inside(frame, packet->segment) || sw_packet_is_damaged(packet))
        return;
    after.segment.ptr = own(frame, packet->segment.ptr, scratch);
    if (sw_packet_is_damaged(&after))
        memcpy(field, before, sizeof(before));
}

static void mask_segment(struct sw_mask *mask, const struct sw_frame *frame,
                         const struct sw_packet *packet, const struct sw_extract_session *s,
                         uint64_t *near, uint8_t *scratch)
{
    if (packet->payload.len == 0 || !inside(frame, packet->payload))
        return;
    uint32_t header = header_before(frame, packet);
    uint8_t *bytes = own(frame, packet->payload.ptr, scratch);
    uint32_t seq = packet->tcp.seq + (packet->tcp.flags & SW_TCP_SYN ? 1 : 0);
    const struct sw_extract_side *side = NULL;
    if (s) {
        enum sw_side from = side_of(s, &packet->tuple);
        side = &s->side[from];
        near = near + from;
    }
    uint32_t delta = mask_bytes(mask, side, near, seq, bytes, packet->payload.len, header);
    if (delta != 0 && header > 0)
        fix_segment(frame, packet, scratch, bytes - header + TCP_CHECKSUM_AT, delta);
    if (!mask->plan->keep_credentials)
        clear_behind(frame, packet->payload, scratch);
}

/* Bytes in front of the TCP payload in a quoted packet, 0 when there is no payload. */
static size_t quoted_header(struct sw_span quote)
{
    struct sw_cursor c = sw_cursor_make(quote);
    uint8_t first = sw_cursor_u8(&c);
    size_t ip = first >> 4 == 4 ? (size_t)(first & 15) * 4 : 40;
    struct sw_cursor tcp = sw_cursor_make(sw_span_from(quote, ip));
    sw_cursor_skip(&tcp, 12);
    size_t header = (size_t)(sw_cursor_u8(&tcp) >> 4) * 4;
    /* A header that is not wholly there, or not where it is looked for: nothing behind the eight
     * bytes that every error quotes is shown. */
    if (tcp.bad || header < TCP_LEAST || ip + header > quote.len)
        return ip + 8;
    return ip + header;
}

static void mask_quote(struct sw_mask *mask, const struct sw_frame *frame,
                       const struct sw_packet *packet, const struct sw_extract_session *s,
                       uint64_t *near, uint8_t *scratch)
{
    if (!inside(frame, packet->payload))
        return;
    size_t skip = quoted_header(packet->payload);
    if (skip >= packet->payload.len)
        return;
    enum sw_side from = side_of(s, &packet->icmp.quote);
    uint8_t *bytes = own(frame, packet->payload.ptr, scratch);
    uint32_t delta = mask_bytes(mask, &s->side[from], near + from, packet->icmp.quote_seq,
                                bytes + skip, packet->payload.len - skip, ICMP_HEADER + skip);
    if (delta != 0)
        fix_checksum(bytes - ICMP_HEADER + ICMP_CHECKSUM_AT, delta);
}

/* --- parts of IP packets --- */

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
           (PART_BUCKETS - 1);
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
    struct key key = tuple_key(&tuple);
    uint32_t session = 0;
    const struct sw_mask_part *known = find_part(mask, packet, ref);
    bool twice = known && known->seq == seq; /* the same part, captured twice */
    if (c.bad || twice || mask->part_count == SW_MASK_PARTS ||
        !find(mask, CONNECTIONS, &key, ref, PARTS_BEFORE, &session))
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
                               .from = (uint8_t)side_of(&mask->plan->sessions[session], &tuple),
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
    if (!inside(frame, packet->payload))
        return;
    uint32_t skip = offset < header ? header - offset : 0;
    if (skip >= packet->payload.len)
        return;
    const struct sw_extract_side *side =
        p->header > 0 ? &mask->plan->sessions[p->session].side[p->from] : NULL;
    uint8_t *bytes = own(frame, packet->payload.ptr, scratch) + skip;
    *delta =
        mask_bytes(mask, side, &mask->near[p->session][p->from], p->seq + offset + skip - header,
                   bytes, packet->payload.len - skip, offset + skip);
    if (!mask->plan->keep_credentials)
        clear_behind(frame, packet->payload, scratch);
}

/* --- one frame --- */

static bool copy_bytes(struct sw_mask *mask, const struct sw_frame *frame)
{
    if (frame->caplen > mask->scratch_room) {
        uint8_t *bigger = malloc(frame->caplen);
        if (!bigger)
            return false;
        sw_wipe_free(mask->scratch, mask->scratch_room); /* it may hold a login */
        mask->scratch = bigger;
        mask->scratch_room = frame->caplen;
    }
    if (frame->caplen > 0)
        memcpy(mask->scratch, frame->bytes, frame->caplen);
    return true;
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
        packet.part.protocol != TCP)
        return;
    if (packet.part.offset == 0 && !mask->summing)
        remember_part(mask, &packet, ref);
    struct sw_mask_part *p = find_part(mask, &packet, ref);
    uint32_t delta = 0;
    if (!p)
        return;
    learn_header(p, &packet);
    if (!mask->summing || is_summed(p, packet.part.offset) || !copy_bytes(mask, frame))
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

static bool take_part(struct sw_mask *mask, const struct sw_frame *frame,
                      const struct sw_packet *packet, uint64_t ref)
{
    struct sw_mask_part *p = packet->part.protocol == TCP ? find_part(mask, packet, ref) : NULL;
    uint32_t delta = 0;
    if (!p)
        return false;
    mask_part(mask, frame, packet, p, mask->scratch, &delta);
    uint32_t offset = packet->part.offset;
    bool has_checksum =
        offset <= TCP_CHECKSUM_AT && offset + packet->payload.len >= TCP_CHECKSUM_AT + 2;
    if (has_checksum && p->delta != 0 && inside(frame, packet->payload))
        fix_checksum(own(frame, packet->payload.ptr, mask->scratch) + TCP_CHECKSUM_AT - offset,
                     p->delta);
    return true;
}

static bool is_dns(const struct sw_tuple *t)
{
    return t->src_port == DNS_PORT || t->dst_port == DNS_PORT;
}

/* A question of a client whose look-up is in the plan, or an answer to it. */
static bool of_lookup(const struct sw_mask *mask, const struct sw_packet *packet, uint64_t ref)
{
    uint32_t session = 0;
    bool quote = packet->icmp.has_quote && is_dns(&packet->icmp.quote);
    const struct sw_tuple *t = quote ? &packet->icmp.quote : &packet->tuple;
    if (packet->neighbour.seen) {
        struct key key = client_key(packet->neighbour.asker, packet->neighbour.ip_version);
        return find(mask, LOOKUPS, &key, ref, 0, &session);
    }
    if (!is_dns(t))
        return false;
    struct key from = client_key(t->src, t->ip_version);
    struct key to = client_key(t->dst, t->ip_version);
    return find(mask, LOOKUPS, &from, ref, 0, &session) ||
           find(mask, LOOKUPS, &to, ref, 0, &session);
}

static bool is_further(const struct sw_mask *mask, uint64_t ref)
{
    return mask->frame_count > 0 &&
           bsearch(&ref, mask->frames, mask->frame_count, sizeof(ref), by_number) != NULL;
}

static bool take_packet(struct sw_mask *mask, const struct sw_frame *frame,
                        const struct sw_packet *packet, uint64_t ref)
{
    uint32_t session = 0;
    if (packet->transport == SW_TRANSPORT_TCP) {
        struct key key = tuple_key(&packet->tuple);
        bool found = find(mask, CONNECTIONS, &key, ref, 0, &session);
        if (!found && !is_further(mask, ref) && !of_lookup(mask, packet, ref))
            return false;
        uint64_t nowhere[2] = {0, 0};
        mask_segment(mask, frame, packet, found ? &mask->plan->sessions[session] : NULL,
                     found ? mask->near[session] : nowhere, mask->scratch);
        return true;
    }
    bool quotes = packet->icmp.has_quote && packet->icmp.quote.transport == TCP;
    struct key key = tuple_key(&packet->icmp.quote);
    if (quotes && find(mask, CONNECTIONS, &key, ref, 0, &session)) {
        mask_quote(mask, frame, packet, &mask->plan->sessions[session], mask->near[session],
                   mask->scratch);
        return true;
    }
    return !quotes && (of_lookup(mask, packet, ref) || is_further(mask, ref));
}

bool sw_mask_take(struct sw_mask *mask, const struct sw_frame *frame, struct sw_frame *out)
{
    struct sw_packet packet = {.payload = {NULL, 0}};
    uint64_t ref = sw_frame_ref(frame->file, frame->number);
    if (frame->link_type == SW_NO_LINK_TYPE || !copy_bytes(mask, frame))
        return false;
    bool taken = false;
    switch (sw_decode(frame, &packet)) {
    case SW_DECODE_IP:
        taken = take_packet(mask, frame, &packet, ref);
        break;
    case SW_DECODE_FRAGMENT:
        taken = take_part(mask, frame, &packet, ref);
        break;
    case SW_DECODE_OTHER:
        taken = of_lookup(mask, &packet, ref) || (packet.neighbour.seen && is_further(mask, ref));
        break;
    case SW_DECODE_BROKEN:
        break;
    }
    *out = *frame;
    out->bytes = mask->scratch;
    return taken;
}
