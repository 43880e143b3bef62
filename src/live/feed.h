/*
 * feed.h - messages for another process of ours, which may be slow or stand still for a while: what
 * it does not take at once waits in memory, up to a cap; what is beyond is lost, and counted.
 *
 * Nothing here waits but finish. Life: init with a started child, put and turn ..., end, finish.
 */
#ifndef SW_LIVE_FEED_H
#define SW_LIVE_FEED_H

#include "live/child.h"

#include <stddef.h>
#include <stdint.h>

enum { SW_FEED_BYTES = 16 << 20 }; /* that may wait */

/* Where the child keeps them on the way to somewhere else. */
struct sw_feed_state {
    uint64_t shed;         /* messages for which there was no room */
    uint64_t spool_bytes;  /* that wait there, */
    uint64_t waiting;      /* in so many parts */
    uint64_t sent, failed; /* parts: taken, and attempts that were not */
    uint64_t refused;      /* 1: the other end does not want them */
};

/* What the child says after each lot of messages that it has dealt with, and (good, of none) when
 * its state has changed. */
struct sw_feed_answer {
    uint32_t good; /* 0: these were given up */
    uint32_t messages;
    struct sw_feed_state state;
};

struct sw_feed {
    struct sw_child *child;
    uint8_t *bytes; /* each message behind its length */
    size_t room, head, used;
    uint64_t sent, answered;    /* messages */
    uint64_t lost;              /* messages for which there was no room, or nobody to take them */
    uint64_t batches[2];        /* answers: [0] given up, [1] good */
    uint64_t messages_given_up; /* in the first */
    struct sw_feed_state state; /* as it was told last */
    bool ending;                /* nothing more comes, */
    bool told;                  /* which the child knows */
    bool gone;                  /* the child has ended */
};

void sw_feed_init(struct sw_feed *feed, struct sw_child *child);
void sw_feed_put(struct sw_feed *feed, const void *message, size_t size);
/* Sends what can be sent, hears what was answered. */
void sw_feed_turn(struct sw_feed *feed);
/* How many bytes wait. */
size_t sw_feed_waiting(const struct sw_feed *feed);
/* How many messages were not kept. */
uint64_t sw_feed_not_kept(const struct sw_feed *feed);
/* Nothing more comes: the child begins to end when it has got all. */
void sw_feed_end(struct sw_feed *feed);
/* Sends the rest and waits for the child to end, up to `most_ms`. False: it goes on without us. */
bool sw_feed_finish(struct sw_feed *feed, unsigned most_ms);

#endif
