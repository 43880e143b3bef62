/*
 * live_keeper.h - facts of live analysis on their way to where they are kept (--db, --store): the
 * process that looks at packets is shut in and can neither make files nor connect, so another
 * process of ours does that and is told the facts of sessions.
 *
 * What it was told is kept within about a second, and survives the end of either process. While it
 * cannot be kept (locked, disk full) facts wait in memory (feed.h). Life: start (before the
 * sandbox), fact and turn ..., end and stop.
 */
#ifndef SW_CLI_LIVE_KEEPER_H
#define SW_CLI_LIVE_KEEPER_H

#include "audit/fact.h"
#include "live/feed.h"

/* What is done with facts. All of it is called in the other process, with the caller's memory as it
 * was at the start. */
struct sw_live_sink {
    void *ctx;
    unsigned batch_ms; /* a fact waits no longer for others; the sink may change it */
    /* With all rights still. False after saying why. */
    bool (*open)(void *ctx);
    /* False: the batch is not kept; rolled back, and tried again in a moment. */
    bool (*add)(void *ctx, const struct sw_fact *fact);
    bool (*commit)(void *ctx);
    void (*rollback)(void *ctx);
    const char *(*error)(void *ctx);
    /* Every second or so; `state` is its to fill in. May be NULL. */
    void (*turn)(void *ctx, struct sw_feed_state *state);
    /* The end, or the owner's. False: it was not closed as it should be. */
    bool (*close)(void *ctx, struct sw_feed_state *state);
};

struct sw_live_keeper {
    const char *what; /* begins messages: the file, or the store */
    struct sw_child child;
    struct sw_feed feed;
    uint8_t *message;
    bool started;
    bool complained;
};

/* `work` says what the process may do; the rest of it is filled in here. False after saying why. */
bool sw_live_keeper_start(struct sw_live_keeper *keeper, const char *what,
                          struct sw_live_sink *sink, struct sw_child_work *work);
/* Tells it a session; one that was not started is told nothing. */
void sw_live_keeper_fact(struct sw_live_keeper *keeper, const struct sw_fact *fact);
/* Now and then: sends what waits, and says once when something was not kept. */
void sw_live_keeper_turn(struct sw_live_keeper *keeper);
/* Nothing more comes: it begins to end. */
void sw_live_keeper_end(struct sw_live_keeper *keeper);
enum sw_live_keeper_end {
    SW_LIVE_KEEPER_DONE,
    SW_LIVE_KEEPER_WAITS, /* kept, but not where it goes to; that was said */
    SW_LIVE_KEEPER_FAILED,
};
/* Takes a fraction of a second, or the time that a slow disk needs, but no longer than `most_ms`.
 * Says what was not kept. */
enum sw_live_keeper_end sw_live_keeper_stop(struct sw_live_keeper *keeper, unsigned most_ms);

#endif
