/*
 * input.h - the bytes of a capture file, unpacked where the file is compressed, as a window that
 * moves forwards; private to the capture room.
 *
 * Invariants: [at, end) is what was read and not yet used; sw_input_has() makes it longer and may
 * move it, so nothing that points into it outlives that call. Works on pipes: nothing is read
 * twice. Life: open, (has, at, skip) ..., close.
 */
#ifndef SW_CAPTURE_INPUT_H
#define SW_CAPTURE_INPUT_H

#include "base/span.h"
#include "base/status.h"
#include "capture/unpack.h"

/* Why there is no more. */
enum sw_input_end {
    SW_INPUT_WHOLE,  /* the end of the file */
    SW_INPUT_FAILED, /* a read failed, see error */
    SW_INPUT_CUT,    /* the compressed data ends too early */
    SW_INPUT_BROKEN, /* the compressed data is damaged */
    SW_INPUT_LIMIT_SIZE,
    SW_INPUT_LIMIT_RATIO,
    SW_INPUT_LIMIT_MEMORY,
    SW_INPUT_NO_MEMORY,
};

struct sw_raw;

struct sw_input {
    const uint8_t *at;
    const uint8_t *end;
    uint8_t *buffer;
    size_t room;
    size_t used_bytes; /* of the buffer, so far */
    uint64_t base;     /* offset of buffer[0] in the (unpacked) stream */
    int fd;
    bool own_fd;
    bool ended; /* everything is in the window */
    enum sw_input_end why;
    int error;                /* errno of the read that failed */
    uint64_t size;            /* of the file, 0 when it is not known */
    uint64_t raw_bytes;       /* read from the file */
    struct sw_unpack *unpack; /* NULL when the file is not compressed */
    struct sw_raw *raw;       /* then: what was read and not yet unpacked */
    struct sw_unpack_limits limits;
};

/* Opens a file, or standard input for "-". `name` is for messages and outlives the input. */
struct sw_status sw_input_open(const char *path, const char *name,
                               const struct sw_unpack_limits *limits,
                               struct sw_input **out) SW_MUST_CHECK;

/* Reads on until n bytes are there; false when there are fewer. Use sw_input_has(). */
bool sw_input_fill(struct sw_input *input, size_t n);

static inline size_t sw_input_left(const struct sw_input *input)
{
    return (size_t)(input->end - input->at);
}

/* True when n bytes stand at input->at. */
static inline bool sw_input_has(struct sw_input *input, size_t n)
{
    return sw_input_left(input) >= n || sw_input_fill(input, n);
}

/* The first n bytes of what is unread, or fewer. */
static inline struct sw_span sw_input_peek(struct sw_input *input, size_t n)
{
    size_t there = sw_input_has(input, n) ? n : sw_input_left(input);
    return sw_span_make(input->at, there);
}

/* Offset of input->at, in the unpacked stream. */
static inline uint64_t sw_input_offset(const struct sw_input *input)
{
    return input->base + (uint64_t)(input->at - input->buffer);
}

/* Passes over n bytes, however many are in the window; false when the input ends before. */
bool sw_input_skip(struct sw_input *input, uint64_t n);
/* How much of the file is done, for progress. */
uint64_t sw_input_done(const struct sw_input *input);
/* "gzip", "zstd", "lz4", or NULL when the file is not compressed. */
const char *sw_input_packing(const struct sw_input *input);
void sw_input_close(struct sw_input *input);

#endif
