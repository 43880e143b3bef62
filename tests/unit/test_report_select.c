/*
 * Which sessions are shown and which make the exit status 1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/select.h"
#include "report_fixture.h"

typedef bool read_option(struct sw_select *select, const char *value, char *message);

static char message[SW_SELECT_MESSAGE_BYTES];

static bool shows(read_option *option, const char *value)
{
    struct sw_select select = {.any = false};
    struct fixture f;
    fixture_init(&f);
    assert_true(option(&select, value, message));
    return sw_select_shows(&select, &f.session, &f.verdict);
}

static void refuses(read_option *option, const char *value, const char *words)
{
    struct sw_select select = {.any = false};
    message[0] = '\0';
    assert_false(option(&select, value, message));
    assert_non_null(strstr(message, words));
}

static void test_conditions(void **state)
{
    (void)state;
    assert_true(shows(sw_select_only, "delivered,stuck"));
    assert_false(shows(sw_select_only, "delivered"));
    assert_true(shows(sw_select_cause, "tcp-syn-timeout"));
    assert_false(shows(sw_select_cause, "tcp-refused"));
    assert_true(shows(sw_select_client, "10.0.0.0/8,192.0.2.0/24"));
    assert_true(shows(sw_select_client, "192.0.2.10"));
    assert_true(shows(sw_select_client, "192.0.2.11/31"));
    assert_false(shows(sw_select_client, "192.0.2.8/31"));
    assert_true(shows(sw_select_server, "0.0.0.0/0"));
    assert_false(shows(sw_select_server, "::/0"));
    assert_true(shows(sw_select_since, "2023-11-14T22:13:20.1Z"));
    assert_false(shows(sw_select_since, "2023-11-14T22:13:20.2Z"));
    assert_false(shows(sw_select_until, "2023-11-14T22:13:20.1Z"));
    assert_true(shows(sw_select_until, "2023-11-14T22:13:21"));
}

static void test_different_options_must_all_hold(void **state)
{
    (void)state;
    struct sw_select select = {.any = false};
    struct fixture f;
    fixture_init(&f);
    assert_true(sw_select_only(&select, "stuck", message));
    assert_true(sw_select_shows(&select, &f.session, &f.verdict));
    assert_true(sw_select_client(&select, "10.0.0.0/8", message));
    assert_false(sw_select_shows(&select, &f.session, &f.verdict));
    assert_true(sw_select_shows(NULL, &f.session, &f.verdict));
}

static void test_mistakes_are_named(void **state)
{
    (void)state;
    refuses(sw_select_only, "stuk", "'stuk'; outcomes are delivered");
    refuses(sw_select_cause, "tcp-refusd", "no cause 'tcp-refusd'");
    refuses(sw_select_client, "192.0.2.0/33", "192.0.2.0/33");
    refuses(sw_select_client, "example.org", "IP address or network");
    refuses(sw_select_since, "yesterday", "not a time: 'yesterday'");
    refuses(sw_select_fail_on, "", "give stuck");
    refuses(sw_select_fail_on, "finding:bad", "no severity 'bad'");
    refuses(sw_select_fail_on, "everything", "'everything'");
}

static bool fails(const struct fixture *f, const char *value)
{
    struct sw_select select = {.any = false};
    assert_true(sw_select_fail_on(&select, value, message));
    return sw_select_fails(&select, &f->session, &f->verdict) ||
           sw_select_fails_stuck(&select, f->verdict.outcome);
}

static void test_fail_on(void **state)
{
    (void)state;
    struct fixture stuck;
    struct fixture delivered;
    fixture_init(&stuck);
    fixture_delivered(&delivered);
    assert_true(fails(&stuck, "stuck"));
    assert_false(fails(&delivered, "stuck"));
    assert_true(fails(&stuck, "tcp-refused,tcp-syn-timeout"));
    assert_false(fails(&stuck, "tcp-refused"));
    assert_false(fails(&stuck, "finding"));
    assert_true(fails(&delivered, "finding"));
    assert_true(fails(&delivered, "finding:critical"));
    delivered.finding.severity = SW_SEVERITY_MEDIUM;
    assert_true(fails(&delivered, "finding:medium"));
    assert_false(fails(&delivered, "finding:high"));
    assert_true(fails(&delivered, "finding:high,finding:low"));
    struct sw_select none = {.any = false};
    assert_false(sw_select_fails(&none, &stuck.session, &stuck.verdict));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_different_options_must_all_hold),
        cmocka_unit_test(test_mistakes_are_named),
        cmocka_unit_test(test_fail_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
