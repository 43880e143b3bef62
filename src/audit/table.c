#include "audit/table.h"

#include <stdlib.h>

enum {
    FIRST_ROOM = 256,
    FETCHED_BYTES = 256, /* of a value, and what was allocated right behind it */
};

void sw_table_init(struct sw_table *table, struct sw_arena *arena, size_t value_bytes, size_t most)
{
    *table = (struct sw_table){
        .arena = arena, .hash_key = sw_hash_random_key(), .value_bytes = value_bytes, .most = most};
}

struct sw_span sw_table_key(const struct sw_table *table, const struct sw_table_slot *slot)
{
    return sw_span_make((const uint8_t *)slot->value + table->value_bytes, slot->key_bytes);
}

/* Where the key is or would be. There is always a free slot. */
static struct sw_table_slot *find(const struct sw_table *table, uint64_t hash, struct sw_span key)
{
    size_t at = hash & (table->room - 1);
    while (table->slots[at].hash != 0 && (table->slots[at].hash != hash ||
                                          !sw_span_eq(sw_table_key(table, &table->slots[at]), key)))
        at = (at + 1) & (table->room - 1);
    return &table->slots[at];
}

static bool grow(struct sw_table *table)
{
    struct sw_table bigger = *table;
    bigger.room = table->room ? table->room * 2 : FIRST_ROOM;
    bigger.slots = malloc(bigger.room * sizeof(*bigger.slots));
    if (!bigger.slots)
        return false;
    /* calloc() would give memory that is looked at first and had when it is written: two faults */
    memset(bigger.slots, 0, bigger.room * sizeof(*bigger.slots));
    for (size_t i = 0; i < table->room; i++) {
        if (table->slots[i].hash != 0)
            *find(&bigger, table->slots[i].hash, sw_table_key(table, &table->slots[i])) =
                table->slots[i];
    }
    free(table->slots);
    *table = bigger;
    return true;
}

uint64_t sw_table_hash(const struct sw_table *table, struct sw_span key)
{
    return sw_hash_bytes(&table->hash_key, key) | 1;
}

void sw_table_fetch_slot(const struct sw_table *table, uint64_t hash)
{
    if (table->room > 0)
        sw_fetch(&table->slots[hash & (table->room - 1)], 1);
}

void sw_table_fetch_value(const struct sw_table *table, uint64_t hash)
{
    const struct sw_table_slot *slot =
        table->room > 0 ? &table->slots[hash & (table->room - 1)] : NULL;
    if (slot && slot->hash == hash)
        sw_fetch(slot->value, FETCHED_BYTES);
}

void *sw_table_get(struct sw_table *table, struct sw_span key, bool *fresh)
{
    return sw_table_get_hashed(table, key, sw_table_hash(table, key), fresh);
}

void *sw_table_get_hashed(struct sw_table *table, struct sw_span key, uint64_t hash, bool *fresh)
{
    *fresh = false;
    if (table->used * 2 >= table->room && !grow(table))
        return NULL;
    struct sw_table_slot *slot = find(table, hash, key);
    if (slot->hash != 0)
        return slot->value;
    if (table->used == table->most)
        return NULL;
    uint8_t *value = sw_arena_alloc(table->arena, table->value_bytes + key.len);
    if (!value)
        return NULL;
    if (key.len > 0)
        memcpy(value + table->value_bytes, key.ptr, key.len);
    *slot = (struct sw_table_slot){hash, value, key.len};
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
