/*
 * book_settle.c - which look-ups failed, and which of them were a mail client's own.
 */
#include "pipeline/book_entry.h"

#include "base/time.h"

static struct sw_span name_of(const struct entry *entry)
{
    return sw_span_make(entry->name.text, entry->name.length);
}

static bool is_number(struct sw_span label)
{
    uint64_t value;
    return sw_span_u64(label, &value) && value <= 255;
}

/* Questions to a list of addresses or domains are checks: four numbers before the list's name, or a
 * list that everybody knows (RFC 5782). */
static bool asks_a_list(struct sw_span name)
{
    static const char *const lists[] = {"spamhaus", "surbl", "uribl", "dnswl", "barracudacentral",
                                        "spamcop",  "sorbs", "dnsbl", "rbl"};
    struct sw_span rest = name;
    unsigned labels = 0;
    unsigned numbers = 0;
    for (; rest.len > 0; labels++) {
        size_t dot = sw_span_index(rest, '.');
        struct sw_span label = sw_span_sub(rest, 0, dot);
        numbers += labels < 4 && is_number(label);
        for (size_t l = 0; labels > 0 && l < sizeof(lists) / sizeof(lists[0]); l++) {
            if (sw_span_eq(label, sw_span_str(lists[l])))
                return true;
        }
        rest = sw_span_from(rest, dot + 1);
    }
    return numbers == 4 && labels > 4; /* else it is an address in the place of a name */
}

static bool ends_with(struct sw_span name, const char *end)
{
    size_t n = strlen(end);
    return name.len >= n && sw_span_eq(sw_span_from(name, name.len - n), sw_span_str(end));
}

/* Did the client ask for the same name without the last labels? Then these are its search list. */
static bool is_suffix_repeat(const struct sw_book *book, const struct entry *entry)
{
    struct sw_span name = name_of(entry);
    for (size_t at = 1; at < name.len; at++) {
        if (name.ptr[at] != '.')
            continue;
        const struct entry *shorter = sw_book_find(book, entry->client, sw_span_sub(name, 0, at));
        if (shorter && shorter->asked.frame)
            return true;
    }
    return false;
}

static bool is_candidate(struct sw_book *book, const struct entry *entry)
{
    struct sw_span name = name_of(entry);
    if (entry->used || entry->asked_on || sw_span_index(name, '.') == name.len ||
        name.ptr[0] == '_')
        return false;
    if (ends_with(name, ".local") || ends_with(name, ".arpa") || ends_with(name, ".localhost"))
        return false;
    const struct host *host = sw_book_host(book, entry->client);
    if (host && host->resolver)
        return false; /* it asks for others */
    host = sw_book_asker(book, entry->client, entry->ip_version);
    /* A server that is being offered mail checks what it is told; only an MX that nobody spoke of
     * is its own: a relay delivers while it receives. */
    bool while_serving = entry->asked.frame && entry->own == 0;
    if (while_serving &&
        (entry->types[ENTRY_MX].questions == 0 || !host || sw_book_was_offered(book, host, name)))
        return false;
    const struct entry *domain = entry->mx_of;
    if (domain && domain->id == entry->mx_of_id && domain->used)
        return false; /* another server of the same domain was tried */
    return !asks_a_list(name) && !is_suffix_repeat(book, entry);
}

static struct sw_mark first_of(struct sw_mark a, struct sw_mark b)
{
    return !a.frame || (b.frame && b.frame < a.frame) ? b : a;
}

/* Each kind of answer over the types that name a host. */
static bool by_answers(const struct entry *e, struct sw_lookup *l)
{
    const struct entry_answers *a = &e->types[ENTRY_A];
    const struct entry_answers *aaaa = &e->types[ENTRY_AAAA];
    const struct entry_answers *mx = &e->types[ENTRY_MX];
    struct sw_mark nxdomain = first_of(first_of(a->nxdomain, aaaa->nxdomain), mx->nxdomain);
    bool exists = a->nodata.frame || aaaa->nodata.frame || mx->nodata.frame;
    if (nxdomain.frame && !exists) {
        l->end = SW_LOOKUP_NXDOMAIN;
        l->rcode = DNS_NXDOMAIN;
        l->decided = nxdomain;
        return true;
    }
    /* Without an A record there is no way on IPv4; AAAA alone proves nothing. */
    if (a->nodata.frame || (a->nxdomain.frame && exists)) {
        l->end = SW_LOOKUP_NODATA;
        l->decided = a->nodata.frame ? a->nodata : a->nxdomain;
        return true;
    }
    const struct entry_answers *failed = a->failed.frame ? a : mx->failed.frame ? mx : NULL;
    if (failed) {
        l->end = SW_LOOKUP_SERVFAIL;
        l->rcode = failed->failed_rcode;
        l->decided = failed->failed;
        return true;
    }
    return false;
}

/* The answer did not fit into a packet, and the whole of it did not come over TCP (RFC 7766). */
static bool cut_short(const struct entry *e, int64_t now_ns, struct sw_lookup *l)
{
    const int64_t patience_ns = 30 * SW_NS_PER_S;
    struct sw_mark cut = e->types[ENTRY_A].cut;
    cut = cut.frame ? cut : e->types[ENTRY_MX].cut;
    if (!cut.frame)
        return false;
    struct sw_mark since = e->retried.frame ? e->retried : cut;
    if (!e->retry_over.frame && now_ns - since.time_ns < patience_ns)
        return false;
    l->end = SW_LOOKUP_CUT;
    l->decided = cut;
    l->retried = e->retried;
    l->retry_over = e->retry_over;
    return true;
}

/* Nobody answered: three times the same question, or twice and some time for the last one. */
static bool by_silence(const struct entry *e, int64_t now_ns, struct sw_lookup *l)
{
    uint32_t times = 0;
    for (int i = 0; i < ENTRY_TYPES; i++)
        times = e->types[i].questions > times ? e->types[i].questions : times;
    if (e->answers > 0 && e->types[ENTRY_A].questions < 2)
        return false;
    if (e->answers == 0 && e->ask_count > 0 && e->unreachable == e->ask_count) {
        l->end = SW_LOOKUP_UNREACHABLE;
        l->decided = e->unreachable_mark;
        return true;
    }
    struct sw_mark last = e->again.frame ? e->again : e->asked;
    bool waited = times >= 3 || (times == 2 && now_ns - last.time_ns >= SW_NS_PER_S);
    bool cut = e->types[ENTRY_A].cut.frame || e->types[ENTRY_AAAA].cut.frame ||
               e->types[ENTRY_MX].cut.frame;
    if (!waited || cut)
        return false;
    l->end = SW_LOOKUP_TIMEOUT;
    return true;
}

static bool leads_nowhere(const struct entry *e, struct sw_lookup *l)
{
    for (uint32_t i = 0; i < e->address_count; i++) {
        const struct entry_address *a = &e->addresses[i];
        if (sw_address_kind_of(a->address, a->ip_version) != SW_ADDRESS_NOWHERE)
            return false;
    }
    if (e->address_count == 0)
        return false;
    l->end = SW_LOOKUP_SINKHOLED;
    l->decided = e->addresses[0].answered;
    memcpy(l->address, e->addresses[0].address, 16);
    l->address_version = e->addresses[0].ip_version;
    return true;
}

/* No IPv4 address, and nobody goes to the IPv6 ones: a client without IPv6 has none. */
static bool only_ipv6(const struct entry *e, int64_t now_ns, struct sw_lookup *l)
{
    const int64_t patience_ns = 5 * SW_NS_PER_S;
    struct sw_mark nodata = e->types[ENTRY_A].nodata;
    if (!nodata.frame || e->used || now_ns - e->last.time_ns < patience_ns)
        return false;
    for (uint32_t i = 0; i < e->address_count; i++) {
        if (e->addresses[i].ip_version != 6 || e->addresses[i].answered.frame < e->first.frame)
            return false;
    }
    l->end = SW_LOOKUP_NODATA;
    l->decided = nodata;
    l->ipv6 = e->addresses[0].answered;
    return true;
}

static bool failed(const struct entry *e, int64_t now_ns, struct sw_lookup *l)
{
    if (e->null_mx) {
        l->end = SW_LOOKUP_NULL_MX;
        l->decided = e->types[ENTRY_MX].found;
        return true;
    }
    if (e->address_count > 0)
        return leads_nowhere(e, l) || only_ipv6(e, now_ns, l);
    if (e->types[ENTRY_MX].found.frame)
        return false;
    return by_answers(e, l) || cut_short(e, now_ns, l) || by_silence(e, now_ns, l);
}

void sw_book_settle(struct sw_book *book, struct entry *entry, int64_t now_ns, bool at_end)
{
    struct sw_lookup lookup = {
        .name = name_of(entry),
        .deaf = !book->heard,
        .heard = book->heard_at,
        .heard_by = book->heard_by,
        .asked_mx = entry->types[ENTRY_MX].questions > 0,
        .id = entry->asks[0].id,
        .questions = entry->ask_count,
        .answers = entry->answers,
        .asked = entry->asked,
        .again = entry->again,
        .foreign = entry->foreign,
        .ip_version = entry->resolver_version,
    };
    memcpy(lookup.resolver, entry->resolver, 16);
    if (entry->told || !failed(entry, now_ns, &lookup) || !is_candidate(book, entry))
        return;
    const struct entry_answers *mx = &entry->types[ENTRY_MX];
    bool mail = sw_name_says_mail(lookup.name) || mx->questions > 0 || mx->found.frame ||
                mx->nxdomain.frame || mx->failed.frame || mx->nodata.frame ||
                entry->mx_of_id != 0 || entry->of_service;
    if (!mail && (!at_end || lookup.end == SW_LOOKUP_SINKHOLED)) /* nothing else to go by */
        return;
    lookup.guess = !mail;
    struct sw_flow_facts facts = {
        .first = entry->first,
        .last = entry->last,
        .closed_by = -1,
        .time_digits = entry->time_digits,
    };
    memcpy(facts.tuple.src, entry->client, 16);
    facts.tuple.ip_version = entry->ip_version;
    entry->told = true;
    book->sink.failed(book->sink.ctx, &lookup, &facts, now_ns);
}
