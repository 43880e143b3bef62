/*
 * conduct.c - what only several sessions of one client show: guessing, searching, flooding, falling
 * back.
 */
#include "analyzer/conduct.h"

#include "analyzer/case.h"
#include "analyzer/detect.h"
#include "base/account.h"
#include "base/fetch.h"

#include <stdlib.h>

#define MINUTE_NS (60 * SW_NS_PER_S)

/* What is kept of a client. */
enum kind {
    KNOWN,    /* recipients that the server knows */
    SERVERS,  /* on port 25, different ones; the first are kept, of everything else the newest */
    OFFERS,   /* of encryption; `time_ns` is 1 where it was offered */
    ACCEPTED, /* message and recipient */
    UNKNOWN,  /* recipients that the server does not know */
    FAILED_LOGINS, /* whom = the user */
    BOUNCED,       /* recipients of mail with the empty sender */
    FAILED_TLS,    /* whom = the server */
    KINDS,
};

static const uint32_t kept[KINDS] = {
    [KNOWN] = 32,   [SERVERS] = 16,       [OFFERS] = 8,   [ACCEPTED] = 64,
    [UNKNOWN] = 32, [FAILED_LOGINS] = 32, [BOUNCED] = 32, [FAILED_TLS] = 4,
};

/* One thing that happened: when, and to whom. */
struct event {
    int64_t time_ns;
    uint64_t whom;
};

enum { FIRST = 2, NAMES = 3 };

/*
 * What a client that is seen once needs stands together, in few lines of the cache; there is no
 * other memory for it. It comes with the third thing of a kind.
 */
struct client {
    uint64_t key;             /* hash of the address, never 0 */
    uint32_t next[KINDS];     /* how many there were */
    struct event *all[KINDS]; /* of each kind all that are kept, when there were more than FIRST */
    int64_t guessing_ns;      /* when it was last seen guessing */
    bool guesses;
    bool odd_name;  /* one of its names is no full name */
    bool is_server; /* it takes mail itself */
    uint32_t name_count;
    uint64_t names[NAMES]; /* with which it introduced itself on port 25 */
    size_t *account;
    struct event first[KINDS][FIRST];
};

/* The place is another client's now. What the counts say is empty is not cleared. */
static void begin_client(struct client *c, uint64_t key)
{
    c->key = key;
    memset(c->next, 0, sizeof(c->next));
    c->guessing_ns = 0;
    c->guesses = c->odd_name = c->is_server = false;
    c->name_count = 0;
}

/* The things of a kind, the newest of which may stand anywhere among them. */
static struct event *events_of(struct client *c, enum kind kind, uint32_t *count)
{
    *count = c->next[kind] < kept[kind] ? c->next[kind] : kept[kind];
    return c->next[kind] <= FIRST ? c->first[kind] : c->all[kind];
}

/* Without memory it is not kept. */
static void add_event(struct client *c, enum kind kind, int64_t time_ns, uint64_t whom)
{
    uint32_t next = c->next[kind];
    struct event *events = c->all[kind];
    if (next < FIRST) {
        events = c->first[kind];
    } else if (next == FIRST) {
        if (!events) {
            events = c->all[kind] = malloc(kept[kind] * sizeof(*events));
            if (!events)
                return;
            sw_account_take(c->account, kept[kind] * sizeof(*events));
        }
        memcpy(events, c->first[kind], sizeof(c->first[kind]));
    }
    events[next % kept[kind]] = (struct event){time_ns, whom};
    c->next[kind]++;
}

struct sw_conduct {
    struct client **clients; /* places; clients that fall together share one, the newer has it */
    uint32_t places;
    size_t *account;
};

/* The fixed key: which clients share a place must not differ from run to run. */
static uint64_t hash_of(struct sw_span bytes)
{
    uint64_t h = sw_hash_bytes(&sw_hash_fixed_key, bytes);
    return h ? h : 1;
}

static uint64_t hash_address(const uint8_t address[16])
{
    uint64_t h = sw_hash_sized(&sw_hash_fixed_key, address, 16);
    return h ? h : 1;
}

/* Names are compared without case; what is beyond this many bytes does not count. */
static uint64_t hash_name(struct sw_span name)
{
    uint8_t lower[256];
    size_t n = name.len < sizeof(lower) ? name.len : sizeof(lower);
    for (size_t i = 0; i < n; i++)
        lower[i] = sw_ascii_lower(name.ptr[i]);
    return hash_of(sw_span_make(lower, n));
}

struct sw_conduct *sw_conduct_new(uint32_t clients, size_t *account)
{
    struct sw_conduct *conduct = calloc(1, sizeof(*conduct));
    struct client **places = calloc(clients, sizeof(*places));
    if (!conduct || !places) {
        free(conduct);
        free(places);
        return NULL;
    }
    *conduct = (struct sw_conduct){places, clients, account};
    return conduct;
}

static void free_client(struct sw_conduct *conduct, struct client *c)
{
    if (!c)
        return;
    for (int kind = 0; kind < KINDS; kind++) {
        if (c->all[kind])
            sw_account_give(conduct->account, kept[kind] * sizeof(struct event));
        free(c->all[kind]);
    }
    sw_account_give(conduct->account, sizeof(*c));
    free(c);
}

void sw_conduct_free(struct sw_conduct *conduct)
{
    for (uint32_t i = 0; conduct && i < conduct->places; i++)
        free_client(conduct, conduct->clients[i]);
    if (conduct)
        free(conduct->clients);
    free(conduct);
}

static struct client **place_of(const struct sw_conduct *conduct, uint64_t key)
{
    return &conduct->clients[sw_hash_place(key, conduct->places)];
}

static struct client *find_or_make(struct sw_conduct *conduct, uint64_t key)
{
    struct client **place = place_of(conduct, key);
    if (!*place) {
        *place = calloc(1, sizeof(**place));
        if (*place) {
            (*place)->account = conduct->account;
            sw_account_take(conduct->account, sizeof(**place));
        }
    }
    if (*place && (*place)->key != key)
        begin_client(*place, key);
    return *place;
}

/* How many of them happened within `window_ns` up to `now_ns`, and to how many different ones. */
static unsigned count_events(struct client *who, enum kind kind, int64_t now_ns, int64_t window_ns,
                             unsigned *different)
{
    uint32_t most;
    const struct event *events = events_of(who, kind, &most);
    unsigned count = 0;
    *different = 0;
    for (uint32_t i = 0; i < most; i++) {
        const struct event *e = &events[i];
        if (e->time_ns > now_ns || now_ns - e->time_ns > window_ns)
            continue;
        count++;
        bool seen = false;
        for (uint32_t j = 0; j < i && !seen; j++) {
            const struct event *before = &events[j];
            seen = before->whom == e->whom && before->time_ns <= now_ns &&
                   now_ns - before->time_ns <= window_ns;
        }
        *different += !seen;
    }
    return count;
}

/* The thing that was done to this one, or NULL. */
static struct event *find_event(struct client *who, enum kind kind, uint64_t whom)
{
    uint32_t count;
    struct event *events = events_of(who, kind, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (events[i].whom == whom)
            return &events[i];
    }
    return NULL;
}

/* --- logins --- */

/* Refused for what the client knows, not for how it asked (RFC 4954 6). */
static bool is_wrong_password(const struct sw_auth *auth)
{
    if (auth->result != SW_AUTH_REJECTED)
        return false;
    switch (auth->reply->code) {
    case 500:
    case 502:
    case 503:
    case 504:
    case 530:
    case 538:
        return false;
    default:
        return true;
    }
}

/* The failed logins of one session. */
struct failures {
    unsigned count;
    int64_t first_ns;
    uint64_t user;
    bool one_user;
};

/* A mail program with an old password tries again and again, but one user, and in its own time. */
static bool is_patient(const struct failures *f, int64_t now_ns)
{
    return f->one_user && f->count > 1 && (now_ns - f->first_ns) / (f->count - 1) >= MINUTE_NS;
}

static bool is_guessing(struct client *who, const struct failures *f, int64_t now_ns)
{
    enum { IN_A_SESSION = 5, IN_FIVE_MINUTES = 10, USERS = 5 };
    unsigned users;
    if (f->count >= IN_A_SESSION && !is_patient(f, now_ns))
        return true;
    if (count_events(who, FAILED_LOGINS, now_ns, 5 * MINUTE_NS, &users) >= IN_FIVE_MINUTES)
        return true;
    (void)count_events(who, FAILED_LOGINS, now_ns, 60 * MINUTE_NS, &users);
    return users >= USERS;
}

static void add_failure(struct client *who, struct failures *f, const struct sw_auth *auth,
                        struct sw_conduct_signs *signs)
{
    struct sw_mark mark = auth->reply->first;
    uint64_t user = hash_name(auth->user);
    add_event(who, FAILED_LOGINS, mark.time_ns, user);
    if (f->count++ == 0)
        *f = (struct failures){1, mark.time_ns, user, true};
    f->one_user = f->one_user && user == f->user;
    if (!is_guessing(who, f, mark.time_ns))
        return;
    who->guesses = true;
    who->guessing_ns = mark.time_ns;
    signs->guessing = mark;
}

static void add_logins(struct client *who, const struct sw_case *c, struct sw_conduct_signs *signs)
{
    struct failures failures = {0};
    const struct sw_auth *auth;
    SW_EACH(auth, c->session->auths) {
        if (is_wrong_password(auth))
            add_failure(who, &failures, auth, signs);
        bool after_guessing = auth->result == SW_AUTH_ACCEPTED && who->guesses &&
                              auth->reply->first.time_ns >= who->guessing_ns &&
                              auth->reply->first.time_ns - who->guessing_ns <= 60 * MINUTE_NS;
        if (after_guessing)
            signs->guessed = auth->reply->first;
    }
}

/* --- recipients --- */

/* Does the refusal say that there is no such mailbox? */
static bool says_unknown(const struct sw_case *c, const struct sw_step *reply)
{
    if (!sw_reply_is(reply, 5))
        return false;
    if (reply->verb == SMTP_VERB_VRFY)
        return reply->code == 550 || reply->code == 551 || reply->code == 553;
    struct sw_reply_reading reading;
    sw_case_read(c, reply, &reading);
    return reading.cause == SW_CAUSE_RCPT_UNKNOWN_USER;
}

/*
 * Many unknown mailboxes, and more of them than known ones: who sends to a list with dead addresses
 * has more living ones. VRFY asks for nothing else, so that fewer of it suffice.
 */
static void add_recipients(struct client *who, const struct sw_case *c,
                           struct sw_conduct_signs *signs)
{
    enum { MANY = 10, ASKED = 5 };
    unsigned asked = 0;
    unsigned confirmed = 0;
    unsigned ignored;
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        if (s->from != SW_SERVER || (s->verb != SMTP_VERB_RCPT && s->verb != SMTP_VERB_VRFY))
            continue;
        int64_t now_ns = s->first.time_ns;
        bool unknown = says_unknown(c, s);
        if (s->verb == SMTP_VERB_VRFY) {
            asked++;
            confirmed += sw_reply_is(s, 2);
            if (asked >= ASKED && confirmed > 0 && confirmed < asked)
                signs->enumerating = s->first;
        }
        if (sw_reply_is(s, 2))
            add_event(who, KNOWN, now_ns, 0);
        if (!unknown)
            continue;
        add_event(who, UNKNOWN, now_ns, 0);
        unsigned misses = count_events(who, UNKNOWN, now_ns, 10 * MINUTE_NS, &ignored);
        if (misses >= MANY && misses > count_events(who, KNOWN, now_ns, 10 * MINUTE_NS, &ignored))
            signs->enumerating = s->first;
    }
}

/* Refusals of logins that differ from user to user tell which users exist (CWE-204). */
static void add_login_replies(const struct sw_case *c, struct sw_conduct_signs *signs)
{
    enum { USERS = 5 };
    const struct sw_auth *first = NULL;
    const struct sw_auth *previous = NULL;
    bool differ = false;
    unsigned users = 0;
    const struct sw_auth *auth;
    SW_EACH(auth, c->session->auths) {
        if (!is_wrong_password(auth) || auth->user.len == 0)
            continue;
        users += !previous || !sw_span_eq_nocase(previous->user, auth->user);
        previous = auth;
        if (!first)
            first = auth;
        const struct sw_step *a = first->reply;
        const struct sw_step *b = auth->reply;
        differ = differ || a->code != b->code || a->enhanced.klass != b->enhanced.klass ||
                 a->enhanced.subject != b->enhanced.subject ||
                 a->enhanced.detail != b->enhanced.detail;
        if (users >= USERS && differ)
            signs->enumerating = b->first;
    }
}

/* --- floods --- */

/* RFC 5321 4.1.4: a host is to introduce itself by its full name, or by its address. */
static bool is_full_name(struct sw_span name)
{
    bool literal = name.len > 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
    size_t dot = sw_span_index(name, '.');
    return literal || (dot > 0 && dot + 1 < name.len);
}

static void add_name(struct client *who, const struct sw_case *c)
{
    const struct sw_hello *hello;
    SW_EACH(hello, c->session->hellos) {
        struct sw_span name = sw_span_trim(hello->command->argument);
        uint64_t hash = hash_name(name);
        who->odd_name = who->odd_name || !is_full_name(name);
        bool known = false;
        for (uint32_t i = 0; i < who->name_count; i++)
            known = known || who->names[i] == hash;
        if (!known && who->name_count < NAMES)
            who->names[who->name_count++] = hash;
    }
}

/* A host inside, and port 25: each server that it turns to counts, whether that answers or not. */
static bool may_be_spambot(const struct sw_tuple *t)
{
    return t->dst_port == 25 && sw_detect_private(t->src, t->ip_version);
}

/*
 * A host inside that turns to ten mail servers and more. A mail server of the network does so too,
 * but it takes mail itself, or it has one full name.
 */
static void add_server(struct client *who, const struct sw_case *c, uint64_t server,
                       struct sw_conduct_signs *signs)
{
    enum { MANY = 10 };
    if (!may_be_spambot(&c->facts->tuple))
        return;
    if (!find_event(who, SERVERS, server) && who->next[SERVERS] < kept[SERVERS])
        add_event(who, SERVERS, 0, server);
    add_name(who, c);
    bool odd = who->odd_name || who->name_count >= NAMES;
    if (who->next[SERVERS] >= MANY && odd && !who->is_server)
        signs->many_servers = c->facts->first;
}

static bool has_empty_sender(const struct sw_message *m)
{
    return m->mail && m->sender.len == 0 &&
           sw_span_find_nocase(m->mail->argument, SW_SPAN_LIT("<>")) < m->mail->argument.len;
}

/* Bounces to many people. An address check sends no text, and real bounces of one mailing go to one
 * address. */
static void add_bounces(struct client *who, const struct sw_case *c, struct sw_conduct_signs *signs)
{
    enum { MANY = 20 };
    const struct sw_message *m;
    SW_EACH(m, c->session->messages) {
        if (!has_empty_sender(m) || !m->body_seen)
            continue;
        const struct sw_recipient *r;
        SW_EACH(r, m->recipients) {
            unsigned people;
            struct sw_mark mark = sw_step_last(r->command);
            add_event(who, BOUNCED, mark.time_ns, hash_name(r->address));
            (void)count_events(who, BOUNCED, mark.time_ns, 60 * MINUTE_NS, &people);
            if (people >= MANY)
                signs->bounces = mark;
        }
    }
}

/* --- encryption --- */

static bool tls_failed(const struct sw_session *s)
{
    return s->tls == SW_TLS_HELLO || s->tls == SW_TLS_SERVER_HELLO;
}

static void add_tls(struct client *who, const struct sw_case *c, uint64_t server,
                    struct sw_conduct_signs *signs)
{
    if (tls_failed(c->session) && c->facts->closed.frame) {
        add_event(who, FAILED_TLS, c->facts->closed.time_ns, server);
        return;
    }
    uint32_t count;
    const struct event *failed = events_of(who, FAILED_TLS, &count);
    const struct sw_step *s = count > 0 ? c->session->steps : NULL;
    for (; s; s = s->next) {
        bool in_clear = s->from == SW_CLIENT && !sw_detect_protected(c, s) &&
                        (s->verb == SMTP_VERB_MAIL || s->verb == SMTP_VERB_AUTH);
        for (uint32_t i = 0; in_clear && i < count; i++) {
            int64_t later_ns = sw_step_last(s).time_ns - failed[i].time_ns;
            bool soon = later_ns >= 0 && later_ns <= MINUTE_NS;
            if (soon && failed[i].whom == server && !signs->fell_back.frame)
                signs->fell_back = sw_step_last(s);
        }
    }
}

/* The same client at the same server: what it is offered should not change. */
static void add_offer(struct client *who, const struct sw_case *c, struct sw_conduct_signs *signs)
{
    const struct sw_hello *hello;
    SW_EACH(hello, c->session->hellos) {
        if (hello->command->verb == SMTP_VERB_EHLO && sw_reply_is(hello->reply, 2))
            break;
    }
    if (!hello || sw_detect_protected(c, hello->command))
        return;
    uint8_t end[18];
    memcpy(end, c->facts->tuple.dst, 16);
    end[16] = (uint8_t)(c->facts->tuple.dst_port >> 8);
    end[17] = (uint8_t)c->facts->tuple.dst_port;
    uint64_t server = hash_of(sw_span_make(end, sizeof(end)));
    const struct sw_capability *starttls = hello == c->survey.clear_hello
                                               ? c->survey.clear_tls
                                               : sw_capability_find(hello, "STARTTLS");
    int64_t offered = starttls != NULL;
    struct event *before = find_event(who, OFFERS, server);
    if (!before) {
        add_event(who, OFFERS, offered, server);
        return;
    }
    if (before->time_ns != offered)
        signs->offer_changed = hello->reply->first;
    before->time_ns = offered;
}

/* --- messages --- */

/* RFC 5322 3.6.4: a Message-ID is the name of one message, so that twice is once too often. */
static void add_messages(struct client *who, const struct sw_case *c,
                         struct sw_conduct_signs *signs)
{
    const struct sw_message *m;
    SW_EACH(m, c->session->messages) {
        if (m->message_id.len == 0 || !sw_reply_is(m->final, 2))
            continue;
        uint64_t message = hash_of(m->message_id);
        const struct sw_recipient *r;
        SW_EACH(r, m->recipients) {
            if (!sw_reply_is(r->reply, 2))
                continue;
            uint64_t both[2] = {message, hash_name(r->address)};
            uint64_t hash = hash_of(sw_span_make(both, sizeof(both)));
            if (find_event(who, ACCEPTED, hash))
                signs->duplicate = m->final->first;
            else
                add_event(who, ACCEPTED, 0, hash);
        }
    }
}

/* Nobody said anything that would be kept: who only knocks takes no place from other clients. */
static bool adds_nothing(const struct sw_session *s)
{
    bool spoken = s->steps || s->greeting || s->hellos || s->auths || s->messages;
    return !spoken && s->tls == SW_TLS_NONE && !may_be_spambot(&s->facts->tuple);
}

void sw_conduct_fetch(const struct sw_conduct *conduct, const struct sw_session *session)
{
    const struct sw_tuple *tuple = &session->facts->tuple;
    if (adds_nothing(session))
        return;
    const struct client *client = *place_of(conduct, hash_address(tuple->src));
    const struct client *server = *place_of(conduct, hash_address(tuple->dst));
    sw_fetch(server, 1);
    sw_fetch(client, offsetof(struct client, first[UNKNOWN]));
}

void sw_conduct_add(struct sw_conduct *conduct, const struct sw_case *c,
                    struct sw_conduct_signs *signs)
{
    *signs = (struct sw_conduct_signs){0};
    if (adds_nothing(c->session))
        return;
    const struct sw_tuple *t = &c->facts->tuple;
    const uint64_t client_key = hash_address(t->src);
    const uint64_t server_key = hash_address(t->dst);
    if (t->dst_port == 25 && c->session->greeting) {
        struct client *server = find_or_make(conduct, server_key);
        if (server)
            server->is_server = true;
    }
    struct client *who = find_or_make(conduct, client_key);
    if (!who)
        return;
    add_server(who, c, server_key, signs);
    add_offer(who, c, signs);
    add_tls(who, c, server_key, signs);
    add_logins(who, c, signs);
    add_login_replies(c, signs);
    add_recipients(who, c, signs);
    add_bounces(who, c, signs);
    add_messages(who, c, signs);
}
