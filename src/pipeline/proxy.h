/*
 * proxy.h - what a client says to a proxy before it reaches its server: HTTP CONNECT (RFC 9110
 * section 9.3.6), SOCKS 4 and 4a, SOCKS 5 (RFC 1928, RFC 1929). Private to the pipeline room.
 *
 * Both directions are fed in the order of the capture. Headers and logins are counted over, never
 * kept: they hold passwords.
 */
#ifndef SW_PIPELINE_PROXY_H
#define SW_PIPELINE_PROXY_H

#include "session/session.h"

/* What the first bytes of a client are. */
enum sw_proxy_guess {
    SW_PROXY_IS_NONE,
    SW_PROXY_MAY_BE, /* too few to tell */
    SW_PROXY_IS_ONE,
};

enum sw_proxy_step {
    SW_PROXY_IDLE,  /* no proxy, or its part is over */
    SW_PROXY_GUESS, /* the first bytes are collected */
    SW_PROXY_HTTP_REQUEST,
    SW_PROXY_HTTP_REPLY,
    SW_PROXY_METHODS, /* SOCKS 5: what the client offers */
    SW_PROXY_METHOD,  /* what the proxy chose */
    SW_PROXY_LOGIN,
    SW_PROXY_LOGIN_REPLY,
    SW_PROXY_REQUEST, /* SOCKS 4 and 5 */
    SW_PROXY_REPLY,
    SW_PROXY_REFUSED,
    SW_PROXY_LOST, /* bytes are missing */
};

enum { SW_PROXY_UNIT = 300 }; /* what is kept of a request or reply */

struct sw_proxy {
    enum sw_proxy_step step;
    uint32_t seen;  /* octets of the current request or reply */
    uint32_t lines; /* HTTP: complete lines of it */
    uint32_t line;  /* and octets of the open one */
    uint8_t length; /* of the user name in a login */
    uint8_t unit[SW_PROXY_UNIT];
    uint32_t kept;
    /* Called for every octet of the client that is no part of a login or header; `at` counts from
     * the first octet of this piece. May be NULL. */
    void (*harmless)(void *ctx, size_t at);
    void *ctx;
};

/* Do the first bytes of a client speak to a proxy? *port gets the port they ask for, 0 = not said
 * yet. */
enum sw_proxy_guess sw_proxy_begins(struct sw_span first, uint16_t *port);
/* Collects a client's first bytes in proxy->unit until it can be told what they are; *used gets how
 * many of these it took. No more are kept than that needs. */
enum sw_proxy_guess sw_proxy_collect(struct sw_proxy *proxy, struct sw_span bytes, size_t *used);
void sw_proxy_start(struct sw_proxy *proxy, struct sw_span first, struct sw_proxied *out);
/* Takes bytes up to where the tunnel begins; returns how many. `out` may be NULL behind a gap in
 * what was still being guessed. */
size_t sw_proxy_feed(struct sw_proxy *proxy, enum sw_side from, struct sw_span bytes,
                     struct sw_mark mark, struct sw_proxied *out);
/* Bytes are missing: where the tunnel begins only a greeting tells. */
void sw_proxy_gap(struct sw_proxy *proxy);

#endif
