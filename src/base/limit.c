#include "base/limit.h"

#include "base/time.h"

#include <stdbool.h>

static const struct sw_limit_row rows[SW_LIMIT_COUNT] = {
#define SW_LIMIT(id, name_, field, unit_, fallback_, least_, part_, each_, what_, shed_)           \
    [SW_LIMIT_##id] = {.name = (name_),                                                            \
                       .what = (what_),                                                            \
                       .shed = (shed_),                                                            \
                       .unit = SW_LIMIT_UNIT_##unit_,                                              \
                       .fallback = (fallback_),                                                    \
                       .least = (least_),                                                          \
                       .part = (part_),                                                            \
                       .each = (each_)},
#include "base/limit.def"
#undef SW_LIMIT
};

const struct sw_limit_row *sw_limit_row(enum sw_limit limit)
{
    return &rows[limit];
}

uint64_t sw_limit_default(enum sw_limit limit)
{
    bool time = rows[limit].unit == SW_LIMIT_UNIT_SECONDS;
    return rows[limit].fallback * (time ? (uint64_t)SW_NS_PER_S : 1);
}
