/*
 * reply_rules.h - the tables behind reply.c: what decides when the text does not, and what the
 * stage makes of a cause. Rows are tried in order, the first that fits decides.
 */
#ifndef SW_ANALYZER_REPLY_RULES_H
#define SW_ANALYZER_REPLY_RULES_H

#include "analyzer/reply.h"

#define SW_REPLY_ON(stage) (1 << SW_REPLY_STAGE_##stage)

/* reply_enhanced.def: enhanced code and stage. */
struct sw_enhanced_rule {
    uint16_t stages;
    uint8_t klass; /* 0: any */
    uint16_t subject;
    uint16_t first, last; /* details */
    uint16_t code;        /* basic code, 0: any */
    enum sw_cause cause;
};

/* reply_code.def: basic code and stage. */
struct sw_code_rule {
    uint16_t stages;
    uint16_t first, last; /* codes */
    enum sw_cause cause;
};

/* reply_remap.def: the same words at another stage. */
struct sw_remap_rule {
    enum sw_cause from;
    uint16_t stages;
    uint8_t klass; /* first digit of the reply, 0: any */
    enum sw_cause to;
};

const struct sw_enhanced_rule *sw_enhanced_rules(size_t *count);
const struct sw_code_rule *sw_code_rules(size_t *count);
const struct sw_remap_rule *sw_remap_rules(size_t *count);

#endif
