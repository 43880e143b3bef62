/*
 * kind.h - what an input is, told from its first bytes: a capture, a known container around one, or
 * neither; private to the capture room.
 */
#ifndef SW_CAPTURE_KIND_H
#define SW_CAPTURE_KIND_H

#include "capture/input.h"

struct sw_kind {
    uint8_t time_digits; /* precision of the times: 6 or 9, by the magic number or by the if_tsresol
                            of the first interface */
    uint8_t record_header_bytes; /* of each record of a pcap file; 0: pcapng */
};

/*
 * Looks at an input that nobody reads yet. SW_OK: it begins as pcap or pcapng, and *kind is filled.
 * SW_UNREADABLE: empty, too short for a header, or not a capture. SW_UNSUPPORTED: a recognised
 * container, named. `path` helps to recognise formats without a magic number, `name` is for
 * messages.
 */
struct sw_status sw_kind_look(struct sw_input *input, const char *path, const char *name,
                              struct sw_kind *kind) SW_MUST_CHECK;

#endif
