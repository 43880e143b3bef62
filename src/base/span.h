/*
 * span.h - a borrowed run of bytes, the only form in which wire text travels between rooms.
 *
 * A span never owns and is never NUL-terminated. An empty span may have a NULL pointer.
 */
#ifndef SW_BASE_SPAN_H
#define SW_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sw_span {
    const uint8_t *ptr;
    size_t len;
};

/* A span over a string literal, without its NUL. */
#define SW_SPAN_LIT(s) ((struct sw_span){(const uint8_t *)("" s), sizeof(s) - 1})

static inline struct sw_span sw_span_make(const void *ptr, size_t len)
{
    return (struct sw_span){ptr, len};
}

/* The same span, by its fields: copied as a whole it would come from memory, where it has mostly
 * only just been put together in two writes, and processors wait for that. For what is done with
 * every packet. */
static inline struct sw_span sw_span_by_fields(struct sw_span s)
{
    __asm__("" : "+r"(s.ptr), "+r"(s.len));
    return s;
}

/* A span over our own NUL-terminated text (never for wire bytes). */
static inline struct sw_span sw_span_str(const char *text)
{
    return sw_span_make(text, text ? strlen(text) : 0);
}

/* The part of `s` from `from`, at most `len` bytes; clipped to what is there. */
static inline struct sw_span sw_span_sub(struct sw_span s, size_t from, size_t len)
{
    if (from >= s.len)
        return (struct sw_span){NULL, 0};
    size_t left = s.len - from;
    return sw_span_make(s.ptr + from, len < left ? len : left);
}

/* Everything of `s` from `from` on. */
static inline struct sw_span sw_span_from(struct sw_span s, size_t from)
{
    return sw_span_sub(s, from, SIZE_MAX);
}

static inline bool sw_span_eq(struct sw_span a, struct sw_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ASCII case is folded, other bytes compare as they are. */
bool sw_span_starts_nocase(struct sw_span s, struct sw_span prefix);

static inline bool sw_span_eq_nocase(struct sw_span a, struct sw_span b)
{
    return a.len == b.len && sw_span_starts_nocase(a, b);
}

static inline bool sw_span_starts(struct sw_span s, struct sw_span prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* Index of the first `byte`, or s.len when there is none. */
static inline size_t sw_span_index(struct sw_span s, uint8_t byte)
{
    const uint8_t *hit = s.len > 0 ? memchr(s.ptr, byte, s.len) : NULL;
    return hit ? (size_t)(hit - s.ptr) : s.len;
}

/* Index of the first occurrence of `needle`, or s.len when there is none; ASCII case folded. */
size_t sw_span_find_nocase(struct sw_span s, struct sw_span needle);
/* Without leading and trailing blanks (space, tab, CR, LF). */
struct sw_span sw_span_trim(struct sw_span s);
/*
 * Cuts the next word: skips blanks (space, tab), returns the run up to the next blank and moves
 * *rest behind it. An empty result means that nothing was left.
 */
struct sw_span sw_span_word(struct sw_span *rest);
/*
 * Cuts the next item of a list with commas, without the blanks around it, and moves *rest behind
 * its comma. False at the end of the list.
 */
bool sw_span_item(struct sw_span *rest, struct sw_span *item);
/*
 * Reads an unsigned decimal number that fills the whole span. Returns false for an empty span, a
 * character that is not a digit, or a value over UINT64_MAX; *value is set only on success.
 */
bool sw_span_u64(struct sw_span s, uint64_t *value);

static inline uint8_t sw_ascii_lower(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') ? (uint8_t)(c | 0x20) : c;
}

static inline uint8_t sw_ascii_upper(uint8_t c)
{
    return (c >= 'a' && c <= 'z') ? (uint8_t)(c & ~0x20) : c;
}

static inline bool sw_ascii_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool sw_ascii_alpha(uint8_t c)
{
    uint8_t l = sw_ascii_lower(c);
    return l >= 'a' && l <= 'z';
}

#endif
