/*
 * fin.c - who closed, and when.
 */
#include "flow/fin.h"

void sw_flow_note_maybe_fin(struct sw_half *half, uint64_t offset, struct sw_mark mark)
{
    bool known = half->fin_mark.frame && half->fin_offset >= offset;
    if (known || half->has_fin || offset < half->high || offset < half->next)
        return;
    half->fin_offset = offset;
    half->fin_mark = mark;
}

/* The peer acknowledged this FIN before it was seen: it came before all that the peer said from
 * then on, its own close as well. */
static void note_confirmed(struct sw_flow *flow, enum sw_side from, uint64_t offset)
{
    const struct sw_half *half = &flow->body->half[from];
    struct sw_flow_facts *f = &flow->body->facts;
    if (!half->fin_mark.frame || half->fin_offset != offset)
        return;
    f->half[from].fin_confirmed = half->fin_mark.frame;
    if (f->closed_by == (int)sw_side_other(from) && f->closed.frame >= half->fin_mark.frame)
        f->closed_by = -1;
}

void sw_flow_take_fin(struct sw_flow *flow, enum sw_side from, uint64_t offset, struct sw_mark mark)
{
    struct sw_half *half = &flow->body->half[from];
    if (!half->has_fin) {
        note_confirmed(flow, from, offset);
        half->has_fin = true;
        half->fin_offset = offset;
        half->fin_mark = mark;
        if (half->acked > offset)
            half->acked = offset;
    }
    sw_flow_closing(flow, from, false, mark);
}

void sw_flow_take_unseen_fin(struct sw_flow *flow, enum sw_side from)
{
    struct sw_half *half = &flow->body->half[from];
    flow->body->facts.half[from].fin_unseen = true;
    sw_flow_take_fin(flow, from, half->next, half->fin_mark);
}

/* It comes after all, only later than what confirms it. */
static void see(struct sw_flow *flow, enum sw_side from, struct sw_mark mark)
{
    struct sw_flow_facts *f = &flow->body->facts;
    f->half[from].fin_unseen = false;
    f->half[from].fin = flow->body->half[from].fin_mark = mark;
    if (f->closed_by == (int)from && f->close == SW_CLOSE_FIN)
        f->closed = mark;
}

/* Of the ends that are left the first is the one that counts. */
static void close_anew(struct sw_flow *flow)
{
    struct sw_flow_facts *f = &flow->body->facts;
    struct sw_mark first = {0};
    enum sw_side side = SW_CLIENT;
    bool rst = false;
    for (unsigned i = 0; i < 4; i++) {
        const struct sw_half_facts *half = &f->half[i / 2];
        struct sw_mark end = i % 2 ? half->rst : half->fin;
        if (!end.frame || (first.frame && first.frame <= end.frame))
            continue;
        first = end;
        side = i / 2 ? SW_SERVER : SW_CLIENT;
        rst = i % 2;
    }
    f->closed_by = -1;
    f->closed = first;
    f->close = SW_CLOSE_OPEN;
    if (first.frame)
        sw_flow_closing(flow, side, rst, first);
}

/* It was a byte: others have come behind it. */
static void withdraw(struct sw_flow *flow, enum sw_side from)
{
    struct sw_half *half = &flow->body->half[from];
    struct sw_flow_facts *f = &flow->body->facts;
    half->has_fin = f->half[from].fin_unseen = false;
    f->half[from].fin = half->fin_mark = (struct sw_mark){0};
    f->half[from].fin_confirmed = 0;
    if (f->closed_by == (int)from && f->close == SW_CLOSE_FIN)
        close_anew(flow);
}

void sw_flow_doubt_unseen_fin(struct sw_flow *flow, enum sw_side from,
                              const struct sw_packet *packet, uint64_t end, struct sw_mark mark)
{
    if (packet->payload_wire > 0 && end > flow->body->half[from].fin_offset)
        withdraw(flow, from);
    else if (packet->tcp.flags & SW_TCP_FIN)
        see(flow, from, mark);
}

void sw_flow_tell_shut(struct sw_flow *flow, enum sw_side from)
{
    struct sw_half *half = &flow->body->half[from];
    bool unseen = flow->body->facts.half[from].fin_unseen; /* it may still turn out to be none */
    if (!half->has_fin || half->shut_told || half->next < half->fin_offset || unseen)
        return;
    half->shut_told = true;
    if (!flow->forgotten)
        flow->table->sink.shut(flow->table->sink.ctx, flow, from, false, half->fin_mark);
}
