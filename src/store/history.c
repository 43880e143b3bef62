/*
 * history.c - opens the file, keeps its transactions, and forgets what is old.
 */
#include "store/history_inside.h"

#include "store/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_MS = 10000, FILE_MODE = 0666 };

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

/*
 * "Permission denied" tells more than "unable to open database file". Of a file that cannot be made
 * SQLite knows only that it is not there: it has tried to read it at last.
 */
static const char *why_not(const struct sw_history *history, int flags)
{
    bool unopened = sqlite3_errcode(history->db) == SQLITE_CANTOPEN;
    int error = unopened ? sqlite3_system_errno(history->db) : 0;
    if (error == ENOENT && (flags & SQLITE_OPEN_CREATE)) {
        int fd = open(history->path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
        error = fd < 0 ? errno : error;
        if (fd >= 0)
            (void)close(fd);
    }
    return error != 0 ? strerror(error) : sqlite3_errmsg(history->db);
}

static bool connect_to(struct sw_history *history, int flags, struct sw_status *status)
{
    bool good = sqlite3_open_v2(history->path, &history->db, flags | SQLITE_OPEN_NOMUTEX, NULL) ==
                SQLITE_OK;
    if (good)
        (void)sqlite3_busy_timeout(history->db, BUSY_MS);
    else
        *status =
            sw_status_make(SW_UNREADABLE, 0, "%s: %s", history->path, why_not(history, flags));
    return good;
}

static bool open_for_writing(struct sw_history *history, struct sw_status *status)
{
    if (!connect_to(history, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, status) ||
        !sw_layout_upgrade(history->db, history->path, status))
        return false;
    if (sqlite3_exec(history->db,
                     "PRAGMA synchronous=FULL; PRAGMA cache_size=-32768; PRAGMA temp_store=MEMORY",
                     NULL, NULL, NULL) == SQLITE_OK)
        return true;
    *status =
        sw_status_make(SW_UNREADABLE, 0, "%s: %s", history->path, sqlite3_errmsg(history->db));
    return false;
}

/* One that an earlier version made is brought up to the present layout first. */
static bool open_for_reading(struct sw_history *history, struct sw_status *status)
{
    bool old = false;
    if (!connect_to(history, SQLITE_OPEN_READONLY, status) ||
        !sw_layout_check(history->db, history->path, &old, status))
        return false;
    if (!old)
        return true;
    (void)sqlite3_close(history->db);
    history->db = NULL;
    if (connect_to(history, SQLITE_OPEN_READWRITE, status) &&
        sw_layout_upgrade(history->db, history->path, status))
        return true;
    *status = sw_status_make(SW_UNREADABLE, 0,
                             "%s: was made by an earlier version of smtpwhy and has to be brought "
                             "up to date, which failed: %s",
                             history->path, sqlite3_errmsg(history->db));
    return false;
}

struct sw_history *sw_history_open(const char *path, bool write, struct sw_status *status)
{
    struct sw_history *history = calloc(1, sizeof(*history));
    *status = sw_status_ok();
    if (!history) {
        *status = sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", path);
        return NULL;
    }
    history->path = path;
    sw_memo_init(&history->certificates);
    sw_memo_init(&history->peers);
    sw_memo_init(&history->shapes);
    if (write ? open_for_writing(history, status) : open_for_reading(history, status))
        return history;
    (void)sqlite3_close(history->db);
    free(history);
    return NULL;
}

sqlite3_stmt *sw_history_prepare(struct sw_history *history, enum sw_statement which)
{
    static const char *const sql[SW_STATEMENTS] = {
        [SW_STATEMENT_FACT] = "INSERT OR REPLACE INTO fact(" SW_FACT_COLUMNS(
            SW_SQL_NAME, SW_SQL_NEXT_NAME) ") VALUES(" SW_FACT_COLUMNS(SW_SQL_MARK,
                                                                       SW_SQL_NEXT_MARK) ")",
        [SW_STATEMENT_FACT_OF] = "SELECT n,run FROM fact WHERE id=?",
        [SW_STATEMENT_LOGIN] = "INSERT INTO login VALUES(?,?,?,?,?,?,?)",
        [SW_STATEMENT_FORGET_LOGINS] = "DELETE FROM login WHERE fact=?",
        [SW_STATEMENT_FILE] = "INSERT OR IGNORE INTO file(names) VALUES(?)",
        [SW_STATEMENT_FILE_ID] = "SELECT id FROM file WHERE names=?",
        [SW_STATEMENT_CERTIFICATE] = "INSERT OR IGNORE INTO certificate(sha256,subject,issuer,"
                                     "names,not_before,not_after) VALUES(?,?,?,?,?,?)",
        [SW_STATEMENT_CERTIFICATE_ID] = "SELECT id FROM certificate WHERE sha256=?",
        [SW_STATEMENT_PEER] = "INSERT OR IGNORE INTO peer(server,port,name) VALUES(?,?,?)",
        [SW_STATEMENT_PEER_ID] = "SELECT id FROM peer WHERE server=? AND port=? AND name=?",
        [SW_STATEMENT_SHAPE] = "INSERT OR IGNORE INTO shape(" SW_SHAPE_COLUMNS(
            SW_SQL_NAME, SW_SQL_NEXT_NAME) ") VALUES(" SW_SHAPE_COLUMNS(SW_SQL_MARK,
                                                                        SW_SQL_NEXT_MARK) ")",
        [SW_STATEMENT_SHAPE_ID] =
            "SELECT id FROM shape WHERE " SW_SHAPE_COLUMNS(SW_SQL_IS, SW_SQL_AND_IS),
        [SW_STATEMENT_VERSION] = "PRAGMA data_version",
    };
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

int64_t sw_history_ask(struct sw_history *history, sqlite3_stmt *statement)
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

void sw_history_forget_rows(struct sw_history *history)
{
    history->file_id = 0;
    sw_memo_clear(&history->certificates);
    sw_memo_clear(&history->peers);
    sw_memo_clear(&history->shapes);
}

bool sw_history_begin(struct sw_history *history)
{
    if (history->in_transaction)
        return true;
    if (sqlite3_exec(history->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return sw_history_fail(history);
    history->in_transaction = true;
    history->open_facts = 0;
    sqlite3_stmt *query = sw_history_prepare(history, SW_STATEMENT_VERSION);
    int64_t version = query ? sw_history_ask(history, query) : -1;
    if (version != history->version) /* another program may have forgotten what is remembered */
        sw_history_forget_rows(history);
    history->version = version;
    return version >= 0;
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
    sw_history_forget_rows(history); /* they may be gone */
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

bool sw_history_forget(struct sw_history *history, int64_t before_ns, uint64_t *forgotten)
{
    static const char unused[] =
        "DELETE FROM file WHERE id NOT IN (SELECT file FROM fact);"
        "DELETE FROM peer WHERE id NOT IN (SELECT peer FROM fact);"
        "DELETE FROM shape WHERE id NOT IN (SELECT shape FROM fact);"
        "DELETE FROM certificate WHERE id NOT IN (SELECT certificate FROM fact WHERE certificate "
        "IS NOT NULL)";
    char sql[200];
    *forgotten = 0;
    (void)snprintf(sql, sizeof(sql),
                   "DELETE FROM login WHERE fact IN (SELECT n FROM fact WHERE start_ns<%lld)",
                   (long long)before_ns);
    if (!sw_history_commit(history) || !sw_history_begin(history) ||
        sqlite3_exec(history->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sw_history_fail(history);
    (void)snprintf(sql, sizeof(sql), "DELETE FROM fact WHERE start_ns<%lld", (long long)before_ns);
    if (sqlite3_exec(history->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sw_history_fail(history);
    *forgotten = (uint64_t)sqlite3_changes(history->db);
    if (*forgotten > 0 && sqlite3_exec(history->db, unused, NULL, NULL, NULL) != SQLITE_OK)
        return sw_history_fail(history);
    sw_history_forget_rows(history);
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
    sw_history_forget_rows(history);
    free(history->names);
    free(history);
    return good;
}
