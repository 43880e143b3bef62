/*
 * build.h - the parts of the builder to each other; private to the session room.
 */
#ifndef SW_SESSION_BUILD_H
#define SW_SESSION_BUILD_H

#include "session/builder.h"

/* What a new command means for the envelope, the login and the greetings. */
void sw_build_command(struct sw_session *session, struct sw_step *step,
                      const struct smtp_event *event);
/* What a complete reply means for them. */
void sw_build_reply(struct sw_session *session, struct sw_step *reply,
                    const struct smtp_event *event);
/* A text begins of which only the go-ahead was seen. */
void sw_build_text_begins(struct sw_session *session);
void sw_build_body(struct sw_session *session, const struct smtp_event *event);
/* `step` is the dot; NULL for the last octet of a BDAT LAST chunk. */
void sw_build_end_of_data(struct sw_session *session, struct sw_step *step,
                          const struct smtp_event *event);
/* Octets of a mail (before sw_build_body counts them) and the end of it: its header block. */
void sw_build_header(struct sw_session *session, struct sw_message *m,
                     const struct smtp_event *event);
void sw_build_header_end(struct sw_session *session);
/* A reply in a capture that lacks the client's words; `first`: nothing was said before it. */
void sw_build_lonely_reply(struct sw_session *session, struct sw_step *reply, bool first);
/* EHLO, HELO, LHLO and their replies; AUTH and its replies. */
void sw_build_hello(struct sw_session *session, struct sw_step *step);
void sw_build_hello_reply(struct sw_session *session, struct sw_step *reply);
void sw_build_auth(struct sw_session *session, struct sw_step *step,
                   const struct smtp_event *event);
void sw_build_auth_reply(struct sw_session *session, struct sw_step *reply);

/* What of an event in clear text may be shown (kept.c): of a COMMAND, a line of a reply, a BODY, an
 * END_OF_DATA. */
void sw_keep_command(struct sw_session *session, const struct smtp_event *event);
void sw_keep_reply_line(struct sw_session *session, const struct smtp_event *event);
void sw_keep_text(struct sw_session *session, const struct smtp_event *event);
void sw_keep_end_of_text(struct sw_session *session, const struct smtp_event *event);
/* At the end: by what another protocol is recognised. */
void sw_keep_signature(struct sw_session *session);

#endif
