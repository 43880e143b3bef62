#include "base/blocks.h"

#include "base/wipe.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEP = 16,    /* sizes of one class differ by less */
    OVERHEAD = 8, /* which allocators put before a block: with it the sizes are theirs */
    LEAST = 2,    /* the smallest class */
#ifdef __SANITIZE_ADDRESS__
    KEPT_BYTES = 0, /* then it sees every use of what was given back */
#else
    KEPT_BYTES = 128 * 1024,
#endif
};

/* What is kept begins with this. */
struct sw_block {
    struct sw_block *next;
};

static size_t class_of(size_t n_bytes)
{
    size_t class = (n_bytes + OVERHEAD + STEP - 1) / STEP;
    return class < LEAST ? LEAST : class;
}

static size_t bytes_of(size_t class)
{
    return class * STEP - OVERHEAD;
}

void *sw_blocks_take(struct sw_blocks *blocks, size_t n_bytes)
{
    size_t class = class_of(n_bytes);
    if (class >= SW_BLOCKS_CLASSES)
        return malloc(n_bytes);
    struct sw_block *block = blocks->kept[class];
    if (!block)
        return malloc(bytes_of(class));
    blocks->kept[class] = block->next;
    blocks->kept_bytes -= bytes_of(class);
    return block;
}

void sw_blocks_give(struct sw_blocks *blocks, void *block, size_t n_bytes)
{
    if (!block)
        return;
    sw_wipe(block, n_bytes);
    size_t class = class_of(n_bytes);
    if (class >= SW_BLOCKS_CLASSES || blocks->kept_bytes + bytes_of(class) > KEPT_BYTES) {
        free(block);
        return;
    }
    struct sw_block *kept = block;
    kept->next = blocks->kept[class];
    blocks->kept[class] = kept;
    blocks->kept_bytes += bytes_of(class);
}

void *sw_blocks_resize(struct sw_blocks *blocks, void *block, size_t before, size_t n_bytes)
{
    void *other = sw_blocks_take(blocks, n_bytes);
    if (!other)
        return NULL;
    if (block)
        memcpy(other, block, before < n_bytes ? before : n_bytes);
    sw_blocks_give(blocks, block, before);
    return other;
}

void sw_blocks_release(struct sw_blocks *blocks)
{
    for (size_t class = 0; class < SW_BLOCKS_CLASSES; class ++) {
        while (blocks->kept[class]) {
            struct sw_block *next = blocks->kept[class]->next;
            free(blocks->kept[class]);
            blocks->kept[class] = next;
        }
    }
    blocks->kept_bytes = 0;
}
