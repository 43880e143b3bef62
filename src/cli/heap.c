#include "cli/heap.h"

#include <limits.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Whether addresses cost nothing. */
static bool is_limited(void)
{
    struct rlimit all, data;
    return getrlimit(RLIMIT_AS, &all) != 0 || all.rlim_cur != RLIM_INFINITY ||
           getrlimit(RLIMIT_DATA, &data) != 0 || data.rlim_cur != RLIM_INFINITY;
}

void sw_heap_in_large_pages(void)
{
    enum { RESERVED = 256 << 20, USUAL = 128 * 1024, ONE = 100 * 1024, MOST = 8, APART = 16 << 20 };
    void *taken[MOST];
    const void *old_end = sbrk(0);
    int count = 0;
    if (is_limited())
        return;
    (void)mallopt(M_TOP_PAD, RESERVED);
    while (count < MOST && sbrk(0) == old_end) /* until the heap has grown by all of that */
        taken[count++] = malloc(ONE);
    /* From here on it grows as usual, but what is freed at its end is not given back each time. */
    (void)mallopt(M_TOP_PAD, USUAL);
    (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
    /* Large tables, which are read in no order at all, do not lie apart in small pages. */
    (void)mallopt(M_MMAP_THRESHOLD, APART);
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)old_end + page - 1) / page * page;
    uintptr_t end = (uintptr_t)sbrk(0) / page * page;
    if (begin < end) /* else the memory is not from there: another malloc() */
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
    while (count > 0)
        free(taken[--count]);
}
