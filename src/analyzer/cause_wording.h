/*
 * cause_wording.h - the tables of texts, one per family, put together in cause.c.
 *
 * The rows of a family stand in the order of cause.def: row i of a table is the i-th cause of the
 * family (wording_<family>.c writes them with designated initialisers).
 */
#ifndef SW_ANALYZER_CAUSE_WORDING_H
#define SW_ANALYZER_CAUSE_WORDING_H

#include "analyzer/cause.h"

struct sw_wording_table {
    enum sw_cause first;
    size_t count;
    const struct sw_cause_wording *rows;
};

extern const struct sw_wording_table sw_wording_dns;
extern const struct sw_wording_table sw_wording_route;
extern const struct sw_wording_table sw_wording_tcp_connect;
extern const struct sw_wording_table sw_wording_greeting;
extern const struct sw_wording_table sw_wording_portmode;
extern const struct sw_wording_table sw_wording_middlebox;
extern const struct sw_wording_table sw_wording_hello;
extern const struct sw_wording_table sw_wording_starttls;
extern const struct sw_wording_table sw_wording_tls;
extern const struct sw_wording_table sw_wording_auth;
extern const struct sw_wording_table sw_wording_mail;
extern const struct sw_wording_table sw_wording_rcpt;
extern const struct sw_wording_table sw_wording_data;
extern const struct sw_wording_table sw_wording_session;
extern const struct sw_wording_table sw_wording_outcome;
extern const struct sw_wording_table sw_wording_unknown;

/* SESSION_421_SHUTDOWN, when the server only put off what was asked. */
extern const struct sw_cause_wording sw_wording_session_busy;

/* GREET_NO_BANNER, when the greeting had begun. */
extern const struct sw_cause_wording sw_wording_greeting_unfinished;

#endif
