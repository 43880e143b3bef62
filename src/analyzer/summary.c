/*
 * summary.c - counts over all sessions of a run.
 */
#include "analyzer/record.h"
#include "base/address.h"
#include "base/hash.h"

#include <stdlib.h>

void sw_summary_init(struct sw_summary *summary)
{
    *summary = (struct sw_summary){.last_ns = SW_TIME_NONE};
}

/* A host in its list, or a new one; NULL when the list is full. */
static struct sw_host_count *find_host(struct sw_host_count *list, uint32_t *count,
                                       struct sw_host_slots *slots, const uint8_t address[16],
                                       int ip_version)
{
    _Static_assert(SW_TOP_HOSTS < SW_HOST_SLOTS && SW_TOP_HOSTS < UINT8_MAX, "a slot stays free");
    uint64_t hash = sw_hash_sized(&sw_hash_fixed_key, address, 16);
    size_t slot = hash % SW_HOST_SLOTS;
    for (; slots->at[slot]; slot = (slot + 1) % SW_HOST_SLOTS) {
        struct sw_host_count *host = &list[slots->at[slot] - 1];
        if (host->ip_version == ip_version && memcmp(host->address, address, 16) == 0)
            return host;
    }
    if (*count == SW_TOP_HOSTS)
        return NULL;
    struct sw_host_count *host = &list[(*count)++];
    slots->at[slot] = (uint8_t)*count;
    *host = (struct sw_host_count){.ip_version = ip_version};
    memcpy(host->address, address, sizeof(host->address));
    sw_address_format(address, ip_version, host->ip);
    return host;
}

static void count_host(struct sw_host_count *host, enum sw_outcome outcome)
{
    if (!host)
        return;
    host->sessions++;
    host->by_outcome[outcome]++;
}

void sw_summary_add(struct sw_summary *summary, const struct sw_session *session,
                    const struct sw_verdict *verdict)
{
    const struct sw_tuple *t = &session->facts->tuple;
    summary->sessions++;
    if (session->facts->last.time_ns > summary->last_ns)
        summary->last_ns = session->facts->last.time_ns;
    summary->by_outcome[verdict->outcome]++;
    summary->by_cause[verdict->cause]++;
    const struct sw_finding *f;
    SW_EACH(f, verdict->findings)
        summary->by_finding[f->id][f->severity]++;
    count_host(find_host(summary->clients, &summary->client_count, &summary->client_slots, t->src,
                         t->ip_version),
               verdict->outcome);
    bool has_server = !session->lookup || session->lookup->end == SW_LOOKUP_NEIGHBOUR;
    if (has_server)
        count_host(find_host(summary->servers, &summary->server_count, &summary->server_slots,
                             t->dst, t->ip_version),
                   verdict->outcome);
    if (session->limits_hit)
        sw_summary_count(summary->limits, "session", 1);
}

void sw_summary_deliver(struct sw_summary *summary, const struct sw_delivery *delivery)
{
    summary->deliveries += delivery->attempt_count > 1;
    summary->mails[delivery->outcome]++;
}

static void append_damage(struct sw_summary *summary, struct sw_damage *damage)
{
    damage->next = NULL;
    *(summary->last_damage ? &summary->last_damage->next : &summary->damage) = damage;
    summary->last_damage = damage;
    summary->damage_count++;
}

static void merge_hosts(struct sw_host_count *into, uint32_t *count, struct sw_host_slots *slots,
                        const struct sw_host_count *from, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct sw_host_count *host =
            find_host(into, count, slots, from[i].address, from[i].ip_version);
        if (!host)
            continue;
        host->sessions += from[i].sessions;
        for (int o = 0; o < SW_OUTCOME_COUNT; o++)
            host->by_outcome[o] += from[i].by_outcome[o];
    }
}

static void merge_named(struct sw_named_count *into, const struct sw_named_count *from)
{
    for (int i = 0; i < SW_NAMED_COUNTS && from[i].name; i++)
        sw_summary_count(into, from[i].name, from[i].count);
}

void sw_summary_merge(struct sw_summary *into, struct sw_summary *from)
{
    into->files += from->files;
    into->frames_read += from->frames_read;
    into->frames_decoded += from->frames_decoded;
    into->frames_other += from->frames_other;
    into->frames_undecodable += from->frames_undecodable;
    into->frames_filtered += from->frames_filtered;
    into->bytes += from->bytes;
    into->tcp_connections += from->tcp_connections;
    into->udp_packets += from->udp_packets;
    into->dns_packets += from->dns_packets;
    into->last_ns = from->last_ns > into->last_ns ? from->last_ns : into->last_ns;
    into->sessions += from->sessions;
    into->deliveries += from->deliveries;
    for (int i = 0; i < SW_OUTCOME_COUNT; i++)
        into->by_outcome[i] += from->by_outcome[i];
    for (int i = 0; i < SW_OUTCOME_COUNT; i++)
        into->mails[i] += from->mails[i];
    for (int i = 0; i < SW_CAUSE_COUNT; i++)
        into->by_cause[i] += from->by_cause[i];
    for (int i = 0; i < SW_FINDING_COUNT; i++)
        for (int severity = 0; severity < SW_SEVERITY_COUNT; severity++)
            into->by_finding[i][severity] += from->by_finding[i][severity];
    merge_hosts(into->clients, &into->client_count, &into->client_slots, from->clients,
                from->client_count);
    merge_hosts(into->servers, &into->server_count, &into->server_slots, from->servers,
                from->server_count);
    merge_named(into->skipped, from->skipped);
    merge_named(into->limits, from->limits);
    while (from->damage) {
        struct sw_damage *damage = from->damage;
        from->damage = damage->next;
        append_damage(into, damage);
    }
    from->last_damage = NULL;
}

void sw_summary_count(struct sw_named_count *list, const char *name, uint64_t n)
{
    if (n == 0)
        return;
    for (int i = 0; i < SW_NAMED_COUNTS; i++) {
        if (!list[i].name)
            list[i].name = name;
        if (strcmp(list[i].name, name) == 0) {
            list[i].count += n;
            return;
        }
    }
}

void sw_summary_damage(struct sw_summary *summary, const char *file, uint64_t offset_bytes,
                       const char *what)
{
    if (summary->damage_most && summary->damage_count >= summary->damage_most) {
        sw_summary_count(summary->limits, "damage", 1);
        return;
    }
    size_t file_len = strlen(file) + 1;
    size_t what_len = strlen(what) + 1;
    struct sw_damage *damage = malloc(sizeof(*damage) + file_len + what_len);
    if (!damage)
        return;
    char *text = (char *)(damage + 1);
    memcpy(text, file, file_len);
    memcpy(text + file_len, what, what_len);
    *damage =
        (struct sw_damage){.file = text, .offset_bytes = offset_bytes, .what = text + file_len};
    append_damage(summary, damage);
}

void sw_summary_clear(struct sw_summary *summary)
{
    while (summary->damage) {
        struct sw_damage *next = summary->damage->next;
        free(summary->damage);
        summary->damage = next;
    }
    summary->last_damage = NULL;
}
