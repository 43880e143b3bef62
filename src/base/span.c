#include "base/span.h"

bool sw_span_starts_nocase(struct sw_span s, struct sw_span prefix)
{
    enum { EIGHT = 8 };
    const uint64_t case_bits = UINT64_C(0x2020202020202020);
    if (s.len < prefix.len)
        return false;
    for (size_t i = 0; i < prefix.len;) {
        uint64_t a, b;
        if (prefix.len - i >= EIGHT) { /* mostly they are equal, or by no means */
            memcpy(&a, s.ptr + i, EIGHT);
            memcpy(&b, prefix.ptr + i, EIGHT);
            if ((a ^ b) & ~case_bits)
                return false;
            if (a == b) {
                i += EIGHT;
                continue;
            }
        }
        uint8_t x = s.ptr[i];
        uint8_t y = prefix.ptr[i];
        if (x != y && sw_ascii_lower(x) != sw_ascii_lower(y))
            return false;
        i++;
    }
    return true;
}

/* Index of the first `byte` in s from `at` on, or s.len. */
static size_t index_from(struct sw_span s, size_t at, uint8_t byte)
{
    const uint8_t *hit = at < s.len ? memchr(s.ptr + at, byte, s.len - at) : NULL;
    return hit ? (size_t)(hit - s.ptr) : s.len;
}

size_t sw_span_find_nocase(struct sw_span s, struct sw_span needle)
{
    if (needle.len == 0)
        return 0;
    if (needle.len > s.len)
        return s.len;
    /* Where the first letter stands, in either form; each place is looked for once. */
    struct sw_span starts = sw_span_sub(s, 0, s.len - needle.len + 1);
    uint8_t small = sw_ascii_lower(needle.ptr[0]);
    uint8_t capital = sw_ascii_upper(needle.ptr[0]);
    size_t next_small = index_from(starts, 0, small);
    size_t next_capital = small != capital ? index_from(starts, 0, capital) : starts.len;
    for (;;) {
        size_t at = next_small < next_capital ? next_small : next_capital;
        if (at == starts.len)
            return s.len;
        if (sw_span_starts_nocase(sw_span_from(s, at), needle))
            return at;
        if (at == next_small)
            next_small = index_from(starts, at + 1, small);
        else
            next_capital = index_from(starts, at + 1, capital);
    }
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct sw_span sw_span_trim(struct sw_span s)
{
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct sw_span sw_span_word(struct sw_span *rest)
{
    struct sw_span s = *rest;
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s.ptr++;
        s.len--;
    }
    size_t end = 0;
    while (end < s.len && s.ptr[end] != ' ' && s.ptr[end] != '\t')
        end++;
    *rest = sw_span_from(s, end);
    return sw_span_sub(s, 0, end);
}

bool sw_span_item(struct sw_span *rest, struct sw_span *item)
{
    if (rest->len == 0)
        return false;
    size_t comma = sw_span_index(*rest, ',');
    *item = sw_span_trim(sw_span_sub(*rest, 0, comma));
    *rest = sw_span_from(*rest, comma + 1);
    return true;
}

bool sw_span_u64(struct sw_span s, uint64_t *value)
{
    if (s.len == 0)
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (!sw_ascii_digit(s.ptr[i]))
            return false;
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *value = v;
    return true;
}
