/*
 * dissector.h - the contract of a pure push parser.
 *
 * A dissector sees chunks of both directions in one sequence and emits events. It never allocates,
 * prints, or reads a file; its state is a plain struct that the caller owns. Any re-chunking of the
 * same bytes gives the same events. Feed cannot fail: odd traffic is an event. Gaps and ends are
 * calls of their own.
 */
#ifndef SW_DISSECTORS_DISSECTOR_H
#define SW_DISSECTORS_DISSECTOR_H

#include "base/span.h"

/* Who speaks; the same values as enum sw_side of the flow room. */
enum sw_from {
    SW_FROM_CLIENT = 0,
    SW_FROM_SERVER = 1,
};

/* Where bytes stand: stream offset, frame and time. */
struct sw_at {
    uint64_t offset;
    uint64_t frame;
    int64_t time_ns;
};

/* One piece of one direction's stream, borrowed during feed. */
struct sw_piece {
    enum sw_from from;
    struct sw_at at;
    struct sw_span bytes;
};

#endif
