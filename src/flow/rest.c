/*
 * rest.c - many connections that wait.
 *
 * A body is large and mostly empty. Those that were heard of last have it at hand; when there are
 * more of them, the one of which nothing was heard for longest, or nearly so, is squeezed until its
 * next packet, or its end. Which one it is makes no difference to what is told.
 */
#include "flow/internal.h"

#include "base/squeeze.h"
#include "base/wipe.h"

#include <stdlib.h>

/* The turn of the next ones will come; nothing was heard of them for long. */
static void fetch_next(const struct sw_flow_table *table)
{
    const struct sw_flow_awake *soon = &table->awake[table->awake_at];
    const struct sw_flow_awake *later = &table->awake[(table->awake_at + 1) % table->limits.awake];
    if (soon->flow && soon->flow->serial == soon->serial && !soon->flow->touched)
        sw_flow_fetch_body(soon->flow);
    if (later->flow)
        sw_flow_fetch(later->flow);
}

void sw_flow_is_awake(struct sw_flow *flow)
{
    struct sw_flow_table *table = flow->table;
    struct sw_flow_awake *place;
    for (;;) { /* who was heard of since is passed over once */
        place = &table->awake[table->awake_at];
        table->awake_at = (table->awake_at + 1) % table->limits.awake;
        struct sw_flow *other = place->flow;
        if (!other || other == flow || other->serial != place->serial || !other->body)
            break;
        if (!other->touched) {
            if (!other->dead && !sw_flow_is_closed(other)) /* it is about to end */
                (void)sw_flow_rest(other); /* without memory for that it stays as it is */
            break;
        }
        other->touched = false;
    }
    *place = (struct sw_flow_awake){flow, flow->serial};
    fetch_next(table);
}

static size_t past_bytes(const struct sw_half *half)
{
    return half->past ? (size_t)(half->past_to - half->past_from) : 0;
}

/* What was passed on moves behind the squeezed body. */
static size_t put_past(struct sw_flow_table *table, struct sw_half *half, uint8_t *out)
{
    size_t n = past_bytes(half);
    if (n > 0)
        memcpy(out, half->past, n);
    sw_half_free_past(table, half);
    return n;
}

bool sw_flow_rest(struct sw_flow *flow)
{
    struct sw_flow_table *table = flow->table;
    struct sw_flow_body *body = flow->body;
    struct sw_flow_rest rest = {
        .closed = sw_flow_is_closed(flow),
        .deadline_ns = sw_flow_real_deadline(flow),
        .first = body->facts.first,
        .last = body->facts.last,
    };
    uint8_t squeezed[SW_SQUEEZE_ROOM(sizeof(*body))];
    size_t length = sw_squeeze(body, sizeof(*body), squeezed);
    rest.length = (uint32_t)(length + past_bytes(&body->half[0]) + past_bytes(&body->half[1]));
    rest.bytes = malloc(rest.length);
    if (!rest.bytes)
        return false;
    if (table->sink.rest)
        table->sink.rest(table->sink.ctx, flow);
    sw_account_take(table->account, rest.length);
    memcpy(rest.bytes, squeezed, length);
    for (int side = 0; side < 2; side++)
        length += put_past(table, &body->half[side], rest.bytes + length);
    flow->rest = rest;
    flow->resting = true;
    flow->body = NULL;
    sw_flow_body_give(table, body);
    return true;
}

bool sw_flow_end_rest(struct sw_flow *flow, bool to_end)
{
    struct sw_flow_table *table = flow->table;
    struct sw_flow_body *body = sw_flow_body_take(table, to_end);
    if (!body)
        return false;
    struct sw_flow_rest rest = flow->rest;
    size_t at = sw_unsqueeze(rest.bytes, body, sizeof(*body));
    flow->body = body;
    if (table->sink.wake && !table->sink.wake(table->sink.ctx, flow)) {
        flow->body = NULL;
        sw_flow_body_give(table, body);
        return false;
    }
    for (int side = 0; side < 2; side++) {
        struct sw_half *half = &body->half[side];
        size_t n = past_bytes(half);
        half->past = NULL;
        half->past_room = 0;
        sw_half_set_past(table, half, rest.bytes + at);
        at += n;
    }
    sw_account_give(table->account, rest.length);
    sw_wipe_free(rest.bytes, rest.length); /* it may hold a login */
    flow->resting = false;
    if (body != &table->desk)
        sw_flow_is_awake(flow);
    return true;
}

bool sw_flow_make_rest(struct sw_flow *flow)
{
    return sw_flow_rest(flow);
}

void sw_flow_rest_on(struct sw_flow *flow)
{
    (void)sw_flow_rest(flow); /* without memory for that it stays awake, on the desk if need be */
}
