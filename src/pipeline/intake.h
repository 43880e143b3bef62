/*
 * intake.h - from frames to whole packets: decoding, parts put together, and what becomes of every
 * frame. Private to the pipeline room.
 */
#ifndef SW_PIPELINE_INTAKE_H
#define SW_PIPELINE_INTAKE_H

#include "analyzer/record.h"
#include "decode/decode.h"
#include "flow/fragment.h"

struct sw_intake {
    bool part; /* the last frame held a part of an IP packet */
    struct sw_summary *summary;
    struct sw_fragments *fragments;
    uint64_t unread[SW_UNREAD_COUNT]; /* frames with a tunnel that was not looked into */
};

/* False when memory is short. `summary` is borrowed and counted into. */
bool sw_intake_init(struct sw_intake *intake, const struct sw_fragment_limits *limits,
                    const struct sw_hash_key *key, struct sw_summary *summary, size_t *account);
/* True when the frame gives a packet (the last part of one gives the whole of it); *packet is good
 * until the next call. */
bool sw_intake_packet(struct sw_intake *intake, const struct sw_frame *frame,
                      struct sw_packet *packet);
/* No more frames: the summary learns the rest. */
void sw_intake_finish(struct sw_intake *intake);
void sw_intake_release(struct sw_intake *intake);

#endif
