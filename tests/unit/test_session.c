/*
 * The steps of the model: what is kept of a command and of a reply, and what is worked out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "session/builder.h"

static struct sw_session session;
static struct sw_flow_facts facts;
static size_t account;

static void begin(const struct sw_session_limits *limits)
{
    facts = (struct sw_flow_facts){.syn_ack = {2, 100}, .established = {3, 200}};
    sw_session_init(&session, limits, &account);
}

static void end(void)
{
    sw_session_release(&session);
    assert_int_equal(account, 0);
}

static struct sw_at at(uint64_t frame, int64_t time_ns)
{
    return (struct sw_at){.offset = frame * 1000, .frame = frame, .time_ns = time_ns};
}

static void give(struct smtp_event event)
{
    sw_session_smtp(&session, &event, &facts, false);
}

static void command(enum smtp_verb verb, uint32_t id, const char *word, const char *text,
                    uint64_t frame)
{
    give((struct smtp_event){.kind = SMTP_EVENT_COMMAND,
                             .from = SW_FROM_CLIENT,
                             .verb = verb,
                             .id = id,
                             .word = sw_span_str(word),
                             .text = sw_span_str(text),
                             .begin = at(frame, (int64_t)frame * 100),
                             .end = at(frame, (int64_t)frame * 100)});
}

static struct smtp_event reply(enum smtp_verb verb, uint32_t answers, const char *text,
                               uint64_t frame)
{
    return (struct smtp_event){.kind = SMTP_EVENT_REPLY,
                               .from = SW_FROM_SERVER,
                               .verb = verb,
                               .flags = SMTP_FLAG_ONE_LINE,
                               .answers = answers,
                               .code = 250,
                               .text = sw_span_str(text),
                               .number = 1,
                               .begin = at(frame, (int64_t)frame * 100),
                               .end = at(frame, (int64_t)frame * 100)};
}

static void line(uint64_t number, const char *text)
{
    give((struct smtp_event){.kind = SMTP_EVENT_REPLY_LINE,
                             .from = SW_FROM_SERVER,
                             .code = 250,
                             .text = sw_span_str(text),
                             .number = number,
                             .begin = at(9, 900),
                             .end = at(9, 900)});
}

static void is(struct sw_span got, const char *expected)
{
    assert_true(sw_span_eq(got, sw_span_str(expected)));
}

static void test_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct sw_step) <= 72);
    assert_true(sizeof(struct sw_message) <= 224);
    assert_true(sizeof(struct sw_session) <= 832);
}

/* A verb that is known is told by its name, another one as it was written. */
static void test_words(void **state)
{
    (void)state;
    begin(NULL);
    command(SMTP_VERB_MAIL, 1, "mail", "FROM:<a@b>", 4);
    is(sw_step_word(session.last_command), "MAIL");
    is(session.last_command->argument, "FROM:<a@b>");
    command(SMTP_VERB_UNKNOWN, 2, "XYZZY", "plugh", 5);
    is(sw_step_word(session.last_command), "XYZZY");
    is(session.last_command->argument, "plugh");
    command(SMTP_VERB_UNKNOWN, 3, "XYZZY", "", 6);
    is(sw_step_word(session.last_command), "XYZZY");
    is(session.last_command->argument, "");
    command(SMTP_VERB_JUNK, 4, "", "?", 7);
    is(sw_step_word(session.last_command), "");
    is(session.last_command->argument, "?");
    end();
}

/* The mark of the last byte is that of the first, unless it came later. */
static void test_spread(void **state)
{
    (void)state;
    begin(NULL);
    command(SMTP_VERB_EHLO, 1, "EHLO", "pc", 4);
    assert_false(session.last_command->spread);
    assert_int_equal(sw_step_last(session.last_command).frame, 4);
    assert_int_equal(sw_step_last(session.last_command).time_ns, 400);
    struct smtp_event slow = reply(SMTP_VERB_EHLO, 1, "mx", 5);
    slow.end = at(UINT64_C(7) << 48 | 8, INT64_C(90000000000));
    give(slow);
    const struct sw_step *step = session.last_reply;
    assert_int_equal(step->first.frame, 5);
    assert_int_equal(sw_step_last(step).frame, UINT64_C(7) << 48 | 8);
    assert_int_equal(sw_step_last(step).time_ns, INT64_C(90000000000));
    assert_ptr_equal(step->command, session.last_command);
    assert_ptr_equal(session.last_command->reply, step);
    command(SMTP_VERB_MAIL, 2, "MAIL", "FROM:<a@b>", 9); /* what follows does not stand in it */
    assert_int_equal(sw_step_last(step).frame, UINT64_C(7) << 48 | 8);
    end();
}

/* From the handshake to the greeting, from a command to its answer, and else nothing. */
static void test_delays(void **state)
{
    (void)state;
    begin(NULL);
    give(reply(SMTP_VERB_NONE, 0, "mx", 5));
    assert_ptr_equal(session.greeting, session.last_reply);
    assert_int_equal(sw_session_delay(&session, session.greeting), 300);
    command(SMTP_VERB_EHLO, 1, "EHLO", "pc", 6);
    give(reply(SMTP_VERB_EHLO, 1, "mx", 9));
    assert_int_equal(sw_session_delay(&session, session.last_reply), 300);
    struct smtp_event unasked = reply(SMTP_VERB_NONE, 0, "bye", 12);
    unasked.flags |= SMTP_FLAG_UNSOLICITED;
    give(unasked);
    assert_int_equal(sw_session_delay(&session, session.last_reply), 0);
    end();
}

/* A reply's text is the same whether its lines came one by one or as one. */
static void test_reply_text(void **state)
{
    (void)state;
    begin(&(struct sw_session_limits){.reply_bytes = 16});
    command(SMTP_VERB_EHLO, 1, "EHLO", "pc", 4);
    line(0, "mx");
    line(1, "SIZE 10");
    struct smtp_event both = reply(SMTP_VERB_EHLO, 1, "", 5);
    both.flags = 0;
    both.number = 2;
    give(both);
    is(session.last_reply->text, "mx\nSIZE 10");
    assert_true(session.last_reply->has_lines);
    assert_non_null(sw_capability_find(session.hello, "SIZE"));
    command(SMTP_VERB_MAIL, 2, "MAIL", "FROM:<a@b>", 6);
    give(reply(SMTP_VERB_MAIL, 2, "2.1.0 fine", 7));
    is(session.last_reply->text, "2.1.0 fine");
    assert_false(session.last_reply->has_lines);
    assert_false(session.last_reply->flags & SMTP_FLAG_CUT);
    give(reply(SMTP_VERB_RCPT, 0, "longer than it may be", 8));
    is(session.last_reply->text, "");
    assert_true(session.last_reply->flags & SMTP_FLAG_CUT);
    end();
}

/* Nothing of what came first is left behind, as it may be a login. */
static void test_wiped(void **state)
{
    (void)state;
    begin(NULL);
    sw_session_first_bytes(&session, SW_CLIENT, SW_SPAN_LIT("AUTH PLAIN AGEAYg=="),
                           (struct sw_mark){4, 400});
    is(sw_session_opening(&session, SW_CLIENT), "AUTH PLAIN AGEAYg==");
    assert_int_equal(sw_session_opening(&session, SW_SERVER).len, 0);
    end();
    for (size_t i = 0; i < SW_FIRST_BYTES; i++)
        assert_int_equal(session.opening[SW_CLIENT][i], 0);
}

/* Of a session without a proxy it is told that there was none. */
static void test_proxied(void **state)
{
    (void)state;
    begin(NULL);
    assert_int_equal(sw_session_proxied(&session)->kind, SW_PROXY_NONE);
    struct sw_proxied *proxied = sw_session_proxy_begin(&session);
    assert_non_null(proxied);
    proxied->kind = SW_PROXY_HTTP;
    assert_ptr_equal(sw_session_proxied(&session), proxied);
    assert_ptr_equal(sw_session_proxy_begin(&session), proxied);
    end();
    begin(&(struct sw_session_limits){.arena_bytes = 8});
    assert_null(sw_session_proxy_begin(&session));
    assert_true(session.limits_hit);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),      cmocka_unit_test(test_words),
        cmocka_unit_test(test_spread),     cmocka_unit_test(test_delays),
        cmocka_unit_test(test_reply_text), cmocka_unit_test(test_wiped),
        cmocka_unit_test(test_proxied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
