/*
 * index.c - finding a connection: its place, the hash table, and what is remembered of
 * those that are gone.
 */
#include "flow/internal.h"

#include <stdlib.h>

enum {
    FIRST_ENTRIES = 1024,
    TOMBS = 1 << 16, /* connections that are over or of no interest; a power of two, the newer one
                        has the place */
};

#define TOMB_NS (120 * SW_NS_PER_S)

struct sw_tomb {
    uint64_t hash; /* 0 = none */
    int64_t until_ns;
    bool quiet; /* of no interest: every packet keeps it alive */
};

uint64_t sw_flow_hash(const struct sw_hash_key *hash_key, const struct sw_flow_key *key)
{
    uint64_t h = hash_key->a ^ sizeof(*key);
    h = sw_hash_mix(sw_hash_load(key->low, 8) ^ hash_key->b, sw_hash_load(key->low + 8, 8) ^ h);
    h = sw_hash_mix(sw_hash_load(key->high, 8) ^ hash_key->b, sw_hash_load(key->high + 8, 8) ^ h);
    h = sw_hash_mix(key->rest ^ hash_key->b, h);
    return sw_hash_mix(h ^ hash_key->a, hash_key->b | 1);
}

/* --- tombs: looked up with the fixed key, so that what is forgotten does not differ from run to
 * run --- */

static uint64_t tomb_hash(const struct sw_flow_key *key)
{
    return sw_flow_hash(&sw_hash_fixed_key, key) | 1;
}

static size_t tomb_place(uint64_t hash)
{
    return (hash >> 1) & (TOMBS - 1);
}

static uint8_t tomb_mark(uint64_t hash)
{
    return (uint8_t)(hash >> 56);
}

/* The tomb of that connection, or NULL: mostly its place's mark tells that there is none, and the
 * tombs, which are many and far away, are let be. */
static struct sw_tomb *find_tomb(const struct sw_flow_table *table, const struct sw_flow_key *key)
{
    uint64_t hash = tomb_hash(key);
    size_t at = tomb_place(hash);
    bool is_there = table->tomb_marks[at] == tomb_mark(hash) && table->tombs[at].hash == hash;
    return is_there ? &table->tombs[at] : NULL;
}

static void bury(struct sw_flow_table *table, const struct sw_flow_key *key, bool quiet)
{
    uint64_t hash = tomb_hash(key);
    size_t at = tomb_place(hash);
    table->tomb_marks[at] = tomb_mark(hash);
    table->tombs[at] = (struct sw_tomb){hash, table->now_ns + TOMB_NS, quiet};
}

void sw_flow_bury(struct sw_flow_table *table, const struct sw_flow *flow, bool quiet)
{
    bury(table, &flow->key, quiet);
    if (!sw_flow_key_has_lane(&flow->key))
        return;
    struct sw_flow_key plain = sw_flow_key_without_lane(&flow->key); /* when no lane is left */
    bury(table, &plain, quiet);
}

void sw_flow_fetch_tomb(const struct sw_flow_table *table, const struct sw_flow_key *key)
{
    sw_fetch(&table->tomb_marks[tomb_place(tomb_hash(key))], 1);
}

bool sw_flow_lies_there(const struct sw_flow_table *table, struct sw_tomb *tomb, uint64_t hash)
{
    if (tomb->hash != hash || tomb->until_ns < table->now_ns)
        return false;
    if (tomb->quiet)
        tomb->until_ns = table->now_ns + TOMB_NS;
    return true;
}

bool sw_flow_is_buried(struct sw_flow_table *table, const struct sw_flow_key *key)
{
    struct sw_tomb *tomb = find_tomb(table, key);
    if (!tomb || !sw_flow_lies_there(table, tomb, tomb->hash))
        return false;
    table->buried = tomb;
    table->buried_hash = tomb->hash;
    table->buried_key = *key;
    return true;
}

void sw_flow_unbury(struct sw_flow_table *table, const struct sw_flow_key *key)
{
    struct sw_tomb *tomb = find_tomb(table, key);
    if (tomb)
        tomb->hash = 0;
}

/* --- places --- */

struct sw_flow *sw_flow_next_place(const struct sw_flow_table *table, const struct sw_flow *flow)
{
    for (uint32_t place = flow ? flow->place + 1 : 1; place <= table->slab_count * SW_FLOW_SLAB;
         place++) {
        struct sw_flow *next = sw_flow_at(table, place);
        if (next->serial != 0)
            return next;
    }
    return NULL;
}

static void free_place(struct sw_flow_table *table, struct sw_flow *flow)
{
    flow->serial = 0;
    flow->older = table->free_place;
    table->free_place = flow;
}

static bool add_slab(struct sw_flow_table *table)
{
    struct sw_flow_slab **more =
        realloc(table->slabs, (table->slab_count + (size_t)1) * sizeof(*more));
    if (!more)
        return false;
    table->slabs = more;
    struct sw_flow_slab *slab = aligned_alloc(_Alignof(struct sw_flow_slab), sizeof(*slab));
    if (!slab)
        return false;
    more[table->slab_count++] = slab;
    for (uint32_t i = SW_FLOW_SLAB; i-- > 0;) {
        slab->places[i].place = (table->slab_count - 1) * SW_FLOW_SLAB + i + 1;
        free_place(table, &slab->places[i]);
    }
    return true;
}

struct sw_flow *sw_flow_place(struct sw_flow_table *table)
{
    if (!table->free_place && !add_slab(table))
        return NULL;
    struct sw_flow *flow = table->free_place;
    table->free_place = flow->older;
    sw_flow_fetch(table->free_place); /* for the next one */
    uint32_t place = flow->place;
    memset(flow, 0, sizeof(*flow));
    flow->place = place;
    flow->table = table;
    flow->serial = ++table->next_serial;
    return flow;
}

/* --- the hash table: whatever does not fit where its hash says stands in the next free entry ---
 */

struct sw_flow *sw_flow_find(const struct sw_flow_table *table, const struct sw_flow_key *key,
                             uint64_t hash)
{
    const struct sw_flow_entry *entries = table->entries;
    uint32_t mask = table->entry_mask;
    for (uint32_t at = (uint32_t)hash & mask; entries[at].place; at = (at + 1) & mask) {
        if (entries[at].hash != (uint32_t)hash)
            continue;
        struct sw_flow *flow = sw_flow_at(table, entries[at].place);
        if (sw_flow_is_same_key(&flow->key, key))
            return flow;
    }
    return NULL;
}

static void enter(struct sw_flow_entry *entries, uint32_t mask, struct sw_flow_entry entry)
{
    uint32_t at = entry.hash & mask;
    while (entries[at].place)
        at = (at + 1) & mask;
    entries[at] = entry;
}

/* No entry may be free between one and where its hash says: those behind the one that goes move
 * up. */
static void leave(struct sw_flow_table *table, const struct sw_flow *flow)
{
    struct sw_flow_entry *entries = table->entries;
    uint32_t mask = table->entry_mask;
    uint32_t gap = (uint32_t)flow->hash & mask;
    while (entries[gap].place != flow->place)
        gap = (gap + 1) & mask;
    for (uint32_t at = (gap + 1) & mask; entries[at].place; at = (at + 1) & mask) {
        if (((at - entries[at].hash) & mask) >= ((at - gap) & mask)) {
            entries[gap] = entries[at];
            gap = at;
        }
    }
    entries[gap].place = 0;
}

static bool grow(struct sw_flow_table *table)
{
    uint32_t count = (table->entry_mask + 1) * 2;
    struct sw_flow_entry *bigger = calloc(count, sizeof(*bigger));
    if (!bigger)
        return false;
    *table->account += count / 2 * sizeof(*bigger);
    for (uint32_t i = 0; i <= table->entry_mask; i++) {
        if (table->entries[i].place)
            enter(bigger, count - 1, table->entries[i]);
    }
    free(table->entries);
    table->entries = bigger;
    table->entry_mask = count - 1;
    return true;
}

static void list_append(struct sw_flow_table *table, struct sw_flow *flow)
{
    flow->listed = flow->half_open ? (uint8_t)SW_FLOW_ASKING : flow->rank;
    struct sw_flow_list *list = &table->lists[flow->listed];
    flow->older = list->newest;
    flow->newer = NULL;
    *(flow->older ? &flow->older->newer : &list->oldest) = flow;
    list->newest = flow;
    list->count++;
}

static void list_remove(struct sw_flow_table *table, struct sw_flow *flow)
{
    struct sw_flow_list *list = &table->lists[flow->listed];
    *(flow->older ? &flow->older->newer : &list->oldest) = flow->newer;
    *(flow->newer ? &flow->newer->older : &list->newest) = flow->older;
    list->count--;
}

void sw_flow_relist(struct sw_flow_table *table, struct sw_flow *flow)
{
    list_remove(table, flow);
    list_append(table, flow);
}

void sw_flow_wait_open(struct sw_flow_table *table, struct sw_flow *flow)
{
    flow->half_open = true;
    table->half_open++;
    sw_flow_relist(table, flow);
}

void sw_flow_wait_over(struct sw_flow_table *table, struct sw_flow *flow)
{
    if (!flow->half_open)
        return;
    flow->half_open = false;
    table->half_open--;
    sw_flow_relist(table, flow);
}

/* Takes the connection out of the table and gives its memory back. */
void sw_flow_remove(struct sw_flow_table *table, struct sw_flow *flow)
{
    if (table->last == flow)
        table->last = NULL;
    leave(table, flow);
    if (sw_flow_key_has_lane(&flow->key))
        sw_flow_lane_leave(table, &flow->key);
    table->half_open -= flow->half_open;
    list_remove(table, flow);
    table->flows--;
    table->count.open = table->flows;
    if (flow->resting)
        (void)sw_flow_wake(flow, true);
    if (flow->body)
        sw_flow_body_free(flow);
    sw_account_give(table->account, sizeof(*flow));
    free_place(table, flow);
}

bool sw_flow_index_init(struct sw_flow_table *table)
{
    table->entry_mask = FIRST_ENTRIES - 1;
    table->entries = calloc(FIRST_ENTRIES, sizeof(*table->entries));
    table->tombs = calloc(TOMBS, sizeof(*table->tombs));
    table->tomb_marks = calloc(TOMBS, sizeof(*table->tomb_marks));
    *table->account += FIRST_ENTRIES * sizeof(*table->entries) +
                       TOMBS * (sizeof(*table->tombs) + sizeof(*table->tomb_marks));
    return table->entries && table->tombs && table->tomb_marks;
}

void sw_flow_index_release(struct sw_flow_table *table)
{
    for (int rank = 0; rank < SW_FLOW_RANKS; rank++) {
        while (table->lists[rank].oldest)
            sw_flow_remove(table, table->lists[rank].oldest);
    }
    *table->account -= ((size_t)table->entry_mask + 1) * sizeof(*table->entries) +
                       TOMBS * (sizeof(*table->tombs) + sizeof(*table->tomb_marks)) +
                       table->timer_room * sizeof(*table->timers);
    free(table->entries);
    free(table->tombs);
    free(table->tomb_marks);
    free(table->timers);
    sw_flow_bodies_release(table);
    for (uint32_t i = 0; i < table->slab_count; i++)
        free(table->slabs[i]);
    free(table->slabs);
}

bool sw_flow_insert(struct sw_flow_table *table, struct sw_flow *flow)
{
    /* Half of the entries are free, so that the next free one is near. */
    bool room = table->flows <= table->entry_mask / 2 || grow(table);
    bool ready = room && sw_timers_plan(table, flow);
    if (!ready) {
        free_place(table, flow);
        return false;
    }
    enter(table->entries, table->entry_mask,
          (struct sw_flow_entry){(uint32_t)flow->hash, flow->place});
    table->flows++;
    if (sw_flow_key_has_lane(&flow->key))
        sw_flow_lane_enter(table, &flow->key);
    list_append(table, flow);
    sw_account_take(table->account, sizeof(*flow));
    return true;
}
