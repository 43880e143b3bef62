/*
 * transport.c - TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792) and ICMPv6 (RFC 4443) headers.
 */
#include "decode/ip.h"

enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ICMP6 = 58 };

static void read_sacks(struct sw_cursor *option, struct sw_tcp_header *tcp)
{
    while (option->left >= 8 && tcp->sack_count < SW_TCP_SACKS) {
        tcp->sack[tcp->sack_count].left = sw_cursor_be32(option);
        tcp->sack[tcp->sack_count].right = sw_cursor_be32(option);
        tcp->sack_count++;
    }
}

/* Options with lengths that make no sense end the list; the packet is good all the same. */
static void read_options(struct sw_span options, struct sw_tcp_header *tcp)
{
    struct sw_cursor c = sw_cursor_make(options);
    while (c.left > 0) {
        uint8_t kind = sw_cursor_u8(&c);
        if (kind == 0)
            return;
        if (kind == 1)
            continue;
        uint8_t length = sw_cursor_u8(&c);
        if (c.bad || length < 2)
            return;
        struct sw_span body = sw_cursor_take(&c, (size_t)length - 2);
        if (c.bad)
            return;
        struct sw_cursor option = sw_cursor_make(body);
        if (kind == 2 && body.len == 2) {
            tcp->has_mss = true;
            tcp->mss = sw_cursor_be16(&option);
        } else if (kind == 3 && body.len == 1) {
            tcp->has_window_scale = true;
            tcp->window_scale = sw_cursor_u8(&option);
        } else if (kind == 4) {
            tcp->sack_permitted = true;
        } else if (kind == 5) {
            read_sacks(&option, tcp);
        } else if (kind == 8 && body.len == 8) {
            tcp->has_timestamp = true;
            tcp->timestamp = sw_cursor_be32(&option);
            tcp->timestamp_echo = sw_cursor_be32(&option);
        }
    }
}

static uint64_t sum_bytes(uint64_t sum, struct sw_span s)
{
    size_t at = 0;
    for (; at + 8 <= s.len;
         at += 8) { /* four big-endian words at once; the fold takes the carries in */
        uint64_t v;
        memcpy(&v, s.ptr + at, sizeof(v));
        sum += v & 0xFFFFFFFF;
        sum += v >> 32;
    }
    uint8_t tail[8] = {0};
    if (at < s.len) {
        uint64_t v;
        memcpy(tail, s.ptr + at, s.len - at);
        memcpy(&v, tail, sizeof(v));
        sum += v & 0xFFFFFFFF;
        sum += v >> 32;
    }
    return sum;
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum; /* in the machine's byte order, as it was summed (RFC 1071 2B) */
}

/*
 * RFC 9293 3.1. A sender whose network card computes the checksum leaves the sum of the
 * pseudo-header in the field; that is no damage.
 */
static bool checksum_is_bad(struct sw_span segment, const struct sw_packet *packet)
{
    size_t address = packet->tuple.ip_version == 6 ? 16 : 4;
    uint8_t length[4] = {(uint8_t)(segment.len >> 24), (uint8_t)(segment.len >> 16),
                         (uint8_t)(segment.len >> 8), (uint8_t)segment.len};
    uint8_t protocol[4] = {0, 0, 0, PROTOCOL_TCP};
    uint64_t pseudo = sum_bytes(0, sw_span_make(packet->tuple.src, address));
    pseudo = sum_bytes(pseudo, sw_span_make(packet->tuple.dst, address));
    pseudo = sum_bytes(pseudo, sw_span_make(length, sizeof(length)));
    pseudo = sum_bytes(pseudo, sw_span_make(protocol, sizeof(protocol)));
    if (fold(sum_bytes(pseudo, segment)) == 0xFFFF)
        return false;
    uint16_t stored;
    memcpy(&stored, segment.ptr + 16, sizeof(stored));
    return stored != fold(pseudo);
}

static enum sw_decode_result tcp(struct sw_cursor *c, uint32_t wire, struct sw_packet *packet)
{
    struct sw_span segment = sw_cursor_rest(c);
    struct sw_tcp_header *tcp = &packet->tcp;
    memset(tcp, 0, offsetof(struct sw_tcp_header, sack));
    packet->tuple.src_port = sw_cursor_be16(c);
    packet->tuple.dst_port = sw_cursor_be16(c);
    tcp->seq = sw_cursor_be32(c);
    tcp->ack = sw_cursor_be32(c);
    uint8_t offset = sw_cursor_u8(c);
    tcp->flags = sw_cursor_u8(c);
    tcp->window = sw_cursor_be16(c);
    sw_cursor_skip(c, 2);
    tcp->urgent = sw_cursor_be16(c);
    uint32_t header = (uint32_t)(offset >> 4) * 4;
    if (c->bad || header < 20 || header > wire)
        return SW_DECODE_BROKEN;
    struct sw_span options = sw_cursor_take(c, header - 20);
    if (c->bad)
        return SW_DECODE_BROKEN;
    if (options.len > 0)
        read_options(options, tcp);
    packet->transport = SW_TRANSPORT_TCP;
    packet->payload = sw_cursor_rest(c);
    packet->payload_wire = wire - header;
    bool whole = segment.len == wire;
    packet->bad_checksum = whole && packet->payload_wire > 0 && checksum_is_bad(segment, packet);
    return SW_DECODE_IP;
}

static enum sw_decode_result udp(struct sw_cursor *c, uint32_t wire, struct sw_packet *packet)
{
    packet->tuple.src_port = sw_cursor_be16(c);
    packet->tuple.dst_port = sw_cursor_be16(c);
    uint16_t length = sw_cursor_be16(c);
    sw_cursor_skip(c, 2);
    if (c->bad || (length != 0 && length < 8))
        return SW_DECODE_BROKEN;
    uint32_t payload = wire > 8 ? wire - 8 : 0;
    if (length >= 8 && (uint32_t)length - 8 < payload)
        payload = (uint32_t)length - 8;
    packet->transport = SW_TRANSPORT_UDP;
    packet->payload = sw_span_sub(sw_cursor_rest(c), 0, payload);
    packet->payload_wire = payload;
    return SW_DECODE_IP;
}

/* Ports (and the TCP sequence number) behind the IP header that an error quotes. */
static void read_quoted_ports(struct sw_cursor *c, struct sw_icmp_header *icmp)
{
    uint8_t protocol = icmp->quote.transport;
    if (protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP)
        return;
    icmp->quote.src_port = sw_cursor_be16(c);
    icmp->quote.dst_port = sw_cursor_be16(c);
    icmp->has_quote = !c->bad;
    icmp->quote_seq = protocol == PROTOCOL_TCP ? sw_cursor_be32(c) : 0;
}

static void read_quote4(struct sw_cursor *c, struct sw_icmp_header *icmp)
{
    uint8_t version_length = sw_cursor_u8(c);
    sw_cursor_skip(c, 8);
    uint8_t protocol = sw_cursor_u8(c);
    sw_cursor_skip(c, 2);
    struct sw_span src = sw_cursor_take(c, 4);
    struct sw_span dst = sw_cursor_take(c, 4);
    uint32_t header = (uint32_t)(version_length & 0x0F) * 4;
    if (c->bad || version_length >> 4 != 4 || header < 20)
        return;
    sw_cursor_skip(c, header - 20);
    icmp->quote = (struct sw_tuple){.ip_version = 4, .transport = protocol};
    memcpy(icmp->quote.src, src.ptr, 4);
    memcpy(icmp->quote.dst, dst.ptr, 4);
    read_quoted_ports(c, icmp);
}

static void read_quote6(struct sw_cursor *c, struct sw_icmp_header *icmp)
{
    uint8_t version = sw_cursor_u8(c) >> 4;
    sw_cursor_skip(c, 5);
    uint8_t next = sw_cursor_u8(c);
    sw_cursor_skip(c, 1);
    struct sw_span src = sw_cursor_take(c, 16);
    struct sw_span dst = sw_cursor_take(c, 16);
    if (c->bad || version != 6)
        return;
    icmp->quote = (struct sw_tuple){.ip_version = 6, .transport = next};
    memcpy(icmp->quote.src, src.ptr, 16);
    memcpy(icmp->quote.dst, dst.ptr, 16);
    read_quoted_ports(c, icmp);
}

static bool is_error(const struct sw_packet *packet)
{
    uint8_t type = packet->icmp.type;
    if (packet->transport == SW_TRANSPORT_ICMP)
        return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
    return type >= 1 && type <= 4;
}

static enum sw_decode_result icmp(struct sw_cursor *c, enum sw_transport transport,
                                  struct sw_packet *packet)
{
    struct sw_icmp_header *icmp = &packet->icmp;
    memset(icmp, 0, sizeof(*icmp));
    icmp->type = sw_cursor_u8(c);
    icmp->code = sw_cursor_u8(c);
    sw_cursor_skip(c, 2);
    uint32_t rest = sw_cursor_be32(c);
    if (c->bad)
        return SW_DECODE_BROKEN;
    packet->transport = transport;
    packet->payload = sw_cursor_rest(c);
    packet->payload_wire = (uint32_t)c->left;
    if (!is_error(packet))
        return SW_DECODE_IP;
    if (transport == SW_TRANSPORT_ICMP && icmp->type == 3 && icmp->code == 4)
        icmp->mtu = (uint16_t)rest;
    if (transport == SW_TRANSPORT_ICMP6 && icmp->type == 2)
        icmp->mtu = rest > 0xFFFF ? 0xFFFF : (uint16_t)rest;
    if (transport == SW_TRANSPORT_ICMP)
        read_quote4(c, icmp);
    else
        read_quote6(c, icmp);
    return SW_DECODE_IP;
}

enum sw_decode_result sw_decode_transport(struct sw_cursor *c, uint8_t protocol, uint32_t wire,
                                          struct sw_packet *packet)
{
    switch (protocol) {
    case PROTOCOL_TCP:
        return tcp(c, wire, packet);
    case PROTOCOL_UDP:
        return udp(c, wire, packet);
    case PROTOCOL_ICMP:
        return icmp(c, SW_TRANSPORT_ICMP, packet);
    case PROTOCOL_ICMP6:
        return icmp(c, SW_TRANSPORT_ICMP6, packet);
    default:
        return SW_DECODE_OTHER;
    }
}
