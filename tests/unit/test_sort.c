/*
 * Sorting by the number beside the pointer: order, stability, every size up to some hundred.
 */
#include "base/sort.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

enum { MOST = 600 };

static void check(uint64_t (*key)(size_t i))
{
    static struct sw_sorted list[MOST];
    static char items[MOST]; /* only their addresses matter */
    for (size_t count = 0; count <= MOST; count += count < 20 ? 1 : 29) {
        for (size_t i = 0; i < count; i++)
            list[i] = (struct sw_sorted){key(i), &items[i]};
        sw_sort(list, count);
        bool seen[MOST] = {false};
        for (size_t i = 0; i < count; i++) {
            size_t from = (size_t)((char *)list[i].item - items);
            assert_false(seen[from]);
            seen[from] = true;
            assert_true(list[i].key == key(from));
            if (i == 0)
                continue;
            assert_true(list[i - 1].key <= list[i].key);
            if (list[i - 1].key == list[i].key) /* in the order in which they were given */
                assert_true(list[i - 1].item < list[i].item);
        }
    }
}

static uint64_t random_key(size_t i)
{
    return (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
}

static uint64_t few_keys(size_t i)
{
    return (i * 7) % 5;
}

static uint64_t falling_key(size_t i)
{
    return UINT64_MAX - i * 1000;
}

static uint64_t same_key(size_t i)
{
    (void)i;
    return 42;
}

static void test_sort(void **state)
{
    (void)state;
    check(random_key);
    check(few_keys);
    check(falling_key);
    check(same_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sort)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
