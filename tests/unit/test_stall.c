/* Who waits for whom in a connection that is still open. */
#include "analyzer/stall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define AT(seconds) ((struct sw_mark){(uint64_t)(seconds) + 1, (seconds)*SW_NS_PER_S})

static struct sw_flow_facts facts;
static struct sw_session session;

static void begin(void)
{
    facts = (struct sw_flow_facts){.closed_by = -1, .syn_count = 1};
    facts.syn = facts.last_syn = AT(10);
    session = (struct sw_session){.facts = &facts};
}

static void connect_and_greet(void)
{
    facts.syn_ack = facts.established = AT(11);
    facts.half[SW_SERVER].last_data = AT(12);
    facts.half[SW_SERVER].bytes = 20;
}

static void assert_words(bool with_session, const char *expected)
{
    char words[SW_STALL_WORDS_BYTES];
    struct sw_stall stall = {
        .facts = &facts, .session = with_session ? &session : NULL, .now_ns = AT(112).time_ns};
    assert_true(sw_stall_begin(&stall));
    sw_stall_words(&stall, words);
    assert_string_equal(words, expected);
}

static void test_before_the_dialogue(void **state)
{
    (void)state;
    begin();
    facts.syn_count = 3;
    facts.last_syn = AT(17);
    assert_words(false, "the last of 3 requests for a connection was sent 95 s ago, nobody has "
                        "answered");
    facts.syn_ack = facts.established = AT(18);
    assert_words(false, "the connection was made 94 s ago, the server has not said a word");
}

static void test_in_the_dialogue(void **state)
{
    (void)state;
    struct sw_step greeting = {.code = 220};
    struct sw_step command = {.verb = SMTP_VERB_RCPT};
    struct sw_step reply = {.code = 250, .command = &command};
    begin();
    connect_and_greet();
    session.greeting = session.last_reply = &greeting;
    assert_words(true, "the server said 220 100 s ago, the client has sent nothing since");
    session.last_command = &command;
    facts.half[SW_CLIENT].last_data = AT(22);
    assert_words(true, "RCPT was sent 90 s ago, the server has not answered");
    command.reply = session.last_reply = &reply;
    facts.half[SW_SERVER].last_data = AT(32);
    assert_words(true, "the server said 250 80 s ago, the client has sent nothing since");
}

static void test_in_the_text(void **state)
{
    (void)state;
    struct sw_step go_ahead = {.code = 354};
    struct sw_step dot = {.verb = SMTP_VERB_END_OF_DATA};
    struct sw_step data = {.verb = SMTP_VERB_DATA, .reply = &go_ahead};
    struct sw_message message = {.data = &data, .go_ahead = &go_ahead};
    begin();
    connect_and_greet();
    session.messages = session.message = &message;
    session.last_command = &data;
    session.last_reply = &go_ahead;
    assert_words(true, "354 was given 100 s ago, the client has sent nothing since");
    message.body_seen = true;
    facts.half[SW_CLIENT].last_data = AT(52);
    assert_words(true, "the text of the mail stopped 60 s ago, without its end");
    message.end_of_data = session.last_command = &dot;
    assert_words(true, "the end of the text was sent 60 s ago, the server has not answered");
}

static void test_nobody_waits(void **state)
{
    (void)state;
    struct sw_step final = {.code = 250};
    struct sw_step dot = {.verb = SMTP_VERB_END_OF_DATA, .reply = &final};
    struct sw_message message = {.end_of_data = &dot, .final = &final};
    struct sw_stall stall = {.facts = &facts, .session = &session, .now_ns = AT(112).time_ns};
    begin();
    connect_and_greet();
    session.messages = &message;
    session.last_command = &dot;
    session.last_reply = &final;
    assert_false(sw_stall_begin(&stall)); /* kept open for the next mail */
    dot.reply = NULL;
    assert_true(sw_stall_begin(&stall));
    facts.closed_by = SW_CLIENT;
    assert_false(sw_stall_begin(&stall));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_the_dialogue),
        cmocka_unit_test(test_in_the_dialogue),
        cmocka_unit_test(test_in_the_text),
        cmocka_unit_test(test_nobody_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
