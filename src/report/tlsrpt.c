/*
 * tlsrpt.c - a TLS report (RFC 8460 section 4.4) of what the wire showed, for each capture or
 * series one, one a line.
 *
 * A session counts when it shows how TLS went: established, failed, refused or not offered.
 * Sessions in clear text in which the client did not ask for it do not count. The kinds of
 * failures are kept apart up to a cap; beyond it they are counted under the domain alone.
 */
#include "report/json_writer.h"
#include "report/report.h"
#include "report/tls_result.h"
#include "report/view.h"

#include <stdio.h>
#include <stdlib.h>

enum { POLICIES = 1024, DETAILS = 4096, SLOTS = 8192, ARENA_BYTES = 4 * 1024 * 1024 };

struct policy {
    uint64_t key;
    const char *kind; /* "sts", "tlsa", "no-policy-found" */
    struct sw_span domain;
    uint64_t good, bad;
    struct detail *details, **tail;
};

struct detail {
    struct detail *next;
    uint64_t key;
    const char *type, *reason;
    char sender[SW_ADDRESS_TEXT_BYTES], receiver[SW_ADDRESS_TEXT_BYTES];
    struct sw_span host, helo;
    uint64_t count;
};

struct tlsrpt {
    struct sw_arena arena;
    struct policy policies[POLICIES];
    uint32_t policy_count;
    uint32_t policy_slots[SLOTS]; /* place + 1 */
    struct detail *detail_slots[SLOTS];
    uint32_t detail_count;
    int64_t first_ns, last_ns;
    char id[17];
};

static void open_report(struct sw_part *part)
{
    struct tlsrpt *t = part->state;
    sw_arena_init(&t->arena, ARENA_BYTES, NULL);
    t->first_ns = INT64_MAX;
    t->last_ns = INT64_MIN;
}

static struct sw_span domain_of(struct sw_span address)
{
    size_t at = address.len;
    while (at > 0 && address.ptr[at - 1] != '@')
        at--;
    return at > 0 ? sw_span_from(address, at) : (struct sw_span){NULL, 0};
}

/* The domain that the mail was for, else the name of the server. */
static struct sw_span policy_domain(const struct sw_session *session,
                                    const struct sw_verdict *verdict)
{
    const struct sw_message *m = session->messages;
    struct sw_span domain = {NULL, 0};
    if (session->naming && session->naming->mx_of.len > 0)
        return session->naming->mx_of;
    if (m && m->recipients)
        domain = domain_of(m->recipients->address);
    return domain.len > 0 ? domain : verdict->server_name;
}

static const char *policy_kind(const struct sw_session *session)
{
    if (session->naming && session->naming->tlsa.frame)
        return "tlsa";
    return session->naming && session->naming->mta_sts.frame ? "sts" : "no-policy-found";
}

static uint64_t hash_of(uint64_t seed, struct sw_span text)
{
    uint64_t parts[2] = {seed, sw_hash_bytes(&sw_hash_fixed_key, text)};
    return sw_hash_bytes(&sw_hash_fixed_key, sw_span_make(parts, sizeof(parts)));
}

/* The domain's entry; the last one stands for all that are too many. */
static struct policy *find_policy(struct tlsrpt *t, const char *kind, struct sw_span domain)
{
    uint64_t key = hash_of(hash_of(1, sw_span_str(kind)), domain);
    uint32_t at = (uint32_t)(key % SLOTS);
    for (; t->policy_slots[at]; at = (at + 1) % SLOTS) {
        if (t->policies[t->policy_slots[at] - 1].key == key)
            return &t->policies[t->policy_slots[at] - 1];
    }
    if (t->policy_count == POLICIES)
        return &t->policies[POLICIES - 1];
    struct policy *p = &t->policies[t->policy_count++];
    *p = (struct policy){.key = key, .kind = kind, .domain = sw_arena_copy(&t->arena, domain)};
    p->tail = &p->details;
    t->policy_slots[at] = t->policy_count;
    return p;
}

static struct sw_span first_word(struct sw_span text)
{
    return sw_span_word(&text);
}

static struct sw_span kept_name(struct sw_part *part, struct sw_span name)
{
    struct tlsrpt *t = part->state;
    return sw_arena_copy(&t->arena, sw_veil_name(&part->veil, name));
}

/* Counts a failure under its kind; without room only the sum of the domain knows of it. */
static void count_detail(struct sw_part *part, struct policy *policy,
                         const struct sw_session *session, const struct sw_verdict *verdict,
                         enum sw_tls_result result, const char *reason)
{
    struct tlsrpt *t = part->state;
    const struct sw_tuple *tuple = &session->facts->tuple;
    struct sw_span host = sw_view_server_name(verdict, part->style->no_names);
    uint64_t key = hash_of(policy->key, sw_span_str(sw_tls_result_name(result)));
    key = hash_of(key, sw_span_str(reason));
    key = hash_of(key, sw_span_make(tuple->src, 16));
    key = hash_of(key, sw_span_make(tuple->dst, 16));
    key = hash_of(key, host);
    uint32_t at = (uint32_t)(key % SLOTS);
    for (; t->detail_slots[at]; at = (at + 1) % SLOTS) {
        if (t->detail_slots[at]->key == key) {
            t->detail_slots[at]->count++;
            return;
        }
    }
    struct detail *d = t->detail_count < DETAILS ? SW_ARENA_NEW(&t->arena, struct detail) : NULL;
    if (!d)
        return;
    t->detail_count++;
    t->detail_slots[at] = d;
    d->key = key;
    d->count = 1;
    d->type = sw_tls_result_name(result);
    d->reason = reason;
    sw_veil_address(&part->veil, tuple->src, tuple->ip_version, d->sender);
    sw_veil_address(&part->veil, tuple->dst, tuple->ip_version, d->receiver);
    d->host = kept_name(part, host);
    if (session->greeting)
        d->helo = kept_name(part, first_word(session->greeting->text));
    *policy->tail = d;
    policy->tail = &d->next;
}

static void add_session(struct sw_part *part, const struct sw_session *session,
                        const struct sw_verdict *verdict)
{
    struct tlsrpt *t = part->state;
    const struct sw_flow_facts *f = session->facts;
    const char *reason;
    enum sw_tls_result result = sw_tls_result_of(session, verdict, &reason);
    if (result == SW_TLS_RESULT_NONE)
        return;
    if (!t->id[0])
        sw_veil_id(&part->veil, session->id, t->id);
    t->first_ns = f->first.time_ns < t->first_ns ? f->first.time_ns : t->first_ns;
    t->last_ns = f->last.time_ns > t->last_ns ? f->last.time_ns : t->last_ns;
    struct sw_span domain = sw_veil_name(&part->veil, policy_domain(session, verdict));
    struct policy *policy = find_policy(t, policy_kind(session), domain);
    if (result == SW_TLS_RESULT_SUCCESS) {
        policy->good++;
        return;
    }
    policy->bad++;
    count_detail(part, policy, session, verdict, result, reason);
}

static void put_detail(struct sw_json *json, const struct detail *d)
{
    sw_json_object(json, NULL);
    sw_json_text(json, "result-type", d->type);
    sw_json_text(json, "sending-mta-ip", d->sender);
    if (d->host.len > 0)
        sw_json_wire_member(json, SW_SPAN_LIT("receiving-mx-hostname"), d->host);
    if (d->helo.len > 0)
        sw_json_wire_member(json, SW_SPAN_LIT("receiving-mx-helo"), d->helo);
    sw_json_text(json, "receiving-ip", d->receiver);
    sw_json_number(json, "failed-session-count", d->count);
    sw_json_text(json, "failure-reason-code", d->reason);
    sw_json_end_object(json);
}

static void put_policy(struct sw_json *json, const struct policy *p)
{
    const struct detail *d;
    sw_json_object(json, NULL);
    sw_json_object(json, "policy");
    sw_json_text(json, "policy-type", p->kind);
    sw_json_wire_member(json, SW_SPAN_LIT("policy-domain"), p->domain);
    sw_json_end_object(json);
    sw_json_object(json, "summary");
    sw_json_number(json, "total-successful-session-count", p->good);
    sw_json_number(json, "total-failure-session-count", p->bad);
    sw_json_end_object(json);
    if (p->details) {
        sw_json_array(json, "failure-details");
        SW_EACH(d, p->details)
            put_detail(json, d);
        sw_json_end_array(json);
    }
    sw_json_end_object(json);
}

static void put_report(struct sw_part *part)
{
    const struct tlsrpt *t = part->state;
    struct sw_json json;
    char text[80];
    char day[SW_TIME_TEXT_BYTES];
    sw_json_begin(&json, part->out);
    sw_json_object(&json, NULL);
    (void)snprintf(text, sizeof(text), "smtpwhy %s", part->style->version);
    sw_json_text(&json, "organization-name", text);
    sw_json_object(&json, "date-range");
    sw_json_time(&json, "start-datetime", t->first_ns, 0);
    sw_json_time(&json, "end-datetime", t->last_ns, 0);
    sw_json_end_object(&json);
    sw_json_text(&json, "contact-info", "none: made from a network capture");
    sw_time_format(t->first_ns, 0, day);
    (void)snprintf(text, sizeof(text), "%s_%s", day, t->id);
    sw_json_text(&json, "report-id", text);
    sw_json_array(&json, "policies");
    for (uint32_t i = 0; i < t->policy_count; i++)
        put_policy(&json, &t->policies[i]);
    sw_json_end_array(&json);
    sw_json_end_object(&json);
    sw_json_end_line(&json);
}

static void close_report(struct sw_part *part)
{
    struct tlsrpt *t = part->state;
    if (t->policy_count > 0)
        put_report(part);
    sw_arena_release(&t->arena);
}

extern const struct sw_report_format sw_report_tlsrpt;
const struct sw_report_format sw_report_tlsrpt = {
    .name = "tlsrpt",
    .what = "a TLS report (RFC 8460) of what the wire showed, one JSON document a capture",
    .state_bytes = sizeof(struct tlsrpt),
    .open = open_report,
    .session = add_session,
    .close = close_report,
};
