/*
 * names.c - the public words for outcomes, confidences, origins, qualities and kinds of security.
 */
#include "analyzer/verdict.h"

const char *sw_outcome_name(enum sw_outcome outcome)
{
    static const char *const names[SW_OUTCOME_COUNT] = {
        [SW_OUTCOME_DELIVERED] = "delivered", [SW_OUTCOME_PARTIAL] = "partial",
        [SW_OUTCOME_STUCK] = "stuck",         [SW_OUTCOME_NO_MAIL] = "no-mail",
        [SW_OUTCOME_UNKNOWN] = "unknown",
    };
    return names[outcome];
}

const char *sw_confidence_name(enum sw_confidence confidence)
{
    static const char *const names[] = {
        [SW_CONFIDENCE_CERTAIN] = "certain",
        [SW_CONFIDENCE_LIKELY] = "likely",
        [SW_CONFIDENCE_POSSIBLE] = "possible",
    };
    return names[confidence];
}

const char *sw_origin_name(enum sw_origin origin)
{
    static const char *const names[] = {
        [SW_ORIGIN_CLIENT] = "client",
        [SW_ORIGIN_SERVER] = "server",
        [SW_ORIGIN_NETWORK] = "network",
    };
    return names[origin];
}

const char *sw_quality_name(enum sw_quality quality)
{
    static const char *const names[SW_QUALITY_COUNT] = {
        [SW_QUALITY_MIDSTREAM] = "starts-midstream",
        [SW_QUALITY_ONE_SIDED] = "one-sided",
        [SW_QUALITY_GAPS] = "gaps",
        [SW_QUALITY_SNAPLEN] = "snaplen-cut",
        [SW_QUALITY_REORDERED] = "reordered",
        [SW_QUALITY_DUPLICATED] = "duplicated",
        [SW_QUALITY_ENDS_OPEN] = "ends-open",
        [SW_QUALITY_VLAN] = "vlan-asymmetric",
        [SW_QUALITY_LIMITS] = "limits-hit",
    };
    return names[quality];
}

const char *sw_security_name(enum sw_security security)
{
    static const char *const names[] = {
        [SW_SECURITY_UNKNOWN] = NULL,
        [SW_SECURITY_NONE] = "none",
        [SW_SECURITY_STARTTLS] = "starttls",
        [SW_SECURITY_IMPLICIT_TLS] = "implicit-tls",
        [SW_SECURITY_STARTTLS_FAILED] = "starttls-failed",
        [SW_SECURITY_IMPLICIT_TLS_FAILED] = "implicit-tls-failed",
    };
    return names[security];
}
