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

/* A session, shared by its tries. The text behind it: the name of the server, and whom a proxy said
 * that it speaks for. */
struct sw_tried {
    uint64_t number;
    int64_t start_ns;
    uint64_t client;      /* hash of who the client is: address, and who it speaks for */
    uint64_t content;     /* hash of all that was said and of both sequence numbers; 0 = nothing */
    uint64_t destination; /* hash of the name, or of the domain by MX, that was looked up; 0 = not
                             seen */
    uint64_t user;        /* hash of the user who logged in, 0 = none */
    int64_t patience_ns;  /* how long after its end the client may have gone on waiting unseen */
    const char *server_name_source;
    uint32_t references;
    uint32_t unsettled; /* tries that were stuck and that no story has recovered */
    struct sw_tuple tuple;
    uint16_t bytes;
    char id[17];
    enum sw_outcome outcome : 8;
    enum sw_cause cause : 8;
    uint8_t server_name_len;
    uint8_t proxied_for_len;
    uint8_t direct_ttl; /* the client sends from the recorded link itself; 0 = not known */
    uint8_t time_digits;
    bool has_server : 1; /* a look-up that failed has none */
    bool unanswered : 1; /* the connection request was */
    bool connected : 1;  /* the server accepted it */
};

enum sw_addressee_state {
    SW_ADDRESSEE_OPEN,
    SW_ADDRESSEE_LATER,
    SW_ADDRESSEE_REFUSED,
    SW_ADDRESSEE_TAKEN
};

struct sw_addressee {
    uint64_t hash;
    uint16_t address_len; /* 0 when there was no room for it */
    enum sw_addressee_state state : 8;
};

/* One block: the try, its recipients, the text of the sender and of them, and the session as well
 * when it has no other try. */
struct sw_attempt {
    struct sw_attempt *next; /* in its story */
    struct sw_tried *tried;
    int64_t begin_ns, decided_ns;
    uint64_t size_declared, size_seen;
    uint64_t message_id; /* hash, 0 = not seen */
    uint64_t to_rest;    /* hash of the recipients that are not kept */
    uint32_t to_more;    /* how many are not */
    uint32_t index;      /* of the mail in the session */
    uint16_t bytes;      /* that it takes, and its session's with the first try */
    uint16_t code;       /* of the reply that decided, 0 = none */
    uint16_t sender_len;
    enum sw_outcome outcome : 8;
    enum sw_cause cause : 8;
    enum sw_permanence permanence : 8;
    enum sw_stage stage : 8;
    uint8_t to_count; /* kept */
    bool first;       /* of its session */
    bool only;        /* of its session, which is in the same block */
    bool same_as;     /* the try before it, seen on the other side of a NAT */
    bool doubtful;    /* it may have been no attempt at all */
    bool unconfirmed; /* the whole mail was sent, and no answer came */
    bool late;        /* accepted, but the client was gone */
    /* the envelope */
    bool has_mail;
    bool complete; /* all recipients are known */
    bool has_declared, has_seen;
    struct sw_addressee to[];
};

/* Text that stands behind a session or a try. */
struct sw_span sw_tried_server_name(const struct sw_tried *tried);
struct sw_span sw_tried_proxied_for(const struct sw_tried *tried);
struct sw_span sw_attempt_sender(const struct sw_attempt *attempt);
/* What text of recipients is kept, in their order; how many. */
uint32_t sw_attempt_addresses(const struct sw_attempt *attempt,
                              struct sw_span addresses[SW_ADDRESSEES]);

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
