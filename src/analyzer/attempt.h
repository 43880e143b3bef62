/*
 * attempt.h - one try to hand over one mail, in the few bytes that are remembered of it when its
 * session is gone; private to the analyzer.
 *
 * A session gives one try for each mail it attempted, or one try without an envelope when it never
 * got as far as MAIL. Sessions without intention to send give none.
 */
#ifndef SW_ANALYZER_ATTEMPT_H
#define SW_ANALYZER_ATTEMPT_H

#include "analyzer/verdict.h"
#include "base/blocks.h"

enum {
    SW_ADDRESSEES = 128,       /* recipients of a mail that are told apart */
    SW_ADDRESSEE_BYTES = 8192, /* text of them that is kept */
};

/* A session, shared by its tries. */
struct sw_tried {
    size_t bytes;
    uint32_t references;
    uint32_t unsettled; /* tries that were stuck and that no story has recovered */
    char id[17];
    uint64_t number;
    struct sw_tuple tuple;
    int64_t start_ns;
    enum sw_outcome outcome;
    enum sw_cause cause;
    uint64_t client;      /* hash of who the client is: address, and who it speaks for */
    uint64_t content;     /* hash of all that was said and of both sequence numbers; 0 = nothing */
    bool has_server;      /* a look-up that failed has none */
    uint64_t destination; /* hash of the name, or of the domain by MX, that was looked up; 0 = not
                             seen */
    uint64_t user;        /* hash of the user who logged in, 0 = none */
    int64_t patience_ns;  /* how long after its end the client may have gone on waiting unseen */
    uint8_t direct_ttl;   /* the client sends from the recorded link itself; 0 = not known */
    uint8_t time_digits;
    bool unanswered;            /* the connection request was */
    struct sw_span server_name; /* own memory */
    const char *server_name_source;
    struct sw_span proxied_for;
};

enum sw_addressee_state {
    SW_ADDRESSEE_OPEN,
    SW_ADDRESSEE_LATER,
    SW_ADDRESSEE_REFUSED,
    SW_ADDRESSEE_TAKEN
};

struct sw_addressee {
    uint64_t hash;
    struct sw_span address; /* empty when there was no room for it */
    enum sw_addressee_state state;
};

struct sw_attempt {
    struct sw_attempt *next; /* in its story */
    size_t bytes;            /* that it takes, and its session's with the first try */
    struct sw_tried *tried;
    uint64_t serial; /* in the order in which they became final */
    uint32_t index;  /* of the mail in the session */
    bool first;      /* of its session */
    bool same_as;    /* the try before it, seen on the other side of a NAT */
    int64_t begin_ns, decided_ns;
    enum sw_outcome outcome;
    enum sw_cause cause;
    enum sw_permanence permanence;
    enum sw_stage stage;
    uint16_t code;    /* of the reply that decided, 0 = none */
    bool doubtful;    /* it may have been no attempt at all */
    bool unconfirmed; /* the whole mail was sent, and no answer came */
    bool late;        /* accepted, but the client was gone */
    /* the envelope */
    bool has_mail;
    bool complete; /* all recipients are known */
    struct sw_span sender;
    bool has_declared, has_seen;
    uint64_t size_declared, size_seen;
    uint64_t message_id; /* hash, 0 = not seen */
    uint32_t to_count;   /* kept */
    uint32_t to_more;    /* not kept */
    uint64_t to_rest;    /* hash of those */
    struct sw_addressee *to;
};

/*
 * The tries of a session, in its order, linked by `next`; NULL when there were none or memory is
 * short. Each is freed with sw_attempt_free().
 */
struct sw_attempt *sw_attempts_of(struct sw_blocks *blocks, const struct sw_session *session,
                                  const struct sw_verdict *verdict, uint64_t number);
/* `blocks` are those that it was made with. */
void sw_attempt_free(struct sw_blocks *blocks, struct sw_attempt *attempt);

/* Mixes bytes, or a number, into a hash under the fixed key. */
uint64_t sw_hash_on(uint64_t hash, struct sw_span bytes);
uint64_t sw_hash_number(uint64_t hash, uint64_t number);

#endif
