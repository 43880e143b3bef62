/* Every kind of pcapng block, and damage of every kind: what stands behind it is still read. */
#include "capture/capture.h"
#include "support/saved.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { ETHERNET = 1, SLL = 113, STRANGE = 147, ENHANCED = 6 };

/* What came out of a capture: a line for each frame and each call of a sink. */
struct story {
    char text[4096];
    size_t used;
};

static void tell(struct story *story, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void tell(struct story *story, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n =
        vsnprintf(story->text + story->used, sizeof(story->text) - story->used, format, arguments);
    va_end(arguments);
    assert_true(n >= 0 && (size_t)n < sizeof(story->text) - story->used);
    story->used += (size_t)n;
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
    tell(ctx, "comment %" PRIu64 " %.*s\n", frame, (int)text.len, (const char *)text.ptr);
}

/* Reads a whole capture and says what it held. */
static void read_all(const char *path, struct story *story)
{
    const struct sw_capture_options options = {
        .sinks = {story, on_secrets, on_name, on_comment},
    };
    struct sw_capture *capture = NULL;
    struct sw_status status = sw_capture_open(path, &options, &capture);
    if (status.code != SW_OK) {
        tell(story, "not opened\n");
        return;
    }
    for (;;) {
        struct sw_frame frame;
        status = sw_capture_next(capture, &frame);
        if (status.code == SW_OK)
            tell(story, "%" PRIu64 " i%u l%d t%" PRId64 " %u/%u %c\n", frame.number,
                 frame.interface, frame.link_type, frame.time_ns, frame.caplen, frame.len,
                 frame.caplen > 0 ? frame.bytes[0] : '-');
        else if (status.code == SW_DAMAGED)
            tell(story, "damaged %" PRIu64 "\n", status.offset_bytes);
        else
            break;
    }
    if (status.code != SW_END) {
        tell(story, "status %d\n", status.code);
        struct sw_frame frame;
        assert_int_equal(sw_capture_next(capture, &frame).code, SW_END); /* said once */
    }
    const struct sw_capture_counters *count = sw_capture_count(capture);
    if (count->drops > 0)
        tell(story, "drops %" PRIu64 "\n", count->drops);
    sw_capture_close(capture);
}

static void assert_story(struct saved *s, const char *expected)
{
    struct story story = {.used = 0};
    read_all(saved_write(s), &story);
    (void)unlink(s->path);
    assert_string_equal(story.text, expected);
}

static struct saved *begin(bool big)
{
    struct saved *s = saved_new();
    s->big = big;
    saved_section(s);
    saved_interface(s, ETHERNET, 65535, SAVED_NO_TSRESOL);
    return s;
}

static void test_interfaces_that_differ(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct saved *s = begin(big);
        saved_packet(s, 0, 5, 21, 21, 'a');
        saved_interface(s, SLL, 96, 9);
        saved_packet(s, 1, 7, 22, 30, 'b');
        saved_packet(s, 0, 8, 23, 23, 'c');
        assert_story(s, "1 i0 l1 t5000 21/21 a\n"
                        "2 i1 l113 t7 22/30 b\n"
                        "3 i0 l1 t8000 23/23 c\n");
        free(s);
    }
}

static void test_sections_of_both_byte_orders(void **state)
{
    (void)state;
    struct saved *s = begin(false);
    saved_packet(s, 0, 1, 21, 21, 'a');
    s->big = true;
    saved_section(s);
    saved_interface(s, SLL, 65535, SAVED_NO_TSRESOL);
    saved_interface(s, ETHERNET, 65535, SAVED_NO_TSRESOL);
    saved_packet(s, 1, 2, 21, 21, 'b');
    s->big = false;
    saved_section(s);
    saved_interface(s, ETHERNET, 65535, SAVED_NO_TSRESOL);
    saved_packet(s, 0, 3, 21, 21, 'c');
    assert_story(s, "1 i0 l1 t1000 21/21 a\n"
                    "2 i2 l1 t2000 21/21 b\n"
                    "3 i3 l1 t3000 21/21 c\n");
    free(s);
}

static void test_time_offset(void **state)
{
    (void)state;
    static const struct {
        int64_t offset;
        const char *expected;
    } offsets[] = {
        {1700000000, "1 i0 l1 t1700000000000005000 21/21 a\n"},
        {-1, "1 i0 l1 t-999995000 21/21 a\n"},
        {INT64_MAX, "1 i0 l1 t9223372036854775807 21/21 a\n"},
        {INT64_MIN, "1 i0 l1 t-9223372036854775807 21/21 a\n"},
    };
    for (size_t i = 0; i < 4; i++) {
        struct saved *s = saved_new();
        saved_section(s);
        size_t at = saved_begin(s, 1);
        saved_u16(s, ETHERNET);
        saved_u16(s, 0);
        saved_u32(s, 0);
        saved_u16(s, 14);
        saved_u16(s, 8);
        saved_u64(s, (uint64_t)offsets[i].offset);
        saved_option(s, 0, "", 0);
        saved_end(s, at);
        saved_packet(s, 0, 5, 21, 21, 'a');
        assert_story(s, offsets[i].expected);
        free(s);
    }
}

/* A simple packet has no time and is of the first interface; the obsolete one counts drops. */
static void test_simple_and_obsolete_packets(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_section(s);
    saved_interface(s, ETHERNET, 22, SAVED_NO_TSRESOL);
    saved_packet(s, 0, 5, 21, 21, 'a');
    size_t at = saved_begin(s, 3);
    saved_u32(s, 21);
    saved_bytes(s, "bbbbbbbbbbbbbbbbbbbbb", 21);
    saved_end(s, at);
    at = saved_begin(s, 3);
    saved_u32(s, 60); /* cut to the snapshot length, with two bytes of padding */
    saved_bytes(s, "cccccccccccccccccccccc", 22);
    saved_end(s, at);
    for (uint16_t drops = 3; drops < 5; drops++) {
        at = saved_begin(s, 2);
        saved_u16(s, 0);
        saved_u16(s, drops == 3 ? drops : UINT16_MAX); /* not known */
        saved_u32(s, 0);
        saved_u32(s, 9);
        saved_u32(s, 4);
        saved_u32(s, 60);
        saved_bytes(s, "dddd", 4);
        saved_end(s, at);
    }
    assert_story(s, "1 i0 l1 t5000 21/21 a\n"
                    "2 i0 l1 t5000 21/21 b\n"
                    "3 i0 l1 t5000 22/60 c\n"
                    "4 i0 l1 t9000 4/60 d\n"
                    "5 i0 l1 t9000 4/60 d\n"
                    "drops 3\n");
    free(s);
}

static void put_secrets(struct saved *s, uint32_t type, const char *text)
{
    size_t at = saved_begin(s, 10);
    saved_u32(s, type);
    saved_u32(s, (uint32_t)strlen(text));
    saved_bytes(s, text, strlen(text));
    saved_end(s, at);
}

static void test_secrets_names_and_comments(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct saved *s = saved_new();
        s->big = big;
        size_t at = saved_begin(s, 0x0A0D0D0A);
        saved_u32(s, 0x1A2B3C4D);
        saved_u16(s, 1);
        saved_u16(s, 0);
        saved_u64(s, UINT64_MAX);
        saved_option(s, 1, "of the file", 11);
        saved_option(s, 0, "", 0);
        saved_end(s, at);
        saved_interface(s, ETHERNET, 65535, SAVED_NO_TSRESOL);
        put_secrets(s, 0x544C534B, "CLIENT_RANDOM 1 2");
        at = saved_begin(s, 4);
        saved_option(s, 1, "\300\0\2\12mail\0alias\0", 15);
        saved_option(s, 2, "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\5six\0", 20);
        saved_option(s, 77, "?", 1);
        saved_option(s, 0, "", 0);
        saved_end(s, at);
        at = saved_begin(s, ENHANCED);
        saved_u32(s, 0);
        saved_u32(s, 0);
        saved_u32(s, 5);
        saved_u32(s, 3);
        saved_u32(s, 3);
        saved_bytes(s, "xyz\0", 4);
        saved_option(s, 1, "first", 5);
        saved_option(s, 1, "second", 6);
        saved_u16(s, 4); /* dropped before this frame */
        saved_u16(s, 8);
        saved_u64(s, 2);
        saved_end(s, at);
        put_secrets(s, 7, "other");
        saved_packet(s, 0, 6, 21, 21, 'b');
        assert_story(s, "comment 0 of the file\n"
                        "secrets 544c534b CLIENT_RANDOM 1 2\n"
                        "name v4 192...10 mail\n"
                        "name v4 192...10 alias\n"
                        "name v6 32...5 six\n"
                        "comment 1 first\n"
                        "comment 1 second\n"
                        "1 i0 l1 t5000 3/3 x\n"
                        "secrets 00000007 other\n"
                        "2 i0 l1 t6000 21/21 b\n"
                        "drops 2\n");
        free(s);
    }
}

/* Statistics count from the start: the last ones hold, of each interface. */
static void test_statistics(void **state)
{
    (void)state;
    struct saved *s = begin(false);
    saved_interface(s, ETHERNET, 65535, 9);
    for (uint32_t i = 0; i < 4; i++) {
        size_t at = saved_begin(s, 5);
        saved_u32(s, i % 2);
        saved_u64(s, 1);
        saved_u16(s, 5);
        saved_u16(s, 8);
        saved_u64(s, 10 + i);
        saved_u16(s, 7);
        saved_u16(s, 8);
        saved_u64(s, 1);
        saved_option(s, 0, "", 0);
        saved_end(s, at);
    }
    assert_story(s, "drops 27\n"); /* 12 + 1 and 13 + 1 */
    free(s);
}

/* Wireshark gives these a number among the frames, so they get one here. */
static void test_blocks_that_count_as_frames(void **state)
{
    (void)state;
    static const uint32_t counted[] = {0xBAD, 0x40000BAD, 9, 0x204, 0x221};
    static const uint32_t silent[] = {7, 8, 0xBAE, 0x80000001, 0x12345678};
    for (size_t i = 0; i < 5; i++) {
        struct saved *s = begin(false);
        saved_packet(s, 0, 5, 21, 21, 'a');
        saved_block(s, counted[i], "rrrr", 4);
        saved_block(s, silent[i], "rrrr", 4);
        saved_packet(s, 0, 6, 21, 21, 'b');
        assert_story(s, "1 i0 l1 t5000 21/21 a\n"
                        "2 i0 l-1 t5000 4/4 r\n"
                        "3 i0 l1 t6000 21/21 b\n");
        free(s);
    }
}

static void test_link_types_that_nobody_decodes(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_section(s);
    saved_interface(s, STRANGE, 65535, 9);
    assert_story(s, "status 3\n");
    saved_packet(s, 0, 5, 21, 21, 'a');
    assert_story(s, "1 i0 l147 t5 21/21 a\nstatus 3\n");
    saved_interface(s, ETHERNET, 65535, 9);
    saved_packet(s, 1, 6, 21, 21, 'b');
    assert_story(s, "1 i0 l147 t5 21/21 a\n2 i1 l1 t6 21/21 b\nstatus 3\n");
    free(s);
}

/* --- damage: three frames, of which the middle one is hit --- */

struct hit {
    struct saved *s;
    size_t second, third;
};

static struct hit three_frames(bool big)
{
    struct hit hit = {.s = begin(big)};
    saved_packet(hit.s, 0, 1, 21, 21, 'a');
    hit.second = hit.s->len;
    saved_packet(hit.s, 0, 2, 22, 22, 'b');
    hit.third = hit.s->len;
    saved_packet(hit.s, 0, 3, 23, 23, 'c');
    return hit;
}

/* The story with the place of the damage put in where it says "damaged @". */
static void assert_hit(struct hit *hit, const char *story)
{
    struct story expected = {.used = 0};
    const char *at = strchr(story, '@');
    assert_non_null(at);
    tell(&expected, "%.*s%zu%s", (int)(at - story), story, hit->second, at + 1);
    assert_story(hit->s, expected.text);
    free(hit->s);
}

static const char nothing_lost[] = "1 i0 l1 t1000 21/21 a\n"
                                   "damaged @\n"
                                   "2 i0 l1 t2000 22/22 b\n"
                                   "3 i0 l1 t3000 23/23 c\n";
static const char second_lost[] = "1 i0 l1 t1000 21/21 a\n"
                                  "damaged @\n"
                                  "2 i0 l1 t3000 23/23 c\n";

/* One of a block's two lengths is enough. */
static void test_wrong_length_at_one_end(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0, 8, 11, 64, 13, 0x00FFFFFC, 0x7FFFFFFC, UINT32_MAX};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (int big = 0; big < 2; big++) {
            struct hit front = three_frames(big);
            saved_poke(front.s, front.second + 4, lengths[i]);
            assert_hit(&front, nothing_lost);
            struct hit behind = three_frames(big);
            saved_poke(behind.s, behind.third - 4, lengths[i]);
            assert_hit(&behind, nothing_lost);
        }
    }
}

static void test_wrong_length_of_the_last_block(void **state)
{
    (void)state;
    for (int front = 0; front < 2; front++) {
        struct hit hit = three_frames(false);
        saved_poke(hit.s, front ? hit.third + 4 : hit.s->len - 4, 7);
        hit.second = hit.third;
        assert_hit(&hit, "1 i0 l1 t1000 21/21 a\n"
                         "2 i0 l1 t2000 22/22 b\n"
                         "damaged @\n"
                         "3 i0 l1 t3000 23/23 c\n");
    }
}

static void test_wrong_lengths_at_both_ends(void **state)
{
    (void)state;
    struct hit hit = three_frames(false);
    saved_poke(hit.s, hit.second + 4, 99);
    saved_poke(hit.s, hit.third - 4, 98);
    assert_hit(&hit, second_lost);
    struct hit overwritten = three_frames(true);
    memset(overwritten.s->bytes + overwritten.second, 0xEE, overwritten.third - overwritten.second);
    assert_hit(&overwritten, second_lost);
}

static void test_bytes_lost_and_bytes_added(void **state)
{
    (void)state;
    struct hit lost = three_frames(false);
    memmove(lost.s->bytes + lost.second + 30, lost.s->bytes + lost.second + 37,
            lost.s->len - lost.second - 37);
    lost.s->len -= 7;
    assert_hit(&lost, second_lost);
    struct hit added = three_frames(false);
    memmove(added.s->bytes + added.third + 5, added.s->bytes + added.third,
            added.s->len - added.third);
    memset(added.s->bytes + added.third, 0x11, 5);
    added.s->len += 5;
    added.second = added.third;
    assert_hit(&added, "1 i0 l1 t1000 21/21 a\n"
                       "2 i0 l1 t2000 22/22 b\n"
                       "damaged @\n"
                       "3 i0 l1 t3000 23/23 c\n");
}

static void test_wrong_fields_of_a_frame(void **state)
{
    (void)state;
    struct hit interface = three_frames(false);
    saved_poke(interface.s, interface.second + 8, 77);
    assert_hit(&interface, nothing_lost);
    static const uint32_t lengths[] = {25, 0x00FFFFFF, UINT32_MAX};
    for (size_t i = 0; i < 3; i++) {
        struct hit caplen = three_frames(false);
        saved_poke(caplen.s, caplen.second + 20, lengths[i]);
        assert_hit(&caplen, nothing_lost);
    }
}

static void test_interface_that_cannot_be_guessed(void **state)
{
    (void)state;
    struct saved *s = begin(false);
    saved_interface(s, SLL, 65535, 9);
    size_t at = s->len;
    saved_packet(s, 9, 1, 21, 21, 'a');
    saved_packet(s, 0, 1, 22, 22, 'b');
    char expected[100];
    (void)snprintf(expected, sizeof(expected), "damaged %zu\n1 i0 l1 t1000 22/22 b\n", at);
    assert_story(s, expected);
    free(s);
}

/* Blocks that are whole but senseless inside are left out, and said. */
static void test_senseless_contents(void **state)
{
    (void)state;
    static const struct {
        uint32_t type;
        const char *body;
        size_t size;
    } blocks[] = {
        {1, "\1\0", 2},                         /* half an interface */
        {5, "\7\0\0\0\0\0\0\0\0\0\0\0", 12},    /* statistics of interface 7 */
        {6, "\0\0\0\0", 4},                     /* a frame without lengths */
        {10, "KSLT\377\377\377\377secret", 14}, /* secrets beyond the block */
        {4, "\1\0\377\0\300\0\2\1mail", 12},    /* a name beyond the block */
        {0x0A0D0D0A, "\x4D\x3C\x2B\x1A\7\0\0\0\0\0\0\0\0\0\0\0", 16}, /* version 7 */
    };
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        struct saved *s = begin(false);
        size_t at = s->len;
        saved_block(s, blocks[i].type, blocks[i].body, blocks[i].size);
        saved_packet(s, 0, 1, 21, 21, 'a');
        char expected[100];
        (void)snprintf(expected, sizeof(expected), "damaged %zu\n1 i0 l1 t1000 21/21 a\n", at);
        assert_story(s, expected);
        free(s);
    }
}

/* A file of nothing but damage ends, and soon. */
static void test_damage_without_end(void **state)
{
    (void)state;
    struct saved *s = begin(false);
    for (int i = 0; i < 1000; i++)
        saved_block(s, ENHANCED, "\0\0\0\0", 4);
    struct sw_capture *capture = NULL;
    const struct sw_capture_options options = {0};
    assert_int_equal(sw_capture_open(saved_write(s), &options, &capture).code, SW_OK);
    struct sw_frame frame;
    struct sw_status status;
    int damaged = 0;
    while ((status = sw_capture_next(capture, &frame)).code == SW_DAMAGED)
        damaged++;
    assert_int_equal(status.code, SW_END);
    assert_true(damaged > 90 && damaged < 110);
    sw_capture_close(capture);
    saved_remove(s);
}

static void test_filter_of_several_link_types(void **state)
{
    (void)state;
    struct saved *s = begin(false);
    saved_interface(s, SLL, 65535, 9);
    for (uint32_t i = 0; i < 6; i++)
        saved_packet(s, i % 2, i, 20 + i, 20 + i, 'a');
    const struct sw_capture_options options = {.filter = "greater 23"};
    struct sw_capture *capture = NULL;
    assert_int_equal(sw_capture_open(saved_write(s), &options, &capture).code, SW_OK);
    struct sw_frame frame;
    for (uint64_t number = 4; number <= 6; number++) {
        assert_int_equal(sw_capture_next(capture, &frame).code, SW_OK);
        assert_int_equal(frame.number, number);
    }
    assert_int_equal(sw_capture_next(capture, &frame).code, SW_END);
    assert_int_equal(sw_capture_count(capture)->filtered, 3);
    sw_capture_close(capture);
    /* One that makes sense for one of them only: said where the other interface comes. */
    const struct sw_capture_options ether = {.filter = "ether broadcast"};
    struct sw_status status = sw_capture_open(s->path, &ether, &capture);
    assert_int_equal(status.code, SW_USAGE);
    assert_non_null(strstr(status.message, "ether broadcast"));
    saved_remove(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interfaces_that_differ),
        cmocka_unit_test(test_sections_of_both_byte_orders),
        cmocka_unit_test(test_time_offset),
        cmocka_unit_test(test_simple_and_obsolete_packets),
        cmocka_unit_test(test_secrets_names_and_comments),
        cmocka_unit_test(test_statistics),
        cmocka_unit_test(test_blocks_that_count_as_frames),
        cmocka_unit_test(test_link_types_that_nobody_decodes),
        cmocka_unit_test(test_wrong_length_at_one_end),
        cmocka_unit_test(test_wrong_length_of_the_last_block),
        cmocka_unit_test(test_wrong_lengths_at_both_ends),
        cmocka_unit_test(test_bytes_lost_and_bytes_added),
        cmocka_unit_test(test_wrong_fields_of_a_frame),
        cmocka_unit_test(test_interface_that_cannot_be_guessed),
        cmocka_unit_test(test_senseless_contents),
        cmocka_unit_test(test_damage_without_end),
        cmocka_unit_test(test_filter_of_several_link_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
