#include "live/feed.h"

#include "live/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LEAST_ROOM = 64 * 1024 };

void sw_feed_init(struct sw_feed *feed, struct sw_child *child)
{
    *feed = (struct sw_feed){.child = child};
}

size_t sw_feed_waiting(const struct sw_feed *feed)
{
    return feed->used - feed->head;
}

/* Room for so many bytes behind the last; false: there is none. */
static bool make_room(struct sw_feed *feed, size_t size)
{
    size_t waiting = sw_feed_waiting(feed);
    if (waiting + size > SW_FEED_BYTES)
        return false;
    if (feed->used + size <= feed->room)
        return true;
    if (feed->head >= waiting + size) { /* as many bytes are moved as were sent at least */
        memmove(feed->bytes, feed->bytes + feed->head, waiting);
        feed->head = 0;
        feed->used = waiting;
        return true;
    }
    size_t room = feed->room ? 2 * feed->room : (size_t)LEAST_ROOM;
    while (room < feed->used + size)
        room *= 2;
    uint8_t *bytes = realloc(feed->bytes, room);
    if (!bytes)
        return false;
    feed->bytes = bytes;
    feed->room = room;
    return true;
}

void sw_feed_put(struct sw_feed *feed, const void *message, size_t size)
{
    uint32_t length = (uint32_t)size;
    if (feed->gone || !make_room(feed, sizeof(length) + size)) {
        feed->lost++;
        return;
    }
    memcpy(feed->bytes + feed->used, &length, sizeof(length));
    memcpy(feed->bytes + feed->used + sizeof(length), message, size);
    feed->used += sizeof(length) + size;
    sw_feed_turn(feed);
}

/* What is on its way to a child that has ended was taken along. */
static void lose(struct sw_feed *feed)
{
    feed->gone = true;
    feed->lost += feed->sent - feed->answered;
    feed->sent = feed->answered;
}

static void hear(struct sw_feed *feed)
{
    struct sw_feed_answer answer;
    ssize_t n;
    for (;;) {
        n = recv(feed->child->fd, &answer, sizeof(answer), MSG_DONTWAIT);
        if (n < 0 &&
            (errno == ECONNRESET || errno == EINTR)) /* told once; answers come behind it */
            continue;
        if (n != (ssize_t)sizeof(answer))
            break;
        if (answer.messages > 0 || !answer.good)
            feed->batches[answer.good ? 1 : 0]++;
        feed->messages_given_up += answer.good ? 0 : answer.messages;
        feed->answered += answer.messages;
        feed->state = answer.state;
    }
    if (n == 0)
        lose(feed);
}

static void count_waiting_as_lost(struct sw_feed *feed)
{
    while (feed->head < feed->used) {
        uint32_t length;
        memcpy(&length, feed->bytes + feed->head, sizeof(length));
        feed->head += sizeof(length) + length;
        feed->lost++;
    }
}

void sw_feed_turn(struct sw_feed *feed)
{
    bool broken = false;
    while (!feed->gone && !broken && feed->head < feed->used) {
        uint32_t length;
        memcpy(&length, feed->bytes + feed->head, sizeof(length));
        ssize_t n = send(feed->child->fd, feed->bytes + feed->head + sizeof(length), length,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS))
            break;
        if (n < 0 && errno != EMSGSIZE)
            broken = true;
        else
            feed->head += sizeof(length) + length;
        feed->lost += n < 0 && errno == EMSGSIZE;
        feed->sent += n >= 0;
    }
    if (feed->ending && !feed->told && !feed->gone && feed->head == feed->used)
        feed->told = shutdown(feed->child->fd, SHUT_WR) == 0;
    if (!feed->gone)
        hear(feed);
    if (broken && !feed->gone)
        lose(feed);
    if (feed->gone)
        count_waiting_as_lost(feed);
    if (feed->head == feed->used)
        feed->head = feed->used = 0;
}

uint64_t sw_feed_not_kept(const struct sw_feed *feed)
{
    return feed->lost + feed->messages_given_up + feed->state.shed;
}

void sw_feed_end(struct sw_feed *feed)
{
    feed->ending = true;
    sw_feed_turn(feed);
}

bool sw_feed_finish(struct sw_feed *feed, unsigned most_ms)
{
    int64_t until_ms = sw_loop_now_ms() + most_ms;
    sw_feed_end(feed);
    for (int64_t left_ms; !feed->gone && (left_ms = until_ms - sw_loop_now_ms()) > 0;) {
        short events = (short)(POLLIN | (feed->told ? 0 : POLLOUT));
        struct pollfd one = {.fd = feed->child->fd, .events = events};
        (void)poll(&one, 1, (int)left_ms);
        sw_feed_turn(feed);
    }
    bool ended = feed->gone;
    feed->gone = true;
    count_waiting_as_lost(feed);
    (void)close(feed->child->fd);
    feed->child->fd = -1;
    if (ended)
        (void)waitpid(feed->child->pid, NULL, 0);
    free(feed->bytes);
    feed->bytes = NULL;
    return ended;
}
