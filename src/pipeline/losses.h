/*
 * losses.h - when the recorder lost frames, so that sessions of that time are not taken for whole.
 * Private to the pipeline room.
 */
#ifndef SW_PIPELINE_LOSSES_H
#define SW_PIPELINE_LOSSES_H

#include <stdint.h>

enum { SW_LOSSES_MAX = 256 };

/* Frames lost in a stretch of time. */
struct sw_loss {
    int64_t from_ns, to_ns;
    uint64_t frames;
};

/* In the order of time; zero-initialised is empty. */
struct sw_losses {
    struct sw_loss list[SW_LOSSES_MAX];
    unsigned count;
};

/* `frames` were lost at or shortly before `time_ns`. */
void sw_losses_add(struct sw_losses *losses, int64_t time_ns, uint64_t frames);
/* Frames lost between the two times. */
uint64_t sw_losses_between(const struct sw_losses *losses, int64_t from_ns, int64_t to_ns);

#endif
