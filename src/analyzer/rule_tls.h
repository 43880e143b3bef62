/*
 * rule_tls.h - the rules about TLS to each other; private to the analyzer.
 */
#ifndef SW_ANALYZER_RULE_TLS_H
#define SW_ANALYZER_RULE_TLS_H

#include "analyzer/case.h"
#include "analyzer/tls_shape.h"

bool sw_tls_has_problem(const struct sw_tls *tls, enum sw_certificate_problem problem);
/* What a client would object to in the certificates that can be read, or SW_CAUSE_NONE. */
enum sw_cause sw_tls_visible_problem(const struct sw_tls *tls);
void sw_tls_also_problems(const struct sw_tls *tls, struct sw_ruling *ruling);

/* What the alert of a side about the other's certificate means (42 to 49, 116); false for others.
 * In TLS 1.3 it may come behind the first words (RFC 8446 4.4.2.4, 4.6.2). */
bool sw_tls_rule_on_certificate_alert(const struct sw_tls *tls, const struct sw_tls_alert *alert,
                                      struct sw_ruling *ruling);

/* A handshake that failed. */
bool sw_rule_handshake(const struct sw_case *c, const struct sw_tls_shape *shape,
                       struct sw_ruling *ruling);

/* Did the client send as much as a whole mail before the handshake, and may the server have taken
 * it?
 */
bool sw_tls_early_may_be_mail(const struct sw_tls *tls);

#endif
