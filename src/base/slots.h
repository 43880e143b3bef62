/*
 * slots.h - places of one size, some kilobytes each, that several may use in turn: whoever leaves
 * one can come back to that very place later, so that pointers into it hold again once its bytes
 * are where they were.
 *
 * A place that is left is free for anybody. So who comes back may find somebody in it, who has to
 * leave first. That way a few places serve many, and their memory stays warm.
 */
#ifndef SW_BASE_SLOTS_H
#define SW_BASE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

struct sw_slots;
struct sw_slot;

/* Makes places of `bytes` each, rounded up to pages; nothing is allocated before the first. `warm`:
 * how many free ones keep their memory. What memory there is is counted in *account, which outlives
 * them. NULL without memory. */
struct sw_slots *sw_slots_new(size_t bytes, size_t warm, size_t *account);
/* A free place for `user`, not cleared, or NULL without memory. */
struct sw_slot *sw_slots_take(struct sw_slots *slots, void *user);
/* Its memory, aligned to pages. */
void *sw_slot_memory(const struct sw_slot *slot);
/* Who uses it, or NULL. */
void *sw_slot_user(const struct sw_slot *slot);
/* It is free. Whoever gets it next may find in it what was not cleared. */
void sw_slot_leave(struct sw_slot *slot);
/* `user` comes back to a place that nobody uses; it is not cleared. */
void sw_slot_return(struct sw_slot *slot, void *user);
/* Gives the memory of free places back to the system; false: they had none. */
bool sw_slots_trim(struct sw_slots *slots);
/* From now on places that are left keep their memory: it all comes to an end, and who comes back
 * would only have to get it again. */
void sw_slots_keep(struct sw_slots *slots);
/* Gives everything back. */
void sw_slots_free(struct sw_slots *slots);

#endif
