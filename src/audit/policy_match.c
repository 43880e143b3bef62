/*
 * policy_match.c - what a policy demands of one session, and which waiver covers a failure.
 */
#include "audit/policy_inside.h"

/* '*' is any run of characters; ASCII case does not matter. Linear: only the last '*' is ever
 * tried again. */
static bool name_fits(struct sw_span pattern, struct sw_span name)
{
    size_t p = 0;
    size_t star = SIZE_MAX;
    size_t resume = 0;
    size_t n = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.len &&
                   sw_ascii_lower(pattern.ptr[p]) == sw_ascii_lower(name.ptr[n])) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

/* Does one of them fit? An empty list fits everybody. `address` may be NULL. */
static bool list_fits(const struct sw_pattern *list, const uint8_t *address, int ip_version,
                      struct sw_span name)
{
    const struct sw_pattern *pattern;
    if (!list)
        return true;
    SW_EACH(pattern, list) {
        if (pattern->is_network) {
            if (address && sw_network_holds(&pattern->network, address, ip_version))
                return true;
        } else if (name.len > 0 && name_fits(pattern->name, name)) {
            return true;
        }
    }
    return false;
}

/* Who is asked about; where that is nobody, all who logged in. */
static bool user_fits(const struct sw_pattern *list, const struct sw_fact *fact,
                      struct sw_span user)
{
    if (!list || user.len > 0)
        return list_fits(list, NULL, 0, user);
    for (unsigned i = 0; i < fact->login_count; i++) {
        if (list_fits(list, NULL, 0, fact->logins[i].user))
            return true;
    }
    return false;
}

static bool scope_fits(const struct sw_scope *scope, const struct sw_fact *fact,
                       struct sw_span user)
{
    struct sw_span no_name = {NULL, 0};
    return list_fits(scope->clients, fact->client, fact->ip_version, no_name) &&
           list_fits(scope->servers, fact->has_server ? fact->server : NULL, fact->ip_version,
                     fact->server_name) &&
           user_fits(scope->users, fact, user);
}

const struct sw_demand *sw_policy_demand(const struct sw_policy *policy, enum sw_rule rule,
                                         const struct sw_fact *fact, struct sw_span user)
{
    const struct sw_demand *found = policy->always[rule];
    const struct sw_policy_section *section;
    if (found)
        return found->off ? NULL : found;
    SW_EACH(section, policy->sections) {
        const struct sw_demand *demand = &section->demands[rule];
        if (demand->given && scope_fits(&section->scope, fact, user))
            found = demand;
    }
    return found && !found->off ? found : NULL;
}

void sw_policy_cuts(const struct sw_policy *policy,
                    void (*cut)(void *ctx, enum sw_policy_cut kind, int64_t at), void *ctx)
{
    const struct sw_policy_section *section;
    const struct sw_waiver *waiver;
    SW_EACH(section, policy->sections) {
        if (section->demands[SW_RULE_GREETING_DELAY_MAX].given)
            cut(ctx, SW_CUT_GREETING, section->demands[SW_RULE_GREETING_DELAY_MAX].limit);
        if (section->demands[SW_RULE_CERTIFICATE_DAYS_MIN].given)
            cut(ctx, SW_CUT_DAYS, section->demands[SW_RULE_CERTIFICATE_DAYS_MIN].limit);
    }
    SW_EACH(waiver, policy->waivers)
        cut(ctx, SW_CUT_TIME, waiver->until_ns);
}

static void each_network(const struct sw_scope *scope,
                         void (*take)(void *ctx, const struct sw_network *network), void *ctx)
{
    const struct sw_pattern *pattern;
    SW_EACH(pattern, scope->clients) {
        if (pattern->is_network)
            take(ctx, &pattern->network);
    }
}

void sw_policy_networks(const struct sw_policy *policy,
                        void (*take)(void *ctx, const struct sw_network *network), void *ctx)
{
    const struct sw_policy_section *section;
    const struct sw_waiver *waiver;
    SW_EACH(section, policy->sections)
        each_network(&section->scope, take, ctx);
    SW_EACH(waiver, policy->waivers)
        each_network(&waiver->scope, take, ctx);
}

const char *sw_policy_rule_text(const struct sw_policy *policy, enum sw_rule rule)
{
    const struct sw_policy_section *section;
    SW_EACH(section, policy->sections) {
        if (section->demands[rule].given && !section->demands[rule].off)
            return section->demands[rule].text;
    }
    return NULL;
}

const struct sw_waiver *sw_policy_waiver(const struct sw_policy *policy, enum sw_rule rule,
                                         enum sw_finding_id finding, const struct sw_fact *fact,
                                         struct sw_span user)
{
    const struct sw_waiver *waiver;
    SW_EACH(waiver, policy->waivers) {
        bool named = waiver->rules[rule] || (finding != SW_FINDING_COUNT && waiver->by_finding &&
                                             sw_policy_has_finding(waiver->findings, finding));
        if (named && fact->start_ns < waiver->until_ns && scope_fits(&waiver->scope, fact, user))
            return waiver;
    }
    return NULL;
}
