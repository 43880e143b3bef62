#include "report/json_writer.h"

#include "base/text.h"

#include <stdio.h>

void sw_json_begin(struct sw_json *json, struct sw_writer *out)
{
    *json = (struct sw_json){.out = out, .second = INT64_MIN};
}

void sw_json_end_line(struct sw_json *json)
{
    assert(json->depth == 0);
    json->more = false;
    sw_writer_char(json->out, '\n');
}

/* Needs no escape: printable ASCII but quote and backslash. */
static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* As many bytes as one instruction compares on every machine that this runs on. */
typedef int8_t block __attribute__((vector_size(16)));

/* Copies sixteen bytes; false when one of them is not plain. What is not ASCII is below zero. */
static bool copy_block(uint8_t *to, const uint8_t *from)
{
    block bytes;
    memcpy(&bytes, from, sizeof(bytes));
    memcpy(to, &bytes, sizeof(bytes));
    block plain = (bytes > 0x1F) & (bytes != 0x7F) & (bytes != '"') & (bytes != '\\');
    uint64_t half[2];
    memcpy(half, &plain, sizeof(half));
    return (half[0] & half[1]) == UINT64_MAX;
}

/* Eight bytes that are all plain (a byte of the sum has its high bit set for each that is not). */
static bool copy_eight(uint8_t *to, const uint8_t *from)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t eight;
    memcpy(&eight, from, sizeof(eight));
    memcpy(to, &eight, sizeof(eight));
    uint64_t quote = eight ^ (ones * '"');
    uint64_t backslash = eight ^ (ones * '\\');
    uint64_t odd = (eight - ones * 0x20)       /* below 0x20 */
                   | (eight + ones)            /* 0x7F */
                   | eight                     /* not ASCII */
                   | ((quote - ones) & ~quote) /* a zero byte */
                   | ((backslash - ones) & ~backslash);
    return (odd & (ones * 0x80)) == 0;
}

/*
 * Copies bytes as long as they are plain; room for all of them is there, and more of them than
 * count may be written. Returns how many. The last block overlaps the one before it.
 */
static size_t copy_plain(uint8_t *to, struct sw_span bytes)
{
    enum { BLOCK = sizeof(block), EIGHT = 8 };
    size_t n = 0;
    while (bytes.len - n >= BLOCK && copy_block(to + n, bytes.ptr + n))
        n += BLOCK;
    if (bytes.len >= BLOCK && bytes.len - n < BLOCK) {
        size_t last = bytes.len - BLOCK;
        if (n == bytes.len || copy_block(to + last, bytes.ptr + last))
            return bytes.len;
    } else if (bytes.len >= EIGHT && bytes.len < BLOCK) {
        size_t last = bytes.len - EIGHT;
        if (copy_eight(to, bytes.ptr) && copy_eight(to + last, bytes.ptr + last))
            return bytes.len;
    }
    for (; n < bytes.len && is_plain(bytes.ptr[n]); n++)
        to[n] = bytes.ptr[n];
    return n;
}

static void put_code_point(struct sw_writer *out, int32_t c)
{
    if (c == '"' || c == '\\')
        sw_writer_char(out, '\\');
    if (c == '\n')
        sw_writer_text(out, "\\n");
    else if (c == '\r')
        sw_writer_text(out, "\\r");
    else if (c == '\t')
        sw_writer_text(out, "\\t");
    else if (!sw_text_is_unsafe(c))
        sw_writer_code_point(out, c);
    else if (c < 0x10000)
        sw_writer_format(out, "\\u%04x", (unsigned)c);
    else /* a surrogate pair, RFC 8259 section 7 */
        sw_writer_format(out, "\\u%04x\\u%04x", 0xD800u + (((unsigned)c - 0x10000u) >> 10),
                         0xDC00u + (((unsigned)c - 0x10000u) & 0x3FFu));
}

/* The characters of a string, without its quotes. False when some of it was not UTF-8. */
static bool put_escaped(struct sw_writer *out, struct sw_span bytes)
{
    bool valid = true;
    while (bytes.len > 0) {
        struct sw_span part = sw_span_sub(bytes, 0, SW_WRITER_AT_ONCE);
        uint8_t *at = sw_writer_room(out, part.len);
        if (!at)
            return true; /* nothing is written any more */
        size_t plain = copy_plain(at, part);
        out->used += plain;
        bytes = sw_span_from(bytes, plain);
        if (plain == part.len)
            continue;
        int32_t c = sw_text_next(&bytes);
        valid = valid && c >= 0;
        put_code_point(out, c < 0 ? 0xFFFD : c);
    }
    return valid;
}

bool sw_json_string(struct sw_json *json, struct sw_span bytes)
{
    struct sw_writer *out = json->out;
    size_t quoted = bytes.len + 2;
    uint8_t *at = quoted <= SW_WRITER_AT_ONCE ? sw_writer_room(out, quoted) : NULL;
    if (at) { /* nearly all strings are plain as a whole */
        size_t plain = copy_plain(at + 1, bytes);
        at[0] = '"';
        if (plain == bytes.len) {
            at[plain + 1] = '"';
            out->used += quoted;
            return true;
        }
        out->used += 1 + plain;
        bytes = sw_span_from(bytes, plain);
    } else {
        sw_writer_char(out, '"');
    }
    bool valid = put_escaped(out, bytes);
    sw_writer_char(out, '"');
    return valid;
}

void sw_json_hex(struct sw_json *json, const char *key, struct sw_span bytes)
{
    struct sw_writer *out = json->out;
    sw_writer_text(out, ",\"");
    sw_writer_text(out, key);
    sw_writer_text(out, "_hex\":\"");
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        sw_writer_char(out, digits[bytes.ptr[i] >> 4]);
        sw_writer_char(out, digits[bytes.ptr[i] & 15]);
    }
    sw_writer_char(out, '"');
}

void sw_json_file(struct sw_json *json, const char *key, uint64_t frame)
{
    char sibling[40] = "file";
    if (strcmp(key, "frame") != 0)
        (void)snprintf(sibling, sizeof(sibling), "%s_file", key);
    sw_json_wire(json, sibling, json->file_of(json->file_ctx, frame));
}

void sw_json_duration(struct sw_json *json, int64_t duration_ns)
{
    enum { NANO_DIGITS = 9 };
    uint8_t *at = sw_writer_room(json->out, SW_DIGITS + NANO_DIGITS + 2);
    if (!at)
        return;
    bool negative = duration_ns < 0;
    uint64_t ns = negative ? UINT64_C(0) - (uint64_t)duration_ns : (uint64_t)duration_ns;
    if (negative)
        *at++ = '-';
    at += sw_format_number(ns / SW_NS_PER_S, at);
    uint32_t fraction = (uint32_t)(ns % SW_NS_PER_S);
    size_t digits = NANO_DIGITS;
    if (fraction % 1000 == 0) { /* most clocks count microseconds */
        fraction /= 1000;
        digits -= 3;
    }
    if (fraction > 0) {
        for (; fraction % 10 == 0; fraction /= 10)
            digits--;
        *at = '.';
        for (size_t i = digits; i > 0; fraction /= 10)
            at[i--] = (uint8_t)('0' + fraction % 10);
        at += 1 + digits;
    }
    sw_json_done(json, at);
}

void sw_json_moment(struct sw_json *json, int64_t time_ns, int digits)
{
    enum { SECOND_BYTES = sizeof("2026-01-31T23:59:59") - 1, NANO_DIGITS = 9 };
    uint8_t *at = sw_writer_room(json->out, SW_TIME_TEXT_BYTES);
    if (!at)
        return;
    int64_t fraction = time_ns % SW_NS_PER_S;
    fraction += fraction < 0 ? SW_NS_PER_S : 0;
    int64_t second = time_ns - fraction;
    if (second != json->second) {
        (void)sw_time_format(second, 0, json->second_text);
        json->second = second;
    }
    *at++ = '"';
    at = sw_json_add(at, json->second_text, SECOND_BYTES);
    if (digits > 0) {
        *at = '.';
        for (int i = NANO_DIGITS; i > 0; i--, fraction /= 10)
            at[i] = (uint8_t)('0' + fraction % 10);
        at += 1 + digits;
    }
    sw_json_done(json, sw_json_add(at, "Z\"", 2));
}

void sw_json_wire_member(struct sw_json *json, struct sw_span key, struct sw_span bytes)
{
    sw_json_literal(json, NULL, "", 0);
    (void)sw_json_string(json, key);
    sw_writer_char(json->out, ':');
    (void)sw_json_string(json, bytes);
}
