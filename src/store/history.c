/*
 * history.c - opens the file and writes facts to it.
 */
#include "store/history_inside.h"

#include "base/time.h"
#include "base/frame_ref.h"
#include "store/layout.h"

#include <stdio.h>
#include <stdlib.h>

enum { COMMIT_EVERY = 10000, BUSY_MS = 10000, NAMES_BYTES = 1 << 20, FINDINGS_BYTES = 8192 };

bool sw_history_fail(struct sw_history *history)
{
    (void)snprintf(history->error, sizeof(history->error), "%s: %s", history->path,
                   sqlite3_errmsg(history->db));
    return false;
}

const char *sw_history_error(const struct sw_history *history)
{
    return history->error;
}

int64_t sw_history_id(const char *id)
{
    return (int64_t)strtoull(id, NULL, 16);
}

struct sw_history *sw_history_open(const char *path, bool write, struct sw_status *status)
{
    struct sw_history *history = calloc(1, sizeof(*history));
    int flags = write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    *status = sw_status_ok();
    if (!history) {
        *status = sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", path);
        return NULL;
    }
    history->path = path;
    bool good = sqlite3_open_v2(path, &history->db, flags, NULL) == SQLITE_OK;
    if (!good)
        *status = sw_status_make(SW_UNREADABLE, 0, "%s: %s", path, sqlite3_errmsg(history->db));
    if (good)
        (void)sqlite3_busy_timeout(history->db, BUSY_MS);
    good = good && (write ? sw_layout_upgrade(history->db, path, status)
                          : sw_layout_check(history->db, path, status));
    if (good && write &&
        sqlite3_exec(history->db,
                     "PRAGMA synchronous=FULL; PRAGMA cache_size=-32768; PRAGMA temp_store=MEMORY",
                     NULL, NULL, NULL) != SQLITE_OK) {
        *status = sw_status_make(SW_UNREADABLE, 0, "%s: %s", path, sqlite3_errmsg(history->db));
        good = false;
    }
    if (good)
        return history;
    (void)sqlite3_close(history->db);
    free(history);
    return NULL;
}

/* The statement, ready for binding; NULL on failure. */
static sqlite3_stmt *prepare(struct sw_history *history, enum sw_statement which)
{
#define SW_FIRST(symbol, name) name
#define SW_COLUMN(symbol, name) "," name
#define SW_FIRST_MARK(symbol, name) "?"
#define SW_MARK(symbol, name) ",?"
    static const char insert_certificate[] =
        "INSERT OR IGNORE INTO certificate(sha256,subject,issuer,names,not_before,not_after) "
        "VALUES(?,?,?,?,?,?)";
    static const char *const sql[SW_STATEMENTS] = {
        [SW_STATEMENT_SESSION] = "INSERT OR REPLACE INTO session(" SW_SESSION_COLUMNS(
            SW_FIRST, SW_COLUMN) ") VALUES(" SW_SESSION_COLUMNS(SW_FIRST_MARK, SW_MARK) ")",
        [SW_STATEMENT_RUN_OF] = "SELECT run FROM session WHERE id=?",
        [SW_STATEMENT_LOGIN] = "INSERT INTO login VALUES(?,?,?,?,?,?,?)",
        [SW_STATEMENT_FORGET_LOGINS] = "DELETE FROM login WHERE session=?",
        [SW_STATEMENT_FILE] = "INSERT OR IGNORE INTO file(names) VALUES(?)",
        [SW_STATEMENT_FILE_ID] = "SELECT id FROM file WHERE names=?",
        [SW_STATEMENT_CERTIFICATE] = insert_certificate,
        [SW_STATEMENT_CERTIFICATE_ID] = "SELECT id FROM certificate WHERE sha256=?",
    };
#undef SW_FIRST
#undef SW_COLUMN
#undef SW_FIRST_MARK
#undef SW_MARK
    sqlite3_stmt **statement = &history->statements[which];
    if (!*statement && sqlite3_prepare_v3(history->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT,
                                          statement, NULL) != SQLITE_OK) {
        (void)sw_history_fail(history);
        return NULL;
    }
    (void)sqlite3_reset(*statement);
    (void)sqlite3_clear_bindings(*statement);
    return *statement;
}

static bool run_to_end(struct sw_history *history, sqlite3_stmt *statement)
{
    bool good = sqlite3_step(statement) == SQLITE_DONE;
    if (!good)
        (void)sw_history_fail(history);
    (void)sqlite3_reset(statement);
    return good;
}

/* The number that a query gives; 0 when it gives none, -1 on failure. */
static int64_t ask(struct sw_history *history, sqlite3_stmt *statement)
{
    int result = sqlite3_step(statement);
    int64_t value = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        (void)sw_history_fail(history);
        value = -1;
    }
    (void)sqlite3_reset(statement);
    return value;
}

static void bind_span(sqlite3_stmt *statement, int at, struct sw_span text)
{
    if (text.len > 0)
        (void)sqlite3_bind_text(statement, at, (const char *)text.ptr, (int)text.len,
                                SQLITE_STATIC);
}

static void bind_str(sqlite3_stmt *statement, int at, const char *text)
{
    bind_span(statement, at, sw_span_str(text));
}

static bool begin(struct sw_history *history)
{
    if (history->in_transaction)
        return true;
    if (sqlite3_exec(history->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return sw_history_fail(history);
    history->in_transaction = true;
    history->open_facts = 0;
    return true;
}

bool sw_history_commit(struct sw_history *history)
{
    if (!history->in_transaction)
        return true;
    if (sqlite3_exec(history->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        return sw_history_fail(history);
    history->in_transaction = false;
    return true;
}

void sw_history_rollback(struct sw_history *history)
{
    /* Some failures have done so already; then there is nothing to take back. */
    (void)sqlite3_exec(history->db, "ROLLBACK", NULL, NULL, NULL);
    history->in_transaction = false;
    history->file_id = history->certificate_id = 0; /* their rows may be gone */
}

bool sw_history_begin_run(struct sw_history *history, const char *what, int64_t now_ns)
{
    sqlite3_stmt *statement = NULL;
    bool good = sqlite3_prepare_v2(history->db, "INSERT INTO run(began_ns,what) VALUES(?,?)", -1,
                                   &statement, NULL) == SQLITE_OK &&
                sqlite3_bind_int64(statement, 1, now_ns) == SQLITE_OK &&
                sqlite3_bind_text(statement, 2, what, -1, SQLITE_STATIC) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_DONE;
    if (!good)
        (void)sw_history_fail(history);
    (void)sqlite3_finalize(statement);
    history->run = good ? sqlite3_last_insert_rowid(history->db) : 0;
    return good;
}

static unsigned count_names(const struct sw_fact *fact)
{
    return fact->file_count > 1 ? fact->file_count : 1;
}

static const char *name_at(const struct sw_fact *fact, unsigned index)
{
    return fact->file_count > 1 ? fact->files[index] : fact->file;
}

/* Are these the names of the fact's captures, with LF between them? */
static bool are_names_of(const char *names, const struct sw_fact *fact)
{
    for (unsigned i = 0; i < count_names(fact); i++) {
        size_t length = strlen(name_at(fact, i));
        char end = i + 1 < count_names(fact) ? '\n' : '\0';
        if (strncmp(names, name_at(fact, i), length) != 0 || names[length] != end)
            return false;
        names += length + 1;
    }
    return true;
}

/* NULL when they do not fit. */
static char *join_names(const struct sw_fact *fact)
{
    size_t room = 1;
    size_t used = 0;
    for (unsigned i = 0; i < count_names(fact); i++)
        room += strlen(name_at(fact, i)) + 1;
    char *names = room <= NAMES_BYTES ? malloc(room) : NULL;
    for (unsigned i = 0; names && i < count_names(fact); i++)
        used += (size_t)snprintf(names + used, room - used, "%s%s", i > 0 ? "\n" : "",
                                 name_at(fact, i));
    return names;
}

/* The row of the capture, or of the series of captures; -1 on failure. */
static int64_t keep_file(struct sw_history *history, const struct sw_fact *fact)
{
    if (history->names && history->file_id > 0 && are_names_of(history->names, fact))
        return history->file_id;
    free(history->names);
    history->names = join_names(fact);
    history->file_id = -1;
    if (!history->names) {
        (void)snprintf(history->error, sizeof(history->error), "%s: out of memory", history->path);
        return -1;
    }
    sqlite3_stmt *insert = prepare(history, SW_STATEMENT_FILE);
    sqlite3_stmt *query = prepare(history, SW_STATEMENT_FILE_ID);
    if (!insert || !query)
        return -1;
    bind_str(insert, 1, history->names);
    bind_str(query, 1, history->names);
    history->file_id = run_to_end(history, insert) ? ask(history, query) : -1;
    return history->file_id;
}

/* The row of the certificate; 0 when there is none. */
static int64_t keep_certificate(struct sw_history *history, const struct sw_fact *fact)
{
    const struct sw_fact_certificate *c = &fact->certificate;
    if (!c->known)
        return 0;
    if (history->certificate_id > 0 && strcmp(history->sha256, c->sha256) == 0)
        return history->certificate_id;
    sqlite3_stmt *insert = prepare(history, SW_STATEMENT_CERTIFICATE);
    sqlite3_stmt *query = prepare(history, SW_STATEMENT_CERTIFICATE_ID);
    if (!insert || !query)
        return -1;
    bind_str(insert, 1, c->sha256);
    bind_span(insert, 2, c->subject);
    bind_span(insert, 3, c->issuer);
    bind_span(insert, 4, c->names);
    bind_str(insert, 5, c->not_before);
    bind_str(insert, 6, c->not_after);
    bind_str(query, 1, c->sha256);
    history->certificate_id = run_to_end(history, insert) ? ask(history, query) : -1;
    (void)snprintf(history->sha256, sizeof(history->sha256), "%s", c->sha256);
    return history->certificate_id;
}

static void write_findings(const struct sw_fact *fact, char out[FINDINGS_BYTES])
{
    size_t used = 1;
    out[0] = '[';
    for (unsigned i = 0; i < fact->finding_count && used < FINDINGS_BYTES - 120; i++)
        used +=
            (size_t)snprintf(out + used, FINDINGS_BYTES - used, "%s[\"%s\",%d,%lld]",
                             i > 0 ? "," : "", sw_finding_info(fact->findings[i].id)->id,
                             (int)fact->findings[i].severity, (long long)fact->findings[i].frame);
    out[used] = ']';
    out[used + 1] = '\0';
}

/* The run that saw the session first: this one, when it is new. */
static int64_t first_run(struct sw_history *history, int64_t id)
{
    sqlite3_stmt *query = prepare(history, SW_STATEMENT_RUN_OF);
    if (!query)
        return -1;
    (void)sqlite3_bind_int64(query, 1, id);
    int64_t run = ask(history, query);
    return run == 0 ? history->run : run;
}

static void bind_frame(sqlite3_stmt *s, int at, uint64_t frame)
{
    if (frame != 0)
        (void)sqlite3_bind_int64(s, at, (int64_t)frame);
}

static void bind_session(sqlite3_stmt *s, const struct sw_fact *f, const char *findings)
{
#define AT(symbol) (SW_COLUMN_##symbol + 1)
    int address = f->ip_version == 4 ? 4 : 16;
    (void)sqlite3_bind_int64(s, AT(START), f->start_ns);
    (void)sqlite3_bind_int64(s, AT(FIRST_FRAME), (int64_t)f->first_frame);
    (void)sqlite3_bind_blob(s, AT(CLIENT), f->client, address, SQLITE_STATIC);
    if (f->has_server)
        (void)sqlite3_bind_blob(s, AT(SERVER), f->server, address, SQLITE_STATIC);
    (void)sqlite3_bind_int(s, AT(PORT), f->server_port);
    bind_span(s, AT(SERVER_NAME), f->server_name);
    bind_str(s, AT(OUTCOME), sw_outcome_name(f->outcome));
    bind_str(s, AT(CAUSE), sw_cause_info(f->cause)->id);
    if (f->security != SW_SECURITY_UNKNOWN)
        bind_str(s, AT(SECURITY), sw_security_name(f->security));
    (void)sqlite3_bind_int(s, AT(LOGIN), (int)f->login);
    (void)sqlite3_bind_int(s, AT(CLEAR_MAIL), (int)f->clear_mail);
    bind_frame(s, AT(CLEAR_MAIL_FRAME), f->clear_mail_frame);
    (void)sqlite3_bind_int(s, AT(STARTTLS), (int)f->starttls);
    bind_frame(s, AT(STARTTLS_FRAME), f->starttls_frame);
    (void)sqlite3_bind_int(s, AT(TLS), (int)f->tls);
    (void)sqlite3_bind_int(s, AT(TLS_VERSION), f->tls_version);
    bind_frame(s, AT(TLS_FRAME), f->tls_frame);
    (void)sqlite3_bind_int(s, AT(CERTIFIED), (int)f->certified);
    (void)sqlite3_bind_int64(s, AT(CERTIFICATE_PROBLEMS), f->certificate.problems);
    bind_frame(s, AT(CERTIFICATE_FRAME), f->certificate.frame);
    if (f->greeting_delay_ns != SW_TIME_NONE)
        (void)sqlite3_bind_int64(s, AT(GREETING_DELAY), f->greeting_delay_ns);
    (void)sqlite3_bind_int(s, AT(GREETING_DUE), f->greeting_due);
    (void)sqlite3_bind_int64(s, AT(GREETING_WAIT), f->greeting_wait_ns);
    bind_frame(s, AT(GREETING_FRAME), f->greeting_frame);
    bind_span(s, AT(CLEAR_KEYWORDS), f->clear_keywords);
    bind_span(s, AT(INNER_KEYWORDS), f->inner_keywords);
    bind_str(s, AT(FINDINGS), findings);
}

static bool add_session(struct sw_history *history, const struct sw_fact *fact, int64_t id)
{
    char findings[FINDINGS_BYTES];
    int64_t run = first_run(history, id);
    int64_t file = keep_file(history, fact);
    int64_t certificate = keep_certificate(history, fact);
    sqlite3_stmt *s = prepare(history, SW_STATEMENT_SESSION);
    if (run < 0 || file < 0 || certificate < 0 || !s)
        return false;
    write_findings(fact, findings);
    bind_session(s, fact, findings);
    (void)sqlite3_bind_int64(s, AT(ID), id);
    (void)sqlite3_bind_int64(s, AT(RUN), run);
    (void)sqlite3_bind_int64(s, AT(FILE), file);
    if (certificate > 0)
        (void)sqlite3_bind_int64(s, AT(CERTIFICATE), certificate);
    return run_to_end(history, s);
}

static bool add_logins(struct sw_history *history, const struct sw_fact *fact, int64_t id)
{
    sqlite3_stmt *forget = prepare(history, SW_STATEMENT_FORGET_LOGINS);
    if (!forget)
        return false;
    (void)sqlite3_bind_int64(forget, 1, id);
    bool good = run_to_end(history, forget);
    for (unsigned i = 0; good && i < fact->login_count; i++) {
        const struct sw_fact_login *login = &fact->logins[i];
        sqlite3_stmt *s = prepare(history, SW_STATEMENT_LOGIN);
        if (!s)
            return false;
        (void)sqlite3_bind_int64(s, 1, id);
        (void)sqlite3_bind_int(s, 2, (int)i);
        bind_span(s, 3, login->user);
        bind_span(s, 4, login->mechanism);
        (void)sqlite3_bind_int(s, 5, login->exposed);
        (void)sqlite3_bind_int(s, 6, login->accepted);
        bind_frame(s, 7, login->frame);
        good = run_to_end(history, s);
    }
    return good;
}

bool sw_history_add(struct sw_history *history, const struct sw_fact *fact)
{
    int64_t id = sw_history_id(fact->id);
    if (!begin(history) || !add_session(history, fact, id) || !add_logins(history, fact, id))
        return false;
    return ++history->open_facts < COMMIT_EVERY || sw_history_commit(history);
}

bool sw_history_forget(struct sw_history *history, int64_t before_ns, uint64_t *forgotten)
{
    char sql[320];
    *forgotten = 0;
    (void)snprintf(sql, sizeof(sql),
                   "DELETE FROM login WHERE session IN (SELECT id FROM session WHERE "
                   "start_ns<%lld)",
                   (long long)before_ns);
    if (!sw_history_commit(history) || !begin(history) ||
        sqlite3_exec(history->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sw_history_fail(history);
    (void)snprintf(sql, sizeof(sql), "DELETE FROM session WHERE start_ns<%lld",
                   (long long)before_ns);
    if (sqlite3_exec(history->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sw_history_fail(history);
    *forgotten = (uint64_t)sqlite3_changes(history->db);
    if (*forgotten > 0 &&
        sqlite3_exec(history->db,
                     "DELETE FROM file WHERE id NOT IN (SELECT file FROM session);"
                     "DELETE FROM certificate WHERE id NOT IN (SELECT certificate FROM session "
                     "WHERE certificate IS NOT NULL)",
                     NULL, NULL, NULL) != SQLITE_OK)
        return sw_history_fail(history);
    history->file_id = history->certificate_id = 0;
    return sw_history_commit(history);
}

bool sw_history_close(struct sw_history *history)
{
    if (!history)
        return true;
    bool good = sw_history_commit(history);
    for (int i = 0; i < SW_STATEMENTS; i++)
        (void)sqlite3_finalize(history->statements[i]);
    (void)sqlite3_close(history->db);
    free(history->names);
    free(history);
    return good;
}
