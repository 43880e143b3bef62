/*
 * replay.h - feeds pieces to the SMTP dissector as the pipeline does (held bytes, hand-over) and
 * writes its events down.
 *
 * Logins in transcripts use the password REPLAY_SECRET; no event may show it, in clear or in
 * base64.
 */
#ifndef SW_TESTS_REPLAY_H
#define SW_TESTS_REPLAY_H

#include "dissectors/smtp/smtp.h"

#define REPLAY_SECRET "lab-Secret-4711"

enum { REPLAY_LOG = 1 << 16, REPLAY_HELD = 1 << 14 };

struct replay_piece {
    size_t from, len; /* in held_bytes */
    struct sw_at at;
};

struct replay {
    struct smtp_state smtp;
    struct smtp_sink sink;
    struct sw_lender lender;
    int lent;
    char log[REPLAY_LOG];
    size_t used;
    uint64_t body;   /* octets that were not written down yet */
    uint64_t detail; /* hashes over every field of every event, and over the octets of the texts: */
    uint64_t octets; /* what the log leaves out must not depend on chunks either */
    bool leaked;     /* an event held the planted password */
    bool opaque;     /* the client's bytes are TLS */
    uint64_t offset[2];
    uint8_t held_bytes[1 << 16];
    size_t held_used;
    struct replay_piece held[REPLAY_HELD];
    size_t held_count;
};

void replay_begin(struct replay *r, bool midstream);
void replay_feed(struct replay *r, enum sw_from from, struct sw_span bytes, uint64_t frame);
void replay_gap(struct replay *r, enum sw_from from, uint64_t length, uint64_t frame);
/* One direction ends. */
void replay_fin(struct replay *r, enum sw_from from, uint64_t frame);
/* Both directions end; afterwards r->log is complete and every lent block was given back (else -1).
 */
int replay_end(struct replay *r, uint64_t frame);

#endif
