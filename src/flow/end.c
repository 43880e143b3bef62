/*
 * end.c - connections that are over.
 *
 * Several end together: first all of them are told to the user, then the user does with all of them
 * what it does at an end, then they are freed. Each step is code that comes into the cache once for
 * all of them.
 */
#include "flow/internal.h"

static bool ended_by_icmp(const struct sw_flow *flow)
{
    const struct sw_flow_facts *f = &flow->body->facts;
    return f->icmp_count > 0 && !f->syn_ack.frame && !sw_flow_has_payload(flow);
}

/* The last that is known of it. */
static void close_facts(struct sw_flow *flow, struct sw_mark mark)
{
    struct sw_flow_facts *f = &flow->body->facts;
    if (!flow->forgotten)
        sw_flow_flush(flow, mark);
    sw_flow_settle(flow, mark);
    if (f->close == SW_CLOSE_OPEN && ended_by_icmp(flow))
        f->close = SW_CLOSE_ICMP;
    for (int side = SW_CLIENT; side <= SW_SERVER; side++) {
        f->half[side].based = flow->body->half[side].based;
        f->half[side].base = flow->body->half[side].base;
    }
}

/* Those that end together are in nobody's way but each other's. */
static bool wake(struct sw_flow_table *table, struct sw_flow *flow)
{
    if (table->ending_count == SW_ENDING)
        sw_flow_end_all(table);
    if (sw_flow_wake(flow, true))
        return true;
    if (table->ending_count == 0)
        return false;
    sw_flow_end_all(table);
    return sw_flow_wake(flow, true);
}

void sw_flow_end_soon(struct sw_flow_table *table, struct sw_flow *flow, struct sw_mark mark)
{
    if (!wake(table, flow)) { /* no memory to say anything about it */
        sw_flow_remove(table, flow);
        return;
    }
    flow->ending = true;
    close_facts(flow, mark);
    if (!flow->forgotten)
        table->sink.end(table->sink.ctx, flow, mark);
    table->ending[table->ending_count++] = flow;
}

void sw_flow_end_all(struct sw_flow_table *table)
{
    if (table->sink.ended && table->ending_count > 0)
        table->sink.ended(table->sink.ctx);
    for (uint32_t i = 0; i < table->ending_count; i++) {
        struct sw_flow *flow = table->ending[i];
        if (flow->body->facts.closed_by >= 0)
            sw_flow_bury(table, flow, false);
        sw_flow_remove(table, flow);
    }
    table->ending_count = 0;
}

void sw_flow_end(struct sw_flow_table *table, struct sw_flow *flow, struct sw_mark mark)
{
    sw_flow_end_soon(table, flow, mark);
    sw_flow_end_all(table);
}

enum { BODY_AHEAD = 3, USER_AHEAD = 2 };

static void fetch_body(const struct sw_flow_table *table, const struct sw_timer *timer)
{
    const struct sw_flow *flow = sw_timers_holder(table, timer);
    if (flow)
        sw_flow_fetch_body(flow);
}

static void fetch_user(const struct sw_flow_table *table, const struct sw_timer *timer)
{
    const struct sw_flow *flow = sw_timers_holder(table, timer);
    if (flow)
        sw_flow_fetch_user(flow);
}

/* While one is in work the memory of the next ones is on its way. */
static void look_ahead(const struct sw_flow_table *table, const struct sw_timer *due, uint32_t left)
{
    if (left > USER_AHEAD)
        fetch_user(table, due + USER_AHEAD);
    if (left > BODY_AHEAD)
        fetch_body(table, due + BODY_AHEAD);
}

/* The first ones have nobody before them. */
static void fetch_first(const struct sw_flow_table *table, const struct sw_timer *due,
                        uint32_t count)
{
    for (uint32_t i = 0; i < BODY_AHEAD && i < count; i++)
        fetch_body(table, &due[i]);
    for (uint32_t i = 0; i < USER_AHEAD && i < count; i++)
        fetch_user(table, &due[i]);
}

static void fire(struct sw_flow_table *table, const struct sw_timer *timer)
{
    struct sw_flow *flow = sw_timers_holder(table, timer);
    if (!flow || flow->ending)
        return;
    int64_t deadline = sw_flow_real_deadline(flow);
    if (deadline > flow->deadline_ns) {
        flow->deadline_ns = deadline;
        (void)sw_timers_plan(table, flow); /* there is room: the one that fires was taken out */
        return;
    }
    bool awake = wake(table, flow);
    if (awake && flow->body->facts.close == SW_CLOSE_OPEN && !ended_by_icmp(flow))
        flow->body->facts.close = SW_CLOSE_TIMEOUT;
    sw_flow_end_soon(table, flow, (struct sw_mark){sw_flow_last(flow).frame, flow->deadline_ns});
}

void sw_flow_fire_timers(struct sw_flow_table *table, int64_t now_ns)
{
    struct sw_timer due[SW_ENDING];
    while (table->timer_count > 0 && table->timers[0].deadline_ns <= now_ns) {
        uint32_t count = sw_timers_take(table, due, SW_ENDING);
        fetch_first(table, due, count);
        for (uint32_t i = 0; i < count; i++) {
            look_ahead(table, due + i, count - i);
            fire(table, &due[i]);
        }
        sw_flow_end_all(table);
    }
}
