/*
 * ip.h - IP and transport headers; private to the decode room.
 */
#ifndef SW_DECODE_IP_H
#define SW_DECODE_IP_H

#include "base/cursor.h"
#include "decode/decode.h"

enum {
    SW_PROTOCOL_ICMP = 1,
    SW_PROTOCOL_TCP = 6,
    SW_PROTOCOL_UDP = 17,
    SW_PROTOCOL_ICMP6 = 58,
};

/* What IP says about the bytes behind its headers. */
struct sw_ip_content {
    uint8_t protocol;
    uint32_t wire;   /* length by the header; the cursor holds what was captured, never more */
    bool verifiable; /* the addresses and the length are those that a checksum covers */
};

/*
 * `cut` is how many bytes of the frame the snaplen cut off; only a packet without a length of its
 * own (segmentation offload) needs it.
 */
enum sw_decode_result sw_decode_ipv4(struct sw_cursor *c, uint32_t cut, struct sw_packet *packet);
enum sw_decode_result sw_decode_ipv6(struct sw_cursor *c, uint32_t cut, struct sw_packet *packet);

/*
 * Walks the extension headers of IPv6 (RFC 8200 section 4) that begin at the cursor.
 * content->protocol is the first next-header value and becomes that of the transport; content->wire
 * is reduced by what was walked (and replaced by a jumbo length, RFC 2675, where it was 0).
 * *fragment is set when the packet is a part of one, *first when it is the first part. False: cut,
 * endless, or longer than the packet.
 */
bool sw_decode_extensions(struct sw_cursor *c, struct sw_ip_content *content, bool *fragment,
                          bool *first);

enum sw_decode_result sw_decode_transport(struct sw_cursor *c, const struct sw_ip_content *content,
                                          struct sw_packet *packet);
enum sw_decode_result sw_decode_icmp(struct sw_cursor *c, const struct sw_ip_content *content,
                                     struct sw_packet *packet);

/*
 * True when the checksum of a complete TCP segment (header and payload) is wrong and does not look
 * as if the sender's network card had to fill it in. RFC 9293 section 3.1.
 */
bool sw_checksum_is_bad(struct sw_span segment, const struct sw_tuple *tuple);

#endif
