/*
 * book.h - the book of name look-ups: who asked for which name, what came back, and whether a
 * connection followed. Private to the pipeline room.
 *
 * DNS messages, ICMP errors, neighbour requests and connections go in; failed look-ups of mail
 * hosts that no connection followed come out when their wait ends (packet time), and for a
 * connection the book knows the name behind its server's address.
 *
 * Invariants: memory is bounded by the limits; what had to be dropped undecided is counted. Output
 * depends on the order of the packets only.
 */
#ifndef SW_PIPELINE_BOOK_H
#define SW_PIPELINE_BOOK_H

#include "base/arena.h"
#include "base/hash.h"
#include "dissectors/dns/dns.h"
#include "session/lookup.h"

/* Zero takes the default. */
struct sw_book_limits {
    uint32_t lookups;    /* names of all clients */
    uint32_t neighbours; /* requests for hardware addresses */
};

/* One that failed: spans and facts are borrowed during the call. */
struct sw_book_sink {
    void *ctx;
    void (*failed)(void *ctx, const struct sw_lookup *lookup, const struct sw_flow_facts *facts,
                   int64_t now_ns);
    /* Has the stream shown mail (a session, a failed look-up of a mail host)? Hosts that talk to
     * each other at all? */
    bool (*any_mail)(void *ctx);
    bool (*any_talk)(void *ctx);
};

struct sw_book;

/* NULL when memory is short. */
struct sw_book *sw_book_new(const struct sw_book_limits *limits, const struct sw_hash_key *key,
                            const struct sw_book_sink *sink);
/* Where memory is counted from now on, instead of nowhere; outlives the book. */
void sw_book_account(struct sw_book *book, size_t *account);
/* One message: over UDP as the packet's payload; over TCP as the stream cuts it. `tuple` is that of
 * the packet: source first. */
void sw_book_message(struct sw_book *book, const struct sw_tuple *tuple, struct sw_span bytes,
                     struct sw_mark mark, uint8_t time_digits);
/* A piece of a TCP connection to port 53; `tuple` is the connection's, client first. */
void sw_book_stream(struct sw_book *book, struct dns_stream *stream, const struct sw_tuple *tuple,
                    const struct sw_chunk *chunk, uint8_t time_digits);
/* A connection to port 53 was asked for; it ended, `mark`: with this FIN or RST, or this last
 * packet.
 */
void sw_book_retry(struct sw_book *book, const struct sw_tuple *tuple, struct sw_mark mark);
void sw_book_retry_over(struct sw_book *book, const struct sw_tuple *tuple, struct sw_mark mark);
/* An ICMP error that quotes a UDP packet to port 53. */
void sw_book_icmp(struct sw_book *book, const struct sw_icmp_header *icmp, struct sw_mark mark);
/* ARP or neighbour discovery. */
void sw_book_neighbour(struct sw_book *book, const struct sw_neighbour *neighbour,
                       struct sw_mark mark, uint8_t time_digits);
/* A connection was tried: the name that led there was used. False: none is known. */
bool sw_book_connection(struct sw_book *book, const struct sw_tuple *tuple);
/* A connection was accepted. */
void sw_book_connected(struct sw_book *book, const struct sw_tuple *tuple, struct sw_mark mark);
/* `server` takes mail at this moment, and until `until_ns`: what it looks up meanwhile is about
 * what it is offered. */
void sw_book_serving(struct sw_book *book, const struct sw_tuple *tuple, int64_t until_ns);
/* A client told the server this name (EHLO, a sender, a recipient): the server may check it. */
void sw_book_offered(struct sw_book *book, const struct sw_tuple *tuple, struct sw_span name);
/* Somebody was answered: the capture holds both directions. */
void sw_book_heard(struct sw_book *book, struct sw_mark mark);
/* The name that the client of the connection had looked up for its server; false: none. The name is
 * copied to the arena. */
bool sw_book_name(const struct sw_book *book, const struct sw_tuple *tuple, int64_t before_ns,
                  struct sw_arena *arena, struct sw_naming *naming);
/* Packet time moves on. */
void sw_book_time(struct sw_book *book, int64_t now_ns);
/* The capture is over. */
void sw_book_finish(struct sw_book *book, int64_t now_ns);
/* Look-ups that were dropped undecided because of the limits. */
uint64_t sw_book_dropped(const struct sw_book *book);
void sw_book_free(struct sw_book *book);

#endif
