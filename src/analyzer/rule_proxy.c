/*
 * rule_proxy.c - the proxy that was asked for the mail server and did not connect.
 */
#include "analyzer/case.h"

bool sw_rule_proxy(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_proxied *p = sw_session_proxied(c->session);
    if (p->kind == SW_PROXY_NONE || p->open)
        return false;
    bool missing = c->reply_lost || c->facts->half[SW_CLIENT].gap_bytes > 0;
    if (!p->refused && missing) {
        (void)sw_rule_unknown(c, ruling);
        ruling->stage = SW_STAGE_CONNECT;
        return true;
    }
    bool over = c->facts->closed_by >= 0 || c->waited_ns > 60 * SW_NS_PER_S;
    *ruling = (struct sw_ruling){
        .cause = SW_CAUSE_MBX_PROXY_FAILED,
        .outcome = SW_OUTCOME_STUCK,
        .confidence = p->refused ? SW_CONFIDENCE_CERTAIN : SW_CONFIDENCE_LIKELY,
        .stage = SW_STAGE_CONNECT,
    };
    if (!p->refused && !over) {
        ruling->cause = SW_CAUSE_UNK_IN_PROGRESS;
        ruling->outcome = SW_OUTCOME_UNKNOWN;
        ruling->confidence = SW_CONFIDENCE_CERTAIN;
    }
    sw_ruling_prove(ruling, p->asked, SW_ORIGIN_CLIENT, "request to the proxy");
    sw_ruling_prove(ruling, p->answered, SW_ORIGIN_SERVER, "the proxy's refusal");
    if (!p->refused)
        sw_ruling_prove(ruling, c->facts->closed,
                        c->closed_by_server ? SW_ORIGIN_SERVER : SW_ORIGIN_CLIENT,
                        "connection given up");
    return true;
}
