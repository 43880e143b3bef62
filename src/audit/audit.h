/*
 * audit.h - many sessions become few results: what was found, at whom, how often, since when; and
 * how each rule of a policy stands.
 *
 * Facts may come in any order and from several threads one at a time: every result is the same
 * whatever the order (counts, the earliest and the latest, the earliest as the example). Memory
 * grows with the number of different subjects, up to a cap; what is beyond is counted.
 *
 * Life: new, add ..., finish, read, free.
 */
#ifndef SW_AUDIT_AUDIT_H
#define SW_AUDIT_AUDIT_H

#include "audit/policy.h"

enum {
    SW_AUDIT_SUBJECTS = 500000, /* results that are kept, by default; four fifths about clients */
};

/* Whom a result is about. */
struct sw_subject {
    enum sw_subject_kind kind;
    uint8_t address[16]; /* SERVER, CLIENT; of a USER or CERTIFICATE: of the server */
    uint8_t ip_version;  /* 0 = none */
    uint16_t port;       /* SERVER */
    struct sw_span name; /* of the server; USER: who; CERTIFICATE: its subject */
    const char *sha256;  /* CERTIFICATE */
};

/* The place where it can be looked up. */
struct sw_example {
    int64_t time_ns;
    const char *file;
    uint64_t frame; /* its number in the file, 0 = none */
    char session[17];
    uint8_t client[16];
    uint8_t ip_version; /* of the client */
};

enum sw_mark_of {
    SW_MARK_PASSED,
    SW_MARK_FAILED,
    SW_MARK_WAIVED,
    SW_MARK_UNMEASURABLE,
    SW_MARKS,
};

/* "passed", "failed", "waived", "not-measurable". */
const char *sw_mark_name(enum sw_mark_of mark);

/* Sessions with each problem of a certificate, by enum sw_certificate_problem. */
struct sw_problem_counts {
    uint64_t sessions[SW_CERTIFICATE_PROBLEMS];
};

/* One result: a finding or a rule, at one subject. */
struct sw_audit_row {
    struct sw_subject subject;
    bool is_rule;
    enum sw_finding_id finding;
    enum sw_severity severity; /* the worst */
    enum sw_rule rule;
    enum sw_mark_of mark; /* of a rule, once finished */
    uint64_t count;       /* sessions */
    uint64_t marks[SW_MARKS];
    int64_t first_ns,
        last_ns; /* SW_TIME_NONE: sessions were only counted, and there is no example */
    struct sw_example example; /* the earliest; of a rule the earliest that failed */
    bool has_worst;
    int64_t worst; /* of a rule that measures: in the unit of its limit */
    int64_t limit; /* the strictest that was applied */
    /* Of a rule about certificates, or NULL; once a session failed, of those that failed. */
    struct sw_problem_counts *problems;
    const struct sw_waiver *waiver; /* that covered the last failure */
};

/* A certificate that was seen. */
struct sw_seen_certificate {
    const char *sha256;
    struct sw_span subject, issuer, names;
    const char *not_before, *not_after;
    struct sw_problem_counts problems;
    struct sw_subject server; /* the first that showed it */
    uint64_t count;           /* sessions */
    int64_t first_ns, last_ns;
    struct sw_example example;
};

struct sw_audit_totals {
    uint64_t sessions;
    uint64_t by_outcome[SW_OUTCOME_COUNT];
    int64_t first_ns, last_ns;        /* SW_TIME_NONE without sessions */
    uint64_t by_mark[SW_MARKS];       /* results of rules */
    uint64_t rules_by_mark[SW_MARKS]; /* rules, by their worst result */
    uint64_t left_out; /* times that a session did not count, as its result did not fit */
    uint64_t left_out_of[SW_SUBJECT_KINDS]; /* of these, by what they would have been about */
};

/* How much of what is found at clients is wanted: there are many. */
enum sw_audit_clients {
    SW_AUDIT_CLIENTS_NOTHING,
    SW_AUDIT_CLIENTS_COUNTS, /* how often each finding */
    SW_AUDIT_CLIENTS_ALL,    /* and when and where it was seen first */
};

struct sw_audit;

/* How one rule stands in one session. */
struct sw_judgement {
    enum sw_rule rule;
    enum sw_mark_of mark;
    const struct sw_demand *demand;
    struct sw_span user; /* of a rule about users; empty when the name was not seen */
    bool measured;       /* `value` is a measure in the unit of the demand's limit */
    int64_t value;
    uint64_t frame;             /* that shows it, 0 = none */
    enum sw_finding_id finding; /* that breaks it, or SW_FINDING_COUNT */
};

/* `policy` is borrowed and may be NULL: nothing is judged then. `subjects` 0 takes the default.
 * NULL without memory. */
struct sw_audit *sw_audit_new(const struct sw_policy *policy, uint32_t subjects);
/* Counts one session; nothing of the fact is kept by reference but constants. */
void sw_audit_add(struct sw_audit *audit, const struct sw_fact *fact);
/* Has each judgement told while facts are added; what it points to is borrowed during the call. A
 * rule about rates is told of each session, but is broken or kept in the end only. */
void sw_audit_listen(struct sw_audit *audit,
                     void (*hear)(void *ctx, const struct sw_judgement *judgement), void *ctx);
/* Counts in `into` what `from` has counted of other sessions, with the same policy; neither is
 * finished. */
void sw_audit_merge(struct sw_audit *into, const struct sw_audit *from);
/* Judges and sorts; no more facts after it. False without memory. */
bool sw_audit_finish(struct sw_audit *audit);

const struct sw_policy *sw_audit_policy(const struct sw_audit *audit);
const struct sw_audit_totals *sw_audit_totals(const struct sw_audit *audit);
/*
 * Results in the order in which they are shown: rules in the order of the table, failures first;
 * then findings, the worst first, each by the kind of subject. NULL behind the last.
 */
const struct sw_audit_row *sw_audit_row(const struct sw_audit *audit, size_t index);
/* Certificates, those that run out first come first. NULL behind the last. */
const struct sw_seen_certificate *sw_audit_certificate(const struct sw_audit *audit, size_t index);
/* How a rule stands: its worst result, PASSED when all did; UNMEASURABLE when nothing could be
 * measured. */
enum sw_mark_of sw_audit_rule_mark(const struct sw_audit *audit, enum sw_rule rule);
/* Did the policy match: is anything broken that no waiver covers? */
bool sw_audit_failed(const struct sw_audit *audit);
void sw_audit_free(struct sw_audit *audit);

#endif
