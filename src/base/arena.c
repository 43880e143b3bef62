#include "base/arena.h"

#include "base/format.h"
#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>

enum {
    ALIGN_BYTES = 16,
    FIRST_CHUNK_BYTES = 1024, /* a short session fits; 50,000 open ones stay small */
    LARGEST_CHUNK_BYTES = 64 * 1024,
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
    size_t size = arena->head ? arena->head->size_bytes * 2 : FIRST_CHUNK_BYTES;
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

static void *take(struct sw_arena *arena, size_t n)
{
    if (n > SIZE_MAX - ALIGN_BYTES) {
        arena->exhausted = true;
        return NULL;
    }
    size_t need = (n + (ALIGN_BYTES - 1)) & ~(size_t)(ALIGN_BYTES - 1);
    if (need == 0)
        need = ALIGN_BYTES;
    bool fits = arena->head && arena->head->size_bytes - arena->used_bytes >= need;
    if (!fits && !add_chunk(arena, need)) {
        arena->exhausted = true;
        return NULL;
    }
    void *block = arena->head->bytes + arena->used_bytes;
    arena->used_bytes += need;
    return block;
}

void *sw_arena_alloc(struct sw_arena *arena, size_t n)
{
    void *block = take(arena, n);
    if (block)
        memset(block, 0, n);
    return block;
}

char *sw_arena_text(struct sw_arena *arena, size_t n)
{
    return take(arena, n);
}

struct sw_span sw_arena_copy(struct sw_arena *arena, struct sw_span s)
{
    if (s.len == 0)
        return (struct sw_span){NULL, 0};
    uint8_t *copy = take(arena, s.len);
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
