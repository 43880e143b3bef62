#include "analyzer/reply.h"
#include "analyzer/reply_rules.h"

/* The stages as the tables write them. */
enum {
    GREETING = SW_REPLY_ON(GREETING),
    HELLO = SW_REPLY_ON(HELLO),
    STARTTLS = SW_REPLY_ON(STARTTLS),
    AUTH = SW_REPLY_ON(AUTH),
    MAIL = SW_REPLY_ON(MAIL),
    RCPT = SW_REPLY_ON(RCPT),
    DATA = SW_REPLY_ON(DATA),
    FINAL = SW_REPLY_ON(FINAL),
    ANY = (1 << SW_REPLY_STAGE_COUNT) - 1,
    NOT_AUTH = ANY & ~(AUTH | STARTTLS),
};

#define SW_REPLY(words, on, codes, cause, source, example)                                         \
    {words, NULL, on, codes, SW_CAUSE_##cause, SW_CAUSE_NONE, source, example, PLAIN_WORDS},
#define SW_REPLY_WITH(words, other, on, codes, cause, source, example)                             \
    {words, other, on, codes, SW_CAUSE_##cause, SW_CAUSE_NONE, source, example, PLAIN_WORDS},
#define SW_REPLY_ALSO(words, on, codes, cause, second, source, example)                            \
    {words, NULL, on, codes, SW_CAUSE_##cause, SW_CAUSE_##second, source, example, PLAIN_WORDS},

static const struct sw_reply_pattern patterns[] = {
#define PLAIN_WORDS false
#include "analyzer/reply_specific.def"

#include "analyzer/reply_policy.def"

#include "analyzer/reply_traffic.def"

#include "analyzer/reply_message.def"

#include "analyzer/reply_foreign.def"

#undef PLAIN_WORDS
#define PLAIN_WORDS true
#include "analyzer/reply_generic.def"
};

const struct sw_reply_pattern *sw_reply_patterns(size_t *count)
{
    *count = sizeof(patterns) / sizeof(patterns[0]);
    return patterns;
}

#define SW_REPLY_ENHANCED(on, klass, subject, first, last, code, cause)                            \
    {on, klass, subject, first, last, code, SW_CAUSE_##cause},

static const struct sw_enhanced_rule enhanced_rules[] = {
#include "analyzer/reply_enhanced.def"
};

const struct sw_enhanced_rule *sw_enhanced_rules(size_t *count)
{
    *count = sizeof(enhanced_rules) / sizeof(enhanced_rules[0]);
    return enhanced_rules;
}

#define SW_REPLY_CODE(on, first, last, cause) {on, first, last, SW_CAUSE_##cause},

static const struct sw_code_rule code_rules[] = {
#include "analyzer/reply_code.def"
};

const struct sw_code_rule *sw_code_rules(size_t *count)
{
    *count = sizeof(code_rules) / sizeof(code_rules[0]);
    return code_rules;
}

#define SW_REPLY_REMAP(from, on, klass, to) {SW_CAUSE_##from, on, klass, SW_CAUSE_##to},

static const struct sw_remap_rule remap_rules[] = {
#include "analyzer/reply_remap.def"
};

const struct sw_remap_rule *sw_remap_rules(size_t *count)
{
    *count = sizeof(remap_rules) / sizeof(remap_rules[0]);
    return remap_rules;
}
