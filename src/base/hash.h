/*
 * hash.h - a keyed, fast hash for tables, and a fixed one for identifiers.
 *
 * The table hash is keyed so that traffic cannot be made to collide (the key is random for each
 * run); no output may depend on it. Identifiers use the fixed key, so that the same session has the
 * same id in every run.
 */
#ifndef SW_BASE_HASH_H
#define SW_BASE_HASH_H

#include "base/span.h"

struct sw_hash_key {
    uint64_t a;
    uint64_t b;
};

/* The fixed key of identifiers. */
extern const struct sw_hash_key sw_hash_fixed_key;

/* A random key from the system; the fixed key when the system has no randomness to give. */
struct sw_hash_key sw_hash_random_key(void);

/* Multiply-mix hash of any bytes. */
uint64_t sw_hash_bytes(const struct sw_hash_key *key, struct sw_span bytes);

#endif
