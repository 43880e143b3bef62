/*
 * ledger.h - the ledger of tries: joins sessions of one mail into stories by the rule in
 * delivery.h; private to the analyzer.
 *
 * Sessions become final in another order than they began (an unanswered request is given up after
 * minutes, the next server has taken the mail by then). Tries are therefore held until nothing that
 * began earlier can still come, and read in the order of their beginnings. A story is final when
 * nothing can be joined to it any more; stories of a single session are handed out as well, so that
 * every try is counted once.
 *
 * ledger.c holds and lets go, index.c finds again, join.c and fit.c decide what belongs together,
 * delivery.c makes the record of it and delivery_text.c its sentence.
 *
 * Invariants: memory is bounded by the limits; the oldest is let go first. Work for one try does
 * not grow with what the ledger holds. All clocks are packet time; nothing depends on hash order.
 *
 * Life: new; add sessions as they become final, asking for stories in between; finish; ask for the
 * rest; free.
 */
#ifndef SW_ANALYZER_LEDGER_H
#define SW_ANALYZER_LEDGER_H

#include "analyzer/analyzer.h"
#include "analyzer/attempt.h"
#include "analyzer/delivery.h"
#include "analyzer/held.h"
#include "base/hash.h"
#include "base/numbered.h"
#include "base/time.h"

/* Ways to look a story up. */
enum sw_link {
    SW_LINK_ENVELOPE, /* client, sender, one of the recipients */
    SW_LINK_SENDER,   /* client, sender */
    SW_LINK_PLACE,    /* client, server, port */
    SW_LINK_NAME,     /* client, name that was looked up */
    SW_LINK_HOST,     /* client, server */
    SW_LINK_CLIENT,   /* client, port */
    SW_LINK_FAMILY,   /* IP version, hop count, port */
    SW_LINK_CONTENT,
};

enum { SW_STORY_LINKS = 13, SW_STORY_PLACES = 3 };

/* A story in one of the lists of the index. */
struct sw_story_link {
    uint64_t key;
    uint32_t next, previous; /* names of links, see index.c; 0: it is the last, the first */
};

/* How long a story waits for its next try. */
enum sw_wait {
    SW_WAIT_OVER,  /* accepted: only the other side of a NAT may still come */
    SW_WAIT_SOON,  /* nothing but a request or a doubtful session: the next try comes at once */
    SW_WAIT_PLACE, /* without an envelope */
    SW_WAIT_MAIL,
    SW_WAIT_COUNT,
};

/* What is looked at to see whether a try belongs to it stands in the first line of the cache. The
 * envelope as far as all tries show it: what is not here stands with one of them. */
struct sw_story {
    struct sw_attempt *last;     /* the last one that is not the other side of a NAT */
    struct sw_attempt *envelope; /* the try that shows most recipients, with what became of each
                                    since; NULL: none shows MAIL */
    uint64_t serial;
    uint64_t size_declared, size_seen;
    uint64_t message_id;
    uint32_t attempt_count;
    uint32_t number; /* in the ledger's stories */
    enum sw_wait wait : 8;
    enum sw_confidence confidence : 8;
    bool at_end; /* the capture ended while it waited */
    bool complete, has_declared, has_seen;
    uint8_t place_count; /* the first links are of the servers tried lately */
    uint8_t link_count;
    struct sw_story *previous, *next; /* in its list, the longest untouched first */
    struct sw_attempt *attempts, *last_of_all;
    int64_t touched_ns;
    size_t bytes;                               /* of the tries */
    struct sw_story_link links[SW_STORY_LINKS]; /* at the end: not cleared at the beginning */
};

struct sw_story_list {
    struct sw_story *first, *last;
};

/* What a try is looked up by, and linked under afterwards; 0: it has no such key. */
enum sw_key {
    SW_KEY_CONTENT,
    SW_KEY_FIRST, /* the envelope by its first recipient */
    SW_KEY_LEAST, /* by the one with the smallest hash, if that is another */
    SW_KEY_SENDER,
    SW_KEY_PLACE,
    SW_KEY_NAME,
    SW_KEY_HOST,
    SW_KEY_CLIENT,
    SW_KEY_FAMILY,
    SW_KEY_OTHER_FAMILY,
    SW_KEY_COUNT,
};

struct sw_try_keys {
    const struct sw_attempt *attempt; /* whose they are; NULL: nobody's */
    uint64_t key[SW_KEY_COUNT];
};

struct sw_ledger {
    struct sw_ledger_limits limits;
    struct sw_hash_key key; /* of the index */
    struct sw_held_tries held;
    struct sw_blocks blocks;         /* of tries that are gone, for the next ones */
    struct sw_numbered story_places; /* all stories */
    struct sw_try_keys keys;         /* of the try that is read next */
    uint64_t next_number;            /* of session records */
    uint64_t next_serial;
    int64_t clock_ns; /* everything that began before was read */
    bool has_clock;
    struct sw_story_list waiting[SW_WAIT_COUNT];
    struct sw_story_list final; /* to be handed out */
    uint32_t stories;
    uint64_t bytes;            /* of all that is held or waits */
    size_t *account;           /* of the run; counts the same */
    uint64_t shed, shed_bytes; /* stories let go early for their number, for their size */
    uint32_t *buckets;         /* the first link of each list */
    uint32_t bucket_mask;
    struct sw_story *told; /* the story of `delivery` */
    struct sw_delivery delivery;
    uint32_t attempt_room; /* of it */
    struct sw_span recipients[SW_ADDRESSEES];
};

/* `account` outlives it. */
struct sw_ledger *sw_ledger_new(const struct sw_ledger_limits *limits, size_t *account);
void sw_ledger_free(struct sw_ledger *ledger);
void sw_ledger_add(struct sw_ledger *ledger, const struct sw_session *session,
                   const struct sw_verdict *verdict, int64_t now_ns);
/* Nothing more will come. */
void sw_ledger_finish(struct sw_ledger *ledger);
/* The next final story, or NULL. */
const struct sw_delivery *sw_ledger_next(struct sw_ledger *ledger);

/* A held try that no story takes. */
void sw_ledger_forget(struct sw_ledger *ledger, struct sw_attempt *attempt);

/* --- join.c --- */

/* Makes the keys of the try that is read next, and has the lists fetched that they are in. */
void sw_ledger_expect(struct sw_ledger *ledger, const struct sw_attempt *attempt);
/* That try is read soon: has the first stories of those lists fetched, all at once, so that the
 * waiting for memory is one. */
void sw_ledger_fetch(const struct sw_ledger *ledger);
/* Gives a try, read in order, to the story it belongs to, or to a new one. */
void sw_ledger_read(struct sw_ledger *ledger, struct sw_attempt *attempt);

/* --- fit.c --- */

/* How well an envelope fits, from not at all. */
enum sw_fit {
    SW_FIT_NONE,
    SW_FIT_SENDER, /* no more than the sender is known of one of them */
    SW_FIT_ENVELOPE,
    SW_FIT_SIZE,
    SW_FIT_MESSAGE_ID,
};

enum {
    SW_STATES_ALL = 1 << SW_ADDRESSEE_OPEN | 1 << SW_ADDRESSEE_LATER | 1 << SW_ADDRESSEE_REFUSED |
                    1 << SW_ADDRESSEE_TAKEN,
    SW_STATES_LATER = 1 << SW_ADDRESSEE_LATER,
    SW_STATES_NOT_TAKEN = SW_STATES_ALL & ~(1 << SW_ADDRESSEE_TAKEN),
};

/* Where a hash stands in the list of a story (lists mostly have one order: the guess comes first);
 * to_count when it does not. */
uint32_t sw_story_addressee(const struct sw_story *story, uint64_t hash, uint32_t guess);
/* How many of its recipients are in one of these states. */
uint32_t sw_story_count(const struct sw_story *story, unsigned states);
enum sw_fit sw_story_fit(const struct sw_story *story, const struct sw_attempt *attempt);

static inline bool sw_is_other_server(const struct sw_tuple *a, const struct sw_tuple *b)
{
    return a->ip_version != b->ip_version || memcmp(a->dst, b->dst, sizeof(a->dst)) != 0;
}

/* --- ledger.c, for join.c --- */

/* A new story, or NULL without memory. It is in no list. */
struct sw_story *sw_story_new(struct sw_ledger *ledger);
/* Puts a story behind all others that wait like it. */
void sw_story_wait(struct sw_ledger *ledger, struct sw_story *story, enum sw_wait wait);
/* Takes a story, without tries now, out of the ledger. */
void sw_story_drop(struct sw_ledger *ledger, struct sw_story *story);
/* --- index.c --- */

/* A story, and which of its links led there. */
struct sw_found {
    struct sw_story *story; /* NULL: none */
    uint32_t link;
};

/* Room for the links of so many stories; false without memory. */
bool sw_index_open(struct sw_ledger *ledger, uint32_t stories);
uint64_t sw_link_key(const struct sw_ledger *ledger, enum sw_link kind, uint64_t a, uint64_t b);
/* A story has each key once. */
void sw_story_link(struct sw_ledger *ledger, struct sw_story *story, uint64_t key);
void sw_story_unlink(struct sw_ledger *ledger, struct sw_story *story);
/* The newest story behind a key, and the next older one of it. */
struct sw_found sw_link_find(const struct sw_ledger *ledger, uint64_t key);
struct sw_found sw_link_next(const struct sw_ledger *ledger, struct sw_found found);
/* Fetches the list that a key is in, and then the first of it. */
void sw_link_fetch(const struct sw_ledger *ledger, uint64_t key);
void sw_link_fetch_first(const struct sw_ledger *ledger, uint64_t key);

/* --- delivery.c --- */

/* Fills ledger->delivery from a final story; false without memory. */
bool sw_delivery_tell(struct sw_ledger *ledger, const struct sw_story *story);
/* The sentence of it: summary of ledger->delivery, whose other fields are filled. */
void sw_delivery_phrase(struct sw_delivery *delivery, const struct sw_story *story);

#endif
