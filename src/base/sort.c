#include "base/sort.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 256, DIGIT_BITS = 8 };

/* One pass of a radix sort; false when all keys have the same digit there. */
static bool pass(const struct sw_sorted *from, struct sw_sorted *to, size_t count, unsigned shift)
{
    size_t begin[DIGITS] = {0};
    for (size_t i = 0; i < count; i++)
        begin[from[i].key >> shift & (DIGITS - 1)]++;
    if (begin[from[0].key >> shift & (DIGITS - 1)] == count)
        return false;
    size_t at = 0;
    for (size_t digit = 0; digit < DIGITS; digit++) {
        size_t n = begin[digit];
        begin[digit] = at;
        at += n;
    }
    for (size_t i = 0; i < count; i++)
        to[begin[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
    return true;
}

/* Without memory for a copy. What there is to sort is nearly in order as a rule. */
static void sort_in_place(struct sw_sorted *list, size_t count)
{
    for (size_t end = 1; end < count; end++) {
        struct sw_sorted moved = list[end];
        size_t at = end;
        for (; at > 0 && list[at - 1].key > moved.key; at--)
            list[at] = list[at - 1];
        list[at] = moved;
    }
}

void sw_sort(struct sw_sorted *list, size_t count)
{
    if (count < 2)
        return;
    struct sw_sorted *other = malloc(count * sizeof(*other));
    if (!other) {
        sort_in_place(list, count);
        return;
    }
    struct sw_sorted *from = list;
    struct sw_sorted *to = other;
    for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
        if (!pass(from, to, count, shift))
            continue;
        struct sw_sorted *swap = from;
        from = to;
        to = swap;
    }
    if (from != list)
        memcpy(list, from, count * sizeof(*list));
    free(other);
}
