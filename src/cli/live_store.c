#include "cli/live_store.h"

#include "cli/complain.h"
#include "cli/fleet.h"
#include "live/child.h"
#include "live/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH_MS = 1000,
    BATCH_AWAY_MS = 5000, /* fewer and larger segments while the store is away */
    LAST_TRY_MS = 700,    /* what the carrier has in the end */
    RESTART_MS = 5000,
    FULL_MS = 1000,
    PATH_BYTES = 4096 + 512,
};

/* What libcurl and the name service read: their settings, libraries, certificates. */
static const char *const read_paths[] = {NULL, "/etc/.", "/usr/.", "/lib/.", "/lib64/.", "/run/."};

enum { READ_PATHS = sizeof(read_paths) / sizeof(read_paths[0]) };

/* The spooler, and what the carrier knows of it. */
struct store {
    const struct sw_settings *settings;
    struct sw_fleet_choice choice;
    struct sw_fleet *fleet; /* each process has its own */
    struct sw_live_sink *sink;
    struct sw_child carrier;
    int64_t started_ms;              /* the carrier */
    struct sw_fleet_progress before; /* of carriers that have ended */
    struct sw_fleet_progress news;   /* of this one */
    uint64_t shed, batch_shed;       /* sessions for which there was no room; in this batch */
    bool shedding;                   /* said */
    int64_t full_ms;                 /* until then there is no room, without a look */
    char path[PATH_BYTES];           /* of something in the spool */
    const char *paths[1], *read_paths[READ_PATHS];
};

/* --- the carrier --- */

static bool open_to_carry(void *ctx, int socket)
{
    struct store *s = ctx;
    struct sw_status status;
    (void)socket;
    s->fleet = sw_fleet_open(&s->choice.options, &status);
    if (!s->fleet)
        sw_complain("%s", status.message);
    return s->fleet != NULL;
}

/* Something was spooled; false: the spooler ends. */
static bool hear_spooler(int socket, int64_t most_ms)
{
    char word;
    struct pollfd one = {.fd = socket, .events = POLLIN};
    ssize_t n = 1;
    (void)poll(&one, 1, (int)most_ms);
    while (n > 0)
        n = recv(socket, &word, sizeof(word), MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* An outage is told when it begins and when it ends. */
static void tell_change(const struct store *s, bool good, bool *was_good)
{
    if (!good && *was_good)
        sw_complain("%s", sw_fleet_message(s->fleet));
    else if (good && !*was_good)
        sw_complain("the store has taken everything that waited in %s",
                    sw_fleet_spool_path(s->fleet));
    *was_good = good;
}

/* Until there is something new to do. False: the spooler ends. */
static bool wait_for_work(int socket, bool all_sent, int64_t patience_ms)
{
    int64_t until_ms = sw_loop_now_ms() + patience_ms;
    bool goes_on = true;
    do {
        int64_t left_ms = until_ms - sw_loop_now_ms();
        goes_on = hear_spooler(socket, all_sent ? -1 : left_ms > 0 ? left_ms : 0);
    } while (goes_on && !all_sent && sw_loop_now_ms() < until_ms);
    return goes_on;
}

static void carry(void *ctx, int socket)
{
    struct store *s = ctx;
    bool was_good = true;
    bool last = false;
    for (;;) {
        struct sw_fleet_progress progress;
        bool good = sw_fleet_send(s->fleet, &progress) == SW_FLEET_SENT;
        (void)send(socket, &progress, sizeof(progress), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (last)
            return;
        tell_change(s, good, &was_good);
        last = !wait_for_work(socket, good, progress.patience_ms);
    }
}

/* --- the spooler --- */

static bool start_carrier(struct store *s)
{
    const struct sw_child_work work = {.paths = s->paths,
                                       .count = 1,
                                       .read_paths = s->read_paths,
                                       .read_count = READ_PATHS,
                                       .network = true,
                                       .sandboxed = !s->settings->live.no_sandbox,
                                       .ctx = s,
                                       .prepare = open_to_carry,
                                       .serve = carry};
    s->started_ms = sw_loop_now_ms();
    return sw_child_start(&s->carrier, &work);
}

static bool open_spool(void *ctx)
{
    struct store *s = ctx;
    struct sw_status status;
    if (!sw_fleet_choose(&s->choice, s->settings))
        return false;
    s->choice.options.later = true;
    s->fleet = sw_fleet_open(&s->choice.options, &status);
    if (!s->fleet) {
        sw_complain("%s", status.message);
        return false;
    }
    (void)snprintf(s->path, sizeof(s->path), "%s/.", sw_fleet_spool_path(s->fleet));
    memcpy(s->read_paths, read_paths, sizeof(read_paths));
    s->paths[0] = s->read_paths[0] = s->path;
    return true;
}

static bool add(void *ctx, const struct sw_fact *fact)
{
    struct store *s = ctx;
    enum sw_fleet_room room =
        sw_loop_now_ms() < s->full_ms ? SW_FLEET_ROOM_NONE : sw_fleet_spool(s->fleet, fact);
    if (room != SW_FLEET_ROOM_NONE)
        return room == SW_FLEET_ROOM_GOOD;
    if (!s->shedding)
        sw_complain("%s", sw_fleet_message(s->fleet));
    if (sw_loop_now_ms() >= s->full_ms)
        s->full_ms = sw_loop_now_ms() + FULL_MS;
    s->shedding = true;
    s->batch_shed++;
    return true;
}

static bool commit(void *ctx)
{
    struct store *s = ctx;
    if (!sw_fleet_commit(s->fleet))
        return false;
    s->shed += s->batch_shed;
    s->batch_shed = 0;
    if (s->carrier.fd >= 0)
        (void)send(s->carrier.fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    return true;
}

static void rollback(void *ctx)
{
    struct store *s = ctx;
    s->batch_shed = 0;
    sw_fleet_rollback(s->fleet);
}

static const char *error(void *ctx)
{
    struct store *s = ctx;
    return sw_fleet_message(s->fleet);
}

/* What the carrier has told; false: it has ended. */
static bool hear_carrier(struct store *s)
{
    ssize_t n;
    struct sw_fleet_progress news;
    while ((n = recv(s->carrier.fd, &news, sizeof(news), MSG_DONTWAIT)) == (ssize_t)sizeof(news))
        s->news = news;
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void tell_state(const struct store *s, struct sw_feed_state *state)
{
    *state = (struct sw_feed_state){.shed = s->shed,
                                    .spool_bytes = s->news.bytes,
                                    .waiting = s->news.waiting,
                                    .sent = s->before.sent + s->news.sent,
                                    .failed = s->before.failed + s->news.failed,
                                    .refused = s->news.refused};
}

static void turn(void *ctx, struct sw_feed_state *state)
{
    struct store *s = ctx;
    if (s->carrier.fd >= 0 && !hear_carrier(s)) {
        sw_child_stop(&s->carrier);
        s->before.sent += s->news.sent;
        s->before.failed += s->news.failed;
        s->news = (struct sw_fleet_progress){0};
    }
    /* no segment is open between batches, so that it holds none of them locked */
    if (s->carrier.fd < 0 && (s->started_ms == 0 || sw_loop_now_ms() - s->started_ms >= RESTART_MS))
        (void)start_carrier(s);
    s->sink->batch_ms = s->news.waiting > 0 ? BATCH_AWAY_MS : BATCH_MS;
    if (s->shedding && s->news.waiting == 0) {
        sw_complain("there is room in the spool again; %llu sessions were not kept so far",
                    (unsigned long long)s->shed);
        s->shedding = false;
    }
    tell_state(s, state);
}

/* It gets a moment to send what came last. */
static void stop_carrier(struct store *s)
{
    int64_t until_ms = sw_loop_now_ms() + LAST_TRY_MS;
    bool there = s->carrier.fd >= 0 && shutdown(s->carrier.fd, SHUT_WR) == 0;
    for (int64_t left_ms; there && (left_ms = until_ms - sw_loop_now_ms()) > 0;) {
        struct pollfd one = {.fd = s->carrier.fd, .events = POLLIN};
        (void)poll(&one, 1, (int)left_ms);
        there = hear_carrier(s);
    }
    if (there) /* what it was sending stays, and counts once when it is sent again */
        (void)kill(s->carrier.pid, SIGKILL);
    sw_child_stop(&s->carrier);
}

static bool close_store(void *ctx, struct sw_feed_state *state)
{
    struct store *s = ctx;
    struct sw_fleet_progress left;
    if (s->started_ms == 0)
        (void)start_carrier(s);
    stop_carrier(s);
    tell_state(s, state);
    bool waits = !sw_fleet_look(s->fleet, &left);
    state->waiting = left.waiting;
    state->spool_bytes = left.bytes;
    if (waits)
        sw_complain("%s", sw_fleet_message(s->fleet));
    sw_fleet_close(s->fleet);
    return true;
}

bool sw_live_store_start(struct sw_live_keeper *keeper, const struct sw_settings *settings)
{
    struct store store = {.settings = settings, .carrier = {.fd = -1}};
    struct sw_live_sink sink = {.ctx = &store,
                                .batch_ms = BATCH_MS,
                                .open = open_spool,
                                .add = add,
                                .commit = commit,
                                .rollback = rollback,
                                .error = error,
                                .turn = turn,
                                .close = close_store};
    struct sw_child_work work = {.paths = store.paths,
                                 .count = 1,
                                 .read_paths = store.read_paths,
                                 .read_count = READ_PATHS,
                                 .network = true, /* of the carrier, which it starts */
                                 .sandboxed = !settings->live.no_sandbox};
    store.sink = &sink;
    if (!settings->store)
        return true;
    bool good = sw_live_keeper_start(keeper, "--store", &sink, &work);
    sw_fleet_forget_password();
    return good;
}
