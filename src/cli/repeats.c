#include "cli/repeats.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1024 };

/* Ids are hashes already: their bits are as good as any. */
static uint64_t *find(uint64_t *ids, size_t room, uint64_t id)
{
    size_t at = (size_t)id & (room - 1);
    while (ids[at] != 0 && ids[at] != id)
        at = (at + 1) & (room - 1);
    return &ids[at];
}

static bool grow(struct sw_repeats *repeats)
{
    size_t room = repeats->room ? 2 * repeats->room : FIRST_ROOM;
    uint64_t *ids = calloc(room, sizeof(*ids));
    if (!ids)
        return false;
    for (size_t i = 0; i < repeats->room; i++) {
        if (repeats->ids[i] != 0)
            *find(ids, room, repeats->ids[i]) = repeats->ids[i];
    }
    free(repeats->ids);
    repeats->ids = ids;
    repeats->room = room;
    return true;
}

void sw_repeats_note(struct sw_repeats *repeats, const char *id)
{
    uint64_t number = strtoull(id, NULL, 16);
    number += number == 0; /* which is free */
    if (2 * repeats->used >= repeats->room && !grow(repeats))
        return;
    uint64_t *slot = find(repeats->ids, repeats->room, number);
    if (*slot != 0)
        repeats->again++;
    else if (repeats->used < SW_REPEATS_IDS) {
        *slot = number;
        repeats->used++;
    }
}

void sw_repeats_release(struct sw_repeats *repeats)
{
    free(repeats->ids);
    *repeats = (struct sw_repeats){.ids = NULL};
}
