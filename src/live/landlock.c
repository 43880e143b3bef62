/*
 * landlock.c - Landlock by its system calls: libraries and headers of distributions know less of it
 * than their kernels do.
 */
#include "live/sandbox.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of the kernel's include/uapi/linux/landlock.h. */
enum {
    CREATE_RULESET_VERSION = 1,
    RULE_PATH_BENEATH = 1,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_REG = 1 << 8,
    FS_TRUNCATE = 1 << 14,
    NET_ALL = 3,   /* bind and connect over TCP */
    SCOPE_ALL = 3, /* abstract sockets and signals of others */
};

struct ruleset {
    uint64_t fs, net, scoped;
};

struct path_beneath {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

/* What each version added. */
static uint64_t fs_rights(long abi)
{
    if (abi >= 5)
        return (1 << 16) - 1;
    if (abi >= 3)
        return (1 << 15) - 1;
    return abi == 2 ? (1 << 14) - 1 : (1 << 13) - 1;
}

static size_t size_for(long abi)
{
    if (abi >= 6)
        return sizeof(struct ruleset);
    return abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static int fail(const char *what, char *why, size_t room)
{
    bool lacks = errno == ENOSYS || errno == EOPNOTSUPP;
    (void)snprintf(why, room, "%s: %s", what,
                   lacks ? "this kernel does not have it, or has it switched off"
                         : strerror(errno));
    return 0;
}

static bool allow(int fd, const int *directories, unsigned count, uint64_t rights)
{
    bool good = true;
    for (unsigned i = 0; good && i < count; i++) {
        const struct path_beneath rule = {.allowed = rights, .parent = directories[i]};
        good = syscall(SYS_landlock_add_rule, fd, RULE_PATH_BENEATH, &rule, 0) == 0;
    }
    return good;
}

int sw_sandbox_landlock(const struct sw_sandbox_ground *ground, char *why, size_t room)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    if (abi <= 0)
        return fail("Landlock", why, room);
    const uint64_t rights = fs_rights(abi);
    const struct ruleset ruleset = {rights, ground->network ? 0 : NET_ALL, SCOPE_ALL};
    long fd = syscall(SYS_landlock_create_ruleset, &ruleset, size_for(abi), 0);
    if (fd < 0)
        return fail("Landlock", why, room);
    const uint64_t makes = FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_REG | FS_TRUNCATE;
    bool good =
        allow((int)fd, ground->made, ground->made_count, rights & makes) &&
        allow((int)fd, ground->read, ground->read_count, rights & (FS_READ_FILE | FS_READ_DIR)) &&
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
        syscall(SYS_landlock_restrict_self, (int)fd, 0) == 0;
    if (!good)
        (void)fail("Landlock", why, room);
    (void)close((int)fd);
    return good ? (int)abi : 0;
}
