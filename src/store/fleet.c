#include "store/fleet.h"

#include "store/courier.h"
#include "store/fleet_row.h"
#include "store/fleet_schema.h"
#include "store/spool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    PATIENCE_FIRST_MS = 250,
    PATIENCE_MOST_MS = 8000,
    LATER_IN_A_ROW = 3, /* a store that answers so has no time for the next segment either */
};

struct sw_fleet {
    struct sw_fleet_options options;
    struct sw_fleet_target target;
    struct sw_courier *courier;
    struct sw_spool spool;
    struct sw_fleet_row row;
    char insert[220];
    uint64_t run_ver;
    bool prepared[SW_FLEET_PLACES];
    unsigned place;  /* that answered last */
    int64_t next_ms; /* not before this time is anything sent */
    int64_t patience_ms;
    uint64_t waiting; /* segments, after the last pass */
    uint64_t segments_sent, attempts_failed;
    bool refused; /* one of them, for good */
    bool failed;
    char trouble[420]; /* why the last pass did not send everything */
    char message[1000];
};

const char *sw_fleet_message(const struct sw_fleet *fleet)
{
    return fleet->message;
}

static int64_t now_ms(clockid_t clock)
{
    struct timespec now = {0};
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_ms(int64_t ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&time, NULL);
}

bool sw_fleet_check(const struct sw_fleet_options *options, struct sw_status *status)
{
    struct sw_fleet_target target;
    return sw_fleet_target_read(&target, options->urls, options->cluster, status);
}

/* Each store has a folder of its own in the spool: what waits for one is not for another. */
static bool open_spool(struct sw_fleet *fleet, struct sw_status *status)
{
    char path[4096];
    const struct sw_fleet_target *target = &fleet->target;
    int used = snprintf(path, sizeof(path), "%s/", fleet->options.spool);
    size_t at = used < 0 ? 0 : (size_t)used;
    size_t begin = at;
    (void)snprintf(path + (at < sizeof(path) ? at : 0), at < sizeof(path) ? sizeof(path) - at : 0,
                   "%s_%s%s%s", strstr(target->places[0], "//") + 2, target->database,
                   target->cluster[0] ? "_" : "", target->cluster);
    if (begin >= sizeof(path) - 400) {
        *status = sw_status_make(SW_UNREADABLE, 0, "--spool: the path is too long");
        return false;
    }
    for (; path[at]; at++) {
        if (strchr(":[]", path[at]))
            path[at] = '_';
    }
    return sw_spool_open(&fleet->spool, path, fleet->options.spool_bytes, fleet->run_ver, status);
}

/* The servers in turn, from the one that answered last. NOBODY when none can be reached. */
static enum sw_answer for_each_place(struct sw_fleet *fleet,
                                     enum sw_answer (*ask)(struct sw_fleet *fleet,
                                                           const char *place, void *ctx),
                                     void *ctx)
{
    enum sw_answer answer = SW_ANSWER_NOBODY;
    for (unsigned i = 0; i < fleet->target.place_count && answer == SW_ANSWER_NOBODY; i++) {
        unsigned place = (fleet->place + i) % fleet->target.place_count;
        if (!fleet->prepared[place])
            continue;
        answer = ask(fleet, fleet->target.places[place], ctx);
        if (answer != SW_ANSWER_NOBODY)
            fleet->place = place;
    }
    if (answer != SW_ANSWER_GOOD)
        (void)snprintf(fleet->trouble, sizeof(fleet->trouble), "%s",
                       sw_courier_message(fleet->courier));
    return answer;
}

/* Makes the tables where they are missing, on every server that was named. Good when one is ready.
 */
static enum sw_answer prepare(struct sw_fleet *fleet)
{
    enum sw_answer best = SW_ANSWER_NOBODY;
    for (unsigned i = 0; i < fleet->target.place_count; i++) {
        struct sw_status status;
        enum sw_answer answer = SW_ANSWER_GOOD;
        if (!fleet->prepared[i])
            answer = sw_fleet_prepare(fleet->courier, &fleet->target, fleet->target.places[i], true,
                                      &status);
        if (!fleet->prepared[i] && answer != SW_ANSWER_GOOD && best != SW_ANSWER_GOOD)
            (void)snprintf(fleet->trouble, sizeof(fleet->trouble), "%.400s",
                           status.code != SW_OK ? status.message
                                                : sw_courier_message(fleet->courier));
        fleet->prepared[i] = answer == SW_ANSWER_GOOD;
        if (best == SW_ANSWER_NOBODY || answer == SW_ANSWER_GOOD)
            best = answer;
    }
    return best;
}

static enum sw_answer send_segment(struct sw_fleet *fleet, const char *place, void *ctx)
{
    const struct sw_spool_segment *segment = ctx;
    /* the answer comes when the rows are in the shards, or not at all */
    return sw_courier_ask(fleet->courier, &(struct sw_courier_question){
                                              .place = place,
                                              .settings = "&insert_distributed_sync=1",
                                              .query = fleet->insert,
                                              .rows = segment->fd,
                                              .row_bytes = segment->bytes,
                                          });
}

/* Sends what the list has. What another program is sending just now counts as waiting. */
static void send_list(struct sw_fleet *fleet, const struct sw_spool_list *list)
{
    unsigned later = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct sw_spool_segment segment;
        enum sw_answer answer = SW_ANSWER_LATER;
        if (later >= LATER_IN_A_ROW) {
            fleet->waiting += list->count - i;
            return;
        }
        enum sw_spool_taken taken = sw_spool_take(&fleet->spool, list->names[i], &segment);
        fleet->waiting += taken == SW_SPOOL_BUSY;
        if (taken != SW_SPOOL_TAKEN)
            continue;
        answer = for_each_place(fleet, send_segment, &segment);
        fleet->segments_sent += answer == SW_ANSWER_GOOD;
        fleet->attempts_failed += answer != SW_ANSWER_GOOD;
        if (answer != SW_ANSWER_GOOD) {
            fleet->waiting++;
            fleet->refused = fleet->refused || answer == SW_ANSWER_REFUSED;
        }
        later = answer == SW_ANSWER_LATER ? later + 1 : answer == SW_ANSWER_NOBODY ? 9 : 0;
        sw_spool_give_back(&fleet->spool, &segment, answer == SW_ANSWER_GOOD);
    }
}

/* One attempt to send all that waits. */
static bool try_to_send(struct sw_fleet *fleet)
{
    struct sw_spool_list list;
    fleet->waiting = 0;
    fleet->refused = false;
    fleet->trouble[0] = '\0';
    if (!sw_spool_list(&fleet->spool, &list)) {
        fleet->waiting = 1;
        (void)snprintf(fleet->trouble, sizeof(fleet->trouble), "%s", fleet->spool.error);
    } else if (list.count > 0) {
        enum sw_answer answer = prepare(fleet);
        if (answer == SW_ANSWER_GOOD) {
            send_list(fleet, &list);
        } else {
            fleet->attempts_failed++;
            fleet->waiting = list.count;
            fleet->refused = answer == SW_ANSWER_REFUSED;
        }
    }
    sw_spool_list_release(&list);
    bool good = fleet->waiting == 0;
    fleet->patience_ms = good                                        ? PATIENCE_FIRST_MS
                         : fleet->patience_ms * 2 < PATIENCE_MOST_MS ? fleet->patience_ms * 2
                                                                     : PATIENCE_MOST_MS;
    fleet->next_ms = good ? 0 : now_ms(CLOCK_MONOTONIC) + fleet->patience_ms;
    return good;
}

struct sw_fleet *sw_fleet_open(const struct sw_fleet_options *options, struct sw_status *status)
{
    struct sw_fleet *fleet = calloc(1, sizeof(*fleet));
    char table[160];
    if (!fleet) {
        *status = sw_status_make(SW_NO_MEMORY, 0, "out of memory");
        return NULL;
    }
    fleet->options = *options;
    fleet->spool.directory = -1;
    fleet->run_ver = (uint64_t)now_ms(CLOCK_REALTIME);
    fleet->patience_ms = PATIENCE_FIRST_MS;
    bool good = sw_fleet_target_read(&fleet->target, options->urls, options->cluster, status) &&
                open_spool(fleet, status);
    if (good)
        fleet->courier = sw_courier_new(fleet->target.user[0] ? fleet->target.user : NULL,
                                        options->password, status);
    if (!good || !fleet->courier) {
        sw_fleet_close(fleet);
        return NULL;
    }
    (void)snprintf(fleet->insert, sizeof(fleet->insert), "INSERT INTO %s FORMAT JSONEachRow",
                   sw_fleet_table(&fleet->target, table, sizeof(table)));
    if (!options->later)
        (void)try_to_send(fleet);
    return fleet;
}

static bool fail(struct sw_fleet *fleet, const char *what)
{
    fleet->failed = true;
    (void)snprintf(fleet->message, sizeof(fleet->message), "%s", what);
    return false;
}

static bool fail_full(struct sw_fleet *fleet)
{
    fleet->failed = true;
    (void)snprintf(fleet->message, sizeof(fleet->message),
                   "%s holds %" PRIu64 " MB that the store has not taken, which is all that "
                   "--spool-size allows; sessions from here on are not kept: read the captures "
                   "again when the store answers (%s)",
                   fleet->spool.path, fleet->options.spool_bytes >> 20, fleet->trouble);
    return false;
}

static struct sw_span row_of(struct sw_fleet *fleet, const struct sw_fact *fact)
{
    return sw_fleet_row_write(&fleet->row, fact, fleet->options.sensor, fleet->run_ver);
}

bool sw_fleet_add(struct sw_fleet *fleet, const struct sw_fact *fact)
{
    bool full = false;
    if (fleet->failed)
        return false;
    struct sw_span row = row_of(fleet, fact);
    if (row.len == 0)
        return fail(fleet, "out of memory");
    uint32_t month = sw_fleet_row_month(fact);
    enum sw_spool_room room = sw_spool_put(&fleet->spool, row, month, &full);
    if (room == SW_SPOOL_FULL) {
        (void)try_to_send(fleet);
        room = sw_spool_put(&fleet->spool, row, month, &full);
    }
    if (room == SW_SPOOL_FULL)
        return fail_full(fleet);
    if (room == SW_SPOOL_FAILED || (full && !sw_spool_commit(&fleet->spool)))
        return fail(fleet, fleet->spool.error);
    if (full && now_ms(CLOCK_MONOTONIC) >= fleet->next_ms)
        (void)try_to_send(fleet);
    return true;
}

static void tell_what_waits(struct sw_fleet *fleet)
{
    bool one = fleet->waiting == 1;
    (void)snprintf(fleet->message, sizeof(fleet->message),
                   "%s: %" PRIu64 " segment%s (%" PRIu64 " kB) %s in %s%s",
                   fleet->trouble[0] ? fleet->trouble : "another program is sending",
                   fleet->waiting, one ? "" : "s", (fleet->spool.used_bytes + 1023) >> 10,
                   fleet->refused ? one ? "stays" : "stay"
                   : one          ? "waits"
                                  : "wait",
                   fleet->spool.path,
                   fleet->refused ? " until the store takes what it refuses now"
                                  : ", and will be sent by the next run");
}

enum sw_fleet_end sw_fleet_finish(struct sw_fleet *fleet)
{
    int64_t end_ms = now_ms(CLOCK_MONOTONIC) + (int64_t)fleet->options.wait_s * 1000;
    if (!sw_spool_commit(&fleet->spool) && !fleet->failed)
        (void)fail(fleet, fleet->spool.error);
    fleet->patience_ms = PATIENCE_FIRST_MS;
    bool sent = try_to_send(fleet);
    while (!sent && !fleet->refused) {
        int64_t left_ms = end_ms - now_ms(CLOCK_MONOTONIC);
        if (left_ms <= 0)
            break;
        sleep_ms(fleet->patience_ms < left_ms ? fleet->patience_ms : left_ms);
        sent = try_to_send(fleet);
    }
    if (!sent && !fleet->failed)
        tell_what_waits(fleet);
    if (fleet->failed || fleet->refused)
        return SW_FLEET_FAILED;
    return sent ? SW_FLEET_SENT : SW_FLEET_WAITS;
}

enum sw_fleet_room sw_fleet_spool(struct sw_fleet *fleet, const struct sw_fact *fact)
{
    bool full = false;
    struct sw_span row = row_of(fleet, fact);
    enum sw_spool_room room = SW_SPOOL_FAILED;
    (void)snprintf(fleet->spool.error, sizeof(fleet->spool.error), "out of memory");
    if (row.len > 0)
        room = sw_spool_put(&fleet->spool, row, sw_fleet_row_month(fact), &full);
    if (room == SW_SPOOL_GOOD && (!full || sw_spool_commit(&fleet->spool)))
        return SW_FLEET_ROOM_GOOD;
    if (room == SW_SPOOL_FULL)
        (void)snprintf(fleet->message, sizeof(fleet->message),
                       "%s holds %" PRIu64 " MB that the store has not taken, which is all that "
                       "--spool-size allows; sessions are not kept until it takes some",
                       fleet->spool.path, fleet->options.spool_bytes >> 20);
    else
        (void)snprintf(fleet->message, sizeof(fleet->message), "%s", fleet->spool.error);
    return room == SW_SPOOL_FULL ? SW_FLEET_ROOM_NONE : SW_FLEET_ROOM_FAILED;
}

bool sw_fleet_commit(struct sw_fleet *fleet)
{
    bool good = sw_spool_commit(&fleet->spool);
    if (!good)
        (void)snprintf(fleet->message, sizeof(fleet->message), "%s", fleet->spool.error);
    return good;
}

void sw_fleet_rollback(struct sw_fleet *fleet)
{
    sw_spool_abandon(&fleet->spool);
}

static void put_progress(const struct sw_fleet *fleet, struct sw_fleet_progress *progress)
{
    *progress = (struct sw_fleet_progress){.sent = fleet->segments_sent,
                                           .failed = fleet->attempts_failed,
                                           .waiting = fleet->waiting,
                                           .bytes = fleet->spool.used_bytes,
                                           .refused = fleet->refused,
                                           .patience_ms = (unsigned)fleet->patience_ms};
}

enum sw_fleet_end sw_fleet_send(struct sw_fleet *fleet, struct sw_fleet_progress *progress)
{
    bool sent = try_to_send(fleet);
    put_progress(fleet, progress);
    if (!sent)
        (void)snprintf(fleet->message, sizeof(fleet->message),
                       "%s: sessions wait in %s until it %s",
                       fleet->trouble[0] ? fleet->trouble : "another program is sending",
                       fleet->spool.path, fleet->refused ? "takes them" : "answers");
    if (fleet->refused)
        return SW_FLEET_FAILED;
    return sent ? SW_FLEET_SENT : SW_FLEET_WAITS;
}

bool sw_fleet_look(struct sw_fleet *fleet, struct sw_fleet_progress *progress)
{
    struct sw_spool_list list;
    bool good = sw_spool_list(&fleet->spool, &list);
    fleet->waiting = good ? list.count : 1;
    sw_spool_list_release(&list);
    (void)snprintf(fleet->trouble, sizeof(fleet->trouble), "%s",
                   good ? "the store has not got everything" : fleet->spool.error);
    put_progress(fleet, progress);
    tell_what_waits(fleet);
    return fleet->waiting == 0;
}

const char *sw_fleet_spool_path(const struct sw_fleet *fleet)
{
    return fleet->spool.path;
}

void sw_fleet_close(struct sw_fleet *fleet)
{
    if (!fleet)
        return;
    sw_spool_close(&fleet->spool);
    sw_courier_free(fleet->courier);
    sw_fleet_row_release(&fleet->row);
    free(fleet);
}
