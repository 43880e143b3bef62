#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_decodes(const char *text, const char *expected, int len)
{
    uint8_t out[64];
    assert_int_equal(sw_base64_decode(sw_span_str(text), out, sizeof(out)), len);
    if (len > 0)
        assert_memory_equal(out, expected, (size_t)len);
}

/* RFC 4648 section 10. */
static void test_vectors(void **state)
{
    (void)state;
    assert_decodes("", "", 0);
    assert_decodes("Zg==", "f", 1);
    assert_decodes("Zm8=", "fo", 2);
    assert_decodes("Zm9v", "foo", 3);
    assert_decodes("Zm9vYg==", "foob", 4);
    assert_decodes("Zm9vYmE=", "fooba", 5);
    assert_decodes("Zm9vYmFy", "foobar", 6);
}

static void test_every_byte_comes_back(void **state)
{
    (void)state;
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (unsigned i = 0; i < 256; i++) {
        const char text[] = {digits[i >> 2], digits[(i & 3) << 4], '=', '=', '\0'};
        const char expected[] = {(char)i, '\0'};
        assert_decodes(text, expected, 1);
    }
}

static void test_secret_of_auth_plain(void **state)
{
    (void)state;
    assert_decodes("AGFsaWNlAHNlY3JldA==", "\0alice\0secret", 13);
}

static void test_padding_is_optional(void **state)
{
    (void)state;
    assert_decodes("Zm8", "fo", 2);
    assert_decodes("Zg", "f", 1);
    assert_decodes("Z", "", 0);
    assert_decodes("Zg==Zm9v", "f", 1);
    assert_decodes("=", "", 0);
}

static void test_other_characters(void **state)
{
    (void)state;
    static const char *const wrong[] = {"Zm9v!", "Zm 9v", "Zm9v\r", "-_", "Zm\x80v", "*"};
    uint8_t out[64];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(sw_base64_decode(sw_span_str(wrong[i]), out, sizeof(out)), -1);
    assert_int_equal(sw_base64_decode(SW_SPAN_LIT("Zm\0v"), out, sizeof(out)), -1);
}

static void test_room_is_kept(void **state)
{
    (void)state;
    for (size_t room = 0; room <= 6; room++) {
        uint8_t out[8];
        memset(out, 0xEE, sizeof(out));
        assert_int_equal(sw_base64_decode(SW_SPAN_LIT("Zm9vYmFy"), out, room), room);
        assert_memory_equal(out, "foobar", room);
        for (size_t i = room; i < sizeof(out); i++)
            assert_int_equal(out[i], 0xEE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_every_byte_comes_back),
        cmocka_unit_test(test_secret_of_auth_plain),
        cmocka_unit_test(test_padding_is_optional),
        cmocka_unit_test(test_other_characters),
        cmocka_unit_test(test_room_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
