/*
 * What earlier connections of a client showed: the same whether it tried few targets or many, one
 * client's is not told of the next one in its place, and all memory that is counted goes back.
 */
#include "analyzer/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static size_t account;

static struct sw_tuple tuple(uint8_t client, uint8_t server, uint16_t port)
{
    struct sw_tuple t = {.src_port = 40000, .dst_port = port, .ip_version = 4};
    t.src[15] = client;
    t.dst[15] = server;
    return t;
}

static struct sw_mark mark(int64_t ms)
{
    return (struct sw_mark){.frame = (uint64_t)ms + 1, .time_ns = ms * (SW_NS_PER_S / 1000)};
}

static struct sw_history *open_history(void)
{
    account = 0;
    struct sw_history *history = sw_history_new(4096, &account);
    assert_non_null(history);
    return history;
}

static void close_history(struct sw_history *history)
{
    assert_true(account > 0);
    sw_history_free(history);
    assert_int_equal(account, 0);
}

/* So many servers are tried, from 1 on, one every 100 ms. */
static void knock(struct sw_history *history, uint8_t client, unsigned servers)
{
    for (unsigned i = 1; i <= servers; i++) {
        struct sw_tuple t = tuple(client, (uint8_t)i, 25);
        sw_history_attempt(history, &t, mark(i * 100), false);
    }
}

static void test_scan(void **state)
{
    (void)state;
    for (unsigned servers = 1; servers < 60; servers++) {
        struct sw_history *history = open_history();
        struct sw_tuple first = tuple(7, 1, 25);
        struct sw_mark others[SW_SCAN_OTHERS];
        knock(history, 7, servers);
        assert_int_equal(sw_history_is_scan(history, &first, mark(100).time_ns), servers >= 4);
        sw_history_scanned(history, &first, mark(100).time_ns, others);
        unsigned known = 0;
        for (unsigned i = 0; i < SW_SCAN_OTHERS; i++)
            known += others[i].frame > 0;
        unsigned all = servers - 1;
        assert_int_equal(known, all < SW_SCAN_OTHERS ? all : SW_SCAN_OTHERS);
        close_history(history);
    }
}

/* Those that answer are not tried in vain, also when they stood among the first. */
static void test_answered(void **state)
{
    (void)state;
    for (unsigned answered = 0; answered < 3; answered++) {
        struct sw_history *history = open_history();
        struct sw_tuple t;
        knock(history, 7, 3);
        for (unsigned i = 1; i <= answered; i++) {
            t = tuple(7, (uint8_t)i, 25);
            sw_history_answered(history, &t);
        }
        t = tuple(7, 4, 25);
        sw_history_attempt(history, &t, mark(400), false);
        assert_int_equal(sw_history_is_scan(history, &t, mark(400).time_ns), answered == 0);
        close_history(history);
    }
}

static bool port_25_blocked(const struct sw_history *history, const struct sw_tuple *own,
                            int64_t now_ms, struct sw_port25 *shown)
{
    return sw_history_port25_blocked(history, own, SW_SPAN_LIT("mx.example.org"),
                                     mark(now_ms).time_ns, shown);
}

static void test_port_25(void **state)
{
    (void)state;
    for (unsigned servers = 1; servers < 6; servers++) {
        struct sw_history *history = open_history();
        struct sw_tuple own = tuple(7, 1, 25);
        struct sw_port25 shown;
        knock(history, 7, servers);
        assert_int_equal(port_25_blocked(history, &own, 9000, &shown), servers >= 2);
        assert_int_equal(shown.sign,
                         servers >= 2 ? SW_PORT25_OTHER_SERVER_FAILS : SW_PORT25_NO_SIGN);
        struct sw_tuple last = tuple(7, (uint8_t)servers, 25);
        sw_history_connected(history, &last, mark(5000));
        assert_false(port_25_blocked(history, &own, 9000, &shown));
        assert_int_equal(shown.sign, servers >= 3 ? SW_PORT25_WORKS : SW_PORT25_NO_SIGN);
        close_history(history);
    }
}

/* A refusal counts at once; addresses of one name that refuse are one server. */
static void test_port_25_refused(void **state)
{
    (void)state;
    struct sw_history *history = open_history();
    struct sw_tuple own = tuple(7, 1, 25);
    struct sw_tuple other = tuple(7, 2, 25);
    struct sw_tuple submission = tuple(7, 2, 587);
    struct sw_port25 shown;
    knock(history, 7, 2);
    assert_false(port_25_blocked(history, &own, 300, &shown));
    sw_history_refused(history, &other, SW_SPAN_LIT("MX.example.org"));
    assert_false(port_25_blocked(history, &own, 300, &shown));
    sw_history_refused(history, &other, SW_SPAN_LIT("mx2.example.org"));
    assert_true(port_25_blocked(history, &own, 300, &shown));
    assert_int_equal(shown.syn.frame, mark(200).frame);
    sw_history_attempt(history, &submission, mark(400), false);
    assert_true(port_25_blocked(history, &own, 500, &shown));
    sw_history_refused(history, &submission, (struct sw_span){NULL, 0});
    assert_false(port_25_blocked(history, &own, 500, &shown));
    assert_int_equal(shown.sign, SW_PORT25_OTHER_PORT_FAILS);
    sw_history_answered(history, &submission);
    assert_true(port_25_blocked(history, &own, 500, &shown));
    close_history(history);
}

/* All in one place: nothing of the one before is left. */
static void test_one_place(void **state)
{
    (void)state;
    account = 0;
    struct sw_history *history = sw_history_new(1, &account);
    struct sw_tuple one = tuple(1, 1, 25);
    struct sw_tuple two = tuple(2, 1, 25);
    assert_non_null(history);
    knock(history, 1, 40);
    sw_history_tried_mail(history, &one, mark(1));
    assert_true(sw_history_is_scan(history, &one, mark(2000).time_ns));
    knock(history, 2, 3);
    assert_false(sw_history_is_scan(history, &one, mark(200).time_ns));
    assert_false(sw_history_is_scan(history, &two, mark(200).time_ns));
    assert_int_equal(sw_history_has_tried_mail(history, &two).frame, 0);
    knock(history, 1, 4);
    assert_true(sw_history_is_scan(history, &one, mark(200).time_ns));
    close_history(history);
}

/* The other address of a host, as long as the connection to it is among the last ones. */
static void test_superseded(void **state)
{
    (void)state;
    struct sw_history *history = open_history();
    struct sw_tuple asked = tuple(7, 1, 25);
    struct sw_tuple other = tuple(7, 2, 25);
    struct sw_tuple stranger = tuple(8, 2, 25);
    sw_history_attempt(history, &asked, mark(0), false);
    sw_history_attempt(history, &stranger, mark(1), false);
    assert_int_equal(sw_history_superseded(history, &asked, 0).frame, 0);
    sw_history_connected(history, &other, mark(50));
    for (int i = 0; i < 63; i++) {
        assert_int_equal(sw_history_superseded(history, &asked, 0).frame, mark(50).frame);
        assert_int_equal(sw_history_superseded(history, &stranger, 0).frame, 0);
        sw_history_connected(history, &asked, mark(60));
    }
    assert_int_equal(sw_history_superseded(history, &asked, 0).frame, mark(50).frame);
    sw_history_connected(history, &stranger, mark(70));
    assert_int_equal(sw_history_superseded(history, &asked, 0).frame, 0);
    struct sw_tuple third = tuple(8, 3, 25);
    assert_int_equal(sw_history_superseded(history, &third, 0).frame, mark(70).frame);
    close_history(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan),       cmocka_unit_test(test_answered),
        cmocka_unit_test(test_port_25),    cmocka_unit_test(test_one_place),
        cmocka_unit_test(test_superseded), cmocka_unit_test(test_port_25_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
