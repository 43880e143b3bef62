/*
 * fingerprint.c - JA3 (github.com/salesforce/ja3) and JA4 (github.com/FoxIO-LLC/ja4) of a
 * ClientHello: the texts; their digests are somebody else's matter.
 */
#include "dissectors/tls/internal.h"

struct writer {
    char *at;
    size_t left; /* without the NUL */
    bool full;
};

static void put(struct writer *w, char c)
{
    if (w->left == 0) {
        w->full = true;
        return;
    }
    *w->at++ = c;
    *w->at = '\0';
    w->left--;
}

static void put_decimal(struct writer *w, unsigned value)
{
    unsigned unit = 10000;
    while (unit > 1 && value < unit)
        unit /= 10;
    for (; unit > 0; unit /= 10)
        put(w, (char)('0' + value / unit % 10));
}

static char hex_digit(unsigned value)
{
    return "0123456789abcdef"[value & 15];
}

static void put_hex(struct writer *w, uint16_t value)
{
    for (int shift = 12; shift >= 0; shift -= 4)
        put(w, hex_digit((unsigned)value >> shift));
}

static struct writer writer_make(char *text, size_t room)
{
    text[0] = '\0';
    return (struct writer){text, room - 1, false};
}

/* JA3: numbers joined by '-', without GREASE. */
static void put_numbers(struct writer *w, const uint16_t *list, uint16_t count)
{
    bool first = true;
    for (uint16_t i = 0; i < count; i++) {
        if (tls_is_grease(list[i]))
            continue;
        if (!first)
            put(w, '-');
        put_decimal(w, list[i]);
        first = false;
    }
}

/* Everything that a fingerprint is made of was kept. */
static bool is_whole(const struct tls_hello *hello)
{
    return !hello->cut && hello->ciphers.count == hello->ciphers.kept &&
           hello->extensions.count == hello->extensions.kept &&
           hello->groups.count == hello->groups.kept && hello->schemes.count == hello->schemes.kept;
}

bool tls_ja3(const struct tls_hello *hello, char text[TLS_JA3_TEXT])
{
    struct writer w = writer_make(text, TLS_JA3_TEXT);
    put_decimal(&w, hello->legacy_version);
    put(&w, ',');
    put_numbers(&w, hello->ciphers.at, hello->ciphers.kept);
    put(&w, ',');
    put_numbers(&w, hello->extensions.at, hello->extensions.kept);
    put(&w, ',');
    put_numbers(&w, hello->groups.at, hello->groups.kept);
    put(&w, ',');
    for (uint8_t i = 0; i < hello->format_count; i++) {
        if (i > 0)
            put(&w, '-');
        put_decimal(&w, hello->formats[i]);
    }
    return is_whole(hello) && !w.full;
}

/* --- JA4 --- */

static const char *ja4_version(uint16_t version)
{
    switch (version) {
    case TLS_VERSION_1_3:
        return "13";
    case TLS_VERSION_1_2:
        return "12";
    case TLS_VERSION_1_1:
        return "11";
    case TLS_VERSION_1_0:
        return "10";
    case TLS_VERSION_SSL3:
        return "s3";
    case TLS_VERSION_SSL2:
        return "s2";
    default:
        return "00";
    }
}

/* Copies without GREASE and, of extensions, without server_name and ALPN; sorts. */
static uint16_t sorted(uint16_t *out, const uint16_t *list, uint16_t count, bool extensions)
{
    uint16_t n = 0;
    for (uint16_t i = 0; i < count; i++) {
        if (tls_is_grease(list[i]) || (extensions && (list[i] == 0 || list[i] == 16)))
            continue;
        uint16_t place = n++;
        for (; place > 0 && out[place - 1] > list[i]; place--)
            out[place] = out[place - 1];
        out[place] = list[i];
    }
    return n;
}

static void put_hexes(struct writer *w, const uint16_t *list, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        if (i > 0)
            put(w, ',');
        put_hex(w, list[i]);
    }
}

static void put_count(struct writer *w, const uint16_t *list, uint16_t count)
{
    unsigned n = 0;
    for (uint16_t i = 0; i < count; i++)
        n += !tls_is_grease(list[i]);
    n = n < 99 ? n : 99;
    put(w, (char)('0' + n / 10));
    put(w, (char)('0' + n % 10));
}

static bool is_alphanumeric(uint8_t c)
{
    return sw_ascii_alpha(c) || sw_ascii_digit(c);
}

/* First and last character of the first protocol; of its hex form when they are no letters. */
static void put_alpn(struct writer *w, const struct tls_hello *hello)
{
    if (hello->alpn_len == 0) {
        put(w, '0');
        put(w, '0');
        return;
    }
    uint8_t first = hello->alpn[0];
    uint8_t last = hello->alpn[hello->alpn_len - 1];
    bool plain = is_alphanumeric(first) && is_alphanumeric(last);
    put(w, plain ? (char)first : hex_digit((unsigned)first >> 4));
    put(w, plain ? (char)last : hex_digit(last));
}

bool tls_ja4(const struct tls_hello *hello, struct tls_ja4 *out)
{
    struct writer w = writer_make(out->first, sizeof(out->first));
    const char *version = ja4_version(hello->version);
    put(&w, 't');
    put(&w, version[0]);
    put(&w, version[1]);
    put(&w, hello->has_name ? 'd' : 'i');
    put_count(&w, hello->ciphers.at, hello->ciphers.kept);
    put_count(&w, hello->extensions.at, hello->extensions.kept);
    put_alpn(&w, hello);
    uint16_t list[TLS_CIPHERS];
    w = writer_make(out->ciphers, sizeof(out->ciphers));
    uint16_t n = sorted(list, hello->ciphers.at, hello->ciphers.kept, false);
    put_hexes(&w, list, n);
    bool full = w.full;
    w = writer_make(out->extensions, sizeof(out->extensions));
    n = sorted(list, hello->extensions.at, hello->extensions.kept, true);
    put_hexes(&w, list, n);
    bool first = true;
    for (uint16_t i = 0; i < hello->schemes.kept; i++) { /* these keep their order */
        if (tls_is_grease(hello->schemes.at[i]))
            continue;
        put(&w, first ? '_' : ',');
        put_hex(&w, hello->schemes.at[i]);
        first = false;
    }
    return is_whole(hello) && !full && !w.full;
}
