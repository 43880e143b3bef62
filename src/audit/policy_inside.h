/*
 * policy_inside.h - what the files that read and apply a policy share.
 */
#ifndef SW_AUDIT_POLICY_INSIDE_H
#define SW_AUDIT_POLICY_INSIDE_H

#include "audit/policy.h"
#include "base/arena.h"
#include "base/network.h"

/* What the items of a list may be. */
enum sw_pattern_kind {
    SW_PATTERN_NETWORK, /* addresses and networks */
    SW_PATTERN_HOST,    /* these, and names of hosts */
    SW_PATTERN_NAME,    /* names of users */
};

struct sw_pattern {
    struct sw_pattern *next;
    bool is_network;
    struct sw_network network;
    struct sw_span name; /* with '*' for any run of characters */
};

struct sw_policy {
    struct sw_arena arena;
    const char *name;
    struct sw_policy_section *sections, *last_section;
    /* the last section that names a rule, where it is for everybody: it always decides */
    const struct sw_demand *always[SW_RULE_COUNT];
    struct sw_waiver *waivers, *last_waiver;
    unsigned waiver_count;
};

/*
 * Each reads the text behind a key into what it stands for; memory comes from the arena. False:
 * *wrong says what would be right (a constant), and *item is the part that is wrong.
 */
bool sw_policy_read_demand(struct sw_arena *arena, enum sw_rule rule, struct sw_span text,
                           struct sw_demand *demand, struct sw_span *item, const char **wrong);
bool sw_policy_read_patterns(struct sw_arena *arena, struct sw_span text, enum sw_pattern_kind kind,
                             struct sw_pattern **list, struct sw_span *item, const char **wrong);
bool sw_policy_read_findings(struct sw_span text, uint64_t findings[SW_FINDING_WORDS],
                             struct sw_span *item, const char **wrong);

static inline bool sw_policy_has_finding(const uint64_t findings[SW_FINDING_WORDS],
                                         enum sw_finding_id id)
{
    return (findings[id / 64] >> (id % 64) & 1) != 0;
}

#endif
