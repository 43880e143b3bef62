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

/* --- the same where the length is known at compile time --- */

/* Both halves of the 128-bit product, folded: every input bit reaches every output bit. */
static inline uint64_t sw_hash_mix(uint64_t x, uint64_t y)
{
    __extension__ unsigned __int128 product = (unsigned __int128)x * y;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* One of `places` for a hash, by its upper bits; a division would take longer. */
static inline uint32_t sw_hash_place(uint64_t hash, uint32_t places)
{
    return (uint32_t)((hash >> 32) * places >> 32);
}

/* Little-endian on every machine, so that identifiers agree between machines; written out,
 * compilers make it one load. */
static inline uint32_t sw_hash_load_4(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The same of at most eight bytes; where there are fewer, the loads overlap. */
static inline uint64_t sw_hash_load(const uint8_t *at, size_t n)
{
    if (n >= 8)
        return sw_hash_load_4(at) | (uint64_t)sw_hash_load_4(at + 4) << 32;
    if (n >= 4)
        return sw_hash_load_4(at) | (uint64_t)sw_hash_load_4(at + n - 4) << 8 * (n - 4);
    if (n == 0)
        return 0;
    return (uint64_t)at[0] | (uint64_t)at[n / 2] << 8 * (n / 2) |
           (uint64_t)at[n - 1] << 8 * (n - 1);
}

static inline __attribute__((always_inline)) uint64_t sw_hash_sized(const struct sw_hash_key *key,
                                                                    const uint8_t *at, size_t left)
{
    uint64_t h = key->a ^ (uint64_t)left;
    for (; left >= 16; at += 16, left -= 16)
        h = sw_hash_mix(sw_hash_load(at, 8) ^ key->b, sw_hash_load(at + 8, 8) ^ h);
    uint64_t low = sw_hash_load(at, left);
    uint64_t high = left > 8 ? sw_hash_load(at + 8, left - 8) : 0;
    h = sw_hash_mix(low ^ key->b, high ^ h);
    return sw_hash_mix(h ^ key->a, key->b | 1);
}

#endif
