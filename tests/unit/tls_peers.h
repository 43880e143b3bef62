/*
 * tls_peers.h - two ends of OpenSSL that talk over memory, and a listener with the keys: what the
 * tests of the decryption share.
 *
 * What goes wrong between the ends themselves is asserted here.
 */
#ifndef TESTS_UNIT_TLS_PEERS_H
#define TESTS_UNIT_TLS_PEERS_H

#include "pipeline/decrypt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <openssl/ssl.h>

enum { PEERS_TEXT = 70000, PEERS_KEYS = 16384, PEERS_WIRE = 200000, PEERS_LONG = 40000 };

/* What went over the wire, in order: a byte of direction, four of length, the bytes. */
struct peers_wire {
    uint8_t bytes[PEERS_WIRE];
    size_t used;
};

/* What a test wants of the connection. */
struct peers_wish {
    int version;
    const char *suites; /* of 1.2 and before, or of 1.3 */
    uint64_t options;
    const char *client_groups, *server_groups;
    int key_updates;        /* so many, then NOOP and its answer */
    bool renegotiate[2];    /* asked for by the client, the server (TLS 1.2 and before); the same */
    const char *early;      /* with a session to take up: sent before the handshake is over */
    int early_records;      /* so many times; 0 = once */
    bool early_is_refused;  /* by the server */
    bool early_is_answered; /* the greeting comes before the client's Finished */
};

/* What the listener heard. */
struct peers_heard {
    struct sw_decrypt decrypt;
    struct tls_state tls;
    struct tls_sink sink;
    size_t used[2];
    char text[2][PEERS_TEXT];
    bool rsa_unfit, ephemeral, short_of_memory;
    uint64_t loss; /* bytes of early data that were taken and stayed closed */
};

extern EVP_PKEY *peers_rsa_key, *peers_ec_key;
extern char peers_keys[PEERS_KEYS]; /* the key log of all connections since it was emptied */
extern char peers_long_text[PEERS_LONG];

/* Fixtures of a cmocka group: keys, certificates, texts. */
int peers_setup(void **state);
int peers_teardown(void **state);
void peers_forget_keys(void);

SSL_CTX *peers_context(bool server, const struct peers_wish *wish);
/* A connection: handshake, a dialogue, a long text, goodbye. A session is taken up and renewed;
 * NULL = none. */
void peers_talk(SSL_CTX *client_ctx, SSL_CTX *server_ctx, const struct peers_wish *wish,
                SSL_SESSION **session, struct peers_wire *wire);
/* The same once, with a key log and a wire of its own. */
void peers_connect(const struct peers_wish *wish, struct peers_wire *wire);
/* Reads the wire in pieces of `step` bytes with these keys (rsa: NULL = none); `leave_out` is the
 * number of the piece that is lost, or -1. */
void peers_listen(struct peers_heard *heard, const struct peers_wire *wire, const char *log,
                  const struct sw_rsa_key *rsa, size_t step, int leave_out);
/* Only so many pieces: the capture ends there. */
void peers_listen_until(struct peers_heard *heard, const struct peers_wire *wire, const char *log,
                        int pieces);

/* All that was said came out. */
void peers_assert_all_heard(const struct peers_heard *heard, bool with_noop);
/* The same, behind `early` that the client said first. */
void peers_assert_heard_behind(const struct peers_heard *heard, struct sw_span early);
/* Nothing came out that was not said: whatever was heard is a part of it, in order. */
void peers_assert_only_what_was_said(const struct peers_heard *heard);
void peers_assert_only_behind(const struct peers_heard *heard, struct sw_span early);

#endif
