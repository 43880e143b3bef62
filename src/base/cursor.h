/*
 * cursor.h - the bounds-checked reader: the only code that looks into wire bytes of a binary
 * format.
 *
 * Invariants: a cursor never reads behind its end. The first read that does not fit sets `bad` and
 * empties the cursor; that read and all later ones give 0 or an empty span. So a parser reads a
 * whole header and tests `bad` once before it uses any of the values.
 */
#ifndef SW_BASE_CURSOR_H
#define SW_BASE_CURSOR_H

#include "base/span.h"

/* Inline always: where a header is taken as a whole first, the checks of its fields are known to
 * the compiler and go away. */
#define SW_CURSOR_INLINE static inline __attribute__((always_inline))

struct sw_cursor {
    const uint8_t *at;
    size_t left;
    bool bad;
};

SW_CURSOR_INLINE struct sw_cursor sw_cursor_make(struct sw_span s)
{
    return (struct sw_cursor){s.ptr, s.len, false};
}

static inline struct sw_span sw_cursor_rest(const struct sw_cursor *c)
{
    return sw_span_make(c->at, c->left);
}

/* The next n bytes, borrowed; on a short read an empty span and `bad`. */
SW_CURSOR_INLINE struct sw_span sw_cursor_take(struct sw_cursor *c, size_t n)
{
    if (c->bad || n > c->left) {
        c->bad = true;
        c->left = 0;
        return (struct sw_span){NULL, 0};
    }
    struct sw_span s = sw_span_make(c->at, n);
    c->at += n;
    c->left -= n;
    return s;
}

SW_CURSOR_INLINE void sw_cursor_skip(struct sw_cursor *c, size_t n)
{
    (void)sw_cursor_take(c, n);
}

SW_CURSOR_INLINE uint8_t sw_cursor_u8(struct sw_cursor *c)
{
    struct sw_span s = sw_cursor_take(c, 1);
    return s.len ? s.ptr[0] : 0;
}

/* Network byte order. */
SW_CURSOR_INLINE uint16_t sw_cursor_be16(struct sw_cursor *c)
{
    struct sw_span s = sw_cursor_take(c, 2);
    return s.len ? (uint16_t)((unsigned)s.ptr[0] << 8 | s.ptr[1]) : 0;
}

static inline uint32_t sw_cursor_be24(struct sw_cursor *c)
{
    struct sw_span s = sw_cursor_take(c, 3);
    return s.len ? ((uint32_t)s.ptr[0] << 16) | ((uint32_t)s.ptr[1] << 8) | s.ptr[2] : 0;
}

SW_CURSOR_INLINE uint32_t sw_cursor_be32(struct sw_cursor *c)
{
    struct sw_span s = sw_cursor_take(c, 4);
    return s.len ? ((uint32_t)s.ptr[0] << 24) | ((uint32_t)s.ptr[1] << 16) |
                       ((uint32_t)s.ptr[2] << 8) | s.ptr[3]
                 : 0;
}

static inline uint64_t sw_cursor_be64(struct sw_cursor *c)
{
    uint64_t high = sw_cursor_be32(c);
    uint64_t low = sw_cursor_be32(c);
    return c->bad ? 0 : (high << 32) | low;
}

SW_CURSOR_INLINE uint16_t sw_cursor_le16(struct sw_cursor *c)
{
    struct sw_span s = sw_cursor_take(c, 2);
    return s.len ? (uint16_t)((unsigned)s.ptr[1] << 8 | s.ptr[0]) : 0;
}

SW_CURSOR_INLINE uint32_t sw_cursor_le32(struct sw_cursor *c)
{
    struct sw_span s = sw_cursor_take(c, 4);
    return s.len ? ((uint32_t)s.ptr[3] << 24) | ((uint32_t)s.ptr[2] << 16) |
                       ((uint32_t)s.ptr[1] << 8) | s.ptr[0]
                 : 0;
}

static inline uint64_t sw_cursor_le64(struct sw_cursor *c)
{
    uint64_t low = sw_cursor_le32(c);
    uint64_t high = sw_cursor_le32(c);
    return c->bad ? 0 : (high << 32) | low;
}

#endif
