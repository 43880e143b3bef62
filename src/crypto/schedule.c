#include "crypto/schedule.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

enum { LABEL_BYTES = 64, SEED_BYTES = 160 };

/* The parameter API takes pointers that it does not write to as if it did. */
static void *borrowed(const void *bytes)
{
    union {
        const void *in;
        void *out;
    } same = {.in = bytes};
    return same.out;
}

static bool derive(const char *name, const OSSL_PARAM *params, uint8_t *out, size_t length)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    bool done = ctx && EVP_KDF_derive(ctx, out, length, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return done;
}

bool sw_tls_prf(const char *digest, struct sw_span secret, const char *label, struct sw_span seed,
                uint8_t *out, size_t length)
{
    uint8_t both[LABEL_BYTES + SEED_BYTES];
    struct sw_span name = sw_span_str(label);
    if (name.len > LABEL_BYTES || seed.len > SEED_BYTES)
        return false;
    memcpy(both, name.ptr, name.len);
    memcpy(both + name.len, seed.ptr, seed.len);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, borrowed(digest), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, borrowed(secret.ptr), secret.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, both, name.len + seed.len),
        OSSL_PARAM_construct_end(),
    };
    return derive("TLS1-PRF", params, out, length);
}

bool sw_tls_expand_label(const char *digest, struct sw_span secret, const char *label, uint8_t *out,
                         size_t length)
{
    static const char prefix[] = "tls13 ";
    uint8_t info[4 + sizeof(prefix) + LABEL_BYTES];
    struct sw_span name = sw_span_str(label);
    if (name.len > LABEL_BYTES || length > UINT16_MAX)
        return false;
    size_t n = 0;
    info[n++] = (uint8_t)(length >> 8);
    info[n++] = (uint8_t)length;
    info[n++] = (uint8_t)(sizeof(prefix) - 1 + name.len);
    memcpy(info + n, prefix, sizeof(prefix) - 1);
    n += sizeof(prefix) - 1;
    memcpy(info + n, name.ptr, name.len);
    n += name.len;
    info[n++] = 0; /* no context */
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, borrowed(digest), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, borrowed(secret.ptr), secret.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, n),
        OSSL_PARAM_construct_end(),
    };
    return derive("HKDF", params, out, length);
}
