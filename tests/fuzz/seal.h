/*
 * seal.h - writes an encrypted record as an end of the connection would, with the secrets of a key
 * log: what fuzz_decrypt needs so that hostile plain text gets behind the keys.
 */
#ifndef TESTS_FUZZ_SEAL_H
#define TESTS_FUZZ_SEAL_H

#include "crypto/opener.h"

enum { SEAL_TEXT = 1024, SEAL_RECORD = SEAL_TEXT + 128, SEAL_UPDATES = 3 };

/* Which of the keys of a connection, and which record of them. */
struct seal {
    int side;                   /* 0 client, 1 server */
    enum sw_keylog_label label; /* TLS 1.3: of the first secret; else the master secret is taken */
    int updates;                /* KeyUpdates since then, at most SEAL_UPDATES */
    uint64_t sequence;
    uint8_t content;
};

/* AES-128-GCM, in TLS 1.2 and 1.3. Returns the length of the record, 0 when there is no secret. */
size_t seal_record(const struct seal *how, const struct sw_opener_hello *hello,
                   const struct sw_keylog *log, struct sw_span text, uint8_t out[SEAL_RECORD]);

#endif
