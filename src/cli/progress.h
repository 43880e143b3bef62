/*
 * progress.h - one line on standard error that says how far the reading is. Calls may come from any
 * thread.
 */
#ifndef SW_CLI_PROGRESS_H
#define SW_CLI_PROGRESS_H

#include "cli/options.h"

#include <pthread.h>
#include <time.h>

struct sw_progress {
    pthread_mutex_t lock;
    bool on;
    bool drawn;
    struct timespec last;
    unsigned files_done, files;
};

void sw_progress_init(struct sw_progress *progress, enum sw_when when, unsigned files);
/* So many bytes of a file are done; draws at most ten times a second. */
void sw_progress_show(struct sw_progress *progress, const char *path, uint64_t done_bytes,
                      uint64_t all_bytes);
void sw_progress_file_done(struct sw_progress *progress);
/* Takes the line away, so that something else can be written. */
void sw_progress_clear(struct sw_progress *progress);
void sw_progress_release(struct sw_progress *progress);

#endif
