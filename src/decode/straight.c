/*
 * straight.c - nearly every frame: IP without options or extension headers right behind a link
 * layer with at most one VLAN tag, carrying TCP, whole. All of it is checked once, and what is of
 * any other shape is left to the walk.
 */
#include "decode/layer.h"
#include "decode/tcp.h"

enum { LINK_ETHERNET = 1, LINK_LINUX_SLL = 113, ETHER_VLAN = 0x8100 };
enum { ETHERNET_BYTES = 14, SLL_BYTES = 16, TYPE_BYTES = 2 }; /* the type comes last */
enum { IP4_HEADER_BYTES = 20, IP6_HEADER_BYTES = 40 };

/* What stands behind the link layer is of this type; 0: the header is not there. */
static inline uint16_t type_behind(struct sw_cursor *c, size_t header_bytes)
{
    sw_cursor_skip(c, header_bytes - TYPE_BYTES);
    return sw_cursor_be16(c);
}

static bool straight_ip4(struct sw_cursor c, struct sw_packet *packet)
{
    if (c.left < IP4_HEADER_BYTES)
        return false;
    struct sw_cursor h = sw_cursor_make(sw_cursor_take(&c, IP4_HEADER_BYTES));
    bool plain = sw_cursor_u8(&h) == 0x45; /* no options */
    sw_cursor_skip(&h, 1);
    uint32_t total = sw_cursor_be16(&h);
    uint16_t id = sw_cursor_be16(&h);
    bool part = (sw_cursor_be16(&h) & 0x3FFF) != 0;
    uint8_t ttl = sw_cursor_u8(&h);
    bool is_tcp = sw_cursor_u8(&h) == SW_PROTOCOL_TCP;
    if (!plain || part || !is_tcp || total < IP4_HEADER_BYTES || total - IP4_HEADER_BYTES > c.left)
        return false;
    sw_cursor_skip(&h, 2);
    struct sw_span src = sw_cursor_take(&h, 4);
    struct sw_span dst = sw_cursor_take(&h, 4);
    sw_address_set4(packet->tuple.src, src.ptr);
    sw_address_set4(packet->tuple.dst, dst.ptr);
    packet->tuple.ip_version = 4;
    packet->ttl = ttl;
    packet->ip_id = id;
    uint32_t wire = total - IP4_HEADER_BYTES;
    return sw_read_tcp(sw_span_make(c.at, wire), wire, true, packet);
}

static bool straight_ip6(struct sw_cursor c, struct sw_packet *packet)
{
    if (c.left < IP6_HEADER_BYTES)
        return false;
    struct sw_cursor h = sw_cursor_make(sw_cursor_take(&c, IP6_HEADER_BYTES));
    bool plain = sw_cursor_u8(&h) >> 4 == 6;
    sw_cursor_skip(&h, 3);
    uint32_t wire = sw_cursor_be16(&h);
    bool is_tcp = sw_cursor_u8(&h) == SW_PROTOCOL_TCP;
    uint8_t ttl = sw_cursor_u8(&h);
    if (!plain || !is_tcp || wire == 0 || wire > c.left)
        return false;
    memcpy(packet->tuple.src, sw_cursor_take(&h, 16).ptr, 16);
    memcpy(packet->tuple.dst, sw_cursor_take(&h, 16).ptr, 16);
    packet->tuple.ip_version = 6;
    packet->ttl = ttl;
    packet->ip_id = 0;
    return sw_read_tcp(sw_span_make(c.at, wire), wire, true, packet);
}

bool sw_decode_straight(const struct sw_frame *frame, struct sw_packet *packet)
{
    struct sw_cursor c = sw_cursor_make(sw_span_make(frame->bytes, frame->caplen));
    uint16_t type = 0;
    uint16_t vlan = 0;
    if (frame->link_type == LINK_ETHERNET)
        type = type_behind(&c, ETHERNET_BYTES);
    else if (frame->link_type == LINK_LINUX_SLL)
        type = type_behind(&c, SLL_BYTES);
    if (type == ETHER_VLAN) {
        vlan = sw_cursor_be16(&c) & 0x0FFF;
        type = sw_cursor_be16(&c);
    }
    if (type != SW_ETHER_IPV4 && type != SW_ETHER_IPV6)
        return false;
    sw_packet_clear(packet);
    packet->tuple.transport = SW_PROTOCOL_TCP;
    packet->vlan = vlan;
    packet->space = sw_space_inside(0, vlan);
    return type == SW_ETHER_IPV4 ? straight_ip4(c, packet) : straight_ip6(c, packet);
}
