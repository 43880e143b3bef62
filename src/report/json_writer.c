#include "report/json_writer.h"

#include "base/frame_ref.h"
#include "base/text.h"
#include "base/time.h"

#include <assert.h>
#include <stdio.h>

void sw_json_begin(struct sw_json *json, struct sw_writer *out)
{
    *json = (struct sw_json){.out = out};
}

void sw_json_end_line(struct sw_json *json)
{
    assert(json->depth == 0);
    json->more[0] = false;
    sw_writer_char(json->out, '\n');
}

/* Needs no escape: printable ASCII but quote and backslash. */
static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* Eight bytes that are all plain (a byte of the sum has its high bit set for each that is not). */
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

static size_t plain_run(struct sw_span bytes)
{
    size_t n = 0;
    for (uint64_t eight; bytes.len - n >= sizeof(eight); n += sizeof(eight)) {
        memcpy(&eight, bytes.ptr + n, sizeof(eight));
        if (!are_plain(eight))
            break;
    }
    while (n < bytes.len && is_plain(bytes.ptr[n]))
        n++;
    return n;
}

/* The characters of a string, without its quotes. */
static void put_escaped(struct sw_writer *out, struct sw_span bytes)
{
    while (bytes.len > 0) {
        size_t plain = plain_run(bytes);
        sw_writer_put(out, sw_span_sub(bytes, 0, plain));
        bytes = sw_span_from(bytes, plain);
        if (bytes.len == 0)
            return;
        int32_t c = sw_text_next(&bytes);
        if (c < 0)
            c = 0xFFFD;
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
}

static void put_string(struct sw_writer *out, struct sw_span bytes)
{
    sw_writer_char(out, '"');
    put_escaped(out, bytes);
    sw_writer_char(out, '"');
}

/* The comma before a value. */
static void separate(struct sw_json *json)
{
    if (json->more[json->depth])
        sw_writer_char(json->out, ',');
    json->more[json->depth] = true;
}

static void begin_value(struct sw_json *json, const char *key)
{
    separate(json);
    if (!key)
        return;
    struct sw_writer *out = json->out;
    struct sw_span name = sw_span_str(key);
    size_t len = name.len;
    if (out->error == 0 && len + 3 <= out->room - out->used) { /* written at once */
        uint8_t *at = out->bytes + out->used;
        at[0] = '"';
        memcpy(at + 1, name.ptr, len); /* our own text: nothing in it needs an escape */
        at[len + 1] = '"';
        at[len + 2] = ':';
        out->used += len + 3;
        return;
    }
    sw_writer_char(out, '"');
    sw_writer_text(out, key);
    sw_writer_text(out, "\":");
}

static void open_level(struct sw_json *json, const char *key, char bracket)
{
    begin_value(json, key);
    sw_writer_char(json->out, bracket);
    assert(json->depth + 1 < SW_JSON_DEPTH);
    json->more[++json->depth] = false;
}

static void close_level(struct sw_json *json, char bracket)
{
    assert(json->depth > 0);
    json->depth--;
    sw_writer_char(json->out, bracket);
}

void sw_json_object(struct sw_json *json, const char *key)
{
    open_level(json, key, '{');
}

void sw_json_end_object(struct sw_json *json)
{
    close_level(json, '}');
}

void sw_json_array(struct sw_json *json, const char *key)
{
    open_level(json, key, '[');
}

void sw_json_end_array(struct sw_json *json)
{
    close_level(json, ']');
}

void sw_json_null(struct sw_json *json, const char *key)
{
    begin_value(json, key);
    sw_writer_text(json->out, "null");
}

void sw_json_bool(struct sw_json *json, const char *key, bool value)
{
    begin_value(json, key);
    sw_writer_text(json->out, value ? "true" : "false");
}

void sw_json_number(struct sw_json *json, const char *key, uint64_t value)
{
    begin_value(json, key);
    sw_writer_number(json->out, value);
}

void sw_json_some(struct sw_json *json, const char *key, uint64_t value)
{
    if (value == 0)
        sw_json_null(json, key);
    else
        sw_json_number(json, key, value);
}

void sw_json_frame(struct sw_json *json, const char *key, uint64_t frame)
{
    sw_json_some(json, key, sw_frame_number(frame));
    if (!json->file_of || frame == 0 || !key)
        return;
    char sibling[40] = "file";
    if (strcmp(key, "frame") != 0)
        (void)snprintf(sibling, sizeof(sibling), "%s_file", key);
    sw_json_wire(json, sibling, json->file_of(json->file_ctx, frame));
}

void sw_json_seconds(struct sw_json *json, const char *key, int64_t duration_ns)
{
    if (duration_ns == SW_TIME_NONE) {
        sw_json_null(json, key);
        return;
    }
    begin_value(json, key);
    bool negative = duration_ns < 0;
    uint64_t ns = negative ? UINT64_C(0) - (uint64_t)duration_ns : (uint64_t)duration_ns;
    if (negative)
        sw_writer_char(json->out, '-');
    sw_writer_number(json->out, ns / SW_NS_PER_S);
    uint64_t fraction = ns % SW_NS_PER_S;
    if (fraction == 0)
        return;
    char digits[10] = ".000000000";
    for (size_t at = sizeof(digits); fraction > 0; fraction /= 10)
        digits[--at] = (char)('0' + fraction % 10);
    size_t len = sizeof(digits);
    while (digits[len - 1] == '0')
        len--;
    sw_writer_put(json->out, sw_span_make(digits, len));
}

void sw_json_time(struct sw_json *json, const char *key, int64_t time_ns, int digits)
{
    if (time_ns == SW_TIME_NONE) {
        sw_json_null(json, key);
        return;
    }
    char text[SW_TIME_TEXT_BYTES];
    size_t len = sw_time_format(time_ns, digits, text);
    begin_value(json, key);
    put_string(json->out, sw_span_make(text, len));
}

void sw_json_text(struct sw_json *json, const char *key, const char *text)
{
    if (!text) {
        sw_json_null(json, key);
        return;
    }
    begin_value(json, key);
    put_string(json->out, sw_span_str(text));
}

void sw_json_wire(struct sw_json *json, const char *key, struct sw_span bytes)
{
    begin_value(json, key);
    put_string(json->out, bytes);
    if (!key || sw_text_is_utf8(bytes))
        return;
    separate(json);
    sw_writer_char(json->out, '"');
    put_escaped(json->out, sw_span_str(key));
    sw_writer_text(json->out, "_hex\":\"");
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        sw_writer_char(json->out, digits[bytes.ptr[i] >> 4]);
        sw_writer_char(json->out, digits[bytes.ptr[i] & 15]);
    }
    sw_writer_char(json->out, '"');
}

void sw_json_wire_member(struct sw_json *json, struct sw_span key, struct sw_span bytes)
{
    separate(json);
    put_string(json->out, key);
    sw_writer_char(json->out, ':');
    put_string(json->out, bytes);
}
