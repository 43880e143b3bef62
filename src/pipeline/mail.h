/*
 * mail.h - one connection that may carry mail on its way from TCP to the model: recognition, the
 * SMTP dissector, bytes held until the server speaks, the hand-over to TLS. Private to the pipeline
 * room.
 */
#ifndef SW_PIPELINE_MAIL_H
#define SW_PIPELINE_MAIL_H

#include "base/slots.h"
#include "dissectors/smtp/smtp.h"
#include "flow/flow.h"
#include "pipeline/beside.h"
#include "pipeline/book.h"
#include "pipeline/ndpi_shim.h"
#include "pipeline/proxy.h"
#include "pipeline/tls.h"
#include "crypto/keylog.h"
#include "session/builder.h"

/* Client bytes that wait for the server's reply. */
struct sw_held_piece {
    struct sw_at at;
    uint32_t length;
};

enum {
    SW_HELD_BYTES = 64 * 1024, /* then the meaning is decided without the reply */
    SW_HELD_PIECES = 512,
};

struct sw_held {
    uint8_t *bytes; /* allocated at the first need */
    uint32_t used, room;
    struct sw_held_piece *pieces;
    uint32_t piece_count, piece_room;
};

struct sw_mail {
    enum sw_watch watch;
    size_t *account;      /* of the run's memory */
    struct sw_slot *slot; /* its place; NULL: from malloc() */
    struct smtp_sink sink;
    struct sw_lender lender; /* for unfinished lines; notes when the outer one has nothing left */
    const struct sw_lender *outer;
    struct sw_held held;
    struct sw_tls_way *way;             /* NULL before the first byte of TLS */
    struct sw_proxy *proxy;             /* what goes before the mail, mostly NULL */
    uint64_t proxy_offset;              /* of the piece that it reads */
    struct sw_ndpi_flow *stranger;      /* while nDPI looks at it; owned by pipeline/stranger.c */
    bool not_named;                     /* nDPI need not be asked (again) */
    const struct sw_flow_facts *facts;  /* of the flow, for the sink */
    const struct sw_step *offers_noted; /* up to this command */
    bool tentative;   /* on a port that is no mail port: kept only if the content proves it */
    bool tls;         /* opaque from here on, by hand-over or from the first byte */
    bool handed_over; /* TLS began with STARTTLS */
    bool no_proxy;    /* what looked like the beginning of a request to a proxy was none */
    bool tls_checked; /* the first bytes after the hand-over were looked at */
    bool inside;      /* the dialogue inside TLS is read, with keys */
    uint64_t inner_offset[2];    /* bytes of it so far, by enum sw_from */
    struct sw_decrypt_keys keys; /* the engine sets them */
    struct sw_session session;
    struct smtp_state smtp;
};

/* A mail stands at the beginning of a slot, and what is behind it is lent to its arena. */
enum {
    SW_MAIL_SLOT_BYTES = 8192,
    SW_MAIL_LENT_AT = (sizeof(struct sw_mail) + 15) / 16 * 16,
    SW_MAIL_NEAR_BYTES = SW_MAIL_LENT_AT + 2560, /* what most mails have written to */
    SW_MAIL_REST_NEAR_BYTES = 1024,              /* what most are squeezed to */
};

/* A mail whose connection rests: squeezed, as most of it is empty. */
struct sw_mail_rest;

/* The client's first bytes speak to a proxy. */
void sw_mail_proxied(struct sw_mail *mail, struct sw_span first);
/* They may be the beginning of that: the next ones will tell. */
void sw_mail_may_be_proxied(struct sw_mail *mail);
/* Places for mails, where all memory is limited to that; NULL without memory: it goes without, but
 * then none of them can rest. */
struct sw_slots *sw_mail_slots(uint64_t memory_bytes, size_t *account);
/* A new connection's state, or NULL without memory. `lender`, `account` and `slots` (may be NULL)
 * outlive it; `flow`: whose it is. */
struct sw_mail *sw_mail_new(const struct sw_session_limits *limits, const struct sw_lender *lender,
                            size_t *account, struct sw_slots *slots, struct sw_flow *flow,
                            bool midstream);
void sw_mail_chunk(struct sw_mail *mail, const struct sw_flow_facts *facts,
                   const struct sw_chunk *chunk);
/* Tells the book the names in what the client has said since the last call. */
void sw_mail_tell_offers(struct sw_mail *mail, struct sw_book *book);
void sw_mail_gap(struct sw_mail *mail, const struct sw_flow_facts *facts, enum sw_side from,
                 uint64_t offset, uint64_t length, struct sw_mark mark);
/* Has the processor fetch what is known of a mail that was long untouched, all of it at once: who
 * looks at it then does not wait for one piece after the other. */
void sw_mail_fetch(const struct sw_mail *mail);
/* The connection is over: decides what is still held, closes the dialogue, keeps the facts. */
void sw_mail_finish(struct sw_mail *mail, const struct sw_flow_facts *facts, struct sw_mark mark);
/* True when nothing but words that other protocols have, too, was said so far. */
bool sw_mail_has_common_words_only(const struct sw_mail *mail);
/* True when the content shows that this is mail (or a mail port makes it so). */
bool sw_mail_is_confirmed(const struct sw_mail *mail);
/* True when the content shows that this is no mail and the port does not say so either. */
bool sw_mail_is_refuted(const struct sw_mail *mail);
void sw_mail_free(struct sw_mail *mail);
/* Whether this may rest, and then what is left of it; NULL: it stays as it is. */
struct sw_mail_rest *sw_mail_rest(struct sw_mail *mail);
/* Whose mail stands where this one stood: it has to rest before this one wakes. NULL: nobody's. */
struct sw_flow *sw_mail_rest_in_the_way(const struct sw_mail_rest *rest);
/* Makes the mail of `flow` whole again, where it stood before. Its facts come with the next call.
 */
struct sw_mail *sw_mail_wake(struct sw_mail_rest *rest, struct sw_flow *flow);
/* What sw_mail_is_confirmed() says of one that rests. */
bool sw_mail_rest_is_confirmed(const struct sw_mail_rest *rest);

#endif
