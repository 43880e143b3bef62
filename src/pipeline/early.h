/*
 * early.h - early data of a client (0-RTT, RFC 8446 4.2.10), kept closed until it is known whether
 * the server took it. Private to the pipeline room.
 *
 * What a server refuses was never said: it must not come out as a part of the dialogue. Memory: at
 * most SW_EARLY_BYTES in SW_EARLY_RECORDS records; what comes behind them stays closed for good.
 */
#ifndef SW_PIPELINE_EARLY_H
#define SW_PIPELINE_EARLY_H

#include "dissectors/tls/tls.h"

enum { SW_EARLY_BYTES = 20 * 1024, SW_EARLY_RECORDS = 32 };

enum sw_early_fate {
    SW_EARLY_NONE, /* none was announced, there is no key for it, it was refused, or it is over */
    SW_EARLY_WAITING,
    SW_EARLY_TAKEN, /* by the server: what comes can be opened at once */
};

struct sw_early_record {
    struct sw_early_record *next;
    struct tls_event end; /* its RECORD_END */
    uint8_t body[];
};

struct sw_early {
    enum sw_early_fate fate;
    bool due; /* the server has just said that it took the data */
    struct sw_early_record *first, **tail;
    size_t bytes;
    uint64_t records; /* of early data so far, kept or not */
    uint64_t kept;
    bool over_cap;
    uint64_t left_out_bytes; /* behind what is kept */
    struct sw_at left_out_at;
};

/* A ClientHello announced early data, and there is a key for it. */
void sw_early_begin(struct sw_early *early, size_t *account);
/* Keeps a record, if it and all before it could be kept. */
void sw_early_keep(struct sw_early *early, const struct tls_event *end, struct sw_span body,
                   size_t *account);
/* So many bytes are not kept, and nothing behind them: they are not in the capture. */
void sw_early_leave_out(struct sw_early *early, struct sw_at at, uint64_t bytes);
/* The first record that is kept, which belongs to the caller then; NULL behind the last. */
struct sw_early_record *sw_early_next(struct sw_early *early);
void sw_early_free(struct sw_early_record *record, size_t *account);
/* Drops what is kept. */
void sw_early_clear(struct sw_early *early, size_t *account);

#endif
