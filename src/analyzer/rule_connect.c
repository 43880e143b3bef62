/*
 * rule_connect.c - connections that never came about: no answer, refusal, ICMP errors, scans.
 */
#include "analyzer/case.h"

static struct sw_ruling connect_ruling(enum sw_cause cause, enum sw_outcome outcome,
                                       enum sw_confidence confidence)
{
    return (struct sw_ruling){
        .cause = cause,
        .outcome = outcome,
        .confidence = confidence,
        .stage = SW_STAGE_CONNECT,
    };
}

/* ICMP and ICMPv6 errors that answer a SYN (RFC 792, RFC 1812 5.2.7.1, RFC 4443 3). */
static enum sw_cause icmp_cause(const struct sw_flow_icmp *icmp)
{
    if (icmp->ip_version == 4) {
        if (icmp->type == 11)
            return SW_CAUSE_NET_TTL_EXCEEDED;
        if (icmp->type != 3 || icmp->code == 4)
            return SW_CAUSE_NONE; /* "fragmentation needed" refuses nothing */
        bool prohibited =
            icmp->code == 3 || icmp->code == 9 || icmp->code == 10 || icmp->code == 13;
        return prohibited ? SW_CAUSE_NET_ICMP_PROHIBITED : SW_CAUSE_NET_ICMP_UNREACHABLE;
    }
    if (icmp->type == 3)
        return SW_CAUSE_NET_TTL_EXCEEDED;
    if (icmp->type != 1)
        return SW_CAUSE_NONE;
    bool prohibited = icmp->code == 1 || icmp->code == 4 || icmp->code == 5 || icmp->code == 6;
    return prohibited ? SW_CAUSE_NET_ICMP_PROHIBITED : SW_CAUSE_NET_ICMP_UNREACHABLE;
}

static struct sw_span name_of_server(const struct sw_case *c)
{
    const struct sw_naming *naming = c->session->naming;
    return naming ? naming->name : (struct sw_span){NULL, 0};
}

static bool port25_is_blocked(const struct sw_case *c, struct sw_port25 *shown)
{
    return c->facts->tuple.dst_port == 25 && c->history &&
           sw_history_port25_blocked(c->history, &c->facts->tuple, name_of_server(c),
                                     c->session->final.time_ns, shown);
}

/*
 * Is it port 25 that failed, and not this server? A server that takes mail of programs only need
 * not listen on port 25: when it refuses by itself, that is one possibility.
 */
static void blame_port25(const struct sw_case *c, struct sw_ruling *ruling)
{
    static const char *const words[] = {
        [SW_PORT25_NO_SIGN] = "",
        [SW_PORT25_OTHER_SERVER_FAILS] = "another server's port 25 is asked in vain, too",
        [SW_PORT25_OTHER_PORT_ANSWERS] = "the same server is reached on another port",
        [SW_PORT25_WORKS] = "port 25 is reached all the same",
        [SW_PORT25_OTHER_PORT_FAILS] = "another mail port is asked in vain, too",
    };
    struct sw_port25 shown = {.sign = SW_PORT25_NO_SIGN};
    bool blocked = port25_is_blocked(c, &shown);
    if (blocked) {
        enum sw_cause failure = ruling->cause;
        bool maybe_closed =
            failure == SW_CAUSE_TCP_REFUSED && shown.sign == SW_PORT25_OTHER_PORT_ANSWERS;
        ruling->cause = SW_CAUSE_TCP_PORT25_BLOCKED;
        ruling->confidence = maybe_closed ? SW_CONFIDENCE_POSSIBLE : SW_CONFIDENCE_LIKELY;
        sw_ruling_also(ruling, failure, SW_CONFIDENCE_LIKELY);
    }
    sw_ruling_prove_beside(ruling, shown.syn, SW_ORIGIN_CLIENT, words[shown.sign]);
}

static bool unreachable(const struct sw_case *c, struct sw_ruling *ruling)
{
    for (uint8_t i = 0; i < c->facts->icmp_count; i++) {
        const struct sw_flow_icmp *icmp = &c->facts->icmp[i];
        enum sw_cause cause = icmp_cause(icmp);
        if (cause == SW_CAUSE_NONE)
            continue;
        *ruling = connect_ruling(cause, SW_OUTCOME_STUCK, SW_CONFIDENCE_CERTAIN);
        sw_ruling_prove(ruling, c->facts->syn, SW_ORIGIN_CLIENT, "connection request (SYN)");
        sw_ruling_prove(ruling, icmp->mark, SW_ORIGIN_NETWORK, "ICMP error that answers it");
        if (cause == SW_CAUSE_NET_ICMP_PROHIBITED) /* else no port was looked at */
            blame_port25(c, ruling);
        return true;
    }
    return false;
}

void sw_case_note_refusal(const struct sw_case *c, struct sw_history *history)
{
    const struct sw_flow_facts *f = c->facts;
    bool prohibited = false;
    for (uint8_t i = 0; i < f->icmp_count; i++)
        prohibited = prohibited || icmp_cause(&f->icmp[i]) == SW_CAUSE_NET_ICMP_PROHIBITED;
    if (f->syn.frame && !f->syn_ack.frame && (f->refused || prohibited))
        sw_history_refused(history, &f->tuple, name_of_server(c));
}

static bool scanned(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (!c->scanner)
        return false;
    *ruling = connect_ruling(SW_CAUSE_OK_NO_ATTEMPT, SW_OUTCOME_NO_MAIL, SW_CONFIDENCE_LIKELY);
    sw_ruling_prove(ruling, c->facts->syn, SW_ORIGIN_CLIENT,
                    "connection request, one of many to different ports or hosts");
    sw_ruling_prove(ruling, c->facts->half[SW_SERVER].rst, SW_ORIGIN_SERVER, "refused (RST)");
    sw_case_prove_scan(c, ruling);
    return true;
}

static bool refused(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (!c->facts->refused)
        return false;
    *ruling = connect_ruling(SW_CAUSE_TCP_REFUSED, SW_OUTCOME_STUCK, SW_CONFIDENCE_CERTAIN);
    sw_ruling_prove(ruling, c->facts->last_syn.frame ? c->facts->last_syn : c->facts->syn,
                    SW_ORIGIN_CLIENT, "connection request (SYN)");
    sw_ruling_prove(ruling, c->facts->half[SW_SERVER].rst, SW_ORIGIN_SERVER, "refusal (RST)");
    blame_port25(c, ruling);
    return true;
}

enum { SYNS_THAT_PROVE_SILENCE = 3 }; /* the first and two retransmissions */
#define REPETITION_DUE_NS (4 * SW_NS_PER_S)

/*
 * One of several addresses that were tried side by side (RFC 8305): another one answered, and this
 * one was not asked again though a repetition was due (RFC 6298: 1 s, then 2 s). Where that cannot
 * be seen, the other one is of the same name and came after this one.
 */
static bool superseded(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_flow_facts *f = c->facts;
    struct sw_mark last = f->last_syn.frame ? f->last_syn : f->syn;
    bool given_up = c->session->final.time_ns - last.time_ns > REPETITION_DUE_NS;
    /* where the capture shows the name, only its own addresses count */
    const struct sw_naming *naming = c->session->naming;
    struct sw_mark other = {0};
    if (naming)
        other = naming->superseded;
    else if (c->history)
        other = sw_history_superseded(c->history, &f->tuple, f->syn.time_ns);
    bool next_of_name = naming && other.time_ns > f->syn.time_ns;
    if (f->syn_count >= SYNS_THAT_PROVE_SILENCE || !other.frame || !(given_up || next_of_name))
        return false;
    *ruling = connect_ruling(SW_CAUSE_TCP_ATTEMPT_SUPERSEDED, SW_OUTCOME_NO_MAIL,
                             given_up ? SW_CONFIDENCE_LIKELY : SW_CONFIDENCE_POSSIBLE);
    sw_ruling_prove(ruling, f->syn, SW_ORIGIN_CLIENT, "connection request (SYN), not answered");
    if (f->last_syn.frame != f->syn.frame)
        sw_ruling_prove(ruling, f->last_syn, SW_ORIGIN_CLIENT, "last repetition");
    sw_ruling_prove_beside(ruling, other, SW_ORIGIN_SERVER,
                           "another address accepts a connection (SYN/ACK)");
    return true;
}

static bool unanswered(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_flow_facts *f = c->facts;
    int64_t silence_ns = c->session->final.time_ns - f->syn.time_ns;
    bool proved = f->syn_count >= SYNS_THAT_PROVE_SILENCE || silence_ns > 60 * SW_NS_PER_S;
    if (!proved)
        return false;
    *ruling = connect_ruling(SW_CAUSE_TCP_SYN_TIMEOUT, SW_OUTCOME_STUCK, SW_CONFIDENCE_LIKELY);
    sw_ruling_prove(ruling, f->syn, SW_ORIGIN_CLIENT, "first connection request (SYN)");
    if (f->last_syn.frame != f->syn.frame)
        sw_ruling_prove(ruling, f->last_syn, SW_ORIGIN_CLIENT, "last repetition, still no answer");
    blame_port25(c, ruling);
    return true;
}

/* The server answered, and the connection still did not come about. */
static bool half_done(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_flow_facts *f = c->facts;
    if (!f->syn_ack.frame || c->server_spoke)
        return false;
    bool client_cut = f->half[SW_CLIENT].rst.frame && f->closed_by == SW_CLIENT;
    if (client_cut) { /* "is there anybody?", as scanners and health checks ask */
        *ruling = connect_ruling(SW_CAUSE_OK_NO_ATTEMPT, SW_OUTCOME_NO_MAIL, SW_CONFIDENCE_CERTAIN);
        sw_ruling_prove(ruling, f->syn_ack, SW_ORIGIN_SERVER, "connection accepted (SYN/ACK)");
        sw_ruling_prove(ruling, f->half[SW_CLIENT].rst, SW_ORIGIN_CLIENT,
                        "dropped at once by the client (RST)");
        return true;
    }
    if (!c->client_seen)
        return false;
    if (f->syn_ack_count < 2)
        return false;
    *ruling =
        connect_ruling(SW_CAUSE_TCP_HANDSHAKE_INCOMPLETE, SW_OUTCOME_STUCK, SW_CONFIDENCE_LIKELY);
    sw_ruling_prove(ruling, f->syn, SW_ORIGIN_CLIENT, "connection request (SYN)");
    sw_ruling_prove(ruling, f->syn_ack, SW_ORIGIN_SERVER,
                    "acceptance (SYN/ACK), repeated without an answer of the client");
    return true;
}

/* The server goes on accepting long after the client has confirmed: the confirmation does not
 * arrive, nor does anything else. */
static bool confirmed_in_vain(const struct sw_case *c, struct sw_ruling *ruling)
{
    enum { REPETITIONS = 2 };
    const struct sw_flow_facts *f = c->facts;
    int64_t lasted_ns = f->last_syn_ack.time_ns - f->established.time_ns;
    if (!c->established || !f->last_syn_ack.frame || f->syn_ack_count <= REPETITIONS ||
        c->server_spoke || lasted_ns < 2 * SW_NS_PER_S || f->closed_by == SW_SERVER)
        return false;
    *ruling =
        connect_ruling(SW_CAUSE_TCP_HANDSHAKE_INCOMPLETE, SW_OUTCOME_STUCK, SW_CONFIDENCE_LIKELY);
    sw_ruling_prove(ruling, f->syn_ack, SW_ORIGIN_SERVER, "acceptance (SYN/ACK)");
    sw_ruling_prove(ruling, f->established, SW_ORIGIN_CLIENT, "its confirmation (ACK)");
    sw_ruling_prove(ruling, f->last_syn_ack, SW_ORIGIN_SERVER,
                    "the acceptance again: the confirmation did not arrive");
    return true;
}

enum { PROBE_TTL = 30 }; /* systems begin at 64 or more; who begins low counts the way */

/* A SYN that was to die on the way: a traceroute to the mail port. */
static bool traced(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_flow_facts *f = c->facts;
    uint8_t ttl = f->half[SW_CLIENT].ttl_max;
    if (f->icmp_count == 0 || icmp_cause(&f->icmp[0]) != SW_CAUSE_NET_TTL_EXCEEDED || ttl == 0 ||
        ttl >= PROBE_TTL)
        return false;
    *ruling = connect_ruling(SW_CAUSE_OK_NO_ATTEMPT, SW_OUTCOME_NO_MAIL, SW_CONFIDENCE_LIKELY);
    sw_ruling_prove(ruling, f->syn, SW_ORIGIN_CLIENT,
                    "connection request with a short lifetime, as traceroute sends them");
    sw_ruling_prove(ruling, f->icmp[0].mark, SW_ORIGIN_NETWORK, "it ended on the way");
    return true;
}

bool sw_rule_connect(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_flow_facts *f = c->facts;
    if (confirmed_in_vain(c, ruling))
        return true;
    if (c->established || !f->syn.frame)
        return false;
    bool client_went_on =
        f->half[SW_CLIENT].packets > f->syn_count && !f->half[SW_CLIENT].rst.frame;
    if (!c->server_seen && client_went_on && f->icmp_count == 0)
        return false; /* the client acknowledges an answer that the capture lacks */
    if (half_done(c, ruling))
        return true;
    if (f->syn_ack.frame)
        return false;
    bool failed = scanned(c, ruling) || traced(c, ruling) || unreachable(c, ruling) ||
                  refused(c, ruling) || superseded(c, ruling) || unanswered(c, ruling);
    if (failed && ruling->outcome == SW_OUTCOME_STUCK)
        (void)(sw_case_portal(c, ruling->cause, ruling) ||
               sw_case_sinkholed(c, ruling->cause, ruling));
    return failed;
}
