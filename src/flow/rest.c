/*
 * rest.c - many connections that wait.
 *
 * A body is large and mostly empty. Those that were heard of last have it at hand; when there are
 * more of them, the one of which nothing was heard for longest, or nearly so, is squeezed, with
 * what hangs on it, until its next packet, or its end. Which one it is makes no difference to what
 * is told.
 */
#include "flow/internal.h"

#include "base/squeeze.h"

static const struct sw_flow_awake *in_turn(const struct sw_flow_table *table, uint32_t behind)
{
    return &table->awake[(table->awake_at + behind) % table->limits.awake];
}

static bool will_rest(const struct sw_flow_awake *place)
{
    return place->flow && place->flow->serial == place->serial && !place->flow->touched;
}

/* The turn of the next ones will come; nothing was heard of them for long. */
static void fetch_next(const struct sw_flow_table *table)
{
    const struct sw_flow_awake *soon = in_turn(table, 0);
    if (will_rest(soon))
        sw_flow_fetch_body(soon->flow);
    sw_flow_fetch(in_turn(table, 1)->flow);
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
            if (!other->dead && !other->ending && !sw_flow_is_closed(other)) /* about to end */
                (void)sw_flow_rest(other); /* without memory for that it stays as it is */
            break;
        }
        other->touched = false;
    }
    *place = (struct sw_flow_awake){flow, flow->serial};
    fetch_next(table);
}

/* --- what hangs on a direction: it moves behind the squeezed body --- */

enum { PACKED_PIECES = 16, PACKED_BYTES = 2048 }; /* what is held beyond that stays where it is */

/* What was taken off a direction. */
struct load {
    uint8_t *past;
    struct sw_held *held; /* NULL: nothing, or it stays */
    uint32_t past_room;
    uint16_t held_room;
};

static size_t past_bytes(const struct sw_half *half)
{
    return (size_t)(half->past_to - half->past_from);
}

static bool is_packed(const struct sw_half *half)
{
    return half->held_count > 0 && !half->held;
}

static size_t load_bytes(const struct sw_half *half)
{
    return past_bytes(half) + (is_packed(half) ? half->held_bytes : 0);
}

static struct load take_off(struct sw_half *half)
{
    struct load load = {.past = half->past, .past_room = half->past_room};
    half->past = NULL;
    half->past_room = 0;
    if (!load.past)
        half->past_from = half->past_to;
    if (half->held_count == 0 || half->held_count > PACKED_PIECES ||
        half->held_bytes > PACKED_BYTES)
        return load;
    load.held = half->held;
    load.held_room = half->held_room;
    half->held = NULL;
    half->held_room = 0;
    return load;
}

static void put_back(struct sw_half *half, const struct load *load)
{
    half->past = load->past;
    half->past_room = load->past_room;
    if (!load->held)
        return;
    half->held = load->held;
    half->held_room = load->held_room;
}

/* The held pieces without their bytes; returns the length. */
static size_t squeeze_pieces(const struct sw_half *half, const struct load *load, uint8_t *out)
{
    struct sw_held pieces[PACKED_PIECES];
    size_t n = half->held_count * sizeof(*pieces);
    if (!load->held)
        return 0;
    memcpy(pieces, load->held, n);
    for (uint16_t i = 0; i < half->held_count; i++)
        pieces[i].bytes = NULL;
    return sw_squeeze(pieces, n, out);
}

/* All bytes of a load, which is given back; returns how many. */
static size_t pack(struct sw_flow_table *table, struct sw_half *half, const struct load *load,
                   uint8_t *out)
{
    size_t length = past_bytes(half);
    if (length > 0)
        memcpy(out, load->past, length);
    *table->account -= load->past_room;
    sw_blocks_give(&table->blocks, load->past, load->past_room);
    for (uint16_t i = 0; load->held && i < half->held_count; i++) {
        const struct sw_held *piece = &load->held[i];
        if (piece->captured > 0)
            memcpy(out + length, piece->bytes, piece->captured);
        length += piece->captured;
        sw_account_give(table->account, piece->captured);
        sw_blocks_give(&table->blocks, piece->bytes, piece->captured);
    }
    *table->account -= load->held_room * sizeof(*load->held);
    sw_blocks_give(&table->blocks, load->held, load->held_room * sizeof(*load->held));
    return length;
}

/* The bytes of one piece; false without memory. */
static bool unpack_piece(struct sw_flow_table *table, struct sw_held *piece, const uint8_t *bytes)
{
    piece->bytes = sw_blocks_take(&table->blocks, piece->captured);
    if (!piece->bytes)
        return false;
    if (piece->captured > 0)
        memcpy(piece->bytes, bytes, piece->captured);
    sw_account_take(table->account, piece->captured);
    return true;
}

/* Holds again what was packed; what there is no memory for is lost. */
static void unpack_held(struct sw_flow *flow, struct sw_half *half, const struct sw_held *pieces,
                        const uint8_t *bytes)
{
    struct sw_flow_table *table = flow->table;
    uint16_t count = half->held_count;
    uint32_t lost = half->held_bytes;
    half->held = sw_blocks_take(&table->blocks, count * sizeof(*pieces));
    half->held_count = 0;
    half->held_room = half->held ? count : 0;
    *table->account += half->held_room * sizeof(*pieces);
    while (half->held && half->held_count < count) {
        struct sw_held *piece = &half->held[half->held_count];
        *piece = pieces[half->held_count];
        if (!unpack_piece(table, piece, bytes))
            break;
        bytes += piece->captured;
        lost -= piece->captured;
        half->held_count++;
    }
    if (half->held_count == count)
        return;
    half->held_bytes -= lost;
    table->held_bytes -= lost;
    table->count.held_limit++;
    flow->body->facts.limit_hit = true;
}

/* The load of a direction of a body that was squeezed. */
static void unpack(struct sw_flow *flow, struct sw_half *half, const struct sw_held *pieces,
                   const uint8_t *bytes)
{
    size_t past = past_bytes(half);
    sw_half_set_past(flow->table, half, bytes);
    if (is_packed(half))
        unpack_held(flow, half, pieces, bytes + past);
}

/* --- */

bool sw_flow_rest(struct sw_flow *flow)
{
    struct sw_flow_table *table = flow->table;
    struct sw_flow_body *body = flow->body;
    struct sw_half *half = body->half;
    struct sw_flow_rest rest = {
        .closed = sw_flow_is_closed(flow),
        .deadline_ns = sw_flow_real_deadline(flow),
        .first = body->facts.first,
        .last = body->facts.last,
    };
    uint8_t squeezed[SW_SQUEEZE_ROOM(sizeof(*body)) +
                     2 * SW_SQUEEZE_ROOM(PACKED_PIECES * sizeof(struct sw_held))];
    struct load loads[2] = {take_off(&half[0]), take_off(&half[1])};
    size_t length = sw_squeeze(body, sizeof(*body), squeezed);
    for (int side = 0; side < 2; side++)
        length += squeeze_pieces(&half[side], &loads[side], squeezed + length);
    rest.length = (uint32_t)(length + load_bytes(&half[0]) + load_bytes(&half[1]));
    rest.bytes = sw_blocks_take(&table->blocks, rest.length);
    if (!rest.bytes) {
        put_back(&half[0], &loads[0]);
        put_back(&half[1], &loads[1]);
        return false;
    }
    if (table->sink.rest)
        table->sink.rest(table->sink.ctx, flow);
    sw_account_take(table->account, rest.length);
    memcpy(rest.bytes, squeezed, length);
    for (int side = 0; side < 2; side++)
        length += pack(table, &half[side], &loads[side], rest.bytes + length);
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
    struct sw_held pieces[2][PACKED_PIECES];
    for (int side = 0; side < 2; side++) {
        if (is_packed(&body->half[side]))
            at += sw_unsqueeze(rest.bytes + at, pieces[side],
                               body->half[side].held_count * sizeof(struct sw_held));
    }
    for (int side = 0; side < 2; side++) {
        struct sw_half *half = &body->half[side];
        size_t n = load_bytes(half);
        unpack(flow, half, pieces[side], rest.bytes + at);
        at += n;
    }
    sw_account_give(table->account, rest.length);
    sw_blocks_give(&table->blocks, rest.bytes, rest.length); /* it may hold a login */
    flow->resting = false;
    if (!sw_flow_is_on_desk(flow))
        sw_flow_is_awake(flow);
    return true;
}

bool sw_flow_make_rest(struct sw_flow *flow)
{
    return !flow->ending && sw_flow_rest(flow);
}

void sw_flow_rest_on(struct sw_flow *flow)
{
    (void)sw_flow_rest(flow); /* without memory for that it stays awake, on the desk if need be */
}
