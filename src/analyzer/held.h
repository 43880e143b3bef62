/*
 * held.h - tries that are held until nothing that began earlier can still come, in the order of
 * their beginnings; private to the ledger.
 *
 * Most sessions become final in the order in which they began, so that a try mostly goes behind all
 * others: those stand in a run. The rest stands in a heap. Taking the first one out costs nothing
 * in the run and a logarithm in the heap, whatever the order they came in.
 */
#ifndef SW_ANALYZER_HELD_H
#define SW_ANALYZER_HELD_H

#include "analyzer/attempt.h"

/* A try with what orders it beside the pointer. */
struct sw_held_try {
    int64_t begin_ns;
    uint64_t serial;
    struct sw_attempt *attempt;
};

struct sw_held_list {
    struct sw_held_try *at;
    uint32_t count, room; /* a power of two, or 0 */
};

/* All zero: holds nothing. */
struct sw_held_tries {
    struct sw_held_list run; /* a ring that begins at `first` */
    struct sw_held_list heap;
    uint32_t first;
};

static inline uint32_t sw_held_count(const struct sw_held_tries *held)
{
    return held->run.count + held->heap.count;
}

/* Takes a try over; false without memory: then it is still the caller's. `serial`: in the order in
 * which they became final. */
bool sw_held_push(struct sw_held_tries *held, struct sw_attempt *attempt, uint64_t serial);
/* The one that began first (of one moment, with the smallest serial), or NULL. */
const struct sw_held_try *sw_held_first(const struct sw_held_tries *held);
/* One that comes soon, `n` behind the first of those that came in order; NULL: there are not so
 * many. For who wants to look ahead. */
static inline const struct sw_held_try *sw_held_ahead(const struct sw_held_tries *held, uint32_t n)
{
    return n < held->run.count ? &held->run.at[(held->first + n) & (held->run.room - 1)] : NULL;
}
/* Takes that one out; NULL when there is none. */
struct sw_attempt *sw_held_pop(struct sw_held_tries *held);
/* Gives the memory back; the tries in it are whose they were. */
void sw_held_release(struct sw_held_tries *held);

#endif
