#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_blocks_are_aligned_zeroed_and_stay(void **state)
{
    (void)state;
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 20, NULL);
    assert_int_equal(arena.total_bytes, 0);
    uint8_t *blocks[300];
    for (size_t i = 0; i < 300; i++) {
        blocks[i] = sw_arena_alloc(&arena, i);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 8, 0);
        for (size_t at = 0; at < i; at++)
            assert_int_equal(blocks[i][at], 0);
        memset(blocks[i], (int)(i & 0xFF), i);
    }
    for (size_t i = 0; i < 300; i++) {
        for (size_t at = 0; at < i; at++)
            assert_int_equal(blocks[i][at], i & 0xFF);
    }
    assert_false(arena.exhausted);
    sw_arena_release(&arena);
}

static void test_reused_memory_is_zeroed_too(void **state)
{
    (void)state;
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 20, NULL);
    for (int round = 0; round < 3; round++) {
        uint8_t *block = sw_arena_alloc(&arena, 500);
        assert_non_null(block);
        for (size_t i = 0; i < 500; i++)
            assert_int_equal(block[i], 0);
        memset(block, 0xEE, 500);
        sw_arena_release(&arena);
    }
}

static void test_limit_and_account(void **state)
{
    (void)state;
    size_t account = 100;
    struct sw_arena arena;
    sw_arena_init(&arena, 10000, &account);
    size_t blocks = 0;
    while (sw_arena_alloc(&arena, 64))
        blocks++;
    assert_true(arena.exhausted);
    assert_true(arena.total_bytes <= 10000);
    assert_true(blocks * 64 <= 10000);
    assert_true(blocks * 64 > 10000 - 1024); /* nearly all of the limit can be used */
    assert_int_equal(account, 100 + arena.total_bytes);
    sw_arena_release(&arena);
    assert_int_equal(account, 100);
    assert_int_equal(arena.total_bytes, 0);
    assert_false(arena.exhausted);
    assert_non_null(sw_arena_alloc(&arena, 64));
    sw_arena_release(&arena);
}

static void test_what_can_never_fit(void **state)
{
    (void)state;
    struct sw_arena arena;
    sw_arena_init(&arena, 4096, NULL);
    assert_null(sw_arena_alloc(&arena, 4097));
    assert_true(arena.exhausted);
    volatile size_t most = SIZE_MAX; /* else the compiler sees it, and warns */
    assert_null(sw_arena_alloc(&arena, most));
    assert_null(sw_arena_alloc(&arena, most - 16));
    assert_non_null(sw_arena_alloc(&arena, 4096));
    sw_arena_release(&arena);
    sw_arena_init(&arena, 0, NULL);
    assert_null(sw_arena_alloc(&arena, 0));
    sw_arena_release(&arena);
}

static void test_one_large_block(void **state)
{
    (void)state;
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 20, NULL);
    uint8_t *small = sw_arena_alloc(&arena, 10);
    uint8_t *large = sw_arena_alloc(&arena, 300000);
    assert_non_null(small);
    assert_non_null(large);
    memset(large, 1, 300000);
    assert_int_equal(small[9], 0);
    sw_arena_release(&arena);
}

static void test_copies(void **state)
{
    (void)state;
    struct sw_arena arena;
    sw_arena_init(&arena, 4096, NULL);
    char text[] = "550 5.1.1 unknown";
    struct sw_span copy = sw_arena_copy(&arena, sw_span_str(text));
    char *string = sw_arena_strdup(&arena, text);
    memset(text, 'x', sizeof(text) - 1);
    assert_true(sw_span_eq(copy, SW_SPAN_LIT("550 5.1.1 unknown")));
    assert_string_equal(string, "550 5.1.1 unknown");
    assert_int_equal(sw_arena_copy(&arena, (struct sw_span){NULL, 0}).len, 0);
    assert_false(arena.exhausted);
    static const uint8_t much[5000] = {1};
    assert_int_equal(sw_arena_copy(&arena, sw_span_make(much, sizeof(much))).len, 0);
    assert_true(arena.exhausted);
    sw_arena_release(&arena);
}

static void test_printf(void **state)
{
    (void)state;
    struct sw_arena arena;
    sw_arena_init(&arena, 2048, NULL);
    assert_string_equal(sw_arena_printf(&arena, "%s-%d", "reply", 550), "reply-550");
    assert_string_equal(sw_arena_printf(&arena, "%s", ""), "");
    assert_null(sw_arena_printf(&arena, "%3000d", 1));
    assert_true(arena.exhausted);
    sw_arena_release(&arena);
}

struct thing {
    uint64_t number;
    void *pointer;
};

static void test_new(void **state)
{
    (void)state;
    struct sw_arena arena;
    sw_arena_init(&arena, 4096, NULL);
    struct thing *thing = SW_ARENA_NEW(&arena, struct thing);
    assert_non_null(thing);
    assert_int_equal(thing->number, 0);
    assert_null(thing->pointer);
    sw_arena_release(&arena);
}

static void test_the_last_block_changes_its_size(void **state)
{
    (void)state;
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 20, NULL);
    assert_false(sw_arena_resize(&arena, NULL, 0, 1));
    char *text = sw_arena_text(&arena, 100);
    memset(text, 'x', 100);
    assert_true(sw_arena_resize(&arena, text, 100, 10));
    char *behind = sw_arena_text(&arena, 5);
    assert_ptr_equal(behind, text + 10);
    assert_false(sw_arena_resize(&arena, text, 10, 20)); /* it is the last one no more */
    assert_true(sw_arena_resize(&arena, behind, 5, 300));
    assert_false(sw_arena_resize(&arena, behind, 300, 1 << 19)); /* not where it stands */
    memset(behind, 'y', 300);
    for (int i = 0; i < 10; i++)
        assert_int_equal(text[i], 'x');
    uint64_t *aligned = sw_arena_alloc(&arena, sizeof(*aligned));
    assert_int_equal((uintptr_t)aligned % 8, 0);
    assert_int_equal(*aligned, 0);
    assert_true((char *)aligned >= behind + 300);
    sw_arena_release(&arena);
}

static void test_what_is_in_use_of_lent_memory(void **state)
{
    (void)state;
    static _Alignas(16) uint8_t lent[1024];
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 20, NULL);
    assert_int_equal(sw_arena_lent_bytes(&arena), 0);
    sw_arena_lend(&arena, lent, sizeof(lent));
    size_t before = sw_arena_lent_bytes(&arena);
    assert_true(before > 0 && before < 64);
    uint8_t *text = (uint8_t *)sw_arena_text(&arena, 100);
    assert_int_equal(sw_arena_lent_bytes(&arena), before + 100);
    assert_ptr_equal(text + 100, lent + before + 100);
    assert_non_null(sw_arena_text(&arena, 2000)); /* others follow */
    assert_int_equal(sw_arena_lent_bytes(&arena), sizeof(lent));
    sw_arena_release(&arena);
    assert_non_null(sw_arena_text(&arena, 1));
    assert_int_equal(sw_arena_lent_bytes(&arena), 0);
    sw_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_aligned_zeroed_and_stay),
        cmocka_unit_test(test_reused_memory_is_zeroed_too),
        cmocka_unit_test(test_limit_and_account),
        cmocka_unit_test(test_what_can_never_fit),
        cmocka_unit_test(test_one_large_block),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_printf),
        cmocka_unit_test(test_new),
        cmocka_unit_test(test_the_last_block_changes_its_size),
        cmocka_unit_test(test_what_is_in_use_of_lent_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
