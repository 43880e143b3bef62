/*
 * digest.h - digests that make names (Community ID, client fingerprints, of certificates), not
 * protection.
 */
#ifndef SW_CRYPTO_DIGEST_H
#define SW_CRYPTO_DIGEST_H

#include "base/span.h"

enum { SW_SHA1_BYTES = 20, SW_MD5_BYTES = 16, SW_SHA256_BYTES = 32 };

/*
 * SHA-1 for many short texts. OpenSSL looks an algorithm up anew for each digest, which takes
 * several times as long as the digest of a few bytes; this one is looked up once.
 */
struct sw_sha1;

/* NULL when OpenSSL cannot (no memory, no such algorithm). */
struct sw_sha1 *sw_sha1_new(void);
/* False when OpenSSL cannot, or without a `sha1`. */
bool sw_sha1_of(struct sw_sha1 *sha1, struct sw_span bytes, uint8_t out[SW_SHA1_BYTES]);
void sw_sha1_free(struct sw_sha1 *sha1);

/* False when OpenSSL cannot (no memory, no such algorithm). */
bool sw_md5(struct sw_span bytes, uint8_t out[SW_MD5_BYTES]);
bool sw_sha256(struct sw_span bytes, uint8_t out[SW_SHA256_BYTES]);
/* The version of OpenSSL at work: "3.0.17". */
const char *sw_openssl_version(void);
/* 2 * count lower-case digits and a NUL. */
void sw_hex(const uint8_t *bytes, size_t count, char *out);

#endif
