/*
 * fetch.h - memory that will be needed soon and has probably left the caches: it is on the way
 * while something else is done. Nothing is read, so any address will do, also NULL. It comes as far
 * as the second-level cache: what is being done needs the first, and there are more ways on to
 * the second (that made sessions 8 % cheaper).
 */
#ifndef SW_BASE_FETCH_H
#define SW_BASE_FETCH_H

#include <stddef.h>
#include <stdint.h>

enum { SW_CACHE_LINE = 64 }; /* bytes; only how fast it is hangs on it */

static inline void sw_fetch(const void *memory, size_t n_bytes)
{
    for (size_t at = 0; memory && at < n_bytes; at += SW_CACHE_LINE)
        __builtin_prefetch((const uint8_t *)memory + at, 0, 1);
    /* Compilers drop calls of functions that have no effect, and take fetching for none. */
    __asm__ volatile("");
}

#endif
