/*
 * Places that can be left without memory: they stay where they are, hold what is written, and are
 * used again.
 */
#include "base/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { BYTES = 8192, COUNT = 3000 };

static void test_many(void **state)
{
    (void)state;
    static uint8_t *slots_of[COUNT];
    struct sw_slots *slots = sw_slots_new(BYTES);
    assert_non_null(slots);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            slots_of[i] = sw_slots_take(slots);
            assert_non_null(slots_of[i]);
            assert_int_equal((uintptr_t)slots_of[i] % 16, 0);
            memset(slots_of[i], (int)(i % 251), BYTES);
        }
        for (size_t i = 0; i < COUNT; i++) { /* nobody has written into another one's place */
            assert_int_equal(slots_of[i][0], i % 251);
            assert_int_equal(slots_of[i][BYTES - 1], i % 251);
            if (i % 3 == 0)
                sw_slots_leave(slots, slots_of[i]);
        }
        for (size_t i = 0; i < COUNT; i++) {
            if (i % 3 == 0) {
                sw_slots_return(slots, slots_of[i]);
                assert_int_equal(slots_of[i][0], 0);
                assert_int_equal(slots_of[i][BYTES - 1], 0);
                memset(slots_of[i], (int)(i % 251), BYTES);
            }
        }
        for (size_t i = 0; i < COUNT; i++) {
            assert_int_equal(slots_of[i][7], i % 251);
            sw_slots_give(slots, slots_of[i]);
        }
    }
    uint8_t *again = sw_slots_take(slots);
    int known = 0;
    for (size_t i = 0; i < COUNT; i++)
        known += again == slots_of[i];
    assert_int_equal(known, 1); /* no new place while there are free ones */
    sw_slots_free(slots);
    sw_slots_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
