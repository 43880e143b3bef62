/*
 * listen.h - a listening socket by its address: ADDRESS:PORT, [ADDRESS]:PORT, or the path of a Unix
 * socket.
 */
#ifndef SW_LIVE_LISTEN_H
#define SW_LIVE_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

struct sw_listen {
    int fd;
    bool is_unix;  /* for the owner of the socket only */
    bool is_local; /* a Unix socket, or loopback */
};

/* False: message says why. No name is looked up. */
bool sw_listen_open(struct sw_listen *listen, const char *address, char *message, size_t room);

#endif
