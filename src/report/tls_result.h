/*
 * tls_result.h - how TLS went in a session, in the words of RFC 8460 section 4.3.
 */
#ifndef SW_REPORT_TLS_RESULT_H
#define SW_REPORT_TLS_RESULT_H

#include "analyzer/verdict.h"

enum sw_tls_result {
    SW_TLS_RESULT_NONE, /* the session does not say: clear text that nobody wanted otherwise, ... */
    SW_TLS_RESULT_SUCCESS,
    SW_TLS_RESULT_STARTTLS_NOT_SUPPORTED,
    SW_TLS_RESULT_CERTIFICATE_HOST_MISMATCH,
    SW_TLS_RESULT_CERTIFICATE_EXPIRED,
    SW_TLS_RESULT_CERTIFICATE_NOT_TRUSTED,
    SW_TLS_RESULT_VALIDATION_FAILURE,
    SW_TLS_RESULTS,
};

/* *reason becomes a constant text for a failure, NULL otherwise. */
enum sw_tls_result sw_tls_result_of(const struct sw_session *session,
                                    const struct sw_verdict *verdict, const char **reason);
/* The RFC's name; "success" where it has none; NULL for NONE. */
const char *sw_tls_result_name(enum sw_tls_result result);

#endif
