/*
 * frames.h - builds frames for tests, from the outermost header inwards.
 *
 * Begin with an empty struct, append headers and payload in the order of the wire, then finish:
 * that writes the lengths and the TCP checksum. Addresses and ports are the constants below, source
 * first.
 */
#ifndef TESTS_SUPPORT_FRAMES_H
#define TESTS_SUPPORT_FRAMES_H

#include "decode/decode.h"

enum {
    FRAMES_ROOM_BYTES = 4096,
    FRAMES_SRC_PORT = 49152,
    FRAMES_DST_PORT = 25,
    FRAMES_SEQ = 0x01020304,
    FRAMES_ACK = 0x0A0B0C0D,
    FRAMES_WINDOW = 501,
};

extern const uint8_t frames_src4[4];
extern const uint8_t frames_dst4[4];
extern const uint8_t frames_src6[16];
extern const uint8_t frames_dst6[16];

struct frames {
    uint8_t bytes[FRAMES_ROOM_BYTES];
    size_t len;
    size_t ip_at;  /* the innermost IP header */
    size_t tcp_at; /* 0: none */
    uint8_t version;
};

void frames_bytes(struct frames *f, const void *bytes, size_t n);
void frames_u8(struct frames *f, unsigned value);
void frames_u16(struct frames *f, unsigned value);
void frames_u32(struct frames *f, uint32_t value);
void frames_text(struct frames *f, const char *text);
/* Adds to a checksum sixteen bits at a time, as RFC 1071 has it in its first lines: slow, and not
 * the way of the code under test. */
uint32_t frames_sum16(uint32_t sum, const uint8_t *at, size_t n);

void frames_ethernet(struct frames *f, unsigned type);
/* One tag: its id and the type that follows; the tag's own type was written before. */
void frames_vlan(struct frames *f, unsigned id, unsigned type);
void frames_ip4(struct frames *f, unsigned protocol);
void frames_ip6(struct frames *f, unsigned next);
/* options_len is a multiple of 4. */
void frames_tcp(struct frames *f, unsigned flags, const void *options, size_t options_len);
void frames_udp(struct frames *f, size_t payload_len);
/* Writes the lengths of the IP header and the checksum of the TCP segment. */
void frames_finish(struct frames *f);

/* Overwrites what stands at an offset, in network order. */
void frames_set16(struct frames *f, size_t at, unsigned value);

/* Decodes the first caplen bytes from a block of exactly that size, so that a sanitizer sees every
 * byte read too many. The packet's payload is only good for its length. */
enum sw_decode_result frames_decode_cut(const struct frames *f, int32_t link_type, size_t caplen,
                                        struct sw_packet *packet);
/* Decodes the whole frame; the payload borrows from f. */
enum sw_decode_result frames_decode(const struct frames *f, int32_t link_type,
                                    struct sw_packet *packet);
/* Cuts at every length and asserts what holds for every packet; returns the shortest length that
 * gives SW_DECODE_IP (SIZE_MAX: none). */
size_t frames_cut_everywhere(const struct frames *f, int32_t link_type);

#endif
