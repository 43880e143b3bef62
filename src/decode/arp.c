/*
 * arp.c - ARP for IPv4 over Ethernet (RFC 826): who asks for whom, and who answers.
 */
#include "decode/layer.h"

enum {
    HARDWARE_ETHERNET = 1,
    PROTOCOL_IPV4 = 0x0800,
    LENGTHS = 6 << 8 | 4, /* of a hardware and of a protocol address */
    REQUEST = 1,
    REPLY = 2,
};

enum sw_layer sw_read_arp(struct sw_inside *in)
{
    struct sw_cursor *c = &in->c;
    struct sw_neighbour *n = &in->packet->neighbour;
    uint16_t hardware = sw_cursor_be16(c);
    uint16_t protocol = sw_cursor_be16(c);
    uint16_t lengths = sw_cursor_be16(c);
    uint16_t operation = sw_cursor_be16(c);
    sw_cursor_skip(c, 6);
    struct sw_span sender = sw_cursor_take(c, 4);
    sw_cursor_skip(c, 6);
    struct sw_span target = sw_cursor_take(c, 4);
    if (c->bad || hardware != HARDWARE_ETHERNET || protocol != PROTOCOL_IPV4 || lengths != LENGTHS)
        return SW_LAYER_OTHER;
    static const uint8_t nobody[4] = {0};
    bool about_itself = sw_span_eq(sender, target);  /* announcement */
    bool probe = memcmp(sender.ptr, nobody, 4) == 0; /* RFC 5227: is my address free? */
    if (about_itself || probe || (operation != REQUEST && operation != REPLY))
        return SW_LAYER_OTHER;
    *n = (struct sw_neighbour){.seen = true, .answer = operation == REPLY, .ip_version = 4};
    memcpy(n->asker, n->answer ? target.ptr : sender.ptr, 4);
    memcpy(n->target, n->answer ? sender.ptr : target.ptr, 4);
    return SW_LAYER_OTHER;
}
