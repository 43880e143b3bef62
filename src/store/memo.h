/*
 * memo.h - remembers which row a value has, so that what many sessions share is asked of the file
 * once; private to the history.
 *
 * A memo may forget anything at any time: then the file is asked again.
 *
 * Life: init, (find, keep) ..., clear.
 */
#ifndef SW_STORE_MEMO_H
#define SW_STORE_MEMO_H

#include "base/hash.h"

enum { SW_MEMO_SLOTS = 1024 };

struct sw_memo_slot {
    char *key; /* owned */
    size_t length;
    int64_t row;
};

struct sw_memo {
    struct sw_hash_key hash_key;
    struct sw_memo_slot slots[SW_MEMO_SLOTS];
};

void sw_memo_init(struct sw_memo *memo);
/* The row; 0 when it is not known. */
int64_t sw_memo_find(const struct sw_memo *memo, struct sw_span key);
/* Takes the place of what was in its way. */
void sw_memo_keep(struct sw_memo *memo, struct sw_span key, int64_t row);
void sw_memo_clear(struct sw_memo *memo);

#endif
