/*
 * rule_broken.c - sessions that no reply decides: closed, reset, or silent at some point. Which
 * side ended the waiting, after how long, and what was unanswered then is the whole matter.
 */
#include "analyzer/case.h"

#define SILENCE_NS (60 * SW_NS_PER_S) /* without a close, a shorter silence proves nothing */
#define STALL_NS (30 * SW_NS_PER_S)   /* a client that has the go-ahead and sends nothing */

enum { RTO_THAT_PROVE_LOSS = 3 };

static struct sw_ruling stuck(enum sw_cause cause, enum sw_confidence confidence,
                              enum sw_stage stage)
{
    return (struct sw_ruling){
        .cause = cause, .outcome = SW_OUTCOME_STUCK, .confidence = confidence, .stage = stage};
}

static void prove_waiting(const struct sw_case *c, struct sw_ruling *ruling, const char *what)
{
    sw_ruling_prove(ruling, c->wait_begin,
                    c->waiting == SW_WAITING_NOTHING ? SW_ORIGIN_SERVER : SW_ORIGIN_CLIENT, what);
}

static void prove_close(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (c->gave_up.frame && c->gave_up.frame != c->facts->closed.frame && !c->goodbye)
        sw_ruling_prove(ruling, c->gave_up, SW_ORIGIN_CLIENT, "the client gives up");
    sw_case_prove_close(c, ruling);
}

/* RFC 792, RFC 4443 3.3: the packet went from router to router until its lifetime was over. */
static bool lifetime_is_over(const struct sw_flow_icmp *icmp)
{
    return icmp->type == (icmp->ip_version == 4 ? 11 : 3);
}

/*
 * Routers that pass the packets of a connection round and round, and one says so of those that were
 * never acknowledged: the first such word behind the last sign of progress. NULL: there is none.
 * *again: that router said it once more.
 */
static const struct sw_flow_icmp *loop_told(const struct sw_case *c, enum sw_side lost, bool *again)
{
    const struct sw_flow_facts *f = c->facts;
    const struct sw_flow_icmp *first = NULL;
    int64_t since = f->half[sw_side_other(lost)].last_ack_progress.time_ns;
    *again = false;
    for (uint8_t i = 0; i < f->icmp_count; i++) {
        const struct sw_flow_icmp *icmp = &f->icmp[i];
        if (!lifetime_is_over(icmp) || icmp->mark.time_ns < since)
            continue;
        *again = *again || (first && memcmp(first->from, icmp->from, sizeof(icmp->from)) == 0);
        first = first ? first : icmp;
    }
    return first;
}

/* A loop in the network, in the midst of the dialogue. */
static bool went_round(const struct sw_case *c, struct sw_ruling *ruling)
{
    enum sw_side side = c->facts->half[SW_CLIENT].unacked_bytes > 0 ? SW_CLIENT : SW_SERVER;
    bool again;
    const struct sw_flow_icmp *told = loop_told(c, side, &again);
    const struct sw_half_facts *lost = &c->facts->half[side];
    bool given_up = c->facts->closed.frame || lost->rto_open >= RTO_THAT_PROVE_LOSS;
    if (!told || !again || lost->unacked_bytes == 0 || lost->rto_open == 0 || !given_up)
        return false;
    *ruling = stuck(SW_CAUSE_NET_TTL_EXCEEDED, SW_CONFIDENCE_CERTAIN, sw_case_waiting_stage(c));
    sw_ruling_prove(ruling, lost->last_data,
                    side == SW_CLIENT ? SW_ORIGIN_CLIENT : SW_ORIGIN_SERVER,
                    "bytes that were never acknowledged");
    sw_ruling_prove(ruling, told->mark, SW_ORIGIN_NETWORK,
                    "a router says that they went round until their time was over");
    prove_close(c, ruling);
    return true;
}

/* Bytes sent again and again that nobody acknowledged: the path died in mid-session. */
static bool peer_vanished(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    const struct sw_half_facts *server = &c->facts->half[SW_SERVER];
    bool client_lost = client->rto_open >= RTO_THAT_PROVE_LOSS;
    bool server_lost = server->rto_open >= RTO_THAT_PROVE_LOSS;
    if ((!client_lost && !server_lost) || !c->server_seen || !c->client_seen)
        return false;
    *ruling = stuck(SW_CAUSE_TCP_PEER_VANISHED, SW_CONFIDENCE_LIKELY, sw_case_waiting_stage(c));
    const struct sw_half_facts *lost = client_lost ? client : server;
    if (sw_case_only_large_are_lost(c, client_lost ? SW_CLIENT : SW_SERVER))
        sw_ruling_also(ruling, SW_CAUSE_TCP_PMTU_BLACKHOLE, SW_CONFIDENCE_POSSIBLE);
    bool again;
    if (loop_told(c, client_lost ? SW_CLIENT : SW_SERVER, &again))
        sw_ruling_also(ruling, SW_CAUSE_NET_TTL_EXCEEDED, SW_CONFIDENCE_POSSIBLE);
    sw_ruling_prove(ruling, lost->last_data, client_lost ? SW_ORIGIN_CLIENT : SW_ORIGIN_SERVER,
                    "bytes that were never acknowledged");
    sw_ruling_prove(ruling, lost->last, client_lost ? SW_ORIGIN_CLIENT : SW_ORIGIN_SERVER,
                    "last of several repetitions");
    return true;
}

/* How long nothing had been said when the client sent what was never acknowledged; 0 = all was. */
static int64_t pause_before_loss(const struct sw_case *c)
{
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    const struct sw_half_facts *server = &c->facts->half[SW_SERVER];
    if (client->unacked_bytes == 0 || !client->last_data.frame)
        return 0;
    int64_t heard = c->facts->established.time_ns;
    if (server->last_ack_progress.frame && server->last_ack_progress.time_ns > heard)
        heard = server->last_ack_progress.time_ns;
    if (server->last_data.frame && server->last_data.time_ns > heard)
        heard = server->last_data.time_ns;
    return client->last_data.time_ns - heard;
}

/*
 * After a long pause the client's next bytes meet a RST or nothing at all, though the server never
 * closed: something on the way (NAT, firewall) has forgotten the connection (RFC 5382 REQ-5).
 */
static bool state_lost(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    bool reset = c->closed_by_server && c->reset;
    bool silence = client->rto_open >= RTO_THAT_PROVE_LOSS && !c->closed_by_server;
    if (!c->server_spoke || (!reset && !silence) || pause_before_loss(c) <= SILENCE_NS)
        return false;
    *ruling = stuck(SW_CAUSE_TCP_IDLE_STATE_LOST, SW_CONFIDENCE_LIKELY, sw_case_waiting_stage(c));
    sw_ruling_also(ruling, reset ? SW_CAUSE_TCP_RESET_BY_SERVER : SW_CAUSE_TCP_PEER_VANISHED,
                   SW_CONFIDENCE_POSSIBLE);
    sw_ruling_prove(ruling, c->facts->half[SW_SERVER].last_data, SW_ORIGIN_SERVER,
                    "the server's last words before the long pause");
    sw_ruling_prove(ruling, client->last_data, SW_ORIGIN_CLIENT, "first bytes after it");
    if (silence)
        sw_ruling_prove(ruling, client->last, SW_ORIGIN_CLIENT, "repeated in vain");
    prove_close(c, ruling);
    return true;
}

/* RST right behind the SYN/ACK: the server accepts, and takes it back before it is confirmed. */
static bool accepted_and_cut(const struct sw_case *c, struct sw_ruling *ruling)
{
    bool accepted = c->facts->syn_ack.frame && !c->established && c->client_seen;
    if (!accepted || !c->closed_by_server)
        return false;
    *ruling = stuck(SW_CAUSE_GREET_CLOSED_NO_BANNER, SW_CONFIDENCE_LIKELY, SW_STAGE_CONNECT);
    sw_ruling_prove(ruling, c->facts->syn_ack, SW_ORIGIN_SERVER, "connection accepted (SYN/ACK)");
    prove_close(c, ruling);
    return true;
}

/* Connected, and not one byte from the server, or the greeting was never finished. */
static bool no_greeting(const struct sw_case *c, struct sw_ruling *ruling)
{
    bool maybe_tls = c->session->implicit_tls_port && c->facts->half[SW_CLIENT].gap_bytes > 0;
    if (c->waiting != SW_WAITING_GREETING || !c->established || maybe_tls)
        return false;
    if (c->closed_by_server) {
        *ruling = stuck(SW_CAUSE_GREET_CLOSED_NO_BANNER, SW_CONFIDENCE_CERTAIN, SW_STAGE_GREETING);
        sw_ruling_prove(ruling, c->facts->established, SW_ORIGIN_CLIENT, "connected");
        prove_close(c, ruling);
        return true;
    }
    bool client_waited = c->gave_up.frame && c->waited_ns >= SW_PATIENCE_NS;
    bool long_silence = !c->gave_up.frame && c->waited_ns > SILENCE_NS;
    if (!client_waited && !long_silence)
        return false;
    const struct sw_step *begun = c->session->greeting;
    *ruling = stuck(SW_CAUSE_GREET_NO_BANNER,
                    client_waited && !begun ? SW_CONFIDENCE_CERTAIN : SW_CONFIDENCE_LIKELY,
                    SW_STAGE_GREETING);
    sw_ruling_prove(ruling, c->wait_begin, begun ? SW_ORIGIN_SERVER : SW_ORIGIN_CLIENT,
                    begun ? "not the last line of the greeting"
                          : "connected, waiting for the greeting");
    prove_close(c, ruling);
    return true;
}

/* The greeting came so late that the client was already leaving. */
static bool slow_greeting(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_step *greeting = c->session->greeting;
    if (!greeting || !sw_reply_is(greeting, 2) || c->session->greeting_delay_ns <= SW_PATIENCE_NS)
        return false;
    struct sw_mark leaving = c->facts->closed;
    const struct sw_step *quit = c->session->quit;
    if (quit && (!leaving.frame || quit->first.time_ns < leaving.time_ns))
        leaving = quit->first;
    else if (!c->closed_by_client)
        return false;
    bool said_anything = c->session->hellos || c->session->messages;
    if (!leaving.frame || said_anything || leaving.time_ns > greeting->first.time_ns + SW_NS_PER_S)
        return false;
    *ruling = stuck(SW_CAUSE_GREET_SLOW_BANNER, SW_CONFIDENCE_CERTAIN, SW_STAGE_GREETING);
    sw_ruling_prove(ruling, c->facts->established, SW_ORIGIN_CLIENT, "connected");
    sw_ruling_prove_step(ruling, greeting, "greeting");
    sw_ruling_prove(ruling, leaving, SW_ORIGIN_CLIENT, "the client leaves");
    return true;
}

/* 220 to STARTTLS, and then clear text that the server does not answer any more. */
static bool tls_never_begun(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_step *go_ahead = c->session->starttls ? c->session->starttls->reply : NULL;
    bool spoke_on = c->session->tls == SW_TLS_CLEAR && c->waiting == SW_WAITING_REPLY;
    bool ended = c->facts->closed.frame || c->waited_ns > SILENCE_NS;
    if (!spoke_on || !ended || !go_ahead || c->session->last_reply != go_ahead)
        return false;
    *ruling = stuck(SW_CAUSE_STARTTLS_NOT_FOLLOWED, SW_CONFIDENCE_LIKELY, SW_STAGE_STARTTLS);
    sw_ruling_prove_step(ruling, go_ahead, "STARTTLS accepted");
    sw_ruling_prove_step(ruling, c->pending, "clear text instead of TLS");
    prove_close(c, ruling);
    return true;
}

static bool after_the_dot(const struct sw_case *c)
{
    return c->pending && c->pending->phase == SW_PHASE_FINAL &&
           (c->pending->verb == SMTP_VERB_END_OF_DATA || (c->pending->flags & SMTP_FLAG_LAST));
}

/* Why the server closed or reset the connection instead of an answer. */
static enum sw_cause cause_of_close(const struct sw_case *c, bool dot)
{
    if (dot)
        return SW_CAUSE_DATA_CLOSED_AFTER_DOT;
    if (c->pending->verb == SMTP_VERB_STARTTLS && sw_case_oddity(c, SMTP_ODD_AFTER_STARTTLS))
        return SW_CAUSE_STARTTLS_PIPELINED;
    if (c->reset)
        return SW_CAUSE_TCP_RESET_BY_SERVER;
    /* It may have closed before, for want of a command; this one came too late. */
    const struct sw_step *last = c->session->last_reply;
    bool too_late = last && c->facts->closed.time_ns < c->pending->first.time_ns &&
                    c->facts->closed.time_ns - sw_step_last(last).time_ns > SILENCE_NS;
    return too_late ? SW_CAUSE_SERVER_IDLE_TIMEOUT : SW_CAUSE_TCP_SERVER_CLOSED_EARLY;
}

/* The client said '*' (RFC 4954 section 4) and did not wait for the answer. */
static bool login_taken_back(const struct sw_case *c)
{
    const struct sw_auth *auth = c->session->auth;
    return auth && auth->cancelled && !auth->reply && c->pending == auth->last;
}

/*
 * All that the client had to say went out at once (RFC 2920, RFC 3030), its goodbye and FIN as
 * well: it still listens, and as long as the server's side is open the answers may come.
 */
static bool said_all_at_once(const struct sw_case *c)
{
    enum { AT_ONCE_NS = 100000000 };
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    const struct sw_half_facts *server = &c->facts->half[SW_SERVER];
    const struct sw_message *m = c->session->message;
    return c->session->quit && m && m->end_of_data && c->waited_ns < AT_ONCE_NS &&
           !client->rst.frame && !server->rst.frame && !server->fin.frame;
}

/* A command, or the end of the message (`dot`), stayed unanswered: why? */
static bool why_unanswered(const struct sw_case *c, bool dot, struct sw_ruling *ruling)
{
    if (c->waiting != SW_WAITING_REPLY || said_all_at_once(c))
        return false;
    enum sw_stage stage = sw_stage_of_phase(c->pending->phase);
    bool by_server = c->closed_by_server && (!c->gave_up.frame || c->waited_ns < SW_PATIENCE_NS);
    /* A command that did not even arrive, and no repetition of it: the capture does not show what
     * happened. */
    bool arrived = c->facts->half[SW_CLIENT].unacked_bytes == 0 || c->facts->closed.frame;
    if (!arrived)
        return false;
    if (by_server) {
        enum sw_cause cause = cause_of_close(c, dot);
        bool sure = cause != SW_CAUSE_SERVER_IDLE_TIMEOUT && cause != SW_CAUSE_STARTTLS_PIPELINED;
        *ruling = stuck(cause, sure ? SW_CONFIDENCE_CERTAIN : SW_CONFIDENCE_LIKELY, stage);
    } else if (c->gave_up.frame && (dot || c->waited_ns >= SW_PATIENCE_NS)) {
        /* what the server does not confirm may never have reached it */
        bool sure = c->waited_ns >= SW_PATIENCE_NS && c->facts->half[SW_CLIENT].unacked_bytes == 0;
        *ruling = stuck(dot ? SW_CAUSE_DATA_NO_REPLY_AFTER_DOT : SW_CAUSE_SMTP_REPLY_TIMEOUT,
                        sure ? SW_CONFIDENCE_CERTAIN : SW_CONFIDENCE_LIKELY, stage);
    } else if (c->gave_up.frame && login_taken_back(c)) {
        *ruling = stuck(SW_CAUSE_AUTH_CANCELLED, SW_CONFIDENCE_LIKELY, stage);
    } else if (c->gave_up.frame) {
        bool rst = c->reset && c->closed_by_client;
        *ruling = stuck(rst ? SW_CAUSE_TCP_RESET_BY_CLIENT : SW_CAUSE_TCP_CLIENT_CLOSED_EARLY,
                        SW_CONFIDENCE_LIKELY, stage);
    } else if (!dot && c->waited_ns > SILENCE_NS) {
        *ruling = stuck(SW_CAUSE_SMTP_REPLY_TIMEOUT, SW_CONFIDENCE_LIKELY, stage);
    } else {
        return false; /* the capture ends while the client still waits */
    }
    return true;
}

enum sw_cause sw_case_cause_without_text(const struct sw_case *c, enum sw_cause cause)
{
    struct sw_ruling ruling;
    bool behind_text =
        cause == SW_CAUSE_DATA_CLOSED_AFTER_DOT || cause == SW_CAUSE_DATA_NO_REPLY_AFTER_DOT;
    return behind_text && why_unanswered(c, false, &ruling) ? ruling.cause : cause;
}

static bool unanswered_command(const struct sw_case *c, struct sw_ruling *ruling)
{
    bool dot = after_the_dot(c);
    if (!why_unanswered(c, dot, ruling))
        return false;
    prove_waiting(c, ruling, dot ? "end of the message, not answered" : "command, not answered");
    prove_close(c, ruling);
    return true;
}

/*
 * A text that flows without a stop and without much loss, and yet so slowly that somebody's limit
 * for the whole of it ended the session before all that was announced had passed.
 */
bool sw_case_slow_upload(const struct sw_case *c, const struct sw_message *m, struct sw_mark end)
{
    enum { LIMIT_S = 30, UNANNOUNCED_LIMIT_S = 60, SLOW_OCTETS_PER_S = 16384, LOSS_PART = 20 };
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    if (!m || !m->body_seen || m->end_of_data)
        return false;
    int64_t took_s = (end.time_ns - m->body_first.time_ns) / SW_NS_PER_S;
    int64_t pause_ns = end.time_ns - m->body_last.time_ns;
    pause_ns = m->body_pause_ns > pause_ns ? m->body_pause_ns : pause_ns;
    bool lossy = client->retransmissions * LOSS_PART > client->data_packets;
    if (took_s < LIMIT_S || pause_ns >= STALL_NS || lossy)
        return false;
    if (m->has_size)
        return m->body_octets < m->size_declared;
    return took_s >= UNANNOUNCED_LIMIT_S && m->body_octets / (uint64_t)took_s < SLOW_OCTETS_PER_S;
}

/*
 * The client ended its text with a dot between wrong line ends, and waited in vain: the server did
 * not take that for the end.
 */
static bool wrong_end(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_oddity *end = sw_case_oddity(c, SMTP_ODD_FALSE_END_LAST);
    struct sw_mark until = c->gave_up.frame ? c->gave_up : c->facts->closed;
    if (!end)
        return false;
    int64_t waited_ns = (until.frame ? until : c->session->final).time_ns - end->mark.time_ns;
    if (waited_ns < SW_PATIENCE_NS || (!until.frame && waited_ns <= SILENCE_NS))
        return false;
    *ruling = stuck(SW_CAUSE_DATA_BARE_LF, SW_CONFIDENCE_LIKELY, SW_STAGE_BODY);
    sw_ruling_also(ruling, SW_CAUSE_DATA_CLIENT_STALLED, SW_CONFIDENCE_POSSIBLE);
    sw_ruling_prove(ruling, end->mark, SW_ORIGIN_CLIENT,
                    "end of the message, but its line ends are not CR LF");
    prove_close(c, ruling);
    return true;
}

/* The text of the message was begun and not finished. */
static bool unfinished_text(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    if (c->waiting != SW_WAITING_BODY || c->session->words_missing || client->gap_bytes > 0)
        return false; /* the end may be what is missing */
    if (wrong_end(c, ruling))
        return true;
    const struct sw_message *m = c->session->message;
    bool stalled = c->waited_ns >= STALL_NS;
    bool too_slow = c->facts->closed.frame && sw_case_slow_upload(c, m, c->facts->closed);
    if (c->closed_by_server && c->reset)
        *ruling = stuck(SW_CAUSE_TCP_RESET_BY_SERVER, SW_CONFIDENCE_CERTAIN, SW_STAGE_BODY);
    else if (too_slow)
        *ruling = stuck(SW_CAUSE_DATA_UPLOAD_TOO_SLOW, SW_CONFIDENCE_LIKELY, SW_STAGE_BODY);
    else if (c->closed_by_server && !stalled)
        *ruling = stuck(SW_CAUSE_TCP_SERVER_CLOSED_EARLY, SW_CONFIDENCE_CERTAIN, SW_STAGE_BODY);
    else if (stalled && (c->facts->closed.frame || c->waited_ns > SILENCE_NS))
        *ruling = stuck(SW_CAUSE_DATA_CLIENT_STALLED,
                        c->facts->closed.frame ? SW_CONFIDENCE_CERTAIN : SW_CONFIDENCE_LIKELY,
                        SW_STAGE_BODY);
    else if (c->closed_by_client && m->body_seen)
        *ruling = stuck(SW_CAUSE_DATA_NO_FINAL_DOT, SW_CONFIDENCE_CERTAIN, SW_STAGE_BODY);
    else if (c->closed_by_client)
        *ruling = stuck(c->reset ? SW_CAUSE_TCP_RESET_BY_CLIENT : SW_CAUSE_TCP_CLIENT_CLOSED_EARLY,
                        SW_CONFIDENCE_CERTAIN, SW_STAGE_BODY);
    else
        return false;
    if (m->go_ahead)
        sw_ruling_prove_step(ruling, m->go_ahead, "go-ahead for the text");
    if (m->body_seen)
        sw_ruling_prove(ruling, m->body_last, SW_ORIGIN_CLIENT, "last bytes of the text");
    prove_close(c, ruling);
    return true;
}

/* It was the client's turn, a mail was under way, and the connection ended. */
static bool broken_between(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_session *s = c->session;
    if (c->waiting != SW_WAITING_NOTHING || s->quit || !c->facts->closed.frame || s->words_missing)
        return false; /* or it was the server's, and what the client said is missing */
    const struct sw_step *last = s->last_reply;
    enum sw_stage stage = last ? sw_stage_of_phase(last->phase) : SW_STAGE_GREETING;
    bool challenged = last && last->code == 334;
    bool given_up_in_order = s->messages && !c->any_message_counts;
    if (c->closed_by_server) {
        /* behind its greeting there was no time to ask */
        bool at_once = c->waited_ns < SW_PATIENCE_NS && c->complete_start;
        if (!s->hellos && !c->client_spoke && !at_once)
            return false; /* nobody asked for anything, or it is not in the capture */
        bool idle = c->waited_ns > SILENCE_NS && !c->reset;
        enum sw_cause cause = idle       ? SW_CAUSE_SERVER_IDLE_TIMEOUT
                              : c->reset ? SW_CAUSE_TCP_RESET_BY_SERVER
                                         : SW_CAUSE_TCP_SERVER_CLOSED_EARLY;
        bool asked = s->hellos || c->client_spoke;
        *ruling =
            stuck(cause, idle || !asked ? SW_CONFIDENCE_LIKELY : SW_CONFIDENCE_CERTAIN, stage);
        if (!asked)
            sw_ruling_also(ruling, SW_CAUSE_OK_NO_ATTEMPT, SW_CONFIDENCE_POSSIBLE);
    } else if (challenged || (c->tried_mail && !given_up_in_order)) {
        *ruling = stuck(SW_CAUSE_TCP_CLIENT_CLOSED_EARLY,
                        c->tried_mail ? SW_CONFIDENCE_CERTAIN : SW_CONFIDENCE_LIKELY, stage);
    } else {
        return false;
    }
    if (last)
        sw_ruling_prove_step(ruling, last, "last reply of the server");
    prove_close(c, ruling);
    return true;
}

bool sw_rule_broken(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (!c->client_seen || !c->server_seen)
        return false;
    if (slow_greeting(c, ruling))
        return true;
    if (c->answer_lost || (c->reply_lost && c->outcome == SW_OUTCOME_UNKNOWN))
        return false; /* what looks like silence may be the capture's */
    if (c->facts->midstream && !c->server_spoke)
        return false; /* commands without replies prove nothing */
    return went_round(c, ruling) || state_lost(c, ruling) || peer_vanished(c, ruling) ||
           accepted_and_cut(c, ruling) || no_greeting(c, ruling) || tls_never_begun(c, ruling) ||
           unanswered_command(c, ruling) || unfinished_text(c, ruling) || broken_between(c, ruling);
}
