#define _GNU_SOURCE /* POLLRDHUP */
#include "cli/live_history.h"

#include "cli/complain.h"
#include "store/fact_message.h"
#include "store/history.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_DAY (INT64_C(86400) * SW_NS_PER_S)

enum {
    BATCH_BYTES = 4 << 20,
    BATCH_MESSAGES = 4096,
    BATCH_MS = 1000,   /* a fact waits no longer for others */
    RETRY_MS = 1000,   /* between attempts to write a batch, */
    ATTEMPTS = 60,     /* so many at most, */
    ATTEMPTS_LAST = 2, /* and when nobody waits for us any more */
    FORGET_EVERY_S = 3600,
    STOP_MS = 1200,
};

/* --- the child --- */

struct keeping {
    const struct sw_settings *settings;
    struct sw_history *history;
    bool began; /* its run */
    bool told;  /* that it fails; until it succeeds again */
    bool hurry; /* the owner has ended, or wants to: */
    bool alone; /* and everything that it has sent is here */
    time_t forgotten_s;
    uint8_t *bytes; /* the batch: each message behind its length */
    size_t used;
    uint32_t messages;
};

static bool complain(struct keeping *k)
{
    if (!k->told)
        sw_complain("%s", sw_history_error(k->history));
    k->told = true;
    return false;
}

static bool answer(int socket, bool good, uint32_t messages)
{
    const struct sw_feed_answer said = {good, messages};
    return send(socket, &said, sizeof(said), MSG_NOSIGNAL) == (ssize_t)sizeof(said);
}

static bool open_history(void *ctx, int socket)
{
    struct keeping *k = ctx;
    struct sw_status status = sw_status_ok();
    k->history = sw_history_open(k->settings->db, true, &status);
    k->bytes = malloc(BATCH_BYTES);
    if (!k->history)
        sw_complain("%s", status.message);
    return k->history && k->bytes && answer(socket, true, 0);
}

static int64_t wall_clock_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * SW_NS_PER_S + now.tv_nsec;
}

static bool add_all(struct keeping *k)
{
    struct sw_fact fact;
    k->began = k->began || sw_history_begin_run(k->history, "live", wall_clock_ns());
    bool good = k->began;
    for (size_t at = 0; good && at < k->used;) {
        uint32_t length;
        memcpy(&length, k->bytes + at, sizeof(length));
        at += sizeof(length);
        if (sw_fact_message_read(sw_span_make(k->bytes + at, length), &fact))
            good = sw_history_add(k->history, &fact);
        at += length;
    }
    return good && sw_history_commit(k->history);
}

static bool forget(struct keeping *k)
{
    uint64_t forgotten = 0;
    int64_t newest = sw_history_newest(k->history);
    time_t now_s = time(NULL);
    bool due = k->alone || now_s - k->forgotten_s >= FORGET_EVERY_S || now_s < k->forgotten_s;
    if (k->settings->retain_days == 0 || newest == SW_TIME_NONE || !due)
        return true;
    k->forgotten_s = now_s;
    int64_t before = sw_time_between((int64_t)k->settings->retain_days * NS_PER_DAY, newest);
    return sw_history_forget(k->history, before, &forgotten);
}

/* Nothing is read meanwhile: what comes waits with the owner. */
static void write_batch(struct keeping *k, int socket)
{
    bool good = false;
    for (unsigned attempt = 0; !good && attempt < (k->hurry ? ATTEMPTS_LAST : ATTEMPTS);
         attempt++) {
        struct pollfd end = {.fd = socket, .events = POLLRDHUP};
        if (attempt > 0 && poll(&end, 1, k->hurry ? 0 : RETRY_MS) > 0)
            k->hurry = true;
        good = add_all(k) && forget(k);
        if (!good) {
            (void)complain(k);
            sw_history_rollback(k->history);
        }
    }
    k->told = k->told && !good;
    (void)answer(socket, good, k->messages);
    k->used = k->messages = 0;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One message into the batch; false: none has come in this time. */
static bool take_message(struct keeping *k, int socket, int most_ms)
{
    struct pollfd one = {.fd = socket, .events = POLLIN};
    if (poll(&one, 1, most_ms) <= 0)
        return false;
    uint8_t *at = k->bytes + k->used + sizeof(uint32_t);
    ssize_t n = recv(socket, at, SW_FACT_MESSAGE_BYTES, MSG_DONTWAIT);
    if (n <= 0) {
        k->alone = k->hurry = n == 0 || (errno != EAGAIN && errno != EINTR);
        return false;
    }
    uint32_t length = (uint32_t)n;
    memcpy(k->bytes + k->used, &length, sizeof(length));
    k->used += sizeof(length) + length;
    k->messages++;
    return true;
}

static void keep(void *ctx, int socket)
{
    struct keeping *k = ctx;
    k->forgotten_s = time(NULL);
    while (!k->alone) {
        int64_t until_ms = 0;
        bool more = true;
        while (more && k->used + sizeof(uint32_t) + SW_FACT_MESSAGE_BYTES <= BATCH_BYTES &&
               k->messages < BATCH_MESSAGES) {
            int64_t left_ms = until_ms - now_ms();
            more = take_message(k, socket, k->messages == 0 ? -1 : left_ms > 0 ? (int)left_ms : 0);
            if (k->messages == 1)
                until_ms = now_ms() + BATCH_MS;
        }
        if (k->messages > 0)
            write_batch(k, socket);
    }
    if (!forget(k) || !sw_history_close(k->history))
        (void)answer(socket, false, 0);
}

/* --- the owner --- */

bool sw_live_history_start(struct sw_live_history *history, const struct sw_settings *settings)
{
    *history = (struct sw_live_history){.settings = settings, .child = {.fd = -1}};
    if (!settings->db)
        return true;
    struct keeping keeping = {.settings = settings};
    char *path = realpath(settings->db, NULL); /* its other files stand beside the file itself */
    const char *paths[] = {path ? path : settings->db};
    const struct sw_child_work work = {.paths = paths,
                                       .count = 1,
                                       .read_paths = paths,
                                       .read_count = 1,
                                       .sandboxed = !settings->live.no_sandbox,
                                       .outlives = true,
                                       .ctx = &keeping,
                                       .prepare = open_history,
                                       .serve = keep};
    struct sw_feed_answer said = {0, 0};
    history->message = malloc(SW_FACT_MESSAGE_BYTES);
    bool good = history->message && sw_child_start(&history->child, &work);
    if (!good)
        sw_complain("%s: no second process can be started: %s", settings->db, strerror(errno));
    good = good && recv(history->child.fd, &said, sizeof(said), 0) == (ssize_t)sizeof(said);
    free(path);
    history->started = good;
    if (good)
        sw_feed_init(&history->feed, &history->child);
    else
        sw_child_stop(&history->child);
    return good;
}

void sw_live_history_fact(struct sw_live_history *history, const struct sw_fact *fact)
{
    if (!history->started)
        return;
    size_t size = sw_fact_message_write(fact, history->message);
    if (size > 0)
        sw_feed_put(&history->feed, history->message, size);
    else
        history->feed.lost++;
}

void sw_live_history_turn(struct sw_live_history *history)
{
    if (!history->started)
        return;
    sw_feed_turn(&history->feed);
    if (history->complained || (history->feed.lost == 0 && history->feed.batches[0] == 0))
        return;
    history->complained = true;
    sw_complain("%s: sessions are not kept%s", history->settings->db,
                history->feed.gone ? ", its process has ended" : "");
}

bool sw_live_history_stop(struct sw_live_history *history)
{
    bool good = true;
    if (history->started) {
        bool ended = sw_feed_finish(&history->feed, STOP_MS);
        uint64_t lost = history->feed.lost + history->feed.messages_given_up;
        good = ended && lost == 0 && history->feed.batches[0] == 0;
        if (lost > 0)
            sw_complain("%s: %llu sessions were not kept", history->settings->db,
                        (unsigned long long)lost);
        else if (!ended)
            sw_complain("%s: process %d is still writing the last sessions", history->settings->db,
                        (int)history->child.pid);
        else if (!good)
            sw_complain("%s: it was not closed as it should be", history->settings->db);
    }
    free(history->message);
    history->message = NULL;
    history->started = false;
    return good;
}
