/*
 * ip.c - IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200).
 */
#include "decode/layer.h"

enum { IP4_HEADER_BYTES = 20 };

/*
 * Cuts the cursor to what the IP header says is there: Ethernet padding behind it is no payload.
 * Notes what of it was not captured.
 */
static void cut_padding(struct sw_inside *in, uint32_t wire)
{
    if (in->c.left > wire)
        in->c.left = wire;
    in->cut = wire - (uint32_t)in->c.left;
}

/* A part of a packet: what is there of it is its payload. */
static enum sw_layer take_part(struct sw_inside *in)
{
    struct sw_packet *packet = in->packet;
    packet->payload = sw_cursor_rest(&in->c);
    packet->payload_wire = in->content.wire;
    /* Every part but the last is a multiple of eight bytes long (RFC 791, RFC 8200 4.5). */
    bool odd = packet->part.more && packet->payload_wire % 8 != 0;
    enum { LARGEST = 65535 };
    bool beyond = packet->part.offset + packet->payload_wire > LARGEST;
    return odd || beyond || packet->payload_wire == 0 ? SW_LAYER_BROKEN : SW_LAYER_FRAGMENT;
}

enum sw_layer sw_read_ip4(struct sw_inside *in)
{
    struct sw_cursor *c = &in->c;
    struct sw_packet *packet = in->packet;
    uint32_t there = (uint32_t)c->left + in->cut;
    if (c->left < IP4_HEADER_BYTES)
        return SW_LAYER_BROKEN;
    struct sw_cursor h = sw_cursor_make(sw_cursor_take(c, IP4_HEADER_BYTES));
    uint8_t version_length = sw_cursor_u8(&h);
    sw_cursor_skip(&h, 1);
    uint32_t total = sw_cursor_be16(&h);
    packet->ip_id = sw_cursor_be16(&h);
    uint16_t fragment = sw_cursor_be16(&h);
    packet->ttl = sw_cursor_u8(&h);
    uint8_t protocol = sw_cursor_u8(&h);
    sw_cursor_skip(&h, 2);
    struct sw_span src = sw_cursor_take(&h, 4);
    struct sw_span dst = sw_cursor_take(&h, 4);
    uint32_t header = (uint32_t)(version_length & 0x0F) * 4;
    if (version_length >> 4 != 4 || header < IP4_HEADER_BYTES)
        return SW_LAYER_BROKEN;
    sw_cursor_skip(c, header - IP4_HEADER_BYTES);
    /* Without a length the network card was to cut the packet to size (TSO): take what there is. A
     * source route means that the last address is not the one the checksum was made with. */
    bool verifiable = total != 0 && header == IP4_HEADER_BYTES;
    if (total == 0)
        total = there;
    if (c->bad || total < header)
        return SW_LAYER_BROKEN;
    packet->tuple = (struct sw_tuple){.ip_version = 4, .transport = protocol};
    sw_address_set4(packet->tuple.src, src.ptr);
    sw_address_set4(packet->tuple.dst, dst.ptr);
    in->content = (struct sw_ip_content){protocol, total - header, verifiable};
    cut_padding(in, in->content.wire);
    bool more = (fragment & 0x2000) != 0;
    uint32_t offset = (uint32_t)(fragment & 0x1FFF) * 8;
    if (!more && offset == 0)
        return SW_LAYER_CONTENT;
    packet->part = (struct sw_fragment){packet->ip_id, offset, protocol, more};
    return take_part(in);
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

/* The jumbo payload option (RFC 2675) of a hop-by-hop header, or 0. */
static uint32_t jumbo_length(struct sw_span options)
{
    struct sw_cursor c = sw_cursor_make(options);
    while (c.left > 0) {
        uint8_t type = sw_cursor_u8(&c);
        if (type == 0)
            continue; /* one byte of padding */
        uint8_t length = sw_cursor_u8(&c);
        if (type == 0xC2 && length == 4)
            return sw_cursor_be32(&c);
        sw_cursor_skip(&c, length);
    }
    return 0;
}

struct extension {
    bool known;
    uint8_t next;
    struct sw_span body;
    bool fragment; /* of a packet in parts */
    struct sw_fragment part;
};

static struct extension read_extension(struct sw_cursor *c, uint8_t header)
{
    struct extension e = {.known = true};
    switch (header) {
    case NEXT_HOP_BY_HOP:
    case NEXT_ROUTING:
    case NEXT_DESTINATION:
    case NEXT_MOBILITY:
    case NEXT_HIP:
    case NEXT_SHIM6:
        e.next = sw_cursor_u8(c);
        e.body = sw_cursor_take(c, ((size_t)sw_cursor_u8(c) + 1) * 8 - 2);
        return e;
    case NEXT_AH: /* counts in words of four bytes, less two (RFC 4302 section 2.2) */
        e.next = sw_cursor_u8(c);
        e.body = sw_cursor_take(c, ((size_t)sw_cursor_u8(c) + 2) * 4 - 2);
        return e;
    case NEXT_FRAGMENT: {
        e.next = sw_cursor_u8(c);
        sw_cursor_skip(c, 1);
        uint16_t offset = sw_cursor_be16(c);
        uint32_t id = sw_cursor_be32(c);
        e.fragment = (offset & 0xFFF9) != 0; /* an atomic fragment (RFC 6946) is whole */
        e.part = (struct sw_fragment){id, offset & 0xFFF8, e.next, (offset & 1) != 0};
        return e;
    }
    default:
        return (struct extension){.known = false};
    }
}

bool sw_decode_extensions(struct sw_cursor *c, struct sw_ip_content *content, bool *fragment,
                          struct sw_fragment *part)
{
    *fragment = false;
    for (int n = 0; n < EXTENSIONS_MAX; n++) {
        size_t before = c->left;
        uint8_t header = content->protocol;
        struct extension e = read_extension(c, header);
        if (!e.known)
            return true;
        if (c->bad)
            return false;
        content->protocol = e.next;
        if (header == NEXT_HOP_BY_HOP && content->wire == 0)
            content->wire = jumbo_length(e.body);
        else if (header != NEXT_HOP_BY_HOP)
            content->verifiable = false; /* it may say that the addresses are others */
        uint32_t used = (uint32_t)(before - c->left);
        if (content->wire < used)
            return false;
        content->wire -= used;
        if (e.fragment) {
            *fragment = true;
            *part = e.part;
            return true; /* what follows is the content of a packet that is not whole */
        }
    }
    return false;
}

/* True when a hop-by-hop header at the cursor (which is not moved) holds a jumbo length. */
static bool has_jumbo(struct sw_cursor c)
{
    struct extension e = read_extension(&c, NEXT_HOP_BY_HOP);
    return !c.bad && jumbo_length(e.body) != 0;
}

enum sw_layer sw_read_ip6(struct sw_inside *in)
{
    struct sw_cursor *c = &in->c;
    struct sw_packet *packet = in->packet;
    uint8_t version = sw_cursor_u8(c) >> 4;
    sw_cursor_skip(c, 3);
    uint32_t wire = sw_cursor_be16(c);
    uint8_t next = sw_cursor_u8(c);
    packet->ttl = sw_cursor_u8(c);
    struct sw_span src = sw_cursor_take(c, 16);
    struct sw_span dst = sw_cursor_take(c, 16);
    if (c->bad || version != 6)
        return SW_LAYER_BROKEN;
    packet->ip_id = 0;
    packet->tuple = (struct sw_tuple){.ip_version = 6};
    memcpy(packet->tuple.src, src.ptr, src.len);
    memcpy(packet->tuple.dst, dst.ptr, dst.len);
    in->content = (struct sw_ip_content){next, wire, wire != 0};
    if (wire == 0 && !(next == NEXT_HOP_BY_HOP && has_jumbo(*c)))
        in->content.wire = (uint32_t)c->left + in->cut; /* segmentation offload, as with IPv4 */
    if (wire != 0)
        cut_padding(in, wire);
    bool fragment = false;
    if (!sw_decode_extensions(c, &in->content, &fragment, &packet->part))
        return SW_LAYER_BROKEN;
    packet->tuple.transport = in->content.protocol;
    cut_padding(in, in->content.wire);
    return fragment ? take_part(in) : SW_LAYER_CONTENT;
}
