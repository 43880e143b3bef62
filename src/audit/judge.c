/*
 * judge.c - the rules: what each one asks of a session, and how its results stand in the end.
 *
 * A session that does not show what a rule asks for is not measurable, which is neither passed nor
 * failed.
 */
#include "audit/audit_inside.h"

#include "base/time.h"

#define NS_PER_DAY (INT64_C(86400) * SW_NS_PER_S)

/* What one session says about one rule. */
struct observation {
    enum sw_mark_of mark;
    bool measured; /* `value` is a measure in the unit of the limit */
    int64_t value;
    uint64_t frame;
    enum sw_finding_id finding; /* that failed it, or SW_FINDING_COUNT */
};

/* False: the question does not come up in this session. */
typedef bool observe_fn(const struct sw_fact *fact, const struct sw_demand *demand,
                        struct observation *o);

static bool observe_seen(enum sw_seen seen, bool yes_is_good, uint64_t frame, struct observation *o)
{
    o->frame = frame;
    switch (seen) {
    case SW_SEEN_NOTHING:
        return false;
    case SW_SEEN_UNCLEAR:
        o->mark = SW_MARK_UNMEASURABLE;
        return true;
    case SW_SEEN_YES:
        o->mark = yes_is_good ? SW_MARK_PASSED : SW_MARK_FAILED;
        return true;
    case SW_SEEN_NO:
        o->mark = yes_is_good ? SW_MARK_FAILED : SW_MARK_PASSED;
        return true;
    }
    return false;
}

static bool observe_clear_mail(const struct sw_fact *fact, const struct sw_demand *demand,
                               struct observation *o)
{
    (void)demand;
    return observe_seen(fact->clear_mail, false, fact->clear_mail_frame, o);
}

static bool observe_starttls(const struct sw_fact *fact, const struct sw_demand *demand,
                             struct observation *o)
{
    (void)demand;
    return observe_seen(fact->starttls, true, fact->starttls_frame, o);
}

static void measure(struct observation *o, int64_t value, bool good, uint64_t frame)
{
    o->measured = true;
    o->value = value;
    o->frame = frame;
    o->mark = good ? SW_MARK_PASSED : SW_MARK_FAILED;
}

static bool observe_tls_version(const struct sw_fact *fact, const struct sw_demand *demand,
                                struct observation *o)
{
    if (!observe_seen(fact->tls, true, fact->tls_frame, o))
        return false;
    if (fact->tls == SW_SEEN_YES)
        measure(o, fact->tls_version, fact->tls_version >= demand->limit, fact->tls_frame);
    return true;
}

static bool observe_certificate(const struct sw_fact *fact, const struct sw_demand *demand,
                                struct observation *o)
{
    /* how long it is still good is asked by the next rule */
    const uint32_t harmless = 1u << SW_CERTIFICATE_EXPIRES_SOON;
    (void)demand;
    if (!observe_seen(fact->certified, true, fact->certificate.frame, o))
        return false;
    if (fact->certificate.known && (fact->certificate.problems & ~harmless) != 0)
        o->mark = SW_MARK_FAILED;
    return true;
}

static bool observe_certificate_days(const struct sw_fact *fact, const struct sw_demand *demand,
                                     struct observation *o)
{
    int64_t end_ns = 0;
    if (!observe_seen(fact->certified, true, fact->certificate.frame, o))
        return false;
    if (!fact->certificate.known)
        return true;
    if (sw_time_parse(fact->certificate.not_after, &end_ns) != 0) {
        o->mark = SW_MARK_UNMEASURABLE;
        return true;
    }
    int64_t left_ns = sw_time_between(sw_fact_last_ns(fact), end_ns);
    int64_t days = left_ns >= 0 ? left_ns / NS_PER_DAY : -((NS_PER_DAY - 1 - left_ns) / NS_PER_DAY);
    measure(o, days, days >= demand->limit, fact->certificate.frame);
    return true;
}

static bool observe_greeting(const struct sw_fact *fact, const struct sw_demand *demand,
                             struct observation *o)
{
    if (fact->greeting_delay_ns == SW_TIME_NONE) {
        if (fact->greeting_wait_ns > demand->limit)
            measure(o, fact->greeting_wait_ns, false, fact->greeting_frame);
        else /* it ended too soon to tell */
            o->mark = SW_MARK_UNMEASURABLE;
        return fact->greeting_due;
    }
    measure(o, fact->greeting_delay_ns, fact->greeting_delay_ns <= demand->limit,
            fact->greeting_frame);
    return true;
}

/* The sessions are counted; the rate is judged in the end. */
static bool observe_failure(const struct sw_fact *fact, const struct sw_demand *demand,
                            struct observation *o)
{
    (void)demand;
    switch (fact->outcome) {
    case SW_OUTCOME_DELIVERED:
        o->mark = SW_MARK_PASSED;
        return true;
    case SW_OUTCOME_PARTIAL:
    case SW_OUTCOME_STUCK:
        o->mark = SW_MARK_FAILED;
        return true;
    case SW_OUTCOME_UNKNOWN:
        o->mark = SW_MARK_UNMEASURABLE;
        return true;
    case SW_OUTCOME_NO_MAIL:
    case SW_OUTCOME_COUNT:
        break;
    }
    return false;
}

static bool is_objected(enum sw_rule rule, const struct sw_demand *demand,
                        const struct sw_fact_finding *finding)
{
    if (rule == SW_RULE_FINDING_MAX)
        return (int64_t)finding->severity > demand->limit;
    return (demand->findings[finding->id / 64] >> (finding->id % 64) & 1) != 0;
}

/* Parts of the dialogue are missing: something may have been found in them. */
static bool has_holes(const struct sw_fact *fact)
{
    return fact->login == SW_SEEN_UNCLEAR || fact->clear_mail == SW_SEEN_UNCLEAR ||
           fact->starttls == SW_SEEN_UNCLEAR;
}

/* The first finding that no waiver covers; with waivers for all, the first one. */
static void observe_findings(const struct sw_audit *audit, const struct sw_fact *fact,
                             enum sw_rule rule, const struct sw_demand *demand,
                             struct observation *o)
{
    struct sw_span nobody = {NULL, 0};
    o->mark = has_holes(fact) ? SW_MARK_UNMEASURABLE : SW_MARK_PASSED;
    for (unsigned i = 0; i < fact->finding_count; i++) {
        const struct sw_fact_finding *finding = &fact->findings[i];
        if (!is_objected(rule, demand, finding))
            continue;
        bool waived = sw_policy_waiver(audit->policy, rule, finding->id, fact, nobody) != NULL;
        if (o->mark == SW_MARK_FAILED && waived)
            continue;
        o->mark = SW_MARK_FAILED;
        o->finding = finding->id;
        o->frame = finding->frame;
        if (!waived)
            return;
    }
}

static observe_fn *const observers[SW_RULE_COUNT] = {
    [SW_RULE_CLEAR_TEXT_MAIL] = observe_clear_mail,
    [SW_RULE_STARTTLS] = observe_starttls,
    [SW_RULE_TLS_VERSION_MIN] = observe_tls_version,
    [SW_RULE_CERTIFICATE] = observe_certificate,
    [SW_RULE_CERTIFICATE_DAYS_MIN] = observe_certificate_days,
    [SW_RULE_GREETING_DELAY_MAX] = observe_greeting,
    [SW_RULE_FAILURE_RATE_MAX] = observe_failure,
};

/* A minimum is the stricter the higher it is, and the worst measure is the lowest. */
static bool is_minimum(enum sw_rule rule)
{
    return rule == SW_RULE_TLS_VERSION_MIN || rule == SW_RULE_CERTIFICATE_DAYS_MIN;
}

/* The strictest limit and the worst measure are kept. */
static void note_limit(struct sw_audit_row *result, int64_t limit, bool first)
{
    bool lowest = is_minimum(result->rule);
    if (first || (lowest ? limit > result->limit : limit < result->limit))
        result->limit = limit;
}

static void note_measure(struct sw_audit_row *result, int64_t value)
{
    bool lowest = is_minimum(result->rule);
    if (!result->has_worst || (lowest ? value < result->worst : value > result->worst))
        result->worst = value;
    result->has_worst = true;
}

static void note_waiver(struct sw_audit_row *result, const struct sw_waiver *waiver)
{
    if (!result->waiver || waiver->index < result->waiver->index)
        result->waiver = waiver;
}

/* What other sessions than those that failed have tells nothing once one failed. Returns where to
 * count what is wrong in sessions that failed or did not, or NULL: not at all. */
static struct sw_problem_counts *problems_of(struct sw_audit *audit, struct sw_audit_row *result,
                                             bool failed)
{
    bool failed_before = result->marks[SW_MARK_FAILED] > 0;
    if (failed_before && !failed)
        return NULL;
    if (!result->problems)
        result->problems = SW_ARENA_NEW(&audit->arena, struct sw_problem_counts);
    else if (failed && !failed_before)
        *result->problems = (struct sw_problem_counts){{0}};
    return result->problems;
}

void sw_audit_merge_rule(struct sw_audit *audit, struct sw_audit_row *into,
                         const struct sw_audit_row *from, bool fresh)
{
    note_limit(into, from->limit, fresh);
    if (from->has_worst)
        note_measure(into, from->worst);
    struct sw_problem_counts *counts =
        from->problems ? problems_of(audit, into, from->marks[SW_MARK_FAILED] > 0) : NULL;
    if (counts)
        sw_problems_merge(counts, from->problems);
    if (from->waiver)
        note_waiver(into, from->waiver);
    for (int i = 0; i < SW_MARKS; i++)
        into->marks[i] += from->marks[i];
}

static void tell(const struct sw_audit *audit, enum sw_rule rule, const struct sw_demand *demand,
                 const struct observation *o, struct sw_span user)
{
    const struct sw_judgement judgement = {.rule = rule,
                                           .mark = o->mark,
                                           .demand = demand,
                                           .user = user,
                                           .measured = o->measured,
                                           .value = o->value,
                                           .frame = o->frame,
                                           .finding = o->finding};
    if (audit->hear)
        audit->hear(audit->hear_ctx, &judgement);
}

static void count_problems(struct sw_audit *audit, struct sw_audit_row *result,
                           const struct sw_fact *fact, enum sw_mark_of mark)
{
    struct sw_problem_counts *counts = problems_of(audit, result, mark == SW_MARK_FAILED);
    if (counts)
        sw_problems_add(counts, fact->certificate.problems, sw_fact_count(fact));
}

/* Counts one observation at its subject. */
static void record(struct sw_audit *audit, const struct sw_fact *fact, enum sw_rule rule,
                   const struct sw_demand *demand, struct observation *o, struct sw_place *place,
                   struct sw_span user)
{
    const struct sw_waiver *waiver =
        o->mark == SW_MARK_FAILED ? sw_policy_waiver(audit->policy, rule, o->finding, fact, user)
                                  : NULL;
    if (waiver)
        o->mark = SW_MARK_WAIVED;
    tell(audit, rule, demand, o, user);
    struct sw_tally *tally = sw_audit_count(audit, place, sw_topic_of_rule(rule), fact);
    if (!tally)
        return;
    struct sw_audit_row *result = &tally->entry->result;
    note_limit(result, demand->limit, tally->count == sw_fact_count(fact));
    if (o->measured)
        note_measure(result, o->value);
    if (rule == SW_RULE_CERTIFICATE && fact->certificate.problems)
        count_problems(audit, result, fact, o->mark);
    if (waiver)
        note_waiver(result, waiver);
    if (o->mark == SW_MARK_FAILED) {
        if (result->marks[SW_MARK_FAILED] == 0) /* failures outrank what was shown so far */
            result->example.session[0] = '\0';
        (void)sw_example_offer(&audit->files, &result->example, fact, o->frame);
    } else if (result->marks[SW_MARK_FAILED] == 0) {
        (void)sw_example_offer(&audit->files, &result->example, fact, o->frame);
    }
    result->marks[o->mark] += sw_fact_count(fact);
}

/* Another login of the same user in the same session: they are judged together. */
static bool is_repeated(const struct sw_fact *fact, unsigned index)
{
    for (unsigned i = 0; i < index; i++) {
        if (sw_span_eq(fact->logins[i].user, fact->logins[index].user))
            return true;
    }
    return false;
}

/* One exposed login of the user is enough. */
static struct observation observe_user(const struct sw_fact *fact, struct sw_span user)
{
    struct observation o = {.mark = SW_MARK_PASSED, .finding = SW_FINDING_COUNT};
    for (unsigned i = 0; i < fact->login_count; i++) {
        const struct sw_fact_login *login = &fact->logins[i];
        if (!sw_span_eq(login->user, user) || o.mark == SW_MARK_FAILED)
            continue;
        if (o.frame == 0 || login->exposed)
            o.frame = login->frame;
        if (login->exposed)
            o.mark = SW_MARK_FAILED;
    }
    return o;
}

static void judge_login(struct sw_audit *audit, const struct sw_fact *fact, struct sw_span user,
                        struct observation *o)
{
    const enum sw_rule rule = SW_RULE_CLEAR_TEXT_LOGIN;
    const struct sw_demand *demand = sw_policy_demand(audit->policy, rule, fact, user);
    struct sw_place place = {.subject = sw_subject_user(fact, user)};
    if (demand)
        record(audit, fact, rule, demand, o, &place, user);
}

static void judge_logins(struct sw_audit *audit, const struct sw_fact *fact)
{
    if (fact->login == SW_SEEN_UNCLEAR || fact->login == SW_SEEN_NO) {
        struct observation o = {.mark = fact->login == SW_SEEN_NO ? SW_MARK_PASSED
                                                                  : SW_MARK_UNMEASURABLE,
                                .finding = SW_FINDING_COUNT};
        judge_login(audit, fact, (struct sw_span){NULL, 0}, &o);
    }
    for (unsigned i = 0; i < fact->login_count; i++) {
        struct observation o = observe_user(fact, fact->logins[i].user);
        if (!is_repeated(fact, i))
            judge_login(audit, fact, fact->logins[i].user, &o);
    }
}

void sw_audit_judge(struct sw_audit *audit, const struct sw_fact *fact, struct sw_place *server)
{
    struct sw_span nobody = {NULL, 0};
    struct sw_place certificate = {.subject = sw_subject_certificate(fact)};
    judge_logins(audit, fact);
    for (int i = 0; i < SW_RULE_COUNT; i++) {
        enum sw_rule rule = (enum sw_rule)i;
        struct observation o = {.mark = SW_MARK_PASSED, .finding = SW_FINDING_COUNT};
        const struct sw_demand *demand = sw_policy_demand(audit->policy, rule, fact, nobody);
        if (!demand || rule == SW_RULE_CLEAR_TEXT_LOGIN)
            continue;
        if (!observers[rule])
            observe_findings(audit, fact, rule, demand, &o);
        else if (!observers[rule](fact, demand, &o))
            continue;
        bool shown =
            sw_rule_info(rule)->subject == SW_SUBJECT_CERTIFICATE && fact->certificate.known;
        record(audit, fact, rule, demand, &o, shown ? &certificate : server, nobody);
    }
}

static void settle_rate(struct sw_audit_row *result)
{
    uint64_t failed = result->marks[SW_MARK_FAILED];
    uint64_t tried = failed + result->marks[SW_MARK_PASSED];
    if (tried == 0)
        return;
    result->has_worst = true;
    result->worst = (int64_t)((double)failed * 1e6 / (double)tried);
    result->mark = result->worst > result->limit ? SW_MARK_FAILED : SW_MARK_PASSED;
}

void sw_audit_settle(const struct sw_audit *audit, struct sw_audit_row *result)
{
    (void)audit;
    if (result->marks[SW_MARK_FAILED] > 0)
        result->mark = SW_MARK_FAILED;
    else if (result->marks[SW_MARK_WAIVED] > 0)
        result->mark = SW_MARK_WAIVED;
    else if (result->marks[SW_MARK_PASSED] > 0)
        result->mark = SW_MARK_PASSED;
    else
        result->mark = SW_MARK_UNMEASURABLE;
    if (result->rule == SW_RULE_FAILURE_RATE_MAX)
        settle_rate(result);
}
