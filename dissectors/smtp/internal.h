/*
 * internal.h - the parts of the SMTP dissector to each other.
 */
#ifndef SW_DISSECTORS_SMTP_INTERNAL_H
#define SW_DISSECTORS_SMTP_INTERNAL_H

#include "base/rare.h"
#include "dissectors/smtp/smtp.h"

/* What every handler needs: the state, where events go, and where in the stream it stands. */
struct smtp_io {
    struct smtp_state *state;
    const struct smtp_sink *sink;
    struct sw_at begin; /* of the line or piece at hand */
    struct sw_at end;
    bool past_proxy; /* a PROXY header ends in this piece: what is behind it is offered again */
};

static inline struct smtp_io smtp_io_at(struct smtp_state *state, const struct smtp_sink *sink,
                                        struct sw_at at)
{
    return (struct smtp_io){.state = state, .sink = sink, .begin = at, .end = at};
}

/* The place of a byte of the piece at hand. */
static inline struct sw_at smtp_io_byte(const struct smtp_io *io, size_t i)
{
    return (struct sw_at){io->begin.offset + i, io->begin.frame, io->begin.time_ns};
}

static inline void smtp_emit(const struct smtp_io *io, const struct smtp_event *event)
{
    io->sink->emit(io->sink->ctx, event);
}

/* `text` comes out for lines of the server only: the client's may hold secrets. */
void smtp_odd(const struct smtp_io *io, enum sw_from from, enum smtp_anomaly anomaly,
              struct sw_span text, uint64_t number);

/* Of the client, and at another place than `io` stands. */
void smtp_odd_at(const struct smtp_io *io, struct sw_at at, enum smtp_anomaly anomaly,
                 uint64_t number);

/* --- queue of unanswered commands (queue.c) --- */

/* False when it is full: the command is only counted. */
bool smtp_queue_push(struct smtp_state *state, uint32_t id, enum smtp_verb verb, uint32_t flags);
/* The oldest command; false when there is none. */
bool smtp_queue_first(const struct smtp_state *state, struct smtp_pending *first);
void smtp_queue_pop(struct smtp_state *state);
/* Number of commands whose ids are kept. */
uint32_t smtp_queue_count(const struct smtp_state *state);
/* How many of them have this verb. */
uint32_t smtp_queue_count_of(const struct smtp_state *state, enum smtp_verb verb);
/* How many commands stand before the first one with this verb; UINT32_MAX when there is none. */
uint32_t smtp_queue_before(const struct smtp_state *state, enum smtp_verb verb);
void smtp_queue_clear(struct smtp_state *state);
/* True while the greeting is what is waited for. */
bool smtp_queue_at_greeting(const struct smtp_state *state);

/* --- lines --- */

void smtp_server_line(struct smtp_io *io, const struct sw_line *line);
void smtp_client_line(struct smtp_io *io, const struct sw_line *line);
/* The running reply is over (its last line, or what there is of it). */
void smtp_reply_complete(struct smtp_io *io, uint32_t flags);
/* What a complete reply answers and changes (answer.c); emits it. */
void smtp_answer(struct smtp_io *io, struct smtp_event *reply);
/* True for a line that can hardly be anything but a command. */
bool smtp_looks_like_command(struct sw_span line);
enum smtp_verb smtp_verb_of(struct sw_span word);

/* --- the client's bytes (smtp.c, proxy.c) --- */

/* Reads lines and messages until a reply has to decide, or a PROXY header ends; returns the bytes
 * used. */
size_t smtp_client_bytes(struct smtp_io *io, struct sw_span bytes, struct sw_at at);
/* The bytes at the very beginning that belong to a PROXY header of version 2. */
size_t smtp_proxy_bytes(struct smtp_io *io, struct sw_span bytes, struct sw_at at);
/* No header can come any more; what had looked like the beginning of one are lines. */
void smtp_proxy_none(struct smtp_io *io);
/* "PROXY TCP4 ..." before the greeting; false when the line is something else. */
bool smtp_proxy_line(struct smtp_io *io, struct sw_span text);

/* --- waiting for a reply (hold.c) --- */

void smtp_wait_begin(struct smtp_state *state, uint32_t id, enum smtp_verb verb);
/* The command was answered. False when nobody waited for that. */
bool smtp_wait_end(struct smtp_state *state, uint32_t id);
/* The client's next line is a command, or, behind a gap, perhaps one. */
void smtp_mode_commands(struct smtp_state *state);
/* Replies may be lost in a gap of the server: what was asked before it counts as answered, unseen,
 * once the client goes on. */
void smtp_forget_lost_replies(struct smtp_state *state);
/* Nothing more is read of either direction. */
void smtp_go_opaque(struct smtp_io *io, enum sw_from from, enum smtp_opaque why);
/* A line that decides whether it belongs to a message; true when it was taken for text. */
bool smtp_decide_line(struct smtp_io *io, const struct sw_line *line);
/* A message begins although its first line is already being read. */
void smtp_body_begin_within_line(struct smtp_io *io, uint32_t id);

/* --- messages (body.c) --- */

void smtp_body_begin(struct smtp_state *state, uint32_t id);
/* Takes octets of a message; returns how many belong to it. */
size_t smtp_body_feed(struct smtp_io *io, struct sw_span bytes);
size_t smtp_bdat_feed(struct smtp_io *io, struct sw_span bytes);
/* The message is complete; `verb` is END_OF_DATA for a dot, BDAT for the last chunk. */
void smtp_body_end(struct smtp_io *io, enum smtp_verb verb, uint32_t flags);
/* Tells octets that were kept back because they may have been part of the end. */
void smtp_body_flush(struct smtp_io *io);
/* Octets that the capture lacks. */
void smtp_body_missing(struct smtp_io *io, uint64_t length);
void smtp_bdat_missing(struct smtp_io *io, uint64_t length);
/* True when not one octet was seen behind the last gap: the gap holds the end. */
bool smtp_body_is_all_gap(const struct smtp_state *state);
bool smtp_body_inside_line(const struct smtp_state *state);

/* --- look-alikes of the end of data (false_end.c) --- */

/* One is complete with the byte at `at`, or, when it ends in a lone CR, with the one before. */
void smtp_false_end(struct smtp_io *io, struct sw_span bytes, size_t at,
                    enum smtp_false_end variant);
/* Looks at what stands behind one, from `at` on. */
void smtp_false_end_behind(struct smtp_io *io, struct sw_span bytes, size_t at);
void smtp_false_end_forget(struct smtp_state *state);
/* True when the text so far ends in one. */
bool smtp_false_end_is_last(const struct smtp_state *state);
/* The server answers in the middle of the text: the last look-alike was the end. */
void smtp_false_end_taken(struct smtp_io *io);
/* Nobody answered, and the text breaks off: tells a look-alike with which the client thinks that it
 * was complete. */
void smtp_false_end_left(struct smtp_io *io);

/* --- chunks (body.c) --- */

/* After BDAT n: what follows. */
void smtp_bdat_begin(struct smtp_io *io, struct sw_span argument, uint32_t id, uint32_t *flags,
                     uint64_t *size);

/* XEXCH50 n m: n octets of Exchange's own follow its 354 and are none of a message. */
void smtp_blob_announced(struct smtp_state *state, struct sw_span argument);
void smtp_blob_begin(struct smtp_state *state);

/* --- logins (auth.c) --- */

/* A new AUTH. */
void smtp_auth_begin(struct smtp_state *state, enum smtp_mechanism mechanism, uint32_t id);
/* SMTP_FLAG_SECRET, if that is what the next response carries. */
uint32_t smtp_auth_secret(const struct smtp_state *state, struct sw_span response);
/* The initial response, or a continuation line. */
void smtp_auth_data(struct smtp_io *io, struct sw_span response);
/* The text of the server's 334: what it asks for. */
void smtp_auth_prompt(struct smtp_state *state, struct sw_span text);
/* Lines of the login are missing: no name is told any more. */
void smtp_auth_lost(struct smtp_state *state);
/* Words of a login that a server might repeat; its lines are cut there from then on (echo.c). */
void smtp_echo_remember(struct smtp_state *state, struct sw_span words);
/* The same of a secret in which blanks may stand. */
void smtp_echo_remember_whole(struct smtp_state *state, struct sw_span secret);
/* There is something to hide, other than in most sessions. */
static inline bool smtp_echo_is_possible(const struct smtp_state *state)
{
    return state->secrets[0].length > 0;
}
struct sw_span smtp_echo_cut(const struct smtp_state *state, struct sw_span line);
/* Would quoting this line, which is no command we know, risk a password? */
bool smtp_may_hold_secret(struct sw_span line);

#endif
