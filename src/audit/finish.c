/*
 * finish.c - the end of an audit: results are settled, counted and put in order.
 */
#include "audit/audit_inside.h"

#include <stdlib.h>

enum { AHEAD = 8 /* steps, and tallies */ };

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

static int compare_results(const struct sw_audit_row *a, const struct sw_audit_row *b)
{
    int order = SW_ORDER(b->is_rule, a->is_rule);
    if (order == 0 && a->is_rule)
        order = SW_ORDER(a->rule, b->rule);
    if (order == 0 && a->is_rule)
        order = gravity(b->mark) - gravity(a->mark);
    if (order == 0 && a->is_rule)
        order = SW_ORDER(b->marks[SW_MARK_FAILED], a->marks[SW_MARK_FAILED]);
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

/*
 * What decides the order of most results, beside each of them: comparing numbers that lie in a row
 * is much faster than looking behind two pointers for each comparison.
 */
struct ranked {
    uint64_t topic, weight, place;
    const struct sw_audit_row *row;
};

static struct ranked rank(const struct sw_audit *audit, const struct sw_audit_row *r)
{
    const uint8_t *address = r->subject.address;
    struct ranked ranked = {.row = r};
    for (int i = 0; i < 7; i++)
        ranked.place = ranked.place << 8 | (i == 0 ? r->subject.ip_version : address[i - 1]);
    if (r->is_rule) {
        ranked.topic = (uint64_t)r->rule << 8 | (uint64_t)(UINT8_MAX - gravity(r->mark));
        ranked.weight = UINT64_MAX - r->marks[SW_MARK_FAILED];
        ranked.place = 0; /* kind and count come first: compare_results() knows */
        return ranked;
    }
    ranked.topic = UINT64_C(1) << 63 | (uint64_t)(UINT8_MAX - audit->worst[r->finding]) << 32 |
                   (uint64_t)r->finding << 8 | r->subject.kind;
    ranked.weight = UINT64_MAX - r->count;
    return ranked;
}

static int compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    if (a->topic != b->topic)
        return a->topic < b->topic ? -1 : 1;
    if (a->weight != b->weight)
        return a->weight < b->weight ? -1 : 1;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return compare_results(a->row, b->row);
}

/* What the tally has counted becomes part of the result. */
static const struct sw_audit_row *settle(struct sw_audit *audit, const struct sw_tally *tally)
{
    struct sw_audit_row *result = &tally->entry->result;
    result->count = tally->count;
    result->first_ns = tally->first_ns;
    result->last_ns = tally->last_ns;
    result->severity = (enum sw_severity)tally->severity;
    if (result->is_rule)
        sw_audit_settle(audit, result);
    return result;
}

/* Has what will be looked at some steps later fetched: everything lies scattered. */
static void look_ahead(const struct sw_table *table, size_t at)
{
    size_t far = at + AHEAD + AHEAD;
    size_t near = at + AHEAD;
    if (far < table->room && table->slots[far].hash != 0)
        sw_fetch(table->slots[far].value, 256);
    const struct sw_party *party = near < table->room ? table->slots[near].value : NULL;
    for (uint32_t i = 0; party && i < party->count && i < AHEAD; i++)
        sw_fetch(party->tallies[i].entry, 192);
}

/* A finding stands where the worst of its results belongs. */
static void note_worst(struct sw_audit *audit)
{
    for (size_t i = 0; i < audit->parties.room; i++) {
        const struct sw_party *party = audit->parties.slots[i].value;
        bool used = audit->parties.slots[i].hash != 0;
        look_ahead(&audit->parties, i);
        for (uint32_t t = 0; used && t < party->count; t++) {
            const struct sw_tally *tally = &party->tallies[t];
            if (tally->topic < SW_FINDING_COUNT && tally->severity > audit->worst[tally->topic])
                audit->worst[tally->topic] = tally->severity;
        }
    }
}

static bool sort_results(struct sw_audit *audit)
{
    struct ranked *list = malloc((audit->result_count + 1) * sizeof(*list));
    size_t n = 0;
    audit->sorted = calloc(audit->result_count + 1, sizeof(*audit->sorted));
    if (!list || !audit->sorted) {
        free(list);
        return false;
    }
    note_worst(audit);
    for (size_t i = 0; i < audit->parties.room; i++) {
        const struct sw_party *party = audit->parties.slots[i].value;
        bool used = audit->parties.slots[i].hash != 0;
        look_ahead(&audit->parties, i);
        for (uint32_t t = 0; used && t < party->count; t++)
            list[n++] = rank(audit, settle(audit, &party->tallies[t]));
    }
    qsort(list, n, sizeof(*list), compare_ranked);
    for (size_t i = 0; i < n; i++)
        audit->sorted[i] = list[i].row;
    audit->sorted_count = n;
    free(list);
    return true;
}

static bool sort_certificates(struct sw_audit *audit)
{
    const struct sw_table *table = &audit->certificates;
    const struct sw_seen_certificate **list = calloc(table->used + 1, sizeof(*list));
    for (size_t i = 0; list && i < table->room; i++) {
        if (table->slots[i].hash != 0)
            list[audit->certificate_count++] = table->slots[i].value;
    }
    audit->sorted_certificates = list;
    if (list)
        qsort(list, audit->certificate_count, sizeof(*list), compare_certificates);
    return list != NULL;
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
    if (!sort_results(audit) || !sort_certificates(audit))
        return false;
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
