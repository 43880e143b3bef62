#include "report/json_writer.h"

#include "base/text.h"

#include <stdio.h>

static const char hex_digits[] = "0123456789abcdef";

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

/* As many bytes as one instruction compares on every machine that this runs on. */
typedef int8_t block __attribute__((vector_size(16)));
typedef uint8_t octets __attribute__((vector_size(16)));

/* Which of the bytes need an escape, all but printable ASCII without quote and backslash: ones in
 * these, zeros in the others. With 1 added what is not ASCII is below zero, and so is 0x7F. */
static inline block odd_of(octets bytes)
{
    return ((block)(bytes + 1) < 0x21) | (block)((bytes == '"') | (bytes == '\\'));
}

/* Which byte in memory is the first of a word that is not 0. */
static inline size_t first_in_word(uint64_t word)
{
    bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    return (size_t)(little ? __builtin_ctzll(word) : __builtin_clzll(word)) / 8;
}

/* Which byte of a block is the first that needs an escape; 16: none. */
static inline size_t first_of(block odd)
{
    uint64_t half[2];
    memcpy(half, &odd, sizeof(half));
    if ((half[0] | half[1]) == 0)
        return sizeof(odd);
    return half[0] ? first_in_word(half[0]) : sizeof(uint64_t) + first_in_word(half[1]);
}

/*
 * Copies n bytes, and returns how many of them up to the first that needs an escape. The last block
 * overlaps the one before it.
 */
static inline size_t copy_blocks(uint8_t *to, const uint8_t *from, size_t n)
{
    enum { BLOCK = sizeof(octets) };
    for (size_t at = 0;;) {
        octets bytes;
        memcpy(&bytes, from + at, sizeof(bytes));
        memcpy(to + at, &bytes, sizeof(bytes));
        size_t first = first_of(odd_of(bytes));
        if (first < BLOCK)
            return at + first;
        if (at + BLOCK == n)
            return n;
        at = at + 2 * BLOCK <= n ? at + BLOCK : n - BLOCK;
    }
}

/* The same of 4 to 15 bytes: two halves, which overlap. */
static inline size_t copy_halves(uint8_t *to, const uint8_t *from, size_t n)
{
    size_t size = n >= sizeof(uint64_t) ? sizeof(uint64_t) : sizeof(uint32_t);
    uint64_t half[2];
    if (size == sizeof(uint64_t)) {
        memcpy(&half[0], from, sizeof(uint64_t));
        memcpy(&half[1], from + n - sizeof(uint64_t), sizeof(uint64_t));
        memcpy(to, &half[0], sizeof(uint64_t));
        memcpy(to + n - sizeof(uint64_t), &half[1], sizeof(uint64_t));
    } else {
        uint32_t part[2];
        memcpy(&part[0], from, sizeof(uint32_t));
        memcpy(&part[1], from + n - sizeof(uint32_t), sizeof(uint32_t));
        memcpy(to, &part[0], sizeof(uint32_t));
        memcpy(to + n - sizeof(uint32_t), &part[1], sizeof(uint32_t));
        half[0] = part[0] * UINT64_C(0x100000001);
        half[1] = part[1] * UINT64_C(0x100000001);
    }
    octets bytes;
    memcpy(&bytes, half, sizeof(bytes));
    size_t first = first_of(odd_of(bytes));
    return first < 8 ? first : first < 16 ? n - size + (first - 8) : n;
}

/* Room for n bytes is there. */
static inline size_t copy_plain(uint8_t *to, const uint8_t *from, size_t n)
{
    if (n >= sizeof(octets))
        return copy_blocks(to, from, n);
    if (n >= sizeof(uint32_t))
        return copy_halves(to, from, n);
    size_t plain = 0;
    for (; plain < n; plain++) {
        uint8_t c = from[plain];
        if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\')
            break;
        to[plain] = c;
    }
    return plain;
}

/* A UTF-16 unit as an escape (RFC 8259 section 7). */
static uint8_t *add_escape(uint8_t *at, uint32_t unit)
{
    at = SW_JSON_LITERAL(at, "\\u");
    for (int shift = 12; shift >= 0; shift -= 4)
        *at++ = (uint8_t)hex_digits[unit >> shift & 15];
    return at;
}

/* A character as UTF-8, or as an escape when it must not reach a terminal. */
static uint8_t *add_code_point(uint8_t *at, int32_t c)
{
    if (!sw_text_is_unsafe(c))
        return at + sw_text_put_utf8(c, at);
    uint32_t code = (uint32_t)c;
    if (code < 0x10000)
        return add_escape(at, code);
    at = add_escape(at, 0xD800 + ((code - 0x10000) >> 10)); /* a surrogate pair */
    return add_escape(at, 0xDC00 + ((code - 0x10000) & 0x3FF));
}

/* The character at the start of *rest, which needs an escape or is not ASCII. */
static uint8_t *add_odd(uint8_t *at, struct sw_span *rest, bool *valid)
{
    uint8_t c = rest->ptr[0];
    if (c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t') {
        at[0] = '\\';
        at[1] = c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c;
        rest->ptr++;
        rest->len--;
        return at + 2;
    }
    int32_t code_point = sw_text_next(rest);
    *valid = *valid && code_point >= 0;
    return add_code_point(at, code_point < 0 ? 0xFFFD : code_point);
}

uint8_t *sw_json_go_on_beyond(struct sw_json *json, uint8_t *at)
{
    sw_json_done(json, at);
    return sw_json_run(json);
}

uint8_t *sw_json_add_copy_beyond(struct sw_json *json, uint8_t *at, struct sw_span bytes)
{
    sw_json_done(json, at);
    sw_writer_put(json->out, bytes);
    return sw_json_run(json);
}

/* What is left of a string that is long or not plain, of which `plain` bytes stand before `at`. */
static __attribute__((noinline)) uint8_t *add_rest(struct sw_json *json, uint8_t *at,
                                                   const char *key, struct sw_span bytes,
                                                   size_t plain)
{
    struct sw_span rest = sw_span_from(bytes, plain);
    bool valid = true;
    if (plain < SW_JSON_PIECE)
        at = add_odd(at, &rest, &valid);
    while (rest.len > 0) {
        at = sw_json_go_on(json, at);
        if (!at)
            return NULL;
        size_t part = rest.len < SW_JSON_PIECE ? rest.len : SW_JSON_PIECE;
        plain = copy_plain(at, rest.ptr, part);
        at += plain;
        rest.ptr += plain;
        rest.len -= plain;
        if (plain < part)
            at = add_odd(at, &rest, &valid);
    }
    *at++ = '"';
    if (valid || !key)
        return sw_json_go_on(json, at);
    sw_json_done(json, at);
    sw_json_hex(json, key, bytes);
    return sw_json_run(json);
}

uint8_t *sw_json_add_string(struct sw_json *json, uint8_t *at, const char *key,
                            struct sw_span bytes)
{
    size_t part = bytes.len < SW_JSON_PIECE ? bytes.len : SW_JSON_PIECE;
    *at++ = '"';
    size_t plain = copy_plain(at, bytes.ptr, part);
    at += plain;
    if (plain < bytes.len)
        return add_rest(json, at, key, bytes, plain);
    *at++ = '"'; /* most are plain as a whole */
    return sw_json_go_on(json, at);
}

void sw_json_hex(struct sw_json *json, const char *key, struct sw_span bytes)
{
    struct sw_writer *out = json->out;
    sw_writer_text(out, ",\"");
    sw_writer_text(out, key);
    sw_writer_text(out, "_hex\":\"");
    for (size_t i = 0; i < bytes.len; i++) {
        sw_writer_char(out, hex_digits[bytes.ptr[i] >> 4]);
        sw_writer_char(out, hex_digits[bytes.ptr[i] & 15]);
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
    uint8_t *at = sw_json_key(json, NULL, SW_JSON_STRING_BYTES);
    sw_json_note_room(json);
    if (!at || !(at = sw_json_add_string(json, at, NULL, key)))
        return;
    *at++ = ':';
    if ((at = sw_json_add_string(json, at, NULL, bytes)))
        sw_json_done(json, at);
}
