/*
 * history_inside.h - what the reading and the writing half of the history share.
 */
#ifndef SW_STORE_HISTORY_INSIDE_H
#define SW_STORE_HISTORY_INSIDE_H

#include "store/history.h"

#include "base/arena.h"

#include <sqlite3.h>

/* The columns of a session, in the order in which they are written and read; the first is FIRST's.
 */
#define SW_SESSION_COLUMNS(FIRST, X)                                                               \
    FIRST(ID, "id")                                                                                \
    X(RUN, "run")                                                                                  \
    X(START, "start_ns")                                                                           \
    X(FILE, "file")                                                                                \
    X(FIRST_FRAME, "first_frame")                                                                  \
    X(CLIENT, "client")                                                                            \
    X(SERVER, "server")                                                                            \
    X(PORT, "port")                                                                                \
    X(SERVER_NAME, "server_name")                                                                  \
    X(OUTCOME, "outcome")                                                                          \
    X(CAUSE, "cause")                                                                              \
    X(SECURITY, "security")                                                                        \
    X(LOGIN, "login")                                                                              \
    X(CLEAR_MAIL, "clear_mail")                                                                    \
    X(CLEAR_MAIL_FRAME, "clear_mail_frame")                                                        \
    X(STARTTLS, "starttls")                                                                        \
    X(STARTTLS_FRAME, "starttls_frame")                                                            \
    X(TLS, "tls")                                                                                  \
    X(TLS_VERSION, "tls_version")                                                                  \
    X(TLS_FRAME, "tls_frame")                                                                      \
    X(CERTIFIED, "certified")                                                                      \
    X(CERTIFICATE, "certificate")                                                                  \
    X(CERTIFICATE_PROBLEMS, "certificate_problems")                                                \
    X(CERTIFICATE_FRAME, "certificate_frame")                                                      \
    X(GREETING_DELAY, "greeting_delay_ns")                                                         \
    X(GREETING_DUE, "greeting_due")                                                                \
    X(GREETING_WAIT, "greeting_wait_ns")                                                           \
    X(GREETING_FRAME, "greeting_frame")                                                            \
    X(CLEAR_KEYWORDS, "clear_keywords")                                                            \
    X(INNER_KEYWORDS, "inner_keywords")                                                            \
    X(FINDINGS, "findings")

enum sw_session_column {
#define SW_COLUMN(symbol, name) SW_COLUMN_##symbol,
    SW_SESSION_COLUMNS(SW_COLUMN, SW_COLUMN)
#undef SW_COLUMN
        SW_SESSION_COLUMN_COUNT,
};

enum sw_statement {
    SW_STATEMENT_SESSION,
    SW_STATEMENT_RUN_OF,
    SW_STATEMENT_LOGIN,
    SW_STATEMENT_FORGET_LOGINS,
    SW_STATEMENT_FILE,
    SW_STATEMENT_FILE_ID,
    SW_STATEMENT_CERTIFICATE,
    SW_STATEMENT_CERTIFICATE_ID,
    SW_STATEMENTS,
};

struct sw_history {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *statements[SW_STATEMENTS]; /* made when they are first needed */
    int64_t run;
    uint32_t open_facts; /* since the transaction began */
    bool in_transaction;
    /* the last ones that were looked up: sessions of one capture come one after the other */
    char *names; /* as in the table `file`; owned */
    int64_t file_id;
    char sha256[65];
    int64_t certificate_id;
    char error[400];
};

/* Keeps what sqlite says went wrong; always false. */
bool sw_history_fail(struct sw_history *history);
/* The number in the 16 hex digits of a session's id. */
int64_t sw_history_id(const char *id);

#endif
