/*
 * history.h - the memory of audits: the facts of sessions in an SQLite file.
 *
 * A session is kept once, by its id: reading the same capture again replaces what was kept, and
 * leaves it with the run that saw it first. What was committed survives the end of the program at
 * any moment (write-ahead log, full synchronisation). Several programs may write to one file; each
 * waits for the other.
 *
 * Life: open, (begin_run, add ..., commit) or (each), close. One thread at a time.
 */
#ifndef SW_STORE_HISTORY_H
#define SW_STORE_HISTORY_H

#include "audit/fact.h"
#include "base/status.h"

struct sw_history;

/* Which sessions are read; zero-initialised it is all of them. */
struct sw_history_range {
    bool has_since, has_until;
    int64_t since_ns, until_ns; /* since at the earliest, before until */
    int64_t run;                /* of this run only, 0 = of all */
    int64_t from, below;        /* a part of them: see sw_history_middle; 0 = no such bound */
};

/*
 * Opens the file; with `write` it is made when it is missing, and brought up to the present layout
 * when it is older. NULL: *status names the file and what is wrong (no history, made by a later
 * version, no permission).
 */
struct sw_history *sw_history_open(const char *path, bool write, struct sw_status *status);
/* Begins a run: sessions that are new belong to it. False on failure (sw_history_error). */
bool sw_history_begin_run(struct sw_history *history, const char *what, int64_t now_ns);
/* Keeps one fact; it is certain to be there after the next commit, which comes by itself now and
 * then. */
bool sw_history_add(struct sw_history *history, const struct sw_fact *fact);
bool sw_history_commit(struct sw_history *history);
/* Takes back what was not committed. */
void sw_history_rollback(struct sw_history *history);
/* Forgets sessions that began before this, and what only they needed. */
bool sw_history_forget(struct sw_history *history, int64_t before_ns, uint64_t *forgotten);
/* Start of the newest session; SW_TIME_NONE when there is none. */
int64_t sw_history_newest(struct sw_history *history);
/* The last run that brought sessions, 0 when there is none. */
int64_t sw_history_last_run(struct sw_history *history);
/* Where the sessions can be cut into halves that are read apart; 0 when they are fewer than
 * `least`.
 */
int64_t sw_history_middle(struct sw_history *history, int64_t least);
/* Two that were opened for reading see the same from now on, whatever others write. False: they do
 * not, as somebody wrote each time it was tried. */
bool sw_history_read_alike(struct sw_history *a, struct sw_history *b);
/* Hands out the facts in the order in which they were first kept; each is borrowed during the call.
 * `run` is the one that saw the session first. */
bool sw_history_each(struct sw_history *history, const struct sw_history_range *range,
                     void (*take)(void *ctx, const struct sw_fact *fact, int64_t run), void *ctx);
/* What went wrong last, with the file's name. */
const char *sw_history_error(const struct sw_history *history);
/* Commits and closes. False when the commit failed. */
bool sw_history_close(struct sw_history *history);

#endif
