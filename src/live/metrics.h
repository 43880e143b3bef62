/*
 * metrics.h - the counts as Prometheus and OpenMetrics want them; no address and no name of a user
 * is ever a label.
 */
#ifndef SW_LIVE_METRICS_H
#define SW_LIVE_METRICS_H

#include "live/feed.h"
#include "live/sandbox.h"
#include "report/audit.h"
#include "report/board.h"
#include "smtpwhy.h"

/* What became of the rules of a policy; counts go on when it is changed. */
struct sw_metrics_policy {
    bool demanded[SW_RULE_COUNT]; /* by the one in force */
    uint64_t sessions[SW_RULE_COUNT][SW_MARKS];
    uint64_t reloads[2]; /* [0] failed */
    bool good;           /* the last one did not fail */
};

enum { SW_METRICS_SINKS = 2 };

/* Who is told of sessions. */
struct sw_metrics_sink {
    const char *name;
    const struct sw_feed *feed; /* NULL: nobody */
    bool passes_on;             /* to somewhere else: what counts is what is there */
};

/* What is known besides the sessions. */
struct sw_metrics_facts {
    struct sw_watch_counts watch;
    const struct sw_sandbox *sandbox;
    struct sw_metrics_sink sinks[SW_METRICS_SINKS];
    const struct sw_metrics_policy *policy; /* NULL: there is none */
};

void sw_metrics_put(const struct sw_board *board, const struct sw_metrics_facts *facts,
                    bool open_metrics, struct sw_writer *out);

#endif
