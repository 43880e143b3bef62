/*
 * checksum.c - the Internet checksum (RFC 1071) of TCP segments. It only adds bytes up, in the
 * machine's own order (RFC 1071 section 2B), and takes no values from the wire.
 */
#include "base/scan.h"
#include "decode/ip.h"

#include <endian.h>

static uint16_t fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32); /* 33 bits are left, */
    sum = (sum & 0xFFFF) + (sum >> 16);     /* 18, */
    sum = (sum & 0xFFFF) + (sum >> 16);     /* 17, and the highest only of a small number */
    return (uint16_t)((sum & 0xFFFF) + (sum >> 16));
}

/* The pseudo-header: addresses, protocol and length. */
static uint64_t sum_pseudo(const struct sw_tuple *tuple, size_t length)
{
    uint64_t sum = htobe32((uint32_t)length) + (uint64_t)htobe32(SW_PROTOCOL_TCP);
    size_t words = tuple->ip_version == 4 ? 1 : 4; /* behind those of IPv4 there are zeros */
    for (size_t i = 0; i < words; i++) {
        uint32_t src, dst;
        memcpy(&src, tuple->src + 4 * i, sizeof(src));
        memcpy(&dst, tuple->dst + 4 * i, sizeof(dst));
        sum += (uint64_t)src + dst;
    }
    return sum;
}

enum { CHECKSUM_AT = 16 };

bool sw_packet_is_damaged(const struct sw_packet *packet)
{
    struct sw_span segment = packet->segment;
    const struct sw_tuple *tuple = &packet->tuple;
    if (segment.len == 0)
        return false;
    uint64_t pseudo = sum_pseudo(tuple, segment.len);
    if (fold(pseudo + sw_scan_sum(segment)) == 0xFFFF)
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
