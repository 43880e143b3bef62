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
bool sw_live_take_buffer(struct sw_settings *settings, const char *value, char *message);
bool sw_live_take_snaplen(struct sw_settings *settings, const char *value, char *message);
bool sw_live_take_no_sandbox(struct sw_settings *settings, const char *value, char *message);
bool sw_live_take_write(struct sw_settings *settings, const char *value, char *message);
bool sw_live_take_record(struct sw_settings *settings, const char *value, char *message);
bool sw_live_take_rotate_size(struct sw_settings *settings, const char *value, char *message);
bool sw_live_take_rotate_seconds(struct sw_settings *settings, const char *value, char *message);
bool sw_live_take_rotate_count(struct sw_settings *settings, const char *value, char *message);
bool sw_live_take_ring(struct sw_settings *settings, const char *value, char *message);

bool sw_live_take_http(struct sw_settings *settings, const char *value, char *message);
bool sw_live_take_tui(struct sw_settings *settings, const char *value, char *message);
/* Options that only make sense together; false: message says which. */
bool sw_live_check(const struct sw_settings *settings, char *message);

#endif
