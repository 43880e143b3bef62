/*
 * mask.h - which frames belong to the sessions of a plan (analyzer/extract.h), and their bytes with
 * everything masked that is not known to be harmless; private to the pipeline room.
 *
 * Masked bytes become 'A', ends of lines and '=' stay, so that lengths and lines are the same;
 * checksums are put right. Copies of the bytes that were sent again, overlap, stand inside tunnels,
 * in parts of IP packets or in an ICMP error are masked alike, because they are found by sequence
 * number. What cannot be placed is not copied.
 *
 * The frames are looked at two or three times, always all of them in the same order: `learn` finds
 * the beginnings of packets in parts; where there are any, `sum` and `learn` again work out their
 * checksums (the last part may come first); then `take`. Life: init, learn ..., [sum, learn ...,]
 * rewind, take ..., release.
 */
#ifndef SW_PIPELINE_MASK_H
#define SW_PIPELINE_MASK_H

#include "analyzer/extract.h"
#include "decode/packet.h"

enum { SW_MASK_PARTS = 65536 }; /* IP packets in parts that are remembered */

struct sw_mask_part; /* private */

struct sw_mask {
    const struct sw_extract *plan;
    uint32_t *index[2]; /* hash tables of places in the plan + 1: connections, look-ups */
    uint32_t index_size;
    uint32_t *next;      /* of each session: the next one of the same key + 1 */
    uint64_t (*near)[2]; /* of each session: the offsets that were seen last */
    uint64_t *frames;    /* further frames, sorted */
    uint32_t frame_count;
    struct sw_mask_part *parts;
    uint32_t part_count, part_room;
    uint32_t *part_index; /* hash table of places in parts + 1 */
    bool summing;
    uint8_t *scratch;
    uint32_t scratch_room;
};

/* False when memory is short. */
bool sw_mask_init(struct sw_mask *mask, const struct sw_extract *plan);
void sw_mask_learn(struct sw_mask *mask, const struct sw_frame *frame);
/* True when the frames have to be learned once more. */
bool sw_mask_sum(struct sw_mask *mask);
void sw_mask_rewind(struct sw_mask *mask);
/* Does the frame belong to the plan? Then *out is the frame to show, borrowed until the next call.
 */
bool sw_mask_take(struct sw_mask *mask, const struct sw_frame *frame, struct sw_frame *out);
void sw_mask_release(struct sw_mask *mask);

#endif
