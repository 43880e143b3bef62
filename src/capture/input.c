#include "capture/input.h"

#include "base/wipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_BYTES = 128 * 1024,     /* at once; fits the second-level cache of most machines */
    RAW_BYTES = 128 * 1024,      /* of compressed data at once */
    RATIO_FREE_BYTES = 16 << 20, /* a small file may grow to this, whatever its ratio */
};
_Static_assert((int)RAW_BYTES <= (int)READ_BYTES,
               "begin_unpacking() fills the buffer with raw bytes");

/* Compressed data on its way. */
struct sw_raw {
    struct sw_span left;
    bool ended;
    uint8_t bytes[RAW_BYTES];
};

static const char *advice(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return "; run as a user who may read it, or change its permissions";
    case ENOENT:
        return "; check the name and the current directory";
    default:
        return "";
    }
}

/* One read; 0 at the end of the input and on an error. */
static size_t read_some(struct sw_input *input, uint8_t *out, size_t room)
{
    ssize_t got;
    do {
        got = read(input->fd, out, room);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        input->error = errno;
    input->raw_bytes += got > 0 ? (uint64_t)got : 0;
    return got > 0 ? (size_t)got : 0;
}

static void end_here(struct sw_input *input, enum sw_input_end why)
{
    input->ended = true;
    input->why = input->error != 0 ? SW_INPUT_FAILED : why;
}

/* A bomb unpacks into far more than captures do. */
static bool over_a_limit(struct sw_input *input)
{
    uint64_t unpacked = input->base + (uint64_t)(input->end - input->buffer);
    uint64_t packed = input->raw_bytes - input->raw->left.len;
    const struct sw_unpack_limits *limits = &input->limits;
    if (limits->bytes > 0 && unpacked > limits->bytes)
        end_here(input, SW_INPUT_LIMIT_SIZE);
    else if (limits->ratio > 0 && unpacked > RATIO_FREE_BYTES && unpacked / limits->ratio > packed)
        end_here(input, SW_INPUT_LIMIT_RATIO);
    return input->ended;
}

static size_t unpack_some(struct sw_input *input, uint8_t *out, size_t room)
{
    struct sw_raw *raw = input->raw;
    if (over_a_limit(input))
        return 0;
    for (;;) {
        if (raw->left.len == 0 && !raw->ended) {
            size_t got = read_some(input, raw->bytes, sizeof(raw->bytes));
            raw->left = sw_span_make(raw->bytes, got);
            raw->ended = got == 0;
        }
        size_t wrote = sw_unpack_some(input->unpack, &raw->left, out, room);
        if (wrote > 0)
            return wrote;
        if (sw_unpack_is_too_large(input->unpack))
            end_here(input, SW_INPUT_LIMIT_MEMORY);
        else if (sw_unpack_is_broken(input->unpack))
            end_here(input, SW_INPUT_BROKEN);
        else if (raw->ended)
            end_here(input, sw_unpack_is_whole(input->unpack) ? SW_INPUT_WHOLE : SW_INPUT_CUT);
        if (input->ended)
            return 0;
    }
}

/* Moves what is unread to the front and makes room for n bytes in all. */
static bool make_room(struct sw_input *input, size_t n)
{
    size_t left = sw_input_left(input);
    uint64_t offset = sw_input_offset(input);
    size_t room = input->room;
    while (room < n)
        room *= 2;
    uint8_t *buffer = input->buffer;
    if (room > input->room) {
        buffer = malloc(room);
        if (!buffer)
            return false;
        memcpy(buffer, input->at, left);
        sw_wipe_free(input->buffer, input->used_bytes);
        input->used_bytes = left;
    } else if (left > 0) {
        memmove(buffer, input->at, left);
    }
    input->buffer = buffer;
    input->room = room;
    input->at = buffer;
    input->end = buffer + left;
    input->base = offset;
    return true;
}

bool sw_input_fill(struct sw_input *input, size_t n)
{
    if (input->ended)
        return sw_input_left(input) >= n;
    if (!make_room(input, n)) {
        end_here(input, SW_INPUT_NO_MEMORY);
        return false;
    }
    uint8_t *to = input->buffer + sw_input_left(input);
    while (sw_input_left(input) < n && !input->ended) {
        size_t room = input->room - sw_input_left(input);
        size_t got = input->unpack ? unpack_some(input, to, room) : read_some(input, to, room);
        if (got == 0 && !input->ended)
            end_here(input, SW_INPUT_WHOLE);
        to += got;
        input->end = to;
        if ((size_t)(to - input->buffer) > input->used_bytes)
            input->used_bytes = (size_t)(to - input->buffer);
    }
    return sw_input_left(input) >= n;
}

bool sw_input_skip(struct sw_input *input, uint64_t n)
{
    while (n > 0) {
        if (!sw_input_has(input, 1))
            return false;
        size_t left = sw_input_left(input);
        size_t step = n < left ? (size_t)n : left;
        input->at += step;
        n -= step;
    }
    return true;
}

/* A compressed file is told by its first bytes, also on standard input. */
static struct sw_status begin_unpacking(struct sw_input *input, const char *name)
{
    bool no_memory = false;
    input->room = RAW_BYTES; /* so that all of it fits there if it is compressed */
    struct sw_span first = sw_input_peek(input, SW_UNPACK_MAGIC_BYTES);
    input->room = READ_BYTES;
    input->unpack = sw_unpack_for(first, &input->limits, &no_memory);
    if (input->unpack)
        input->raw = malloc(sizeof(*input->raw));
    if (no_memory || (input->unpack && !input->raw))
        return sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", name);
    if (!input->unpack)
        return sw_status_ok();
    /* What was read so far is compressed data; the window begins anew, unpacked. */
    size_t seen = sw_input_left(input);
    memcpy(input->raw->bytes, input->at, seen);
    input->raw->left = sw_span_make(input->raw->bytes, seen);
    input->raw->ended = input->ended;
    input->ended = false;
    input->at = input->end = input->buffer;
    input->base = 0;
    return sw_status_ok();
}

static struct sw_status begin(struct sw_input *input, const char *name)
{
    struct stat info;
    if (input->fd < 0 || fstat(input->fd, &info) != 0)
        return sw_status_make(SW_UNREADABLE, 0, "%s: %s%s", name, strerror(errno), advice(errno));
    if (S_ISDIR(info.st_mode))
        return sw_status_make(SW_UNREADABLE, 0, "%s: is a directory; name the capture files in it",
                              name);
    input->size = S_ISREG(info.st_mode) && info.st_size > 0 ? (uint64_t)info.st_size : 0;
    (void)posix_fadvise(input->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* only a hint */
    return begin_unpacking(input, name);
}

struct sw_status sw_input_open(const char *path, const char *name,
                               const struct sw_unpack_limits *limits, struct sw_input **out)
{
    *out = NULL;
    struct sw_input *input = calloc(1, sizeof(*input));
    if (!input)
        return sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", name);
    input->limits = *limits;
    input->room = READ_BYTES;
    input->buffer = malloc(input->room);
    input->at = input->end = input->buffer;
    bool standard = strcmp(path, "-") == 0;
    input->own_fd = !standard;
    input->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct sw_status status = input->buffer
                                  ? begin(input, name)
                                  : sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", name);
    if (status.code != SW_OK)
        sw_input_close(input);
    else
        *out = input;
    return status;
}

uint64_t sw_input_done(const struct sw_input *input)
{
    return input->unpack ? input->raw_bytes - input->raw->left.len : sw_input_offset(input);
}

const char *sw_input_packing(const struct sw_input *input)
{
    return input->unpack ? sw_unpack_name(input->unpack) : NULL;
}

void sw_input_close(struct sw_input *input)
{
    if (!input)
        return;
    if (input->own_fd && input->fd >= 0)
        (void)close(input->fd);
    sw_unpack_free(input->unpack);
    sw_wipe_free(input->raw, sizeof(*input->raw));
    sw_wipe_free(input->buffer, input->used_bytes);
    free(input);
}
