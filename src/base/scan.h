/*
 * scan.h - what has to look at every byte of a capture, many bytes at a time.
 *
 * Plain loops that the compiler turns into vector code, once for every processor and, where it can,
 * once more for those with wider registers; which of the two runs is decided when the program
 * starts. The results are the same.
 */
#ifndef SW_BASE_SCAN_H
#define SW_BASE_SCAN_H

#include "base/span.h"

/*
 * From `at` (at least 1) on: behind text in which every CR is followed by an LF, every LF comes
 * behind a CR, and no LF is followed by a dot; it is looked for in whole blocks. The byte before
 * `at` counts as the first one's neighbour; what follows the last byte is not known.
 */
size_t sw_scan_ordinary_text(struct sw_span text, size_t at);

/* Index of the first byte below 14 - NUL, tab, LF, CR and others that no word holds -, or the
 * length. */
size_t sw_scan_control(struct sw_span bytes);

/* The sum of all 32-bit words in the machine's own order, the last one filled up with zeros; for up
 * to 2^32 of them. */
uint64_t sw_scan_sum(struct sw_span bytes);

/* Index behind the last `byte`, or 0 when there is none. */
size_t sw_scan_behind_last(struct sw_span bytes, uint8_t byte);

#endif
