/*
 * history.h - what --db asks for: the facts of sessions on their way into a history file.
 */
#ifndef SW_CLI_HISTORY_H
#define SW_CLI_HISTORY_H

#include "cli/options.h"
#include "store/history.h"

struct sw_keeper {
    const struct sw_settings *settings;
    struct sw_history *history; /* NULL: nothing is kept */
    bool began;
    bool failed; /* said already; nothing more is kept */
};

/* Opens the file of --db for writing; without --db nothing is done. False after saying why. */
bool sw_keeper_open(struct sw_keeper *keeper, const struct sw_settings *settings);
/* Keeps a session that is shown; a failure is said once. */
void sw_keeper_record(struct sw_keeper *keeper, const struct sw_record *record);
void sw_keeper_fact(struct sw_keeper *keeper, const struct sw_fact *fact);
/* Forgets what --retain says, commits and closes. False when anything was not kept. */
bool sw_keeper_close(struct sw_keeper *keeper);

/* The readers of its options, for the table. */
bool sw_keeper_take_db(struct sw_settings *settings, const char *value, char *message);
bool sw_keeper_take_retain(struct sw_settings *settings, const char *value, char *message);
bool sw_keeper_take_diff(struct sw_settings *settings, const char *value, char *message);

#endif
