/*
 * index.c - finding a connection: its place, the hash table, and what is remembered of
 * those that are gone.
 */
#include "flow/internal.h"

#include <stdlib.h>

enum {
    SLAB = 64, /* connections whose memory is taken at once */
    FIRST_BUCKETS = 1024,
    TOMBS = 1 << 16, /* connections that are over or of no interest; a power of two, the newer one
                        has the place */
};

#define TOMB_NS (120 * SW_NS_PER_S)

struct sw_tomb {
    uint64_t hash; /* 0 = none */
    int64_t until_ns;
    bool quiet; /* of no interest: every packet keeps it alive */
};

static uint64_t load_be64(const uint8_t *at)
{
    return (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 |
           (uint64_t)at[3] << 32 | (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 |
           (uint64_t)at[6] << 8 | (uint64_t)at[7];
}

bool sw_flow_source_is_low(const struct sw_tuple *t)
{
    uint64_t src = load_be64(t->src);
    uint64_t dst = load_be64(t->dst);
    if (src == dst) { /* the same network of IPv6, or one host with itself */
        src = load_be64(t->src + 8);
        dst = load_be64(t->dst + 8);
    }
    return src != dst ? src < dst : t->src_port <= t->dst_port;
}

static uint64_t rest_of_key(const struct sw_tuple *t, bool low)
{
    uint16_t low_port = low ? t->src_port : t->dst_port;
    uint16_t high_port = low ? t->dst_port : t->src_port;
    return low_port | (uint64_t)high_port << 16 | (uint64_t)t->ip_version << 32;
}

struct sw_flow_key sw_flow_key_of(const struct sw_tuple *t, bool *source_is_low)
{
    bool low = *source_is_low = sw_flow_source_is_low(t);
    struct sw_flow_key key = {.rest = rest_of_key(t, low)};
    memcpy(key.low, low ? t->src : t->dst, 16);
    memcpy(key.high, low ? t->dst : t->src, 16);
    return key;
}

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

static struct sw_tomb *tomb_place(struct sw_flow_table *table, const struct sw_flow_key *key,
                                  uint64_t *hash)
{
    *hash = sw_flow_hash(&sw_hash_fixed_key, key) | 1;
    return &table->tombs[(*hash >> 1) & (TOMBS - 1)];
}

void sw_flow_bury(struct sw_flow_table *table, const struct sw_flow *flow, bool quiet)
{
    uint64_t hash;
    struct sw_tomb *tomb = tomb_place(table, &flow->key, &hash);
    *tomb = (struct sw_tomb){hash, table->now_ns + TOMB_NS, quiet};
    if (!sw_flow_key_has_lane(&flow->key))
        return;
    struct sw_flow_key plain = sw_flow_key_without_lane(&flow->key); /* when no lane is left */
    tomb = tomb_place(table, &plain, &hash);
    *tomb = (struct sw_tomb){hash, table->now_ns + TOMB_NS, quiet};
}

/* True when packets of this connection are not wanted any more. */
bool sw_flow_is_buried(struct sw_flow_table *table, const struct sw_flow_key *key)
{
    uint64_t hash;
    struct sw_tomb *tomb = tomb_place(table, key, &hash);
    if (tomb->hash != hash || tomb->until_ns < table->now_ns)
        return false;
    if (tomb->quiet)
        tomb->until_ns = table->now_ns + TOMB_NS;
    return true;
}

void sw_flow_unbury(struct sw_flow_table *table, const struct sw_flow_key *key)
{
    uint64_t hash;
    struct sw_tomb *tomb = tomb_place(table, key, &hash);
    if (tomb->hash == hash)
        tomb->hash = 0;
}

/* --- places: they stay where they are, so that a timer may look at one that is free --- */

struct sw_flow_slab {
    struct sw_flow_slab *older;
    struct sw_flow places[SLAB];
};

struct sw_flow *sw_flow_place(struct sw_flow_table *table)
{
    if (!table->free_place) {
        struct sw_flow_slab *slab = aligned_alloc(_Alignof(struct sw_flow_slab), sizeof(*slab));
        if (!slab)
            return NULL;
        slab->older = table->slabs;
        table->slabs = slab;
        for (size_t i = SLAB; i-- > 0;) {
            slab->places[i].serial = 0;
            slab->places[i].hash_next = table->free_place;
            table->free_place = &slab->places[i];
        }
    }
    struct sw_flow *flow = table->free_place;
    table->free_place = flow->hash_next;
    memset(flow, 0, sizeof(*flow));
    flow->table = table;
    flow->serial = ++table->next_serial;
    return flow;
}

static void free_place(struct sw_flow_table *table, struct sw_flow *flow)
{
    flow->serial = 0;
    flow->hash_next = table->free_place;
    table->free_place = flow;
}

/* --- the hash table --- */

/* By words: the compiler then needs no call for it. */

struct sw_flow *sw_flow_find(const struct sw_flow_table *table, const struct sw_flow_key *key,
                             uint64_t hash)
{
    for (struct sw_flow *f = table->buckets[hash & table->bucket_mask]; f; f = f->hash_next) {
        if (f->hash == hash && sw_flow_is_same_key(&f->key, key))
            return f;
    }
    return NULL;
}

static void unlink_flow(struct sw_flow_table *table, struct sw_flow *flow)
{
    struct sw_flow **at = &table->buckets[flow->hash & table->bucket_mask];
    while (*at != flow)
        at = &(*at)->hash_next;
    *at = flow->hash_next;
}

static bool grow_buckets(struct sw_flow_table *table)
{
    uint32_t count = (table->bucket_mask + 1) * 2;
    struct sw_flow **bigger = calloc(count, sizeof(*bigger));
    if (!bigger)
        return false;
    *table->account += count / 2 * sizeof(*bigger);
    for (uint32_t i = 0; i <= table->bucket_mask; i++) {
        struct sw_flow *f = table->buckets[i];
        while (f) {
            struct sw_flow *next = f->hash_next;
            f->hash_next = bigger[f->hash & (count - 1)];
            bigger[f->hash & (count - 1)] = f;
            f = next;
        }
    }
    free(table->buckets);
    table->buckets = bigger;
    table->bucket_mask = count - 1;
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
    unlink_flow(table, flow);
    if (sw_flow_key_has_lane(&flow->key))
        sw_flow_lane_leave(table, &flow->key);
    sw_flow_wait_over(table, flow);
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
    table->bucket_mask = FIRST_BUCKETS - 1;
    table->buckets = calloc(FIRST_BUCKETS, sizeof(struct sw_flow *));
    table->tombs = calloc(TOMBS, sizeof(*table->tombs));
    *table->account += FIRST_BUCKETS * sizeof(*table->buckets) + TOMBS * sizeof(*table->tombs);
    return table->buckets && table->tombs;
}

void sw_flow_index_release(struct sw_flow_table *table)
{
    for (int rank = 0; rank < SW_FLOW_RANKS; rank++) {
        while (table->lists[rank].oldest)
            sw_flow_remove(table, table->lists[rank].oldest);
    }
    *table->account -= ((size_t)table->bucket_mask + 1) * sizeof(*table->buckets) +
                       TOMBS * sizeof(*table->tombs) + table->timer_room * sizeof(*table->timers);
    free(table->buckets);
    free(table->tombs);
    free(table->timers);
    sw_flow_bodies_release(table);
    while (table->slabs) {
        struct sw_flow_slab *older = table->slabs->older;
        free(table->slabs);
        table->slabs = older;
    }
}

bool sw_flow_insert(struct sw_flow_table *table, struct sw_flow *flow)
{
    /* Half of the chains are empty: every step along one is a connection far away in memory. */
    bool room = table->flows <= table->bucket_mask / 2 || grow_buckets(table);
    bool ready = room && sw_timers_plan(table, flow);
    if (!ready) {
        free_place(table, flow);
        return false;
    }
    flow->hash_next = table->buckets[flow->hash & table->bucket_mask];
    table->buckets[flow->hash & table->bucket_mask] = flow;
    table->flows++;
    if (sw_flow_key_has_lane(&flow->key))
        sw_flow_lane_enter(table, &flow->key);
    list_append(table, flow);
    sw_account_take(table->account, sizeof(*flow));
    return true;
}
