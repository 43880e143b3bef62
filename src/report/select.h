/*
 * select.h - which sessions are shown (--only, --cause, --client, --server, --since, --until) and
 * which make the exit status 1 (--fail-on).
 *
 * Conditions of different options must all hold; of the values of one option, one must.
 */
#ifndef SW_REPORT_SELECT_H
#define SW_REPORT_SELECT_H

#include "analyzer/delivery.h"
#include "audit/fact.h"
#include "base/network.h"

enum { SW_SELECT_NETS = 32, SW_SELECT_MESSAGE_BYTES = 300 };

struct sw_select {
    bool any; /* some condition was given */
    bool by_outcome, by_cause;
    bool outcomes[SW_OUTCOME_COUNT];
    bool causes[SW_CAUSE_COUNT];
    struct sw_network clients[SW_SELECT_NETS], servers[SW_SELECT_NETS];
    unsigned client_count, server_count;
    bool has_since, has_until;
    int64_t since_ns,
        until_ns; /* a session counts when it starts at since or later and before until */
    bool fail_given;
    bool fail_stuck;
    bool fail_causes[SW_CAUSE_COUNT];
    bool fail_worse; /* of an audit that compares two times */
    bool fail_finding;
    enum sw_severity fail_severity; /* this one and above */
};

/*
 * Each reads the value of one option into *select (zero-initialised). False:
 * message[SW_SELECT_MESSAGE_BYTES] says what is wrong and what would be right.
 */
bool sw_select_only(struct sw_select *select, const char *value, char *message);
bool sw_select_cause(struct sw_select *select, const char *value, char *message);
bool sw_select_client(struct sw_select *select, const char *value, char *message);
bool sw_select_server(struct sw_select *select, const char *value, char *message);
bool sw_select_since(struct sw_select *select, const char *value, char *message);
bool sw_select_until(struct sw_select *select, const char *value, char *message);
bool sw_select_fail_on(struct sw_select *select, const char *value, char *message);

/* Is this session shown? NULL shows everything. */
bool sw_select_shows(const struct sw_select *select, const struct sw_session *session,
                     const struct sw_verdict *verdict);
/* Is a session of these hosts shown, as far as one can tell before it has a verdict? */
bool sw_select_shows_hosts(const struct sw_select *select, const struct sw_flow_facts *facts);
/* Is this session of a story shown? */
bool sw_select_shows_attempt(const struct sw_select *select,
                             const struct sw_delivery_attempt *attempt);
/* Does it match --fail-on, by anything but being stuck? */
bool sw_select_fails(const struct sw_select *select, const struct sw_session *session,
                     const struct sw_verdict *verdict);

/* The same two of a session that a history kept. */
bool sw_select_shows_fact(const struct sw_select *select, const struct sw_fact *fact);
bool sw_select_fails_fact(const struct sw_select *select, const struct sw_fact *fact);

/*
 * Does it match --fail-on stuck? By itself: a story that is final later may show that the mail got
 * through after all.
 */
bool sw_select_fails_stuck(const struct sw_select *select, enum sw_outcome outcome);

#endif
