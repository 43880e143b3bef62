/*
 * sort.h - sorting pointers by a number that stands beside them.
 *
 * What is sorted is scattered over memory; comparing numbers that lie in a row is an order of
 * magnitude faster than looking behind two pointers for each comparison.
 */
#ifndef SW_BASE_SORT_H
#define SW_BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

struct sw_sorted {
    uint64_t key;
    void *item;
};

/* Sorts by key; items with the same key stay in their order. Takes as much memory again for a
 * while; without it, longer. */
void sw_sort(struct sw_sorted *list, size_t count);

#endif
