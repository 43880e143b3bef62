/*
 * decode.h - from a frame to a packet: link layer, VLAN tags, IP with extension headers, TCP, UDP,
 * ICMP.
 *
 * Stateless and without memory. Never reads behind the captured bytes, whatever the headers claim;
 * nesting is bounded.
 */
#ifndef SW_DECODE_DECODE_H
#define SW_DECODE_DECODE_H

#include "decode/packet.h"

/* True when frames of this DLT_ value can be decoded. */
bool sw_decode_knows(int32_t link_type);

/* Decodes one frame. *packet is filled when the result is SW_DECODE_IP; it borrows from the frame.
 */
enum sw_decode_result sw_decode(const struct sw_frame *frame, struct sw_packet *packet);

#endif
