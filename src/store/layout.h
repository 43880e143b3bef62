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
/* Is it a history, of a version that this program reads? */
bool sw_layout_check(sqlite3 *db, const char *path, struct sw_status *status);

#endif
