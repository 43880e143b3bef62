/*
 * starter.c - loaded into the program (LD_PRELOAD) so that a test can run it many times at the
 * price of once: libraries are loaded and bound, then main is called in a fork for each request
 * that comes through the socket SW_STARTER. It is the program as it was built; only what happens
 * before main happens once (start.py is the other end).
 *
 * A request: 8 bytes, the number of arguments and of variables, with standard input, output and
 * error as SCM_RIGHTS; then the length of the rest, 4 bytes; then the folder to run in, the
 * arguments and the variables, each ended by NUL. The answer: the status as waitpid gives it, 4
 * bytes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int main_function(int, char **, char **);
typedef int start_function(main_function *, int, char **, void (*)(void), void (*)(void),
                           void (*)(void), void *);

enum { STANDARD_FDS = 3, FAILED = 127 };

struct request {
    uint32_t counts[2]; /* of arguments, of variables */
    uint32_t length;    /* of text */
    int fds[STANDARD_FDS];
    char *text; /* the folder, arguments, variables */
};

static main_function *program_main;
static int requests = -1;
static char **arguments, **variables; /* those of a fork, which a search for leaks has to find */

__attribute__((visibility("default"))) start_function __libc_start_main;

/* All of it, or false at the end of the stream. */
static bool read_whole(void *to, size_t length)
{
    uint8_t *at = to;
    while (length > 0) {
        ssize_t got = read(requests, at, length);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        at += got > 0 ? got : 0;
        length -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* The counts and the descriptors, which come with them. */
static bool receive_head(struct request *r)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(r->fds))];
    } control;
    struct iovec part = {.iov_base = r->counts, .iov_len = sizeof(r->counts)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t got = 0;
    do {
        got = recvmsg(requests, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    const struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (got != (ssize_t)sizeof(r->counts) || !rights ||
        rights->cmsg_len != CMSG_LEN(sizeof(r->fds)))
        return false;
    memcpy(r->fds, CMSG_DATA(rights), sizeof(r->fds));
    return true;
}

static bool receive(struct request *r)
{
    if (!receive_head(r) || !read_whole(&r->length, sizeof(r->length)))
        return false;
    r->text = malloc(r->length + 1);
    return r->text && read_whole(r->text, r->length);
}

/* The next `count` texts as main wants them, and *at behind them. */
static char **texts(char **at, uint32_t count)
{
    char **list = calloc(count + (size_t)1, sizeof(*list));
    for (uint32_t i = 0; list && i < count; i++) {
        list[i] = *at;
        *at += strlen(*at) + 1;
    }
    return list;
}

static int run(const struct request *r)
{
    for (int fd = 0; fd < STANDARD_FDS; fd++) {
        if (dup2(r->fds[fd], fd) < 0)
            return FAILED;
        (void)close(r->fds[fd]);
    }
    (void)close(requests);
    /* A test that waits no longer kills the starter. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    char *at = r->text;
    const char *folder = at;
    at += strlen(at) + 1;
    arguments = texts(&at, r->counts[0]);
    variables = texts(&at, r->counts[1]);
    if (!arguments || !variables || chdir(folder) != 0)
        return FAILED;
    environ = variables;
    return program_main((int)r->counts[0], arguments, variables);
}

static void answer(pid_t child)
{
    int status = FAILED << 8;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (write(requests, &status, sizeof(status)) != (ssize_t)sizeof(status))
        _exit(1);
}

static int serve(int argc, char **argv, char **envp)
{
    const char *socket = getenv("SW_STARTER");
    if (!socket)
        return program_main(argc, argv, envp);
    requests = (int)strtol(socket, NULL, 10);
    for (struct request r = {0}; receive(&r); free(r.text)) {
        pid_t child = fork();
        if (child == 0)
            return run(&r);
        for (int i = 0; i < STANDARD_FDS; i++)
            (void)close(r.fds[i]);
        answer(child);
    }
    _exit(0);
}

int __libc_start_main(main_function *function, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    start_function *real = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "__libc_start_main");
    if (!real)
        _exit(FAILED);
    program_main = function;
    return real(serve, argc, argv, init, fini, rtld_fini, stack_end);
}
