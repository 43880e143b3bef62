/*
 * transport.c - what an IP packet carries: TCP (RFC 9293), UDP (RFC 768), or another packet.
 */
#include "decode/layer.h"
#include "decode/tcp.h"

enum { UDP_HEADER_BYTES = 8 };

enum {
    OPTION_END = 0,
    OPTION_NONE = 1,
    OPTION_MSS = 2,
    OPTION_WINDOW_SCALE = 3,
    OPTION_SACK_PERMITTED = 4,
    OPTION_SACK = 5,
    OPTION_TIMESTAMP = 8,
};

static void read_sacks(struct sw_cursor *option, struct sw_tcp_header *tcp)
{
    while (option->left >= 8 && tcp->sack_count < SW_TCP_SACKS) {
        tcp->sack[tcp->sack_count].left = sw_cursor_be32(option);
        tcp->sack[tcp->sack_count].right = sw_cursor_be32(option);
        tcp->sack_count++;
    }
}

static void read_option(uint8_t kind, struct sw_span body, struct sw_tcp_header *tcp)
{
    struct sw_cursor option = sw_cursor_make(body);
    if (kind == OPTION_MSS && body.len == 2) {
        tcp->has_mss = true;
        tcp->mss = sw_cursor_be16(&option);
    } else if (kind == OPTION_WINDOW_SCALE && body.len == 1) {
        tcp->has_window_scale = true;
        tcp->window_scale = sw_cursor_u8(&option);
    } else if (kind == OPTION_SACK_PERMITTED && body.len == 0) {
        tcp->sack_permitted = true;
    } else if (kind == OPTION_SACK) {
        read_sacks(&option, tcp);
    } else if (kind == OPTION_TIMESTAMP && body.len == 8) {
        tcp->has_timestamp = true;
        tcp->timestamp = sw_cursor_be32(&option);
        tcp->timestamp_echo = sw_cursor_be32(&option);
    }
}

/* Options with lengths that make no sense end the list; the packet is good all the same. */
void sw_read_tcp_options(struct sw_span options, struct sw_tcp_header *tcp)
{
    struct sw_cursor c = sw_cursor_make(options);
    while (c.left > 0) {
        uint8_t kind = sw_cursor_u8(&c);
        if (kind == OPTION_END)
            return;
        if (kind == OPTION_NONE)
            continue;
        uint8_t length = sw_cursor_u8(&c);
        if (c.bad || length < 2)
            return;
        struct sw_span body = sw_cursor_take(&c, (size_t)length - 2);
        if (c.bad)
            return;
        read_option(kind, body, tcp);
    }
}

static enum sw_layer tcp(struct sw_inside *in)
{
    const struct sw_ip_content *content = &in->content;
    bool good = sw_read_tcp(sw_cursor_rest(&in->c), content->wire, content->verifiable, in->packet);
    return good ? SW_LAYER_DECODED : SW_LAYER_BROKEN;
}

static enum sw_layer udp(struct sw_inside *in)
{
    struct sw_cursor *c = &in->c;
    const struct sw_ip_content *content = &in->content;
    struct sw_packet *packet = in->packet;
    packet->tuple.src_port = sw_cursor_be16(c);
    packet->tuple.dst_port = sw_cursor_be16(c);
    uint16_t length = sw_cursor_be16(c);
    sw_cursor_skip(c, 2);
    if (c->bad || (length != 0 && length < UDP_HEADER_BYTES))
        return SW_LAYER_BROKEN;
    uint32_t payload = content->wire - UDP_HEADER_BYTES; /* they were there, so wire is not less */
    if (length != 0 && (uint32_t)length - UDP_HEADER_BYTES < payload)
        payload = (uint32_t)length - UDP_HEADER_BYTES;
    packet->payload = sw_span_sub(sw_cursor_rest(c), 0, payload);
    packet->payload_wire = payload;
    c->left = packet->payload.len;
    in->cut = payload - (uint32_t)c->left;
    enum sw_layer next = sw_tunnel_in_udp(in);
    if (next != SW_LAYER_DECODED) { /* what is in the tunnel has a payload of its own */
        packet->payload = (struct sw_span){NULL, 0};
        packet->payload_wire = 0;
        return next;
    }
    packet->transport = SW_TRANSPORT_UDP;
    return SW_LAYER_DECODED;
}

static enum sw_layer tunnelled(struct sw_inside *in, enum sw_tunnel_kind kind, enum sw_layer next)
{
    return sw_tunnel_enter(in, kind, true, 0) ? next : sw_layer_unread(in, SW_UNREAD_TOO_DEEP);
}

/* An authentication header (RFC 4302) in IPv4; it counts in words of four bytes, less two. */
static enum sw_layer authentication(struct sw_inside *in)
{
    size_t before = in->c.left;
    in->content.protocol = sw_cursor_u8(&in->c);
    sw_cursor_skip(&in->c, ((size_t)sw_cursor_u8(&in->c) + 2) * 4 - 2);
    size_t used = before - in->c.left;
    if (in->c.bad || used > in->content.wire)
        return SW_LAYER_BROKEN;
    in->content.wire -= (uint32_t)used;
    in->packet->tuple.transport = in->content.protocol;
    return SW_LAYER_CONTENT;
}

enum sw_layer sw_read_content(struct sw_inside *in)
{
    switch (in->content.protocol) {
    case SW_PROTOCOL_TCP:
        return tcp(in);
    case SW_PROTOCOL_UDP:
        return udp(in);
    case SW_PROTOCOL_ICMP:
    case SW_PROTOCOL_ICMP6:
        return sw_read_icmp(in);
    case SW_PROTOCOL_IP4:
        return tunnelled(in, SW_TUNNEL_IPIP, SW_LAYER_IP4);
    case SW_PROTOCOL_IP6:
        return tunnelled(in,
                         in->packet->tuple.ip_version == 4 ? SW_TUNNEL_SIXINFOUR : SW_TUNNEL_IPIP,
                         SW_LAYER_IP6);
    case SW_PROTOCOL_GRE:
        return SW_LAYER_GRE;
    case SW_PROTOCOL_MPLS: /* RFC 4023 */
        return SW_LAYER_MPLS;
    case SW_PROTOCOL_ETHERIP:
        sw_cursor_skip(&in->c, 2);
        return in->c.bad ? SW_LAYER_BROKEN : tunnelled(in, SW_TUNNEL_ETHERIP, SW_LAYER_ETHERNET);
    case SW_PROTOCOL_AH:
        return authentication(in);
    case SW_PROTOCOL_ESP:
        return sw_layer_unread(in, SW_UNREAD_ESP);
    case SW_PROTOCOL_L2TPV3:
        return sw_layer_unread(in, SW_UNREAD_L2TPV3);
    default:
        return SW_LAYER_OTHER;
    }
}
