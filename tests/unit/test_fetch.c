/*
 * Fetching ahead: any address will do, as it stands and at any length, since nothing is read.
 */
#include "base/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

static void test_any_address(void **state)
{
    (void)state;
    static const uint8_t bytes[300] = {7};
    sw_fetch(NULL, 0);
    sw_fetch(NULL, 1000); /* a list that is empty */
    sw_fetch(bytes, 0);
    for (size_t at = 0; at < sizeof(bytes); at += 37)
        sw_fetch(bytes + at, sizeof(bytes) - at);
    assert_int_equal(bytes[0], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_any_address)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
