/*
 * builder.h - fills a session from events: the only writer of the model.
 *
 * Life: init; then first bytes, SMTP events, TLS bytes and gaps as they come; finish with the final
 * TCP facts; release.
 */
#ifndef SW_SESSION_BUILDER_H
#define SW_SESSION_BUILDER_H

#include "session/session.h"

/* An empty session. `account` (may be NULL) counts its memory; limits are copied. */
void sw_session_init(struct sw_session *session, const struct sw_session_limits *limits,
                     size_t *account);
/* The first payload bytes of a direction (called for every chunk; only the first bytes are kept).
 */
void sw_session_first_bytes(struct sw_session *session, enum sw_side from, struct sw_span bytes,
                            struct sw_mark mark);
/* Makes the facts about the proxy that is spoken to; NULL (and noted) when the session's memory is
 * used up. */
struct sw_proxied *sw_session_proxy_begin(struct sw_session *session);
/* One event of the SMTP dissector. `facts` are those of this moment; `encrypted` = it came out of
 * TLS. */
void sw_session_smtp(struct sw_session *session, const struct smtp_event *event,
                     const struct sw_flow_facts *facts, bool encrypted);
/* Bytes [begin, end) of a direction, outside TLS, hold no login. */
void sw_session_keep(struct sw_session *session, enum sw_side from, uint64_t begin, uint64_t end);
/* Makes the facts about TLS; NULL (and noted) when the session's memory is used up. */
struct sw_tls *sw_session_tls_begin(struct sw_session *session);
/* Bytes of TLS, before their events. */
void sw_session_tls_bytes(struct sw_session *session, enum sw_side from, size_t length,
                          struct sw_mark mark);
/* One event of the TLS dissector. */
void sw_session_tls(struct sw_session *session, const struct tls_event *event);
/* JA3 and JA4 of the first ClientHello; "" = none. */
/* The server's certificates came compressed; `unread`: by this method, and they could not be read.
 */
void sw_session_tls_packed(struct sw_session *session, const char *unread);
void sw_session_tls_fingerprint(struct sw_session *session, const char *ja3, const char *ja4);
/* The fields of a certificate have been filled in: looks who issued it. */
void sw_session_certificate(struct sw_certificate *certificate);
/* What the first bytes of a direction are. */
enum sw_content sw_content_of(enum sw_side from, struct sw_span first);
/* The connection is over at packet time `now_ns`: keeps the facts. */
void sw_session_finish(struct sw_session *session, const struct sw_flow_facts *facts,
                       int64_t now_ns);
/* Gives everything back; nothing that may be a secret is left in *session. */
void sw_session_release(struct sw_session *session);

#endif
