/*
 * merge.c - two audits of different sessions become one: what each has counted is counted together,
 * with the same end as if one had counted it all.
 */
#include "audit/audit_inside.h"

#include <string.h>

enum {
    AHEAD = 6,         /* steps */
    PARTY_BYTES = 256, /* with its key and first tallies */
};

/* The earlier of two sessions, as sw_example_is_earlier() has it. */
static bool is_earlier(int64_t ns, const char *id, int64_t than_ns, const char *than_id)
{
    return ns != than_ns ? ns < than_ns : strcmp(id, than_id) < 0;
}

static void merge_times(int64_t *first_ns, int64_t *last_ns, int64_t other_first_ns,
                        int64_t other_last_ns, bool fresh)
{
    if (fresh || other_first_ns < *first_ns)
        *first_ns = other_first_ns;
    if (fresh || other_last_ns > *last_ns)
        *last_ns = other_last_ns;
}

/* Of a rule the earliest that failed, or the earliest. */
static void merge_example(struct sw_audit *into, struct sw_audit_row *a,
                          const struct sw_audit_row *b)
{
    bool failed = a->is_rule && a->marks[SW_MARK_FAILED] > 0;
    bool other_failed = a->is_rule && b->marks[SW_MARK_FAILED] > 0;
    if (failed && !other_failed)
        return;
    if (!failed && other_failed)
        a->example.session[0] = '\0';
    sw_example_merge(&into->files, &a->example, &b->example);
}

static void merge_entry(struct sw_audit *into, struct sw_tally *tally, const struct sw_tally *from)
{
    struct sw_entry *a = tally->entry;
    const struct sw_entry *b = from->entry;
    bool fresh = tally->count == 0;
    if (fresh || is_earlier(from->first_ns, b->first_id, tally->first_ns, a->first_id)) {
        memcpy(a->first_id, b->first_id, sizeof(a->first_id));
        memcpy(a->result.subject.address, b->result.subject.address,
               sizeof(a->result.subject.address));
        a->result.subject.ip_version = b->result.subject.ip_version;
        a->result.subject.port = b->result.subject.port;
    }
    sw_audit_offer_name(into, a, b->result.subject.name, b->name_ns);
    merge_example(into, &a->result, &b->result);
    if (a->result.is_rule)
        sw_audit_merge_rule(into, &a->result, &b->result, fresh);
}

static struct sw_tally *find_same(struct sw_audit *into, struct sw_place *place,
                                  const struct sw_tally *from)
{
    struct sw_tally *tally = place->party ? sw_audit_find_tally(place, from->topic) : NULL;
    if (tally || !place->party)
        return tally;
    place->subject = from->entry->result.subject;
    return sw_audit_tally(into, place, from->topic);
}

static void merge_tally(struct sw_audit *into, struct sw_place *place, const struct sw_tally *from)
{
    struct sw_tally *tally = find_same(into, place, from);
    if (!tally) {
        into->totals.left_out += from->count;
        into->totals.left_out_of[from->kind] += from->count;
        return;
    }
    /* all that is told of a client's finding is from its earliest session, mostly known already */
    bool known = from->kind == SW_SUBJECT_CLIENT && from->topic < SW_FINDING_COUNT &&
                 tally->count > 0 && from->first_ns > tally->first_ns;
    if (!known)
        merge_entry(into, tally, from);
    merge_times(&tally->first_ns, &tally->last_ns, from->first_ns, from->last_ns,
                tally->count == 0);
    tally->count += from->count;
    if (from->severity > tally->severity)
        tally->severity = from->severity;
}

static void merge_certificate(struct sw_audit *into, const struct sw_seen_certificate *from)
{
    bool fresh = false;
    struct sw_seen_certificate *seen =
        sw_table_get(&into->certificates, sw_span_str(from->sha256), &fresh);
    if (!seen) {
        into->totals.left_out += from->count;
        into->totals.left_out_of[SW_SUBJECT_CERTIFICATE] += from->count;
        return;
    }
    if (fresh)
        sw_audit_copy_certificate(into, seen, from);
    sw_problems_merge(&seen->problems, &from->problems);
    seen->count += from->count;
    merge_times(&seen->first_ns, &seen->last_ns, from->first_ns, from->last_ns, fresh);
    if (sw_example_merge(&into->files, &seen->example, &from->example)) {
        seen->server = from->server;
        seen->server.name = sw_arena_copy(&into->arena, from->server.name);
    }
}

static void merge_totals(struct sw_audit_totals *into, const struct sw_audit_totals *from)
{
    if (from->sessions > 0)
        merge_times(&into->first_ns, &into->last_ns, from->first_ns, from->last_ns,
                    into->sessions == 0);
    into->sessions += from->sessions;
    into->left_out += from->left_out;
    for (int i = 0; i < SW_OUTCOME_COUNT; i++)
        into->by_outcome[i] += from->by_outcome[i];
    for (int i = 0; i < SW_SUBJECT_KINDS; i++)
        into->left_out_of[i] += from->left_out_of[i];
}

static const struct sw_table_slot *slot_at(const struct sw_table *table, size_t at)
{
    bool used = at < table->room && table->slots[at].hash != 0;
    return used ? &table->slots[at] : NULL;
}

/* Has what will be looked at some steps later fetched: everything lies scattered. */
static void look_ahead(const struct sw_audit *into, const struct sw_table *from, size_t at)
{
    const struct sw_table_slot *far = slot_at(from, at + 3 * AHEAD);
    const struct sw_table_slot *middle = slot_at(from, at + 2 * AHEAD);
    const struct sw_table_slot *near = slot_at(from, at + AHEAD);
    if (far)
        sw_fetch(far->value, PARTY_BYTES);
    if (middle)
        sw_table_fetch_slot(&into->parties,
                            sw_table_hash(&into->parties, sw_table_key(from, middle)));
    if (near)
        sw_table_fetch_value(&into->parties,
                             sw_table_hash(&into->parties, sw_table_key(from, near)));
}

static void merge_party(struct sw_audit *into, const struct sw_table *from,
                        const struct sw_table_slot *slot)
{
    const struct sw_party *party = slot->value;
    bool fresh = false;
    struct sw_place place = {.party =
                                 sw_table_get(&into->parties, sw_table_key(from, slot), &fresh)};
    for (uint32_t i = 0; i < party->count; i++)
        merge_tally(into, &place, &party->tallies[i]);
}

void sw_audit_merge(struct sw_audit *into, const struct sw_audit *from)
{
    for (size_t i = 0; i < from->parties.room; i++) {
        look_ahead(into, &from->parties, i);
        if (slot_at(&from->parties, i))
            merge_party(into, &from->parties, &from->parties.slots[i]);
    }
    for (size_t i = 0; i < from->certificates.room; i++) {
        if (from->certificates.slots[i].hash != 0)
            merge_certificate(into, from->certificates.slots[i].value);
    }
    merge_totals(&into->totals, &from->totals);
}
