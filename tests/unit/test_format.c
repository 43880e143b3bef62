#include "base/format.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { ROOM = 64 };

__attribute__((format(printf, 3, 4))) static int ours(char *out, size_t room, const char *format,
                                                      ...)
{
    va_list args;
    va_start(args, format);
    int len = sw_format_va(out, room, format, args);
    va_end(args);
    return len;
}

/* Ours and the C library's must agree, in a room that is large enough and in small ones. */
#define SAME(...)                                                                                  \
    do {                                                                                           \
        for (size_t room = 0; room <= ROOM; room += room < 8 ? 1 : ROOM - 8) {                     \
            char a[ROOM];                                                                          \
            char b[ROOM];                                                                          \
            memset(a, '#', ROOM);                                                                  \
            memset(b, '#', ROOM);                                                                  \
            int wanted = snprintf(b, room, __VA_ARGS__);                                           \
            assert_int_equal(ours(a, room, __VA_ARGS__), wanted);                                  \
            if (room > 0)                                                                          \
                assert_string_equal(a, b);                                                         \
            assert_memory_equal(a + room, b + room, ROOM - room);                                  \
        }                                                                                          \
    } while (0)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-truncation"

static void test_texts(void **state)
{
    (void)state;
    SAME("no conversion");
    SAME("%s", "");
    SAME("(%s) and [%s]", "one", "two");
    SAME("%.3s|%.9s|%.0s|", "abcdef", "abc", "abc");
    SAME("%.*s|%.*s", 2, "abc", -1, "abc");
    SAME("%5s|%-5s|%c|100%%", "ab", "cd", 'x'); /* handed on */
}

static void test_numbers(void **state)
{
    (void)state;
    SAME("%d %d %d %d", 0, -1, INT_MAX, INT_MIN);
    SAME("%lld %lld", LLONG_MIN, LLONG_MAX);
    SAME("%u %u %zu", 0U, UINT_MAX, SIZE_MAX);
    SAME("%llu", ULLONG_MAX);
    SAME("%x %08x %016llx", 0xbeefU, 0xbeefU, 0x123456789abcdefULL);
    SAME("%3u|%03u|%3u|%05d|%5d", 7U, 7U, 12345U, -42, -42);
    SAME("%04d-%02u", 2023, 4U);
    SAME("%.1f and then %s %d", 2.25, "text", 5); /* handed on */
    SAME("%s %d %04X", "text", 5, 0xabU);         /* after some of it was written */
}

#pragma GCC diagnostic pop

/* Every count of digits, and the numbers around each. */
static void test_digits(void **state)
{
    (void)state;
    uint64_t ten = 1;
    for (int digits = 1; digits <= SW_DIGITS; digits++) {
        for (uint64_t value = ten - 1; value != ten + 2; value++) {
            uint8_t digit[SW_DIGITS + 1];
            char expected[SW_DIGITS + 1];
            digit[sw_format_number(value, digit)] = '\0';
            (void)snprintf(expected, sizeof(expected), "%llu", (unsigned long long)value);
            assert_string_equal((const char *)digit, expected);
        }
        ten *= digits < SW_DIGITS ? 10 : 1;
    }
    uint8_t most[SW_DIGITS];
    assert_int_equal(sw_format_number(UINT64_MAX, most), SW_DIGITS);
    assert_memory_equal(most, "18446744073709551615", SW_DIGITS);
    for (uint64_t value = 0; value < 30000; value++) {
        uint8_t digit[SW_DIGITS + 1];
        char expected[SW_DIGITS + 1];
        digit[sw_format_number(value, digit)] = '\0';
        (void)snprintf(expected, sizeof(expected), "%llu", (unsigned long long)value);
        assert_string_equal((const char *)digit, expected);
    }
}

/* One after the other, close to one another or not: each as if it were alone. */
static void test_close(void **state)
{
    (void)state;
    static const uint64_t values[] = {
        0,
        7,
        42,
        99,
        100,
        101,
        199,
        200,
        5,
        105,
        12345678,
        12345699,
        12345700,
        99999999,
        100000000,
        100000001,
        9,
        UINT64_C(1) << 48,
        UINT64_MAX,
        UINT64_MAX,
        UINT64_MAX / 100,
        UINT64_C(999999999999999999),
        UINT64_C(999999999999999998),
        UINT64_C(1000000000000000000),
        12345601,
    };
    struct sw_format_near near = {.hundreds = 0};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        uint8_t digits[SW_DIGITS + 1];
        char expected[SW_DIGITS + 1];
        digits[sw_format_close(&near, values[i], digits)] = '\0';
        (void)snprintf(expected, sizeof(expected), "%llu", (unsigned long long)values[i]);
        assert_string_equal((const char *)digits, expected);
    }
    for (uint64_t value = 0; value < 30000; value++) {
        uint8_t close[SW_DIGITS], alone[SW_DIGITS];
        size_t n = sw_format_close(&near, value, close);
        assert_int_equal(n, sw_format_number(value, alone));
        assert_memory_equal(close, alone, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_digits),
        cmocka_unit_test(test_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
