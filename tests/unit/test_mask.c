/* What packet output shows of logins: nothing, however they were carried. */
#include "support/login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 1000, CHOICES = 400 };

static void test_every_form_of_login(void **state)
{
    (void)state;
    struct login_told told;
    for (uint8_t form = 0; form < 6; form++) {
        for (uint8_t pipelined = 0; pipelined < 3; pipelined += 2) {
            for (uint8_t reply = 0; reply < 6; reply++) {
                uint8_t choices[64] = {0, 0, form, pipelined, 15};
                choices[5 + 8 + 15] = reply;
                login_check(choices, sizeof(choices), &told);
                assert_true(told.secrets >= 8 + 15);
                assert_true(told.shown > 150);
                assert_true(told.checksums == told.frames);
            }
        }
    }
}

static void test_refused_at_once_and_given_up(void **state)
{
    (void)state;
    struct login_told told;
    for (uint8_t said = 0; said < 2; said++) {
        uint8_t choices[64] = {0, 0, 6, 15};
        choices[4 + 8 + 15] = said;
        login_check(choices, sizeof(choices), &told);
        assert_int_equal(told.secrets > 0, said == 1);
        assert_true(told.shown > 150);
    }
}

/* A multiplicative generator (Numerical Recipes): the same choices in every run. */
static void test_whatever_is_chosen(void **state)
{
    (void)state;
    uint32_t seed = 1;
    struct login_told all = {0};
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t choices[CHOICES];
        struct login_told told;
        for (size_t i = 0; i < sizeof(choices); i++) {
            seed = seed * 1664525u + 1013904223u;
            choices[i] = (uint8_t)(seed >> 24);
        }
        login_check(choices, sizeof(choices), &told);
        all.secrets += told.secrets;
        all.checksums += told.checksums;
        all.shown += told.shown;
    }
    assert_true(all.secrets > 100 * ROUNDS / 2);
    assert_true(all.shown > 200 * ROUNDS);
    assert_true(all.checksums > 10 * ROUNDS);
}

/* The recorder cut AUTH XOAUTH2 off before its token, and the token comes again in another segment:
 * its first byte, the one behind the cut, was shown. Found by fuzz_mask. */
static void test_a_token_behind_a_cut(void **state)
{
    (void)state;
    static const uint8_t choices[] = {
        0xFF, 0xFF, 0xFB, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xF5, 0xF5, 0xF5, 0xF5, 0xF5, 0xF5, 0xF5, 0xF5, 0xF5, 0xF5, 0xF5, 0xF5,
        0xF5, 0xF5, 0xF5, 0xF5, 0xF5, 0xF5, 0xF5, 0xF5, 0xF5, 0xF5, 0xF5, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xC0, 0x00, 0x02, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0x00,
        0x00, 0x01, 0xD3, 0x0E, 0x35, 0x37, 0x35, 0x20, 0x6D, 0x78, 0x20, 0x4D, 0x26, 0x50, 0x0A,
        0x0D, 0x54, 0x53, 0x45, 0x2B, 0x62, 0x65, 0x6E, 0x64, 0x65, 0x72, 0x00, 0x01, 0xC6, 0x52,
        0x53, 0x45, 0x54, 0x0D, 0x0A, 0x6E, 0x64, 0x65, 0x72, 0x00, 0x01, 0xC6, 0x52, 0x53, 0x45,
        0x54, 0x0D, 0x0A, 0x4E, 0x4F, 0x4F, 0x50, 0x1A, 0x32, 0x00, 0x5D,
    };
    struct login_told told;
    login_check(choices, sizeof(choices), &told);
    assert_true(told.secrets > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_form_of_login),
        cmocka_unit_test(test_refused_at_once_and_given_up),
        cmocka_unit_test(test_whatever_is_chosen),
        cmocka_unit_test(test_a_token_behind_a_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
