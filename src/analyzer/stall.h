/*
 * stall.h - a connection that is still open and in which nothing has been said for long: who is
 * waiting for whom. A provisional word for people who watch; the verdict comes when it is over.
 */
#ifndef SW_ANALYZER_STALL_H
#define SW_ANALYZER_STALL_H

#include "session/session.h"

enum { SW_STALL_WORDS_BYTES = 200 };

struct sw_stall {
    const struct sw_flow_facts *facts;
    const struct sw_session *session; /* NULL: not one byte was said so far */
    struct sw_mark since;             /* the last thing that was said, or the last SYN */
    int64_t now_ns;
};

/* Fills `since` from the other fields. False: it is closed, or it waits for nothing (a connection
 * kept for more mail). */
bool sw_stall_begin(struct sw_stall *stall);
/* "354 was given 62 s ago, the client has sent nothing since"; holds nothing of the wire but
 * canonical names of commands and codes. */
void sw_stall_words(const struct sw_stall *stall, char out[SW_STALL_WORDS_BYTES]);

#endif
