/*
 * opener.h - a small process of its own that opens outputs for the one that looks at packets, which
 * cannot open anything.
 *
 * Invariants: it knows the paths from the command line and opens, makes and removes nothing else; a
 * request names a path by its index, a moment (for a template with % in it, see strftime(3)) and a
 * number that is put behind it. One more file it opens for reading. It never sees a packet, and
 * ends when its owner does. Life: start (before threads, before the sandbox), open and remove ...,
 * stop.
 */
#ifndef SW_LIVE_OPENER_H
#define SW_LIVE_OPENER_H

#include "live/child.h"

#include <stdbool.h>
#include <stdint.h>

enum { SW_OPENER_PATHS_MAX = SW_CHILD_PATHS_MAX };

struct sw_opener {
    struct sw_child child;
};

/* Which file of a path is meant. */
struct sw_opener_file {
    uint32_t path;          /* its index */
    uint32_t number;        /* put behind the name; 0: none */
    uint32_t digits;        /* with so many digits at least */
    bool inside;            /* the number stands before the last dot, behind a dash */
    int64_t time_s;         /* for the template; 0: the path is none */
    uint64_t device, inode; /* SW_OPENER_ANEW: of the file that the owner has open */
};

enum sw_opener_how {
    SW_OPENER_APPEND, /* go on behind what is there */
    SW_OPENER_FRESH,  /* a file of its own, for its owner only; one of that name is replaced */
    SW_OPENER_ANEW,   /* as FRESH, but EEXIST when the file there is the owner's */
    SW_OPENER_REMOVE,
    SW_OPENER_TRY,  /* could it be made? Nothing is */
    SW_OPENER_READ, /* the file to read; `file` says nothing */
};

/* What it may open. The paths are read in the child only. */
struct sw_opener_paths {
    const char *const *list;
    unsigned count;      /* at most SW_OPENER_PATHS_MAX */
    const char *to_read; /* or NULL */
};

/* Forks. False: errno says why. */
bool sw_opener_start(struct sw_opener *opener, const struct sw_opener_paths *paths, bool sandboxed);
/* A descriptor (0 for SW_OPENER_REMOVE and SW_OPENER_TRY), or -1 with errno. */
int sw_opener_ask(const struct sw_opener *opener, enum sw_opener_how how,
                  const struct sw_opener_file *file);
void sw_opener_stop(struct sw_opener *opener);
/* The path of a file, as the opener makes it. False: it is too long. */
bool sw_opener_path(const char *path, const struct sw_opener_file *file, char *out, size_t room);

#endif
