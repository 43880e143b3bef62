#include "store/memo.h"

#include <stdlib.h>

void sw_memo_init(struct sw_memo *memo)
{
    *memo = (struct sw_memo){.hash_key = sw_hash_random_key()};
}

static size_t place_of(const struct sw_memo *memo, struct sw_span key)
{
    return sw_hash_bytes(&memo->hash_key, key) % SW_MEMO_SLOTS;
}

int64_t sw_memo_find(const struct sw_memo *memo, struct sw_span key)
{
    const struct sw_memo_slot *slot = &memo->slots[place_of(memo, key)];
    bool same =
        slot->key && sw_span_eq(sw_span_make((const uint8_t *)slot->key, slot->length), key);
    return same ? slot->row : 0;
}

void sw_memo_keep(struct sw_memo *memo, struct sw_span key, int64_t row)
{
    struct sw_memo_slot *slot = &memo->slots[place_of(memo, key)];
    char *copy = malloc(key.len + 1);
    free(slot->key);
    *slot = (struct sw_memo_slot){.key = NULL};
    if (!copy)
        return;
    memcpy(copy, key.ptr, key.len);
    *slot = (struct sw_memo_slot){copy, key.len, row};
}

void sw_memo_clear(struct sw_memo *memo)
{
    for (size_t i = 0; i < SW_MEMO_SLOTS; i++) {
        free(memo->slots[i].key);
        memo->slots[i] = (struct sw_memo_slot){.key = NULL};
    }
}
