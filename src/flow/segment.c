/*
 * segment.c - reassembly: bytes of one direction in order, once, without a copy where that is
 * possible.
 */
#include "flow/fin.h"
#include "flow/internal.h"

static void tell_gap(struct sw_flow *flow, enum sw_side from, uint64_t length,
                     enum sw_gap_kind kind, struct sw_mark mark)
{
    struct sw_half *half = &flow->body->half[from];
    struct sw_half_facts *facts = &flow->body->facts.half[from];
    uint64_t offset = half->next;
    half->next += length;
    half->past_from = half->past_to = half->next;
    if (kind == SW_GAP_TRUNCATED) {
        facts->truncated_bytes += length;
    } else {
        facts->gap_bytes += length;
        facts->gap_count++;
        half->lost_from = half->lost_to == offset ? half->lost_from : offset;
        half->lost_to = half->next;
    }
    if (kind == SW_GAP_LIMIT)
        flow->body->facts.limit_hit = true;
    if (!flow->forgotten)
        flow->table->sink.gap(flow->table->sink.ctx, flow, from, offset, length, kind, mark);
}

static void conflict(struct sw_flow *flow, enum sw_side from, uint64_t offset,
                     struct sw_span second, struct sw_mark mark)
{
    flow->body->facts.conflicts++;
    if (!flow->forgotten)
        flow->table->sink.conflict(flow->table->sink.ctx, flow, from, offset, second, mark);
}

void sw_flow_pass_on(struct sw_flow *flow, enum sw_side from, struct sw_span bytes,
                     struct sw_mark mark)
{
    struct sw_half *half = &flow->body->half[from];
    struct sw_chunk chunk = {.from = from, .offset = half->next, .bytes = bytes, .mark = mark};
    sw_half_remember(flow, from, half->next, bytes);
    half->next += bytes.len;
    if (!flow->forgotten)
        flow->table->sink.chunk(flow->table->sink.ctx, flow, &chunk);
}

void sw_flow_miss(struct sw_flow *flow, enum sw_side from, uint32_t n_bytes, struct sw_mark mark)
{
    tell_gap(flow, from, n_bytes, SW_GAP_TRUNCATED, mark);
}

/* --- held bytes --- */

static void drop_held(struct sw_flow_table *table, struct sw_half *half, uint16_t at)
{
    half->held_bytes -= half->held[at].captured;
    table->held_bytes -= half->held[at].captured;
    sw_account_give(table->account, half->held[at].captured);
    sw_blocks_give(&table->blocks, half->held[at].bytes, half->held[at].captured);
    half->held_count--;
    memmove(&half->held[at], &half->held[at + 1], (half->held_count - at) * sizeof(*half->held));
}

void sw_half_free(struct sw_flow_table *table, struct sw_half *half)
{
    while (half->held_count > 0)
        drop_held(table, half, (uint16_t)(half->held_count - 1));
    *table->account -= half->held_room * sizeof(*half->held);
    sw_blocks_give(&table->blocks, half->held, half->held_room * sizeof(*half->held));
    half->held = NULL;
    half->held_room = 0;
    sw_half_free_past(table, half);
}

static bool insert_held(struct sw_flow *flow, struct sw_half *half, uint16_t at,
                        const struct sw_held *piece)
{
    struct sw_flow_table *table = flow->table;
    if (half->held_count >= table->limits.held_segments ||
        half->held_bytes + piece->captured > table->limits.held_per_side_bytes ||
        table->held_bytes + piece->captured > table->limits.held_total_bytes) {
        table->count.held_limit++;
        return false;
    }
    if (half->held_count == half->held_room) {
        uint16_t room = half->held_room ? (uint16_t)(half->held_room * 2) : 4;
        struct sw_held *more = sw_blocks_resize(
            &table->blocks, half->held, half->held_room * sizeof(*more), room * sizeof(*more));
        if (!more)
            return false;
        *table->account += (size_t)(room - half->held_room) * sizeof(*more);
        half->held = more;
        half->held_room = room;
    }
    uint8_t *copy = sw_blocks_take(&table->blocks, piece->captured);
    if (!copy)
        return false;
    if (piece->captured)
        memcpy(copy, piece->bytes, piece->captured);
    memmove(&half->held[at + 1], &half->held[at], (half->held_count - at) * sizeof(*half->held));
    half->held[at] = *piece;
    half->held[at].bytes = copy;
    half->held_count++;
    half->held_bytes += piece->captured;
    table->held_bytes += piece->captured;
    sw_account_take(table->account, piece->captured);
    return true;
}

static struct sw_span captured_part(const struct sw_held *piece, uint64_t from, uint64_t to)
{
    uint64_t start = from - piece->offset;
    uint64_t end = to - piece->offset;
    if (start >= piece->captured)
        return (struct sw_span){NULL, 0};
    if (end > piece->captured)
        end = piece->captured;
    return sw_span_make(piece->bytes + start, (size_t)(end - start));
}

static bool bytes_differ(struct sw_span a, struct sw_span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    return n > 0 && memcmp(a.ptr, b.ptr, n) != 0;
}

/* The first held piece that ends behind `offset`. */
static uint16_t held_behind(const struct sw_half *half, uint64_t offset)
{
    uint16_t from = 0;
    uint16_t to = half->held_count;
    while (from < to) {
        uint16_t middle = (uint16_t)(from + (to - from) / 2);
        if (half->held[middle].offset + half->held[middle].wire <= offset)
            from = (uint16_t)(middle + 1);
        else
            to = middle;
    }
    return from;
}

/*
 * Holds [piece->offset, +wire), around what is held already: of two copies the first one captured
 * stays. False when a cap was reached.
 */
static bool hold(struct sw_flow *flow, enum sw_side from, const struct sw_held *piece)
{
    struct sw_half *half = &flow->body->half[from];
    uint64_t at = piece->offset;
    uint64_t end = piece->offset + piece->wire;
    for (uint16_t i = held_behind(half, at); at < end; i++) {
        uint64_t stop = end;
        if (i < half->held_count) {
            struct sw_held *there = &half->held[i];
            if (there->doubtful && !piece->doubtful && at < there->offset + there->wire &&
                end > there->offset) { /* real bytes replace doubtful ones */
                drop_held(flow->table, half, i);
                i--;
                continue;
            }
            if (there->offset + there->wire <= at)
                continue;
            if (there->offset <= at) { /* they overlap: compare, keep the old one */
                uint64_t both =
                    there->offset + there->wire < end ? there->offset + there->wire : end;
                if (bytes_differ(captured_part(there, at, both), captured_part(piece, at, both)))
                    conflict(flow, from, at, captured_part(piece, at, both), piece->mark);
                at = both;
                continue;
            }
            stop = there->offset < end ? there->offset : end;
        }
        struct sw_held part = *piece;
        struct sw_span bytes = captured_part(piece, at, stop);
        part.offset = at;
        part.fin = piece->fin && stop == end;
        part.wire = (uint32_t)(stop - at);
        part.captured = (uint32_t)bytes.len;
        union { /* the copy is made from it; nothing is written through it */
            const uint8_t *read;
            uint8_t *write;
        } alias = {.read = bytes.ptr};
        part.bytes = alias.write;
        if (!insert_held(flow, half, i, &part))
            return false;
        at = stop;
    }
    return true;
}

/* --- passing on --- */

static bool depends_on_missing(const struct sw_flow *flow, enum sw_side from, uint64_t needs)
{
    const struct sw_half *peer = &flow->body->half[sw_side_other(from)];
    if (!peer->based || needs <= peer->next)
        return false;
    bool complete = peer->has_fin && peer->next >= peer->fin_offset; /* the FIN counts one */
    return !complete && flow->body->facts.half[sw_side_other(from)].seen;
}

/* Passes on what has become contiguous; true when anything moved. */
static bool pass_on_side(struct sw_flow *flow, enum sw_side from)
{
    struct sw_half *half = &flow->body->half[from];
    bool moved = false;
    while (half->held_count > 0) {
        struct sw_held *first = &half->held[0];
        if (first->offset + first->wire <= half->next) { /* overtaken by a gap */
            drop_held(flow->table, half, 0);
            continue;
        }
        bool not_yet = first->offset > half->next || depends_on_missing(flow, from, first->needs) ||
                       (first->doubtful && half->acked < first->offset + first->wire);
        if (not_yet)
            break;
        struct sw_held piece = *first; /* the sink may bring in more; take it out first */
        uint64_t skip = half->next - piece.offset;
        half->held_count--;
        memmove(&half->held[0], &half->held[1], half->held_count * sizeof(*half->held));
        half->held_bytes -= piece.captured;
        flow->table->held_bytes -= piece.captured;
        sw_account_give(flow->table->account, piece.captured);
        struct sw_span bytes =
            sw_span_from(sw_span_make(piece.bytes, piece.captured), (size_t)skip);
        flow->body->facts.half[from].damaged += piece.damaged;
        sw_flow_deliver(flow, from, bytes, (uint32_t)(piece.wire - skip), piece.mark);
        sw_blocks_give(&flow->table->blocks, piece.bytes, piece.captured);
        if (piece.fin)
            sw_flow_take_fin(flow, from, half->next, piece.mark);
        moved = true;
    }
    if (half->acked <= half->next)
        half->waiting = false;
    sw_flow_tell_shut(flow, from);
    return moved;
}

/* Nothing is held, and no end is known that might have come. */
static inline bool has_passed_on(struct sw_half *half)
{
    if (half->held_count > 0 || half->has_fin)
        return false;
    if (half->acked <= half->next)
        half->waiting = false;
    return true;
}

static void pass_on(struct sw_flow *flow)
{
    struct sw_half *half = flow->body->half;
    bool moved = !has_passed_on(&half[SW_CLIENT]) || !has_passed_on(&half[SW_SERVER]);
    while (moved) {
        bool client = pass_on_side(flow, SW_CLIENT);
        bool server = pass_on_side(flow, SW_SERVER);
        moved = client || server;
    }
}

/* --- holes --- */

/* Is somebody's data waiting for bytes of this side? */
static bool needed_by_peer(const struct sw_flow *flow, enum sw_side from)
{
    const struct sw_half *peer = &flow->body->half[sw_side_other(from)];
    return peer->held_count > 0 &&
           depends_on_missing(flow, sw_side_other(from), peer->held[0].needs) &&
           peer->held[0].offset <= peer->next;
}

/* Does the peer have bytes of this side that are not here? What is here and only waits for the
 * other side is not missing. */
static bool is_missing_acked(const struct sw_half *half)
{
    return half->acked > half->next && (half->held_count == 0 || half->held[0].offset > half->next);
}

/*
 * Says that the bytes up to `to` are missing. What the peer sent in between, having got a part of
 * them, comes between the parts: who said what first is then as it was.
 */
static void tell_gap_in_steps(struct sw_flow *flow, enum sw_side from, uint64_t to,
                              struct sw_mark mark)
{
    const struct sw_half *half = &flow->body->half[from];
    const struct sw_half *peer = &flow->body->half[sw_side_other(from)];
    while (half->next < to) {
        uint64_t stop = to;
        bool ready = peer->held_count > 0 && peer->held[0].offset <= peer->next;
        if (ready && peer->held[0].needs > half->next && peer->held[0].needs < to)
            stop = peer->held[0].needs;
        tell_gap(flow, from, stop - half->next, SW_GAP_CAPTURE, mark);
        pass_on(flow);
    }
}

/* The peer has bytes that the capture lacks: the gap is certain, say it and go on. */
static void give_up_waiting(struct sw_flow *flow, enum sw_side from, struct sw_mark mark,
                            bool at_end)
{
    struct sw_half *half = &flow->body->half[from];
    uint64_t to = half->acked;
    bool data_above = half->held_count > 0 && half->held[0].offset > half->next;
    if (data_above && half->held[0].offset < to)
        to = half->held[0].offset;
    if (half->has_fin && to > half->fin_offset)
        to = half->fin_offset;
    /* One byte beyond everything seen may be a FIN that the capture lacks. */
    bool maybe_fin =
        !data_above && to == half->next + 1 && half->high <= half->next && !half->has_fin;
    if (maybe_fin) {
        half->waiting = false;
        sw_flow_take_unseen_fin(flow, from);
        pass_on(flow);
        return;
    }
    bool certain = data_above || half->has_fin || half->ack_repeats > 1 ||
                   needed_by_peer(flow, from) || at_end;
    if (to <= half->next || !certain)
        return;
    half->waiting = false;
    tell_gap_in_steps(flow, from, to, mark);
}

/* A capture of one side: nobody tells what was received, so what is above a hole goes on after a
 * while. */
static void go_on_one_sided(struct sw_flow *flow, enum sw_side from, struct sw_mark mark,
                            bool at_end)
{
    struct sw_half *half = &flow->body->half[from];
    enum { BYTES = 64 * 1024, SEGMENTS = 64 };
    bool blind = !flow->body->facts.half[sw_side_other(from)].seen;
    if (!blind || half->held_count == 0 || half->held[0].offset <= half->next)
        return;
    bool enough = half->held_bytes >= BYTES || half->held_count >= SEGMENTS ||
                  mark.time_ns - half->held[0].mark.time_ns >= 3 * SW_NS_PER_S;
    if (!enough && !at_end)
        return;
    tell_gap(flow, from, half->held[0].offset - half->next, SW_GAP_UNKNOWN, mark);
    pass_on(flow);
}

void sw_flow_waited_for(struct sw_flow *flow, enum sw_side side, struct sw_mark mark)
{
    struct sw_half *half = &flow->body->half[side];
    if (half->held_count > 0)
        go_on_one_sided(flow, side, mark, false);
    if (!is_missing_acked(half))
        return;
    if (!half->waiting) {
        half->waiting = true;
        half->wait_packets = 0;
        half->wait_since_ns = mark.time_ns;
        return;
    }
    if (++half->wait_packets > SW_WAIT_PACKETS || mark.time_ns - half->wait_since_ns > SW_WAIT_NS)
        give_up_waiting(flow, side, mark, false);
}

/* A cap on held bytes: what is missing is given up, what is held goes on. */
static void relieve(struct sw_flow *flow, enum sw_side from, struct sw_mark mark)
{
    struct sw_half *half = &flow->body->half[from];
    struct sw_half *peer = &flow->body->half[sw_side_other(from)];
    flow->body->facts.limit_hit = true;
    if (half->held_count == 0)
        return;
    if (half->held[0].offset > half->next)
        tell_gap(flow, from, half->held[0].offset - half->next, SW_GAP_LIMIT, mark);
    if (depends_on_missing(flow, from, half->held[0].needs)) {
        uint64_t to = half->held[0].needs;
        tell_gap(flow, sw_side_other(from), to - peer->next, SW_GAP_LIMIT, mark);
    }
    half->held[0].doubtful = false;
    pass_on(flow);
}

/*
 * The connection ends and nobody acknowledged the segment with the wrong checksum. A peer that was
 * heard later refused it; where it was not, the capture shows what was sent.
 */
static void settle_doubtful(struct sw_flow *flow, enum sw_side from)
{
    struct sw_half *half = &flow->body->half[from];
    struct sw_held *first = half->held_count > 0 ? &half->held[0] : NULL;
    if (!first || !first->doubtful || first->wire <= 1 || first->offset > half->next)
        return;
    bool heard = flow->body->facts.half[sw_side_other(from)].last.frame > first->mark.frame;
    if (!heard || half->acked > first->offset)
        first->doubtful = false;
}

void sw_flow_flush(struct sw_flow *flow, struct sw_mark mark)
{
    enum { ROUNDS = 200 }; /* every round takes at least one held piece or one gap away */
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t before = flow->body->half[0].next + flow->body->half[1].next;
        for (int side = 0; side < 2; side++) {
            if (is_missing_acked(&flow->body->half[side]))
                give_up_waiting(flow, (enum sw_side)side, mark, true);
            go_on_one_sided(flow, (enum sw_side)side, mark, true);
            settle_doubtful(flow, (enum sw_side)side);
        }
        pass_on(flow);
        if (flow->body->half[0].next + flow->body->half[1].next == before)
            break;
    }
}

/* --- one packet --- */

/* How far its sender had heard the other side. */
static uint64_t needs_of(const struct sw_half *peer, const struct sw_packet *packet)
{
    if (!(packet->tcp.flags & SW_TCP_ACK) || !peer->based)
        return 0;
    int64_t needs = seq_offset(packet->tcp.ack, peer->base, peer->next);
    if (needs <= 0)
        return 0;
    return peer->has_fin && (uint64_t)needs > peer->fin_offset ? peer->fin_offset : (uint64_t)needs;
}

/* The part of the payload behind its first `skip` bytes, as held bytes from stream offset `offset`
 * on. */
static struct sw_held piece_of(const struct sw_packet *packet, uint64_t skip, uint64_t offset,
                               uint64_t needs, struct sw_mark mark)
{
    struct sw_span bytes = sw_span_from(packet->payload, (size_t)skip);
    union {
        const uint8_t *read;
        uint8_t *write;
    } alias = {.read = bytes.ptr};
    return (struct sw_held){
        .offset = offset,
        .needs = needs,
        .wire = packet->payload_wire - (uint32_t)skip,
        .captured = (uint32_t)bytes.len,
        .mark = mark,
        .bytes = alias.write,
    };
}

/* Bytes that were passed on already are only compared. */
static void compare_old(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                        uint64_t offset, uint64_t skip, struct sw_mark mark)
{
    struct sw_span old = sw_span_sub(packet->payload, 0, (size_t)skip);
    if (sw_half_differs_from_past(&flow->body->half[from], offset, old))
        conflict(flow, from, offset, old, mark);
}

/* Passes on or holds what has not been passed on yet, from stream offset `at`. */
static void take_new(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                     uint64_t skip, uint64_t at, struct sw_mark mark)
{
    struct sw_half *half = &flow->body->half[from];
    const struct sw_half *peer = &flow->body->half[sw_side_other(from)];
    bool peer_closed_window = peer->zero_since_ns != SW_TIME_NONE;
    bool doubtful = peer_closed_window && packet->payload_wire == 1 && at == half->next;
    uint64_t needs = needs_of(peer, packet);
    half->probe_pending = peer_closed_window;
    if (at == half->next && half->held_count == 0 && !doubtful &&
        !depends_on_missing(flow, from, needs)) {
        sw_flow_deliver(flow, from, sw_span_from(packet->payload, (size_t)skip),
                        packet->payload_wire - (uint32_t)skip, mark);
        return;
    }
    struct sw_held piece = piece_of(packet, skip, at, needs, mark);
    piece.doubtful = doubtful;
    if (!hold(flow, from, &piece)) {
        relieve(flow, from, mark);
        (void)hold(flow, from, &piece); /* if it still does not fit, it is a hole like any other */
    }
}

void sw_flow_data(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                  int64_t offset, struct sw_mark mark)
{
    struct sw_half *half = &flow->body->half[from];
    uint32_t wire = packet->payload_wire;
    int64_t end = offset + wire;
    if (sw_flow_is_keepalive(half, packet, offset)) {
        bool probe = flow->body->half[sw_side_other(from)].zero_since_ns != SW_TIME_NONE;
        if (!probe && (wire == 1 || half->next > 0))
            flow->body->facts.half[from].keepalives++;
        half->probe_pending = probe;
        return;
    }
    if (flow->body->facts.half[from].fin_unseen && end >= 0)
        sw_flow_doubt_unseen_fin(flow, from, packet, (uint64_t)end, mark);
    if (packet->tcp.flags & SW_TCP_FIN && !half->has_fin)
        flow->body->facts.half[from].fin_ahead = depends_on_missing(
            flow, from, needs_of(&flow->body->half[sw_side_other(from)], packet));
    if (packet->tcp.flags & SW_TCP_FIN && end >= 0)
        sw_flow_take_fin(flow, from, (uint64_t)end, mark);
    if (wire > 0 && end > 0) {
        uint64_t begin = offset < 0 ? 0 : (uint64_t)offset;
        uint64_t skip = offset < (int64_t)half->next ? (uint64_t)((int64_t)half->next - offset) : 0;
        sw_flow_note_segment(flow, from, begin, (uint64_t)end, mark);
        if (begin < half->lost_to && (uint64_t)end > half->lost_from)
            flow->body->facts.half[from].came_late++;
        if (skip > 0 && offset >= 0)
            compare_old(flow, from, packet, begin, skip < wire ? skip : wire, mark);
        if (skip < wire)
            take_new(flow, from, packet, skip, half->next > begin ? half->next : begin, mark);
    }
    pass_on(flow);
}

void sw_flow_doubtful_data(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                           int64_t offset, struct sw_mark mark)
{
    enum { AHEAD = 256 * 1024 }; /* further ahead the sequence number itself is damaged */
    struct sw_half *half = &flow->body->half[from];
    const struct sw_half *peer = &flow->body->half[sw_side_other(from)];
    uint64_t top = half->high > half->next ? half->high : half->next;
    if (offset < (int64_t)half->next || offset > (int64_t)top + AHEAD ||
        sw_flow_is_keepalive(half, packet, offset))
        return;
    uint64_t at = (uint64_t)offset;
    struct sw_held piece = piece_of(packet, 0, at, needs_of(peer, packet), mark);
    piece.doubtful = piece.damaged = true;
    piece.fin = packet->tcp.flags & SW_TCP_FIN;
    if (piece.needs > peer->next && piece.needs > peer->high)
        piece.needs = peer->next;
    sw_flow_note_segment(flow, from, at, at + piece.wire, mark);
    (void)hold(flow, from, &piece); /* what does not fit is sent again, or a hole like any other */
    pass_on(flow);
}
