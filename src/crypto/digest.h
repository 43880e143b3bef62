/*
 * digest.h - digests that make names (Community ID, client fingerprints, of certificates), not
 * protection.
 */
#ifndef SW_CRYPTO_DIGEST_H
#define SW_CRYPTO_DIGEST_H

#include "base/span.h"

enum { SW_SHA1_BYTES = 20, SW_MD5_BYTES = 16, SW_SHA256_BYTES = 32 };

/*
 * SHA-1 for many short texts: every session has one. OpenSSL's way of asking for any algorithm by
 * name takes longer than the digest of a few bytes, so that this one is called as it is. False when
 * OpenSSL cannot.
 */
bool sw_sha1(struct sw_span bytes, uint8_t out[SW_SHA1_BYTES]);

/* False when OpenSSL cannot (no memory, no such algorithm). */
bool sw_md5(struct sw_span bytes, uint8_t out[SW_MD5_BYTES]);
bool sw_sha256(struct sw_span bytes, uint8_t out[SW_SHA256_BYTES]);
/* The version of OpenSSL at work: "3.0.17". */
const char *sw_openssl_version(void);
/* 2 * count lower-case digits and a NUL. */
void sw_hex(const uint8_t *bytes, size_t count, char *out);

#endif
