/*
 * decode.c - link layers: from the first byte of a frame to the IP header.
 */
#include "decode/decode.h"

#include "base/cursor.h"
#include "decode/ip.h"

/* DLT_ values of libpcap; those that differ between systems appear with every number they have had.
 */
enum {
    DLT_OF_NULL = 0,
    DLT_OF_ETHERNET = 1,
    DLT_OF_RAW = 12,
    DLT_OF_RAW_OPENBSD = 14,
    DLT_OF_RAW_LINKTYPE = 101,
    DLT_OF_LOOP = 108,
    DLT_OF_LINUX_SLL = 113,
    DLT_OF_IPV4 = 228,
    DLT_OF_IPV6 = 229,
    DLT_OF_LINUX_SLL2 = 276,
};

enum {
    ETHER_IPV4 = 0x0800,
    ETHER_IPV6 = 0x86DD,
    ETHER_VLAN = 0x8100,
    ETHER_QINQ = 0x88A8,
    ETHER_QINQ_OLD = 0x9100,
    VLAN_TAGS_MAX = 8,
};

bool sw_decode_knows(int32_t link_type)
{
    switch (link_type) {
    case DLT_OF_NULL:
    case DLT_OF_ETHERNET:
    case DLT_OF_RAW:
    case DLT_OF_RAW_OPENBSD:
    case DLT_OF_RAW_LINKTYPE:
    case DLT_OF_LOOP:
    case DLT_OF_LINUX_SLL:
    case DLT_OF_IPV4:
    case DLT_OF_IPV6:
    case DLT_OF_LINUX_SLL2:
        return true;
    default:
        return false;
    }
}

static bool is_vlan(uint16_t type)
{
    return type == ETHER_VLAN || type == ETHER_QINQ || type == ETHER_QINQ_OLD;
}

/* What an EtherType leads to, through any VLAN tags (IEEE 802.1Q, 802.1ad). */
static enum sw_decode_result by_ethertype(struct sw_cursor *c, uint16_t type,
                                          struct sw_packet *packet)
{
    for (int tags = 0; is_vlan(type); tags++) {
        uint16_t tag = sw_cursor_be16(c);
        type = sw_cursor_be16(c);
        if (c->bad || tags == VLAN_TAGS_MAX)
            return SW_DECODE_BROKEN;
        if (packet->vlan == 0)
            packet->vlan = tag & 0x0FFF;
    }
    if (type == ETHER_IPV4)
        return sw_decode_ipv4(c, packet);
    if (type == ETHER_IPV6)
        return sw_decode_ipv6(c, packet);
    return SW_DECODE_OTHER;
}

static enum sw_decode_result ethernet(struct sw_cursor *c, struct sw_packet *packet)
{
    sw_cursor_skip(c, 12);
    uint16_t type = sw_cursor_be16(c);
    if (c->bad)
        return SW_DECODE_BROKEN;
    return by_ethertype(c, type,
                        packet); /* a value below 1536 is a length: 802.3, nothing for us */
}

/* Raw IP: the version stands in the first nibble. */
static enum sw_decode_result raw_ip(struct sw_cursor *c, struct sw_packet *packet)
{
    if (c->left == 0)
        return SW_DECODE_BROKEN;
    switch (c->at[0] >> 4) {
    case 4:
        return sw_decode_ipv4(c, packet);
    case 6:
        return sw_decode_ipv6(c, packet);
    default:
        return SW_DECODE_OTHER;
    }
}

/* A 4-byte address family in the byte order of the machine that recorded (NULL) or in network order
 * (LOOP). */
static enum sw_decode_result loopback(struct sw_cursor *c, struct sw_packet *packet)
{
    struct sw_cursor swapped = *c;
    uint32_t family = sw_cursor_be32(c);
    if (c->bad)
        return SW_DECODE_BROKEN;
    if (family > 0xFFFF)
        family = sw_cursor_le32(&swapped);
    switch (family) {
    case 2:
        return sw_decode_ipv4(c, packet);
    case 10: /* Linux */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* macOS */
        return sw_decode_ipv6(c, packet);
    default:
        return SW_DECODE_OTHER;
    }
}

static enum sw_decode_result linux_sll(struct sw_cursor *c, struct sw_packet *packet)
{
    sw_cursor_skip(c, 14); /* packet type, ARPHRD, address length, address */
    uint16_t type = sw_cursor_be16(c);
    return c->bad ? SW_DECODE_BROKEN : by_ethertype(c, type, packet);
}

static enum sw_decode_result linux_sll2(struct sw_cursor *c, struct sw_packet *packet)
{
    uint16_t type = sw_cursor_be16(c);
    sw_cursor_skip(c, 18); /* reserved, interface, ARPHRD, packet type, address length, address */
    return c->bad ? SW_DECODE_BROKEN : by_ethertype(c, type, packet);
}

enum sw_decode_result sw_decode(const struct sw_frame *frame, struct sw_packet *packet)
{
    struct sw_cursor c = sw_cursor_make(sw_span_make(frame->bytes, frame->caplen));
    /* The tuple, the TCP fields and the rest are written where they apply; only what is read
     * without that is cleared. */
    packet->transport = SW_TRANSPORT_NONE;
    packet->vlan = 0;
    packet->bad_checksum = false;
    packet->payload = (struct sw_span){NULL, 0};
    packet->payload_wire = 0;
    switch (frame->link_type) {
    case DLT_OF_ETHERNET:
        return ethernet(&c, packet);
    case DLT_OF_LINUX_SLL:
        return linux_sll(&c, packet);
    case DLT_OF_LINUX_SLL2:
        return linux_sll2(&c, packet);
    case DLT_OF_NULL:
    case DLT_OF_LOOP:
        return loopback(&c, packet);
    case DLT_OF_RAW:
    case DLT_OF_RAW_OPENBSD:
    case DLT_OF_RAW_LINKTYPE:
    case DLT_OF_IPV4:
    case DLT_OF_IPV6:
        return raw_ip(&c, packet);
    default:
        return SW_DECODE_OTHER;
    }
}
