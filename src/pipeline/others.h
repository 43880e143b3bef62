/*
 * others.h - the connections on which the verdicts of a plan rest besides their own: finds them by
 * the frames that prove it, and adds them to the plan; private to the pipeline room.
 *
 * A mail connection is analysed once more to learn what of it may be shown; of one that is no mail
 * only what a verdict can rest on is. Life: init, look at every frame, add, release.
 */
#ifndef SW_PIPELINE_OTHERS_H
#define SW_PIPELINE_OTHERS_H

#include "pipeline/mask.h"
#include "pipeline/run.h"

struct sw_other; /* private */

struct sw_others {
    struct sw_extract *plan;
    struct sw_mask mask; /* finds what is in the plan already */
    struct sw_other *list;
    uint32_t count, room;
    bool keys; /* TLS keys go with the frames */
    bool short_of_memory;
};

/* False when memory is short. */
bool sw_others_init(struct sw_others *others, struct sw_extract *plan, bool keys);
void sw_others_look(struct sw_others *others, const struct sw_frame *frame);
/* Analyses the captures again as `run` did. False when memory is short. */
bool sw_others_add(struct sw_others *others, const struct sw_run *run, const char *const *paths,
                   unsigned count);
void sw_others_release(struct sw_others *others);

#endif
