/*
 * fleet_audit.c - asks the store for what an audit needs, and finds out which shard is missing.
 *
 * A shard that does not answer fails the whole query, unless the server is told to pass over it,
 * which it does without a word. So the whole is asked for first; only when that fails are the
 * shards tried one by one, and what is there asked for, under the name of what is missing.
 */
#include "store/fleet.h"

#include "store/courier.h"
#include "store/fleet_query.h"
#include "store/fleet_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SHARDS_MOST = 256, SHARDS_BYTES = 32768, PLACE_BYTES = 400, TRIES = 3 };

struct asking {
    const struct sw_fleet_options *options;
    struct sw_fleet_target target;
    enum sw_audit_clients told;
    struct sw_courier *courier;
    const char *place; /* that answers */
    char *queries[2];  /* of sessions, of clients */
    struct sw_fleet_reader reader;
    bool missing[SHARDS_MOST + 1]; /* by number, from 1 */
    unsigned shard_count;
    char names[SHARDS_MOST + 1][80];
    bool cannot_tell; /* which one */
    char *message;
};

/* ClickHouse's numbers of what a shard that is away looks like from the server that was asked. */
static bool is_away(int code)
{
    return code == 198 || code == 209 || code == 210 || code == 279 || code == 32;
}

static enum sw_fact_part part_of_clients(const struct asking *a)
{
    return a->told == SW_AUDIT_CLIENTS_COUNTS ? SW_FACT_CLIENT_COUNT : SW_FACT_CLIENT;
}

static enum sw_answer ask_one(struct asking *a, bool pass_over, unsigned which)
{
    a->reader.part = which == 0 ? SW_FACT_BUT_CLIENT : part_of_clients(a);
    /* the server keeps the answer until it knows that it is whole */
    return sw_courier_ask(
        a->courier, &(struct sw_courier_question){
                        .place = a->place,
                        .settings = pass_over ? "&wait_end_of_query=1&skip_unavailable_shards=1"
                                              : "&wait_end_of_query=1&skip_unavailable_shards=0",
                        .query = a->queries[which],
                        .rows = -1,
                        .take = sw_fleet_reader_take,
                        .ctx = &a->reader});
}

static enum sw_answer ask(struct asking *a, bool pass_over)
{
    enum sw_answer answer = ask_one(a, pass_over, 0);
    if (answer == SW_ANSWER_GOOD && sw_fleet_reader_is_done(&a->reader) &&
        a->told != SW_AUDIT_CLIENTS_NOTHING)
        answer = ask_one(a, pass_over, 1);
    return answer;
}

static bool is_plain(struct sw_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!sw_ascii_alpha(text.ptr[i]) && !sw_ascii_digit(text.ptr[i]) &&
            !strchr("-.:[]_", text.ptr[i]))
            return false;
    }
    return text.len > 0;
}

/* Does one of the replicas answer? That it knows no such user is an answer, too. */
static bool is_there(struct asking *a, const char *replicas)
{
    char query[PLACE_BYTES + 80];
    char nothing[64];
    (void)snprintf(query, sizeof(query), "SELECT count() FROM remote('%s', system, one)", replicas);
    enum sw_answer answer =
        sw_fleet_ask_text(a->courier, a->place, query, nothing, sizeof(nothing));
    int code = sw_courier_code(a->courier);
    if (answer != SW_ANSWER_GOOD && code == 497) /* it may not look */
        a->cannot_tell = true;
    return answer == SW_ANSWER_GOOD || !is_away(code);
}

static void try_shard(struct asking *a, unsigned number, const char *replicas)
{
    if (number == 0 || number > SHARDS_MOST)
        return;
    if (number > a->shard_count)
        a->shard_count = number;
    (void)snprintf(a->names[number], sizeof(a->names[number]), "%.79s", replicas);
    if (!is_there(a, replicas))
        a->missing[number] = true;
}

/* Lines of number, host and port; replicas of a shard follow one another. */
static void try_shards(struct asking *a, struct sw_span list)
{
    char replicas[PLACE_BYTES] = "";
    uint64_t number = 0;
    while (list.len > 0) {
        size_t end = sw_span_index(list, '\n');
        struct sw_span line = sw_span_sub(list, 0, end);
        uint64_t next = 0;
        size_t tab = sw_span_index(line, '\t');
        list = sw_span_from(list, end + 1);
        struct sw_span place = sw_span_from(line, tab + 1);
        if (!sw_span_u64(sw_span_sub(line, 0, tab), &next) || !is_plain(place))
            continue;
        if (next != number && replicas[0])
            try_shard(a, (unsigned)number, replicas);
        size_t used = next == number ? strlen(replicas) : 0;
        number = next;
        (void)snprintf(replicas + used, sizeof(replicas) - used, "%s%.*s", used > 0 ? "|" : "",
                       (int)place.len, (const char *)place.ptr);
    }
    if (replicas[0])
        try_shard(a, (unsigned)number, replicas);
}

static bool find_missing(struct asking *a)
{
    char query[300];
    char *list = malloc(SHARDS_BYTES);
    bool any = false;
    (void)snprintf(query, sizeof(query),
                   "SELECT shard_num, concat(host_name, ':', toString(port)) FROM system.clusters "
                   "WHERE cluster = '%s' ORDER BY shard_num, replica_num FORMAT TabSeparated",
                   a->target.cluster);
    if (list &&
        sw_fleet_ask_text(a->courier, a->place, query, list, SHARDS_BYTES) == SW_ANSWER_GOOD)
        try_shards(a, sw_span_str(list));
    for (unsigned i = 1; i <= a->shard_count; i++)
        any = any || a->missing[i];
    free(list);
    return any;
}

static void tell_missing(struct asking *a)
{
    size_t used = 0;
    const size_t room = SW_FLEET_MESSAGE_BYTES;
    unsigned count = 0;
    for (unsigned i = 1; i <= a->shard_count && used < room - 120; i++) {
        if (a->missing[i])
            used += (size_t)snprintf(a->message + used, room - used, "%sshard %u of %u (%s)",
                                     count++ ? ", " : "", i, a->shard_count, a->names[i]);
    }
    if (count == 0)
        used += (size_t)snprintf(a->message, room, "a shard of %u", a->shard_count);
    (void)snprintf(a->message + used, room - used,
                   " %s not answer: the sessions there are missing here",
                   count > 1 ? "do" : "does");
}

static enum sw_fleet_answer fail(struct asking *a)
{
    (void)snprintf(a->message, SW_FLEET_MESSAGE_BYTES, "%s", sw_courier_message(a->courier));
    return SW_FLEET_NONE;
}

/* Nothing is asked twice once something was handed out. */
static enum sw_fleet_answer settle(struct asking *a, enum sw_answer answer)
{
    if (answer != SW_ANSWER_GOOD)
        return fail(a);
    if (sw_fleet_reader_is_done(&a->reader))
        return SW_FLEET_WHOLE;
    (void)snprintf(a->message, SW_FLEET_MESSAGE_BYTES, "%s: the answer is cut off", a->place);
    return SW_FLEET_NONE;
}

static enum sw_fleet_answer ask_all(struct asking *a)
{
    for (int i = 0; i < TRIES; i++) {
        const struct timespec moment = {.tv_nsec = i > 0 ? 500000000 : 0};
        (void)nanosleep(&moment, NULL);
        enum sw_answer answer = ask(a, false);
        bool began = a->reader.facts > 0 || a->reader.used > 0;
        if (answer == SW_ANSWER_GOOD || began || !a->target.cluster[0] ||
            !is_away(sw_courier_code(a->courier)))
            return settle(a, answer);
        if (!find_missing(a) && !a->cannot_tell)
            continue; /* it is back */
        enum sw_fleet_answer end = settle(a, ask(a, true));
        if (end != SW_FLEET_WHOLE)
            return end;
        (void)find_missing(a); /* another one may have gone meanwhile */
        tell_missing(a);
        return SW_FLEET_PARTIAL;
    }
    return fail(a);
}

/* The first server that has the tables. */
static bool find_place(struct asking *a)
{
    struct sw_status status;
    for (unsigned i = 0; i < a->target.place_count; i++) {
        a->place = a->target.places[i];
        enum sw_answer answer = sw_fleet_prepare(a->courier, &a->target, a->place, false, &status);
        if (answer == SW_ANSWER_GOOD)
            return true;
        (void)snprintf(a->message, SW_FLEET_MESSAGE_BYTES, "%s",
                       status.code != SW_OK ? status.message : sw_courier_message(a->courier));
    }
    return false;
}

static enum sw_fleet_answer begin(struct asking *a, const struct sw_fleet_question *question)
{
    char table[160];
    struct sw_status status;
    if (!sw_fleet_target_read(&a->target, a->options->urls, a->options->cluster, &status)) {
        (void)snprintf(a->message, SW_FLEET_MESSAGE_BYTES, "%s", status.message);
        return SW_FLEET_NONE;
    }
    a->courier =
        sw_courier_new(a->target.user[0] ? a->target.user : NULL, a->options->password, &status);
    (void)sw_fleet_table(&a->target, table, sizeof(table));
    a->queries[0] = sw_fleet_query_make(question, table, a->options->sensor, SW_FACT_BUT_CLIENT);
    a->queries[1] = sw_fleet_query_make(question, table, a->options->sensor, part_of_clients(a));
    if (!a->courier || !a->queries[0] || !a->queries[1]) {
        (void)snprintf(a->message, SW_FLEET_MESSAGE_BYTES, "%s",
                       a->courier ? "out of memory" : status.message);
        return SW_FLEET_NONE;
    }
    return find_place(a) ? ask_all(a) : SW_FLEET_NONE;
}

enum sw_fleet_answer sw_fleet_each(const struct sw_fleet_options *options,
                                   const struct sw_fleet_question *question,
                                   void (*take)(void *ctx, const struct sw_fact *fact), void *ctx,
                                   char message[SW_FLEET_MESSAGE_BYTES])
{
    struct asking *a = calloc(1, sizeof(*a));
    message[0] = '\0';
    if (!a) {
        (void)snprintf(message, SW_FLEET_MESSAGE_BYTES, "out of memory");
        return SW_FLEET_NONE;
    }
    a->options = options;
    a->told = question->told;
    a->message = message;
    sw_fleet_reader_init(&a->reader, take, ctx);
    a->reader.keywords = question->compares;
    enum sw_fleet_answer answer = begin(a, question);
    sw_fleet_reader_release(&a->reader);
    sw_courier_free(a->courier);
    free(a->queries[0]);
    free(a->queries[1]);
    free(a);
    return answer;
}
