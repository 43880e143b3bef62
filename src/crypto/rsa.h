/*
 * rsa.h - the master secret of a connection whose pre-master secret was encrypted to an RSA key
 * that we have (RFC 5246 7.4.7.1, 8.1; RFC 7627).
 */
#ifndef SW_CRYPTO_RSA_H
#define SW_CRYPTO_RSA_H

#include "base/span.h"

enum { SW_MASTER_BYTES = 48, SW_RSA_BYTES = 2048 /* of the largest modulus */ };

struct sw_rsa_key;

/* Reads a private key (PEM, without a passphrase). NULL: the message says why. */
struct sw_rsa_key *sw_rsa_key_read(const char *path, char *message, size_t room);
void sw_rsa_key_free(struct sw_rsa_key *key);

/* The handshake messages of a connection, hashed in every way that the cipher suite may ask for. */
struct sw_transcript;

/* NULL without memory. */
struct sw_transcript *sw_transcript_new(void);
void sw_transcript_add(struct sw_transcript *transcript, struct sw_span bytes);
void sw_transcript_free(struct sw_transcript *transcript);

/* What the master secret is made of. */
struct sw_rsa_exchange {
    uint16_t version;         /* the negotiated one */
    const char *digest;       /* of the key schedule in TLS 1.2 */
    struct sw_span encrypted; /* the pre-master secret of ClientKeyExchange */
    const uint8_t *client_random, *server_random;
    const struct sw_transcript *transcript; /* up to ClientKeyExchange; NULL: no extended secret */
};

/* False when the key is not the one it was encrypted to. */
bool sw_rsa_master(const struct sw_rsa_key *key, const struct sw_rsa_exchange *exchange,
                   uint8_t out[SW_MASTER_BYTES]);

#endif
