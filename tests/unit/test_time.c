#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static void assert_written(int64_t time_ns, int digits, const char *text)
{
    char out[SW_TIME_TEXT_BYTES];
    memset(out, 'x', sizeof(out));
    assert_int_equal(sw_time_format(time_ns, digits, out), strlen(text));
    assert_string_equal(out, text);
}

static void assert_read(const char *text, int64_t expected)
{
    int64_t time_ns = 1;
    if (sw_time_parse(text, &time_ns) != 0)
        fail_msg("not a time: %s", text);
    if (time_ns != expected)
        fail_msg("%s: %lld", text, (long long)time_ns);
}

static void test_format(void **state)
{
    (void)state;
    assert_written(0, 0, "1970-01-01T00:00:00Z");
    assert_written(1714557600123456789, 9, "2024-05-01T10:00:00.123456789Z");
    assert_written(1714557600123456789, 6, "2024-05-01T10:00:00.123456Z");
    assert_written(1714557600123456789, 1, "2024-05-01T10:00:00.1Z");
    assert_written(1714557600000000001, 6, "2024-05-01T10:00:00.000000Z");
    assert_written(1709251199999999999, 3, "2024-02-29T23:59:59.999Z");
    assert_written(-1, 9, "1969-12-31T23:59:59.999999999Z");
    assert_written(-86400 * SW_NS_PER_S, 0, "1969-12-31T00:00:00Z");
}

static void test_limits(void **state)
{
    (void)state;
    assert_written(INT64_MAX, 9, "2262-04-11T23:47:16.854775807Z");
    assert_written(INT64_MIN + 1, 9, "1677-09-21T00:12:43.145224193Z");
}

/* Against the C library, over centuries and in steps that meet every month and hour. */
static void test_calendar(void **state)
{
    (void)state;
    for (int64_t seconds = -INT64_C(9000000000); seconds < INT64_C(9000000000);
         seconds += 86400 * 11 + 3607) {
        time_t at = (time_t)seconds;
        struct tm parts;
        assert_non_null(gmtime_r(&at, &parts));
        char expected[SW_TIME_TEXT_BYTES];
        assert_true(strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &parts) > 0);
        assert_written(seconds * SW_NS_PER_S, 0, expected);
        if (parts.tm_year + 1900 >= 1678 && parts.tm_year + 1900 <= 2261)
            assert_read(expected, seconds * SW_NS_PER_S);
    }
}

static void test_parse(void **state)
{
    (void)state;
    const int64_t ten = 1714557600 * SW_NS_PER_S;
    assert_read("2024-05-01T10:00:00Z", ten);
    assert_read("2024-05-01t10:00:00z", ten);
    assert_read("2024-05-01 10:00:00", ten);
    assert_read("2024-05-01T10:00", ten);
    assert_read("2024-05-01", ten - 36000 * SW_NS_PER_S);
    assert_read("2024-05-01T10:00:00.5Z", ten + SW_NS_PER_S / 2);
    assert_read("2024-05-01T10:00:00.123456789Z", ten + 123456789);
    assert_read("2024-05-01T10:00:00.1234567899Z", ten + 123456789);
    assert_read("2024-05-01T12:00:00+02:00", ten);
    assert_read("2024-05-01T04:30:00-05:30", ten);
    assert_read("2024-05-01T12:00:00+0200", ten);
    assert_read("2024-05-01T12:00:00+02", ten);
    assert_read("2016-12-31T23:59:60Z", 1483228800 * SW_NS_PER_S); /* a leap second */
}

static void test_what_is_no_time(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "yesterday",
        "2024",
        "2024-05",
        "2024-5-1",
        "24-05-01",
        "2024-13-01",
        "2024-00-01",
        "2024-05-00",
        "2024-05-32",
        "2024-04-31",
        "2023-02-29",
        "2024-05-01T",
        "2024-05-01T24:00:00Z",
        "2024-05-01T10:60:00Z",
        "2024-05-01T10:00:61Z",
        "2024-05-01T10:00:00.Z",
        "2024-05-01T10:00:00X",
        "2024-05-01T10:00:00Z ",
        "2024-05-01T10:00:00+",
        "2024-05-01T10:00:00+2",
        "2024-05-01T10:00:00+02:0",
        " 2024-05-01",
        "2024-05-01x",
        "1677-01-01",
        "2262-01-01",
        "9999-12-31T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        int64_t time_ns = 0;
        if (sw_time_parse(wrong[i], &time_ns) != -1)
            fail_msg("taken for a time: %s", wrong[i]);
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    for (int64_t t = INT64_C(-9000000000000000000); t < INT64_C(9000000000000000000);
         t += INT64_C(123456789012345678)) {
        char out[SW_TIME_TEXT_BYTES];
        (void)sw_time_format(t, 9, out);
        assert_read(out, t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),          cmocka_unit_test(test_limits),
        cmocka_unit_test(test_calendar),        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_what_is_no_time), cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
