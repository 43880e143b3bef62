/*
 * ahead.c - fetching ahead what will be needed soon. Connections are scattered over memory, and one
 * that has waited has left the caches: while another one is in work, its memory is on the way.
 */
#include "flow/internal.h"

#include "base/fetch.h"

void sw_flow_fetch(const struct sw_flow *flow)
{
    sw_fetch(flow, sizeof(*flow));
}

void sw_flow_fetch_body(const struct sw_flow *flow)
{
    const struct sw_flow_table *table = flow->table;
    sw_fetch(&table->entries[(uint32_t)flow->hash & table->entry_mask], 1);
    if (flow->resting)
        sw_fetch(flow->rest.bytes, flow->rest.length);
    else if (flow->body)
        sw_fetch(flow->body, sizeof(*flow->body));
}

void sw_flow_fetch_user(const struct sw_flow *flow)
{
    const struct sw_flow_sink *sink = &flow->table->sink;
    if (flow->user)
        sw_fetch(flow->user, flow->resting ? sink->rest_bytes : sink->user_bytes);
}

void sw_flow_table_fetch(const struct sw_flow_table *table, const struct sw_tuple *tuple)
{
    bool low;
    struct sw_flow_key key = sw_flow_key_of(tuple, &low);
    uint64_t hash = sw_flow_hash(&table->key, &key);
    sw_fetch(&table->entries[(uint32_t)hash & table->entry_mask], 1);
    sw_flow_fetch_tomb(table, &key);
}
