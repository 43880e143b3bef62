#include "report/select.h"

#include "report/view.h"

#include <stdio.h>

#include "base/time.h"

static bool say(char *message, const char *what, struct sw_span value, const char *help)
{
    (void)snprintf(message, SW_SELECT_MESSAGE_BYTES, "%s '%.*s'%s", what,
                   (int)(value.len < 80 ? value.len : 80), (const char *)value.ptr, help);
    return false;
}

/* A list has one item at least: an empty one is nothing that is known, and says so. */
static struct sw_span next_item(struct sw_span *rest)
{
    struct sw_span item = *rest;
    (void)sw_span_item(rest, &item);
    return item;
}

bool sw_select_only(struct sw_select *select, const char *value, char *message)
{
    struct sw_span rest = sw_span_str(value);
    do {
        struct sw_span item = next_item(&rest);
        int found = -1;
        for (int i = 0; i < SW_OUTCOME_COUNT; i++) {
            if (sw_span_eq(item, sw_span_str(sw_outcome_name((enum sw_outcome)i))))
                found = i;
        }
        if (found < 0)
            return say(message, "there is no outcome", item,
                       "; outcomes are delivered, partial, stuck, no-mail and unknown");
        select->outcomes[found] = true;
    } while (rest.len > 0);
    select->by_outcome = true;
    select->any = true;
    return true;
}

static bool read_cause(struct sw_span item, enum sw_cause *cause, char *message)
{
    *cause = sw_cause_by_id(item);
    if (*cause == SW_CAUSE_NONE)
        return say(message, "there is no cause", item, "; 'smtpwhy causes' lists them all");
    return true;
}

bool sw_select_cause(struct sw_select *select, const char *value, char *message)
{
    struct sw_span rest = sw_span_str(value);
    do {
        struct sw_span item = next_item(&rest);
        enum sw_cause cause = SW_CAUSE_NONE;
        if (!read_cause(item, &cause, message))
            return false;
        select->causes[cause] = true;
    } while (rest.len > 0);
    select->by_cause = true;
    select->any = true;
    return true;
}

static bool add_nets(struct sw_network *nets, unsigned *count, const char *value, char *message)
{
    struct sw_span rest = sw_span_str(value);
    do {
        struct sw_span item = next_item(&rest);
        if (*count == SW_SELECT_NETS)
            return say(message, "too many networks, at", item, "");
        if (!sw_network_parse(item, &nets[*count]))
            return say(message, "not an IP address or network:", item,
                       "; write for example 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32");
        (*count)++;
    } while (rest.len > 0);
    return true;
}

bool sw_select_client(struct sw_select *select, const char *value, char *message)
{
    select->any = true;
    return add_nets(select->clients, &select->client_count, value, message);
}

bool sw_select_server(struct sw_select *select, const char *value, char *message)
{
    select->any = true;
    return add_nets(select->servers, &select->server_count, value, message);
}

static bool read_time(const char *value, int64_t *time_ns, char *message)
{
    if (sw_time_parse(value, time_ns) != 0)
        return say(message, "not a time:", sw_span_str(value),
                   "; write for example 2024-05-01T10:00:00Z (UTC without a zone)");
    return true;
}

bool sw_select_since(struct sw_select *select, const char *value, char *message)
{
    select->any = true;
    select->has_since = true;
    return read_time(value, &select->since_ns, message);
}

bool sw_select_until(struct sw_select *select, const char *value, char *message)
{
    select->any = true;
    select->has_until = true;
    return read_time(value, &select->until_ns, message);
}

static bool read_fail_item(struct sw_select *select, struct sw_span item, char *message)
{
    struct sw_span with_level = SW_SPAN_LIT("finding:");
    if (sw_span_eq(item, SW_SPAN_LIT("stuck"))) {
        select->fail_stuck = true;
        return true;
    }
    if (sw_span_eq(item, SW_SPAN_LIT("worse"))) {
        select->fail_worse = true;
        return true;
    }
    if (sw_span_eq(item, SW_SPAN_LIT("finding"))) {
        select->fail_finding = true;
        select->fail_severity = SW_SEVERITY_INFO;
        return true;
    }
    if (sw_span_starts(item, with_level)) {
        struct sw_span level = sw_span_from(item, with_level.len);
        enum sw_severity severity;
        if (!sw_severity_by_name(level, &severity))
            return say(message, "there is no severity", level,
                       "; severities are info, low, medium, high and critical");
        if (!select->fail_finding || severity < select->fail_severity)
            select->fail_severity = severity;
        select->fail_finding = true;
        return true;
    }
    enum sw_cause cause = sw_cause_by_id(item);
    if (cause == SW_CAUSE_NONE)
        return say(message, "nothing to fail on is named", item,
                   "; give stuck, finding, finding:LEVEL or the id of a cause ('smtpwhy causes')");
    select->fail_causes[cause] = true;
    return true;
}

bool sw_select_fail_on(struct sw_select *select, const char *value, char *message)
{
    struct sw_span rest = sw_span_str(value);
    do {
        struct sw_span item = next_item(&rest);
        if (!read_fail_item(select, item, message))
            return false;
    } while (rest.len > 0);
    select->fail_given = true;
    return true;
}

static bool in_nets(const struct sw_network *nets, unsigned count, const uint8_t address[16],
                    int ip_version)
{
    for (unsigned i = 0; i < count; i++) {
        if (sw_network_holds(&nets[i], address, ip_version))
            return true;
    }
    return count == 0;
}

static bool shows(const struct sw_select *select, const struct sw_tuple *t, bool has_server,
                  int64_t start_ns, enum sw_outcome outcome, enum sw_cause cause)
{
    if (!select || !select->any)
        return true;
    return (!select->by_outcome || select->outcomes[outcome]) &&
           (!select->by_cause || select->causes[cause]) &&
           in_nets(select->clients, select->client_count, t->src, t->ip_version) &&
           (select->server_count == 0 ||
            (has_server &&
             in_nets(select->servers, select->server_count, t->dst, t->ip_version))) &&
           (!select->has_since || start_ns >= select->since_ns) &&
           (!select->has_until || start_ns < select->until_ns);
}

bool sw_select_shows(const struct sw_select *select, const struct sw_session *session,
                     const struct sw_verdict *verdict)
{
    const struct sw_flow_facts *facts = session->facts;
    return shows(select, &facts->tuple, sw_view_has_server(session), facts->first.time_ns,
                 verdict->outcome, verdict->cause);
}

bool sw_select_shows_hosts(const struct sw_select *select, const struct sw_flow_facts *facts)
{
    if (!select || !select->any)
        return true;
    const struct sw_tuple *t = &facts->tuple;
    return (!select->by_outcome || select->outcomes[SW_OUTCOME_STUCK]) &&
           in_nets(select->clients, select->client_count, t->src, t->ip_version) &&
           in_nets(select->servers, select->server_count, t->dst, t->ip_version);
}

bool sw_select_shows_attempt(const struct sw_select *select,
                             const struct sw_delivery_attempt *attempt)
{
    return shows(select, &attempt->tuple, attempt->has_server, attempt->start_ns, attempt->outcome,
                 attempt->cause);
}

bool sw_select_fails(const struct sw_select *select, const struct sw_session *session,
                     const struct sw_verdict *verdict)
{
    (void)session;
    if (!select || !select->fail_given)
        return false;
    if (select->fail_causes[verdict->cause])
        return true;
    const struct sw_finding *finding;
    SW_EACH(finding, verdict->findings) {
        if (select->fail_finding && finding->severity >= select->fail_severity)
            return true;
    }
    return false;
}

bool sw_select_shows_fact(const struct sw_select *select, const struct sw_fact *fact)
{
    struct sw_tuple tuple = {.ip_version = fact->ip_version};
    memcpy(tuple.src, fact->client, sizeof(tuple.src));
    memcpy(tuple.dst, fact->server, sizeof(tuple.dst));
    return shows(select, &tuple, fact->has_server, fact->start_ns, fact->outcome, fact->cause);
}

bool sw_select_fails_fact(const struct sw_select *select, const struct sw_fact *fact)
{
    if (!select || !select->fail_given)
        return false;
    if (select->fail_causes[fact->cause])
        return true;
    for (unsigned i = 0; i < fact->finding_count; i++) {
        if (select->fail_finding && fact->findings[i].severity >= select->fail_severity)
            return true;
    }
    return false;
}

bool sw_select_fails_stuck(const struct sw_select *select, enum sw_outcome outcome)
{
    return select && select->fail_given && select->fail_stuck && outcome == SW_OUTCOME_STUCK;
}
