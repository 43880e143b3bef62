/*
 * Places that several use in turn: they stay where they are, nobody writes into another one's, and
 * what is free is used again before more is made.
 */
#include "base/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { BYTES = 8192, COUNT = 3000, WARM = 100 };

static uint8_t users[COUNT]; /* only their addresses matter */

static void test_many(void **state)
{
    (void)state;
    static struct sw_slot *slot_of[COUNT];
    static uint8_t *memory_of[COUNT];
    size_t account = 7;
    struct sw_slots *slots = sw_slots_new(BYTES, WARM, &account);
    assert_non_null(slots);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            slot_of[i] = sw_slots_take(slots, &users[i]);
            assert_non_null(slot_of[i]);
            memory_of[i] = sw_slot_memory(slot_of[i]);
            assert_int_equal((uintptr_t)memory_of[i] % 16, 0);
            memset(memory_of[i], (int)(i % 251), BYTES);
        }
        assert_int_equal(account, 7 + COUNT * BYTES);
        for (size_t i = 0; i < COUNT; i++) { /* nobody has written into another one's place */
            assert_int_equal(memory_of[i][0], i % 251);
            assert_int_equal(memory_of[i][BYTES - 1], i % 251);
            assert_ptr_equal(sw_slot_user(slot_of[i]), &users[i]);
            sw_slot_leave(slot_of[i]);
            assert_null(sw_slot_user(slot_of[i]));
        }
        assert_int_equal(account, 7 + WARM * BYTES); /* not all of them keep their memory */
    }
    const struct sw_slot *again = sw_slots_take(slots, &users[0]);
    int known = 0;
    for (size_t i = 0; i < COUNT; i++)
        known += again == slot_of[i];
    assert_int_equal(known, 1); /* no new place while there are free ones */
    assert_true(sw_slots_trim(slots));
    assert_int_equal(account, 7 + BYTES);
    assert_false(sw_slots_trim(slots));
    sw_slots_free(slots);
    assert_int_equal(account, 7);
    sw_slots_free(NULL);
}

static void test_return(void **state)
{
    (void)state;
    size_t account = 0;
    struct sw_slots *slots = sw_slots_new(BYTES, WARM, &account);
    struct sw_slot *first = sw_slots_take(slots, &users[0]);
    struct sw_slot *second = sw_slots_take(slots, &users[1]);
    assert_ptr_not_equal(first, second);
    uint8_t *memory = sw_slot_memory(first);
    sw_slot_leave(first);
    struct sw_slot *third = sw_slots_take(slots, &users[2]);
    assert_ptr_equal(third, first); /* the place left last is the warmest */
    assert_ptr_equal(sw_slot_user(first), &users[2]);
    sw_slot_leave(third);
    sw_slot_leave(second);
    sw_slot_return(first, &users[0]);
    assert_ptr_equal(sw_slot_user(first), &users[0]);
    assert_ptr_equal(sw_slot_memory(first), memory);
    assert_true(sw_slots_trim(slots)); /* the second */
    assert_int_equal(account, BYTES);
    sw_slot_return(second, &users[1]); /* with new memory */
    assert_int_equal(*(uint8_t *)sw_slot_memory(second), 0);
    assert_int_equal(account, 2 * BYTES);
    sw_slots_free(slots);
}

static void test_keep(void **state)
{
    (void)state;
    enum { FEW = WARM + 5 };
    size_t account = 0;
    struct sw_slots *slots = sw_slots_new(BYTES, WARM, &account);
    struct sw_slot *slot_of[FEW];
    for (size_t i = 0; i < FEW; i++)
        slot_of[i] = sw_slots_take(slots, &users[i]);
    sw_slots_keep(slots);
    for (size_t i = 0; i < FEW; i++)
        sw_slot_leave(slot_of[i]);
    assert_int_equal(account, FEW * BYTES);
    sw_slots_free(slots);
    assert_int_equal(account, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_return),
        cmocka_unit_test(test_keep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
