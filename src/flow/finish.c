/*
 * finish.c - the capture is over: every connection ends, in the order of their first frames.
 */
#include "flow/internal.h"

#include "base/sort.h"

#include <stdlib.h>

/* All connections in the order of their first frames; NULL without memory. */
static struct sw_sorted *in_order(const struct sw_flow_table *table)
{
    struct sw_sorted *order = malloc(((size_t)table->flows + 1) * sizeof(*order));
    size_t count = 0;
    struct sw_flow *flow = NULL;
    while (order && (flow = sw_flow_next_place(table, flow)))
        order[count++] = (struct sw_sorted){flow->serial, flow};
    if (order)
        sw_sort(order, count);
    return order;
}

/* Fetches what those that end soon will need. */
static void look_ahead(const struct sw_sorted *order, uint32_t at, uint32_t count)
{
    enum { SOON = 1, LATER = 4 };
    if (at + LATER < count)
        sw_flow_fetch(order[at + LATER].item);
    if (at + SOON < count)
        sw_flow_fetch_body(order[at + SOON].item);
}

void sw_flow_table_finish(struct sw_flow_table *table)
{
    uint32_t count = table->flows;
    struct sw_sorted *order = in_order(table);
    for (uint32_t i = 0; i < count; i++) {
        if (order) /* they are scattered over memory */
            look_ahead(order, i, count);
        struct sw_flow *flow = order ? order[i].item : sw_timers_first(table);
        sw_flow_end_soon(table, flow, (struct sw_mark){sw_flow_last(flow).frame, table->now_ns});
        if (!order) /* else the first timer would be of this one again */
            sw_flow_end_all(table);
        if (order && i + 1 < count)
            sw_flow_fetch_user(order[i + 1].item);
    }
    sw_flow_end_all(table);
    free(order);
}
