#include "report/writer.h"

#include "base/format.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { FD_BUFFER_BYTES = 64 * 1024, FIRST_ROOM = 1024, FORMAT_BYTES = 512 };

void sw_writer_open_fd(struct sw_writer *writer, int fd)
{
    *writer = (struct sw_writer){.fd = fd};
    writer->bytes = malloc(FD_BUFFER_BYTES);
    if (writer->bytes)
        writer->room = FD_BUFFER_BYTES;
    else
        writer->error = ENOMEM;
}

void sw_writer_open_memory(struct sw_writer *writer)
{
    *writer = (struct sw_writer){.fd = -1};
}

bool sw_writer_extend(struct sw_writer *writer, unsigned more)
{
    for (; more > 0; more--, writer = writer->next) {
        writer->next = malloc(sizeof(*writer->next));
        if (!writer->next)
            return false;
        sw_writer_open_memory(writer->next);
    }
    return true;
}

static void write_all(struct sw_writer *writer, const uint8_t *at, size_t left)
{
    while (left > 0 && writer->error == 0) {
        ssize_t done = write(writer->fd, at, left);
        if (done < 0) {
            if (errno != EINTR)
                writer->error = errno;
            continue;
        }
        at += done;
        left -= (size_t)done;
    }
}

static void drain(struct sw_writer *writer)
{
    write_all(writer, writer->bytes, writer->used);
    writer->used = 0;
}

/* Room for n more bytes in memory. */
static bool grow(struct sw_writer *writer, size_t n)
{
    size_t room = writer->room ? writer->room : FIRST_ROOM;
    while (room - writer->used < n) {
        if (room > SIZE_MAX / 2) {
            writer->error = ENOMEM;
            return false;
        }
        room *= 2;
    }
    if (room == writer->room)
        return true;
    uint8_t *bytes = realloc(writer->bytes, room);
    if (!bytes) {
        writer->error = ENOMEM;
        return false;
    }
    writer->bytes = bytes;
    writer->room = room;
    return true;
}

void sw_writer_put_beyond(struct sw_writer *writer, struct sw_span bytes)
{
    if (writer->error != 0 || bytes.len == 0)
        return;
    if (writer->fd < 0) {
        if (!grow(writer, bytes.len))
            return;
    } else if (bytes.len > writer->room - writer->used) {
        drain(writer);
        if (bytes.len > writer->room) {
            write_all(writer, bytes.ptr, bytes.len);
            return;
        }
    }
    memcpy(writer->bytes + writer->used, bytes.ptr, bytes.len);
    writer->used += bytes.len;
}

uint8_t *sw_writer_room_beyond(struct sw_writer *writer, size_t n)
{
    assert(n <= SW_WRITER_AT_ONCE);
    if (writer->error != 0)
        return NULL;
    if (writer->fd >= 0)
        drain(writer); /* the buffer is larger than any n */
    else if (!grow(writer, n))
        return NULL;
    return writer->error == 0 ? writer->bytes + writer->used : NULL;
}

void sw_writer_repeat(struct sw_writer *writer, char c, size_t times)
{
    while (times-- > 0)
        sw_writer_char(writer, c);
}

void sw_writer_number(struct sw_writer *writer, uint64_t value)
{
    uint8_t *at = sw_writer_room(writer, SW_DIGITS);
    if (at)
        writer->used += sw_format_number(value, at);
}

void sw_writer_code_point(struct sw_writer *writer, int32_t code_point)
{
    uint8_t utf8[4];
    sw_writer_put(writer, sw_span_make(utf8, sw_text_put_utf8(code_point, utf8)));
}

void sw_writer_format(struct sw_writer *writer, const char *format, ...)
{
    char text[FORMAT_BYTES];
    va_list args;
    va_start(args, format);
    int len = sw_format_va(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0)
        return;
    size_t have = (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1;
    sw_writer_put(writer, sw_span_make(text, have));
}

struct sw_span sw_writer_span(const struct sw_writer *writer)
{
    return sw_span_make(writer->bytes, writer->used);
}

void sw_writer_clear(struct sw_writer *writer)
{
    writer->used = 0;
}

bool sw_writer_flush(struct sw_writer *writer)
{
    if (writer->fd >= 0 && writer->error == 0)
        drain(writer);
    return writer->error == 0;
}

void sw_writer_release(struct sw_writer *writer)
{
    while (writer->next) {
        struct sw_writer *next = writer->next;
        writer->next = next->next;
        free(next->bytes);
        free(next);
    }
    free(writer->bytes);
    writer->bytes = NULL;
    writer->used = 0;
    writer->room = 0;
}
