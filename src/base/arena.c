#include "base/arena.h"

#include "base/format.h"
#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>

enum {
    ALIGN_BYTES = 8,
    FIRST_CHUNK_BYTES = 1000, /* with what stands before it a size that allocators like */
    LEAST_CHUNK_BYTES = 256,
    LARGEST_CHUNK_BYTES = 64 * 1024,
    STEP = 4, /* as much of what there is comes on top: many that have just begun stay small */
};

struct sw_arena_chunk {
    struct sw_arena_chunk *older;
    size_t size_bytes; /* of the usable part */
    bool lent;         /* memory of the owner's */
    _Alignas(ALIGN_BYTES) uint8_t bytes[];
};

void sw_arena_init(struct sw_arena *arena, size_t limit_bytes, size_t *account)
{
    *arena = (struct sw_arena){.limit_bytes = limit_bytes, .account = account};
}

static size_t next_chunk_bytes(const struct sw_arena *arena, size_t need)
{
    size_t size = arena->head ? arena->total_bytes / STEP : FIRST_CHUNK_BYTES;
    if (size < LEAST_CHUNK_BYTES)
        size = LEAST_CHUNK_BYTES;
    if (size > LARGEST_CHUNK_BYTES)
        size = LARGEST_CHUNK_BYTES;
    return need > size ? need : size;
}

static bool add_chunk(struct sw_arena *arena, size_t need)
{
    size_t size = next_chunk_bytes(arena, need);
    size_t room =
        arena->limit_bytes > arena->total_bytes ? arena->limit_bytes - arena->total_bytes : 0;
    if (size > room)
        size = need; /* the last chunk may be smaller than the usual step */
    if (size > room)
        return false;
    struct sw_arena_chunk *chunk = malloc(sizeof(*chunk) + size);
    if (!chunk)
        return false;
    chunk->older = arena->head;
    chunk->size_bytes = size;
    chunk->lent = false;
    arena->head = chunk;
    arena->used_bytes = 0;
    arena->total_bytes += size;
    if (arena->account)
        *arena->account += size;
    return true;
}

void sw_arena_lend(struct sw_arena *arena, void *memory, size_t size)
{
    struct sw_arena_chunk *chunk = memory;
    assert(size > sizeof(*chunk));
    size -= sizeof(*chunk);
    if (size > arena->limit_bytes - arena->total_bytes || arena->limit_bytes < arena->total_bytes)
        return;
    *chunk = (struct sw_arena_chunk){.older = arena->head, .size_bytes = size, .lent = true};
    arena->head = chunk;
    arena->used_bytes = 0;
    arena->total_bytes += size;
}

size_t sw_arena_lent_bytes(const struct sw_arena *arena)
{
    const struct sw_arena_chunk *first = arena->head;
    while (first && first->older)
        first = first->older;
    if (!first || !first->lent)
        return 0;
    return sizeof(*first) + (first == arena->head ? arena->used_bytes : first->size_bytes);
}

void sw_arena_fetch(const struct sw_arena *arena)
{
    enum { LINE = 64, MOST = 128 * LINE };
    size_t bytes = arena->used_bytes < MOST ? arena->used_bytes : MOST;
    for (size_t at = 0; arena->head && at < bytes; at += LINE)
        __builtin_prefetch(arena->head->bytes + at);
}

static void *take(struct sw_arena *arena, size_t n, size_t align)
{
    if (n > SIZE_MAX - ALIGN_BYTES) {
        arena->exhausted = true;
        return NULL;
    }
    size_t at = (arena->used_bytes + (align - 1)) & ~(align - 1);
    if (n == 0)
        n = 1;
    bool fits = arena->head && at <= arena->head->size_bytes && arena->head->size_bytes - at >= n;
    if (!fits) {
        if (!add_chunk(arena, n)) {
            arena->exhausted = true;
            return NULL;
        }
        at = 0;
    }
    arena->used_bytes = at + n;
    return arena->head->bytes + at;
}

void *sw_arena_alloc(struct sw_arena *arena, size_t n)
{
    void *block = take(arena, n, ALIGN_BYTES);
    if (block)
        memset(block, 0, n);
    return block;
}

char *sw_arena_text(struct sw_arena *arena, size_t n)
{
    return take(arena, n, 1);
}

bool sw_arena_resize(struct sw_arena *arena, const void *block, size_t before, size_t n)
{
    const struct sw_arena_chunk *head = arena->head;
    if (!head || (const uint8_t *)block + before != head->bytes + arena->used_bytes)
        return false;
    size_t at = arena->used_bytes - before;
    if (n > head->size_bytes - at)
        return false;
    arena->used_bytes = at + n;
    return true;
}

struct sw_span sw_arena_copy(struct sw_arena *arena, struct sw_span s)
{
    if (s.len == 0)
        return (struct sw_span){NULL, 0};
    uint8_t *copy = take(arena, s.len, 1);
    if (!copy)
        return (struct sw_span){NULL, 0};
    memcpy(copy, s.ptr, s.len);
    return sw_span_make(copy, s.len);
}

char *sw_arena_strdup(struct sw_arena *arena, const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = sw_arena_text(arena, len);
    if (copy)
        memcpy(copy, text, len);
    return copy;
}

char *sw_arena_printf(struct sw_arena *arena, const char *format, ...)
{
    char usual[256]; /* most texts fit: they are formatted once */
    va_list args;
    va_start(args, format);
    int len = sw_format_va(usual, sizeof(usual), format, args);
    va_end(args);
    assert(len >= 0);
    char *text = sw_arena_text(arena, (size_t)len + 1);
    if (!text)
        return NULL;
    if ((size_t)len < sizeof(usual)) {
        memcpy(text, usual, (size_t)len + 1);
        return text;
    }
    va_start(args, format);
    (void)sw_format_va(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

void sw_arena_release(struct sw_arena *arena)
{
    struct sw_arena_chunk *chunk = arena->head;
    while (chunk) {
        struct sw_arena_chunk *older = chunk->older;
        if (arena->account && !chunk->lent)
            *arena->account -= chunk->size_bytes;
        if (arena->wipe)
            sw_wipe(chunk->bytes, chunk->size_bytes);
        if (!chunk->lent)
            free(chunk);
        chunk = older;
    }
    arena->head = NULL;
    arena->used_bytes = 0;
    arena->total_bytes = 0;
    arena->exhausted = false;
}
