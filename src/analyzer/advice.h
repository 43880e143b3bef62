/*
 * advice.h - templates of sentences and what fills them.
 *
 * A template is our own text with names in braces: {server} {port} {client} {sender} {recipient}
 * {user} {mechanism} {reply} {code} {size} {limit} {wait} {ended} {offered} {what} {listed} {name}
 * {host} {domain} {encrypted} {plain}. A name without a value becomes a generic noun ("the
 * server"). {reply} and {ended} have no such noun; like every name they may stand inside [[ ... ]],
 * a section that vanishes when a name in it has no value. {port} is written out as a noun: "587"
 * becomes "port 587".
 */
#ifndef SW_ANALYZER_ADVICE_H
#define SW_ANALYZER_ADVICE_H

#include "base/arena.h"

/* The values; NULL where unknown. Strings are printable text (wire text already escaped). */
struct sw_template_values {
    const char *server;    /* "mail.example.org" or an address */
    const char *port;      /* "587" */
    const char *client;    /* "192.0.2.7" */
    const char *sender;    /* "a@example.org" */
    const char *recipient; /* "b@example.org" */
    const char *user;
    const char *mechanism; /* "LOGIN" */
    const char *reply;     /* the server's words with code, already in quotation marks */
    const char *code;      /* "550 5.7.1" */
    const char *size;      /* "35 MB" */
    const char *limit;     /* "25 MB" */
    const char *wait;      /* "2 minutes" */
    const char *ended;     /* what ended the wait: "the client gave up" */
    const char *offered;   /* "CRAM-MD5 and NTLM" */
    const char *what;      /* "the password", "MAIL" ... */
    const char *listed;    /* what is on a blocklist: "the sender's domain" */
    const char *name;      /* that was looked up, */
    const char *host;      /* what it is, if its address was asked for, */
    const char *domain;    /* and if its mail servers were */
    const char *encrypted; /* the port, if it is one for TLS from the first byte, */
    const char *plain;     /* and if it is another one */
};

/* The bit of a name in a set of names. */
#define SW_TEMPLATE_NAME(field)                                                                    \
    (UINT32_C(1) << offsetof(struct sw_template_values, field) / sizeof(const char *))
/* The names in a template: only their values are worth working out. */
uint32_t sw_template_names(const char *text);

/*
 * The filled template in the arena, the text itself when there is nothing to fill, or NULL when the
 * arena is full. `values` may be NULL: then
 * every name becomes its noun. A noun at the start of a sentence is given a capital letter. "[["
 * without
 * "]]" and unknown names in braces stay as they are (a test forbids them in our tables).
 */
const char *sw_template_fill(const char *text, const struct sw_template_values *values,
                             struct sw_arena *arena);
/* Does the reply name this address, and not one that only contains it? */
bool sw_says_address(struct sw_span reply, const char *address);
/* What a blocklist lists if it is one of names (RFC 5782 section 2.2), as a noun, by the words of
 * the reply; NULL: an address, as far as it says. `address` is that of the sending computer, or
 * NULL: a reply that names it is about it, whatever else it mentions. */
const char *sw_listed_name(struct sw_span reply, const char *address);
/* False when the text has an unknown name, or a section that is not closed. For the tables' test.
 */
bool sw_template_valid(const char *text);

#endif
