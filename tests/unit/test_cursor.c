#include "base/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 0xFF, 0xFE, 0xFD, 0xFC};

static struct sw_cursor over(size_t n)
{
    return sw_cursor_make(sw_span_make(bytes, n));
}

static void test_values(void **state)
{
    (void)state;
    struct sw_cursor c = over(12);
    assert_int_equal(sw_cursor_u8(&c), 1);
    assert_int_equal(sw_cursor_be16(&c), 0x0203);
    assert_int_equal(sw_cursor_be24(&c), 0x040506);
    assert_int_equal(sw_cursor_le16(&c), 0x0807);
    assert_true(sw_cursor_be32(&c) == 0xFFFEFDFC);
    assert_int_equal(c.left, 0);
    assert_false(c.bad);
    c = over(12);
    assert_true(sw_cursor_be64(&c) == UINT64_C(0x0102030405060708));
    assert_true(sw_cursor_le32(&c) == 0xFCFDFEFF);
    assert_false(c.bad);
}

typedef uint64_t read_function(struct sw_cursor *c);

static uint64_t read_u8(struct sw_cursor *c)
{
    return sw_cursor_u8(c);
}

static uint64_t read_be16(struct sw_cursor *c)
{
    return sw_cursor_be16(c);
}

static uint64_t read_be24(struct sw_cursor *c)
{
    return sw_cursor_be24(c);
}

static uint64_t read_be32(struct sw_cursor *c)
{
    return sw_cursor_be32(c);
}

static uint64_t read_be64(struct sw_cursor *c)
{
    return sw_cursor_be64(c);
}

static uint64_t read_le16(struct sw_cursor *c)
{
    return sw_cursor_le16(c);
}

static uint64_t read_le32(struct sw_cursor *c)
{
    return sw_cursor_le32(c);
}

static void test_short_reads(void **state)
{
    (void)state;
    static const struct {
        read_function *read;
        size_t size;
    } readers[] = {
        {read_u8, 1},   {read_be16, 2}, {read_be24, 3}, {read_be32, 4},
        {read_be64, 8}, {read_le16, 2}, {read_le32, 4},
    };
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        for (size_t n = 0; n < readers[i].size; n++) {
            struct sw_cursor c = over(n);
            assert_true(readers[i].read(&c) == 0);
            assert_true(c.bad);
            assert_int_equal(c.left, 0);
            assert_int_equal(sw_cursor_u8(&c), 0); /* and it stays so */
            assert_int_equal(sw_cursor_rest(&c).len, 0);
        }
        struct sw_cursor c = over(readers[i].size);
        assert_true(readers[i].read(&c) != 0);
        assert_false(c.bad);
    }
}

static void test_take_skip_and_rest(void **state)
{
    (void)state;
    struct sw_cursor c = over(12);
    struct sw_span s = sw_cursor_take(&c, 3);
    assert_ptr_equal(s.ptr, bytes);
    assert_int_equal(s.len, 3);
    sw_cursor_skip(&c, 2);
    assert_ptr_equal(sw_cursor_rest(&c).ptr, bytes + 5);
    assert_int_equal(sw_cursor_rest(&c).len, 7);
    assert_int_equal(sw_cursor_take(&c, 0).len, 0);
    assert_false(c.bad);
    sw_cursor_skip(&c, 8);
    assert_true(c.bad);
    assert_int_equal(c.left, 0);
}

static void test_no_length_overflows(void **state)
{
    (void)state;
    struct sw_cursor c = over(12);
    sw_cursor_skip(&c, 4);
    assert_null(sw_cursor_take(&c, SIZE_MAX).ptr);
    assert_true(c.bad);
    /* Taking nothing from a bad cursor keeps it bad. */
    assert_null(sw_cursor_take(&c, 0).ptr);
    assert_true(c.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_short_reads),
        cmocka_unit_test(test_take_skip_and_rest),
        cmocka_unit_test(test_no_length_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
