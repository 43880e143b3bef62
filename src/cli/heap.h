/*
 * heap.h - the heap in large pages, for runs that read captures and end.
 */
#ifndef SW_CLI_HEAP_H
#define SW_CLI_HEAP_H

/*
 * Reserves addresses (not memory) for the heap and asks for large pages there, as a run over files
 * touches most of what it allocates, in no order: a page table of small pages is half as large as
 * what the processor can remember. The memory itself comes when it is touched, 2 MB at a time. From
 * then on the heap keeps what is freed at its end, so this is not for a process that lives for
 * weeks. Call it once, before there are threads; where the system has no such pages nothing
 * changes.
 */
void sw_heap_in_large_pages(void);

#endif
