/*
 * live_history.h - --db of live analysis: the history in a process of its own, as SQLite makes and
 * locks files while it works. Others may read the history meanwhile.
 */
#ifndef SW_CLI_LIVE_HISTORY_H
#define SW_CLI_LIVE_HISTORY_H

#include "cli/live_keeper.h"
#include "cli/options.h"

/* Without --db nothing is done. False after saying why: the file cannot be used. */
bool sw_live_history_start(struct sw_live_keeper *keeper, const struct sw_settings *settings);

#endif
