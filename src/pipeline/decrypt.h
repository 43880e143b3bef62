/*
 * decrypt.h - between the TLS dissector and the keys: collects encrypted records, opens them and
 * gives the plain text back to the dissector. Private to the pipeline room.
 *
 * Sits in front of a sink of TLS events: hand every event to sw_decrypt_event() first. What is
 * opened comes out of the dissector as more events of that sink. Memory: one record at a time and
 * direction (twice its length), given back and wiped when the record ends; and early data until it
 * is known whether the server took it (early.h).
 */
#ifndef SW_PIPELINE_DECRYPT_H
#define SW_PIPELINE_DECRYPT_H

#include "crypto/opener.h"
#include "crypto/rsa.h"
#include "dissectors/tls/tls.h"
#include "pipeline/early.h"

/* What there is to open connections with; borrowed. */
struct sw_decrypt_keys {
    const struct sw_keylog *log;  /* NULL: nothing is opened */
    const struct sw_rsa_key *rsa; /* of a server, or NULL */
};

/* What the master secret of an RSA key exchange is worked out from. */
struct sw_decrypt_exchange {
    struct sw_transcript *transcript; /* of the handshake messages up to here; NULL: none */
    uint8_t *message;                 /* ClientKeyExchange; NULL: none is collected */
    uint32_t length, have;
    bool extended; /* the master secret is the extended one (RFC 7627) */
    bool broken;   /* messages are missing */
};

/* The body of the record that is being read. */
struct sw_decrypt_record {
    uint8_t *bytes; /* body, and behind it room for the plain text; NULL: none is collected */
    uint32_t length;
    uint32_t have;
};

/* What became of the record whose end was told last. */
enum sw_decrypt_fate {
    SW_DECRYPT_NOTHING, /* it was in clear, or there is nothing to open it with */
    SW_DECRYPT_OPENED,
    SW_DECRYPT_CLOSED,
    SW_DECRYPT_EARLY, /* closed, and it may be early data that the server passes over, or has not
                         taken yet: no part of the dialogue so far */
};

/* Early data that the server took and that stays closed, to be told behind what was opened. */
struct sw_decrypt_loss {
    uint64_t bytes;
    struct sw_at at;
};

struct sw_decrypt {
    struct sw_decrypt_keys keys;
    size_t *account, own_account; /* memory of records */
    struct sw_opener_hello hello; /* of the handshake that is going on */
    struct sw_decrypt_exchange exchange;
    struct sw_opener *opener;
    struct sw_opener *next; /* of a second handshake inside the first (TLS 1.2 and before) */
    bool moved[2];          /* this side's ChangeCipherSpec of it was read */
    bool finished[2], key_update[2], early_ended; /* seen in the record that is being read */
    struct sw_decrypt_record record[2];
    struct sw_early early;
    enum sw_decrypt_fate last;
    struct sw_decrypt_loss loss; /* whoever tells it sets it back */
    /* how it went, for the record of the session */
    uint64_t opened, wrong, without_key;
    uint64_t early_opened; /* of `opened`, records of early data */
    bool given;            /* there are keys, of whatever connection */
    bool no_suite;         /* the suite cannot be opened here */
    bool in_keylog;        /* the log has something for this connection, or the RSA key fits */
    bool rsa_unfit;        /* the RSA key is not the one that the client encrypted to */
    bool ephemeral;        /* no RSA key can open this: the keys were agreed on afresh */
    bool saw_hello;        /* both hellos were read */
    bool short_of_memory;
};

/* The keys are borrowed as long as the struct lives. The owner may set `account` afterwards. */
void sw_decrypt_init(struct sw_decrypt *decrypt, const struct sw_decrypt_keys *keys);
void sw_decrypt_event(struct sw_decrypt *decrypt, struct tls_state *tls,
                      const struct tls_event *event, const struct tls_sink *sink);
/* Wipes and frees everything. */
void sw_decrypt_release(struct sw_decrypt *decrypt);

#endif
