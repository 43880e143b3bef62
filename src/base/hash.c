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

uint64_t sw_hash_bytes(const struct sw_hash_key *key, struct sw_span bytes)
{
    return sw_hash_sized(key, bytes.ptr, bytes.len);
}
