/*
 * seq.h - sequence numbers: the only place where they are compared (RFC 9293 3.4, modulo 2^32).
 */
#ifndef SW_FLOW_SEQ_H
#define SW_FLOW_SEQ_H

#include <stdint.h>

/* How far a is ahead of b, negative when it is behind; right as long as they are less than 2^31
 * apart. */
static inline int32_t seq_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/*
 * The 64-bit stream offset of sequence number `seq`, where `base` is the number of offset 0 and
 * `near` an offset close by (the next expected one). May be negative for bytes before the stream (a
 * SYN, a keep-alive).
 */
static inline int64_t seq_offset(uint32_t seq, uint32_t base, uint64_t near)
{
    return (int64_t)near + seq_diff(seq, base + (uint32_t)near);
}

#endif
