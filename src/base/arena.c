#include "base/arena.h"

#include "base/fetch.h"
#include "base/format.h"
#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>

enum {
    FIRST_CHUNK_BYTES = 1000, /* with what stands before it a size that allocators like */
    LEAST_CHUNK_BYTES = 256,
    LARGEST_CHUNK_BYTES = 64 * 1024,
    STEP = 4, /* as much of what there is comes on top: many that have just begun stay small */
};

struct sw_arena_chunk {
    struct sw_arena_chunk *older;
    size_t size_bytes; /* of the usable part */
    bool lent;         /* memory of the owner's */
    _Alignas(SW_ARENA_ALIGN) uint8_t bytes[];
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

/* The newest chunk is filled from its beginning on. */
static void put_chunk(struct sw_arena *arena, struct sw_arena_chunk *chunk)
{
    chunk->older = arena->head;
    arena->head = chunk;
    arena->next = chunk->bytes;
    arena->left_bytes = chunk->size_bytes;
    arena->total_bytes += chunk->size_bytes;
}

static size_t used_bytes(const struct sw_arena *arena)
{
    return arena->head ? arena->head->size_bytes - arena->left_bytes : 0;
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
    chunk->size_bytes = size;
    chunk->lent = false;
    put_chunk(arena, chunk);
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
    chunk->size_bytes = size;
    chunk->lent = true;
    put_chunk(arena, chunk);
}

size_t sw_arena_lent_bytes(const struct sw_arena *arena)
{
    const struct sw_arena_chunk *first = arena->head;
    while (first && first->older)
        first = first->older;
    if (!first || !first->lent)
        return 0;
    return sizeof(*first) + (first == arena->head ? used_bytes(arena) : first->size_bytes);
}

void sw_arena_fetch(const struct sw_arena *arena)
{
    enum { MOST = 8192 };
    size_t used = used_bytes(arena);
    if (arena->head)
        sw_fetch(arena->head->bytes, used < MOST ? used : MOST);
}

void *sw_arena_beyond(struct sw_arena *arena, size_t n)
{
    size_t skipped = -(uintptr_t)arena->next % SW_ARENA_ALIGN;
    size_t need = n > 0 ? n : 1;
    bool fits = skipped <= arena->left_bytes && need <= arena->left_bytes - skipped;
    if (!fits) {
        if (need > SIZE_MAX - sizeof(struct sw_arena_chunk) || !add_chunk(arena, need)) {
            arena->exhausted = true;
            return NULL;
        }
        skipped = 0;
    }
    uint8_t *block = arena->next + skipped;
    arena->next = block + need;
    arena->left_bytes -= skipped + need;
    return block;
}

bool sw_arena_resize(struct sw_arena *arena, const void *block, size_t before, size_t n)
{
    if (!arena->head || (const uint8_t *)block + before != arena->next ||
        n > arena->left_bytes + before)
        return false;
    arena->next = arena->next - before + n;
    arena->left_bytes = arena->left_bytes + before - n;
    return true;
}

struct sw_span sw_arena_copy(struct sw_arena *arena, struct sw_span s)
{
    if (s.len == 0)
        return (struct sw_span){NULL, 0};
    char *copy = sw_arena_text(arena, s.len);
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
    arena->next = NULL;
    arena->left_bytes = 0;
    arena->total_bytes = 0;
    arena->exhausted = false;
}
