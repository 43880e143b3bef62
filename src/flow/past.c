/*
 * past.c - what was passed on of a dialogue, so that a second copy can be compared with it.
 */
#include "flow/internal.h"

static void forget_past(struct sw_half *half, uint64_t offset)
{
    half->past_from = half->past_to = offset;
}

/* Room for n more bytes: grows with the dialogue, then gives up the older half. False when that is
 * not enough. */
static bool past_makes_room(struct sw_flow_table *table, struct sw_half *half, size_t n)
{
    size_t used = (size_t)(half->past_to - half->past_from);
    if (used + n <= half->past_room)
        return true;
    size_t room = half->past_room ? half->past_room : SW_PAST_FIRST_BYTES;
    while (room < used + n && room < SW_PAST_BYTES)
        room *= 2;
    if (room > half->past_room) {
        uint8_t *bigger = sw_blocks_take(&table->blocks, room);
        if (!bigger)
            return false;
        if (used > 0)
            memcpy(bigger, half->past, used);
        *table->account += room - half->past_room;
        sw_blocks_give(&table->blocks, half->past, half->past_room);
        half->past = bigger;
        half->past_room = (uint32_t)room;
    }
    if (used + n > room && used > 0) {
        size_t drop = used + n - room > used       ? used
                      : used + n - room > used / 2 ? used + n - room
                                                   : used / 2;
        memmove(half->past, half->past + drop, used - drop);
        half->past_from += drop;
        used -= drop;
    }
    return used + n <= room;
}

void sw_half_free_past(struct sw_flow_table *table, struct sw_half *half)
{
    *table->account -= half->past_room;
    sw_blocks_give(&table->blocks, half->past, half->past_room);
    half->past = NULL;
    half->past_room = 0;
}

void sw_half_set_past(struct sw_flow_table *table, struct sw_half *half, const uint8_t *bytes)
{
    size_t n = (size_t)(half->past_to - half->past_from);
    uint64_t from = half->past_from;
    uint64_t to = half->past_to;
    forget_past(half, from);
    if (n == 0 || !past_makes_room(table, half, n)) {
        forget_past(half, to);
        return;
    }
    memcpy(half->past, bytes, n);
    half->past_to = to;
}

void sw_half_remember(struct sw_flow *flow, enum sw_side from, uint64_t offset,
                      struct sw_span bytes)
{
    struct sw_half *half = &flow->body->half[from];
    bool dialogue = from == SW_SERVER || bytes.len <= SW_PAST_SEGMENT_BYTES;
    if (half->past_to != offset)
        forget_past(half, offset);
    if (!dialogue || bytes.len == 0 || !past_makes_room(flow->table, half, bytes.len)) {
        forget_past(half, offset + bytes.len);
        return;
    }
    memcpy(half->past + (half->past_to - half->past_from), bytes.ptr, bytes.len);
    half->past_to += bytes.len;
}

bool sw_half_differs_from_past(const struct sw_half *half, uint64_t offset, struct sw_span bytes)
{
    uint64_t from = offset > half->past_from ? offset : half->past_from;
    uint64_t to = offset + bytes.len < half->past_to ? offset + bytes.len : half->past_to;
    return from < to && memcmp(half->past + (from - half->past_from), bytes.ptr + (from - offset),
                               (size_t)(to - from)) != 0;
}
