/*
 * history_inside.h - what the reading and the writing half of the history share.
 */
#ifndef SW_STORE_HISTORY_INSIDE_H
#define SW_STORE_HISTORY_INSIDE_H

#include "store/history.h"
#include "store/memo.h"

#include "base/arena.h"

#include <sqlite3.h>

/* The columns of a session (table `fact`, layout.c says what is in them) in the order in which they
 * are written and read; the first is FIRST's. */
#define SW_FACT_COLUMNS(FIRST, X)                                                                  \
    FIRST(N, "n")                                                                                  \
    X(ID, "id")                                                                                    \
    X(RUN, "run")                                                                                  \
    X(START, "start_ns")                                                                           \
    X(FILE, "file")                                                                                \
    X(FIRST_FRAME, "first_frame")                                                                  \
    X(CLIENT, "client")                                                                            \
    X(PEER, "peer")                                                                                \
    X(SHAPE, "shape")                                                                              \
    X(CERTIFICATE, "certificate")                                                                  \
    X(GREETING_DELAY, "greeting_delay_ns")                                                         \
    X(GREETING_WAIT, "greeting_wait_ns")                                                           \
    X(FRAMES, "frames")

/* What many sessions have in common (table `shape`). */
#define SW_SHAPE_COLUMNS(FIRST, X)                                                                 \
    FIRST(OUTCOME, "outcome")                                                                      \
    X(CAUSE, "cause")                                                                              \
    X(SECURITY, "security")                                                                        \
    X(LOGIN, "login")                                                                              \
    X(CLEAR_MAIL, "clear_mail")                                                                    \
    X(STARTTLS, "starttls")                                                                        \
    X(TLS, "tls")                                                                                  \
    X(TLS_VERSION, "tls_version")                                                                  \
    X(CERTIFIED, "certified")                                                                      \
    X(CERTIFICATE_PROBLEMS, "certificate_problems")                                                \
    X(GREETING_DUE, "greeting_due")                                                                \
    X(CLEAR_KEYWORDS, "clear_keywords")                                                            \
    X(INNER_KEYWORDS, "inner_keywords")                                                            \
    X(FINDINGS, "findings")

#define SW_COLUMN_NUMBER(symbol, name) SW_COLUMN_##symbol,
#define SW_SHAPE_NUMBER(symbol, name) SW_SHAPE_##symbol,
enum sw_fact_column { SW_FACT_COLUMNS(SW_COLUMN_NUMBER, SW_COLUMN_NUMBER) SW_COLUMN_COUNT };
enum sw_shape_column { SW_SHAPE_COLUMNS(SW_SHAPE_NUMBER, SW_SHAPE_NUMBER) SW_SHAPE_COLUMN_COUNT };

/* For lists of columns in SQL: "a,b,c", "?,?,?", "a=? AND b=? AND c=?". */
#define SW_SQL_NAME(symbol, name) name
#define SW_SQL_NEXT_NAME(symbol, name) "," name
#define SW_SQL_MARK(symbol, name) "?"
#define SW_SQL_NEXT_MARK(symbol, name) ",?"
#define SW_SQL_IS(symbol, name) name "=?"
#define SW_SQL_AND_IS(symbol, name) " AND " name "=?"

/* Frames of a session that `frames` has before those of its findings. */
enum sw_frame_of {
    SW_FRAME_CLEAR_MAIL,
    SW_FRAME_STARTTLS,
    SW_FRAME_TLS,
    SW_FRAME_CERTIFICATE,
    SW_FRAME_GREETING,
    SW_FRAMES_OF,
};

enum sw_statement {
    SW_STATEMENT_FACT,
    SW_STATEMENT_FACT_OF,
    SW_STATEMENT_LOGIN,
    SW_STATEMENT_FORGET_LOGINS,
    SW_STATEMENT_FILE,
    SW_STATEMENT_FILE_ID,
    SW_STATEMENT_CERTIFICATE,
    SW_STATEMENT_CERTIFICATE_ID,
    SW_STATEMENT_PEER,
    SW_STATEMENT_PEER_ID,
    SW_STATEMENT_SHAPE,
    SW_STATEMENT_SHAPE_ID,
    SW_STATEMENT_VERSION,
    SW_STATEMENTS,
};

struct sw_history {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *statements[SW_STATEMENTS]; /* made when they are first needed */
    int64_t run;
    uint32_t open_facts; /* since the transaction began */
    bool in_transaction;
    int64_t version; /* as SQLite counts what others have changed */
    /* the last one that was looked up: sessions of one capture come one after the other */
    char *names; /* as in the table `file`; owned */
    int64_t file_id;
    struct sw_memo certificates, peers, shapes;
    char error[400];
};

/* Keeps what sqlite says went wrong; always false. */
bool sw_history_fail(struct sw_history *history);
/* The number in the 16 hex digits of a session's id. */
int64_t sw_history_id(const char *id);
/* The statement, ready for binding; NULL on failure. */
sqlite3_stmt *sw_history_prepare(struct sw_history *history, enum sw_statement which);
/* The number that a query gives; 0 when it gives none, -1 on failure. */
int64_t sw_history_ask(struct sw_history *history, sqlite3_stmt *statement);
/* Begins a transaction unless there is one. */
bool sw_history_begin(struct sw_history *history);
/* What was remembered of rows may not be so any more. */
void sw_history_forget_rows(struct sw_history *history);

#endif
