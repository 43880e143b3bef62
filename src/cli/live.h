/*
 * live.h - the subcommand live: what the options ask for, put together and run until a signal.
 */
#ifndef SW_CLI_LIVE_H
#define SW_CLI_LIVE_H

#include "cli/options.h"

/* Messages go to standard error. Returns the exit status. */
int sw_live(const struct sw_settings *settings);

/* The readers of its options, for the table. */
bool sw_live_take_interface(struct sw_settings *settings, const char *value, char *message);
bool sw_live_take_list(struct sw_settings *settings, const char *value, char *message);
bool sw_live_take_snaplen(struct sw_settings *settings, const char *value, char *message);

#endif
