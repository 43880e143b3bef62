/*
 * The text report of sessions built by hand: what stands there, what is grouped, and that nothing
 * unsafe gets through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/page.h"
#include "report_fixture.h"

#include <stdio.h>

static const struct sw_report_style plain_style = {.width = 100, .files = 1, .version = "1"};
static const struct sw_report_style full_style = {
    .width = 100, .files = 1, .version = "1", .verbose = true};

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("%s\nis not in\n%s", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("%s\nis in\n%s", part, text);
}

/* Columns of the longest line; one a character. */
static size_t longest_line(const char *text)
{
    size_t longest = 0;
    size_t now = 0;
    for (; *text; text++) {
        now = *text == '\n' ? 0 : now + ((*text & 0xC0) != 0x80);
        longest = now > longest ? now : longest;
    }
    return longest;
}

static void test_stuck_session_says_it_all(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_writer out;
    fixture_refused(&f, SW_SPAN_LIT("5.7.1 no relay\n5.7.1 really"));
    fixture_render(&f, "text", &plain_style, &out);
    const char *text = (const char *)out.bytes;
    assert_has(text, "  1  STUCK      2023-11-14 22:13:20Z  192.0.2.10:40000 -> 198.51.100.25:25 "
                     "(mx.example.org)\n");
    assert_has(text, "     The mail to bob@example.org was not sent because");
    assert_has(text, "     cause      rcpt-relay-denied (certain, at stage rcpt)\n");
    assert_has(text, "     reply      550 5.7.1 no relay really\n");
    assert_has(text, "     to act     the sender (the person or the mail program); trying again "
                     "unchanged will not help\n");
    assert_has(text, "     try first  Check the firewall.\n");
    assert_has(text, "     evidence   frame 10, server: refuses bob@example.org\n");
    assert_has_not(text, "EHLO");
    assert_true(longest_line(text) <= 100);
    sw_writer_release(&out);
}

static void test_delivered_session_is_one_line(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_writer out;
    fixture_delivered(&f);
    fixture_render(&f, "text", &plain_style, &out);
    assert_string_equal((const char *)out.bytes,
                        "  1  delivered  2023-11-14 22:13:20Z  192.0.2.10:40000 -> "
                        "198.51.100.25:25 (mx.example.org)  1 mail\n\n");
    sw_writer_release(&out);
}

static void test_verbose_shows_the_dialogue_without_secrets(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_writer out;
    fixture_delivered(&f);
    fixture_render(&f, "text", &full_style, &out);
    const char *text = (const char *)out.bytes;
    assert_has(text, "           7    0.600000  C  MAIL FROM:<anna@example.net> SIZE=500\n");
    assert_has(text, "                             AUTH PLAIN LOGIN\n");
    assert_has(text, "C  AUTH PLAIN ***\n");
    assert_has(text, "     capture    gaps 2\n");
    assert_has(text, "     wireshark  ip.addr==192.0.2.10 && ");
    assert_true(longest_line(text) <= 100);
    sw_writer_release(&out);
}

static void test_wire_text_cannot_reach_the_terminal_raw(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_writer out;
    fixture_refused(&f, SW_SPAN_LIT("a\x1b]0;t\x07 \x9b"
                                    "2J \xe2\x80\xae \r\x08 z"));
    f.message.sender = SW_SPAN_LIT("\x1b[31m");
    f.hello.command->argument = SW_SPAN_LIT("h\x1b[31m\nC  QUIT");
    f.verdict.server_name = SW_SPAN_LIT("n\x1b[31m");
    fixture_render(&f, "text", &full_style, &out);
    const char *text = (const char *)out.bytes;
    for (size_t i = 0; text[i]; i++)
        assert_true((unsigned char)text[i] >= 0x20 || text[i] == '\n');
    assert_has_not(text, "\xe2\x80\xae");
    assert_has_not(text, "\x9b");
    assert_has(text, "a\\x1b]0;t\\x07 \\x9b2J \\u202e \\x0d\\x08 z");
    sw_writer_release(&out);
}

static void test_long_words_are_cut_at_the_width(void **state)
{
    (void)state;
    static char word[5000];
    struct fixture f;
    struct sw_writer out;
    memset(word, 'w', sizeof(word) - 1);
    fixture_refused(&f, sw_span_str(word));
    fixture_render(&f, "text", &full_style, &out);
    assert_true(longest_line((const char *)out.bytes) <= 100);
    sw_writer_release(&out);
    fixture_render(&f, "text", &plain_style, &out);
    assert_has((const char *)out.bytes, " ...\n"); /* a long reply is cut, and says so */
    sw_writer_release(&out);
}

static void test_colour_only_when_asked(void **state)
{
    (void)state;
    struct sw_report_style color = plain_style;
    struct fixture f;
    struct sw_writer out;
    fixture_init(&f);
    fixture_render(&f, "text", &plain_style, &out);
    assert_has_not((const char *)out.bytes, "\x1b");
    sw_writer_release(&out);
    color.color = true;
    fixture_render(&f, "text", &color, &out);
    assert_has((const char *)out.bytes, "\x1b[1;31mSTUCK\x1b[0m");
    sw_writer_release(&out);
}

static void test_sessions_that_are_alike_are_grouped(void **state)
{
    (void)state;
    struct fixture f;
    struct sw_part part;
    struct sw_writer out;
    fixture_init(&f);
    struct sw_record record = {
        .kind = SW_RECORD_SESSION, .session = &f.session, .verdict = &f.verdict};
    sw_writer_open_memory(&out);
    assert_true(
        sw_part_open(&part, sw_report_format_find("text"), &plain_style, &out, "m.pcap", 0));
    for (int i = 0; i < 20; i++)
        sw_part_record(&part, &record);
    f.facts.tuple.dst[3] = 99; /* another server is another story */
    sw_part_record(&part, &record);
    sw_part_close(&part);
    sw_writer_char(&out, '\0');
    const char *text = (const char *)out.bytes;
    assert_has(
        text,
        "  2  STUCK      2023-11-14 22:13:20Z  192.0.2.10:40000 -> 198.51.100.25:25  like 1\n");
    assert_has(text, "  5  STUCK");
    assert_has_not(text, "  6  STUCK");
    assert_has(text,
               " 21  STUCK      2023-11-14 22:13:20Z  192.0.2.10:40000 -> 198.51.100.99:25\n");
    assert_has(text, "     try first  as for session 1\n");
    assert_has(text, "and 15 more stuck like session 1 (tcp-syn-timeout)\n");
    sw_writer_release(&out);
}

static const char *closing(const struct sw_summary *summary, const struct sw_report_style *style,
                           struct sw_writer *out)
{
    struct sw_part part;
    struct sw_record record = {.kind = SW_RECORD_SUMMARY, .summary = summary};
    sw_writer_open_memory(out);
    assert_true(sw_part_open(&part, sw_report_format_find("text"), style, out, NULL, 1));
    sw_part_record(&part, &record);
    sw_part_close(&part);
    sw_writer_char(out, '\0');
    return (const char *)out->bytes;
}

static void test_headline(void **state)
{
    (void)state;
    static struct sw_summary summary;
    struct sw_writer out;
    sw_summary_init(&summary);
    summary.sessions = 5;
    summary.frames_read = 40;
    summary.by_outcome[SW_OUTCOME_STUCK] = 2;
    summary.by_outcome[SW_OUTCOME_DELIVERED] = 3;
    summary.mails[SW_OUTCOME_STUCK] = 1; /* one of the two was sent again, and accepted */
    summary.mails[SW_OUTCOME_DELIVERED] = 3;
    summary.deliveries = 1;
    summary.by_cause[SW_CAUSE_TCP_REFUSED] = 2;
    summary.by_cause[SW_CAUSE_OK_DELIVERED] = 3;
    assert_string_equal(closing(&summary, &plain_style, &out),
                        "1 of 4 mails stayed in the outbox.\n"
                        "  mails      1 stuck, 3 delivered\n"
                        "  sessions   2 stuck, 3 delivered\n"
                        "  causes     3 ok-delivered, 2 tcp-refused\n"
                        "  read       40 frames\n");
    sw_writer_release(&out);
}

static void test_capture_without_mail(void **state)
{
    (void)state;
    static struct sw_summary summary;
    struct sw_writer out;
    sw_summary_init(&summary);
    summary.frames_read = 120;
    summary.tcp_connections = 1;
    summary.udp_packets = 30;
    summary.dns_packets = 14;
    const char *text = closing(&summary, &plain_style, &out);
    assert_has(text, "This capture holds no mail: 120 frames with 1 TCP connection, 14 DNS packets "
                     "and 16 other UDP");
    assert_has(text, "tcpdump -i eth0 -s 0 -w mail.pcap 'tcp port 25 ");
    sw_writer_release(&out);
}

static void test_what_the_filter_left_out_is_no_lack_of_mail(void **state)
{
    (void)state;
    static struct sw_summary summary;
    struct sw_writer out;
    sw_summary_init(&summary);
    summary.frames_read = 38;
    summary.frames_filtered = 38;
    const char *text = closing(&summary, &plain_style, &out);
    assert_has(text, "All 38 frames were left out by the filter (-f).");
    assert_null(strstr(text, "no mail"));
    assert_null(strstr(text, "tcpdump"));
    sw_writer_release(&out);
    summary.frames_filtered = 30;
    text = closing(&summary, &plain_style, &out);
    assert_has(text,
               "This capture holds no mail: 38 frames, 30 of them left out by the filter (-f), "
               "with");
    assert_has(text, "tcpdump");
    sw_writer_release(&out);
}

static void test_pseudonyms_are_the_same_in_both_formats(void **state)
{
    (void)state;
    struct sw_report_style veiled = full_style;
    struct fixture f;
    struct sw_writer text;
    struct sw_writer json;
    static const char *const secret[] = {"192.0.2.10",  "198.51.100.25",    "anna",   "bob",
                                         "example.org", "example.net",      "LAPTOP", "secret plan",
                                         "1:abc=",      "0123456789abcdef", "dir/"};
    veiled.anonymize = true;
    veiled.veil_key = (struct sw_hash_key){1, 2};
    fixture_delivered(&f);
    fixture_render(&f, "text", &veiled, &text);
    fixture_render(&f, "json", &veiled, &json);
    for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
        assert_has_not((const char *)text.bytes, secret[i]);
        assert_has_not((const char *)json.bytes, secret[i]);
    }
    /* the recipient's pseudonym as text shows it is the one of JSON */
    char *to = strstr((char *)text.bytes, "to <user-");
    assert_non_null(to);
    char *end = strchr(to, '>');
    assert_non_null(end);
    *end = '\0';
    char address[80];
    (void)snprintf(address, sizeof(address), "\"address\":\"%.60s\"", to + 4);
    assert_has((const char *)json.bytes, address);
    sw_writer_release(&text);
    sw_writer_release(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stuck_session_says_it_all),
        cmocka_unit_test(test_delivered_session_is_one_line),
        cmocka_unit_test(test_verbose_shows_the_dialogue_without_secrets),
        cmocka_unit_test(test_wire_text_cannot_reach_the_terminal_raw),
        cmocka_unit_test(test_long_words_are_cut_at_the_width),
        cmocka_unit_test(test_colour_only_when_asked),
        cmocka_unit_test(test_sessions_that_are_alike_are_grouped),
        cmocka_unit_test(test_headline),
        cmocka_unit_test(test_capture_without_mail),
        cmocka_unit_test(test_what_the_filter_left_out_is_no_lack_of_mail),
        cmocka_unit_test(test_pseudonyms_are_the_same_in_both_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
