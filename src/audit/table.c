#include "audit/table.h"

#include <stdlib.h>

enum { FIRST_ROOM = 256 };

void sw_table_init(struct sw_table *table, struct sw_arena *arena, size_t value_bytes, size_t most)
{
    *table = (struct sw_table){
        .arena = arena, .hash_key = sw_hash_random_key(), .value_bytes = value_bytes, .most = most};
}

/* Where the key is or would be. There is always a free slot. */
static struct sw_table_slot *find(const struct sw_table *table, uint64_t hash, struct sw_span key)
{
    size_t at = hash & (table->room - 1);
    while (table->slots[at].hash != 0 &&
           (table->slots[at].hash != hash || !sw_span_eq(table->slots[at].key, key)))
        at = (at + 1) & (table->room - 1);
    return &table->slots[at];
}

static bool grow(struct sw_table *table)
{
    struct sw_table bigger = *table;
    bigger.room = table->room ? table->room * 2 : FIRST_ROOM;
    bigger.slots = calloc(bigger.room, sizeof(*bigger.slots));
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < table->room; i++) {
        if (table->slots[i].hash != 0)
            *find(&bigger, table->slots[i].hash, table->slots[i].key) = table->slots[i];
    }
    free(table->slots);
    *table = bigger;
    return true;
}

void *sw_table_get(struct sw_table *table, struct sw_span key, bool *fresh)
{
    uint64_t hash = sw_hash_bytes(&table->hash_key, key) | 1;
    *fresh = false;
    if (table->used * 2 >= table->room && !grow(table))
        return NULL;
    struct sw_table_slot *slot = find(table, hash, key);
    if (slot->hash != 0)
        return slot->value;
    if (table->used == table->most)
        return NULL;
    struct sw_span kept = sw_arena_copy(table->arena, key);
    void *value = sw_arena_alloc(table->arena, table->value_bytes);
    if (!value || kept.len != key.len)
        return NULL;
    *slot = (struct sw_table_slot){hash, kept, value};
    table->used++;
    *fresh = true;
    return value;
}

void sw_table_release(struct sw_table *table)
{
    free(table->slots);
    table->slots = NULL;
    table->room = table->used = 0;
}

void sw_key_add(struct sw_key *key, const void *bytes, size_t length)
{
    size_t room = sizeof(key->bytes) - key->used;
    size_t n = length < room ? length : room;
    if (n > 0)
        memcpy(key->bytes + key->used, bytes, n);
    key->used += n;
}

struct sw_span sw_key_span(const struct sw_key *key)
{
    return sw_span_make(key->bytes, key->used);
}
