/*
 * The scans over many bytes against the same question asked byte by byte, at every length and
 * alignment.
 */
#include "base/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <stdlib.h>

enum { LONGEST = 300 };

static uint64_t random_state = 1;

static uint64_t draw(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return random_state >> 33;
}

/* Text with line ends; about one in `rarity` bytes is something that breaks the order. */
static void make_text(uint8_t *out, size_t len, unsigned rarity)
{
    static const uint8_t odd[] = {'\r', '\n', '.', 0x8D, 0x8A, 0};
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)('a' + draw() % 26);
        if (i > 0 && out[i - 1] == '\r')
            out[i] = '\n';
        else if (draw() % 20 == 0)
            out[i] = '\r';
        if (draw() % rarity == 0)
            out[i] = odd[draw() % sizeof(odd)];
    }
}

static bool is_ordinary(const uint8_t *text, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        bool wrong =
            (text[i] == '\n') != (text[i - 1] == '\r') || (text[i] == '.' && text[i - 1] == '\n');
        if (wrong)
            return false;
    }
    return true;
}

static void test_ordinary_text(void **state)
{
    (void)state;
    size_t passed = 0;
    for (int round = 0; round < 20000; round++) {
        size_t len = 1 + (size_t)(draw() % LONGEST);
        uint8_t *text = malloc(len); /* of exactly this size: a sanitizer sees reads beyond */
        assert_non_null(text);
        make_text(text, len, round % 2 ? 100000 : 150);
        size_t at = 1 + (size_t)(draw() % len);
        size_t behind = sw_scan_ordinary_text(sw_span_make(text, len), at);
        assert_true(behind >= at && behind <= len);
        assert_true(is_ordinary(text, at, behind));
        /* It stops for a reason: too few bytes, or something odd among the next ones. */
        assert_true(len - behind < 64 || !is_ordinary(text, behind, behind + 64));
        passed += behind - at;
        free(text);
    }
    assert_true(passed > 100000);
}

static void test_sum(void **state)
{
    (void)state;
    for (size_t len = 0; len <= LONGEST; len++) {
        uint8_t *bytes = malloc(len ? len : 1);
        assert_non_null(bytes);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)draw();
        uint64_t sum = 0;
        for (size_t i = 0; i < len; i += 4) {
            uint8_t word[4] = {0};
            memcpy(word, bytes + i, len - i < 4 ? len - i : 4);
            uint32_t value;
            memcpy(&value, word, sizeof(value));
            sum += value;
        }
        assert_int_equal(sw_scan_sum(sw_span_make(bytes, len)), sum);
        free(bytes);
    }
    static uint8_t most[65536];
    memset(most, 0xFF, sizeof(most));
    assert_int_equal(sw_scan_sum(sw_span_make(most, sizeof(most))), UINT64_C(16384) * UINT32_MAX);
}

static void test_behind_last(void **state)
{
    (void)state;
    uint8_t bytes[64];
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        for (size_t at = 0; at <= len; at++) {
            memset(bytes, 0x0B, sizeof(bytes)); /* one more than what is looked for */
            if (at > 0)
                bytes[at - 1] = '\n';
            if (at > 5)
                bytes[at - 5] = '\n';
            assert_int_equal(sw_scan_behind_last(sw_span_make(bytes, len), '\n'), at);
        }
    }
}

static void test_control(void **state)
{
    (void)state;
    static const uint8_t others[] = {14, 0x20, 0x7F, 0x80, 0x8D, 0x8E, 0xFF};
    for (size_t len = 0; len <= 40; len++) {
        for (size_t at = 0; at <= len; at++) {
            uint8_t *bytes = malloc(len ? len : 1);
            assert_non_null(bytes);
            for (size_t i = 0; i < len; i++)
                bytes[i] = others[draw() % sizeof(others)];
            if (at < len)
                bytes[at] = (uint8_t)(draw() % 14);
            if (at + 1 < len)
                bytes[at + 1 + draw() % (len - at - 1)] = '\r';
            assert_int_equal(sw_scan_control(sw_span_make(bytes, len)), at);
            free(bytes);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinary_text),
        cmocka_unit_test(test_sum),
        cmocka_unit_test(test_behind_last),
        cmocka_unit_test(test_control),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
