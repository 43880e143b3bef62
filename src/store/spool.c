#include "store/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDING ".ndjson.gz"
#define OPEN_ENDING ".tmp"

enum {
    SEGMENT_LEAST = 64 << 10,
    SEGMENT_MOST = 16 << 20,
    SEGMENTS_TO_CAP = 64,
    NAMES_MOST = 1 << 20,
};

static bool fail(struct sw_spool *spool, const char *what)
{
    (void)snprintf(spool->error, sizeof(spool->error), "%s: %s: %s", spool->path, what,
                   strerror(errno));
    return false;
}

/* The directory and those above it. */
static bool make_directories(char *path)
{
    for (char *at = path + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        bool good = mkdir(path, 0700) == 0 || errno == EEXIST;
        *at = '/';
        if (!good)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name);
    size_t tail = strlen(ending);
    return length > tail && strcmp(name + length - tail, ending) == 0;
}

static bool is_segment(const char *name)
{
    return ends_with(name, ENDING) && strlen(name) < SW_SPOOL_NAME_BYTES;
}

/* Opens and locks. */
static enum sw_spool_taken lock_file(struct sw_spool *spool, const char *name, int *fd,
                                     struct stat *facts)
{
    enum sw_spool_taken taken = SW_SPOOL_BUSY;
    *fd = openat(spool->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*fd < 0)
        return errno == ENOENT ? SW_SPOOL_GONE : SW_SPOOL_BUSY;
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0 && fstat(*fd, facts) == 0)
        taken = facts->st_nlink > 0 ? SW_SPOOL_TAKEN : SW_SPOOL_GONE;
    if (taken != SW_SPOOL_TAKEN)
        (void)close(*fd);
    return taken;
}

static void remove_unfinished(struct sw_spool *spool, const char *name)
{
    struct stat facts;
    int fd = -1;
    if (lock_file(spool, name, &fd, &facts) != SW_SPOOL_TAKEN)
        return;
    (void)unlinkat(spool->directory, name, 0);
    (void)close(fd);
}

/* Looks at every file; `see` may be NULL. Counts anew what the directory holds. */
static bool walk(struct sw_spool *spool, bool (*see)(void *ctx, const char *name), void *ctx)
{
    int again = openat(spool->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = again >= 0 ? fdopendir(again) : NULL;
    struct dirent *entry;
    bool good = true;
    if (!directory) {
        if (again >= 0)
            (void)close(again);
        return fail(spool, "cannot be read");
    }
    spool->used_bytes = 0;
    while (good && (entry = readdir(directory))) {
        struct stat facts;
        if (!is_segment(entry->d_name))
            continue;
        if (fstatat(spool->directory, entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0)
            spool->used_bytes += (uint64_t)facts.st_size;
        good = !see || see(ctx, entry->d_name);
    }
    (void)closedir(directory);
    return good;
}

static void clean_up(struct sw_spool *spool)
{
    int again = openat(spool->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = again >= 0 ? fdopendir(again) : NULL;
    struct dirent *entry;
    while (directory && (entry = readdir(directory))) {
        if (ends_with(entry->d_name, ENDING OPEN_ENDING))
            remove_unfinished(spool, entry->d_name);
    }
    if (directory)
        (void)closedir(directory);
    else if (again >= 0)
        (void)close(again);
}

bool sw_spool_open(struct sw_spool *spool, const char *path, uint64_t most_bytes, uint64_t run,
                   struct sw_status *status)
{
    uint64_t segment = most_bytes / SEGMENTS_TO_CAP;
    *spool = (struct sw_spool){.path = strdup(path),
                               .directory = -1,
                               .fd = -1,
                               .most_bytes = most_bytes,
                               .segment_bytes = segment < SEGMENT_LEAST  ? SEGMENT_LEAST
                                                : segment > SEGMENT_MOST ? SEGMENT_MOST
                                                                         : segment,
                               .prefix = run};
    *status = sw_status_ok();
    if (spool->path && make_directories(spool->path))
        spool->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->directory < 0 || !walk(spool, NULL, NULL)) {
        *status = sw_status_make(SW_UNREADABLE, 0, "the spool %s cannot be used: %s", path,
                                 strerror(errno));
        sw_spool_close(spool);
        return false;
    }
    clean_up(spool);
    return true;
}

/* A file of our own that nobody else takes for one that was left behind. */
static bool begin(struct sw_spool *spool)
{
    char open_name[SW_SPOOL_NAME_BYTES + 8];
    for (int tries = 0; tries < 100; tries++) {
        struct stat facts;
        (void)snprintf(spool->name, sizeof(spool->name), "%016" PRIx64 "-%08lx-%06u" ENDING,
                       spool->prefix, (unsigned long)getpid(), spool->next++);
        (void)snprintf(open_name, sizeof(open_name), "%s" OPEN_ENDING, spool->name);
        int fd = openat(spool->directory, open_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
            return fail(spool, open_name);
        bool ours = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &facts) == 0 &&
                    facts.st_nlink > 0;
        int second = ours ? dup(fd) : -1; /* gzclose() closes one, the other is synced then */
        spool->out = second >= 0 ? gzdopen(second, "wb1") : NULL;
        if (spool->out) {
            spool->fd = fd;
            spool->open_bytes = 0;
            spool->month_count = 0;
            return true;
        }
        if (second >= 0)
            (void)close(second);
        if (fd >= 0)
            (void)close(fd);
    }
    return fail(spool, "no file can be made");
}

/* A row of another month than those that are there may make one partition too many of a segment. */
static bool has_room_for(const struct sw_spool *spool, uint32_t month)
{
    for (unsigned i = 0; i < spool->month_count; i++) {
        if (spool->months[i] == month)
            return true;
    }
    return spool->month_count < SW_SPOOL_MONTHS;
}

static void note_month(struct sw_spool *spool, uint32_t month)
{
    for (unsigned i = 0; i < spool->month_count; i++) {
        if (spool->months[i] == month)
            return;
    }
    spool->months[spool->month_count++] = month;
}

enum sw_spool_room sw_spool_put(struct sw_spool *spool, struct sw_span row, uint32_t month,
                                bool *full)
{
    *full = false;
    if (spool->out && !has_room_for(spool, month) && !sw_spool_commit(spool))
        return SW_SPOOL_FAILED;
    if (!spool->out) {
        /* a tenth of it is what is usual */
        uint64_t compressed = spool->segment_bytes / 4;
        if (spool->used_bytes + compressed > spool->most_bytes && walk(spool, NULL, NULL) &&
            spool->used_bytes + compressed > spool->most_bytes)
            return SW_SPOOL_FULL;
        if (!begin(spool))
            return SW_SPOOL_FAILED;
    }
    note_month(spool, month);
    if (gzwrite(spool->out, row.ptr, (unsigned)row.len) != (int)row.len) {
        (void)fail(spool, "cannot be written");
        return SW_SPOOL_FAILED;
    }
    spool->open_bytes += row.len;
    *full = spool->open_bytes >= spool->segment_bytes;
    return SW_SPOOL_GOOD;
}

bool sw_spool_commit(struct sw_spool *spool)
{
    char open_name[SW_SPOOL_NAME_BYTES + 8];
    struct stat facts;
    if (!spool->out)
        return true;
    (void)snprintf(open_name, sizeof(open_name), "%s" OPEN_ENDING, spool->name);
    errno = EIO;
    bool good = gzclose(spool->out) == Z_OK && fsync(spool->fd) == 0 &&
                fstat(spool->fd, &facts) == 0 &&
                renameat(spool->directory, open_name, spool->directory, spool->name) == 0 &&
                fsync(spool->directory) == 0;
    if (good)
        spool->used_bytes += (uint64_t)facts.st_size;
    else
        (void)fail(spool, "cannot be written");
    if (!good)
        (void)unlinkat(spool->directory, open_name, 0);
    (void)close(spool->fd);
    spool->out = NULL;
    spool->fd = -1;
    return good;
}

void sw_spool_abandon(struct sw_spool *spool)
{
    char open_name[SW_SPOOL_NAME_BYTES + 8];
    if (!spool->out)
        return;
    (void)snprintf(open_name, sizeof(open_name), "%s" OPEN_ENDING, spool->name);
    (void)gzclose(spool->out);
    (void)unlinkat(spool->directory, open_name, 0);
    (void)close(spool->fd);
    spool->out = NULL;
    spool->fd = -1;
}

static bool keep_name(void *ctx, const char *name)
{
    struct sw_spool_list *list = ctx;
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        void *names = room <= NAMES_MOST ? realloc(list->names, room * sizeof(*list->names)) : NULL;
        if (!names) /* the rest comes with the next list */
            return false;
        list->names = names;
        list->room = room;
    }
    (void)snprintf(list->names[list->count++], SW_SPOOL_NAME_BYTES, "%s", name);
    return true;
}

static int order_of_names(const void *left, const void *right)
{
    return strcmp(left, right);
}

bool sw_spool_list(struct sw_spool *spool, struct sw_spool_list *list)
{
    *list = (struct sw_spool_list){.count = 0};
    if (!walk(spool, keep_name, list) && list->count == 0)
        return false;
    if (list->count > 0)
        qsort(list->names, list->count, sizeof(*list->names), order_of_names);
    return true;
}

void sw_spool_list_release(struct sw_spool_list *list)
{
    free(list->names);
    *list = (struct sw_spool_list){.count = 0};
}

enum sw_spool_taken sw_spool_take(struct sw_spool *spool, const char *name,
                                  struct sw_spool_segment *segment)
{
    struct stat facts;
    int fd = -1;
    enum sw_spool_taken taken = lock_file(spool, name, &fd, &facts);
    if (taken == SW_SPOOL_TAKEN)
        *segment =
            (struct sw_spool_segment){.name = name, .fd = fd, .bytes = (uint64_t)facts.st_size};
    return taken;
}

void sw_spool_give_back(struct sw_spool *spool, struct sw_spool_segment *segment, bool acknowledged)
{
    if (acknowledged && unlinkat(spool->directory, segment->name, 0) == 0)
        spool->used_bytes -=
            segment->bytes < spool->used_bytes ? segment->bytes : spool->used_bytes;
    (void)close(segment->fd);
    segment->fd = -1;
}

void sw_spool_close(struct sw_spool *spool)
{
    sw_spool_abandon(spool);
    if (spool->directory >= 0)
        (void)close(spool->directory);
    free(spool->path);
    spool->path = NULL;
    spool->directory = -1;
}
