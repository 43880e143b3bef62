/*
 * courier.h - one HTTP request after the other to a ClickHouse server.
 *
 * libcurl is loaded when the first courier is made, so that nobody else pays for it. The password
 * goes out in a header and nowhere else: messages are searched for it, proxies and redirects are
 * not followed.
 *
 * Life: new, ask ..., free. One thread at a time.
 */
#ifndef SW_STORE_COURIER_H
#define SW_STORE_COURIER_H

#include "base/span.h"
#include "base/status.h"

struct sw_courier;

enum sw_answer {
    SW_ANSWER_GOOD,
    SW_ANSWER_LATER,   /* the server cannot just now; another try may do */
    SW_ANSWER_NOBODY,  /* as LATER, but it was not even reached, or did not finish */
    SW_ANSWER_REFUSED, /* the same question gets the same answer again */
};

struct sw_courier_question {
    const char *place;    /* "http://127.0.0.1:8123" */
    const char *settings; /* "&name=value..." or "" */
    const char *query;
    int rows;           /* descriptor of a gzipped file that goes with it, or -1 */
    uint64_t row_bytes; /* its size */
    /* gets a good answer piece by piece; false ends it. NULL: there is none */
    bool (*take)(void *ctx, struct sw_span piece);
    void *ctx;
};

/* `user` and `password` may be NULL; both are borrowed. NULL: *status says why. */
struct sw_courier *sw_courier_new(const char *user, const char *password, struct sw_status *status);
enum sw_answer sw_courier_ask(struct sw_courier *courier,
                              const struct sw_courier_question *question);
/* Of the last answer that was not good: what was said, and ClickHouse's number of it or 0. */
const char *sw_courier_message(const struct sw_courier *courier);
int sw_courier_code(const struct sw_courier *courier);
void sw_courier_free(struct sw_courier *courier);

#endif
