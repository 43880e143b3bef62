/*
 * child.h - a process of its own beside the one that looks at packets, for what that one may not
 * do once it is shut in.
 *
 * Invariants: it never sees a packet, and knows nothing but what stands in the owner's memory when
 * it is made. Both speak through one socket that keeps messages apart. It is shut in as well: no
 * capabilities, and of the file system only the directories that it needs. Life: start (before
 * threads, before the owner's sandbox), speak through fd, stop.
 */
#ifndef SW_LIVE_CHILD_H
#define SW_LIVE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

enum { SW_CHILD_PATHS_MAX = 64 };

struct sw_child {
    int fd; /* -1: not started */
    pid_t pid;
};

struct sw_child_work {
    /* Files that it makes, writes and removes, and those that it reads: what is beside them it
     * could, too. Read in the child only. */
    const char *const *paths;
    unsigned count; /* at most SW_CHILD_PATHS_MAX */
    const char *const *read_paths;
    unsigned read_count; /* the same */
    bool network;        /* it connects to others */
    bool sandboxed;
    bool outlives; /* its owner, to end what it has begun */
    void *ctx;
    /* With all rights still; false: it ends at once. May be NULL. */
    bool (*prepare)(void *ctx, int socket);
    /* Shut in; it ends when this returns. */
    void (*serve)(void *ctx, int socket);
};

/* Forks. False: errno says why. */
bool sw_child_start(struct sw_child *child, const struct sw_child_work *work);
/* Closes the socket and waits for its end. */
void sw_child_stop(struct sw_child *child);

#endif
