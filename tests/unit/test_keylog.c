/*
 * The lines of a key log: which are kept, and which are counted as what.
 */
#include "crypto/keylog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void test_log_lines(void **state)
{
    (void)state;
    struct sw_keylog *log = sw_keylog_new();
    struct sw_keylog_counts counts = {0};
    char line[256];
    char random[65];
    memset(random, 'a', 64);
    random[64] = '\0';
    static const char *const good[] = {"CLIENT_RANDOM", "SERVER_TRAFFIC_SECRET_0"};
    for (int i = 0; i < 2; i++) {
        (void)snprintf(line, sizeof(line), "%s %s 0102aB\r\n# a comment\n\n", good[i], random);
        sw_keylog_add(log, sw_span_str(line), &counts);
    }
    assert_int_equal(counts.lines, 2);
    static const char *const broken[] = {"CLIENT_RANDOM aa 0102\n", "CLIENT_RANDOM\n", "hello\n",
                                         "CLIENT_RANDOM %s 012\n", "CLIENT_RANDOM %s 01 02\n"};
    for (int i = 0; i < 5; i++) {
        bool whole = strchr(broken[i], '%') != NULL;
        (void)snprintf(line, sizeof(line), "CLIENT_RANDOM %s %s\n", random, i == 3 ? "012" : "0 2");
        sw_keylog_add(log, sw_span_str(whole ? line : broken[i]), &counts);
    }
    assert_int_equal(counts.broken, 5);
    (void)snprintf(line, sizeof(line), "EXPORTER_SECRET %s 0102\n", random);
    sw_keylog_add(log, sw_span_str(line), &counts);
    assert_int_equal(counts.unknown, 1);
    uint8_t id[32];
    memset(id, 0xaa, sizeof(id));
    assert_int_equal(sw_keylog_find(log, id, SW_KEYLOG_MASTER).len, 3);
    assert_int_equal(sw_keylog_find(log, id, SW_KEYLOG_EARLY).len, 0);
    id[31] = 0;
    assert_false(sw_keylog_knows(log, id));
    sw_keylog_free(log);
}

/* A log that grew for years: what came first is kept, the rest is counted. */
static void test_more_lines_than_are_kept(void **state)
{
    (void)state;
    enum { MOST = 5000, ALL = 200000 };
    struct sw_keylog *log = sw_keylog_new();
    struct sw_keylog_counts counts = {0};
    char line[256];
    size_t account = 0;
    sw_keylog_bound(log, MOST, &account);
    for (unsigned i = 0; i < ALL; i++) {
        (void)snprintf(line, sizeof(line), "CLIENT_RANDOM %064x 0102\n%s", i,
                       i % 4 ? "" : "CLIENT_RANDOM junk\n");
        sw_keylog_add(log, sw_span_str(line), &counts);
    }
    assert_int_equal(sw_keylog_count(log), MOST);
    assert_int_equal(counts.lines, MOST);
    assert_int_equal(counts.left_out, ALL - MOST);
    assert_int_equal(counts.broken, ALL / 4);
    uint8_t random[SW_KEYLOG_RANDOM] = {0};
    assert_int_equal(sw_keylog_find(log, random, SW_KEYLOG_MASTER).len, 2);
    random[SW_KEYLOG_RANDOM - 2] = MOST >> 8; /* the first that was left out */
    random[SW_KEYLOG_RANDOM - 1] = MOST & 0xFF;
    assert_int_equal(sw_keylog_find(log, random, SW_KEYLOG_MASTER).len, 0);
    assert_true(account > 0);
    sw_keylog_free(log);
    assert_int_equal(account, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_lines),
        cmocka_unit_test(test_more_lines_than_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
