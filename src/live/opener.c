#include "live/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

struct request {
    uint32_t how; /* enum sw_opener_how */
    struct sw_opener_file file;
};

/* Room for one descriptor beside a message. */
union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
};

/* Local time, as tcpdump -G has it. strftime's format comes from the command line. */
static bool expand(const char *path, time_t moment, char *out, size_t room)
{
    struct tm parts;
    if (moment == 0 || !strchr(path, '%'))
        return (size_t)snprintf(out, room, "%s", path) < room;
    if (!localtime_r(&moment, &parts))
        return false;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return strftime(out, room, path, &parts) > 0;
#pragma GCC diagnostic pop
}

bool sw_opener_path(const char *path, const struct sw_opener_file *file, char *out, size_t room)
{
    if (!expand(path, (time_t)file->time_s, out, room))
        return false;
    if (file->number == 0 && file->digits == 0)
        return true;
    char end[16] = "";
    const char *dot = file->inside ? strrchr(out, '.') : NULL;
    if (dot)
        (void)snprintf(end, sizeof(end), "%s", dot);
    size_t used = strlen(out) - strlen(end);
    return (size_t)snprintf(out + used, room - used, "%s%0*u%s", file->inside ? "-" : "",
                            (int)(file->digits % 10), file->number, end) < room - used;
}

/* --- the child --- */

/* A file that is there may have readers or rights of its own: it is not written into. */
static int open_fresh(const char *path)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return -1;
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static bool is_there(const char *path, const struct sw_opener_file *file)
{
    struct stat facts;
    return lstat(path, &facts) == 0 && facts.st_dev == file->device && facts.st_ino == file->inode;
}

/* What is wrong with the directory, or with the name in it. */
static int try_to_make(char *path)
{
    struct stat facts;
    if (stat(path, &facts) == 0 && S_ISDIR(facts.st_mode)) {
        errno = EISDIR;
        return -1;
    }
    char *slash = strrchr(path, '/');
    const char *directory = !slash ? "." : slash == path ? "/" : path;
    if (slash && slash != path)
        *slash = '\0';
    return faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS);
}

static int act(const struct sw_opener_paths *paths, const struct request *request)
{
    char path[PATH_BYTES];
    if (request->how == SW_OPENER_READ && paths->to_read) /* a pipe is not waited for */
        return open(paths->to_read, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (request->file.path >= paths->count ||
        !sw_opener_path(paths->list[request->file.path], &request->file, path, sizeof(path))) {
        errno = EINVAL;
        return -1;
    }
    switch (request->how) {
    case SW_OPENER_APPEND:
        return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    case SW_OPENER_ANEW:
        if (!is_there(path, &request->file))
            return open_fresh(path);
        errno = EEXIST;
        return -1;
    case SW_OPENER_FRESH:
        return open_fresh(path);
    case SW_OPENER_REMOVE:
        return unlink(path);
    case SW_OPENER_TRY:
        return try_to_make(path);
    default:
        errno = EINVAL;
        return -1;
    }
}

static void answer(int socket, int32_t error, int fd)
{
    struct iovec piece = {&error, sizeof(error)};
    union control control = {0};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(head), &fd, sizeof(fd));
    }
    (void)!sendmsg(socket, &message, MSG_NOSIGNAL);
}

static void serve(void *ctx, int socket)
{
    const struct sw_opener_paths *paths = ctx;
    struct request request;
    while (recv(socket, &request, sizeof(request), 0) == (ssize_t)sizeof(request)) {
        int fd = act(paths, &request);
        bool gives = fd >= 0 && request.how != SW_OPENER_REMOVE && request.how != SW_OPENER_TRY;
        answer(socket, fd < 0 ? errno : 0, gives ? fd : -1);
        if (gives)
            (void)close(fd);
    }
}

/* --- the owner --- */

bool sw_opener_start(struct sw_opener *opener, const struct sw_opener_paths *paths, bool sandboxed)
{
    struct sw_opener_paths known = *paths;
    char *behind = paths->to_read ? realpath(paths->to_read, NULL) : NULL;
    const char *const read[] = {paths->to_read, behind}; /* it may be a link */
    const struct sw_child_work work = {.paths = paths->list,
                                       .count = paths->count,
                                       .read_paths = read,
                                       .read_count = !paths->to_read ? 0
                                                     : behind        ? 2
                                                                     : 1,
                                       .sandboxed = sandboxed,
                                       .ctx = &known,
                                       .serve = serve};
    bool good = sw_child_start(&opener->child, &work);
    free(behind);
    return good;
}

int sw_opener_ask(const struct sw_opener *opener, enum sw_opener_how how,
                  const struct sw_opener_file *file)
{
    const struct request request = {(uint32_t)how, *file};
    int32_t error = EPIPE;
    struct iovec piece = {&error, sizeof(error)};
    union control control = {0};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    if (send(opener->child.fd, &request, sizeof(request), MSG_NOSIGNAL) !=
            (ssize_t)sizeof(request) ||
        recvmsg(opener->child.fd, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(error) ||
        error != 0) {
        errno = error;
        return -1;
    }
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    int fd = 0;
    if (head && head->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(head), sizeof(fd));
    else if (how != SW_OPENER_REMOVE && how != SW_OPENER_TRY)
        fd = -1;
    return fd;
}

void sw_opener_stop(struct sw_opener *opener)
{
    sw_child_stop(&opener->child);
}
