/*
 * history.h - what --db and --store ask for: the facts of sessions on their way to where they are
 * kept.
 */
#ifndef SW_CLI_HISTORY_H
#define SW_CLI_HISTORY_H

#include "cli/options.h"
#include "cli/fleet.h"
#include "store/history.h"

struct sw_keeper {
    const struct sw_settings *settings;
    struct sw_history *history; /* NULL: nothing is kept */
    bool began;
    bool failed; /* said already; nothing more is kept */
    struct sw_fleet_choice choice;
    struct sw_fleet *fleet; /* NULL: nothing goes to a store */
    bool fleet_failed;      /* said already */
    bool waits;             /* once closed: the store has not got everything yet */
};

/* Opens the file of --db for writing and the spool of --store; without them nothing is done. False
 * after saying why. */
bool sw_keeper_open(struct sw_keeper *keeper, const struct sw_settings *settings);
/* Keeps a session that is shown; a failure is said once. */
void sw_keeper_record(struct sw_keeper *keeper, const struct sw_record *record);
void sw_keeper_fact(struct sw_keeper *keeper, const struct sw_fact *fact);
/* Forgets what --retain says, commits, sends and closes. False when anything was not kept. */
bool sw_keeper_close(struct sw_keeper *keeper);

/* The readers of its options, for the table. */
bool sw_keeper_take_db(struct sw_settings *settings, const char *value, char *message);
bool sw_keeper_take_retain(struct sw_settings *settings, const char *value, char *message);
bool sw_keeper_take_diff(struct sw_settings *settings, const char *value, char *message);

#endif
