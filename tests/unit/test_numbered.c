/*
 * Things that are known by numbers: nobody gets one that another has, they stay where they are,
 * memory goes back when they do, and what is counted is what there is.
 */
#include "base/numbered.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { BYTES = 48, COUNT = 5000 };

static uint32_t number_of[COUNT];

static void fill(const struct sw_numbered *things, size_t i)
{
    uint8_t *thing = sw_numbered_at(things, number_of[i], BYTES);
    assert_int_equal((uintptr_t)thing % 16, 0);
    memset(thing, (int)(i % 251), BYTES);
}

static void take(struct sw_numbered *things, size_t i)
{
    number_of[i] = sw_numbered_take(things);
    assert_int_not_equal(number_of[i], 0);
    fill(things, i);
}

static void give(struct sw_numbered *things, size_t i)
{
    const uint8_t *thing = sw_numbered_at(things, number_of[i], BYTES);
    for (size_t at = 0; at < BYTES; at++)
        assert_int_equal(thing[at], i % 251);
    sw_numbered_give(things, number_of[i]);
    number_of[i] = 0;
}

static void test_apart_in_any_order(void **state)
{
    (void)state;
    struct sw_numbered things = {.thing_bytes = BYTES};
    for (size_t round = 1; round < 8; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            if (!number_of[i])
                take(&things, i);
        }
        assert_true(things.memory_bytes >= COUNT * BYTES);
        assert_true(things.memory_bytes < COUNT * 64 + 64 * 64);
        for (size_t i = 0; i < COUNT; i++) {
            size_t other = i * 2477 % COUNT; /* each of them once */
            if (other % 7 != round)
                give(&things, other);
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (number_of[i])
            give(&things, i);
    }
    sw_numbered_release(&things);
    assert_int_equal(things.memory_bytes, 0);
}

/* The first one comes last, the oldest first, or in between: at most one shelf is left. */
static void test_memory_goes_back(void **state)
{
    (void)state;
    struct sw_numbered things = {.thing_bytes = BYTES};
    static const size_t steps[] = {1, COUNT - 1, 2477};
    take(&things, 0);
    size_t shelf = things.memory_bytes;
    give(&things, 0);
    for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
        for (size_t i = 0; i < COUNT; i++)
            take(&things, i);
        for (size_t i = 0; i < COUNT; i++)
            give(&things, (i + 1) * steps[s] % COUNT);
        assert_true(things.memory_bytes <= shelf);
    }
    uint32_t shelves = things.count;
    for (size_t i = 0; i < COUNT; i++)
        take(&things, i);
    assert_int_equal(things.count, shelves); /* those that were empty are used again */
    sw_numbered_release(&things);
    memset(number_of, 0, sizeof(number_of));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apart_in_any_order),
        cmocka_unit_test(test_memory_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
