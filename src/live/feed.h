/*
 * feed.h - messages for another process of ours, which may be slow or stand still for a while: what
 * it does not take at once waits in memory, up to a cap; what is beyond is lost, and counted.
 *
 * Nothing here waits but finish. Life: init with a started child, put and turn ..., finish.
 */
#ifndef SW_LIVE_FEED_H
#define SW_LIVE_FEED_H

#include "live/child.h"

#include <stddef.h>
#include <stdint.h>

enum { SW_FEED_BYTES = 16 << 20 }; /* that may wait */

/* What the child says after each lot of messages that it has dealt with. */
struct sw_feed_answer {
    uint32_t good; /* 0: these were given up */
    uint32_t messages;
};

struct sw_feed {
    struct sw_child *child;
    uint8_t *bytes; /* each message behind its length */
    size_t room, head, used;
    uint64_t lost;              /* messages for which there was no room, or nobody to take them */
    uint64_t batches[2];        /* answers: [0] given up, [1] good */
    uint64_t messages_given_up; /* in the first */
    bool gone;                  /* the child has ended */
};

void sw_feed_init(struct sw_feed *feed, struct sw_child *child);
void sw_feed_put(struct sw_feed *feed, const void *message, size_t size);
/* Sends what can be sent, hears what was answered. */
void sw_feed_turn(struct sw_feed *feed);
/* How many bytes wait. */
size_t sw_feed_waiting(const struct sw_feed *feed);
/* Sends the rest and waits for the child to end, up to `most_ms`. False: it goes on without us. */
bool sw_feed_finish(struct sw_feed *feed, unsigned most_ms);

#endif
