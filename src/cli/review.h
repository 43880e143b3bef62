/*
 * review.h - what a history holds, on its way into an audit and a comparison: two threads read half
 * of it each, and what they counted is put together.
 */
#ifndef SW_CLI_REVIEW_H
#define SW_CLI_REVIEW_H

#include "audit/diff.h"
#include "cli/options.h"

struct sw_review {
    const struct sw_settings *settings;
    struct sw_audit *audit; /* or NULL; not finished */
    struct sw_diff *diff;   /* or NULL; not finished */
    bool matched;           /* a session is what --fail-on names */
};

/* Does a session of the audit match what --fail-on names? */
bool sw_review_matches(const struct sw_settings *settings, const struct sw_fact *fact);
/* Reads the history of --db. False after saying why. */
bool sw_review_history(struct sw_review *review);

#endif
