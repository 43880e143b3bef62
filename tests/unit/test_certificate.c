#include "crypto/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { NOW = 1700000000, DAY = 86400 };

/* What is made once: a root that is trusted, one in between, keys. */
struct world {
    EVP_PKEY *root_key, *middle_key, *leaf_key;
    X509 *root, *middle;
    struct sw_trust *trust;
    struct sw_arena arena;
};

struct wish {
    const char *common_name, *organisation, *names;
    int64_t begin, end;
    const char *place; /* of the issuer */
    bool authority;
    const EVP_MD *digest;
};

static void extend(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static X509 *make(const struct wish *w, EVP_PKEY *key, const X509 *issuer, EVP_PKEY *issuer_key)
{
    static long serial = 1;
    X509 *x = X509_new();
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_NAME *name = X509_get_subject_name(x);
    if (w->organisation)
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)w->organisation,
                                   -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)w->common_name, -1,
                               -1, 0);
    X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : name);
    ASN1_TIME_set(X509_getm_notBefore(x), w->begin ? w->begin : NOW - 100 * DAY);
    ASN1_TIME_set(X509_getm_notAfter(x), w->end ? w->end : NOW + 100 * DAY);
    X509_set_pubkey(x, key);
    if (w->authority)
        extend(x, NID_basic_constraints, "critical,CA:TRUE");
    if (w->names)
        extend(x, NID_subject_alt_name, w->names);
    if (w->place)
        extend(x, NID_info_access, w->place);
    assert_true(X509_sign(x, issuer_key, w->digest ? w->digest : EVP_sha256()) > 0);
    return x;
}

enum { DERS = 64 };
static uint8_t *ders_made[DERS];
static int ders_count;

/* Lives to the end of the program. */
static struct sw_span der(X509 *x)
{
    uint8_t *bytes = NULL;
    int n = i2d_X509(x, &bytes);
    assert_true(n > 0 && ders_count < DERS);
    ders_made[ders_count++] = bytes;
    return sw_span_make(bytes, (size_t)n);
}

static struct sw_trust *trust_in(const char *ca_file, const char *ca_path, char *message,
                                 size_t room)
{
    struct sw_anchors *anchors = sw_anchors_new(ca_file, ca_path);
    assert_non_null(anchors);
    struct sw_trust *trust = sw_trust_new(anchors, message, room);
    sw_anchors_free(anchors);
    return trust;
}

static int set_up(void **state)
{
    static struct world w;
    w.root_key = EVP_EC_gen("P-256");
    w.middle_key = EVP_EC_gen("P-256");
    w.leaf_key = EVP_EC_gen("P-256");
    struct wish root = {.common_name = "Root", .organisation = "House", .authority = true};
    struct wish middle = {.common_name = "Middle", .organisation = "House", .authority = true};
    w.root = make(&root, w.root_key, NULL, w.root_key);
    w.middle = make(&middle, w.middle_key, w.root, w.root_key);
    char path[] = "/tmp/smtpwhy-test-XXXXXX";
    FILE *out = fdopen(mkstemp(path), "w");
    PEM_write_X509(out, w.root);
    (void)fclose(out);
    char message[200];
    w.trust = trust_in(path, NULL, message, sizeof(message));
    (void)unlink(path);
    sw_arena_init(&w.arena, 1 << 20, NULL);
    *state = &w;
    return w.trust ? 0 : -1;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    sw_trust_free(w->trust);
    sw_arena_release(&w->arena);
    X509_free(w->root);
    X509_free(w->middle);
    EVP_PKEY_free(w->root_key);
    EVP_PKEY_free(w->middle_key);
    EVP_PKEY_free(w->leaf_key);
    while (ders_count > 0)
        OPENSSL_free(ders_made[--ders_count]);
    return 0;
}

static const struct wish ordinary = {.common_name = "mx.example.org",
                                     .names = "DNS:mx.example.org,IP:192.0.2.25,IP:2001:db8::25"};

static uint32_t problems(struct world *w, const struct sw_span *ders, size_t count,
                         const char *host, int64_t time_s)
{
    struct sw_x509_facts facts[SW_X509_CHAIN];
    sw_certificate_check(w->trust, ders, count, sw_span_str(host), time_s, &w->arena, facts);
    assert_true(facts[0].read);
    return facts[0].problems;
}

static void test_a_good_chain(void **state)
{
    struct world *w = *state;
    X509 *leaf = make(&ordinary, w->leaf_key, w->middle, w->middle_key);
    const struct sw_span ders[] = {der(leaf), der(w->middle)};
    struct sw_x509_facts facts[2];
    sw_certificate_check(w->trust, ders, 2, sw_span_str("mx.example.org"), NOW, &w->arena, facts);
    assert_int_equal(facts[0].problems, 0);
    assert_int_equal(facts[1].problems, 0);
    assert_true(sw_span_eq(facts[0].subject, SW_SPAN_LIT("CN=mx.example.org")));
    assert_true(sw_span_eq(facts[0].issuer, SW_SPAN_LIT("CN=Middle,O=House")));
    assert_true(sw_span_eq(facts[0].names,
                           SW_SPAN_LIT("mx.example.org\n192.0.2.25\n2001:db8:0:0:0:0:0:25")));
    assert_int_equal(facts[0].not_before_s, NOW - 100 * DAY);
    assert_string_equal(facts[0].not_before, "2023-08-06T22:13:20Z");
    assert_int_equal(strlen(facts[0].sha256), 64);
    X509_free(leaf);
}

static void test_the_time_of_the_capture_counts(void **state)
{
    struct world *w = *state;
    X509 *leaf = make(&ordinary, w->leaf_key, w->middle, w->middle_key);
    const struct sw_span ders[] = {der(leaf), der(w->middle)};
    assert_int_equal(problems(w, ders, 2, "mx.example.org", NOW), 0);
    assert_int_equal(problems(w, ders, 2, "mx.example.org", NOW + 101 * DAY), SW_X509_EXPIRED);
    assert_int_equal(problems(w, ders, 2, "mx.example.org", NOW - 101 * DAY),
                     SW_X509_NOT_YET_VALID);
    assert_int_equal(problems(w, ders, 2, "mx.example.org", NOW + 90 * DAY), SW_X509_EXPIRES_SOON);
    assert_int_equal(problems(w, ders, 2, "mx.example.org", NOW), 0);
    X509_free(leaf);
}

/* A day that cannot be read is no day that comes soon, on the oddest of clocks either. */
static void test_a_day_that_cannot_be_read(void **state)
{
    struct world *w = *state;
    X509 *leaf = make(&ordinary, w->leaf_key, w->middle, w->middle_key);
    assert_int_equal(ASN1_STRING_set(X509_getm_notAfter(leaf), "some day", 8), 1);
    const struct sw_span ders[] = {der(leaf)};
    static const int64_t clocks[] = {NOW, 0, -NOW};
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
        assert_int_equal(problems(w, ders, 1, "mx.example.org", clocks[i]) &
                             (SW_X509_EXPIRES_SOON | SW_X509_EXPIRED),
                         0);
    X509_free(leaf);
}

static void test_who_issued_it(void **state)
{
    struct world *w = *state;
    struct wish stranger = {.common_name = "Stranger", .organisation = "Elsewhere"};
    struct wish placed = ordinary;
    placed.place = "caIssuers;URI:http://example.org/ca.der";
    X509 *leaf = make(&ordinary, w->leaf_key, w->middle, w->middle_key);
    X509 *own = make(&ordinary, w->leaf_key, NULL, w->leaf_key);
    X509 *unknown = make(&stranger, w->middle_key, NULL, w->middle_key);
    X509 *private = make(&ordinary, w->leaf_key, unknown, w->middle_key);
    X509 *public = make(&placed, w->leaf_key, unknown, w->middle_key);
    const struct sw_span alone[] = {der(leaf)};
    const struct sw_span self[] = {der(own)};
    const struct sw_span hidden[] = {der(private)};
    const struct sw_span known[] = {der(private), der(unknown)};
    const struct sw_span fetchable[] = {der(public)};
    assert_int_equal(problems(w, alone, 1, "", NOW), SW_X509_NOT_TRUSTED | SW_X509_INCOMPLETE);
    assert_int_equal(problems(w, self, 1, "", NOW), SW_X509_SELF_SIGNED);
    assert_int_equal(problems(w, hidden, 1, "", NOW), SW_X509_NOT_TRUSTED);
    assert_int_equal(problems(w, known, 2, "", NOW), SW_X509_NOT_TRUSTED);
    assert_int_equal(problems(w, fetchable, 1, "", NOW), SW_X509_NOT_TRUSTED | SW_X509_INCOMPLETE);
    X509_free(leaf);
    X509_free(own);
    X509_free(unknown);
    X509_free(private);
    X509_free(public);
}

static void test_the_name(void **state)
{
    struct world *w = *state;
    struct wish wild = {.common_name = "anything", .names = "DNS:*.example.org,DNS:m*.example.net"};
    X509 *leaf = make(&ordinary, w->leaf_key, w->root, w->root_key);
    X509 *star = make(&wild, w->leaf_key, w->root, w->root_key);
    const struct sw_span one[] = {der(leaf)};
    const struct sw_span any[] = {der(star)};
    assert_int_equal(problems(w, one, 1, "MX.Example.Org", NOW), 0);
    assert_int_equal(problems(w, one, 1, "mx.example.org.", NOW), 0);
    assert_int_equal(problems(w, one, 1, "192.0.2.25", NOW), 0);
    assert_int_equal(problems(w, one, 1, "2001:db8::25", NOW), 0);
    assert_int_equal(problems(w, one, 1, "", NOW), 0);
    assert_int_equal(problems(w, one, 1, "example.org", NOW), SW_X509_HOST_MISMATCH);
    assert_int_equal(problems(w, one, 1, "192.0.2.26", NOW), SW_X509_HOST_MISMATCH);
    assert_int_equal(problems(w, any, 1, "smtp.example.org", NOW), 0);
    assert_int_equal(problems(w, any, 1, "a.b.example.org", NOW), SW_X509_HOST_MISMATCH);
    assert_int_equal(problems(w, any, 1, "mail.example.net", NOW), SW_X509_HOST_MISMATCH);
    X509_free(leaf);
    X509_free(star);
}

static void test_weak_keys_and_signatures(void **state)
{
    struct world *w = *state;
    struct wish sha1 = ordinary;
    sha1.digest = EVP_sha1();
    EVP_PKEY *small = EVP_RSA_gen(1024);
    X509 *signature = make(&sha1, w->leaf_key, w->root, w->root_key);
    X509 *own = make(&sha1, w->leaf_key, NULL, w->leaf_key);
    X509 *key = make(&ordinary, small, w->root, w->root_key);
    const struct sw_span a[] = {der(signature)};
    const struct sw_span b[] = {der(own)};
    const struct sw_span c[] = {der(key)};
    assert_int_equal(problems(w, a, 1, "", NOW), SW_X509_WEAK_SIGNATURE);
    assert_int_equal(problems(w, b, 1, "", NOW), SW_X509_SELF_SIGNED);
    assert_int_equal(problems(w, c, 1, "", NOW), SW_X509_WEAK_KEY);
    X509_free(signature);
    X509_free(own);
    X509_free(key);
    EVP_PKEY_free(small);
}

/* Everything at once, each told. */
static void test_all_problems_are_told(void **state)
{
    struct world *w = *state;
    struct wish bad = {
        .common_name = "other.example.com", .begin = NOW - 20 * DAY, .end = NOW - 10 * DAY};
    EVP_PKEY *small = EVP_RSA_gen(1024);
    X509 *leaf = make(&bad, small, NULL, small);
    const struct sw_span ders[] = {der(leaf)};
    assert_int_equal(problems(w, ders, 1, "mx.example.org", NOW),
                     SW_X509_EXPIRED | SW_X509_SELF_SIGNED | SW_X509_HOST_MISMATCH |
                         SW_X509_WEAK_KEY);
    X509_free(leaf);
    EVP_PKEY_free(small);
}

static void test_an_intermediate_that_has_expired(void **state)
{
    struct world *w = *state;
    struct wish old = {
        .common_name = "Old", .organisation = "House", .authority = true, .end = NOW - DAY};
    X509 *between = make(&old, w->middle_key, w->root, w->root_key);
    X509 *leaf = make(&ordinary, w->leaf_key, between, w->middle_key);
    const struct sw_span ders[] = {der(leaf), der(between)};
    struct sw_x509_facts facts[2];
    sw_certificate_check(w->trust, ders, 2, sw_span_str(""), NOW, &w->arena, facts);
    assert_int_equal(facts[0].problems, 0);
    assert_int_equal(facts[1].problems, SW_X509_EXPIRED);
    X509_free(between);
    X509_free(leaf);
}

static void test_what_is_no_certificate(void **state)
{
    struct world *w = *state;
    X509 *leaf = make(&ordinary, w->leaf_key, w->root, w->root_key);
    struct sw_span whole = der(leaf);
    const struct sw_span ders[] = {
        SW_SPAN_LIT("nonsense"), {NULL, 0}, sw_span_sub(whole, 0, whole.len - 1), whole};
    struct sw_x509_facts facts[4];
    sw_certificate_check(w->trust, ders, 4, sw_span_str("mx.example.org"), NOW, &w->arena, facts);
    for (int i = 0; i < 3; i++) {
        assert_false(facts[i].read);
        assert_int_equal(facts[i].problems, 0);
    }
    assert_true(facts[3].read);
    sw_certificate_check(w->trust, ders, 0, sw_span_str(""), NOW, &w->arena, facts);
    X509_free(leaf);
}

/* Without anchors everything would be untrusted, which says nothing about the certificate. */
static void test_a_machine_without_anchors(void **state)
{
    struct world *w = *state;
    X509 *leaf = make(&ordinary, w->leaf_key, w->middle, w->middle_key);
    X509 *own = make(&ordinary, w->leaf_key, NULL, w->leaf_key);
    const struct sw_span one[] = {der(leaf)};
    const struct sw_span self[] = {der(own)};
    struct world bare = *w;
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    bare.trust = trust_in(NULL, NULL, NULL, 0);
    assert_non_null(bare.trust);
    assert_int_equal(problems(&bare, one, 1, "mx.example.org", NOW), 0);
    assert_int_equal(problems(&bare, one, 1, "mx.example.com", NOW), SW_X509_HOST_MISMATCH);
    assert_int_equal(problems(&bare, self, 1, "", NOW), SW_X509_SELF_SIGNED);
    sw_trust_free(bare.trust);
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    X509_free(leaf);
    X509_free(own);
}

static void test_anchors_that_cannot_be_read(void **state)
{
    (void)state;
    char message[200] = "";
    assert_null(trust_in("/nonexistent.pem", NULL, message, sizeof(message)));
    assert_non_null(strstr(message, "/nonexistent.pem"));
}

/* What is read at once is read once for all. */
static void test_anchors_for_several(void **state)
{
    struct world *w = *state;
    X509 *leaf = make(&ordinary, w->leaf_key, w->root, w->root_key);
    const struct sw_span chain[] = {der(leaf)};
    char path[] = "/tmp/smtpwhy-test-XXXXXX";
    FILE *out = fdopen(mkstemp(path), "w");
    PEM_write_X509(out, w->root);
    (void)fclose(out);
    struct sw_anchors *anchors = sw_anchors_new(path, NULL);
    struct world one = *w;
    struct world two = *w;
    one.trust = sw_trust_new(anchors, NULL, 0);
    (void)unlink(path);
    two.trust = sw_trust_new(anchors, NULL, 0);
    sw_anchors_free(anchors);
    assert_non_null(one.trust);
    assert_non_null(two.trust);
    assert_int_equal(problems(&one, chain, 1, "mx.example.org", NOW), 0);
    sw_trust_free(one.trust);
    assert_int_equal(problems(&two, chain, 1, "mx.example.org", NOW), 0);
    sw_trust_free(two.trust);
    X509_free(leaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_chain),
        cmocka_unit_test(test_the_time_of_the_capture_counts),
        cmocka_unit_test(test_a_day_that_cannot_be_read),
        cmocka_unit_test(test_who_issued_it),
        cmocka_unit_test(test_the_name),
        cmocka_unit_test(test_weak_keys_and_signatures),
        cmocka_unit_test(test_all_problems_are_told),
        cmocka_unit_test(test_an_intermediate_that_has_expired),
        cmocka_unit_test(test_what_is_no_certificate),
        cmocka_unit_test(test_a_machine_without_anchors),
        cmocka_unit_test(test_anchors_that_cannot_be_read),
        cmocka_unit_test(test_anchors_for_several),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
