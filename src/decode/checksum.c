/*
 * checksum.c - the Internet checksum (RFC 1071) of TCP segments. It only adds bytes up, in the
 * machine's own order (RFC 1071 section 2B), and takes no values from the wire.
 */
#include "base/scan.h"
#include "decode/ip.h"

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

/* A number as it stands in memory in network byte order. */
static uint32_t network_order(uint32_t n)
{
    const uint8_t bytes[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
                              (uint8_t)n};
    uint32_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* The pseudo-header: addresses, protocol and length. */
static uint64_t sum_pseudo(const struct sw_tuple *tuple, size_t length)
{
    uint32_t addresses[8]; /* behind those of IPv4 there are zeros, which add nothing */
    uint64_t sum = network_order((uint32_t)length) + (uint64_t)network_order(SW_PROTOCOL_TCP);
    memcpy(addresses, tuple->src, sizeof(tuple->src));
    memcpy(addresses + 4, tuple->dst, sizeof(tuple->dst));
    for (size_t i = 0; i < 8; i++)
        sum += addresses[i];
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
