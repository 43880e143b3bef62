/*
 * table.h - a hash table of blocks that live in one arena, found by the bytes of their keys;
 * private to the audit.
 */
#ifndef SW_AUDIT_TABLE_H
#define SW_AUDIT_TABLE_H

#include "base/arena.h"
#include "base/hash.h"

struct sw_table_slot {
    uint64_t hash; /* 0 = free */
    struct sw_span key;
    void *value;
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
/* Gives the slots back; the values are the arena's. */
void sw_table_release(struct sw_table *table);

/* A key put together from several fields; what does not fit is cut off. */
enum { SW_KEY_BYTES = 400 };

struct sw_key {
    uint8_t bytes[SW_KEY_BYTES];
    size_t used;
};

void sw_key_add(struct sw_key *key, const void *bytes, size_t length);
struct sw_span sw_key_span(const struct sw_key *key);

#endif
