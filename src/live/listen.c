#include "live/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 64, HOST_BYTES = 64 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un path;
};

static bool fail(const char *address, const char *why, char *message, size_t room)
{
    (void)snprintf(message, room, "--http %.200s: %s", address, why);
    return false;
}

static bool read_port(const char *text, in_port_t *port)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || number < 1 || number > 65535)
        return false;
    *port = htons((uint16_t)number);
    return true;
}

/* The address and whether only this machine can reach it. */
static bool read_address(const char *text, union address *out, socklen_t *size, bool *local)
{
    char host[HOST_BYTES];
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    if (len == 0 || len >= sizeof(host))
        return false;
    bool six = text[0] == '[' && colon[-1] == ']';
    memcpy(host, text + six, len - 2 * six);
    host[len - 2 * six] = '\0';
    memset(out, 0, sizeof(*out));
    if (six) {
        out->v6.sin6_family = AF_INET6;
        *size = sizeof(out->v6);
        *local = strcmp(host, "::1") == 0;
        return inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1 &&
               read_port(colon + 1, &out->v6.sin6_port);
    }
    out->v4.sin_family = AF_INET;
    *size = sizeof(out->v4);
    if (inet_pton(AF_INET, host, &out->v4.sin_addr) != 1)
        return false;
    *local = ntohl(out->v4.sin_addr.s_addr) >> 24 == 127;
    return read_port(colon + 1, &out->v4.sin_port);
}

/* A socket that nobody listens on any more is left by a program that ended badly. */
static bool clear_stale(const union address *address, socklen_t size)
{
    struct stat stat;
    if (lstat(address->path.sun_path, &stat) != 0)
        return true;
    int fd = S_ISSOCK(stat.st_mode) ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    bool stale = fd >= 0 && connect(fd, &address->any, size) != 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        (void)close(fd);
    errno = EADDRINUSE;
    return stale && unlink(address->path.sun_path) == 0;
}

static bool read_path(const char *text, union address *out, socklen_t *size)
{
    if (strlen(text) >= sizeof(out->path.sun_path))
        return false;
    memset(out, 0, sizeof(*out));
    out->path.sun_family = AF_UNIX;
    memcpy(out->path.sun_path, text, strlen(text));
    *size = sizeof(out->path);
    return true;
}

bool sw_listen_open(struct sw_listen *listening, const char *address, char *message, size_t room)
{
    union address at;
    socklen_t size = 0;
    const int on = 1;
    *listening = (struct sw_listen){.fd = -1, .is_unix = strchr(address, '/') != NULL};
    listening->is_local = listening->is_unix;
    if (listening->is_unix ? !read_path(address, &at, &size)
                           : !read_address(address, &at, &size, &listening->is_local))
        return fail(address, "give 127.0.0.1:PORT, [::1]:PORT, ADDRESS:PORT, or a path with a /",
                    message, room);
    if (listening->is_unix && !clear_stale(&at, size))
        return fail(address, strerror(errno), message, room);
    int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
                bind(fd, &at.any, size) == 0 && listen(fd, BACKLOG) == 0;
    int error = errno;
    (void)umask(mask);
    if (!good && fd >= 0)
        (void)close(fd);
    listening->fd = good ? fd : -1;
    return good || fail(address, strerror(error), message, room);
}
