/*
 * control.c - what single packets say about the connection: SYN, RST, windows, copies.
 */
#include "flow/internal.h"

#include "base/hash.h"

#include <stdlib.h>

/* The first and the last bytes of a payload. */
static uint64_t hash_ends(struct sw_span p)
{
    const struct sw_hash_key key = sw_hash_fixed_key;
    enum { WORD = 8 };
    if (p.len < WORD)
        return sw_hash_mix(sw_hash_load(p.ptr, p.len) ^ key.b, key.a);
    const uint8_t *last = p.ptr + p.len - WORD;
    uint64_t h = sw_hash_mix(sw_hash_load(p.ptr, WORD) ^ key.b, sw_hash_load(last, WORD) ^ key.a);
    if (p.len > 2 * WORD) /* else that was all */
        h = sw_hash_mix(sw_hash_load(p.ptr + WORD, WORD) ^ h,
                        sw_hash_load(last - WORD, WORD) ^ key.a);
    return h;
}

/* Everything that two copies of one packet share; a retransmission differs at least in its IP id or
 * timestamp. Never 0. */
static uint64_t signature_of(const struct sw_packet *packet)
{
    const struct sw_hash_key key = sw_hash_fixed_key;
    const struct sw_tcp_header *tcp = &packet->tcp;
    uint32_t shape = (uint32_t)tcp->window << 16 | packet->ip_id;
    uint64_t h = sw_hash_mix(((uint64_t)tcp->seq << 32 | tcp->ack) ^ key.a,
                             ((uint64_t)packet->payload_wire << 32 | shape) ^ key.b);
    h = sw_hash_mix(h ^ ((uint64_t)tcp->flags << 32 | tcp->timestamp), key.a);
    /* Headers and payload apart, so that the processor has not to wait for one of them. */
    return (packet->payload.len > 0 ? h + hash_ends(packet->payload) : h) | 1;
}

bool sw_flow_is_copy(struct sw_half *half, const struct sw_packet *packet, int64_t time_ns)
{
    uint64_t signature = signature_of(packet);
    bool alike = false;
    for (int i = 0; i < SW_SIGNATURES; i++)
        alike |= half->signatures[i] == signature;
    int64_t within = packet->ip_id != 0 ? 2 * SW_NS_PER_MS : SW_NS_PER_MS / 5;
    for (int i = 0; alike && i < SW_SIGNATURES; i++) {
        int64_t apart = time_ns - half->signature_ns[i];
        if (half->signatures[i] == signature && apart >= -within && apart <= within)
            return true;
    }
    uint8_t at = half->signature_at;
    half->signatures[at] = signature;
    half->signature_ns[at] = time_ns;
    half->signature_at = (uint8_t)((at + 1) % SW_SIGNATURES);
    return false;
}

static void note_options(struct sw_half *half, struct sw_half_facts *facts,
                         const struct sw_tcp_header *tcp)
{
    if (tcp->has_mss)
        facts->mss = tcp->mss;
    half->has_scale = tcp->has_window_scale;
    half->scale = tcp->window_scale > 14 ? 14 : tcp->window_scale; /* RFC 7323 2.3 */
}

static void client_syn(struct sw_flow *flow, const struct sw_packet *packet, struct sw_mark mark)
{
    struct sw_flow_facts *f = &flow->body->facts;
    struct sw_half *client = &flow->body->half[SW_CLIENT];
    if (!client->based || client->base != packet->tcp.seq + 1) {
        client->based = true;
        client->base = packet->tcp.seq + 1;
    }
    f->half[SW_CLIENT].isn = packet->tcp.seq;
    if (f->syn_count < SW_FLOW_SYN_TIMES)
        f->syn_ns[f->syn_count] = mark.time_ns;
    if (f->syn_count++ == 0)
        f->syn = mark;
    f->last_syn = mark;
    f->client_known = true;
    note_options(client, &f->half[SW_CLIENT], &packet->tcp);
}

static void server_syn(struct sw_flow *flow, const struct sw_packet *packet, struct sw_mark mark)
{
    struct sw_flow_facts *f = &flow->body->facts;
    struct sw_half *server = &flow->body->half[SW_SERVER];
    struct sw_half *client = &flow->body->half[SW_CLIENT];
    if (!server->based || f->half[SW_SERVER].bytes == 0) {
        server->based = true;
        server->base = packet->tcp.seq + 1;
        f->half[SW_SERVER].isn = packet->tcp.seq;
    }
    if (!client->based) { /* its SYN is not in the capture */
        client->based = true;
        client->base = packet->tcp.ack;
    }
    if (f->syn_ack_count++ == 0)
        f->syn_ack = mark;
    else
        f->last_syn_ack = mark;
    f->client_known = true;
    note_options(server, &f->half[SW_SERVER], &packet->tcp);
}

void sw_flow_syn(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                 struct sw_mark mark)
{
    if (from == SW_CLIENT)
        client_syn(flow, packet, mark);
    else
        server_syn(flow, packet, mark);
}

void sw_flow_closing(struct sw_flow *flow, enum sw_side from, bool rst, struct sw_mark mark)
{
    struct sw_flow_facts *f = &flow->body->facts;
    struct sw_half_facts *half = &f->half[from];
    if (rst && !half->rst.frame)
        half->rst = mark;
    if (!rst && !half->fin.frame)
        half->fin = mark;
    if (f->closed_by >= 0)
        return;
    f->closed_by = (int)from;
    f->closed = mark;
    f->close = rst ? SW_CLOSE_RST : SW_CLOSE_FIN;
}

/* RFC 9293 3.10.7: in SYN-SENT the acknowledgement must fit, later the sequence number. */
static bool rst_is_acceptable(const struct sw_flow *flow, enum sw_side from,
                              const struct sw_packet *packet)
{
    const struct sw_half *half = &flow->body->half[from];
    const struct sw_half *peer = &flow->body->half[sw_side_other(from)];
    if (!flow->body->facts.syn_ack.frame && flow->body->facts.syn.frame && from == SW_SERVER)
        return !(packet->tcp.flags & SW_TCP_ACK) ||
               packet->tcp.ack - (peer->base - 1) <= peer->high + 1; /* the SYN may bring data */
    if (!half->based)
        return true;
    enum { WINDOW = 1 << 20 };
    int64_t offset = seq_offset(packet->tcp.seq, half->base, half->next);
    return offset >= (int64_t)half->next - 1 - WINDOW && offset <= (int64_t)half->high + WINDOW;
}

/* RFC 5961 section 3.2: the receiver takes a RST at the very place that it waits for, no other. */
static bool is_in_place(const struct sw_flow *flow, enum sw_side from,
                        const struct sw_packet *packet)
{
    const struct sw_half *half = &flow->body->half[from];
    if (!half->based || !flow->body->facts.half[sw_side_other(from)].seen)
        return true;
    int64_t offset = seq_offset(packet->tcp.seq, half->base, half->next);
    return offset >= (int64_t)half->acked && offset <= (int64_t)half->high + half->has_fin;
}

/* The other side answers a RST that was out of place, and goes on: it has not taken it. */
static void revive(struct sw_flow *flow, enum sw_side from)
{
    struct sw_flow_facts *f = &flow->body->facts;
    struct sw_half_facts *half = &f->half[from];
    flow->body->stray_rst = false;
    if (f->closed_by != (int)from || f->closed.frame != half->rst.frame)
        return;
    half->rst = f->closed = (struct sw_mark){0};
    f->closed_by = -1;
    f->close = SW_CLOSE_OPEN;
    flow->dead = false;
}

void sw_flow_rst(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                 struct sw_mark mark)
{
    struct sw_flow_facts *f = &flow->body->facts;
    if (!rst_is_acceptable(flow, from, packet))
        return;
    bool answers_syn =
        from == SW_SERVER && f->syn.frame && !f->syn_ack.frame && !f->established.frame;
    if (answers_syn)
        f->refused = true;
    f->half[from].rst_ttl = packet->ttl;
    flow->body->stray_rst = !answers_syn && f->closed_by < 0 && !is_in_place(flow, from, packet);
    sw_flow_closing(flow, from, true, mark);
    flow->dead = true;
    flow->body->dead_since_ns = mark.time_ns;
}

static void note_closed_window(struct sw_flow *flow, enum sw_side from,
                               const struct sw_packet *packet, struct sw_mark mark)
{
    struct sw_half *half = &flow->body->half[from];
    struct sw_half *peer = &flow->body->half[sw_side_other(from)];
    struct sw_half_facts *facts = &flow->body->facts.half[from];
    bool closed = packet->tcp.window == 0; /* however it is scaled (RFC 7323 2.2) */
    bool was_closed = half->zero_since_ns != SW_TIME_NONE;
    if (closed && was_closed && peer->probe_pending) {
        facts->zero_window_probes++;
        facts->zero_window_answer = mark;
        peer->probe_pending = false;
    }
    if (closed && !was_closed) {
        half->zero_since_ns = mark.time_ns;
        facts->zero_window = mark;
        facts->zero_window_probes = 0;
    } else if (!closed && was_closed) {
        if (mark.time_ns > half->zero_since_ns)
            facts->zero_window_ns += mark.time_ns - half->zero_since_ns;
        half->zero_since_ns = SW_TIME_NONE;
    }
}

/* What the sender of a packet is ready to take. */
static inline void note_window(struct sw_flow *flow, enum sw_side from,
                               const struct sw_packet *packet, struct sw_mark mark)
{
    struct sw_half *half = &flow->body->half[from];
    if (packet->tcp.flags & (SW_TCP_SYN | SW_TCP_RST))
        return;
    half->window = packet->tcp.window;
    if (packet->tcp.window == 0 || half->zero_since_ns != SW_TIME_NONE)
        note_closed_window(flow, from, packet, mark);
}

void sw_flow_note_new_path(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet)
{
    struct sw_half *half = &flow->body->half[from];
    uint32_t vlan = packet->tunnel.count > 0 ? packet->vlan : packet->space;
    bool known = false;
    for (uint8_t i = 0; i < half->vlan_count; i++)
        known = known || half->vlans[i] == vlan;
    if (!known && half->vlan_count < SW_VLANS)
        half->vlans[half->vlan_count++] = vlan;
    if (packet->tunnel.count == 0 || flow->body->tunnel)
        return;
    flow->body->tunnel = malloc(sizeof(*flow->body->tunnel));
    if (flow->body->tunnel) {
        sw_account_take(flow->table->account, sizeof(*flow->body->tunnel));
        *flow->body->tunnel = packet->tunnel;
    }
    flow->body->facts.tunnel = flow->body->tunnel;
}

/* Has this side sent or got anything more since, or does it send again what was not confirmed? A
 * copy that another recorder has seen later, as in captures of both ends that were merged, shows
 * nothing of that, and comes sooner than anybody sends again. */
static bool brings_news(const struct sw_flow *flow, enum sw_side from,
                        const struct sw_packet *packet, struct sw_mark mark)
{
    const struct sw_half *half = &flow->body->half[from];
    const struct sw_half *peer = &flow->body->half[sw_side_other(from)];
    bool fin = packet->tcp.flags & SW_TCP_FIN;
    if (!half->based || !peer->based)
        return true;
    int64_t end = seq_offset(packet->tcp.seq, half->base, half->next) + packet->payload_wire;
    bool again = packet->payload_wire > 0 && end > (int64_t)half->acked &&
                 mark.time_ns - flow->body->facts.half[from].rst.time_ns >= SW_SENT_AGAIN_NS;
    if (end > (int64_t)half->high || (fin && !half->has_fin) || again)
        return true;
    return (packet->tcp.flags & SW_TCP_ACK) &&
           seq_offset(packet->tcp.ack, peer->base, peer->next) > (int64_t)peer->acked;
}

void sw_flow_note(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                  struct sw_mark mark)
{
    struct sw_flow_facts *f = &flow->body->facts;
    struct sw_half_facts *half = &f->half[from];
    if (!half->seen) {
        half->seen = true;
        half->first = mark;
        half->ttl_min = half->ttl_max = packet->ttl;
    }
    if (flow->body->stray_rst && f->closed_by == (int)sw_side_other(from) &&
        !(packet->tcp.flags & SW_TCP_RST))
        revive(flow, sw_side_other(from));
    sw_flow_heard(f, from, packet, mark);
    bool after_rst =
        half->rst.frame && !half->after_rst.frame && !(packet->tcp.flags & SW_TCP_RST) &&
        mark.time_ns - half->rst.time_ns > SW_NS_PER_MS && brings_news(flow, from, packet, mark);
    if (after_rst)
        half->after_rst = mark;
    note_window(flow, from, packet, mark);
}

/* A mirror port that tags one direction only, or each with its own number; where copies show a
 * common one, the network is not at fault. */
static bool vlans_differ(const struct sw_half *a, const struct sw_half *b)
{
    for (uint8_t i = 0; i < a->vlan_count; i++) {
        for (uint8_t j = 0; j < b->vlan_count; j++) {
            if (a->vlans[i] == b->vlans[j])
                return false;
        }
    }
    return a->vlan_count > 0 && b->vlan_count > 0;
}

void sw_flow_settle(struct sw_flow *flow, struct sw_mark mark)
{
    flow->body->facts.vlan_asymmetric =
        vlans_differ(&flow->body->half[SW_CLIENT], &flow->body->half[SW_SERVER]);
    for (int side = 0; side < 2; side++) {
        struct sw_half *half = &flow->body->half[side];
        struct sw_half_facts *facts = &flow->body->facts.half[side];
        facts->acked_bytes = half->acked;
        facts->damaged += half->checksum_good ? half->wrong_before : 0;
        bool peer_visible = flow->body->facts.half[1 - side].seen;
        facts->unacked_bytes =
            peer_visible && half->high > half->acked ? half->high - half->acked : 0;
        if (half->held_count > 0 && half->held[0].offset > half->next) {
            facts->hole_bytes = half->held[0].offset - half->next;
            facts->hole = half->held[0].mark;
        }
        facts->rto_open = half->acked <= half->rto_offset ? half->rto_count : 0;
        if (half->zero_since_ns != SW_TIME_NONE && mark.time_ns > half->zero_since_ns) {
            facts->zero_window_open_ns = mark.time_ns - half->zero_since_ns;
            facts->zero_window_ns += facts->zero_window_open_ns;
        }
    }
}
