/*
 * limits.h - the values of the caps of base/limit.def for one run.
 */
#ifndef SW_PIPELINE_LIMITS_H
#define SW_PIPELINE_LIMITS_H

#include "base/status.h"
#include "pipeline/engine.h"

/*
 * Reads "name=value,..." (values may end in K, M, G or T for sizes, s for seconds); NULL leaves all
 * defaults. `beside` runs share the memory. Afterwards memory_bytes is what this run may use for
 * the traffic. SW_USAGE names what is wrong.
 */
struct sw_status sw_limits_parse(struct sw_engine_limits *limits, const char *text,
                                 unsigned beside) SW_MUST_CHECK;

#endif
