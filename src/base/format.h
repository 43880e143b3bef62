/*
 * format.h - vsnprintf for the conversions that our own texts use, several times as fast.
 *
 * Sentences are put together from thousands of small formats; the C library's printf takes more
 * time for each than the rest of its sentence does. The result is always that of vsnprintf: what is
 * not known here (floating point, flags but 0) is handed to it.
 */
#ifndef SW_BASE_FORMAT_H
#define SW_BASE_FORMAT_H

#include "base/span.h"

#include <stdarg.h>

/* Room for any 64-bit number. */
enum { SW_DIGITS = 20 };

/* Writes at most `room` bytes with the NUL; returns the length of the whole text, or -1. */
int sw_format_va(char *out, size_t room, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Both digits of each number up to 99, one after the other, without NUL. */
extern const char sw_format_pairs[200];

/* Writes a number up to 99 as two digits. */
static inline void sw_format_pair(unsigned value, uint8_t out[2])
{
    memcpy(out, sw_format_pairs + 2 * (size_t)value, 2);
}

/* Writes the decimal digits of a number, without NUL, from `out` on; returns how many. */
size_t sw_format_number(uint64_t value, uint8_t out[SW_DIGITS]);

/*
 * Numbers that are close to one another, as the frames of a session are: of the one before, what
 * stands before its last two digits is kept. Begins all zero.
 */
struct sw_format_near {
    uint64_t hundreds; /* 0: nothing is kept */
    uint8_t length;    /* of their digits */
    uint8_t digits[16];
};

/* For those that are not close; for the next function only. */
size_t sw_format_far(struct sw_format_near *near, uint64_t value, uint8_t out[SW_DIGITS]);

/* As sw_format_number(); all of `out` may be written to. */
static inline size_t sw_format_close(struct sw_format_near *near, uint64_t value,
                                     uint8_t out[SW_DIGITS])
{
    uint64_t hundreds = value / 100;
    if (hundreds != near->hundreds || hundreds == 0)
        return sw_format_far(near, value, out);
    memcpy(out, near->digits, sizeof(near->digits));
    sw_format_pair((unsigned)(value - 100 * hundreds), out + near->length);
    return near->length + 2U;
}

/* The decimal digits of a number, without NUL, to the end of `room`; returns the first of them. */
const char *sw_format_digits(uint64_t value, char room[SW_DIGITS]);

#endif
