/*
 * tls_query.c - what several readers ask of the facts about TLS.
 */
#include "session/session.h"

const char *sw_certificate_problem_name(enum sw_certificate_problem problem)
{
    switch (problem) {
    case SW_CERTIFICATE_EXPIRED:
        return "certificate-expired";
    case SW_CERTIFICATE_NOT_YET_VALID:
        return "certificate-not-yet-valid";
    case SW_CERTIFICATE_NOT_TRUSTED:
        return "certificate-not-trusted";
    case SW_CERTIFICATE_SELF_SIGNED:
        return "self-signed";
    case SW_CERTIFICATE_CHAIN_INCOMPLETE:
        return "chain-incomplete";
    case SW_CERTIFICATE_HOST_MISMATCH:
        return "certificate-host-mismatch";
    case SW_CERTIFICATE_WEAK_KEY:
        return "weak-key";
    case SW_CERTIFICATE_WEAK_SIGNATURE:
        return "weak-signature";
    case SW_CERTIFICATE_EXPIRES_SOON:
        return "expires-soon";
    case SW_CERTIFICATE_INTERCEPTED:
        return "intercepted";
    case SW_CERTIFICATE_PROBLEMS:
        break;
    }
    return "";
}

const struct sw_tls_alert *sw_tls_fatal(const struct sw_tls *tls, int side)
{
    const struct sw_tls_alert *alert;
    SW_EACH(alert, tls->alerts) {
        bool from = side < 0 || alert->from == (enum sw_side)side;
        if (from && alert->known && tls_alert_is_error(alert->description))
            return alert;
    }
    return NULL;
}

const struct sw_tls_alert *sw_tls_goodbye(const struct sw_tls *tls)
{
    enum { FATAL = 2 };
    const struct sw_tls_alert *alert;
    SW_EACH(alert, tls->alerts) {
        bool last = tls_alert_is_error(alert->description) &&
                    (alert->level == FATAL || tls->version == TLS_VERSION_1_3);
        if (alert->known && alert->encrypted && (last || alert->description == 0))
            return alert;
    }
    return NULL;
}

const struct sw_tls_record *sw_tls_second_handshake(const struct sw_tls *tls)
{
    const struct sw_tls_record *record;
    bool finished[2] = {false, false}; /* the first one that is encrypted (RFC 5246 7.4.9) */
    bool spoke = false;
    if (tls->version == TLS_VERSION_1_3)
        return NULL;
    SW_EACH(record, tls->records) {
        bool handshake = record->content == TLS_CONTENT_HANDSHAKE && !record->guessed;
        if (handshake && spoke && finished[record->from])
            return record;
        finished[record->from] = finished[record->from] || handshake;
        spoke = spoke || (record->from == SW_CLIENT && record->content == TLS_CONTENT_APPLICATION);
    }
    return NULL;
}

bool sw_tls_is_resumed(const struct sw_tls *tls)
{
    if (!tls->server_hello.frame)
        return false;
    if (tls->version == TLS_VERSION_1_3)
        return tls->psk_accepted;
    const struct sw_tls_side *server = &tls->side[SW_SERVER];
    uint32_t full = 1u << TLS_MESSAGE_CERTIFICATE | 1u << TLS_MESSAGE_SERVER_KEY_EXCHANGE |
                    1u << TLS_MESSAGE_SERVER_HELLO_DONE;
    return server->change_cipher.frame && !(server->messages & full) && !server->gap;
}

struct sw_span sw_tls_wanted_name(const struct sw_tls *tls)
{
    return tls->encrypted_hello ? (struct sw_span){NULL, 0} : tls->sni;
}

uint32_t sw_tls_finished_bytes(const struct sw_tls *tls)
{
    struct tls_suite suite;
    (void)tls_suite(tls->cipher, &suite);
    uint32_t hash = suite.hash_bytes ? suite.hash_bytes : 32;
    return hash + 4 + 1 + 16;
}

bool sw_tls_may_finish(const struct sw_tls *tls, const struct sw_tls_record *record)
{
    bool early = tls->early_data && tls->psk_accepted && !tls->early_refused;
    uint32_t finished = sw_tls_finished_bytes(tls);
    if (early && record->count == 1)
        return record->first_bytes == finished;
    return early || record->first_bytes >= finished;
}

static bool client_finished(const struct sw_tls *tls)
{
    const struct sw_tls_record *record;
    SW_EACH(record, tls->records) {
        if (record->from == SW_CLIENT && record->content == TLS_CONTENT_APPLICATION &&
            sw_tls_may_finish(tls, record))
            return true;
    }
    return false;
}

static bool has_encrypted(const struct sw_tls *tls, enum sw_side from, uint8_t content)
{
    const struct sw_tls_record *record;
    SW_EACH(record, tls->records) {
        if (record->from == from && record->content == content)
            return true;
    }
    return false;
}

bool sw_tls_is_established(const struct sw_tls *tls)
{
    if (tls->finished[SW_CLIENT].frame && tls->finished[SW_SERVER].frame)
        return true;
    if (!tls->server_hello.frame) /* it begins before the capture, or one side is missing */
        return has_encrypted(tls, SW_CLIENT, TLS_CONTENT_APPLICATION) &&
               has_encrypted(tls, SW_SERVER, TLS_CONTENT_APPLICATION);
    if (tls->version == TLS_VERSION_1_3)
        return has_encrypted(tls, SW_SERVER, TLS_CONTENT_APPLICATION) && client_finished(tls);
    return has_encrypted(tls, SW_CLIENT, TLS_CONTENT_HANDSHAKE) &&
           has_encrypted(tls, SW_SERVER, TLS_CONTENT_HANDSHAKE);
}
