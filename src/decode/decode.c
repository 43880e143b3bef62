/*
 * decode.c - the walk from the first byte of a frame to the transport header.
 */
#include "decode/decode.h"

#include "decode/layer.h"

/* More than any network stacks up: a tunnel is two or three layers, and six tunnels are followed.
 */
enum { STEPS_MAX = 48 };

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

bool sw_tunnel_enter(struct sw_inside *in, enum sw_tunnel_kind kind, bool addressed, uint32_t id)
{
    struct sw_packet *packet = in->packet;
    if (packet->tunnel.count == SW_TUNNELS_MAX)
        return false;
    struct sw_tunnel_header *header = &packet->tunnel.headers[packet->tunnel.count++];
    header->kind = (uint8_t)kind;
    header->id = id;
    header->ip_version = 0;
    if (addressed) {
        header->ip_version = packet->tuple.ip_version;
        memcpy(header->src, packet->tuple.src, sizeof(header->src));
        memcpy(header->dst, packet->tuple.dst, sizeof(header->dst));
    }
    packet->space = sw_space_inside(packet->space, id);
    packet->vlan = 0; /* that of the network which carries the tunnel is of no interest */
    return true;
}

static enum sw_layer step(struct sw_inside *in, enum sw_layer layer)
{
    switch (layer) {
    case SW_LAYER_ETHERNET:
        return sw_read_ethernet(in);
    case SW_LAYER_TYPE:
        return sw_read_type(in);
    case SW_LAYER_LLC:
        return sw_read_llc(in);
    case SW_LAYER_PPP:
        return sw_read_ppp(in);
    case SW_LAYER_MPLS:
        return sw_read_mpls(in);
    case SW_LAYER_PPPOE:
        return sw_read_pppoe(in);
    case SW_LAYER_IP:
        return sw_read_ip(in);
    case SW_LAYER_IP4:
        return sw_read_ip4(in);
    case SW_LAYER_IP6:
        return sw_read_ip6(in);
    case SW_LAYER_CONTENT:
        return sw_read_content(in);
    case SW_LAYER_GRE:
        return sw_read_gre(in);
    case SW_LAYER_ERSPAN:
        return sw_read_erspan(in);
    case SW_LAYER_VXLAN:
        return sw_read_vxlan(in);
    case SW_LAYER_VXLAN_GPE:
        return sw_read_vxlan_gpe(in);
    case SW_LAYER_GENEVE:
        return sw_read_geneve(in);
    case SW_LAYER_GTPU:
        return sw_read_gtpu(in);
    case SW_LAYER_L2TP:
        return sw_read_l2tp(in);
    case SW_LAYER_TEREDO:
        return sw_read_teredo(in);
    case SW_LAYER_TZSP:
        return sw_read_tzsp(in);
    case SW_LAYER_DECODED:
    case SW_LAYER_OTHER:
    case SW_LAYER_BROKEN:
    case SW_LAYER_FRAGMENT:
        break;
    }
    return layer;
}

static enum sw_decode_result walk(struct sw_inside *in, enum sw_layer layer)
{
    for (int steps = 0; steps < STEPS_MAX; steps++) {
        layer = step(in, layer);
        if (layer == SW_LAYER_DECODED)
            return SW_DECODE_IP;
        if (layer == SW_LAYER_OTHER)
            return SW_DECODE_OTHER;
        if (layer == SW_LAYER_BROKEN)
            return SW_DECODE_BROKEN;
        if (layer == SW_LAYER_FRAGMENT)
            return SW_DECODE_FRAGMENT;
    }
    in->packet->unread = SW_UNREAD_TOO_DEEP;
    return SW_DECODE_OTHER;
}

enum sw_decode_result sw_decode_walk(const struct sw_frame *frame, struct sw_packet *packet)
{
    struct sw_inside in = {
        .c = sw_cursor_make(sw_span_make(frame->bytes, frame->caplen)),
        .cut = frame->len > frame->caplen ? frame->len - frame->caplen : 0,
        .packet = packet,
    };
    sw_packet_clear(packet);
    return walk(&in, sw_link_first(&in, frame->link_type));
}

enum sw_decode_result sw_decode(const struct sw_frame *frame, struct sw_packet *packet)
{
    return sw_decode_straight(frame, packet) ? SW_DECODE_IP : sw_decode_walk(frame, packet);
}

enum sw_decode_result sw_decode_whole(const struct sw_packet *part, struct sw_span bytes,
                                      uint32_t wire, struct sw_packet *packet)
{
    struct sw_inside in = {
        .c = sw_cursor_make(bytes),
        .cut = wire > bytes.len ? wire - (uint32_t)bytes.len : 0,
        .content = {part->part.protocol, wire, true},
        .packet = packet,
    };
    sw_packet_clear(packet);
    packet->tuple = part->tuple;
    packet->tuple.transport = part->part.protocol;
    packet->ttl = part->ttl;
    packet->ip_id = part->ip_id;
    packet->vlan = part->vlan;
    packet->space = part->space;
    packet->tunnel = part->tunnel;
    return walk(&in, SW_LAYER_CONTENT);
}
