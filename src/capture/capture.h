/*
 * capture.h - a source of frames: a saved capture or standard input.
 *
 * Invariants: one source is one file and is read once, forwards. A damaged file gives every frame
 * before the damage and then SW_DAMAGED with the byte offset. Errors are said once, in full (file,
 * offset, what to do). Life: open, next ... next, close.
 */
#ifndef SW_CAPTURE_CAPTURE_H
#define SW_CAPTURE_CAPTURE_H

#include "base/status.h"
#include "capture/frame.h"

struct sw_capture;

struct sw_capture_options {
    const char *filter; /* pcap filter expression or NULL; frames that do not match are counted, not
                           given */
};

/* What a source has seen so far. */
struct sw_capture_counters {
    uint64_t frames;   /* read from the file, filtered ones included */
    uint64_t filtered; /* left out by the filter */
    uint64_t bytes;    /* captured bytes of all frames */
    uint64_t drops;    /* frames that the file says its recorder lost */
};

/*
 * Opens a saved capture; "-" is standard input. On SW_OK *out is owned by the caller until
 * sw_capture_close(). SW_UNREADABLE: missing, no permission, a directory, empty (0 bytes), shorter
 * than a header, not a capture. SW_UNSUPPORTED: a recognised container or a link type that nobody
 * decodes. SW_USAGE: the filter does not compile.
 */
struct sw_status sw_capture_open(const char *path, const struct sw_capture_options *options,
                                 struct sw_capture **out) SW_MUST_CHECK;

/*
 * The next frame. SW_OK: *frame is borrowed until the next call. SW_END: no more. SW_DAMAGED: the
 * file is cut or corrupt behind the frames given so far. SW_UNSUPPORTED: it goes on in a way that
 * is not read (a pcapng file with interfaces of several link types). In both cases offset_bytes is
 * where the part begins that was not read, and the source may only be closed then.
 */
struct sw_status sw_capture_next(struct sw_capture *capture, struct sw_frame *frame) SW_MUST_CHECK;

const struct sw_capture_counters *sw_capture_count(const struct sw_capture *capture);

/* Position in the file and its size, in bytes, for progress; size 0 when it is not known (a pipe).
 */
void sw_capture_progress(const struct sw_capture *capture, uint64_t *at_bytes,
                         uint64_t *size_bytes);

void sw_capture_close(struct sw_capture *capture);

#endif
