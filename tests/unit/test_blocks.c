/*
 * Small blocks that are kept for the next ones: nobody gets one that another has, what was in them
 * is gone, and only so many are kept.
 */
#include "base/blocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { COUNT = 4000 };

static size_t size_of(size_t i)
{
    return i * 7 % 1500;
}

static void test_apart(void **state)
{
    (void)state;
    static uint8_t *block_of[COUNT];
    struct sw_blocks blocks = {.kept_bytes = 0};
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            block_of[i] = sw_blocks_take(&blocks, size_of(i));
            assert_non_null(block_of[i]);
            assert_int_equal((uintptr_t)block_of[i] % 16, 0);
            memset(block_of[i], (int)(i % 251), size_of(i));
        }
        for (size_t i = 0; i < COUNT; i++) {
            for (size_t at = 0; at < size_of(i); at++)
                assert_int_equal(block_of[i][at], i % 251);
            sw_blocks_give(&blocks, block_of[i], size_of(i));
        }
        assert_true(blocks.kept_bytes <= 128 * 1024);
    }
    sw_blocks_give(&blocks, NULL, 0);
    sw_blocks_release(&blocks);
    assert_int_equal(blocks.kept_bytes, 0);
    sw_blocks_release(&blocks);
}

static void test_resize(void **state)
{
    (void)state;
    struct sw_blocks blocks = {.kept_bytes = 0};
    uint8_t *block = sw_blocks_resize(&blocks, NULL, 0, 40);
    memset(block, 'p', 40);
    block = sw_blocks_resize(&blocks, block, 40, 3000);
    for (size_t at = 0; at < 40; at++)
        assert_int_equal(block[at], 'p');
    block = sw_blocks_resize(&blocks, block, 3000, 20);
    for (size_t at = 0; at < 20; at++)
        assert_int_equal(block[at], 'p');
    sw_blocks_give(&blocks, block, 20);
    sw_blocks_release(&blocks);
}

static void test_wiped(void **state)
{
    (void)state;
    struct sw_blocks blocks = {.kept_bytes = 0};
    uint8_t *block = sw_blocks_take(&blocks, 64);
    memset(block, 's', 64);
    sw_blocks_give(&blocks, block, 64);
    uint8_t *again = sw_blocks_take(&blocks, 50);
    if (again == block) { /* not with a sanitizer, which has it kept by nobody */
        for (size_t at = sizeof(void *); at < 64; at++)
            assert_int_equal(again[at], 0);
    }
    sw_blocks_give(&blocks, again, 50);
    sw_blocks_release(&blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apart),
        cmocka_unit_test(test_resize),
        cmocka_unit_test(test_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
