/*
 * test_mime.c - header blocks and the events they must give: whole, at every two-way split, and one
 * octet at a time.
 */
#include "dissectors/mime/mime.h"
#include "support/mime_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct dialogue {
    const char *about;
    struct sw_span octets;
    const char *log;
    size_t behind; /* octets behind the header block */
};

#define TEXT(s) SW_SPAN_LIT(s)

static const struct dialogue dialogues[] = {
    {"every field that counts, and the body is not read",
     TEXT("Received: from a by b\r\n"
          "Message-ID: <1234@example.org>\r\n"
          "From: Anna Example <anna@example.org>\r\n"
          "To: bob@example.net, Carl <carl@example.net>\r\n"
          "Cc: dora@example.net\r\n"
          "Subject: Hello\r\n"
          "Date: Wed, 26 Nov 2025 10:00:00 +0100\r\n"
          "Content-Type: text/plain; charset=utf-8\r\n"
          "DKIM-Signature: v=1; a=rsa-sha256; b=abc\r\n"
          "\r\n"
          "Subject: not this one\r\n"),
     "received [from a by b]\nmessage-id [1234@example.org]\n"
     "from [Anna Example <anna@example.org>] <anna@example.org> 1\n"
     "to [bob@example.net, Carl <carl@example.net>] 2\n"
     "cc [dora@example.net] 1\n"
     "subject [Hello]\n"
     "date [Wed, 26 Nov 2025 10:00:00 +0100]\n"
     "content-type [text/plain; charset=utf-8]\n"
     "dkim\n"
     "end\n",
     sizeof("Subject: not this one\r\n") - 1},
    {"folded lines, names in any case, blanks before the colon",
     TEXT("SUBJECT : one\r\n two\r\n\tthree\r\nmessage-id:\r\n <a@b>\r\n\r\nx"),
     "subject [one two\tthree]\nmessage-id [a@b]\nend\n", sizeof("x") - 1},
    {"a value that goes on in a line of blanks", TEXT("Subject: a\r\n \r\n b\r\n\r\n"),
     "subject [a  b]\nend\n", 0},
    {"no header at all", TEXT("\r\nSubject: body\r\n"), "end\n", sizeof("Subject: body\r\n") - 1},
    {"a body without the empty line before it", TEXT("Subject: a\r\nHello Bob,\r\nTo: x@y\r\n"),
     "subject [a]\nend\n", sizeof("ob,\r\nTo: x@y\r\n") - 1},
    {"a line that is no field ends the block at once", TEXT("Hello\r\nSubject: a\r\n\r\n"), "end\n",
     sizeof("\nSubject: a\r\n\r\n") - 1},
    {"the first line of a mail file",
     TEXT("From anna@b Wed Nov 26 10:00:00 2025\r\nSubject: a\r\n\r\n"), "subject [a]\nend\n", 0},
    {"lone line feeds", TEXT("Subject: a\n b\nTo: x@y\n\nSubject: c\n"),
     "subject [a b]\nto [x@y] 1\nend\n", sizeof("Subject: c\n") - 1},
    {"a lone CR in a value is kept, before an empty line it ends the block",
     TEXT("Subject: a\rb\r\r\n\rTo: x@y\r\n\r\n"), "subject [a\rb]\nend\n",
     sizeof("o: x@y\r\n\r\n") - 1},
    {"stuffed dots are taken away", TEXT("Subject: a\r\n..b: c\r\n.To: x@y\r\n.\n"),
     "subject [a]\nto [x@y] 1\nend\n", 0},
    {"the message ends inside the block", TEXT("Subject: a\r\nTo: x@y\r\n"),
     "subject [a]\nto [x@y] 1\nend\n", 0},
    {"the message ends inside a value", TEXT("Subject: a long li"),
     "subject [a long li] cut\nend cut\n", 0},
    {"the message ends inside a name", TEXT("Subject: a\r\nMessage-I"), "subject [a]\nend cut\n",
     0},
    {"the message ends behind a CR", TEXT("Subject: a\r\n\r"), "subject [a]\nend cut\n", 0},
    {"an empty value", TEXT("Subject:\r\nTo:\r\n\r\n"), "subject []\nto [] 0\nend\n", 0},
    {"blind recipients, where it came from, and with what",
     TEXT("Bcc: Carl <carl@example.net>,\r\n dora@example.net\r\nX-Originating-IP: [10.1.2.3]\r\n"
          "User-Agent: Thing 1.2\r\nX-Mailer: Other\r\nX-Originating-IP-More: no\r\n\r\n"),
     "bcc [Carl <carl@example.net>, dora@example.net] <carl@example.net> 2\n"
     "originating-ip [[10.1.2.3]]\nmailer [Thing 1.2]\nmailer [Other]\nend\n",
     0},
    {"an id without brackets", TEXT("Message-ID: a@b\r\n\r\n"), "message-id [a@b]\nend\n", 0},
    {"an id with a comment around it", TEXT("Message-ID: x <a@b> (y)\r\n\r\n"),
     "message-id [a@b]\nend\n", 0},
    {"groups hold no address of their own",
     TEXT("To: undisclosed-recipients:;\r\nCc: team: a@b, c@d;, e@f\r\n\r\n"),
     "to [undisclosed-recipients:;] 0\ncc [team: a@b, c@d;, e@f] 3\nend\n", 0},
    {"commas in quotes, comments and routes separate nothing",
     TEXT("To: \"Doe, \\\"J\\\", x\" <j@d>, (a, (b), c) k@d, <@x,@y:l@d>\r\n\r\n"),
     "to [\"Doe, \\\"J\\\", x\" <j@d>, (a, (b), c) k@d, <@x,@y:l@d>] 3\nend\n", 0},
    {"the sender's address without what stands around it",
     TEXT("From: (x) \"A <a@b>\" <anna@example.org> (y), z@w\r\n\r\n"),
     "from [(x) \"A <a@b>\" <anna@example.org> (y), z@w] <anna@example.org> 2\nend\n", 0},
    {"a bare address with a comment", TEXT("From: anna@example.org (Anna)\r\n\r\n"),
     "from [anna@example.org (Anna)] <anna@example.org> 1\nend\n", 0},
    {"encoded words, adjacent ones joined",
     TEXT("Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n =?utf-8?q?_aus_K=C3=B6ln?= now\r\n\r\n"),
     "subject [Gr\xC3\xBC\xC3\x9F"
     "e aus K\xC3\xB6ln now]\nend\n",
     0},
    {"a character cut between two words",
     TEXT("Subject: =?utf-8?Q?a=C3?= =?utf-8?Q?=A4b?=\r\n\r\n"),
     "subject [a\xC3\xA4"
     "b]\nend\n",
     0},
    {"ISO-8859-1, ISO-8859-15 and windows-1252 with a language",
     TEXT("Subject: =?ISO-8859-1?Q?=E4=80?= =?iso-8859-15*de?q?=A4?= "
          "=?Windows-1252?B?gA==?=\r\n\r\n"),
     "subject [\xC3\xA4\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC]\nend\n", 0},
    {"an unknown character set stays as it is, and so does the blank before it",
     TEXT("Subject: =?utf-8?q?a?= =?x-strange?Q?=E4?= b\r\n\r\n"),
     "subject [a =?x-strange?Q?=E4?= b]\nend\n", 0},
    {"what only looks like an encoded word",
     TEXT("Subject: =?utf-8?B?$$$?= =?utf-8?x?a?= =?utf-8?q?open =! 1=2 =?\r\n\r\n"),
     "subject [=?utf-8?B?$$$?= =?utf-8?x?a?= =?utf-8?q?open =! 1=2 =?]\nend\n", 0},
    {"a name in encoded words", TEXT("From: =?utf-8?q?J=C3=B6rg?= <j@example.org>\r\n\r\n"),
     "from [J\xC3\xB6rg <j@example.org>] <j@example.org> 1\nend\n", 0},
    {"raw UTF-8 (RFC 6532) and other octets pass", TEXT("Subject: \xC3\xA4 \xE4\r\n\r\n"),
     "subject [\xC3\xA4 \xE4]\nend\n", 0},
    {"one that is no name ends the block", TEXT("Sub\xC3\xA4ject: a\r\n\r\n"), "end\n",
     sizeof("\xA4ject: a\r\n\r\n") - 1},
};

static void run(struct mime_log *log, struct sw_span octets, size_t split)
{
    mime_log_begin(log, true);
    mime_feed(&log->state, sw_span_sub(octets, 0, split), &log->sink);
    mime_feed(&log->state, sw_span_from(octets, split), &log->sink);
    mime_end(&log->state, &log->sink);
}

static void test_dialogues(void **test)
{
    static struct mime_log log;
    (void)test;
    for (size_t i = 0; i < sizeof(dialogues) / sizeof(dialogues[0]); i++) {
        const struct dialogue *d = &dialogues[i];
        for (size_t split = 0; split <= d->octets.len; split++) {
            run(&log, d->octets, split);
            assert_int_equal(log.end_octets, d->octets.len - d->behind);
            if (strcmp(log.text, d->log) != 0)
                fail_msg("%s, split at %zu:\n%s\nwanted:\n%s", d->about, split, log.text, d->log);
        }
        mime_log_begin(&log, true);
        for (size_t at = 0; at < d->octets.len; at++)
            mime_feed(&log.state, sw_span_sub(d->octets, at, 1), &log.sink);
        mime_end(&log.state, &log.sink);
        assert_int_equal(log.end_octets, d->octets.len - d->behind);
        if (strcmp(log.text, d->log) != 0)
            fail_msg("%s, byte by byte:\n%s\nwanted:\n%s", d->about, log.text, d->log);
    }
}

static void test_chunks_are_not_stuffed(void **test)
{
    static struct mime_log log;
    (void)test;
    mime_log_begin(&log, false);
    mime_feed(&log.state, TEXT("Subject: a\r\n.To: x@y\r\n\r\n"), &log.sink);
    assert_string_equal(log.text, "subject [a]\nend\n"); /* ".To" is another field */
}

static void test_gap_ends_the_block(void **test)
{
    static struct mime_log log;
    (void)test;
    mime_log_begin(&log, true);
    mime_feed(&log.state, TEXT("Subject: a\r\nTo: x@y, z"), &log.sink);
    mime_gap(&log.state, &log.sink);
    mime_feed(&log.state, TEXT("Date: b\r\n\r\n"), &log.sink);
    mime_end(&log.state, &log.sink);
    assert_string_equal(log.text, "subject [a]\nto [x@y, z] cut 2\nend cut\n");
    assert_true(mime_is_done(&log.state));
}

static void test_long_value_is_cut_and_counted(void **test)
{
    static struct mime_log log;
    (void)test;
    mime_log_begin(&log, true);
    mime_feed(&log.state, TEXT("To: a@b"), &log.sink);
    for (int i = 1; i < 1000; i++)
        mime_feed(&log.state, TEXT(",\r\n a@b"), &log.sink);
    mime_feed(&log.state, TEXT("\r\n\r\n"), &log.sink);
    assert_true(strlen(log.text) < 1100);
    assert_non_null(strstr(log.text, "] cut 1000\n"));
}

static void test_endless_block_is_given_up(void **test)
{
    static struct mime_log log;
    (void)test;
    mime_log_begin(&log, true);
    for (int i = 0; i < MIME_HEADER_BYTES / 8; i++)
        mime_feed(&log.state, TEXT("X: abc\r\n"), &log.sink);
    assert_true(mime_is_done(&log.state));
    assert_string_equal(log.text, "end cut\n");
    assert_int_equal(log.end_octets, MIME_HEADER_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialogues),
        cmocka_unit_test(test_chunks_are_not_stuffed),
        cmocka_unit_test(test_gap_ends_the_block),
        cmocka_unit_test(test_long_value_is_cut_and_counted),
        cmocka_unit_test(test_endless_block_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
