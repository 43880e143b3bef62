#include "base/numbered.h"

#include "base/fetch.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#define ALL_TAKEN (UINT32_MAX >> (32 - SW_SHELF_THINGS))

static size_t shelf_bytes(const struct sw_numbered *things)
{
    size_t bytes = SW_SHELF_THINGS * things->thing_bytes;
    return (bytes + SW_CACHE_LINE - 1) / SW_CACHE_LINE * SW_CACHE_LINE;
}

/* One more shelf, the first with room now. */
static bool add_shelf(struct sw_numbered *things)
{
    if (things->count >= SW_NUMBERED_MOST / SW_SHELF_THINGS)
        return false;
    if (things->count == things->room) {
        uint32_t room = things->room ? things->room * 2 : 16;
        struct sw_shelf *shelves = realloc(things->shelves, room * sizeof(*shelves));
        if (!shelves)
            return false;
        things->shelves = shelves;
        things->room = room;
    }
    things->shelves[things->count++] = (struct sw_shelf){.things = NULL};
    things->with_room = things->count;
    return true;
}

static void free_shelf(struct sw_numbered *things, struct sw_shelf *shelf)
{
    if (!shelf->things)
        return;
    free(shelf->things);
    shelf->things = NULL;
    things->memory_bytes -= shelf_bytes(things);
}

uint32_t sw_numbered_take(struct sw_numbered *things)
{
    if (!things->with_room && !add_shelf(things))
        return 0;
    uint32_t at = things->with_room - 1;
    struct sw_shelf *shelf = &things->shelves[at];
    if (!shelf->things) {
        shelf->things = aligned_alloc(SW_CACHE_LINE, shelf_bytes(things));
        if (!shelf->things)
            return 0;
        things->memory_bytes += shelf_bytes(things);
    }
    uint32_t place = (uint32_t)__builtin_ctz(~shelf->taken);
    shelf->taken |= UINT32_C(1) << place;
    if (shelf->taken == ALL_TAKEN)
        things->with_room = shelf->next_with_room;
    return at * SW_SHELF_THINGS + place + 1;
}

void sw_numbered_give(struct sw_numbered *things, uint32_t number)
{
    uint32_t at = (number - 1) / SW_SHELF_THINGS;
    uint32_t place = (number - 1) % SW_SHELF_THINGS;
    struct sw_shelf *shelf = &things->shelves[at];
    assert(number > 0 && at < things->count && (shelf->taken >> place & 1));
    bool was_full = shelf->taken == ALL_TAKEN;
    shelf->taken &= ~(UINT32_C(1) << place);
    if (was_full) {
        struct sw_shelf *first = things->with_room ? &things->shelves[things->with_room - 1] : NULL;
        if (first && first->taken == 0)
            free_shelf(things, first);
        shelf->next_with_room = things->with_room;
        things->with_room = at + 1;
    } else if (shelf->taken == 0 && things->with_room != at + 1) {
        free_shelf(things, shelf);
    }
}

void sw_numbered_release(struct sw_numbered *things)
{
    for (uint32_t i = 0; i < things->count; i++)
        free(things->shelves[i].things);
    free(things->shelves);
    *things = (struct sw_numbered){.thing_bytes = things->thing_bytes};
}
