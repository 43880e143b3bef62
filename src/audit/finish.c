/*
 * finish.c - the end of an audit: results are settled, counted and put in order.
 */
#include "audit/audit_inside.h"

#include <stdlib.h>

/* Of several results, the one that must be seen first. */
static int gravity(enum sw_mark_of mark)
{
    static const int order[] = {[SW_MARK_FAILED] = 3,
                                [SW_MARK_WAIVED] = 2,
                                [SW_MARK_UNMEASURABLE] = 1,
                                [SW_MARK_PASSED] = 0};
    return order[mark];
}

static int compare_spans(struct sw_span a, struct sw_span b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared > 0 ? memcmp(a.ptr, b.ptr, shared) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

#define SW_ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_subjects(const struct sw_subject *a, const struct sw_subject *b)
{
    int order = SW_ORDER(a->ip_version, b->ip_version);
    if (order == 0)
        order = memcmp(a->address, b->address, sizeof(a->address));
    if (order == 0)
        order = SW_ORDER(a->port, b->port);
    if (order == 0)
        order = compare_spans(a->name, b->name);
    if (order == 0 && a->sha256 && b->sha256)
        order = strcmp(a->sha256, b->sha256);
    return order;
}

static int compare_results(const void *left, const void *right)
{
    const struct sw_audit_row *a = *(const struct sw_audit_row *const *)left;
    const struct sw_audit_row *b = *(const struct sw_audit_row *const *)right;
    int order = SW_ORDER(b->is_rule, a->is_rule);
    if (order == 0 && a->is_rule)
        order = SW_ORDER(a->rule, b->rule);
    if (order == 0 && a->is_rule)
        order = gravity(b->mark) - gravity(a->mark);
    if (order == 0 && a->is_rule)
        order = SW_ORDER(b->marks[SW_MARK_FAILED], a->marks[SW_MARK_FAILED]);
    if (order == 0 && !a->is_rule) /* the usual severity keeps the results of a finding together */
        order =
            SW_ORDER(sw_finding_info(b->finding)->severity, sw_finding_info(a->finding)->severity);
    if (order == 0 && !a->is_rule)
        order = SW_ORDER(a->finding, b->finding);
    if (order == 0)
        order = SW_ORDER(a->subject.kind, b->subject.kind);
    if (order == 0)
        order = SW_ORDER(b->count, a->count);
    return order != 0 ? order : compare_subjects(&a->subject, &b->subject);
}

static int compare_certificates(const void *left, const void *right)
{
    const struct sw_seen_certificate *a = *(const struct sw_seen_certificate *const *)left;
    const struct sw_seen_certificate *b = *(const struct sw_seen_certificate *const *)right;
    int order = strcmp(a->not_after, b->not_after); /* RFC 3339 in UTC sorts as text */
    return order != 0 ? order : strcmp(a->sha256, b->sha256);
}

static bool collect(const struct sw_table *table, const void ***list, size_t *count)
{
    *list = calloc(table->used + 1, sizeof(**list));
    *count = 0;
    for (size_t i = 0; *list && i < table->room; i++) {
        if (table->slots[i].hash != 0)
            (*list)[(*count)++] = table->slots[i].value;
    }
    return *list != NULL;
}

/* A rule stands as its worst result; one that nothing could be measured for is not measurable. */
static void settle_rules(struct sw_audit *audit)
{
    for (int i = 0; i < SW_RULE_COUNT; i++)
        audit->rule_marks[i] = SW_MARK_UNMEASURABLE;
    bool passed[SW_RULE_COUNT] = {false};
    for (size_t i = 0; i < audit->sorted_count; i++) {
        const struct sw_audit_row *r = audit->sorted[i];
        if (!r->is_rule)
            continue;
        audit->totals.by_mark[r->mark]++;
        if (r->mark == SW_MARK_PASSED)
            passed[r->rule] = true;
        else if (gravity(r->mark) > gravity(audit->rule_marks[r->rule]))
            audit->rule_marks[r->rule] = r->mark;
    }
    for (int i = 0; i < SW_RULE_COUNT; i++) {
        if (audit->rule_marks[i] == SW_MARK_UNMEASURABLE && passed[i])
            audit->rule_marks[i] = SW_MARK_PASSED;
        if (audit->policy && sw_policy_rule_text(audit->policy, (enum sw_rule)i))
            audit->totals.rules_by_mark[audit->rule_marks[i]]++;
    }
}

bool sw_audit_finish(struct sw_audit *audit)
{
    const void **results = NULL;
    const void **certificates = NULL;
    bool good = collect(&audit->results, &results, &audit->sorted_count) &&
                collect(&audit->certificates, &certificates, &audit->certificate_count);
    audit->sorted = (const struct sw_audit_row **)results;
    audit->sorted_certificates = (const struct sw_seen_certificate **)certificates;
    if (!good)
        return false;
    for (size_t i = 0; i < audit->results.room; i++) {
        struct sw_entry *entry = audit->results.slots[i].value;
        if (audit->results.slots[i].hash != 0 && entry->result.is_rule)
            sw_audit_settle(audit, &entry->result);
    }
    qsort(audit->sorted, audit->sorted_count, sizeof(*audit->sorted), compare_results);
    qsort(audit->sorted_certificates, audit->certificate_count, sizeof(*audit->sorted_certificates),
          compare_certificates);
    settle_rules(audit);
    return true;
}

const struct sw_audit_row *sw_audit_row(const struct sw_audit *audit, size_t index)
{
    return index < audit->sorted_count ? audit->sorted[index] : NULL;
}

const struct sw_seen_certificate *sw_audit_certificate(const struct sw_audit *audit, size_t index)
{
    return index < audit->certificate_count ? audit->sorted_certificates[index] : NULL;
}

enum sw_mark_of sw_audit_rule_mark(const struct sw_audit *audit, enum sw_rule rule)
{
    return audit->rule_marks[rule];
}

bool sw_audit_failed(const struct sw_audit *audit)
{
    return audit->totals.by_mark[SW_MARK_FAILED] > 0;
}
