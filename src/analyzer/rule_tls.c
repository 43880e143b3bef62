/*
 * rule_tls.c - handshakes that failed: by an alert, by a close, by silence; and what the server's
 * certificates say about it.
 *
 * An alert that can be read decides, whatever the version. Without one the order of events decides:
 * who spoke last, who closed, whether the server had said all of its part. In TLS 1.3 certificates
 * and most alerts are hidden; what cannot be seen is never named.
 */
#include "analyzer/rule_tls.h"

enum { PATIENCE_S = 5, SILENCE_S = 60 };

static struct sw_ruling stuck(enum sw_cause cause, enum sw_confidence confidence)
{
    return (struct sw_ruling){.cause = cause,
                              .outcome = SW_OUTCOME_STUCK,
                              .confidence = confidence,
                              .stage = SW_STAGE_TLS};
}

static void prove_hellos(const struct sw_tls *tls, struct sw_ruling *ruling)
{
    sw_ruling_prove(ruling, tls->client_hello, SW_ORIGIN_CLIENT, "ClientHello");
    sw_ruling_prove(ruling, tls->server_hello, SW_ORIGIN_SERVER, "ServerHello");
}

/* --- certificates --- */

bool sw_tls_has_problem(const struct sw_tls *tls, enum sw_certificate_problem problem)
{
    const struct sw_certificate *certificate;
    SW_EACH(certificate, tls->certificates) {
        if (certificate->problems & (1u << problem))
            return true;
    }
    return false;
}

/* Somebody on the way shows a certificate of its own making. */
static enum sw_cause interception(const struct sw_tls *tls)
{
    const struct sw_certificate *certificate;
    SW_EACH(certificate, tls->certificates) {
        if (certificate->interceptor == SW_INTERCEPTOR_LOCAL)
            return SW_CAUSE_MBX_AV_PROXY;
        if (certificate->interceptor == SW_INTERCEPTOR_GATEWAY)
            return SW_CAUSE_MBX_TLS_INTERCEPT;
    }
    bool private_issuer = sw_tls_has_problem(tls, SW_CERTIFICATE_NOT_TRUSTED) &&
                          !sw_tls_has_problem(tls, SW_CERTIFICATE_CHAIN_INCOMPLETE);
    return private_issuer && sw_is_public_provider(sw_tls_wanted_name(tls))
               ? SW_CAUSE_MBX_TLS_INTERCEPT
               : SW_CAUSE_NONE;
}

/* Who does not vouch for it: what an "unknown CA" means in the light of the certificate. */
static enum sw_cause issuer_problem(const struct sw_tls *tls)
{
    enum sw_cause cause = interception(tls);
    if (cause != SW_CAUSE_NONE)
        return cause;
    if (sw_tls_has_problem(tls, SW_CERTIFICATE_SELF_SIGNED))
        return SW_CAUSE_TLS_CERT_SELF_SIGNED;
    if (sw_tls_has_problem(tls, SW_CERTIFICATE_CHAIN_INCOMPLETE))
        return SW_CAUSE_TLS_CERT_CHAIN_INCOMPLETE;
    return sw_tls_has_problem(tls, SW_CERTIFICATE_NOT_TRUSTED) ? SW_CAUSE_TLS_CERT_UNKNOWN_CA
                                                               : SW_CAUSE_NONE;
}

static enum sw_cause date_problem(const struct sw_tls *tls)
{
    if (sw_tls_has_problem(tls, SW_CERTIFICATE_EXPIRED))
        return SW_CAUSE_TLS_CERT_EXPIRED;
    return sw_tls_has_problem(tls, SW_CERTIFICATE_NOT_YET_VALID) ? SW_CAUSE_TLS_CERT_NOT_YET_VALID
                                                                 : SW_CAUSE_NONE;
}

/* The first of several: name, dates, issuer. A box on the way comes before the name, which it may
 * get wrong as well. */
enum sw_cause sw_tls_visible_problem(const struct sw_tls *tls)
{
    enum sw_cause cause = interception(tls);
    if (cause != SW_CAUSE_NONE)
        return cause;
    if (sw_tls_has_problem(tls, SW_CERTIFICATE_HOST_MISMATCH))
        return SW_CAUSE_TLS_CERT_NAME_MISMATCH;
    cause = date_problem(tls);
    return cause != SW_CAUSE_NONE ? cause : issuer_problem(tls);
}

static bool certificate_was_read(const struct sw_tls *tls)
{
    return tls->certificates && tls->certificates->read;
}

/* The other things that are wrong with the certificate, as further causes. */
void sw_tls_also_problems(const struct sw_tls *tls, struct sw_ruling *ruling)
{
    if (sw_tls_has_problem(tls, SW_CERTIFICATE_HOST_MISMATCH))
        sw_ruling_also(ruling, SW_CAUSE_TLS_CERT_NAME_MISMATCH, SW_CONFIDENCE_POSSIBLE);
    enum sw_cause cause = date_problem(tls);
    if (cause != SW_CAUSE_NONE)
        sw_ruling_also(ruling, cause, SW_CONFIDENCE_POSSIBLE);
    cause = issuer_problem(tls);
    if (cause != SW_CAUSE_NONE)
        sw_ruling_also(ruling, cause, SW_CONFIDENCE_POSSIBLE);
}

/* --- alerts --- */

/* The client's complaint about the certificate. */
static struct sw_ruling client_on_certificate(const struct sw_tls *tls, uint8_t description)
{
    bool seen = certificate_was_read(tls);
    enum sw_cause visible = seen ? sw_tls_visible_problem(tls) : SW_CAUSE_NONE;
    enum sw_cause cause = SW_CAUSE_NONE;
    switch (description) {
    case 44:
        return stuck(SW_CAUSE_TLS_CERT_REVOKED, SW_CONFIDENCE_CERTAIN);
    case 45:
        /* Where it is hidden or lost, its dates cannot tell whether the client's clock is wrong. */
        if (!seen) {
            struct sw_ruling expired = stuck(SW_CAUSE_TLS_CERT_EXPIRED, SW_CONFIDENCE_LIKELY);
            sw_ruling_also(&expired, SW_CAUSE_TLS_CLOCK_WRONG, SW_CONFIDENCE_POSSIBLE);
            return expired;
        }
        cause = date_problem(tls);
        return cause != SW_CAUSE_NONE ? stuck(cause, SW_CONFIDENCE_CERTAIN)
                                      : stuck(SW_CAUSE_TLS_CLOCK_WRONG, SW_CONFIDENCE_LIKELY);
    case 48:
    case 49:
        cause = seen ? issuer_problem(tls) : SW_CAUSE_TLS_CERT_UNKNOWN_CA;
        return stuck(cause != SW_CAUSE_NONE ? cause : SW_CAUSE_TLS_CERT_UNKNOWN_CA,
                     SW_CONFIDENCE_CERTAIN);
    default:
        break;
    }
    if (visible != SW_CAUSE_NONE)
        return stuck(visible, SW_CONFIDENCE_CERTAIN);
    /* Nothing to be seen: OpenSSL says 42 for a wrong name, others for anything. */
    struct sw_ruling ruling = description == 42
                                  ? stuck(SW_CAUSE_TLS_CERT_NAME_MISMATCH, SW_CONFIDENCE_POSSIBLE)
                                  : stuck(SW_CAUSE_TLS_CLIENT_ABORT_OPAQUE, SW_CONFIDENCE_LIKELY);
    if (description == 42)
        sw_ruling_also(&ruling, SW_CAUSE_TLS_CLIENT_ABORT_OPAQUE, SW_CONFIDENCE_POSSIBLE);
    return ruling;
}

static bool is_old(uint16_t version)
{
    return version != 0 && version < TLS_VERSION_1_2;
}

static struct sw_ruling ruling_on_client_alert(const struct sw_tls *tls, uint8_t description)
{
    switch (description) {
    case 42: /* bad_certificate */
    case 43: /* unsupported_certificate */
    case 44: /* certificate_revoked */
    case 45: /* certificate_expired */
    case 46: /* certificate_unknown */
    case 48: /* unknown_ca */
    case 49: /* access_denied */
        return client_on_certificate(tls, description);
    case 113: /* bad_certificate_status_response */
        return stuck(SW_CAUSE_TLS_CERT_REVOKED, SW_CONFIDENCE_POSSIBLE);
    case 70: /* protocol_version */
        return stuck(SW_CAUSE_TLS_VERSION_MISMATCH, SW_CONFIDENCE_CERTAIN);
    case 10: /* unexpected_message */
    case 20: /* bad_record_mac */
    case 21: /* decryption_failed */
    case 22: /* record_overflow */
    case 50: /* decode_error */
    case 51: /* decrypt_error */
        return stuck(is_old(tls->version) ? SW_CAUSE_TLS_VERSION_MISMATCH : SW_CAUSE_TLS_CORRUPT,
                     SW_CONFIDENCE_LIKELY);
    case 80: /* internal_error: some programs say so when their own check of the certificate fails
              */
        if (sw_tls_visible_problem(tls) != SW_CAUSE_NONE)
            return stuck(sw_tls_visible_problem(tls), SW_CONFIDENCE_LIKELY);
        return stuck(is_old(tls->version) ? SW_CAUSE_TLS_VERSION_MISMATCH
                                          : SW_CAUSE_TLS_CLIENT_ABORT_OPAQUE,
                     SW_CONFIDENCE_LIKELY);
    default: /* 40 handshake_failure, 47 illegal_parameter, 71 insufficient_security ... */
        return stuck(is_old(tls->version) ? SW_CAUSE_TLS_VERSION_MISMATCH
                                          : SW_CAUSE_TLS_NO_SHARED_CIPHER,
                     is_old(tls->version) ? SW_CONFIDENCE_LIKELY : SW_CONFIDENCE_CERTAIN);
    }
}

/* The server asked for a certificate, and the client has answered that (TLS 1.3: it may have);
 * behind its ServerHelloDone the server has waited for that (RFC 5246 7.3). */
static bool client_certificate_was_due(const struct sw_tls *tls)
{
    return tls->certificate_request.frame &&
           (tls->client_certificate || tls->side[SW_CLIENT].change_cipher.frame ||
            tls->server_done.frame);
}

static struct sw_ruling ruling_on_server_alert(const struct sw_tls *tls, uint8_t description)
{
    bool asked = client_certificate_was_due(tls);
    switch (description) {
    case 70: /* protocol_version */
    case 86: /* inappropriate_fallback */
        return stuck(SW_CAUSE_TLS_VERSION_MISMATCH, SW_CONFIDENCE_CERTAIN);
    case 116: /* certificate_required */
        return stuck(SW_CAUSE_TLS_CLIENT_CERT_REQUIRED, SW_CONFIDENCE_CERTAIN);
    case 41: /* no_certificate */
    case 42: /* bad_certificate */
    case 43: /* unsupported_certificate */
    case 44: /* certificate_revoked */
    case 45: /* certificate_expired */
    case 46: /* certificate_unknown */
    case 48: /* unknown_ca */
    case 49: /* access_denied */
        return asked || tls->version == TLS_VERSION_1_3
                   ? stuck(SW_CAUSE_TLS_CLIENT_CERT_REQUIRED, SW_CONFIDENCE_CERTAIN)
                   : stuck(SW_CAUSE_TLS_SERVER_ERROR, SW_CONFIDENCE_LIKELY);
    case 10: /* unexpected_message */
    case 20: /* bad_record_mac */
    case 21: /* decryption_failed */
    case 22: /* record_overflow */
    case 50: /* decode_error */
    case 51: /* decrypt_error */
        return stuck(SW_CAUSE_TLS_CORRUPT, SW_CONFIDENCE_LIKELY);
    case 80:  /* internal_error */
    case 110: /* unsupported_extension */
    case 112: /* unrecognized_name */
    case 115: /* unknown_psk_identity */
        return stuck(SW_CAUSE_TLS_SERVER_ERROR, SW_CONFIDENCE_CERTAIN);
    default: /* 40 handshake_failure, 47 illegal_parameter, 71 insufficient_security ... */
        break;
    }
    if (asked && description == 40)
        return stuck(SW_CAUSE_TLS_CLIENT_CERT_REQUIRED, SW_CONFIDENCE_CERTAIN);
    if (is_old(tls->client_version))
        return stuck(SW_CAUSE_TLS_VERSION_MISMATCH, SW_CONFIDENCE_LIKELY);
    return stuck(SW_CAUSE_TLS_NO_SHARED_CIPHER, description == 40 || description == 71
                                                    ? SW_CONFIDENCE_CERTAIN
                                                    : SW_CONFIDENCE_LIKELY);
}

bool sw_tls_rule_on_certificate_alert(const struct sw_tls *tls, const struct sw_tls_alert *alert,
                                      struct sw_ruling *ruling)
{
    uint8_t description = alert->description;
    bool about =
        (description >= 41 && description <= 49 && description != 47) || description == 116;
    bool client = alert->from == SW_CLIENT;
    if (!alert->known || alert->level == 1 || !about || (client && description == 116))
        return false;
    *ruling = client ? ruling_on_client_alert(tls, description)
                     : ruling_on_server_alert(tls, description);
    return true;
}

/* The alert that ended it: the first that says that something is wrong. A warning that the name is
 * not known stops nobody (RFC 6066 3). */
static const struct sw_tls_alert *deciding_alert(const struct sw_tls *tls)
{
    const struct sw_tls_alert *alert;
    SW_EACH(alert, tls->alerts) {
        bool harmless =
            alert->level == 1 && (alert->description == 112 || alert->description == 41);
        if (alert->known && tls_alert_is_error(alert->description) && !harmless)
            return alert;
    }
    return NULL;
}

static bool by_alert(const struct sw_case *c, const struct sw_tls *tls, struct sw_ruling *ruling)
{
    const struct sw_tls_alert *alert = deciding_alert(tls);
    if (!alert || tls->decrypted)
        return false; /* behind a dialogue that was read an alert decides nothing any more */
    bool client = alert->from == SW_CLIENT;
    *ruling = client ? ruling_on_client_alert(tls, alert->description)
                     : ruling_on_server_alert(tls, alert->description);
    prove_hellos(tls, ruling);
    if (client && tls->certificate.frame)
        sw_ruling_prove(ruling, tls->certificate, SW_ORIGIN_SERVER, "certificate of the server");
    const char *name = tls_alert_name(alert->description);
    const char *what = sw_arena_printf(c->arena, "alert: %s", name ? name : "one without a name");
    sw_ruling_prove(ruling, alert->mark, client ? SW_ORIGIN_CLIENT : SW_ORIGIN_SERVER,
                    what ? what : "alert");
    if (client)
        sw_tls_also_problems(tls, ruling);
    return true;
}

/* --- no alert --- */

/* Who has to say the next word, and for how long it did not. */
struct turn {
    bool of_server;
    struct sw_mark since;
    int64_t waited_ns;
};

static struct turn whose_turn(const struct sw_case *c)
{
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    const struct sw_half_facts *server = &c->facts->half[SW_SERVER];
    struct turn turn;
    turn.of_server = client->last_data.time_ns >= server->last_data.time_ns;
    turn.since = turn.of_server ? client->last_data : server->last_data;
    int64_t until = c->facts->closed.frame ? c->facts->closed.time_ns : c->session->final.time_ns;
    turn.waited_ns = until - turn.since.time_ns;
    return turn;
}

/* What the server says or does then follows from it. */
static bool client_alerts_before(const struct sw_tls_shape *shape, struct sw_mark mark)
{
    return shape->client_alert_early && shape->client_alert.time_ns <= mark.time_ns &&
           shape->client_alert.frame < mark.frame;
}

/* All that the server has to say before the client's next word is there: ServerHelloDone; in TLS
 * 1.3 a record that is long enough for its Finished, the last of its flight. */
static bool server_said_all(const struct sw_tls *tls, const struct sw_tls_shape *shape)
{
    if (tls->version != TLS_VERSION_1_3)
        return tls->server_done.frame != 0 ||
               (sw_tls_is_resumed(tls) && tls->side[SW_SERVER].change_cipher.frame);
    const struct sw_tls_record *record;
    const struct sw_tls_record *last = NULL;
    SW_EACH(record, tls->records) {
        if (record->from == SW_SERVER && !client_alerts_before(shape, record->first))
            last = record;
    }
    return last && last->last_bytes >= sw_tls_finished_bytes(tls) && !tls->side[SW_SERVER].cut;
}

/* TLS 1.3: the last that the server says is as short as an alert and nothing else of a handshake.
 */
static bool server_alerts(const struct sw_tls *tls, const struct sw_tls_shape *shape,
                          struct sw_ruling *ruling)
{
    enum { ALERT = 2 + 1 + 16 };
    const struct sw_tls_record *record;
    const struct sw_tls_record *last = NULL;
    SW_EACH(record, tls->records) {
        if (record->from == SW_SERVER && record->content == TLS_CONTENT_APPLICATION)
            last = record;
    }
    if (tls->version != TLS_VERSION_1_3 || !last || last->last_bytes != ALERT ||
        client_alerts_before(shape, last->last))
        return false;
    *ruling = stuck(SW_CAUSE_TLS_SERVER_ERROR, SW_CONFIDENCE_LIKELY);
    prove_hellos(tls, ruling);
    sw_ruling_prove(ruling, last->last, SW_ORIGIN_SERVER, "a record of the size of an alert");
    return true;
}

/* The server closed, or broke off, before the handshake was over. */
static bool closed_by_server(const struct sw_case *c, const struct sw_tls *tls,
                             const struct sw_tls_shape *shape, struct sw_ruling *ruling)
{
    if (!c->closed_by_server || client_alerts_before(shape, c->facts->closed))
        return false;
    if (!tls->server_hello.frame && is_old(tls->client_version))
        *ruling = stuck(SW_CAUSE_TLS_VERSION_MISMATCH, SW_CONFIDENCE_LIKELY);
    else if (client_certificate_was_due(tls) && tls->client_certificate_empty)
        *ruling = stuck(SW_CAUSE_TLS_CLIENT_CERT_REQUIRED, SW_CONFIDENCE_LIKELY);
    else
        *ruling = stuck(SW_CAUSE_TLS_SERVER_ERROR, SW_CONFIDENCE_LIKELY);
    prove_hellos(tls, ruling);
    sw_case_prove_close(c, ruling);
    return true;
}

/* The server's part is missing or unfinished, and the client waits for it. */
static bool waits_for_server(const struct sw_case *c, const struct sw_tls *tls,
                             const struct sw_tls_shape *shape, struct sw_ruling *ruling)
{
    struct turn turn = whose_turn(c);
    bool server_due = turn.of_server || (tls->server_hello.frame && !server_said_all(tls, shape));
    if (!server_due || c->facts->half[SW_CLIENT].unacked_bytes > 0)
        return false;
    bool client_gave_up = c->closed_by_client && turn.waited_ns >= PATIENCE_S * SW_NS_PER_S;
    bool long_silence = c->facts->closed_by < 0 && turn.waited_ns > SILENCE_S * SW_NS_PER_S;
    if (client_gave_up || long_silence)
        *ruling = stuck(SW_CAUSE_TLS_HANDSHAKE_TIMEOUT,
                        client_gave_up ? SW_CONFIDENCE_CERTAIN : SW_CONFIDENCE_LIKELY);
    else if (c->closed_by_client)
        *ruling = stuck(c->reset ? SW_CAUSE_TCP_RESET_BY_CLIENT : SW_CAUSE_TCP_CLIENT_CLOSED_EARLY,
                        SW_CONFIDENCE_LIKELY);
    else
        return false;
    prove_hellos(tls, ruling);
    sw_ruling_prove(ruling, turn.since, turn.of_server ? SW_ORIGIN_CLIENT : SW_ORIGIN_SERVER,
                    "last word before the silence");
    sw_case_prove_close(c, ruling);
    return true;
}

/* The server said its part, and the client leaves instead of finishing. */
static bool client_turned_away(const struct sw_case *c, const struct sw_tls *tls,
                               const struct sw_tls_shape *shape, struct sw_ruling *ruling)
{
    if (!c->closed_by_client && !shape->client_alert_early)
        return false;
    if (tls->version != TLS_VERSION_1_3 && tls->side[SW_CLIENT].change_cipher.frame)
        return false; /* it did its part */
    if (!tls->server_hello.frame || !server_said_all(tls, shape))
        return false;
    enum sw_cause visible = certificate_was_read(tls) ? sw_tls_visible_problem(tls) : SW_CAUSE_NONE;
    if (visible != SW_CAUSE_NONE)
        *ruling = stuck(visible, SW_CONFIDENCE_LIKELY);
    else
        *ruling = stuck(SW_CAUSE_TLS_CLIENT_ABORT_OPAQUE,
                        shape->client_alert_early ? SW_CONFIDENCE_LIKELY : SW_CONFIDENCE_POSSIBLE);
    sw_ruling_prove(ruling, tls->server_hello, SW_ORIGIN_SERVER, "ServerHello");
    sw_ruling_prove(ruling, tls->certificate, SW_ORIGIN_SERVER, "certificate of the server");
    if (shape->client_alert_early)
        sw_ruling_prove(ruling, shape->client_alert, SW_ORIGIN_CLIENT,
                        "a record too short for the end of the handshake: an alert");
    sw_case_prove_close(c, ruling);
    sw_tls_also_problems(tls, ruling);
    return true;
}

/* Text where a record was due, in answer to the ClientHello. */
static bool text_for_server_hello(const struct sw_tls *tls, struct sw_ruling *ruling)
{
    const struct sw_tls_junk *junk = &tls->side[SW_SERVER].junk;
    if (!junk->mark.frame || tls->server_hello.frame || !tls->client_hello.frame ||
        junk->mark.time_ns < tls->client_hello.time_ns)
        return false;
    *ruling =
        stuck(junk->kind == TLS_JUNK_BINARY ? SW_CAUSE_TLS_CORRUPT : SW_CAUSE_TLS_SERVER_ERROR,
              SW_CONFIDENCE_LIKELY);
    sw_ruling_prove(ruling, tls->client_hello, SW_ORIGIN_CLIENT, "ClientHello");
    sw_ruling_prove(ruling, junk->mark, SW_ORIGIN_SERVER, "an answer that is no TLS");
    return true;
}

bool sw_rule_handshake(const struct sw_case *c, const struct sw_tls_shape *shape,
                       struct sw_ruling *ruling)
{
    const struct sw_tls *tls = c->session->tls_facts;
    if (by_alert(c, tls, ruling))
        return true;
    if (c->session->tls == SW_TLS_APPLICATION || !tls->client_hello.frame)
        return false;
    if (text_for_server_hello(tls, ruling))
        return true;
    bool lost = tls->side[SW_SERVER].gap || tls->side[SW_CLIENT].gap || !c->server_seen ||
                !c->client_seen || c->reply_lost;
    if (lost)
        return false;
    return server_alerts(tls, shape, ruling) || closed_by_server(c, tls, shape, ruling) ||
           client_turned_away(c, tls, shape, ruling) || waits_for_server(c, tls, shape, ruling);
}
