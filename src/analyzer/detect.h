/*
 * detect.h - finds what an audit would object to in one session; private to the analyzer.
 */
#ifndef SW_ANALYZER_DETECT_H
#define SW_ANALYZER_DETECT_H

#include "analyzer/case.h"

/* One detected finding; severity is that of the table unless a guard lowers or raises it. */
struct sw_hit {
    struct sw_mark mark;
    enum sw_severity severity;
};

struct sw_detector {
    enum sw_finding_id id;
    bool (*detect)(const struct sw_case *c, struct sw_hit *hit);
};

/* The detectors by what they look at; each list ends with a row whose detect is NULL. */
extern const struct sw_detector sw_detect_login[];
extern const struct sw_detector sw_detect_server[];
extern const struct sw_detector sw_detect_wire[];

/* Runs all of them and fills verdict->findings, in the order of the table of findings. */
void sw_detect(const struct sw_case *c, struct sw_verdict *verdict);

/* Both ends on this machine: nobody can listen in. */
bool sw_detect_loopback(const struct sw_case *c);
/* An address of a private network (RFC 1918, RFC 4193, link-local, loopback). */
bool sw_detect_private(const uint8_t address[16], int ip_version);

#endif
