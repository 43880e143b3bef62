/*
 * limit.h - the caps of limit.def for the rooms that keep to them: their names and defaults.
 */
#ifndef SW_BASE_LIMIT_H
#define SW_BASE_LIMIT_H

#include <stdint.h>

enum sw_limit {
#define SW_LIMIT(id, ...) SW_LIMIT_##id,
#include "base/limit.def"
#undef SW_LIMIT
    SW_LIMIT_COUNT
};

enum sw_limit_unit { SW_LIMIT_UNIT_COUNT, SW_LIMIT_UNIT_BYTES, SW_LIMIT_UNIT_SECONDS };

struct sw_limit_row {
    const char *name; /* as in --limits, and where hits are counted */
    const char *what;
    const char *shed;
    enum sw_limit_unit unit;
    uint64_t fallback; /* the default */
    uint64_t least;
    uint64_t part, each; /* see limit.def */
};

const struct sw_limit_row *sw_limit_row(enum sw_limit limit);
/* The default, in nanoseconds where the unit is a time. */
uint64_t sw_limit_default(enum sw_limit limit);

#endif
