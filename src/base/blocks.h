/*
 * blocks.h - small blocks that come and go all the time, in all sizes: those that are given back
 * are kept, wiped, for the next of about their size, as far as they are few. An allocator for
 * everything spends most of its time on joining and cutting such.
 *
 * Whoever gives a block back says how large it is. Nothing is counted here.
 */
#ifndef SW_BASE_BLOCKS_H
#define SW_BASE_BLOCKS_H

#include <stddef.h>

enum { SW_BLOCKS_CLASSES = 66 };

struct sw_blocks {
    struct sw_block *kept[SW_BLOCKS_CLASSES]; /* by size */
    size_t kept_bytes;
};

/* A block, not cleared, or NULL without memory; what is large comes from malloc(). */
void *sw_blocks_take(struct sw_blocks *blocks, size_t n_bytes);
/* Gives a block of that size back, wiped; it may be NULL. */
void sw_blocks_give(struct sw_blocks *blocks, void *block, size_t n_bytes);
/* A block of another size with what was in it, as far as it fits; NULL without memory, then the old
 * one is as it was. */
void *sw_blocks_resize(struct sw_blocks *blocks, void *block, size_t before, size_t n_bytes);
/* Gives back to the system what is kept. */
void sw_blocks_release(struct sw_blocks *blocks);

#endif
