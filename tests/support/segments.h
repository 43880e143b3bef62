/*
 * segments.h - drives the flow room with segments of one connection, and records what comes out.
 *
 * Life: open, any of the sends, close. Sequence numbers are given as offsets of the stream; both
 * initial numbers are chosen by the test. Chunks and gaps must follow each other without overlap
 * and without a gap that is not told: that is asserted here, for every test.
 */
#ifndef TESTS_SUPPORT_SEGMENTS_H
#define TESTS_SUPPORT_SEGMENTS_H

#include "flow/flow.h"

/* True: there is another connection whose every packet makes this one rest (flow/rest.c). Set it
 * before segments_open(). */
extern bool segments_among_many;

enum { SEGMENTS_STREAM_BYTES = 8192 };

struct segments {
    struct sw_flow_table *table;
    int64_t now_ns;
    uint64_t number;
    uint32_t isn[2];
    uint8_t ttl[2];
    uint16_t window[2];
    uint8_t scale[2]; /* 0xFF: not announced */
    /* what came out */
    uint64_t next[2];
    uint8_t text[2][SEGMENTS_STREAM_BYTES];
    bool delivered[2][SEGMENTS_STREAM_BYTES];
    uint64_t gaps[2][4]; /* bytes, by enum sw_gap_kind */
    unsigned conflicts, shuts[2], resets, rests;
    bool ended;
    struct sw_flow_facts facts; /* at the end */
};

void segments_open(struct segments *s, uint32_t client_isn, uint32_t server_isn,
                   const struct sw_flow_limits *limits);
/* SYN, SYN/ACK, ACK. */
void segments_handshake(struct segments *s);
/* One segment of a side: payload at a stream offset (may be NULL), acknowledging `acked` bytes of
 * the other side. */
void segments_send(struct segments *s, enum sw_side from, unsigned flags, uint64_t offset,
                   const void *bytes, size_t n, uint64_t acked);
void segments_wait(struct segments *s, int64_t ns);
/* The capture ends. */
void segments_close(struct segments *s);

#endif
