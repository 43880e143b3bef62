#include "dissectors/smtp/internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Pops everything; returns how many there were and asserts that the ids are first, first + 1 ... */
static uint32_t drain(struct smtp_state *s, uint32_t first)
{
    uint32_t n = 0;
    for (struct smtp_pending p; smtp_queue_first(s, &p); n++) {
        assert_int_equal(p.id, first + n);
        smtp_queue_pop(s);
    }
    return n;
}

static void test_a_run_takes_one_entry(void **state)
{
    (void)state;
    struct smtp_state s = {0};
    assert_true(smtp_queue_push(&s, 1, SMTP_VERB_MAIL, 0));
    for (uint32_t id = 2; id < 502; id++)
        assert_true(smtp_queue_push(&s, id, SMTP_VERB_RCPT, 0));
    assert_true(smtp_queue_push(&s, 502, SMTP_VERB_DATA, 0));
    assert_int_equal(s.queue_len, 3);
    assert_int_equal(smtp_queue_count(&s), 502);
    assert_int_equal(smtp_queue_before(&s, SMTP_VERB_DATA), 501);
    assert_int_equal(smtp_queue_before(&s, SMTP_VERB_QUIT), UINT32_MAX);
    assert_int_equal(drain(&s, 1), 502);
}

static void test_flags_and_holes_split_runs(void **state)
{
    (void)state;
    struct smtp_state s = {0};
    (void)smtp_queue_push(&s, 1, SMTP_VERB_BDAT, 0);
    (void)smtp_queue_push(&s, 2, SMTP_VERB_BDAT, SMTP_FLAG_LAST);
    (void)smtp_queue_push(&s, 4, SMTP_VERB_BDAT, SMTP_FLAG_LAST | SMTP_FLAG_PIPELINED);
    assert_int_equal(s.queue_len, 3);
    struct smtp_pending p;
    smtp_queue_pop(&s);
    assert_true(smtp_queue_first(&s, &p));
    assert_int_equal(p.flags, SMTP_FLAG_LAST);
    smtp_queue_pop(&s);
    assert_true(smtp_queue_first(&s, &p));
    assert_int_equal(p.id, 4);
    assert_int_equal(p.flags, SMTP_FLAG_LAST);
}

/* Behind lost ones everything is lost, or replies would be given to the wrong commands. */
static void test_full(void **state)
{
    (void)state;
    struct smtp_state s = {0};
    for (uint32_t id = 1; id <= SMTP_QUEUE; id++)
        assert_true(smtp_queue_push(&s, id, id & 1 ? SMTP_VERB_NOOP : SMTP_VERB_RSET, 0));
    assert_false(smtp_queue_push(&s, SMTP_QUEUE + 1, SMTP_VERB_NOOP, 0));
    smtp_queue_pop(&s);
    assert_false(smtp_queue_push(&s, SMTP_QUEUE + 2, SMTP_VERB_NOOP, 0));
    assert_int_equal(s.queue_lost, 2);
    assert_int_equal(drain(&s, 2), SMTP_QUEUE - 1);
    smtp_queue_clear(&s);
    assert_true(smtp_queue_push(&s, 90, SMTP_VERB_NOOP, 0));
    assert_int_equal(drain(&s, 90), 1);
}

static void test_goes_round(void **state)
{
    (void)state;
    struct smtp_state s = {0};
    for (uint32_t id = 1; id < 200; id++) {
        assert_true(smtp_queue_push(&s, id, id & 1 ? SMTP_VERB_NOOP : SMTP_VERB_RSET, 0));
        if (id >= 20)
            smtp_queue_pop(&s);
    }
    assert_int_equal(drain(&s, 181), 19);
}

static void assert_cut(struct smtp_state *s, const char *line, const char *shown)
{
    struct sw_span cut = smtp_echo_cut(s, sw_span_str(line));
    assert_int_equal(cut.len, strlen(shown));
    if (cut.len > 0)
        assert_memory_equal(cut.ptr, shown, cut.len);
}

static void test_echo(void **state)
{
    (void)state;
    struct smtp_state s = {0};
    assert_cut(&s, "anything", "anything");
    smtp_echo_remember(&s, sw_span_str("PASS lab-Secret-4711"));
    assert_cut(&s, "500 lab-Secret-4711", "500 ");
    assert_cut(&s, "lab-Secret-4711", "");
    assert_cut(&s, "x lab-Secret-4711 y lab-Secret-4711", "x ");
    assert_cut(&s, "500 lab-Secret-4712", "500 lab-Secret-4712");
    assert_cut(&s, "500 PASS is too short to be one", "500 PASS is too short to be one");
    assert_cut(&s, "", "");
    char word[] = "secret-0";
    for (int i = 0; i < SMTP_SECRETS; i++, word[7]++)
        smtp_echo_remember(&s, sw_span_str(word));
    assert_cut(&s, "a secret-0", "a ");
    assert_cut(&s, "a secret-7", "a ");
    assert_cut(&s, "b lab-Secret-4711", "b lab-Secret-4711"); /* the oldest is forgotten */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_takes_one_entry),
        cmocka_unit_test(test_flags_and_holes_split_runs),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_goes_round),
        cmocka_unit_test(test_echo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
