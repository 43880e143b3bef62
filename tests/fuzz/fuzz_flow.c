/*
 * fuzz_flow.c - a script of segments of one connection. Each byte of a stream has one right value
 * (its offset decides), so whatever comes out can be compared; offsets must rise, nothing may come
 * twice.
 */
#include "flow/flow.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct watch {
    uint64_t next[2];
    bool lying; /* a conflicting copy was sent: contents are not compared any more */
};

static uint8_t byte_at(int side, uint64_t offset)
{
    return (uint8_t)(offset * 31 + (unsigned)side * 7 + (offset >> 8));
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
    struct watch *w = ctx;
    (void)flow;
    if (chunk->offset != w->next[chunk->from])
        abort();
    w->next[chunk->from] += chunk->bytes.len;
    for (size_t i = 0; i < chunk->bytes.len && !w->lying; i++) {
        if (chunk->bytes.ptr[i] != byte_at((int)chunk->from, chunk->offset + i))
            abort();
    }
}

static void on_gap(void *ctx, struct sw_flow *flow, enum sw_side from, uint64_t offset,
                   uint64_t length, enum sw_gap_kind kind, struct sw_mark mark)
{
    struct watch *w = ctx;
    (void)flow;
    (void)kind;
    (void)mark;
    if (offset != w->next[from] || length == 0)
        abort();
    w->next[from] += length;
}

static void on_conflict(void *ctx, struct sw_flow *flow, enum sw_side from, uint64_t offset,
                        struct sw_span second, struct sw_mark mark)
{
    const struct watch *w = ctx;
    (void)flow;
    (void)from;
    (void)offset;
    (void)second;
    (void)mark;
    if (!w->lying)
        abort(); /* all copies are the same */
}

static void on_shut(void *ctx, struct sw_flow *flow, enum sw_side from, bool rst,
                    struct sw_mark mark)
{
    (void)ctx;
    (void)flow;
    (void)from;
    (void)rst;
    (void)mark;
}

static void on_end(void *ctx, struct sw_flow *flow, struct sw_mark mark)
{
    struct watch *w = ctx;
    (void)flow;
    (void)mark;
    w->next[0] = w->next[1] = 0; /* a new connection on the same ports starts anew */
}

/* One step of the script: 6 bytes. */
static void send(struct sw_flow_table *table, struct watch *w, const uint8_t *step, uint64_t number,
                 int64_t *now)
{
    static const uint32_t isn[2] = {0xFFFFFF00u, 77000u}; /* the client's numbers wrap */
    int side = step[0] & 1;
    uint8_t bytes[256];
    uint32_t offset = ((uint32_t)step[1] << 2) | (step[0] >> 6);
    uint32_t length = step[2];
    struct sw_packet packet = {.transport = SW_TRANSPORT_TCP, .ttl = 64, .ip_id = (uint16_t)number};
    packet.tuple = (struct sw_tuple){.ip_version = 4, .transport = 6};
    packet.tuple.src[0] = side == 0 ? 10 : 20;
    packet.tuple.dst[0] = side == 0 ? 20 : 10;
    packet.tuple.src_port = side == 0 ? 40000 : 25;
    packet.tuple.dst_port = side == 0 ? 25 : 40000;
    packet.tcp.flags = SW_TCP_ACK;
    packet.tcp.seq = isn[side] + 1 + offset;
    packet.tcp.ack = isn[1 - side] + 1 + ((uint32_t)step[3] << 2);
    packet.tcp.window = step[4] & 1 ? 0 : 1000;
    if (step[0] & 2) {
        packet.tcp.flags = side == 0 ? SW_TCP_SYN : SW_TCP_SYN | SW_TCP_ACK;
        packet.tcp.seq = isn[side];
        length = 0;
    }
    if ((step[0] & 0x0C) == 0x0C)
        packet.tcp.flags |= SW_TCP_FIN;
    if ((step[0] & 0x30) == 0x30)
        packet.tcp.flags |= SW_TCP_RST;
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = byte_at(side, offset + i);
    uint32_t captured = (step[4] & 6) == 6 ? length / 2 : length;
    if ((step[4] & 0x18) == 0x18 && length > 0) {
        bytes[0] ^= 1;
        w->lying = true;
    }
    packet.payload = sw_span_make(bytes, captured);
    packet.payload_wire = length;
    *now += (int64_t)step[5] * (step[4] & 0x20 ? SW_NS_PER_S : SW_NS_PER_MS);
    struct sw_frame frame = {.number = number, .time_ns = *now, .time_digits = 6};
    sw_flow_table_tcp(table, &frame, &packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct watch w = {.lying = true}; /* without a SYN offset 0 is anywhere */
    const struct sw_flow_sink sink = {.ctx = &w,
                                      .open = on_open,
                                      .chunk = on_chunk,
                                      .gap = on_gap,
                                      .conflict = on_conflict,
                                      .shut = on_shut,
                                      .end = on_end};
    const struct sw_flow_limits limits = {
        .held_per_side_bytes = 2048, .held_segments = 12, .flows = 16};
    if (size < 2 || size > 3000)
        return 0;
    struct sw_flow_table *table = sw_flow_table_new(&limits, &sw_hash_fixed_key, &sink);
    if (!table)
        return 0;
    int64_t now = SW_NS_PER_S;
    uint64_t number = 1;
    if (data[0] & 1) { /* a proper handshake: then contents can be compared */
        static const uint8_t handshake[3][6] = {
            {2, 0, 0, 0, 0, 1}, {3, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 1}};
        for (int i = 0; i < 3; i++)
            send(table, &w, handshake[i], number++, &now);
        w.lying = false;
    }
    bool plain = true; /* SYNs and RSTs later may begin a connection without a SYN, where offset 0
                          is anywhere */
    for (size_t at = 1; at + 6 <= size; at += 6) {
        uint8_t step[6];
        memcpy(step, data + at, 6);
        plain = plain && !(step[0] & 2) && (step[0] & 0x30) != 0x30 && !(step[4] & 0x20) &&
                (step[0] & 0x0C) != 0x0C;
        w.lying = w.lying || !plain;
        send(table, &w, step, number++, &now);
    }
    sw_flow_table_finish(table);
    sw_flow_table_free(table);
    return 0;
}
