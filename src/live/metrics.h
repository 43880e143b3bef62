/*
 * metrics.h - the counts as Prometheus and OpenMetrics want them; no address and no name of a user
 * is ever a label.
 */
#ifndef SW_LIVE_METRICS_H
#define SW_LIVE_METRICS_H

#include "live/feed.h"
#include "live/sandbox.h"
#include "report/board.h"
#include "smtpwhy.h"

/* What is known besides the sessions. */
struct sw_metrics_facts {
    struct sw_watch_counts watch;
    const struct sw_sandbox *sandbox;
    const struct sw_feed *history; /* NULL: none is kept */
};

void sw_metrics_put(const struct sw_board *board, const struct sw_metrics_facts *facts,
                    bool open_metrics, struct sw_writer *out);

#endif
