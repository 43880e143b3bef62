/*
 * analyzer.h - judges sessions. No I/O; knows the reply knowledge base and what earlier sessions of
 * the same capture showed, nothing else.
 *
 * Life: new; note attempts and results as they happen, judge each session when it is final; free.
 */
#ifndef SW_ANALYZER_ANALYZER_H
#define SW_ANALYZER_ANALYZER_H

#include "analyzer/verdict.h"

struct sw_analyzer;

/* NULL when memory is short. */
struct sw_analyzer *sw_analyzer_new(void);
void sw_analyzer_free(struct sw_analyzer *analyzer);

/* A connection attempt of any kind was seen (its SYN). Needed to tell a scan and a blocked port
 * from a single failure. */
void sw_analyzer_attempt(struct sw_analyzer *analyzer, const struct sw_tuple *tuple,
                         int64_t time_ns);
/* Its server accepted the connection (SYN/ACK). */
void sw_analyzer_connected(struct sw_analyzer *analyzer, const struct sw_tuple *tuple,
                           int64_t time_ns);
/* The server of that attempt sent payload. */
void sw_analyzer_answered(struct sw_analyzer *analyzer, const struct sw_tuple *tuple);

/*
 * The verdict on a final session; lives in the session's arena. Never NULL: when the arena is full
 * the verdict is a constant "cannot tell" that says so.
 */
const struct sw_verdict *sw_analyzer_judge(struct sw_analyzer *analyzer,
                                           struct sw_session *session);

#endif
