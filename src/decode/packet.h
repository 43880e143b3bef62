/*
 * packet.h - the headers of one frame, decoded: addresses, ports, TCP/UDP/ICMP fields and the
 * payload.
 *
 * Invariants: nothing points behind the captured bytes; payload is borrowed from the frame.
 * payload.len is what was captured of the payload, payload_wire what the headers say was sent; the
 * difference was cut off by the snaplen. Trailing Ethernet padding is not payload. Addresses are in
 * network byte order, IPv4 in the first 4 bytes, rest zero.
 */
#ifndef SW_DECODE_PACKET_H
#define SW_DECODE_PACKET_H

#include "capture/frame.h"

enum sw_decode_result {
    SW_DECODE_IP, /* decoded to IP and a transport header (TCP, UDP, ICMP) or a known other protocol
                   */
    SW_DECODE_OTHER,  /* a well-formed frame that is not of interest: ARP, LLDP, other IP protocols
                       */
    SW_DECODE_BROKEN, /* headers cut short or contradicting each other */
    SW_DECODE_FRAGMENT, /* a part of an IP packet: addresses, `part` and the payload are filled */
};

/* What carries packets inside packets. */
enum sw_tunnel_kind {
#define SW_TUNNEL(id, name, number) SW_TUNNEL_##id,
#include "decode/tunnel.def"
#undef SW_TUNNEL
    SW_TUNNEL_KINDS,
};

/* "vxlan", and what its number is called ("vni", or empty). */
const char *sw_tunnel_name(enum sw_tunnel_kind kind);
const char *sw_tunnel_number(enum sw_tunnel_kind kind);

/* Recognised, but not read. */
enum sw_unread {
    SW_UNREAD_NOTHING,
#define SW_UNREAD(id, name) SW_UNREAD_##id,
#include "decode/unread.def"
#undef SW_UNREAD
    SW_UNREAD_COUNT,
};

/* "tunnel-esp"; NULL for SW_UNREAD_NOTHING. */
const char *sw_unread_name(enum sw_unread unread);

/* One header around the packet. */
struct sw_tunnel_header {
    uint8_t kind;       /* enum sw_tunnel_kind */
    uint8_t ip_version; /* of the addresses; 0: it has none */
    uint8_t src[16], dst[16];
    uint32_t id; /* key, session, label ...; 0: none */
};

enum { SW_TUNNELS_MAX = 6 };

/* The headers around a packet, the outermost first. */
struct sw_tunnel {
    uint8_t count;
    struct sw_tunnel_header headers[SW_TUNNELS_MAX];
};

/* Which part of an IP packet this is. */
struct sw_fragment {
    uint32_t id;
    uint32_t offset; /* of the payload in the whole packet's */
    uint8_t protocol;
    bool more; /* not the last one */
};

enum sw_transport {
    SW_TRANSPORT_NONE,
    SW_TRANSPORT_TCP,
    SW_TRANSPORT_UDP,
    SW_TRANSPORT_ICMP,  /* ICMP of IPv4 */
    SW_TRANSPORT_ICMP6, /* ICMPv6 */
};

enum sw_tcp_flag {
    SW_TCP_FIN = 0x01,
    SW_TCP_SYN = 0x02,
    SW_TCP_RST = 0x04,
    SW_TCP_PSH = 0x08,
    SW_TCP_ACK = 0x10,
    SW_TCP_URG = 0x20,
};

enum { SW_TCP_SACKS = 4 };

struct sw_tcp_header {
    uint32_t seq;
    uint32_t ack;
    uint16_t window; /* unscaled */
    uint16_t urgent;
    uint8_t flags;
    bool has_mss;
    uint16_t mss;
    bool has_window_scale;
    uint8_t window_scale; /* shift */
    bool sack_permitted;
    bool has_timestamp;
    uint32_t timestamp;
    uint32_t timestamp_echo;
    uint8_t sack_count;
    struct {
        uint32_t left, right;
    } sack[SW_TCP_SACKS];
};

/* Addresses and ports of one packet, source first. */
struct sw_tuple {
    uint8_t src[16];
    uint8_t dst[16];
    uint16_t src_port;
    uint16_t dst_port;
    uint8_t ip_version; /* 4 or 6 */
    uint8_t transport;  /* IP protocol number: 6 TCP, 17 UDP */
};

struct sw_icmp_header {
    uint8_t type;
    uint8_t code;
    uint16_t mtu;          /* next-hop MTU of "fragmentation needed" and "packet too big", else 0 */
    bool has_quote;        /* the quoted packet was readable down to its ports */
    struct sw_tuple quote; /* of the quoted packet, as it was sent */
    uint32_t quote_seq;    /* TCP sequence number of the quoted packet when it is TCP */
};

/* A question for the hardware address of a neighbour, or its answer: ARP (RFC 826), neighbour
 * discovery (RFC 4861). Probes for one's own address are neither. */
struct sw_neighbour {
    bool seen;
    bool answer;
    uint8_t ip_version;
    uint8_t asker[16];
    uint8_t target[16]; /* whose hardware address is wanted */
};

struct sw_packet {
    struct sw_tuple tuple; /* ports are 0 for ICMP */
    enum sw_transport transport;
    uint8_t ttl;      /* or hop limit */
    uint16_t ip_id;   /* IPv4 only, else 0 */
    uint16_t vlan;    /* outermost VLAN id (inside a tunnel: of the inner frame), 0 when untagged */
    uint32_t space;   /* all VLAN ids and tunnel numbers as one word: where its addresses hold */
    bool conflicting; /* put together from parts that contradict each other */
    struct sw_span segment; /* TCP with a payload or a SYN, complete and with a checksum that can be
                               verified (sw_packet_is_damaged()); else empty */
    struct sw_tcp_header tcp;
    struct sw_icmp_header icmp;
    struct sw_neighbour neighbour;
    struct sw_span payload;
    uint32_t payload_wire;
    enum sw_unread unread; /* a tunnel that was recognised and not looked into, with any result */
    struct sw_tunnel tunnel;
    struct sw_fragment part; /* SW_DECODE_FRAGMENT */
};

/*
 * True when the checksum of a TCP packet with a payload or a SYN is wrong, and not what a network
 * card is given to fill in (RFC 9293 section 3.1). Looks at every byte of it: only where it
 * matters.
 */
bool sw_packet_is_damaged(const struct sw_packet *packet);

#endif
