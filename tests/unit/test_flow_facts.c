/* What TCP tells: each word of Wireshark's once, and its neighbours that must not be taken for it.
 */
#include "support/segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct segments s;
static const char text[2000];

#define CLIENT (&s.facts.half[SW_CLIENT])
#define SERVER (&s.facts.half[SW_SERVER])

static void begin(void)
{
    segments_open(&s, 1000, 2000, NULL);
    segments_handshake(&s);
}

static void data(uint64_t offset, size_t n)
{
    segments_send(&s, SW_CLIENT, SW_TCP_ACK, offset, text, n, 0);
}

static void ack(uint64_t acked)
{
    segments_send(&s, SW_SERVER, SW_TCP_ACK, 0, NULL, 0, acked);
}

static void test_nothing_special(void **state)
{
    (void)state;
    begin();
    data(0, 100);
    ack(100);
    data(100, 100);
    ack(200);
    segments_close(&s);
    assert_int_equal(CLIENT->retransmissions, 0);
    assert_int_equal(CLIENT->out_of_order, 0);
    assert_int_equal(CLIENT->data_packets, 2);
    assert_int_equal(CLIENT->bytes, 200);
    assert_int_equal(CLIENT->max_payload, 100);
    assert_int_equal(CLIENT->max_acked_payload, 100);
    assert_int_equal(CLIENT->unacked_bytes, 0);
    assert_int_equal(CLIENT->mss, 1460);
    assert_int_equal(s.facts.syn_count, 1);
}

static void test_retransmission_after_a_timeout(void **state)
{
    (void)state;
    begin();
    data(0, 100);
    for (int i = 0; i < 4; i++) {
        segments_wait(&s, SW_NS_PER_S << i);
        data(0, 100);
    }
    segments_close(&s);
    assert_int_equal(CLIENT->retransmissions, 4);
    assert_int_equal(CLIENT->rto_chain, 4);
    assert_int_equal(CLIENT->rto_open, 4);
    assert_int_equal(CLIENT->rto_bytes, 100);
    assert_int_equal(CLIENT->rto_first.frame, 5);
    assert_int_equal(CLIENT->rto_last.frame, 8);
    assert_int_equal(CLIENT->fast_retransmissions, 0);
    assert_int_equal(CLIENT->spurious_retransmissions, 0);
    assert_int_equal(CLIENT->unacked_bytes, 100);
    assert_int_equal(CLIENT->bytes, 100);
    assert_int_equal(CLIENT->max_acked_payload, 0);
}

static void test_an_answer_ends_the_chain(void **state)
{
    (void)state;
    begin();
    data(0, 100);
    for (int i = 0; i < 3; i++) {
        segments_wait(&s, SW_NS_PER_S);
        data(0, 100);
    }
    ack(100);
    segments_close(&s);
    assert_int_equal(CLIENT->rto_chain, 3);
    assert_int_equal(CLIENT->rto_open, 0);
}

static void test_fast_retransmission(void **state)
{
    (void)state;
    begin();
    data(0, 100);
    segments_wait(&s, 50 * SW_NS_PER_MS);
    data(200, 100); /* 100 to 200 was lost before the recorder */
    ack(100);
    data(300, 100);
    ack(100);
    data(400, 100);
    ack(100);
    segments_wait(&s, 5 * SW_NS_PER_MS);
    data(100, 100);
    ack(500);
    segments_close(&s);
    assert_int_equal(CLIENT->retransmissions, 1);
    assert_int_equal(CLIENT->fast_retransmissions, 1);
    assert_int_equal(CLIENT->out_of_order, 0);
    assert_int_equal(s.next[SW_CLIENT], 500);
}

static void test_out_of_order_is_no_retransmission(void **state)
{
    (void)state;
    begin();
    data(100, 100);
    data(0, 100);
    ack(200);
    segments_close(&s);
    assert_int_equal(CLIENT->out_of_order, 1);
    assert_int_equal(CLIENT->retransmissions, 0);
    assert_int_equal(CLIENT->bytes, 200);
}

static void test_spurious_retransmission(void **state)
{
    (void)state;
    begin();
    data(0, 100);
    ack(100);
    segments_wait(&s, SW_NS_PER_S);
    data(0, 100);
    ack(100);
    segments_close(&s);
    assert_int_equal(CLIENT->retransmissions, 1);
    assert_int_equal(CLIENT->spurious_retransmissions, 1);
    assert_int_equal(CLIENT->rto_open, 0);
}

static void test_keepalive(void **state)
{
    (void)state;
    begin();
    data(0, 100);
    ack(100);
    for (int i = 0; i < 3; i++) {
        segments_wait(&s, 30 * SW_NS_PER_S);
        segments_send(&s, SW_CLIENT, SW_TCP_ACK, 99, i == 1 ? text : NULL, i == 1, 0);
        ack(100);
    }
    segments_close(&s);
    assert_int_equal(CLIENT->keepalives, 3);
    assert_int_equal(CLIENT->retransmissions, 0);
    assert_int_equal(s.next[SW_CLIENT], 100);
}

static void test_zero_window(void **state)
{
    (void)state;
    begin();
    data(0, 100);
    s.window[SW_SERVER] = 0;
    ack(100);
    for (int i = 0; i < 4; i++) {
        segments_wait(&s, 5 * SW_NS_PER_S);
        segments_send(&s, SW_CLIENT, SW_TCP_ACK, 99, NULL, 0, 0);
        ack(100);
    }
    segments_close(&s);
    assert_int_equal(SERVER->zero_window_probes, 4);
    assert_int_equal(SERVER->zero_window.frame, 5);
    assert_int_equal(SERVER->zero_window_answer.frame, 13);
    assert_true(SERVER->zero_window_open_ns > 19 * SW_NS_PER_S);
    assert_int_equal(CLIENT->keepalives, 0); /* they probe the window */
    assert_int_equal(CLIENT->retransmissions, 0);
}

static void test_window_that_opens_again(void **state)
{
    (void)state;
    begin();
    data(0, 100);
    s.window[SW_SERVER] = 0;
    ack(100);
    segments_wait(&s, 3 * SW_NS_PER_S);
    segments_send(&s, SW_CLIENT, SW_TCP_ACK, 100, text, 1, 0); /* a probe with the next byte */
    ack(100);
    s.window[SW_SERVER] = 500;
    ack(101);
    data(101, 50);
    segments_close(&s);
    assert_int_equal(SERVER->zero_window_open_ns, 0);
    assert_in_range(SERVER->zero_window_ns, 3 * SW_NS_PER_S, 4 * SW_NS_PER_S);
    assert_int_equal(s.next[SW_CLIENT], 151); /* it was real in the end */
    assert_int_equal(CLIENT->retransmissions, 0);
}

static void test_window_without_its_scale(void **state)
{
    (void)state;
    for (int scaled = 0; scaled < 2; scaled++) {
        segments_open(&s, 1000, 2000, NULL);
        if (scaled)
            s.scale[0] = s.scale[1] = 7;
        s.window[SW_SERVER] = 250;
        segments_handshake(&s);
        ack(0);
        for (uint64_t i = 0; i < 20; i++) {
            data(250 * i, 250);
            ack(250 * (i + 1));
        }
        segments_close(&s);
        assert_int_equal(CLIENT->window_unscaled, scaled ? 20 : 0);
    }
}

/* The large ones never arrive; what is behind them is acknowledged on its own. */
static void test_sizes_that_get_through(void **state)
{
    (void)state;
    begin();
    data(0, 300);
    ack(300);
    data(300, 1460);
    data(1760, 40);
    ack(300);
    segments_wait(&s, SW_NS_PER_S);
    data(300, 1460);
    segments_close(&s);
    assert_int_equal(CLIENT->max_payload, 1460);
    assert_int_equal(CLIENT->max_acked_payload, 300);
    assert_int_equal(CLIENT->rto_bytes, 1460);
}

static void test_hole(void **state)
{
    (void)state;
    begin();
    segments_send(&s, SW_SERVER, SW_TCP_ACK, 1460, text, 20, 0);
    segments_send(&s, SW_CLIENT, SW_TCP_ACK, 0, NULL, 0, 0);
    segments_close(&s);
    assert_int_equal(SERVER->hole_bytes, 1460);
    assert_int_equal(SERVER->hole.frame, 4);
    assert_int_equal(SERVER->gap_bytes, 0);
}

static void test_rst_of_somebody_else(void **state)
{
    (void)state;
    begin();
    data(0, 10);
    ack(10);
    s.ttl[SW_SERVER] = 120;
    segments_send(&s, SW_SERVER, SW_TCP_RST | SW_TCP_ACK, 0, NULL, 0, 10);
    s.ttl[SW_SERVER] = 57;
    segments_wait(&s, 100 * SW_NS_PER_MS);
    segments_send(&s, SW_SERVER, SW_TCP_ACK, 0, text, 10, 10);
    segments_close(&s);
    assert_int_equal(SERVER->rst.frame, 6);
    assert_int_equal(SERVER->rst_ttl, 120);
    assert_int_equal(SERVER->ttl_min, 57);
    assert_int_equal(SERVER->ttl_max, 57);
    assert_int_equal(SERVER->after_rst.frame, 7);
    assert_int_equal(s.facts.close, SW_CLOSE_RST);
}

static void test_rst_far_outside_of_the_window_is_ignored(void **state)
{
    (void)state;
    begin();
    data(0, 10);
    segments_send(&s, SW_SERVER, SW_TCP_RST, 500 << 20, NULL, 0, 0);
    segments_send(&s, SW_SERVER, SW_TCP_ACK, 0, text, 10, 10);
    segments_close(&s);
    assert_int_equal(SERVER->rst.frame, 0);
    assert_int_equal(s.facts.close, SW_CLOSE_OPEN);
}

static void test_half_close(void **state)
{
    (void)state;
    begin();
    data(0, 10);
    segments_send(&s, SW_CLIENT, SW_TCP_ACK | SW_TCP_FIN, 10, NULL, 0, 0);
    segments_send(&s, SW_SERVER, SW_TCP_ACK, 0, text, 50, 11); /* it goes on */
    segments_close(&s);
    assert_int_equal(s.facts.closed_by, SW_CLIENT);
    assert_int_equal(s.facts.close, SW_CLOSE_FIN);
    assert_int_equal(s.next[SW_SERVER], 50);
    assert_int_equal(SERVER->fin.frame, 0);
    assert_int_equal(CLIENT->unacked_bytes, 0);
}

/* The capture lacks the client's FIN: what the server acknowledges shows that it came first. */
static void test_fin_that_only_its_acknowledgement_shows(void **state)
{
    (void)state;
    begin();
    data(0, 10);
    segments_send(&s, SW_SERVER, SW_TCP_ACK | SW_TCP_FIN, 0, text, 20, 11);
    uint64_t confirms = s.number - 1;
    segments_send(&s, SW_CLIENT, SW_TCP_ACK, 11, NULL, 0, 21);
    segments_close(&s);
    assert_int_equal(s.next[SW_SERVER], 20); /* what the server said behind it is passed on */
    assert_true(CLIENT->fin_unseen);
    assert_false(SERVER->fin_unseen);
    assert_int_equal(s.facts.closed_by, SW_CLIENT);
    assert_int_equal(s.facts.close, SW_CLOSE_FIN);
    assert_int_equal(s.facts.closed.frame, confirms);
    assert_int_equal(CLIENT->gap_bytes, 0);
    assert_int_equal(CLIENT->unacked_bytes, 0);
}

/* Both closed at once, and the capture lacks the client's FIN: the server's came first. */
static void test_unseen_fin_behind_that_of_the_other_side(void **state)
{
    (void)state;
    begin();
    data(0, 10);
    segments_send(&s, SW_SERVER, SW_TCP_ACK | SW_TCP_FIN, 0, NULL, 0, 10);
    segments_send(&s, SW_SERVER, SW_TCP_ACK, 1, NULL, 0, 11);
    segments_close(&s);
    assert_true(CLIENT->fin_unseen);
    assert_int_equal(s.facts.closed_by, SW_SERVER);
}

/* A byte that the capture lacks looks the same until more come behind it. */
static void test_unseen_fin_that_was_a_byte(void **state)
{
    (void)state;
    begin();
    data(0, 10);
    segments_send(&s, SW_SERVER, SW_TCP_ACK, 0, NULL, 0, 11);
    s.now_ns += SW_NS_PER_S;
    segments_send(&s, SW_SERVER, SW_TCP_ACK, 0, text, 5, 11);
    s.now_ns += SW_NS_PER_S;
    segments_send(&s, SW_SERVER, SW_TCP_ACK | SW_TCP_FIN, 5, text, 5, 11);
    segments_send(&s, SW_CLIENT, SW_TCP_ACK, 11, text, 9, 11);
    segments_send(&s, SW_SERVER, SW_TCP_ACK, 11, NULL, 0, 20);
    segments_close(&s);
    assert_false(CLIENT->fin_unseen);
    assert_int_equal(CLIENT->fin.frame, 0);
    assert_int_equal(CLIENT->gap_bytes, 1);
    assert_int_equal(s.next[SW_CLIENT], 20);
    assert_int_equal(s.facts.closed_by, SW_SERVER);
    assert_int_equal(s.facts.close, SW_CLOSE_FIN);
}

/* It comes much later than what confirms it, as from another recorder. */
static void test_unseen_fin_that_comes_after_all(void **state)
{
    (void)state;
    begin();
    data(0, 10);
    segments_send(&s, SW_SERVER, SW_TCP_ACK, 0, NULL, 0, 11);
    s.now_ns += SW_NS_PER_S;
    segments_send(&s, SW_SERVER, SW_TCP_ACK, 0, NULL, 0, 11);
    segments_send(&s, SW_CLIENT, SW_TCP_ACK | SW_TCP_FIN, 10, NULL, 0, 0);
    uint64_t fin = s.number - 1;
    segments_send(&s, SW_SERVER, SW_TCP_ACK | SW_TCP_FIN, 0, NULL, 0, 11);
    segments_close(&s);
    assert_false(CLIENT->fin_unseen);
    assert_int_equal(CLIENT->fin.frame, fin);
    assert_int_equal(s.facts.closed.frame, fin);
    assert_int_equal(s.facts.closed_by, SW_CLIENT);
}

/* Two recorders: the server's FIN stands before the client's, which it acknowledges. */
static void test_fin_that_is_recorded_behind_what_confirms_it(void **state)
{
    (void)state;
    begin();
    data(0, 10);
    segments_send(&s, SW_SERVER, SW_TCP_ACK | SW_TCP_FIN, 0, NULL, 0, 11);
    uint64_t confirms = s.number - 1;
    segments_send(&s, SW_CLIENT, SW_TCP_ACK | SW_TCP_FIN, 10, NULL, 0, 0);
    segments_close(&s);
    assert_false(CLIENT->fin_unseen);
    assert_int_equal(CLIENT->fin.frame, confirms + 1);
    assert_int_equal(CLIENT->fin_confirmed, confirms);
    assert_int_equal(SERVER->fin_confirmed, 0);
    assert_int_equal(s.facts.closed_by, SW_CLIENT);
    assert_int_equal(s.facts.closed.frame, confirms + 1);
}

/* The same packet but for one flag, with the same IP id and at the same moment, is another one. */
static void test_a_flag_more_is_no_copy(void **state)
{
    (void)state;
    static const unsigned flags[] = {SW_TCP_FIN, SW_TCP_RST};
    for (int shift = 0; shift < 2; shift++) { /* two frames in a row have one id */
        for (int i = 0; i < 2; i++) {
            begin();
            if (shift)
                segments_send(&s, SW_SERVER, SW_TCP_ACK, 0, NULL, 0, 0);
            segments_send(&s, SW_CLIENT, SW_TCP_ACK, 0, NULL, 0, 0);
            segments_send(&s, SW_CLIENT, SW_TCP_ACK | flags[i], 0, NULL, 0, 0);
            segments_close(&s);
            assert_int_equal(CLIENT->duplicates, 0);
            assert_int_equal(s.facts.closed_by, SW_CLIENT);
        }
    }
}

/* An ICMP error that quotes the client's SYN. */
static void unreachable(void)
{
    const struct sw_tuple quote = {.src = {10},
                                   .dst = {20},
                                   .src_port = 40000,
                                   .dst_port = 25,
                                   .ip_version = 4,
                                   .transport = 6};
    struct sw_packet packet = {.transport = SW_TRANSPORT_ICMP, .tuple = {.ip_version = 4}};
    packet.icmp.type = 3;
    packet.icmp.has_quote = true;
    packet.icmp.quote = quote;
    struct sw_frame frame = {.number = s.number++, .time_ns = s.now_ns};
    sw_flow_table_icmp(s.table, &frame, &packet);
}

/* Waits for so long with nothing but other traffic; is the connection over then? */
static bool over_after(int64_t ns)
{
    segments_wait(&s, ns);
    sw_flow_table_time(s.table, s.now_ns);
    return s.ended;
}

static void test_unreachable_is_given_up_soon(void **state)
{
    (void)state;
    segments_open(&s, 1000, 2000, NULL);
    segments_send(&s, SW_CLIENT, SW_TCP_SYN, 0, NULL, 0, 0);
    unreachable();
    assert_false(over_after(3 * SW_NS_PER_S));
    assert_true(over_after(2 * SW_NS_PER_S));
    assert_int_equal(s.facts.close, SW_CLOSE_ICMP);
    segments_close(&s);
}

/* A client that goes on asking, each time after twice as long, is one attempt. */
static void test_unreachable_and_asked_again(void **state)
{
    (void)state;
    segments_open(&s, 1000, 2000, NULL);
    for (int64_t pause = 1; pause <= 32; pause *= 2) {
        segments_send(&s, SW_CLIENT, SW_TCP_SYN, 0, NULL, 0, 0);
        unreachable();
        assert_false(over_after(pause * SW_NS_PER_S));
    }
    segments_send(&s, SW_CLIENT, SW_TCP_SYN, 0, NULL, 0, 0);
    assert_true(over_after(130 * SW_NS_PER_S));
    assert_int_equal(s.facts.syn_count, 7);
    segments_close(&s);
}

static void test_unanswered_waits_longer(void **state)
{
    (void)state;
    segments_open(&s, 1000, 2000, NULL);
    segments_send(&s, SW_CLIENT, SW_TCP_SYN, 0, NULL, 0, 0);
    assert_false(over_after(120 * SW_NS_PER_S));
    assert_true(over_after(11 * SW_NS_PER_S));
    assert_int_equal(s.facts.close, SW_CLOSE_TIMEOUT);
    segments_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_special),
        cmocka_unit_test(test_unreachable_is_given_up_soon),
        cmocka_unit_test(test_unreachable_and_asked_again),
        cmocka_unit_test(test_unanswered_waits_longer),
        cmocka_unit_test(test_retransmission_after_a_timeout),
        cmocka_unit_test(test_an_answer_ends_the_chain),
        cmocka_unit_test(test_fast_retransmission),
        cmocka_unit_test(test_out_of_order_is_no_retransmission),
        cmocka_unit_test(test_spurious_retransmission),
        cmocka_unit_test(test_keepalive),
        cmocka_unit_test(test_zero_window),
        cmocka_unit_test(test_window_that_opens_again),
        cmocka_unit_test(test_window_without_its_scale),
        cmocka_unit_test(test_sizes_that_get_through),
        cmocka_unit_test(test_hole),
        cmocka_unit_test(test_rst_of_somebody_else),
        cmocka_unit_test(test_rst_far_outside_of_the_window_is_ignored),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_fin_that_only_its_acknowledgement_shows),
        cmocka_unit_test(test_unseen_fin_behind_that_of_the_other_side),
        cmocka_unit_test(test_unseen_fin_that_was_a_byte),
        cmocka_unit_test(test_unseen_fin_that_comes_after_all),
        cmocka_unit_test(test_fin_that_is_recorded_behind_what_confirms_it),
        cmocka_unit_test(test_a_flag_more_is_no_copy),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    segments_among_many = true;
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
