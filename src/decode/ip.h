/*
 * ip.h - IP and transport headers; private to the decode room.
 */
#ifndef SW_DECODE_IP_H
#define SW_DECODE_IP_H

#include "base/cursor.h"
#include "decode/decode.h"

enum sw_decode_result sw_decode_ipv4(struct sw_cursor *c, struct sw_packet *packet);
enum sw_decode_result sw_decode_ipv6(struct sw_cursor *c, struct sw_packet *packet);

/*
 * The transport header behind IP. `wire` is the length of what IP carries according to its header;
 * the cursor holds what was captured of it (never more than wire).
 */
enum sw_decode_result sw_decode_transport(struct sw_cursor *c, uint8_t protocol, uint32_t wire,
                                          struct sw_packet *packet);

#endif
