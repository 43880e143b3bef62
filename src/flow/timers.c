/*
 * timers.c - the heap of deadlines.
 *
 * What is compared stands in the heap itself, so that a step through it does not touch the
 * connections, which are scattered over memory. For the same reason nobody looks for the timer of a
 * connection that ends or plans anew: it stays where it is, and is dropped when it comes up and
 * does not hold.
 */
#include "flow/internal.h"

#include <stdlib.h>

enum { CHILDREN = 4, FIRST_ROOM = 256 };

static bool earlier(const struct sw_timer *a, const struct sw_timer *b)
{
    return a->deadline_ns != b->deadline_ns ? a->deadline_ns < b->deadline_ns
                                            : (int32_t)(a->serial - b->serial) < 0;
}

/* The connection that a timer was planned for, or NULL: it is gone. */
static struct sw_flow *flow_of(const struct sw_flow_table *table, const struct sw_timer *timer)
{
    struct sw_flow *flow = sw_flow_at(table, timer->place);
    return flow->serial != 0 && (uint32_t)flow->serial == timer->serial ? flow : NULL;
}

static bool holds(const struct sw_flow_table *table, const struct sw_timer *timer)
{
    const struct sw_flow *flow = flow_of(table, timer);
    return flow && flow->deadline_ns == timer->deadline_ns;
}

static void sift_up(struct sw_timer *heap, uint32_t at, struct sw_timer timer)
{
    while (at > 0 && earlier(&timer, &heap[(at - 1) / CHILDREN])) {
        heap[at] = heap[(at - 1) / CHILDREN];
        at = (at - 1) / CHILDREN;
    }
    heap[at] = timer;
}

static void sift_down(struct sw_timer *heap, uint32_t count, uint32_t at, struct sw_timer timer)
{
    for (;;) {
        uint32_t first = CHILDREN * at + 1;
        if (first >= count)
            break;
        uint32_t least = first;
        for (uint32_t i = first + 1; i < first + CHILDREN && i < count; i++)
            least = earlier(&heap[i], &heap[least]) ? i : least;
        if (!earlier(&heap[least], &timer))
            break;
        heap[at] = heap[least];
        at = least;
    }
    heap[at] = timer;
}

static void drop_first(struct sw_flow_table *table)
{
    struct sw_timer last = table->timers[--table->timer_count];
    if (table->timer_count > 0)
        sift_down(table->timers, table->timer_count, 0, last);
}

/* Drops all that do not hold. */
static void tidy(struct sw_flow_table *table)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < table->timer_count; i++) {
        if (holds(table, &table->timers[i]))
            table->timers[kept++] = table->timers[i];
    }
    table->timer_count = kept;
    for (uint32_t i = kept / CHILDREN + 1; i-- > 0;) {
        if (i < kept)
            sift_down(table->timers, kept, i, table->timers[i]);
    }
}

static bool make_room(struct sw_flow_table *table)
{
    if (table->timer_count < table->timer_room)
        return true;
    /* Half of them do not hold: to look at each is cheaper than to grow, and pays for itself. */
    if (table->timer_count / 2 > table->flows + FIRST_ROOM / 2) {
        tidy(table);
        return true;
    }
    uint32_t room = table->timer_room ? table->timer_room * 2 : (uint32_t)FIRST_ROOM;
    struct sw_timer *bigger = realloc(table->timers, room * sizeof(*bigger));
    if (!bigger)
        return false;
    *table->account += (room - table->timer_room) * sizeof(*bigger);
    table->timers = bigger;
    table->timer_room = room;
    return true;
}

bool sw_timers_plan(struct sw_flow_table *table, struct sw_flow *flow)
{
    if (!make_room(table))
        return false;
    sift_up(table->timers, table->timer_count++,
            (struct sw_timer){flow->deadline_ns, (uint32_t)flow->serial, flow->place});
    return true;
}

struct sw_flow *sw_timers_first(struct sw_flow_table *table)
{
    while (table->timer_count > 0 && !holds(table, &table->timers[0]))
        drop_first(table);
    return table->timer_count > 0 ? sw_flow_at(table, table->timers[0].place) : NULL;
}

uint32_t sw_timers_take(struct sw_flow_table *table, struct sw_timer *due, uint32_t most)
{
    uint32_t count = 0;
    int64_t tick_ns = table->timers[0].deadline_ns;
    while (count < most && table->timer_count > 0 && table->timers[0].deadline_ns == tick_ns) {
        due[count] = table->timers[0];
        sw_flow_fetch(sw_flow_at(table, due[count++].place));
        drop_first(table);
    }
    return count;
}

struct sw_flow *sw_timers_holder(const struct sw_flow_table *table, const struct sw_timer *timer)
{
    return holds(table, timer) ? sw_flow_at(table, timer->place) : NULL;
}

void sw_timers_later(struct sw_flow_table *table)
{
    struct sw_timer first = table->timers[0];
    first.deadline_ns = sw_flow_at(table, first.place)->deadline_ns;
    sift_down(table->timers, table->timer_count, 0, first);
}
