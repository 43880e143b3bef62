/*
 * digest.h - SHA-1 for Community ID (a name, not a protection).
 */
#ifndef SW_CRYPTO_DIGEST_H
#define SW_CRYPTO_DIGEST_H

#include "base/span.h"

enum { SW_SHA1_BYTES = 20 };

/* False when OpenSSL cannot (no memory, no such algorithm). */
bool sw_sha1(struct sw_span bytes, uint8_t out[SW_SHA1_BYTES]);

#endif
