/*
 * history_read.c - reads facts back. What stands in the file is not trusted more than a capture is:
 * a value that makes no sense is passed over.
 */
#include "store/history_inside.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAMES_ARENA = 256 << 20 };

/* Rows that many sessions share, by their id. */
struct shared {
    int64_t id;
    void *value;
};

struct shared_list {
    struct shared *items;
    size_t count, room;
};

struct files {
    const char **names;
    unsigned count;
};

struct reading {
    struct sw_history *history;
    struct sw_arena arena;
    struct shared_list files, certificates;
    sqlite3_stmt *sessions, *logins;
    bool login_waits; /* logins stands on a row that has not been taken */
    struct sw_fact fact;
};

static bool keep_shared(struct shared_list *list, int64_t id, void *value)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        struct shared *items = realloc(list->items, room * sizeof(*items));
        if (!items)
            return false;
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = (struct shared){id, value};
    return value != NULL;
}

/* They were read in the order of their ids. */
static void *find_shared(const struct shared_list *list, int64_t id)
{
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->count && list->items[low].id == id ? list->items[low].value : NULL;
}

static struct sw_span column_span(sqlite3_stmt *s, int at)
{
    const unsigned char *text = sqlite3_column_text(s, at);
    return sw_span_make(text, text ? (size_t)sqlite3_column_bytes(s, at) : 0);
}

static const char *column_str(struct sw_arena *arena, sqlite3_stmt *s, int at)
{
    const char *text = (const char *)sqlite3_column_text(s, at);
    const char *kept = sw_arena_strdup(arena, text ? text : "");
    return kept ? kept : "";
}

static struct files *read_names(struct sw_arena *arena, sqlite3_stmt *s)
{
    struct sw_span names = column_span(s, 1);
    struct files *files = SW_ARENA_NEW(arena, struct files);
    unsigned lines = 1;
    for (size_t i = 0; i < names.len; i++)
        lines += names.ptr[i] == '\n';
    if (files)
        files->names = sw_arena_alloc(arena, lines * sizeof(*files->names));
    if (!files || !files->names)
        return NULL;
    for (unsigned i = 0; i < lines; i++) {
        size_t end = sw_span_index(names, '\n');
        struct sw_span line = sw_span_sub(names, 0, end);
        files->names[i] = sw_arena_printf(arena, "%.*s", (int)line.len, (const char *)line.ptr);
        if (!files->names[i])
            return NULL;
        names = sw_span_from(names, end + 1);
    }
    files->count = lines;
    return files;
}

static struct sw_fact_certificate *read_certificate(struct sw_arena *arena, sqlite3_stmt *s)
{
    struct sw_fact_certificate *c = SW_ARENA_NEW(arena, struct sw_fact_certificate);
    if (!c)
        return NULL;
    *c = (struct sw_fact_certificate){
        .known = true,
        .sha256 = column_str(arena, s, 1),
        .subject = sw_arena_copy(arena, column_span(s, 2)),
        .issuer = sw_arena_copy(arena, column_span(s, 3)),
        .names = sw_arena_copy(arena, column_span(s, 4)),
        .not_before = column_str(arena, s, 5),
        .not_after = column_str(arena, s, 6),
    };
    return c;
}

static bool read_shared(struct reading *r)
{
    sqlite3 *db = r->history->db;
    sqlite3_stmt *s = NULL;
    bool good = true;
    int step = SQLITE_DONE;
    if (sqlite3_prepare_v2(db, "SELECT id,names FROM file ORDER BY id", -1, &s, NULL) != SQLITE_OK)
        return sw_history_fail(r->history);
    while (good && (step = sqlite3_step(s)) == SQLITE_ROW)
        good = keep_shared(&r->files, sqlite3_column_int64(s, 0), read_names(&r->arena, s));
    good = good && step == SQLITE_DONE;
    (void)sqlite3_finalize(s);
    if (!good || sqlite3_prepare_v2(db,
                                    "SELECT id,sha256,subject,issuer,names,not_before,not_after "
                                    "FROM certificate ORDER BY id",
                                    -1, &s, NULL) != SQLITE_OK)
        return sw_history_fail(r->history);
    while (good && (step = sqlite3_step(s)) == SQLITE_ROW)
        good = keep_shared(&r->certificates, sqlite3_column_int64(s, 0),
                           read_certificate(&r->arena, s));
    good = good && step == SQLITE_DONE;
    (void)sqlite3_finalize(s);
    return good || sw_history_fail(r->history);
}

static bool prepare_rows(struct reading *r, const struct sw_history_range *range)
{
#define SW_FIRST(symbol, name) name
#define SW_COLUMN(symbol, name) "," name
    char where[200];
    char sql[1400];
    size_t used = (size_t)snprintf(where, sizeof(where), "WHERE 1");
    if (range->has_since)
        used += (size_t)snprintf(where + used, sizeof(where) - used, " AND start_ns>=%lld",
                                 (long long)range->since_ns);
    if (range->has_until)
        used += (size_t)snprintf(where + used, sizeof(where) - used, " AND start_ns<%lld",
                                 (long long)range->until_ns);
    if (range->run)
        (void)snprintf(where + used, sizeof(where) - used, " AND run=%lld", (long long)range->run);
    (void)snprintf(sql, sizeof(sql), "SELECT %s FROM session %s ORDER BY id",
                   SW_SESSION_COLUMNS(SW_FIRST, SW_COLUMN), where);
    if (sqlite3_prepare_v2(r->history->db, sql, -1, &r->sessions, NULL) != SQLITE_OK)
        return sw_history_fail(r->history);
    /* all of them: the rows of other sessions are passed over in one scan */
    if (sqlite3_prepare_v2(r->history->db,
                           "SELECT session,user,mechanism,exposed,accepted,frame FROM login ORDER "
                           "BY session,seq",
                           -1, &r->logins, NULL) != SQLITE_OK)
        return sw_history_fail(r->history);
    r->login_waits = sqlite3_step(r->logins) == SQLITE_ROW;
    return true;
#undef SW_FIRST
#undef SW_COLUMN
}

/* '[["aud-x",3,12],...]', which nobody but write_findings() writes; anything else ends it. */
static void read_findings(struct sw_fact *fact, struct sw_span text)
{
    while (fact->finding_count < SW_FACT_FINDINGS) {
        size_t quote = sw_span_index(text, '"');
        text = sw_span_from(text, quote + 1);
        size_t end = sw_span_index(text, '"');
        enum sw_finding_id id = sw_finding_by_id(sw_span_sub(text, 0, end));
        text = sw_span_from(text, end + 2);
        uint64_t severity = 0;
        uint64_t frame = 0;
        size_t comma = sw_span_index(text, ',');
        size_t bracket = sw_span_index(text, ']');
        if (id == SW_FINDING_COUNT || comma >= bracket || bracket == text.len ||
            !sw_span_u64(sw_span_sub(text, 0, comma), &severity) ||
            !sw_span_u64(sw_span_sub(text, comma + 1, bracket - comma - 1), &frame) ||
            severity >= SW_SEVERITY_COUNT)
            return;
        fact->findings[fact->finding_count++] =
            (struct sw_fact_finding){id, (enum sw_severity)severity, frame};
        text = sw_span_from(text, bracket + 1);
    }
}

static enum sw_seen column_seen(sqlite3_stmt *s, int at)
{
    int value = sqlite3_column_int(s, at);
    return value >= SW_SEEN_NOTHING && value <= SW_SEEN_YES ? (enum sw_seen)value : SW_SEEN_NOTHING;
}

static uint64_t column_frame(sqlite3_stmt *s, int at)
{
    return (uint64_t)sqlite3_column_int64(s, at);
}

/* The address in a column; 0 when it is none. */
static uint8_t column_address(sqlite3_stmt *s, int at, uint8_t address[16])
{
    int length = sqlite3_column_bytes(s, at);
    const void *bytes = sqlite3_column_blob(s, at);
    if (!bytes || (length != 4 && length != 16))
        return 0;
    memcpy(address, bytes, (size_t)length);
    return length == 4 ? 4 : 6;
}

static void read_columns(struct reading *r, struct sw_fact *f)
{
    sqlite3_stmt *s = r->sessions;
    const struct files *files = find_shared(&r->files, sqlite3_column_int64(s, SW_COLUMN_FILE));
    const struct sw_fact_certificate *c =
        find_shared(&r->certificates, sqlite3_column_int64(s, SW_COLUMN_CERTIFICATE));
    f->start_ns = sqlite3_column_int64(s, SW_COLUMN_START);
    f->file = files ? files->names[0] : "";
    f->files = files ? files->names : NULL;
    f->file_count = files ? files->count : 0;
    f->first_frame = column_frame(s, SW_COLUMN_FIRST_FRAME);
    f->ip_version = column_address(s, SW_COLUMN_CLIENT, f->client);
    f->has_server = column_address(s, SW_COLUMN_SERVER, f->server) != 0;
    f->server_port = (uint16_t)sqlite3_column_int(s, SW_COLUMN_PORT);
    f->server_name = column_span(s, SW_COLUMN_SERVER_NAME);
    f->outcome = sw_fact_outcome(column_span(s, SW_COLUMN_OUTCOME));
    f->cause = sw_cause_by_id(column_span(s, SW_COLUMN_CAUSE));
    f->security = sw_fact_security(column_span(s, SW_COLUMN_SECURITY));
    f->login = column_seen(s, SW_COLUMN_LOGIN);
    f->clear_mail = column_seen(s, SW_COLUMN_CLEAR_MAIL);
    f->clear_mail_frame = column_frame(s, SW_COLUMN_CLEAR_MAIL_FRAME);
    f->starttls = column_seen(s, SW_COLUMN_STARTTLS);
    f->starttls_frame = column_frame(s, SW_COLUMN_STARTTLS_FRAME);
    f->tls = column_seen(s, SW_COLUMN_TLS);
    f->tls_version = (uint16_t)sqlite3_column_int(s, SW_COLUMN_TLS_VERSION);
    f->tls_frame = column_frame(s, SW_COLUMN_TLS_FRAME);
    f->certified = column_seen(s, SW_COLUMN_CERTIFIED);
    if (c)
        f->certificate = *c;
    f->certificate.problems = (uint32_t)sqlite3_column_int64(s, SW_COLUMN_CERTIFICATE_PROBLEMS);
    f->certificate.frame = column_frame(s, SW_COLUMN_CERTIFICATE_FRAME);
    f->greeting_delay_ns = sqlite3_column_type(s, SW_COLUMN_GREETING_DELAY) == SQLITE_NULL
                               ? SW_TIME_NONE
                               : sqlite3_column_int64(s, SW_COLUMN_GREETING_DELAY);
    f->greeting_due = sqlite3_column_int(s, SW_COLUMN_GREETING_DUE) != 0;
    f->greeting_wait_ns = sqlite3_column_int64(s, SW_COLUMN_GREETING_WAIT);
    f->greeting_frame = column_frame(s, SW_COLUMN_GREETING_FRAME);
    f->clear_keywords = column_span(s, SW_COLUMN_CLEAR_KEYWORDS);
    f->inner_keywords = column_span(s, SW_COLUMN_INNER_KEYWORDS);
    read_findings(f, column_span(s, SW_COLUMN_FINDINGS));
}

/* The logins of this session: both lists are in the order of the sessions. `texts` keeps what the
 * next row of logins would overwrite. */
static void read_logins(struct reading *r, struct sw_fact *f, int64_t id, struct sw_arena *texts)
{
    while (r->login_waits && sqlite3_column_int64(r->logins, 0) <= id) {
        if (sqlite3_column_int64(r->logins, 0) == id && f->login_count < SW_FACT_LOGINS)
            f->logins[f->login_count++] = (struct sw_fact_login){
                .user = sw_arena_copy(texts, column_span(r->logins, 1)),
                .mechanism = sw_arena_copy(texts, column_span(r->logins, 2)),
                .exposed = sqlite3_column_int(r->logins, 3) != 0,
                .accepted = sqlite3_column_int(r->logins, 4) != 0,
                .frame = column_frame(r->logins, 5),
            };
        r->login_waits = sqlite3_step(r->logins) == SQLITE_ROW;
    }
}

static bool hand_out(struct reading *r, void (*take)(void *, const struct sw_fact *, int64_t),
                     void *ctx)
{
    int step;
    struct sw_arena texts;
    sw_arena_init(&texts, 1 << 20, NULL);
    while ((step = sqlite3_step(r->sessions)) == SQLITE_ROW) {
        char id[17];
        int64_t number = sqlite3_column_int64(r->sessions, SW_COLUMN_ID);
        (void)snprintf(id, sizeof(id), "%016llx", (unsigned long long)number);
        r->fact = (struct sw_fact){.id = id};
        read_columns(r, &r->fact);
        read_logins(r, &r->fact, number, &texts);
        take(ctx, &r->fact, sqlite3_column_int64(r->sessions, SW_COLUMN_RUN));
        sw_arena_release(&texts);
    }
    return step == SQLITE_DONE || sw_history_fail(r->history);
}

bool sw_history_each(struct sw_history *history, const struct sw_history_range *range,
                     void (*take)(void *ctx, const struct sw_fact *fact, int64_t run), void *ctx)
{
    struct reading r = {.history = history};
    sw_arena_init(&r.arena, NAMES_ARENA, NULL);
    /* one transaction: what others write meanwhile is not half seen */
    bool good = sqlite3_exec(history->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK ||
                sw_history_fail(history);
    good = good && read_shared(&r) && prepare_rows(&r, range) && hand_out(&r, take, ctx);
    (void)sqlite3_finalize(r.sessions);
    (void)sqlite3_finalize(r.logins);
    (void)sqlite3_exec(history->db, "COMMIT", NULL, NULL, NULL);
    free(r.files.items);
    free(r.certificates.items);
    sw_arena_release(&r.arena);
    return good;
}

static int64_t ask_number(struct sw_history *history, const char *sql, int64_t none)
{
    sqlite3_stmt *s = NULL;
    int64_t value = none;
    if (sqlite3_prepare_v2(history->db, sql, -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL)
        value = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    return value;
}

int64_t sw_history_newest(struct sw_history *history)
{
    return ask_number(history, "SELECT max(start_ns) FROM session", SW_TIME_NONE);
}

int64_t sw_history_last_run(struct sw_history *history)
{
    return ask_number(history, "SELECT max(run) FROM session", 0);
}
