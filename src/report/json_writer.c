#include "report/json_writer.h"

#include "base/text.h"
#include "base/time.h"

#include <assert.h>

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

/* How many bytes from the start need no escape: printable ASCII but quote and backslash. */
static size_t plain_run(struct sw_span bytes)
{
    size_t n = 0;
    while (n < bytes.len && bytes.ptr[n] >= 0x20 && bytes.ptr[n] < 0x7F && bytes.ptr[n] != '"' &&
           bytes.ptr[n] != '\\')
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
    if (key) {
        put_string(json->out, sw_span_str(key));
        sw_writer_char(json->out, ':');
    }
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

void sw_json_frame(struct sw_json *json, const char *key, uint64_t frame)
{
    if (frame == 0)
        sw_json_null(json, key);
    else
        sw_json_number(json, key, frame);
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
    sw_writer_format(json->out, "%s%llu", negative ? "-" : "",
                     (unsigned long long)(ns / SW_NS_PER_S));
    uint64_t fraction = ns % SW_NS_PER_S;
    int digits = 9;
    while (fraction > 0 && fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    if (fraction > 0)
        sw_writer_format(json->out, ".%0*llu", digits, (unsigned long long)fraction);
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
