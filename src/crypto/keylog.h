/*
 * keylog.h - TLS secrets in the format of SSLKEYLOGFILE, found by the random of a ClientHello.
 *
 * Secrets leave this room only into an opener; they are wiped when the log is freed. Life: new, add
 * any number of texts, find, free.
 */
#ifndef SW_CRYPTO_KEYLOG_H
#define SW_CRYPTO_KEYLOG_H

#include "base/span.h"

enum sw_keylog_label {
    SW_KEYLOG_MASTER,           /* CLIENT_RANDOM: the master secret (TLS 1.2 and before) */
    SW_KEYLOG_EARLY,            /* CLIENT_EARLY_TRAFFIC_SECRET */
    SW_KEYLOG_CLIENT_HANDSHAKE, /* CLIENT_HANDSHAKE_TRAFFIC_SECRET */
    SW_KEYLOG_SERVER_HANDSHAKE, /* SERVER_HANDSHAKE_TRAFFIC_SECRET */
    SW_KEYLOG_CLIENT_TRAFFIC,   /* CLIENT_TRAFFIC_SECRET_0 */
    SW_KEYLOG_SERVER_TRAFFIC,   /* SERVER_TRAFFIC_SECRET_0 */
    SW_KEYLOG_LABELS,
};

enum { SW_KEYLOG_RANDOM = 32, SW_KEYLOG_SECRET = 64 };

/* What a text held. */
struct sw_keylog_counts {
    uint64_t lines;    /* secrets that are kept */
    uint64_t unknown;  /* labels that open nothing here (EXPORTER_SECRET ...) */
    uint64_t broken;   /* neither a secret, a comment nor empty */
    uint64_t left_out; /* over the cap */
};

struct sw_keylog;

/* NULL when memory is short. */
struct sw_keylog *sw_keylog_new(void);
/* At most so many secrets in place of the default; `account` counts their memory and outlives the
 * log. Before the first secret. */
void sw_keylog_bound(struct sw_keylog *log, size_t most, size_t *account);
void sw_keylog_free(struct sw_keylog *log);
/*
 * Adds the secrets of whole lines; a text may come in pieces that end at line ends. The first of
 * two secrets for the same label and random stays. Adds to *counts.
 */
void sw_keylog_add(struct sw_keylog *log, struct sw_span text, struct sw_keylog_counts *counts);
/* The secret, borrowed from the log; empty when there is none. */
struct sw_span sw_keylog_find(const struct sw_keylog *log, const uint8_t random[SW_KEYLOG_RANDOM],
                              enum sw_keylog_label label);
/* How many secrets are kept. */
size_t sw_keylog_count(const struct sw_keylog *log);
/* Is there any secret for this random? */
bool sw_keylog_knows(const struct sw_keylog *log, const uint8_t random[SW_KEYLOG_RANDOM]);

#endif
