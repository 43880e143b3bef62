/*
 * shed.c - which connection ends early when there is no room for all of them.
 */
#include "flow/internal.h"

#define YOUNG_NS SW_NS_PER_S

/* A closed connection that only waits for stragglers, or NULL: the deadlines of such are near. */
static struct sw_flow *lingering(struct sw_flow_table *table)
{
    struct sw_flow *flow;
    while ((flow = sw_timers_first(table))) {
        int64_t deadline = sw_flow_real_deadline(flow);
        if (deadline <= flow->deadline_ns)
            return flow->dead || sw_flow_is_closed(flow) ? flow : NULL;
        flow->deadline_ns = deadline;
        sw_timers_later(table);
    }
    return NULL;
}

/*
 * The connection that can best be spared: the oldest of the lowest rank. Every session begins as a
 * connection without data, so those that have only just begun are let be, unless most are such.
 */
static struct sw_flow *least_loss(const struct sw_flow_table *table)
{
    for (int rank = SW_FLOW_OTHER; rank < SW_FLOW_CARRYING; rank++) {
        const struct sw_flow_list *list = &table->lists[rank];
        bool flood = list->count > table->flows / 2;
        if (list->oldest &&
            (flood || table->now_ns - sw_flow_first(list->oldest).time_ns > YOUNG_NS))
            return list->oldest;
    }
    int rank = SW_FLOW_CARRYING;
    while (!table->lists[rank].oldest)
        rank--;
    return table->lists[rank].oldest;
}

/* What comes later of the one that is ended would be half a story; it is not looked at, unless
 * nothing was said before. True when something was lost. */
bool sw_flow_shed_one(struct sw_flow_table *table)
{
    struct sw_flow *flow = lingering(table);
    if (flow) {
        sw_flow_end(table, flow, (struct sw_mark){sw_flow_last(flow).frame, table->now_ns});
        return false;
    }
    flow = least_loss(table);
    if (sw_flow_wake(flow, true))
        flow->body->facts.limit_hit = true;
    if (flow->listed == SW_FLOW_OTHER || flow->listed == SW_FLOW_CARRYING)
        sw_flow_bury(table, flow, true);
    sw_flow_end(table, flow, (struct sw_mark){sw_flow_last(flow).frame, table->now_ns});
    return true;
}

bool sw_flow_table_shed(struct sw_flow_table *table)
{
    if (table->flows == 0)
        return false;
    table->count.shed_memory += sw_flow_shed_one(table);
    return true;
}

void sw_flow_shed_mute(struct sw_flow *flow)
{
    flow->sheds_mute = true;
}

/* A flood of connection requests must not drive out the connections that carry something: the
 * oldest that is not established goes, when there are too many of them. */
void sw_flow_shed_half_open(struct sw_flow_table *table)
{
    struct sw_flow *flow = table->lists[SW_FLOW_ASKING].oldest;
    if (flow->newer && flow->newer->newer) { /* their turns will come */
        sw_flow_fetch_body(flow->newer);
        sw_flow_fetch(flow->newer->newer);
    }
    table->count.shed_half_open++;
    if (flow->sheds_mute && !flow->body && !flow->resting) {
        sw_flow_remove(table, flow);
        return;
    }
    if (sw_flow_wake(flow, true))
        flow->body->facts.limit_hit = true;
    sw_flow_end(table, flow, (struct sw_mark){sw_flow_last(flow).frame, table->now_ns});
}
