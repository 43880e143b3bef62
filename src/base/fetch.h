/*
 * fetch.h - having memory fetched that is needed soon, so that what lies between is work instead of
 * waiting. It changes nothing but time.
 */
#ifndef SW_BASE_FETCH_H
#define SW_BASE_FETCH_H

#include <stddef.h>
#include <stdint.h>

enum { SW_CACHE_LINE = 64 };

static inline void sw_fetch(const void *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += SW_CACHE_LINE)
        __builtin_prefetch((const uint8_t *)at + i);
}

#endif
