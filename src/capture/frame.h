/*
 * frame.h - one captured frame, as it leaves the capture room.
 *
 * Invariants: caplen bytes are readable at `bytes` until the next call on the source; numbers count
 * from 1 and by one, per file, as Wireshark counts them. `len` is what was on the wire and may be
 * more than caplen.
 */
#ifndef SW_CAPTURE_FRAME_H
#define SW_CAPTURE_FRAME_H

#include "base/span.h"

/* Of a record that counts as a frame but holds no packet: a custom or journal block of pcapng. */
#define SW_NO_LINK_TYPE INT32_C(-1)

struct sw_frame {
    uint64_t number;
    int64_t time_ns;
    const uint8_t *bytes;
    uint32_t caplen;
    uint32_t len;
    uint32_t interface;  /* index within the file, 0 where there is only one */
    int32_t link_type;   /* DLT_ value as libpcap gives it, or SW_NO_LINK_TYPE */
    uint8_t time_digits; /* precision of the time: 6 or 9 fraction digits */
    uint32_t drops;      /* frames that the recorder says it lost between the one before and this */
    uint16_t file;       /* index of the input file in one stream of several */
};

#endif
