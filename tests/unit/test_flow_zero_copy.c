/*
 * In-order payload comes out of reassembly where it lies in the frame; only what had to wait is
 * handed out from elsewhere.
 */
#include "flow/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct seen {
    const uint8_t *at[8];
    size_t len[8];
    int count;
};

static bool on_open(void *ctx, struct sw_flow *flow, const struct sw_packet *packet)
{
    (void)ctx;
    (void)flow;
    (void)packet;
    return true;
}

static void on_chunk(void *ctx, struct sw_flow *flow, const struct sw_chunk *chunk)
{
    struct seen *seen = ctx;
    (void)flow;
    assert_true(seen->count < 8);
    seen->at[seen->count] = chunk->bytes.ptr;
    seen->len[seen->count++] = chunk->bytes.len;
}

static void on_gap(void *ctx, struct sw_flow *flow, enum sw_side from, uint64_t offset,
                   uint64_t length, enum sw_gap_kind kind, struct sw_mark mark)
{
    (void)ctx;
    (void)flow;
    (void)from;
    (void)offset;
    (void)length;
    (void)kind;
    (void)mark;
}

static void on_conflict(void *ctx, struct sw_flow *flow, enum sw_side from, uint64_t offset,
                        struct sw_span second, struct sw_mark mark)
{
    (void)ctx;
    (void)flow;
    (void)from;
    (void)offset;
    (void)second;
    (void)mark;
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
    (void)ctx;
    (void)flow;
    (void)mark;
}

static struct sw_flow_table *new_table(struct seen *seen)
{
    const struct sw_flow_sink sink = {
        .ctx = seen,
        .open = on_open,
        .chunk = on_chunk,
        .gap = on_gap,
        .conflict = on_conflict,
        .shut = on_shut,
        .end = on_end,
    };
    const struct sw_flow_limits limits = {0};
    const struct sw_hash_key key = {1, 2};
    struct sw_flow_table *table = sw_flow_table_new(&limits, &key, &sink);
    assert_non_null(table);
    return table;
}

/* A segment of the client (or, turned, of the server) at `seq`. */
static void segment(struct sw_flow_table *table, bool from_server, unsigned flags, uint32_t seq,
                    uint32_t ack, struct sw_span payload)
{
    static uint64_t number;
    const uint8_t client[4] = {192, 0, 2, 10};
    const uint8_t server[4] = {198, 51, 100, 25};
    struct sw_packet packet = {
        .tuple = {.src_port = from_server ? 25 : 49152,
                  .dst_port = from_server ? 49152 : 25,
                  .ip_version = 4,
                  .transport = 6},
        .transport = SW_TRANSPORT_TCP,
        .ttl = 64,
        .tcp = {.seq = seq, .ack = ack, .window = 501, .flags = (uint8_t)flags},
        .payload = payload,
        .payload_wire = (uint32_t)payload.len,
    };
    memcpy(packet.tuple.src, from_server ? server : client, 4);
    memcpy(packet.tuple.dst, from_server ? client : server, 4);
    number++;
    const struct sw_frame frame = {
        .number = number,
        .time_ns = (int64_t)number * SW_NS_PER_MS,
        .time_digits = 6,
        .bytes = payload.ptr,
        .caplen = (uint32_t)payload.len,
        .len = (uint32_t)payload.len,
    };
    sw_flow_table_tcp(table, &frame, &packet);
}

static void shake_hands(struct sw_flow_table *table)
{
    const struct sw_span none = {NULL, 0};
    segment(table, false, SW_TCP_SYN, 99, 0, none);
    segment(table, true, SW_TCP_SYN | SW_TCP_ACK, 499, 100, none);
    segment(table, false, SW_TCP_ACK, 100, 500, none);
}

static void test_in_order_bytes_stay_in_their_frame(void **state)
{
    (void)state;
    static const uint8_t wire[] = "EHLO pc.example.net\r\nMAIL FROM:<a@example.net>\r\n";
    struct seen seen = {.count = 0};
    struct sw_flow_table *table = new_table(&seen);
    shake_hands(table);
    segment(table, false, SW_TCP_ACK, 100, 500, sw_span_make(wire, 21));
    segment(table, false, SW_TCP_ACK, 121, 500, sw_span_make(wire + 21, 27));
    assert_int_equal(seen.count, 2);
    assert_ptr_equal(seen.at[0], wire);
    assert_int_equal(seen.len[0], 21);
    assert_ptr_equal(seen.at[1], wire + 21);
    assert_int_equal(seen.len[1], 27);
    sw_flow_table_free(table);
}

static void test_what_had_to_wait_is_a_copy(void **state)
{
    (void)state;
    static const uint8_t wire[] = "QUIT\r\n";
    struct seen seen = {.count = 0};
    struct sw_flow_table *table = new_table(&seen);
    shake_hands(table);
    segment(table, false, SW_TCP_ACK, 103, 500, sw_span_make(wire + 3, 3));
    assert_int_equal(seen.count, 0); /* it waits, in memory of its own */
    segment(table, false, SW_TCP_ACK, 100, 500, sw_span_make(wire, 3));
    assert_true(seen.count > 0);
    assert_ptr_not_equal(seen.at[seen.count - 1], wire + 3);
    sw_flow_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order_bytes_stay_in_their_frame),
        cmocka_unit_test(test_what_had_to_wait_is_a_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
