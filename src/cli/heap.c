#include "cli/heap.h"

#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void sw_heap_in_large_pages(void)
{
    enum { RESERVED = 256 << 20, ONE = 100 * 1024, MOST = 8 };
    void *taken[MOST];
    const void *old_end = sbrk(0);
    int count = 0;
    (void)mallopt(M_TOP_PAD, RESERVED);
    (void)mallopt(M_TRIM_THRESHOLD,
                  INT_MAX); /* nor is it given back each time something is freed */
    while (count < MOST && sbrk(0) == old_end) /* until the heap has grown by all of that */
        taken[count++] = malloc(ONE);
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)old_end + page - 1) / page * page;
    uintptr_t end = (uintptr_t)sbrk(0) / page * page;
    if (begin < end) /* else the memory is not from there: another malloc() */
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
    while (count > 0)
        free(taken[--count]);
}
