#include "crypto/digest.h"

#include <openssl/evp.h>

static bool digest(struct sw_span bytes, const EVP_MD *md, uint8_t *out, size_t size)
{
    unsigned int len = 0;
    return EVP_Digest(bytes.ptr, bytes.len, out, &len, md, NULL) == 1 && len == size;
}

bool sw_sha1(struct sw_span bytes, uint8_t out[SW_SHA1_BYTES])
{
    return digest(bytes, EVP_sha1(), out, SW_SHA1_BYTES);
}

bool sw_md5(struct sw_span bytes, uint8_t out[SW_MD5_BYTES])
{
    return digest(bytes, EVP_md5(), out, SW_MD5_BYTES);
}

bool sw_sha256(struct sw_span bytes, uint8_t out[SW_SHA256_BYTES])
{
    return digest(bytes, EVP_sha256(), out, SW_SHA256_BYTES);
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
