/*
 * time.h - packet time: nanoseconds since 1970-01-01T00:00:00Z as int64_t, and how it is written.
 */
#ifndef SW_BASE_TIME_H
#define SW_BASE_TIME_H

#include <stddef.h>
#include <stdint.h>

#define SW_NS_PER_S INT64_C(1000000000)
#define SW_NS_PER_MS INT64_C(1000000)
#define SW_TIME_NONE INT64_MIN /* "was never seen" */
/* A file can claim any time; between these (the years 1823 and 2116) sums and differences of times
 * cannot overflow. */
#define SW_TIME_LATEST (INT64_MAX / 2)
#define SW_TIME_EARLIEST (-SW_TIME_LATEST)

/* later - earlier, at most (or least) what fits: times out of a damaged capture may be anything. */
static inline int64_t sw_time_between(int64_t earlier, int64_t later)
{
    if (earlier < 0 && later > INT64_MAX + earlier)
        return INT64_MAX;
    if (earlier > 0 && later < INT64_MIN + earlier)
        return INT64_MIN;
    return later - earlier;
}

/* Bytes that sw_time_format needs, with the NUL. */
#define SW_TIME_TEXT_BYTES 40

/*
 * Writes `time_ns` as RFC 3339 in UTC with `digits` fraction digits (0 to 9), for example
 * "2024-05-01T10:00:00.123456Z". Times outside the years 0 to 9999 are clamped. Returns the length
 * without the NUL.
 */
size_t sw_time_format(int64_t time_ns, int digits, char out[SW_TIME_TEXT_BYTES]);

/*
 * Reads RFC 3339, with or without fraction, zone "Z", "+hh:mm" or none (UTC); a bare date is its
 * midnight. Returns 0, or -1 when the text is not a time.
 */
int sw_time_parse(const char *text, int64_t *time_ns);

#endif
