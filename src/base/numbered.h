/*
 * numbered.h - things of one size that are known by numbers: a number of 32 bits is half a pointer,
 * and who has many references to things has half the memory to wait for.
 *
 * The things stand on shelves. A shelf whose things are all given back goes back to the system; one
 * is kept for the next.
 */
#ifndef SW_BASE_NUMBERED_H
#define SW_BASE_NUMBERED_H

#include <stddef.h>
#include <stdint.h>

enum {
#ifdef __SANITIZE_ADDRESS__
    SW_SHELF_THINGS = 1, /* then it sees nearly every use of what was given back */
#else
    SW_SHELF_THINGS = 8,
#endif
    SW_NUMBERED_MOST = 1 << 28, /* the largest number */
};

struct sw_shelf {
    uint8_t *things;         /* NULL: none is taken */
    uint32_t taken;          /* a bit for each */
    uint32_t next_with_room; /* another shelf that has room, from 1 */
};

struct sw_numbered {
    size_t thing_bytes; /* the size of all; the rest is 0 at the beginning */
    struct sw_shelf *shelves;
    uint32_t count, room;
    uint32_t with_room;  /* the first shelf that has room, from 1; 0: none */
    size_t memory_bytes; /* of all shelves, free places included */
};

/* A number for a new thing, not cleared; 0 without memory. */
uint32_t sw_numbered_take(struct sw_numbered *things);
/* That thing is given back. */
void sw_numbered_give(struct sw_numbered *things, uint32_t number);
/* All of them are, and all memory. */
void sw_numbered_release(struct sw_numbered *things);

/* The thing of a number that is taken. Where the size is known at compile time, it costs less. */
static inline void *sw_numbered_at(const struct sw_numbered *things, uint32_t number,
                                   size_t thing_bytes)
{
    uint32_t i = number - 1;
    return things->shelves[i / SW_SHELF_THINGS].things + i % SW_SHELF_THINGS * thing_bytes;
}

#endif
