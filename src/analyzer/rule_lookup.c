/*
 * rule_lookup.c - attempts that ended before any connection: names that could not be looked up,
 * neighbours that did not answer, and names that led to a wrong place.
 */
#include "analyzer/case.h"

struct row {
    enum sw_cause cause;
    enum sw_confidence confidence;
    const char *decided; /* what the deciding frame is */
};

static const struct row rows[] = {
    [SW_LOOKUP_NXDOMAIN] = {SW_CAUSE_DNS_NXDOMAIN, SW_CONFIDENCE_CERTAIN,
                            "answer: the name does not exist (NXDOMAIN)"},
    [SW_LOOKUP_SERVFAIL] = {SW_CAUSE_DNS_SERVFAIL, SW_CONFIDENCE_CERTAIN,
                            "answer: an error of the name server instead of an address"},
    [SW_LOOKUP_TIMEOUT] = {SW_CAUSE_DNS_TIMEOUT, SW_CONFIDENCE_LIKELY, ""},
    [SW_LOOKUP_UNREACHABLE] = {SW_CAUSE_DNS_RESOLVER_UNREACHABLE, SW_CONFIDENCE_CERTAIN,
                               "ICMP error in place of an answer"},
    [SW_LOOKUP_CUT] = {SW_CAUSE_DNS_TIMEOUT, SW_CONFIDENCE_LIKELY,
                       "answer: too long for one packet (TC), without an address"},
    [SW_LOOKUP_NODATA] = {SW_CAUSE_DNS_NODATA, SW_CONFIDENCE_CERTAIN,
                          "answer: the name has no such address"},
    [SW_LOOKUP_SINKHOLED] = {SW_CAUSE_DNS_SINKHOLED, SW_CONFIDENCE_LIKELY,
                             "answer: an address that leads nowhere"},
    [SW_LOOKUP_NULL_MX] = {SW_CAUSE_DNS_NULL_MX, SW_CONFIDENCE_CERTAIN,
                           "answer: the domain takes no mail (null MX)"},
    [SW_LOOKUP_NEIGHBOUR] = {SW_CAUSE_NET_ARP_UNRESOLVED, SW_CONFIDENCE_LIKELY, ""},
};

bool sw_rule_lookup(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_lookup *l = c->session->lookup;
    if (!l)
        return false;
    const struct row *row = &rows[l->end];
    bool neighbour = l->end == SW_LOOKUP_NEIGHBOUR;
    *ruling = (struct sw_ruling){
        .cause = row->cause,
        .outcome = SW_OUTCOME_STUCK,
        .confidence = row->confidence,
        .stage = neighbour ? SW_STAGE_ROUTE : SW_STAGE_DNS,
    };
    bool never_retried = l->end == SW_LOOKUP_CUT && !l->retried.frame; /* or it is not captured */
    if (l->guess || never_retried || (l->deaf && !l->decided.frame && !neighbour))
        ruling->confidence = SW_CONFIDENCE_POSSIBLE;
    if (l->ipv6.frame && ruling->confidence == SW_CONFIDENCE_CERTAIN)
        ruling->confidence = SW_CONFIDENCE_LIKELY; /* the client may have another reason */
    if (l->guess && !neighbour) {
        ruling->outcome = SW_OUTCOME_UNKNOWN;
        sw_ruling_also(ruling, SW_CAUSE_OK_NO_ATTEMPT, SW_CONFIDENCE_POSSIBLE);
    }
    sw_ruling_prove(ruling, l->asked, SW_ORIGIN_CLIENT,
                    neighbour ? "question for the neighbour's hardware address"
                              : "question to the name server");
    sw_ruling_prove(ruling, l->decided, SW_ORIGIN_NETWORK, row->decided);
    sw_ruling_prove(ruling, l->ipv6, SW_ORIGIN_NETWORK, "answer: IPv6 addresses only");
    sw_ruling_prove(ruling, l->retried, SW_ORIGIN_CLIENT, "connection for the whole answer (SYN)");
    sw_ruling_prove(ruling, l->retry_over, SW_ORIGIN_NETWORK, "its end, without an answer");
    if (!l->decided.frame)
        sw_ruling_prove(ruling, l->again, SW_ORIGIN_CLIENT, "last repetition, still no answer");
    return true;
}

enum { NAMES_OF_ONE_ADDRESS = 2 }; /* besides the one that was dialled, of other owners */

/*
 * The name service gave an address where the public server cannot be. `failure` is what the
 * connection shows by itself; a mail server that answers there is no false one.
 */
bool sw_case_sinkholed(const struct sw_case *c, enum sw_cause failure, struct sw_ruling *ruling)
{
    const struct sw_naming *n = c->session->naming;
    if (!n || sw_name_is_private(n->name))
        return false;
    bool one_for_all = n->unrelated >= NAMES_OF_ONE_ADDRESS;
    if (n->kind == SW_ADDRESS_PUBLIC && !one_for_all)
        return false;
    bool certainly_wrong = n->kind == SW_ADDRESS_NOWHERE || one_for_all;
    *ruling = (struct sw_ruling){
        .cause = SW_CAUSE_DNS_SINKHOLED,
        .outcome = SW_OUTCOME_STUCK,
        .confidence = certainly_wrong ? SW_CONFIDENCE_LIKELY : SW_CONFIDENCE_POSSIBLE,
        .stage = SW_STAGE_DNS,
    };
    sw_ruling_also(ruling, failure, SW_CONFIDENCE_LIKELY);
    sw_ruling_prove(ruling, n->answered, SW_ORIGIN_NETWORK,
                    one_for_all ? "answer: the same address as for other names"
                                : "answer: an address that no public server has");
    sw_ruling_prove(ruling, c->facts->syn, SW_ORIGIN_CLIENT, "connection request (SYN) to it");
    sw_ruling_prove(ruling, c->facts->half[SW_SERVER].rst, SW_ORIGIN_SERVER, "refusal (RST)");
    return true;
}
