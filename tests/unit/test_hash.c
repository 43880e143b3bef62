#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static uint64_t fixed(const void *bytes, size_t n)
{
    return sw_hash_bytes(&sw_hash_fixed_key, sw_span_make(bytes, n));
}

static int compare(const void *a, const void *b)
{
    uint64_t x;
    uint64_t y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

static void assert_all_differ(uint64_t *hashes, size_t n)
{
    qsort(hashes, n, sizeof(hashes[0]), compare);
    for (size_t i = 1; i < n; i++)
        assert_true(hashes[i - 1] != hashes[i]);
}

static void test_same_bytes_same_hash(void **state)
{
    (void)state;
    const struct sw_hash_key key = {1, 2};
    uint8_t room[64];
    for (size_t len = 0; len < 40; len++) {
        /* Wherever they stand in memory, and whatever stands behind them. */
        memset(room, 0x55, sizeof(room));
        memset(room + 3, 7, len);
        uint64_t first = sw_hash_bytes(&key, sw_span_make(room + 3, len));
        memset(room, 0xAA, sizeof(room));
        memset(room + 8, 7, len);
        assert_true(sw_hash_bytes(&key, sw_span_make(room + 8, len)) == first);
    }
}

/* Session ids are made with it: they must be the same on every machine and in every version. */
static void test_fixed_key_is_fixed(void **state)
{
    (void)state;
    assert_true(sw_hash_fixed_key.a == UINT64_C(0x9e3779b97f4a7c15));
    assert_true(sw_hash_fixed_key.b == UINT64_C(0xd1b54a32d192ed03));
    assert_true(fixed("", 0) == UINT64_C(0x85cc24edcd38be60));
    assert_true(fixed("192.0.2.1:49152", 15) == UINT64_C(0x5c6dd32546a13f83));
    assert_true(fixed("192.0.2.1:49152-198.51.100.25:25", 32) == UINT64_C(0xdbb03ea6760b5a2e));
}

static void test_every_bit_counts(void **state)
{
    (void)state;
    uint8_t bytes[37] = {0};
    uint64_t hashes[37 * 8 + 1];
    size_t n = 0;
    hashes[n++] = fixed(bytes, sizeof(bytes));
    for (size_t bit = 0; bit < 37 * 8; bit++) {
        bytes[bit / 8] = (uint8_t)(1 << bit % 8);
        hashes[n++] = fixed(bytes, sizeof(bytes));
        bytes[bit / 8] = 0;
    }
    assert_all_differ(hashes, n);
}

static void test_the_length_counts(void **state)
{
    (void)state;
    static const uint8_t zeroes[64];
    uint64_t hashes[65];
    for (size_t len = 0; len <= 64; len++)
        hashes[len] = fixed(zeroes, len);
    assert_all_differ(hashes, 65);
}

/* Addresses that count up, as a table sees them: the low bits must spread. */
static void test_low_bits_spread(void **state)
{
    (void)state;
    enum { BUCKETS = 1024, KEYS = 64 * BUCKETS };
    static unsigned buckets[BUCKETS];
    uint8_t key[37] = {0};
    for (unsigned i = 0; i < KEYS; i++) {
        key[2] = (uint8_t)(i >> 8);
        key[3] = (uint8_t)i;
        buckets[fixed(key, sizeof(key)) % BUCKETS]++;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        assert_true(buckets[i] > 16); /* 64 on average, eight standard deviations around */
        assert_true(buckets[i] < 128);
    }
}

static void test_the_key_changes_everything(void **state)
{
    (void)state;
    uint64_t hashes[130];
    size_t n = 0;
    hashes[n++] = fixed("key", 3);
    for (unsigned bit = 0; bit < 64; bit++) {
        struct sw_hash_key key = sw_hash_fixed_key;
        key.a ^= UINT64_C(1) << bit;
        hashes[n++] = sw_hash_bytes(&key, SW_SPAN_LIT("key"));
        key = sw_hash_fixed_key;
        key.b ^= UINT64_C(1) << bit;
        hashes[n++] = sw_hash_bytes(&key, SW_SPAN_LIT("key"));
    }
    assert_all_differ(hashes, n);
}

static void test_random_keys_differ(void **state)
{
    (void)state;
    struct sw_hash_key one = sw_hash_random_key();
    struct sw_hash_key two = sw_hash_random_key();
    assert_true(one.a != two.a && one.b != two.b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes_same_hash),
        cmocka_unit_test(test_fixed_key_is_fixed),
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_the_length_counts),
        cmocka_unit_test(test_low_bits_spread),
        cmocka_unit_test(test_the_key_changes_everything),
        cmocka_unit_test(test_random_keys_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
