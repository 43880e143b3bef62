/*
 * audit_inside.h - what the files of the audit share.
 */
#ifndef SW_AUDIT_AUDIT_INSIDE_H
#define SW_AUDIT_AUDIT_INSIDE_H

#include "audit/audit.h"
#include "audit/example.h"
#include "audit/table.h"

/* What the table keeps of one result, besides what it shows. */
struct sw_entry {
    struct sw_audit_row result;
    int64_t name_ns;   /* when the server's name was first told */
    char first_id[17]; /* of the earliest session */
};

struct sw_audit {
    const struct sw_policy *policy;
    struct sw_arena arena;
    struct sw_table results;      /* of struct sw_entry */
    struct sw_table certificates; /* of struct sw_seen_certificate */
    struct sw_example_files files;
    struct sw_audit_totals totals;
    enum sw_mark_of rule_marks[SW_RULE_COUNT];
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

/* The result of this topic at this subject, with this session counted; NULL when it does not fit.
 */
struct sw_audit_row *sw_audit_count(struct sw_audit *audit, uint16_t topic,
                                    const struct sw_subject *subject, const struct sw_fact *fact);
/* What the policy says of one session. */
void sw_audit_judge(struct sw_audit *audit, const struct sw_fact *fact);
/* Settles how a result of a rule stands. */
void sw_audit_settle(const struct sw_audit *audit, struct sw_audit_row *result);

#endif
