#include "store/fleet_schema.h"

#include <stdio.h>
#include <stdlib.h>

enum { QUERY_BYTES = 8192, UNKNOWN_TABLE = 60, UNKNOWN_DATABASE = 81 };

#define SW_FIRST(name, type) #name " " type
#define SW_COLUMN(name, type) ", " #name " " type

/*
 * One step for each version, never changed once it was released; each statement may be run again.
 * %s is the database.
 */
static const char *const step_1[] = {
    "CREATE TABLE IF NOT EXISTS `%s`.session (" SW_FLEET_COLUMNS(
        SW_FIRST, SW_COLUMN) ") "
                             "ENGINE = ReplacingMergeTree(run_ver) PARTITION BY toYYYYMM(day) "
                             "ORDER BY (sensor, session_uid)",
    NULL,
};

#undef SW_FIRST
#undef SW_COLUMN

static const char *const *const steps[] = {step_1};

enum { VERSION = sizeof(steps) / sizeof(steps[0]) };

/* Letters, digits and '_', as ClickHouse has them in names that need no quotes. */
static bool is_name(struct sw_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (!sw_ascii_alpha(c) && c != '_' && (!sw_ascii_digit(c) || i == 0))
            return false;
    }
    return text.len > 0 && text.len < 60;
}

static bool is_host(struct sw_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (!sw_ascii_alpha(c) && !sw_ascii_digit(c) && !strchr(".-:[]_", c))
            return false;
    }
    return text.len > 0 && text.len < 280;
}

static bool refuse(struct sw_status *status, const char *what)
{
    *status = sw_status_make(SW_UNSUPPORTED, 0, "--store: %s", what);
    return false;
}

static bool copy(char *out, size_t room, struct sw_span text, bool first)
{
    if (!first)
        return sw_span_eq(text, sw_span_str(out));
    (void)snprintf(out, room, "%.*s", (int)text.len, (const char *)text.ptr);
    return true;
}

/* The part before the last '@'. */
static bool read_user(struct sw_fleet_target *target, struct sw_span *rest, bool first,
                      struct sw_status *status)
{
    size_t at = rest->len;
    while (at > 0 && rest->ptr[at - 1] != '@')
        at--;
    struct sw_span user = sw_span_sub(*rest, 0, at > 0 ? at - 1 : 0);
    if (sw_span_index(user, ':') < user.len)
        return refuse(status, "a password does not belong on a command line, where others can read "
                              "it; put it into SMTPWHY_STORE_PASSWORD, or a file that "
                              "SMTPWHY_STORE_PASSWORD_FILE names");
    for (size_t i = 0; i < user.len; i++) {
        if (user.ptr[i] <= ' ' || user.ptr[i] > '~')
            return refuse(status, "the user is no name");
    }
    if (user.len >= sizeof(target->user))
        return refuse(status, "the user's name is too long");
    if (!copy(target->user, sizeof(target->user), user, first))
        return refuse(status, "all servers need the same user");
    *rest = sw_span_from(*rest, at);
    return true;
}

static bool read_place(struct sw_fleet_target *target, struct sw_span url, struct sw_status *status)
{
    bool first = target->place_count == 0;
    bool secure = sw_span_starts_nocase(url, SW_SPAN_LIT("https://"));
    if (!secure && !sw_span_starts_nocase(url, SW_SPAN_LIT("http://")))
        return refuse(status, "takes http://[user@]host[:port][/database], several with commas "
                              "between them");
    struct sw_span rest = sw_span_from(url, secure ? 8 : 7);
    size_t slash = sw_span_index(rest, '/');
    struct sw_span host = sw_span_sub(rest, 0, slash);
    struct sw_span database = sw_span_from(rest, slash + 1);
    if (database.len == 0)
        database = SW_SPAN_LIT("smtpwhy");
    if (!read_user(target, &host, first, status))
        return false;
    if (!is_host(host))
        return refuse(status, "the host is none; takes http://[user@]host[:port][/database]");
    if (!is_name(database))
        return refuse(status, "the name of a database has letters, digits and '_' only");
    if (!copy(target->database, sizeof(target->database), database, first))
        return refuse(status, "all servers need the same database");
    if (target->place_count == SW_FLEET_PLACES)
        return refuse(status, "too many servers");
    /* without a port ClickHouse's own, not that of the web */
    size_t bracket = sw_span_index(host, ']');
    struct sw_span behind = bracket < host.len ? sw_span_from(host, bracket) : host;
    bool port = sw_span_index(behind, ':') < behind.len;
    char *out = target->places[target->place_count++];
    (void)snprintf(out, sizeof(target->places[0]), "%s://%.*s%s", secure ? "https" : "http",
                   (int)host.len, (const char *)host.ptr,
                   port     ? ""
                   : secure ? ":8443"
                            : ":8123");
    return true;
}

bool sw_fleet_target_read(struct sw_fleet_target *target, const char *urls, const char *cluster,
                          struct sw_status *status)
{
    struct sw_span rest = sw_span_str(urls);
    *target = (struct sw_fleet_target){.place_count = 0};
    *status = sw_status_ok();
    do {
        size_t comma = sw_span_index(rest, ',');
        if (!read_place(target, sw_span_sub(rest, 0, comma), status))
            return false;
        rest = sw_span_from(rest, comma + 1);
    } while (rest.len > 0);
    if (cluster && !is_name(sw_span_str(cluster)))
        return refuse(status, "the name of a cluster has letters, digits and '_' only");
    (void)snprintf(target->cluster, sizeof(target->cluster), "%s", cluster ? cluster : "");
    return true;
}

const char *sw_fleet_table(const struct sw_fleet_target *target, char *out, size_t room)
{
    (void)snprintf(out, room, "`%s`.session%s%s", target->database,
                   target->cluster[0] ? "_on_" : "", target->cluster);
    return out;
}

const char *sw_fleet_key(const uint8_t address[16], uint8_t ip_version,
                         char out[SW_FLEET_KEY_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    size_t length = ip_version == 4 ? 4 : ip_version == 6 ? 16 : 0;
    char *at = out;
    if (length > 0)
        *at++ = ip_version == 4 ? '4' : '6';
    for (size_t i = 0; i < length; i++) {
        *at++ = digits[address[i] >> 4];
        *at++ = digits[address[i] & 15];
    }
    *at = '\0';
    return out;
}

struct text {
    char *out;
    size_t used, room;
};

static bool take_text(void *ctx, struct sw_span piece)
{
    struct text *text = ctx;
    if (piece.len >= text->room - text->used)
        return false;
    memcpy(text->out + text->used, piece.ptr, piece.len);
    text->used += piece.len;
    text->out[text->used] = '\0';
    return true;
}

enum sw_answer sw_fleet_ask_text(struct sw_courier *courier, const char *place, const char *query,
                                 char *out, size_t room)
{
    struct text text = {out, 0, room};
    out[0] = '\0';
    return sw_courier_ask(courier, &(struct sw_courier_question){.place = place,
                                                                 .settings = "&wait_end_of_query=1",
                                                                 .query = query,
                                                                 .rows = -1,
                                                                 .take = take_text,
                                                                 .ctx = &text});
}

static enum sw_answer tell(struct sw_courier *courier, const char *place, const char *query)
{
    char nothing[200];
    return sw_fleet_ask_text(courier, place, query, nothing, sizeof(nothing));
}

static enum sw_answer run_step(struct sw_courier *courier, const struct sw_fleet_target *target,
                               const char *place, int step)
{
    char query[QUERY_BYTES];
    enum sw_answer answer = SW_ANSWER_GOOD;
    for (const char *const *sql = steps[step]; *sql && answer == SW_ANSWER_GOOD; sql++) {
        const char *mark = strstr(*sql, "%s");
        (void)snprintf(query, sizeof(query), "%.*s%s%s", (int)(mark - *sql), *sql, target->database,
                       mark + 2);
        answer = tell(courier, place, query);
    }
    (void)snprintf(query, sizeof(query), "INSERT INTO `%s`.layout (version) VALUES (%d)",
                   target->database, step + 1);
    return answer == SW_ANSWER_GOOD ? tell(courier, place, query) : answer;
}

/* The version at a place; 0 when nothing is there. */
static enum sw_answer ask_version(struct sw_courier *courier, const struct sw_fleet_target *target,
                                  const char *place, int *version)
{
    char query[QUERY_BYTES];
    char text[64];
    (void)snprintf(query, sizeof(query), "SELECT max(version) FROM `%s`.layout", target->database);
    enum sw_answer answer = sw_fleet_ask_text(courier, place, query, text, sizeof(text));
    *version = answer == SW_ANSWER_GOOD ? (int)strtol(text, NULL, 10) : 0;
    int code = sw_courier_code(courier);
    if (answer == SW_ANSWER_REFUSED && (code == UNKNOWN_TABLE || code == UNKNOWN_DATABASE))
        return SW_ANSWER_GOOD;
    return answer;
}

static enum sw_answer make_tables(struct sw_courier *courier, const struct sw_fleet_target *target,
                                  const char *place, int version)
{
    char query[QUERY_BYTES];
    enum sw_answer answer = SW_ANSWER_GOOD;
    if (version == 0) {
        (void)snprintf(query, sizeof(query), "CREATE DATABASE IF NOT EXISTS `%s`",
                       target->database);
        answer = tell(courier, place, query);
        (void)snprintf(query, sizeof(query),
                       "CREATE TABLE IF NOT EXISTS `%s`.layout (version UInt32, made DateTime "
                       "DEFAULT now()) ENGINE = MergeTree() ORDER BY version",
                       target->database);
        if (answer == SW_ANSWER_GOOD)
            answer = tell(courier, place, query);
    }
    for (int step = version; answer == SW_ANSWER_GOOD && step < VERSION; step++)
        answer = run_step(courier, target, place, step);
    return answer;
}

static enum sw_answer make_distributed(struct sw_courier *courier,
                                       const struct sw_fleet_target *target, const char *place)
{
    char query[QUERY_BYTES];
    char table[160];
    char exists[64];
    (void)sw_fleet_table(target, table, sizeof(table));
    (void)snprintf(query, sizeof(query), "EXISTS TABLE %s", table);
    enum sw_answer answer = sw_fleet_ask_text(courier, place, query, exists, sizeof(exists));
    if (answer != SW_ANSWER_GOOD || exists[0] == '1')
        return answer;
    (void)snprintf(query, sizeof(query),
                   "CREATE TABLE IF NOT EXISTS %s AS `%s`.session ENGINE = Distributed(%s, `%s`, "
                   "session, cityHash64(session_uid))",
                   table, target->database, target->cluster, target->database);
    return tell(courier, place, query);
}

enum sw_answer sw_fleet_prepare(struct sw_courier *courier, const struct sw_fleet_target *target,
                                const char *place, bool make, struct sw_status *status)
{
    int version = 0;
    *status = sw_status_ok();
    enum sw_answer answer = ask_version(courier, target, place, &version);
    if (answer != SW_ANSWER_GOOD)
        return answer;
    if (version > VERSION) {
        *status = sw_status_make(SW_UNSUPPORTED, 0,
                                 "%s: was made by a later version of smtpwhy (layout %d, this one "
                                 "knows %d)",
                                 place, version, VERSION);
        return SW_ANSWER_REFUSED;
    }
    if (version == 0 && !make) {
        *status = sw_status_make(SW_UNREADABLE, 0, "%s: there are no sessions in the database %s",
                                 place, target->database);
        return SW_ANSWER_REFUSED;
    }
    if (!make)
        return answer;
    if (version < VERSION)
        answer = make_tables(courier, target, place, version);
    if (answer == SW_ANSWER_GOOD && target->cluster[0])
        answer = make_distributed(courier, target, place);
    return answer;
}
