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

/* Are eight bytes all plain? (A byte of the sum has its high bit set for each that is not.) */
static bool are_plain(uint64_t eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t quote = eight ^ (ones * '"');
    uint64_t backslash = eight ^ (ones * '\\');
    uint64_t odd = (eight - ones * 0x20)       /* below 0x20 */
                   | (eight + ones)            /* 0x7F */
                   | eight                     /* not ASCII */
                   | ((quote - ones) & ~quote) /* a zero byte */
                   | ((backslash - ones) & ~backslash);
    return (odd & (ones * 0x80)) == 0;
}

static bool copy_eight(uint8_t *to, const uint8_t *from)
{
    uint64_t eight;
    memcpy(&eight, from, sizeof(eight));
    memcpy(to, &eight, sizeof(eight));
    return are_plain(eight);
}

/* Four to seven bytes: the first four of them, and the last four. */
static bool copy_few(uint8_t *to, const uint8_t *from, size_t n)
{
    uint32_t head, tail;
    memcpy(&head, from, sizeof(head));
    memcpy(&tail, from + n - sizeof(tail), sizeof(tail));
    memcpy(to, &head, sizeof(head));
    memcpy(to + n - sizeof(tail), &tail, sizeof(tail));
    return are_plain((uint64_t)head << 32 | tail);
}

/*
 * Copies bytes as long as they are plain; room for all of them is there, and more of them than
 * count may be written. Returns how many. The last block overlaps the one before it.
 */
static size_t copy_plain(uint8_t *to, struct sw_span bytes)
{
    enum { BLOCK = sizeof(block), EIGHT = 8, FOUR = 4 };
    size_t n = 0;
    if (bytes.len >= BLOCK) {
        size_t last = bytes.len - BLOCK;
        while (n < last && copy_block(to + n, bytes.ptr + n))
            n += BLOCK;
        if (n >= last && copy_block(to + last, bytes.ptr + last))
            return bytes.len;
    } else if (bytes.len >= EIGHT) {
        size_t last = bytes.len - EIGHT;
        if (copy_eight(to, bytes.ptr) && copy_eight(to + last, bytes.ptr + last))
            return bytes.len;
    } else if (bytes.len >= FOUR && copy_few(to, bytes.ptr, bytes.len)) {
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

bool sw_json_quote(struct sw_json *json, uint8_t *at, struct sw_span bytes)
{
    struct sw_writer *out = json->out;
    *at++ = '"';
    if (bytes.len <= SW_JSON_TEXT_BYTES) { /* most are short and plain as a whole */
        size_t plain = copy_plain(at, bytes);
        at += plain;
        if (plain == bytes.len) {
            *at++ = '"';
            sw_json_done(json, at);
            return true;
        }
        bytes = sw_span_from(bytes, plain);
    }
    sw_json_done(json, at);
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

/* The digits of a fraction of a second: microseconds, which most clocks count, and nanoseconds. */
enum { MICRO_DIGITS = 6, NANO_DIGITS = 9, NS_PER_US = 1000 };

static void put_micro(uint8_t at[MICRO_DIGITS], uint32_t us)
{
    uint32_t low = us % 10000;
    sw_format_pair(us / 10000, at);
    sw_format_pair(low / 100, at + 2);
    sw_format_pair(low % 100, at + 4);
}

static void put_nano(uint8_t at[NANO_DIGITS], uint32_t ns)
{
    put_micro(at, ns / NS_PER_US);
    uint32_t rest = ns % NS_PER_US;
    at[MICRO_DIGITS] = (uint8_t)('0' + rest / 100);
    sw_format_pair(rest % 100, at + MICRO_DIGITS + 1);
}

/* Point and fraction without the zeros at its end; nothing at all for 0. */
static uint8_t *add_fraction(uint8_t *at, uint32_t ns)
{
    if (ns == 0)
        return at;
    *at++ = '.';
    uint32_t us = ns / NS_PER_US;
    if (us * NS_PER_US == ns) {
        put_micro(at, us);
        at += MICRO_DIGITS;
    } else {
        put_nano(at, ns);
        at += NANO_DIGITS;
    }
    while (at[-1] == '0')
        at--;
    return at;
}

uint8_t *sw_json_add_duration(uint8_t *at, int64_t duration_ns)
{
    uint64_t ns = (uint64_t)duration_ns;
    if (ns < SW_NS_PER_S) { /* most are: neither negative nor a second */
        *at = '0';
        return add_fraction(at + 1, (uint32_t)ns);
    }
    if (duration_ns < 0) {
        ns = UINT64_C(0) - ns;
        *at++ = '-';
    }
    at = sw_json_add_number(at, ns / SW_NS_PER_S);
    return add_fraction(at, (uint32_t)(ns % SW_NS_PER_S));
}

uint8_t *sw_json_add_moment(struct sw_json *json, uint8_t *at, int64_t time_ns, int digits)
{
    enum { SECOND_BYTES = sizeof("2026-01-31T23:59:59") - 1 };
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
        put_nano(at + 1, (uint32_t)fraction);
        at += 1 + digits;
    }
    return SW_JSON_LITERAL(at, "Z\"");
}

void sw_json_wire_member(struct sw_json *json, struct sw_span key, struct sw_span bytes)
{
    uint8_t *at = sw_json_key(json, NULL, SW_JSON_TEXT_BYTES + 2);
    if (!at)
        return;
    (void)sw_json_quote(json, at, key);
    at = sw_writer_room(json->out, SW_JSON_TEXT_BYTES + 3);
    if (!at)
        return;
    *at++ = ':';
    (void)sw_json_quote(json, at, bytes);
}
