#include "analyzer/cause.h"

#include "analyzer/cause_wording.h"

static const struct sw_cause_info infos[SW_CAUSE_COUNT] = {
    [SW_CAUSE_NONE] = {"", 1, SW_CAUSE_NONE, SW_FAMILY_UNKNOWN, SW_ACTOR_NONE, SW_PERMANENCE_NONE},
#define SW_CAUSE(symbol, id, tier, parent, family, actor, permanence)                              \
    [SW_CAUSE_##symbol] = {id,                                                                     \
                           tier,                                                                   \
                           SW_CAUSE_##parent,                                                      \
                           SW_FAMILY_##family,                                                     \
                           SW_ACTOR_##actor,                                                       \
                           SW_PERMANENCE_##permanence},
#include "analyzer/cause.def"
#undef SW_CAUSE
};

/* The only cause of "quit" follows those of "session" in cause.def and shares their table. */
static const struct sw_wording_table *const tables[SW_FAMILY_COUNT] = {
    [SW_FAMILY_DNS] = &sw_wording_dns,
    [SW_FAMILY_ROUTE] = &sw_wording_route,
    [SW_FAMILY_TCP_CONNECT] = &sw_wording_tcp_connect,
    [SW_FAMILY_GREETING] = &sw_wording_greeting,
    [SW_FAMILY_PORTMODE] = &sw_wording_portmode,
    [SW_FAMILY_MIDDLEBOX] = &sw_wording_middlebox,
    [SW_FAMILY_HELLO] = &sw_wording_hello,
    [SW_FAMILY_STARTTLS] = &sw_wording_starttls,
    [SW_FAMILY_TLS] = &sw_wording_tls,
    [SW_FAMILY_AUTH] = &sw_wording_auth,
    [SW_FAMILY_MAIL] = &sw_wording_mail,
    [SW_FAMILY_RCPT] = &sw_wording_rcpt,
    [SW_FAMILY_DATA] = &sw_wording_data,
    [SW_FAMILY_SESSION] = &sw_wording_session,
    [SW_FAMILY_QUIT] = &sw_wording_session,
    [SW_FAMILY_OUTCOME] = &sw_wording_outcome,
    [SW_FAMILY_UNKNOWN] = &sw_wording_unknown,
};

const struct sw_cause_info *sw_cause_info(enum sw_cause cause)
{
    return &infos[cause < SW_CAUSE_COUNT ? cause : SW_CAUSE_NONE];
}

const struct sw_cause_wording *sw_cause_wording(enum sw_cause cause)
{
    static const struct sw_cause_wording none = {
        .summary = "", .meaning = "", .advice = {NULL}, .references = ""};
    if (cause == SW_CAUSE_NONE || cause >= SW_CAUSE_COUNT)
        return &none;
    const struct sw_wording_table *table = tables[infos[cause].family];
    size_t at = (size_t)cause - (size_t)table->first;
    return cause >= table->first && at < table->count ? &table->rows[at] : &none;
}

const struct sw_cause_wording *sw_cause_wording_of_code(enum sw_cause cause, int code)
{
    bool goes_on = cause == SW_CAUSE_SESSION_421_SHUTDOWN && code > 421 && code < 500;
    return goes_on ? &sw_wording_session_busy : sw_cause_wording(cause);
}

const char *sw_cause_name(enum sw_cause cause)
{
    return sw_cause_info(cause)->id;
}

enum sw_cause sw_cause_by_id(struct sw_span id)
{
    for (unsigned i = SW_CAUSE_NONE + 1; i < SW_CAUSE_COUNT; i++) {
        if (sw_span_eq_nocase(id, sw_span_str(infos[i].id)))
            return (enum sw_cause)i;
    }
    return SW_CAUSE_NONE;
}

const char *sw_actor_name(enum sw_actor actor)
{
    static const char *const names[SW_ACTOR_COUNT] = {
        [SW_ACTOR_NONE] = "none",
        [SW_ACTOR_SENDER_CLIENT] = "sender-client",
        [SW_ACTOR_SENDER_NETWORK] = "sender-network",
        [SW_ACTOR_SENDER_ADMIN] = "sender-admin",
        [SW_ACTOR_SERVER_ADMIN] = "server-admin",
        [SW_ACTOR_RECIPIENT_SIDE] = "recipient-side",
        [SW_ACTOR_MIDDLEBOX] = "middlebox",
    };
    return names[actor < SW_ACTOR_COUNT ? actor : SW_ACTOR_NONE];
}

const char *sw_permanence_name(enum sw_permanence permanence)
{
    static const char *const names[SW_PERMANENCE_COUNT] = {
        [SW_PERMANENCE_NONE] = "none",
        [SW_PERMANENCE_TEMPORARY] = "temporary",
        [SW_PERMANENCE_PERMANENT] = "permanent",
        [SW_PERMANENCE_UNKNOWN] = "unknown",
    };
    return names[permanence < SW_PERMANENCE_COUNT ? permanence : SW_PERMANENCE_UNKNOWN];
}

const char *sw_stage_name(enum sw_stage stage)
{
    static const char *const names[SW_STAGE_COUNT] = {
        [SW_STAGE_DNS] = "dns",         [SW_STAGE_ROUTE] = "route",
        [SW_STAGE_CONNECT] = "connect", [SW_STAGE_GREETING] = "greeting",
        [SW_STAGE_HELLO] = "hello",     [SW_STAGE_STARTTLS] = "starttls",
        [SW_STAGE_TLS] = "tls",         [SW_STAGE_AUTH] = "auth",
        [SW_STAGE_MAIL] = "mail",       [SW_STAGE_RCPT] = "rcpt",
        [SW_STAGE_DATA] = "data",       [SW_STAGE_BODY] = "body",
        [SW_STAGE_FINAL] = "final",     [SW_STAGE_QUIT] = "quit",
    };
    return names[stage < SW_STAGE_COUNT ? stage : SW_STAGE_CONNECT];
}

const char *sw_family_name(enum sw_family family)
{
    static const char *const names[SW_FAMILY_COUNT] = {
        [SW_FAMILY_DNS] = "dns",
        [SW_FAMILY_ROUTE] = "route",
        [SW_FAMILY_TCP_CONNECT] = "tcp-connect",
        [SW_FAMILY_GREETING] = "greeting",
        [SW_FAMILY_PORTMODE] = "portmode",
        [SW_FAMILY_MIDDLEBOX] = "middlebox",
        [SW_FAMILY_HELLO] = "hello",
        [SW_FAMILY_STARTTLS] = "starttls",
        [SW_FAMILY_TLS] = "tls",
        [SW_FAMILY_AUTH] = "auth",
        [SW_FAMILY_MAIL] = "mail",
        [SW_FAMILY_RCPT] = "rcpt",
        [SW_FAMILY_DATA] = "data",
        [SW_FAMILY_SESSION] = "session",
        [SW_FAMILY_QUIT] = "quit",
        [SW_FAMILY_OUTCOME] = "outcome",
        [SW_FAMILY_UNKNOWN] = "unknown",
    };
    return names[family < SW_FAMILY_COUNT ? family : SW_FAMILY_UNKNOWN];
}
