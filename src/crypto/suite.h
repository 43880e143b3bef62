/*
 * suite.h - the cipher suites that can be opened, and how each protects a record.
 */
#ifndef SW_CRYPTO_SUITE_H
#define SW_CRYPTO_SUITE_H

#include "base/span.h"

enum sw_suite_mode {
    SW_SUITE_GCM,
    SW_SUITE_CCM,  /* 16-byte tag */
    SW_SUITE_CCM8, /* 8-byte tag */
    SW_SUITE_CHACHA20,
    SW_SUITE_CBC, /* with an HMAC */
};

struct sw_suite {
    uint16_t id;
    uint8_t mode; /* enum sw_suite_mode */
    uint8_t key_bytes;
    uint8_t mac_bytes;  /* CBC: of the HMAC key and its tag */
    bool rsa;           /* the pre-master secret is encrypted to the server's RSA key */
    const char *cipher; /* OpenSSL's name */
    const char *mac;    /* CBC: digest of the HMAC */
    const char *digest; /* of the key schedule in TLS 1.2 and 1.3 */
};

/* NULL for a suite that cannot be opened. */
const struct sw_suite *sw_suite_find(uint16_t id);

#endif
