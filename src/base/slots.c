#include "base/slots.h"

#include <assert.h>
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

enum { REGION = 512 }; /* places that are reserved at once */

struct sw_slot {
    void *memory;
    struct sw_slots *of;
    void *user;                    /* NULL: it is free */
    bool warm;                     /* it has memory */
    struct sw_slot *newer, *older; /* of the free ones with, or without, memory */
};

/* Free places, a ring with this one in it: behind it the newest. */
struct list {
    struct sw_slot end;
    size_t count;
};

/* A run of places in a row. */
struct region {
    struct region *older;
    void *begin;
    struct sw_slot slots[REGION];
};

struct sw_slots {
    size_t bytes;
    size_t most_warm;
    size_t *account;
    struct region *regions;
    struct list warm, cold;
};

static void list_init(struct list *list)
{
    list->end.newer = list->end.older = &list->end;
}

static void list_add(struct list *list, struct sw_slot *slot)
{
    slot->newer = &list->end;
    slot->older = list->end.older;
    slot->older->newer = slot;
    list->end.older = slot;
    list->count++;
}

static void list_remove(struct list *list, struct sw_slot *slot)
{
    slot->newer->older = slot->older;
    slot->older->newer = slot->newer;
    list->count--;
}

struct sw_slots *sw_slots_new(size_t bytes, size_t warm, size_t *account)
{
    long page = sysconf(_SC_PAGESIZE);
    struct sw_slots *slots = page > 0 ? calloc(1, sizeof(*slots)) : NULL;
    if (!slots)
        return NULL;
    slots->bytes = (bytes + (size_t)page - 1) / (size_t)page * (size_t)page;
    slots->most_warm = warm;
    slots->account = account;
    list_init(&slots->warm);
    list_init(&slots->cold);
    return slots;
}

static bool add_region(struct sw_slots *slots)
{
    struct region *region = calloc(1, sizeof(*region));
    if (!region)
        return false;
    size_t bytes = slots->bytes * REGION;
    region->begin = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region->begin == MAP_FAILED) {
        free(region);
        return false;
    }
#ifdef MADV_NOHUGEPAGE /* one place in use must not cost the memory of its neighbours */
    (void)madvise(region->begin, bytes, MADV_NOHUGEPAGE);
#endif
    ASAN_POISON_MEMORY_REGION(region->begin, bytes);
    region->older = slots->regions;
    slots->regions = region;
    for (size_t i = REGION; i-- > 0;) {
        struct sw_slot *slot = &region->slots[i];
        slot->memory = (uint8_t *)region->begin + slots->bytes * i;
        slot->of = slots;
        list_add(&slots->cold, slot);
    }
    return true;
}

void sw_slot_return(struct sw_slot *slot, void *user)
{
    struct sw_slots *slots = slot->of;
    assert(!slot->user && user);
    list_remove(slot->warm ? &slots->warm : &slots->cold, slot);
    if (!slot->warm)
        *slots->account += slots->bytes;
    slot->warm = true;
    slot->user = user;
    ASAN_UNPOISON_MEMORY_REGION(slot->memory, slots->bytes);
}

struct sw_slot *sw_slots_take(struct sw_slots *slots, void *user)
{
    if (slots->warm.count == 0 && slots->cold.count == 0 && !add_region(slots))
        return NULL;
    struct sw_slot *slot = slots->warm.count > 0 ? slots->warm.end.older : slots->cold.end.older;
    sw_slot_return(slot, user);
    return slot;
}

void *sw_slot_memory(const struct sw_slot *slot)
{
    return slot->memory;
}

void *sw_slot_user(const struct sw_slot *slot)
{
    return slot->user;
}

/* Gives the memory of a free place back. */
static void cool(struct sw_slots *slots, struct sw_slot *slot)
{
    list_remove(&slots->warm, slot);
    (void)madvise(slot->memory, slots->bytes, MADV_DONTNEED);
    *slots->account -= slots->bytes;
    slot->warm = false;
    list_add(&slots->cold, slot);
}

void sw_slot_leave(struct sw_slot *slot)
{
    struct sw_slots *slots = slot->of;
    ASAN_POISON_MEMORY_REGION(slot->memory, slots->bytes);
    slot->user = NULL;
    list_add(&slots->warm, slot);
    if (slots->warm.count > slots->most_warm)
        cool(slots, slots->warm.end.newer); /* that nobody has wanted for longest */
}

bool sw_slots_trim(struct sw_slots *slots)
{
    bool any = slots->warm.count > 0;
    while (slots->warm.count > 0)
        cool(slots, slots->warm.end.older);
    return any;
}

void sw_slots_keep(struct sw_slots *slots)
{
    slots->most_warm = SIZE_MAX;
}

void sw_slots_free(struct sw_slots *slots)
{
    if (!slots)
        return;
    while (slots->regions) {
        struct region *region = slots->regions;
        slots->regions = region->older;
        for (size_t i = 0; i < REGION; i++)
            *slots->account -= region->slots[i].warm ? slots->bytes : 0;
        ASAN_UNPOISON_MEMORY_REGION(region->begin, slots->bytes * REGION);
        (void)munmap(region->begin, slots->bytes * REGION);
        free(region);
    }
    free(slots);
}
