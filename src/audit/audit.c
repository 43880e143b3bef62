/*
 * audit.c - counts sessions into results. Every update is one that gives the same end in any order.
 */
#include "audit/audit_inside.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 192 << 20, CERTIFICATES_MOST = 50000 };

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
    sw_table_init(&audit->results, &audit->arena, sizeof(struct sw_entry),
                  subjects ? subjects : SW_AUDIT_SUBJECTS);
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

static struct sw_key key_of(uint16_t topic, const struct sw_subject *subject)
{
    struct sw_key key = {.used = 0};
    uint8_t kind = (uint8_t)subject->kind;
    sw_key_add(&key, &topic, sizeof(topic));
    sw_key_add(&key, &kind, sizeof(kind));
    if (subject->kind == SW_SUBJECT_CERTIFICATE) {
        sw_key_add(&key, subject->sha256, strlen(subject->sha256));
        return key;
    }
    sw_key_add(&key, &subject->ip_version, sizeof(subject->ip_version));
    sw_key_add(&key, subject->address, sizeof(subject->address));
    sw_key_add(&key, &subject->port, sizeof(subject->port));
    if (subject->kind == SW_SUBJECT_USER || subject->ip_version == 0)
        sw_key_add(&key, subject->name.ptr, subject->name.len);
    return key;
}

/* A server is called by the first name that was told for it. */
static void offer_name(struct sw_audit *audit, struct sw_entry *entry, struct sw_span name,
                       int64_t at_ns)
{
    struct sw_span *kept = &entry->result.subject.name;
    bool better = kept->len == 0 || at_ns < entry->name_ns;
    if (kept->len > 0 && at_ns == entry->name_ns) {
        size_t shared = name.len < kept->len ? name.len : kept->len;
        int order = memcmp(name.ptr, kept->ptr, shared);
        better = order < 0 || (order == 0 && name.len < kept->len);
    }
    if (name.len == 0 || !better)
        return;
    entry->name_ns = at_ns;
    if (!sw_span_eq(name, *kept))
        *kept = sw_arena_copy(&audit->arena, name);
}

/* A certificate that several servers show is told with the one of the earliest session. */
static void offer_server(struct sw_entry *entry, const struct sw_subject *subject,
                         const struct sw_fact *fact, bool fresh)
{
    struct sw_audit_row *result = &entry->result;
    bool earlier = fresh || fact->start_ns < result->first_ns ||
                   (fact->start_ns == result->first_ns && strcmp(fact->id, entry->first_id) < 0);
    if (!earlier)
        return;
    (void)snprintf(entry->first_id, sizeof(entry->first_id), "%s", fact->id);
    memcpy(result->subject.address, subject->address, sizeof(result->subject.address));
    result->subject.ip_version = subject->ip_version;
    result->subject.port = subject->port;
}

/* The result of this topic at this subject, with this session counted; NULL when it does not fit.
 */
struct sw_audit_row *sw_audit_count(struct sw_audit *audit, uint16_t topic,
                                    const struct sw_subject *subject, const struct sw_fact *fact)
{
    bool fresh = false;
    struct sw_key key = key_of(topic, subject);
    struct sw_entry *entry = sw_table_get(&audit->results, sw_key_span(&key), &fresh);
    if (!entry) {
        audit->totals.left_out++;
        return NULL;
    }
    struct sw_audit_row *result = &entry->result;
    if (fresh) {
        result->subject = *subject;
        result->subject.name = (struct sw_span){NULL, 0};
        if (subject->sha256)
            result->subject.sha256 = sw_arena_strdup(&audit->arena, subject->sha256);
    }
    offer_server(entry, subject, fact, fresh);
    offer_name(audit, entry, subject->name, fact->start_ns);
    widen(&result->first_ns, &result->last_ns, fact, fresh);
    result->count += sw_fact_count(fact);
    return result;
}

static void count_finding(struct sw_audit *audit, const struct sw_fact *fact,
                          const struct sw_fact_finding *finding, const struct sw_subject *subject)
{
    struct sw_audit_row *result = sw_audit_count(audit, (uint16_t)finding->id, subject, fact);
    if (!result)
        return;
    result->finding = finding->id;
    if (finding->severity > result->severity)
        result->severity = finding->severity;
    (void)sw_example_offer(&audit->files, &result->example, fact, finding->frame);
}

static bool is_about_certificate(enum sw_finding_id id)
{
    return sw_span_starts(sw_span_str(sw_finding_info(id)->id), SW_SPAN_LIT("aud-cert-"));
}

/* A user who logged in several times is told once. */
static void count_users(struct sw_audit *audit, const struct sw_fact *fact,
                        const struct sw_fact_finding *finding)
{
    for (unsigned l = 0; l < fact->login_count; l++) {
        struct sw_subject user = sw_subject_user(fact, fact->logins[l].user);
        bool again = false;
        for (unsigned before = 0; before < l; before++)
            again = again || sw_span_eq(fact->logins[before].user, user.name);
        if (user.name.len > 0 && !again)
            count_finding(audit, fact, finding, &user);
    }
}

static void add_findings(struct sw_audit *audit, const struct sw_fact *fact)
{
    struct sw_subject server = sw_subject_server(fact);
    struct sw_subject client = subject_client(fact);
    for (unsigned i = 0; i < fact->finding_count; i++) {
        const struct sw_fact_finding *finding = &fact->findings[i];
        if (fact->part != SW_FACT_BUT_CLIENT)
            count_finding(audit, fact, finding, &client);
        if (fact->part == SW_FACT_CLIENT)
            continue;
        count_finding(audit, fact, finding, &server);
        count_users(audit, fact, finding);
        if (fact->certificate.known && is_about_certificate(finding->id)) {
            struct sw_subject certificate = sw_subject_certificate(fact);
            count_finding(audit, fact, finding, &certificate);
        }
    }
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
        audit->totals.left_out++;
        return;
    }
    if (fresh) {
        seen->sha256 = sw_arena_strdup(&audit->arena, c->sha256);
        seen->subject = sw_arena_copy(&audit->arena, c->subject);
        seen->issuer = sw_arena_copy(&audit->arena, c->issuer);
        seen->names = sw_arena_copy(&audit->arena, c->names);
        seen->not_before = sw_arena_strdup(&audit->arena, c->not_before);
        seen->not_after = sw_arena_strdup(&audit->arena, c->not_after);
    }
    seen->problems |= c->problems;
    seen->count += sw_fact_count(fact);
    widen(&seen->first_ns, &seen->last_ns, fact, fresh);
    if (sw_example_is_earlier(&seen->example, fact)) {
        seen->server = sw_subject_server(fact);
        seen->server.name = sw_arena_copy(&audit->arena, fact->server_name);
    }
    (void)sw_example_offer(&audit->files, &seen->example, fact, c->frame);
}

void sw_audit_add(struct sw_audit *audit, const struct sw_fact *fact)
{
    struct sw_audit_totals *totals = &audit->totals;
    add_findings(audit, fact);
    if (fact->part == SW_FACT_CLIENT)
        return;
    widen(&totals->first_ns, &totals->last_ns, fact, totals->sessions == 0);
    totals->sessions += sw_fact_count(fact);
    totals->by_outcome[fact->outcome] += sw_fact_count(fact);
    add_certificate(audit, fact);
    if (audit->policy)
        sw_audit_judge(audit, fact);
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
    sw_table_release(&audit->results);
    sw_table_release(&audit->certificates);
    sw_example_files_release(&audit->files);
    sw_arena_release(&audit->arena);
    free(audit->sorted);
    free(audit->sorted_certificates);
    free(audit);
}
