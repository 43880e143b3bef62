/*
 * live_history.h - --db of live analysis: the process that looks at packets is shut in and can
 * neither make nor lock the files of SQLite, so another process of ours keeps the history and is
 * told the facts of sessions.
 *
 * What it was told is in the file within about a second, and survives the end of either process.
 * While the file cannot be written (locked, disk full) facts wait in memory (feed.h). Others may
 * read the history meanwhile. Life: start (before the sandbox), record and turn ..., stop.
 */
#ifndef SW_CLI_LIVE_HISTORY_H
#define SW_CLI_LIVE_HISTORY_H

#include "cli/options.h"
#include "audit/fact.h"
#include "live/feed.h"

struct sw_live_history {
    const struct sw_settings *settings;
    struct sw_child child;
    struct sw_feed feed;
    uint8_t *message;
    bool started;
    bool complained;
};

/* Without --db nothing is done. False after saying why: the file cannot be used. */
bool sw_live_history_start(struct sw_live_history *history, const struct sw_settings *settings);
/* Tells it a session. */
void sw_live_history_fact(struct sw_live_history *history, const struct sw_fact *fact);
/* Now and then: sends what waits, and says once when something was not kept. */
void sw_live_history_turn(struct sw_live_history *history);
/* Takes a fraction of a second, or the time that a slow disk needs, up to a bound. False after
 * saying what was not kept. */
bool sw_live_history_stop(struct sw_live_history *history);

#endif
