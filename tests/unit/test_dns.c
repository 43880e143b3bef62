#include "dissectors/dns/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* What the sink heard, as text. */
struct heard {
    char text[4096];
    size_t used;
};

static void say(struct heard *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct heard *h, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(h->text + h->used, sizeof(h->text) - h->used, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof(h->text) - h->used);
    h->used += (size_t)n;
}

static void on_message(void *ctx, const struct dns_message *m, struct sw_at at)
{
    say(ctx, "%s %u %s type %u rcode %u%s @%llu\n", m->response ? "answer" : "query", m->id,
        m->name.text, m->type, m->rcode, m->truncated ? " tc" : "", (unsigned long long)at.offset);
}

static void on_record(void *ctx, const struct dns_message *m, const struct dns_record *r)
{
    (void)m;
    say(ctx, " %d %s type %u", (int)r->section, r->owner->text, r->type);
    if (r->type == DNS_A)
        say(ctx, " %u.%u.%u.%u", r->address[0], r->address[1], r->address[2], r->address[3]);
    if (r->type == DNS_AAAA)
        say(ctx, " %02x%02x..%02x", r->address[0], r->address[1], r->address[15]);
    if (r->target)
        say(ctx, " %u %u '%s'%s", r->preference, r->port, r->target->text,
            r->null_mx ? " null" : "");
    if (r->text.len > 0)
        say(ctx, " text %zu", r->text.len);
    say(ctx, "\n");
}

static void on_end(void *ctx, const struct dns_message *m, bool broken)
{
    (void)m;
    say(ctx, "%s\n", broken ? "broken" : "end");
}

static struct dns_sink sink_of(struct heard *h)
{
    return (struct dns_sink){h, on_message, on_record, on_end};
}

/* Parts of messages about "Mail.Example.org", whose records name it by a pointer to offset 12. */
#define QUESTION                                                                                   \
    "\x04Mail\x07"                                                                                 \
    "Example\x03org\x00"
#define HEAD(flags, an, ar) "\x12\x34" flags "\x00\x01\x00" an "\x00\x00\x00" ar
#define RR(type, length, data) "\xC0\x0C\x00" type "\x00\x01\x00\x00\x00\x3C\x00" length data
static const char null_mx[] =
    HEAD("\x81\x80", "\x01", "\x00") QUESTION "\x00\x0F\x00\x01" RR("\x0F", "\x03", "\x00\x00\x00");

static const char nxdomain[] = HEAD("\x81\x83", "\x00", "\x00") QUESTION "\x00\x1C\x00\x01";

static struct sw_span span(const char *bytes, size_t size_with_nul)
{
    return sw_span_make(bytes, size_with_nul - 1);
}

static bool read_all(struct heard *h, struct sw_span bytes)
{
    h->used = 0;
    h->text[0] = '\0';
    struct dns_sink sink = sink_of(h);
    return dns_read(bytes, (struct sw_at){0}, &sink);
}

static void test_answers_of_every_kind(void **state)
{
    (void)state;
    static const char good[] = HEAD("\x81\x80", "\x06", "\x02") QUESTION "\x00\x01\x00\x01" RR(
        "\x05", "\x05", "\x02mx\xC0\x11") RR("\x01", "\x04", "\xC6\x33\x64\x19")
        RR("\x1C", "\x10", "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x19")
            RR("\x0F", "\x04", "\x00\x0A\xC0\x2E") RR("\x10", "\x09", "\x08v=STSv1;")
                RR("\x21", "\x08", "\0\1\0\2\2\x4B\xC0\x11") "\x00\x00\x29\x10\x00\x00\x00\x00\x00"
                                                             "\x00\x00" RR("\x34", "\x05",
                                                                           "\x03\x01\x01\xAB\xCD");
    struct heard h;
    assert_true(read_all(&h, span(good, sizeof(good))));
    assert_string_equal(h.text, "answer 4660 mail.example.org type 1 rcode 0 @0\n"
                                " 0 mail.example.org type 5 0 0 'mx.example.org'\n"
                                " 0 mail.example.org type 1 198.51.100.25\n"
                                " 0 mail.example.org type 28 2001..19\n"
                                " 0 mail.example.org type 15 10 0 'mx.example.org'\n"
                                " 0 mail.example.org type 16 text 8\n"
                                " 0 mail.example.org type 33 1 587 'example.org'\n"
                                " 2 mail.example.org type 52 text 5\n"
                                "end\n");
}

static void test_refusals(void **state)
{
    (void)state;
    struct heard h;
    assert_true(read_all(&h, span(nxdomain, sizeof(nxdomain))));
    assert_string_equal(h.text, "answer 4660 mail.example.org type 28 rcode 3 @0\nend\n");
    assert_true(read_all(&h, span(null_mx, sizeof(null_mx))));
    assert_string_equal(h.text, "answer 4660 mail.example.org type 15 rcode 0 @0\n"
                                " 0 mail.example.org type 15 0 0 '' null\nend\n");
}

static void test_what_is_no_dns(void **state)
{
    (void)state;
    struct heard h;
    assert_false(read_all(&h, sw_span_str("220 mail.example.org")));
    static const char notify[] = HEAD("\x24\x00", "\x00", "\x00") QUESTION "\x00\x06\x00\x01";
    assert_false(read_all(&h, span(notify, sizeof(notify))));
    static const char chaos[] = HEAD("\x01\x00", "\x00", "\x00") QUESTION "\x00\x10\x00\x03";
    assert_false(read_all(&h, span(chaos, sizeof(chaos))));
    assert_int_equal(h.used, 0);
}

/* Cut at every octet: never more than the whole says, and `broken` where a record is missing. */
static void test_every_cut(void **state)
{
    (void)state;
    struct heard whole;
    struct heard h;
    struct sw_span bytes = span(null_mx, sizeof(null_mx));
    assert_true(read_all(&whole, bytes));
    size_t question = 12 + sizeof(QUESTION) - 1 + 4;
    for (size_t n = 0; n < bytes.len; n++) {
        bool read = read_all(&h, sw_span_sub(bytes, 0, n));
        assert_int_equal(read, n >= question);
        if (!read)
            continue;
        assert_string_equal(h.text, "answer 4660 mail.example.org type 15 rcode 0 @0\nbroken\n");
    }
}

static void test_pointers_that_loop(void **state)
{
    (void)state;
    struct heard h;
    static const char itself[] = HEAD("\x01\x00", "\x00", "\x00") "\xC0\x0C\x00\x01\x00\x01";
    static const char forward[] =
        HEAD("\x01\x00", "\x00", "\x00") "\xC0\x0E\x03www\x00\x00\x01\x00\x01";
    static const char outside[] = HEAD("\x01\x00", "\x00", "\x00") "\xFF\xFF\x00\x01\x00\x01";
    static const char reserved[] = HEAD("\x01\x00", "\x00", "\x00") "\x41xx\x00\x00\x01\x00\x01";
    assert_false(read_all(&h, span(itself, sizeof(itself))));
    assert_false(read_all(&h, span(forward, sizeof(forward))));
    assert_false(read_all(&h, span(outside, sizeof(outside))));
    assert_false(read_all(&h, span(reserved, sizeof(reserved))));
}

/* A ladder of pointers, each to the one before: every name is cut off after so many steps. */
static void test_a_ladder_of_pointers(void **state)
{
    (void)state;
    static uint8_t bytes[60000];
    size_t n = 12;
    memcpy(bytes, HEAD("\x81\x80", "\xFF", "\x00"), 12);
    bytes[n++] = 0;
    memcpy(bytes + n, "\x00\x01\x00\x01", 4);
    n += 4;
    size_t owner = 12;
    for (int i = 0; i < 255; i++) {
        size_t here = n;
        bytes[n++] = (uint8_t)(0xC0 | owner >> 8);
        bytes[n++] = (uint8_t)owner;
        memcpy(bytes + n, "\x00\x01\x00\x01\x00\x00\x00\x3C\x00\x04\x01\x02\x03\x04", 14);
        n += 14;
        owner = here;
    }
    struct heard h;
    assert_true(read_all(&h, sw_span_make(bytes, n)));
    assert_non_null(strstr(h.text, "broken"));
    size_t records = 0;
    for (const char *at = h.text; (at = strstr(at, "1.2.3.4")); at++)
        records++;
    assert_int_equal(records, 32);
}

static void test_names_are_escaped_and_capped(void **state)
{
    (void)state;
    struct heard h;
    static const char odd[] =
        HEAD("\x01\x00", "\x00", "\x00") "\x05"
                                         "a.b\x1B\xFF\x03org\x00\x00\x01\x00\x01";
    assert_true(read_all(&h, span(odd, sizeof(odd))));
    assert_non_null(strstr(h.text, "query 4660 a\\046b\\027\\255.org type 1"));

    uint8_t bytes[400] = HEAD("\x01\x00", "\x00", "\x00");
    size_t n = 12;
    for (int label = 0; label < 3; label++) {
        bytes[n++] = 63;
        memset(bytes + n, 0x01, 63);
        n += 63;
    }
    memcpy(bytes + n, "\x00\x00\x01\x00\x01", 5);
    assert_true(read_all(&h, sw_span_make(bytes, n + 5)));
    assert_true(h.used < DNS_NAME_BYTES + 60);
    n = 12;
    for (int label = 0; label < 5; label++) { /* 320 octets: RFC 1035 section 2.3.4 */
        bytes[n++] = 63;
        memset(bytes + n, 'a', 63);
        n += 63;
    }
    memcpy(bytes + n, "\x00\x00\x01\x00\x01", 5);
    assert_false(read_all(&h, sw_span_make(bytes, n + 5)));
}

/* Two messages in one stream, cut in two at every octet and octet by octet. */
static void test_a_stream_at_every_split(void **state)
{
    (void)state;
    uint8_t bytes[512];
    size_t n = 0;
    struct sw_span both[] = {span(null_mx, sizeof(null_mx)), span(nxdomain, sizeof(nxdomain))};
    for (int i = 0; i < 2; i++) {
        bytes[n++] = 0;
        bytes[n++] = (uint8_t)both[i].len;
        memcpy(bytes + n, both[i].ptr, both[i].len);
        n += both[i].len;
    }
    static struct heard whole, cut;
    struct dns_sink sink = sink_of(&whole);
    static struct dns_stream stream;
    struct sw_piece piece = {SW_FROM_SERVER, {100, 1, 0}, sw_span_make(bytes, n)};
    dns_stream_feed(&stream, &piece, &sink);
    assert_non_null(strstr(whole.text, "type 28 rcode 3"));
    assert_non_null(strstr(whole.text, "@100\n"));
    sink.ctx = &cut;
    for (size_t at = 0; at <= n; at++) {
        stream = (struct dns_stream){0};
        cut.used = 0;
        struct sw_piece first = {SW_FROM_SERVER, {100, 1, 0}, sw_span_sub(piece.bytes, 0, at)};
        struct sw_piece rest = {SW_FROM_SERVER, {100 + at, 1, 0}, sw_span_from(piece.bytes, at)};
        dns_stream_feed(&stream, &first, &sink);
        dns_stream_feed(&stream, &rest, &sink);
        assert_string_equal(cut.text, whole.text);
    }
    stream = (struct dns_stream){0};
    cut.used = 0;
    for (size_t at = 0; at < n; at++) {
        struct sw_piece one = {SW_FROM_SERVER, {100 + at, 1, 0}, sw_span_sub(piece.bytes, at, 1)};
        dns_stream_feed(&stream, &one, &sink);
    }
    assert_string_equal(cut.text, whole.text);
}

static void test_a_stream_behind_a_gap(void **state)
{
    (void)state;
    static struct heard h;
    struct dns_sink sink = sink_of(&h);
    static struct dns_stream stream;
    struct sw_piece piece = {SW_FROM_SERVER,
                             {0},
                             sw_span_make("\0\x1C"
                                          "abc",
                                          5)};
    dns_stream_feed(&stream, &piece, &sink);
    dns_stream_gap(&stream);
    dns_stream_feed(&stream, &piece, &sink);
    assert_int_equal(h.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_of_every_kind),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_what_is_no_dns),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_pointers_that_loop),
        cmocka_unit_test(test_a_ladder_of_pointers),
        cmocka_unit_test(test_names_are_escaped_and_capped),
        cmocka_unit_test(test_a_stream_at_every_split),
        cmocka_unit_test(test_a_stream_behind_a_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
