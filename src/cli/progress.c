#include "cli/progress.h"

#include "cli/complain.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR_COLUMNS = 30, NAME_COLUMNS = 30, NAME_BYTES = 4 * NAME_COLUMNS + 1 };
static const int64_t every_ns = 100 * 1000 * 1000;

void sw_progress_init(struct sw_progress *progress, enum sw_when when, unsigned files)
{
    *progress = (struct sw_progress){.files = files};
    (void)pthread_mutex_init(&progress->lock, NULL);
    progress->on = when == SW_WHEN_ALWAYS || (when == SW_WHEN_AUTO && isatty(STDERR_FILENO));
}

void sw_progress_release(struct sw_progress *progress)
{
    sw_progress_clear(progress);
    (void)pthread_mutex_destroy(&progress->lock);
}

static bool is_due(struct sw_progress *progress)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t passed_ns = (int64_t)(now.tv_sec - progress->last.tv_sec) * 1000000000 +
                        (now.tv_nsec - progress->last.tv_nsec);
    if (progress->drawn && passed_ns < every_ns)
        return false;
    progress->last = now;
    return true;
}

/* The end of a path is what tells files apart; safe to show. */
static const char *tail_of(const char *path, char out[NAME_BYTES])
{
    size_t len = strlen(path);
    sw_complain_escape(len > NAME_COLUMNS ? path + (len - NAME_COLUMNS) : path, out, NAME_BYTES);
    return out;
}

static void draw(struct sw_progress *progress, const char *path, uint64_t done, uint64_t all)
{
    char bar[BAR_COLUMNS + 1];
    char name[NAME_BYTES];
    if (all == 0) {
        (void)fprintf(stderr, "\r\033[Ksmtpwhy: %s  %llu MB", tail_of(path, name),
                      (unsigned long long)(done / 1000000));
        return;
    }
    double part = done < all ? (double)done / (double)all : 1.0;
    unsigned full = (unsigned)(part * BAR_COLUMNS);
    for (unsigned i = 0; i < BAR_COLUMNS; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR_COLUMNS] = '\0';
    (void)fprintf(stderr, "\r\033[Ksmtpwhy: %s  %s %3u %%", tail_of(path, name), bar,
                  (unsigned)(part * 100.0));
    if (progress->files > 1)
        (void)fprintf(stderr, "  file %u of %u", progress->files_done + 1, progress->files);
}

void sw_progress_show(struct sw_progress *progress, const char *path, uint64_t done_bytes,
                      uint64_t all_bytes)
{
    if (!progress->on)
        return;
    (void)pthread_mutex_lock(&progress->lock);
    if (is_due(progress)) {
        draw(progress, path, done_bytes, all_bytes);
        (void)fflush(stderr);
        progress->drawn = true;
    }
    (void)pthread_mutex_unlock(&progress->lock);
}

void sw_progress_file_done(struct sw_progress *progress)
{
    (void)pthread_mutex_lock(&progress->lock);
    if (progress->files_done + 1 < progress->files)
        progress->files_done++;
    (void)pthread_mutex_unlock(&progress->lock);
}

void sw_progress_clear(struct sw_progress *progress)
{
    if (!progress->on) /* nothing is ever drawn */
        return;
    (void)pthread_mutex_lock(&progress->lock);
    if (progress->drawn)
        (void)fputs("\r\033[K", stderr);
    progress->drawn = false;
    (void)pthread_mutex_unlock(&progress->lock);
}
