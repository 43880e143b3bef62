/*
 * slots.h - places of one size that can be left without memory for a while and are where they were
 * afterwards, so that pointers into them hold.
 *
 * Only whole pages can be left, so a slot is for what is some kilobytes large.
 */
#ifndef SW_BASE_SLOTS_H
#define SW_BASE_SLOTS_H

#include <stddef.h>

struct sw_slots;

/* Makes places of `bytes` each, rounded up to pages; nothing is allocated before the first. NULL
 * without memory. */
struct sw_slots *sw_slots_new(size_t bytes);
/* A place, not cleared, or NULL without memory. */
void *sw_slots_take(struct sw_slots *slots);
/* Gives the memory of a place back to the system, which stays taken. It must not be read or written
 * until sw_slots_return(). */
void sw_slots_leave(struct sw_slots *slots, void *slot);
/* Whose memory was left is used again: cleared. */
void sw_slots_return(struct sw_slots *slots, void *slot);
/* Gives the place back; whoever gets it next may find in it what was not cleared. */
void sw_slots_give(struct sw_slots *slots, void *slot);
/* Gives everything back. */
void sw_slots_free(struct sw_slots *slots);

#endif
