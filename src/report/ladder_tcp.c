/*
 * ladder_tcp.c - rungs of what comes before and around the dialogue: look-ups, the way through a
 * proxy, TCP's own packets, ICMP errors.
 */
#include "report/ladder_build.h"

static void put_address(struct sw_ladder_maker *m, const uint8_t address[16], int ip_version)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    sw_veil_address(m->veil, address, ip_version, ip);
    sw_writer_text(&m->text, ip);
}

static void lookup_question(struct sw_ladder_maker *m, const struct sw_lookup *l)
{
    bool neighbour = l->end == SW_LOOKUP_NEIGHBOUR;
    if (neighbour) {
        sw_writer_text(&m->text, "who has ");
        put_address(m, l->resolver, l->ip_version);
        sw_writer_text(&m->text, "?");
        return;
    }
    sw_writer_format(&m->text, "DNS to ");
    put_address(m, l->resolver, l->ip_version);
    sw_writer_text(&m->text, l->asked_mx ? ": the mail servers of " : ": the address of ");
    sw_writer_put(&m->text, l->name);
    sw_writer_text(&m->text, "?");
}

static const char *lookup_answer(const struct sw_lookup *l)
{
    switch (l->end) {
    case SW_LOOKUP_NXDOMAIN:
        return "NXDOMAIN: there is no such name";
    case SW_LOOKUP_SERVFAIL:
        return l->rcode == 5 ? "REFUSED" : l->rcode == 2 ? "SERVFAIL" : "an error";
    case SW_LOOKUP_TIMEOUT:
        return "an answer";
    case SW_LOOKUP_CUT:
        return "too long for one packet: to be had over TCP only";
    case SW_LOOKUP_UNREACHABLE:
        return "ICMP error: the resolver cannot be reached";
    case SW_LOOKUP_NODATA:
        return "the name has no address";
    case SW_LOOKUP_SINKHOLED:
        return "an address where no mail server can be";
    case SW_LOOKUP_NULL_MX:
        return "null MX: the domain takes no mail";
    case SW_LOOKUP_NEIGHBOUR:
        return "an answer";
    }
    return "an answer";
}

static void failed_lookup(struct sw_ladder_maker *m, const struct sw_lookup *l)
{
    enum sw_stage stage = l->end == SW_LOOKUP_NEIGHBOUR ? SW_STAGE_ROUTE : SW_STAGE_DNS;
    bool lost = !l->decided.frame;
    struct sw_rung *rung =
        sw_ladder_add(m, SW_RUNG_LOOKUP, SW_ORIGIN_CLIENT, l->asked, SW_RANK_OPEN, stage);
    lookup_question(m, l);
    sw_ladder_say(m, rung);
    if (rung)
        rung->lost = lost;
    rung = sw_ladder_add(m, SW_RUNG_LOOKUP, SW_ORIGIN_CLIENT, l->again, SW_RANK_OPEN, stage);
    sw_writer_format(&m->text, "asked again; %u questions in all", l->questions);
    sw_ladder_say(m, rung);
    if (rung) {
        rung->lost = lost;
        rung->mood = SW_RUNG_ODD;
    }
    rung = sw_ladder_add(m, SW_RUNG_LOOKUP, SW_ORIGIN_NETWORK, l->decided, SW_RANK_OPEN, stage);
    sw_ladder_say_text(m, rung, lookup_answer(l));
    if (rung)
        rung->mood = SW_RUNG_BAD;
}

static void naming(struct sw_ladder_maker *m, const struct sw_naming *n)
{
    struct sw_rung *rung = sw_ladder_add(m, SW_RUNG_LOOKUP, SW_ORIGIN_NETWORK, n->answered,
                                         SW_RANK_OPEN, SW_STAGE_DNS);
    const struct sw_tuple *t = &m->session->facts->tuple;
    sw_writer_text(&m->text, "DNS: ");
    sw_writer_put(&m->text, n->name);
    sw_writer_text(&m->text, " is ");
    put_address(m, t->dst, t->ip_version);
    sw_ladder_say(m, rung);
}

void sw_ladder_lookups(struct sw_ladder_maker *m)
{
    const struct sw_session *s = m->session;
    if (s->lookup)
        failed_lookup(m, s->lookup);
    else if (s->naming && !m->verdict->no_names)
        naming(m, s->naming);
}

/* Their spacing tells a client that waits from a program that tries anew. */
static void say_syn_times(struct sw_ladder_maker *m, const struct sw_flow_facts *f)
{
    uint32_t known = f->syn_count < SW_FLOW_SYN_TIMES ? f->syn_count : SW_FLOW_SYN_TIMES;
    for (uint32_t i = 1; i < known; i++)
        sw_writer_format(&m->text, "%s%.1f",
                         i == 1           ? ": after "
                         : i + 1 == known ? " and "
                                          : ", ",
                         (double)(f->syn_ns[i] - f->first.time_ns) / (double)SW_NS_PER_S);
    sw_writer_text(&m->text, f->syn_count > known ? " s and later" : " s");
}

static void handshake(struct sw_ladder_maker *m, const struct sw_flow_facts *f)
{
    bool answered = sw_flow_was_answered(f);
    bool first_lost = f->syn_count > 1 && f->syn_ack.frame && f->last_syn.frame &&
                      f->last_syn.time_ns <= f->syn_ack.time_ns;
    struct sw_rung *rung =
        sw_ladder_add(m, SW_RUNG_TCP, SW_ORIGIN_CLIENT, f->syn, SW_RANK_OPEN, SW_STAGE_CONNECT);
    sw_ladder_say_text(m, rung, "SYN");
    if (rung)
        rung->lost = !answered || first_lost;
    if (f->syn_count > 1) {
        rung = sw_ladder_add(m, SW_RUNG_TCP, SW_ORIGIN_CLIENT, f->last_syn, SW_RANK_OPEN,
                             SW_STAGE_CONNECT);
        sw_writer_format(&m->text, "SYN again, %u in all", f->syn_count);
        say_syn_times(m, f);
        sw_ladder_say(m, rung);
        if (rung) {
            rung->packets = f->syn_count - 1;
            rung->lost = !answered;
            rung->mood = SW_RUNG_ODD;
        }
    }
    rung =
        sw_ladder_add(m, SW_RUNG_TCP, SW_ORIGIN_SERVER, f->syn_ack, SW_RANK_OPEN, SW_STAGE_CONNECT);
    sw_writer_text(&m->text, "SYN, ACK");
    if (f->syn_ack_count > 1)
        sw_writer_format(&m->text, ", sent %u times", f->syn_ack_count);
    sw_ladder_say(m, rung);
    if (rung && f->syn_ack_count > 1)
        rung->mood = SW_RUNG_ODD;
    bool with_data = f->established.frame == f->half[SW_CLIENT].first_data.frame ||
                     f->established.frame == f->half[SW_SERVER].first_data.frame;
    if (with_data || f->midstream || f->established.frame == f->syn_ack.frame)
        return;
    rung = sw_ladder_add(m, SW_RUNG_TCP, SW_ORIGIN_CLIENT, f->established, SW_RANK_OPEN,
                         SW_STAGE_CONNECT);
    sw_ladder_say_text(m, rung, "ACK: connected");
}

/* What was sent again to the end and never acknowledged. */
static void repetitions(struct sw_ladder_maker *m, enum sw_side side)
{
    const struct sw_half_facts *h = &m->session->facts->half[side];
    if (h->rto_open == 0)
        return;
    struct sw_rung *rung = sw_ladder_add(m, SW_RUNG_TCP, (enum sw_origin)side, h->rto_first,
                                         SW_RANK_CLOSE, m->verdict->stage);
    sw_writer_format(&m->text, "%u bytes sent again %u %s", h->rto_bytes, h->rto_open,
                     h->rto_open == 1 ? "time" : "times");
    if (h->rto_open > 1) {
        char lasted[SW_VIEW_DURATION_BYTES];
        sw_view_duration(h->rto_last.time_ns - h->rto_first.time_ns, lasted);
        sw_writer_format(&m->text, " in %s", lasted);
    }
    sw_writer_text(&m->text, ", never acknowledged");
    sw_ladder_say(m, rung);
    if (!rung)
        return;
    rung->last = h->rto_last;
    rung->packets = h->rto_open;
    rung->lost = true;
    rung->mood = SW_RUNG_ODD;
}

static void window(struct sw_ladder_maker *m, enum sw_side side)
{
    const struct sw_half_facts *h = &m->session->facts->half[side];
    char lasted[SW_VIEW_DURATION_BYTES];
    struct sw_rung *rung = sw_ladder_add(m, SW_RUNG_TCP, (enum sw_origin)side, h->zero_window,
                                         SW_RANK_CLOSE, m->verdict->stage);
    sw_view_duration(h->zero_window_open_ns ? h->zero_window_open_ns : h->zero_window_ns, lasted);
    sw_writer_format(&m->text, "window closed: no room for more bytes (%s%s)",
                     h->zero_window_open_ns ? "to the end, " : "in all ", lasted);
    sw_ladder_say(m, rung);
    if (rung)
        rung->mood = SW_RUNG_ODD;
}

/* Lost on the way for good, and lost by who recorded. */
static void losses(struct sw_ladder_maker *m, enum sw_side side)
{
    const struct sw_half_facts *h = &m->session->facts->half[side];
    const char *who = side == SW_CLIENT ? "client" : "server";
    if (h->hole_bytes > 0) {
        struct sw_rung *rung = sw_ladder_add(m, SW_RUNG_TCP, (enum sw_origin)side, h->hole,
                                             SW_RANK_CLOSE, m->verdict->stage);
        sw_writer_format(&m->text, "%llu bytes before this one were lost on the way for good",
                         (unsigned long long)h->hole_bytes);
        sw_ladder_say(m, rung);
        if (rung)
            rung->mood = SW_RUNG_ODD;
    }
    if (h->gap_bytes > 0) {
        sw_writer_format(&m->text, "%llu bytes from the %s are missing in the capture",
                         (unsigned long long)h->gap_bytes, who);
        sw_ladder_note(m, true, SW_RUNG_ODD);
    }
    if (h->truncated_bytes > 0) {
        sw_writer_format(&m->text, "%llu bytes from the %s were cut off by the snaplen",
                         (unsigned long long)h->truncated_bytes, who);
        sw_ladder_note(m, true, SW_RUNG_ODD);
    }
    if (h->retransmissions > h->rto_open) {
        sw_writer_format(&m->text, "the %s sent %llu segments twice or more", who,
                         (unsigned long long)h->retransmissions);
        sw_ladder_note(m, true, SW_RUNG_PLAIN);
    }
}

static void closing(struct sw_ladder_maker *m, enum sw_side side)
{
    const struct sw_flow_facts *f = m->session->facts;
    const struct sw_half_facts *h = &f->half[side];
    enum sw_origin from = (enum sw_origin)side;
    bool unanswered = side == SW_SERVER && f->refused;
    struct sw_rung *rung =
        sw_ladder_add(m, SW_RUNG_TCP, from, h->fin, SW_RANK_CLOSE, m->verdict->stage);
    sw_ladder_say_text(m, rung, h->fin_unseen ? "FIN, not in the capture" : "FIN: closes");
    rung = sw_ladder_add(m, SW_RUNG_TCP, from, h->rst, SW_RANK_CLOSE, m->verdict->stage);
    sw_ladder_say_text(m, rung, unanswered ? "RST: refused" : "RST: reset");
    if (rung)
        rung->mood =
            f->half[sw_side_other(side)].fin.frame && !unanswered ? SW_RUNG_PLAIN : SW_RUNG_BAD;
    rung = sw_ladder_add(m, SW_RUNG_TCP, from, h->after_rst, SW_RANK_CLOSE, m->verdict->stage);
    sw_ladder_say_text(m, rung, "goes on after a reset in its name");
    if (rung)
        rung->mood = SW_RUNG_BAD;
}

/* RFC 792, RFC 1812 5.2.7.1; RFC 4443 3. */
static const char *icmp_words(const struct sw_flow_icmp *icmp)
{
    static const char *const v4[] = {
        "network unreachable",  "host unreachable",    "protocol unreachable", "port unreachable",
        "packet too large",     "source route failed", "network unknown",      "host unknown",
        "source host isolated", "network prohibited",  "host prohibited",
    };
    static const char *const v6[] = {
        "no route",         "prohibited", "beyond scope",  "address unreachable",
        "port unreachable", "policy",     "route rejected"};
    if (icmp->ip_version == 4) {
        if (icmp->type == 11)
            return "time exceeded on the way";
        if (icmp->type == 3 && icmp->code < sizeof(v4) / sizeof(v4[0]))
            return v4[icmp->code];
        return icmp->type == 3 && icmp->code == 13 ? "prohibited" : "error";
    }
    if (icmp->type == 2)
        return "packet too large";
    if (icmp->type == 3)
        return "time exceeded on the way";
    return icmp->type == 1 && icmp->code < sizeof(v6) / sizeof(v6[0]) ? v6[icmp->code] : "error";
}

static void icmp_errors(struct sw_ladder_maker *m)
{
    const struct sw_flow_facts *f = m->session->facts;
    for (uint8_t i = 0; i < f->icmp_count; i++) {
        const struct sw_flow_icmp *icmp = &f->icmp[i];
        struct sw_rung *rung = sw_ladder_add(m, SW_RUNG_ICMP, SW_ORIGIN_NETWORK, icmp->mark,
                                             SW_RANK_CLOSE, m->verdict->stage);
        sw_writer_format(&m->text, "ICMP from ");
        put_address(m, icmp->from, icmp->ip_version);
        sw_writer_format(&m->text, ": %s (type %u, code %u)", icmp_words(icmp), icmp->type,
                         icmp->code);
        if (icmp->mtu > 0)
            sw_writer_format(&m->text, ", at most %u bytes", icmp->mtu);
        sw_ladder_say(m, rung);
        if (rung)
            rung->mood = SW_RUNG_BAD;
    }
}

static void proxy(struct sw_ladder_maker *m, const struct sw_proxied *p)
{
    static const char *const names[] = {[SW_PROXY_NONE] = "",
                                        [SW_PROXY_HTTP] = "HTTP",
                                        [SW_PROXY_SOCKS4] = "SOCKS 4",
                                        [SW_PROXY_SOCKS5] = "SOCKS 5"};
    if (p->kind == SW_PROXY_NONE)
        return;
    struct sw_rung *rung = sw_ladder_add(m, SW_RUNG_OTHER, SW_ORIGIN_CLIENT, p->asked,
                                         SW_RANK_CLEAR, SW_STAGE_CONNECT);
    sw_writer_format(&m->text, "%s proxy: connect me to ", names[p->kind]);
    sw_writer_put(&m->text, sw_span_make(p->host, p->host_length));
    sw_writer_format(&m->text, ":%u", p->port);
    sw_ladder_say(m, rung);
    rung = sw_ladder_add(m, SW_RUNG_OTHER, SW_ORIGIN_SERVER, p->answered, SW_RANK_CLEAR,
                         SW_STAGE_CONNECT);
    sw_writer_text(&m->text, p->open ? "the proxy connected" : "the proxy refused");
    if (!p->open)
        sw_writer_format(&m->text, " (%u)", p->status);
    sw_ladder_say(m, rung);
    if (rung && !p->open)
        rung->mood = SW_RUNG_BAD;
}

void sw_ladder_tcp(struct sw_ladder_maker *m)
{
    const struct sw_flow_facts *f = m->session->facts;
    if (m->session->lookup)
        return;
    if (f->midstream) {
        sw_writer_text(&m->text, "the capture begins in the middle of this connection");
        sw_ladder_note(m, false, SW_RUNG_ODD);
    }
    handshake(m, f);
    proxy(m, sw_session_proxied(m->session));
    for (int side = SW_CLIENT; side <= SW_SERVER; side++) {
        repetitions(m, (enum sw_side)side);
        window(m, (enum sw_side)side);
        losses(m, (enum sw_side)side);
        closing(m, (enum sw_side)side);
    }
    icmp_errors(m);
}
