#include "analyzer/finding.h"

#include <assert.h>

static const struct sw_finding_info infos[SW_FINDING_COUNT] = {
#define SW_FINDING(symbol, id, severity) [SW_FINDING_##symbol] = {id, SW_SEVERITY_##severity},
#include "analyzer/finding.def"
#undef SW_FINDING
};

static const struct sw_finding_wording wordings[SW_FINDING_COUNT] = {
#include "analyzer/finding_wording.def"
};

const struct sw_finding_info *sw_finding_info(enum sw_finding_id id)
{
    assert(id < SW_FINDING_COUNT);
    return &infos[id];
}

const struct sw_finding_wording *sw_finding_wording(enum sw_finding_id id)
{
    assert(id < SW_FINDING_COUNT);
    return &wordings[id];
}

enum sw_finding_id sw_finding_by_id(struct sw_span id)
{
    unsigned i = 0;
    while (i < SW_FINDING_COUNT && !sw_span_eq_nocase(id, sw_span_str(infos[i].id)))
        i++;
    return (enum sw_finding_id)i;
}

static const char *const severities[SW_SEVERITY_COUNT] = {
    [SW_SEVERITY_INFO] = "info",         [SW_SEVERITY_LOW] = "low",
    [SW_SEVERITY_MEDIUM] = "medium",     [SW_SEVERITY_HIGH] = "high",
    [SW_SEVERITY_CRITICAL] = "critical",
};

const char *sw_severity_name(enum sw_severity severity)
{
    return severities[severity < SW_SEVERITY_COUNT ? severity : SW_SEVERITY_INFO];
}

bool sw_severity_by_name(struct sw_span name, enum sw_severity *severity)
{
    for (unsigned i = 0; i < SW_SEVERITY_COUNT; i++) {
        if (sw_span_eq_nocase(name, sw_span_str(severities[i]))) {
            *severity = (enum sw_severity)i;
            return true;
        }
    }
    return false;
}
