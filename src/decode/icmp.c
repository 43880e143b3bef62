/*
 * icmp.c - ICMP (RFC 792) and ICMPv6 (RFC 4443), with the packet that an error quotes.
 */
#include "decode/layer.h"

enum { PORTS_OFFSET_MASK = 0x1FFF };

/* Ports (and the TCP sequence number) behind the IP header that an error quotes; the eight bytes
 * that every error quotes are enough. */
static void read_ports(struct sw_cursor *c, struct sw_icmp_header *icmp)
{
    uint8_t protocol = icmp->quote.transport;
    if (protocol != SW_PROTOCOL_TCP && protocol != SW_PROTOCOL_UDP)
        return;
    uint16_t src_port = sw_cursor_be16(c);
    uint16_t dst_port = sw_cursor_be16(c);
    if (c->bad)
        return;
    icmp->has_quote = true;
    icmp->quote.src_port = src_port;
    icmp->quote.dst_port = dst_port;
    icmp->quote_seq = protocol == SW_PROTOCOL_TCP ? sw_cursor_be32(c) : 0;
}

static void read_quote4(struct sw_cursor *c, struct sw_icmp_header *icmp)
{
    uint8_t version_length = sw_cursor_u8(c);
    sw_cursor_skip(c, 5);
    uint16_t fragment = sw_cursor_be16(c);
    sw_cursor_skip(c, 1);
    uint8_t protocol = sw_cursor_u8(c);
    sw_cursor_skip(c, 2);
    struct sw_span src = sw_cursor_take(c, 4);
    struct sw_span dst = sw_cursor_take(c, 4);
    uint32_t header = (uint32_t)(version_length & 0x0F) * 4;
    if (c->bad || version_length >> 4 != 4 || header < 20)
        return;
    sw_cursor_skip(c, header - 20);
    icmp->quote.ip_version = 4;
    icmp->quote.transport = protocol;
    memcpy(icmp->quote.src, src.ptr, src.len);
    memcpy(icmp->quote.dst, dst.ptr, dst.len);
    if ((fragment & PORTS_OFFSET_MASK) == 0) /* only the first part of a packet has ports */
        read_ports(c, icmp);
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
    icmp->quote.ip_version = 6;
    icmp->quote.transport = next;
    memcpy(icmp->quote.src, src.ptr, src.len);
    memcpy(icmp->quote.dst, dst.ptr, dst.len);
    /* The quote is cut to what an error may hold, so the length of the packet limits nothing here.
     */
    struct sw_ip_content content = {next, UINT32_MAX, false};
    bool fragment = false;
    struct sw_fragment part = {0};
    if (!sw_decode_extensions(c, &content, &fragment, &part))
        return;
    icmp->quote.transport = content.protocol;
    if (part.offset == 0)
        read_ports(c, icmp);
}

static bool is_error(enum sw_transport transport, uint8_t type)
{
    if (transport == SW_TRANSPORT_ICMP) /* unreachable, quench, redirect, time, parameter */
        return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
    return type >= 1 && type <= 4; /* unreachable, too big, time, parameter */
}

enum { NEIGHBOUR_SOLICITATION = 135, NEIGHBOUR_ADVERTISEMENT = 136 };

/* RFC 4861 sections 4.3 and 4.4: the target stands behind the first eight bytes. */
static void read_neighbour(struct sw_span body, struct sw_packet *packet)
{
    static const uint8_t nobody[16] = {0};
    struct sw_neighbour *n = &packet->neighbour;
    struct sw_cursor c = sw_cursor_make(body);
    struct sw_span target = sw_cursor_take(&c, 16);
    bool answer = packet->icmp.type == NEIGHBOUR_ADVERTISEMENT;
    const uint8_t *asker = answer ? packet->tuple.dst : packet->tuple.src;
    if (c.bad || memcmp(asker, nobody, 16) == 0) /* no asker: is my address free? */
        return;
    *n = (struct sw_neighbour){.seen = true, .answer = answer, .ip_version = 6};
    memcpy(n->asker, asker, 16);
    memcpy(n->target, target.ptr, 16);
}

enum sw_layer sw_read_icmp(struct sw_inside *in)
{
    struct sw_cursor *c = &in->c;
    const struct sw_ip_content *content = &in->content;
    struct sw_packet *packet = in->packet;
    struct sw_icmp_header *icmp = &packet->icmp;
    enum sw_transport transport =
        content->protocol == SW_PROTOCOL_ICMP ? SW_TRANSPORT_ICMP : SW_TRANSPORT_ICMP6;
    memset(icmp, 0, sizeof(*icmp));
    icmp->type = sw_cursor_u8(c);
    icmp->code = sw_cursor_u8(c);
    sw_cursor_skip(c, 2);
    uint32_t rest = sw_cursor_be32(c);
    if (c->bad)
        return SW_LAYER_BROKEN;
    packet->transport = transport;
    packet->payload = sw_cursor_rest(c);
    packet->payload_wire = content->wire - 8; /* eight bytes were there, so wire is not less */
    if (transport == SW_TRANSPORT_ICMP6 &&
        (icmp->type == NEIGHBOUR_SOLICITATION || icmp->type == NEIGHBOUR_ADVERTISEMENT))
        read_neighbour(packet->payload, packet);
    if (!is_error(transport, icmp->type))
        return SW_LAYER_DECODED;
    if (transport == SW_TRANSPORT_ICMP && icmp->type == 3 && icmp->code == 4)
        icmp->mtu = (uint16_t)rest; /* RFC 1191 section 4: the lower half */
    if (transport == SW_TRANSPORT_ICMP6 && icmp->type == 2)
        icmp->mtu = rest > UINT16_MAX ? UINT16_MAX : (uint16_t)rest;
    if (transport == SW_TRANSPORT_ICMP)
        read_quote4(c, icmp);
    else
        read_quote6(c, icmp);
    return SW_LAYER_DECODED;
}
