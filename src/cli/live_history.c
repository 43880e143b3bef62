#include "cli/live_history.h"

#include "cli/complain.h"
#include "store/history.h"

#include <stdlib.h>
#include <time.h>

#define NS_PER_DAY (INT64_C(86400) * SW_NS_PER_S)

enum { BATCH_MS = 1000, FORGET_EVERY_S = 3600 };

struct place {
    const struct sw_settings *settings;
    struct sw_history *history;
    bool began; /* its run */
    time_t forgotten_s;
};

static bool open_history(void *ctx)
{
    struct place *p = ctx;
    struct sw_status status = sw_status_ok();
    p->forgotten_s = time(NULL);
    p->history = sw_history_open(p->settings->db, true, &status);
    if (!p->history)
        sw_complain("%s", status.message);
    return p->history != NULL;
}

static int64_t wall_clock_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * SW_NS_PER_S + now.tv_nsec;
}

static bool add(void *ctx, const struct sw_fact *fact)
{
    struct place *p = ctx;
    p->began = p->began || sw_history_begin_run(p->history, "live", wall_clock_ns());
    return p->began && sw_history_add(p->history, fact);
}

static bool forget(struct place *p, bool due)
{
    uint64_t forgotten = 0;
    int64_t newest = sw_history_newest(p->history);
    time_t now_s = time(NULL);
    due = due || now_s - p->forgotten_s >= FORGET_EVERY_S || now_s < p->forgotten_s;
    if (p->settings->retain_days == 0 || newest == SW_TIME_NONE || !due)
        return true;
    p->forgotten_s = now_s;
    int64_t before = sw_time_between((int64_t)p->settings->retain_days * NS_PER_DAY, newest);
    return sw_history_forget(p->history, before, &forgotten);
}

static bool commit(void *ctx)
{
    struct place *p = ctx;
    return sw_history_commit(p->history) && forget(p, false);
}

static void rollback(void *ctx)
{
    struct place *p = ctx;
    sw_history_rollback(p->history);
}

static const char *error(void *ctx)
{
    struct place *p = ctx;
    return sw_history_error(p->history);
}

static bool close_history(void *ctx, struct sw_feed_state *state)
{
    struct place *p = ctx;
    (void)state;
    bool good = forget(p, true);
    return sw_history_close(p->history) && good;
}

bool sw_live_history_start(struct sw_live_keeper *keeper, const struct sw_settings *settings)
{
    struct place place = {.settings = settings};
    struct sw_live_sink sink = {.ctx = &place,
                                .batch_ms = BATCH_MS,
                                .open = open_history,
                                .add = add,
                                .commit = commit,
                                .rollback = rollback,
                                .error = error,
                                .close = close_history};
    if (!settings->db)
        return true;
    char *path = realpath(settings->db, NULL); /* its other files stand beside the file itself */
    const char *paths[] = {path ? path : settings->db};
    struct sw_child_work work = {.paths = paths,
                                 .count = 1,
                                 .read_paths = paths,
                                 .read_count = 1,
                                 .sandboxed = !settings->live.no_sandbox};
    bool good = sw_live_keeper_start(keeper, settings->db, &sink, &work);
    free(path);
    return good;
}
