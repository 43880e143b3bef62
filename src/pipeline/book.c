/*
 * book.c - the table of look-ups, the chains of addresses, and their order in time.
 */
#include "pipeline/book_entry.h"

#include "base/account.h"
#include "base/limit.h"

#include <stdlib.h>

#define WAIT_NS (60 * SW_NS_PER_S) /* for a repetition, another resolver, or the connection */
#define RACE_NS (5 * SW_NS_PER_S)  /* addresses of one name are tried side by side */

struct sw_book *sw_book_new(const struct sw_book_limits *limits, const struct sw_hash_key *key,
                            const struct sw_book_sink *sink)
{
    struct sw_book *book = calloc(1, sizeof(*book));
    if (!book)
        return NULL;
    book->limits = *limits;
    if (book->limits.lookups == 0)
        book->limits.lookups = (uint32_t)sw_limit_default(SW_LIMIT_LOOKUPS);
    if (book->limits.neighbours == 0)
        book->limits.neighbours = (uint32_t)sw_limit_default(SW_LIMIT_NEIGHBOURS);
    book->sink = *sink;
    book->key = *key;
    book->next_id = 1;
    book->local.serving_until_ns = INT64_MIN;
    book->account = &book->own_account;
    size_t buckets = 64;
    while (buckets < book->limits.lookups)
        buckets *= 2;
    book->bucket_mask = buckets - 1;
    return book;
}

void sw_book_account(struct sw_book *book, size_t *account)
{
    *account += book->own_account;
    book->account = account;
}

void sw_book_free(struct sw_book *book)
{
    if (!book)
        return;
    struct entry_list *lists[] = {&book->waiting, &book->settled};
    for (int i = 0; i < 2; i++) {
        while (lists[i]->oldest) {
            struct entry *newer = lists[i]->oldest->newer;
            sw_account_give(book->account, sizeof(struct entry));
            free(lists[i]->oldest);
            lists[i]->oldest = newer;
        }
    }
    free(book->buckets);
    free(book->address_buckets);
    free(book->any_buckets);
    free(book->hosts);
    free(book->neighbours);
    free(book);
}

/* --- lists in the order of time --- */

static void list_append(struct entry_list *list, struct entry *entry)
{
    entry->older = list->newest;
    entry->newer = NULL;
    if (list->newest)
        list->newest->newer = entry;
    else
        list->oldest = entry;
    list->newest = entry;
}

static void list_remove(struct entry_list *list, struct entry *entry)
{
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        list->oldest = entry->newer;
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        list->newest = entry->older;
}

/* --- chains --- */

static uint64_t name_hash(const struct sw_book *book, const uint8_t client[16], struct sw_span name)
{
    uint8_t bytes[16 + DNS_NAME_BYTES];
    memcpy(bytes, client, 16);
    if (name.len > 0)
        memcpy(bytes + 16, name.ptr, name.len);
    return sw_hash_bytes(&book->key, sw_span_make(bytes, 16 + name.len));
}

static uint64_t any_hash(const struct sw_book *book, const uint8_t address[16])
{
    return sw_hash_bytes(&book->key, sw_span_make(address, 16));
}

static uint64_t address_hash(const struct sw_book *book, const uint8_t client[16],
                             const uint8_t address[16])
{
    uint8_t bytes[32];
    memcpy(bytes, client, 16);
    memcpy(bytes + 16, address, 16);
    return sw_hash_bytes(&book->key, sw_span_make(bytes, sizeof(bytes)));
}

static bool is_name(const struct entry *entry, struct sw_span name)
{
    return sw_span_eq(sw_span_make(entry->name.text, entry->name.length), name);
}

struct entry *sw_book_find(const struct sw_book *book, const uint8_t client[16],
                           struct sw_span name)
{
    if (!book->buckets || name.len > DNS_NAME_BYTES)
        return NULL;
    uint64_t hash = name_hash(book, client, name);
    struct entry *entry = book->buckets[hash & book->bucket_mask];
    while (entry &&
           (entry->hash != hash || memcmp(entry->client, client, 16) != 0 || !is_name(entry, name)))
        entry = entry->next;
    return entry;
}

/* Very many names may lead to one address: a node knows its place in the chains. */
static void unchain_address(struct entry_address *node)
{
    *node->place = node->next;
    if (node->next)
        node->next->place = node->place;
    *node->place_any = node->next_any;
    if (node->next_any)
        node->next_any->place_any = node->place_any;
}

static void unchain(struct sw_book *book, struct entry *entry)
{
    struct entry **at = &book->buckets[entry->hash & book->bucket_mask];
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    for (uint32_t i = 0; i < entry->address_count; i++)
        unchain_address(&entry->addresses[i]);
    entry->address_count = 0;
    list_remove(entry->settled ? &book->settled : &book->waiting, entry);
}

static bool make_buckets(struct sw_book *book)
{
    size_t n = book->bucket_mask + 1;
    if (!book->buckets)
        book->buckets = calloc(n, sizeof(struct entry *));
    if (!book->address_buckets)
        book->address_buckets = calloc(n, sizeof(struct entry_address *));
    if (!book->any_buckets)
        book->any_buckets = calloc(n, sizeof(struct entry_address *));
    return book->buckets && book->address_buckets && book->any_buckets;
}

/* Memory for a new entry: new, or that of the one that can best be spared. */
static struct entry *take_memory(struct sw_book *book)
{
    if (book->entry_count < book->limits.lookups) {
        struct entry *fresh = malloc(sizeof(*fresh));
        if (fresh) {
            book->entry_count++;
            sw_account_take(book->account, sizeof(*fresh));
            return fresh;
        }
    }
    struct entry *spare = book->settled.oldest;
    if (!spare) {
        spare = book->waiting.oldest;
        book->dropped += spare && spare->address_count == 0;
    }
    if (spare)
        unchain(book, spare);
    return spare;
}

struct entry *sw_book_find_or_make(struct sw_book *book, const uint8_t client[16],
                                   uint8_t ip_version, const struct dns_name *name,
                                   struct sw_mark mark)
{
    struct sw_span text = sw_span_make(name->text, name->length);
    struct entry *entry = sw_book_find(book, client, text);
    if (entry)
        return entry;
    if (!make_buckets(book) || !(entry = take_memory(book)))
        return NULL;
    memset(entry, 0, offsetof(struct entry, name));
    memcpy(entry->client, client, 16);
    entry->ip_version = ip_version;
    entry->name = *name;
    entry->id = book->next_id++;
    entry->time_digits = book->time_digits;
    entry->first = entry->last = mark;
    entry->hash = name_hash(book, client, text);
    struct entry **bucket = &book->buckets[entry->hash & book->bucket_mask];
    entry->next = *bucket;
    *bucket = entry;
    list_append(&book->waiting, entry);
    return entry;
}

/* A question after the wait is over begins anew; what the name led to is still known. */
static void begin_anew(struct entry *entry, struct sw_mark mark)
{
    entry->used = entry->null_mx = entry->asked_on = false;
    entry->own = entry->answers = entry->unreachable = entry->ask_count = 0;
    entry->asked = entry->again = entry->unreachable_mark = entry->foreign = (struct sw_mark){0};
    entry->retried = entry->retry_over = (struct sw_mark){0};
    memset(entry->types, 0, sizeof(entry->types));
    entry->first = mark;
}

void sw_book_touch(struct sw_book *book, struct entry *entry, struct sw_mark mark)
{
    list_remove(entry->settled ? &book->settled : &book->waiting, entry);
    if (entry->settled)
        begin_anew(entry, mark);
    entry->settled = false;
    entry->last = mark;
    list_append(&book->waiting, entry);
}

void sw_book_add_address(struct sw_book *book, struct entry *entry, const uint8_t address[16],
                         uint8_t ip_version, struct sw_mark mark)
{
    for (uint32_t i = 0; i < entry->address_count; i++) {
        struct entry_address *known = &entry->addresses[i];
        if (known->ip_version == ip_version && memcmp(known->address, address, 16) == 0)
            return;
    }
    if (entry->address_count == ENTRY_ADDRESSES)
        return;
    struct entry_address *node = &entry->addresses[entry->address_count++];
    *node = (struct entry_address){.entry = entry, .ip_version = ip_version, .answered = mark};
    memcpy(node->address, address, 16);
    node->hash = address_hash(book, entry->client, address);
    node->hash_any = any_hash(book, address);
    node->place = &book->address_buckets[node->hash & book->bucket_mask];
    node->next = *node->place;
    if (node->next)
        node->next->place = &node->next;
    *node->place = node;
    node->place_any = &book->any_buckets[node->hash_any & book->bucket_mask];
    node->next_any = *node->place_any;
    if (node->next_any)
        node->next_any->place_any = &node->next_any;
    *node->place_any = node;
}

/* May the two addresses be one machine's? */
static bool may_be_same(const struct entry *entry, const uint8_t client[16], uint8_t ip_version)
{
    bool link_local = ip_version == 6 && client[0] == 0xFE && (client[1] & 0xC0) == 0x80;
    bool loopback = sw_address_kind_of(entry->client, entry->ip_version) == SW_ADDRESS_NOWHERE;
    return entry->ip_version != ip_version || link_local || loopback;
}

uint32_t sw_book_nodes(const struct sw_book *book, const uint8_t client[16],
                       const uint8_t address[16], uint8_t ip_version,
                       struct entry_address *nodes[BOOK_NODES])
{
    enum { LOOK = 64 }; /* many clients ask for the same host */
    uint32_t count = 0;
    if (!book->any_buckets)
        return 0;
    uint64_t hash = address_hash(book, client, address);
    struct entry_address *at = book->address_buckets[hash & book->bucket_mask];
    for (int looked = 0; at && count < BOOK_NODES && looked < LOOK; at = at->next, looked++) {
        if (at->hash == hash && memcmp(at->address, address, 16) == 0 &&
            memcmp(at->entry->client, client, 16) == 0)
            nodes[count++] = at;
    }
    if (count > 0)
        return count;
    hash = any_hash(book, address);
    at = book->any_buckets[hash & book->bucket_mask];
    for (int looked = 0; at && count < BOOK_NODES && looked < LOOK; at = at->next_any, looked++) {
        if (at->hash_any == hash && memcmp(at->address, address, 16) == 0 &&
            may_be_same(at->entry, client, ip_version))
            nodes[count++] = at;
    }
    return count;
}

/* --- hosts --- */

struct host *sw_book_host(struct sw_book *book, const uint8_t address[16])
{
    if (!book->hosts && !(book->hosts = calloc(HOSTS, sizeof(struct host))))
        return NULL;
    if (book->last_host && memcmp(book->last_host->address, address, 16) == 0)
        return book->last_host; /* a dialogue asks for the same one again and again */
    uint64_t hash = sw_hash_sized(&book->key, address, 16);
    struct host **bucket = &book->host_buckets[hash % HOST_BUCKETS];
    struct host *host = *bucket;
    while (host && memcmp(host->address, address, 16) != 0)
        host = host->next;
    if (host)
        return book->last_host = host;
    host = &book->hosts[book->next_host];
    book->next_host = (book->next_host + 1) % HOSTS;
    if (host->used) { /* the place of the one that was met first */
        uint64_t old = sw_hash_sized(&book->key, host->address, 16);
        struct host **at = &book->host_buckets[old % HOST_BUCKETS];
        while (*at != host)
            at = &(*at)->next;
        *at = host->next;
    }
    *host = (struct host){.next = *bucket, .used = true, .serving_until_ns = INT64_MIN};
    memcpy(host->address, address, 16);
    *bucket = host;
    return book->last_host = host;
}

struct host *sw_book_asker(struct sw_book *book, const uint8_t client[16], uint8_t ip_version)
{
    if (sw_address_kind_of(client, ip_version) == SW_ADDRESS_NOWHERE)
        return &book->local;
    return sw_book_host(book, client);
}

void sw_book_serving(struct sw_book *book, const struct sw_tuple *tuple, int64_t until_ns)
{
    struct host *host = sw_book_host(book, tuple->dst);
    if (host)
        host->serving_until_ns = until_ns;
    if (until_ns > book->local.serving_until_ns)
        book->local.serving_until_ns = until_ns;
}

static uint64_t owner_hash(const struct sw_book *book, struct sw_span name)
{
    uint8_t lower[DNS_NAME_BYTES];
    struct sw_span owner = sw_name_owner(name);
    size_t n = owner.len < sizeof(lower) ? owner.len : sizeof(lower);
    for (size_t i = 0; i < n; i++)
        lower[i] = sw_ascii_lower(owner.ptr[i]);
    return sw_hash_bytes(&book->key, sw_span_make(lower, n));
}

void sw_book_offered(struct sw_book *book, const struct sw_tuple *tuple, struct sw_span name)
{
    uint64_t owner = owner_hash(book, name);
    struct host *host = sw_book_host(book, tuple->dst);
    if (host)
        host->offers[host->offer_count++ % HOST_OFFERS] = owner;
    book->local.offers[book->local.offer_count++ % HOST_OFFERS] = owner;
}

bool sw_book_was_offered(const struct sw_book *book, const struct host *host, struct sw_span name)
{
    uint64_t hash = owner_hash(book, name);
    uint32_t n = host->offer_count < HOST_OFFERS ? host->offer_count : (uint32_t)HOST_OFFERS;
    for (uint32_t i = 0; i < n; i++) {
        if (host->offers[i] == hash)
            return true;
    }
    return false;
}

void sw_book_heard(struct sw_book *book, struct sw_mark mark)
{
    if (book->heard_by.frame == 0)
        book->heard_by = mark;
    book->heard = true;
}

void sw_book_heard_name(struct sw_book *book, struct sw_mark mark)
{
    if (book->heard_at.frame == 0)
        book->heard_at = mark;
    book->heard = true;
}

/* --- connections --- */

static uint32_t nodes_of(const struct sw_book *book, const struct sw_tuple *tuple,
                         struct entry_address *nodes[BOOK_NODES])
{
    return sw_book_nodes(book, tuple->src, tuple->dst, tuple->ip_version, nodes);
}

bool sw_book_connection(struct sw_book *book, const struct sw_tuple *tuple)
{
    struct entry_address *nodes[BOOK_NODES];
    uint32_t count = nodes_of(book, tuple, nodes);
    for (uint32_t i = 0; i < count; i++) {
        struct entry *entry = nodes[i]->entry;
        entry->used = true;
        if (entry->mx_of && entry->mx_of->id == entry->mx_of_id)
            entry->mx_of->used = true;
    }
    return count > 0;
}

void sw_book_connected(struct sw_book *book, const struct sw_tuple *tuple, struct sw_mark mark)
{
    struct entry_address *nodes[BOOK_NODES];
    uint32_t count = nodes_of(book, tuple, nodes);
    sw_book_heard(book, mark);
    for (uint32_t i = 0; i < count; i++)
        nodes[i]->connected = mark;
}

static struct sw_span owner_of(const struct entry *entry)
{
    return sw_name_owner(sw_span_make(entry->name.text, entry->name.length));
}

/* Owners of other names that led to the address; a few are enough to know. */
static uint32_t list_unrelated(struct entry_address *const nodes[BOOK_NODES], uint32_t count,
                               const struct entry *own, struct sw_mark answers[SW_NAMING_OTHERS])
{
    struct sw_span owners[SW_NAMING_OTHERS + 1] = {owner_of(own)};
    uint32_t known = 1;
    for (uint32_t n = 0; n < count && known <= SW_NAMING_OTHERS; n++) {
        struct sw_span owner = owner_of(nodes[n]->entry);
        uint32_t i = 0;
        while (i < known && !sw_span_eq_nocase(owners[i], owner))
            i++;
        if (i < known)
            continue;
        answers[known - 1] = nodes[n]->answered;
        owners[known++] = owner;
    }
    return known - 1;
}

/* RFC 8305: where another address of the name was connected about the same time. */
static struct sw_mark other_connected(const struct entry_address *node, int64_t time_ns)
{
    const struct entry *entry = node->entry;
    for (uint32_t i = 0; i < entry->address_count; i++) {
        const struct entry_address *other = &entry->addresses[i];
        int64_t apart = other->connected.time_ns - time_ns;
        if (other != node && other->connected.frame && apart >= -RACE_NS && apart <= RACE_NS)
            return other->connected;
    }
    return (struct sw_mark){0};
}

/* The domain whose MX record named the host; empty: none, or it is forgotten. */
static struct sw_span domain_of(const struct entry *entry, struct sw_arena *arena)
{
    const struct entry *domain = entry->mx_of;
    if (!entry->mx_of_id || !domain || domain->id != entry->mx_of_id)
        return (struct sw_span){NULL, 0};
    return sw_arena_copy(arena, sw_span_make(domain->name.text, domain->name.length));
}

/* The answer to the client's question for a policy of the name; frame 0 = none, or no such record.
 */
static struct sw_mark policy_of(const struct sw_book *book, const struct entry *asker,
                                const char *prefix, struct sw_span name)
{
    char text[DNS_NAME_BYTES];
    struct sw_span first = sw_span_str(prefix);
    size_t n = first.len;
    struct sw_mark none = {0};
    if (name.len == 0 || n + name.len > sizeof(text))
        return none;
    memcpy(text, first.ptr, n);
    memcpy(text + n, name.ptr, name.len);
    const struct entry *entry = sw_book_find(book, asker->client, sw_span_make(text, n + name.len));
    return entry ? entry->types[ENTRY_POLICY].found : none;
}

bool sw_book_name(const struct sw_book *book, const struct sw_tuple *tuple, int64_t before_ns,
                  struct sw_arena *arena, struct sw_naming *naming)
{
    struct entry_address *nodes[BOOK_NODES];
    uint32_t count = nodes_of(book, tuple, nodes);
    const struct entry_address *best = NULL;
    for (uint32_t i = 0; i < count; i++) {
        int64_t answered_ns = nodes[i]->answered.time_ns;
        if (answered_ns <= before_ns && (!best || answered_ns > best->answered.time_ns))
            best = nodes[i];
    }
    if (!best)
        return false;
    const struct entry *entry = best->entry;
    *naming = (struct sw_naming){
        .name = sw_arena_copy(arena, sw_span_make(entry->name.text, entry->name.length)),
        .answered = best->answered,
        .kind = sw_address_kind_of(best->address, best->ip_version),
        .by_mx = entry->mx_of_id != 0,
        .mx_answered = entry->mx_answered,
        .mx_of = domain_of(entry, arena),
        .superseded = other_connected(best, before_ns),
    };
    naming->unrelated = list_unrelated(nodes, count, entry, naming->others);
    naming->tlsa = policy_of(book, entry, BOOK_TLSA_PREFIX, naming->name);
    naming->mta_sts = policy_of(book, entry, BOOK_STS_PREFIX, naming->mx_of);
    return naming->name.len > 0;
}

/* --- time --- */

void sw_book_settle_oldest(struct sw_book *book, int64_t now_ns)
{
    struct entry *entry = book->waiting.oldest;
    list_remove(&book->waiting, entry);
    sw_book_settle(book, entry, now_ns, false);
    entry->settled = true;
    list_append(&book->settled, entry);
}

static bool any_waits_too_long(const struct sw_book *book, int64_t now_ns)
{
    return book->waiting.oldest && now_ns - book->waiting.oldest->last.time_ns >= WAIT_NS;
}

/* Apart: every frame asks, and nearly never is anything due. */
static __attribute__((noinline)) void settle_due(struct sw_book *book, int64_t now_ns)
{
    while (any_waits_too_long(book, now_ns))
        sw_book_settle_oldest(book, now_ns);
    if (book->next_neighbour)
        sw_book_neighbours_time(book, now_ns);
}

void sw_book_time(struct sw_book *book, int64_t now_ns)
{
    if (book->next_neighbour || any_waits_too_long(book, now_ns))
        settle_due(book, now_ns);
}

uint64_t sw_book_dropped(const struct sw_book *book)
{
    return book->dropped;
}
