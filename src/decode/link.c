/*
 * link.c - link layers: from the first byte of a frame to the IP header.
 */
#include "decode/layer.h"

enum {
    ETHER_ARP = 0x0806,
    ETHER_VLAN = 0x8100,
    ETHER_PPPOE_SESSION = 0x8864,
    ETHER_QINQ = 0x88A8,
    ETHER_MACSEC = 0x88E5,
    ETHER_PBB = 0x88E7,
    ETHER_QINQ_OLD = 0x9100,
    ETHER_LEAST = 0x0600, /* below it is a length: IEEE 802.3 with LLC */
    VLAN_TAGS_MAX = 8,
    LABELS_MAX = 16,
};

static bool is_vlan(uint16_t type)
{
    return type == ETHER_VLAN || type == ETHER_QINQ || type == ETHER_QINQ_OLD;
}

/* What an EtherType leads to, through any VLAN tags (IEEE 802.1Q, 802.1ad). */
enum sw_layer sw_read_type(struct sw_inside *in)
{
    struct sw_cursor *c = &in->c;
    uint16_t type = in->type;
    for (int tags = 0; is_vlan(type); tags++) {
        uint16_t tag = sw_cursor_be16(c);
        type = sw_cursor_be16(c);
        if (c->bad || tags == VLAN_TAGS_MAX)
            return SW_LAYER_BROKEN;
        if (in->packet->vlan == 0) /* id 0 only carries a priority */
            in->packet->vlan = tag & 0x0FFF;
        in->packet->space = sw_space_inside(in->packet->space, tag & 0x0FFF);
    }
    switch (type) {
    case SW_ETHER_IPV4:
        return SW_LAYER_IP4;
    case SW_ETHER_IPV6:
        return SW_LAYER_IP6;
    case SW_ETHER_MPLS:
    case SW_ETHER_MPLS_MULTICAST:
        return SW_LAYER_MPLS;
    case ETHER_PPPOE_SESSION:
        return SW_LAYER_PPPOE;
    case ETHER_ARP:
        return sw_read_arp(in);
    case SW_ETHER_BRIDGED:
        return SW_LAYER_ETHERNET;
    case ETHER_MACSEC:
        return sw_layer_unread(in, SW_UNREAD_MACSEC);
    case ETHER_PBB:
        return sw_layer_unread(in, SW_UNREAD_PBB);
    default:
        return type < ETHER_LEAST ? SW_LAYER_LLC : SW_LAYER_OTHER;
    }
}

enum sw_layer sw_read_ethernet(struct sw_inside *in)
{
    sw_cursor_skip(&in->c, 12);
    in->type = sw_cursor_be16(&in->c);
    return in->c.bad ? SW_LAYER_BROKEN : SW_LAYER_TYPE;
}

/* IEEE 802.2 with the SNAP extension of RFC 1042; everything else is no IP. */
enum sw_layer sw_read_llc(struct sw_inside *in)
{
    struct sw_cursor peek = in->c;
    uint32_t saps = sw_cursor_be24(&peek);
    uint32_t organisation = sw_cursor_be24(&peek);
    if (peek.bad || saps != 0xAAAA03 || (organisation != 0 && organisation != 0x0000F8))
        return SW_LAYER_OTHER;
    in->c = peek;
    in->type = sw_cursor_be16(&in->c);
    if (in->c.bad)
        return SW_LAYER_BROKEN;
    return in->type < ETHER_LEAST ? SW_LAYER_OTHER : SW_LAYER_TYPE;
}

/* Raw IP: the version stands in the first nibble. */
enum sw_layer sw_read_ip(struct sw_inside *in)
{
    struct sw_cursor first = in->c;
    uint8_t version = sw_cursor_u8(&first) >> 4;
    if (first.bad)
        return SW_LAYER_BROKEN;
    if (version == 4)
        return SW_LAYER_IP4;
    return version == 6 ? SW_LAYER_IP6 : SW_LAYER_OTHER;
}

/* PPP (RFC 1661): address and control may be left out, and the protocol may be one byte. */
enum sw_layer sw_read_ppp(struct sw_inside *in)
{
    enum { PPP_IP4 = 0x21, PPP_MULTILINK = 0x3D, PPP_IP6 = 0x57, PPP_COMPRESSED = 0xFD };
    struct sw_cursor peek = in->c;
    if (sw_cursor_be16(&peek) == 0xFF03 && !peek.bad)
        in->c = peek;
    uint16_t protocol = sw_cursor_u8(&in->c);
    if ((protocol & 1) == 0)
        protocol = (uint16_t)(protocol << 8 | sw_cursor_u8(&in->c));
    if (in->c.bad)
        return SW_LAYER_BROKEN;
    switch (protocol) {
    case PPP_IP4:
        return SW_LAYER_IP4;
    case PPP_IP6:
        return SW_LAYER_IP6;
    case 0x0281:
    case 0x0283:
        return SW_LAYER_MPLS;
    case PPP_MULTILINK:
    case PPP_COMPRESSED:
        return sw_layer_unread(in, SW_UNREAD_PPP);
    default:
        return SW_LAYER_OTHER; /* LCP, IPCP, ... */
    }
}

/* RFC 2516 section 4. */
enum sw_layer sw_read_pppoe(struct sw_inside *in)
{
    uint8_t version_type = sw_cursor_u8(&in->c);
    uint8_t code = sw_cursor_u8(&in->c);
    uint16_t session = sw_cursor_be16(&in->c);
    uint16_t length = sw_cursor_be16(&in->c);
    if (in->c.bad || version_type != 0x11 || code != 0)
        return SW_LAYER_BROKEN;
    if (length > 0 && in->c.left > length) /* 0: the network card was to cut it to size */
        in->c.left = length;
    return sw_tunnel_enter(in, SW_TUNNEL_PPPOE, false, session)
               ? SW_LAYER_PPP
               : sw_layer_unread(in, SW_UNREAD_TOO_DEEP);
}

static bool is_ethernet_with_ip(struct sw_cursor c)
{
    sw_cursor_skip(&c, 12);
    uint16_t type = sw_cursor_be16(&c);
    return !c.bad && (type == SW_ETHER_IPV4 || type == SW_ETHER_IPV6 || is_vlan(type));
}

/*
 * A stack of labels (RFC 3032). What is behind it is not named: IP by its first nibble (RFC 4928),
 * else an Ethernet frame, with or without a control word (RFC 4448).
 */
enum sw_layer sw_read_mpls(struct sw_inside *in)
{
    uint32_t outermost = 0;
    for (int n = 0;; n++) {
        uint32_t label = sw_cursor_be32(&in->c);
        if (in->c.bad || n == LABELS_MAX)
            return SW_LAYER_BROKEN;
        if (n == 0)
            outermost = label >> 12;
        if (label & 0x100) /* bottom of the stack */
            break;
    }
    if (!sw_tunnel_enter(in, SW_TUNNEL_MPLS, false, outermost))
        return sw_layer_unread(in, SW_UNREAD_TOO_DEEP);
    struct sw_cursor peek = in->c;
    uint8_t nibble = sw_cursor_u8(&peek) >> 4;
    if (peek.bad)
        return SW_LAYER_BROKEN;
    if (is_ethernet_with_ip(in->c) && nibble != 4 && nibble != 6)
        return SW_LAYER_ETHERNET;
    if (nibble == 0) {
        sw_cursor_skip(&in->c, 4);
        return is_ethernet_with_ip(in->c) ? SW_LAYER_ETHERNET : SW_LAYER_OTHER;
    }
    return SW_LAYER_IP;
}

/* --- what a capture's link type begins with --- */

static enum sw_layer ethernet(struct sw_inside *in)
{
    (void)in;
    return SW_LAYER_ETHERNET;
}

static enum sw_layer raw_ip(struct sw_inside *in)
{
    (void)in;
    return SW_LAYER_IP;
}

static enum sw_layer mpls(struct sw_inside *in)
{
    (void)in;
    return SW_LAYER_MPLS;
}

static enum sw_layer pppoe(struct sw_inside *in)
{
    (void)in;
    return SW_LAYER_PPPOE;
}

/*
 * A 4-byte address family in the byte order of the machine that recorded (DLT_NULL) or in network
 * order (DLT_LOOP). Families are small numbers, so the order shows.
 */
static enum sw_layer loopback(struct sw_inside *in)
{
    struct sw_cursor swapped = in->c;
    uint32_t family = sw_cursor_be32(&in->c);
    if (in->c.bad)
        return SW_LAYER_BROKEN;
    if (family > 0xFFFF)
        family = sw_cursor_le32(&swapped);
    switch (family) {
    case 2:  /* IPv4 everywhere; the others are IPv6: */
    case 10: /* Linux */
    case 23: /* Windows */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* macOS */
        return SW_LAYER_IP;
    default:
        return SW_LAYER_OTHER;
    }
}

static enum sw_layer linux_sll(struct sw_inside *in)
{
    sw_cursor_skip(&in->c, 14); /* packet type, ARPHRD, address length, address */
    in->type = sw_cursor_be16(&in->c);
    return in->c.bad ? SW_LAYER_BROKEN : SW_LAYER_TYPE;
}

static enum sw_layer linux_sll2(struct sw_inside *in)
{
    in->type = sw_cursor_be16(&in->c);
    sw_cursor_skip(&in->c, 18); /* reserved, interface, ARPHRD, packet type, address */
    return in->c.bad ? SW_LAYER_BROKEN : SW_LAYER_TYPE;
}

/* A serial line: PPP in HDLC framing (RFC 1662), Cisco's HDLC, or PPP without framing. */
static enum sw_layer serial(struct sw_inside *in)
{
    struct sw_cursor peek = in->c;
    uint8_t address = sw_cursor_u8(&peek);
    if (peek.bad)
        return SW_LAYER_BROKEN;
    if (address != 0x0F && address != 0x8F) /* unicast and multicast of Cisco's */
        return SW_LAYER_PPP;
    sw_cursor_skip(&in->c, 2);
    in->type = sw_cursor_be16(&in->c);
    return in->c.bad ? SW_LAYER_BROKEN : SW_LAYER_TYPE;
}

/* One byte of direction in front of it, or (Linux) in the place of the address. */
static enum sw_layer serial_with_direction(struct sw_inside *in)
{
    sw_cursor_skip(&in->c, 1);
    struct sw_cursor peek = in->c;
    if (sw_cursor_u8(&peek) == 0x03 && !peek.bad)
        in->c = peek;
    return serial(in);
}

static enum sw_layer wlan(struct sw_inside *in)
{
    return sw_read_wlan(in, false);
}

static enum sw_layer radiotap(struct sw_inside *in)
{
    return sw_read_radiotap(in);
}

/* Linux netfilter's log: attributes in the byte order of the machine that recorded. True when they
 * make sense in this order; *in then stands at the packet. */
static bool nflog_packet(struct sw_inside *in, bool little)
{
    enum { PAYLOAD = 9, ATTRIBUTES_MAX = 64 };
    struct sw_cursor c = in->c;
    for (int n = 0; n < ATTRIBUTES_MAX; n++) {
        uint16_t length = little ? sw_cursor_le16(&c) : sw_cursor_be16(&c);
        uint16_t type = little ? sw_cursor_le16(&c) : sw_cursor_be16(&c);
        if (c.bad || length < 4)
            return false;
        size_t body = (size_t)length - 4;
        if ((type & 0x7FFF) == PAYLOAD) { /* the snaplen may have cut it; it is the last one */
            if (body < c.left)
                c.left = body;
            in->c = c;
            return true;
        }
        sw_cursor_skip(&c, (body + 3) & ~(size_t)3);
    }
    return false;
}

static enum sw_layer nflog(struct sw_inside *in)
{
    uint8_t family = sw_cursor_u8(&in->c);
    uint8_t version = sw_cursor_u8(&in->c);
    sw_cursor_skip(&in->c, 2);
    if (in->c.bad)
        return SW_LAYER_BROKEN;
    if (version != 0 || (family != 2 && family != 10))
        return SW_LAYER_OTHER;
    return nflog_packet(in, true) || nflog_packet(in, false) ? SW_LAYER_IP : SW_LAYER_BROKEN;
}

/* OpenBSD's packet filter log: the header's own length comes first, then padding to four bytes. */
static enum sw_layer pflog(struct sw_inside *in)
{
    uint8_t length = sw_cursor_u8(&in->c);
    sw_cursor_skip(&in->c, ((size_t)length + 3) / 4 * 4 - 1);
    return in->c.bad || length < 45 ? SW_LAYER_BROKEN : SW_LAYER_IP;
}

/* OpenBSD's enc(4): packets of IPsec in clear; family, SPI and flags in front. */
static enum sw_layer enc(struct sw_inside *in)
{
    sw_cursor_skip(&in->c, 12);
    return in->c.bad ? SW_LAYER_BROKEN : SW_LAYER_IP;
}

/* macOS: the header names the link type of the frame behind it. */
static enum sw_layer pktap(struct sw_inside *in)
{
    enum { PKTAP = 258, LEAST = 12 };
    struct sw_cursor c = in->c;
    uint32_t length = sw_cursor_le32(&c);
    sw_cursor_skip(&c, 4);
    uint32_t link_type = sw_cursor_le32(&c);
    sw_cursor_skip(&in->c, length);
    if (c.bad || in->c.bad || length < LEAST)
        return SW_LAYER_BROKEN;
    switch (link_type) { /* what macOS has; no list of link types goes into itself */
    case 0:
    case 108:
        return loopback(in);
    case 1:
        return SW_LAYER_ETHERNET;
    case 9:
        return serial(in);
    case 12:
    case 101:
        return SW_LAYER_IP;
    default:
        return SW_LAYER_OTHER;
    }
}

enum sw_layer sw_link_first(struct sw_inside *in, int32_t link_type)
{
    switch (link_type) {
#define SW_LINK(number, reader)                                                                    \
    case number:                                                                                   \
        return reader(in);
#include "capture/link.def"
#undef SW_LINK
    default:
        return SW_LAYER_OTHER;
    }
}
