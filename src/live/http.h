/*
 * http.h - the dashboard: a page, the JSON behind it, events as they come, metrics, health.
 *
 * Invariants: it listens before the sandbox is entered, and opens nothing later. It runs on the
 * loop's thread, whenever the loop lets it. Only loopback and Unix sockets are served without a
 * token; a name in Host that is not this machine's is refused, so that no web page can reach it by
 * a name of its own (DNS rebinding). Answers only to GET.
 * Life: open, run whenever its descriptor is readable or a moment has passed, close.
 */
#ifndef SW_LIVE_HTTP_H
#define SW_LIVE_HTTP_H

#include "live/metrics.h"

struct sw_http;

/*
 * `address` is 127.0.0.1:PORT, [::1]:PORT, any other ADDRESS:PORT, or the path of a Unix socket.
 * The board and the facts are borrowed. NULL: message says why.
 */
struct sw_http *sw_http_open(const char *address, struct sw_board *board,
                             const struct sw_metrics_facts *facts, char *message, size_t room);
/* Where it is to be reached, with the token when it demands one. */
const char *sw_http_place(const struct sw_http *http);
/* For poll(). */
int sw_http_descriptor(const struct sw_http *http);
/* Serves what has come; waits for nothing. */
void sw_http_run(struct sw_http *http);
void sw_http_close(struct sw_http *http);

#endif
