/*
 * record.h - opens the records of one direction of a TLS connection: one key, one sequence number.
 *
 * A record that does not authenticate gives nothing, never wrong text. Keys are wiped when the
 * struct is cleared. Life: zeroes, set, open ..., clear.
 */
#ifndef SW_CRYPTO_RECORD_H
#define SW_CRYPTO_RECORD_H

#include "crypto/suite.h"

enum { SW_RECORD_IV = 16, SW_RECORD_KEY = 32, SW_RECORD_MAC = 48 };

struct sw_record_key {
    const struct sw_suite *suite; /* NULL: not set */
    uint16_t version;             /* the negotiated one, 0x0301 to 0x0304 */
    bool encrypt_then_mac;        /* RFC 7366 */
    bool chain_lost;              /* TLS 1.0: the record before was not seen whole, and its last
                                     block is the IV of this one */
    uint64_t sequence;            /* of the next record */
    uint8_t key[SW_RECORD_KEY];
    uint8_t iv[SW_RECORD_IV]; /* AEAD: the fixed part; CBC of TLS 1.0: the last block */
    uint8_t mac[SW_RECORD_MAC];
    void *cipher; /* OpenSSL's context, made at the first record */
};

/* One record as it came. */
struct sw_record_in {
    uint8_t content;
    uint16_t version; /* of its header */
    struct sw_span body;
};

/*
 * Opens a record with the sequence number that is due, which then moves on. `out` has room for the
 * whole body. On success *length is that of the plain text and *content its type (TLS 1.3: the
 * inner one). False when it does not authenticate: nothing has changed then.
 */
bool sw_record_open(struct sw_record_key *key, const struct sw_record_in *in, uint8_t *out,
                    size_t *length, uint8_t *content);
/* A record that is left closed was seen whole: what the next one needs of it. */
void sw_record_pass(struct sw_record_key *key, const struct sw_record_in *in);
/* Wipes the key and frees its context. */
void sw_record_clear(struct sw_record_key *key);

#endif
