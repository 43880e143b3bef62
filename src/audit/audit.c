/*
 * audit.c - counts sessions into results. Every update is one that gives the same end in any order.
 */
#include "audit/audit_inside.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ARENA_BYTES = 192 << 20,
    CERTIFICATES_MOST = 50000,
    CLIENTS_LEAVE =
        5, /* the part of all results that clients, the most numerous, leave to others */
    FIRST_TALLIES = 4,
};

const char *sw_mark_name(enum sw_mark_of mark)
{
    static const char *const names[] = {[SW_MARK_PASSED] = "passed",
                                        [SW_MARK_FAILED] = "failed",
                                        [SW_MARK_WAIVED] = "waived",
                                        [SW_MARK_UNMEASURABLE] = "not-measurable"};
    return names[mark];
}

struct sw_audit *sw_audit_new(const struct sw_policy *policy, uint32_t subjects)
{
    struct sw_audit *audit = calloc(1, sizeof(*audit));
    if (!audit)
        return NULL;
    audit->policy = policy;
    sw_arena_init(&audit->arena, ARENA_BYTES, NULL);
    audit->results_most = subjects ? subjects : SW_AUDIT_SUBJECTS;
    audit->clients_most = audit->results_most - audit->results_most / CLIENTS_LEAVE;
    sw_table_init(&audit->parties, &audit->arena, sizeof(struct sw_party), audit->results_most);
    sw_table_init(&audit->certificates, &audit->arena, sizeof(struct sw_seen_certificate),
                  CERTIFICATES_MOST);
    sw_example_files_init(&audit->files, &audit->arena);
    audit->totals.first_ns = audit->totals.last_ns = SW_TIME_NONE;
    return audit;
}

static void widen(int64_t *first_ns, int64_t *last_ns, const struct sw_fact *fact, bool fresh)
{
    if (fresh || fact->start_ns < *first_ns)
        *first_ns = fact->start_ns;
    if (fresh || sw_fact_last_ns(fact) > *last_ns)
        *last_ns = sw_fact_last_ns(fact);
}

struct sw_subject sw_subject_server(const struct sw_fact *fact)
{
    struct sw_subject subject = {.kind = SW_SUBJECT_SERVER,
                                 .ip_version = fact->has_server ? fact->ip_version : 0,
                                 .port = fact->server_port,
                                 .name = fact->server_name};
    if (fact->has_server)
        memcpy(subject.address, fact->server, sizeof(subject.address));
    return subject;
}

static struct sw_subject subject_client(const struct sw_fact *fact)
{
    struct sw_subject subject = {.kind = SW_SUBJECT_CLIENT, .ip_version = fact->ip_version};
    memcpy(subject.address, fact->client, sizeof(subject.address));
    return subject;
}

struct sw_subject sw_subject_user(const struct sw_fact *fact, struct sw_span user)
{
    struct sw_subject subject = sw_subject_server(fact);
    subject.kind = SW_SUBJECT_USER;
    subject.name = user;
    return subject;
}

struct sw_subject sw_subject_certificate(const struct sw_fact *fact)
{
    struct sw_subject subject = sw_subject_server(fact);
    subject.kind = SW_SUBJECT_CERTIFICATE;
    subject.name = fact->certificate.subject;
    subject.sha256 = fact->certificate.sha256;
    return subject;
}

static void make_key(struct sw_key *key, const struct sw_subject *subject)
{
    uint8_t kind = (uint8_t)subject->kind;
    key->used = 0;
    sw_key_add(key, &kind, sizeof(kind));
    if (subject->kind == SW_SUBJECT_CERTIFICATE) {
        sw_key_add(key, subject->sha256, strlen(subject->sha256));
        return;
    }
    sw_key_add(key, &subject->ip_version, sizeof(subject->ip_version));
    sw_key_add(key, subject->address, sizeof(subject->address));
    sw_key_add(key, &subject->port, sizeof(subject->port));
    if (subject->kind == SW_SUBJECT_USER || subject->ip_version == 0)
        sw_key_add(key, subject->name.ptr, subject->name.len);
}

void sw_audit_offer_name(struct sw_audit *audit, struct sw_entry *entry, struct sw_span name,
                         int64_t at_ns)
{
    struct sw_span *kept = &entry->result.subject.name;
    if (!sw_name_is_better(*kept, entry->name_ns, name, at_ns))
        return;
    entry->name_ns = at_ns;
    if (!sw_span_eq(name, *kept))
        *kept = sw_arena_copy(&audit->arena, name);
}

/* A certificate that several servers show is told with the one of the earliest session. `earliest`:
 * no session so far began before this one. */
static void offer_server(struct sw_entry *entry, const struct sw_subject *subject,
                         const struct sw_fact *fact, bool earliest, int64_t first_ns)
{
    struct sw_audit_row *result = &entry->result;
    if (!earliest || (entry->first_id[0] && fact->start_ns == first_ns &&
                      strcmp(fact->id, entry->first_id) >= 0))
        return;
    (void)snprintf(entry->first_id, sizeof(entry->first_id), "%s", fact->id);
    memcpy(result->subject.address, subject->address, sizeof(result->subject.address));
    result->subject.ip_version = subject->ip_version;
    result->subject.port = subject->port;
}

static bool has_room(const struct sw_audit *audit, const struct sw_subject *subject)
{
    return audit->result_count < audit->results_most &&
           (subject->kind != SW_SUBJECT_CLIENT || audit->client_count < audit->clients_most);
}

/* Room for one more tally. */
static bool widen_party(struct sw_audit *audit, struct sw_party *party)
{
    if (party->count < party->room)
        return true;
    uint32_t room = party->room ? party->room * 2 : FIRST_TALLIES;
    struct sw_tally *tallies = sw_arena_alloc(&audit->arena, room * sizeof(*tallies));
    if (!tallies)
        return false;
    if (party->count > 0)
        memcpy(tallies, party->tallies, party->count * sizeof(*tallies));
    party->tallies = tallies;
    party->room = room;
    return true;
}

static struct sw_tally *begin_tally(struct sw_audit *audit, const struct sw_place *place,
                                    uint16_t topic)
{
    if (!has_room(audit, &place->subject) || !widen_party(audit, place->party))
        return NULL;
    struct sw_entry *entry = SW_ARENA_NEW(&audit->arena, struct sw_entry);
    if (!entry)
        return NULL;
    struct sw_audit_row *result = &entry->result;
    result->subject = place->subject;
    result->subject.name = (struct sw_span){NULL, 0};
    if (place->subject.sha256)
        result->subject.sha256 = sw_arena_strdup(&audit->arena, place->subject.sha256);
    result->is_rule = topic >= SW_FINDING_COUNT;
    if (result->is_rule)
        result->rule = (enum sw_rule)(topic - SW_FINDING_COUNT);
    else
        result->finding = (enum sw_finding_id)topic;
    audit->result_count++;
    audit->client_count += place->subject.kind == SW_SUBJECT_CLIENT;
    struct sw_tally *tally = &place->party->tallies[place->party->count++];
    *tally =
        (struct sw_tally){.topic = topic, .kind = (uint8_t)place->subject.kind, .entry = entry};
    return tally;
}

/* Sessions ask for the same topics in the same order: the next one is mostly behind the last. */
struct sw_tally *sw_audit_find_tally(struct sw_place *place, uint16_t topic)
{
    const struct sw_party *party = place->party;
    uint32_t at = place->next;
    for (uint32_t i = 0; i < party->count; i++, at++) {
        if (at >= party->count)
            at = 0;
        if (party->tallies[at].topic == topic) {
            place->next = at + 1;
            return &party->tallies[at];
        }
    }
    return NULL;
}

struct sw_tally *sw_audit_tally(struct sw_audit *audit, struct sw_place *place, uint16_t topic)
{
    if (!place->party) {
        struct sw_key key;
        bool fresh = false;
        make_key(&key, &place->subject);
        if (place->hash == 0)
            place->hash = sw_table_hash(&audit->parties, sw_key_span(&key));
        place->party = sw_table_get_hashed(&audit->parties, sw_key_span(&key), place->hash, &fresh);
    }
    if (!place->party)
        return NULL;
    struct sw_tally *tally = sw_audit_find_tally(place, topic);
    return tally ? tally : begin_tally(audit, place, topic);
}

struct sw_tally *sw_audit_count(struct sw_audit *audit, struct sw_place *place, uint16_t topic,
                                const struct sw_fact *fact)
{
    struct sw_tally *tally = sw_audit_tally(audit, place, topic);
    if (!tally) {
        audit->totals.left_out += sw_fact_count(fact);
        audit->totals.left_out_of[place->subject.kind] += sw_fact_count(fact);
        return NULL;
    }
    bool fresh = tally->count == 0;
    if (place->subject.kind == SW_SUBJECT_CERTIFICATE)
        offer_server(tally->entry, &place->subject, fact,
                     fresh || fact->start_ns <= tally->first_ns, tally->first_ns);
    if (place->subject.name.len > 0)
        sw_audit_offer_name(audit, tally->entry, place->subject.name, fact->start_ns);
    if (fact->part != SW_FACT_CLIENT_COUNT)
        widen(&tally->first_ns, &tally->last_ns, fact, fresh);
    else if (fresh)
        tally->first_ns = tally->last_ns = SW_TIME_NONE;
    tally->count += sw_fact_count(fact);
    return tally;
}

static void count_finding(struct sw_audit *audit, const struct sw_fact *fact,
                          const struct sw_fact_finding *finding, struct sw_place *place)
{
    struct sw_tally *tally = sw_audit_count(audit, place, (uint16_t)finding->id, fact);
    if (!tally)
        return;
    if (finding->severity > tally->severity)
        tally->severity = (uint8_t)finding->severity;
    if (fact->part == SW_FACT_CLIENT_COUNT)
        return;
    if (fact->start_ns == tally->first_ns) /* the example is the earliest: no other needs a look */
        (void)sw_example_offer(&audit->files, &tally->entry->result.example, fact, finding->frame);
}

static void count_findings(struct sw_audit *audit, const struct sw_fact *fact,
                           struct sw_place *place)
{
    for (unsigned i = 0; i < fact->finding_count; i++)
        count_finding(audit, fact, &fact->findings[i], place);
}

static bool is_about_certificate(enum sw_finding_id id)
{
    return sw_span_starts(sw_span_str(sw_finding_info(id)->id), SW_SPAN_LIT("aud-cert-"));
}

static bool is_repeated_login(const struct sw_fact *fact, unsigned index)
{
    for (unsigned i = 0; i < index; i++) {
        if (sw_span_eq(fact->logins[i].user, fact->logins[index].user))
            return true;
    }
    return false;
}

static void add_findings(struct sw_audit *audit, const struct sw_fact *fact,
                         struct sw_place *server)
{
    count_findings(audit, fact, server);
    for (unsigned i = 0; i < fact->login_count; i++) {
        struct sw_place user = {.subject = sw_subject_user(fact, fact->logins[i].user)};
        if (user.subject.name.len > 0 && !is_repeated_login(fact, i))
            count_findings(audit, fact, &user);
    }
    if (!fact->certificate.known)
        return;
    struct sw_place certificate = {.subject = sw_subject_certificate(fact)};
    for (unsigned i = 0; i < fact->finding_count; i++) {
        if (is_about_certificate(fact->findings[i].id))
            count_finding(audit, fact, &fact->findings[i], &certificate);
    }
}

/* There are many clients, and each session is another one's. */
static void expect_client(struct sw_audit *audit, struct sw_place *client)
{
    struct sw_key key;
    make_key(&key, &client->subject);
    client->hash = sw_table_hash(&audit->parties, sw_key_span(&key));
    sw_table_fetch_slot(&audit->parties, client->hash);
}

void sw_audit_copy_certificate(struct sw_audit *audit, struct sw_seen_certificate *seen,
                               const struct sw_seen_certificate *from)
{
    seen->sha256 = sw_arena_strdup(&audit->arena, from->sha256);
    seen->subject = sw_arena_copy(&audit->arena, from->subject);
    seen->issuer = sw_arena_copy(&audit->arena, from->issuer);
    seen->names = sw_arena_copy(&audit->arena, from->names);
    seen->not_before = sw_arena_strdup(&audit->arena, from->not_before);
    seen->not_after = sw_arena_strdup(&audit->arena, from->not_after);
}

void sw_problems_add(struct sw_problem_counts *counts, uint32_t problems, uint64_t sessions)
{
    for (unsigned i = 0; i < SW_CERTIFICATE_PROBLEMS; i++)
        counts->sessions[i] += problems >> i & 1 ? sessions : 0;
}

void sw_problems_merge(struct sw_problem_counts *into, const struct sw_problem_counts *from)
{
    for (unsigned i = 0; i < SW_CERTIFICATE_PROBLEMS; i++)
        into->sessions[i] += from->sessions[i];
}

static void add_certificate(struct sw_audit *audit, const struct sw_fact *fact)
{
    const struct sw_fact_certificate *c = &fact->certificate;
    bool fresh = false;
    if (!c->known)
        return;
    struct sw_seen_certificate *seen =
        sw_table_get(&audit->certificates, sw_span_str(c->sha256), &fresh);
    if (!seen) {
        audit->totals.left_out += sw_fact_count(fact);
        audit->totals.left_out_of[SW_SUBJECT_CERTIFICATE] += sw_fact_count(fact);
        return;
    }
    if (fresh) {
        const struct sw_seen_certificate shown = {.sha256 = c->sha256,
                                                  .subject = c->subject,
                                                  .issuer = c->issuer,
                                                  .names = c->names,
                                                  .not_before = c->not_before,
                                                  .not_after = c->not_after};
        sw_audit_copy_certificate(audit, seen, &shown);
    }
    sw_problems_add(&seen->problems, c->problems, sw_fact_count(fact));
    seen->count += sw_fact_count(fact);
    widen(&seen->first_ns, &seen->last_ns, fact, fresh);
    if (sw_example_is_earlier(&seen->example, fact)) {
        seen->server = sw_subject_server(fact);
        seen->server.name = sw_arena_copy(&audit->arena, fact->server_name);
    }
    (void)sw_example_offer(&audit->files, &seen->example, fact, c->frame);
}

/* All but what is told of the client. */
static void add_rest(struct sw_audit *audit, const struct sw_fact *fact, struct sw_place *server)
{
    struct sw_audit_totals *totals = &audit->totals;
    widen(&totals->first_ns, &totals->last_ns, fact, totals->sessions == 0);
    totals->sessions += sw_fact_count(fact);
    totals->by_outcome[fact->outcome] += sw_fact_count(fact);
    add_findings(audit, fact, server);
    add_certificate(audit, fact);
}

void sw_audit_add(struct sw_audit *audit, const struct sw_fact *fact)
{
    struct sw_place server = {.subject = sw_subject_server(fact)};
    struct sw_place client = {.subject = subject_client(fact)};
    bool tells_of_client = fact->finding_count > 0 && fact->part != SW_FACT_BUT_CLIENT;
    if (tells_of_client)
        expect_client(audit, &client);
    if (!sw_fact_is_of_client(fact))
        add_rest(audit, fact, &server);
    if (tells_of_client)
        sw_table_fetch_value(&audit->parties, client.hash);
    if (audit->policy && !sw_fact_is_of_client(fact))
        sw_audit_judge(audit, fact, &server);
    if (tells_of_client)
        count_findings(audit, fact, &client);
}

void sw_audit_listen(struct sw_audit *audit,
                     void (*hear)(void *ctx, const struct sw_judgement *judgement), void *ctx)
{
    audit->hear = hear;
    audit->hear_ctx = ctx;
}

const struct sw_policy *sw_audit_policy(const struct sw_audit *audit)
{
    return audit->policy;
}

const struct sw_audit_totals *sw_audit_totals(const struct sw_audit *audit)
{
    return &audit->totals;
}

void sw_audit_free(struct sw_audit *audit)
{
    if (!audit)
        return;
    sw_table_release(&audit->parties);
    sw_table_release(&audit->certificates);
    sw_example_files_release(&audit->files);
    sw_arena_release(&audit->arena);
    free(audit->sorted);
    free(audit->sorted_certificates);
    free(audit);
}
