/*
 * notify.h - words to the service manager (sd_notify(3)): ready, still alive, stopping.
 *
 * Invariants: the socket is connected when it is opened, so that no socket need be made later on,
 * when that is forbidden. Without a service manager every call does nothing.
 */
#ifndef SW_LIVE_NOTIFY_H
#define SW_LIVE_NOTIFY_H

#include <stdint.h>

struct sw_notify {
    int fd;              /* -1: nobody listens */
    int64_t watchdog_ns; /* how often it wants to hear from us, 0 = never */
    int64_t next_ns;     /* when, on the monotonic clock */
};

/* Reads NOTIFY_SOCKET and WATCHDOG_USEC of the environment. */
void sw_notify_open(struct sw_notify *notify);
/* Lines such as "READY=1\nSTATUS=...". */
void sw_notify_say(const struct sw_notify *notify, const char *lines);
/* Tells the watchdog that we are alive, when it is time. */
void sw_notify_alive(struct sw_notify *notify, int64_t monotonic_ns);
void sw_notify_close(struct sw_notify *notify);

#endif
