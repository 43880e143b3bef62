/*
 * gap.c - what is missing: bytes in the middle of a direction, and its end.
 *
 * Nothing is ever guessed silently: what is read behind a gap carries SMTP_FLAG_GUESSED until the
 * dialogue has found its place again.
 */
#include "dissectors/smtp/internal.h"

/* What there is of an unfinished line of the server. */
static void cut_server_line(struct smtp_io *io)
{
    struct smtp_state *st = io->state;
    struct sw_line line;
    if (!sw_lines_flush(&st->lines[SW_FROM_SERVER], &line))
        return;
    struct smtp_io at = *io;
    at.begin = st->line_begin[SW_FROM_SERVER];
    smtp_server_line(&at, &line);
    sw_lines_clear(&st->lines[SW_FROM_SERVER]);
}

static void gap_in_server(struct smtp_io *io)
{
    struct smtp_state *st = io->state;
    cut_server_line(io);
    st->after_gap[SW_FROM_SERVER] = true;
    st->skip_to_line_end[SW_FROM_SERVER] = true;
    bool several = st->lmtp && st->accepted_recipients > 1 && /* answers to one text */
                   smtp_queue_count_of(st, SMTP_VERB_END_OF_DATA) > 0;
    if (smtp_queue_count(st) > 1 || several)
        st->unsure = true; /* how many replies are in the gap is not known */
    if (st->reply_open && smtp_queue_count(st) > 1)
        smtp_reply_complete(io, SMTP_FLAG_CUT); /* more replies may be in the gap */
    if (st->reply_open)
        st->reply_flags |= SMTP_FLAG_CUT;
    if (st->mode == SMTP_MODE_WAIT)
        st->wait_unsure = true;
}

/* What there is of an unfinished line of the client. */
static void cut_client_line(struct smtp_io *io)
{
    struct smtp_state *st = io->state;
    struct sw_lines *lines = &st->lines[SW_FROM_CLIENT];
    struct smtp_io at = *io;
    at.begin = st->line_begin[SW_FROM_CLIENT];
    if (st->mode == SMTP_MODE_UNKNOWN && st->decide && lines->open && lines->length > 0) {
        if (!smtp_looks_like_command(sw_span_trim(sw_span_make(lines->block, lines->kept)))) {
            smtp_body_begin_within_line(io, st->wait_id);
            return;
        }
        st->mode = SMTP_MODE_COMMAND;
    }
    struct sw_line line;
    bool open = sw_lines_flush(lines, &line);
    if (open && (st->mode == SMTP_MODE_COMMAND || st->mode == SMTP_MODE_AUTH))
        smtp_client_line(&at, &line);
    sw_lines_clear(lines);
}

/* A line of the login is missing; the server answers it all the same. */
static void gap_in_login(struct smtp_io *io)
{
    struct smtp_state *st = io->state;
    sw_lines_clear(&st->lines[SW_FROM_CLIENT]);
    uint32_t id = st->next_id++;
    smtp_forget_lost_replies(st);
    (void)smtp_queue_push(st, id, SMTP_VERB_AUTH_DATA, SMTP_FLAG_GUESSED);
    smtp_auth_lost(st);
    smtp_wait_begin(st, id, SMTP_VERB_AUTH_DATA);
}

static void gap_in_client(struct smtp_io *io, uint64_t length)
{
    struct smtp_state *st = io->state;
    if (st->mode == SMTP_MODE_UNKNOWN && st->decide)
        cut_client_line(io); /* a message, most likely; then the gap is in its text */
    st->after_gap[SW_FROM_CLIENT] = true;
    switch (st->mode) {
    case SMTP_MODE_BODY:
        smtp_body_missing(io, length);
        return;
    case SMTP_MODE_BDAT:
        if (length > 0 && length <= st->bdat_left) { /* counted: nothing is lost but the octets */
            smtp_bdat_missing(io, length);
            st->after_gap[SW_FROM_CLIENT] = false;
            return;
        }
        smtp_bdat_missing(io, length > 0 ? st->bdat_left : 0);
        break;
    case SMTP_MODE_AUTH:
        gap_in_login(io);
        break;
    case SMTP_MODE_COMMAND:
        cut_client_line(io);
        break;
    case SMTP_MODE_UNKNOWN:
        sw_lines_clear(&st->lines[SW_FROM_CLIENT]);
        break;
    case SMTP_MODE_WAIT:
        st->wait_missing += length;
        break;
    case SMTP_MODE_TLS:
    case SMTP_MODE_OPAQUE:
        return;
    }
    st->skip_to_line_end[SW_FROM_CLIENT] = true;
    if (st->mode != SMTP_MODE_WAIT)
        st->mode = SMTP_MODE_UNKNOWN;
}

void smtp_gap(struct smtp_state *state, enum sw_from from, uint64_t length, struct sw_at at,
              const struct smtp_sink *sink)
{
    struct smtp_io io = smtp_io_at(state, sink, at);
    if (state->mode == SMTP_MODE_TLS || state->mode == SMTP_MODE_OPAQUE)
        return;
    struct smtp_event event = {
        .kind = SMTP_EVENT_GAP, .from = from, .number = length, .begin = at, .end = at};
    smtp_emit(&io, &event);
    if (from == SW_FROM_SERVER) {
        gap_in_server(&io);
        return;
    }
    smtp_proxy_none(&io);
    if (length > 0 && length < state->proxy_left) { /* counted: nothing else is lost */
        state->proxy_left -= (uint32_t)length;
        return;
    }
    state->proxy_left = 0;
    gap_in_client(&io, length);
}

void smtp_end(struct smtp_state *state, enum sw_from from, struct sw_at at,
              const struct smtp_sink *sink)
{
    struct smtp_io io = smtp_io_at(state, sink, at);
    if (state->mode == SMTP_MODE_TLS || state->mode == SMTP_MODE_OPAQUE)
        return;
    if (from == SW_FROM_SERVER) {
        cut_server_line(&io);
        if (state->reply_open)
            smtp_reply_complete(&io, SMTP_FLAG_CUT);
        return;
    }
    smtp_proxy_none(&io);
    cut_client_line(&io);
    if (state->mode != SMTP_MODE_BODY)
        return;
    smtp_false_end_left(&io);
    smtp_body_flush(&io);
}
