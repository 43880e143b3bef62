/* Reading saved captures: formats, numbers, times, filters, and damage with its offset. */
#include "capture/capture.h"
#include "support/saved.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { MICRO = (int)0xA1B2C3D4, NANO = (int)0xA1B23C4D, MODIFIED = (int)0xA1B2CD34, ETHERNET = 1 };

static const struct sw_capture_options everything = {0};

static struct sw_capture *open_path(const char *path)
{
    struct sw_capture *capture = NULL;
    struct sw_status status = sw_capture_open(path, &everything, &capture);
    if (status.code != SW_OK)
        fail_msg("%s", status.message);
    assert_non_null(capture);
    return capture;
}

static void assert_frame(struct sw_capture *capture, uint64_t number, int64_t time_ns,
                         uint32_t caplen, uint32_t len, uint8_t fill)
{
    struct sw_frame frame;
    struct sw_status status = sw_capture_next(capture, &frame);
    if (status.code != SW_OK)
        fail_msg("frame %" PRIu64 ": %s", number, status.message);
    assert_int_equal(frame.number, number);
    assert_int_equal(frame.time_ns, time_ns);
    assert_int_equal(frame.caplen, caplen);
    assert_int_equal(frame.len, len);
    assert_int_equal(frame.interface, 0);
    for (uint32_t i = 0; i < caplen; i++)
        assert_int_equal(frame.bytes[i], fill);
}

static void assert_end(struct sw_capture *capture)
{
    struct sw_frame frame;
    assert_int_equal(sw_capture_next(capture, &frame).code, SW_END);
}

static uint8_t digits_of_first(const char *path)
{
    struct sw_capture *capture = open_path(path);
    struct sw_frame frame;
    assert_int_equal(sw_capture_next(capture, &frame).code, SW_OK);
    sw_capture_close(capture);
    return frame.time_digits;
}

static void test_pcap_in_both_byte_orders(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        for (int nano = 0; nano < 2; nano++) {
            struct saved *s = saved_new();
            s->big = big;
            saved_pcap(s, (uint32_t)(nano ? NANO : MICRO), 65535, ETHERNET);
            saved_record(s, 1700000000, 123456, 60, 60, 'a');
            saved_record(s, 1700000001, 7, 20, 1500, 'b');
            struct sw_capture *capture = open_path(saved_write(s));
            int64_t unit = nano ? 1 : 1000;
            assert_frame(capture, 1, 1700000000000000000 + 123456 * unit, 60, 60, 'a');
            assert_frame(capture, 2, 1700000001000000000 + 7 * unit, 20, 1500, 'b');
            assert_end(capture);
            const struct sw_capture_counters *count = sw_capture_count(capture);
            assert_int_equal(count->frames, 2);
            assert_int_equal(count->bytes, 80);
            assert_int_equal(count->filtered, 0);
            assert_int_equal(count->drops, 0);
            sw_capture_close(capture);
            assert_int_equal(digits_of_first(s->path), nano ? 9 : 6);
            saved_remove(s);
        }
    }
}

static void test_modified_pcap(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_pcap(s, (uint32_t)MODIFIED, 65535, ETHERNET);
    for (uint8_t i = 1; i <= 2; i++) {
        saved_u32(s, i);
        saved_u32(s, 0);
        saved_u32(s, 30);
        saved_u32(s, 30);
        saved_bytes(s, "\1\0\0\0\10\0\0\0", 8); /* interface, protocol, packet type */
        saved_bytes(s, "..............................", 30);
    }
    s->len -= 1;
    struct sw_capture *capture = open_path(saved_write(s));
    assert_frame(capture, 1, 1000000000, 30, 30, '.');
    struct sw_frame frame;
    struct sw_status status = sw_capture_next(capture, &frame);
    assert_int_equal(status.code, SW_DAMAGED);
    assert_int_equal(status.offset_bytes, 24 + 24 + 30);
    sw_capture_close(capture);
    saved_remove(s);
}

static void test_pcapng(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct saved *s = saved_new();
        s->big = big;
        saved_section(s);
        saved_interface(s, ETHERNET, 65535, SAVED_NO_TSRESOL);
        saved_block(s, 0x0BAE, "unknown", 8);
        saved_packet(s, 0, UINT64_C(1700000000123456), 61, 61, 'a');
        saved_block(s, 4, "\0\0\0", 4); /* names */
        saved_packet(s, 0, UINT64_C(1700000001000000), 60, 1514, 'b');
        struct sw_capture *capture = open_path(saved_write(s));
        assert_frame(capture, 1, 1700000000123456000, 61, 61, 'a');
        assert_frame(capture, 2, 1700000001000000000, 60, 1514, 'b');
        assert_end(capture);
        sw_capture_close(capture);
        saved_remove(s);
    }
}

struct resolution {
    int tsresol;
    uint64_t ticks;
    uint8_t digits;
};

static void test_time_resolution_of_pcapng(void **state)
{
    (void)state;
    static const struct resolution resolutions[] = {
        {SAVED_NO_TSRESOL, UINT64_C(1700000000500000), 6},
        {6, UINT64_C(1700000000500000), 6},
        {3, UINT64_C(1700000000500), 6},
        {9, UINT64_C(1700000000500000000), 9},
        {7, UINT64_C(17000000005000000), 9},
        {0x80 | 10, UINT64_C(1700000000) * 1024 + 512, 6},
        {0x80 | 30, UINT64_C(1700000000) * (1 << 30) + (1 << 29), 9},
    };
    for (size_t i = 0; i < sizeof(resolutions) / sizeof(resolutions[0]); i++) {
        for (int big = 0; big < 2; big++) {
            struct saved *s = saved_new();
            s->big = big;
            saved_section(s);
            if (i % 2)
                saved_block(s, 0x0BAE, "something before the interface", 30);
            saved_interface(s, ETHERNET, 65535, resolutions[i].tsresol);
            saved_packet(s, 0, resolutions[i].ticks, 60, 60, 'a');
            struct sw_capture *capture = open_path(saved_write(s));
            assert_frame(capture, 1, 1700000000500000000, 60, 60, 'a');
            sw_capture_close(capture);
            assert_int_equal(digits_of_first(s->path), resolutions[i].digits);
            saved_remove(s);
        }
    }
}

/* Times that nanoseconds in 64 bits cannot hold are clamped, and a fraction over a second counts.
 */
static void test_odd_times(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_section(s);
    saved_interface(s, ETHERNET, 65535, 0); /* whole seconds */
    saved_packet(s, 0, UINT64_MAX >> 1, 60, 60, 'a');
    saved_packet(s, 0, UINT64_C(1) << 62, 60, 60, 'a');
    struct sw_capture *capture = open_path(saved_write(s));
    assert_frame(capture, 1, INT64_MAX, 60, 60, 'a');
    assert_frame(capture, 2, INT64_MAX, 60, 60, 'a');
    sw_capture_close(capture);
    saved_remove(s);
    s = saved_new();
    saved_pcap(s, (uint32_t)MICRO, 65535, ETHERNET);
    saved_record(s, 10, 1500000, 60, 60, 'a');
    saved_record(s, UINT32_MAX, UINT32_MAX, 60, 60, 'a');
    capture = open_path(saved_write(s));
    assert_frame(capture, 1, 11500000000, 60, 60, 'a');
    struct sw_frame frame;
    assert_int_equal(sw_capture_next(capture, &frame).code, SW_OK);
    assert_true(frame.time_ns >= INT64_C(4294967295000000000) || frame.time_ns < 0);
    sw_capture_close(capture);
    saved_remove(s);
}

static void test_length_below_the_captured_one(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_pcap(s, (uint32_t)MICRO, 65535, ETHERNET);
    saved_record(s, 1, 0, 60, 0, 'a');
    saved_record(s, 2, 0, 60, 42, 'b');
    struct sw_capture *capture = open_path(saved_write(s));
    assert_frame(capture, 1, 1000000000, 60, 60, 'a');
    assert_frame(capture, 2, 2000000000, 60, 60, 'b');
    assert_end(capture);
    sw_capture_close(capture);
    saved_remove(s);
}

static void test_no_frames_is_no_error(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_pcap(s, (uint32_t)MICRO, 65535, ETHERNET);
    struct sw_capture *capture = open_path(saved_write(s));
    assert_end(capture);
    assert_end(capture);
    sw_capture_close(capture);
    saved_remove(s);
    s = saved_new();
    saved_section(s);
    saved_interface(s, ETHERNET, 0, SAVED_NO_TSRESOL);
    capture = open_path(saved_write(s));
    assert_end(capture);
    sw_capture_close(capture);
    saved_remove(s);
}

static void test_largest_frames(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_pcap(s, (uint32_t)MICRO, 262144, ETHERNET);
    saved_record(s, 1, 0, 65549, 65549, 'a'); /* what the loopback device gives with offload */
    saved_record(s, 2, 0, 262144, 262144, 'b');
    struct sw_capture *capture = open_path(saved_write(s));
    assert_frame(capture, 1, 1000000000, 65549, 65549, 'a');
    assert_frame(capture, 2, 2000000000, 262144, 262144, 'b');
    assert_end(capture);
    sw_capture_close(capture);
    saved_remove(s);
}

/* Every frame before the damage, then where the record begins that could not be read. */
static void assert_damaged(struct saved *s, uint64_t frames, uint64_t offset, const char *word)
{
    struct sw_capture *capture = open_path(saved_write(s));
    struct sw_frame frame;
    for (uint64_t i = 1; i <= frames; i++) {
        assert_int_equal(sw_capture_next(capture, &frame).code, SW_OK);
        assert_int_equal(frame.number, i);
    }
    struct sw_status status = sw_capture_next(capture, &frame);
    assert_int_equal(status.code, SW_DAMAGED);
    assert_int_equal(status.offset_bytes, offset);
    char expected[160];
    (void)snprintf(expected, sizeof(expected),
                   "%s: damaged at byte %" PRIu64 ", behind frame %" PRIu64, s->path, offset,
                   frames);
    assert_non_null(strstr(status.message, expected));
    assert_non_null(strstr(status.message, word));
    assert_int_equal(sw_capture_count(capture)->frames, frames);
    sw_capture_close(capture);
    (void)unlink(s->path);
}

static void test_pcap_cut_at_every_byte(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_pcap(s, (uint32_t)MICRO, 65535, ETHERNET);
    saved_record(s, 1, 0, 20, 20, 'a');
    size_t second = s->len;
    saved_record(s, 2, 0, 30, 30, 'b');
    size_t whole = s->len;
    for (size_t len = 24; len <= whole; len++) {
        s->len = len;
        if (len == 24 || len == second || len == whole) {
            struct sw_capture *capture = open_path(saved_write(s));
            for (size_t at = 24; at < len; at = at == 24 ? second : whole)
                assert_frame(capture, at == 24 ? 1 : 2, at == 24 ? 1000000000 : 2000000000,
                             at == 24 ? 20 : 30, at == 24 ? 20 : 30, at == 24 ? 'a' : 'b');
            assert_end(capture);
            sw_capture_close(capture);
            (void)unlink(s->path);
            continue;
        }
        assert_damaged(s, len < second ? 0 : 1, len < second ? 24 : second, "the file ends");
    }
    saved_remove(s);
}

static void test_pcapng_cut_at_every_byte(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_section(s);
    saved_interface(s, ETHERNET, 65535, 9);
    size_t first = s->len;
    saved_packet(s, 0, 1, 21, 21, 'a');
    size_t second = s->len;
    saved_packet(s, 0, 2, 30, 30, 'b');
    size_t whole = s->len;
    for (size_t len = first + 1; len < whole; len++) {
        s->len = len;
        if (len != second)
            assert_damaged(s, len < second ? 0 : 1, len < second ? first : second, "the file ends");
    }
    saved_remove(s);
}

static void test_damage_in_the_middle(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {262145, 0x7FFFFFFF, 0x80000000, UINT32_MAX};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct saved *s = saved_new();
        saved_pcap(s, (uint32_t)MICRO, 65535, ETHERNET);
        saved_record(s, 1, 0, 20, 20, 'a');
        saved_record(s, 1, 0, 40, 40, 'a');
        size_t at = s->len;
        saved_u32(s, 2);
        saved_u32(s, 0);
        saved_u32(s, lengths[i]);
        saved_u32(s, 60);
        saved_record(s, 3, 0, 30, 30, 'c');
        assert_damaged(s, 2, at, "what stands before was analysed");
        saved_remove(s);
    }
}

static void test_length_beyond_the_file(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_pcap(s, (uint32_t)NANO, 65535, ETHERNET);
    saved_record(s, 1, 0, 20, 20, 'a');
    size_t at = s->len;
    saved_u32(s, 2);
    saved_u32(s, 0);
    saved_u32(s, 60000);
    saved_u32(s, 60000);
    saved_bytes(s, "only this", 9);
    assert_damaged(s, 1, at, "the file ends inside the next record");
    saved_remove(s);
}

/* A record longer than the file's own snapshot length is given whole, as Wireshark does it. */
static void test_offset_behind_a_record_over_the_snaplen(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_pcap(s, (uint32_t)MICRO, 96, ETHERNET);
    saved_record(s, 1, 0, 96, 200, 'a');
    saved_record(s, 1, 0, 150, 200, 'b');
    saved_record(s, 1, 0, 20, 20, 'c');
    size_t at = s->len;
    saved_bytes(s, "cut", 3);
    struct sw_capture *capture = open_path(saved_write(s));
    assert_frame(capture, 1, 1000000000, 96, 200, 'a');
    assert_frame(capture, 2, 1000000000, 150, 200, 'b');
    sw_capture_close(capture);
    (void)unlink(s->path);
    assert_damaged(s, 3, at, "the file ends");
    saved_remove(s);
}

/* Nothing but rubbish behind it: what stands before is given. */
static void test_damaged_block(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0, 8, 11, 0x7FFFFFFC, UINT32_MAX};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct saved *s = saved_new();
        saved_section(s);
        saved_interface(s, ETHERNET, 65535, 9);
        saved_packet(s, 0, 1, 21, 21, 'a');
        size_t at = s->len;
        saved_u32(s, 6);
        saved_u32(s, lengths[i]);
        saved_bytes(s, "rubbish that is no block", 24);
        assert_damaged(s, 1, at, "what stands before was analysed");
        saved_remove(s);
    }
}

static void test_filter_counts_and_keeps_the_numbers(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_pcap(s, (uint32_t)MICRO, 65535, ETHERNET);
    for (uint8_t i = 0; i < 10; i++)
        saved_record(s, i, 0, 20u + i, 20u + i, i);
    const struct sw_capture_options options = {.filter = "greater 28"};
    struct sw_capture *capture = NULL;
    struct sw_status status = sw_capture_open(saved_write(s), &options, &capture);
    assert_int_equal(status.code, SW_OK);
    assert_frame(capture, 9, 8000000000, 28, 28, 8);
    assert_frame(capture, 10, 9000000000, 29, 29, 9);
    assert_end(capture);
    assert_int_equal(sw_capture_count(capture)->frames, 10);
    assert_int_equal(sw_capture_count(capture)->filtered, 8);
    assert_int_equal(sw_capture_count(capture)->bytes, 245);
    sw_capture_close(capture);
    saved_remove(s);
}

static void test_progress(void **state)
{
    (void)state;
    struct saved *s = saved_new();
    saved_pcap(s, (uint32_t)MICRO, 65535, ETHERNET);
    saved_record(s, 1, 0, 60, 60, 'a');
    saved_record(s, 1, 0, 60, 60, 'a');
    struct sw_capture *capture = open_path(saved_write(s));
    uint64_t at = 0;
    uint64_t size = 0;
    sw_capture_progress(capture, &at, &size);
    assert_int_equal(at, 24);
    assert_int_equal(size, 24 + 2 * 76);
    assert_frame(capture, 1, 1000000000, 60, 60, 'a');
    sw_capture_progress(capture, &at, &size);
    assert_int_equal(at, 24 + 76);
    sw_capture_close(capture);
    saved_remove(s);
}

/* Feeds the bytes into standard input through a pipe, in small pieces where asked to. */
static pid_t pipe_in(const struct saved *s, size_t piece, int *old_stdin)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        for (size_t at = 0; at < s->len; at += piece) {
            size_t n = s->len - at < piece ? s->len - at : piece;
            if (write(ends[1], s->bytes + at, n) != (ssize_t)n)
                _exit(1);
        }
        _exit(0);
    }
    (void)close(ends[1]);
    *old_stdin = dup(STDIN_FILENO);
    assert_true(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    (void)close(ends[0]);
    return child;
}

static void pipe_out(pid_t child, int old_stdin)
{
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(dup2(old_stdin, STDIN_FILENO) == STDIN_FILENO);
    (void)close(old_stdin);
}

static void test_standard_input(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 7, 4096};
    for (size_t i = 0; i < 3; i++) {
        for (int ng = 0; ng < 2; ng++) {
            struct saved *s = saved_new();
            if (ng) {
                saved_section(s);
                saved_interface(s, ETHERNET, 65535, 9);
                saved_packet(s, 0, 5000000001, 60, 60, 'a');
            } else {
                saved_pcap(s, (uint32_t)NANO, 65535, ETHERNET);
                saved_record(s, 5, 1, 60, 60, 'a');
            }
            size_t cut = s->len;
            saved_bytes(s, "\6\0\0", 3);
            int old_stdin = -1;
            pid_t child = pipe_in(s, pieces[i], &old_stdin);
            struct sw_capture *capture = open_path("-");
            assert_frame(capture, 1, 5000000001, 60, 60, 'a');
            uint64_t at = 0;
            uint64_t size = 1;
            sw_capture_progress(capture, &at, &size);
            assert_int_equal(size, 0);
            struct sw_frame frame;
            struct sw_status status = sw_capture_next(capture, &frame);
            assert_int_equal(status.code, SW_DAMAGED);
            assert_int_equal(status.offset_bytes, cut);
            assert_non_null(strstr(status.message, "standard input: damaged at byte"));
            sw_capture_close(capture);
            assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0); /* it is not ours to close */
            pipe_out(child, old_stdin);
            free(s);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pcap_in_both_byte_orders),
        cmocka_unit_test(test_modified_pcap),
        cmocka_unit_test(test_pcapng),
        cmocka_unit_test(test_time_resolution_of_pcapng),
        cmocka_unit_test(test_odd_times),
        cmocka_unit_test(test_length_below_the_captured_one),
        cmocka_unit_test(test_no_frames_is_no_error),
        cmocka_unit_test(test_largest_frames),
        cmocka_unit_test(test_pcap_cut_at_every_byte),
        cmocka_unit_test(test_pcapng_cut_at_every_byte),
        cmocka_unit_test(test_damage_in_the_middle),
        cmocka_unit_test(test_length_beyond_the_file),
        cmocka_unit_test(test_offset_behind_a_record_over_the_snaplen),
        cmocka_unit_test(test_damaged_block),
        cmocka_unit_test(test_filter_counts_and_keeps_the_numbers),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_standard_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
