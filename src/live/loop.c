#include "live/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

enum { TICK_MS = 100 };

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t sw_loop_now_ms(void)
{
    return clock_ns(CLOCK_MONOTONIC) / (NS_PER_S / 1000);
}

bool sw_loop_prepare(struct sw_loop *loop)
{
    sigset_t set;
    *loop = (struct sw_loop){.signal_fd = -1};
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
        loop->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (loop->signal_fd < 0) {
        (void)snprintf(loop->message, sizeof(loop->message), "signals cannot be taken: %s",
                       strerror(errno));
        return false;
    }
    sw_notify_open(&loop->notify);
    return true;
}

static bool take_signals(struct sw_loop *loop)
{
    struct signalfd_siginfo info;
    bool good = true;
    while (good && read(loop->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            good = loop->hooks->reopen(loop->hooks->ctx);
        else if (info.ssi_signo == SIGUSR1)
            loop->hooks->tell(loop->hooks->ctx);
        else
            loop->stop = true;
    }
    return good;
}

/* Waits until something has arrived, or for a tick. */
static void wait_for(struct sw_loop *loop, const struct sw_run *run, int most_ms)
{
    struct pollfd fds[SW_WATCH_DEVICES_MAX + 3] = {
        {.fd = loop->signal_fd, .events = POLLIN},
        {.fd = loop->hooks->more_fd[0], .events = POLLIN},
        {.fd = loop->hooks->more_fd[1], .events = POLLIN}};
    int descriptors[SW_WATCH_DEVICES_MAX];
    unsigned count = sw_watch_descriptors(run, descriptors, SW_WATCH_DEVICES_MAX);
    for (unsigned i = 0; i < count; i++)
        fds[i + 3] = (struct pollfd){.fd = descriptors[i], .events = POLLIN};
    (void)poll(fds, count + 3, most_ms); /* a descriptor of -1 is passed over */
    /* the terminal was closed: there would be no waiting for it any more */
    if ((fds[1].revents | fds[2].revents) & (POLLHUP | POLLERR | POLLNVAL))
        loop->stop = true;
}

/* Analyses all that is there at the moment. */
static enum sw_watch_state take_all(struct sw_loop *loop, struct sw_run *run, bool *good)
{
    enum sw_watch_state state;
    do {
        state = sw_watch_take(run, clock_ns(CLOCK_REALTIME));
        *good = loop->hooks->flush(loop->hooks->ctx) && take_signals(loop);
        if (loop->hooks->more && !loop->hooks->more(loop->hooks->ctx))
            loop->stop = true;
        sw_notify_alive(&loop->notify, clock_ns(CLOCK_MONOTONIC));
    } while (state == SW_WATCH_MORE && *good && !loop->stop);
    return state;
}

/* The kernel shows what it has received only when a block is full or old enough. */
static void drain(struct sw_loop *loop, struct sw_run *run)
{
    int64_t until_ns = clock_ns(CLOCK_MONOTONIC) + (int64_t)sw_watch_delay_ms() * (NS_PER_S / 1000);
    bool good = true;
    sw_notify_say(&loop->notify, "STOPPING=1");
    for (int64_t left_ns; good && (left_ns = until_ns - clock_ns(CLOCK_MONOTONIC)) > 0;) {
        const struct timespec rest = {.tv_nsec = left_ns < NS_PER_S ? left_ns : NS_PER_S - 1};
        (void)nanosleep(&rest, NULL);
    }
    loop->stop = true;
    (void)take_all(loop, run, &good);
}

enum sw_loop_end sw_loop_run(struct sw_loop *loop, struct sw_run *run,
                             const struct sw_loop_hooks *hooks)
{
    bool good = true;
    loop->hooks = hooks;
    sw_notify_say(&loop->notify, "READY=1");
    while (!loop->stop) {
        wait_for(loop, run, TICK_MS);
        enum sw_watch_state state = take_all(loop, run, &good);
        if (!good)
            return SW_LOOP_FAILED;
        if (state == SW_WATCH_ENOUGH)
            return SW_LOOP_ENOUGH;
        if (state == SW_WATCH_GONE)
            return SW_LOOP_GONE;
    }
    drain(loop, run);
    return SW_LOOP_STOPPED;
}

void sw_loop_release(struct sw_loop *loop)
{
    sw_notify_close(&loop->notify);
    if (loop->signal_fd >= 0)
        (void)close(loop->signal_fd);
    loop->signal_fd = -1;
}
