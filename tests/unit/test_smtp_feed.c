#include "dissectors/smtp/smtp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Counts events; the lender has `blocks` to give. */
struct bench {
    struct smtp_state smtp;
    struct smtp_sink sink;
    struct sw_lender lender;
    uint8_t block[2][SW_LINE_BYTES];
    unsigned blocks, lent;
    unsigned odd[32];
    unsigned commands, handovers;
    uint32_t last_flags;
    size_t last_text;
    uint64_t body;
    uint64_t offset[2];
};

static uint8_t *lend(void *ctx, uint8_t *block, size_t before, size_t n_bytes)
{
    struct bench *b = ctx;
    (void)before;
    assert_true(n_bytes <= SW_LINE_BYTES);
    if (block) /* all have room for a whole line */
        return block;
    return b->lent < b->blocks ? b->block[b->lent++] : NULL;
}

static void take_back(void *ctx, uint8_t *block, size_t n_bytes)
{
    (void)n_bytes;
    struct bench *b = ctx;
    assert_non_null(block);
    b->lent--;
}

static void on_event(void *ctx, const struct smtp_event *e)
{
    struct bench *b = ctx;
    if (e->kind == SMTP_EVENT_ANOMALY)
        b->odd[e->anomaly]++;
    if (e->kind == SMTP_EVENT_TLS_HANDOVER)
        b->handovers++;
    if (e->kind == SMTP_EVENT_BODY)
        b->body += e->number;
    if (e->kind != SMTP_EVENT_COMMAND)
        return;
    b->commands++;
    b->last_flags = e->flags;
    b->last_text = e->text.len;
}

static void begin(struct bench *b, unsigned blocks)
{
    memset(b, 0, sizeof(*b));
    b->blocks = blocks;
    b->lender = (struct sw_lender){lend, take_back, b};
    b->sink = (struct smtp_sink){on_event, b};
    smtp_init(&b->smtp, &b->lender, false);
}

static size_t feed(struct bench *b, enum sw_from from, const char *text)
{
    struct sw_piece piece = {from, {b->offset[from], 1, 1}, sw_span_str(text)};
    size_t used = smtp_feed(&b->smtp, &piece, &b->sink);
    b->offset[from] += used;
    return used;
}

static void test_held_bytes_may_be_offered_again(void **state)
{
    (void)state;
    static struct bench b;
    begin(&b, 2);
    (void)feed(&b, SW_FROM_SERVER, "220 mx\r\n");
    assert_int_equal(feed(&b, SW_FROM_CLIENT, "STARTTLS\r\nNOOP\r\n"), 10);
    assert_true(smtp_holds_client(&b.smtp));
    assert_int_equal(feed(&b, SW_FROM_CLIENT, "NOOP\r\n"), 0);
    assert_int_equal(feed(&b, SW_FROM_CLIENT, "NOOP\r\n"), 0);
    assert_int_equal(b.odd[SMTP_ODD_AFTER_STARTTLS], 1);
    assert_int_equal(feed(&b, SW_FROM_SERVER, "454 no\r\n250 "), 8);
    assert_false(smtp_holds_client(&b.smtp));
    assert_int_equal(feed(&b, SW_FROM_CLIENT, "NOOP\r\n"), 6);
    assert_int_equal(b.commands, 2);
    smtp_release(&b.smtp);
    assert_int_equal(b.lent, 0);
}

static void test_handover_is_exact(void **state)
{
    (void)state;
    static struct bench b;
    begin(&b, 2);
    (void)feed(&b, SW_FROM_SERVER, "220 mx\r\n");
    (void)feed(&b, SW_FROM_CLIENT, "STARTTLS\r\n");
    assert_int_equal(feed(&b, SW_FROM_SERVER, "220 go\r"), 7);
    assert_int_equal(b.handovers, 0);
    assert_int_equal(feed(&b, SW_FROM_SERVER, "\n\x16\x03\x03"), 1);
    assert_int_equal(b.handovers, 1);
    assert_int_equal(feed(&b, SW_FROM_SERVER, "\x16\x03\x03"), 0);
    assert_int_equal(feed(&b, SW_FROM_CLIENT, "\x16\x03\x01"), 0);
    assert_int_equal(b.odd[SMTP_ODD_INJECTED_REPLY], 0);
    smtp_release(&b.smtp);
}

static void test_release_without_a_hold_changes_nothing(void **state)
{
    (void)state;
    static struct bench b;
    begin(&b, 2);
    smtp_release_hold(&b.smtp, sw_span_str("\x16"), &b.sink);
    assert_int_equal(b.smtp.mode, SMTP_MODE_COMMAND);
    assert_int_equal(b.handovers, 0);
    assert_int_equal(feed(&b, SW_FROM_CLIENT, ""), 0);
    smtp_release(&b.smtp);
}

/* Without a block an unfinished line is counted and comes out cut; nothing is lost behind it. */
static void test_lender_without_blocks(void **state)
{
    (void)state;
    static struct bench b;
    begin(&b, 0);
    (void)feed(&b, SW_FROM_SERVER, "220 mx\r\n");
    (void)feed(&b, SW_FROM_CLIENT, "MAIL FR");
    (void)feed(&b, SW_FROM_CLIENT, "OM:<a@b>\r\n");
    assert_int_equal(b.commands, 1);
    assert_true(b.last_flags & SMTP_FLAG_CUT);
    assert_int_equal(b.last_text, 0);
    (void)feed(&b, SW_FROM_CLIENT, "RCPT TO:<c@d>\r\n");
    assert_int_equal(b.commands, 2);
    assert_false(b.last_flags & SMTP_FLAG_CUT);
    (void)feed(&b, SW_FROM_CLIENT, "DATA\r\n");
    smtp_release_hold(&b.smtp, sw_span_str("x"), &b.sink);
    (void)feed(&b, SW_FROM_CLIENT, "some te");
    (void)feed(&b, SW_FROM_CLIENT, "xt\r\n.\r\n");
    assert_int_equal(b.body, 11);
    smtp_end(&b.smtp, SW_FROM_CLIENT, (struct sw_at){0, 2, 2}, &b.sink);
    smtp_release(&b.smtp);
}

static void test_state_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct smtp_state) < 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_held_bytes_may_be_offered_again),
        cmocka_unit_test(test_handover_is_exact),
        cmocka_unit_test(test_release_without_a_hold_changes_nothing),
        cmocka_unit_test(test_lender_without_blocks),
        cmocka_unit_test(test_state_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
