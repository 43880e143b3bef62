/* When frames were lost, in bounded memory. */
#include "base/time.h"
#include "pipeline/losses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define AT(seconds) ((seconds)*SW_NS_PER_S)

static void test_between(void **state)
{
    (void)state;
    struct sw_losses losses = {.count = 0};
    assert_int_equal(sw_losses_between(&losses, AT(0), AT(1000)), 0);
    sw_losses_add(&losses, AT(100), 5);
    sw_losses_add(&losses, AT(200), 7);
    assert_int_equal(sw_losses_between(&losses, AT(0), AT(98)), 0);
    assert_int_equal(sw_losses_between(&losses, AT(0), AT(100)), 5);
    assert_int_equal(sw_losses_between(&losses, AT(99), AT(99)), 5); /* it may be a second older */
    assert_int_equal(sw_losses_between(&losses, AT(101), AT(198)), 0);
    assert_int_equal(sw_losses_between(&losses, AT(150), AT(250)), 7);
    assert_int_equal(sw_losses_between(&losses, AT(0), AT(250)), 12);
    assert_int_equal(sw_losses_between(&losses, AT(201), AT(250)), 0);
}

static void test_what_is_near_is_one(void **state)
{
    (void)state;
    struct sw_losses losses = {.count = 0};
    for (int i = 0; i < 100; i++)
        sw_losses_add(&losses, AT(100) + i * SW_NS_PER_S / 10, 1);
    assert_int_equal(losses.count, 1);
    assert_int_equal(sw_losses_between(&losses, AT(105), AT(106)), 100);
}

/* The oldest are put together: nothing is forgotten, only less is known of when it was. */
static void test_full(void **state)
{
    (void)state;
    struct sw_losses losses = {.count = 0};
    for (int i = 0; i < 3 * SW_LOSSES_MAX; i++)
        sw_losses_add(&losses, AT(100 + 10 * i), 1);
    assert_int_equal(losses.count, SW_LOSSES_MAX);
    assert_int_equal(sw_losses_between(&losses, AT(0), AT(100000)), 3 * SW_LOSSES_MAX);
    assert_int_equal(sw_losses_between(&losses, AT(50 + 30 * SW_LOSSES_MAX), AT(100000)), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_between),
        cmocka_unit_test(test_what_is_near_is_one),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
