/*
 * Sessions become results, in any order the same; what does not fit is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "audit/diff.h"
#include "base/time.h"

enum { FACTS = 60 };

static char ids[FACTS][17];

/* A world of sessions: three clients, two servers, two users; some log in without protection. */
static struct sw_fact make(int i)
{
    (void)snprintf(ids[i], sizeof(ids[i]), "%016x", (unsigned)i * 2654435761u);
    struct sw_fact fact = {.id = ids[i],
                           .start_ns = INT64_C(1000) * SW_NS_PER_S + i * SW_NS_PER_S,
                           .file = i % 2 ? "b.pcap" : "a.pcap",
                           .first_frame = (uint64_t)i + 1,
                           .has_server = true,
                           .ip_version = 4,
                           .client = {192, 0, 2, (uint8_t)(i % 3)},
                           .server = {198, 51, 100, (uint8_t)(i % 2)},
                           .server_port = 587,
                           .server_name = sw_span_str(i < 10 ? "old.example" : "new.example"),
                           .outcome = i % 5 == 0 ? SW_OUTCOME_STUCK : SW_OUTCOME_DELIVERED,
                           .greeting_delay_ns = i * SW_NS_PER_MS,
                           .greeting_due = true,
                           .starttls = SW_SEEN_YES};
    if (i % 4 == 0) {
        fact.logins[fact.login_count++] = (struct sw_fact_login){
            .user = sw_span_str(i % 8 ? "anna" : "bob"), .exposed = i % 8 == 0, .frame = 7};
        fact.login = SW_SEEN_YES;
    }
    if (i % 3 == 0) { /* one certificate at both servers */
        fact.certified = SW_SEEN_YES;
        fact.certificate = (struct sw_fact_certificate){.known = true,
                                                        .subject = sw_span_str("CN=old.example"),
                                                        .sha256 = "feed",
                                                        .not_before = "1970-01-01T00:00:00Z",
                                                        .not_after = "1970-01-10T00:00:00Z"};
    }
    if (i % 8 == 0)
        fact.findings[fact.finding_count++] = (struct sw_fact_finding){
            SW_FINDING_PLAINTEXT_AUTH_USED, SW_SEVERITY_CRITICAL, (uint64_t)i + 2};
    return fact;
}

static const char policy_text[] =
    "[rules]\nclear-text-login = forbid\nstarttls = require\n"
    "greeting-delay-max = 50ms\ncertificate-days-min = 3\nfailure-rate-max = 30%\n";

/* `order` NULL: as they come. */
static struct sw_audit *run(const struct sw_policy *policy, const int *order, uint32_t subjects)
{
    struct sw_audit *audit = sw_audit_new(policy, subjects);
    assert_non_null(audit);
    for (int i = 0; i < FACTS; i++) {
        struct sw_fact fact = make(order ? order[i] : i);
        sw_audit_add(audit, &fact);
    }
    assert_true(sw_audit_finish(audit));
    return audit;
}

struct heard {
    uint64_t marks[SW_RULE_COUNT][SW_MARKS];
    uint64_t limits_seen;
};

static void hear(void *ctx, const struct sw_judgement *j)
{
    struct heard *heard = ctx;
    heard->marks[j->rule][j->mark]++;
    heard->limits_seen += j->demand != NULL && j->demand->given;
    if (j->rule == SW_RULE_CLEAR_TEXT_LOGIN && j->mark == SW_MARK_FAILED) {
        assert_int_equal(j->frame, 7);
        assert_true(sw_span_eq(j->user, sw_span_str("bob")));
    }
    if (j->rule == SW_RULE_GREETING_DELAY_MAX && j->mark == SW_MARK_FAILED)
        assert_true(j->measured && j->value > j->demand->limit);
}

/* Who listens hears of each session what the results count in the end, also of those that do not
 * fit. */
static void test_judgements_are_heard(void **state)
{
    (void)state;
    struct sw_status status;
    struct sw_policy *policy = sw_policy_parse("p", sw_span_str(policy_text), &status);
    for (uint32_t subjects = 0; subjects <= 1; subjects++) {
        struct heard heard = {.limits_seen = 0};
        struct sw_audit *audit = sw_audit_new(policy, subjects);
        assert_non_null(audit);
        sw_audit_listen(audit, hear, &heard);
        for (int i = 0; i < FACTS; i++) {
            struct sw_fact fact = make(i);
            sw_audit_add(audit, &fact);
        }
        sw_audit_free(audit);
        struct sw_audit *whole = run(policy, NULL, 0);
        uint64_t counted[SW_RULE_COUNT][SW_MARKS] = {{0}};
        uint64_t all = 0;
        size_t n = 0;
        for (const struct sw_audit_row *r; (r = sw_audit_row(whole, n)); n++) {
            for (int m = 0; m < SW_MARKS && r->is_rule; m++) {
                counted[r->rule][m] += r->marks[m];
                all += r->marks[m];
            }
        }
        assert_memory_equal(heard.marks, counted, sizeof(counted));
        assert_true(counted[SW_RULE_CLEAR_TEXT_LOGIN][SW_MARK_FAILED] > 0);
        assert_int_equal(heard.limits_seen, all);
        sw_audit_free(whole);
    }
    sw_policy_free(policy);
}

static void same(const struct sw_audit_row *a, const struct sw_audit_row *b)
{
    assert_int_equal(a->is_rule, b->is_rule);
    assert_int_equal(a->mark, b->mark);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->first_ns, b->first_ns);
    assert_int_equal(a->last_ns, b->last_ns);
    assert_int_equal(a->worst, b->worst);
    assert_memory_equal(a->marks, b->marks, sizeof(a->marks));
    assert_string_equal(a->example.session, b->example.session);
    assert_string_equal(a->example.file, b->example.file);
    assert_int_equal(a->example.frame, b->example.frame);
    assert_true(sw_span_eq(a->subject.name, b->subject.name));
    assert_memory_equal(a->subject.address, b->subject.address, 16);
}

static void test_order_does_not_matter(void **state)
{
    (void)state;
    struct sw_status status;
    struct sw_policy *policy = sw_policy_parse("p", sw_span_str(policy_text), &status);
    int order[FACTS];
    for (int i = 0; i < FACTS; i++)
        order[i] = i;
    struct sw_audit *straight = run(policy, order, 0);
    unsigned x = 1;
    for (int round = 0; round < 20; round++) {
        for (int i = FACTS - 1; i > 0; i--) {
            x = x * 1103515245u + 12345u;
            int j = (int)((x >> 8) % (unsigned)(i + 1));
            int kept = order[i];
            order[i] = order[j];
            order[j] = kept;
        }
        struct sw_audit *mixed = run(policy, order, 0);
        size_t n = 0;
        for (const struct sw_audit_row *r; (r = sw_audit_row(straight, n)); n++)
            same(r, sw_audit_row(mixed, n));
        assert_null(sw_audit_row(mixed, n));
        assert_true(n > 10);
        sw_audit_free(mixed);
    }
    sw_audit_free(straight);
    sw_policy_free(policy);
}

/* However the sessions are dealt out, what is put together is what one would have counted. */
static void test_parts_are_put_together(void **state)
{
    (void)state;
    struct sw_status status;
    struct sw_policy *policy = sw_policy_parse("p", sw_span_str(policy_text), &status);
    struct sw_audit *whole = run(policy, NULL, 0);
    unsigned x = 7;
    for (int round = 0; round < 20; round++) {
        struct sw_audit *parts[3];
        for (int p = 0; p < 3; p++)
            assert_non_null(parts[p] = sw_audit_new(policy, 0));
        for (int i = 0; i < FACTS; i++) {
            x = x * 1103515245u + 12345u;
            struct sw_fact fact = make(i);
            sw_audit_add(parts[round == 0 ? (unsigned)i * 3 / FACTS : (x >> 8) % 3], &fact);
        }
        for (int p = 1; p < 3; p++) {
            sw_audit_merge(parts[0], parts[p]);
            sw_audit_free(parts[p]); /* nothing of it is needed any more */
        }
        assert_true(sw_audit_finish(parts[0]));
        size_t n = 0;
        for (const struct sw_audit_row *r; (r = sw_audit_row(whole, n)); n++) {
            const struct sw_audit_row *other = sw_audit_row(parts[0], n);
            assert_non_null(other);
            same(r, other);
            assert_int_equal(r->severity, other->severity);
            assert_int_equal(r->limit, other->limit);
            assert_int_equal(r->has_worst, other->has_worst);
            assert_true(r->waiver == other->waiver);
        }
        assert_null(sw_audit_row(parts[0], n));
        assert_memory_equal(sw_audit_totals(whole), sw_audit_totals(parts[0]),
                            sizeof(struct sw_audit_totals));
        const struct sw_seen_certificate *a = sw_audit_certificate(whole, 0);
        const struct sw_seen_certificate *b = sw_audit_certificate(parts[0], 0);
        assert_int_equal(a->count, b->count);
        assert_string_equal(a->sha256, b->sha256);
        assert_string_equal(a->example.session, b->example.session);
        assert_memory_equal(a->server.address, b->server.address, 16);
        sw_audit_free(parts[0]);
    }
    sw_audit_free(whole);
    sw_policy_free(policy);
}

static struct sw_diff *compare(int parts, unsigned *x)
{
    struct sw_diff *diffs[3];
    for (int p = 0; p < parts; p++)
        assert_non_null(diffs[p] = sw_diff_new());
    for (int i = 0; i < FACTS; i++) {
        struct sw_fact fact = make(i);
        bool after = i >= FACTS / 2;
        *x = *x * 1103515245u + 12345u;
        if (after && i % 2)
            fact.outcome = SW_OUTCOME_STUCK;
        if (after && fact.certificate.known)
            fact.certificate.sha256 = i % 2 ? "beef" : "cafe";
        fact.clear_keywords = sw_span_str(after && i % 2 ? "SIZE=1 HELP" : "SIZE=1 STARTTLS");
        sw_diff_add(diffs[(*x >> 8) % (unsigned)parts], &fact, after);
    }
    for (int p = 1; p < parts; p++) {
        assert_true(sw_diff_merge(diffs[0], diffs[p]));
        sw_diff_free(diffs[p]);
    }
    assert_true(sw_diff_finish(diffs[0]));
    return diffs[0];
}

static void test_parts_of_a_comparison_are_put_together(void **state)
{
    (void)state;
    unsigned x = 3;
    struct sw_diff *whole = compare(1, &x);
    unsigned kinds = 0;
    for (int round = 0; round < 20; round++) {
        struct sw_diff *joined = compare(3, &x);
        size_t n = 0;
        for (const struct sw_change *c; (c = sw_diff_change(whole, n)); n++) {
            const struct sw_change *other = sw_diff_change(joined, n);
            assert_non_null(other);
            assert_int_equal(c->kind, other->kind);
            assert_true(sw_span_eq(c->what, other->what));
            assert_true(sw_span_eq(c->before, other->before));
            assert_true(sw_span_eq(c->server.name, other->server.name));
            assert_string_equal(c->example.session, other->example.session);
            assert_string_equal(c->example.file, other->example.file);
            kinds |= 1u << c->kind;
        }
        assert_null(sw_diff_change(joined, n));
        assert_int_equal(sw_diff_sessions(whole, true), sw_diff_sessions(joined, true));
        sw_diff_free(joined);
    }
    assert_int_equal(kinds, 1u << SW_CHANGE_FAILS | 1u << SW_CHANGE_CERTIFICATE |
                                1u << SW_CHANGE_LOST | 1u << SW_CHANGE_GAINED);
    sw_diff_free(whole);
}

static const struct sw_audit_row *find(const struct sw_audit *audit, enum sw_rule rule,
                                       const char *name, uint8_t last_byte)
{
    const struct sw_audit_row *r;
    for (size_t i = 0; (r = sw_audit_row(audit, i)); i++) {
        if (r->is_rule && r->rule == rule && r->subject.address[3] == last_byte &&
            sw_span_eq(r->subject.name, sw_span_str(name)))
            return r;
    }
    return NULL;
}

static void test_results(void **state)
{
    (void)state;
    struct sw_status status;
    struct sw_policy *policy = sw_policy_parse("p", sw_span_str(policy_text), &status);
    int order[FACTS];
    for (int i = 0; i < FACTS; i++)
        order[i] = FACTS - 1 - i;
    struct sw_audit *audit = run(policy, order, 0);
    const struct sw_audit_row *bob = find(audit, SW_RULE_CLEAR_TEXT_LOGIN, "bob", 0);
    assert_non_null(bob);
    assert_int_equal(bob->mark, SW_MARK_FAILED);
    assert_int_equal(bob->count, 8); /* 0, 8, ... 56 */
    assert_int_equal(bob->example.time_ns, INT64_C(1000) * SW_NS_PER_S);
    assert_int_equal(find(audit, SW_RULE_CLEAR_TEXT_LOGIN, "anna", 0)->mark, SW_MARK_PASSED);
    /* the name is the one that was told first */
    const struct sw_audit_row *slow = find(audit, SW_RULE_GREETING_DELAY_MAX, "old.example", 1);
    assert_int_equal(slow->worst, 59 * SW_NS_PER_MS);
    assert_int_equal(slow->marks[SW_MARK_FAILED], 5); /* 51, 53, ... 59 */
    const struct sw_audit_row *rate = find(audit, SW_RULE_FAILURE_RATE_MAX, "old.example", 0);
    assert_int_equal(rate->worst, 200000);
    assert_int_equal(rate->mark, SW_MARK_PASSED); /* 6 of 30 are 20 % */
    assert_int_equal(sw_audit_rule_mark(audit, SW_RULE_STARTTLS), SW_MARK_PASSED);
    assert_int_equal(sw_audit_rule_mark(audit, SW_RULE_TLS_VERSION_MIN), SW_MARK_UNMEASURABLE);
    assert_true(sw_audit_failed(audit));
    assert_int_equal(sw_audit_totals(audit)->sessions, FACTS);
    assert_int_equal(sw_audit_totals(audit)->left_out, 0);
    sw_audit_free(audit);
    sw_policy_free(policy);
}

static void test_a_cap_is_counted(void **state)
{
    (void)state;
    struct sw_audit *audit = run(NULL, NULL, 2);
    assert_non_null(sw_audit_row(audit, 1));
    assert_null(sw_audit_row(audit, 2));
    assert_true(sw_audit_totals(audit)->left_out > 0);
    assert_int_equal(sw_audit_totals(audit)->sessions, FACTS);
    sw_audit_free(audit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_judgements_are_heard),
        cmocka_unit_test(test_parts_are_put_together),
        cmocka_unit_test(test_parts_of_a_comparison_are_put_together),
        cmocka_unit_test(test_a_cap_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
