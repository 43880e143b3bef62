/*
 * checksum.c - the Internet checksum (RFC 1071) of TCP segments. It only adds bytes up, in the
 * machine's own order (RFC 1071 section 2B), and takes no values from the wire.
 */
#include "decode/ip.h"

/* As many bytes as one instruction adds up on every machine that this runs on. */
typedef uint64_t block __attribute__((vector_size(16)));

static block load(const uint8_t *at)
{
    block bytes;
    memcpy(&bytes, at, sizeof(bytes));
    return bytes;
}

/* The fold takes the carries in, so that words of 32 bits give the same sum as those of 16 do; in
 * 64 bits the carries of any packet have room. */
static uint64_t sum_bytes(uint64_t sum, struct sw_span s)
{
    block low = {0}, high = {0};
    const block half = {UINT32_MAX, UINT32_MAX};
    size_t at = 0;
    for (; s.len - at >= sizeof(block); at += sizeof(block)) {
        block bytes = load(s.ptr + at);
        low += bytes & half;
        high += bytes >> 32;
    }
    if (at < s.len) {
        uint8_t tail[sizeof(block)] = {0};
        memcpy(tail, s.ptr + at, s.len - at);
        low += load(tail) & half;
        high += load(tail) >> 32;
    }
    return sum + low[0] + low[1] + high[0] + high[1];
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

/* The pseudo-header: addresses, protocol and length. */
static uint64_t sum_pseudo(const struct sw_tuple *tuple, size_t length)
{
    size_t address = tuple->ip_version == 6 ? 16 : 4;
    const uint8_t rest[8] = {(uint8_t)(length >> 24),
                             (uint8_t)(length >> 16),
                             (uint8_t)(length >> 8),
                             (uint8_t)length,
                             0,
                             0,
                             0,
                             SW_PROTOCOL_TCP};
    uint64_t sum = sum_bytes(0, sw_span_make(tuple->src, address));
    sum = sum_bytes(sum, sw_span_make(tuple->dst, address));
    return sum_bytes(sum, sw_span_make(rest, sizeof(rest)));
}

enum { CHECKSUM_AT = 16 };

bool sw_packet_is_damaged(const struct sw_packet *packet)
{
    struct sw_span segment = packet->segment;
    const struct sw_tuple *tuple = &packet->tuple;
    if (segment.len == 0)
        return false;
    uint64_t pseudo = sum_pseudo(tuple, segment.len);
    if (fold(sum_bytes(pseudo, segment)) == 0xFFFF)
        return false;
    struct sw_span field = sw_span_sub(segment, CHECKSUM_AT, 2);
    if (field.len < 2)
        return true;
    uint16_t stored;
    memcpy(&stored, field.ptr, sizeof(stored));
    /* A network card that fills the checksum in finds there the sum of the pseudo-header: with the
     * length, or without it where the card also cuts the packet to size; or nothing. */
    return stored != 0 && stored != fold(pseudo) && stored != fold(sum_pseudo(tuple, 0));
}
