#define _GNU_SOURCE /* fopencookie */
#include "capture/input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STDIO_BYTES = 256 * 1024 };

struct sw_input {
    int fd;
    bool own_fd;
    bool ended; /* a read gave nothing */
    int error;  /* errno of the read that failed */
    uint64_t size;
    uint64_t given;           /* to stdio, which reads ahead of its reader */
    FILE *stream;             /* its reader's, for its position */
    size_t seen_len, seen_at; /* looked at before the reading began, and how much of it was given */
    uint8_t seen[SW_INPUT_PEEK_MAX_BYTES];
    char stdio[STDIO_BYTES];
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

struct sw_status sw_input_open(const char *path, const char *name, struct sw_input **out)
{
    *out = NULL;
    struct sw_input *input = malloc(sizeof(*input));
    if (!input)
        return sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", name);
    /* Member by member: the buffers need not be cleared. */
    bool standard = strcmp(path, "-") == 0;
    input->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    input->own_fd = !standard;
    input->ended = false;
    input->error = 0;
    input->given = 0;
    input->stream = NULL;
    input->seen_len = 0;
    input->seen_at = 0;
    struct stat info;
    if (input->fd < 0 || fstat(input->fd, &info) != 0) {
        int error = errno;
        sw_input_close(input);
        return sw_status_make(SW_UNREADABLE, 0, "%s: %s%s", name, strerror(error), advice(error));
    }
    if (S_ISDIR(info.st_mode)) {
        sw_input_close(input);
        return sw_status_make(SW_UNREADABLE, 0, "%s: is a directory; name the capture files in it",
                              name);
    }
    input->size = S_ISREG(info.st_mode) && info.st_size > 0 ? (uint64_t)info.st_size : 0;
    *out = input;
    return sw_status_ok();
}

void sw_input_close(struct sw_input *input)
{
    if (!input)
        return;
    if (input->own_fd && input->fd >= 0)
        (void)close(input->fd);
    free(input);
}

/* One read; 0 at the end of the input and on an error. */
static size_t read_some(struct sw_input *input, void *out, size_t room)
{
    if (input->ended || room == 0)
        return 0;
    ssize_t got;
    do {
        got = read(input->fd, out, room);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        input->error = errno;
    input->ended = got <= 0;
    return got > 0 ? (size_t)got : 0;
}

struct sw_span sw_input_peek(struct sw_input *input, size_t n)
{
    assert(!input->stream); /* looking comes before reading */
    while (input->seen_len < n) {
        size_t got =
            read_some(input, input->seen + input->seen_len, sizeof(input->seen) - input->seen_len);
        if (got == 0)
            break;
        input->seen_len += got;
    }
    return sw_span_make(input->seen, n < input->seen_len ? n : input->seen_len);
}

/* What was looked at comes first, then the input itself, straight into stdio's buffer. */
static ssize_t cookie_read(void *cookie, char *out, size_t room)
{
    struct sw_input *input = cookie;
    size_t seen = input->seen_len - input->seen_at;
    size_t n = seen < room ? seen : room;
    if (seen > 0) {
        memcpy(out, input->seen + input->seen_at, n);
        input->seen_at += n;
    } else {
        n = read_some(input, out, room);
        if (n == 0 && input->error != 0) {
            errno = input->error;
            return -1;
        }
    }
    input->given += n;
    return (ssize_t)n;
}

/* Only tells where it is, which is all that ftello() asks. */
static int cookie_seek(void *cookie, off64_t *offset, int whence)
{
    const struct sw_input *input = cookie;
    if (whence != SEEK_CUR || *offset != 0)
        return -1;
    *offset = (off64_t)input->given;
    return 0;
}

FILE *sw_input_stream(struct sw_input *input)
{
    const cookie_io_functions_t functions = {.read = cookie_read, .seek = cookie_seek};
    FILE *stream = fopencookie(input, "rb", functions);
    if (stream)
        (void)setvbuf(stream, input->stdio, _IOFBF, sizeof(input->stdio));
    input->stream = stream;
    return stream;
}

uint64_t sw_input_offset(const struct sw_input *input)
{
    off_t at = input->stream ? ftello(input->stream) : 0;
    return at > 0 ? (uint64_t)at : 0;
}

bool sw_input_at_end(const struct sw_input *input)
{
    return input->ended && input->error == 0 && sw_input_offset(input) == input->given;
}

int sw_input_error(const struct sw_input *input)
{
    return input->error;
}

uint64_t sw_input_size(const struct sw_input *input)
{
    return input->size;
}
