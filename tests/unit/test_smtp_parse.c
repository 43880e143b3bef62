#include "dissectors/smtp/smtp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_span(struct sw_span s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.ptr, text, s.len);
}

static void assert_path(const char *argument, const char *path, const char *params)
{
    struct sw_span p;
    struct sw_span rest;
    assert_true(smtp_path_parse(sw_span_str(argument), &p, &rest));
    assert_span(p, path);
    assert_span(rest, params);
}

static void test_paths(void **state)
{
    (void)state;
    assert_path("FROM:<a@b> SIZE=1", "a@b", "SIZE=1");
    assert_path("FROM:<>", "", "");
    assert_path("TO: <a@b>  X", "a@b", "X");
    assert_path("FROM:a@b BODY=8BITMIME", "a@b", "BODY=8BITMIME");
    assert_path("TO:<\"a>b\"@c> N", "\"a>b\"@c", "N");
    assert_path("TO:<\"a\\\">\"@c> N", "\"a\\\">\"@c", "N");
    assert_path("TO:<never closed", "never closed", "");
    assert_path("TO:<\"ends in a backslash\\", "\"ends in a backslash\\", "");
    assert_path("TO:", "", "");
    struct sw_span p;
    struct sw_span rest;
    assert_false(smtp_path_parse(sw_span_str("a@b"), &p, &rest));
}

static void test_params(void **state)
{
    (void)state;
    struct sw_span params = sw_span_str("SIZEX=9 size=12 SMTPUTF8 ENVID=a=b");
    struct sw_span value;
    assert_true(smtp_param_find(params, "SIZE", &value));
    assert_span(value, "12");
    assert_true(smtp_param_find(params, "SMTPUTF8", &value));
    assert_int_equal(value.len, 0);
    assert_true(smtp_param_find(params, "ENVID", &value));
    assert_span(value, "a=b");
    assert_false(smtp_param_find(params, "BODY", &value));
}

static void assert_keyword(const char *line, const char *keyword, const char *params)
{
    struct sw_span k;
    struct sw_span p;
    smtp_keyword_parse(sw_span_str(line), &k, &p);
    assert_span(k, keyword);
    assert_span(p, params);
}

static void test_keywords(void **state)
{
    (void)state;
    assert_keyword("SIZE 1000", "SIZE", "1000");
    assert_keyword("  PIPELINING ", "PIPELINING", "");
    assert_keyword("AUTH PLAIN LOGIN", "AUTH", "PLAIN LOGIN");
    assert_keyword("AUTH=LOGIN PLAIN", "AUTH=", "LOGIN PLAIN");
    assert_keyword("X=1 2", "X=1", "2");
    assert_keyword("", "", "");
}

static void test_enhanced(void **state)
{
    (void)state;
    struct smtp_enhanced e;
    size_t used = 0;
    assert_true(smtp_enhanced_parse(sw_span_str("5.7.1 no"), &e, &used));
    assert_int_equal(e.klass, 5);
    assert_int_equal(e.subject, 7);
    assert_int_equal(e.detail, 1);
    assert_int_equal(used, 6);
    assert_true(smtp_enhanced_parse(sw_span_str("4.999.999"), &e, &used));
    assert_int_equal(e.detail, 999);
    assert_int_equal(used, 9);
    static const char *const not_codes[] = {"",        "5",       "5.",       "5.7",   "5.7.",
                                            "3.1.1 x", "5.7.1.2", "5.1234.1", "5.7.x", "5.7.1x",
                                            " 5.7.1",  "55.7.1",  "5,7,1"};
    for (size_t i = 0; i < sizeof(not_codes) / sizeof(not_codes[0]); i++)
        assert_false(smtp_enhanced_parse(sw_span_str(not_codes[i]), &e, &used));
}

static void test_mechanisms(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum smtp_mechanism mechanism;
    } rows[] = {
        {"PLAIN", SMTP_MECH_PLAIN},
        {"plain", SMTP_MECH_PLAIN},
        {"PLAIN-CLIENTTOKEN", SMTP_MECH_UNKNOWN},
        {"LOGIN", SMTP_MECH_LOGIN},
        {"CRAM-MD5", SMTP_MECH_CRAM_MD5},
        {"DIGEST-MD5", SMTP_MECH_DIGEST_MD5},
        {"SCRAM-SHA-256-PLUS", SMTP_MECH_SCRAM},
        {"NTLM", SMTP_MECH_NTLM},
        {"GSSAPI", SMTP_MECH_GSSAPI},
        {"GS2-KRB5", SMTP_MECH_GSSAPI},
        {"GSS-SPNEGO", SMTP_MECH_GSSAPI},
        {"XOAUTH", SMTP_MECH_UNKNOWN},
        {"XOAUTH2", SMTP_MECH_XOAUTH2},
        {"OAUTHBEARER", SMTP_MECH_OAUTHBEARER},
        {"EXTERNAL", SMTP_MECH_EXTERNAL},
        {"ANONYMOUS", SMTP_MECH_ANONYMOUS},
        {"", SMTP_MECH_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(smtp_mechanism_of(sw_span_str(rows[i].name)), rows[i].mechanism);
}

static void test_verb_names(void **state)
{
    (void)state;
    for (int v = 0; v < SMTP_VERB_COUNT; v++)
        assert_non_null(smtp_verb_name((enum smtp_verb)v));
    for (int v = SMTP_VERB_HELO; v < SMTP_VERB_COUNT; v++) {
        assert_true(smtp_verb_name((enum smtp_verb)v)[0] != '\0');
        for (int w = SMTP_VERB_HELO; w < v; w++)
            assert_string_not_equal(smtp_verb_name((enum smtp_verb)v),
                                    smtp_verb_name((enum smtp_verb)w));
    }
}

static int probe(enum sw_from from, const char *first)
{
    int score = smtp_probe(from, sw_span_str(first));
    assert_int_equal(smtp_probe_fits(from, sw_span_str(first)), score > 1);
    return score;
}

static void test_probe(void **state)
{
    (void)state;
    assert_true(probe(SW_FROM_SERVER, "220 mx ESMTP\r\n") > probe(SW_FROM_SERVER, "220 mx\r\n"));
    assert_true(probe(SW_FROM_SERVER, "220-mx\r\n") >= 50);
    assert_true(probe(SW_FROM_SERVER, "421 busy\r\n") >= 50);
    assert_true(probe(SW_FROM_SERVER, "554 no\r\n") >= 50);
    assert_int_equal(probe(SW_FROM_SERVER, "220 ProFTPD ready\r\n"), 0);
    assert_true(probe(SW_FROM_SERVER, "220 ftp.example.org ESMTP\r\n") >= 50);
    assert_int_equal(probe(SW_FROM_SERVER, "220mx\r\n"), 0);
    assert_int_equal(probe(SW_FROM_SERVER, ""), 0);
    assert_int_equal(probe(SW_FROM_SERVER, "SSH-2.0-x\r\n"), 0);
    assert_int_equal(probe(SW_FROM_SERVER, "+OK\r\n"), 0);
    assert_int_equal(probe(SW_FROM_SERVER, "HTTP/1.1 200\r\n"), 0);
    assert_int_equal(probe(SW_FROM_SERVER, "22"), 1);
    assert_true(probe(SW_FROM_CLIENT, "EHLO pc\r\n") >= 50);
    assert_true(probe(SW_FROM_CLIENT, "mail from:<a@b>\r\n") >= 50);
    assert_int_equal(probe(SW_FROM_CLIENT, "EH"), 1);
    assert_int_equal(probe(SW_FROM_CLIENT, "EHLOW\r\n"), 0);
    assert_int_equal(probe(SW_FROM_CLIENT, "GET / HTTP/1.1\r\n"), 0);
    assert_int_equal(probe(SW_FROM_CLIENT, "\x16\x03\x01"), 0);
    assert_int_equal(probe(SW_FROM_CLIENT, ""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),      cmocka_unit_test(test_params),
        cmocka_unit_test(test_keywords),   cmocka_unit_test(test_enhanced),
        cmocka_unit_test(test_mechanisms), cmocka_unit_test(test_verb_names),
        cmocka_unit_test(test_probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
