/* UTF-8, what is unsafe to show, and lines over any chunking. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void assert_next(struct sw_span s, int32_t expected, size_t used)
{
    struct sw_span rest = s;
    assert_int_equal(sw_text_next(&rest), expected);
    assert_int_equal(s.len - rest.len, used);
}

static void test_valid_utf8(void **state)
{
    (void)state;
    assert_next(SW_SPAN_LIT("A"), 'A', 1);
    assert_next(SW_SPAN_LIT("\0"), 0, 1);
    assert_next(SW_SPAN_LIT("\x7f"), 0x7F, 1);
    assert_next(SW_SPAN_LIT("\xc2\x80"), 0x80, 2);
    assert_next(SW_SPAN_LIT("\xdf\xbf"), 0x7FF, 2);
    assert_next(SW_SPAN_LIT("\xe0\xa0\x80"), 0x800, 3);
    assert_next(SW_SPAN_LIT("\xe2\x82\xacx"), 0x20AC, 3);
    assert_next(SW_SPAN_LIT("\xed\x9f\xbf"), 0xD7FF, 3);
    assert_next(SW_SPAN_LIT("\xee\x80\x80"), 0xE000, 3);
    assert_next(SW_SPAN_LIT("\xf0\x90\x80\x80"), 0x10000, 4);
    assert_next(SW_SPAN_LIT("\xf4\x8f\xbf\xbf"), 0x10FFFF, 4);
}

/* RFC 3629 section 3: each of these is one bad byte, and reading goes on behind it. */
static void test_invalid_utf8(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc3",
        "\xc3(",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xe2(\xac",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x90\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_next(sw_span_str(wrong[i]), -1, 1);
        assert_false(sw_text_is_utf8(sw_span_str(wrong[i])));
    }
    assert_true(sw_text_is_utf8(SW_SPAN_LIT("")));
    assert_true(sw_text_is_utf8(SW_SPAN_LIT("Gr\xc3\xbc\xc3\x9f"
                                            "e \xf0\x9f\x93\xa7")));
    assert_false(sw_text_is_utf8(SW_SPAN_LIT("fine until\xff")));
}

static void test_put_and_next_agree(void **state)
{
    (void)state;
    for (int32_t c = 0; c <= 0x10FFFF; c++) {
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        uint8_t out[4];
        size_t n = sw_text_put_utf8(c, out);
        struct sw_span rest = sw_span_make(out, n);
        assert_true(n >= 1 && n <= 4);
        assert_true(sw_text_next(&rest) == c);
        assert_int_equal(rest.len, 0);
    }
}

static void test_unsafe_characters(void **state)
{
    (void)state;
    static const int32_t unsafe[] = {0,      7,      '\n',   0x1B,   0x7F,    0x80,
                                     0x9B,   0x9F,   0xAD,   0x61C,  0x200B,  0x200E,
                                     0x200F, 0x2028, 0x2029, 0x202A, 0x202E,  0x2060,
                                     0x2066, 0x2069, 0xFEFF, 0xFFF9, 0xE0001, 0xE007F};
    static const int32_t safe[] = {' ',    '~',    0xA0,   0xE4,    0x61B,  0x200A,
                                   0x2010, 0x2030, 0x20AC, 0x1F4E7, 0x4E2D, 0xFFFD};
    for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++) {
        if (!sw_text_is_unsafe(unsafe[i]))
            fail_msg("U+%04X", (unsigned)unsafe[i]);
    }
    for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++) {
        if (sw_text_is_unsafe(safe[i]))
            fail_msg("U+%04X", (unsigned)safe[i]);
    }
}

/* A lender that counts its blocks, and refuses when there are no more. */
struct pool {
    size_t out_bytes;
    int total, limit;
};

static uint8_t *lend(void *ctx, uint8_t *block, size_t before, size_t n_bytes)
{
    struct pool *pool = ctx;
    if (pool->total >= pool->limit)
        return NULL;
    pool->total++;
    pool->out_bytes += n_bytes - before;
    uint8_t *larger = malloc(n_bytes); /* exactly as much: a sanitizer sees any more */
    assert_non_null(larger);
    if (block)
        memcpy(larger, block, before);
    free(block);
    return larger;
}

static void take_back(void *ctx, uint8_t *block, size_t n_bytes)
{
    struct pool *pool = ctx;
    pool->out_bytes -= n_bytes;
    free(block);
}

enum { LOG_BYTES = 16384 };

struct log {
    char text[LOG_BYTES];
    size_t len;
};

static const char *const end_names[] = {"CRLF", "LF", "CRCRLF", "OPEN"};

static void note(struct log *log, const struct sw_line *line)
{
    int n = snprintf(log->text + log->len, LOG_BYTES - log->len, "@%llu %llu %s%s [",
                     (unsigned long long)line->offset, (unsigned long long)line->length,
                     end_names[line->end], line->bare_cr ? " bare" : "");
    assert_true(n > 0 && log->len + (size_t)n + line->text.len + 2 < LOG_BYTES);
    log->len += (size_t)n;
    if (line->text.len > 0)
        memcpy(log->text + log->len, line->text.ptr, line->text.len);
    log->len += line->text.len;
    memcpy(log->text + log->len, "]\n", 3);
    log->len += 2;
}

static void feed(struct sw_lines *lines, struct sw_span bytes, uint64_t *offset, struct log *log)
{
    /* A block of its own, gone afterwards: what was kept must have been copied. */
    uint8_t *block = malloc(bytes.len > 0 ? bytes.len : 1);
    assert_non_null(block);
    if (bytes.len > 0)
        memcpy(block, bytes.ptr, bytes.len);
    struct sw_span chunk = sw_span_make(block, bytes.len);
    uint64_t before = *offset;
    struct sw_line line;
    while (sw_lines_next(lines, &chunk, offset, &line))
        note(log, &line);
    assert_int_equal(chunk.len, 0);
    assert_true(*offset == before + bytes.len);
    free(block);
}

/* The lines of `all`, fed with cuts before the bytes `a` and `b`. */
static void run(struct sw_span all, size_t a, size_t b, struct log *log)
{
    struct pool pool = {.limit = 1000};
    const struct sw_lender lender = {lend, take_back, &pool};
    struct sw_lines lines = {.lender = &lender};
    uint64_t offset = 100;
    log->len = 0;
    log->text[0] = '\0';
    feed(&lines, sw_span_sub(all, 0, a), &offset, log);
    feed(&lines, sw_span_sub(all, a, b - a), &offset, log);
    feed(&lines, sw_span_from(all, b), &offset, log);
    struct sw_line line;
    if (sw_lines_flush(&lines, &line))
        note(log, &line);
    assert_false(sw_lines_flush(&lines, &line));
    sw_lines_clear(&lines);
    assert_int_equal(pool.out_bytes, 0);
}

static void assert_lines(struct sw_span all, const char *expected)
{
    static struct log log;
    run(all, 0, 0, &log);
    assert_string_equal(log.text, expected);
    for (size_t a = 0; a <= all.len; a++) {
        for (size_t b = a; b <= all.len; b++) {
            run(all, a, b, &log);
            assert_string_equal(log.text, expected);
        }
    }
}

static void test_lines_at_every_split(void **state)
{
    (void)state;
    assert_lines(SW_SPAN_LIT(""), "");
    assert_lines(SW_SPAN_LIT("220 hi\r\n"), "@100 6 CRLF [220 hi]\n");
    assert_lines(SW_SPAN_LIT("a\r\nbb\r\n\r\n"),
                 "@100 1 CRLF [a]\n@103 2 CRLF [bb]\n@107 0 CRLF []\n");
    assert_lines(SW_SPAN_LIT("a\nb\r\r\nc\r\n"),
                 "@100 1 LF [a]\n@102 1 CRCRLF [b]\n@106 1 CRLF [c]\n");
    assert_lines(SW_SPAN_LIT("\n\r\n\n"), "@100 0 LF []\n@101 0 CRLF []\n@103 0 LF []\n");
    assert_lines(SW_SPAN_LIT("a\rb\r\nc\r\n"), "@100 3 CRLF bare [a\rb]\n@105 1 CRLF [c]\n");
    assert_lines(SW_SPAN_LIT("\rx\r\ry\n"), "@100 5 LF bare [\rx\r\ry]\n");
}

static void test_unfinished_line(void **state)
{
    (void)state;
    assert_lines(SW_SPAN_LIT("one\r\ntwo"), "@100 3 CRLF [one]\n@105 3 OPEN [two]\n");
    assert_lines(SW_SPAN_LIT("one\r\ntwo\r"), "@100 3 CRLF [one]\n@105 3 OPEN [two]\n");
}

static void test_line_inside_a_chunk_is_not_copied(void **state)
{
    (void)state;
    struct pool pool = {.limit = 0};
    const struct sw_lender lender = {lend, take_back, &pool};
    struct sw_lines lines = {.lender = &lender};
    const struct sw_span all = SW_SPAN_LIT("250-a\r\n250 b\r\n");
    struct sw_span chunk = all;
    uint64_t offset = 0;
    struct sw_line line;
    assert_true(sw_lines_next(&lines, &chunk, &offset, &line));
    assert_ptr_equal(line.text.ptr, all.ptr);
    assert_true(sw_lines_next(&lines, &chunk, &offset, &line));
    assert_ptr_equal(line.text.ptr, all.ptr + 7);
    assert_int_equal(offset, all.len);
    assert_false(sw_lines_next(&lines, &chunk, &offset, &line));
    assert_int_equal(pool.total, 0);
}

static bool is_plain(const char *text)
{
    struct pool pool = {.limit = 1};
    const struct sw_lender lender = {lend, take_back, &pool};
    struct sw_lines lines = {.lender = &lender};
    struct sw_span chunk = sw_span_str(text);
    uint64_t offset = 0;
    struct sw_line line;
    assert_true(sw_lines_next(&lines, &chunk, &offset, &line));
    sw_lines_clear(&lines);
    return line.plain;
}

static void test_plain_lines(void **state)
{
    (void)state;
    assert_true(is_plain("\r\n"));
    assert_true(is_plain("250 Ok\r\n"));
    assert_true(is_plain("550 caf\xC3\xA9 \x1B\r\n\n"));
    assert_false(is_plain("250 Ok\n"));
    assert_false(is_plain("250 Ok\r\r\n"));
    assert_false(is_plain("250\tOk\r\n"));
    assert_false(is_plain("250 O\rk\r\n"));
    struct sw_lines lines = {.lender = NULL};
    struct sw_span chunk = SW_SPAN_LIT("a\0b\r\n");
    uint64_t offset = 0;
    struct sw_line line;
    assert_true(sw_lines_next(&lines, &chunk, &offset, &line));
    assert_false(line.plain);
}

/* More than a block holds, in several chunks: the beginning is kept, all of it is counted. */
static void test_long_line_is_cut_and_counted(void **state)
{
    (void)state;
    enum { LONG = SW_LINE_BYTES + 1000 };
    static uint8_t text[LONG + 2];
    for (size_t i = 0; i < LONG; i++)
        text[i] = (uint8_t)('a' + i % 26);
    memcpy(text + LONG, "\r\n", 2);
    for (size_t cut = 0; cut < sizeof(text); cut += 37) {
        struct pool pool = {.limit = 10};
        const struct sw_lender lender = {lend, take_back, &pool};
        struct sw_lines lines = {.lender = &lender};
        uint64_t offset = 0;
        struct sw_line line;
        struct sw_span chunk = sw_span_make(text, cut);
        assert_false(sw_lines_next(&lines, &chunk, &offset, &line));
        chunk = sw_span_make(text + cut, sizeof(text) - cut);
        assert_true(sw_lines_next(&lines, &chunk, &offset, &line));
        assert_int_equal(line.text.len, SW_LINE_BYTES);
        assert_memory_equal(line.text.ptr, text, SW_LINE_BYTES);
        assert_int_equal(line.length, LONG);
        assert_int_equal(line.end, SW_LINE_CRLF);
        sw_lines_clear(&lines);
        assert_int_equal(pool.out_bytes, 0);
    }
}

/* A line has a small block as long as that is enough, then the whole one. */
static void test_block_grows_with_its_line(void **state)
{
    (void)state;
    static uint8_t text[SW_LINE_FIRST_BYTES + 1];
    memset(text, 'a', sizeof(text));
    struct pool pool = {.limit = 2};
    const struct sw_lender lender = {lend, take_back, &pool};
    struct sw_lines lines = {.lender = &lender};
    uint64_t offset = 0;
    struct sw_line line;
    struct sw_span chunk = sw_span_make(text, SW_LINE_FIRST_BYTES);
    assert_false(sw_lines_next(&lines, &chunk, &offset, &line));
    assert_int_equal(pool.out_bytes, SW_LINE_FIRST_BYTES);
    chunk = sw_span_make(text, 1);
    assert_false(sw_lines_next(&lines, &chunk, &offset, &line));
    assert_int_equal(pool.out_bytes, SW_LINE_BYTES);
    assert_true(sw_lines_flush(&lines, &line));
    assert_true(sw_span_eq(line.text, sw_span_make(text, sizeof(text))));
    sw_lines_clear(&lines);
    assert_int_equal(pool.out_bytes, 0);
}

/* Without a larger one the line comes out cut, and the small one is given back. */
static void test_no_larger_block_to_lend(void **state)
{
    (void)state;
    static uint8_t text[SW_LINE_FIRST_BYTES];
    memset(text, 'a', sizeof(text));
    struct pool pool = {.limit = 1};
    const struct sw_lender lender = {lend, take_back, &pool};
    struct sw_lines lines = {.lender = &lender};
    uint64_t offset = 0;
    struct sw_line line;
    struct sw_span chunk = sw_span_make(text, 3);
    assert_false(sw_lines_next(&lines, &chunk, &offset, &line));
    chunk = sw_span_make(text, sizeof(text));
    assert_false(sw_lines_next(&lines, &chunk, &offset, &line));
    chunk = SW_SPAN_LIT("a\r\n");
    assert_true(sw_lines_next(&lines, &chunk, &offset, &line));
    assert_true(sw_span_eq(line.text, sw_span_make(text, SW_LINE_FIRST_BYTES)));
    assert_int_equal(line.length, sizeof(text) + 4);
    sw_lines_clear(&lines);
    assert_int_equal(pool.out_bytes, 0);
}

static void test_no_block_to_lend(void **state)
{
    (void)state;
    struct pool pool = {.limit = 0};
    const struct sw_lender lender = {lend, take_back, &pool};
    struct sw_lines lines = {.lender = &lender};
    uint64_t offset = 0;
    struct sw_line line;
    struct sw_span chunk = SW_SPAN_LIT("250 o");
    assert_false(sw_lines_next(&lines, &chunk, &offset, &line));
    chunk = SW_SPAN_LIT("k\r\n250 next\r\n");
    assert_true(sw_lines_next(&lines, &chunk, &offset, &line));
    assert_int_equal(line.text.len, 0);
    assert_int_equal(line.length, 6);
    assert_true(sw_lines_next(&lines, &chunk, &offset, &line));
    assert_true(sw_span_eq(line.text, SW_SPAN_LIT("250 next")));
    assert_int_equal(offset, 18);
    sw_lines_clear(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_utf8),
        cmocka_unit_test(test_invalid_utf8),
        cmocka_unit_test(test_put_and_next_agree),
        cmocka_unit_test(test_unsafe_characters),
        cmocka_unit_test(test_lines_at_every_split),
        cmocka_unit_test(test_unfinished_line),
        cmocka_unit_test(test_line_inside_a_chunk_is_not_copied),
        cmocka_unit_test(test_plain_lines),
        cmocka_unit_test(test_long_line_is_cut_and_counted),
        cmocka_unit_test(test_block_grows_with_its_line),
        cmocka_unit_test(test_no_larger_block_to_lend),
        cmocka_unit_test(test_no_block_to_lend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
