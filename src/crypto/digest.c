#include "crypto/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct sw_sha1 {
    EVP_MD *algorithm;
    EVP_MD_CTX *context;
};

struct sw_sha1 *sw_sha1_new(void)
{
    struct sw_sha1 *sha1 = calloc(1, sizeof(*sha1));
    if (!sha1)
        return NULL;
    sha1->algorithm = EVP_MD_fetch(NULL, "SHA1", NULL);
    sha1->context = EVP_MD_CTX_new();
    if (!sha1->algorithm || !sha1->context) {
        sw_sha1_free(sha1);
        return NULL;
    }
    return sha1;
}

bool sw_sha1_of(struct sw_sha1 *sha1, struct sw_span bytes, uint8_t out[SW_SHA1_BYTES])
{
    unsigned int len = 0;
    return sha1 && EVP_DigestInit_ex2(sha1->context, sha1->algorithm, NULL) == 1 &&
           EVP_DigestUpdate(sha1->context, bytes.ptr, bytes.len) == 1 &&
           EVP_DigestFinal_ex(sha1->context, out, &len) == 1 && len == SW_SHA1_BYTES;
}

void sw_sha1_free(struct sw_sha1 *sha1)
{
    if (!sha1)
        return;
    EVP_MD_CTX_free(sha1->context);
    EVP_MD_free(sha1->algorithm);
    free(sha1);
}

static bool digest(struct sw_span bytes, const EVP_MD *md, uint8_t *out, size_t size)
{
    unsigned int len = 0;
    return EVP_Digest(bytes.ptr, bytes.len, out, &len, md, NULL) == 1 && len == size;
}

bool sw_md5(struct sw_span bytes, uint8_t out[SW_MD5_BYTES])
{
    return digest(bytes, EVP_md5(), out, SW_MD5_BYTES);
}

bool sw_sha256(struct sw_span bytes, uint8_t out[SW_SHA256_BYTES])
{
    return digest(bytes, EVP_sha256(), out, SW_SHA256_BYTES);
}

const char *sw_openssl_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}

void sw_hex(const uint8_t *bytes, size_t count, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * count] = '\0';
}
