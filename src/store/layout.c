#include "store/layout.h"

#include <stdio.h>

/* "SWhy": what `file` and we know the file by. */
enum { APPLICATION_ID = 0x53576879 };

/*
 * How the file is laid out. Times are nanoseconds since 1970.
 *
 *   fact         one session each, in the order in which they were kept. `first_frame` is the
 *                number of a frame, and above 2^48 the place of its file among the lines of
 *                file.names; `frames` is a JSON array of frames, less first_frame: of the mail in
 *                clear text, of what was said of STARTTLS, of TLS, of the certificate, of the
 *                greeting, and then of each finding; null is none. Addresses are 4 or 16 bytes.
 *   shape        what many sessions have in common; `findings` is a JSON array of [id, severity 0
 *                to 4]. `login` to `certified` are enum sw_seen: 0 nothing, 1 unclear, 2 no, 3 yes.
 *   peer         servers; without an address when nobody was reached.
 *   session      a view for people: sessions with all of that, put into words
 *   finding      the same for findings, one row each
 *   login, certificate, file, run
 */
/* Pieces of what follows, each a macro without arguments where it is used. */
#define DIGIT(at) "(instr('0123456789ABCDEF',substr(hex(x)," #at ",1))-1)"
#define BYTE(high, low) DIGIT(high) "*16+" DIGIT(low)
#define IPV4 "printf('%d.%d.%d.%d'," BYTE(1, 2) "," BYTE(3, 4) "," BYTE(5, 6) "," BYTE(7, 8) ")"
#define WORD(at) "lower(substr(hex(x)," #at ",4))"
#define COLON "||':'||"
#define IPV6_HIGH WORD(1) COLON WORD(5) COLON WORD(9) COLON WORD(13)
#define IPV6_LOW WORD(17) COLON WORD(21) COLON WORD(25) COLON WORD(29)
#define ADDRESS "CASE length(x) WHEN 4 THEN " IPV4 " WHEN 16 THEN " IPV6_HIGH COLON IPV6_LOW " END"
/* The address in a column, as text. */
#define ADDRESS_OF(column) "(SELECT " ADDRESS " FROM (SELECT " column " AS x))"
#define CLIENT ADDRESS_OF("f.client")
#define SERVER ADDRESS_OF("peer.server")
#define FRAME(at) "f.first_frame+json_extract(f.frames,'$[" #at "]')"
#define CLEAR_MAIL FRAME(0)
#define STARTTLS FRAME(1)
#define TLS FRAME(2)
#define CERTIFICATE FRAME(3)
#define GREETING FRAME(4)
#define MOVED(frame) "coalesce(" frame "-first_frame,'null')||','||"
#define MOVED_MAIL MOVED("clear_mail_frame") MOVED("starttls_frame")
#define MOVED_TLS MOVED("tls_frame") MOVED("certificate_frame")
#define FINDING(at) "json_extract(value,'$[" #at "]')"
#define ID FINDING(0)
#define SEVERITY FINDING(1)
#define PROVED FINDING(2)

/* One step for each version, never changed once it was released. */
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

    "DROP INDEX session_start; DROP INDEX session_run;"
    "ALTER TABLE session RENAME TO old_session; ALTER TABLE login RENAME TO old_login;"
    "CREATE TABLE shape(id INTEGER PRIMARY KEY, outcome TEXT NOT NULL, cause TEXT NOT NULL,"
    " security TEXT NOT NULL, login INTEGER NOT NULL, clear_mail INTEGER NOT NULL,"
    " starttls INTEGER NOT NULL, tls INTEGER NOT NULL, tls_version INTEGER NOT NULL,"
    " certified INTEGER NOT NULL, certificate_problems INTEGER NOT NULL,"
    " greeting_due INTEGER NOT NULL, clear_keywords TEXT NOT NULL, inner_keywords TEXT NOT NULL,"
    " findings TEXT NOT NULL, UNIQUE(cause, findings, clear_keywords, inner_keywords, outcome,"
    " security, login, clear_mail, starttls, tls, tls_version, certified, certificate_problems,"
    " greeting_due));"
    "CREATE TABLE peer(id INTEGER PRIMARY KEY, server BLOB NOT NULL, port INTEGER NOT NULL,"
    " name TEXT NOT NULL, UNIQUE(server, port, name));"
    "CREATE TABLE fact(n INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE, run INTEGER NOT NULL,"
    " start_ns INTEGER NOT NULL, file INTEGER NOT NULL, first_frame INTEGER NOT NULL,"
    " client BLOB NOT NULL, peer INTEGER NOT NULL, shape INTEGER NOT NULL, certificate INTEGER,"
    " greeting_delay_ns INTEGER, greeting_wait_ns INTEGER, frames TEXT NOT NULL);"
    "CREATE INDEX fact_start ON fact(start_ns);"
    "CREATE TABLE login(fact INTEGER NOT NULL, seq INTEGER NOT NULL, user TEXT, mechanism TEXT,"
    " exposed INTEGER NOT NULL, accepted INTEGER NOT NULL, frame INTEGER,"
    " PRIMARY KEY(fact, seq)) WITHOUT ROWID;"

    "CREATE TEMP TABLE moved AS SELECT id, run, start_ns, file, first_frame, client,"
    " coalesce(server,x'') AS server, port, coalesce(server_name,'') AS name, outcome, cause,"
    " coalesce(security,'') AS security, coalesce(login,0) AS login,"
    " coalesce(clear_mail,0) AS clear_mail, coalesce(starttls,0) AS starttls,"
    " coalesce(tls,0) AS tls, coalesce(tls_version,0) AS tls_version,"
    " coalesce(certified,0) AS certified, certificate,"
    " coalesce(certificate_problems,0) AS certificate_problems, greeting_delay_ns,"
    " coalesce(greeting_due,0) AS greeting_due, nullif(greeting_wait_ns,0) AS greeting_wait_ns,"
    " coalesce(clear_keywords,'') AS clear_keywords, coalesce(inner_keywords,'') AS inner_keywords,"
    " (SELECT '['||coalesce(group_concat(json_array(" ID "," SEVERITY ")),'')||']'"
    "  FROM json_each(findings)) AS findings,"
    " '['||" MOVED_MAIL MOVED_TLS "coalesce(greeting_frame-first_frame,'null')||"
    " coalesce((SELECT group_concat(','||coalesce(nullif(" PROVED ",0)-first_frame,'null'),'')"
    "  FROM json_each(findings)),'')||']' AS frames FROM old_session;"
    "INSERT INTO peer(server,port,name) SELECT DISTINCT server,port,name FROM moved;"
    "INSERT INTO shape(outcome,cause,security,login,clear_mail,starttls,tls,tls_version,certified,"
    " certificate_problems,greeting_due,clear_keywords,inner_keywords,findings)"
    " SELECT DISTINCT outcome,cause,security,login,clear_mail,starttls,tls,tls_version,certified,"
    " certificate_problems,greeting_due,clear_keywords,inner_keywords,findings FROM moved;"
    "INSERT INTO fact(id,run,start_ns,file,first_frame,client,peer,shape,certificate,"
    " greeting_delay_ns,greeting_wait_ns,frames)"
    " SELECT m.id,run,start_ns,file,first_frame,client,peer.id,shape.id,certificate,"
    " greeting_delay_ns,greeting_wait_ns,frames FROM moved m"
    " JOIN peer USING(server,port,name)"
    " JOIN shape USING(cause,findings,clear_keywords,inner_keywords,outcome,security,login,"
    " clear_mail,starttls,tls,tls_version,certified,certificate_problems,greeting_due)"
    " ORDER BY start_ns, m.id;"
    "INSERT INTO login SELECT fact.n,seq,user,mechanism,exposed,accepted,frame"
    " FROM old_login JOIN fact ON fact.id=old_login.session;"
    "DROP TABLE moved; DROP TABLE old_session; DROP TABLE old_login;"

    "CREATE VIEW session AS SELECT f.id, f.run, f.start_ns,"
    " strftime('%Y-%m-%dT%H:%M:%S',f.start_ns/1000000000,'unixepoch')||"
    "  printf('.%06dZ',f.start_ns/1000%1000000) AS start, printf('%016x',f.id) AS session,"
    " file.names AS file, f.first_frame, " CLIENT " AS client, " SERVER " AS server,"
    " peer.port, peer.name AS server_name, s.outcome, s.cause, s.security, s.login,"
    " s.clear_mail, " CLEAR_MAIL " AS clear_mail_frame,"
    " s.starttls, " STARTTLS " AS starttls_frame, s.tls, s.tls_version, " TLS " AS tls_frame,"
    " s.certified, c.sha256, c.subject, c.not_after, s.certificate_problems,"
    " " CERTIFICATE " AS certificate_frame, f.greeting_delay_ns, s.greeting_due,"
    " f.greeting_wait_ns, " GREETING " AS greeting_frame, s.clear_keywords, s.inner_keywords,"
    " s.findings FROM fact f JOIN shape s ON s.id=f.shape JOIN peer ON peer.id=f.peer"
    " JOIN file ON file.id=f.file LEFT JOIN certificate c ON c.id=f.certificate;"
    "CREATE VIEW finding AS SELECT f.id AS session, json_extract(j.value,'$[0]') AS finding,"
    " json_extract(j.value,'$[1]') AS severity,"
    " f.first_frame+json_extract(f.frames,'$['||(j.key+5)||']') AS frame"
    " FROM fact f JOIN shape s ON s.id=f.shape JOIN json_each(s.findings) j;",
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
    int error = sqlite3_errcode(db);
    const char *why = sqlite3_errmsg(db);
    if (error == SQLITE_NOTADB || error == SQLITE_CORRUPT)
        why = "is no history of smtpwhy, or is damaged";
    else if (error == SQLITE_READONLY)
        why = "no permission to write to it or to make files beside it, which reading needs as "
              "well; run as its owner";
    *status = sw_status_make(SW_UNREADABLE, 0, "%s: %s", path, why);
    return false;
}

static bool is_known(sqlite3 *db, const char *path, struct sw_status *status)
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

bool sw_layout_check(sqlite3 *db, const char *path, bool *old, struct sw_status *status)
{
    *old = is_known(db, path, status) && pragma(db, "PRAGMA user_version") < VERSION;
    return status->code == SW_OK;
}

/* An empty file is a history that has yet to be made; any other database is not ours to change. */
static bool is_ours_or_empty(sqlite3 *db, const char *path, struct sw_status *status)
{
    int64_t tables = pragma(db, "SELECT count(*) FROM sqlite_master");
    if (tables < 0)
        return fail(db, path, status);
    return tables == 0 || is_known(db, path, status);
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
