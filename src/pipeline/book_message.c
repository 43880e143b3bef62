/*
 * book_message.c - DNS messages and ICMP errors, written into the book.
 */
#include "pipeline/book_entry.h"

enum { DNS_PORT = 53 };

/* Who takes mail for a domain's own people (RFC 6186 3.1, RFC 8314 5.1). */
static bool is_mail_service(struct sw_span name)
{
    return sw_span_starts_nocase(name, SW_SPAN_LIT("_submission._tcp.")) ||
           sw_span_starts_nocase(name, SW_SPAN_LIT("_submissions._tcp."));
}

static int type_of(const struct dns_message *m)
{
    struct sw_span name = sw_span_make(m->name.text, m->name.length);
    switch (m->type) {
    case DNS_TLSA:
        return sw_span_starts_nocase(name, SW_SPAN_LIT(BOOK_TLSA_PREFIX)) ? ENTRY_POLICY : -1;
    case DNS_TXT:
        return sw_span_starts_nocase(name, SW_SPAN_LIT(BOOK_STS_PREFIX)) ? ENTRY_POLICY : -1;
    case DNS_SRV:
        return is_mail_service(name) ? ENTRY_SERVICE : -1;
    case DNS_A:
        return ENTRY_A;
    case DNS_AAAA:
        return ENTRY_AAAA;
    case DNS_MX:
        return ENTRY_MX;
    default:
        return -1;
    }
}

static void set_first(struct sw_mark *place, struct sw_mark mark)
{
    if (!place->frame)
        *place = mark;
}

static bool is_ask(const struct entry_ask *ask, const uint8_t resolver[16], uint16_t port,
                   uint16_t id)
{
    return ask->id == id && ask->port == port && memcmp(ask->resolver, resolver, 16) == 0;
}

/* A mirror port, or a bridge and its ports, show one question several times before it is answered.
 * After an error some ask at once again, with the same number. */
static bool is_copy(const struct entry *entry, const struct sw_tuple *t, struct sw_mark mark,
                    uint16_t id)
{
    for (uint32_t i = 0; i < entry->ask_count && i < ENTRY_ASKS; i++) {
        const struct entry_ask *ask = &entry->asks[i];
        if (!ask->answered && !ask->unreachable && mark.time_ns - ask->time_ns < BOOK_COPY_NS &&
            is_ask(ask, t->dst, t->src_port, id))
            return true;
    }
    return false;
}

/* What a program asks the resolver of its own machine, that one asks another: one look-up, which is
 * told of the address that the machine has on the network, unless it asks for others as well. */
static void note_asked_on(struct sw_book *book, const struct entry *entry)
{
    const struct sw_tuple *t = &book->tuple;
    const struct host *asker = sw_book_host(book, t->src);
    if (sw_address_kind_of(t->src, t->ip_version) == SW_ADDRESS_NOWHERE) {
        memcpy(book->local_client, t->src, sizeof(book->local_client));
        book->has_local_client = true;
    } else if (book->has_local_client && asker && !asker->resolver) {
        struct sw_span name = sw_span_make(entry->name.text, entry->name.length);
        struct entry *local = sw_book_find(book, book->local_client, name);
        if (local && !local->settled)
            local->asked_on = true;
    }
}

static void on_question(struct sw_book *book, struct entry *entry, const struct dns_message *m,
                        int type)
{
    const struct sw_tuple *t = &book->tuple;
    if (is_copy(entry, t, book->mark, m->id))
        return;
    note_asked_on(book, entry);
    const struct host *host = sw_book_asker(book, t->src, t->ip_version);
    if (!host || book->mark.time_ns > host->serving_until_ns)
        entry->own++;
    entry->types[type].questions++;
    if (entry->asked.frame)
        entry->again = book->mark;
    set_first(&entry->asked, book->mark);
    memcpy(entry->resolver, t->dst, 16);
    entry->resolver_version = t->ip_version;
    struct entry_ask *ask = &entry->asks[entry->ask_count++ % ENTRY_ASKS];
    *ask = (struct entry_ask){.time_ns = book->mark.time_ns, .port = t->src_port, .id = m->id};
    memcpy(ask->resolver, t->dst, 16);
}

/*
 * RFC 5452 section 9.1: an answer has the addresses, port and number of a question, else the client
 * does not take it. Where no question is in the capture, or too many are, it is taken at its word.
 */
static bool answers_a_question(struct entry *entry, const struct sw_tuple *t, uint16_t id)
{
    bool found = false;
    for (uint32_t i = 0; i < entry->ask_count && i < ENTRY_ASKS; i++) {
        struct entry_ask *ask = &entry->asks[i];
        if (!is_ask(ask, t->src, t->dst_port, id))
            continue;
        ask->answered = true;
        found = true;
    }
    return found || entry->ask_count == 0 || entry->ask_count > ENTRY_ASKS;
}

static void on_message(void *ctx, const struct dns_message *m, struct sw_at at)
{
    struct sw_book *book = ctx;
    const struct sw_tuple *t = &book->tuple;
    (void)at;
    book->reading = NULL;
    book->found = false;
    bool from_server = t->src_port == DNS_PORT;
    struct host *server = sw_book_host(book, from_server ? t->src : t->dst);
    if (server)
        server->resolver = true;
    if (m->response)
        sw_book_heard_name(book, book->mark);
    int type = type_of(m);
    if (type < 0 || m->name.length == 0 || m->name.cut || m->response != from_server)
        return;
    const uint8_t *client = m->response ? t->dst : t->src;
    struct entry *entry = sw_book_find_or_make(book, client, t->ip_version, &m->name, book->mark);
    if (!entry)
        return;
    if (m->response && !answers_a_question(entry, t, m->id)) {
        set_first(&entry->foreign, book->mark);
        return;
    }
    sw_book_touch(book, entry, book->mark);
    if (!m->response) {
        on_question(book, entry, m, type);
        return;
    }
    entry->answers++;
    book->reading = entry;
}

/* A host that an MX record names is a mail host whatever it is called. */
static void on_mx(struct sw_book *book, const struct dns_record *r)
{
    struct entry *domain = book->reading;
    if (r->null_mx) {
        domain->null_mx = true;
        return;
    }
    if (r->target->length == 0 || r->target->cut)
        return;
    uint64_t id = domain->id; /* making room may take the domain's own place */
    struct entry *host =
        sw_book_find_or_make(book, domain->client, domain->ip_version, r->target, book->mark);
    if (!host || host == domain || domain->id != id)
        return;
    host->mx_of = domain;
    host->mx_of_id = id;
    host->mx_answered = book->mark;
}

/* So is one that an SRV record names; a dot says that there is none (RFC 2782). */
static void on_service(struct sw_book *book, const struct dns_record *r)
{
    const struct entry *domain = book->reading;
    if (r->target->length == 0 || r->target->cut)
        return;
    uint64_t id = domain->id; /* making room may take the domain's own place */
    struct entry *host =
        sw_book_find_or_make(book, domain->client, domain->ip_version, r->target, book->mark);
    if (host)
        host->of_service = true;
    if (domain->id != id)
        book->reading = NULL;
}

/* RFC 8461 section 3.1: other TXT records of the name announce nothing. */
static bool counts(const struct dns_record *r)
{
    return r->type != DNS_TXT || sw_span_starts_nocase(r->text, SW_SPAN_LIT("v=STSv1"));
}

static void on_record(void *ctx, const struct dns_message *m, const struct dns_record *r)
{
    struct sw_book *book = ctx;
    struct entry *entry = book->reading;
    if (!entry || r->section == DNS_AUTHORITY)
        return;
    bool is_address = r->type == DNS_A || r->type == DNS_AAAA;
    uint8_t version = r->type == DNS_A ? 4 : 6;
    if (r->section == DNS_ANSWER && r->type == m->type && counts(r))
        book->found = true;
    int asked = type_of(m);
    bool of_the_name = asked == ENTRY_A || asked == ENTRY_AAAA;
    if (is_address && r->section == DNS_ANSWER && of_the_name) {
        sw_book_add_address(book, entry, r->address, version, book->mark);
    } else if (is_address) { /* of a host that the answer names */
        struct entry *host =
            sw_book_find(book, entry->client, sw_span_make(r->owner->text, r->owner->length));
        if (host)
            sw_book_add_address(book, host, r->address, version, book->mark);
    } else if (r->type == DNS_MX && r->section == DNS_ANSWER) {
        on_mx(book, r);
    } else if (asked == ENTRY_SERVICE && r->type == DNS_SRV && r->section == DNS_ANSWER) {
        on_service(book, r);
    }
}

/* RFC 2308 section 2: what the answer is when it holds no record of the type. */
static void on_end(void *ctx, const struct dns_message *m, bool broken)
{
    struct sw_book *book = ctx;
    struct entry *entry = book->reading;
    int type = type_of(m);
    if (!entry || type < 0)
        return;
    struct entry_answers *a = &entry->types[type];
    bool whole = book->found || m->rcode != DNS_NOERROR || (!m->truncated && !broken);
    if (whole)
        a->cut = (struct sw_mark){0};
    if (book->found) {
        set_first(&a->found, book->mark);
    } else if (m->rcode == DNS_NXDOMAIN) {
        set_first(&a->nxdomain, book->mark);
    } else if (m->rcode != DNS_NOERROR) {
        set_first(&a->failed, book->mark);
        a->failed_rcode = m->rcode;
    } else if (whole) {
        set_first(&a->nodata, book->mark);
    } else if (m->truncated) {
        a->cut = book->mark;
    }
    book->reading = NULL;
}

static struct dns_sink sink_of(struct sw_book *book)
{
    return (struct dns_sink){book, on_message, on_record, on_end};
}

void sw_book_message(struct sw_book *book, const struct sw_tuple *tuple, struct sw_span bytes,
                     struct sw_mark mark, uint8_t time_digits)
{
    struct dns_sink sink = sink_of(book);
    book->tuple = *tuple;
    book->mark = mark;
    book->time_digits = time_digits;
    (void)dns_read(bytes, (struct sw_at){0, mark.frame, mark.time_ns}, &sink); /* or it is no DNS */
}

void sw_book_stream(struct sw_book *book, struct dns_stream *stream, const struct sw_tuple *tuple,
                    const struct sw_chunk *chunk, uint8_t time_digits)
{
    struct dns_sink sink = sink_of(book);
    struct sw_tuple t = *tuple;
    if (chunk->from == SW_SERVER) {
        memcpy(t.src, tuple->dst, sizeof(t.src));
        memcpy(t.dst, tuple->src, sizeof(t.dst));
        t.src_port = tuple->dst_port;
        t.dst_port = tuple->src_port;
    }
    book->tuple = t;
    book->mark = chunk->mark;
    book->time_digits = time_digits;
    struct sw_piece piece = {
        .from = chunk->from == SW_SERVER ? SW_FROM_SERVER : SW_FROM_CLIENT,
        .at = {chunk->offset, chunk->mark.frame, chunk->mark.time_ns},
        .bytes = chunk->bytes,
    };
    dns_stream_feed(stream, &piece, &sink);
}

static bool is_cut(const struct entry *entry)
{
    return entry->types[ENTRY_A].cut.frame || entry->types[ENTRY_AAAA].cut.frame ||
           entry->types[ENTRY_MX].cut.frame;
}

/* RFC 7766 section 5: who gets a truncated answer asks again over TCP. */
void sw_book_retry(struct sw_book *book, const struct sw_tuple *tuple, struct sw_mark mark)
{
    enum { LOOK_BACK = 64, AT_ONCE_S = 10 };
    struct entry *entry = book->waiting.newest;
    for (int looked = 0; entry && looked < LOOK_BACK; looked++, entry = entry->older) {
        bool recent = mark.time_ns - entry->last.time_ns <= AT_ONCE_S * SW_NS_PER_S;
        if (!recent || entry->retried.frame || !is_cut(entry) ||
            memcmp(entry->client, tuple->src, 16) != 0 ||
            memcmp(entry->resolver, tuple->dst, 16) != 0)
            continue;
        entry->retried = mark;
        entry->retry_port = tuple->src_port;
        sw_book_touch(book, entry, mark);
        return;
    }
}

void sw_book_retry_over(struct sw_book *book, const struct sw_tuple *tuple, struct sw_mark mark)
{
    enum { LOOK_BACK = 64 };
    struct entry *entry = book->waiting.newest;
    for (int looked = 0; entry && looked < LOOK_BACK; looked++, entry = entry->older) {
        if (entry->retried.frame && entry->retry_port == tuple->src_port && is_cut(entry) &&
            memcmp(entry->client, tuple->src, 16) == 0) {
            entry->retry_over = mark;
            if (mark.frame > entry->last.frame)
                sw_book_touch(book, entry, mark);
            return;
        }
    }
}

/* All that was asked over this socket so far: routers limit how often they complain. */
static void mark_unreachable(struct entry *entry, const struct sw_tuple *q)
{
    uint32_t n = entry->ask_count < ENTRY_ASKS ? entry->ask_count : ENTRY_ASKS;
    for (uint32_t i = 0; i < n; i++) {
        struct entry_ask *ask = &entry->asks[i];
        if (ask->unreachable || ask->port != q->src_port || memcmp(ask->resolver, q->dst, 16) != 0)
            continue;
        ask->unreachable = true;
        entry->unreachable++;
    }
}

/* An ICMP error quotes the ports, not the name: the questions of the client that wait are asked. */
void sw_book_icmp(struct sw_book *book, const struct sw_icmp_header *icmp, struct sw_mark mark)
{
    enum { LOOK_BACK = 64 };
    const struct sw_tuple *q = &icmp->quote;
    if (q->dst_port != DNS_PORT)
        return;
    sw_book_heard_name(book, mark);
    struct entry *entry = book->waiting.newest;
    for (int looked = 0; entry && looked < LOOK_BACK; looked++, entry = entry->older) {
        if (memcmp(entry->client, q->src, 16) != 0)
            continue;
        uint32_t before = entry->unreachable;
        mark_unreachable(entry, q);
        if (entry->unreachable == before)
            continue;
        set_first(&entry->unreachable_mark, mark);
        sw_book_touch(book, entry, mark);
        return;
    }
}
