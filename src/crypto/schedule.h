/*
 * schedule.h - the key schedules of TLS: the PRF of TLS 1.0 to 1.2 and HKDF-Expand-Label of 1.3.
 */
#ifndef SW_CRYPTO_SCHEDULE_H
#define SW_CRYPTO_SCHEDULE_H

#include "base/span.h"

/* PRF (RFC 5246 5; before TLS 1.2 that of RFC 2246 5, digest "MD5-SHA1"). False when OpenSSL
 * cannot. */
bool sw_tls_prf(const char *digest, struct sw_span secret, const char *label, struct sw_span seed,
                uint8_t *out, size_t length);
/* HKDF-Expand-Label without context (RFC 8446 7.1). */
bool sw_tls_expand_label(const char *digest, struct sw_span secret, const char *label, uint8_t *out,
                         size_t length);

#endif
