/*
 * rule_place.c - who answered: the wrong place (a network's log-in page, or another mail server
 * than the one that was called), for which there has to be proof, else the verdict on the server
 * stands; or a provider whose words are known to say less than they mean.
 */
#include "analyzer/case.h"

#include "session/tls.h"

static struct sw_mark portal_page(const struct sw_case *c)
{
    if (!c->history)
        return (struct sw_mark){0};
    return sw_history_find_beside(c->history, &c->facts->tuple, SW_BESIDE_PORTAL_PAGE,
                                  c->facts->first.time_ns);
}

/* RFC 6585 section 6, RFC 8952: 511, or a redirection, where a mail server should have greeted. */
static bool answers_as_portal(const struct sw_case *c)
{
    struct sw_span rest = sw_session_opening(c->session, SW_SERVER);
    uint64_t status = 0;
    if (c->session->first_bytes[SW_SERVER].content != SW_CONTENT_HTTP)
        return false;
    (void)sw_span_word(&rest);
    return sw_span_u64(sw_span_trim(sw_span_word(&rest)), &status) &&
           (status == 511 || status == 302 || status == 303 || status == 307);
}

bool sw_case_portal(const struct sw_case *c, enum sw_cause failure, struct sw_ruling *ruling)
{
    struct sw_mark page = portal_page(c);
    bool answered = answers_as_portal(c);
    if (!page.frame && !answered)
        return false;
    *ruling = (struct sw_ruling){
        .cause = SW_CAUSE_MBX_CAPTIVE_PORTAL,
        .outcome = SW_OUTCOME_STUCK,
        .confidence = SW_CONFIDENCE_LIKELY,
        .stage = c->server_spoke ? SW_STAGE_GREETING : SW_STAGE_CONNECT,
    };
    sw_ruling_also(ruling, failure, SW_CONFIDENCE_LIKELY);
    sw_ruling_prove_beside(ruling, page, SW_ORIGIN_NETWORK,
                           "a web page of the network in place of the one asked for");
    sw_ruling_prove(ruling, c->facts->syn, SW_ORIGIN_CLIENT, "connection request (SYN)");
    sw_ruling_prove(ruling, c->session->first_bytes[SW_SERVER].mark, SW_ORIGIN_SERVER,
                    answered ? "a web redirection in place of a greeting"
                             : "no greeting of a mail server");
    sw_ruling_prove(ruling, c->facts->half[SW_SERVER].rst, SW_ORIGIN_SERVER, "refusal (RST)");
    return true;
}

/* The host name with which the server introduced itself. */
static struct sw_span own_name(const struct sw_step *greeting)
{
    struct sw_span rest = sw_span_sub(greeting->text, 0, sw_span_index(greeting->text, '\n'));
    struct sw_span name = sw_span_word(&rest);
    return sw_span_index(name, '.') < name.len ? name : (struct sw_span){NULL, 0};
}

/* "mail.shop.example" and "shop-mail.example" belong together, whoever owns what. */
static bool shares_a_word(struct sw_span a, struct sw_span b)
{
    struct sw_span label = sw_span_sub(a, 0, sw_span_index(a, '.'));
    return label.len >= 4 && sw_span_find_nocase(b, label) < b.len;
}

static void redirected(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_naming *n = c->session->naming;
    const struct sw_step *greeting = c->session->greeting;
    if (ruling->cause != SW_CAUSE_RCPT_RELAY_DENIED || !n || n->by_mx || !greeting ||
        c->facts->tuple.dst_port != 25 || c->session->authenticated ||
        sw_capability_find(c->session->hello, "AUTH"))
        return;
    struct sw_span dialled = sw_name_owner(n->name);
    struct sw_span said = own_name(greeting);
    if (said.len == 0 || sw_span_eq_nocase(dialled, sw_name_owner(said)) ||
        shares_a_word(dialled, said) || shares_a_word(sw_name_owner(said), n->name))
        return;
    ruling->cause = SW_CAUSE_MBX_PORT_REDIRECT;
    ruling->confidence = SW_CONFIDENCE_POSSIBLE;
    sw_ruling_also(ruling, SW_CAUSE_RCPT_RELAY_DENIED, SW_CONFIDENCE_LIKELY);
    sw_ruling_prove_step(ruling, greeting, "greeting of another organisation's server");
}

/* Providers that call a password wrong which is right, but not taken from mail programs. */
static const struct {
    const char *domain;
    uint32_t detail; /* of the reply (X.7.detail) that may mean it; 0: any */
    enum sw_cause maybe;
} unspoken[] = {
    {"yahoo.com", 0, SW_CAUSE_AUTH_APP_PASSWORD_REQUIRED},
    {"aol.com", 0, SW_CAUSE_AUTH_APP_PASSWORD_REQUIRED},
    {"me.com", 0, SW_CAUSE_AUTH_APP_PASSWORD_REQUIRED},
    {"office365.com", 3, SW_CAUSE_AUTH_TENANT_DISABLED},
};

static bool is_server_of(const struct sw_case *c, const char *domain)
{
    const struct sw_session *s = c->session;
    const struct sw_step *hello = s->hello ? s->hello->reply : NULL;
    const struct sw_span names[] = {
        s->naming ? s->naming->name : (struct sw_span){NULL, 0},
        s->tls_facts ? sw_tls_wanted_name(s->tls_facts) : (struct sw_span){NULL, 0},
        hello ? own_name(hello) : (struct sw_span){NULL, 0},
        s->greeting ? own_name(s->greeting) : (struct sw_span){NULL, 0},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].len > 0 && sw_span_eq_nocase(sw_name_owner(names[i]), sw_span_str(domain)))
            return true;
    }
    return false;
}

static void left_unsaid(const struct sw_case *c, struct sw_ruling *ruling)
{
    enum { SECURITY = 7 }; /* RFC 3463 3.8 */
    const struct sw_step *said = ruling->reply;
    if (ruling->cause != SW_CAUSE_AUTH_BAD_CREDENTIALS || !said)
        return;
    for (size_t i = 0; i < sizeof(unspoken) / sizeof(unspoken[0]); i++) {
        bool fits = unspoken[i].detail == 0 || (said->enhanced.subject == SECURITY &&
                                                said->enhanced.detail == unspoken[i].detail);
        if (fits && is_server_of(c, unspoken[i].domain))
            sw_ruling_also(ruling, unspoken[i].maybe, SW_CONFIDENCE_POSSIBLE);
    }
}

void sw_blame_place(const struct sw_case *c, struct sw_ruling *ruling)
{
    bool silent = ruling->cause == SW_CAUSE_GREET_NO_BANNER ||
                  ruling->cause == SW_CAUSE_GREET_CLOSED_NO_BANNER;
    if (silent && ruling->outcome == SW_OUTCOME_STUCK)
        (void)sw_case_portal(c, ruling->cause, ruling);
    redirected(c, ruling);
    left_unsaid(c, ruling);
}
