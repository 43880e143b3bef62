/*
 * join.c - which tries are one mail: the rule of delivery.h.
 */
#include "analyzer/ledger.h"

enum {
    LOOKED_AT = 32,   /* stories behind one key that are considered, the newest of them */
    TRIES_MOST = 500, /* of one story; then a new one begins */
};

#define TWIN_NS (SW_NS_PER_S / 2)
#define NEXT_SERVER_NS (3 * SW_NS_PER_S)
#define NEXT_PORT_NS (600 * SW_NS_PER_S)
#define DOUBTFUL_NS (60 * SW_NS_PER_S)
#define PLACE_NS (2 * 3600 * SW_NS_PER_S)
#define REFUSED_NS (3600 * SW_NS_PER_S)
#define ENVELOPE_NS (12 * 3600 * SW_NS_PER_S)
#define SAME_SIZE_NS (5 * 24 * 3600 * SW_NS_PER_S)

/* --- keys --- */

static uint64_t server_hash(const struct sw_tuple *t)
{
    return sw_hash_on(t->ip_version, sw_span_make(t->dst, sizeof(t->dst)));
}

/* Who sends from which client. */
static uint64_t sender_hash(const struct sw_tried *tried, const struct sw_attempt *envelope)
{
    return sw_hash_on(tried->client, sw_attempt_sender(envelope));
}

static uint64_t envelope_key(const struct sw_ledger *ledger, uint64_t sender, uint64_t addressee)
{
    return sw_link_key(ledger, SW_LINK_ENVELOPE, sender, addressee);
}

static uint64_t sender_key(const struct sw_ledger *ledger, uint64_t sender)
{
    return sw_link_key(ledger, SW_LINK_SENDER, sender, 0);
}

static uint64_t place_key(const struct sw_ledger *ledger, const struct sw_tried *tried,
                          uint64_t server)
{
    return sw_link_key(ledger, SW_LINK_PLACE, tried->client,
                       sw_hash_number(server, tried->tuple.dst_port));
}

static uint64_t family_key(const struct sw_ledger *ledger, const struct sw_tried *tried,
                           uint8_t ip_version)
{
    return sw_link_key(ledger, SW_LINK_FAMILY, (uint64_t)ip_version << 8 | tried->direct_ttl,
                       tried->tuple.dst_port);
}

/* The smallest hash of a list: the same whatever the order. */
static uint64_t smallest(const struct sw_addressee *to, uint32_t count, unsigned states)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if ((states >> to[i].state & 1) && to[i].hash < least)
            least = to[i].hash;
    }
    return least;
}

static void envelope_keys(const struct sw_ledger *ledger, const struct sw_attempt *a,
                          uint64_t key[SW_KEY_COUNT])
{
    uint64_t sender = sender_hash(a->tried, a);
    key[SW_KEY_SENDER] = sender_key(ledger, sender);
    if (a->to_count == 0)
        return;
    uint64_t first = a->to[0].hash;
    uint64_t least = smallest(a->to, a->to_count, SW_STATES_ALL);
    key[SW_KEY_FIRST] = envelope_key(ledger, sender, first);
    if (least != first)
        key[SW_KEY_LEAST] = envelope_key(ledger, sender, least);
}

static void server_keys(const struct sw_ledger *ledger, const struct sw_tried *tried,
                        uint64_t key[SW_KEY_COUNT])
{
    uint64_t server = server_hash(&tried->tuple);
    key[SW_KEY_PLACE] = place_key(ledger, tried, server);
    key[SW_KEY_HOST] = sw_link_key(ledger, SW_LINK_HOST, tried->client, server);
    key[SW_KEY_CLIENT] = sw_link_key(ledger, SW_LINK_CLIENT, tried->client, tried->tuple.dst_port);
    if (tried->direct_ttl == 0)
        return;
    bool over_6 = tried->tuple.ip_version == 6;
    key[SW_KEY_FAMILY] = family_key(ledger, tried, over_6 ? 6 : 4);
    key[SW_KEY_OTHER_FAMILY] = family_key(ledger, tried, over_6 ? 4 : 6);
}

void sw_ledger_expect(struct sw_ledger *ledger, const struct sw_attempt *a)
{
    struct sw_try_keys *keys = &ledger->keys;
    const struct sw_tried *tried = a->tried;
    *keys = (struct sw_try_keys){.attempt = a};
    if (tried->content)
        keys->key[SW_KEY_CONTENT] = sw_link_key(ledger, SW_LINK_CONTENT, tried->content, a->index);
    if (a->has_mail)
        envelope_keys(ledger, a, keys->key);
    if (tried->destination)
        keys->key[SW_KEY_NAME] =
            sw_link_key(ledger, SW_LINK_NAME, tried->client, tried->destination);
    if (tried->has_server)
        server_keys(ledger, tried, keys->key);
    for (int i = 0; i < SW_KEY_COUNT; i++) {
        if (keys->key[i])
            sw_link_fetch(ledger, keys->key[i]);
    }
}

static void link_envelope(struct sw_ledger *ledger, struct sw_story *s)
{
    enum { STATES = 3 };
    static const unsigned states[STATES] = {SW_STATES_ALL, SW_STATES_LATER, SW_STATES_NOT_TAKEN};
    const struct sw_attempt *all = s->envelope;
    uint64_t by = sender_hash(s->last->tried, all);
    sw_story_link(ledger, s, sender_key(ledger, by));
    if (all->to_count == 0)
        return;
    uint64_t linked[1 + STATES] = {all->to[0].hash};
    sw_story_link(ledger, s, envelope_key(ledger, by, linked[0]));
    for (int i = 0; i < STATES; i++) {
        uint64_t least = smallest(all->to, all->to_count, states[i]);
        bool known = least == UINT64_MAX;
        for (int j = 0; j <= i; j++)
            known = known || linked[j] == least;
        linked[1 + i] = least;
        if (!known)
            sw_story_link(ledger, s, envelope_key(ledger, by, least));
    }
}

/* The servers tried lately, that of the last try among them. */
static uint32_t places_of(const struct sw_ledger *ledger, const struct sw_story *s,
                          uint64_t places[SW_STORY_PLACES])
{
    uint64_t key = ledger->keys.key[SW_KEY_PLACE];
    bool known = key == 0;
    for (uint32_t i = 0; i < s->place_count; i++)
        known = known || s->links[i].key == key;
    uint32_t count = 0;
    if (!known)
        places[count++] = key;
    for (uint32_t i = 0; i < s->place_count && count < SW_STORY_PLACES; i++)
        places[count++] = s->links[i].key;
    return count;
}

/* By its last try, whose keys the ledger has, and by what all of them show. */
static void link_story(struct sw_ledger *ledger, struct sw_story *s)
{
    static const enum sw_key lasting[] = {SW_KEY_NAME, SW_KEY_HOST, SW_KEY_CLIENT, SW_KEY_FAMILY};
    const uint64_t *key = ledger->keys.key;
    uint64_t places[SW_STORY_PLACES];
    uint32_t place_count = places_of(ledger, s, places);
    sw_story_unlink(ledger, s);
    if (s->wait == SW_WAIT_OVER) { /* nothing but the other side of a NAT is joined to it */
        if (key[SW_KEY_CONTENT])
            sw_story_link(ledger, s, key[SW_KEY_CONTENT]);
        return;
    }
    for (uint32_t i = 0; i < place_count; i++)
        sw_story_link(ledger, s, places[i]);
    s->place_count = (uint8_t)place_count;
    if (key[SW_KEY_CONTENT])
        sw_story_link(ledger, s, key[SW_KEY_CONTENT]);
    if (s->envelope)
        link_envelope(ledger, s);
    for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++) {
        if (key[lasting[i]])
            sw_story_link(ledger, s, key[lasting[i]]);
    }
}

/* --- the envelope --- */

static int64_t patience_for(const struct sw_story *s, enum sw_fit fit)
{
    if (s->last->permanence == SW_PERMANENCE_PERMANENT || fit == SW_FIT_SENDER)
        return REFUSED_NS;
    return fit >= SW_FIT_SIZE ? SAME_SIZE_NS : ENVELOPE_NS;
}

static bool has_session(const struct sw_story *s, const struct sw_tried *tried)
{
    const struct sw_attempt *a = NULL;
    if (tried->references > 1) { /* else it has no other try that could be there */
        SW_EACH(a, s->attempts) {
            if (a->tried == tried)
                return true;
        }
    }
    return false;
}

/* What holds for every kind of join. */
static bool may_go_on(const struct sw_story *s, const struct sw_attempt *a)
{
    return s->wait != SW_WAIT_OVER && s->attempt_count < TRIES_MOST && !has_session(s, a->tried);
}

/* The best fit; of equal ones the story that has waited longest. */
struct choice {
    struct sw_story *story;
    enum sw_fit fit;
    unsigned candidates; /* with only the sender to go by */
};

static void look_behind(const struct sw_ledger *ledger, uint64_t key, const struct sw_attempt *a,
                        struct choice *choice)
{
    unsigned seen = 0;
    for (struct sw_found found = sw_link_find(ledger, key); found.story && seen < LOOKED_AT;
         found = sw_link_next(ledger, found), seen++) {
        struct sw_story *s = found.story;
        if (s == choice->story || !s->envelope || !may_go_on(s, a) ||
            a->begin_ns < s->last->decided_ns)
            continue;
        enum sw_fit fit = sw_story_fit(s, a);
        if (fit == SW_FIT_NONE ||
            sw_time_between(s->last->decided_ns, a->begin_ns) > patience_for(s, fit))
            continue;
        choice->candidates += fit == SW_FIT_SENDER;
        if (fit > choice->fit || (fit == choice->fit && s->serial < choice->story->serial)) {
            choice->story = s;
            choice->fit = fit;
        }
    }
}

static struct choice by_envelope(const struct sw_ledger *ledger, const struct sw_attempt *a)
{
    struct choice choice = {0};
    const uint64_t *key = ledger->keys.key;
    if (key[SW_KEY_FIRST])
        look_behind(ledger, key[SW_KEY_FIRST], a, &choice);
    if (key[SW_KEY_LEAST])
        look_behind(ledger, key[SW_KEY_LEAST], a, &choice);
    if (choice.fit == SW_FIT_NONE && key[SW_KEY_SENDER])
        look_behind(ledger, key[SW_KEY_SENDER], a, &choice);
    if (choice.fit == SW_FIT_NONE && key[SW_KEY_FIRST] && key[SW_KEY_OTHER_FAMILY])
        look_behind(ledger, key[SW_KEY_OTHER_FAMILY], a, &choice);
    /* Without recipients one mail of a sender looks like the other. */
    if (choice.fit == SW_FIT_SENDER && choice.candidates > 1)
        choice = (struct choice){0};
    return choice;
}

/* --- the place --- */

/* Failures after which programs go to the next server, address or port. */
static bool before_login(const struct sw_attempt *last)
{
    if (last->outcome == SW_OUTCOME_DELIVERED || last->permanence == SW_PERMANENCE_NONE)
        return last->tried->unanswered;
    return last->stage <= SW_STAGE_TLS || last->permanence == SW_PERMANENCE_TEMPORARY;
}

/* Both were looked up, and not as the same destination. */
static bool names_differ(const struct sw_tried *a, const struct sw_tried *b)
{
    return a->destination && b->destination && a->destination != b->destination;
}

/* Between the end of the story's last try and the beginning of this session. */
static bool place_fits(const struct sw_story *s, const struct sw_attempt *a, enum sw_link kind)
{
    const struct sw_attempt *last = s->last;
    const struct sw_tuple *from = &last->tried->tuple;
    const struct sw_tuple *to = &a->tried->tuple;
    if ((s->envelope && a->has_mail) || !may_go_on(s, a))
        return false;
    int64_t pause_ns = sw_time_between(last->decided_ns, a->tried->start_ns);
    bool beside = kind == SW_LINK_FAMILY && last->tried->unanswered &&
                  a->tried->start_ns >= last->tried->start_ns;
    if (pause_ns < 0 && !beside)
        return false;
    if (last->outcome == SW_OUTCOME_DELIVERED || last->outcome == SW_OUTCOME_PARTIAL)
        return false;
    if (s->envelope && last->permanence == SW_PERMANENCE_PERMANENT)
        return false; /* a refused mail is not tried again; this is another one */
    if ((last->doubtful || a->doubtful) && pause_ns > DOUBTFUL_NS)
        return false;
    if (last->tried->user && a->tried->user && last->tried->user != a->tried->user)
        return false;
    if (names_differ(last->tried, a->tried))
        return false;
    if (kind == SW_LINK_PLACE)
        return pause_ns <= PLACE_NS;
    if (kind == SW_LINK_NAME) /* a failed look-up has no port */
        return pause_ns <= PLACE_NS && (from->dst_port == to->dst_port ||
                                        !last->tried->has_server || !a->tried->has_server);
    if (!before_login(last))
        return false;
    if (kind == SW_LINK_HOST)
        return from->dst_port != to->dst_port && pause_ns <= NEXT_PORT_NS;
    return sw_is_other_server(from, to) && pause_ns - NEXT_SERVER_NS <= last->tried->patience_ns;
}

/* The story that a session without a story of its own goes on with. */
static struct sw_story *look_at_place(const struct sw_ledger *ledger, uint64_t key,
                                      const struct sw_attempt *a, enum sw_link kind)
{
    struct sw_story *oldest = NULL;
    struct sw_story *with_mail = NULL;
    unsigned candidates = 0;
    unsigned mails = 0;
    unsigned seen = 0;
    for (struct sw_found found = sw_link_find(ledger, key); found.story && seen < LOOKED_AT;
         found = sw_link_next(ledger, found), seen++) {
        struct sw_story *s = found.story;
        if (!place_fits(s, a, kind))
            continue;
        if (s->envelope) {
            with_mail = s;
            mails++;
            continue;
        }
        candidates++;
        if (!oldest || s->serial < oldest->serial)
            oldest = s;
    }
    /* To the same server one try follows the other; elsewhere it must be the only one. */
    bool same = kind == SW_LINK_PLACE || kind == SW_LINK_NAME;
    if (oldest && (same || candidates + mails == 1))
        return oldest;
    return !oldest && mails == 1 ? with_mail : NULL;
}

static struct sw_story *by_place(const struct sw_ledger *ledger, const struct sw_attempt *a)
{
    static const struct {
        enum sw_key key;
        enum sw_link kind;
    } ways[] = {
        /* in this order */
        {SW_KEY_PLACE, SW_LINK_PLACE},   {SW_KEY_NAME, SW_LINK_NAME},
        {SW_KEY_CLIENT, SW_LINK_CLIENT}, {SW_KEY_OTHER_FAMILY, SW_LINK_FAMILY},
        {SW_KEY_HOST, SW_LINK_HOST},
    };
    struct sw_story *s = NULL;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]) && a->first && !s; i++) {
        uint64_t key = ledger->keys.key[ways[i].key];
        if (key)
            s = look_at_place(ledger, key, a, ways[i].kind);
    }
    return s;
}

/* --- the other side of a NAT --- */

/* A NAT writes another address for one end, or for both; where nobody answered, little but the
 * other end shows that it is the same request. */
static bool ends_fit(const struct sw_tried *a, const struct sw_tried *b)
{
    const struct sw_tuple *x = &a->tuple;
    const struct sw_tuple *y = &b->tuple;
    bool same_version = x->ip_version == y->ip_version;
    bool same_src = same_version && memcmp(x->src, y->src, sizeof(x->src)) == 0;
    bool same_dst = same_version && memcmp(x->dst, y->dst, sizeof(x->dst)) == 0;
    if (same_src || same_dst)
        return !(same_src && same_dst);
    return a->connected;
}

static struct sw_story *by_content(const struct sw_ledger *ledger, const struct sw_attempt *a)
{
    unsigned seen = 0;
    uint64_t key = ledger->keys.key[SW_KEY_CONTENT];
    if (!key)
        return NULL;
    for (struct sw_found found = sw_link_find(ledger, key); found.story && seen < LOOKED_AT;
         found = sw_link_next(ledger, found), seen++) {
        const struct sw_tried *other = found.story->last->tried;
        int64_t apart_ns = sw_time_between(other->start_ns, a->tried->start_ns);
        if (other->content == a->tried->content && ends_fit(other, a->tried) &&
            apart_ns >= -TWIN_NS && apart_ns <= TWIN_NS)
            return found.story;
    }
    return NULL;
}

/* --- taking --- */

static void append(struct sw_story *s, struct sw_attempt *a)
{
    a->next = NULL;
    if (s->attempts)
        s->last_of_all->next = a;
    else
        s->attempts = a;
    s->last_of_all = a;
    s->attempt_count++;
    s->bytes += a->bytes;
}

/* What a try tells of the recipients: who has the mail now, keeps it. */
static void learn_recipients(struct sw_story *s, struct sw_attempt *a)
{
    struct sw_attempt *all = s->envelope;
    bool shows_more = !all || a->to_count > all->to_count;
    for (uint32_t i = 0; all && i < a->to_count; i++) {
        uint32_t at = sw_story_addressee(s, a->to[i].hash, i);
        if (at == all->to_count)
            continue;
        if (shows_more && all->to[at].state == SW_ADDRESSEE_TAKEN)
            a->to[i].state = SW_ADDRESSEE_TAKEN;
        if (!shows_more && all->to[at].state != SW_ADDRESSEE_TAKEN)
            all->to[at].state = a->to[i].state;
    }
    if (shows_more)
        s->envelope = a;
}

static void learn_envelope(struct sw_story *s, struct sw_attempt *a)
{
    if (!a->has_mail)
        return;
    learn_recipients(s, a);
    s->complete = s->complete || a->complete;
    if (a->has_declared) {
        s->has_declared = true;
        s->size_declared = a->size_declared;
    }
    if (a->has_seen) {
        s->has_seen = true;
        s->size_seen = a->size_seen;
    }
    if (a->message_id)
        s->message_id = a->message_id;
}

static enum sw_wait wait_after(const struct sw_story *s, const struct sw_attempt *a)
{
    enum sw_wait waits = s->envelope ? SW_WAIT_MAIL : SW_WAIT_PLACE;
    switch (a->outcome) {
    case SW_OUTCOME_DELIVERED:
        if (a->late)
            return waits;
        return sw_story_count(s, SW_STATES_NOT_TAKEN) > 0 ? waits : SW_WAIT_OVER;
    case SW_OUTCOME_PARTIAL:
        return sw_story_count(s, SW_STATES_NOT_TAKEN & ~(1 << SW_ADDRESSEE_REFUSED)) ? waits
                                                                                     : SW_WAIT_OVER;
    case SW_OUTCOME_STUCK:
        return a->doubtful && s->attempt_count == 1 ? SW_WAIT_SOON : waits;
    case SW_OUTCOME_UNKNOWN:
        if (a->cause == SW_CAUSE_ENC_LIKELY_DELIVERED)
            return SW_WAIT_OVER;
        if (s->envelope || s->attempt_count > 1)
            return waits;
        return a->tried->unanswered ? SW_WAIT_SOON : SW_WAIT_OVER;
    case SW_OUTCOME_NO_MAIL:
    case SW_OUTCOME_COUNT:
        break;
    }
    return SW_WAIT_OVER;
}

static void take(struct sw_ledger *ledger, struct sw_story *s, struct sw_attempt *a)
{
    append(s, a);
    s->last = a;
    learn_envelope(s, a);
    sw_story_wait(ledger, s, wait_after(s, a));
    link_story(ledger, s);
}

static void weaken(struct sw_story *s, enum sw_confidence confidence)
{
    if (confidence > s->confidence)
        s->confidence = confidence;
}

/* The tries of `from`, which has no envelope, came between those of `to` and what follows now. */
static void absorb(struct sw_ledger *ledger, struct sw_story *to, struct sw_story *from)
{
    while (from->attempts) {
        struct sw_attempt *a = from->attempts;
        from->attempts = a->next;
        append(to, a);
        to->last = a->same_as ? to->last : a;
    }
    from->bytes = 0;
    weaken(to, SW_CONFIDENCE_POSSIBLE);
    sw_story_drop(ledger, from);
}

/* Over the other IP version the envelope alone could also be of another host's mail, but not within
 * a moment. */
static enum sw_confidence mail_confidence(const struct sw_story *s, const struct sw_attempt *a,
                                          enum sw_fit fit)
{
    bool other_host = s->last->tried->client != a->tried->client;
    bool at_once = sw_time_between(s->last->decided_ns, a->tried->start_ns) <= NEXT_SERVER_NS;
    if (fit == SW_FIT_SENDER || (fit == SW_FIT_ENVELOPE && other_host && !at_once))
        return SW_CONFIDENCE_POSSIBLE;
    return fit == SW_FIT_MESSAGE_ID ? SW_CONFIDENCE_CERTAIN : SW_CONFIDENCE_LIKELY;
}

/* One server of a destination at once after the other is the usual way of one mail. */
static enum sw_confidence place_confidence(const struct sw_story *s, const struct sw_attempt *a)
{
    const struct sw_attempt *last = s->last;
    int64_t pause_ns = sw_time_between(last->decided_ns, a->tried->start_ns);
    bool at_once = pause_ns - NEXT_SERVER_NS <= last->tried->patience_ns;
    bool named = a->tried->destination && a->tried->destination == last->tried->destination;
    return at_once && named ? SW_CONFIDENCE_LIKELY : SW_CONFIDENCE_POSSIBLE;
}

void sw_ledger_fetch(const struct sw_ledger *ledger)
{
    for (int i = 0; ledger->keys.attempt && i < SW_KEY_COUNT; i++) {
        if (ledger->keys.key[i])
            sw_link_fetch_first(ledger, ledger->keys.key[i]);
    }
}

void sw_ledger_read(struct sw_ledger *ledger, struct sw_attempt *a)
{
    if (ledger->keys.attempt != a) {
        sw_ledger_expect(ledger, a);
        sw_ledger_fetch(ledger);
    }
    ledger->keys.attempt = NULL; /* its place may be another's tomorrow */
    struct sw_story *twin = by_content(ledger, a);
    if (twin) {
        a->same_as = true;
        append(twin, a);
        return;
    }
    struct choice mail = by_envelope(ledger, a);
    struct sw_story *place = by_place(ledger, a);
    struct sw_story *s = mail.story ? mail.story : place;
    if (mail.story) {
        weaken(s, mail_confidence(s, a, mail.fit));
        if (place && place != s && !place->envelope &&
            place->attempts->begin_ns >= s->last->decided_ns &&
            s->attempt_count + place->attempt_count < TRIES_MOST)
            absorb(ledger, s, place);
    } else if (place) {
        weaken(s, place_confidence(s, a));
    } else {
        s = sw_story_new(ledger);
    }
    if (s)
        take(ledger, s, a);
    else
        sw_ledger_forget(ledger, a);
}
