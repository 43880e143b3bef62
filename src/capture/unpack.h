/*
 * unpack.h - gzip, zstd and lz4 streams unpacked piece by piece; private to the capture room.
 *
 * Several members or frames behind one another are one stream, as the tools have it. Memory is
 * bounded: 32 KiB for gzip, 4 MiB for lz4, 128 MiB or the cap on it (the largest window that is
 * accepted) for zstd.
 */
#ifndef SW_CAPTURE_UNPACK_H
#define SW_CAPTURE_UNPACK_H

#include "base/span.h"

struct sw_unpack;

/* Caps against files that unpack into far more than a capture could; 0 = no cap. */
struct sw_unpack_limits {
    uint64_t bytes; /* unpacked */
    uint64_t ratio; /* unpacked bytes for each packed one */
    uint64_t window_bytes;
    size_t *account; /* counts what unpacking needs; may be NULL */
};

enum { SW_UNPACK_MAGIC_BYTES = 4 };

/* What can unpack a stream that begins so; NULL when it is not compressed, or (then *no_memory)
 * without memory. */
struct sw_unpack *sw_unpack_for(struct sw_span first, const struct sw_unpack_limits *limits,
                                bool *no_memory);
/*
 * Takes from *in, which becomes what is left of it, and writes up to `room` bytes; returns how
 * many. 0 with an empty *in: more input is needed. 0 with input left: broken, see
 * sw_unpack_is_broken().
 */
size_t sw_unpack_some(struct sw_unpack *unpack, struct sw_span *in, uint8_t *out, size_t room);
bool sw_unpack_is_broken(const struct sw_unpack *unpack);
/* Broken because the window that it needs is over the cap. */
bool sw_unpack_is_too_large(const struct sw_unpack *unpack);
/* True when the input may end here. */
bool sw_unpack_is_whole(const struct sw_unpack *unpack);
/* "gzip", "zstd" or "lz4". */
const char *sw_unpack_name(const struct sw_unpack *unpack);
void sw_unpack_free(struct sw_unpack *unpack);

#endif
