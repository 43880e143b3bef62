/*
 * pcapng.h - what both halves of the pcapng reader share: frames and damage (pcapng.c), and what
 * stands beside the frames (pcapng_meta.c); private to the capture room.
 */
#ifndef SW_CAPTURE_PCAPNG_H
#define SW_CAPTURE_PCAPNG_H

#include "capture/internal.h"

/* Block types (draft-ietf-opsawg-pcapng, 4 and 10). */
enum sw_block_type {
    SW_BLOCK_INTERFACE = 1,
    SW_BLOCK_PACKET = 2, /* obsolete */
    SW_BLOCK_SIMPLE_PACKET = 3,
    SW_BLOCK_NAMES = 4,
    SW_BLOCK_STATISTICS = 5,
    SW_BLOCK_ENHANCED_PACKET = 6,
    SW_BLOCK_JOURNAL = 9, /* of systemd */
    SW_BLOCK_SECRETS = 10,
    SW_BLOCK_CUSTOM = 0xBAD,
    SW_BLOCK_CUSTOM_NO_COPY = 0x40000BAD,
    SW_BLOCK_SECTION = 0x0A0D0D0A,
};

enum {
    SW_BLOCK_LEAST_BYTES = 12,
    SW_BLOCK_MAX_BYTES = 16 << 20,
    SW_INTERFACES_MAX = 4096, /* of one section */
};

struct sw_interface {
    int32_t link_type;
    uint32_t snaplen;
    int64_t offset_s;   /* if_tsoffset */
    uint8_t resolution; /* if_tsresol as it stands there */
    uint8_t digits;
    bool known; /* somebody decodes its frames */
    struct sw_filter_slot *filter;
    uint64_t drops_in_frames; /* by the drop counts of frames, */
    uint64_t drops_in_all;    /* by the statistics at the end, */
    uint64_t drops_told;      /* and what of it is counted already */
};

struct sw_pcapng {
    bool big;
    bool in_section;
    struct sw_interface *interfaces; /* of this section */
    uint32_t count, room;
    uint32_t before;       /* interfaces of earlier sections */
    uint64_t in_all;       /* interfaces seen, of any link type */
    uint64_t known_in_all; /* of those that are decoded */
    int64_t last_ns;       /* for frames without a time of their own */
    uint32_t repaired;     /* length of the next block, where it stands wrong in the file */
    bool repair_frame;     /* and its frame's fields are to be put right */
    uint32_t faults;
    bool lost; /* nothing more can be read */
    /* the first frame, read when the file was opened */
    bool has_first;
    enum sw_status_code first_code;
    struct sw_frame first;
    const struct sw_filter_slot *first_filter;
};

static inline uint16_t sw_pcapng_u16(const struct sw_pcapng *ng, struct sw_cursor *c)
{
    return ng->big ? sw_cursor_be16(c) : sw_cursor_le16(c);
}

static inline uint32_t sw_pcapng_u32(const struct sw_pcapng *ng, struct sw_cursor *c)
{
    return ng->big ? sw_cursor_be32(c) : sw_cursor_le32(c);
}

static inline uint64_t sw_pcapng_u64(const struct sw_pcapng *ng, struct sw_cursor *c)
{
    return ng->big ? sw_cursor_be64(c) : sw_cursor_le64(c);
}

/* --- pcapng_meta.c: each takes the body of a block; false when it makes no sense --- */

bool sw_pcapng_section(struct sw_capture *capture, struct sw_span body);
/* SW_OK, SW_DAMAGED (nothing is filled), or the fault of the filter in capture->fault. */
enum sw_status_code sw_pcapng_interface(struct sw_capture *capture, struct sw_span body);
bool sw_pcapng_names(struct sw_capture *capture, struct sw_span body);
bool sw_pcapng_statistics(struct sw_capture *capture, struct sw_span body);
bool sw_pcapng_secrets(struct sw_capture *capture, struct sw_span body);
/* The options behind a frame's bytes. */
void sw_pcapng_frame_options(struct sw_capture *capture, struct sw_interface *from, uint64_t number,
                             struct sw_span options);
/* The recorder lost more frames of this interface, as one of its two counts says. */
void sw_pcapng_count_drops(struct sw_capture *capture, struct sw_interface *interface);
/* The time of an interface in nanoseconds, clamped to what 64 bits can hold. */
int64_t sw_pcapng_time(const struct sw_interface *interface, uint64_t ticks);

#endif
