/*
 * writer.h - where a report's bytes go: one buffer in front of a file descriptor, or memory that
 * grows.
 *
 * Invariants: the first failure (ENOSPC, EPIPE, no memory) is kept in `error`; everything written
 * after it is dropped, so that a report never checks and the owner says it once, at the end. Life:
 * open, any of put ..., flush, release.
 */
#ifndef SW_REPORT_WRITER_H
#define SW_REPORT_WRITER_H

#include "base/span.h"

struct sw_writer {
    uint8_t *bytes;
    size_t used;
    size_t room;
    int fd;                 /* -1: memory */
    int error;              /* errno of the first failure, 0 = none */
    struct sw_writer *next; /* of the next file, where an output has several; owned by this one */
};

/* Writes to `fd`, which stays the caller's. No memory shows as `error`. */
void sw_writer_open_fd(struct sw_writer *writer, int fd);
/* Keeps everything; read it with sw_writer_span(). */
void sw_writer_open_memory(struct sw_writer *writer);

/* Adds `more` memory writers as the ones behind it. False when memory is short. */
bool sw_writer_extend(struct sw_writer *writer, unsigned more);

/* What does not fit into the buffer as it is; for the functions below only. */
void sw_writer_put_beyond(struct sw_writer *writer, struct sw_span bytes);
uint8_t *sw_writer_room_beyond(struct sw_writer *writer, size_t n);

/*
 * Room for n bytes (at most SW_WRITER_AT_ONCE), to be filled by the caller, who then adds what he
 * wrote to writer->used. NULL after an error.
 */
enum { SW_WRITER_AT_ONCE = 4096 };

static inline uint8_t *sw_writer_room(struct sw_writer *writer, size_t n)
{
    if (writer->error == 0 && n <= writer->room - writer->used)
        return writer->bytes + writer->used;
    return sw_writer_room_beyond(writer, n);
}

static inline void sw_writer_put(struct sw_writer *writer, struct sw_span bytes)
{
    if (writer->error != 0 || bytes.len == 0 || bytes.len > writer->room - writer->used) {
        sw_writer_put_beyond(writer, bytes);
        return;
    }
    memcpy(writer->bytes + writer->used, bytes.ptr, bytes.len);
    writer->used += bytes.len;
}

static inline void sw_writer_text(struct sw_writer *writer, const char *text)
{
    sw_writer_put(writer, sw_span_str(text));
}

static inline void sw_writer_char(struct sw_writer *writer, char c)
{
    if (writer->error == 0 && writer->used < writer->room)
        writer->bytes[writer->used++] = (uint8_t)c;
    else
        sw_writer_put_beyond(writer, sw_span_make(&c, 1));
}

void sw_writer_repeat(struct sw_writer *writer, char c, size_t times);
void sw_writer_number(struct sw_writer *writer, uint64_t value);
/* A code point as UTF-8. */
void sw_writer_code_point(struct sw_writer *writer, int32_t code_point);
/* printf; for our own short texts only: what is longer than 500 bytes is cut. */
void sw_writer_format(struct sw_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What a memory writer holds; borrowed until the next call. */
struct sw_span sw_writer_span(const struct sw_writer *writer);
/* Forgets what a memory writer holds, keeps its memory. */
void sw_writer_clear(struct sw_writer *writer);
/* Hands the buffered bytes to the descriptor. False when anything failed so far. */
bool sw_writer_flush(struct sw_writer *writer);
/* Gives the buffer back; what was not flushed is lost. */
void sw_writer_release(struct sw_writer *writer);

#endif
