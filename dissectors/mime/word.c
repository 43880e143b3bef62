/*
 * word.c - encoded words (RFC 2047): "=?charset?B|Q?text?=" to UTF-8.
 */
#include "base/base64.h"
#include "base/text.h"
#include "dissectors/mime/mime.h"

/* windows-1252 where it differs from ISO-8859-1; 0 = not assigned. */
static const uint16_t windows_1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

static int32_t latin_1(uint8_t c)
{
    return c;
}

/* Programs write windows-1252 and call it ISO-8859-1, but C1 controls mean nothing in a header. */
static int32_t latin_1_or_windows(uint8_t c)
{
    uint16_t mapped = c >= 0x80 && c < 0xA0 ? windows_1252[c - 0x80] : 0;
    return mapped ? mapped : c;
}

static int32_t latin_9(uint8_t c)
{
    static const uint8_t at[8] = {0xA4, 0xA6, 0xA8, 0xB4, 0xB8, 0xBC, 0xBD, 0xBE};
    static const uint16_t is[8] = {0x20AC, 0x160, 0x161, 0x17D, 0x17E, 0x152, 0x153, 0x178};
    for (size_t i = 0; i < sizeof(at); i++) {
        if (at[i] == c)
            return is[i];
    }
    return c;
}

/* How the octets of a character set become UTF-8; NULL = they are UTF-8. */
struct charset {
    const char *name;
    int32_t (*code_point)(uint8_t c);
};

static const struct charset charsets[] = {
    {"utf-8", NULL},
    {"utf8", NULL},
    {"us-ascii", latin_1},
    {"iso-8859-1", latin_1_or_windows},
    {"latin1", latin_1_or_windows},
    {"windows-1252", latin_1_or_windows},
    {"cp1252", latin_1_or_windows},
    {"iso-8859-15", latin_9},
};

struct out {
    uint8_t *bytes;
    size_t room;
    size_t used;
};

static void put(struct out *out, struct sw_span s)
{
    size_t room = out->room - out->used;
    size_t n = s.len < room ? s.len : room;
    if (n > 0)
        memcpy(out->bytes + out->used, s.ptr, n);
    out->used += n;
}

static void put_octet(struct out *out, const struct charset *charset, uint8_t c)
{
    uint8_t utf8[4] = {c};
    size_t n = charset->code_point ? sw_text_put_utf8(charset->code_point(c), utf8) : 1;
    if (n <= out->room - out->used) /* a character is never cut */
        put(out, sw_span_make(utf8, n));
}

static const struct charset *charset_of(struct sw_span name)
{
    name = sw_span_sub(name, 0, sw_span_index(name, '*')); /* the language (RFC 2231 5) */
    for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++) {
        if (sw_span_eq_nocase(name, sw_span_str(charsets[i].name)))
            return &charsets[i];
    }
    return NULL;
}

static int hex(uint8_t c)
{
    uint8_t l = sw_ascii_lower(c);
    return sw_ascii_digit(c) ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* RFC 2047 4.2 */
static void put_q(struct out *out, const struct charset *charset, struct sw_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '=' && i + 2 < text.len && hex(text.ptr[i + 1]) >= 0 &&
            hex(text.ptr[i + 2]) >= 0) {
            c = (uint8_t)(hex(text.ptr[i + 1]) << 4 | hex(text.ptr[i + 2]));
            i += 2;
        } else if (c == '_') {
            c = ' ';
        }
        put_octet(out, charset, c);
    }
}

/* RFC 2047 4.1; false when it is no base64. */
static bool put_b(struct out *out, const struct charset *charset, struct sw_span text)
{
    uint8_t clear[MIME_VALUE_BYTES];
    int len = sw_base64_decode(text, clear, sizeof(clear));
    for (int i = 0; i < len; i++)
        put_octet(out, charset, clear[i]);
    return len >= 0;
}

/* The length of the encoded word at the start of `s`, or 0; what it holds is put out. */
static size_t put_word(struct out *out, struct sw_span s)
{
    if (!sw_span_starts(s, SW_SPAN_LIT("=?")))
        return 0;
    struct sw_span rest = sw_span_from(s, 2);
    struct sw_span name = sw_span_sub(rest, 0, sw_span_index(rest, '?'));
    rest = sw_span_from(rest, name.len + 1);
    const struct charset *charset = charset_of(name);
    if (!charset || rest.len < 2 || rest.ptr[1] != '?')
        return 0;
    uint8_t encoding = sw_ascii_lower(rest.ptr[0]);
    rest = sw_span_from(rest, 2);
    struct sw_span text = sw_span_sub(rest, 0, sw_span_index(rest, '?'));
    struct sw_span close = sw_span_sub(rest, text.len, 2);
    if (!sw_span_eq(close, SW_SPAN_LIT("?=")))
        return 0;
    if (encoding == 'q')
        put_q(out, charset, text);
    else if (encoding != 'b' || !put_b(out, charset, text))
        return 0;
    return (size_t)(close.ptr + close.len - s.ptr);
}

/* The bytes before the next "=?" behind the first one. */
static size_t plain_run(struct sw_span s)
{
    size_t at = 1;
    while (at < s.len) {
        at += sw_span_index(sw_span_from(s, at), '=');
        if (at + 1 >= s.len || s.ptr[at + 1] == '?')
            break;
        at++;
    }
    return at < s.len ? at : s.len;
}

static bool is_blank(struct sw_span s)
{
    return sw_span_trim(s).len == 0;
}

size_t mime_decode_words(struct sw_span value, uint8_t *bytes, size_t room)
{
    struct out out = {bytes, room, 0};
    bool after_word = false;
    while (value.len > 0) {
        size_t word = put_word(&out, value);
        if (word > 0) {
            value = sw_span_from(value, word);
            after_word = true;
            continue;
        }
        struct sw_span run = sw_span_sub(value, 0, plain_run(value));
        struct sw_span behind = sw_span_from(value, run.len);
        size_t mark = out.used;
        if (!after_word || !is_blank(run) || behind.len == 0) {
            put(&out, run);
            value = behind;
            after_word = false;
            continue;
        }
        /* blanks between two encoded words are no part of the text (RFC 2047 6.2) */
        word = put_word(&out, behind);
        if (word == 0) {
            out.used = mark;
            put(&out, run);
        }
        value = sw_span_from(behind, word);
        after_word = word > 0;
    }
    return out.used;
}
