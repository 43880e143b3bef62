/*
 * table.h - a hash table of blocks that live in one arena, found by the bytes of their keys;
 * private to the audit.
 */
#ifndef SW_AUDIT_TABLE_H
#define SW_AUDIT_TABLE_H

#include "base/arena.h"
#include "base/fetch.h"
#include "base/hash.h"

struct sw_table_slot {
    uint64_t hash; /* 0 = free */
    void *value;   /* the key is right behind it: whoever finds one has fetched the other */
    size_t key_bytes;
};

struct sw_table {
    struct sw_arena *arena;
    struct sw_hash_key hash_key;
    struct sw_table_slot *slots;
    size_t room; /* a power of two, or 0 */
    size_t used;
    size_t most; /* values that are kept */
    size_t value_bytes;
};

void sw_table_init(struct sw_table *table, struct sw_arena *arena, size_t value_bytes, size_t most);
/* The value of this key, zeroed when it is new (*fresh then); NULL when there is no room for
 * another. */
void *sw_table_get(struct sw_table *table, struct sw_span key, bool *fresh);
/*
 * In a large table every look-up waits for memory. Who knows early what will be looked up can have
 * it fetched while doing something else: first the slot, then, some time later, the value.
 */
uint64_t sw_table_hash(const struct sw_table *table, struct sw_span key);
void sw_table_fetch_slot(const struct sw_table *table, uint64_t hash);
void sw_table_fetch_value(const struct sw_table *table, uint64_t hash);
/* sw_table_get() with the key's hash. */
void *sw_table_get_hashed(struct sw_table *table, struct sw_span key, uint64_t hash, bool *fresh);
/* The key of a slot that is used. */
struct sw_span sw_table_key(const struct sw_table *table, const struct sw_table_slot *slot);
/* Gives the slots back; the values are the arena's. */
void sw_table_release(struct sw_table *table);

/* A key put together from several fields; what does not fit is cut off. */
enum { SW_KEY_BYTES = 600 };

struct sw_key {
    uint8_t bytes[SW_KEY_BYTES];
    size_t used;
};

void sw_key_add(struct sw_key *key, const void *bytes, size_t length);
struct sw_span sw_key_span(const struct sw_key *key);

#endif
