#include "crypto/digest.h"

#include <openssl/evp.h>

bool sw_sha1(struct sw_span bytes, uint8_t out[SW_SHA1_BYTES])
{
    unsigned int len = 0;
    return EVP_Digest(bytes.ptr, bytes.len, out, &len, EVP_sha1(), NULL) == 1 &&
           len == SW_SHA1_BYTES;
}
