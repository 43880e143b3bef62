/*
 * replay.h - feeds pieces to the TLS dissector and writes its events down.
 */
#ifndef SW_TESTS_TLS_REPLAY_H
#define SW_TESTS_TLS_REPLAY_H

#include "dissectors/tls/tls.h"

enum { TLS_REPLAY_LOG = 1 << 16 };

struct tls_replay {
    struct tls_state tls;
    struct tls_sink sink;
    char log[TLS_REPLAY_LOG];
    size_t used;
    uint64_t detail; /* hash over every field of every event, but for how bytes were cut */
    uint64_t bytes[2][TLS_EVENT_ANOMALY + 1]; /* seen since they were last told, by side and kind */
    uint64_t octets[2][TLS_EVENT_ANOMALY + 1]; /* hashes over them */
    uint64_t offset[2];
    struct tls_event record[2]; /* the last one that ended */
    int open_records[2], open_messages[2], open_certificates[2];
    bool broken; /* an event came out of place */
};

void tls_replay_begin(struct tls_replay *r, bool midstream);
void tls_replay_feed(struct tls_replay *r, enum sw_from from, struct sw_span bytes, uint64_t frame);
void tls_replay_inner(struct tls_replay *r, enum sw_from from, uint8_t content,
                      struct sw_span text);
void tls_replay_gap(struct tls_replay *r, enum sw_from from, uint64_t length, uint64_t frame);
void tls_replay_end(struct tls_replay *r, uint64_t frame);

#endif
