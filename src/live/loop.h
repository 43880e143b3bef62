/*
 * loop.h - the loop of live analysis: waits for packets, signals and the clock, and hands each to
 * whom it concerns.
 *
 * Invariants: nothing in it waits longer than a tenth of a second. Signals come through a
 * descriptor, so no code ever runs in a handler. Life: prepare (before anything makes threads), run
 * with an open watch, release.
 */
#ifndef SW_LIVE_LOOP_H
#define SW_LIVE_LOOP_H

#include "live/notify.h"
#include "smtpwhy.h"

/* What the owner does; ctx is the owner's. */
struct sw_loop_hooks {
    void *ctx;
    /* Packets were looked at: what was written is handed on. False: it cannot be, which is the end.
     */
    bool (*flush)(void *ctx);
    /* What else is waited for (-1: nothing), and what is done when it is readable, or after a tenth
     * of a second; NULL: nothing. False: the user wants to stop. When it is gone, that is the end.
     */
    int more_fd[2];
    bool (*more)(void *ctx);
    /* SIGHUP: outputs are opened again, by the same names. False: the same. */
    bool (*reopen)(void *ctx);
    /* SIGUSR1: statistics are asked for. */
    void (*tell)(void *ctx);
};

enum sw_loop_end {
    SW_LOOP_STOPPED, /* SIGTERM or SIGINT */
    SW_LOOP_ENOUGH,  /* as many frames as were asked for */
    SW_LOOP_GONE,    /* no device is left */
    SW_LOOP_FAILED,  /* an output failed, or the loop itself: message */
};

struct sw_loop {
    int signal_fd;
    struct sw_notify notify;
    const struct sw_loop_hooks *hooks;
    bool stop;
    char message[200];
};

/* A clock that nobody sets. */
int64_t sw_loop_now_ms(void);
/* Blocks the signals and takes them through a descriptor from here on. False: message says why. */
bool sw_loop_prepare(struct sw_loop *loop);
/*
 * Runs until something ends it. After SIGTERM what the kernel still holds is analysed as well,
 * which takes a fraction of a second. `hooks` is borrowed during the call.
 */
enum sw_loop_end sw_loop_run(struct sw_loop *loop, struct sw_run *run,
                             const struct sw_loop_hooks *hooks);
void sw_loop_release(struct sw_loop *loop);

#endif
