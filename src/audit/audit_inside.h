/*
 * audit_inside.h - what the files of the audit share.
 */
#ifndef SW_AUDIT_AUDIT_INSIDE_H
#define SW_AUDIT_AUDIT_INSIDE_H

#include "audit/audit.h"
#include "audit/example.h"
#include "audit/table.h"

/*
 * One topic at one subject. What every session touches lies together and apart from the result
 * that is shown in the end: with many subjects it is the memory that takes the time.
 */
struct sw_tally {
    uint16_t topic;
    uint8_t severity; /* of a finding: the worst */
    uint8_t kind;     /* enum sw_subject_kind */
    uint64_t count;   /* sessions */
    int64_t first_ns, last_ns;
    struct sw_entry *entry;
};

/* What is kept of one result, besides what it shows. */
struct sw_entry {
    struct sw_audit_row
        result;        /* counts, times and severity are the tally's until it is finished */
    int64_t name_ns;   /* when the name was first told */
    char first_id[17]; /* CERTIFICATE: of the earliest session */
};

/* A subject and its topics: it is looked up once for each session, not once for each topic. */
struct sw_party {
    struct sw_tally *tallies; /* in no order: they are few */
    uint32_t count, room;
};

/* A subject of the session that is being counted, looked up when it is first needed. */
struct sw_place {
    struct sw_subject subject;
    struct sw_party *party;
    uint64_t hash; /* of its key; 0: not known yet */
    uint32_t next; /* where the next topic is looked for first */
};

struct sw_audit {
    const struct sw_policy *policy;
    struct sw_arena arena;
    struct sw_table parties;      /* of struct sw_party */
    struct sw_table certificates; /* of struct sw_seen_certificate */
    struct sw_example_files files;
    struct sw_audit_totals totals;
    size_t results_most, clients_most; /* results that are kept; of these, about clients */
    size_t result_count, client_count;
    enum sw_mark_of rule_marks[SW_RULE_COUNT];
    uint8_t worst[SW_FINDING_COUNT]; /* severity of each finding, once finished */
    void (*hear)(void *ctx, const struct sw_judgement *judgement); /* or NULL */
    void *hear_ctx;
    const struct sw_audit_row **sorted; /* once finished */
    const struct sw_seen_certificate **sorted_certificates;
    size_t sorted_count, certificate_count;
};

/* Topics of results: findings by their id, rules behind them. */
static inline uint16_t sw_topic_of_rule(enum sw_rule rule)
{
    return (uint16_t)(SW_FINDING_COUNT + rule);
}

struct sw_subject sw_subject_server(const struct sw_fact *fact);
struct sw_subject sw_subject_user(const struct sw_fact *fact, struct sw_span user);
struct sw_subject sw_subject_certificate(const struct sw_fact *fact);

/* The tally of this topic at this subject, with this session counted; NULL when it does not fit. */
struct sw_tally *sw_audit_count(struct sw_audit *audit, struct sw_place *place, uint16_t topic,
                                const struct sw_fact *fact);
/* The tally of a party that was looked up; NULL when there is none. */
struct sw_tally *sw_audit_find_tally(struct sw_place *place, uint16_t topic);
/* The tally, which counts nothing yet when it is new; NULL when it does not fit. */
struct sw_tally *sw_audit_tally(struct sw_audit *audit, struct sw_place *place, uint16_t topic);
/* A subject is called by the first name that was told for it. */
void sw_audit_offer_name(struct sw_audit *audit, struct sw_entry *entry, struct sw_span name,
                         int64_t at_ns);
/* What the certificate says, in memory of this audit. */
void sw_audit_copy_certificate(struct sw_audit *audit, struct sw_seen_certificate *seen,
                               const struct sw_seen_certificate *from);
/* So many sessions show a certificate with these problems, 1 << enum sw_certificate_problem. */
void sw_problems_add(struct sw_problem_counts *counts, uint32_t problems, uint64_t sessions);
void sw_problems_merge(struct sw_problem_counts *into, const struct sw_problem_counts *from);
/* Adds what another audit counted of the rule; `fresh`: nothing was counted here. */
void sw_audit_merge_rule(struct sw_audit *audit, struct sw_audit_row *into,
                         const struct sw_audit_row *from, bool fresh);
/* What the policy says of one session; `server` is its server's place. */
void sw_audit_judge(struct sw_audit *audit, const struct sw_fact *fact, struct sw_place *server);
/* Settles how a result of a rule stands. */
void sw_audit_settle(const struct sw_audit *audit, struct sw_audit_row *result);

#endif
