#include "crypto/digest.h"

/* OpenSSL would rather have every digest asked for by name; see sw_sha1() on why one is not. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>

bool sw_sha1(struct sw_span bytes, uint8_t out[SW_SHA1_BYTES])
{
    SHA_CTX context;
    return SHA1_Init(&context) == 1 && SHA1_Update(&context, bytes.ptr, bytes.len) == 1 &&
           SHA1_Final(out, &context) == 1;
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
