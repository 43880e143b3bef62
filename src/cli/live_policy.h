/*
 * live_policy.h - --policy of live analysis: each session that breaks the policy is told when it is
 * told, how each rule stands at the end, and a changed policy is read while the program runs.
 *
 * Results are those of an audit of the same sessions (audit/audit.h); memory is bounded: what does
 * not fit is counted. Life: start (before the sandbox), judge and reload ..., release.
 */
#ifndef SW_CLI_LIVE_POLICY_H
#define SW_CLI_LIVE_POLICY_H

#include "cli/options.h"
#include "live/metrics.h"

struct sw_live_policy {
    const struct sw_settings *settings;
    struct sw_report_style style;
    struct sw_policy *policy; /* NULL: none was asked for */
    struct sw_audit *audit;   /* of the sessions since it came into force */
    uint64_t text_hash;
    bool broken; /* one that was in force earlier */
    struct sw_metrics_policy counts;
    struct sw_writer remarks; /* on the session in work, a line each */
    struct sw_veil veil;
};

/* Reads it; without --policy nothing is done. False after saying what is wrong. */
bool sw_live_policy_start(struct sw_live_policy *p, const struct sw_settings *settings,
                          const struct sw_report_style *style);
/* The file that has to be opened again later, or NULL. */
const char *sw_live_policy_file(const struct sw_settings *settings);
/* What of the policy the session breaks, a line each; borrowed until the next call. */
struct sw_span sw_live_policy_judge(struct sw_live_policy *p, const struct sw_fact *fact);
/* The same on standard error, for those who have no report for people. */
void sw_live_policy_say(struct sw_live_policy *p, const struct sw_fact *fact,
                        const struct sw_session *session);
/* Reads the policy again from `fd`, which stays the caller's; -1: it could not be opened, and
 * `error` is why. What is no policy is said, and the one before stays in force. */
void sw_live_policy_reload(struct sw_live_policy *p, int fd, int error);
/* How each rule stands, into `out` or (NULL) to standard error; nothing without sessions. */
void sw_live_policy_write(struct sw_live_policy *p, const struct sw_report_style *style,
                          struct sw_writer *out);
/* Was any policy of this run broken? */
bool sw_live_policy_broken(const struct sw_live_policy *p);
void sw_live_policy_release(struct sw_live_policy *p);

#endif
