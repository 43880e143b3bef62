/*
 * unpack.h - certificates that were compressed for the way (RFC 8879).
 */
#ifndef SW_CRYPTO_UNPACK_H
#define SW_CRYPTO_UNPACK_H

#include "base/span.h"

/* RFC 8879 7.3. */
enum sw_packing {
    SW_PACKING_NONE = 0,
    SW_PACKING_ZLIB = 1,
    SW_PACKING_BROTLI = 2, /* known, and not read */
    SW_PACKING_ZSTD = 3,
};

/* "zlib", "brotli", "zstd"; "an unknown method". */
const char *sw_packing_name(uint16_t packing);
/*
 * Unpacks into `out`. True only when that gives exactly `length` bytes: RFC 8879 section 4 calls
 * anything else a broken message. Never writes more, whatever the packed bytes would grow to.
 */
bool sw_unpack(uint16_t packing, struct sw_span packed, uint8_t *out, size_t length);

#endif
