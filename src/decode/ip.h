/*
 * ip.h - IP and transport headers; private to the decode room.
 */
#ifndef SW_DECODE_IP_H
#define SW_DECODE_IP_H

#include "base/cursor.h"
#include "decode/decode.h"

enum {
    SW_PROTOCOL_ICMP = 1,
    SW_PROTOCOL_IP4 = 4,
    SW_PROTOCOL_TCP = 6,
    SW_PROTOCOL_UDP = 17,
    SW_PROTOCOL_IP6 = 41,
    SW_PROTOCOL_GRE = 47,
    SW_PROTOCOL_ESP = 50,
    SW_PROTOCOL_AH = 51,
    SW_PROTOCOL_ICMP6 = 58,
    SW_PROTOCOL_ETHERIP = 97,
    SW_PROTOCOL_L2TPV3 = 115,
    SW_PROTOCOL_MPLS = 137,
};

/* What IP says about the bytes behind its headers. */
struct sw_ip_content {
    uint8_t protocol;
    uint32_t wire;   /* length by the header; the cursor holds what was captured, never more */
    bool verifiable; /* the addresses and the length are those that a checksum covers */
};

/* The packet before anything is read. The tuple, the TCP fields and the rest are written where they
 * apply; only what is read without that is cleared. */
static inline void sw_packet_clear(struct sw_packet *packet)
{
    packet->transport = SW_TRANSPORT_NONE;
    packet->vlan = 0;
    packet->space = 0;
    packet->conflicting = false;
    packet->segment = (struct sw_span){NULL, 0};
    packet->neighbour.seen = false;
    packet->payload = (struct sw_span){NULL, 0};
    packet->payload_wire = 0;
    packet->unread = SW_UNREAD_NOTHING;
    packet->tunnel.count = 0;
}

/* The address of IPv4 and the zeros behind it, written as one word: it is read in other pieces at
 * once, and processors wait for what is put together from several writes. */
static inline void sw_address_set4(uint8_t to[16], const uint8_t *from)
{
    typedef uint32_t words __attribute__((vector_size(16)));
    words all = {0};
    memcpy(&all, from, 4);
    memcpy(to, &all, sizeof(all));
}

/*
 * Walks the extension headers of IPv6 (RFC 8200 section 4) that begin at the cursor.
 * content->protocol is the first next-header value and becomes that of the transport; content->wire
 * is reduced by what was walked (and replaced by a jumbo length, RFC 2675, where it was 0).
 * *fragment is set when the packet is a part of one, and *part then says which. False: cut,
 * endless, or longer than the packet.
 */
bool sw_decode_extensions(struct sw_cursor *c, struct sw_ip_content *content, bool *fragment,
                          struct sw_fragment *part);

#endif
