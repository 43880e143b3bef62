/*
 * limits.h - every cap that a user can set, in one table.
 */
#ifndef SW_PIPELINE_LIMITS_H
#define SW_PIPELINE_LIMITS_H

#include "base/status.h"
#include "pipeline/engine.h"

/*
 * Reads "name=value,..." (values may end in K, M, G or T for sizes, s for seconds). NULL leaves all
 * defaults (0). SW_USAGE names what is wrong.
 */
struct sw_status sw_limits_parse(struct sw_engine_limits *limits, const char *text) SW_MUST_CHECK;

#endif
