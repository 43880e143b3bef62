#include "live/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* libsystemd's sd_notify() makes a new socket for every word, which a process that has shut itself
 * in cannot; the protocol is documented in sd_notify(3) to be spoken without it. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || len >= sizeof(address.sun_path))
        return -1;
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') /* a name outside the file system */
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, size) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

void sw_notify_open(struct sw_notify *notify)
{
    const char *path = getenv("NOTIFY_SOCKET");
    const char *every = getenv("WATCHDOG_USEC");
    *notify = (struct sw_notify){.fd = path ? connect_to(path) : -1};
    long long every_us = every ? strtoll(every, NULL, 10) : 0;
    if (every_us > 0)
        notify->watchdog_ns = every_us * 1000 / 2;
}

void sw_notify_say(const struct sw_notify *notify, const char *lines)
{
    if (notify->fd >= 0) /* when nobody takes it there is nobody to tell, either */
        (void)!send(notify->fd, lines, strlen(lines), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void sw_notify_alive(struct sw_notify *notify, int64_t monotonic_ns)
{
    if (notify->watchdog_ns == 0 || monotonic_ns < notify->next_ns)
        return;
    notify->next_ns = monotonic_ns + notify->watchdog_ns;
    sw_notify_say(notify, "WATCHDOG=1");
}

void sw_notify_close(struct sw_notify *notify)
{
    if (notify->fd >= 0)
        (void)close(notify->fd);
    notify->fd = -1;
}
