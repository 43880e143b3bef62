/*
 * arena.h - memory that lives and dies together: one arena a session.
 *
 * Invariants: blocks are aligned to 8 bytes, texts not at all, and all stay where they are until
 * release. An arena never
 * holds more than its limit; the allocation that would pass it (or that the system refuses) gives
 * NULL and sets `exhausted`, and the owner says so in the session's record.
 */
#ifndef SW_BASE_ARENA_H
#define SW_BASE_ARENA_H

#include "base/span.h"

struct sw_arena_chunk;

enum { SW_ARENA_ALIGN = 8 };

struct sw_arena {
    struct sw_arena_chunk *head; /* newest chunk */
    uint8_t *next;               /* the first byte of it that is free, */
    size_t left_bytes;           /* and how many are */
    size_t total_bytes;          /* of all chunks, what counts against the limit */
    size_t limit_bytes;
    size_t *account; /* shared counter of the owner's whole budget, may be NULL */
    bool exhausted;
    bool wipe; /* overwrite every chunk before it is given back */
};

/* Makes an empty arena; nothing is allocated before the first block. `account` (may be NULL) is
 * kept in step. */
void sw_arena_init(struct sw_arena *arena, size_t limit_bytes, size_t *account);
/*
 * Lends the arena memory of the owner's, which is used before any is allocated, until the arena is
 * released; it must be aligned as malloc() gives it. It counts against the limit as what was
 * allocated does, but not into `account`. Does nothing when the limit leaves no room for it.
 */
void sw_arena_lend(struct sw_arena *arena, void *memory, size_t size);
/* How many bytes of the memory that was lent first are in use, from its beginning on; 0: none was.
 */
size_t sw_arena_lent_bytes(const struct sw_arena *arena);
/* Has the processor fetch what the newest chunk holds, all of it at once: who then follows lists
 * through memory that was long untouched does not wait for each of their links. */
void sw_arena_fetch(const struct sw_arena *arena);
/* Of the two below, when the newest chunk has no room: a block in a new one, or NULL. */
void *sw_arena_beyond(struct sw_arena *arena, size_t n);

/* A zeroed block of n bytes, or NULL (see above). */
static inline void *sw_arena_alloc(struct sw_arena *arena, size_t n)
{
    size_t skipped = -(uintptr_t)arena->next % SW_ARENA_ALIGN;
    bool fits = skipped <= arena->left_bytes && n - 1 < arena->left_bytes - skipped;
    if (!fits) { /* nor do 0 bytes: they get one */
        void *block = sw_arena_beyond(arena, n);
        return block ? memset(block, 0, n) : NULL;
    }
    uint8_t *block = arena->next + skipped;
    arena->next = block + n;
    arena->left_bytes -= skipped + n;
    return memset(block, 0, n);
}

/* The same for a text that is written at once: not zeroed, not aligned. */
static inline char *sw_arena_text(struct sw_arena *arena, size_t n)
{
    if (n - 1 >= arena->left_bytes)
        return (char *)sw_arena_beyond(arena, n);
    uint8_t *text = arena->next;
    arena->next += n;
    arena->left_bytes -= n;
    return (char *)text;
}

/* Makes the block of `before` bytes that was taken last longer or shorter, where it stands; false:
 * another one was taken since, or there is no room behind it. What is added is not zeroed. */
bool sw_arena_resize(struct sw_arena *arena, const void *block, size_t before, size_t n);
/* A copy of the bytes; an empty span when there is no room (then `exhausted` is set) or the source
 * is empty. */
struct sw_span sw_arena_copy(struct sw_arena *arena, struct sw_span s);
/* A copy with a NUL behind it, for our own texts; NULL when there is no room. */
char *sw_arena_strdup(struct sw_arena *arena, const char *text);
/* printf into the arena; NULL when there is no room. The text is our own, never raw wire bytes. */
char *sw_arena_printf(struct sw_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Gives everything back; the arena may be used again. */
void sw_arena_release(struct sw_arena *arena);

#define SW_ARENA_NEW(arena, type) ((type *)sw_arena_alloc((arena), sizeof(type)))

#endif
