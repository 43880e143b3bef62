#define _GNU_SOURCE /* POLLRDHUP */
#include "cli/live_keeper.h"

#include "cli/complain.h"
#include "live/loop.h"
#include "store/fact_message.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH_BYTES = 4 << 20,
    BATCH_MESSAGES = 4096,
    TURN_MS = 1000,
    RETRY_MS = 1000,   /* between attempts to write a batch, */
    ATTEMPTS = 60,     /* so many at most, */
    ATTEMPTS_LAST = 2, /* and when nobody waits for us any more */
};

/* --- the child --- */

struct keeping {
    struct sw_live_sink *sink;
    struct sw_feed_state state; /* of the sink, */
    struct sw_feed_state said;  /* and what the owner knows of it */
    int64_t turn_ms;            /* when it has its next turn */
    bool told;                  /* that it fails; until it succeeds again */
    bool hurry;                 /* the owner has ended, or wants to: */
    bool alone;                 /* and everything that it has sent is here */
    uint8_t *bytes;             /* the batch: each message behind its length */
    size_t used;
    uint32_t messages;
};

static bool answer(struct keeping *k, int socket, bool good, uint32_t messages)
{
    const struct sw_feed_answer said = {good, messages, k->state};
    k->said = k->state;
    return send(socket, &said, sizeof(said), MSG_NOSIGNAL) == (ssize_t)sizeof(said);
}

static bool prepare(void *ctx, int socket)
{
    struct keeping *k = ctx;
    k->bytes = malloc(BATCH_BYTES);
    return k->bytes && k->sink->open(k->sink->ctx) && answer(k, socket, true, 0);
}

static void give_turn(struct keeping *k, int socket)
{
    if (!k->sink->turn || sw_loop_now_ms() < k->turn_ms)
        return;
    k->sink->turn(k->sink->ctx, &k->state);
    k->turn_ms = sw_loop_now_ms() + TURN_MS;
    if (memcmp(&k->state, &k->said, sizeof(k->state)) != 0)
        (void)answer(k, socket, true, 0);
}

static bool add_all(struct keeping *k)
{
    struct sw_fact fact;
    bool good = true;
    for (size_t at = 0; good && at < k->used;) {
        uint32_t length;
        memcpy(&length, k->bytes + at, sizeof(length));
        at += sizeof(length);
        if (sw_fact_message_read(sw_span_make(k->bytes + at, length), &fact))
            good = k->sink->add(k->sink->ctx, &fact);
        at += length;
    }
    return good && k->sink->commit(k->sink->ctx);
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
        good = add_all(k);
        if (good)
            continue;
        if (!k->told)
            sw_complain("%s", k->sink->error(k->sink->ctx));
        k->told = true;
        k->sink->rollback(k->sink->ctx);
    }
    k->told = k->told && !good;
    if (k->sink->turn)
        k->sink->turn(k->sink->ctx, &k->state);
    (void)answer(k, socket, good, k->messages);
    k->used = k->messages = 0;
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

/* As many messages as there are, or come soon behind the first. */
static void take_batch(struct keeping *k, int socket)
{
    int64_t until_ms = 0;
    bool more = true;
    while (more && k->used + sizeof(uint32_t) + SW_FACT_MESSAGE_BYTES <= BATCH_BYTES &&
           k->messages < BATCH_MESSAGES) {
        int64_t left_ms = until_ms - sw_loop_now_ms();
        int idle_ms = k->sink->turn ? (int)TURN_MS : -1;
        more = take_message(k, socket, k->messages == 0 ? idle_ms : left_ms > 0 ? (int)left_ms : 0);
        if (k->messages == 1)
            until_ms = sw_loop_now_ms() + k->sink->batch_ms;
    }
}

static void keep(void *ctx, int socket)
{
    struct keeping *k = ctx;
    while (!k->alone) {
        take_batch(k, socket);
        if (k->messages > 0)
            write_batch(k, socket);
        else
            give_turn(k, socket);
    }
    bool good = k->sink->close(k->sink->ctx, &k->state);
    (void)answer(k, socket, good, 0);
}

/* --- the owner --- */

bool sw_live_keeper_start(struct sw_live_keeper *keeper, const char *what,
                          struct sw_live_sink *sink, struct sw_child_work *work)
{
    struct keeping keeping = {.sink = sink};
    struct sw_feed_answer said;
    *keeper = (struct sw_live_keeper){.what = what, .child = {.fd = -1}};
    work->outlives = true;
    work->ctx = &keeping;
    work->prepare = prepare;
    work->serve = keep;
    keeper->message = malloc(SW_FACT_MESSAGE_BYTES);
    bool good = keeper->message && sw_child_start(&keeper->child, work);
    if (!good)
        sw_complain("%s: no second process can be started: %s", what, strerror(errno));
    good = good && recv(keeper->child.fd, &said, sizeof(said), 0) == (ssize_t)sizeof(said);
    keeper->started = good;
    if (good)
        sw_feed_init(&keeper->feed, &keeper->child);
    else
        sw_child_stop(&keeper->child);
    return good;
}

void sw_live_keeper_fact(struct sw_live_keeper *keeper, const struct sw_fact *fact)
{
    if (!keeper->started)
        return;
    size_t size = sw_fact_message_write(fact, keeper->message);
    if (size > 0)
        sw_feed_put(&keeper->feed, keeper->message, size);
    else
        keeper->feed.lost++;
}

void sw_live_keeper_turn(struct sw_live_keeper *keeper)
{
    if (!keeper->started)
        return;
    sw_feed_turn(&keeper->feed);
    if (keeper->complained || (!keeper->feed.gone && sw_feed_not_kept(&keeper->feed) == 0 &&
                               keeper->feed.batches[0] == 0))
        return;
    keeper->complained = true;
    if (keeper->feed.state.shed == 0 || keeper->feed.gone) /* what is shed is said there */
        sw_complain("%s: sessions are not kept%s", keeper->what,
                    keeper->feed.gone ? ", its process has ended" : "");
}

void sw_live_keeper_end(struct sw_live_keeper *keeper)
{
    if (keeper->started)
        sw_feed_end(&keeper->feed);
}

enum sw_live_keeper_end sw_live_keeper_stop(struct sw_live_keeper *keeper, unsigned most_ms)
{
    enum sw_live_keeper_end end = SW_LIVE_KEEPER_DONE;
    if (keeper->started) {
        bool ended = sw_feed_finish(&keeper->feed, most_ms);
        uint64_t lost = sw_feed_not_kept(&keeper->feed);
        bool good = ended && lost == 0 && keeper->feed.batches[0] == 0;
        end = !good || keeper->feed.state.refused ? SW_LIVE_KEEPER_FAILED
              : keeper->feed.state.waiting > 0    ? SW_LIVE_KEEPER_WAITS
                                                  : SW_LIVE_KEEPER_DONE;
        if (lost > 0)
            sw_complain("%s: %llu session%s not kept", keeper->what, (unsigned long long)lost,
                        lost == 1 ? " was" : "s were");
        else if (!ended)
            sw_complain("%s: process %d is still writing the last sessions", keeper->what,
                        (int)keeper->child.pid);
        else if (!good)
            sw_complain("%s: it was not closed as it should be", keeper->what);
    }
    free(keeper->message);
    keeper->message = NULL;
    keeper->started = false;
    return end;
}
