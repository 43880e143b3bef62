/*
 * ip.c - IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200).
 */
#include "decode/ip.h"

static void set_address(uint8_t to[16], struct sw_span from)
{
    memset(to, 0, 16);
    if (from.len > 0)
        memcpy(to, from.ptr, from.len);
}

/* Cuts the cursor to what the IP header says is there: Ethernet padding behind it is no payload. */
static void cut_padding(struct sw_cursor *c, uint32_t wire)
{
    if (c->left > wire)
        c->left = wire;
}

enum sw_decode_result sw_decode_ipv4(struct sw_cursor *c, struct sw_packet *packet)
{
    size_t captured = c->left;
    uint8_t version_length = sw_cursor_u8(c);
    sw_cursor_skip(c, 1);
    uint32_t total = sw_cursor_be16(c);
    packet->ip_id = sw_cursor_be16(c);
    uint16_t fragment = sw_cursor_be16(c);
    packet->ttl = sw_cursor_u8(c);
    uint8_t protocol = sw_cursor_u8(c);
    sw_cursor_skip(c, 2);
    struct sw_span src = sw_cursor_take(c, 4);
    struct sw_span dst = sw_cursor_take(c, 4);
    uint32_t header = (uint32_t)(version_length & 0x0F) * 4;
    if (c->bad || version_length >> 4 != 4 || header < 20)
        return SW_DECODE_BROKEN;
    sw_cursor_skip(c, header - 20);
    if (total == 0) /* the network card cuts the packet to size (TSO): take what there is */
        total = (uint32_t)captured;
    if (c->bad || total < header)
        return SW_DECODE_BROKEN;
    packet->tuple.ip_version = 4;
    set_address(packet->tuple.src, src);
    set_address(packet->tuple.dst, dst);
    packet->tuple.transport = protocol;
    packet->tuple.src_port = 0;
    packet->tuple.dst_port = 0;
    if ((fragment & 0x1FFF) != 0 || (fragment & 0x2000) != 0)
        return SW_DECODE_OTHER; /* a fragment: not a whole packet */
    cut_padding(c, total - header);
    return sw_decode_transport(c, protocol, total - header, packet);
}

enum {
    NEXT_HOP_BY_HOP = 0,
    NEXT_ROUTING = 43,
    NEXT_FRAGMENT = 44,
    NEXT_AH = 51,
    NEXT_DESTINATION = 60,
    NEXT_MOBILITY = 135,
    NEXT_HIP = 139,
    NEXT_SHIM6 = 140,
    EXTENSIONS_MAX = 16,
};

/* The jumbo payload option (RFC 2675) inside a hop-by-hop header, or 0. */
static uint32_t jumbo_length(struct sw_span options)
{
    struct sw_cursor c = sw_cursor_make(options);
    while (c.left > 0 && !c.bad) {
        uint8_t type = sw_cursor_u8(&c);
        if (type == 0)
            continue; /* Pad1 */
        uint8_t length = sw_cursor_u8(&c);
        if (type == 0xC2 && length == 4)
            return sw_cursor_be32(&c);
        sw_cursor_skip(&c, length);
    }
    return 0;
}

/* Walks the extension headers; false when they are cut or endless. *fragmented: the packet is not
 * whole. */
static bool skip_extensions(struct sw_cursor *c, uint8_t *next, uint32_t *wire, bool *fragmented)
{
    for (int n = 0; n < EXTENSIONS_MAX; n++) {
        size_t length = 0;
        uint8_t header = *next;
        size_t before = c->left;
        switch (header) {
        case NEXT_HOP_BY_HOP:
        case NEXT_ROUTING:
        case NEXT_DESTINATION:
        case NEXT_MOBILITY:
        case NEXT_HIP:
        case NEXT_SHIM6:
            *next = sw_cursor_u8(c);
            length = ((size_t)sw_cursor_u8(c) + 1) * 8 - 2;
            break;
        case NEXT_AH:
            *next = sw_cursor_u8(c);
            length = ((size_t)sw_cursor_u8(c) + 2) * 4 - 2;
            break;
        case NEXT_FRAGMENT: {
            *next = sw_cursor_u8(c);
            sw_cursor_skip(c, 1);
            uint16_t offset = sw_cursor_be16(c);
            *fragmented = (offset & 0xFFF9) != 0; /* an atomic fragment (RFC 6946) is whole */
            length = 4;
            break;
        }
        default:
            return true;
        }
        struct sw_span body = sw_cursor_take(c, length);
        if (c->bad)
            return false;
        if (header == NEXT_HOP_BY_HOP && *wire == 0)
            *wire = jumbo_length(body);
        uint32_t used = (uint32_t)(before - c->left);
        if (*wire < used)
            return false;
        *wire -= used;
        if (*fragmented)
            return true;
    }
    return false;
}

enum sw_decode_result sw_decode_ipv6(struct sw_cursor *c, struct sw_packet *packet)
{
    uint8_t version = sw_cursor_u8(c) >> 4;
    sw_cursor_skip(c, 3);
    uint32_t wire = sw_cursor_be16(c);
    uint8_t next = sw_cursor_u8(c);
    packet->ttl = sw_cursor_u8(c);
    struct sw_span src = sw_cursor_take(c, 16);
    struct sw_span dst = sw_cursor_take(c, 16);
    if (c->bad || version != 6)
        return SW_DECODE_BROKEN;
    if (wire == 0 && next != NEXT_HOP_BY_HOP)
        wire = (uint32_t)c->left; /* TSO */
    packet->ip_id = 0;
    packet->tuple.ip_version = 6;
    memcpy(packet->tuple.src, src.ptr, 16);
    memcpy(packet->tuple.dst, dst.ptr, 16);
    packet->tuple.src_port = 0;
    packet->tuple.dst_port = 0;
    if (wire > 0)
        cut_padding(c, wire);
    bool fragmented = false;
    if (!skip_extensions(c, &next, &wire, &fragmented))
        return SW_DECODE_BROKEN;
    packet->tuple.transport = next;
    if (fragmented)
        return SW_DECODE_OTHER;
    return sw_decode_transport(c, next, wire, packet);
}
