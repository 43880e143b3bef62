/*
 * take.c - one packet of a connection: is it a copy, can it be believed, and what does it bring.
 */
#include "flow/internal.h"

/*
 * A wrong checksum means damage on the way, or a capture whose addresses or texts were rewritten
 * afterwards. Where no right one was seen, it is the latter; where some are right, what the peer
 * does tells. Without the peer's side nobody tells, and the segment is taken.
 */
static bool is_doubtful(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet)
{
    struct sw_half *half = &flow->body->half[from];
    struct sw_half_facts *facts = &flow->body->facts.half[from];
    if (packet->payload_wire == 0) { /* only a SYN brings its bytes along */
        facts->checksums_right =
            facts->checksums_right || (packet->segment.len > 0 && !sw_packet_is_damaged(packet));
        return false;
    }
    if (!sw_packet_is_damaged(packet)) {
        half->checksum_good = facts->checksums_right = true;
        return false;
    }
    flow->table->count.bad_checksum++;
    if (half->checksum_good && flow->body->facts.half[sw_side_other(from)].seen)
        return true;
    facts->first_wrong = facts->first_wrong || facts->bytes == 0;
    half->wrong_before += !half->checksum_good;
    return false;
}

/* Takes of a doubtful segment what is plausible: an acknowledgement of bytes that were seen, and
 * its payload if the peer acknowledges that. */
static void take_doubtful(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                          struct sw_mark mark)
{
    struct sw_half *half = &flow->body->half[from];
    const struct sw_half *peer = &flow->body->half[sw_side_other(from)];
    if (!half->based || (packet->tcp.flags & (SW_TCP_SYN | SW_TCP_RST)))
        return;
    if ((packet->tcp.flags & SW_TCP_ACK) && peer->based) {
        int64_t acked = seq_offset(packet->tcp.ack, peer->base, peer->next);
        if (acked <= (int64_t)peer->high + (peer->has_fin ? 1 : 0))
            sw_flow_acknowledge(flow, from, packet, mark);
    }
    int64_t offset = seq_offset(packet->tcp.seq, half->base, half->next);
    sw_flow_doubtful_data(flow, from, packet, offset, mark);
}

/* A RST acknowledges what its sender has got (RFC 9293 3.5.2); that settles doubt. */
static void reset(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                  struct sw_mark mark)
{
    const struct sw_half *peer = &flow->body->half[sw_side_other(from)];
    sw_flow_rst(flow, from, packet, mark);
    if (flow->dead && (packet->tcp.flags & SW_TCP_ACK) && peer->held_count > 0 &&
        peer->held[0].doubtful)
        sw_flow_acknowledge(flow, from, packet, mark);
}

/*
 * The connection is up. A server whose SYN/ACK is not confirmed repeats it after a second (RFC 6298
 * 2.1; formerly three): where nothing of that is seen for longer, the confirmation came soon after
 * it, and the capture lacks it.
 */
static void note_established(struct sw_flow_facts *f, struct sw_mark mark)
{
    const int64_t repetition_due_ns = 3 * SW_NS_PER_S;
    struct sw_mark accepted = f->last_syn_ack.frame ? f->last_syn_ack : f->syn_ack;
    bool late = accepted.frame && mark.time_ns - accepted.time_ns > repetition_due_ns;
    f->established = late ? accepted : mark;
}

static void take_segment(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                         struct sw_mark mark)
{
    struct sw_half *half = &flow->body->half[from];
    uint8_t flags = packet->tcp.flags;
    if (flags & SW_TCP_SYN)
        sw_flow_syn(flow, from, packet, mark);
    if (flags & SW_TCP_RST) {
        reset(flow, from, packet, mark);
        return;
    }
    if (!half->based) {
        half->based = true;
        half->base = packet->tcp.seq;
    }
    if (flags & SW_TCP_ACK)
        sw_flow_acknowledge(flow, from, packet, mark);
    struct sw_flow_facts *f = &flow->body->facts;
    /* a client that confirms has seen the SYN/ACK, be that in the capture or not */
    bool handshake_done = from == SW_CLIENT && (flags & (SW_TCP_ACK | SW_TCP_SYN)) == SW_TCP_ACK &&
                          (f->syn_ack.frame || f->syn.frame);
    bool data =
        packet->payload_wire > 0 && !(flags & SW_TCP_SYN); /* RFC 7413: a SYN may bring some */
    if (!f->established.frame && (handshake_done || data))
        note_established(f, mark);
    uint32_t seq = packet->tcp.seq + (flags & SW_TCP_SYN ? 1 : 0);
    int64_t offset = seq_offset(seq, half->base, half->next);
    if (packet->payload_wire > 0 || (flags & SW_TCP_FIN) || offset == (int64_t)half->next - 1)
        sw_flow_data(flow, from, packet, offset, mark);
}

/* The long way, of any packet that is no copy. */
static void take_any(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                     bool doubtful, struct sw_mark mark)
{
    bool only_reuse =
        flow->body->reuse && (packet->tcp.flags & (SW_TCP_SYN | SW_TCP_ACK)) == SW_TCP_SYN;
    sw_flow_note(flow, from, packet, mark);
    if (doubtful)
        take_doubtful(flow, from, packet, mark);
    else if (!only_reuse)
        take_segment(flow, from, packet, mark);
    sw_flow_waited(flow, mark);
    flow->body->even = sw_flow_is_even(flow);
}

bool sw_flow_take(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                  struct sw_mark mark)
{
    struct sw_flow_table *table = flow->table;
    sw_flow_note_path(flow, from, packet);
    if (packet->conflicting)
        flow->body->facts.conflicts++;
    if (sw_flow_is_copy(&flow->body->half[from], packet, mark.time_ns)) {
        table->count.duplicates++;
        flow->body->facts.half[from].duplicates++;
        return false;
    }
    bool has_sum = packet->payload_wire > 0 || packet->segment.len > 0;
    bool doubtful = has_sum && is_doubtful(flow, from, packet);
    if (doubtful || !sw_flow_take_expected(flow, from, packet, mark))
        take_any(flow, from, packet, doubtful, mark);
    return true;
}
