/* Compressed captures: every format, whole, in several members, cut, damaged, and far too large. */
#define ZLIB_CONST
#include "capture/capture.h"
#include "support/saved.h"

#include <inttypes.h>
#include <lz4frame.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>

enum { MICRO = (int)0xA1B2C3D4, ETHERNET = 1, FRAMES = 40, FORMATS = 3 };

static const char *const names[FORMATS] = {"gzip", "zstd", "lz4"};

static size_t pack(int format, const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
    if (format == 1)
        return ZSTD_compress(out, room, in, n, 3);
    if (format == 2)
        return LZ4F_compressFrame(out, room, in, n, NULL);
    z_stream z = {.next_in = in, .avail_in = (uInt)n, .next_out = out, .avail_out = (uInt)room};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    (void)deflateEnd(&z);
    return room - z.avail_out;
}

/* Frames that do not compress to nothing. */
static struct saved *plain(void)
{
    struct saved *s = saved_new();
    uint32_t x = 7;
    saved_pcap(s, (uint32_t)MICRO, 65535, ETHERNET);
    for (uint32_t i = 0; i < FRAMES; i++) {
        saved_record(s, i, 0, 1000, 1000, 0);
        for (size_t b = s->len - 1000; b < s->len; b++)
            s->bytes[b] = (uint8_t)((x = x * 1664525 + 1013904223) >> 26);
    }
    return s;
}

/* The capture compressed in `members` parts. */
static struct saved *packed(int format, int members)
{
    struct saved *from = plain();
    struct saved *to = saved_new();
    size_t part = from->len / (size_t)members + 1;
    for (size_t at = 0; at < from->len; at += part) {
        size_t n = from->len - at < part ? from->len - at : part;
        to->len +=
            pack(format, from->bytes + at, n, to->bytes + to->len, sizeof(to->bytes) - to->len);
    }
    free(from);
    return to;
}

struct result {
    uint64_t frames;
    struct sw_status status; /* that ended it, or of the opening */
    const char *limit;
};

static struct result read_path(const char *path, const struct sw_capture_options *options)
{
    struct result r = {.frames = 0};
    struct saved *expected = plain();
    struct sw_capture *capture = NULL;
    r.status = sw_capture_open(path, options, &capture);
    struct sw_frame frame;
    while (r.status.code == SW_OK && (r.status = sw_capture_next(capture, &frame)).code == SW_OK) {
        r.frames++;
        assert_int_equal(frame.number, r.frames);
        if (r.frames <= FRAMES)
            assert_memory_equal(frame.bytes, expected->bytes + 24 + (r.frames - 1) * 1016 + 16,
                                frame.caplen);
        uint64_t at = 0;
        uint64_t size = 0;
        sw_capture_progress(capture, &at, &size);
        assert_true(size == 0 || at <= size);
    }
    r.limit = capture ? sw_capture_count(capture)->limit : NULL;
    sw_capture_close(capture);
    free(expected);
    return r;
}

static const struct sw_capture_options everything = {0};

static void test_whole(void **state)
{
    (void)state;
    for (int format = 0; format < FORMATS; format++) {
        for (int members = 1; members < 9; members += 3) {
            struct saved *s = packed(format, members);
            struct result r = read_path(saved_write(s), &everything);
            assert_int_equal(r.status.code, SW_END);
            assert_int_equal(r.frames, FRAMES);
            saved_remove(s);
        }
    }
}

/* Cut anywhere: what can be unpacked is read, and the rest is said to be missing. */
static void test_cut(void **state)
{
    (void)state;
    for (int format = 0; format < FORMATS; format++) {
        struct saved *s = packed(format, 1);
        size_t whole = s->len;
        uint64_t before = 0;
        for (size_t len = 5; len < whole; len += 997) {
            s->len = len;
            struct result r = read_path(saved_write(s), &everything);
            bool opened = r.frames > 0 || r.status.code == SW_DAMAGED;
            assert_int_equal(r.status.code, opened ? SW_DAMAGED : SW_UNREADABLE);
            assert_non_null(strstr(r.status.message, names[format]));
            assert_non_null(strstr(r.status.message, "cut off"));
            assert_true(r.frames >= before && r.frames <= FRAMES);
            before = r.frames;
            (void)unlink(s->path);
        }
        assert_true(format != 0 || before > FRAMES / 2); /* zstd and lz4 have large blocks */
        free(s);
    }
}

static void test_damaged(void **state)
{
    (void)state;
    for (int format = 0; format < FORMATS; format++) {
        struct saved *s = packed(format, 4);
        for (size_t i = 0; i < 400; i++)
            s->bytes[s->len / 2 + i] ^= 0x55;
        struct result r = read_path(saved_write(s), &everything);
        if (r.status.code != SW_DAMAGED)
            fail_msg("%s: %d after %" PRIu64, names[format], r.status.code, r.frames);
        assert_non_null(strstr(r.status.message, names[format]));
        saved_remove(s);
    }
}

/* Behind the last member: zeros are padding for gzip, anything else is damage, all frames came. */
static void test_something_behind_the_end(void **state)
{
    (void)state;
    for (int format = 0; format < FORMATS; format++) {
        struct saved *s = packed(format, 1);
        saved_bytes(s, "this is no member", 17);
        struct result r = read_path(saved_write(s), &everything);
        assert_int_equal(r.status.code, SW_DAMAGED);
        assert_int_equal(r.frames, FRAMES);
        saved_remove(s);
    }
    struct saved *s = packed(0, 1);
    saved_bytes(s, "\0\0\0\0\0\0\0\0", 8);
    struct result r = read_path(saved_write(s), &everything);
    assert_int_equal(r.status.code, SW_END);
    saved_remove(s);
}

static void test_no_capture_inside(void **state)
{
    (void)state;
    uint8_t text[100];
    memset(text, 'x', sizeof(text));
    for (int format = 0; format < FORMATS; format++) {
        struct saved *s = saved_new();
        s->len = pack(format, text, sizeof(text), s->bytes, sizeof(s->bytes));
        struct result r = read_path(saved_write(s), &everything);
        assert_int_equal(r.status.code, SW_UNREADABLE);
        assert_non_null(strstr(r.status.message, "is text"));
        saved_remove(s);
        s = saved_new();
        s->len = pack(format, text, 0, s->bytes, sizeof(s->bytes));
        r = read_path(saved_write(s), &everything);
        assert_int_equal(r.status.code, SW_UNREADABLE);
        assert_non_null(strstr(r.status.message, "is empty"));
        saved_remove(s);
    }
}

static void test_compressed_twice(void **state)
{
    (void)state;
    struct saved *once = packed(0, 1);
    struct saved *s = saved_new();
    s->len = pack(1, once->bytes, once->len, s->bytes, sizeof(s->bytes));
    struct result r = read_path(saved_write(s), &everything);
    assert_int_equal(r.status.code, SW_UNSUPPORTED);
    assert_non_null(strstr(r.status.message, "is compressed (gzip)"));
    free(once);
    saved_remove(s);
}

/* A small file that unpacks into 64 MiB of frames, the same everywhere. */
static struct saved *bomb(int format)
{
    enum { UNPACKED = 64 << 20 };
    uint8_t *bytes = calloc(1, UNPACKED);
    struct saved *head = saved_new();
    saved_pcap(head, (uint32_t)MICRO, 65535, ETHERNET); /* and then empty records */
    assert_non_null(bytes);
    memcpy(bytes, head->bytes, head->len);
    free(head);
    struct saved *s = saved_new();
    uint8_t *out = malloc(1 << 20);
    size_t n = 0;
    if (format == 2) { /* LZ4F wants room for the worst case */
        out = realloc(out, LZ4F_compressFrameBound(UNPACKED, NULL));
        n = pack(format, bytes, UNPACKED, out, LZ4F_compressFrameBound(UNPACKED, NULL));
    } else {
        n = pack(format, bytes, UNPACKED, out, 1 << 20);
    }
    saved_bytes(s, out, n);
    free(out);
    free(bytes);
    return s;
}

static void test_caps(void **state)
{
    (void)state;
    const struct sw_capture_options by_size = {.unpacked_bytes = 20 << 20};
    const struct sw_capture_options by_ratio = {.unpacked_ratio = 100};
    for (int format = 0; format < FORMATS; format++) {
        struct saved *s = bomb(format);
        (void)saved_write(s);
        struct result r = read_path(s->path, &by_size);
        assert_int_equal(r.status.code, SW_LIMITED);
        assert_string_equal(r.limit, "unpacked");
        assert_true(r.frames > 20 / 2 * 65536 && r.frames < 24 * 65536);
        assert_non_null(strstr(r.status.message, "'unpacked'"));
        r = read_path(s->path, &by_ratio);
        assert_int_equal(r.status.code, SW_LIMITED);
        assert_string_equal(r.limit, "unpack-ratio");
        saved_remove(s);
    }
}

static void test_standard_input(void **state)
{
    (void)state;
    for (int format = 0; format < FORMATS; format++) {
        struct saved *s = packed(format, 2);
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            (void)close(ends[0]);
            for (size_t at = 0; at < s->len; at++) {
                if (write(ends[1], s->bytes + at, 1) != 1)
                    _exit(1);
            }
            _exit(0);
        }
        (void)close(ends[1]);
        int old = dup(STDIN_FILENO);
        assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
        (void)close(ends[0]);
        struct result r = read_path("-", &everything);
        assert_int_equal(r.status.code, SW_END);
        assert_int_equal(r.frames, FRAMES);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(dup2(old, STDIN_FILENO), STDIN_FILENO);
        (void)close(old);
        free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_something_behind_the_end),
        cmocka_unit_test(test_no_capture_inside),
        cmocka_unit_test(test_compressed_twice),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_standard_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
