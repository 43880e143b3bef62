/*
 * decode.h - from a frame to a packet: link layer, VLAN tags, tunnels, IP with extension headers,
 * TCP, UDP, ICMP.
 *
 * Stateless and without memory. Never reads behind the captured bytes, whatever the headers claim;
 * nesting is bounded and costs no stack. Parts of IP packets come out as parts.
 */
#ifndef SW_DECODE_DECODE_H
#define SW_DECODE_DECODE_H

#include "decode/packet.h"

/* True when frames of this DLT_ value can be decoded. */
bool sw_decode_knows(int32_t link_type);

/* Decodes one frame. *packet is filled when the result is SW_DECODE_IP or
 * SW_DECODE_FRAGMENT, and its `unread` always; it borrows from the frame.
 */
enum sw_decode_result sw_decode(const struct sw_frame *frame, struct sw_packet *packet);

/*
 * Goes on with a packet that was put together from parts: `bytes` is its payload as far as it was
 * captured, `wire` its length. `part` is any of the parts, as sw_decode() gave it; *packet borrows
 * from `bytes`. The result may be a part again (of a packet inside a tunnel).
 */
enum sw_decode_result sw_decode_whole(const struct sw_packet *part, struct sw_span bytes,
                                      uint32_t wire, struct sw_packet *packet);

#endif
