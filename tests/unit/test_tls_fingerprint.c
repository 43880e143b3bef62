#include "crypto/digest.h"
#include "dissectors/tls/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ADD(list, ...)                                                                             \
    do {                                                                                           \
        const uint16_t values[] = {__VA_ARGS__};                                                   \
        memcpy((list).at, values, sizeof(values));                                                 \
        (list).kept = (list).count = sizeof(values) / sizeof(values[0]);                           \
    } while (0)

static void first_twelve(const char *text, char out[13])
{
    uint8_t digest[SW_SHA256_BYTES];
    assert_true(sw_sha256(sw_span_str(text), digest));
    sw_hex(digest, 6, out);
}

/* The example of JA4's own description (github.com/FoxIO-LLC/ja4, technical_details/JA4.md). */
static void test_ja4_of_its_description(void **state)
{
    (void)state;
    static struct tls_hello h;
    h.legacy_version = 0x0303;
    h.version = 0x0304;
    h.has_name = true;
    memcpy(h.alpn, "h2", 2);
    h.alpn_len = 2;
    ADD(h.ciphers, 0x3A3A, 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8,
        0xC013, 0xC014, 0x009C, 0x009D, 0x002F, 0x0035);
    ADD(h.extensions, 0x0A0A, 0x001B, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002D, 0x000D,
        0x0005, 0x0023, 0x0012, 0x002B, 0xFF01, 0x000B, 0x000A, 0x0015, 0x1A1A);
    ADD(h.schemes, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601);
    struct tls_ja4 ja4;
    char hash[13];
    assert_true(tls_ja4(&h, &ja4));
    assert_string_equal(ja4.first, "t13d1516h2");
    first_twelve(ja4.ciphers, hash);
    assert_string_equal(hash, "8daaf6152771");
    assert_string_equal(ja4.extensions,
                        "0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_"
                        "0403,0804,0401,0503,0805,0501,0806,0601");
    first_twelve(ja4.extensions, hash);
    assert_string_equal(hash, "e5627efa2ab1");
}

static void test_ja4_of_little(void **state)
{
    (void)state;
    static struct tls_hello h;
    struct tls_ja4 ja4;
    h.version = 0x0301;
    assert_true(tls_ja4(&h, &ja4));
    assert_string_equal(ja4.first, "t10i000000");
    assert_string_equal(ja4.ciphers, "");
    assert_string_equal(ja4.extensions, "");
    h.alpn_len = 1;
    h.alpn[0] = 0xAB;
    assert_true(tls_ja4(&h, &ja4));
    assert_string_equal(ja4.first, "t10i0000ab");
    h.cut = true;
    assert_false(tls_ja4(&h, &ja4));
}

/* The example of JA3's own description (github.com/salesforce/ja3, README). */
static void test_ja3_of_its_description(void **state)
{
    (void)state;
    static struct tls_hello h;
    char text[TLS_JA3_TEXT];
    uint8_t digest[SW_MD5_BYTES];
    char hash[33];
    h.legacy_version = 769;
    ADD(h.ciphers, 47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4);
    ADD(h.extensions, 0, 10, 11);
    ADD(h.groups, 23, 24, 25);
    h.format_count = 1;
    assert_true(tls_ja3(&h, text));
    assert_string_equal(text,
                        "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
    assert_true(sw_md5(sw_span_str(text), digest));
    sw_hex(digest, sizeof(digest), hash);
    assert_string_equal(hash, "ada70206e40642a3e4461f35503241d5");
}

static void test_ja3_without_extensions(void **state)
{
    (void)state;
    static struct tls_hello h;
    char text[TLS_JA3_TEXT];
    h.legacy_version = 769;
    ADD(h.ciphers, 4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99);
    assert_true(tls_ja3(&h, text));
    assert_string_equal(text, "769,4-5-10-9-100-98-3-6-19-18-99,,,");
}

static void test_the_longest_lists_fit(void **state)
{
    (void)state;
    static struct tls_hello h;
    char text[TLS_JA3_TEXT];
    struct tls_ja4 ja4;
    h.ciphers.kept = h.ciphers.count = TLS_CIPHERS;
    h.extensions.kept = h.extensions.count = TLS_EXTENSIONS;
    h.groups.kept = h.groups.count = TLS_GROUPS;
    h.schemes.kept = h.schemes.count = TLS_SCHEMES;
    memset(h.ciphers.at, 0xFF, sizeof(h.ciphers.at));
    memset(h.extensions.at, 0xFF, sizeof(h.extensions.at));
    memset(h.groups.at, 0xFF, sizeof(h.groups.at));
    memset(h.schemes.at, 0xFF, sizeof(h.schemes.at));
    assert_true(tls_ja3(&h, text));
    assert_true(tls_ja4(&h, &ja4));
    h.ciphers.count++; /* one was not kept: no fingerprint rather than a wrong one */
    assert_false(tls_ja3(&h, text));
    assert_false(tls_ja4(&h, &ja4));
}

static void check_suite(uint16_t cipher, const char *name, struct tls_suite want)
{
    struct tls_suite got;
    assert_string_equal(tls_cipher_name(cipher), name);
    assert_true(tls_suite(cipher, &got));
    assert_int_equal(got.mode, want.mode);
    assert_int_equal(got.block_bytes, want.block_bytes);
    assert_int_equal(got.mac_bytes, want.mac_bytes);
    assert_int_equal(got.hash_bytes, want.hash_bytes);
    assert_int_equal(got.tls13, want.tls13);
    assert_int_equal(got.static_key, want.static_key);
    assert_int_equal(got.anonymous, want.anonymous);
    assert_int_equal(got.weak, want.weak);
}

static void test_suites_are_read_off_their_names(void **state)
{
    (void)state;
    struct tls_suite none;
    check_suite(0x1302, "TLS_AES_256_GCM_SHA384",
                (struct tls_suite){.mode = TLS_MODE_GCM, .hash_bytes = 48, .tls13 = true});
    check_suite(0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                (struct tls_suite){.mode = TLS_MODE_GCM, .hash_bytes = 32});
    check_suite(0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA",
                (struct tls_suite){.mode = TLS_MODE_CBC,
                                   .block_bytes = 16,
                                   .mac_bytes = 20,
                                   .hash_bytes = 32,
                                   .static_key = true});
    check_suite(0x000A, "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
                (struct tls_suite){.mode = TLS_MODE_CBC,
                                   .block_bytes = 8,
                                   .mac_bytes = 20,
                                   .hash_bytes = 32,
                                   .static_key = true,
                                   .weak = true});
    check_suite(0x0005, "TLS_RSA_WITH_RC4_128_SHA",
                (struct tls_suite){.mode = TLS_MODE_STREAM,
                                   .mac_bytes = 20,
                                   .hash_bytes = 32,
                                   .static_key = true,
                                   .weak = true});
    check_suite(0xC018, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA",
                (struct tls_suite){.mode = TLS_MODE_CBC,
                                   .block_bytes = 16,
                                   .mac_bytes = 20,
                                   .hash_bytes = 32,
                                   .anonymous = true});
    check_suite(0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
                (struct tls_suite){.mode = TLS_MODE_CHACHA, .hash_bytes = 32});
    check_suite(0xC0AE, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
                (struct tls_suite){.mode = TLS_MODE_CCM_8, .hash_bytes = 32});
    check_suite(0xC005, "TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA",
                (struct tls_suite){.mode = TLS_MODE_CBC,
                                   .block_bytes = 16,
                                   .mac_bytes = 20,
                                   .hash_bytes = 32,
                                   .static_key = true});
    assert_false(tls_suite(0xFFFF, &none));
    assert_null(tls_cipher_name(0xFFFF));
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(tls_alert_name(48), "unknown_ca");
    assert_string_equal(tls_alert_name(0), "close_notify");
    assert_null(tls_alert_name(200));
    assert_string_equal(tls_version_name(0x0304), "TLSv1.3");
    assert_null(tls_version_name(0x0A0A));
    assert_true(tls_is_grease(0xFAFA));
    assert_false(tls_is_grease(0x1301));
    assert_false(tls_alert_is_error(0));
    assert_true(tls_alert_is_error(40));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ja4_of_its_description),
        cmocka_unit_test(test_ja4_of_little),
        cmocka_unit_test(test_ja3_of_its_description),
        cmocka_unit_test(test_ja3_without_extensions),
        cmocka_unit_test(test_the_longest_lists_fit),
        cmocka_unit_test(test_suites_are_read_off_their_names),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
