/*
 * What the formats work out of a session, and the pseudonyms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/view.h"
#include "report_fixture.h"

static void duration(int64_t ns, const char *expected)
{
    char text[SW_VIEW_DURATION_BYTES];
    sw_view_duration(ns, text);
    assert_string_equal(text, expected);
}

static void test_durations(void **state)
{
    (void)state;
    duration(0, "0.0 ms");
    duration(-5, "0.0 ms");
    duration(1234567, "1.2 ms");
    duration(41 * SW_NS_PER_MS, "41 ms");
    duration(3200 * SW_NS_PER_MS, "3.2 s");
    duration(252 * SW_NS_PER_S, "4 min 12 s");
    duration(7380 * SW_NS_PER_S, "2 h 3 min");
}

static void argument(struct sw_step step, const char *expected)
{
    struct sw_span shown = {NULL, 0};
    bool any = sw_view_argument(&step, &shown);
    assert_int_equal(any, expected != NULL);
    if (expected)
        assert_true(sw_span_eq(shown, sw_span_str(expected)));
}

static void test_login_lines_are_masked(void **state)
{
    (void)state;
    struct sw_span secret = SW_SPAN_LIT("c2VjcmV0");
    argument((struct sw_step){.verb = SMTP_VERB_AUTH_DATA, .argument = secret}, "***");
    argument((struct sw_step){.verb = SMTP_VERB_AUTH_DATA, .flags = SMTP_FLAG_CANCEL}, "*");
    argument((struct sw_step){.verb = SMTP_VERB_AUTH_DATA, .flags = SMTP_FLAG_EMPTY}, "");
    argument((struct sw_step){.verb = SMTP_VERB_UNKNOWN, .flags = SMTP_FLAG_HIDDEN}, "***");
    argument((struct sw_step){.verb = SMTP_VERB_END_OF_DATA}, NULL);
    argument((struct sw_step){.verb = SMTP_VERB_QUIT}, NULL);
    struct sw_step login = {.verb = SMTP_VERB_AUTH, .flags = SMTP_FLAG_INITIAL};
    assert_true(sw_view_argument_hides(&login));
    login.flags = 0;
    assert_false(sw_view_argument_hides(&login));
}

static void test_handshake_of_a_repeated_syn(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_true(sw_view_handshake_rtt(&f.facts) == SW_TIME_NONE);
    f.facts.last_syn = fixture_mark(3);
    f.facts.syn_ack = fixture_mark(4);
    f.facts.established = fixture_mark(5);
    assert_int_equal(sw_view_handshake_rtt(&f.facts), 200 * SW_NS_PER_MS);
    f.facts.last_syn = fixture_mark(9); /* repeated after the answer: it was not the one answered */
    assert_int_equal(sw_view_handshake_rtt(&f.facts), 400 * SW_NS_PER_MS);
}

static void test_text_of_a_message_is_no_silence(void **state)
{
    (void)state;
    struct fixture f;
    fixture_delivered(&f);
    assert_int_equal(sw_view_longest_silence(&f.session), 100 * SW_NS_PER_MS);
    f.message.end_of_data->first.time_ns += 50 * SW_NS_PER_S;
    assert_true(sw_view_longest_silence(&f.session) > 50 * SW_NS_PER_S);
    f.message.go_ahead->message = &f.message;
    f.message.body_first = sw_step_last(f.message.go_ahead);
    f.message.body_last = f.message.end_of_data->first;
    assert_int_equal(sw_view_longest_silence(&f.session), 100 * SW_NS_PER_MS);
}

static struct sw_veil veil;

/* The pseudonymised text; borrowed until the next call. */
static const char *veiled(const char *text)
{
    static char copy[400];
    struct sw_span shown = sw_veil_text(&veil, sw_span_str(text));
    assert_true(shown.len < sizeof(copy));
    memcpy(copy, shown.ptr, shown.len);
    copy[shown.len] = '\0';
    return copy;
}

static void test_veil_finds_names(void **state)
{
    (void)state;
    static const char *const hidden[] = {
        "550 <bob@mail.example.org>: no",
        "from=192.0.2.7:25, really",
        "[IPv6:2001:db8::1] said so",
        "see host.example.com:25.",
        "helo=pc.example.net",
        "user anna@example.net, unknown",
        "https://mail.example.org/a?b",
        "blocked 2001:db8::1; by list.example.org",
        "(host mx1.example.org[192.0.2.7])",
        "<\xc3\xa4nna@ex\xc3\xa4mple.org>",
    };
    static const char *const names[] = {"bob",         "example.org", "example.com",
                                        "example.net", "192.0.2",     "2001:db8",
                                        "anna",        "pc.",         "\xc3\xa4nna"};
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        const char *shown = veiled(hidden[i]);
        for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
            if (strstr(shown, names[n]))
                fail_msg("%s shows %s", shown, names[n]);
        }
    }
}

static void test_veil_leaves_words_alone(void **state)
{
    (void)state;
    static const char *const plain[] = {"550 5.7.1 Relaying denied. Try again, e.g. later.",
                                        "at 10:02:11 (frame 12): 250-SIZE 35000000",
                                        "",
                                        "...",
                                        "a.b",
                                        "STARTTLS=no; TLSv1.2"};
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        assert_string_equal(veiled(plain[i]), plain[i]);
}

static void test_veil_is_consistent(void **state)
{
    (void)state;
    char first[200];
    memcpy(first, veiled("anna@example.net"), 60);
    first[59] = '\0';
    assert_string_equal(veiled("ANNA@Example.NET"), first);
    assert_string_not_equal(veiled("anne@example.net"), first);
    struct fixture f;
    fixture_delivered(&f);
    sw_veil_session(&veil, &f.session);
    const char *user = veiled("annalogin");
    assert_memory_equal(user, "user-", 5);
    assert_null(strstr(veiled("denied for laptop-anna"), "laptop"));
    assert_string_equal(veiled("annalogins"), "annalogins"); /* another word */
}

static int begin_veil(void **state)
{
    (void)state;
    sw_veil_init(&veil, true, (struct sw_hash_key){7, 9});
    return 0;
}

static int end_veil(void **state)
{
    (void)state;
    sw_veil_release(&veil);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_login_lines_are_masked),
        cmocka_unit_test(test_handshake_of_a_repeated_syn),
        cmocka_unit_test(test_text_of_a_message_is_no_silence),
        cmocka_unit_test_setup_teardown(test_veil_finds_names, begin_veil, end_veil),
        cmocka_unit_test_setup_teardown(test_veil_leaves_words_alone, begin_veil, end_veil),
        cmocka_unit_test_setup_teardown(test_veil_is_consistent, begin_veil, end_veil),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
