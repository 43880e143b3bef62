/*
 * source.h - a fuzzer's input as a file in memory, read as a capture: numbers without holes, bytes
 * that can be read, damage inside the file, an end.
 */
#ifndef TESTS_FUZZ_SOURCE_H
#define TESTS_FUZZ_SOURCE_H

#include "base/span.h"

/* What a reading gave, for comparisons. */
struct source_sum {
    bool opened;
    bool clean; /* nothing but frames and the end */
    uint64_t frames;
    uint64_t packets; /* frames with a packet in them */
    uint64_t bytes;   /* a hash over lengths and bytes of the packets */
};

/* Puts the bytes into the file and returns its path; one file for the whole process. */
const char *source_file(struct sw_span bytes);
/* Reads it to the end. `unpacked_most` caps a compressed one, 0 = none. */
struct source_sum source_read(const char *path, uint64_t size, uint64_t unpacked_most);
/* Adds one packet to a hash. */
uint64_t source_hash(uint64_t hash, const uint8_t *bytes, uint32_t caplen);

#endif
