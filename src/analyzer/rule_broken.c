/*
 * rule_broken.c - sessions that no reply decides: closed, reset, or silent at some point. Which
 * side ended the waiting, after how long, and what was unanswered then is the whole matter (rulings
 * on silence and closing).
 */
#include "analyzer/case.h"

#define PATIENCE_NS (5 * SW_NS_PER_S) /* a client that leaves after that has given up waiting */
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
    if (c->gave_up.frame && c->gave_up.frame != c->facts->closed.frame)
        sw_ruling_prove(ruling, c->gave_up, SW_ORIGIN_CLIENT, "the client gives up");
    if (c->facts->closed.frame)
        sw_ruling_prove(ruling, c->facts->closed,
                        c->closed_by_server ? SW_ORIGIN_SERVER : SW_ORIGIN_CLIENT,
                        c->reset ? "connection cut (RST)" : "connection closed (FIN)");
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
    *ruling = stuck(SW_CAUSE_TCP_PEER_VANISHED, SW_CONFIDENCE_LIKELY,
                    c->waiting == SW_WAITING_BODY       ? SW_STAGE_BODY
                    : c->pending                        ? sw_stage_of_phase(c->pending->phase)
                    : c->waiting == SW_WAITING_GREETING ? SW_STAGE_GREETING
                    : c->session->last_reply ? sw_stage_of_phase(c->session->last_reply->phase)
                                             : SW_STAGE_GREETING);
    const struct sw_half_facts *lost = client_lost ? client : server;
    sw_ruling_prove(ruling, lost->last_data, client_lost ? SW_ORIGIN_CLIENT : SW_ORIGIN_SERVER,
                    "bytes that were never acknowledged");
    sw_ruling_prove(ruling, lost->last, client_lost ? SW_ORIGIN_CLIENT : SW_ORIGIN_SERVER,
                    "last of several repetitions");
    return true;
}

/*
 * After a long pause the client's next words meet a RST, though the server never closed: something
 * on the way (NAT, firewall) has forgotten the connection (RFC 5382 REQ-5).
 */
static bool state_lost(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_step *spoke = c->pending;
    if (!c->closed_by_server || !c->reset || c->waiting != SW_WAITING_REPLY || !spoke)
        return false;
    const struct sw_step *before = NULL;
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        if (s == spoke)
            break;
        before = s;
    }
    bool paused = before && spoke->first.time_ns - before->last.time_ns > SILENCE_NS;
    if (!paused || c->facts->closed.time_ns - spoke->first.time_ns > PATIENCE_NS)
        return false;
    *ruling =
        stuck(SW_CAUSE_TCP_IDLE_STATE_LOST, SW_CONFIDENCE_LIKELY, sw_stage_of_phase(spoke->phase));
    sw_ruling_also(ruling, SW_CAUSE_TCP_RESET_BY_SERVER, SW_CONFIDENCE_POSSIBLE);
    sw_ruling_prove(ruling, before->last,
                    before->from == SW_SERVER ? SW_ORIGIN_SERVER : SW_ORIGIN_CLIENT,
                    "the last words before the long pause");
    sw_ruling_prove(ruling, spoke->first, SW_ORIGIN_CLIENT, "first words after it");
    prove_close(c, ruling);
    return true;
}

/* Connected, and not one byte from the server. */
static bool no_greeting(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (c->waiting != SW_WAITING_GREETING || !c->established)
        return false;
    if (c->closed_by_server) {
        *ruling = stuck(SW_CAUSE_GREET_CLOSED_NO_BANNER, SW_CONFIDENCE_CERTAIN, SW_STAGE_GREETING);
        sw_ruling_prove(ruling, c->facts->established, SW_ORIGIN_CLIENT, "connected");
        prove_close(c, ruling);
        return true;
    }
    bool client_waited = c->gave_up.frame && c->waited_ns >= PATIENCE_NS;
    bool long_silence = !c->gave_up.frame && c->waited_ns > SILENCE_NS;
    if (!client_waited && !long_silence)
        return false;
    *ruling =
        stuck(SW_CAUSE_GREET_NO_BANNER,
              client_waited ? SW_CONFIDENCE_CERTAIN : SW_CONFIDENCE_LIKELY, SW_STAGE_GREETING);
    sw_ruling_prove(ruling, c->wait_begin, SW_ORIGIN_CLIENT, "connected, waiting for the greeting");
    prove_close(c, ruling);
    return true;
}

/* The greeting came so late that the client was already leaving. */
static bool slow_greeting(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_step *greeting = c->session->greeting;
    if (!greeting || !sw_reply_is(greeting, 2) || greeting->delay_ns <= PATIENCE_NS)
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
    sw_ruling_prove(ruling, greeting->first, SW_ORIGIN_SERVER, "greeting");
    sw_ruling_prove(ruling, leaving, SW_ORIGIN_CLIENT, "the client leaves");
    return true;
}

static bool after_the_dot(const struct sw_case *c)
{
    return c->pending && c->pending->phase == SW_PHASE_FINAL &&
           (c->pending->verb == SMTP_VERB_END_OF_DATA || (c->pending->flags & SMTP_FLAG_LAST));
}

/* A command, or the end of the message, stayed unanswered. */
static bool unanswered_command(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (c->waiting != SW_WAITING_REPLY)
        return false;
    bool dot = after_the_dot(c);
    enum sw_stage stage = sw_stage_of_phase(c->pending->phase);
    bool by_server = c->closed_by_server && (!c->gave_up.frame || c->waited_ns < PATIENCE_NS);
    /* A command that did not even arrive, and no repetition of it: the capture does not show what
     * happened. */
    bool arrived = c->facts->half[SW_CLIENT].unacked_bytes == 0 || c->facts->closed.frame;
    if (!arrived)
        return false;
    if (by_server) {
        enum sw_cause cause = dot        ? SW_CAUSE_DATA_CLOSED_AFTER_DOT
                              : c->reset ? SW_CAUSE_TCP_RESET_BY_SERVER
                                         : SW_CAUSE_TCP_SERVER_CLOSED_EARLY;
        *ruling = stuck(cause, SW_CONFIDENCE_CERTAIN, stage);
    } else if (c->gave_up.frame && (dot || c->waited_ns >= PATIENCE_NS)) {
        *ruling = stuck(dot ? SW_CAUSE_DATA_NO_REPLY_AFTER_DOT : SW_CAUSE_SMTP_REPLY_TIMEOUT,
                        c->waited_ns >= PATIENCE_NS ? SW_CONFIDENCE_CERTAIN : SW_CONFIDENCE_LIKELY,
                        stage);
    } else if (c->gave_up.frame) {
        bool rst = c->reset && c->closed_by_client;
        *ruling = stuck(rst ? SW_CAUSE_TCP_RESET_BY_CLIENT : SW_CAUSE_TCP_CLIENT_CLOSED_EARLY,
                        SW_CONFIDENCE_LIKELY, stage);
    } else if (!dot && c->waited_ns > SILENCE_NS) {
        *ruling = stuck(SW_CAUSE_SMTP_REPLY_TIMEOUT, SW_CONFIDENCE_LIKELY, stage);
    } else {
        return false; /* the capture ends while the client still waits */
    }
    prove_waiting(c, ruling, dot ? "end of the message, not answered" : "command, not answered");
    prove_close(c, ruling);
    return true;
}

/* The text of the message was begun and not finished. */
static bool unfinished_text(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (c->waiting != SW_WAITING_BODY)
        return false;
    const struct sw_message *m = c->session->message;
    bool stalled = c->waited_ns >= STALL_NS;
    if (c->closed_by_server && c->reset)
        *ruling = stuck(SW_CAUSE_TCP_RESET_BY_SERVER, SW_CONFIDENCE_CERTAIN, SW_STAGE_BODY);
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
        sw_ruling_prove(ruling, m->go_ahead->first, SW_ORIGIN_SERVER, "go-ahead for the text");
    if (m->body_seen)
        sw_ruling_prove(ruling, m->body_last, SW_ORIGIN_CLIENT, "last bytes of the text");
    prove_close(c, ruling);
    return true;
}

/* It was the client's turn, a mail was under way, and the connection ended. */
static bool broken_between(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_session *s = c->session;
    if (c->waiting != SW_WAITING_NOTHING || s->quit || !c->facts->closed.frame)
        return false;
    const struct sw_step *last = s->last_reply;
    enum sw_stage stage = last ? sw_stage_of_phase(last->phase) : SW_STAGE_GREETING;
    bool challenged = last && last->code == 334;
    if (c->closed_by_server) {
        if (!s->hellos && !c->client_spoke)
            return false; /* nobody asked for anything */
        bool idle = c->waited_ns > SILENCE_NS && !c->reset;
        enum sw_cause cause = idle       ? SW_CAUSE_SERVER_IDLE_TIMEOUT
                              : c->reset ? SW_CAUSE_TCP_RESET_BY_SERVER
                                         : SW_CAUSE_TCP_SERVER_CLOSED_EARLY;
        *ruling = stuck(cause, idle ? SW_CONFIDENCE_LIKELY : SW_CONFIDENCE_CERTAIN, stage);
    } else if (c->tried_mail || challenged) {
        *ruling = stuck(SW_CAUSE_TCP_CLIENT_CLOSED_EARLY,
                        c->tried_mail ? SW_CONFIDENCE_CERTAIN : SW_CONFIDENCE_LIKELY, stage);
    } else {
        return false;
    }
    if (last)
        sw_ruling_prove(ruling, last->first, SW_ORIGIN_SERVER, "last reply of the server");
    prove_close(c, ruling);
    return true;
}

bool sw_rule_broken(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (!c->client_seen || !c->server_seen || c->reply_lost)
        return false; /* what looks like silence may be the capture's */
    if (c->facts->midstream && !c->server_spoke)
        return false; /* commands without replies prove nothing */
    return peer_vanished(c, ruling) || no_greeting(c, ruling) || slow_greeting(c, ruling) ||
           state_lost(c, ruling) || unanswered_command(c, ruling) || unfinished_text(c, ruling) ||
           broken_between(c, ruling);
}
