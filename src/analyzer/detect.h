/*
 * detect.h - finds what an audit would object to in one session; private to the analyzer.
 */
#ifndef SW_ANALYZER_DETECT_H
#define SW_ANALYZER_DETECT_H

#include "analyzer/case.h"

/*
 * One detected finding: the frame that proves it, and how bad it is: what the table says unless a
 * guard lowers or raises it. The summary is the table's unless the session tells more.
 */
struct sw_hit {
    struct sw_mark mark;
    enum sw_severity severity; /* SW_SEVERITY_COUNT: what the table says */
    const char *summary;       /* NULL: the same */
};

/* `looks_at`: it can find something only where the session has one of these. */
struct sw_detector {
    enum sw_finding_id id;
    bool (*detect)(const struct sw_case *c, struct sw_hit *hit);
    unsigned looks_at; /* enum sw_has */
};

/*
 * The detectors by what they look at, those first that look at something usual (SW_HAS_USUAL). Each
 * list ends with a row whose detect is NULL.
 */
extern const struct sw_detector sw_detect_login[];
extern const struct sw_detector sw_detect_server[];
extern const struct sw_detector sw_detect_tls[];
extern const struct sw_detector sw_detect_wire[];
extern const struct sw_detector sw_detect_content[];

/* Runs all of them and fills verdict->findings, in the order of the table of findings. */
void sw_detect(const struct sw_case *c, struct sw_verdict *verdict);

/* Was this step encrypted on the wire (survey.h)? */
bool sw_detect_protected(const struct sw_case *c, const struct sw_step *step);
/* Both ends on this machine: nobody can listen in. */
bool sw_detect_loopback(const struct sw_case *c);
/* An address of a private network (RFC 1918, RFC 4193, link-local, loopback). */
bool sw_detect_private(const uint8_t address[16], int ip_version);
/* Client and server both have such addresses: the traffic stays inside one network. */
bool sw_detect_inside(const struct sw_case *c);
/* The part of a mail address behind the @, or empty. */
struct sw_span sw_detect_domain(struct sw_span address);
/* The last two labels of a name: enough to tell organisations apart for a suspicion. */
struct sw_span sw_detect_organisation(struct sw_span name);
/* The first oddity of this kind from this side, or NULL. */
const struct sw_oddity *sw_detect_odd(const struct sw_case *c, enum sw_side from,
                                      enum smtp_anomaly kind);

#endif
