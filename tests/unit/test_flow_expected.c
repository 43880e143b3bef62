/*
 * Short ways through the table of connections. That of the expected packet comes to the same as the
 * long one: two tables get the same packets, and in one of them nothing is ever expected. Packets
 * that nobody wants are known again, in runs and apart.
 */
#include "flow/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ROUNDS = 400, PACKETS = 80, TEXT_BYTES = 200 };

static uint32_t seed;

static uint32_t dice(uint32_t sides)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % sides;
}

/* What the sink of a table was told, in the order of telling. */
struct told {
    uint64_t hash;
    unsigned chunks;
};

static void tell(struct told *told, uint64_t what, uint64_t where, uint64_t length)
{
    told->hash = sw_hash_mix(told->hash ^ what ^ UINT64_C(0x9e3779b97f4a7c15), where + 3);
    told->hash = sw_hash_mix(told->hash ^ length, UINT64_C(0xd1b54a32d192ed03));
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
    struct told *told = ctx;
    (void)flow;
    told->chunks++;
    tell(told, 1 + (uint64_t)chunk->from, chunk->offset, chunk->bytes.len);
    tell(told, sw_hash_bytes(&sw_hash_fixed_key, chunk->bytes), chunk->mark.frame, 0);
}

static void on_gap(void *ctx, struct sw_flow *flow, enum sw_side from, uint64_t offset,
                   uint64_t length, enum sw_gap_kind kind, struct sw_mark mark)
{
    (void)flow;
    (void)mark;
    tell(ctx, 10 + (uint64_t)from + 2 * (uint64_t)kind, offset, length);
}

static void on_conflict(void *ctx, struct sw_flow *flow, enum sw_side from, uint64_t offset,
                        struct sw_span second, struct sw_mark mark)
{
    (void)flow;
    (void)mark;
    tell(ctx, 20 + (uint64_t)from, offset, second.len);
}

static void on_shut(void *ctx, struct sw_flow *flow, enum sw_side from, bool rst,
                    struct sw_mark mark)
{
    (void)flow;
    (void)mark;
    tell(ctx, 30 + (uint64_t)from, rst, 0);
}

static void on_end(void *ctx, struct sw_flow *flow, struct sw_mark mark)
{
    (void)flow;
    tell(ctx, 40, mark.frame, 0);
}

static struct sw_flow_table *make(struct told *told)
{
    const struct sw_flow_sink sink = {
        .ctx = told,
        .open = on_open,
        .chunk = on_chunk,
        .gap = on_gap,
        .conflict = on_conflict,
        .shut = on_shut,
        .end = on_end,
    };
    struct sw_flow_table *table = sw_flow_table_new(NULL, &sw_hash_fixed_key, &sink);
    assert_non_null(table);
    return table;
}

static struct sw_flow *only_flow(struct sw_flow_table *table)
{
    for (int rank = 0; rank < SW_FLOW_RANKS; rank++) {
        if (table->lists[rank].oldest)
            return table->lists[rank].oldest;
    }
    return NULL;
}

static void assert_same_half(const struct sw_half *a, const struct sw_half *b)
{
    assert_int_equal(a->based, b->based);
    assert_int_equal(a->base, b->base);
    assert_int_equal(a->next, b->next);
    assert_int_equal(a->high, b->high);
    assert_int_equal(a->high_ns, b->high_ns);
    assert_int_equal(a->acked, b->acked);
    assert_int_equal(a->window, b->window);
    assert_int_equal(a->waiting, b->waiting);
    assert_int_equal(a->probe_pending, b->probe_pending);
    assert_int_equal(a->zero_since_ns, b->zero_since_ns);
    assert_int_equal(a->dup_acks, b->dup_acks);
    assert_int_equal(a->dup_ack_ns, b->dup_ack_ns);
    assert_int_equal(a->rto_count, b->rto_count);
    assert_int_equal(a->rto_offset, b->rto_offset);
    assert_int_equal(a->held_count, b->held_count);
    assert_int_equal(a->sent_open, b->sent_open);
    assert_int_equal(a->sent_at, b->sent_at);
    for (int i = 0; i < SW_SENT; i++) {
        assert_int_equal(a->sent[i].end, b->sent[i].end);
        assert_int_equal(a->sent[i].bytes, b->sent[i].bytes);
    }
    assert_int_equal(a->past_from, b->past_from);
    assert_int_equal(a->past_to, b->past_to);
}

static void assert_same(const struct sw_flow *a, const struct sw_flow *b)
{
    assert_int_equal(!a, !b);
    if (!a)
        return;
    assert_int_equal(a->deadline_ns, b->deadline_ns);
    assert_int_equal(a->half_open, b->half_open);
    assert_int_equal(a->dead, b->dead);
    assert_int_equal(!a->body, !b->body);
    if (!a->body)
        return;
    assert_memory_equal(&a->body->facts, &b->body->facts, sizeof(a->body->facts));
    for (int side = 0; side < 2; side++)
        assert_same_half(&a->body->half[side], &b->body->half[side]);
}

/* The two ends of the connection, as they send. */
static uint32_t sent[2], isn[2];
static uint8_t text[TEXT_BYTES];
static struct sw_packet packet;
static struct sw_frame frame;

static void address(enum sw_side from)
{
    packet.tuple = (struct sw_tuple){.src = {10, 0, 0, 1},
                                     .dst = {10, 0, 0, 2},
                                     .src_port = 40000,
                                     .dst_port = 25,
                                     .ip_version = 4,
                                     .transport = SW_FLOW_TRANSPORT_TCP};
    if (from == SW_SERVER) {
        packet.tuple.src[3] = 2;
        packet.tuple.dst[3] = 1;
        packet.tuple.src_port = 25;
        packet.tuple.dst_port = 40000;
    }
}

static void build(enum sw_side from, unsigned flags)
{
    uint16_t ip_id = packet.ip_id;
    packet = (struct sw_packet){.transport = SW_TRANSPORT_TCP, .ttl = 64};
    packet.ip_id = (uint16_t)(ip_id + dice(2));
    address(from);
    packet.tcp.flags = (uint8_t)flags;
    packet.tcp.seq = isn[from] + sent[from];
    packet.tcp.ack = isn[sw_side_other(from)] + sent[sw_side_other(from)];
    packet.tcp.window = 500;
    if (flags & SW_TCP_SYN) {
        packet.tcp.has_window_scale = true;
        packet.tcp.window_scale = 7;
    }
}

/* Mostly what is expected, and everything else now and then. */
static void build_any(void)
{
    enum sw_side from = dice(2) ? SW_SERVER : SW_CLIENT;
    build(from, SW_TCP_ACK | (dice(2) ? SW_TCP_PSH : 0));
    packet.payload_wire = dice(3) ? dice(TEXT_BYTES) : 0;
    packet.payload = sw_span_make(text, packet.payload_wire);
    sent[from] += packet.payload_wire;
    switch (dice(90)) {
    case 0:
        packet.tcp.seq -= dice(300);
        break;
    case 1:
        packet.tcp.seq += dice(300);
        break;
    case 2:
        packet.tcp.ack += dice(100);
        break;
    case 3:
        packet.tcp.window = 0;
        break;
    case 4:
        if (dice(3)) /* or the connection would soon be over */
            break;
        packet.tcp.flags |= dice(3) ? SW_TCP_FIN : SW_TCP_RST;
        sent[from] += packet.tcp.flags & SW_TCP_FIN ? 1 : 0;
        break;
    case 5:
        packet.tcp.sack_count = 1;
        packet.tcp.sack[0].left = packet.tcp.ack + dice(100);
        packet.tcp.sack[0].right = packet.tcp.sack[0].left + dice(100);
        break;
    case 6: /* the snaplen cut it */
        packet.payload.len = dice((uint32_t)packet.payload.len + 1);
        break;
    case 7:
        packet.ttl = (uint8_t)(60 + dice(9));
        break;
    case 8:
        packet.tcp.flags = dice(4) ? SW_TCP_PSH : SW_TCP_SYN;
        break;
    case 9:
    case 10:
    case 11:
    case 12:
        packet.tcp.ack -= dice(300);
        break;
    case 13: /* lost by the capture */
        sent[from] += dice(200);
        break;
    default:
        break;
    }
}

static void test_both_ways_come_to_the_same(void **state)
{
    (void)state;
    unsigned expected = 0;
    unsigned chunks = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        seed = 7000003u * (round + 1);
        struct told told[2] = {{0}};
        struct sw_flow_table *any = make(&told[0]);
        struct sw_flow_table *long_way = make(&told[1]);
        frame = (struct sw_frame){.time_ns = SW_NS_PER_S, .time_digits = 6};
        isn[0] = dice(2) ? UINT32_MAX - dice(3000) : dice(UINT32_MAX);
        isn[1] = dice(UINT32_MAX);
        sent[0] = sent[1] = 0;
        for (size_t i = 0; i < TEXT_BYTES; i++)
            text[i] = (uint8_t)dice(256);
        for (unsigned n = 0; n < PACKETS; n++) {
            if (n == 0)
                build(SW_CLIENT, SW_TCP_SYN);
            else if (n == 1)
                build(SW_SERVER, SW_TCP_SYN | SW_TCP_ACK);
            else if (dice(20) != 0) /* else the one before comes twice */
                build_any();
            sent[n == 1 ? SW_SERVER : SW_CLIENT] += n < 2;
            frame.number++;
            frame.time_ns += dice(5) ? dice(4000000) : -(int64_t)dice(1000);
            struct sw_flow *flow = only_flow(long_way);
            if (flow && flow->body) {
                expected += flow->body->even;
                flow->body->even = false;
            }
            sw_flow_table_tcp(any, &frame, &packet);
            sw_flow_table_tcp(long_way, &frame, &packet);
            assert_same(only_flow(any), only_flow(long_way));
            assert_int_equal(told[0].hash, told[1].hash);
        }
        sw_flow_table_finish(any);
        sw_flow_table_finish(long_way);
        assert_int_equal(told[0].hash, told[1].hash);
        chunks += told[0].chunks;
        sw_flow_table_free(any);
        sw_flow_table_free(long_way);
    }
    assert_true(chunks > ROUNDS);
    assert_true(expected > ROUNDS * PACKETS / 4);
    assert_true(expected < ROUNDS * PACKETS);
}

static bool on_open_unwanted(void *ctx, struct sw_flow *flow, const struct sw_packet *first)
{
    unsigned *opened = ctx;
    (void)flow;
    (void)first;
    ++*opened;
    return false;
}

/* How many connections were begun so far, once this packet has come. */
static unsigned after(struct sw_flow_table *table, const unsigned *opened, uint16_t client_port,
                      unsigned flags, int64_t seconds)
{
    build(SW_CLIENT, flags);
    packet.tuple.src_port = client_port;
    frame.number++;
    frame.time_ns += seconds * SW_NS_PER_S;
    sw_flow_table_tcp(table, &frame, &packet);
    return *opened;
}

static void test_what_nobody_wants_is_known_again(void **state)
{
    (void)state;
    unsigned opened = 0;
    const struct sw_flow_sink sink = {.ctx = &opened, .open = on_open_unwanted};
    struct sw_flow_table *table = sw_flow_table_new(NULL, &sw_hash_fixed_key, &sink);
    assert_non_null(table);
    frame = (struct sw_frame){.time_ns = SW_NS_PER_S, .time_digits = 6};
    for (int i = 0; i < 4; i++) /* the packets of one come in a run */
        assert_int_equal(after(table, &opened, 1001, SW_TCP_ACK, 0), 1);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(after(table, &opened, 1002, SW_TCP_ACK, 0), 2);
        assert_int_equal(after(table, &opened, 1001, SW_TCP_ACK, 0), 2);
    }
    assert_int_equal(after(table, &opened, 1001, SW_TCP_SYN, 0), 3); /* its ports are used again */
    for (int i = 0; i < 4; i++)                                      /* every packet prolongs it */
        assert_int_equal(after(table, &opened, 1001, SW_TCP_ACK, 100), 3);
    assert_int_equal(after(table, &opened, 1001, SW_TCP_ACK, 121), 4);
    assert_int_equal(sw_flow_table_count(table)->open, 0);
    sw_flow_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways_come_to_the_same),
        cmocka_unit_test(test_what_nobody_wants_is_known_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
