/*
 * book_neighbour.c - requests for hardware addresses (RFC 826, RFC 4861) that nobody answers, and
 * the end of the book.
 */
#include "pipeline/book_entry.h"

#include "base/time.h"

#include <stdlib.h>

#define WAIT_NS (60 * SW_NS_PER_S)

enum { ASKED_IN_VAIN = 2, SCAN_TARGETS = 4 };

static void list_append(struct sw_book *book, struct neighbour *n)
{
    n->older = book->newest_neighbour;
    n->newer = NULL;
    if (n->older)
        n->older->newer = n;
    else
        book->oldest_neighbour = n;
    book->newest_neighbour = n;
    if (!book->next_neighbour)
        book->next_neighbour = n;
}

static void list_remove(struct sw_book *book, struct neighbour *n)
{
    if (book->next_neighbour == n)
        book->next_neighbour = n->newer;
    if (n->older)
        n->older->newer = n->newer;
    else
        book->oldest_neighbour = n->newer;
    if (n->newer)
        n->newer->older = n->older;
    else
        book->newest_neighbour = n->older;
}

/* The newest first, a bounded look back: who asks in vain asks again within seconds. */
static struct neighbour *find(const struct sw_book *book, const struct sw_neighbour *wanted)
{
    enum { LOOK_BACK = 64 };
    struct neighbour *n = book->newest_neighbour;
    for (int looked = 0; n && looked < LOOK_BACK; looked++, n = n->older) {
        if (n->ip_version == wanted->ip_version && memcmp(n->asker, wanted->asker, 16) == 0 &&
            memcmp(n->target, wanted->target, 16) == 0)
            return n;
    }
    return NULL;
}

static struct neighbour *make(struct sw_book *book, const struct sw_neighbour *wanted)
{
    if (!book->neighbours)
        book->neighbours = calloc(book->limits.neighbours, sizeof(struct neighbour));
    if (!book->neighbours)
        return NULL;
    struct neighbour *n = NULL;
    if (book->neighbour_count < book->limits.neighbours) {
        n = &book->neighbours[book->neighbour_count++];
    } else {
        n = book->oldest_neighbour;
        list_remove(book, n);
        book->dropped += !n->answered && n->asked >= ASKED_IN_VAIN && !n->told;
    }
    *n = (struct neighbour){.ip_version = wanted->ip_version};
    memcpy(n->asker, wanted->asker, 16);
    memcpy(n->target, wanted->target, 16);
    list_append(book, n);
    return n;
}

void sw_book_neighbour(struct sw_book *book, const struct sw_neighbour *neighbour,
                       struct sw_mark mark, uint8_t time_digits)
{
    struct neighbour *n = find(book, neighbour);
    if (neighbour->answer) {
        sw_book_heard_name(book, mark);
        if (n)
            n->answered = true;
        return;
    }
    if (!n && !(n = make(book, neighbour)))
        return;
    if (n->told)
        return;
    if (n->asked == 0 || n->answered) { /* an answer is no answer to a later question */
        n->first = mark;
        n->asked = 0;
        n->answered = false;
        n->time_digits = time_digits;
    }
    if (n->asked == 0 || mark.time_ns - n->last.time_ns >= BOOK_COPY_NS)
        n->asked++;
    n->last = mark;
    list_remove(book, n);
    list_append(book, n);
}

/* Addresses that this host looks for in vain: many of them are a scan of the network. */
static bool is_scan(const struct sw_book *book, const struct neighbour *n)
{
    unsigned targets = 0;
    for (uint32_t i = 0; i < book->neighbour_count; i++) {
        const struct neighbour *other = &book->neighbours[i];
        targets += !other->answered && memcmp(other->asker, n->asker, 16) == 0;
    }
    return targets >= SCAN_TARGETS;
}

static void tell(struct sw_book *book, struct neighbour *n, const struct entry *entry, bool guess,
                 int64_t now_ns)
{
    struct sw_lookup lookup = {
        .end = SW_LOOKUP_NEIGHBOUR,
        .guess = guess,
        .deaf = !book->heard,
        .heard = book->heard_at,
        .heard_by = book->heard_by,
        .questions = n->asked,
        .asked = n->first,
        .again = n->asked > 1 ? n->last : (struct sw_mark){0},
        .ip_version = n->ip_version,
    };
    if (entry) {
        lookup.name = sw_span_make(entry->name.text, entry->name.length);
        lookup.led_asked = entry->asked;
        if (entry->address_count > 0)
            lookup.led = entry->addresses[0].answered;
        for (uint32_t i = 0; i < entry->address_count; i++) {
            if (memcmp(entry->addresses[i].address, n->target, 16) == 0)
                lookup.led = entry->addresses[i].answered;
        }
    }
    memcpy(lookup.resolver, n->target, 16);
    struct sw_flow_facts facts = {
        .first = n->first,
        .last = n->last,
        .closed_by = -1,
        .time_digits = n->time_digits,
    };
    memcpy(facts.tuple.src, n->asker, 16);
    memcpy(facts.tuple.dst, n->target, 16);
    facts.tuple.ip_version = n->ip_version;
    n->told = true;
    book->sink.failed(book->sink.ctx, &lookup, &facts, now_ns);
}

/* The name of a mail host that led the asker to this address and that no connection followed. */
static const struct entry *mail_host(const struct sw_book *book, const struct neighbour *n)
{
    struct entry_address *nodes[BOOK_NODES];
    uint32_t count = sw_book_nodes(book, n->asker, n->target, n->ip_version, nodes);
    for (uint32_t i = 0; i < count; i++) {
        const struct entry *entry = nodes[i]->entry;
        struct sw_span name = sw_span_make(entry->name.text, entry->name.length);
        bool mail = sw_name_says_mail(name) || entry->mx_of_id != 0 || entry->of_service;
        if (mail && !entry->used && nodes[i]->answered.time_ns <= n->last.time_ns)
            return entry;
    }
    return NULL;
}

static bool in_vain(const struct neighbour *n)
{
    return !n->answered && !n->told && n->asked >= ASKED_IN_VAIN;
}

/* Those that wait are the newest ones: each settles once, in the order of time. */
static void settle_next(struct sw_book *book, int64_t now_ns)
{
    struct neighbour *n = book->next_neighbour;
    book->next_neighbour = n->newer;
    const struct entry *entry = in_vain(n) ? mail_host(book, n) : NULL;
    if (entry)
        tell(book, n, entry, false, now_ns);
}

void sw_book_neighbours_time(struct sw_book *book, int64_t now_ns)
{
    while (book->next_neighbour && now_ns - book->next_neighbour->last.time_ns >= WAIT_NS)
        settle_next(book, now_ns);
}

/* A mail host whose address this client had learnt and never tried. */
static const struct entry *untried(const struct sw_book *book, const uint8_t client[16])
{
    for (const struct entry *e = book->settled.oldest; e; e = e->newer) {
        struct sw_span name = sw_span_make(e->name.text, e->name.length);
        if (e->address_count > 0 && !e->used && memcmp(e->client, client, 16) == 0 &&
            (sw_name_says_mail(name) || e->mx_of_id != 0 || e->of_service))
            return e;
    }
    return NULL;
}

/* Where nothing else was captured, a silent neighbour is what keeps everything in, mail too. */
static void guess_neighbours(struct sw_book *book, int64_t now_ns)
{
    for (struct neighbour *n = book->oldest_neighbour; n; n = n->newer) {
        if (!in_vain(n) || is_scan(book, n))
            continue;
        const struct entry *entry = book->settled.oldest ? untried(book, n->asker) : NULL;
        if (entry || !book->settled.oldest)
            tell(book, n, entry, true, now_ns);
    }
}

/* Look-ups of which nothing says that they were about mail. */
static void guess_lookups(struct sw_book *book, int64_t now_ns)
{
    for (struct entry *entry = book->settled.oldest; entry; entry = entry->newer)
        sw_book_settle(book, entry, now_ns, true);
}

void sw_book_finish(struct sw_book *book, int64_t now_ns)
{
    while (book->waiting.oldest)
        sw_book_settle_oldest(book, now_ns);
    while (book->next_neighbour)
        settle_next(book, now_ns);
    if (book->sink.any_mail(book->sink.ctx))
        return;
    guess_lookups(book, now_ns);
    if (!book->sink.any_talk(book->sink.ctx))
        guess_neighbours(book, now_ns);
}
