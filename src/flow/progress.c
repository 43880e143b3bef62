/*
 * progress.c - what segments and acknowledgements tell: sent again or out of order, how large a
 * segment gets through, how far the peer has got.
 */
#include "flow/fin.h"
#include "flow/internal.h"

#define REORDER_NS (3 * SW_NS_PER_MS) /* later than that a hole is filled by a retransmission */
#define FAST_NS (20 * SW_NS_PER_MS)   /* a fast one follows the acknowledgements closely */

enum { FAST_AFTER_DUPLICATES = 2, FAR = 1 << 30 };

static bool is_sacked(const struct sw_half *peer, const struct sw_tcp_header *tcp,
                      const struct sw_sent *sent)
{
    for (uint8_t i = 0; i < tcp->sack_count; i++) {
        int64_t left = seq_offset(tcp->sack[i].left, peer->base, peer->next);
        int64_t right = seq_offset(tcp->sack[i].right, peer->base, peer->next);
        if (left <= (int64_t)(sent->end - sent->bytes) && (int64_t)sent->end <= right)
            return true;
    }
    return false;
}

/* Bytes behind the first missing one (RFC 2018); below it they would only be news of a duplicate
 * (RFC 2883). */
static bool sacks_beyond(const struct sw_half *peer, const struct sw_tcp_header *tcp)
{
    for (uint8_t i = 0; i < tcp->sack_count; i++) {
        int64_t left = seq_offset(tcp->sack[i].left, peer->base, peer->next);
        if (left > (int64_t)peer->acked)
            return true;
    }
    return false;
}

/* Which sizes get through? */
static void settle_sent(struct sw_half *peer, struct sw_half_facts *facts,
                        const struct sw_tcp_header *tcp)
{
    for (uint8_t open = peer->sent_open, bit; open != 0; open ^= bit) {
        bit = (uint8_t)(open & -open);
        const struct sw_sent *sent = &peer->sent[__builtin_ctz(bit)];
        if (sent->end > peer->acked && !is_sacked(peer, tcp, sent))
            continue;
        if (sent->bytes > facts->max_acked_payload)
            facts->max_acked_payload = sent->bytes;
        peer->sent_open ^= bit;
    }
}

/* The peer has everything below `acked`, which is more than it had. */
static void take_progress(struct sw_flow_facts *f, enum sw_side other, struct sw_half *peer,
                          uint64_t acked, struct sw_mark mark)
{
    peer->acked = acked;
    peer->dup_acks = 0;
    sw_mark_set(&f->half[sw_side_other(other)].last_ack_progress, mark);
    sw_mark_set(&f->half[other].front, mark);
    f->half[other].sacked.frame = 0;
    if (acked > peer->rto_offset)
        peer->rto_count = 0;
}

void sw_flow_acknowledge(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                         struct sw_mark mark)
{
    enum sw_side other = sw_side_other(from);
    struct sw_half *peer = &flow->body->half[other];
    if (!peer->based) { /* that side's packets are missing so far; this is where its stream stands
                         */
        peer->based = true;
        peer->base = packet->tcp.ack;
        return;
    }
    int64_t offset = seq_offset(packet->tcp.ack, peer->base, peer->next);
    if (offset < 0 || offset > (int64_t)peer->next + FAR)
        return;
    uint64_t acked = (uint64_t)offset;
    if (peer->has_fin && acked > peer->fin_offset)
        acked = peer->fin_offset; /* the FIN counts one */
    if (acked > peer->high && acked > peer->next) {
        peer->ack_repeats++;
        sw_flow_note_maybe_fin(peer, acked - 1, mark);
    }
    bool bare = packet->payload_wire == 0 && !(packet->tcp.flags & (SW_TCP_SYN | SW_TCP_FIN));
    if (acked == peer->acked && bare && peer->high > acked) {
        peer->dup_acks++;
        peer->dup_ack_ns = mark.time_ns;
    }
    if (acked > peer->acked) {
        take_progress(&flow->body->facts, other, peer, acked, mark);
    } else if (packet->tcp.sack_count == 0) {
        return;
    }
    if (sacks_beyond(peer, &packet->tcp))
        flow->body->facts.half[other].sacked = mark;
    settle_sent(peer, &flow->body->facts.half[other], &packet->tcp);
}

/* Keep-alives and window probes carry at most one byte that is no data (RFC 9293 3.8.4, RFC
 * 1122 4.2.3.6). */
bool sw_flow_is_keepalive(const struct sw_half *half, const struct sw_packet *packet,
                          int64_t offset)
{
    return packet->payload_wire <= 1 && offset == (int64_t)half->next - 1 &&
           !(packet->tcp.flags & (SW_TCP_SYN | SW_TCP_FIN | SW_TCP_RST)) &&
           half->high <= half->next;
}

/* The bytes of [begin, end) that no segment has brought yet; *first: among them is the first. */
static uint64_t unseen(const struct sw_half *half, uint64_t begin, uint64_t end, bool *first)
{
    uint64_t at = begin > half->next ? begin : half->next;
    uint64_t fresh = end > at ? end - at : 0;
    *first = at == begin && fresh > 0;
    for (uint16_t i = 0; i < half->held_count && half->held[i].offset < end; i++) {
        uint64_t from = half->held[i].offset;
        uint64_t to = from + half->held[i].wire;
        if (to <= at)
            continue;
        *first = *first && from > begin;
        fresh -= (to < end ? to : end) - (from > at ? from : at);
    }
    return fresh;
}

static void count_repeat(struct sw_half *half, struct sw_half_facts *facts, uint64_t begin,
                         uint64_t end, struct sw_mark mark)
{
    facts->retransmissions++;
    if (end <= half->acked)
        facts->spurious_retransmissions++;
    bool fast = half->dup_acks >= FAST_AFTER_DUPLICATES && begin == half->acked &&
                mark.time_ns - half->dup_ack_ns <= FAST_NS;
    if (fast)
        facts->fast_retransmissions++;
    if (half->rto_count > 0 && half->rto_offset == begin) {
        half->rto_count++;
    } else {
        half->rto_offset = begin;
        half->rto_count = 1;
        facts->rto_first = mark;
    }
    facts->rto_last = mark;
    facts->rto_bytes = (uint32_t)(end - begin);
    if (half->rto_count > facts->rto_chain)
        facts->rto_chain = half->rto_count;
}

/* A sender that takes the peer's window for what it is without its scale (RFC 7323 2.2) stops
 * exactly there. Only windows that do not even hold one segment are told from a coincidence. */
static void note_flight(struct sw_flow *flow, enum sw_side from, uint64_t begin)
{
    struct sw_half *half = &flow->body->half[from];
    const struct sw_half *peer = &flow->body->half[sw_side_other(from)];
    enum { LEAST_MSS = 536 };
    uint16_t mss = flow->body->facts.half[sw_side_other(from)].mss;
    bool scaled = half->has_scale && peer->has_scale && peer->scale > 0;
    bool small = peer->window > 0 && peer->window < (mss ? mss : LEAST_MSS);
    if (scaled && small && half->high - half->acked == peer->window && begin >= half->acked)
        flow->body->facts.half[from].window_unscaled++;
}

/* A segment no larger than one that was acknowledged would tell nothing. */
static inline void note_sent(struct sw_half *half, struct sw_half_facts *facts, uint64_t end,
                             uint32_t bytes)
{
    if (bytes <= facts->max_acked_payload)
        return;
    if (bytes > facts->max_payload)
        facts->max_payload = bytes;
    half->sent[half->sent_at] = (struct sw_sent){end, bytes};
    half->sent_open |= (uint8_t)(1U << half->sent_at);
    half->sent_at = (uint8_t)((half->sent_at + 1) % SW_SENT);
}

/* `fresh` bytes of [begin, end) are new. */
static inline void note_fresh(struct sw_flow *flow, enum sw_side from, uint64_t begin, uint64_t end,
                              uint64_t fresh, struct sw_mark mark)
{
    struct sw_half *half = &flow->body->half[from];
    struct sw_half_facts *facts = &flow->body->facts.half[from];
    facts->bytes += fresh;
    facts->data_packets++;
    if (!facts->first_data.frame)
        facts->first_data = mark;
    sw_mark_set(&facts->last_data, mark);
    if (begin <= half->acked)
        sw_mark_set(&facts->front, mark);
    if (end > half->high) {
        half->high = end;
        half->high_ns = mark.time_ns;
        note_flight(flow, from, begin);
    }
}

void sw_flow_note_segment(struct sw_flow *flow, enum sw_side from, uint64_t begin, uint64_t end,
                          struct sw_mark mark)
{
    struct sw_half *half = &flow->body->half[from];
    struct sw_half_facts *facts = &flow->body->facts.half[from];
    uint32_t bytes = (uint32_t)(end - begin);
    bool probe = bytes == 1 && flow->body->half[sw_side_other(from)].zero_since_ns != SW_TIME_NONE;
    bool first_is_new = false;
    uint64_t fresh = unseen(half, begin, end, &first_is_new);
    if (begin < half->high && !probe) {
        if (first_is_new && mark.time_ns - half->high_ns <= REORDER_NS)
            facts->out_of_order++;
        else
            count_repeat(half, facts, begin, end, mark);
    }
    note_sent(half, facts, end, bytes);
    if (fresh > 0)
        note_fresh(flow, from, begin, end, fresh, mark);
}

/* --- the expected packet --- */

static bool is_even(const struct sw_half *half, const struct sw_half_facts *facts)
{
    bool open = half->based && facts->seen && !half->has_fin && !facts->rst.frame;
    bool flows = half->zero_since_ns == SW_TIME_NONE && !half->probe_pending;
    bool complete = half->held_count == 0 && !half->waiting && half->acked <= half->next &&
                    half->high <= half->next;
    return open && flows && complete;
}

bool sw_flow_is_even(const struct sw_flow *flow)
{
    const struct sw_flow_body *body = flow->body;
    const struct sw_flow_facts *f = &body->facts;
    return f->established.frame && f->closed_by < 0 && !flow->dead && !body->stray_rst &&
           is_even(&body->half[SW_CLIENT], &f->half[SW_CLIENT]) &&
           is_even(&body->half[SW_SERVER], &f->half[SW_SERVER]);
}

bool sw_flow_take_expected(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                           struct sw_mark mark)
{
    struct sw_flow_body *body = flow->body;
    enum sw_side other = sw_side_other(from);
    struct sw_half *half = &body->half[from];
    struct sw_half *peer = &body->half[other];
    const struct sw_tcp_header *tcp = &packet->tcp;
    bool plain = (tcp->flags & (SW_TCP_SYN | SW_TCP_FIN | SW_TCP_RST | SW_TCP_ACK)) == SW_TCP_ACK &&
                 tcp->window > 0 && tcp->sack_count == 0;
    if (!body->even || !plain || tcp->seq != half->base + (uint32_t)half->next)
        return false;
    int64_t acked = seq_offset(tcp->ack, peer->base, peer->next);
    if (acked < (int64_t)peer->acked || acked > (int64_t)peer->next)
        return false;
    uint32_t wire = packet->payload_wire;
    sw_flow_heard(&body->facts, from, packet, mark);
    half->window = tcp->window;
    if (acked > (int64_t)peer->acked) {
        take_progress(&body->facts, other, peer, (uint64_t)acked, mark);
        settle_sent(peer, &body->facts.half[other], tcp);
    } else if (wire == 0 && peer->high > peer->acked) {
        peer->dup_acks++;
        peer->dup_ack_ns = mark.time_ns;
    }
    if (wire == 0)
        return true;
    note_sent(half, &body->facts.half[from], half->next + wire, wire);
    note_fresh(flow, from, half->next, half->next + wire, wire, mark);
    sw_flow_deliver(flow, from, packet->payload, wire, mark);
    return true;
}
