/*
 * layer.h - the walk from the first byte of a frame inwards; private to the decode room.
 *
 * Every reader takes its header off the cursor and says which layer follows. The walk in decode.c
 * is a loop with a bound, so that headers inside headers cost no stack and come to an end.
 */
#ifndef SW_DECODE_LAYER_H
#define SW_DECODE_LAYER_H

#include "base/cursor.h"
#include "decode/ip.h"

enum sw_layer {
    SW_LAYER_ETHERNET,
    SW_LAYER_TYPE, /* by EtherType, in->type */
    SW_LAYER_LLC,  /* IEEE 802.2 */
    SW_LAYER_PPP,
    SW_LAYER_MPLS,
    SW_LAYER_PPPOE,
    SW_LAYER_IP, /* the version stands in the first nibble */
    SW_LAYER_IP4,
    SW_LAYER_IP6,
    SW_LAYER_CONTENT, /* by IP protocol, in->content */
    SW_LAYER_GRE,
    SW_LAYER_ERSPAN, /* in->type tells which */
    SW_LAYER_VXLAN,
    SW_LAYER_VXLAN_GPE,
    SW_LAYER_GENEVE,
    SW_LAYER_GTPU,
    SW_LAYER_L2TP,
    SW_LAYER_TEREDO,
    SW_LAYER_TZSP,
    /* the walk is over: */
    SW_LAYER_DECODED,
    SW_LAYER_OTHER,
    SW_LAYER_BROKEN,
    SW_LAYER_FRAGMENT,
};

/* A frame on its way inwards. */
struct sw_inside {
    struct sw_cursor c;
    uint32_t cut; /* bytes that should follow behind the cursor's end: cut off by the snaplen */
    uint16_t type;
    struct sw_ip_content content;
    struct sw_packet *packet;
};

enum {
    SW_ETHER_IPV4 = 0x0800,
    SW_ETHER_BRIDGED = 0x6558, /* transparent Ethernet bridging */
    SW_ETHER_IPV6 = 0x86DD,
    SW_ETHER_PPP = 0x880B,
    SW_ETHER_ERSPAN2 = 0x88BE,
    SW_ETHER_ERSPAN3 = 0x22EB,
    SW_ETHER_MPLS = 0x8847,
    SW_ETHER_MPLS_MULTICAST = 0x8848,
};

/* What packet->space becomes behind one more tag or tunnel header with a number; 0: it has none. */
static inline uint32_t sw_space_inside(uint32_t space, uint32_t id)
{
    const uint32_t odd = 0x9E3779B1;
    return id ? (space + id) * odd : space;
}

/* Notes one more header around the packet. With `addressed` the addresses are those of the IP
 * header that was read last. False: more than are followed, the walk ends. */
bool sw_tunnel_enter(struct sw_inside *in, enum sw_tunnel_kind kind, bool addressed, uint32_t id);

/* A protocol that is recognised and not read. */
static inline enum sw_layer sw_layer_unread(struct sw_inside *in, enum sw_unread what)
{
    in->packet->unread = what;
    return SW_LAYER_OTHER;
}

/* --- decode.c --- */
/* sw_decode() without its short cut. */
enum sw_decode_result sw_decode_walk(const struct sw_frame *frame, struct sw_packet *packet);

/* --- straight.c --- */
/* The short cut: true when the frame is of the common shape; the packet is then what the walk would
 * make of it. Else it is as good as not cleared. */
bool sw_decode_straight(const struct sw_frame *frame, struct sw_packet *packet);

/* --- link.c --- */
enum sw_layer sw_link_first(struct sw_inside *in, int32_t link_type);
enum sw_layer sw_read_ethernet(struct sw_inside *in);
enum sw_layer sw_read_type(struct sw_inside *in);
enum sw_layer sw_read_llc(struct sw_inside *in);
enum sw_layer sw_read_ppp(struct sw_inside *in);
enum sw_layer sw_read_mpls(struct sw_inside *in);
enum sw_layer sw_read_pppoe(struct sw_inside *in);
enum sw_layer sw_read_ip(struct sw_inside *in);

/* --- arp.c --- */
/* Fills packet->neighbour when it asks or answers. */
enum sw_layer sw_read_arp(struct sw_inside *in);

/* --- wlan.c --- */
enum sw_layer sw_read_wlan(struct sw_inside *in, bool padded);
enum sw_layer sw_read_radiotap(struct sw_inside *in);

/* --- ip.c, transport.c, icmp.c --- */
enum sw_layer sw_read_ip4(struct sw_inside *in);
enum sw_layer sw_read_ip6(struct sw_inside *in);
enum sw_layer sw_read_content(struct sw_inside *in);
enum sw_layer sw_read_icmp(struct sw_inside *in);

/* --- tunnel.c --- */
enum sw_layer sw_read_gre(struct sw_inside *in);
enum sw_layer sw_read_erspan(struct sw_inside *in);
enum sw_layer sw_read_vxlan(struct sw_inside *in);
enum sw_layer sw_read_vxlan_gpe(struct sw_inside *in);
enum sw_layer sw_read_geneve(struct sw_inside *in);
enum sw_layer sw_read_gtpu(struct sw_inside *in);
enum sw_layer sw_read_l2tp(struct sw_inside *in);
enum sw_layer sw_read_teredo(struct sw_inside *in);
enum sw_layer sw_read_tzsp(struct sw_inside *in);
/* What the payload of a UDP packet carries, by its ports; the cursor holds the payload and is not
 * moved. SW_LAYER_DECODED: a UDP packet like any other. */
enum sw_layer sw_tunnel_in_udp(struct sw_inside *in);

#endif
