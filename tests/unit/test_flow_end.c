/*
 * Connections end at ticks, several together, in the order of their beginnings: all of a tick that
 * are told as ended stay as they are until the user is done with them, and none is lost because
 * another one stands where it has to wake.
 */
#include "flow/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { MOST = 40, FIRST_PORT = 1000, LINGER_MS = 100, TICK_MS = 9 };

/* What hangs on a connection; only one of a place can be awake. */
struct user {
    bool rests;
};

struct seen {
    struct user users[MOST];
    unsigned opened;
    const struct sw_flow *waiting[MOST]; /* ended since the last ended() */
    unsigned waiting_count, most_waiting, groups;
    uint16_t ports[MOST];
    int64_t times_ns[MOST];
    unsigned ends;
    struct sw_flow *in_place; /* NULL: the place is free */
    bool one_place;
};

static bool on_open(void *ctx, struct sw_flow *flow, const struct sw_packet *packet)
{
    struct seen *seen = ctx;
    (void)packet;
    assert_true(seen->opened < MOST);
    sw_flow_set_user(flow, &seen->users[seen->opened++]);
    if (!seen->one_place)
        return true;
    if (seen->in_place)
        assert_true(sw_flow_make_rest(seen->in_place));
    seen->in_place = flow;
    return true;
}

static void on_chunk(void *ctx, struct sw_flow *flow, const struct sw_chunk *chunk)
{
    (void)ctx;
    (void)flow;
    (void)chunk;
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
    struct seen *seen = ctx;
    const struct user *user = sw_flow_user(flow);
    assert_false(user->rests);
    assert_true(seen->ends < MOST);
    seen->ports[seen->ends] = sw_flow_facts(flow)->tuple.src_port;
    seen->times_ns[seen->ends++] = mark.time_ns;
    seen->waiting[seen->waiting_count++] = flow;
}

static void on_ended(void *ctx)
{
    struct seen *seen = ctx;
    assert_true(seen->waiting_count > 0);
    for (unsigned i = 0; i < seen->waiting_count; i++) {
        const struct sw_flow *flow = seen->waiting[i];
        unsigned port = seen->ports[seen->ends - seen->waiting_count + i];
        const struct user *user = sw_flow_user(flow);
        assert_int_equal(sw_flow_facts(flow)->tuple.src_port, port);
        assert_ptr_equal(user, &seen->users[port - FIRST_PORT]);
        assert_false(user->rests);
        if (seen->in_place == flow)
            seen->in_place = NULL;
    }
    if (seen->waiting_count > seen->most_waiting)
        seen->most_waiting = seen->waiting_count;
    seen->groups++;
    seen->waiting_count = 0;
}

static void on_rest(void *ctx, struct sw_flow *flow)
{
    struct seen *seen = ctx;
    struct user *user = sw_flow_user(flow);
    user->rests = true;
    if (seen->in_place == flow)
        seen->in_place = NULL;
}

static bool on_wake(void *ctx, struct sw_flow *flow)
{
    struct seen *seen = ctx;
    struct user *user = sw_flow_user(flow);
    if (seen->one_place && seen->in_place && !sw_flow_make_rest(seen->in_place))
        return false;
    if (seen->one_place)
        seen->in_place = flow;
    user->rests = false;
    return true;
}

static struct sw_flow_table *new_table(struct seen *seen)
{
    const struct sw_flow_sink sink = {
        .ctx = seen,
        .open = on_open,
        .chunk = on_chunk,
        .gap = on_gap,
        .shut = on_shut,
        .end = on_end,
        .ended = on_ended,
        .rest = on_rest,
        .wake = on_wake,
    };
    const struct sw_flow_limits limits = {.linger_ns = LINGER_MS * SW_NS_PER_MS};
    const struct sw_hash_key key = {1, 2};
    struct sw_flow_table *table = sw_flow_table_new(&limits, &key, &sink);
    assert_non_null(table);
    return table;
}

/* A packet of the client of connection `i`. */
static void packet_of(struct sw_flow_table *table, unsigned i, unsigned flags, uint32_t seq,
                      int64_t time_ns)
{
    static uint64_t number;
    struct sw_packet packet = {
        .tuple = {.src = {192, 0, 2, 10},
                  .dst = {198, 51, 100, 25},
                  .src_port = (uint16_t)(FIRST_PORT + i),
                  .dst_port = 25,
                  .ip_version = 4,
                  .transport = 6},
        .transport = SW_TRANSPORT_TCP,
        .ttl = 64,
        .tcp = {.seq = seq, .window = 501, .flags = (uint8_t)flags},
    };
    const struct sw_frame frame = {.number = ++number, .time_ns = time_ns, .time_digits = 6};
    sw_flow_table_tcp(table, &frame, &packet);
}

static void assert_in_order(const struct seen *seen, unsigned count)
{
    assert_int_equal(seen->ends, count);
    assert_int_equal(seen->waiting_count, 0);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(seen->ports[i], FIRST_PORT + i);
}

static void test_of_one_tick_they_end_together(void **state)
{
    (void)state;
    enum { COUNT = 20 };
    struct seen seen = {0};
    struct sw_flow_table *table = new_table(&seen);
    const int64_t at_ns = SW_NS_PER_S;
    for (unsigned i = 0; i < COUNT; i++)
        packet_of(table, i, SW_TCP_SYN, 100, at_ns);
    for (unsigned i = COUNT; i-- > 0;) /* closed the other way round */
        packet_of(table, i, SW_TCP_RST, 101, at_ns);
    sw_flow_table_time(table, at_ns + LINGER_MS * SW_NS_PER_MS - 1);
    assert_int_equal(seen.ends, 0);
    sw_flow_table_time(table, at_ns + (LINGER_MS + TICK_MS) * SW_NS_PER_MS);
    assert_in_order(&seen, COUNT);
    assert_true(seen.most_waiting > 1);
    assert_true(seen.groups > 1); /* not without a bound */
    for (unsigned i = 0; i < COUNT; i++) {
        assert_true(seen.times_ns[i] >= at_ns + LINGER_MS * SW_NS_PER_MS);
        assert_int_equal(seen.times_ns[i], seen.times_ns[0]);
    }
    sw_flow_table_free(table);
}

/* How time is told makes no difference: step by step or all at once. */
static void test_ticks_are_kept_apart(void **state)
{
    (void)state;
    enum { COUNT = 6, APART_MS = 20 };
    struct seen all = {0}, steps = {0};
    struct seen *both[] = {&all, &steps};
    for (int which = 0; which < 2; which++) {
        struct sw_flow_table *table = new_table(both[which]);
        for (unsigned i = 0; i < COUNT; i++) {
            int64_t at_ns = SW_NS_PER_S + (int64_t)(i / 2) * APART_MS * SW_NS_PER_MS;
            packet_of(table, i, SW_TCP_SYN, 100, at_ns);
            packet_of(table, i, SW_TCP_RST, 101, at_ns);
        }
        for (int64_t ms = 1000; which == 1 && ms < 1500; ms++)
            sw_flow_table_time(table, ms * SW_NS_PER_MS);
        sw_flow_table_time(table, 2 * SW_NS_PER_S);
        assert_in_order(both[which], COUNT);
        assert_int_equal(both[which]->groups, COUNT / 2);
        sw_flow_table_free(table);
    }
    assert_memory_equal(all.times_ns, steps.times_ns, sizeof(all.times_ns));
}

static void test_none_is_in_the_way_of_another(void **state)
{
    (void)state;
    enum { COUNT = 12 };
    for (int finish = 0; finish < 2; finish++) {
        struct seen seen = {.one_place = true};
        struct sw_flow_table *table = new_table(&seen);
        const int64_t at_ns = SW_NS_PER_S;
        for (unsigned i = 0; i < COUNT; i++)
            packet_of(table, i, SW_TCP_SYN, 100, at_ns);
        if (finish)
            sw_flow_table_finish(table);
        else
            sw_flow_table_time(table, at_ns + 600 * SW_NS_PER_S);
        assert_in_order(&seen, COUNT);
        assert_int_equal(seen.most_waiting, 1);
        sw_flow_table_free(table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_one_tick_they_end_together),
        cmocka_unit_test(test_ticks_are_kept_apart),
        cmocka_unit_test(test_none_is_in_the_way_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
