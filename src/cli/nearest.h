/*
 * nearest.h - which known word a mistyped one may have meant.
 */
#ifndef SW_CLI_NEAREST_H
#define SW_CLI_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Edits (insert, delete, replace, swap of neighbours count 1 each) that turn `from` into `to`.
 * Words over 31 characters are as far away as can be.
 */
size_t sw_nearest_distance(const char *from, const char *to);
/* Is that near enough for a slip of the fingers: every fourth letter at most? */
bool sw_nearest_is_slip(const char *from, size_t distance);

#endif
