/*
 * account.h - counting the memory that grows with the input, for the limit `memory`.
 *
 * A counter belongs to one run; whatever allocates for the traffic adds and takes off what it
 * holds.
 */
#ifndef SW_BASE_ACCOUNT_H
#define SW_BASE_ACCOUNT_H

#include <assert.h>
#include <stddef.h>

enum { SW_BLOCK_OVERHEAD = 16 }; /* what the allocator itself needs for a block */

static inline void sw_account_take(size_t *account, size_t n_bytes)
{
    *account += n_bytes + SW_BLOCK_OVERHEAD;
}

static inline void sw_account_give(size_t *account, size_t n_bytes)
{
    assert(*account >= n_bytes + SW_BLOCK_OVERHEAD);
    *account -= n_bytes + SW_BLOCK_OVERHEAD;
}

#endif
