/*
 * Squeezing memory: whatever it holds comes back as it was, and what is mostly empty becomes small.
 */
#include "base/squeeze.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { MOST = 4096 + 8, ROUNDS = 20000, END = 8 };

static uint64_t dice_state = 88172645463325252u;

static uint64_t dice(uint64_t sides)
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return dice_state % sides;
}

static size_t there_and_back(const uint64_t *words, size_t n)
{
    static uint8_t small[SW_SQUEEZE_ROOM(MOST) + 1];
    static uint64_t back[MOST / 8];
    memset(back, 0xEE, sizeof(back));
    small[SW_SQUEEZE_ROOM(n)] = 0x5A;
    size_t length = sw_squeeze(words, n, small);
    assert_true(length <= SW_SQUEEZE_ROOM(n));
    assert_int_equal(small[SW_SQUEEZE_ROOM(n)], 0x5A);
    assert_int_equal(sw_unsqueeze(small, back, n), length);
    assert_memory_equal(words, back, n);
    if (n < MOST)
        assert_true(back[n / 8] == UINT64_C(0xEEEEEEEEEEEEEEEE)); /* not a byte further */
    return length;
}

static void test_anything_comes_back(void **state)
{
    (void)state;
    static uint64_t words[MOST / 8];
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = dice(MOST / 8 + 1);
        uint64_t base = dice(UINT64_MAX);
        for (size_t i = 0; i < count; i++) {
            uint64_t any = dice(UINT64_MAX);
            switch (dice(10)) {
            case 0:
                words[i] = any;
                break;
            case 1:
                words[i] = base + any % 4096;
                break;
            case 2:
                words[i] = any % 256 << dice(2) * 32 | any % 7;
                break;
            case 3:
                words[i] = (any & 0xFF) << 32 | (base & 0xFFFFFFFF);
                break;
            case 4:
                words[i] = any % 20 << dice(2) * 32;
                break;
            case 5:
                words[i] = i > 0 ? words[dice(i)] : any;
                break;
            default:
                words[i] = 0;
                break;
            }
        }
        there_and_back(words, count * 8);
    }
}

static void test_the_worst(void **state)
{
    (void)state;
    static uint64_t words[MOST / 8];
    for (size_t i = 0; i < MOST / 8; i++)
        words[i] = dice(UINT64_MAX) | UINT64_C(0x8000000080000000);
    there_and_back(words, MOST);
    memset(words, 0xFF, sizeof(words));
    there_and_back(words, MOST);
}

static void test_what_is_empty_is_small(void **state)
{
    (void)state;
    static uint64_t words[MOST / 8];
    memset(words, 0, sizeof(words));
    assert_true(there_and_back(words, MOST) <= 9 * 8 + END);
    uint64_t address = UINT64_C(0x7f3a5c104020);
    for (size_t i = 0; i < MOST / 8; i += 8)
        words[i] = address + i; /* that are near each other */
    assert_true(there_and_back(words, MOST) <= 9 * 8 + 1 + 6 + 64 * 3 + END);
    assert_int_equal(there_and_back(words, 0), END);
}

/* A word is its bytes and one more, and what was there before only that one. */
static void test_few_bytes(void **state)
{
    (void)state;
    enum { COUNT = 64, MAP = 8 };
    uint64_t words[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        words[i] = i + 1;
    assert_int_equal(there_and_back(words, sizeof(words)), MAP + 2 * COUNT + END);
    words[0] = 256;
    words[1] = UINT64_C(255) << 32;
    assert_int_equal(there_and_back(words, sizeof(words)), MAP + 2 * COUNT + 1 + 4 + END);
    for (size_t i = 0; i < COUNT; i++)
        words[i] = UINT64_C(0x0123456789ABCDEF);
    assert_int_equal(there_and_back(words, sizeof(words)), MAP + 1 + 8 + COUNT - 1 + END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_anything_comes_back),
        cmocka_unit_test(test_the_worst),
        cmocka_unit_test(test_what_is_empty_is_small),
        cmocka_unit_test(test_few_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
