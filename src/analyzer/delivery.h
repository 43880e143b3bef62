/*
 * delivery.h - one story for all sessions in which a client tried to hand over the same mail.
 *
 * A session is judged by what was seen until it was final; what later sessions add is told here:
 * greylisted and accepted later, one server after the other, sent again after a lost answer, never
 * accepted, the same connection on both sides of a NAT.
 *
 * THE RULE FOR JOINING. Two tries are one mail when none of these speaks against it:
 *
 * 1. The envelope. Same client address (and same real client behind a proxy), same MAIL FROM, same
 *    recipients; a try that was accepted in part is continued for the rest. Where both show a
 *    Message-ID, it is equal too, else where both show a SIZE or a complete text these are; then
 *    one of them may have ended after its first recipients. The server may be another one, and so
 *    may the IP version, see 2. A try that was refused at MAIL goes on at the same server within
 *    one hour, when no other such try of the sender, who is somebody, could be meant.
 * 2. Where one of the two ended before MAIL it has no envelope. It is joined by its place: the next
 *    try of this client
 *    - on the same server and port, or for the same name and port, within 2 hours;
 *    - on another server, same port, within 3 seconds of a failure before the login (the next MX or
 *      the next address), as long as no other such failure of the client could be meant;
 *    - on another mail port of the same server, within 10 minutes of such a failure;
 *    - by the other IP version, like another server; the hosts count as one when the hop count
 *      shows that each sends from the recorded link itself.
 *    Where the capture shows what was looked up for both, it is the same name or the same domain by
 *    its MX records; where both show a login, it is of the same user. A session that may have been
 *    no attempt at all is joined for a minute only.
 * 3. Order. A try begins after the one before it was decided; what runs side by side is different
 *    mail (but for a connection request that is not answered, beside the other IP version). Tries
 *    of one session are different mail. What was accepted is over: the next mail with the same
 *    envelope is a new one, unless the acceptance came after the client had left.
 * 4. Patience. An envelope is remembered for 5 days with a size or Message-ID, for 12 hours without
 *    (RFC 5321 4.5.4.1: senders retry for 4 to 5 days, at least every half hour in the beginning),
 *    and for one hour after a permanent refusal.
 *
 * Both sides of a NAT: the sessions begin within half a second, both initial sequence numbers are
 * equal, and so is everything that was said. Of a request that no server accepted there is but the
 * client's number, and one end is the same; of a look-up the resolver, the name and the number of
 * the question.
 */
#ifndef SW_ANALYZER_DELIVERY_H
#define SW_ANALYZER_DELIVERY_H

#include "analyzer/verdict.h"

/* One session of a story. */
struct sw_delivery_attempt {
    char id[17];     /* of the session */
    uint64_t number; /* of its record, from 1 */
    bool has_server; /* a look-up that failed has none */
    struct sw_tuple tuple;
    int64_t start_ns;        /* of the session */
    enum sw_outcome outcome; /* of the session */
    enum sw_cause cause;     /* of the session */
    bool same_as;            /* the session before it, seen on the other side of a NAT */
    bool settled;            /* stuck by itself; with this story nothing of it is stuck any more */
};

enum { SW_DELIVERY_SUMMARY_BYTES = 1200 };

/* A story that is final. Borrowed until the next one is asked for. */
struct sw_delivery {
    char id[17];
    struct sw_delivery_attempt *attempts; /* in the order of their beginnings */
    uint32_t attempt_count;
    struct sw_tuple tuple;      /* of the session that decided */
    bool has_server;            /* of that session */
    struct sw_span server_name; /* of that session, or empty */
    const char *server_name_source;
    struct sw_span proxied_for;
    bool has_sender; /* MAIL was seen */
    struct sw_span sender;
    const struct sw_span *recipients;
    uint32_t recipient_count;
    enum sw_outcome outcome;
    enum sw_cause cause;           /* of the last try that failed, or SW_CAUSE_NONE */
    enum sw_confidence confidence; /* that the sessions belong together */
    int64_t first_attempt_ns;
    int64_t delivered_ns; /* SW_TIME_NONE = not */
    uint8_t time_digits;
    const char *recovered_by; /* session that accepted what an earlier one had not, or NULL */
    char summary[SW_DELIVERY_SUMMARY_BYTES];
};

#endif
