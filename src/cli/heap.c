#include "cli/heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void sw_heap_in_large_pages(void)
{
    /* A heap begins with 132 kB, and what is larger than 128 kB is no part of it. */
    enum { RESERVED = 256 << 20, ONE = 100 * 1024 };
    (void)mallopt(M_TOP_PAD, RESERVED);
    void *first = malloc(ONE);
    void *second = malloc(ONE); /* with it the heap has grown by all of that */
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)first + page - 1) / page * page;
    uintptr_t end = (uintptr_t)sbrk(0) / page * page;
    if (first && begin < end) /* else the memory is not from there: another malloc() */
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
    free(second);
    free(first);
}
