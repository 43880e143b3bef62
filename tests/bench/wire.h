/*
 * wire.h - writes captures for the benchmark: frames with TCP segments, as fast as a disk takes
 * them.
 */
#ifndef SW_BENCH_WIRE_H
#define SW_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { WIRE_MSS = 1448 };

enum wire_flag { WIRE_FIN = 1, WIRE_SYN = 2, WIRE_RST = 4, WIRE_PSH = 8, WIRE_ACK = 16 };

/* The capture that is being written. */
struct wire {
    FILE *out;
    uint64_t time_us;
    uint64_t step_us; /* between two frames */
    uint64_t frames;
    uint64_t bytes;
    uint64_t random; /* state of the generator, part of what makes a run repeatable */
};

/* One TCP connection; side 0 is the client. */
struct wire_flow {
    uint32_t address[2];
    uint16_t port[2];
    uint32_t seq[2];
};

void wire_begin(struct wire *w, FILE *out, uint64_t seed);
/* 64 random bits; the same sequence for the same seed. */
uint64_t wire_random(struct wire *w);
/* A number from 0 to below - 1. */
uint32_t wire_below(struct wire *w, uint32_t below);

/* One frame with a TCP segment from `side`; does not move the sequence numbers. */
void wire_segment(struct wire *w, const struct wire_flow *f, int side, unsigned flags, uint32_t seq,
                  uint32_t ack, const void *payload, size_t len);
/* A whole frame as it is. */
void wire_frame(struct wire *w, const uint8_t *frame, size_t len);

void wire_open(struct wire *w, struct wire_flow *f);
/* Sends bytes in order, acknowledged every second segment. */
void wire_send(struct wire *w, struct wire_flow *f, int side, const void *bytes, size_t len);
void wire_say(struct wire *w, struct wire_flow *f, int side, const char *text);
void wire_close(struct wire *w, struct wire_flow *f, int first);

#endif
