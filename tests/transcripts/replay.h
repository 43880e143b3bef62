/*
 * replay.h - feeds pieces to the SMTP dissector as the pipeline does (held bytes, hand-over) and
 * writes its events down.
 */
#ifndef SW_TESTS_REPLAY_H
#define SW_TESTS_REPLAY_H

#include "dissectors/smtp/smtp.h"

enum { REPLAY_LOG = 1 << 16, REPLAY_HELD = 512 };

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
    uint64_t body; /* octets that were not written down yet */
    uint64_t offset[2];
    uint8_t held_bytes[1 << 16];
    size_t held_used;
    struct replay_piece held[REPLAY_HELD];
    size_t held_count;
};

void replay_begin(struct replay *r, bool midstream);
void replay_feed(struct replay *r, enum sw_from from, struct sw_span bytes, uint64_t frame);
void replay_gap(struct replay *r, enum sw_from from, uint64_t length, uint64_t frame);
/* Both directions end; afterwards r->log is complete and every lent block was given back (else -1).
 */
int replay_end(struct replay *r, uint64_t frame);

#endif
