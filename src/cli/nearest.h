/*
 * nearest.h - which known word a mistyped one may have meant.
 */
#ifndef SW_CLI_NEAREST_H
#define SW_CLI_NEAREST_H

#include <stddef.h>

/*
 * Edits (insert, delete, replace, swap of neighbours count 1 each) that turn `from` into `to`.
 * Words over 31 characters are as far away as can be.
 */
size_t sw_nearest_distance(const char *from, const char *to);

#endif
