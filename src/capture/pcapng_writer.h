/*
 * pcapng_writer.h - pcapng, written block by block: sections, interfaces, frames with comments,
 * names, secrets, statistics (draft-ietf-opsawg-pcapng).
 *
 * Invariants: the writer keeps no bytes and knows no files; each call hands one whole block to the
 * owner's put(), in several pieces. A section comes first, an interface before its frames; secrets
 * and names before the frames that they are for (Wireshark decrypts only what stands behind them).
 * Texts are UTF-8 and are cut at a character when a field cannot hold them. What the wire said is
 * escaped by the caller. Everything is written in little-endian.
 */
#ifndef SW_CAPTURE_PCAPNG_WRITER_H
#define SW_CAPTURE_PCAPNG_WRITER_H

#include "base/span.h"
#include "capture/frame.h"

/* All zero but put and ctx is the initial state. */
struct sw_pcapng_writer {
    void (*put)(void *ctx, struct sw_span bytes);
    void *ctx;
    uint64_t bytes;      /* handed out so far, over all sections */
    uint32_t interfaces; /* of this section */
};

/* Texts that stand in any block; the members of a zeroed struct stand for nothing. */
struct sw_pcapng_comments {
    const struct sw_span *list;
    unsigned count;
};

struct sw_pcapng_section_info {
    const char *hardware, *system, *application; /* NULL: not told */
    struct sw_pcapng_comments comments;
};

struct sw_pcapng_interface_info {
    int32_t link_type; /* DLT_ value, as frames have it */
    uint32_t snaplen;  /* 0: no limit */
    uint8_t time_digits;
    const char *name, *description, *filter; /* NULL: not told */
    struct sw_pcapng_comments comments;
};

struct sw_pcapng_name {
    int ip_version;    /* 4 or 6 */
    uint8_t bytes[16]; /* of the address; the first four for version 4 */
    struct sw_span name;
};

struct sw_pcapng_statistics_info {
    int64_t time_ns;
    int64_t start_ns, end_ns; /* SW_TIME_NONE: not told */
    uint64_t received;        /* 0: not told */
    uint64_t dropped_by_interface;
    uint64_t dropped_by_system;
    struct sw_pcapng_comments comments;
};

/* Begins a section: the interfaces are numbered from 0 again. */
void sw_pcapng_put_section(struct sw_pcapng_writer *writer,
                           const struct sw_pcapng_section_info *section);
/* Returns the number by which frames and statistics name the interface. */
uint32_t sw_pcapng_put_interface(struct sw_pcapng_writer *writer,
                                 const struct sw_pcapng_interface_info *interface);
/*
 * A frame of an interface that was written with `time_digits`. `drops` is how many frames the
 * recorder lost since the one before, 0 = none. A time before 1970 cannot be written and becomes 0.
 */
void sw_pcapng_put_frame(struct sw_pcapng_writer *writer, uint32_t interface, uint8_t time_digits,
                         const struct sw_frame *frame, const struct sw_pcapng_comments *comments,
                         uint64_t drops);
/* `type` as in capture.h. */
void sw_pcapng_put_secrets(struct sw_pcapng_writer *writer, uint32_t type, struct sw_span secrets);
/* A name that is empty, holds a NUL or is longer than its record is left out. */
void sw_pcapng_put_names(struct sw_pcapng_writer *writer, const struct sw_pcapng_name *names,
                         unsigned count);
void sw_pcapng_put_statistics(struct sw_pcapng_writer *writer, uint32_t interface,
                              uint8_t time_digits,
                              const struct sw_pcapng_statistics_info *statistics);
/* Any other block, its body as it is. */
void sw_pcapng_put_block(struct sw_pcapng_writer *writer, uint32_t type, struct sw_span body);

#endif
