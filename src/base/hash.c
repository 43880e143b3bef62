#include "base/hash.h"

#include <sys/random.h>

const struct sw_hash_key sw_hash_fixed_key = {UINT64_C(0x9e3779b97f4a7c15),
                                              UINT64_C(0xd1b54a32d192ed03)};

struct sw_hash_key sw_hash_random_key(void)
{
    struct sw_hash_key key;
    if (getrandom(&key, sizeof(key), GRND_NONBLOCK) != (ssize_t)sizeof(key))
        return sw_hash_fixed_key;
    return key;
}

/* Both halves of the 128-bit product, folded: every input bit reaches every output bit. */
static uint64_t mix(uint64_t x, uint64_t y)
{
    __extension__ unsigned __int128 product = (unsigned __int128)x * y;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Little-endian on every machine, so that identifiers agree between machines; written out,
 * compilers make it one load. */
static uint64_t load64(const uint8_t *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 |
           (uint64_t)at[7] << 56;
}

uint64_t sw_hash_bytes(const struct sw_hash_key *key, struct sw_span bytes)
{
    uint64_t h = key->a ^ (uint64_t)bytes.len;
    const uint8_t *at = bytes.ptr;
    size_t left = bytes.len;
    for (; left >= 16; at += 16, left -= 16)
        h = mix(load64(at) ^ key->b, load64(at + 8) ^ h);
    uint8_t tail[16] = {0};
    for (size_t i = 0; i < left; i++)
        tail[i] = at[i];
    h = mix(load64(tail) ^ key->b, load64(tail + 8) ^ h);
    return mix(h ^ key->a, key->b | 1);
}
