/*
 * straight.c - nearly every frame: IP without options or extension headers right behind a link
 * layer with at most one VLAN tag, carrying TCP, whole. All of it is checked once, and what is of
 * any other shape is left to the walk.
 */
#include "decode/layer.h"

enum { LINK_ETHERNET = 1, LINK_LINUX_SLL = 113, ETHER_VLAN = 0x8100 };
enum { IP4_HEADER_BYTES = 20, IP6_HEADER_BYTES = 40, TCP_HEADER_BYTES = 20 };

/* The cursor moves to the IP header; 0: not that simple. */
static uint16_t ether_type(struct sw_cursor *c, int32_t link_type, uint16_t *vlan)
{
    if (link_type != LINK_ETHERNET && link_type != LINK_LINUX_SLL)
        return 0;
    sw_cursor_skip(c, link_type == LINK_ETHERNET ? 12 : 14);
    uint16_t type = sw_cursor_be16(c);
    if (type == ETHER_VLAN) {
        *vlan = sw_cursor_be16(c) & 0x0FFF;
        type = sw_cursor_be16(c);
    }
    return type;
}

static bool straight_ip4(struct sw_cursor *c, struct sw_packet *packet)
{
    if (c->left < IP4_HEADER_BYTES + TCP_HEADER_BYTES)
        return false;
    struct sw_cursor h = sw_cursor_make(sw_cursor_take(c, IP4_HEADER_BYTES));
    bool plain = sw_cursor_u8(&h) == 0x45; /* no options */
    sw_cursor_skip(&h, 1);
    uint32_t total = sw_cursor_be16(&h);
    uint16_t id = sw_cursor_be16(&h);
    bool part = (sw_cursor_be16(&h) & 0x3FFF) != 0;
    uint8_t ttl = sw_cursor_u8(&h);
    bool is_tcp = sw_cursor_u8(&h) == SW_PROTOCOL_TCP;
    if (!plain || part || !is_tcp || total < IP4_HEADER_BYTES || total - IP4_HEADER_BYTES > c->left)
        return false;
    sw_cursor_skip(&h, 2);
    struct sw_span addresses = sw_cursor_take(&h, 8);
    packet->tuple = (struct sw_tuple){.ip_version = 4, .transport = SW_PROTOCOL_TCP};
    memcpy(packet->tuple.src, addresses.ptr, 4);
    memcpy(packet->tuple.dst, addresses.ptr + 4, 4);
    packet->ttl = ttl;
    packet->ip_id = id;
    c->left = total - IP4_HEADER_BYTES;
    return true;
}

static bool straight_ip6(struct sw_cursor *c, struct sw_packet *packet)
{
    if (c->left < IP6_HEADER_BYTES + TCP_HEADER_BYTES)
        return false;
    struct sw_cursor h = sw_cursor_make(sw_cursor_take(c, IP6_HEADER_BYTES));
    bool plain = sw_cursor_u8(&h) >> 4 == 6;
    sw_cursor_skip(&h, 3);
    uint32_t payload = sw_cursor_be16(&h);
    bool is_tcp = sw_cursor_u8(&h) == SW_PROTOCOL_TCP;
    uint8_t ttl = sw_cursor_u8(&h);
    if (!plain || !is_tcp || payload == 0 || payload > c->left)
        return false;
    struct sw_span addresses = sw_cursor_take(&h, 32);
    packet->tuple = (struct sw_tuple){.ip_version = 6, .transport = SW_PROTOCOL_TCP};
    memcpy(packet->tuple.src, addresses.ptr, 16);
    memcpy(packet->tuple.dst, addresses.ptr + 16, 16);
    packet->ttl = ttl;
    packet->ip_id = 0;
    c->left = payload;
    return true;
}

bool sw_decode_straight(const struct sw_frame *frame, struct sw_packet *packet)
{
    struct sw_cursor c = sw_cursor_make(sw_span_make(frame->bytes, frame->caplen));
    uint16_t vlan = 0;
    uint16_t type = ether_type(&c, frame->link_type, &vlan);
    bool is_ip = type == SW_ETHER_IPV4   ? straight_ip4(&c, packet)
                 : type == SW_ETHER_IPV6 ? straight_ip6(&c, packet)
                                         : false;
    if (!is_ip || !sw_read_tcp(sw_cursor_rest(&c), (uint32_t)c.left, true, packet))
        return false;
    packet->vlan = vlan;
    packet->space = sw_space_inside(0, vlan);
    return true;
}
