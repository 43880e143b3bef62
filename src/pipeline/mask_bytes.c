/*
 * mask_bytes.c - masks what is not known to be harmless, and puts the checksums right.
 */
#include "pipeline/mask_inside.h"

#include "base/cursor.h"
#include "pipeline/beside.h"
#include "flow/seq.h"

enum {
    TCP_LEAST = 20,
    TCP_MOST = 60,
    TCP_CHECKSUM_AT = 16,
    ICMP_HEADER = 8,
    ICMP_CHECKSUM_AT = 2,
};

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

void sw_mask_fix_checksum(uint8_t *field, uint32_t delta)
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
uint32_t sw_mask_bytes(struct sw_mask *mask, const struct sw_extract_side *side, uint64_t *near,
                       uint32_t seq, uint8_t *bytes, size_t len, uint64_t at)
{
    uint32_t delta = 0;
    if (mask->plan->keep_credentials && !(side && side->aside))
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

enum sw_side sw_mask_side_of(const struct sw_extract_session *s, const struct sw_tuple *t)
{
    bool client = memcmp(t->src, s->tuple.src, 16) == 0 && t->src_port == s->tuple.src_port;
    return client ? SW_CLIENT : SW_SERVER;
}

/* Where a borrowed byte of the frame stands in the copy that may be written to. */
uint8_t *sw_mask_own(const struct sw_frame *frame, const uint8_t *borrowed, uint8_t *scratch)
{
    return scratch + (borrowed - frame->bytes);
}

bool sw_mask_is_inside(const struct sw_frame *frame, struct sw_span s)
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
void sw_mask_clear_behind(const struct sw_frame *frame, struct sw_span payload, uint8_t *scratch)
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
    sw_mask_fix_checksum(field, delta);
    if (packet->segment.len == 0 || !sw_mask_is_inside(frame, packet->segment) ||
        sw_packet_is_damaged(packet))
        return;
    after.segment.ptr = sw_mask_own(frame, packet->segment.ptr, scratch);
    if (sw_packet_is_damaged(&after))
        memcpy(field, before, sizeof(before));
}

void sw_mask_segment(struct sw_mask *mask, const struct sw_frame *frame,
                     const struct sw_packet *packet, const struct sw_extract_session *s,
                     uint64_t *near)
{
    if (packet->payload.len == 0 || !sw_mask_is_inside(frame, packet->payload))
        return;
    uint32_t header = header_before(frame, packet);
    uint8_t *bytes = sw_mask_own(frame, packet->payload.ptr, mask->scratch);
    uint32_t seq = packet->tcp.seq + (packet->tcp.flags & SW_TCP_SYN ? 1 : 0);
    const struct sw_extract_side *side = NULL;
    if (s) {
        enum sw_side from = sw_mask_side_of(s, &packet->tuple);
        side = &s->side[from];
        near = near + from;
    }
    struct sw_extract_range shown[SW_BESIDE_SHOWN];
    struct sw_extract_side of_frame = {.based = true, .aside = true, .base = seq, .kept = shown};
    uint64_t nowhere = 0;
    if (s && s->web) {
        of_frame.kept_count = sw_beside_shown(packet->payload, shown);
        side = &of_frame;
        near = &nowhere;
    }
    uint32_t delta = sw_mask_bytes(mask, side, near, seq, bytes, packet->payload.len, header);
    if (delta != 0 && header > 0)
        fix_segment(frame, packet, mask->scratch, bytes - header + TCP_CHECKSUM_AT, delta);
    if (!mask->plan->keep_credentials)
        sw_mask_clear_behind(frame, packet->payload, mask->scratch);
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

void sw_mask_quote(struct sw_mask *mask, const struct sw_frame *frame,
                   const struct sw_packet *packet, const struct sw_extract_session *s,
                   uint64_t *near)
{
    if (!sw_mask_is_inside(frame, packet->payload))
        return;
    size_t skip = quoted_header(packet->payload);
    if (skip >= packet->payload.len)
        return;
    enum sw_side from = sw_mask_side_of(s, &packet->icmp.quote);
    uint8_t *bytes = sw_mask_own(frame, packet->payload.ptr, mask->scratch);
    uint32_t delta = sw_mask_bytes(mask, &s->side[from], near + from, packet->icmp.quote_seq,
                                   bytes + skip, packet->payload.len - skip, ICMP_HEADER + skip);
    if (delta != 0)
        sw_mask_fix_checksum(bytes - ICMP_HEADER + ICMP_CHECKSUM_AT, delta);
}
