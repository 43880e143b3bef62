/*
 * The ledger of tries: every try is told once whatever the caps, stories that grow are cut, and the
 * work for one try does not grow with what is remembered (a test that would not end says so).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/ledger.h"
#include "report_fixture.h"

#include <stdio.h>

static size_t account; /* what the ledgers need */

/* A mail that is put off, `second` seconds after the beginning. */
static void put_off(struct fixture *f, uint64_t second, uint64_t size)
{
    fixture_refused(f, SW_SPAN_LIT("4.2.0 Greylisted"));
    int64_t shift_ns = (int64_t)second * SW_NS_PER_S;
    f->message_verdict.reply = f->recipient_verdict.reply = f->recipient.reply;
    f->message.size_declared = size;
    f->verdict.outcome = SW_OUTCOME_STUCK;
    for (unsigned i = 0; i < f->step_count; i++) {
        f->steps[i].code = f->steps[i].code == 550 ? 450 : f->steps[i].code;
        f->steps[i].first.time_ns += shift_ns;
    }
    f->facts.first.time_ns += shift_ns;
    f->facts.last.time_ns += shift_ns;
}

struct told {
    uint64_t stories, tries, longest;
};

static void tell(struct sw_ledger *ledger, struct told *told)
{
    const struct sw_delivery *d;
    while ((d = sw_ledger_next(ledger))) {
        told->stories++;
        told->tries += d->attempt_count;
        if (d->attempt_count > told->longest)
            told->longest = d->attempt_count;
        assert_int_equal(d->attempt_count > 1, d->summary[0] != '\0');
    }
}

/* `count` tries of one envelope, one a second; the size of the n-th is n modulo `sizes`. */
static struct told run(const struct sw_ledger_limits *limits, uint64_t count, uint64_t sizes,
                       uint64_t *shed)
{
    struct told told = {0, 0, 0};
    struct sw_ledger *ledger = sw_ledger_new(limits, &account);
    assert_non_null(ledger);
    for (uint64_t i = 0; i < count; i++) {
        struct fixture f;
        put_off(&f, i, i % sizes);
        (void)snprintf(f.session.id, sizeof(f.session.id), "%016llx", (unsigned long long)i);
        sw_ledger_add(ledger, &f.session, &f.verdict, f.facts.last.time_ns);
        tell(ledger, &told);
    }
    sw_ledger_finish(ledger);
    tell(ledger, &told);
    *shed = ledger->shed;
    sw_ledger_free(ledger);
    return told;
}

static void test_one_mail_again_and_again(void **state)
{
    (void)state;
    uint64_t shed = 0;
    struct told told = run(NULL, 1200, 1, &shed);
    assert_int_equal(told.tries, 1200);
    assert_int_equal(told.stories, 3); /* 500, 500 and 200 */
    assert_int_equal(told.longest, 500);
    assert_int_equal(shed, 0);
}

static void test_sizes_keep_mails_apart(void **state)
{
    (void)state;
    uint64_t shed = 0;
    struct told told = run(NULL, 30, 3, &shed);
    assert_int_equal(told.stories, 3);
    assert_int_equal(told.longest, 10);
}

static void test_caps_lose_no_try(void **state)
{
    (void)state;
    const struct sw_ledger_limits limits = {.stories = 16, .tries = 16};
    uint64_t shed = 0;
    struct told told = run(&limits, 100, 100, &shed);
    assert_int_equal(told.tries, 100);
    assert_int_equal(told.stories, 100);
    assert_int_equal(shed, 84);
}

/* All behind the same keys, none the same mail: what is looked at for each must stay bounded. */
static void test_look_alikes_cost_no_more_than_others(void **state)
{
    (void)state;
    uint64_t shed = 0;
    struct told told = run(NULL, 100000, UINT64_MAX, &shed);
    assert_int_equal(told.tries, 100000);
    assert_int_equal(told.stories, 100000);
    assert_int_equal(shed, 100000 - 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_mail_again_and_again),
        cmocka_unit_test(test_sizes_keep_mails_apart),
        cmocka_unit_test(test_caps_lose_no_try),
        cmocka_unit_test(test_look_alikes_cost_no_more_than_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
