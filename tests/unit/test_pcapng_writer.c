/* What the writer writes is what the reader reads; a block's bytes are those of the draft. */
#include "base/time.h"
#include "capture/capture.h"
#include "capture/pcapng_writer.h"
#include "support/saved.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { ETHERNET = 1, RAW = 12 };

static void put(void *ctx, struct sw_span bytes)
{
    saved_bytes(ctx, bytes.ptr, bytes.len);
}

struct story {
    char text[4096];
};

static void tell(struct story *story, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void tell(struct story *story, const char *format, ...)
{
    size_t used = strlen(story->text);
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(story->text + used, sizeof(story->text) - used, format, arguments);
    va_end(arguments);
    assert_true(n >= 0 && (size_t)n < sizeof(story->text) - used);
}

static void on_secrets(void *ctx, uint32_t type, struct sw_span secrets)
{
    tell(ctx, "secrets %08" PRIx32 " %.*s\n", type, (int)secrets.len, (const char *)secrets.ptr);
}

static void on_name(void *ctx, int ip_version, struct sw_span address, struct sw_span name)
{
    tell(ctx, "name v%d %u...%u %.*s\n", ip_version, address.ptr[0], address.ptr[address.len - 1],
         (int)name.len, (const char *)name.ptr);
}

static void on_comment(void *ctx, uint64_t frame, struct sw_span text)
{
    if (text.len < 100)
        tell(ctx, "comment %" PRIu64 " %.*s\n", frame, (int)text.len, (const char *)text.ptr);
    else
        tell(ctx, "comment %" PRIu64 " of %zu bytes, last %02x\n", frame, text.len,
             text.ptr[text.len - 1]);
}

static void assert_reads(struct saved *s, const char *expected)
{
    struct story story = {.text = ""};
    const struct sw_capture_options options = {.sinks = {&story, on_secrets, on_name, on_comment}};
    struct sw_capture *capture = NULL;
    struct sw_frame frame;
    struct sw_status status = sw_capture_open(saved_write(s), &options, &capture);
    assert_int_equal(status.code, SW_OK);
    while ((status = sw_capture_next(capture, &frame)).code == SW_OK)
        tell(&story, "%" PRIu64 " i%u l%d t%" PRId64 ".%u %u/%u -%u %.*s\n", frame.number,
             frame.interface, frame.link_type, frame.time_ns, frame.time_digits, frame.caplen,
             frame.len, frame.drops, (int)frame.caplen, (const char *)frame.bytes);
    assert_int_equal(status.code, SW_END);
    if (sw_capture_count(capture)->drops > 0)
        tell(&story, "drops %" PRIu64 "\n", sw_capture_count(capture)->drops);
    sw_capture_close(capture);
    (void)unlink(s->path);
    assert_string_equal(story.text, expected);
}

static struct sw_frame frame_of(int64_t time_ns, const char *text)
{
    size_t len = strlen(text);
    return (struct sw_frame){.time_ns = time_ns,
                             .bytes = (const uint8_t *)text,
                             .caplen = (uint32_t)len,
                             .len = (uint32_t)len + 10};
}

static void test_everything_comes_back(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    struct sw_pcapng_writer w = {.put = put, .ctx = s};
    const struct sw_span said[] = {SW_SPAN_LIT("one"), SW_SPAN_LIT("and two")};
    const struct sw_pcapng_comments comments = {said, 2};
    sw_pcapng_put_section(&w, &(struct sw_pcapng_section_info){
                                  .system = "Linux", .application = "test", .comments = {said, 1}});
    sw_pcapng_put_secrets(&w, SW_SECRETS_TLS_KEY_LOG, SW_SPAN_LIT("CLIENT_RANDOM x"));
    const struct sw_pcapng_name names[] = {
        {.ip_version = 4, .bytes = {192, 0, 2, 7}, .name = SW_SPAN_LIT("mx.example")},
        {.ip_version = 4, .bytes = {1}, .name = SW_SPAN_LIT("a\0b")},
        {.ip_version = 6, .bytes = {32, [15] = 9}, .name = SW_SPAN_LIT("v6.example")},
    };
    sw_pcapng_put_names(&w, names, 3);
    uint32_t first = sw_pcapng_put_interface(
        &w, &(struct sw_pcapng_interface_info){
                .link_type = ETHERNET, .time_digits = 6, .name = "eth0", .filter = "tcp"});
    uint32_t second = sw_pcapng_put_interface(
        &w, &(struct sw_pcapng_interface_info){.link_type = RAW, .snaplen = 96, .time_digits = 9});
    struct sw_frame frame = frame_of(INT64_C(1700000000123456789), "abcde");
    sw_pcapng_put_frame(&w, first, 6, &frame, &comments, 0);
    sw_pcapng_put_frame(&w, second, 9, &frame, NULL, 3);
    frame = frame_of(-5, "");
    sw_pcapng_put_frame(&w, second, 9, &frame, NULL, 0);
    sw_pcapng_put_statistics(&w, first, 6,
                             &(struct sw_pcapng_statistics_info){.start_ns = SW_TIME_NONE,
                                                                 .end_ns = SW_TIME_NONE,
                                                                 .dropped_by_interface = 4,
                                                                 .dropped_by_system = 5});
    assert_int_equal(w.bytes, s->len);
    assert_reads(s, "comment 0 one\n"
                    "secrets 544c534b CLIENT_RANDOM x\n"
                    "name v4 192...7 mx.example\n"
                    "name v6 32...9 v6.example\n"
                    "comment 1 one\n"
                    "comment 1 and two\n"
                    "1 i0 l1 t1700000000123456000.6 5/15 -0 abcde\n"
                    "2 i1 l12 t1700000000123456789.9 5/15 -3 abcde\n"
                    "3 i1 l12 t0.9 0/10 -0 \n"
                    "drops 12\n");
    saved_remove(s);
}

/* A new section numbers its interfaces anew. */
static void test_sections_follow_each_other(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    struct sw_pcapng_writer w = {.put = put, .ctx = s};
    for (int i = 0; i < 2; i++) {
        struct sw_frame frame = frame_of(1000, "x");
        sw_pcapng_put_section(&w, &(struct sw_pcapng_section_info){.system = NULL});
        uint32_t interface = sw_pcapng_put_interface(
            &w, &(struct sw_pcapng_interface_info){.link_type = ETHERNET, .time_digits = 6});
        assert_int_equal(interface, 0);
        sw_pcapng_put_frame(&w, interface, 6, &frame, NULL, 0);
    }
    assert_reads(s, "1 i0 l1 t1000.6 1/11 -0 x\n2 i1 l1 t1000.6 1/11 -0 x\n");
    saved_remove(s);
}

/* An option's length has 16 bits; the cut falls between two characters. */
static void test_long_comment_is_cut(void **state)
{
    (void)state;
    static char text[70001];
    struct saved *s = saved_new();
    struct sw_pcapng_writer w = {.put = put, .ctx = s};
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    const struct sw_span said = sw_span_str(text);
    struct sw_frame frame = frame_of(1000, "x");
    sw_pcapng_put_section(&w, &(struct sw_pcapng_section_info){.system = NULL});
    (void)sw_pcapng_put_interface(
        &w, &(struct sw_pcapng_interface_info){.link_type = ETHERNET, .time_digits = 6});
    sw_pcapng_put_frame(&w, 0, 6, &frame, &(struct sw_pcapng_comments){&said, 1}, 0);
    assert_reads(s, "comment 1 of 65534 bytes, last a4\n1 i0 l1 t1000.6 1/11 -0 x\n");
    saved_remove(s);
}

/* draft-ietf-opsawg-pcapng, 4.3: block type 6, fields as drawn there, little-endian. */
static void test_bytes_of_a_frame(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    struct sw_pcapng_writer w = {.put = put, .ctx = s};
    struct sw_frame frame = frame_of(INT64_C(0x100000002) * 1000, "abcde");
    static const uint8_t expected[] = {6,   0,   0,   0,   40,  0, 0, 0, 0,  0, 0,  0, 1, 0,
                                       0,   0,   2,   0,   0,   0, 5, 0, 0,  0, 15, 0, 0, 0,
                                       'a', 'b', 'c', 'd', 'e', 0, 0, 0, 40, 0, 0,  0};
    sw_pcapng_put_frame(&w, 0, 6, &frame, NULL, 0);
    assert_int_equal(s->len, sizeof(expected));
    assert_memory_equal(s->bytes, expected, sizeof(expected));
    saved_remove(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_comes_back),
        cmocka_unit_test(test_sections_follow_each_other),
        cmocka_unit_test(test_long_comment_is_cut),
        cmocka_unit_test(test_bytes_of_a_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
