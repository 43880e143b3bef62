#define _GNU_SOURCE /* O_PATH, close_range */
#include "live/child.h"

#include "live/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, FIRST_FD = 3 };

/* The directories that the paths are in. */
static unsigned open_directories(const char *const *paths, unsigned count,
                                 int directories[SW_CHILD_PATHS_MAX])
{
    unsigned opened = 0;
    for (unsigned i = 0; i < count; i++) {
        char directory[PATH_BYTES];
        const char *slash = strrchr(paths[i], '/');
        size_t len = slash ? (size_t)(slash - paths[i]) : 0;
        if (len >= sizeof(directory))
            continue;
        memcpy(directory, paths[i], len);
        directory[len] = '\0';
        const char *name = len > 0 ? directory : slash ? "/" : ".";
        directories[opened] = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        opened += directories[opened] >= 0;
    }
    return opened;
}

/* The directories of the paths stay open to it, and nothing else does. */
static void shut_in(const struct sw_child_work *work)
{
    int made[SW_CHILD_PATHS_MAX];
    int read[SW_CHILD_PATHS_MAX];
    char why[80];
    const struct sw_sandbox_ground ground = {
        .made = made,
        .made_count = open_directories(work->paths, work->count, made),
        .read = read,
        .read_count = open_directories(work->read_paths, work->read_count, read),
        .network = work->network,
    };
    (void)tzset(); /* reads its file now */
    (void)sw_sandbox_no_core();
    (void)sw_sandbox_drop_capabilities(why, sizeof(why));
    (void)sw_sandbox_landlock(&ground, why, sizeof(why));
    for (unsigned i = 0; i < ground.made_count; i++)
        (void)close(made[i]);
    for (unsigned i = 0; i < ground.read_count; i++)
        (void)close(read[i]);
}

static bool let_go(const struct sw_child_work *work, int socket)
{
    /* Whoever reads the owner's results need not wait for what outlives it. */
    int nowhere = work->outlives ? open("/dev/null", O_RDWR) : -1;
    if (work->outlives &&
        (nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0 || dup2(nowhere, STDOUT_FILENO) < 0))
        return false;
    /* The devices and what else is open are the owner's. */
    return dup2(socket, FIRST_FD) >= 0 && close_range(FIRST_FD + 1, ~0U, 0) == 0;
}

static _Noreturn void live_as_child(const struct sw_child_work *work, int socket, pid_t owner)
{
    if (!work->outlives) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (getppid() != owner)
            _exit(0);
    }
    /* The screen is the owner's, too: what curses does about it would cut short what waits here,
     * and whoever is stopped with ^Z and not taken up again would keep the owner waiting. */
    (void)signal(SIGWINCH, SIG_DFL);
    (void)signal(SIGTSTP, SIG_IGN);
    if (!let_go(work, socket))
        _exit(1);
    if (work->prepare && !work->prepare(work->ctx, FIRST_FD))
        _exit(1);
    if (work->sandboxed)
        shut_in(work);
    work->serve(work->ctx, FIRST_FD);
    _exit(0);
}

bool sw_child_start(struct sw_child *child, const struct sw_child_work *work)
{
    int ends[2];
    *child = (struct sw_child){.fd = -1};
    if (work->count > SW_CHILD_PATHS_MAX || work->read_count > SW_CHILD_PATHS_MAX ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    pid_t owner = getpid();
    child->pid = fork();
    if (child->pid == 0) {
        (void)close(ends[0]);
        live_as_child(work, ends[1], owner);
    }
    (void)close(ends[1]);
    if (child->pid < 0)
        (void)close(ends[0]);
    else
        child->fd = ends[0];
    return child->pid > 0;
}

void sw_child_stop(struct sw_child *child)
{
    if (child->fd < 0)
        return;
    (void)close(child->fd);
    child->fd = -1;
    (void)waitpid(child->pid, NULL, 0);
}
