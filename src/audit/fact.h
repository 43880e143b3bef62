/*
 * fact.h - one session as the audit sees it: who spoke to whom, how well it was protected, how it
 * ended, and what was found.
 *
 * A fact is made of a session record (sw_fact_of) or of a row that a store kept. Everything is
 * borrowed from there. What could not be seen is told apart from what was seen to be bad.
 */
#ifndef SW_AUDIT_FACT_H
#define SW_AUDIT_FACT_H

#include "analyzer/verdict.h"
#include "base/address.h"

enum {
    SW_FACT_LOGINS = 8,
    SW_FACT_FINDINGS = SW_FINDING_COUNT,
    SW_FACT_KEYWORDS = 480, /* bytes of EHLO keywords that are kept */
};

/* What a session says about one question. */
enum sw_seen {
    SW_SEEN_NOTHING, /* the question does not come up */
    SW_SEEN_UNCLEAR, /* it does, and the capture does not show the answer */
    SW_SEEN_NO,
    SW_SEEN_YES,
};

struct sw_fact_login {
    struct sw_span user; /* empty when it is not known */
    struct sw_span mechanism;
    bool exposed;  /* a password or token that others could read */
    bool accepted; /* by the server */
    uint64_t frame;
};

struct sw_fact_finding {
    enum sw_finding_id id;
    enum sw_severity severity;
    uint64_t frame;
};

/* The server's own certificate. */
struct sw_fact_certificate {
    bool known;
    struct sw_span subject, issuer, names; /* names joined by LF */
    const char *sha256;                    /* 64 hex digits */
    const char *not_before, *not_after;    /* RFC 3339 */
    uint32_t problems;                     /* 1 << enum sw_certificate_problem */
    uint64_t frame;
};

/* What of a fact an audit counts: a store that hands out one fact for many sessions has others for
 * what is told of each client. */
enum sw_fact_part {
    SW_FACT_WHOLE,
    SW_FACT_BUT_CLIENT,
    SW_FACT_CLIENT,       /* the findings, at the client */
    SW_FACT_CLIENT_COUNT, /* the same, but it is not known when and where */
};

struct sw_fact {
    const char *id; /* of the session: the same in every run */
    int64_t start_ns;
    /* A store may hand out one fact for many sessions that an audit judges alike. The fact is then
     * that of the earliest, but for measures, which are the worst; all others began within
     * span_ns. */
    uint64_t others;
    int64_t span_ns;
    enum sw_fact_part part;
    const char *file;         /* of the first frame */
    const char *const *files; /* all captures of a series, which frame references name */
    unsigned file_count;      /* 0 or 1: no series */
    uint64_t first_frame;     /* reference, base/frame_ref.h */
    bool has_server;          /* false: a look-up that no connection followed */
    uint8_t client[16], server[16];
    uint8_t ip_version;
    uint16_t server_port;
    struct sw_span server_name; /* empty when it is not known */
    enum sw_outcome outcome;
    enum sw_cause cause;
    enum sw_security security;
    struct sw_fact_login logins[SW_FACT_LOGINS];
    unsigned login_count;
    enum sw_seen login; /* could a login be seen? NO: what there was is behind encryption */
    enum sw_seen clear_mail;
    uint64_t clear_mail_frame;
    enum sw_seen starttls; /* offered? */
    uint64_t starttls_frame;
    enum sw_seen tls;     /* YES: `tls_version` is known */
    uint16_t tls_version; /* 0x0303 is TLS 1.2 */
    uint64_t tls_frame;
    enum sw_seen certified; /* YES: `certificate` is known */
    struct sw_fact_certificate certificate;
    int64_t greeting_delay_ns; /* SW_TIME_NONE: none was seen */
    bool greeting_due;         /* the server had to greet, and the recorder would have seen it */
    int64_t greeting_wait_ns;  /* none was seen: how long the connection stood without one */
    uint64_t greeting_frame;
    struct sw_fact_finding findings[SW_FACT_FINDINGS];
    unsigned finding_count;
    /* what the server offers in its answer to EHLO, in clear text and inside TLS: keywords with a
     * blank between them, AUTH once for each mechanism ("AUTH=PLAIN"), SIZE with its number; empty
     * when no answer was seen */
    struct sw_span clear_keywords, inner_keywords;
    char keywords[SW_FACT_KEYWORDS]; /* where sw_fact_of puts them */
};

/* Reads a session and its verdict; the fact borrows from both. */
void sw_fact_of(struct sw_fact *fact, const struct sw_session *session,
                const struct sw_verdict *verdict);

/* Is it only about what is found at the client? */
static inline bool sw_fact_is_of_client(const struct sw_fact *fact)
{
    return fact->part == SW_FACT_CLIENT || fact->part == SW_FACT_CLIENT_COUNT;
}

/* How many sessions it stands for, and the start of the latest. */
static inline uint64_t sw_fact_count(const struct sw_fact *fact)
{
    return fact->others + 1;
}

static inline int64_t sw_fact_last_ns(const struct sw_fact *fact)
{
    return fact->start_ns + fact->span_ns;
}

/* What a store has by name. */
enum sw_outcome sw_fact_outcome(struct sw_span name);
enum sw_security sw_fact_security(struct sw_span name);

/* The capture that a frame of the fact stands in. */
const char *sw_fact_file(const struct sw_fact *fact, uint64_t frame);

#endif
