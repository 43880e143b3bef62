/*
 * fuzz_decompress.c - compressed captures. The first byte chooses: the rest is a compressed file as
 * it is, or a capture that is compressed here and must then give the same frames as it does plain.
 */
#include "source.h"

#include <lz4frame.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 1 << 20, MOST = 256 * 1024, UNPACKED_MOST = 4 << 20 };

static size_t pack_gzip(const uint8_t *in, size_t n, uint8_t *out)
{
    z_stream z = {0};
    if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_in = (Bytef *)(uintptr_t)in;
    z.avail_in = (uInt)n;
    z.next_out = out;
    z.avail_out = ROOM;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    (void)deflateEnd(&z);
    return ROOM - z.avail_out;
}

static size_t pack(int how, const uint8_t *in, size_t n, uint8_t *out)
{
    if (how == 1)
        return pack_gzip(in, n, out);
    if (how == 2)
        return ZSTD_compress(out, ROOM, in, n, 1);
    return LZ4F_compressFrame(out, ROOM, in, n, NULL);
}

/* Compressed in two members, so that one ends anywhere in the capture. */
static void compare(int how, const uint8_t *data, size_t size)
{
    static uint8_t packed[2 * ROOM];
    size_t half = size / 2;
    size_t n = pack(how, data, half, packed);
    n += pack(how, data + half, size - half, packed + n);
    struct source_sum plain = source_read(source_file(sw_span_make(data, size)), size, 0);
    struct source_sum same = source_read(source_file(sw_span_make(packed, n)), n, 0);
    if (plain.opened != same.opened || plain.clean != same.clean || plain.frames != same.frames ||
        plain.bytes != same.bytes)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > MOST)
        return 0;
    int how = data[0] & 3;
    if (how > 0) {
        /* What begins as compressed would be compressed twice, which is refused. */
        if (size > 5 && data[1] != 0x1F && data[1] != 0x28 && data[1] != 0x04)
            compare(how, data + 1, size - 1);
        return 0;
    }
    (void)source_read(source_file(sw_span_make(data + 1, size - 1)), size - 1, UNPACKED_MOST);
    return 0;
}
