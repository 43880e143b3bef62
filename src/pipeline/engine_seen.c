/*
 * engine_seen.c - what frames and connections are to somebody who records them.
 */
#include "pipeline/engine_state.h"

enum { DNS_PORT = 53 };

static bool has_port(const struct sw_tuple *t, uint16_t port)
{
    return t->src_port == port || t->dst_port == port;
}

static bool has_mail_port(const struct sw_engine *engine, const struct sw_tuple *t)
{
    return sw_mail_ports_has(&engine->ports, t->src_port) ||
           sw_mail_ports_has(&engine->ports, t->dst_port);
}

struct sw_seen sw_engine_seen(const struct sw_engine *engine)
{
    const struct sw_packet *packet = &engine->packet;
    const struct sw_tuple *t = &packet->tuple;
    struct sw_seen seen = {.about_mail = engine->intake.part || packet->neighbour.seen};
    if (packet->neighbour.seen) {
        seen.tuple.ip_version = packet->neighbour.ip_version;
        memcpy(seen.tuple.src, packet->neighbour.asker, sizeof(seen.tuple.src));
        memcpy(seen.tuple.dst, packet->neighbour.target, sizeof(seen.tuple.dst));
    }
    if (!engine->packet_whole)
        return seen;
    switch (packet->transport) {
    case SW_TRANSPORT_TCP:
        seen.is_tcp = true;
        seen.tuple = *t;
        /* Whom else a client tried says what a failure means. */
        seen.about_mail = seen.about_mail || (packet->tcp.flags & SW_TCP_SYN) ||
                          has_port(t, DNS_PORT) || has_mail_port(engine, t);
        return seen;
    case SW_TRANSPORT_ICMP:
    case SW_TRANSPORT_ICMP6:
        seen.about_mail = true;
        if (packet->icmp.has_quote)
            seen.tuple = packet->icmp.quote;
        return seen;
    case SW_TRANSPORT_UDP:
        seen.about_mail = seen.about_mail || has_port(t, DNS_PORT);
        seen.tuple = *t;
        return seen;
    case SW_TRANSPORT_NONE:
        break;
    }
    return seen;
}

/* Of what stands beside the mail only that counts which a verdict may rest on. */
static bool is_notable(const struct sw_engine *engine, const struct sw_tuple *t)
{
    for (unsigned i = 0; i < SW_NOTABLE_MAX; i++) {
        const struct sw_tuple *n = &engine->notable[i];
        bool there = n->src_port == t->src_port && n->dst_port == t->dst_port &&
                     memcmp(n->src, t->src, sizeof(n->src)) == 0 &&
                     memcmp(n->dst, t->dst, sizeof(n->dst)) == 0;
        bool back = n->src_port == t->dst_port && n->dst_port == t->src_port &&
                    memcmp(n->src, t->dst, sizeof(n->src)) == 0 &&
                    memcmp(n->dst, t->src, sizeof(n->dst)) == 0;
        if ((there || back) && n->ip_version)
            return true;
    }
    return false;
}

enum sw_interest sw_engine_interest(const struct sw_engine *engine, const struct sw_tuple *tuple)
{
    const struct sw_flow *flow = sw_flow_table_find(engine->flows, tuple);
    if (!flow)
        return is_notable(engine, tuple) ? SW_INTEREST_MAIL : SW_INTEREST_NONE;
    const enum sw_watch *watch = sw_flow_user(flow);
    if (!watch)
        return SW_INTEREST_OPEN; /* nothing was said so far */
    bool mail = (*watch == SW_WATCH_MAIL && sw_mail_is_confirmed(sw_flow_user(flow))) ||
                (*watch == SW_WATCH_RESTING && sw_mail_rest_is_confirmed(sw_flow_user(flow)));
    return mail ? SW_INTEREST_MAIL : SW_INTEREST_OPEN;
}

const struct sw_flow_counters *sw_engine_flows(const struct sw_engine *engine)
{
    return sw_flow_table_count(engine->flows);
}
