#include "pipeline/losses.h"

#include "base/time.h"

#include <string.h>

/* The counters of a device are looked at every now and then: a loss may be so much older. */
#define BEFORE_NS SW_NS_PER_S

void sw_losses_add(struct sw_losses *losses, int64_t time_ns, uint64_t frames)
{
    struct sw_loss *list = losses->list;
    struct sw_loss *last = losses->count > 0 ? &list[losses->count - 1] : NULL;
    if (last && time_ns - BEFORE_NS <= last->to_ns) {
        last->frames += frames;
        last->to_ns = time_ns > last->to_ns ? time_ns : last->to_ns;
        return;
    }
    if (losses->count == SW_LOSSES_MAX) { /* the two oldest become one */
        list[1].from_ns = list[0].from_ns;
        list[1].frames += list[0].frames;
        memmove(&list[0], &list[1], (SW_LOSSES_MAX - 1) * sizeof(list[0]));
        losses->count--;
    }
    list[losses->count++] = (struct sw_loss){time_ns - BEFORE_NS, time_ns, frames};
}

uint64_t sw_losses_between(const struct sw_losses *losses, int64_t from_ns, int64_t to_ns)
{
    uint64_t frames = 0;
    for (unsigned i = losses->count; i > 0 && losses->list[i - 1].to_ns >= from_ns; i--)
        frames += losses->list[i - 1].from_ns <= to_ns ? losses->list[i - 1].frames : 0;
    return frames;
}
