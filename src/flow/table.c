/*
 * table.c - the connections that are open: their beginning, their timers, their end.
 */
#include "flow/internal.h"

#include "base/limit.h"

#include <assert.h>
#include <stdlib.h>

enum { HELD_SEGMENTS = 256 };

#define LINGER_NS (500 * SW_NS_PER_MS)
#define JUMP_NS (3600 * SW_NS_PER_S)

/*
 * An attempt that an ICMP error has answered: most clients give up at once, others go on asking,
 * each time after about twice as long as the time before (RFC 6298 5.5).
 */
static int64_t unreachable_patience(const struct sw_flow_facts *f, int64_t most_ns)
{
    const int64_t least_ns = 4 * SW_NS_PER_S;
    int64_t asked_for_ns = sw_time_between(f->syn.time_ns, f->last_syn.time_ns);
    if (asked_for_ns < 0 || asked_for_ns > most_ns)
        return most_ns;
    int64_t patience_ns = asked_for_ns + asked_for_ns / 2 + SW_NS_PER_S;
    patience_ns = patience_ns < least_ns ? least_ns : patience_ns;
    return patience_ns < most_ns ? patience_ns : most_ns;
}

static int64_t patience(const struct sw_flow_facts *f, const struct sw_flow *flow)
{
    const struct sw_flow_limits *limits = &flow->table->limits;
    if (!flow->half_open)
        return limits->idle_ns;
    if (f->icmp_count > 0 && f->syn.frame && !f->syn_ack.frame)
        return unreachable_patience(f, limits->connect_ns);
    return limits->connect_ns;
}

int64_t sw_flow_real_deadline(const struct sw_flow *flow)
{
    const struct sw_flow_limits *limits = &flow->table->limits;
    if (flow->resting)
        return flow->rest.deadline_ns;
    if (!flow->body)
        return sw_flow_tick(flow->syn.mark.time_ns + limits->connect_ns);
    const struct sw_flow_facts *f = &flow->body->facts;
    if (flow->dead)
        return sw_flow_tick(flow->body->dead_since_ns + limits->linger_ns);
    if (sw_flow_is_closed(flow))
        return sw_flow_tick(f->last.time_ns + limits->linger_ns);
    return sw_flow_tick(f->last.time_ns + patience(f, flow));
}

/* Sooner than planned, when it was closed; what is later the timer finds out. */
static void plan(struct sw_flow_table *table, struct sw_flow *flow)
{
    const struct sw_flow_body *body = flow->body;
    if (body->even && body->facts.last.time_ns + table->limits.idle_ns >= flow->deadline_ns)
        return; /* the common case of what follows */
    int64_t deadline = sw_flow_real_deadline(flow);
    int64_t planned = flow->deadline_ns;
    if (deadline >= planned)
        return;
    flow->deadline_ns = deadline;
    if (!sw_timers_plan(table, flow))
        flow->deadline_ns = planned;
}

/* Packets of a connection that nobody wants are dropped at once from now on. */
static void drop_forgotten(struct sw_flow_table *table, struct sw_flow *flow)
{
    table->count.ignored++;
    sw_flow_bury(table, flow, true);
    sw_flow_remove(table, flow);
}

static inline bool any_is_due(const struct sw_flow_table *table, int64_t now_ns)
{
    return table->timer_count > 0 && table->timers[0].deadline_ns <= now_ns;
}

/* Moves the clock; one packet alone with a time far ahead does not (it may be damaged). */
static void move_far(struct sw_flow_table *table, int64_t time_ns)
{
    if (!table->has_now) {
        table->has_now = true;
        table->now_ns = time_ns;
        return;
    }
    if (time_ns - table->now_ns > JUMP_NS &&
        !(table->jump_ns && time_ns >= table->jump_ns - JUMP_NS)) {
        table->jump_ns = time_ns;
        return;
    }
    table->jump_ns = 0;
    if (any_is_due(table, time_ns))
        sw_flow_fire_timers(table, time_ns);
    table->now_ns = time_ns;
}

/* The same, where mostly nothing is due. */
static inline void move_clock(struct sw_flow_table *table, int64_t time_ns)
{
    if (table->has_now && time_ns <= table->now_ns)
        return;
    if (!table->has_now || time_ns - table->now_ns > JUMP_NS || any_is_due(table, time_ns)) {
        move_far(table, time_ns);
        return;
    }
    table->jump_ns = 0;
    table->now_ns = time_ns;
}

static bool is_mail_port(uint16_t port)
{
    return port == 25 || port == 465 || port == 587 || port == 2525 || port == 24;
}

/* Who is the client when no SYN tells? The well-known or lower port is the server's. */
static bool source_is_client(const struct sw_packet *packet, bool *known)
{
    uint8_t flags = packet->tcp.flags;
    *known = (flags & SW_TCP_SYN) != 0;
    if (*known)
        return !(flags & SW_TCP_ACK);
    uint16_t src = packet->tuple.src_port;
    uint16_t dst = packet->tuple.dst_port;
    if (is_mail_port(src) != is_mail_port(dst))
        return is_mail_port(dst);
    return src >= dst;
}

static struct sw_tuple turned(const struct sw_tuple *t)
{
    struct sw_tuple back = *t;
    memcpy(back.src, t->dst, sizeof(back.src));
    memcpy(back.dst, t->src, sizeof(back.dst));
    back.src_port = t->dst_port;
    back.dst_port = t->src_port;
    return back;
}

/* A packet and where it belongs. */
struct arrival {
    const struct sw_frame *frame;
    const struct sw_packet *packet;
    struct sw_mark mark;
    struct sw_flow_key key;
    uint64_t hash;
    bool source_is_low;
};

static struct sw_flow *new_flow(struct sw_flow_table *table, const struct arrival *a)
{
    const struct sw_packet *packet = a->packet;
    if (table->half_open >= table->limits.half_open)
        sw_flow_shed_half_open(table);
    if (table->flows >= table->limits.flows)
        table->count.shed_flows += sw_flow_shed_one(table);
    bool known = false;
    bool client = source_is_client(packet, &known);
    struct sw_tuple tuple = client ? packet->tuple : turned(&packet->tuple);
    struct sw_flow *flow = sw_flow_place(table);
    if (!flow)
        return NULL;
    flow->key = a->key;
    flow->hash = a->hash;
    flow->client_is_low = sw_flow_source_is_low(&tuple);
    flow->space = packet->space;
    flow->deadline_ns =
        sw_flow_tick(a->mark.time_ns + (known ? table->limits.connect_ns : table->limits.idle_ns));
    if (!sw_flow_insert(table, flow))
        return NULL;
    if (!sw_flow_begin(flow, false)) {
        sw_flow_remove(table, flow);
        return NULL;
    }
    flow->dozes = sw_flow_is_mere_syn(packet);
    if (!flow->dozes)
        sw_flow_is_awake(flow);
    sw_flow_introduce(flow, &tuple, known, a->frame->time_digits, a->mark);
    if (known)
        sw_flow_wait_open(table, flow);
    table->count.opened++;
    table->count.open = table->flows;
    flow->forgotten = !table->sink.open(table->sink.ctx, flow, packet);
    return flow;
}

/* RFC 9293 section 3.5: requests that cross on their way are one connection. */
static bool both_ask(const struct sw_flow *flow, enum sw_side from, struct sw_mark mark)
{
    enum { CROSSING_S = 10 };
    const struct sw_flow_facts *f = &flow->body->facts;
    return from == SW_SERVER && f->syn.frame && !f->syn_ack.frame && !flow->dead &&
           !sw_flow_has_payload(flow) &&
           mark.time_ns - f->last_syn.time_ns <= CROSSING_S * SW_NS_PER_S;
}

/*
 * A SYN where a connection is known already: a repetition, or the ports are used again. True when
 * the old connection is over and a new one has to be made.
 */
static bool syn_begins_anew(struct sw_flow *flow, enum sw_side from, const struct sw_packet *packet,
                            struct sw_mark mark)
{
    const struct sw_half *half = &flow->body->half[from];
    if (from == SW_CLIENT && half->based && packet->tcp.seq + 1 == half->base && !flow->dead)
        return false;
    if (both_ask(flow, from, mark))
        return false;
    bool over =
        flow->dead || (flow->body->facts.half[0].fin.frame && flow->body->facts.half[1].fin.frame);
    bool never_answered = !flow->body->facts.syn_ack.frame && !sw_flow_has_payload(flow) &&
                          flow->body->facts.syn.frame;
    if (over || never_answered)
        return true;
    flow->body->reuse = from == SW_CLIENT;
    flow->body->reuse_isn = packet->tcp.seq;
    flow->body->reuse_mark = mark;
    return false;
}

/* The SYN/ACK that confirms such a new connection. */
static bool syn_ack_confirms_reuse(const struct sw_flow *flow, enum sw_side from,
                                   const struct sw_packet *packet)
{
    return flow->body->reuse && from == SW_SERVER && packet->tcp.ack == flow->body->reuse_isn + 1 &&
           packet->tcp.ack != flow->body->half[SW_CLIENT].base;
}

static void begin_reused(struct sw_flow *flow, uint32_t isn, struct sw_mark syn)
{
    flow->body->facts.first = syn;
    flow->body->facts.syn = flow->body->facts.last_syn = syn;
    flow->body->facts.syn_count = 1;
    flow->body->facts.syn_ns[0] = syn.time_ns;
    flow->body->facts.half[SW_CLIENT].seen = true;
    flow->body->facts.half[SW_CLIENT].packets = 1;
    flow->body->facts.half[SW_CLIENT].first = flow->body->facts.half[SW_CLIENT].last = syn;
    flow->body->half[SW_CLIENT].based = true;
    flow->body->half[SW_CLIENT].base = isn + 1;
    flow->body->facts.half[SW_CLIENT].isn = isn;
}

static void handle(struct sw_flow_table *table, struct sw_flow *flow, enum sw_side from,
                   const struct sw_packet *packet, struct sw_mark mark)
{
    flow->touched = true;
    if (!sw_flow_take(flow, from, packet, mark))
        return;
    if (flow->half_open && (flow->dead || flow->body->facts.established.frame))
        sw_flow_wait_over(table, flow);
    if (flow->forgotten) {
        drop_forgotten(table, flow);
        return;
    }
    plan(table, flow);
    if (flow->dozes)
        sw_flow_doze(flow, packet, mark);
}

/* What was known of this connection is over: its ports are used again. */
static void end_replaced(struct sw_flow_table *table, struct sw_flow *flow, const struct arrival *a)
{
    sw_flow_end(table, flow, (struct sw_mark){flow->body->facts.last.frame, table->now_ns});
    sw_flow_unbury(table, &a->key);
}

/* The connection that a SYN or SYN/ACK belongs to, when the ports may be used again; NULL: one that
 * is not there yet. */
static struct sw_flow *after_syn(struct sw_flow_table *table, struct sw_flow *flow,
                                 const struct arrival *a)
{
    enum sw_side from = sw_flow_side(flow, a->source_is_low);
    if (!(a->packet->tcp.flags & SW_TCP_ACK)) {
        if (!syn_begins_anew(flow, from, a->packet, a->mark))
            return flow;
        end_replaced(table, flow, a);
        return NULL;
    }
    if (!syn_ack_confirms_reuse(flow, from, a->packet))
        return flow;
    uint32_t isn = flow->body->reuse_isn;
    struct sw_mark syn = flow->body->reuse_mark;
    end_replaced(table, flow, a);
    flow = new_flow(table, a);
    if (flow)
        begin_reused(flow, isn, syn);
    return flow;
}

static bool begins(const struct sw_packet *packet)
{
    return (packet->tcp.flags & (SW_TCP_SYN | SW_TCP_ACK)) == SW_TCP_SYN;
}

/* Packets of a connection that nobody wants come in runs, too. */
static inline bool is_lost_again(struct sw_flow_table *table, const struct arrival *a)
{
    return table->lane_flows == 0 && !begins(a->packet) && sw_flow_is_buried_again(table, &a->key);
}

static struct sw_flow *find(struct sw_flow_table *table, struct arrival *a)
{
    a->hash = sw_flow_hash(&table->key, &a->key);
    struct sw_flow *flow = table->last = sw_flow_find(table, &a->key, a->hash);
    if (table->lane_flows > 0 || (flow && flow->space != a->packet->space))
        return sw_flow_lane(table, a->packet, flow, &a->key, &a->hash);
    return flow;
}

/* The connection of a packet, found or made; NULL: it is of none, or of one that nobody wants.
 * Apart from sw_flow_table_tcp(), so that this costs other packets nothing. */
static __attribute__((noinline)) struct sw_flow *look_up(struct sw_flow_table *table,
                                                         struct arrival *a)
{
    if (is_lost_again(table, a))
        return NULL;
    struct sw_flow *flow = find(table, a);
    if (flow && !sw_flow_wake(flow, false))
        return NULL;
    if (flow && (a->packet->tcp.flags & SW_TCP_SYN))
        flow = after_syn(table, flow, a);
    if (flow)
        return flow;
    if (!begins(a->packet) && sw_flow_is_buried(table, &a->key))
        return NULL;
    table->buried = NULL;
    flow = new_flow(table, a);
    if (begins(a->packet))
        sw_flow_unbury(table, &a->key);
    return flow;
}

/* Packets come in runs: is this one more of the connection of the packet before, as it was? */
static inline bool goes_on(const struct sw_flow_table *table, const struct sw_packet *packet,
                           const struct sw_flow_key *key)
{
    const struct sw_flow *last = table->last;
    return last && sw_flow_is_same_key(&last->key, key) && last->space == packet->space &&
           table->lane_flows == 0 && last->body && !last->dozes &&
           !(packet->tcp.flags & SW_TCP_SYN);
}

void sw_flow_table_tcp(struct sw_flow_table *table, const struct sw_frame *frame,
                       const struct sw_packet *packet)
{
    move_clock(table, frame->time_ns);
    bool source_is_low;
    struct sw_flow_key key = sw_flow_key_of(&packet->tuple, &source_is_low);
    struct sw_mark mark = {frame->number, frame->time_ns};
    struct sw_flow *flow = table->last;
    if (!goes_on(table, packet, &key)) {
        struct arrival a = {frame, packet, mark, key, 0, source_is_low};
        flow = look_up(table, &a);
        if (!flow)
            return;
    }
    if (flow->forgotten)
        drop_forgotten(table, flow);
    else
        handle(table, flow, sw_flow_side(flow, source_is_low), packet, mark);
}

void sw_flow_table_icmp(struct sw_flow_table *table, const struct sw_frame *frame,
                        const struct sw_packet *packet)
{
    move_clock(table, frame->time_ns);
    bool low;
    struct sw_flow_key key = sw_flow_key_of(&packet->icmp.quote, &low);
    struct sw_flow *flow = sw_flow_in_lane(table, packet->space, &key);
    if (!flow)
        flow = sw_flow_find(table, &key, sw_flow_hash(&table->key, &key));
    if (!flow || !sw_flow_wake(flow, false) || flow->body->facts.icmp_count == SW_FLOW_ICMP_MAX)
        return;
    struct sw_flow_icmp *icmp = &flow->body->facts.icmp[flow->body->facts.icmp_count++];
    icmp->mark = (struct sw_mark){frame->number, frame->time_ns};
    icmp->type = packet->icmp.type;
    icmp->code = packet->icmp.code;
    icmp->ip_version = packet->tuple.ip_version;
    icmp->mtu = packet->icmp.mtu;
    memcpy(icmp->from, packet->tuple.src, sizeof(icmp->from));
    flow->body->facts.last = icmp->mark;
    plan(table, flow);
}

void sw_flow_table_time(struct sw_flow_table *table, int64_t now_ns)
{
    move_clock(table, now_ns);
}

const struct sw_flow *sw_flow_table_find(const struct sw_flow_table *table,
                                         const struct sw_tuple *tuple)
{
    bool low;
    struct sw_flow_key key = sw_flow_key_of(tuple, &low);
    return sw_flow_find(table, &key, sw_flow_hash(&table->key, &key));
}

void sw_flow_table_each(struct sw_flow_table *table, void (*visit)(void *ctx, struct sw_flow *flow),
                        void *ctx)
{
    for (int rank = 0; rank < SW_FLOW_RANKS; rank++) {
        for (struct sw_flow *flow = table->lists[rank].oldest; flow; flow = flow->newer) {
            bool rests = flow->resting;
            bool sleeps = !flow->body && !rests;
            if (!sw_flow_wake(flow, true))
                continue;
            visit(ctx, flow);
            if (sleeps)
                sw_flow_sleep_on(flow);
            if (rests)
                sw_flow_rest_on(flow);
        }
    }
}

void sw_flow_stall_told(struct sw_flow *flow, uint64_t frame)
{
    flow->body->facts.stall_told = frame;
}

static void fill_limits(struct sw_flow_limits *l)
{
    uint32_t side_bytes = (uint32_t)sw_limit_default(SW_LIMIT_HELD_BYTES);
    l->flows = l->flows ? l->flows : (uint32_t)sw_limit_default(SW_LIMIT_CONNECTIONS);
    l->half_open = l->half_open ? l->half_open : (uint32_t)sw_limit_default(SW_LIMIT_HALF_OPEN);
    uint32_t awake =
        l->awake ? l->awake : l->flows / 4; /* few of few, so that some rest there too */
    l->awake = awake == 0 ? 1 : awake < SW_AWAKE ? awake : (uint32_t)SW_AWAKE;
    l->held_per_side_bytes = l->held_per_side_bytes ? l->held_per_side_bytes : side_bytes;
    l->held_segments = l->held_segments ? l->held_segments : (uint32_t)HELD_SEGMENTS;
    l->held_total_bytes =
        l->held_total_bytes ? l->held_total_bytes : sw_limit_default(SW_LIMIT_HELD_TOTAL);
    l->idle_ns = l->idle_ns ? l->idle_ns : (int64_t)sw_limit_default(SW_LIMIT_IDLE);
    l->connect_ns = l->connect_ns ? l->connect_ns : (int64_t)sw_limit_default(SW_LIMIT_CONNECT);
    l->linger_ns = l->linger_ns ? l->linger_ns : LINGER_NS;
}

struct sw_flow_table *sw_flow_table_new(const struct sw_flow_limits *limits,
                                        const struct sw_hash_key *key,
                                        const struct sw_flow_sink *sink)
{
    struct sw_flow_table *table = calloc(1, sizeof(*table));
    if (!table)
        return NULL;
    table->account = &table->own_account;
    table->limits = limits ? *limits : (struct sw_flow_limits){0};
    fill_limits(&table->limits);
    table->key = *key;
    table->sink = *sink;
    if (!sw_flow_index_init(table)) {
        sw_flow_table_free(table);
        return NULL;
    }
    return table;
}

void sw_flow_table_free(struct sw_flow_table *table)
{
    if (!table)
        return;
    sw_flow_index_release(table);
    free(table);
}

const struct sw_flow_counters *sw_flow_table_count(const struct sw_flow_table *table)
{
    return &table->count;
}

const struct sw_flow_facts *sw_flow_facts(const struct sw_flow *flow)
{
    return &flow->body->facts;
}

void sw_flow_table_account(struct sw_flow_table *table, size_t *account)
{
    *account += table->own_account;
    table->account = account;
}

void sw_flow_set_rank(struct sw_flow *flow, enum sw_flow_rank rank)
{
    if (flow->rank == (uint8_t)rank)
        return;
    flow->rank = (uint8_t)rank;
    if (!flow->half_open)
        sw_flow_relist(flow->table, flow);
}

enum sw_flow_rank sw_flow_rank_of(const struct sw_flow *flow)
{
    return (enum sw_flow_rank)flow->rank;
}

void sw_flow_set_user(struct sw_flow *flow, void *user)
{
    flow->user = user;
}

void *sw_flow_user(const struct sw_flow *flow)
{
    return flow->user;
}

void sw_flow_swap_sides(struct sw_flow *flow)
{
    assert(!flow->body->facts.client_known);
    struct sw_half half = flow->body->half[0];
    flow->body->half[0] = flow->body->half[1];
    flow->body->half[1] = half;
    struct sw_half_facts facts = flow->body->facts.half[0];
    flow->body->facts.half[0] = flow->body->facts.half[1];
    flow->body->facts.half[1] = facts;
    flow->body->facts.tuple = turned(&flow->body->facts.tuple);
    if (flow->body->facts.closed_by >= 0)
        flow->body->facts.closed_by = 1 - flow->body->facts.closed_by;
    flow->client_is_low = !flow->client_is_low;
    flow->body->facts.client_known = true;
}

void sw_flow_forget(struct sw_flow *flow)
{
    flow->forgotten = true;
}
