#include "support/segments.h"

#include <stdlib.h>

enum { OTHER_PORT = 9 };

bool segments_among_many;

static void must(bool truth)
{
    if (!truth)
        abort();
}

static bool on_open(void *ctx, struct sw_flow *flow, const struct sw_packet *packet)
{
    (void)ctx;
    (void)flow;
    (void)packet;
    return true;
}

static void on_chunk(void *ctx, struct sw_flow *flow, const struct sw_chunk *chunk)
{
    struct segments *s = ctx;
    (void)flow;
    must(chunk->bytes.len > 0);
    must(chunk->offset == s->next[chunk->from]);
    must(chunk->offset + chunk->bytes.len <= SEGMENTS_STREAM_BYTES);
    must(!s->shuts[chunk->from]);
    memcpy(s->text[chunk->from] + chunk->offset, chunk->bytes.ptr, chunk->bytes.len);
    memset(s->delivered[chunk->from] + chunk->offset, 1, chunk->bytes.len);
    s->next[chunk->from] += chunk->bytes.len;
}

static void on_gap(void *ctx, struct sw_flow *flow, enum sw_side from, uint64_t offset,
                   uint64_t length, enum sw_gap_kind kind, struct sw_mark mark)
{
    struct segments *s = ctx;
    (void)flow;
    (void)mark;
    must(length > 0 && offset == s->next[from]);
    s->gaps[from][kind] += length;
    s->next[from] += length;
}

static void on_conflict(void *ctx, struct sw_flow *flow, enum sw_side from, uint64_t offset,
                        struct sw_span second, struct sw_mark mark)
{
    struct segments *s = ctx;
    (void)flow;
    (void)from;
    (void)offset;
    (void)mark;
    must(second.len > 0);
    s->conflicts++;
}

static void on_shut(void *ctx, struct sw_flow *flow, enum sw_side from, bool rst,
                    struct sw_mark mark)
{
    struct segments *s = ctx;
    (void)flow;
    (void)mark;
    if (rst)
        s->resets++;
    else
        s->shuts[from]++;
}

static void on_end(void *ctx, struct sw_flow *flow, struct sw_mark mark)
{
    struct segments *s = ctx;
    (void)mark;
    if (sw_flow_facts(flow)->tuple.dst_port == OTHER_PORT)
        return;
    s->facts = *sw_flow_facts(flow);
    s->ended = true;
}

static void on_rest(void *ctx, struct sw_flow *flow)
{
    struct segments *s = ctx;
    (void)flow;
    s->rests++;
}

static bool on_wake(void *ctx, struct sw_flow *flow)
{
    struct segments *s = ctx;
    must(s->rests > 0 && sw_flow_facts(flow)->first.frame > 0);
    return true;
}

void segments_open(struct segments *s, uint32_t client_isn, uint32_t server_isn,
                   const struct sw_flow_limits *limits)
{
    *s = (struct segments){
        .now_ns = 1000 * SW_NS_PER_S,
        .number = 1,
        .isn = {client_isn, server_isn},
        .ttl = {64, 57},
        .window = {1000, 1000},
        .scale = {0xFF, 0xFF},
    };
    const struct sw_flow_sink sink = {
        .ctx = s,
        .open = on_open,
        .chunk = on_chunk,
        .gap = on_gap,
        .conflict = on_conflict,
        .shut = on_shut,
        .end = on_end,
        .rest = on_rest,
        .wake = on_wake,
    };
    struct sw_flow_limits set = limits ? *limits : (struct sw_flow_limits){0};
    set.awake = segments_among_many ? 1 : 0;
    s->table = sw_flow_table_new(&set, &sw_hash_fixed_key, &sink);
    must(s->table != NULL);
}

/* A packet of another connection, which takes the only place of one that need not rest. */
static void emit_other(struct segments *s)
{
    struct sw_packet packet = {.transport = SW_TRANSPORT_TCP, .ttl = 64};
    packet.tuple = (struct sw_tuple){.ip_version = 4, .transport = 6};
    packet.tuple.src[0] = 30;
    packet.tuple.dst[0] = 40;
    packet.tuple.src_port = 50000;
    packet.tuple.dst_port = OTHER_PORT;
    packet.tcp.flags = SW_TCP_ACK;
    packet.tcp.window = 1000;
    const struct sw_frame frame = {.number = s->number, .time_ns = s->now_ns, .time_digits = 9};
    sw_flow_table_tcp(s->table, &frame, &packet);
}

static void emit(struct segments *s, enum sw_side from, unsigned flags, uint32_t seq, uint32_t ack,
                 const void *bytes, size_t n)
{
    struct sw_packet packet = {
        .transport = SW_TRANSPORT_TCP,
        .ttl = s->ttl[from],
        .ip_id = (uint16_t)(s->number | 1),
        .payload = sw_span_make(bytes, n),
        .payload_wire = (uint32_t)n,
    };
    packet.tuple = (struct sw_tuple){.ip_version = 4, .transport = 6};
    packet.tuple.src[0] = from == SW_CLIENT ? 10 : 20;
    packet.tuple.dst[0] = from == SW_CLIENT ? 20 : 10;
    packet.tuple.src_port = from == SW_CLIENT ? 40000 : 25;
    packet.tuple.dst_port = from == SW_CLIENT ? 25 : 40000;
    packet.tcp.flags = (uint8_t)flags;
    packet.tcp.seq = seq;
    packet.tcp.ack = ack;
    packet.tcp.window = s->window[from];
    if (flags & SW_TCP_SYN) {
        packet.tcp.has_mss = true;
        packet.tcp.mss = 1460;
        packet.tcp.has_window_scale = s->scale[from] != 0xFF;
        packet.tcp.window_scale = s->scale[from];
    }
    const struct sw_frame frame = {.number = s->number++, .time_ns = s->now_ns, .time_digits = 9};
    sw_flow_table_tcp(s->table, &frame, &packet);
    if (segments_among_many)
        emit_other(s);
    s->now_ns += 10000;
}

void segments_handshake(struct segments *s)
{
    emit(s, SW_CLIENT, SW_TCP_SYN, s->isn[0], 0, NULL, 0);
    emit(s, SW_SERVER, SW_TCP_SYN | SW_TCP_ACK, s->isn[1], s->isn[0] + 1, NULL, 0);
    emit(s, SW_CLIENT, SW_TCP_ACK, s->isn[0] + 1, s->isn[1] + 1, NULL, 0);
}

void segments_send(struct segments *s, enum sw_side from, unsigned flags, uint64_t offset,
                   const void *bytes, size_t n, uint64_t acked)
{
    emit(s, from, flags, s->isn[from] + 1 + (uint32_t)offset,
         s->isn[sw_side_other(from)] + 1 + (uint32_t)acked, bytes, n);
}

void segments_wait(struct segments *s, int64_t ns)
{
    s->now_ns += ns;
}

void segments_close(struct segments *s)
{
    sw_flow_table_finish(s->table);
    sw_flow_table_free(s->table);
    s->table = NULL;
}
