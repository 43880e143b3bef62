/*
 * squeeze.h - memory of the program's own that is mostly empty, made small while it is not needed.
 *
 * What is not empty are counts, and times, frame numbers and addresses that resemble each other: a
 * word is kept as its bytes up to the last that is not 0, or as what of its three low bytes differs
 * from one of sixteen words before it. Without loss, and only for what this program has squeezed
 * itself: it is no format for files.
 */
#ifndef SW_BASE_SQUEEZE_H
#define SW_BASE_SQUEEZE_H

#include <stddef.h>
#include <stdint.h>

/* The most that `n` bytes can become. */
#define SW_SQUEEZE_ROOM(n) ((n) / 512 * 8 + 8 + (n) / 8 * 9 + 8)

/* Squeezes `n` bytes, a multiple of 8, into `out` (SW_SQUEEZE_ROOM(n) bytes); returns the length.
 */
size_t sw_squeeze(const void *memory, size_t n, uint8_t *out);
/* Makes `n` bytes again of what sw_squeeze() has made of as many; returns the length that was read.
 */
size_t sw_unsqueeze(const uint8_t *in, void *memory, size_t n);

#endif
