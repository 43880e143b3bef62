#include "analyzer/history.h"

#include "base/account.h"
#include "base/fetch.h"

#include <stdlib.h>

enum {
    FIRST = 3,
    TARGETS = 32,
    SCANS = 4,
    SCAN_TARGETS = 4,
    SERVERS = 4096,
    CONNECTS = 64,
    CROWDS = 512,
};

#define MANY UINT64_MAX
#define SIDE_BY_SIDE_NS (5 * SW_NS_PER_S) /* addresses of one host are tried within that time */

#define SCAN_WINDOW_NS (10 * SW_NS_PER_S)
#define TWO_REPETITIONS_NS (3 * SW_NS_PER_S) /* of a SYN, after 1 s and 2 s (RFC 6298) */

/* A stretch of time in which a client tried many targets in vain. */
struct scan {
    int64_t from_ns, to_ns;
    uint32_t unanswered;
};

struct target {
    uint64_t server; /* hash of the address */
    struct sw_mark syn;
    uint16_t port;
    bool connected;
    bool answered;
    bool refused;
    bool sought;   /* the client had asked for its name, or is one that sends mail */
    uint16_t name; /* a short hash of the name of a server that refused; 0 = not known */
};

/* What is remembered of a client that tries many. */
struct many {
    struct target targets[TARGETS]; /* ring */
    struct scan scans[SCANS];       /* ring */
};

/* Most clients try few: what they need stands together, in few lines of the cache. There is other
 * memory for those that try more. */
struct client {
    uint64_t key;      /* hash of the address, never 0 */
    struct many *many; /* with the first targets again, when there were more than those */
    uint32_t next;     /* how many there were */
    uint32_t next_scan;
    bool has_tried_mail;
    bool has_beside[SW_BESIDE_FACTS];
    struct target first[FIRST];
    struct sw_mark tried_mail;
    struct sw_mark beside[SW_BESIDE_FACTS];
};

_Static_assert(FIRST < SCAN_TARGETS, "who has scanned, has tried many");

enum { CLIENT_BYTES = (sizeof(struct client) + SW_CACHE_LINE - 1) / SW_CACHE_LINE * SW_CACHE_LINE };

/* A connection that came about. */
struct connect {
    uint64_t client, server; /* hashes of the addresses; client 0 = unused */
    struct sw_mark accepted; /* the SYN/ACK */
    uint16_t port;
    uint8_t ip_version;
};

/* The place is another client's now. What the counts say is empty is not cleared: that is most of
 * it, and in a flood every request comes from a new client. */
static void begin_client(struct client *c, uint64_t key)
{
    c->key = key;
    c->next = c->next_scan = 0;
    c->has_tried_mail = false;
    memset(c->has_beside, 0, sizeof(c->has_beside));
}

/* How many scans are filled in. */
static size_t scans_of(const struct client *c)
{
    return c->next_scan < SCANS ? c->next_scan : SCANS;
}

/* The targets that are filled in. */
static struct target *targets_of(struct client *c, size_t *count)
{
    *count = c->next < TARGETS ? c->next : TARGETS;
    return c->next <= FIRST ? c->first : c->many->targets;
}

/* What a server has shown, and where; the newest has the place. */
struct shown {
    uint64_t server; /* hash of address and port */
    struct sw_mark mark;
};

struct sw_history {
    struct client **clients; /* places; clients that fall together share one, the newer has it */
    uint32_t places;
    size_t *account;
    struct shown starttls[SERVERS];
    struct shown tls_first[SERVERS];
    struct connect connects[CONNECTS];
    uint32_t next_connect;
    uint8_t crowds[CROWDS];  /* how many of those are of clients whose hashes end alike */
    uint64_t only_client[2]; /* the one client of IPv4, of IPv6; 0 = none, MANY = several */
};

/* The fixed key: which clients share a place must not differ from run to run. */
static uint64_t address_hash(const uint8_t address[16])
{
    uint64_t h = sw_hash_sized(&sw_hash_fixed_key, address, 16);
    return h ? h : 1;
}

struct sw_history *sw_history_new(uint32_t clients, size_t *account)
{
    struct sw_history *history = calloc(1, sizeof(*history));
    struct client **places = calloc(clients, sizeof(*places));
    if (!history || !places) {
        free(history);
        free(places);
        return NULL;
    }
    history->clients = places;
    history->places = clients;
    history->account = account;
    return history;
}

void sw_history_free(struct sw_history *history)
{
    if (!history)
        return;
    for (uint32_t i = 0; i < history->places; i++) {
        struct client *c = history->clients[i];
        if (!c)
            continue;
        if (c->many)
            sw_account_give(history->account, sizeof(*c->many));
        free(c->many);
        sw_account_give(history->account, CLIENT_BYTES);
        free(c);
    }
    free(history->clients);
    free(history);
}

/* Where that client is, or another one. */
static struct client **place_of(const struct sw_history *history, uint64_t key)
{
    return &history->clients[sw_hash_place(key, history->places)];
}

void sw_history_fetch(const struct sw_history *history, const struct sw_tuple *tuple)
{
    const struct client *c = *place_of(history, address_hash(tuple->src));
    if (c) {
        sw_fetch(c, SW_CACHE_LINE);
        sw_fetch(&c->tried_mail, sizeof(c->tried_mail));
    }
}

static struct client *find(const struct sw_history *history, const struct sw_tuple *tuple)
{
    uint64_t key = address_hash(tuple->src);
    struct client *c = *place_of(history, key);
    return c && c->key == key ? c : NULL;
}

static struct client *find_or_make(struct sw_history *history, uint64_t key)
{
    struct client **place = place_of(history, key);
    if (!*place) {
        *place = aligned_alloc(SW_CACHE_LINE, CLIENT_BYTES);
        if (!*place)
            return NULL;
        (*place)->key = 0;
        (*place)->many = NULL;
        sw_account_take(history->account, CLIENT_BYTES);
    }
    if ((*place)->key != key)
        begin_client(*place, key);
    return *place;
}

static struct client *client_of(struct sw_history *history, const struct sw_tuple *tuple)
{
    return find_or_make(history, address_hash(tuple->src));
}

/* Without memory it is not kept. */
static void add_target(struct sw_history *history, struct client *c, struct target target)
{
    if (c->next < FIRST) {
        c->first[c->next++] = target;
        return;
    }
    if (c->next == FIRST) {
        if (!c->many) {
            c->many = malloc(sizeof(*c->many));
            if (!c->many)
                return;
            sw_account_take(history->account, sizeof(*c->many));
        }
        memcpy(c->many->targets, c->first, sizeof(c->first));
    }
    c->many->targets[c->next++ % TARGETS] = target;
}

/* Who searches takes addresses as they come. A mail server tries all that a domain's MX records
 * name: to count hosts says nothing then, to count ports does. */
static bool same_target(const struct target *a, const struct target *b)
{
    return a->port == b->port && (a->server == b->server || (a->sought && b->sought));
}

/* Is the i-th target the first of its kind in the list? */
static bool is_first(const struct target *targets, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (same_target(&targets[j], &targets[i]))
            return false;
    }
    return true;
}

/* Distinct targets of the last seconds that gave no payload so far, and when the first of them was
 * tried. */
static unsigned recent_failures(struct client *c, int64_t now_ns, int64_t *first_ns)
{
    unsigned count = 0;
    size_t tried;
    const struct target *targets = targets_of(c, &tried);
    *first_ns = now_ns;
    for (size_t i = 0; i < tried; i++) {
        const struct target *t = &targets[i];
        if (t->answered || now_ns - t->syn.time_ns > SCAN_WINDOW_NS || !is_first(targets, i))
            continue;
        count++;
        if (t->syn.time_ns < *first_ns)
            *first_ns = t->syn.time_ns;
    }
    return count;
}

/* Opens a scan or goes on with the newest one. */
static void note_scan(struct client *c, int64_t now_ns)
{
    int64_t first_ns;
    if (c->next < SCAN_TARGETS)
        return;
    unsigned failures = recent_failures(c, now_ns, &first_ns);
    if (failures < SCAN_TARGETS)
        return;
    struct scan *scans = c->many->scans;
    struct scan *newest = c->next_scan > 0 ? &scans[(c->next_scan - 1) % SCANS] : NULL;
    if (newest && newest->unanswered > 0 && first_ns <= newest->to_ns) {
        newest->to_ns = now_ns;
        newest->unanswered++;
        return;
    }
    scans[c->next_scan++ % SCANS] = (struct scan){first_ns, now_ns, failures};
}

/* Notes that a client of this IP version is there. */
static void note_client(struct sw_history *history, uint8_t ip_version, uint64_t key)
{
    uint64_t *only = &history->only_client[ip_version == 6];
    if (*only == 0)
        *only = key;
    else if (*only != key)
        *only = MANY;
}

void sw_history_attempt(struct sw_history *history, const struct sw_tuple *tuple,
                        struct sw_mark syn, bool looked_up)
{
    uint64_t key = address_hash(tuple->src);
    struct client *c = find_or_make(history, key);
    if (!c)
        return;
    note_client(history, tuple->ip_version, key);
    add_target(history, c,
               (struct target){
                   .server = address_hash(tuple->dst),
                   .syn = syn,
                   .port = tuple->dst_port,
                   .sought = looked_up || c->has_tried_mail,
               });
    note_scan(c, syn.time_ns);
}

void sw_history_connected(struct sw_history *history, const struct sw_tuple *tuple,
                          struct sw_mark accepted)
{
    uint64_t key = address_hash(tuple->src);
    struct client *c = find_or_make(history, key);
    uint64_t server = address_hash(tuple->dst);
    struct connect *connect = &history->connects[history->next_connect++ % CONNECTS];
    if (connect->client)
        history->crowds[connect->client % CROWDS]--;
    history->crowds[key % CROWDS]++;
    *connect = (struct connect){
        .client = key,
        .server = server,
        .accepted = accepted,
        .port = tuple->dst_port,
        .ip_version = tuple->ip_version,
    };
    size_t tried = 0;
    struct target *targets = c ? targets_of(c, &tried) : NULL;
    for (size_t i = 0; i < tried; i++) {
        struct target *t = &targets[i];
        if (t->server == server && t->port == tuple->dst_port)
            t->connected = true;
    }
}

/* Short, never 0 for a name: it only tells two servers apart. */
static uint16_t name_hash(struct sw_span name)
{
    uint64_t h = 0;
    if (name.len == 0)
        return 0;
    for (size_t at = 0; at < name.len; at++)
        h = h * 31 + sw_ascii_lower(name.ptr[at]);
    return (uint16_t)(h % UINT16_MAX + 1);
}

void sw_history_refused(struct sw_history *history, const struct sw_tuple *tuple,
                        struct sw_span name)
{
    struct client *c = find(history, tuple);
    uint64_t server = address_hash(tuple->dst);
    size_t tried = 0;
    struct target *targets = c ? targets_of(c, &tried) : NULL;
    for (size_t i = 0; i < tried; i++) {
        struct target *t = &targets[i];
        if (t->server == server && t->port == tuple->dst_port) {
            t->refused = true;
            t->name = name_hash(name);
        }
    }
}

void sw_history_answered(struct sw_history *history, const struct sw_tuple *tuple)
{
    struct client *c = client_of(history, tuple);
    uint64_t server = address_hash(tuple->dst);
    size_t tried = 0;
    struct target *targets = c ? targets_of(c, &tried) : NULL;
    for (size_t i = 0; i < tried; i++) {
        struct target *t = &targets[i];
        if (t->answered || t->server != server || t->port != tuple->dst_port)
            continue;
        t->answered = true;
        for (size_t j = 0; j < scans_of(c); j++) { /* it was none of the vain ones after all */
            struct scan *scan = &c->many->scans[j];
            if (scan->unanswered > 0 && t->syn.time_ns >= scan->from_ns &&
                t->syn.time_ns <= scan->to_ns)
                scan->unanswered--;
        }
    }
}

void sw_history_tried_mail(struct sw_history *history, const struct sw_tuple *tuple,
                           struct sw_mark mail)
{
    struct client *c = client_of(history, tuple);
    if (!c)
        return;
    c->has_tried_mail = true;
    c->tried_mail = mail;
}

/* Address and port of the server, never 0. */
static uint64_t server_hash(const struct sw_tuple *tuple)
{
    uint8_t bytes[18];
    memcpy(bytes, tuple->dst, 16);
    bytes[16] = (uint8_t)(tuple->dst_port >> 8);
    bytes[17] = (uint8_t)tuple->dst_port;
    uint64_t h = sw_hash_sized(&sw_hash_fixed_key, bytes, sizeof(bytes));
    return h ? h : 1;
}

static void note_shown(struct shown *list, const struct sw_tuple *tuple, struct sw_mark mark)
{
    uint64_t key = server_hash(tuple);
    list[key % SERVERS] = (struct shown){key, mark};
}

static struct sw_mark find_shown(const struct shown *list, const struct sw_tuple *tuple)
{
    uint64_t key = server_hash(tuple);
    const struct shown *shown = &list[key % SERVERS];
    return shown->server == key ? shown->mark : (struct sw_mark){0};
}

void sw_history_fetch_server(const struct sw_history *history, const struct sw_tuple *tuple)
{
    uint64_t key = server_hash(tuple);
    sw_fetch(&history->starttls[key % SERVERS], 1);
    sw_fetch(&history->tls_first[key % SERVERS], 1);
}

void sw_history_starttls(struct sw_history *history, const struct sw_tuple *tuple,
                         struct sw_mark offer)
{
    note_shown(history->starttls, tuple, offer);
}

void sw_history_tls_first(struct sw_history *history, const struct sw_tuple *tuple,
                          struct sw_mark server_hello)
{
    note_shown(history->tls_first, tuple, server_hello);
}

struct sw_mark sw_history_begins_with_tls(const struct sw_history *history,
                                          const struct sw_tuple *tuple)
{
    return find_shown(history->tls_first, tuple);
}

struct sw_mark sw_history_offers_starttls(const struct sw_history *history,
                                          const struct sw_tuple *tuple)
{
    return find_shown(history->starttls, tuple);
}

struct sw_mark sw_history_superseded(const struct sw_history *history, const struct sw_tuple *tuple,
                                     int64_t syn_ns)
{
    uint64_t client = address_hash(tuple->src);
    uint64_t server = address_hash(tuple->dst);
    bool lonely = history->only_client[0] != MANY && history->only_client[1] != MANY;
    if (!lonely && history->crowds[client % CROWDS] == 0)
        return (struct sw_mark){0};
    for (size_t i = 0; i < CONNECTS; i++) {
        const struct connect *other = &history->connects[i];
        bool same_client =
            other->client == client || (lonely && other->ip_version != tuple->ip_version);
        int64_t later_ns = other->accepted.time_ns - syn_ns;
        if (other->client && same_client && other->server != server &&
            other->port == tuple->dst_port && later_ns >= 0 && later_ns <= SIDE_BY_SIDE_NS)
            return other->accepted;
    }
    return (struct sw_mark){0};
}

#define BESIDE_WINDOW_NS (600 * SW_NS_PER_S)

void sw_history_beside(struct sw_history *history, const struct sw_tuple *tuple,
                       enum sw_beside_fact fact, struct sw_mark mark)
{
    struct client *c = client_of(history, tuple);
    if (!c)
        return;
    c->has_beside[fact] = true;
    c->beside[fact] = mark;
}

struct sw_mark sw_history_find_beside(const struct sw_history *history,
                                      const struct sw_tuple *tuple, enum sw_beside_fact fact,
                                      int64_t time_ns)
{
    const struct client *c = find(history, tuple);
    struct sw_mark mark = c && c->has_beside[fact] ? c->beside[fact] : (struct sw_mark){0};
    int64_t apart = time_ns - mark.time_ns;
    bool near = apart < BESIDE_WINDOW_NS && apart > -BESIDE_WINDOW_NS;
    return mark.frame && near ? mark : (struct sw_mark){0};
}

struct sw_mark sw_history_has_tried_mail(const struct sw_history *history,
                                         const struct sw_tuple *tuple)
{
    const struct client *c = find(history, tuple);
    return c && c->has_tried_mail ? c->tried_mail : (struct sw_mark){0};
}

bool sw_history_is_scan(const struct sw_history *history, const struct sw_tuple *tuple,
                        int64_t time_ns)
{
    const struct client *c = find(history, tuple);
    for (size_t i = 0; c && i < scans_of(c); i++) {
        const struct scan *scan = &c->many->scans[i];
        if (scan->unanswered >= SCAN_TARGETS && time_ns >= scan->from_ns && time_ns <= scan->to_ns)
            return true;
    }
    return false;
}

void sw_history_scanned(const struct sw_history *history, const struct sw_tuple *tuple,
                        int64_t time_ns, struct sw_mark others[SW_SCAN_OTHERS])
{
    struct client *c = find(history, tuple);
    uint64_t server = address_hash(tuple->dst);
    unsigned count = 0;
    size_t tried = 0;
    const struct target *targets = c ? targets_of(c, &tried) : NULL;
    memset(others, 0, SW_SCAN_OTHERS * sizeof(*others));
    for (size_t i = 0; i < tried && count < SW_SCAN_OTHERS; i++) {
        const struct target *t = &targets[i];
        int64_t apart_ns = t->syn.time_ns - time_ns;
        bool own = t->server == server && t->port == tuple->dst_port;
        /* at most half a window away, so that all of them are within one */
        if (!own && !t->answered && is_first(targets, i) && apart_ns >= -SCAN_WINDOW_NS / 2 &&
            apart_ns <= SCAN_WINDOW_NS / 2)
            others[count++] = t->syn;
    }
}

/* Refused, or silent for so long that two repetitions are due. */
static bool in_vain(const struct target *t, int64_t now_ns)
{
    return !t->connected && (t->refused || now_ns - t->syn.time_ns >= TWO_REPETITIONS_NS);
}

/* What an attempt says about a failure on port 25 of `server`. */
static enum sw_port25_sign port25_sign(const struct target *t, uint64_t server, uint16_t name,
                                       int64_t now_ns)
{
    bool own = t->server == server;
    bool same_name = t->name && t->name == name;
    if (t->port == 25 && t->connected)
        return SW_PORT25_WORKS;
    if (t->port == 25)
        return !own && !same_name && in_vain(t, now_ns) ? SW_PORT25_OTHER_SERVER_FAILS
                                                        : SW_PORT25_NO_SIGN;
    if (t->port != 465 && t->port != 587)
        return SW_PORT25_NO_SIGN;
    if (t->answered)
        return own ? SW_PORT25_OTHER_PORT_ANSWERS : SW_PORT25_NO_SIGN;
    return in_vain(t, now_ns) ? SW_PORT25_OTHER_PORT_FAILS : SW_PORT25_NO_SIGN;
}

bool sw_history_port25_blocked(const struct sw_history *history, const struct sw_tuple *tuple,
                               struct sw_span name, int64_t now_ns, struct sw_port25 *shown)
{
    static const enum sw_port25_sign by_weight[] = {SW_PORT25_WORKS, SW_PORT25_OTHER_PORT_ANSWERS,
                                                    SW_PORT25_OTHER_PORT_FAILS,
                                                    SW_PORT25_OTHER_SERVER_FAILS};
    struct client *c = find(history, tuple);
    uint64_t server = address_hash(tuple->dst);
    uint16_t own_name = name_hash(name);
    struct sw_mark first[SW_PORT25_OTHER_PORT_FAILS + 1] = {{0}};
    size_t tried = 0;
    const struct target *targets = c ? targets_of(c, &tried) : NULL;
    for (size_t i = 0; i < tried; i++) {
        struct sw_mark *mark = &first[port25_sign(&targets[i], server, own_name, now_ns)];
        if (!mark->frame)
            *mark = targets[i].syn;
    }
    *shown = (struct sw_port25){.sign = SW_PORT25_NO_SIGN};
    if (!first[SW_PORT25_OTHER_SERVER_FAILS].frame && !first[SW_PORT25_OTHER_PORT_ANSWERS].frame)
        return false;
    for (size_t i = 0; shown->sign == SW_PORT25_NO_SIGN; i++) {
        if (first[by_weight[i]].frame)
            *shown = (struct sw_port25){first[by_weight[i]], by_weight[i]};
    }
    return shown->sign == SW_PORT25_OTHER_SERVER_FAILS ||
           shown->sign == SW_PORT25_OTHER_PORT_ANSWERS;
}
