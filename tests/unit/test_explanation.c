#include "analyzer/explanation.h"

#include "replies/replies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct fixture {
    struct sw_reply_kb kb;
    struct sw_arena arena;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_true(sw_reply_kb_init(&f->kb));
    sw_arena_init(&f->arena, 1 << 24, NULL);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    sw_reply_kb_release(&f->kb);
    sw_arena_release(&f->arena);
    free(f);
    return 0;
}

static struct sw_explanation explain(void **state, const char *query)
{
    struct fixture *f = *state;
    struct sw_explanation e;
    sw_explain(&f->kb, sw_span_str(query), &f->arena, &e);
    return e;
}

static bool contains(const char *text, const char *word)
{
    return text && strstr(text, word) != NULL;
}

/* What every answer holds, whatever was asked. */
static void assert_complete(const struct sw_explanation *e)
{
    assert_non_null(e->query);
    if (e->kind == SW_EXPLANATION_UNKNOWN) {
        assert_null(e->summary);
        return;
    }
    assert_true(e->summary && strlen(e->summary) > 10);
    assert_true(e->meaning && strlen(e->meaning) > 3);
    assert_false(contains(e->summary, "{") || contains(e->meaning, "[["));
    assert_non_null(e->references[0]);
}

#define ASSERT_EXPLAINED(e, kind_wanted, cause_wanted)                                             \
    do {                                                                                           \
        assert_complete(&(e));                                                                     \
        assert_string_equal(sw_explanation_kind_name((e).kind),                                    \
                            sw_explanation_kind_name(SW_EXPLANATION_##kind_wanted));               \
        assert_string_equal(sw_cause_name((e).cause), sw_cause_name(SW_CAUSE_##cause_wanted));     \
    } while (0)

static void every_cause_is_explained(void **state)
{
    for (unsigned i = SW_CAUSE_NONE + 1; i < SW_CAUSE_COUNT; i++) {
        struct sw_explanation e = explain(state, sw_cause_name((enum sw_cause)i));
        assert_complete(&e);
        assert_int_equal(e.kind, SW_EXPLANATION_CAUSE);
        assert_int_equal(e.cause, i);
        assert_int_equal(e.permanence, sw_cause_info((enum sw_cause)i)->permanence);
    }
}

static void every_finding_is_explained(void **state)
{
    for (unsigned i = 0; i < SW_FINDING_COUNT; i++) {
        struct sw_explanation e = explain(state, sw_finding_info((enum sw_finding_id)i)->id);
        assert_complete(&e);
        assert_int_equal(e.kind, SW_EXPLANATION_FINDING);
        assert_int_equal(e.finding, i);
        assert_non_null(e.advice[0]);
    }
}

static void every_client_code_is_explained(void **state)
{
    size_t count;
    const struct sw_client_code *codes = sw_client_codes(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(codes[i].code, "-") == 0)
            continue;
        struct sw_explanation e = explain(state, codes[i].code);
        if (e.kind != SW_EXPLANATION_CLIENT_CODE)
            fail_msg("\"%s\" is taken for a %s", codes[i].code, sw_explanation_kind_name(e.kind));
        assert_non_null(e.client_codes[0]);
        assert_non_null(e.advice[0]);
    }
}

static void the_seed_question_is_answered_in_full(void **state)
{
    static const char *const forms[] = {"0x800CCC0B", "0x800ccc0b", "2148322315", "-2146644981"};
    for (size_t i = 0; i < 4; i++) {
        struct sw_explanation e = explain(state, forms[i]);
        ASSERT_EXPLAINED(e, CLIENT_CODE, NONE);
        /* what it really means */
        assert_true(contains(e.meaning, "IXP_E_BUSY"));
        assert_true(contains(e.meaning, "0x800CCC67"));
        /* what to look for on the wire, in which order */
        const char *order[] = {"1. A real 'busy'",
                               "2. A login that is missing",
                               "3. Connection requests to port 25",
                               "4. An earlier connection",
                               "5. On the receiving side",
                               "6. None of these"};
        const char *at = e.meaning;
        for (size_t j = 0; j < 6; j++) {
            at = strstr(at, order[j]);
            assert_non_null(at);
        }
        /* and what to do */
        assert_true(contains(e.advice[0], "start it and send again"));
        assert_true(contains(e.advice[1], "My server requires authentication"));
        assert_true(contains(e.advice[2], "587"));
        assert_int_equal(e.causes[0], SW_CAUSE_GREET_421_BUSY);
        assert_int_equal(e.permanence, SW_PERMANENCE_UNKNOWN);
    }
}

static void fixtures_are_explained_as_they_are_read(void **state)
{
    struct reply_table t;
    reply_table_open(&t, "fixtures.tsv");
    unsigned right = 0;
    while (reply_table_next(&t)) {
        char query[REPLY_LINE_BYTES];
        snprintf(query, sizeof(query), "%s: %s", t.column[0], t.column[1]);
        struct sw_explanation e = explain(state, query);
        assert_int_equal(e.kind, SW_EXPLANATION_REPLY);
        assert_true(e.stage_given);
        right += strcmp(sw_cause_name(e.cause), t.column[2]) == 0 ? 1 : 0;
    }
    assert_int_equal(right, 120);
}

static void stages_are_taken_in_every_spelling(void **state)
{
    static const struct {
        const char *query;
        enum sw_reply_stage stage;
    } cases[] = {
        {"RCPT: 550 5.7.1 no", SW_REPLY_STAGE_RCPT},
        {"rcpt 550 5.7.1 no", SW_REPLY_STAGE_RCPT},
        {"RCPT TO: 550 no", SW_REPLY_STAGE_RCPT},
        {"Mail From: 550 no", SW_REPLY_STAGE_MAIL},
        {"EHLO: 550 no", SW_REPLY_STAGE_HELLO},
        {"hello:550 no", SW_REPLY_STAGE_HELLO},
        {"greeting: 554 no", SW_REPLY_STAGE_GREETING},
        {"STARTTLS: 454 no", SW_REPLY_STAGE_STARTTLS},
        {"Auth: 535 no", SW_REPLY_STAGE_AUTH},
        {"data: 554 no", SW_REPLY_STAGE_DATA},
        {"FINAL: 554 no", SW_REPLY_STAGE_FINAL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sw_explanation e = explain(state, cases[i].query);
        assert_int_equal(e.kind, SW_EXPLANATION_REPLY);
        assert_true(e.stage_given);
        assert_int_equal(e.stage, cases[i].stage);
    }
}

static void replies_of_several_lines_are_joined(void **state)
{
    struct sw_explanation e =
        explain(state, "AUTH: 535-5.7.8 Username and Password\\n535 5.7.8 not accepted. x - gsmtp");
    ASSERT_EXPLAINED(e, REPLY, AUTH_BAD_CREDENTIALS);
    assert_int_equal(e.code, 535);
    assert_int_equal(e.enhanced.detail, 8);
    assert_int_equal(e.reading.decided_by, SW_REPLY_BY_TEXT);
}

static void a_stage_that_is_not_given_is_guessed(void **state)
{
    struct sw_explanation e = explain(state, "550 5.1.1 User unknown");
    ASSERT_EXPLAINED(e, REPLY, RCPT_UNKNOWN_USER);
    e = explain(state, "535 5.7.8 Error: authentication failed");
    ASSERT_EXPLAINED(e, REPLY, AUTH_BAD_CREDENTIALS);
    e = explain(state, "554 5.7.1 Message contains spam");
    ASSERT_EXPLAINED(e, REPLY, DATA_SPAM_REJECTED);
    e = explain(state, "421 4.7.0 too many connections from you");
    ASSERT_EXPLAINED(e, REPLY, GREET_421_BUSY);
    assert_false(e.stage_given);
    assert_int_equal(e.permanence, SW_PERMANENCE_TEMPORARY);

    /* a provider's own number, wherever the plain words beside it would be at home */
    e = explain(state,
                "550 5.7.705 Service unavailable. Access denied, tenant has exceeded threshold");
    ASSERT_EXPLAINED(e, REPLY, MAIL_SENDER_BLOCKED);
    e = explain(state, "550 5.7.1 Access denied");
    ASSERT_EXPLAINED(e, REPLY, RCPT_POLICY_DENIED);

    /* of words that MAIL and RCPT share, what people ask about is the recipient's domain */
    e = explain(state, "550 5.1.2 No such domain");
    ASSERT_EXPLAINED(e, REPLY, RCPT_DOMAIN_NOT_FOUND);
    e = explain(state, "Domain not found");
    ASSERT_EXPLAINED(e, REPLY, RCPT_DOMAIN_NOT_FOUND);
    e = explain(state, "550 5.1.8 Domain not found");
    ASSERT_EXPLAINED(e, REPLY, MAIL_SENDER_DOMAIN);
}

static void what_a_list_of_names_lists_is_no_address(void **state)
{
    struct sw_explanation e = explain(
        state, "rcpt: 554 5.7.1 Sender address [a@spam.example] blocked using dbl.spamhaus.org");
    ASSERT_EXPLAINED(e, REPLY, RCPT_DNSBL);
    assert_true(contains(e.summary, "the sender's domain is on a blocklist"));
    e = explain(state, "rcpt: 554 5.7.1 Client host [192.0.2.7] blocked using bl.spamcop.net");
    assert_true(contains(e.summary, "the address of the sending computer is on a blocklist"));
}

static void bare_codes_are_explained(void **state)
{
    struct sw_explanation e = explain(state, "421");
    ASSERT_EXPLAINED(e, REPLY_CODE, NONE);
    assert_int_equal(e.permanence, SW_PERMANENCE_TEMPORARY);
    assert_int_equal(e.causes[0], SW_CAUSE_GREET_421_BUSY);
    e = explain(state, "535");
    ASSERT_EXPLAINED(e, REPLY_CODE, AUTH_BAD_CREDENTIALS);
    e = explain(state, "535 5.7.8");
    ASSERT_EXPLAINED(e, REPLY_CODE, AUTH_BAD_CREDENTIALS);
    e = explain(state, "5.7.139");
    assert_int_equal(e.kind, SW_EXPLANATION_REPLY_CODE);
    assert_int_equal(e.causes[0], SW_CAUSE_AUTH_TENANT_DISABLED);
    assert_true(contains(e.summary, "five different reasons"));
    e = explain(state, "5.1.1");
    ASSERT_EXPLAINED(e, REPLY_CODE, RCPT_UNKNOWN_USER);
    e = explain(state, "250");
    ASSERT_EXPLAINED(e, REPLY_CODE, NONE);
    assert_int_equal(e.permanence, SW_PERMANENCE_NONE);
}

static void every_known_reply_code_is_explained(void **state)
{
    size_t count;
    const struct sw_reply_code_info *codes = sw_reply_code_infos(&count);
    for (size_t i = 0; i < count; i++) {
        char query[16];
        snprintf(query, sizeof(query), "%d", codes[i].code);
        struct sw_explanation e = explain(state, query);
        assert_complete(&e);
        assert_int_equal(e.kind, SW_EXPLANATION_REPLY_CODE);
        assert_true(contains(e.summary, codes[i].meaning));
    }
}

static void positive_replies_are_good_news(void **state)
{
    struct sw_explanation e = explain(state, "250 2.0.0 Ok: queued as 4XYZ");
    ASSERT_EXPLAINED(e, REPLY, OK_DELIVERED);
    assert_null(e.advice[0]);
    assert_null(e.client_codes[0]);
    e = explain(state, "RCPT: 250 2.1.5 Ok");
    ASSERT_EXPLAINED(e, REPLY, NONE);
    assert_true(contains(e.summary, "agreed"));
}

static void things_are_found_inside_other_text(void **state)
{
    struct sw_explanation e = explain(state, "What does tcp-port25-blocked mean?");
    ASSERT_EXPLAINED(e, CAUSE, TCP_PORT25_BLOCKED);
    e = explain(state,
                "status=bounced (host mx.example.org[192.0.2.1] said: 550 5.1.1 <x@y>: "
                "Recipient address rejected: User unknown in virtual mailbox table (in reply "
                "to RCPT TO command))");
    ASSERT_EXPLAINED(e, REPLY, RCPT_UNKNOWN_USER);
    assert_int_equal(e.stage, SW_REPLY_STAGE_RCPT);
    e = explain(state, "host mx.example.org refused to talk to me: 554 5.7.1 no");
    ASSERT_EXPLAINED(e, REPLY, GREET_554_REJECTED);
    e = explain(state, "SMTP error from remote mail server after end of data: 550 virus found");
    ASSERT_EXPLAINED(e, REPLY, DATA_VIRUS_REJECTED);
    e = explain(state, "The message could not be sent because one of the recipients was rejected. "
                       "Server Response: '550 5.7.1 Unable to relay', Port: 25, Secure(SSL): No, "
                       "Server Error: 550, Error Number: 0x800CCC79");
    ASSERT_EXPLAINED(e, CLIENT_CODE, RCPT_RELAY_DENIED);
    e = explain(state, "Relay access denied");
    ASSERT_EXPLAINED(e, REPLY, RCPT_RELAY_DENIED);
    assert_int_equal(e.code, 0);
    e = explain(state, "Outlook says 0x800CCC0B when sending");
    ASSERT_EXPLAINED(e, CLIENT_CODE, NONE);
    assert_string_equal(e.client_codes[0]->code, "0x800CCC0B");
    e = explain(state, "It fails with error 5.7.8, what now");
    ASSERT_EXPLAINED(e, REPLY_CODE, NONE);
    assert_int_equal(e.causes[0], SW_CAUSE_AUTH_BAD_CREDENTIALS);
    e = explain(state, "postfix 3.7.11 on port 587 since 2019"); /* no codes of replies */
    assert_int_equal(e.kind, SW_EXPLANATION_UNKNOWN);
}

static void a_telling_name_outranks_its_row(void **state)
{
    struct sw_explanation e = explain(state, "SSL_ERROR_BAD_CERT_DOMAIN");
    ASSERT_EXPLAINED(e, CLIENT_CODE, TLS_CERT_NAME_MISMATCH);
    assert_true(contains(e.summary, "SSL_ERROR_BAD_CERT_DOMAIN in Thunderbird"));
    e = explain(state, "AUTH: 334 eyJzdGF0dXMiOiI0MDEifQ==");
    ASSERT_EXPLAINED(e, REPLY, AUTH_OAUTH_REJECTED);
    assert_true(contains(e.meaning, "status 401; the token has expired"));
    e = explain(state, "AUTH: 334 VXNlcm5hbWU6");
    ASSERT_EXPLAINED(e, REPLY, NONE);
    e = explain(state, "Sending of the message failed. The message could not be sent because the "
                       "connection to Outgoing server (SMTP) mx.example.org timed out.");
    assert_string_equal(e.client_codes[0]->code, "smtpSendTimeout");
}

static void codes_that_come_together_narrow_each_other(void **state)
{
    struct sw_explanation e = explain(state, "Socket Error: 10061, Error Number: 0x800CCC0E");
    ASSERT_EXPLAINED(e, CLIENT_CODE, TCP_REFUSED);
    assert_non_null(e.client_codes[1]);
}

static void the_unknown_is_said_to_be_unknown(void **state)
{
    static const char *const unknown[] = {"frobnicate",  "587",  "hello", "0x12345678",
                                          "tcp refused", "DATA", "???"};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        struct sw_explanation e = explain(state, unknown[i]);
        if (e.kind != SW_EXPLANATION_UNKNOWN)
            fail_msg("\"%s\" is taken for a %s", unknown[i], sw_explanation_kind_name(e.kind));
        assert_null(e.nearest[SW_EXPLANATION_NEAREST]);
    }
}

static void the_nearest_id_comes_first(void **state)
{
    assert_string_equal(explain(state, "tcp-refusd").nearest[0], "tcp-refused");
    assert_string_equal(explain(state, "rcpt-greylistd").nearest[0], "rcpt-greylisted");
    assert_string_equal(explain(state, "smtpSendTimout").nearest[0], "smtpSendTimeout");
    assert_string_equal(explain(state, "aud-bare-ff").nearest[0], "aud-bare-lf");
    assert_string_equal(explain(state, "tcp refused").nearest[0], "tcp-refused");
    assert_string_equal(explain(state, "rely-denied").nearest[0], "rcpt-relay-denied");
    assert_string_equal(explain(state, "relay").nearest[0], "rcpt-relay-denied");
    assert_string_equal(explain(state, "expird").nearest[0], "tls-cert-expired");
}

/* What has only its length in common with an id is no slip of the fingers. */
static void what_is_far_is_not_offered(void **state)
{
    static const char *const far[] = {"", "???", "999", "frobnicate", "qwertyuiop", "0x12345678"};
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        struct sw_explanation e = explain(state, far[i]);
        if (e.nearest[0])
            fail_msg("\"%s\" is no %s", far[i], e.nearest[0]);
    }
    struct sw_explanation e = explain(state, "relay");
    for (size_t i = 0; e.nearest[i]; i++)
        assert_non_null(strstr(e.nearest[i], "relay"));
}

static void bytes_that_are_no_text_do_no_harm(void **state)
{
    struct fixture *f = *state;
    struct sw_explanation e;
    static const uint8_t bytes[] = {'5', '5', '0', ' ', 0xff, 0x00, 0x1b, '[', '2', 'J', 0xc3};
    sw_explain(&f->kb, sw_span_make(bytes, sizeof(bytes)), &f->arena, &e);
    assert_int_equal(e.kind, SW_EXPLANATION_REPLY);
    assert_false(contains(e.meaning, "\x1b"));
    for (size_t length = 0; length <= sizeof(bytes); length++)
        sw_explain(&f->kb, sw_span_make(bytes, length), &f->arena, &e);
}

static void a_small_arena_does_no_harm(void **state)
{
    struct fixture *f = *state;
    for (size_t limit = 0; limit < 6000; limit += 97) {
        struct sw_arena arena;
        sw_arena_init(&arena, limit, NULL);
        struct sw_explanation e;
        sw_explain(&f->kb, SW_SPAN_LIT("0x800CCC0E"), &arena, &e);
        sw_explain(&f->kb, SW_SPAN_LIT("RCPT: 550 5.7.1 Relaying denied"), &arena, &e);
        sw_explain(&f->kb, SW_SPAN_LIT("421"), &arena, &e);
        sw_arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cause_is_explained),
        cmocka_unit_test(every_finding_is_explained),
        cmocka_unit_test(every_client_code_is_explained),
        cmocka_unit_test(the_seed_question_is_answered_in_full),
        cmocka_unit_test(fixtures_are_explained_as_they_are_read),
        cmocka_unit_test(stages_are_taken_in_every_spelling),
        cmocka_unit_test(replies_of_several_lines_are_joined),
        cmocka_unit_test(a_stage_that_is_not_given_is_guessed),
        cmocka_unit_test(what_a_list_of_names_lists_is_no_address),
        cmocka_unit_test(bare_codes_are_explained),
        cmocka_unit_test(every_known_reply_code_is_explained),
        cmocka_unit_test(positive_replies_are_good_news),
        cmocka_unit_test(things_are_found_inside_other_text),
        cmocka_unit_test(a_telling_name_outranks_its_row),
        cmocka_unit_test(codes_that_come_together_narrow_each_other),
        cmocka_unit_test(the_unknown_is_said_to_be_unknown),
        cmocka_unit_test(the_nearest_id_comes_first),
        cmocka_unit_test(what_is_far_is_not_offered),
        cmocka_unit_test(bytes_that_are_no_text_do_no_harm),
        cmocka_unit_test(a_small_arena_does_no_harm),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
