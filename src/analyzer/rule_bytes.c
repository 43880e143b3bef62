/*
 * rule_bytes.c - what the first bytes of both sides give away: another protocol, or the wrong kind
 * of port.
 */
#include "analyzer/case.h"

static enum sw_content content(const struct sw_case *c, enum sw_side side)
{
    return c->session->first_bytes[side].content;
}

static struct sw_mark mark(const struct sw_case *c, enum sw_side side)
{
    return c->session->first_bytes[side].mark;
}

/* Is the TLS of the client the first that it says? A capture that begins late, or that lacks bytes,
 * shows that only where a ClientHello (RFC 8446 4) is answered in clear. */
static bool begins_with_tls(const struct sw_case *c)
{
    enum { HANDSHAKE = 22 };
    if (content(c, SW_CLIENT) != SW_CONTENT_TLS)
        return false;
    if (c->complete_start && !c->session->first_bytes[SW_CLIENT].late)
        return true;
    return sw_session_opening(c->session, SW_CLIENT).ptr[0] == HANDSHAKE &&
           mark(c, SW_SERVER).frame > mark(c, SW_CLIENT).frame;
}

/* A ClientHello answered in plain text: the client expects TLS at once, the port does not speak it.
 */
static bool tls_to_plain_port(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (!begins_with_tls(c) || c->session->starttls)
        return false;
    enum sw_content server = content(c, SW_SERVER);
    if (server != SW_CONTENT_SMTP && server != SW_CONTENT_FTP && server != SW_CONTENT_TEXT)
        return false;
    *ruling = (struct sw_ruling){
        .cause = SW_CAUSE_MODE_TLS_TO_PLAIN_PORT,
        .outcome = SW_OUTCOME_STUCK,
        .confidence = SW_CONFIDENCE_CERTAIN,
        .stage = SW_STAGE_GREETING,
    };
    sw_ruling_prove(ruling, mark(c, SW_CLIENT), SW_ORIGIN_CLIENT,
                    "TLS ClientHello at the first byte");
    sw_ruling_prove(ruling, mark(c, SW_SERVER), SW_ORIGIN_SERVER, "answer in plain text");
    return true;
}

/* Both wait for the other: the client for a greeting, the server for a ClientHello. */
static bool plain_to_tls_port(const struct sw_case *c, struct sw_ruling *ruling)
{
    struct sw_mark earlier = {0};
    if (c->history && !c->session->implicit_tls_port)
        earlier = sw_history_begins_with_tls(c->history, &c->facts->tuple);
    bool tls_port = c->session->implicit_tls_port || earlier.frame;
    if (!tls_port || !c->established || !c->server_seen || !c->client_seen)
        return false;
    enum sw_content client = content(c, SW_CLIENT);
    bool said_nothing = client == SW_CONTENT_NOTHING && c->complete_start &&
                        c->facts->half[SW_CLIENT].gap_bytes == 0;
    if (!said_nothing && client != SW_CONTENT_SMTP)
        return false;
    bool server_is_tls = content(c, SW_SERVER) == SW_CONTENT_TLS;
    bool mutual_silence =
        !c->server_spoke && c->waited_ns >= 5 * SW_NS_PER_S &&
        (c->gave_up.frame || c->closed_by_server || c->waited_ns > 60 * SW_NS_PER_S);
    bool plain_then_closed =
        client == SW_CONTENT_SMTP && !c->server_spoke && c->facts->closed_by >= 0;
    if (!server_is_tls && !mutual_silence && !plain_then_closed)
        return false;
    *ruling = (struct sw_ruling){
        .cause = SW_CAUSE_MODE_PLAIN_TO_TLS_PORT,
        .outcome = SW_OUTCOME_STUCK,
        .confidence = server_is_tls ? SW_CONFIDENCE_CERTAIN : SW_CONFIDENCE_LIKELY,
        .stage = SW_STAGE_GREETING,
    };
    sw_ruling_prove(ruling, c->facts->established, SW_ORIGIN_CLIENT,
                    "connected, and no TLS from the client");
    sw_ruling_prove(ruling, mark(c, SW_CLIENT), SW_ORIGIN_CLIENT, "plain text on a port for TLS");
    sw_ruling_prove(ruling, mark(c, SW_SERVER), SW_ORIGIN_SERVER, "TLS alert");
    sw_ruling_prove(ruling, c->facts->closed,
                    c->closed_by_server ? SW_ORIGIN_SERVER : SW_ORIGIN_CLIENT,
                    "connection given up");
    sw_ruling_prove_beside(ruling, earlier, SW_ORIGIN_SERVER,
                           "the same server speaks TLS from the first byte (ServerHello)");
    return true;
}

static bool is_mail_client(enum sw_content content)
{
    switch (content) {
    case SW_CONTENT_NOTHING:
    case SW_CONTENT_SMTP:
    case SW_CONTENT_TLS:
    case SW_CONTENT_PROXY:
    case SW_CONTENT_TEXT:
        return true;
    case SW_CONTENT_HTTP:
    case SW_CONTENT_SSH:
    case SW_CONTENT_POP3:
    case SW_CONTENT_IMAP:
    case SW_CONTENT_SOCKS:
    case SW_CONTENT_FTP:
    case SW_CONTENT_BINARY:
        break;
    }
    return false;
}

/* Nothing that is known begins like this; where bytes may be damaged or missing, that says nothing.
 */
static bool is_noise(const struct sw_case *c, enum sw_side side)
{
    bool unknown = content(c, side) == SW_CONTENT_TEXT || content(c, side) == SW_CONTENT_BINARY;
    return unknown && sw_case_first_is_doubtful(c, side);
}

/* A browser, an SSH client or something unknown that happens to use a mail port. */
static bool other_client(const struct sw_case *c, struct sw_ruling *ruling)
{
    bool named = c->session->named && content(c, SW_CLIENT) == SW_CONTENT_TEXT;
    bool taken = c->outcome == SW_OUTCOME_DELIVERED || c->outcome == SW_OUTCOME_PARTIAL;
    if ((is_mail_client(content(c, SW_CLIENT)) && !named) || !c->complete_start ||
        (c->session->hellos && !sw_case_is_web_request(c)) || taken || is_noise(c, SW_CLIENT))
        return false;
    *ruling = (struct sw_ruling){
        .cause = SW_CAUSE_OK_NO_ATTEMPT,
        .outcome = SW_OUTCOME_NO_MAIL,
        .confidence = SW_CONFIDENCE_CERTAIN,
        .stage = SW_STAGE_CONNECT,
    };
    bool guess = content(c, SW_CLIENT) == SW_CONTENT_BINARY && !c->session->named;
    if (guess || sw_case_first_is_doubtful(c, SW_CLIENT))
        ruling->confidence = SW_CONFIDENCE_LIKELY;
    sw_ruling_prove(ruling, mark(c, SW_CLIENT), SW_ORIGIN_CLIENT,
                    "first bytes of the client: no mail protocol");
    return true;
}

/* An alert (RFC 8446 6) to a client that did not begin TLS: the server wants it first, on a port
 * where mail begins in clear. */
static bool refuses_clear_text(const struct sw_case *c)
{
    enum { ALERT = 21 };
    return content(c, SW_SERVER) == SW_CONTENT_TLS && content(c, SW_CLIENT) != SW_CONTENT_TLS &&
           sw_session_opening(c->session, SW_SERVER).ptr[0] == ALERT && !c->session->starttls &&
           c->client_seen && c->facts->half[SW_CLIENT].gap_bytes == 0;
}

/* A mail client that met another kind of server. */
static bool other_server(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_session *s = c->session;
    enum sw_content server = content(c, SW_SERVER);
    bool foreign = server != SW_CONTENT_NOTHING && server != SW_CONTENT_SMTP &&
                   (server != SW_CONTENT_TLS || refuses_clear_text(c));
    if (!foreign || !c->complete_start || c->facts->conflicts > 0 || is_noise(c, SW_SERVER))
        return false;
    if (s->greeting && s->greeting->code != 0)
        return false; /* junk before a proper greeting */
    const struct sw_first_bytes *first = &s->first_bytes[SW_SERVER];
    if (first->len < 4 && (c->facts->closed_by < 0 || first->cut))
        return false; /* too little to tell: more may come, or is missing */
    bool mailbox_server = server == SW_CONTENT_POP3 || server == SW_CONTENT_IMAP;
    if (!mailbox_server && (sw_case_portal(c, SW_CAUSE_GREET_NOT_SMTP, ruling) ||
                            sw_case_sinkholed(c, SW_CAUSE_GREET_NOT_SMTP, ruling)))
        return true;
    *ruling = (struct sw_ruling){
        .cause = mailbox_server ? SW_CAUSE_GREET_POP_IMAP_BANNER : SW_CAUSE_GREET_NOT_SMTP,
        .outcome = SW_OUTCOME_STUCK,
        .confidence =
            sw_case_first_is_doubtful(c, SW_SERVER) ? SW_CONFIDENCE_LIKELY : SW_CONFIDENCE_CERTAIN,
        .stage = SW_STAGE_GREETING,
    };
    sw_ruling_prove(ruling, mark(c, SW_SERVER), SW_ORIGIN_SERVER,
                    mailbox_server ? "greeting of a mailbox server (POP or IMAP)"
                                   : "first bytes of the server: no SMTP greeting");
    return true;
}

bool sw_rule_first_bytes(const struct sw_case *c, struct sw_ruling *ruling)
{
    return tls_to_plain_port(c, ruling) || plain_to_tls_port(c, ruling) ||
           other_client(c, ruling) || other_server(c, ruling);
}
