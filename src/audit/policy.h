/*
 * policy.h - what an audit demands: rules with scopes, and waivers for what is known.
 *
 * A policy is a text file of sections:
 *
 *     [policy]
 *     name = Mail rules of Example
 *
 *     [rules]                          for everybody
 *     clear-text-login = forbid
 *     tls-version-min = 1.2
 *
 *     [rules old branch]               for these; the last section that fits and names the rule
 *     server = 192.0.2.0/24, *.branch.example
 *     tls-version-min = 1.0
 *
 *     [waiver scanner on floor 3]
 *     rule = clear-text-login
 *     client = 192.0.2.77
 *     until = 2027-01-31
 *     reason = is replaced in January
 *
 * It is read strictly: what is not known is an error that names the line. A policy is constant
 * after it was read.
 */
#ifndef SW_AUDIT_POLICY_H
#define SW_AUDIT_POLICY_H

#include "audit/fact.h"
#include "base/network.h"
#include "base/status.h"

/* How the text behind a rule's key is read. */
enum sw_rule_value {
    SW_RULE_VALUE_FORBID,   /* forbid, allow */
    SW_RULE_VALUE_REQUIRE,  /* require, ignore */
    SW_RULE_VALUE_VERSION,  /* 1.0 to 1.3 */
    SW_RULE_VALUE_DAYS,     /* 14 */
    SW_RULE_VALUE_DURATION, /* 500ms, 10s, 2min */
    SW_RULE_VALUE_PERCENT,  /* 5%, 0.5% */
    SW_RULE_VALUE_LEVEL,    /* info to critical */
    SW_RULE_VALUE_FINDINGS, /* ids */
};

/* Whom a result is about. */
enum sw_subject_kind {
    SW_SUBJECT_SERVER,
    SW_SUBJECT_CLIENT,
    SW_SUBJECT_USER,
    SW_SUBJECT_CERTIFICATE,
    SW_SUBJECT_KINDS,
};

enum sw_rule {
#define SW_RULE(symbol, key, value, subject, example, demand, broken) SW_RULE_##symbol,
#include "audit/rule.def"
#undef SW_RULE
    SW_RULE_COUNT,
};

struct sw_rule_info {
    const char *key;
    enum sw_rule_value value;
    enum sw_subject_kind subject;
    const char *example;
    const char *demand;
    const char *broken;
};

const struct sw_rule_info *sw_rule_info(enum sw_rule rule);
/* "server", "client", "user", "certificate". */
const char *sw_subject_kind_name(enum sw_subject_kind kind);

enum { SW_FINDING_WORDS = (SW_FINDING_COUNT + 63) / 64 };

/* What a section says of one rule. */
struct sw_demand {
    bool given;    /* the section names the rule */
    bool off;      /* and switches it off */
    int64_t limit; /* a version 0x0303, days, nanoseconds, parts of a million, enum sw_severity */
    uint64_t findings[SW_FINDING_WORDS]; /* FINDINGS: 1 << id */
    const char *text;                    /* as it is written */
};

struct sw_pattern; /* an address range, or a name with '*' */

/* Whom a section is about; an empty list is everybody. */
struct sw_scope {
    struct sw_pattern *clients, *servers, *users;
};

struct sw_policy_section {
    struct sw_policy_section *next;
    const char *title; /* behind "rules", may be empty */
    struct sw_scope scope;
    struct sw_demand demands[SW_RULE_COUNT];
    unsigned line;
};

struct sw_waiver {
    struct sw_waiver *next;
    const char *title, *reason;
    struct sw_scope scope;
    bool rules[SW_RULE_COUNT];
    uint64_t findings[SW_FINDING_WORDS]; /* `finding =`: for the rules about findings, these only */
    bool by_finding;
    int64_t until_ns;  /* sessions that begin before it are covered */
    const char *until; /* as it is written */
    unsigned line;
    unsigned index;
};

struct sw_policy;

/*
 * Reads a policy. `path` is kept for messages; "default" is the policy that is built in
 * (sw_policy_default_text). NULL: *status says what is wrong, with file and line.
 */
struct sw_policy *sw_policy_read(const char *path, struct sw_status *status);
/* The same from memory; `name` stands for the file in messages. */
struct sw_policy *sw_policy_parse(const char *name, struct sw_span text, struct sw_status *status);
void sw_policy_free(struct sw_policy *policy);
const char *sw_policy_default_text(void);

/* The title that [policy] gives, or the file's name. */
const char *sw_policy_name(const struct sw_policy *policy);
const struct sw_waiver *sw_policy_waivers(const struct sw_policy *policy);
/* What is demanded of a session by one rule, or NULL when nothing is; `user` may be empty. */
const struct sw_demand *sw_policy_demand(const struct sw_policy *policy, enum sw_rule rule,
                                         const struct sw_fact *fact, struct sw_span user);
/* The waiver that covers a failure, or NULL. `finding` is SW_FINDING_COUNT but for the rules about
 * findings. */
const struct sw_waiver *sw_policy_waiver(const struct sw_policy *policy, enum sw_rule rule,
                                         enum sw_finding_id finding, const struct sw_fact *fact,
                                         struct sw_span user);
/*
 * Where a policy draws lines between sessions that are otherwise alike: those with a measure on the
 * same side of every limit, in the same time between the ends of waivers, are judged alike.
 */
enum sw_policy_cut {
    SW_CUT_TIME,     /* sessions from this time on */
    SW_CUT_GREETING, /* greetings later than so many nanoseconds */
    SW_CUT_DAYS,     /* certificates good for at least so many days */
};
void sw_policy_cuts(const struct sw_policy *policy,
                    void (*cut)(void *ctx, enum sw_policy_cut kind, int64_t at), void *ctx);
/* The same of clients: those that are in the same of these networks are judged alike. */
void sw_policy_networks(const struct sw_policy *policy,
                        void (*take)(void *ctx, const struct sw_network *network), void *ctx);
/* The demand of the first section that names the rule, for headings; NULL when none does. */
const char *sw_policy_rule_text(const struct sw_policy *policy, enum sw_rule rule);

#endif
