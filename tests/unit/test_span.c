#include "base/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct sw_span nothing = {NULL, 0};

static void assert_span(struct sw_span s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    if (s.len > 0)
        assert_memory_equal(s.ptr, text, s.len);
}

static void test_make(void **state)
{
    (void)state;
    assert_span(SW_SPAN_LIT("250 OK"), "250 OK");
    assert_int_equal(SW_SPAN_LIT("a\0b").len, 3);
    assert_int_equal(SW_SPAN_LIT("").len, 0);
    assert_span(sw_span_str("text"), "text");
    assert_int_equal(sw_span_str(NULL).len, 0);
}

static void test_sub_is_clipped(void **state)
{
    (void)state;
    struct sw_span s = SW_SPAN_LIT("abcdef");
    assert_span(sw_span_sub(s, 0, 3), "abc");
    assert_span(sw_span_sub(s, 4, 100), "ef");
    assert_span(sw_span_sub(s, 2, SIZE_MAX), "cdef");
    assert_span(sw_span_sub(s, 5, 0), "");
    assert_int_equal(sw_span_sub(s, 6, 1).len, 0);
    assert_int_equal(sw_span_sub(s, SIZE_MAX, SIZE_MAX).len, 0);
    assert_int_equal(sw_span_sub(nothing, 0, 1).len, 0);
    assert_span(sw_span_from(s, 5), "f");
    assert_int_equal(sw_span_from(s, 7).len, 0);
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(sw_span_eq(SW_SPAN_LIT("QUIT"), SW_SPAN_LIT("QUIT")));
    assert_false(sw_span_eq(SW_SPAN_LIT("QUIT"), SW_SPAN_LIT("quit")));
    assert_false(sw_span_eq(SW_SPAN_LIT("QUIT"), SW_SPAN_LIT("QUI")));
    assert_false(sw_span_eq(SW_SPAN_LIT("QUIT"), SW_SPAN_LIT("QUIZ")));
    assert_true(sw_span_eq(nothing, SW_SPAN_LIT("")));
    assert_true(sw_span_eq_nocase(SW_SPAN_LIT("eHlO"), SW_SPAN_LIT("EhLo")));
    assert_false(sw_span_eq_nocase(SW_SPAN_LIT("EHLO"), SW_SPAN_LIT("EHLOx")));
    /* Only letters are folded: these pairs differ in the same bit. */
    assert_false(sw_span_eq_nocase(SW_SPAN_LIT("@["), SW_SPAN_LIT("`{")));
    assert_true(sw_span_eq_nocase(SW_SPAN_LIT("starttls-1 And"), SW_SPAN_LIT("STARTTLS-1 aND")));
    assert_false(sw_span_eq_nocase(SW_SPAN_LIT("starttls"), SW_SPAN_LIT("STARTTLz")));
    assert_false(sw_span_eq_nocase(SW_SPAN_LIT("start[tl"), SW_SPAN_LIT("START{TL")));
    assert_false(sw_span_eq_nocase(SW_SPAN_LIT("starttl\xc4"), SW_SPAN_LIT("STARTTL\xe4")));
    assert_false(sw_span_eq_nocase(SW_SPAN_LIT("\xc4"), SW_SPAN_LIT("\xe4")));
}

static void test_starts(void **state)
{
    (void)state;
    assert_true(sw_span_starts(SW_SPAN_LIT("220 hi"), SW_SPAN_LIT("220")));
    assert_true(sw_span_starts(SW_SPAN_LIT("220"), SW_SPAN_LIT("")));
    assert_true(sw_span_starts(nothing, nothing));
    assert_false(sw_span_starts(SW_SPAN_LIT("22"), SW_SPAN_LIT("220")));
    assert_true(sw_span_starts_nocase(SW_SPAN_LIT("MAIL from"), SW_SPAN_LIT("mail F")));
    assert_false(sw_span_starts_nocase(SW_SPAN_LIT("MAI"), SW_SPAN_LIT("MAIL")));
}

static void test_index_and_find(void **state)
{
    (void)state;
    assert_int_equal(sw_span_index(SW_SPAN_LIT("a:b:c"), ':'), 1);
    assert_int_equal(sw_span_index(SW_SPAN_LIT("abc"), ':'), 3);
    assert_int_equal(sw_span_index(nothing, ':'), 0);
    assert_int_equal(sw_span_find_nocase(SW_SPAN_LIT("aaB aab"), SW_SPAN_LIT("AAB")), 0);
    assert_int_equal(sw_span_find_nocase(SW_SPAN_LIT("xx Spam"), SW_SPAN_LIT("spam")), 3);
    assert_int_equal(sw_span_find_nocase(SW_SPAN_LIT("spa"), SW_SPAN_LIT("spam")), 3);
    assert_int_equal(sw_span_find_nocase(SW_SPAN_LIT("abc"), SW_SPAN_LIT("")), 0);
    assert_int_equal(sw_span_find_nocase(nothing, SW_SPAN_LIT("x")), 0);
}

static void test_trim(void **state)
{
    (void)state;
    assert_span(sw_span_trim(SW_SPAN_LIT(" \t\r\n x y \r\n")), "x y");
    assert_int_equal(sw_span_trim(SW_SPAN_LIT(" \t ")).len, 0);
    assert_int_equal(sw_span_trim(nothing).len, 0);
}

static void test_words(void **state)
{
    (void)state;
    struct sw_span rest = SW_SPAN_LIT("  AUTH \tPLAIN=  ");
    assert_span(sw_span_word(&rest), "AUTH");
    assert_span(sw_span_word(&rest), "PLAIN=");
    assert_int_equal(sw_span_word(&rest).len, 0);
    assert_int_equal(sw_span_word(&rest).len, 0);
}

static void test_numbers(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_true(sw_span_u64(SW_SPAN_LIT("0"), &value));
    assert_int_equal(value, 0);
    assert_true(sw_span_u64(SW_SPAN_LIT("000052428800"), &value));
    assert_int_equal(value, 52428800);
    assert_true(sw_span_u64(SW_SPAN_LIT("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    value = 7;
    assert_false(sw_span_u64(SW_SPAN_LIT("18446744073709551616"), &value));
    assert_false(sw_span_u64(SW_SPAN_LIT("99999999999999999999"), &value));
    assert_false(sw_span_u64(SW_SPAN_LIT("18446744073709551620"), &value));
    assert_false(sw_span_u64(SW_SPAN_LIT(""), &value));
    assert_false(sw_span_u64(SW_SPAN_LIT("-1"), &value));
    assert_false(sw_span_u64(SW_SPAN_LIT("12 "), &value));
    assert_int_equal(value, 7);
}

static void test_ascii(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        bool upper = c >= 'A' && c <= 'Z';
        bool lower = c >= 'a' && c <= 'z';
        assert_int_equal(sw_ascii_lower((uint8_t)c), upper ? c + 32 : c);
        assert_int_equal(sw_ascii_upper((uint8_t)c), lower ? c - 32 : c);
        assert_int_equal(sw_ascii_alpha((uint8_t)c), upper || lower);
        assert_int_equal(sw_ascii_digit((uint8_t)c), c >= '0' && c <= '9');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make),           cmocka_unit_test(test_sub_is_clipped),
        cmocka_unit_test(test_equal),          cmocka_unit_test(test_starts),
        cmocka_unit_test(test_index_and_find), cmocka_unit_test(test_trim),
        cmocka_unit_test(test_words),          cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_ascii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
