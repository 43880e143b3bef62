#include "live/recording.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void sw_recording_init(struct sw_recording *recording, const struct sw_recording_names *names,
                       const struct sw_opener *opener)
{
    memset(recording, 0, sizeof(*recording));
    recording->names = *names;
    recording->opener = opener;
    recording->fd = recording->next_fd = -1;
}

static uint32_t digits_of(uint32_t number)
{
    uint32_t digits = 1;
    for (; number >= 10; number /= 10)
        digits++;
    return digits;
}

/* The name of the next file. */
static struct sw_opener_file next_file(const struct sw_recording *r, int64_t time_ns)
{
    const struct sw_recording_names *n = &r->names;
    struct sw_opener_file file = {.path = n->path};
    if (n->by_time) {
        file.time_s = time_ns / 1000000000;
        const struct sw_opener_file *last =
            r->begun > 0 ? &r->kept[(r->begun - 1) % SW_RECORDING_FILES_MAX] : NULL;
        if (n->by_size && last && last->time_s == file.time_s)
            file.number = last->number + 1;
        return file;
    }
    if (n->by_size && n->files > 0) {
        file.number = (uint32_t)(r->begun % n->files);
        file.digits = digits_of(n->files - 1);
        return file;
    }
    file.number = (uint32_t)r->begun;
    return file;
}

static bool fail(struct sw_recording *recording)
{
    if (recording->error == 0)
        recording->error = errno;
    return false;
}

static bool close_file(struct sw_recording *recording)
{
    int fd = recording->fd;
    recording->fd = -1;
    return fd < 0 || close(fd) == 0 || fail(recording);
}

bool sw_recording_open(struct sw_recording *recording, const struct sw_opener_file *file)
{
    recording->fd = sw_opener_ask(recording->opener, SW_OPENER_FRESH, file);
    return recording->fd >= 0 || fail(recording);
}

bool sw_recording_begin(void *ctx, int64_t time_ns)
{
    struct sw_recording *r = ctx;
    if (!close_file(r))
        return false;
    if (r->next_fd >= 0) {
        r->fd = r->next_fd;
        r->next_fd = -1;
        return true;
    }
    const uint32_t files = r->names.files;
    if (r->names.by_time && files > 0 && r->begun >= files) /* the oldest makes room */
        (void)sw_opener_ask(r->opener, SW_OPENER_REMOVE,
                            &r->kept[(r->begun - files) % SW_RECORDING_FILES_MAX]);
    struct sw_opener_file file = next_file(r, time_ns);
    r->kept[r->begun % SW_RECORDING_FILES_MAX] = file;
    r->begun++;
    return sw_recording_open(r, &file);
}

bool sw_recording_try(const struct sw_recording *r, int64_t time_ns)
{
    const struct sw_opener_file file = next_file(r, time_ns);
    return sw_opener_ask(r->opener, SW_OPENER_TRY, &file) >= 0;
}

bool sw_recording_renew(struct sw_recording *r)
{
    struct stat facts;
    if (r->fd < 0 || r->begun == 0 || fstat(r->fd, &facts) != 0)
        return false;
    struct sw_opener_file file = r->kept[(r->begun - 1) % SW_RECORDING_FILES_MAX];
    file.device = facts.st_dev;
    file.inode = facts.st_ino;
    r->next_fd = sw_opener_ask(r->opener, SW_OPENER_ANEW, &file);
    return r->next_fd >= 0;
}

bool sw_recording_write(void *ctx, const void *bytes, size_t size)
{
    struct sw_recording *recording = ctx;
    const char *at = bytes;
    while (size > 0) {
        ssize_t n = write(recording->fd, at, size);
        if (n < 0 && errno != EINTR)
            return fail(recording);
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

bool sw_recording_close(struct sw_recording *recording)
{
    (void)close_file(recording);
    return recording->error == 0;
}
