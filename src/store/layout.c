#include "store/layout.h"

#include <stdio.h>

/* "SWhy": what `file` and we know the file by. */
enum { APPLICATION_ID = 0x53576879 };

/*
 * One step for each version, never changed once it was released. In `session`: times are
 * nanoseconds since 1970; a frame is its number, and above 2^48 the place of its file among the
 * lines of file.names; addresses are the 4 or 16 bytes; findings is a JSON array of [id, severity
 * 0 to 4, frame].
 */
static const char *const steps[] = {
    "CREATE TABLE run(id INTEGER PRIMARY KEY, began_ns INTEGER NOT NULL, what TEXT NOT NULL);"
    "CREATE TABLE file(id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE);"
    "CREATE TABLE certificate(id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE,"
    " subject TEXT, issuer TEXT, names TEXT, not_before TEXT, not_after TEXT);"
    "CREATE TABLE session(id INTEGER PRIMARY KEY, run INTEGER NOT NULL, start_ns INTEGER NOT NULL,"
    " file INTEGER NOT NULL, first_frame INTEGER NOT NULL, client BLOB NOT NULL, server BLOB,"
    " port INTEGER NOT NULL, server_name TEXT, outcome TEXT NOT NULL, cause TEXT NOT NULL,"
    " security TEXT, login INTEGER, clear_mail INTEGER, clear_mail_frame INTEGER,"
    " starttls INTEGER, starttls_frame INTEGER, tls INTEGER, tls_version INTEGER,"
    " tls_frame INTEGER, certified INTEGER, certificate INTEGER, certificate_problems INTEGER,"
    " certificate_frame INTEGER, greeting_delay_ns INTEGER, greeting_due INTEGER,"
    " greeting_wait_ns INTEGER, greeting_frame INTEGER, clear_keywords TEXT,"
    " inner_keywords TEXT, findings TEXT NOT NULL);"
    "CREATE INDEX session_start ON session(start_ns);"
    "CREATE INDEX session_run ON session(run);"
    "CREATE TABLE login(session INTEGER NOT NULL, seq INTEGER NOT NULL, user TEXT, mechanism TEXT,"
    " exposed INTEGER NOT NULL, accepted INTEGER NOT NULL, frame INTEGER,"
    " PRIMARY KEY(session, seq)) WITHOUT ROWID;",
};

enum { VERSION = sizeof(steps) / sizeof(steps[0]) };

static int64_t pragma(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return value;
}

static bool fail(sqlite3 *db, const char *path, struct sw_status *status)
{
    bool foreign = sqlite3_errcode(db) == SQLITE_NOTADB || sqlite3_errcode(db) == SQLITE_CORRUPT;
    *status =
        sw_status_make(SW_UNREADABLE, 0, "%s: %s", path,
                       foreign ? "is no history of smtpwhy, or is damaged" : sqlite3_errmsg(db));
    return false;
}

bool sw_layout_check(sqlite3 *db, const char *path, struct sw_status *status)
{
    int64_t id = pragma(db, "PRAGMA application_id");
    int64_t version = pragma(db, "PRAGMA user_version");
    if (id < 0 || version < 0)
        return fail(db, path, status);
    if (id != APPLICATION_ID) {
        *status = sw_status_make(SW_UNREADABLE, 0, "%s: is no history of smtpwhy", path);
        return false;
    }
    if (version > VERSION) {
        *status = sw_status_make(SW_UNSUPPORTED, 0,
                                 "%s: was made by a later version of smtpwhy (layout %d, this one "
                                 "knows %d)",
                                 path, (int)version, VERSION);
        return false;
    }
    return true;
}

/* An empty file is a history that has yet to be made; any other database is not ours to change. */
static bool is_ours_or_empty(sqlite3 *db, const char *path, struct sw_status *status)
{
    int64_t tables = pragma(db, "SELECT count(*) FROM sqlite_master");
    if (tables < 0)
        return fail(db, path, status);
    return tables == 0 || sw_layout_check(db, path, status);
}

bool sw_layout_upgrade(sqlite3 *db, const char *path, struct sw_status *status)
{
    char set[80];
    if (!is_ours_or_empty(db, path, status))
        return false;
    if (sqlite3_exec(db, "PRAGMA journal_mode=WAL; BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return fail(db, path, status);
    int64_t version = pragma(db, "PRAGMA user_version"); /* another program may have been faster */
    bool good = version >= 0;
    for (int64_t at = version; good && at < VERSION; at++)
        good = sqlite3_exec(db, steps[at], NULL, NULL, NULL) == SQLITE_OK;
    (void)snprintf(set, sizeof(set), "PRAGMA application_id=%d; PRAGMA user_version=%d",
                   APPLICATION_ID, VERSION);
    good = good && sqlite3_exec(db, set, NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    if (!good) {
        (void)fail(db, path, status);
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return good;
}
