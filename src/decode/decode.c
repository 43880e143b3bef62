/*
 * decode.c - link layers: from the first byte of a frame to the IP header.
 */
#include "decode/decode.h"

#include "base/cursor.h"
#include "decode/ip.h"

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
#define SW_LINK(number, reader) case number:
#include "capture/link.def"
#undef SW_LINK
        return true;
    default:
        return false;
    }
}

/* A frame on its way inwards. */
struct inside {
    struct sw_cursor c;
    uint32_t cut; /* bytes that the snaplen cut off */
};

static bool is_vlan(uint16_t type)
{
    return type == ETHER_VLAN || type == ETHER_QINQ || type == ETHER_QINQ_OLD;
}

/* What an EtherType leads to, through any VLAN tags (IEEE 802.1Q, 802.1ad). */
static enum sw_decode_result by_ethertype(struct inside *in, uint16_t type,
                                          struct sw_packet *packet)
{
    struct sw_cursor *c = &in->c;
    for (int tags = 0; is_vlan(type); tags++) {
        uint16_t tag = sw_cursor_be16(c);
        type = sw_cursor_be16(c);
        if (c->bad || tags == VLAN_TAGS_MAX)
            return SW_DECODE_BROKEN;
        if (packet->vlan == 0) /* id 0 only carries a priority */
            packet->vlan = tag & 0x0FFF;
    }
    if (type == ETHER_IPV4)
        return sw_decode_ipv4(c, in->cut, packet);
    if (type == ETHER_IPV6)
        return sw_decode_ipv6(c, in->cut, packet);
    return SW_DECODE_OTHER; /* below 1536 it is a length: IEEE 802.3 with LLC, nothing for us */
}

static enum sw_decode_result ethernet(struct inside *in, struct sw_packet *packet)
{
    sw_cursor_skip(&in->c, 12);
    uint16_t type = sw_cursor_be16(&in->c);
    return in->c.bad ? SW_DECODE_BROKEN : by_ethertype(in, type, packet);
}

/* Raw IP: the version stands in the first nibble. */
static enum sw_decode_result raw_ip(struct inside *in, struct sw_packet *packet)
{
    struct sw_cursor first = in->c;
    uint8_t version = sw_cursor_u8(&first) >> 4;
    if (first.bad)
        return SW_DECODE_BROKEN;
    if (version == 4)
        return sw_decode_ipv4(&in->c, in->cut, packet);
    if (version == 6)
        return sw_decode_ipv6(&in->c, in->cut, packet);
    return SW_DECODE_OTHER;
}

/*
 * A 4-byte address family in the byte order of the machine that recorded (DLT_NULL) or in network
 * order (DLT_LOOP). Families are small numbers, so the order shows.
 */
static enum sw_decode_result loopback(struct inside *in, struct sw_packet *packet)
{
    struct sw_cursor swapped = in->c;
    uint32_t family = sw_cursor_be32(&in->c);
    if (in->c.bad)
        return SW_DECODE_BROKEN;
    if (family > 0xFFFF)
        family = sw_cursor_le32(&swapped);
    switch (family) {
    case 2:  /* IPv4 everywhere; the others are IPv6: */
    case 10: /* Linux */
    case 23: /* Windows */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* macOS */
        return raw_ip(in, packet);
    default:
        return SW_DECODE_OTHER;
    }
}

static enum sw_decode_result linux_sll(struct inside *in, struct sw_packet *packet)
{
    sw_cursor_skip(&in->c, 14); /* packet type, ARPHRD, address length, address */
    uint16_t type = sw_cursor_be16(&in->c);
    return in->c.bad ? SW_DECODE_BROKEN : by_ethertype(in, type, packet);
}

static enum sw_decode_result linux_sll2(struct inside *in, struct sw_packet *packet)
{
    uint16_t type = sw_cursor_be16(&in->c);
    sw_cursor_skip(&in->c, 18); /* reserved, interface, ARPHRD, packet type, address */
    return in->c.bad ? SW_DECODE_BROKEN : by_ethertype(in, type, packet);
}

enum sw_decode_result sw_decode(const struct sw_frame *frame, struct sw_packet *packet)
{
    struct inside in = {
        .c = sw_cursor_make(sw_span_make(frame->bytes, frame->caplen)),
        .cut = frame->len > frame->caplen ? frame->len - frame->caplen : 0,
    };
    /* The tuple, the TCP fields and the rest are written where they apply; only what is read
     * without that is cleared. */
    packet->transport = SW_TRANSPORT_NONE;
    packet->vlan = 0;
    packet->bad_checksum = false;
    packet->payload = (struct sw_span){NULL, 0};
    packet->payload_wire = 0;
    switch (frame->link_type) {
#define SW_LINK(number, reader)                                                                    \
    case number:                                                                                   \
        return reader(&in, packet);
#include "capture/link.def"
#undef SW_LINK
    default:
        return SW_DECODE_OTHER;
    }
}
