/*
 * Tries that are held: they come out in the order of their beginnings, however they came in, while
 * others come in, and each once. A list that is searched from end to end says what is right.
 */
#include "analyzer/held.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { MOST = 3000 };

static struct sw_attempt tries[MOST];
static bool inside[MOST];

static struct sw_attempt *first_of_all(size_t made)
{
    struct sw_attempt *first = NULL;
    for (size_t i = 0; i < made; i++) {
        if (inside[i] && (!first || tries[i].begin_ns < first->begin_ns))
            first = &tries[i]; /* of one moment the smallest serial: the first in the list */
    }
    return first;
}

static void take_first(struct sw_held_tries *held, size_t made)
{
    struct sw_attempt *expected = first_of_all(made);
    const struct sw_held_try *first = sw_held_first(held);
    assert_ptr_equal(first ? first->attempt : NULL, expected);
    assert_ptr_equal(sw_held_pop(held), expected);
    if (expected)
        inside[expected - tries] = false;
}

/* `begin` says when each began; after each that comes in, `out` in ten are taken out. */
static void check(int64_t (*begin)(size_t i), unsigned out)
{
    struct sw_held_tries held = {.first = 0};
    memset(inside, 0, sizeof(inside));
    uint32_t count = 0;
    for (size_t i = 0; i < MOST; i++) {
        tries[i] = (struct sw_attempt){.begin_ns = begin(i)};
        assert_true(sw_held_push(&held, &tries[i], i));
        inside[i] = true;
        count++;
        assert_int_equal(sw_held_count(&held), count);
        if (i % 10 < out && i > 70) { /* past the first growth */
            take_first(&held, i + 1);
            count--;
        }
    }
    for (; count > 0; count--)
        take_first(&held, MOST);
    take_first(&held, MOST); /* nothing is left */
    sw_held_release(&held);
}

static int64_t rising(size_t i)
{
    return (int64_t)i * 10;
}

static int64_t falling(size_t i)
{
    return -(int64_t)i;
}

static int64_t any(size_t i)
{
    return (int64_t)((i + 1) * UINT64_C(0x9E3779B97F4A7C15) >> 40);
}

static int64_t stragglers(size_t i)
{
    return (int64_t)i * 10 - (i % 7 == 0 ? 305 : 0);
}

static int64_t one_moment(size_t i)
{
    return (int64_t)(i / 1000);
}

static int64_t one_far_ahead(size_t i)
{
    return i == 5 ? INT64_MAX : (int64_t)i;
}

static void test_order(void **state)
{
    (void)state;
    static int64_t (*const orders[])(size_t) = {rising,     falling,    any,
                                                stragglers, one_moment, one_far_ahead};
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        for (unsigned out = 0; out <= 10; out += 5)
            check(orders[i], out);
        check(orders[i], 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
