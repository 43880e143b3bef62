/*
 * internal.h - the parts of the SMTP dissector to each other.
 */
#ifndef SW_DISSECTORS_SMTP_INTERNAL_H
#define SW_DISSECTORS_SMTP_INTERNAL_H

#include "dissectors/smtp/smtp.h"

/* What every handler needs: the state, where events go, and where in the stream it stands. */
struct smtp_io {
    struct smtp_state *state;
    const struct smtp_sink *sink;
    struct sw_at begin; /* of the line or piece at hand */
    struct sw_at end;
};

void smtp_emit(const struct smtp_io *io, const struct smtp_event *event);
void smtp_odd(const struct smtp_io *io, enum sw_from from, enum smtp_anomaly anomaly,
              struct sw_span text, uint64_t number);

/* --- queue of unanswered commands --- */
void smtp_queue_push(struct smtp_state *state, uint32_t id, enum smtp_verb verb, unsigned flags);
/* The newest entry, or NULL. */
struct smtp_pending *smtp_queue_last(struct smtp_state *state);

/* --- lines --- */
void smtp_server_line(struct smtp_io *io, const struct sw_line *line);
void smtp_client_line(struct smtp_io *io, const struct sw_line *line);
/* The running reply is over (its last line, or what there is of it). */
void smtp_reply_complete(struct smtp_io *io, uint32_t flags);
/* True for a line that can hardly be anything but a command. */
bool smtp_looks_like_command(struct sw_span line);
enum smtp_verb smtp_verb_of(struct sw_span word);

/* --- messages --- */
void smtp_body_begin(struct smtp_state *state, uint32_t id);
/* Takes octets of a message; returns how many belong to it. */
size_t smtp_body_feed(struct smtp_io *io, struct sw_span bytes);
size_t smtp_bdat_feed(struct smtp_io *io, struct sw_span bytes);
/* The message is complete; `verb` is END_OF_DATA for a dot, BDAT for the last chunk. */
void smtp_body_end(struct smtp_io *io, enum smtp_verb verb, uint32_t flags);
/* Octets that the capture lacks. */
void smtp_body_missing(struct smtp_io *io, uint64_t length);
/* After BDAT n: what follows. */
void smtp_bdat_begin(struct smtp_io *io, struct sw_span argument, uint32_t id, uint32_t *flags,
                     uint64_t *size);

/* --- logins --- */
/* A new AUTH; `data` is its initial response (may be empty). */
void smtp_auth_begin(struct smtp_io *io, struct sw_span mechanism, struct sw_span data,
                     uint32_t id);
/* A continuation line. */
void smtp_auth_data(struct smtp_io *io, struct sw_span data);
/* The text of the server's 334: what it asks for. */
void smtp_auth_prompt(struct smtp_state *state, struct sw_span text);

#endif
