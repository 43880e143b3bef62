/*
 * history.h - what earlier connections of the same capture showed, as far as a later verdict needs
 * it: connection attempts of each client (a scan, a blocked port) and whether it tried to send
 * mail. Bounded; the newest wins.
 */
#ifndef SW_ANALYZER_HISTORY_H
#define SW_ANALYZER_HISTORY_H

#include "session/session.h"

struct sw_history;

struct sw_history *sw_history_new(uint32_t clients, size_t *account);
void sw_history_free(struct sw_history *history);

/* Has fetched what is known of a client that is asked about soon. */
void sw_history_fetch(const struct sw_history *history, const struct sw_tuple *tuple);
/* The same of its server. */
void sw_history_fetch_server(const struct sw_history *history, const struct sw_tuple *tuple);

/* A SYN of a new connection. `looked_up`: the client had asked for the server's name. */
void sw_history_attempt(struct sw_history *history, const struct sw_tuple *tuple,
                        struct sw_mark syn, bool looked_up);
/* The server accepted the connection (its SYN/ACK). */
void sw_history_connected(struct sw_history *history, const struct sw_tuple *tuple,
                          struct sw_mark accepted);
/* The connection request was refused, by the server or on the way to it. `name` is what the client
 * had looked up for the server, or empty. */
void sw_history_refused(struct sw_history *history, const struct sw_tuple *tuple,
                        struct sw_span name);
/* The connection got payload from its server. */
void sw_history_answered(struct sw_history *history, const struct sw_tuple *tuple);

/*
 * What earlier connections showed, and the frame of one of them that shows it, which a verdict that
 * rests on it names. Frame 0: they did not.
 */

/* The server offered STARTTLS on this connection. */
void sw_history_starttls(struct sw_history *history, const struct sw_tuple *tuple,
                         struct sw_mark offer);
struct sw_mark sw_history_offers_starttls(const struct sw_history *history,
                                          const struct sw_tuple *tuple);
/* The server answered a ClientHello at the first byte of the connection with its own. */
void sw_history_tls_first(struct sw_history *history, const struct sw_tuple *tuple,
                          struct sw_mark server_hello);
struct sw_mark sw_history_begins_with_tls(const struct sw_history *history,
                                          const struct sw_tuple *tuple);
/* The client tried to hand over mail on this connection. */
void sw_history_tried_mail(struct sw_history *history, const struct sw_tuple *tuple,
                           struct sw_mark mail);
struct sw_mark sw_history_has_tried_mail(const struct sw_history *history,
                                         const struct sw_tuple *tuple);

/* What other connections of the client showed. */
enum sw_beside_fact {
    SW_BESIDE_PORTAL_PAGE,  /* a log-in page of the network in place of a web site */
    SW_BESIDE_MAILBOX_BUSY, /* POP or IMAP said that the mailbox is in use */
    SW_BESIDE_FACTS,
};

void sw_history_beside(struct sw_history *history, const struct sw_tuple *tuple,
                       enum sw_beside_fact fact, struct sw_mark mark);
/* The last one of this client within ten minutes of `time_ns`; frame 0 = none. */
struct sw_mark sw_history_find_beside(const struct sw_history *history,
                                      const struct sw_tuple *tuple, enum sw_beside_fact fact,
                                      int64_t time_ns);

/*
 * True when the attempt at `time_ns` was one of a scan: within 10 s the client tried four or more
 * hosts or ports that gave no payload. Hosts that it had looked up count as one, and so do all of
 * a client that has sent mail before.
 */
bool sw_history_is_scan(const struct sw_history *history, const struct sw_tuple *tuple,
                        int64_t time_ns);
/* Further attempts of that scan, as far as they are remembered; frame 0 behind the last. */
enum { SW_SCAN_OTHERS = 3 };
void sw_history_scanned(const struct sw_history *history, const struct sw_tuple *tuple,
                        int64_t time_ns, struct sw_mark others[SW_SCAN_OTHERS]);
/*
 * True when the client's attempts show that port 25 itself is blocked, of which the one to `tuple`,
 * which failed, is one: this server answers on 465 or 587, or port 25 of another server took no
 * connection either (it was refused, or tried so long before now_ns that two repetitions are due).
 * Addresses of one name are one server when they refuse. None of the attempts may show that port 25
 * works, nor, unless this server answers, that the other ports fail as well. *shown is what says
 * so, and where it is false in spite of such attempts what speaks against it.
 */
enum sw_port25_sign {
    SW_PORT25_NO_SIGN,
    SW_PORT25_OTHER_SERVER_FAILS, /* on port 25 */
    SW_PORT25_OTHER_PORT_ANSWERS, /* of this server */
    SW_PORT25_WORKS,              /* at some server */
    SW_PORT25_OTHER_PORT_FAILS,   /* of some server */
};
struct sw_port25 {
    struct sw_mark syn; /* of that attempt */
    enum sw_port25_sign sign;
};
bool sw_history_port25_blocked(const struct sw_history *history, const struct sw_tuple *tuple,
                               struct sw_span name, int64_t now_ns, struct sw_port25 *shown);
/*
 * The acceptance of another connection, when the client, which asked for this one at syn_ns, got
 * one to the same port of another address within 5 s: it tries several addresses of a host side by
 * side (RFC 8305). An address of the other IP version counts when the capture shows one client of
 * each.
 */
struct sw_mark sw_history_superseded(const struct sw_history *history, const struct sw_tuple *tuple,
                                     int64_t syn_ns);

#endif
