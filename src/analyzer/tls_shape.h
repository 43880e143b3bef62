/*
 * tls_shape.h - what the sizes and the order of encrypted records give away: who spoke how much
 * after the handshake, whether a message went up, whether the end was orderly. Private to the
 * analyzer.
 */
#ifndef SW_ANALYZER_TLS_SHAPE_H
#define SW_ANALYZER_TLS_SHAPE_H

#include "session/session.h"

/* Application records of one side in a row. Lengths are of the plain text (for CBC the most that
 * fits). */
struct sw_tls_turn {
    enum sw_side from;
    uint32_t records;
    uint32_t first_bytes; /* of the first record */
    uint64_t bytes;       /* of all */
    bool six;             /* one record, six bytes: DATA, QUIT, RSET or NOOP with its line end */
    bool ends_in_six;     /* the last record is one of these */
    bool ends_in_dot; /* of several records the last has the length of a dot with its line end */
    struct sw_mark first, last;
};

enum { SW_TLS_TURNS = 256 };

struct sw_tls_shape {
    struct sw_tls_turn turns[SW_TLS_TURNS];
    uint32_t count;
    bool whole; /* every record of the connection is in it */

    struct sw_mark handshake_done;  /* the later Finished, as far as it can be told; frame 0 = no */
    enum sw_side handshake_done_by; /* whose it is */
    bool client_data;               /* the client sent application data behind its Finished */
    bool server_data;               /* the server did (tickets are counted: they look alike) */
    struct sw_mark client_alert, server_alert; /* an alert-sized record: the first of that side */
    bool client_alert_early; /* the client's came in place of its Finished (TLS 1.3) */

    bool upload;                              /* a message went up and was answered */
    bool upload_unanswered;                   /* one went up and was not */
    struct sw_mark upload_first, upload_last; /* the last of them */
    struct sw_mark answer;                    /* what answered it */
    bool orderly; /* a goodbye of six bytes that was answered, a close alert, or a FIN */
};

void sw_tls_shape_of(const struct sw_session *session, struct sw_tls_shape *shape);

#endif
