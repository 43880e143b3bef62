/*
 * finding.h - what an audit can find in a session: the ids, how bad each one is, and its words.
 *
 * One truth: finding.def has a narrow row for each finding, finding.c the texts. The rules that
 * detect them are elsewhere; this is constant data.
 */
#ifndef SW_ANALYZER_FINDING_H
#define SW_ANALYZER_FINDING_H

#include "base/span.h"

enum sw_finding_id {
#define SW_FINDING(symbol, id, severity) SW_FINDING_##symbol,
#include "analyzer/finding.def"
#undef SW_FINDING
    SW_FINDING_COUNT,
};

/* From harmless to dangerous, so that two of them compare. */
enum sw_severity {
    SW_SEVERITY_INFO,
    SW_SEVERITY_LOW,
    SW_SEVERITY_MEDIUM,
    SW_SEVERITY_HIGH,
    SW_SEVERITY_CRITICAL,
    SW_SEVERITY_COUNT,
};

struct sw_finding_info {
    const char *id; /* "aud-plaintext-auth-used" */
    enum sw_severity severity;
};

struct sw_finding_wording {
    const char *summary;    /* one plain sentence */
    const char *meaning;    /* what was seen and why it matters */
    const char *guard;      /* when it is less than it looks, or NULL */
    const char *advice;     /* what to do about it */
    const char *references; /* standards, CVE numbers */
};

/* What is known of a finding. Never NULL; `id` must be a finding. */
const struct sw_finding_info *sw_finding_info(enum sw_finding_id id);
/* Its texts. Never NULL. */
const struct sw_finding_wording *sw_finding_wording(enum sw_finding_id id);
/* The finding with this id (any case), or SW_FINDING_COUNT. */
enum sw_finding_id sw_finding_by_id(struct sw_span id);

/* "info", "low", "medium", "high", "critical". */
const char *sw_severity_name(enum sw_severity severity);
/* The severity of this name; false when there is none. */
bool sw_severity_by_name(struct sw_span name, enum sw_severity *severity);

#endif
