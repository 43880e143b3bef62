/*
 * capture.h - a source of frames: a saved capture or standard input, as it is or compressed.
 *
 * Invariants: one source is one file and is read once, forwards. Damage is told at the place where
 * it is met, in full (file, offset, what to do); what can be read behind it still comes. What a
 * pcapng file holds beside frames (secrets, names, comments) goes to sinks as it is met. Life:
 * open, next ... next, close.
 */
#ifndef SW_CAPTURE_CAPTURE_H
#define SW_CAPTURE_CAPTURE_H

#include "base/status.h"
#include "capture/frame.h"

struct sw_capture;

/* Types of secrets in a pcapng file. */
#define SW_SECRETS_TLS_KEY_LOG UINT32_C(0x544C534B)

/* What a pcapng file tells of an interface; spans are borrowed during the call. */
struct sw_capture_interface {
    uint32_t index;                           /* as frames name it */
    uint32_t snaplen;                         /* 0: no limit */
    struct sw_span name, description, filter; /* empty: not told */
};

/*
 * What a capture holds beside frames. Each member may be NULL. Spans are borrowed during the call.
 * Calls come while the file is opened and while frames are read, each before the frame that stands
 * behind it in the file.
 */
struct sw_capture_sinks {
    void *ctx;
    /* A decryption secrets block, whole; `type` is SW_SECRETS_TLS_KEY_LOG or another. Never shown
     * to anybody. */
    void (*secrets)(void *ctx, uint32_t type, struct sw_span secrets);
    /* A name resolution record; version 4 (4 bytes of address) or 6 (16 bytes). */
    void (*name)(void *ctx, int ip_version, struct sw_span address, struct sw_span name);
    /* A comment on a frame; frame 0: on the file or one of its interfaces. */
    void (*comment)(void *ctx, uint64_t frame, struct sw_span text);
    void (*interface)(void *ctx, const struct sw_capture_interface *interface);
};

struct sw_capture_options {
    const char *filter; /* pcap filter expression or NULL; frames that do not match are counted, not
                           given */
    uint64_t unpacked_bytes; /* caps on compressed files, 0 = none: size when unpacked, ... */
    uint64_t unpacked_ratio; /* ... and unpacked bytes for each byte of the file */
    uint64_t window_bytes;   /* memory that unpacking may need, 0 = no cap */
    size_t *account;         /* counts that memory; may be NULL */
    struct sw_capture_sinks sinks;
};

/* What a source has seen so far. */
struct sw_capture_counters {
    uint64_t frames;      /* read from the file, filtered ones included */
    uint64_t filtered;    /* left out by the filter */
    uint64_t unsupported; /* of link types that nobody decodes; they are given, too */
    uint64_t bytes;       /* captured bytes of all frames */
    uint64_t drops;       /* frames that the file says its recorder lost */
    int64_t end_ns;       /* when the file says that the recording ended, 0 = it does not */
    const char
        *limit; /* the cap that ended the reading ("unpacked", "unpack-ratio", "memory"), or NULL */
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
 * The next frame. SW_OK: *frame is borrowed until the next call. SW_END: no more. Anything else
 * says what is wrong, once, and the next call goes on: with what stands behind the damage, or with
 * SW_END.
 * SW_DAMAGED: the file is cut or corrupt; offset_bytes is where the part begins that was not read
 * (in a compressed file counted in its unpacked form). SW_LIMITED: a cap on unpacking was hit.
 * SW_UNSUPPORTED, at the end: frames were of link types that nobody decodes. SW_USAGE: the filter
 * does not compile for the link type of another interface.
 */
struct sw_status sw_capture_next(struct sw_capture *capture, struct sw_frame *frame) SW_MUST_CHECK;

const struct sw_capture_counters *sw_capture_count(const struct sw_capture *capture);

/* Position in the file and its size, in bytes, for progress; size 0 when it is not known (a pipe).
 */
void sw_capture_progress(const struct sw_capture *capture, uint64_t *at_bytes,
                         uint64_t *size_bytes);

void sw_capture_close(struct sw_capture *capture);

#endif
