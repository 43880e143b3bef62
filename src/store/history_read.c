/*
 * history_read.c - reads facts back. What stands in the file is not trusted more than a capture is:
 * a value that makes no sense is passed over.
 */
#include "store/history_inside.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    NAMES_ARENA = 256 << 20,
    ALIKE_TRIES = 5,
    SHELF_SLOTS = 4096,
    SHELF_ROW_BYTES = 8 << 10, /* of one row that is kept on a shelf */
};

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

/* What many sessions have in common. */
struct shape {
    enum sw_outcome outcome;
    enum sw_cause cause;
    enum sw_security security;
    enum sw_seen login, clear_mail, starttls, tls, certified;
    uint16_t tls_version;
    uint32_t certificate_problems;
    bool greeting_due;
    struct sw_span clear_keywords, inner_keywords;
    struct sw_fact_finding *findings;
    unsigned finding_count;
};

struct peer {
    uint8_t address[16];
    uint8_t ip_version; /* 0 = none */
    uint16_t port;
    struct sw_span name;
};

/* Rows that are read when they are needed, and kept until another one takes the place: there may be
 * as many of them as sessions. */
struct shelf_slot {
    int64_t id; /* 0 = free */
    void *value;
    struct sw_arena arena;
};

struct shelf {
    struct shelf_slot *slots;
    sqlite3_stmt *query; /* by id */
    void *(*read)(struct sw_arena *arena, sqlite3_stmt *s);
    void *nothing; /* what stands for a row that is missing */
};

struct reading {
    struct sw_history *history;
    struct sw_arena arena;
    struct shared_list files, certificates;
    struct shelf peers, shapes;
    sqlite3_stmt *sessions, *logins;
    bool login_waits; /* logins stands on a row that has not been taken */
    int64_t login_of; /* whose it is */
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

static enum sw_seen column_seen(sqlite3_stmt *s, int at)
{
    int value = sqlite3_column_int(s, at);
    return value >= SW_SEEN_NOTHING && value <= SW_SEEN_YES ? (enum sw_seen)value : SW_SEEN_NOTHING;
}

static uint64_t column_frame(sqlite3_stmt *s, int at)
{
    return (uint64_t)sqlite3_column_int64(s, at);
}

/* '[["aud-x",3],...]', which nobody but write_findings() writes; anything else ends it. */
static void read_findings(struct sw_arena *arena, struct shape *shape, struct sw_span text)
{
    struct sw_fact_finding findings[SW_FACT_FINDINGS];
    unsigned n = 0;
    while (n < SW_FACT_FINDINGS) {
        uint64_t severity = 0;
        text = sw_span_from(text, sw_span_index(text, '"') + 1);
        size_t end = sw_span_index(text, '"');
        enum sw_finding_id id = sw_finding_by_id(sw_span_sub(text, 0, end));
        text = sw_span_from(text, end + 2);
        size_t bracket = sw_span_index(text, ']');
        if (id == SW_FINDING_COUNT || !sw_span_u64(sw_span_sub(text, 0, bracket), &severity) ||
            severity >= SW_SEVERITY_COUNT)
            break;
        findings[n++] = (struct sw_fact_finding){id, (enum sw_severity)severity, 0};
        text = sw_span_from(text, bracket + 1);
    }
    shape->findings = sw_arena_alloc(arena, (n + 1) * sizeof(*findings));
    if (!shape->findings)
        return;
    memcpy(shape->findings, findings, n * sizeof(*findings));
    shape->finding_count = n;
}

static void *read_shape(struct sw_arena *arena, sqlite3_stmt *s)
{
    struct shape *shape = SW_ARENA_NEW(arena, struct shape);
    if (!shape)
        return NULL;
    *shape = (struct shape){
        .outcome = sw_fact_outcome(column_span(s, SW_SHAPE_OUTCOME)),
        .cause = sw_cause_by_id(column_span(s, SW_SHAPE_CAUSE)),
        .security = sw_fact_security(column_span(s, SW_SHAPE_SECURITY)),
        .login = column_seen(s, SW_SHAPE_LOGIN),
        .clear_mail = column_seen(s, SW_SHAPE_CLEAR_MAIL),
        .starttls = column_seen(s, SW_SHAPE_STARTTLS),
        .tls = column_seen(s, SW_SHAPE_TLS),
        .tls_version = (uint16_t)sqlite3_column_int(s, SW_SHAPE_TLS_VERSION),
        .certified = column_seen(s, SW_SHAPE_CERTIFIED),
        .certificate_problems = (uint32_t)sqlite3_column_int64(s, SW_SHAPE_CERTIFICATE_PROBLEMS),
        .greeting_due = sqlite3_column_int(s, SW_SHAPE_GREETING_DUE) != 0,
        .clear_keywords = sw_arena_copy(arena, column_span(s, SW_SHAPE_CLEAR_KEYWORDS)),
        .inner_keywords = sw_arena_copy(arena, column_span(s, SW_SHAPE_INNER_KEYWORDS)),
    };
    read_findings(arena, shape, column_span(s, SW_SHAPE_FINDINGS));
    return shape->findings ? shape : NULL;
}

/* The address in a column; 0 when it is none. What is behind an IPv4 address is cleared. */
static uint8_t column_address(sqlite3_stmt *s, int at, uint8_t address[16])
{
    memset(address, 0, 16);
    int length = sqlite3_column_bytes(s, at);
    const void *bytes = sqlite3_column_blob(s, at);
    if (!bytes || (length != 4 && length != 16))
        return 0;
    memcpy(address, bytes, (size_t)length);
    return length == 4 ? 4 : 6;
}

static void *read_peer(struct sw_arena *arena, sqlite3_stmt *s)
{
    struct peer *peer = SW_ARENA_NEW(arena, struct peer);
    if (!peer)
        return NULL;
    peer->ip_version = column_address(s, 0, peer->address);
    peer->port = (uint16_t)sqlite3_column_int(s, 1);
    peer->name = sw_arena_copy(arena, column_span(s, 2));
    return peer;
}

static bool open_shelf(struct reading *r, struct shelf *shelf, const char *sql)
{
    shelf->slots = calloc(SHELF_SLOTS, sizeof(*shelf->slots));
    return shelf->slots &&
           (sqlite3_prepare_v2(r->history->db, sql, -1, &shelf->query, NULL) == SQLITE_OK ||
            sw_history_fail(r->history));
}

static void close_shelf(struct shelf *shelf)
{
    for (size_t i = 0; shelf->slots && i < SHELF_SLOTS; i++)
        sw_arena_release(&shelf->slots[i].arena);
    free(shelf->slots);
    (void)sqlite3_finalize(shelf->query);
}

/* Another row takes the slot. */
static void *fetch(const struct shelf *shelf, struct shelf_slot *slot, int64_t id)
{
    sw_arena_release(&slot->arena);
    sw_arena_init(&slot->arena, SHELF_ROW_BYTES, NULL);
    (void)sqlite3_bind_int64(shelf->query, 1, id);
    slot->value =
        sqlite3_step(shelf->query) == SQLITE_ROW ? shelf->read(&slot->arena, shelf->query) : NULL;
    slot->id = id;
    (void)sqlite3_reset(shelf->query);
    return slot->value;
}

static const void *find_on_shelf(const struct shelf *shelf, int64_t id)
{
    struct shelf_slot *slot = &shelf->slots[(uint64_t)id % SHELF_SLOTS];
    const void *value = slot->id == id && id != 0 ? slot->value : fetch(shelf, slot, id);
    return value ? value : shelf->nothing;
}

static bool prepare_rows(struct reading *r, const struct sw_history_range *range)
{
    static const char facts[] =
        "SELECT " SW_FACT_COLUMNS(SW_SQL_NAME, SW_SQL_NEXT_NAME) " FROM fact WHERE 1";
    char sql[sizeof(facts) + 300];
    size_t used = (size_t)snprintf(sql, sizeof(sql), "%s", facts);
    if (range->has_since)
        used += (size_t)snprintf(sql + used, sizeof(sql) - used, " AND start_ns>=%lld",
                                 (long long)range->since_ns);
    if (range->has_until)
        used += (size_t)snprintf(sql + used, sizeof(sql) - used, " AND start_ns<%lld",
                                 (long long)range->until_ns);
    if (range->run)
        used += (size_t)snprintf(sql + used, sizeof(sql) - used, " AND run=%lld",
                                 (long long)range->run);
    if (range->from)
        used += (size_t)snprintf(sql + used, sizeof(sql) - used, " AND n>=%lld",
                                 (long long)range->from);
    if (range->below)
        used += (size_t)snprintf(sql + used, sizeof(sql) - used, " AND n<%lld",
                                 (long long)range->below);
    (void)snprintf(sql + used, sizeof(sql) - used, " ORDER BY n");
    if (sqlite3_prepare_v2(r->history->db, sql, -1, &r->sessions, NULL) != SQLITE_OK)
        return sw_history_fail(r->history);
    /* the rows of other sessions are passed over in one scan */
    (void)snprintf(sql, sizeof(sql),
                   "SELECT fact,user,mechanism,exposed,accepted,frame FROM login WHERE fact>=%lld "
                   "ORDER BY fact,seq",
                   range->from ? (long long)range->from : INT64_MIN);
    if (sqlite3_prepare_v2(r->history->db, sql, -1, &r->logins, NULL) != SQLITE_OK)
        return sw_history_fail(r->history);
    return open_shelf(r, &r->shapes,
                      "SELECT " SW_SHAPE_COLUMNS(SW_SQL_NAME,
                                                 SW_SQL_NEXT_NAME) " FROM shape WHERE id=?") &&
           open_shelf(r, &r->peers, "SELECT server,port,name FROM peer WHERE id=?");
}

/* The next number of "[12,null,-3]", which write_frames() writes; 0 for null, and behind the end.
 */
static uint64_t next_frame(struct sw_span *text, uint64_t first)
{
    size_t at = 1; /* the bracket or the comma */
    uint64_t number = 0;
    bool minus = at < text->len && text->ptr[at] == '-';
    size_t digits = at += minus;
    for (; at < text->len && sw_ascii_digit(text->ptr[at]); at++)
        number = number * 10 + (uint64_t)(text->ptr[at] - '0');
    bool none = at == digits;
    while (at < text->len && text->ptr[at] != ',')
        at++;
    *text = sw_span_from(*text, at);
    return none ? 0 : minus ? first - number : first + number;
}

static void read_frames(struct sw_fact *f, struct sw_span text)
{
    uint64_t first = f->first_frame;
    f->clear_mail_frame = next_frame(&text, first);
    f->starttls_frame = next_frame(&text, first);
    f->tls_frame = next_frame(&text, first);
    f->certificate.frame = next_frame(&text, first);
    f->greeting_frame = next_frame(&text, first);
    for (unsigned i = 0; i < f->finding_count; i++)
        f->findings[i].frame = next_frame(&text, first);
}

static void copy_shape(struct sw_fact *f, const struct shape *shape)
{
    f->outcome = shape->outcome;
    f->cause = shape->cause;
    f->security = shape->security;
    f->login = shape->login;
    f->clear_mail = shape->clear_mail;
    f->starttls = shape->starttls;
    f->tls = shape->tls;
    f->tls_version = shape->tls_version;
    f->certified = shape->certified;
    f->certificate.problems = shape->certificate_problems;
    f->greeting_due = shape->greeting_due;
    f->clear_keywords = shape->clear_keywords;
    f->inner_keywords = shape->inner_keywords;
    f->finding_count = shape->finding_count;
    memcpy(f->findings, shape->findings, shape->finding_count * sizeof(*f->findings));
}

static void copy_peer(struct sw_fact *f, const struct peer *peer)
{
    f->has_server = peer->ip_version != 0;
    memcpy(f->server, peer->address, sizeof(f->server));
    f->server_port = peer->port;
    f->server_name = peer->name;
}

/* Every field but the logins: the fact is the same one for all sessions. */
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
    f->certificate = c ? *c : (struct sw_fact_certificate){.known = false};
    copy_peer(f, find_on_shelf(&r->peers, sqlite3_column_int64(s, SW_COLUMN_PEER)));
    copy_shape(f, find_on_shelf(&r->shapes, sqlite3_column_int64(s, SW_COLUMN_SHAPE)));
    f->greeting_delay_ns = sqlite3_column_type(s, SW_COLUMN_GREETING_DELAY) == SQLITE_NULL
                               ? SW_TIME_NONE
                               : sqlite3_column_int64(s, SW_COLUMN_GREETING_DELAY);
    f->greeting_wait_ns = sqlite3_column_int64(s, SW_COLUMN_GREETING_WAIT);
    read_frames(f, column_span(s, SW_COLUMN_FRAMES));
}

static void step_logins(struct reading *r)
{
    r->login_waits = sqlite3_step(r->logins) == SQLITE_ROW;
    r->login_of = r->login_waits ? sqlite3_column_int64(r->logins, 0) : 0;
}

/* The logins of this session: both lists are in the order of the sessions. `texts` keeps what the
 * next row of logins would overwrite. */
static void read_logins(struct reading *r, struct sw_fact *f, int64_t n, struct sw_arena *texts)
{
    f->login_count = 0;
    while (r->login_waits && r->login_of <= n) {
        if (r->login_of == n && f->login_count < SW_FACT_LOGINS)
            f->logins[f->login_count++] = (struct sw_fact_login){
                .user = sw_arena_copy(texts, column_span(r->logins, 1)),
                .mechanism = sw_arena_copy(texts, column_span(r->logins, 2)),
                .exposed = sqlite3_column_int(r->logins, 3) != 0,
                .accepted = sqlite3_column_int(r->logins, 4) != 0,
                .frame = column_frame(r->logins, 5),
            };
        step_logins(r);
    }
}

static void write_id(int64_t number, char id[17])
{
    uint64_t rest = (uint64_t)number;
    for (int i = 15; i >= 0; i--, rest >>= 4)
        id[i] = "0123456789abcdef"[rest & 15];
    id[16] = '\0';
}

static bool hand_out(struct reading *r, void (*take)(void *, const struct sw_fact *, int64_t),
                     void *ctx)
{
    int step;
    char id[17];
    struct sw_arena texts;
    sw_arena_init(&texts, 1 << 20, NULL);
    r->fact.id = id;
    step_logins(r);
    while ((step = sqlite3_step(r->sessions)) == SQLITE_ROW) {
        write_id(sqlite3_column_int64(r->sessions, SW_COLUMN_ID), id);
        read_columns(r, &r->fact);
        read_logins(r, &r->fact, sqlite3_column_int64(r->sessions, SW_COLUMN_N), &texts);
        take(ctx, &r->fact, sqlite3_column_int64(r->sessions, SW_COLUMN_RUN));
        if (r->fact.login_count > 0)
            sw_arena_release(&texts);
    }
    return step == SQLITE_DONE || sw_history_fail(r->history);
}

bool sw_history_each(struct sw_history *history, const struct sw_history_range *range,
                     void (*take)(void *ctx, const struct sw_fact *fact, int64_t run), void *ctx)
{
    struct shape no_shape = {.outcome = SW_OUTCOME_UNKNOWN, .security = SW_SECURITY_UNKNOWN};
    struct sw_fact_finding no_finding;
    struct peer no_peer = {.port = 0};
    struct reading r = {.history = history,
                        .shapes = {.read = read_shape, .nothing = &no_shape},
                        .peers = {.read = read_peer, .nothing = &no_peer}};
    no_shape.findings = &no_finding;
    sw_arena_init(&r.arena, NAMES_ARENA, NULL);
    /* one transaction: what others write meanwhile is not half seen */
    bool good = history->in_transaction ||
                sqlite3_exec(history->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK ||
                sw_history_fail(history);
    good = good && read_shared(&r) && prepare_rows(&r, range) && hand_out(&r, take, ctx);
    (void)sqlite3_finalize(r.sessions);
    (void)sqlite3_finalize(r.logins);
    (void)sqlite3_exec(history->db, "COMMIT", NULL, NULL, NULL);
    history->in_transaction = false;
    close_shelf(&r.shapes);
    close_shelf(&r.peers);
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
    return ask_number(history, "SELECT max(start_ns) FROM fact", SW_TIME_NONE);
}

int64_t sw_history_last_run(struct sw_history *history)
{
    return ask_number(history, "SELECT max(run) FROM fact", 0);
}

int64_t sw_history_middle(struct sw_history *history, int64_t least)
{
    int64_t first = ask_number(history, "SELECT min(n) FROM fact", 0);
    int64_t last = ask_number(history, "SELECT max(n) FROM fact", 0);
    if (first < 1 || last - first < least)
        return 0;
    return first + (last - first) / 2;
}

/* What is read from now on is what stands there now. */
static bool hold(struct sw_history *history)
{
    history->in_transaction =
        sqlite3_exec(history->db, "BEGIN; SELECT 1 FROM sqlite_master LIMIT 1", NULL, NULL, NULL) ==
        SQLITE_OK;
    return history->in_transaction;
}

static void let_go(struct sw_history *history)
{
    (void)sqlite3_exec(history->db, "ROLLBACK", NULL, NULL, NULL);
    history->in_transaction = false;
}

bool sw_history_read_alike(struct sw_history *a, struct sw_history *b)
{
    for (int i = 0; i < ALIKE_TRIES; i++) {
        /* b begins between two looks of a: when nothing changed for a, they see the same */
        int64_t before = ask_number(a, "PRAGMA data_version", -1);
        if (hold(b) && hold(a) && before >= 0 && ask_number(a, "PRAGMA data_version", -2) == before)
            return true;
        let_go(b);
        let_go(a);
    }
    return false;
}
