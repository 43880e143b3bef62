#include "report/tls_result.h"

static bool has(const struct sw_certificate *c, enum sw_certificate_problem problem)
{
    return c && (c->problems & 1u << problem);
}

static enum sw_tls_result certificate_result(const struct sw_certificate *c)
{
    if (has(c, SW_CERTIFICATE_HOST_MISMATCH))
        return SW_TLS_RESULT_CERTIFICATE_HOST_MISMATCH;
    if (has(c, SW_CERTIFICATE_EXPIRED))
        return SW_TLS_RESULT_CERTIFICATE_EXPIRED;
    if (has(c, SW_CERTIFICATE_NOT_TRUSTED) || has(c, SW_CERTIFICATE_SELF_SIGNED) ||
        has(c, SW_CERTIFICATE_CHAIN_INCOMPLETE))
        return SW_TLS_RESULT_CERTIFICATE_NOT_TRUSTED;
    return SW_TLS_RESULT_NONE;
}

/* What the client said of the certificate outranks what is seen of it. */
static enum sw_tls_result handshake_failure(const struct sw_session *session,
                                            const struct sw_verdict *verdict, const char **reason)
{
    enum { BAD = 42, UNSUPPORTED = 43, REVOKED = 44, EXPIRED = 45, UNKNOWN = 46, UNKNOWN_CA = 48 };
    const struct sw_tls *tls = session->tls_facts;
    const struct sw_tls_alert *alert = tls ? sw_tls_fatal(tls, SW_CLIENT) : NULL;
    *reason = sw_cause_name(verdict->cause);
    if (!alert)
        return SW_TLS_RESULT_VALIDATION_FAILURE;
    const char *name = tls_alert_name(alert->description);
    *reason = name ? name : *reason;
    if (alert->description == EXPIRED)
        return SW_TLS_RESULT_CERTIFICATE_EXPIRED;
    if (alert->description == UNKNOWN_CA)
        return SW_TLS_RESULT_CERTIFICATE_NOT_TRUSTED;
    enum sw_tls_result seen = SW_TLS_RESULT_NONE;
    if (alert->description >= BAD && alert->description <= UNKNOWN)
        seen = certificate_result(tls->certificates);
    return seen != SW_TLS_RESULT_NONE ? seen : SW_TLS_RESULT_VALIDATION_FAILURE;
}

enum sw_tls_result sw_tls_result_of(const struct sw_session *session,
                                    const struct sw_verdict *verdict, const char **reason)
{
    const struct sw_hello *hello = sw_session_hello(session, false);
    const struct sw_step *asked = session->starttls;
    *reason = NULL;
    if (session->lookup)
        return SW_TLS_RESULT_NONE;
    switch (verdict->security) {
    case SW_SECURITY_STARTTLS:
    case SW_SECURITY_IMPLICIT_TLS:
        return SW_TLS_RESULT_SUCCESS;
    case SW_SECURITY_STARTTLS_FAILED:
    case SW_SECURITY_IMPLICIT_TLS_FAILED:
        return handshake_failure(session, verdict, reason);
    case SW_SECURITY_UNKNOWN:
        return SW_TLS_RESULT_NONE;
    case SW_SECURITY_NONE:
        break;
    }
    if (asked && asked->reply && !sw_reply_is(asked->reply, 2))
        *reason = "STARTTLS refused";
    else if (!asked && hello && hello->capabilities && !sw_capability_find(hello, "STARTTLS"))
        *reason = "STARTTLS not offered";
    return *reason ? SW_TLS_RESULT_STARTTLS_NOT_SUPPORTED : SW_TLS_RESULT_NONE;
}

const char *sw_tls_result_name(enum sw_tls_result result)
{
    static const char *const names[SW_TLS_RESULTS] = {
        [SW_TLS_RESULT_SUCCESS] = "success",
        [SW_TLS_RESULT_STARTTLS_NOT_SUPPORTED] = "starttls-not-supported",
        [SW_TLS_RESULT_CERTIFICATE_HOST_MISMATCH] = "certificate-host-mismatch",
        [SW_TLS_RESULT_CERTIFICATE_EXPIRED] = "certificate-expired",
        [SW_TLS_RESULT_CERTIFICATE_NOT_TRUSTED] = "certificate-not-trusted",
        [SW_TLS_RESULT_VALIDATION_FAILURE] = "validation-failure",
    };
    return names[result];
}
