/*
 * A policy is read strictly, and says what it demands of whom.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "audit/policy.h"
#include "base/network.h"
#include "base/time.h"

static struct sw_policy *read_good(const char *text)
{
    struct sw_status status;
    struct sw_policy *policy = sw_policy_parse("p.ini", sw_span_str(text), &status);
    if (!policy)
        print_message("%s\n", status.message);
    assert_non_null(policy);
    return policy;
}

static void refuses(const char *text, const char *words)
{
    struct sw_status status;
    assert_null(sw_policy_parse("p.ini", sw_span_str(text), &status));
    if (!strstr(status.message, words))
        print_message("%s\n", status.message);
    assert_non_null(strstr(status.message, words));
    assert_int_equal(status.code, SW_USAGE);
}

static void test_errors_name_the_line(void **state)
{
    (void)state;
    refuses("", "p.ini: the policy has no [rules]");
    refuses("[rules]\n", "p.ini:1: [rules] names no rule");
    refuses("[rules]\nstarttls = require\n\n[rules lab]\nclient = 10.0.0.0/8\n[policy]\n",
            "p.ini:4: [rules lab] names no rule");
    refuses("[policy]\nname = x\n", "no [rules]");
    refuses("starttls = require\n", "p.ini:1: a key before the first section");
    refuses("[rules]\n\nstart-tls = require\n", "p.ini:3: there is no key 'start-tls'");
    refuses("[rules]\nstarttls = yes\n", "p.ini:2: starttls: 'yes' is neither");
    refuses("[rules]\nstarttls =\n", "p.ini:2: 'starttls' has no value");
    refuses("[rules]\nstarttls require\n", "p.ini:2: neither [section] nor key = value");
    refuses("[rules\nstarttls = require\n", "p.ini:1: a section's head ends with ']'");
    refuses("[rule]\n", "p.ini:1: there is no section [rule]");
    refuses("[rules]\nstarttls = require\nstarttls = ignore\n", "p.ini:3: starttls stands twice");
    refuses("[rules]\ntls-version-min = 1.4\n", "'1.4' is no version of TLS");
    refuses("[rules]\ncertificate-days-min = 1.5\n", "is no number of days");
    refuses("[rules]\ncertificate-days-min = -1\n", "is no number of days");
    refuses("[rules]\ngreeting-delay-max = 10\n", "write for example 500ms");
    refuses("[rules]\ngreeting-delay-max = 10 weeks\n", "write for example 500ms");
    refuses("[rules]\ngreeting-delay-max = 99999999s\n", "write for example 500ms");
    refuses("[rules]\nfailure-rate-max = 101%\n", "is no part of a hundred");
    refuses("[rules]\nfailure-rate-max = 5\n", "is no part of a hundred");
    refuses("[rules]\nfinding-max = bad\n", "is no level");
    refuses("[rules]\nforbid-finding = aud-bare-lf, aud-x\n", "'aud-x' is no finding");
    refuses("[rules a]\nclient = *.example.com\n", "is no address or network");
    refuses("[rules a]\nserver = 192.0.2.0/33\n", "is no address, network");
    refuses("[rules]\nstarttls = require\n\x01\n", "p.ini:3: a control character");
    refuses("[rules]\nstarttls = require\n[waiver a]\nrule = starttls\nreason = x\n",
            "p.ini:3: the waiver has no end");
    refuses("[rules]\nstarttls = require\n[waiver a]\nrule = starttls\nuntil = 2027-01-31\n",
            "p.ini:3: the waiver has no 'reason'");
    refuses("[rules]\nstarttls = require\n[waiver a]\nuntil = 2027-01-31\nreason = x\n[rules]\n",
            "p.ini:3: the waiver names no 'rule'");
    refuses("[rules]\nstarttls = require\n[waiver a]\nuntil = soon\n",
            "p.ini:4: until: 'soon' is no date");
    refuses("[rules]\nstarttls = require\n[waiver a]\nuntil = 2027-02-29\n", "is no date");
    refuses("[rules]\nstarttls = require\n[waiver a]\nuntil = 2027-01-31\nuntil = 2027-03-31\n",
            "p.ini:5: until stands twice");
    refuses("[rules]\nstarttls = require\n[waiver a]\nreason = x\nreason = y\n",
            "p.ini:5: reason stands twice");
    refuses("[rules]\nstarttls = require\n[waiver a]\nrule = x\n", "p.ini:4: rule: 'x' is no rule");
}

static struct sw_fact a_fact(const char *client, const char *server_name)
{
    struct sw_fact fact = {.id = "0123456789abcdef",
                           .has_server = true,
                           .ip_version = 4,
                           .server = {198, 51, 100, 25},
                           .server_port = 25,
                           .server_name = sw_span_str(server_name)};
    assert_int_equal(sw_time_parse("2026-06-01", &fact.start_ns), 0);
    struct sw_network network;
    assert_true(sw_network_parse(sw_span_str(client), &network));
    memcpy(fact.client, network.address, sizeof(fact.client));
    return fact;
}

static int64_t limit(const struct sw_policy *policy, enum sw_rule rule, const char *client,
                     const char *server_name, const char *user)
{
    struct sw_fact fact = a_fact(client, server_name);
    const struct sw_demand *demand = sw_policy_demand(policy, rule, &fact, sw_span_str(user));
    return demand ? demand->limit : -1;
}

static void test_values(void **state)
{
    (void)state;
    struct sw_policy *policy = read_good("\xef\xbb\xbf[rules] # a comment\r\n"
                                         "tls-version-min = 1.1 ; another\r\n"
                                         "certificate-days-min=30\r\n"
                                         "greeting-delay-max = 1.5 min\r\n"
                                         "failure-rate-max = 0.5%\r\n"
                                         "finding-max = HIGH\r\n");
    assert_int_equal(limit(policy, SW_RULE_TLS_VERSION_MIN, "192.0.2.1", "", ""), 0x0302);
    assert_int_equal(limit(policy, SW_RULE_CERTIFICATE_DAYS_MIN, "192.0.2.1", "", ""), 30);
    assert_int_equal(limit(policy, SW_RULE_GREETING_DELAY_MAX, "192.0.2.1", "", ""),
                     90 * SW_NS_PER_S);
    assert_int_equal(limit(policy, SW_RULE_FAILURE_RATE_MAX, "192.0.2.1", "", ""), 5000);
    assert_int_equal(limit(policy, SW_RULE_FINDING_MAX, "192.0.2.1", "", ""), SW_SEVERITY_HIGH);
    assert_int_equal(limit(policy, SW_RULE_STARTTLS, "192.0.2.1", "", ""), -1);
    assert_string_equal(sw_policy_name(policy), "p.ini");
    sw_policy_free(policy);
}

static void test_the_last_section_that_fits_decides(void **state)
{
    (void)state;
    struct sw_policy *policy = read_good(
        "[policy]\nname = Example\n"
        "[rules]\ncertificate-days-min = 30\n"
        "[rules labs]\nserver = *.LAB.example, 203.0.113.9\ncertificate-days-min = 7\n"
        "[rules printers]\nclient = 192.0.2.0/28, 192.0.2.77\ncertificate-days-min = off\n"
        "[rules robot]\nuser = robot*\ncertificate-days-min = 1\n");
    const enum sw_rule rule = SW_RULE_CERTIFICATE_DAYS_MIN;
    assert_int_equal(limit(policy, rule, "192.0.2.99", "mx.example", ""), 30);
    assert_int_equal(limit(policy, rule, "192.0.2.99", "mx.lab.example", ""), 7);
    assert_int_equal(limit(policy, rule, "192.0.2.99", "lab.example", ""), 30);
    assert_int_equal(limit(policy, rule, "192.0.2.15", "mx.lab.example", ""), -1);
    assert_int_equal(limit(policy, rule, "192.0.2.16", "mx.lab.example", ""), 7);
    assert_int_equal(limit(policy, rule, "192.0.2.77", "mx.lab.example", "robot-7"), 1);
    assert_int_equal(limit(policy, rule, "192.0.2.99", "mx.example", "Robot"), 1);
    assert_int_equal(limit(policy, rule, "192.0.2.99", "mx.example", "rob"), 30);
    assert_string_equal(sw_policy_name(policy), "Example");
    sw_policy_free(policy);
}

/* Rules that are not about users: a user is named for the sessions with a login of his. */
static void test_a_user_stands_for_sessions(void **state)
{
    (void)state;
    struct sw_policy *policy = read_good(
        "[rules]\nstarttls = require\n[rules robot]\nuser = robot*\nstarttls = off\n"
        "[waiver a]\nrule = certificate\nuser = robot*\nuntil = 2027-01-01\nreason = x\n");
    struct sw_span nobody = {NULL, 0};
    struct sw_fact fact = a_fact("192.0.2.1", "mx.example");
    fact.logins[0].user = sw_span_str("anna");
    fact.logins[1].user = sw_span_str("robot7");
    for (unsigned count = 0; count <= 2; count++) {
        fact.login_count = count;
        assert_int_equal(count < 2,
                         sw_policy_demand(policy, SW_RULE_STARTTLS, &fact, nobody) != NULL);
        assert_int_equal(count == 2, sw_policy_waiver(policy, SW_RULE_CERTIFICATE, SW_FINDING_COUNT,
                                                      &fact, nobody) != NULL);
    }
    sw_policy_free(policy);
}

static void test_waivers(void **state)
{
    (void)state;
    struct sw_policy *policy =
        read_good("[rules]\nstarttls = require\nfinding-max = low\n"
                  "[waiver old]\nrule = starttls\nuntil = 2026-05-31\nreason = over\n"
                  "[waiver new]\nrule = starttls, certificate\nclient = 192.0.2.1\n"
                  "until = 2026-06-02\nreason = in work\n"
                  "[waiver lf]\nfinding = aud-bare-lf\nuntil = 2027-01-01\nreason = harmless\n");
    struct sw_fact fact = a_fact("192.0.2.1", "mx.example");
    struct sw_span nobody = {NULL, 0};
    const struct sw_waiver *waiver =
        sw_policy_waiver(policy, SW_RULE_STARTTLS, SW_FINDING_COUNT, &fact, nobody);
    assert_non_null(waiver);
    assert_string_equal(waiver->title, "new");
    assert_string_equal(waiver->reason, "in work");
    fact.start_ns += INT64_C(86400) * SW_NS_PER_S; /* now it has ended as well */
    assert_null(sw_policy_waiver(policy, SW_RULE_STARTTLS, SW_FINDING_COUNT, &fact, nobody));
    fact = a_fact("192.0.2.2", "mx.example");
    assert_null(sw_policy_waiver(policy, SW_RULE_STARTTLS, SW_FINDING_COUNT, &fact, nobody));
    assert_non_null(
        sw_policy_waiver(policy, SW_RULE_FINDING_MAX, SW_FINDING_BARE_LF, &fact, nobody));
    assert_null(sw_policy_waiver(policy, SW_RULE_FINDING_MAX, SW_FINDING_BARE_CR, &fact, nobody));
    sw_policy_free(policy);
}

static void test_the_policy_that_is_built_in(void **state)
{
    (void)state;
    struct sw_status status;
    struct sw_policy *policy = sw_policy_read("default", &status);
    assert_non_null(policy);
    for (int i = 0; i < SW_RULE_COUNT; i++) {
        if (i != SW_RULE_CLEAR_TEXT_MAIL)
            assert_non_null(sw_policy_rule_text(policy, (enum sw_rule)i));
    }
    sw_policy_free(policy);
    assert_null(sw_policy_read("/no/such/policy", &status));
    assert_non_null(strstr(status.message, "/no/such/policy: No such file"));
    assert_null(sw_policy_read("/", &status));
}

/* Any bytes are refused or read, and never more. */
static void test_hostile_bytes(void **state)
{
    (void)state;
    const char *seed = "[rules x]\nclient = 192.0.2.0/24\nserver = *.a, 2001:db8::/32\n"
                       "forbid-finding = aud-bare-lf\n[waiver w]\nrule = starttls\n"
                       "until = 2027-01-01\nreason = r\n";
    char text[200];
    unsigned x = 12345;
    for (int round = 0; round < 20000; round++) {
        struct sw_status status;
        size_t length = strlen(seed);
        memcpy(text, seed, length);
        for (int i = 0; i < 4; i++) {
            x = x * 1103515245u + 12345u;
            text[(x >> 8) % length] = (char)(x >> 16);
        }
        sw_policy_free(sw_policy_parse("p", sw_span_make(text, (x >> 4) % length), &status));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_name_the_line),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_the_last_section_that_fits_decides),
        cmocka_unit_test(test_a_user_stands_for_sessions),
        cmocka_unit_test(test_waivers),
        cmocka_unit_test(test_the_policy_that_is_built_in),
        cmocka_unit_test(test_hostile_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
