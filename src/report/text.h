/*
 * text.h - the report for people: for each session the verdict first, then who must act and what to
 * try.
 *
 * What needs attention (stuck, partial, unknown) gets a block, the rest one line. Sessions that are
 * like one before get a line that says so, and beyond a handful they are counted; the end of the
 * capture's part says how many were left out and how to see them. With -v every session is told in
 * full. Memory does not grow with the number of sessions.
 *
 * text.c decides what is written, text_block.c writes a block, text_detail.c what -v adds,
 * text_flow.c the ladder of --flow, text_delivery.c how sessions belong together, text_summary.c
 * the end.
 */
#ifndef SW_REPORT_TEXT_H
#define SW_REPORT_TEXT_H

#include "report/page.h"
#include "report/report.h"
#include "report/view.h"

enum {
    SW_TEXT_GROUPS =
        256,            /* kinds of sessions that are told apart; all others are written in full */
    SW_TEXT_INDENT = 5, /* of everything below the head of a session */
    SW_TEXT_LABEL = 11, /* width of the labels of a block */
};

/* Sessions that are alike. */
struct sw_text_group {
    uint64_t key;
    uint64_t first;  /* number of the first of them */
    uint64_t listed; /* how many were written */
    uint64_t hidden; /* how many were only counted */
    enum sw_outcome outcome;
    enum sw_cause cause;
};

struct sw_text {
    struct sw_page page;
    bool headed;        /* the name of the capture stands there */
    bool last_was_line; /* no blank line needed between one-liners */
    uint64_t deliveries_listed, deliveries_hidden;
    unsigned group_count;
    struct sw_text_group groups[SW_TEXT_GROUPS];
    uint64_t
        advised[SW_CAUSE_COUNT]; /* number of the session whose block gives the advice of a cause */
};

/* One session in work. */
struct sw_text_session {
    struct sw_part *part;
    struct sw_text *text;
    struct sw_page *page;
    const struct sw_session *session;
    const struct sw_verdict *verdict;
    uint64_t number;
};

/* "  1  STUCK      time  client -> server (name)  tail" and a newline; tail may be NULL. */
void sw_text_head(struct sw_text_session *s, const char *tail);
/* The block below the head. */
void sw_text_block(struct sw_text_session *s);
/* Everything that -v adds. */
void sw_text_detail(struct sw_text_session *s);
/* What was said (-v). */
void sw_text_dialogue(struct sw_text_session *s);
/* The ladder of --flow. */
void sw_text_flow(struct sw_text_session *s);

/* A labelled paragraph of a block; the text passes the veil. */
void sw_text_item(struct sw_text_session *s, const char *label, enum sw_tone tone,
                  struct sw_span text);
enum sw_tone sw_text_tone(enum sw_outcome outcome);

/* What several sessions have come to together. */
void sw_text_delivery(struct sw_part *part, const struct sw_delivery *delivery);
/* One line on a session that is still open. */
void sw_text_stall(struct sw_part *part, const struct sw_stall *stall);
/* The name of the capture, when there are several and it was not written yet. */
void sw_text_heading(struct sw_part *part);
void sw_text_summary(struct sw_part *part, const struct sw_summary *summary);

#endif
