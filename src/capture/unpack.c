#define ZLIB_CONST
/* Both declare how to lend them memory of our own only so; the functions are in the libraries. */
#define LZ4F_STATIC_LINKING_ONLY
#define ZSTD_STATIC_LINKING_ONLY
#include "capture/unpack.h"

#include "base/account.h"
#include "base/wipe.h"

#include <lz4frame.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

struct method {
    const char *name;
    struct sw_span magic;
    bool (*open)(struct sw_unpack *u);
    size_t (*some)(struct sw_unpack *u, struct sw_span *in, uint8_t *out, size_t room);
    void (*close)(struct sw_unpack *u);
};

struct sw_unpack {
    const struct method *method;
    bool whole; /* between two members */
    bool broken;
    z_stream gzip;
    ZSTD_DStream *zstd;
    LZ4F_dctx *lz4;
    uint64_t window_bytes;
    size_t *account, own_account;
    bool too_large;
};

/*
 * --- memory ---
 *
 * The libraries keep a window of what they unpacked. They get blocks that know their size, so that
 * these can be wiped.
 */

struct block {
    size_t size_bytes;
    _Alignas(max_align_t) uint8_t bytes[];
};

static void *block_alloc(void *ctx, size_t n)
{
    struct sw_unpack *u = ctx;
    struct block *block = n <= SIZE_MAX - sizeof(*block) ? malloc(sizeof(*block) + n) : NULL;
    if (!block)
        return NULL;
    block->size_bytes = n;
    sw_account_take(u->account, n);
    return block->bytes;
}

static void block_free(void *ctx, void *bytes)
{
    struct sw_unpack *u = ctx;
    if (!bytes)
        return;
    struct block *block = (struct block *)((uint8_t *)bytes - offsetof(struct block, bytes));
    sw_account_give(u->account, block->size_bytes);
    sw_wipe_free(block, sizeof(*block) + block->size_bytes);
}

static void *gzip_alloc(void *ctx, uInt items, uInt size)
{
    return block_alloc(ctx, (size_t)items * size);
}

#if defined(SW_LZ4_LENDS)
static void *block_calloc(void *ctx, size_t n)
{
    void *bytes = block_alloc(ctx, n);
    if (bytes)
        memset(bytes, 0, n);
    return bytes;
}
#endif

/* --- gzip (RFC 1952) --- */

enum { GZIP_ONLY = 15 + 16, PIECE_MAX_BYTES = 1 << 30 };

static bool gzip_open(struct sw_unpack *u)
{
    u->gzip.zalloc = gzip_alloc;
    u->gzip.zfree = block_free;
    u->gzip.opaque = u;
    return inflateInit2(&u->gzip, GZIP_ONLY) == Z_OK;
}

static void gzip_close(struct sw_unpack *u)
{
    (void)inflateEnd(&u->gzip);
}

/* Tapes and some copiers fill up with zeros behind the last member. */
static void skip_zeros(struct sw_span *in)
{
    while (in->len > 0 && in->ptr[0] == 0)
        *in = sw_span_from(*in, 1);
}

static size_t gzip_some(struct sw_unpack *u, struct sw_span *in, uint8_t *out, size_t room)
{
    if (u->whole) {
        skip_zeros(in);
        if (in->len == 0)
            return 0;
        (void)inflateReset(&u->gzip); /* the next member (RFC 1952, 2.2) */
        u->whole = false;
    }
    size_t give = in->len < PIECE_MAX_BYTES ? in->len : PIECE_MAX_BYTES;
    u->gzip.next_in = in->ptr;
    u->gzip.avail_in = (uInt)give;
    u->gzip.next_out = out;
    u->gzip.avail_out = (uInt)(room < PIECE_MAX_BYTES ? room : PIECE_MAX_BYTES);
    int result = inflate(&u->gzip, Z_NO_FLUSH);
    *in = sw_span_from(*in, give - u->gzip.avail_in);
    u->whole = result == Z_STREAM_END;
    u->broken = result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR;
    return (size_t)(u->gzip.next_out - out);
}

/* --- zstd (RFC 8878) --- */

enum { ZSTD_WINDOW_LOG = 27, ZSTD_WINDOW_LOG_LEAST = 10 };

static bool zstd_open(struct sw_unpack *u)
{
    int log = ZSTD_WINDOW_LOG;
    while (u->window_bytes > 0 && log > ZSTD_WINDOW_LOG_LEAST &&
           (UINT64_C(1) << log) > u->window_bytes)
        log--;
    u->zstd = ZSTD_createDStream_advanced((ZSTD_customMem){block_alloc, block_free, u});
    return u->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, log));
}

static void zstd_close(struct sw_unpack *u)
{
    (void)ZSTD_freeDStream(u->zstd);
}

static size_t zstd_some(struct sw_unpack *u, struct sw_span *in, uint8_t *out, size_t room)
{
    ZSTD_inBuffer from = {in->ptr, in->len, 0};
    ZSTD_outBuffer to = {out, room, 0};
    size_t result = ZSTD_decompressStream(u->zstd, &to, &from);
    *in = sw_span_from(*in, from.pos);
    u->broken = ZSTD_isError(result);
    u->too_large = ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge;
    u->whole = result == 0;
    return to.pos;
}

/* --- lz4 (its frame format) --- */

static bool lz4_open(struct sw_unpack *u)
{
#if defined(SW_LZ4_LENDS)
    const LZ4F_CustomMem memory = {block_alloc, block_calloc, block_free, u};
    u->lz4 = LZ4F_createDecompressionContext_advanced(memory, LZ4F_VERSION);
    return u->lz4 != NULL;
#else /* older ones lend nothing: their window is given back as it is */
    return !LZ4F_isError(LZ4F_createDecompressionContext(&u->lz4, LZ4F_VERSION));
#endif
}

static void lz4_close(struct sw_unpack *u)
{
    (void)LZ4F_freeDecompressionContext(u->lz4);
}

static size_t lz4_some(struct sw_unpack *u, struct sw_span *in, uint8_t *out, size_t room)
{
    size_t wrote = room;
    size_t used = in->len;
    size_t result = LZ4F_decompress(u->lz4, out, &wrote, in->ptr, &used, NULL);
    u->broken = LZ4F_isError(result);
    if (u->broken)
        return 0;
    *in = sw_span_from(*in, used);
    u->whole = result == 0;
    return wrote;
}

static const struct method methods[] = {
    {"gzip", SW_SPAN_LIT("\x1f\x8b"), gzip_open, gzip_some, gzip_close},
    {"zstd", SW_SPAN_LIT("\x28\xb5\x2f\xfd"), zstd_open, zstd_some, zstd_close},
    {"lz4", SW_SPAN_LIT("\x04\x22\x4d\x18"), lz4_open, lz4_some, lz4_close},
};

struct sw_unpack *sw_unpack_for(struct sw_span first, const struct sw_unpack_limits *limits,
                                bool *no_memory)
{
    *no_memory = false;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (!sw_span_starts(first, methods[i].magic))
            continue;
        struct sw_unpack *u = calloc(1, sizeof(*u));
        if (u) {
            u->account = limits->account ? limits->account : &u->own_account;
            u->window_bytes = limits->window_bytes;
        }
        if (u && methods[i].open(u)) {
            u->method = &methods[i];
            return u;
        }
        if (u)
            methods[i].close(u);
        free(u);
        *no_memory = true;
    }
    return NULL;
}

size_t sw_unpack_some(struct sw_unpack *u, struct sw_span *in, uint8_t *out, size_t room)
{
    /* A member may end without having written anything: then the next one follows at once. */
    size_t wrote = 0;
    while (wrote == 0 && in->len > 0 && !u->broken)
        wrote = u->method->some(u, in, out, room);
    /* What is still inside comes out without more input. */
    if (wrote == 0 && !u->whole && !u->broken)
        wrote = u->method->some(u, in, out, room);
    return wrote;
}

bool sw_unpack_is_broken(const struct sw_unpack *u)
{
    return u->broken;
}

bool sw_unpack_is_too_large(const struct sw_unpack *u)
{
    return u->too_large;
}

bool sw_unpack_is_whole(const struct sw_unpack *u)
{
    return u->whole;
}

const char *sw_unpack_name(const struct sw_unpack *u)
{
    return u->method->name;
}

void sw_unpack_free(struct sw_unpack *u)
{
    if (!u)
        return;
    u->method->close(u);
    free(u);
}
