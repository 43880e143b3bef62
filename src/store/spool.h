/*
 * spool.h - rows on their way to a store: files in a directory, until they are acknowledged.
 *
 * A segment is a gzipped file of NDJSON. It is written under a name that ends in ".tmp", synced and
 * then renamed, so that a segment is whole or not there. Several programs may share a directory: a
 * file is locked by the one that writes or sends it, and a ".tmp" that nobody has locked was left
 * by a program that was ended.
 *
 * Life: open, (put ..., commit) or (list, take, give back) in any order, close.
 */
#ifndef SW_STORE_SPOOL_H
#define SW_STORE_SPOOL_H

#include "base/span.h"
#include "base/status.h"

#include <zlib.h>

enum { SW_SPOOL_NAME_BYTES = 64, SW_SPOOL_MONTHS = 64 };

struct sw_spool {
    char *path; /* of the directory, owned */
    int directory;
    uint64_t most_bytes;    /* of all files */
    uint64_t segment_bytes; /* of rows, before compression */
    uint64_t used_bytes;
    /* the segment that is being written */
    gzFile out; /* NULL: none */
    int fd;
    char name[SW_SPOOL_NAME_BYTES]; /* without an ending */
    uint64_t open_bytes;
    uint32_t months[SW_SPOOL_MONTHS]; /* that its rows are of */
    unsigned month_count;
    uint64_t prefix; /* names of this run begin with it */
    unsigned next;
    char error[400];
};

/* What of the spool has not been sent. */
struct sw_spool_list {
    char (*names)[SW_SPOOL_NAME_BYTES]; /* in the order in which they were written, owned */
    size_t count, room;
};

/* A segment that is being sent. */
struct sw_spool_segment {
    const char *name;
    int fd;
    uint64_t bytes;
};

enum sw_spool_taken {
    SW_SPOOL_TAKEN,
    SW_SPOOL_BUSY, /* another program is sending it */
    SW_SPOOL_GONE, /* another program has sent it */
};

enum sw_spool_room {
    SW_SPOOL_GOOD,
    SW_SPOOL_FULL,   /* nothing was written; the directory holds what it may */
    SW_SPOOL_FAILED, /* `error` says why */
};

/* Makes the directory when it is missing. `run` is the time of the run, larger than those before.
 */
bool sw_spool_open(struct sw_spool *spool, const char *path, uint64_t most_bytes, uint64_t run,
                   struct sw_status *status);
/* Adds a row (with its line end) that lies in this month; *full says that the segment is complete.
 */
enum sw_spool_room sw_spool_put(struct sw_spool *spool, struct sw_span row, uint32_t month,
                                bool *full);
/* Makes a segment of what was put: it is certain to be there then. */
bool sw_spool_commit(struct sw_spool *spool);
/* Throws away what was put and not committed. */
void sw_spool_abandon(struct sw_spool *spool);
/* What waits to be sent. False when the directory cannot be read. */
bool sw_spool_list(struct sw_spool *spool, struct sw_spool_list *list);
void sw_spool_list_release(struct sw_spool_list *list);
/* Opens a segment for sending; only when it is TAKEN has it to be given back. */
enum sw_spool_taken sw_spool_take(struct sw_spool *spool, const char *name,
                                  struct sw_spool_segment *segment);
/* Ends that: an acknowledged segment is removed. */
void sw_spool_give_back(struct sw_spool *spool, struct sw_spool_segment *segment,
                        bool acknowledged);
/* What was not committed is thrown away. */
void sw_spool_close(struct sw_spool *spool);

#endif
