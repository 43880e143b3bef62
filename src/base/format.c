#include "base/format.h"

#include <stdio.h>

struct text {
    char *at;
    size_t room; /* without the NUL */
    size_t length;
};

/* One conversion: %[0][width][.precision][length]kind. */
struct conversion {
    char kind;
    bool zeros;
    bool is_long; /* l, ll, z: 64 bits on every machine that this runs on */
    size_t width;
    size_t precision; /* SIZE_MAX: none */
};

static void put(struct text *t, const char *bytes, size_t n)
{
    if (t->length < t->room) {
        size_t left = t->room - t->length;
        memcpy(t->at + t->length, bytes, n < left ? n : left);
    }
    t->length += n;
}

const char sw_format_pairs[200] = "0001020304050607080910111213141516171819"
                                  "2021222324252627282930313233343536373839"
                                  "4041424344454647484950515253545556575859"
                                  "6061626364656667686970717273747576777879"
                                  "8081828384858687888990919293949596979899";

const char *sw_format_digits(uint64_t value, char room[SW_DIGITS])
{
    char *at = room + SW_DIGITS;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return at;
}

enum { FOUR = 10000, EIGHT = FOUR * FOUR };

/* One to four digits; returns where they end. Straight lines: most numbers are short. */
static inline uint8_t *put_short(uint32_t value, uint8_t *out)
{
    uint32_t high = value / 100;
    uint32_t low = value % 100;
    if (high >= 10) {
        sw_format_pair(high, out);
        out += 2;
    } else if (high > 0) {
        *out++ = (uint8_t)('0' + high);
    } else if (low < 10) {
        *out = (uint8_t)('0' + low);
        return out + 1;
    }
    sw_format_pair(low, out);
    return out + 2;
}

static inline uint8_t *put_four(uint32_t value, uint8_t *out)
{
    sw_format_pair(value / 100, out);
    sw_format_pair(value % 100, out + 2);
    return out + 4;
}

static inline uint8_t *put_up_to_eight(uint32_t value, uint8_t *out)
{
    if (value < FOUR)
        return put_short(value, out);
    return put_four(value % FOUR, put_short(value / FOUR, out));
}

static uint8_t *put_eight(uint32_t value, uint8_t *out)
{
    return put_four(value % FOUR, put_four(value / FOUR, out));
}

/* More than eight digits. */
static uint8_t *put_long(uint64_t value, uint8_t *out)
{
    uint64_t high = value / EIGHT;
    if (high < EIGHT)
        out = put_up_to_eight((uint32_t)high, out);
    else
        out = put_eight((uint32_t)(high % EIGHT), put_short((uint32_t)(high / EIGHT), out));
    return put_eight((uint32_t)(value % EIGHT), out);
}

size_t sw_format_number(uint64_t value, uint8_t out[SW_DIGITS])
{
    const uint8_t *end =
        value < EIGHT ? put_up_to_eight((uint32_t)value, out) : put_long(value, out);
    return (size_t)(end - out);
}

size_t sw_format_far(struct sw_format_near *near, uint64_t value, uint8_t out[SW_DIGITS])
{
    size_t n = sw_format_number(value, out);
    if (n > 2 && n - 2 <= sizeof(near->digits)) {
        near->hundreds = value / 100;
        near->length = (uint8_t)(n - 2);
        memcpy(near->digits, out, near->length);
    }
    return n;
}

static const char *hex_digits(uint64_t value, char room[SW_DIGITS])
{
    char *at = room + SW_DIGITS;
    do {
        *--at = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value > 0);
    return at;
}

static void put_number(struct text *t, const struct conversion *c, uint64_t value, bool negative)
{
    char room[SW_DIGITS];
    const char *digits = c->kind == 'x' ? hex_digits(value, room) : sw_format_digits(value, room);
    size_t n = (size_t)(room + SW_DIGITS - digits);
    size_t all = n + negative;
    for (size_t i = all; !c->zeros && i < c->width; i++)
        put(t, " ", 1);
    if (negative)
        put(t, "-", 1);
    for (size_t i = all; c->zeros && i < c->width; i++)
        put(t, "0", 1);
    put(t, digits, n);
}

static size_t read_size(const char **at)
{
    size_t value = 0;
    for (; **at >= '0' && **at <= '9' && value < 10000; (*at)++)
        value = value * 10 + (size_t)(**at - '0');
    return value;
}

/* Reads what is behind a '%' and moves on. False: it is for the C library. */
static bool read_conversion(const char **at, bool *star, struct conversion *c)
{
    *c = (struct conversion){.precision = SIZE_MAX};
    *star = false;
    c->zeros = **at == '0';
    c->width = read_size(at);
    if (**at == '.') {
        (*at)++;
        *star = **at == '*';
        *at += *star;
        c->precision = *star ? 0 : read_size(at);
    }
    while (**at == 'l' || **at == 'z') {
        c->is_long = true;
        (*at)++;
    }
    c->kind = **at;
    (*at)++;
    switch (c->kind) {
    case 's':
        return !c->is_long && c->width == 0 && !c->zeros;
    case 'd':
    case 'u':
    case 'x':
        return c->precision == SIZE_MAX;
    default:
        return false;
    }
}

static size_t text_length(const char *text, size_t most)
{
    if (most == SIZE_MAX)
        return strlen(text);
    const char *end = memchr(text, '\0', most);
    return end ? (size_t)(end - text) : most;
}

/* False at the first conversion that is for the C library. */
static bool put_all(struct text *t, const char *format, va_list *args)
{
    while (*format != '\0') {
        const char *percent = strchr(format, '%');
        size_t plain = percent ? (size_t)(percent - format) : strlen(format);
        put(t, format, plain);
        if (!percent)
            return true;
        format = percent + 1;
        if (*format == 's') { /* most of them are this one, without any flag */
            const char *text = va_arg(*args, const char *);
            put(t, text ? text : "(null)", strlen(text ? text : "(null)"));
            format++;
            continue;
        }
        struct conversion c;
        bool star;
        if (!read_conversion(&format, &star, &c))
            return false;
        if (star) {
            int precision = va_arg(*args, int);
            c.precision = precision < 0 ? SIZE_MAX : (size_t)precision;
        }
        if (c.kind == 's') {
            const char *text = va_arg(*args, const char *);
            if (!text) /* a full arena gives none; the C library writes the same */
                text = "(null)";
            put(t, text, text_length(text, c.precision));
        } else if (c.kind == 'd') {
            int64_t value = c.is_long ? va_arg(*args, long long) : va_arg(*args, int);
            uint64_t size = value < 0 ? UINT64_C(0) - (uint64_t)value : (uint64_t)value;
            put_number(t, &c, size, value < 0);
        } else {
            put_number(t, &c,
                       c.is_long ? va_arg(*args, unsigned long long) : va_arg(*args, unsigned),
                       false);
        }
    }
    return true;
}

int sw_format_va(char *out, size_t room, const char *format, va_list args)
{
    _Static_assert(sizeof(long) == sizeof(long long) && sizeof(size_t) == sizeof(long long),
                   "l, ll and z are read alike");
    struct text t = {out, room > 0 ? room - 1 : 0, 0};
    va_list again;
    va_copy(again, args);
    bool done = put_all(&t, format, &again);
    va_end(again);
    if (!done)
        return vsnprintf(out, room, format, args);
    if (room > 0)
        out[t.length < room - 1 ? t.length : room - 1] = '\0';
    return (int)t.length;
}
