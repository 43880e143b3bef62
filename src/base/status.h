/*
 * status.h - what went wrong with the environment (a file, a device, memory), said in full.
 *
 * Only the edges of the program return it; odd traffic is never a status (it is an event), a
 * programmer's mistake is an assertion. The message names the file, the byte offset and what to do,
 * and is our own text.
 */
#ifndef SW_BASE_STATUS_H
#define SW_BASE_STATUS_H

#include <stdint.h>

enum sw_status_code {
    SW_OK = 0,
    SW_END,         /* nothing more to come, not an error */
    SW_UNREADABLE,  /* the input could not be opened or is no capture at all: exit status 2 */
    SW_UNSUPPORTED, /* recognised, but not supported: exit status 2 */
    SW_DAMAGED,     /* a part of it cannot be read: exit status 3 */
    SW_LIMITED,     /* a cap was hit: exit status 3 */
    SW_NO_MEMORY,
    SW_USAGE, /* the caller's options cannot be honoured: exit status 2 */
};

struct sw_status {
    enum sw_status_code code;
    uint64_t offset_bytes; /* where in the input, 0 when it does not apply */
    char message[400];
};

#define SW_MUST_CHECK __attribute__((warn_unused_result))

static inline struct sw_status sw_status_ok(void)
{
    struct sw_status status; /* most of the message stays as it is: this is once for each frame */
    status.code = SW_OK;
    status.offset_bytes = 0;
    status.message[0] = '\0';
    return status;
}

struct sw_status sw_status_make(enum sw_status_code code, uint64_t offset_bytes, const char *format,
                                ...) __attribute__((format(printf, 3, 4)));

#endif
