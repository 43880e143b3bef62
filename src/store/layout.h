/*
 * layout.h - the layout of the history file, and how one version of it becomes the next.
 */
#ifndef SW_STORE_LAYOUT_H
#define SW_STORE_LAYOUT_H

#include "base/status.h"

#include <sqlite3.h>
#include <stdbool.h>

/* Brings the file up to the present layout, in one transaction. */
bool sw_layout_upgrade(sqlite3 *db, const char *path, struct sw_status *status);
/* Is it a history, and not of a later version? *old: of an earlier one, which has to be brought up
 * before it is read. */
bool sw_layout_check(sqlite3 *db, const char *path, bool *old, struct sw_status *status);

#endif
