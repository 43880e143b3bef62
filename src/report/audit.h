/*
 * audit.h - the results of an audit in several formats.
 *
 * A new format is one file that defines a struct sw_audit_format, and one line in the table of
 * audit.c.
 */
#ifndef SW_REPORT_AUDIT_H
#define SW_REPORT_AUDIT_H

#include "audit/audit.h"
#include "audit/diff.h"
#include "report/report.h"

/* Where the sessions came from, and what they were compared with. */
struct sw_audit_source {
    const char *name;           /* "3 captures" */
    const struct sw_diff *diff; /* NULL: nothing was compared */
    const char *since;          /* "last", or a time */
    uint64_t repeated;          /* sessions that were counted although they had been before */
    const char *missing;        /* what is not in here but should be, as a sentence, or NULL */
};

/* What a format is given. */
struct sw_audit_view {
    const struct sw_audit *audit;
    const struct sw_report_style *style;
    struct sw_veil *veil;
    struct sw_writer *out;
    const struct sw_audit_source *source;
};

struct sw_audit_format {
    const char *name;
    const char *what;                             /* for --help */
    enum sw_audit_clients clients, clients_quiet; /* what it needs, without and with -q */
    void (*write)(const struct sw_audit_view *view);
};

/* The formats, in the order of the help text; NULL behind the last. */
const struct sw_audit_format *sw_audit_format(size_t index);
/* Writes the whole report. */
void sw_audit_write(const struct sw_audit_format *format, const struct sw_audit *audit,
                    const struct sw_report_style *style, const struct sw_audit_source *source,
                    struct sw_writer *out);

/* How the rules of the policy stand, for people, and nothing else. */
void sw_audit_write_policy(const struct sw_audit *audit, const struct sw_report_style *style,
                           struct sw_writer *out);

/* For the formats: */

/* "192.0.2.1:25 (mx.example.com)", "alice at ...", "CN=mx.example.com (SHA-256 0123456789ab...)".
 */
void sw_audit_put_subject(const struct sw_audit_view *view, const struct sw_subject *subject,
                          struct sw_writer *out);
/* "servers", "clients", "users", "certificates"; one of them without the s. */
const char *sw_audit_kind_words(enum sw_subject_kind kind, uint64_t count);
/* "2024-05-01T10:00:00Z, last 2024-05-02T08:00:00Z"; one time alone when both are written alike. */
void sw_audit_put_times(int64_t first_ns, int64_t last_ns, struct sw_writer *out);
/* "expired 2, not trusted 7": sessions; nothing, not even `before`, when nothing is wrong. */
void sw_audit_put_problems(const struct sw_problem_counts *problems, const char *before,
                           struct sw_writer *out);
/* That so many sessions were counted more than once, and what to do about it. */
void sw_audit_put_repeated(uint64_t count, struct sw_writer *out);
/* "frame 17 of a.pcap (client 192.0.2.7)". */
void sw_audit_put_example(const struct sw_audit_view *view, const struct sw_example *example,
                          struct sw_writer *out);
/* A measure of a rule in its unit: "TLS 1.0", "3 days", "12.5 s", "7.5 %". False when the rule does
 * not measure. */
bool sw_audit_put_measure(enum sw_rule rule, int64_t value, struct sw_writer *out);
/* What is to be said of one result of a rule, in one line. */
void sw_audit_put_reason(const struct sw_audit_view *view, const struct sw_audit_row *result,
                         struct sw_writer *out);
/* What changed, as a sentence without the server: "offers STARTTLS no more". */
void sw_audit_put_change(const struct sw_audit_view *view, const struct sw_change *change,
                         struct sw_writer *out);
/* "the last run" or "2024-05-01". */
const char *sw_audit_since_words(const struct sw_audit_view *view);
/* Why there is no change: nothing differs, or there was nothing to compare. No full stop. */
const char *sw_audit_no_change(const struct sw_audit_view *view);
/* The file of an example as it may be shown. */
struct sw_span sw_audit_file(const struct sw_audit_view *view, const char *file);
/* The results of one rule, or of one finding: they stand next to each other. Index behind them. */
size_t sw_audit_group_end(const struct sw_audit *audit, size_t begin);

#endif
