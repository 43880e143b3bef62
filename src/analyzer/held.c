#include "analyzer/held.h"

#include <stdlib.h>

static bool earlier(const struct sw_held_try *a, const struct sw_held_try *b)
{
    if (a->begin_ns != b->begin_ns)
        return a->begin_ns < b->begin_ns;
    return a->serial < b->serial;
}

static struct sw_held_try *run_at(const struct sw_held_tries *held, uint32_t i)
{
    return &held->run.at[(held->first + i) & (held->run.room - 1)];
}

/* Room for one more. */
static bool grow(struct sw_held_list *list)
{
    if (list->count < list->room)
        return true;
    uint32_t room = list->room ? list->room * 2 : 64;
    struct sw_held_try *at = realloc(list->at, room * sizeof(*at));
    if (!at)
        return false;
    list->at = at;
    list->room = room;
    return true;
}

/* A full ring that grew goes on behind its old end, so what began again at 0 moves there. */
static bool grow_run(struct sw_held_tries *held)
{
    uint32_t old = held->run.room;
    if (!grow(&held->run))
        return false;
    if (held->run.room != old && held->first > 0)
        memcpy(held->run.at + old, held->run.at, held->first * sizeof(*held->run.at));
    return true;
}

static void sift_up(struct sw_held_list *heap, struct sw_held_try try)
{
    uint32_t at = heap->count++;
    while (at > 0 && earlier(&try, &heap->at[(at - 1) / 2])) {
        heap->at[at] = heap->at[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->at[at] = try;
}

static void sift_down(struct sw_held_list *heap)
{
    struct sw_held_try moved = heap->at[--heap->count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child + 1 < heap->count && earlier(&heap->at[child + 1], &heap->at[child]))
            child++;
        if (child >= heap->count || !earlier(&heap->at[child], &moved))
            break;
        heap->at[at] = heap->at[child];
        at = child;
    }
    heap->at[at] = moved;
}

bool sw_held_push(struct sw_held_tries *held, struct sw_attempt *attempt, uint64_t serial)
{
    struct sw_held_try try = {attempt->begin_ns, serial, attempt};
    if (held->run.count == 0 || earlier(run_at(held, held->run.count - 1), &try)) {
        if (!grow_run(held))
            return false;
        *run_at(held, held->run.count++) = try;
        return true;
    }
    if (!grow(&held->heap))
        return false;
    sift_up(&held->heap, try);
    return true;
}

static bool heap_is_first(const struct sw_held_tries *held)
{
    return held->heap.count > 0 &&
           (held->run.count == 0 || earlier(&held->heap.at[0], run_at(held, 0)));
}

const struct sw_held_try *sw_held_first(const struct sw_held_tries *held)
{
    if (heap_is_first(held))
        return &held->heap.at[0];
    return held->run.count > 0 ? run_at(held, 0) : NULL;
}

struct sw_attempt *sw_held_pop(struct sw_held_tries *held)
{
    const struct sw_held_try *first = sw_held_first(held);
    struct sw_attempt *attempt = first ? first->attempt : NULL;
    if (heap_is_first(held)) {
        sift_down(&held->heap);
    } else if (attempt) {
        held->first = (held->first + 1) & (held->run.room - 1);
        held->run.count--;
    }
    return attempt;
}

void sw_held_release(struct sw_held_tries *held)
{
    free(held->run.at);
    free(held->heap.at);
    *held = (struct sw_held_tries){.first = 0};
}
