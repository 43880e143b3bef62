/*
 * The JSON writer in runs: strings of any length at any place of the buffer, what is kept of them,
 * and what happens after an error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/json_memo.h"
#include "report_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LONG_BYTES = 5000 };

/* What a string has to become when `odd` is written as `escaped` and all else as it is. */
static size_t expect(uint8_t *out, struct sw_span bytes, char odd, const char *escaped)
{
    size_t n = 0;
    out[n++] = '"';
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] == (uint8_t)odd) {
            memcpy(out + n, escaped, strlen(escaped));
            n += strlen(escaped);
        } else {
            out[n++] = bytes.ptr[i];
        }
    }
    out[n++] = '"';
    return n;
}

/* Into memory of exactly this size, so that a sanitizer sees what is read beside it. */
static void check_string(const uint8_t *bytes, size_t n, char odd, const char *escaped)
{
    static uint8_t expected[8 * LONG_BYTES];
    uint8_t *exact = malloc(n + (n == 0));
    assert_non_null(exact);
    memcpy(exact, bytes, n);
    struct sw_writer out;
    struct sw_json json;
    sw_writer_open_memory(&out);
    sw_json_begin(&json, &out);
    uint8_t *at = sw_json_run(&json);
    at = sw_json_add_string(&json, at, NULL, sw_span_make(exact, n));
    at = SW_JSON_LITERAL(at, "|");
    sw_json_ran(&json, at);
    size_t length = expect(expected, sw_span_make(bytes, n), odd, escaped);
    assert_int_equal(out.used, length + 1);
    assert_memory_equal(out.bytes, expected, length);
    assert_int_equal(out.bytes[length], '|');
    sw_writer_release(&out);
    free(exact);
}

static void test_strings_of_any_length(void **state)
{
    (void)state;
    static uint8_t bytes[LONG_BYTES];
    memset(bytes, 'a', sizeof(bytes));
    for (size_t n = 0; n < 70; n++) {
        check_string(bytes, n, '"', "\\\"");
        for (size_t at = 0; at < n; at++) {
            bytes[at] = '\n';
            check_string(bytes, n, '\n', "\\n");
            bytes[at] = 0x7F;
            check_string(bytes, n, 0x7F, "\\u007f");
            bytes[at] = 'a';
        }
    }
    for (size_t at = SW_JSON_PIECE - 20; at < SW_JSON_PIECE + 20; at++) {
        bytes[at] = '\\';
        check_string(bytes, at + 1, '\\', "\\\\");
        check_string(bytes, sizeof(bytes), '\\', "\\\\");
        bytes[at] = 'a';
    }
    memset(bytes, 1, sizeof(bytes)); /* nothing but escapes */
    check_string(bytes, sizeof(bytes), 1, "\\u0001");
}

/* Every byte value needs an escape or not, wherever in a block it stands. */
static void test_every_byte(void **state)
{
    (void)state;
    uint8_t bytes[33];
    for (int c = 0; c < 0x80; c++) {
        char escaped[8];
        bool odd = c < 0x20 || c == 0x7F;
        if (c == '\n' || c == '\r' || c == '\t')
            (void)snprintf(escaped, sizeof(escaped), "\\%c",
                           c == '\n'   ? 'n'
                           : c == '\r' ? 'r'
                                       : 't');
        else if (c == '"' || c == '\\')
            (void)snprintf(escaped, sizeof(escaped), "\\%c", c);
        else
            (void)snprintf(escaped, sizeof(escaped), odd ? "\\u%04x" : "%c", (unsigned)c);
        if (c == 0)
            continue; /* `expect` compares with a character; the others stand for it */
        for (size_t n = 1; n <= sizeof(bytes); n += n < 17 ? 1 : 16) {
            memset(bytes, 'a' + (c == 'a'), n);
            bytes[n - 1] = (uint8_t)c;
            check_string(bytes, n, (char)c, escaped);
            bytes[n - 1] = bytes[0];
            bytes[n / 2] = (uint8_t)c;
            check_string(bytes, n, (char)c, escaped);
        }
    }
}

static void test_what_is_not_utf8_has_a_sibling(void **state)
{
    (void)state;
    struct sw_writer out;
    struct sw_json json;
    sw_writer_open_memory(&out);
    sw_json_begin(&json, &out);
    uint8_t *at =
        sw_json_add_string(&json, sw_json_run(&json), "text", SW_SPAN_LIT("ok \xc3\xa4 \xff"));
    at = sw_json_add_string(&json, SW_JSON_LITERAL(at, ","), NULL, SW_SPAN_LIT("\xff"));
    sw_json_ran(&json, SW_JSON_LITERAL(at, "\n"));
    sw_writer_char(&out, '\0');
    assert_string_equal((const char *)out.bytes,
                        "\"ok \xc3\xa4 \xef\xbf\xbd\",\"text_hex\":\"6f6b20c3a420ff\""
                        ",\"\xef\xbf\xbd\"\n");
    sw_writer_release(&out);
}

static void test_lists_end_without_a_comma(void **state)
{
    (void)state;
    uint8_t empty[] = "[,";
    uint8_t one[] = "[1,,";
    assert_ptr_equal(sw_json_end_list(empty + 1), empty + 2);
    assert_memory_equal(empty, "[]", 2);
    assert_ptr_equal(sw_json_end_list(one + 3), one + 3);
    assert_memory_equal(one, "[1]", 3);
}

/* A passage is kept only when it is whole, and a copy of any length is the same bytes. */
static void test_passages_are_kept(void **state)
{
    (void)state;
    static uint8_t text[3 * SW_WRITER_AT_ONCE];
    memset(text, 'x', sizeof(text));
    FILE *file = tmpfile();
    assert_non_null(file);
    struct sw_writer out;
    struct sw_json json;
    struct sw_span kept[3] = {{NULL, 0}};
    sw_writer_open_fd(&out, fileno(file));
    sw_json_begin(&json, &out);
    size_t written = 0;
    unsigned whole = 0;
    unsigned torn = 0;
    static const size_t sizes[3] = {10, SW_JSON_RUN_BYTES, sizeof(text)};
    for (unsigned i = 0; i < 60; i++) {
        struct sw_span *k = &kept[i % 3];
        size_t size = sizes[i % 3];
        uint8_t *at = sw_json_run(&json);
        struct sw_json_passage passage = sw_json_passage(&json, at);
        at = sw_json_add_copy(&json, at, sw_span_make(text, size));
        sw_json_keep(&json, &passage, at, k);
        whole += k->len == size;
        torn += k->len == 0;
        assert_true(k->len == size || k->len == 0);
        at = k->len > 0 ? sw_json_add_copy(&json, at, *k) : at;
        written += size + k->len;
        sw_json_ran(&json, at);
    }
    assert_true(whole > 20);
    assert_true(torn > 0); /* the longest goes past the run */
    assert_true(sw_writer_flush(&out));
    assert_int_equal(ftell(file), written);
    rewind(file);
    for (size_t i = 0; i < written; i++)
        assert_int_equal(fgetc(file), 'x');
    for (unsigned i = 0; i < 3; i++)
        free((void *)(uintptr_t)kept[i].ptr);
    sw_writer_release(&out);
    (void)fclose(file);
}

/* The same record again and again is the same line, from what is kept or not. */
static void test_records_repeat(void **state)
{
    (void)state;
    static const struct sw_report_style style = {.files = 1};
    struct fixture f;
    struct sw_part part;
    struct sw_writer out;
    fixture_refused(&f, SW_SPAN_LIT("5.1.1 User \"x\" unknown"));
    struct sw_record record = {
        .kind = SW_RECORD_SESSION, .session = &f.session, .verdict = &f.verdict};
    sw_writer_open_memory(&out);
    assert_true(sw_part_open(&part, sw_report_format_find("json"), &style, &out, "m.pcap", 0));
    sw_part_record(&part, &record);
    size_t length = out.used;
    for (unsigned i = 1; i < 50; i++)
        sw_part_record(&part, &record);
    assert_int_equal(out.used, 50 * length);
    for (unsigned i = 1; i < 50; i++)
        assert_memory_equal(out.bytes, out.bytes + i * length, length);
    f.session.file = "other.pcap";
    f.verdict.confidence = SW_CONFIDENCE_POSSIBLE;
    sw_part_record(&part, &record);
    sw_writer_char(&out, '\0');
    const char *last = (const char *)out.bytes + 50 * length;
    assert_non_null(strstr(last, "\"file\":\"other.pcap\",\"files\":[\"other.pcap\"]"));
    assert_non_null(strstr(last, "\"confidence\":\"possible\",\"summary\""));
    sw_part_close(&part);
    sw_writer_release(&out);
}

/* A page has the same records in it, in blocks of its own. */
static void test_page_with_records(void **state)
{
    (void)state;
    static const struct sw_report_style style = {.files = 1, .version = "0"};
    struct fixture f;
    struct sw_part part;
    struct sw_writer out;
    fixture_delivered(&f);
    struct sw_record record = {
        .kind = SW_RECORD_SESSION, .session = &f.session, .verdict = &f.verdict};
    sw_writer_open_memory(&out);
    assert_true(sw_part_open(&part, sw_report_format_find("html"), &style, &out, "m.pcap", 0));
    size_t head = out.used;
    for (unsigned i = 0; i < 1000; i++)
        sw_part_record(&part, &record);
    sw_part_close(&part);
    assert_int_equal(out.error, 0);
    assert_true(out.used > head + 1000);
    sw_writer_release(&out);
}

/* After the first failed write records go nowhere, and nothing else happens. */
static void test_full_disk(void **state)
{
    (void)state;
    static const struct sw_report_style style = {.files = 1};
    int fd = open("/dev/full", O_WRONLY);
    if (fd < 0)
        skip();
    struct fixture f;
    struct sw_part part;
    struct sw_writer out;
    fixture_refused(&f, SW_SPAN_LIT("5.1.1 User \"x\" unknown"));
    struct sw_record record = {
        .kind = SW_RECORD_SESSION, .session = &f.session, .verdict = &f.verdict};
    sw_writer_open_fd(&out, fd);
    assert_true(sw_part_open(&part, sw_report_format_find("json"), &style, &out, "m.pcap", 0));
    for (unsigned i = 0; i < 200; i++)
        sw_part_record(&part, &record);
    assert_int_equal(out.error, ENOSPC);
    assert_true(out.used <= out.room);
    sw_part_close(&part);
    assert_false(sw_writer_flush(&out));
    sw_writer_release(&out);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings_of_any_length),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_what_is_not_utf8_has_a_sibling),
        cmocka_unit_test(test_lists_end_without_a_comma),
        cmocka_unit_test(test_passages_are_kept),
        cmocka_unit_test(test_records_repeat),
        cmocka_unit_test(test_page_with_records),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
