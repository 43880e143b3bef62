/*
 * live_store.h - --store of live analysis: one process spools facts to the disk, and another that
 * it starts carries what is spooled to the store, so that a store that is slow or away holds up
 * nobody.
 *
 * What the store has not got when the program ends waits in the spool for the next run.
 */
#ifndef SW_CLI_LIVE_STORE_H
#define SW_CLI_LIVE_STORE_H

#include "cli/live_keeper.h"
#include "cli/options.h"

/* Without --store nothing is done. False after saying why. */
bool sw_live_store_start(struct sw_live_keeper *keeper, const struct sw_settings *settings);

#endif
