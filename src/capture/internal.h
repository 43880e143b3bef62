/*
 * internal.h - the insides of a source of frames; private to the capture room.
 *
 * A reader (pcap.c, pcapng.c) gives one frame after the other and tells faults; what is common to
 * them stands in capture.c.
 */
#ifndef SW_CAPTURE_INTERNAL_H
#define SW_CAPTURE_INTERNAL_H

#include "base/cursor.h"
#include "capture/capture.h"
#include "capture/filter.h"
#include "capture/input.h"
#include "capture/kind.h"

enum {
    SW_CAPTURE_NAME_BYTES = 200, /* of a long path in a message: the offset behind it must not be
                                    cut */
    SW_FRAME_MAX_BYTES = 262144, /* as libpcap and Wireshark have it */
};

/* A pcap file's header, as far as records need it. */
struct sw_pcap {
    bool big;
    bool nano;
    bool lengths_swapped;       /* always, in files of very old versions, */
    bool lengths_maybe_swapped; /* or when they make no sense otherwise */
    uint8_t record_header_bytes;
    int32_t link_type;
    struct sw_filter_slot *filter;
};

struct sw_pcapng;

struct sw_capture {
    char name[SW_CAPTURE_NAME_BYTES + 4]; /* for messages */
    struct sw_input *input;
    struct sw_capture_options options;
    struct sw_filter filter;
    struct sw_kind kind;
    struct sw_pcap pcap;
    struct sw_pcapng *pcapng; /* NULL: a pcap file */
    int32_t strange_link;     /* the first link type that nobody decodes, SW_NO_LINK_TYPE: none */
    bool all_strange;         /* and so are all its interfaces */
    bool told_unsupported;
    bool ended;
    struct sw_status fault; /* what the reader found wrong */
    struct sw_capture_counters count;
};

bool sw_capture_link_is_known(int32_t link_type);
/* LINKTYPE_ numbers of files differ from the DLT_ numbers of libpcap here and there. */
int32_t sw_capture_link_of_file(uint32_t link_type);
uint16_t sw_capture_link_in_file(int32_t link_type);
/* "%s: frames of link type RAW (12) cannot be decoded; ..." */
struct sw_status sw_capture_strange_link(const struct sw_capture *capture, int32_t link_type);

/*
 * The reader met damage at `offset`: fills capture->fault. `on_at` is where reading goes on, 0 when
 * it cannot. Returns SW_DAMAGED.
 */
enum sw_status_code sw_capture_damage(struct sw_capture *capture, uint64_t offset, uint64_t on_at,
                                      const char *what);
/*
 * The input has fewer bytes than a record needs, which begins at `offset`: SW_END when it begins
 * exactly at the end, else the reason in capture->fault. Reading cannot go on behind it.
 */
enum sw_status_code sw_capture_short(struct sw_capture *capture, uint64_t offset);

/* --- pcap.c --- */

struct sw_status sw_pcap_open(struct sw_capture *capture) SW_MUST_CHECK;
enum sw_status_code sw_pcap_next(struct sw_capture *capture, struct sw_frame *frame,
                                 const struct sw_filter_slot **filter);

/* --- pcapng.c --- */

/* Reads up to the first frame. */
struct sw_status sw_pcapng_open(struct sw_capture *capture) SW_MUST_CHECK;
/* Not inline in what the frames of pcap files go through as well: it is a large function. */
__attribute__((noinline)) enum sw_status_code sw_pcapng_next(struct sw_capture *capture,
                                                             struct sw_frame *frame,
                                                             const struct sw_filter_slot **filter);
void sw_pcapng_close(struct sw_capture *capture);

#endif
