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
    SW_DECODE_OTHER,  /* a well-formed frame that is not of interest: ARP, LLDP, other IP protocols,
                         fragments */
    SW_DECODE_BROKEN, /* headers cut short or contradicting each other */
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

struct sw_packet {
    struct sw_tuple tuple; /* ports are 0 for ICMP */
    enum sw_transport transport;
    uint8_t ttl;       /* or hop limit */
    uint16_t ip_id;    /* IPv4 only, else 0 */
    uint16_t vlan;     /* outermost VLAN id, 0 when untagged */
    bool bad_checksum; /* TCP checksum wrong, complete packet, and not the signature of checksum
                          offload */
    struct sw_tcp_header tcp;
    struct sw_icmp_header icmp;
    struct sw_span payload;
    uint32_t payload_wire;
};

#endif
