#include "store/fleet_query.h"

#include "base/time.h"
#include "store/fleet_schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NS_PER_DAY (INT64_C(86400) * SW_NS_PER_S)

struct sql {
    char *text;
    size_t used, room;
    bool failed;
    const struct sw_policy *policy;
    /* the cuts that are being written */
    enum sw_policy_cut kind;
    const char *measure;
    const char *between;
};

__attribute__((format(printf, 2, 3))) static void add(struct sql *sql, const char *format, ...)
{
    char piece[1400];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    sql->failed = sql->failed || length < 0 || length >= (int)sizeof(piece);
    if (sql->failed)
        return;
    if (sql->used + (size_t)length + 1 > sql->room) {
        size_t room = sql->room ? 2 * sql->room : 8192;
        char *text = realloc(sql->text, room);
        sql->failed = !text;
        if (!text)
            return;
        sql->text = text;
        sql->room = room;
    }
    memcpy(sql->text + sql->used, piece, (size_t)length + 1);
    sql->used += (size_t)length;
}

static void add_cut(void *ctx, enum sw_policy_cut kind, int64_t at)
{
    struct sql *sql = ctx;
    if (kind != sql->kind)
        return;
    add(sql, "%s(%s%" PRId64 ")", sql->between, sql->measure,
        kind == SW_CUT_DAYS ? at * NS_PER_DAY : at);
    sql->between = "+";
}

/* On the same side of all limits is who exceeds the same number of them. */
static void add_cuts(struct sql *sql, enum sw_policy_cut kind, const char *measure)
{
    sql->kind = kind;
    sql->measure = measure;
    sql->between = ",";
    if (sql->policy)
        sw_policy_cuts(sql->policy, add_cut, sql);
}

/* Is the address of this key in the network? */
static void add_network(struct sql *sql, const char *key, const struct sw_network *network)
{
    char first[SW_FLEET_KEY_BYTES];
    char last[SW_FLEET_KEY_BYTES];
    uint8_t low[16];
    uint8_t high[16];
    for (unsigned i = 0; i < 16; i++) {
        unsigned fixed = network->bits > 8 * i ? network->bits - 8 * i : 0;
        unsigned host = fixed >= 8 ? 0 : 0xffu >> fixed;
        low[i] = (uint8_t)(network->address[i] & ~host);
        high[i] = (uint8_t)(network->address[i] | host);
    }
    add(sql, "(%s>='%s' AND %s<='%s')", key, sw_fleet_key(low, network->ip_version, first), key,
        sw_fleet_key(high, network->ip_version, last));
}

static void add_client_cut(void *ctx, const struct sw_network *network)
{
    struct sql *sql = ctx;
    add(sql, ",");
    add_network(sql, "client_key", network);
}

static void add_networks(struct sql *sql, const char *key, const struct sw_network *networks,
                         unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        add(sql, "%s", i == 0 ? " AND (" : " OR ");
        add_network(sql, key, &networks[i]);
    }
    add(sql, "%s", count > 0 ? ")" : "");
}

static const char *outcome_name(int id)
{
    return sw_outcome_name((enum sw_outcome)id);
}

static const char *cause_name(int id)
{
    return sw_cause_info((enum sw_cause)id)->id;
}

/* Ids are words of ours: nothing in them needs a quote. */
static void add_ids(struct sql *sql, const char *column, const bool *chosen, int count,
                    const char *(*name)(int id))
{
    const char *between = "";
    if (!chosen)
        return;
    add(sql, " AND %s IN (", column);
    for (int i = 0; i < count; i++) {
        if (!chosen[i])
            continue;
        add(sql, "%s'%s'", between, name(i));
        between = ",";
    }
    add(sql, ")");
}

static void add_where(struct sql *sql, const struct sw_fleet_question *question, const char *sensor)
{
    add(sql, " WHERE 1");
    add_ids(sql, "outcome", question->outcomes, SW_OUTCOME_COUNT, outcome_name);
    add_ids(sql, "cause", question->causes, SW_CAUSE_COUNT, cause_name);
    add_networks(sql, "client_key", question->clients, question->client_count);
    add_networks(sql, "server_key", question->servers, question->server_count);
    if (question->has_since)
        add(sql, " AND start_ns>=%" PRId64, question->since_ns);
    if (question->has_until)
        add(sql, " AND start_ns<%" PRId64, question->until_ns);
    if (!sensor)
        return;
    add(sql, " AND sensor='");
    for (const char *c = sensor; *c; c++)
        add(sql, "%s%c", *c == '\'' || *c == '\\' ? "\\" : "", *c);
    add(sql, "'");
}

static void add_groups(struct sql *sql)
{
    add(sql, " GROUP BY alike");
    if (sql->policy)
        sw_policy_networks(sql->policy, add_client_cut, sql);
    add_cuts(sql, SW_CUT_TIME, "start_ns>=");
    add_cuts(sql, SW_CUT_GREETING, "greeting_delay_ns>");
    add_cuts(sql, SW_CUT_GREETING, "greeting_wait_ns>");
    add_cuts(sql, SW_CUT_DAYS, "certificate_end_ns-start_ns>=");
}

char *sw_fleet_query_make(const struct sw_fleet_question *question, const char *table,
                          const char *sensor, enum sw_fact_part part)
{
    struct sql sql = {.policy = question->policy};
    bool clients = part != SW_FACT_BUT_CLIENT;
    add(&sql, "SELECT count(),%s", clients ? "found" : "alike");
    if (part != SW_FACT_CLIENT_COUNT)
        add(&sql, ",min(example),max(start_ns)");
    if (!clients)
        add(&sql, ",max(greeting_delay_ns),max(greeting_wait_ns)");
    if (!clients && question->compares)
        add(&sql, ",clear_keywords,inner_keywords");
    add(&sql, " FROM %s FINAL", table);
    add_where(&sql, question, sensor);
    if (clients)
        add(&sql, " AND found!='' GROUP BY found");
    else
        add_groups(&sql);
    if (!clients && question->compares)
        add(&sql, ",clear_keywords,inner_keywords,start_ns>=%" PRId64, question->compare_ns);
    add(&sql, " FORMAT RowBinary");
    if (!sql.failed)
        return sql.text;
    free(sql.text);
    return NULL;
}
