#include "base/slots.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else /* what nobody may touch is told to the sanitizer only */
#define ASAN_POISON_MEMORY_REGION(at, n) ((void)(at), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(at, n) ((void)(at), (void)(n))
#endif

enum {
    HOT = 64,     /* free places that keep their memory for the next ones */
    REGION = 512, /* places that are reserved at once */
};

/* A run of places in a row. */
struct region {
    struct region *older;
    uint8_t *begin;
    size_t used; /* places that have been given out at least once */
};

struct sw_slots {
    size_t bytes;
    struct region *regions; /* the newest first: only that one has fresh places */
    void *hot[HOT];
    unsigned hot_count;
    void **cold; /* free places without memory */
    size_t cold_count;
    size_t made; /* places of all regions */
};

struct sw_slots *sw_slots_new(size_t bytes)
{
    long page = sysconf(_SC_PAGESIZE);
    struct sw_slots *slots = page > 0 ? calloc(1, sizeof(*slots)) : NULL;
    if (slots)
        slots->bytes = (bytes + (size_t)page - 1) / (size_t)page * (size_t)page;
    return slots;
}

/* Reserves a region, and room to note all places as free ones. */
static bool add_region(struct sw_slots *slots)
{
    size_t room = slots->made + REGION;
    void **cold = realloc(slots->cold, room * sizeof(*cold));
    if (!cold)
        return false;
    slots->cold = cold;
    struct region *region = malloc(sizeof(*region));
    if (!region)
        return false;
    size_t bytes = slots->bytes * REGION;
    void *begin = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (begin == MAP_FAILED) {
        free(region);
        return false;
    }
#ifdef MADV_NOHUGEPAGE /* one place in use must not cost the memory of its neighbours */
    (void)madvise(begin, bytes, MADV_NOHUGEPAGE);
#endif
    ASAN_POISON_MEMORY_REGION(begin, bytes);
    *region = (struct region){.older = slots->regions, .begin = begin};
    slots->regions = region;
    slots->made = room;
    return true;
}

static void *fresh(struct sw_slots *slots)
{
    if ((!slots->regions || slots->regions->used == REGION) && !add_region(slots))
        return NULL;
    return slots->regions->begin + slots->bytes * slots->regions->used++;
}

void *sw_slots_take(struct sw_slots *slots)
{
    void *slot = slots->hot_count > 0    ? slots->hot[--slots->hot_count]
                 : slots->cold_count > 0 ? slots->cold[--slots->cold_count]
                                         : fresh(slots);
    if (slot)
        ASAN_UNPOISON_MEMORY_REGION(slot, slots->bytes);
    return slot;
}

void sw_slots_leave(struct sw_slots *slots, void *slot)
{
    (void)madvise(slot, slots->bytes, MADV_DONTNEED);
    ASAN_POISON_MEMORY_REGION(slot, slots->bytes);
}

void sw_slots_return(struct sw_slots *slots, void *slot)
{
    ASAN_UNPOISON_MEMORY_REGION(slot, slots->bytes);
}

void sw_slots_give(struct sw_slots *slots, void *slot)
{
    if (slots->hot_count < HOT) {
        slots->hot[slots->hot_count++] = slot;
        ASAN_POISON_MEMORY_REGION(slot, slots->bytes);
        return;
    }
    sw_slots_leave(slots, slot);
    slots->cold[slots->cold_count++] = slot;
}

void sw_slots_free(struct sw_slots *slots)
{
    if (!slots)
        return;
    while (slots->regions) {
        struct region *older = slots->regions->older;
        ASAN_UNPOISON_MEMORY_REGION(slots->regions->begin, slots->bytes * REGION);
        (void)munmap(slots->regions->begin, slots->bytes * REGION);
        free(slots->regions);
        slots->regions = older;
    }
    free(slots->cold);
    free(slots);
}
