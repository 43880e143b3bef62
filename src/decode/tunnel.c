/*
 * tunnel.c - packets inside packets: GRE and its kin, and the tunnels over UDP.
 */
#include "decode/layer.h"

/* Enters a tunnel of the IP header that was read last, and goes on with `next`. */
static enum sw_layer into(struct sw_inside *in, enum sw_tunnel_kind kind, uint32_t id,
                          enum sw_layer next)
{
    return sw_tunnel_enter(in, kind, true, id) ? next : sw_layer_unread(in, SW_UNREAD_TOO_DEEP);
}

/* --- GRE --- */

enum {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACKNOWLEDGE = 0x0080, /* version 1 only */
    GRE_VERSION = 0x0007,
};

/* Version 1 carries PPP (RFC 2637 section 4.1). */
static enum sw_layer pptp(struct sw_inside *in, uint16_t flags)
{
    uint16_t length = sw_cursor_be16(&in->c);
    uint16_t call = sw_cursor_be16(&in->c);
    if (flags & GRE_SEQUENCE)
        sw_cursor_skip(&in->c, 4);
    if (flags & GRE_ACKNOWLEDGE)
        sw_cursor_skip(&in->c, 4);
    if (in->c.bad || !(flags & GRE_KEY))
        return SW_LAYER_BROKEN;
    if (length == 0)
        return SW_LAYER_OTHER; /* an acknowledgement of the tunnel's own */
    if (in->c.left > length)
        in->c.left = length;
    return into(in, SW_TUNNEL_PPTP, call, SW_LAYER_PPP);
}

enum sw_layer sw_read_gre(struct sw_inside *in)
{
    uint16_t flags = sw_cursor_be16(&in->c);
    in->type = sw_cursor_be16(&in->c);
    if (in->c.bad)
        return SW_LAYER_BROKEN;
    if ((flags & GRE_VERSION) == 1 && in->type == SW_ETHER_PPP)
        return pptp(in, flags);
    if ((flags & GRE_VERSION) != 0 || (flags & GRE_ROUTING))
        return sw_layer_unread(in, SW_UNREAD_GRE);
    if (flags & GRE_CHECKSUM)
        sw_cursor_skip(&in->c, 4);
    uint32_t key = flags & GRE_KEY ? sw_cursor_be32(&in->c) : 0;
    if (flags & GRE_SEQUENCE)
        sw_cursor_skip(&in->c, 4);
    if (in->c.bad)
        return SW_LAYER_BROKEN;
    switch (in->type) {
    case SW_ETHER_ERSPAN2:
        if (!(flags & GRE_SEQUENCE)) /* type I has no header of its own */
            return into(in, SW_TUNNEL_ERSPAN, 0, SW_LAYER_ETHERNET);
        return SW_LAYER_ERSPAN;
    case SW_ETHER_ERSPAN3:
        return SW_LAYER_ERSPAN;
    case SW_ETHER_PPP:
        return into(in, SW_TUNNEL_GRE, key, SW_LAYER_PPP);
    case SW_ETHER_BRIDGED:
    case SW_ETHER_IPV4:
    case SW_ETHER_IPV6:
    case SW_ETHER_MPLS:
    case SW_ETHER_MPLS_MULTICAST:
        return into(in, SW_TUNNEL_GRE, key, SW_LAYER_TYPE);
    default:
        return sw_layer_unread(in, SW_UNREAD_GRE);
    }
}

/* Types II and III, as draft-foschiano-erspan-03 has them. */
enum sw_layer sw_read_erspan(struct sw_inside *in)
{
    enum { FRAME_ETHERNET = 0, FRAME_IP = 2 };
    uint8_t version = sw_cursor_u8(&in->c) >> 4;
    sw_cursor_skip(&in->c, 1);
    uint32_t session = sw_cursor_be16(&in->c) & 0x03FF;
    sw_cursor_skip(&in->c, 4); /* index, or timestamp */
    if (in->c.bad)
        return SW_LAYER_BROKEN;
    if (version == 1)
        return into(in, SW_TUNNEL_ERSPAN, session, SW_LAYER_ETHERNET);
    if (version != 2)
        return sw_layer_unread(in, SW_UNREAD_GRE);
    sw_cursor_skip(&in->c, 2); /* security group */
    uint16_t last = sw_cursor_be16(&in->c);
    if (last & 1) /* a header of the platform follows */
        sw_cursor_skip(&in->c, 8);
    unsigned frame = (last >> 10) & 0x1F;
    if (in->c.bad)
        return SW_LAYER_BROKEN;
    if (frame != FRAME_ETHERNET && frame != FRAME_IP)
        return SW_LAYER_OTHER;
    return into(in, SW_TUNNEL_ERSPAN, session, frame == FRAME_IP ? SW_LAYER_IP : SW_LAYER_ETHERNET);
}

/* --- over UDP --- */

/* RFC 7348 section 5. */
enum sw_layer sw_read_vxlan(struct sw_inside *in)
{
    sw_cursor_skip(&in->c, 4);
    uint32_t vni = sw_cursor_be32(&in->c) >> 8;
    return in->c.bad ? SW_LAYER_BROKEN : into(in, SW_TUNNEL_VXLAN, vni, SW_LAYER_ETHERNET);
}

/* draft-ietf-nvo3-vxlan-gpe section 3: the payload is named. */
enum sw_layer sw_read_vxlan_gpe(struct sw_inside *in)
{
    sw_cursor_skip(&in->c, 3);
    uint8_t next = sw_cursor_u8(&in->c);
    uint32_t vni = sw_cursor_be32(&in->c) >> 8;
    if (in->c.bad)
        return SW_LAYER_BROKEN;
    switch (next) {
    case 1:
    case 2:
        return into(in, SW_TUNNEL_VXLAN, vni, SW_LAYER_IP);
    case 3:
        return into(in, SW_TUNNEL_VXLAN, vni, SW_LAYER_ETHERNET);
    default:
        return SW_LAYER_OTHER;
    }
}

/* RFC 8926 section 3.4. */
enum sw_layer sw_read_geneve(struct sw_inside *in)
{
    uint8_t version_length = sw_cursor_u8(&in->c);
    sw_cursor_skip(&in->c, 1);
    in->type = sw_cursor_be16(&in->c);
    uint32_t vni = sw_cursor_be32(&in->c) >> 8;
    sw_cursor_skip(&in->c, (size_t)(version_length & 0x3F) * 4);
    return in->c.bad ? SW_LAYER_BROKEN : into(in, SW_TUNNEL_GENEVE, vni, SW_LAYER_TYPE);
}

/* 3GPP TS 29.281 section 5: a G-PDU with its optional fields and extension headers. */
enum sw_layer sw_read_gtpu(struct sw_inside *in)
{
    enum { ANY_OPTION = 0x07, HAS_EXTENSION = 0x04, EXTENSIONS_MAX = 8 };
    uint8_t flags = sw_cursor_u8(&in->c);
    sw_cursor_skip(&in->c, 1);
    uint16_t length = sw_cursor_be16(&in->c);
    uint32_t teid = sw_cursor_be32(&in->c);
    if (in->c.left > length)
        in->c.left = length;
    if (flags & ANY_OPTION) {
        sw_cursor_skip(&in->c, 3);
        uint8_t next = sw_cursor_u8(&in->c);
        if (!(flags & HAS_EXTENSION))
            next = 0;
        for (int n = 0; next != 0; n++) {
            uint8_t words = sw_cursor_u8(&in->c);
            if (words == 0 || n == EXTENSIONS_MAX)
                return SW_LAYER_BROKEN;
            sw_cursor_skip(&in->c, (size_t)words * 4 - 2);
            next = sw_cursor_u8(&in->c);
        }
    }
    return in->c.bad ? SW_LAYER_BROKEN : into(in, SW_TUNNEL_GTPU, teid, SW_LAYER_IP);
}

/* A data message of L2TP version 2 (RFC 2661 section 3.1). */
enum sw_layer sw_read_l2tp(struct sw_inside *in)
{
    enum { HAS_LENGTH = 0x4000, HAS_SEQUENCE = 0x0800, HAS_OFFSET = 0x0200 };
    uint16_t flags = sw_cursor_be16(&in->c);
    if (flags & HAS_LENGTH)
        sw_cursor_skip(&in->c, 2);
    uint32_t session = sw_cursor_be32(&in->c); /* tunnel and session */
    if (flags & HAS_SEQUENCE)
        sw_cursor_skip(&in->c, 4);
    if (flags & HAS_OFFSET)
        sw_cursor_skip(&in->c, sw_cursor_be16(&in->c));
    return in->c.bad ? SW_LAYER_BROKEN : into(in, SW_TUNNEL_L2TP, session & 0xFFFF, SW_LAYER_PPP);
}

/* RFC 4380 section 5.1.1: IPv6, after an origin indication where there is one. */
enum sw_layer sw_read_teredo(struct sw_inside *in)
{
    struct sw_cursor peek = in->c;
    if (sw_cursor_be16(&peek) == 0)
        sw_cursor_skip(&in->c, 8);
    return in->c.bad ? SW_LAYER_BROKEN : into(in, SW_TUNNEL_TEREDO, 0, SW_LAYER_IP6);
}

/*
 * TaZmen Sniffer Protocol, in which MikroTik's routers and others stream what they record: tags of
 * one byte, or with a length behind it, then the frame.
 */
enum { TZSP_ETHERNET = 0x01, TZSP_WLAN = 0x12 };

enum sw_layer sw_read_tzsp(struct sw_inside *in)
{
    enum { PADDING = 0, END = 1, TAGS_MAX = 32 };
    sw_cursor_skip(&in->c, 2);
    uint16_t carried = sw_cursor_be16(&in->c);
    for (int n = 0;; n++) {
        uint8_t tag = sw_cursor_u8(&in->c);
        if (in->c.bad || n == TAGS_MAX)
            return SW_LAYER_BROKEN;
        if (tag == END)
            break;
        if (tag != PADDING)
            sw_cursor_skip(&in->c, sw_cursor_u8(&in->c));
    }
    enum sw_layer next = into(in, SW_TUNNEL_TZSP, 0, SW_LAYER_ETHERNET);
    return next == SW_LAYER_ETHERNET && carried == TZSP_WLAN ? sw_read_wlan(in, false) : next;
}

/* Does the payload look like what the port promises? Any program may use any port. */
static bool is_vxlan(struct sw_cursor c)
{
    uint32_t flags = sw_cursor_be32(&c);
    (void)sw_cursor_be24(&c);
    return sw_cursor_u8(&c) == 0 && !c.bad && (flags & 0x08000000) && (flags & 0x77000000) == 0;
}

static bool is_vxlan_gpe(struct sw_cursor c)
{
    uint32_t flags = sw_cursor_be32(&c);
    return !c.bad && (flags & 0x08000000) && (flags & 0xF0FFFF00) == 0;
}

static bool is_geneve(struct sw_cursor c)
{
    uint8_t version_length = sw_cursor_u8(&c);
    uint8_t flags = sw_cursor_u8(&c);
    uint16_t type = sw_cursor_be16(&c);
    bool known = type == SW_ETHER_BRIDGED || type == SW_ETHER_IPV4 || type == SW_ETHER_IPV6;
    return !c.bad && version_length >> 6 == 0 && (flags & 0x3F) == 0 && known;
}

static bool is_gtpu(struct sw_cursor c)
{
    uint8_t flags = sw_cursor_u8(&c);
    uint8_t type = sw_cursor_u8(&c);
    return !c.bad && flags >> 4 == 3 && type == 0xFF; /* version 1, GTP, user data */
}

static bool is_l2tp_data(struct sw_cursor c)
{
    uint16_t flags = sw_cursor_be16(&c);
    return !c.bad && (flags & 0x8000) == 0 && (flags & 0x000F) == 2;
}

static bool is_teredo(struct sw_cursor c)
{
    struct sw_cursor inner = c;
    uint16_t first = sw_cursor_be16(&c);
    sw_cursor_skip(&inner, first == 0 ? 8 : 0);
    return sw_cursor_u8(&inner) >> 4 == 6 && !inner.bad;
}

/* Version 1, a received packet. */
static bool is_tzsp(struct sw_cursor c)
{
    uint16_t version_type = sw_cursor_be16(&c);
    uint16_t carried = sw_cursor_be16(&c);
    return !c.bad && version_type == 0x0100 && (carried == TZSP_ETHERNET || carried == TZSP_WLAN);
}

/* Keep-alives of one byte, and IKE behind four zeros (RFC 3948 section 2.2), are no ESP. */
static bool is_esp_in_udp(struct sw_cursor c)
{
    return sw_cursor_be32(&c) != 0 && !c.bad;
}

static bool is_wireguard_data(struct sw_cursor c)
{
    return sw_cursor_le32(&c) == 4 && !c.bad;
}

enum sw_layer sw_tunnel_in_udp(struct sw_inside *in)
{
    struct sw_cursor c = in->c;
    uint16_t port = in->packet->tuple.dst_port;
    uint16_t from = in->packet->tuple.src_port;
    if ((port == 4789 || port == 8472) && is_vxlan(c))
        return SW_LAYER_VXLAN;
    if (port == 4790 && is_vxlan_gpe(c))
        return SW_LAYER_VXLAN_GPE;
    if (port == 6081 && is_geneve(c))
        return SW_LAYER_GENEVE;
    if (port == 2152 && is_gtpu(c))
        return SW_LAYER_GTPU;
    if (port == 37008 && is_tzsp(c))
        return SW_LAYER_TZSP;
    if (port == 53 || from == 53)
        return SW_LAYER_DECODED; /* the other numbers are also those of clients */
    if ((port == 1701 || from == 1701) && is_l2tp_data(c))
        return SW_LAYER_L2TP;
    if ((port == 3544 || from == 3544) && is_teredo(c))
        return SW_LAYER_TEREDO;
    if (port == 4500 && from == 4500 && is_esp_in_udp(c))
        in->packet->unread = SW_UNREAD_ESP;
    else if (port == 1194 || from == 1194)
        in->packet->unread = SW_UNREAD_OPENVPN;
    else if ((port == 51820 || from == 51820) && is_wireguard_data(c))
        in->packet->unread = SW_UNREAD_WIREGUARD;
    return SW_LAYER_DECODED;
}
