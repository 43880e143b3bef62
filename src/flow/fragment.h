/*
 * fragment.h - puts IP packets together that were sent in parts (RFC 791 section 3.2, RFC 8200
 * section 4.5).
 *
 * Invariants
 * - Of two copies of the same byte the one captured first wins; a difference is counted and told.
 * - A part that the snaplen cut counts as there; the bytes of the packet end where the first one is
 *   missing.
 * - The clock is packet time. Memory is bounded by the limits below; what does not fit drives out
 *   the oldest packets, which is counted.
 * - Every part that goes in is counted once: in `frames` of a packet that became whole, as a copy,
 *   or as incomplete.
 */
#ifndef SW_FLOW_FRAGMENT_H
#define SW_FLOW_FRAGMENT_H

#include "base/hash.h"
#include "decode/packet.h"

/* Caps; fields that are 0 take the default. */
struct sw_fragment_limits {
    uint32_t packets; /* that are put together at once, and those remembered for late copies */
    uint64_t bytes;   /* of all of them */
};

struct sw_fragment_counters {
    uint64_t whole;      /* packets */
    uint64_t copies;     /* parts that came again after the packet was whole */
    uint64_t incomplete; /* parts of packets of which others never came */
    uint64_t conflicts;  /* packets whose parts contradict each other */
    uint64_t limit_hits; /* packets driven out, or with more parts than are kept */
};

/* A packet that has become whole: `bytes` live until the next call. */
struct sw_whole {
    struct sw_span bytes; /* of its payload, from the start to the first that was not captured */
    uint32_t wire;        /* length of its payload */
    uint32_t frames;      /* parts that it came in, the last one too */
    bool conflict;
};

struct sw_fragments;

/* NULL when memory is short. */
struct sw_fragments *sw_fragments_new(const struct sw_fragment_limits *limits,
                                      const struct sw_hash_key *key);
/*
 * Takes a part as sw_decode() gave it (SW_DECODE_FRAGMENT). True: it makes a packet whole, which is
 * in *whole; part->part.protocol then is what the packet's first part says.
 */
bool sw_fragments_take(struct sw_fragments *fragments, struct sw_packet *part, int64_t time_ns,
                       struct sw_whole *whole);
/* Nothing more will come: what is not whole is incomplete. */
void sw_fragments_finish(struct sw_fragments *fragments);
const struct sw_fragment_counters *sw_fragments_count(const struct sw_fragments *fragments);
/* Where memory is counted from now on, instead of nowhere; outlives the object. */
void sw_fragments_account(struct sw_fragments *fragments, size_t *account);
/* Bytes held at the moment. */
uint64_t sw_fragments_held(const struct sw_fragments *fragments);
void sw_fragments_free(struct sw_fragments *fragments);

#endif
