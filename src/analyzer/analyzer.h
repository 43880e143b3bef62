/*
 * analyzer.h - judges sessions. No I/O; knows the reply knowledge base and what earlier sessions of
 * the same capture showed, nothing else.
 *
 * Life: new; note attempts and results as they happen, judge and remember each session when it is
 * final, ask for stories of several sessions; finish; free.
 */
#ifndef SW_ANALYZER_ANALYZER_H
#define SW_ANALYZER_ANALYZER_H

#include "analyzer/delivery.h"
#include "analyzer/reply.h"
#include "base/limit.h"

struct sw_analyzer;

/* What is remembered of earlier sessions; fields that are 0 take their defaults. */
struct sw_ledger_limits {
    uint32_t tries;   /* held until nothing that began earlier can come */
    uint32_t stories; /* that wait for their next try */
    uint64_t bytes;   /* of both */
    uint32_t clients; /* whose conduct is remembered */
    int64_t hold_ns;  /* how long after its beginning a session may still become final */
};

/* NULL when memory is short. The limits are copied. The knowledge of replies and `account` (may be
 * NULL), which counts what grows, outlive it. */
struct sw_analyzer *sw_analyzer_new(const struct sw_reply_kb *kb,
                                    const struct sw_ledger_limits *limits, size_t *account);
void sw_analyzer_free(struct sw_analyzer *analyzer);
/* From now on sentences call hosts by their addresses only. */
void sw_analyzer_no_names(struct sw_analyzer *analyzer);

/* A connection attempt of any kind was seen (its SYN); `looked_up`: the client had asked for the
 * server's name. Needed to tell a scan and a blocked port from a single failure. */
void sw_analyzer_attempt(struct sw_analyzer *analyzer, const struct sw_tuple *tuple,
                         struct sw_mark syn, bool looked_up);
/* Its server accepted the connection (SYN/ACK). */
void sw_analyzer_connected(struct sw_analyzer *analyzer, const struct sw_tuple *tuple,
                           struct sw_mark accepted);
/* The server of that attempt sent payload. */
void sw_analyzer_answered(struct sw_analyzer *analyzer, const struct sw_tuple *tuple);

/* What connections beside the mail showed of a client: a web page of the network in place of the
 * one that was asked for; a mailbox that was locked. */
void sw_analyzer_portal(struct sw_analyzer *analyzer, const struct sw_tuple *tuple,
                        struct sw_mark mark);
void sw_analyzer_mailbox_busy(struct sw_analyzer *analyzer, const struct sw_tuple *tuple,
                              struct sw_mark mark);

/* Says that something of this client will be told or judged in a moment: what is known of it is
 * fetched from memory meanwhile. */
void sw_analyzer_fetch(const struct sw_analyzer *analyzer, const struct sw_tuple *tuple);

/*
 * The verdict on a final session; lives in the session's arena. Never NULL: when the arena is full
 * the verdict is a constant "cannot tell" that says so.
 */
const struct sw_verdict *sw_analyzer_judge(struct sw_analyzer *analyzer,
                                           struct sw_session *session);

/* Takes a judged session into the stories of its mail; in the order of the records. */
void sw_analyzer_remember(struct sw_analyzer *analyzer, const struct sw_session *session,
                          const struct sw_verdict *verdict, int64_t now_ns);
/* Nothing more will come: all stories become final. */
void sw_analyzer_finish(struct sw_analyzer *analyzer);
/*
 * The next story that has become final, or NULL; stories of one session are among them. Borrowed
 * until the next call.
 */
const struct sw_delivery *sw_analyzer_delivery(struct sw_analyzer *analyzer);
/* Stories that were let go early because of SW_LIMIT_STORIES, or of SW_LIMIT_STORY_BYTES. */
uint64_t sw_analyzer_shed(const struct sw_analyzer *analyzer, enum sw_limit limit);

#endif
