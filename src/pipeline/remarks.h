/*
 * remarks.h - comments that people wrote into a capture, on their way into a copy of its frames;
 * private to the pipeline room.
 *
 * People write passwords and keys into comments: what is masked in the frames is masked in them as
 * well, and lines of a TLS key log are left out where keys are. Those of an earlier annotation are
 * not taken for people's.
 *
 * Life: zero, take every comment and learn every frame of one walk, clean what is shown, release.
 */
#ifndef SW_PIPELINE_REMARKS_H
#define SW_PIPELINE_REMARKS_H

#include "capture/frame.h"
#include "pipeline/mask.h"

enum { SW_REMARKS = 32, SW_REMARK_BYTES = 4096, SW_REMARK_SECRETS = 256, SW_REMARK_SECRET = 128 };

struct sw_remark_secret {
    uint8_t length;
    uint8_t bytes[SW_REMARK_SECRET];
};

struct sw_remark_list {
    struct sw_span texts[SW_REMARKS]; /* owned */
    unsigned count;
};

/* All zero is the initial state. */
struct sw_remarks {
    struct sw_remark_list of_capture; /* of its sections, interfaces and statistics */
    struct sw_remark_list of_frame;   /* of the frame that comes next */
    uint64_t frame;
    bool any; /* there is one, on whatever */
    struct sw_remark_secret *secrets;
    unsigned secret_count;
    uint8_t text[SW_REMARK_BYTES];
};

/* A comment as captures tell them; frame 0: of the capture. */
void sw_remarks_take(struct sw_remarks *remarks, uint64_t frame, struct sw_span text);
/* What the mask hides of a frame is secret. */
void sw_remarks_learn(struct sw_remarks *remarks, struct sw_mask *mask,
                      const struct sw_frame *frame);
/* The text as it may be shown, borrowed until the next call; empty: nothing of it may. */
struct sw_span sw_remarks_clean(struct sw_remarks *remarks, struct sw_span text, bool with_keys);
void sw_remarks_clear(struct sw_remark_list *list);
void sw_remarks_release(struct sw_remarks *remarks);

#endif
