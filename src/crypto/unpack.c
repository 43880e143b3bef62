#include "crypto/unpack.h"

#include <zlib.h>
#include <zstd.h>

const char *sw_packing_name(uint16_t packing)
{
    switch (packing) {
    case SW_PACKING_ZLIB:
        return "zlib";
    case SW_PACKING_BROTLI:
        return "brotli";
    case SW_PACKING_ZSTD:
        return "zstd";
    default:
        return "an unknown method";
    }
}

static bool inflate_all(struct sw_span packed, uint8_t *out, size_t length)
{
    uLongf got = (uLongf)length;
    uLong taken = (uLong)packed.len;
    return uncompress2(out, &got, packed.ptr, &taken) == Z_OK && got == length &&
           taken == packed.len;
}

static bool unzstd_all(struct sw_span packed, uint8_t *out, size_t length)
{
    size_t got = ZSTD_decompress(out, length, packed.ptr, packed.len);
    return !ZSTD_isError(got) && got == length;
}

bool sw_unpack(uint16_t packing, struct sw_span packed, uint8_t *out, size_t length)
{
    if (packed.len == 0 || length == 0)
        return false;
    switch (packing) {
    case SW_PACKING_ZLIB:
        return inflate_all(packed, out, length);
    case SW_PACKING_ZSTD:
        return unzstd_all(packed, out, length);
    default:
        return false;
    }
}
