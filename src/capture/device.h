/*
 * device.h - a source of frames that never ends: an interface of this machine, or "any".
 *
 * Invariants: no call waits; whoever owns a device polls its descriptor. After the open nothing is
 * opened or looked up any more, so that privileges can be given up and file systems shut out. What
 * the kernel or the card lost is counted from the open on. Life: open, next ..., close.
 */
#ifndef SW_CAPTURE_DEVICE_H
#define SW_CAPTURE_DEVICE_H

#include "base/status.h"
#include "capture/frame.h"

struct sw_device;

enum {
    SW_DEVICE_SNAPLEN = 262144,
    SW_DEVICE_BUFFER_BYTES = 32 << 20, /* the ring that the kernel fills */
    /* How long the kernel may keep frames to itself before it shows them, at most: it retires a
     * block at every second tick of its timer. */
    SW_DEVICE_TICK_MS = 50,
    SW_DEVICE_DELAY_MS = 2 * SW_DEVICE_TICK_MS + 20,
};

struct sw_device_options {
    const char *name;
    const char *filter; /* pcap filter expression for the kernel; NULL: all that can matter here */
    uint32_t snaplen;   /* 0 = SW_DEVICE_SNAPLEN */
    uint32_t buffer_bytes; /* 0 = SW_DEVICE_BUFFER_BYTES */
};

/*
 * SW_UNREADABLE: no such device, no permission, down; SW_UNSUPPORTED: nobody decodes its frames;
 * SW_USAGE: the filter does not compile. The message says what to do.
 */
struct sw_status sw_device_open(const struct sw_device_options *options,
                                struct sw_device **out) SW_MUST_CHECK;
/* For poll(): readable when a frame has arrived. */
int sw_device_fd(const struct sw_device *device);
/*
 * SW_OK: *frame is borrowed until the next call on this device; number and interface are the
 * caller's to give. SW_END: none has arrived. SW_UNREADABLE: it is gone for good.
 */
struct sw_status sw_device_next(struct sw_device *device, struct sw_frame *frame) SW_MUST_CHECK;

struct sw_device_losses {
    uint64_t by_kernel;    /* the ring was full */
    uint64_t by_interface; /* the card or its driver */
};

void sw_device_losses(struct sw_device *device, struct sw_device_losses *losses);
const char *sw_device_name(const struct sw_device *device);
int32_t sw_device_link_type(const struct sw_device *device);
/* Of its times: 6 or 9 fraction digits. */
uint8_t sw_device_time_digits(const struct sw_device *device);
/* The expression that the kernel filters by. */
const char *sw_device_filter(const struct sw_device *device);
void sw_device_close(struct sw_device *device);

/* Calls tell() for every device that can be captured on. */
struct sw_status sw_device_list(void (*tell)(void *ctx, const char *name, const char *description),
                                void *ctx) SW_MUST_CHECK;

/* As libpcap tells its own version: "libpcap version 1.10.3 (...)". */
const char *sw_device_library(void);

#endif
