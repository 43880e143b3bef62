/*
 * left_behind.c - loaded into the program (LD_PRELOAD) to see what it leaves in its memory: when
 * the program is done, every writable mapping is written to the file SW_DUMP, page by page, zero
 * pages left out. No debugger, no rights needed.
 *
 * So that the test can be seen to find something, SW_PLANT may name a file of two lines: the first
 * is left in a block that stays allocated, the second in one that is freed.
 *
 * Each page: its address (8 bytes), 56 bytes of the mapping's name, the page.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, MAPS_BYTES = 256 * 1024, PLANT_BYTES = 2048, NAME_BYTES = 56 };

static char maps[MAPS_BYTES];
static const char *volatile planted;

static size_t read_file(const char *path, char *out, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    ssize_t got = 1;
    while (fd >= 0 && got > 0 && used < room) {
        got = read(fd, out + used, room - used);
        used += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0)
        close(fd);
    return used;
}

static void plant(const char *path)
{
    char *kept = calloc(1, PLANT_BYTES);
    char *freed = malloc(PLANT_BYTES);
    if (!kept || !freed)
        _exit(99);
    size_t n = read_file(path, kept, PLANT_BYTES - 1);
    char *second = memchr(kept, '\n', n);
    if (!second)
        _exit(99);
    size_t at = (size_t)(second + 1 - kept);
    memcpy(freed + PLANT_BYTES / 2, kept + at, n - at);
    explicit_bzero(kept + at, n - at);
    planted = kept;
    free(freed);
}

static int is_zero(const char *page)
{
    for (size_t i = 0; i < PAGE_BYTES; i++) {
        if (page[i])
            return 0;
    }
    return 1;
}

static void dump_mapping(int fd, uint64_t from, uint64_t to, const char *name)
{
    for (; from < to; from += PAGE_BYTES) {
        const char *page = (const char *)(uintptr_t)from; /* NOLINT(performance-no-int-to-ptr) */
        char head[8 + NAME_BYTES] = "";
        if (is_zero(page))
            continue;
        memcpy(head, &from, sizeof(from));
        (void)snprintf(head + 8, NAME_BYTES, "%s", name);
        if (write(fd, head, sizeof(head)) != sizeof(head) ||
            write(fd, page, PAGE_BYTES) != PAGE_BYTES)
            _exit(98);
    }
}

__attribute__((destructor)) static void dump(void)
{
    const char *path = getenv("SW_DUMP");
    const char *plants = getenv("SW_PLANT");
    if (!path)
        return;
    if (plants)
        plant(plants);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || read_file("/proc/self/maps", maps, sizeof(maps) - 1) == 0)
        _exit(97);
    char *rest = maps;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        /* from-to rights offset device inode name */
        char *at = line;
        uint64_t from = strtoull(at, &at, 16);
        uint64_t to = *at ? strtoull(at + 1, &at, 16) : 0;
        size_t name = strcspn(line, "/["); /* of a file, or [heap] */
        if (strncmp(at, " rw", 3) == 0)
            dump_mapping(fd, from, to, line + name);
    }
    close(fd);
}
