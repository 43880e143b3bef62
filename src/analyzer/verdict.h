/*
 * verdict.h - what a session means: outcome, cause, who must act, and the frames that prove it.
 *
 * A verdict is a pure function of the session (and of the sessions of the same capture that were
 * final before it). It lives in the session's arena. Every claim names frames; texts are plain
 * English and hold wire text only quoted.
 */
#ifndef SW_ANALYZER_VERDICT_H
#define SW_ANALYZER_VERDICT_H

#include "analyzer/cause.h"
#include "analyzer/finding.h"
#include "session/session.h"

enum sw_outcome {
    SW_OUTCOME_DELIVERED,
    SW_OUTCOME_PARTIAL,
    SW_OUTCOME_STUCK,
    SW_OUTCOME_NO_MAIL,
    SW_OUTCOME_UNKNOWN,
    SW_OUTCOME_COUNT,
};

/* "delivered", "partial", "stuck", "no-mail", "unknown". */
const char *sw_outcome_name(enum sw_outcome outcome);

enum sw_confidence {
    SW_CONFIDENCE_CERTAIN,  /* the packets prove it */
    SW_CONFIDENCE_LIKELY,   /* the usual reading of this evidence */
    SW_CONFIDENCE_POSSIBLE, /* one of several */
};

const char *sw_confidence_name(enum sw_confidence confidence);

/* Who a piece of evidence comes from. */
enum sw_origin {
    SW_ORIGIN_CLIENT,
    SW_ORIGIN_SERVER,
    SW_ORIGIN_NETWORK,
};

const char *sw_origin_name(enum sw_origin origin);

struct sw_evidence {
    struct sw_evidence *next;
    struct sw_mark mark;
    const struct sw_step *step; /* the line of the dialogue in that frame; NULL: something else */
    enum sw_origin from;
    const char *what;
    bool elsewhere; /* the frame is of another connection */
};

struct sw_also {
    struct sw_also *next;
    enum sw_cause cause;
    enum sw_confidence confidence;
    uint64_t frame; /* 0 = none */
};

struct sw_recipient_verdict {
    const struct sw_recipient *recipient;
    enum sw_outcome outcome; /* never partial */
    enum sw_cause cause;
    const struct sw_step *reply; /* the deciding one, or NULL */
};

struct sw_message_verdict {
    const struct sw_message *message;
    bool counts; /* false: abandoned without a refusal beside others, or refused as nested */
    enum sw_outcome outcome;
    enum sw_cause cause;
    struct sw_recipient_verdict *recipients; /* recipient_count of them */
    uint32_t recipient_count;
    const struct sw_step *reply; /* the deciding one, or NULL */
};

struct sw_finding {
    struct sw_finding *next;
    enum sw_finding_id id;
    enum sw_severity severity;
    const char *summary;
    uint64_t frame;
};

enum sw_quality {
    SW_QUALITY_MIDSTREAM,
    SW_QUALITY_ONE_SIDED,
    SW_QUALITY_GAPS,
    SW_QUALITY_SNAPLEN,
    SW_QUALITY_REORDERED,
    SW_QUALITY_DUPLICATED,
    SW_QUALITY_ENDS_OPEN,
    SW_QUALITY_VLAN,
    SW_QUALITY_LIMITS,
    SW_QUALITY_COUNT,
};

/* "starts-midstream", "one-sided", ... as in the JSON record. */
const char *sw_quality_name(enum sw_quality quality);

enum sw_security {
    SW_SECURITY_UNKNOWN,
    SW_SECURITY_NONE,
    SW_SECURITY_STARTTLS,
    SW_SECURITY_IMPLICIT_TLS,
    SW_SECURITY_STARTTLS_FAILED,
    SW_SECURITY_IMPLICIT_TLS_FAILED,
};

/* "none", "starttls", ...; NULL for SW_SECURITY_UNKNOWN. */
const char *sw_security_name(enum sw_security security);

struct sw_verdict {
    enum sw_outcome outcome;
    enum sw_cause cause;
    enum sw_stage stage;
    enum sw_permanence permanence;
    enum sw_actor actor;
    enum sw_confidence confidence;
    const char *summary;
    const char *explanation;
    const char *const *advice; /* NULL-terminated */
    bool has_client_codes;     /* the codes are those of the cause in the client code table */
    struct sw_evidence *evidence;
    const struct sw_step *reply; /* when a reply is the cause */
    struct sw_also *also;
    struct sw_message_verdict *messages;
    uint32_t message_count;
    struct sw_finding *findings;
    uint64_t quality[SW_QUALITY_COUNT]; /* how often, 0 = not */
    const char *protocol;               /* "smtp", "lmtp", "unknown", or what it really was */
    enum sw_security security;
    /* server name and where it comes from ("banner"), or empty */
    struct sw_span server_name;
    const char *server_name_source;
    bool no_names; /* the texts call hosts by their addresses, and so should who shows it */
};

#endif
