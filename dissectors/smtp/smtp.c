/*
 * smtp.c - the entry points: pieces in, lines and message octets on to the right reader.
 */
#include "dissectors/smtp/internal.h"

#include "base/wipe.h"

_Static_assert(sizeof(struct smtp_state) < 1024, "one state a session: it has to stay small");

void smtp_odd(const struct smtp_io *io, enum sw_from from, enum smtp_anomaly anomaly,
              struct sw_span text, uint64_t number)
{
    struct smtp_event event = {
        .kind = SMTP_EVENT_ANOMALY,
        .from = from,
        .anomaly = anomaly,
        .text = sw_span_sub(text, 0, from == SW_FROM_SERVER ? 80 : 0),
        .number = number,
        .begin = io->begin,
        .end = io->end,
    };
    smtp_emit(io, &event);
}

void smtp_odd_at(const struct smtp_io *io, struct sw_at at, enum smtp_anomaly anomaly,
                 uint64_t number)
{
    struct smtp_io there = smtp_io_at(io->state, io->sink, at);
    smtp_odd(&there, SW_FROM_CLIENT, anomaly, (struct sw_span){NULL, 0}, number);
}

void smtp_init(struct smtp_state *state, const struct sw_lender *lender, bool midstream)
{
    *state = (struct smtp_state){.midstream = midstream, .next_id = 1};
    state->lines[0].lender = lender;
    state->lines[1].lender = lender;
    state->mode = midstream ? SMTP_MODE_UNKNOWN : SMTP_MODE_COMMAND;
    if (!midstream)
        (void)smtp_queue_push(state, 0, SMTP_VERB_NONE, 0);
}

/* The next line of a direction; fills io->begin and end with its first and last byte. */
static bool next_line(struct smtp_io *io, enum sw_from from, struct sw_span *rest,
                      const struct sw_at *at, uint64_t *offset, struct sw_line *line)
{
    struct smtp_state *st = io->state;
    struct sw_lines *lines = &st->lines[from];
    bool goes_on = lines->open;
    struct sw_at begin = {*offset, at->frame, at->time_ns};
    if (!sw_lines_next(lines, rest, offset, line)) {
        if (!goes_on)
            st->line_begin[from] = begin;
        return false;
    }
    io->begin = goes_on ? st->line_begin[from] : begin;
    io->end = (struct sw_at){*offset - 1, at->frame, at->time_ns};
    return true;
}

/* The server's first byte behind the 220 of STARTTLS: text there was put in by somebody who cannot
 * read what follows (CVE-2021-22947). */
SW_RARE static void judge_behind_handover(struct smtp_state *st, uint8_t first, struct sw_at at,
                                          const struct smtp_sink *sink)
{
    struct smtp_io io = smtp_io_at(st, sink, at);
    if (!st->tls_checked && !smtp_is_tls_byte(first))
        smtp_odd(&io, SW_FROM_SERVER, SMTP_ODD_INJECTED_REPLY, (struct sw_span){NULL, 0}, 0);
    st->tls_checked = true;
}

static size_t feed_server(struct smtp_state *st, const struct sw_piece *piece,
                          const struct smtp_sink *sink)
{
    struct sw_span rest = piece->bytes;
    uint64_t offset = piece->at.offset;
    struct smtp_io io = smtp_io_at(st, sink, piece->at);
    if (!st->proxy_checked)
        smtp_proxy_none(&io);
    struct sw_line line;
    while (rest.len > 0 && st->mode != SMTP_MODE_TLS && st->mode != SMTP_MODE_OPAQUE &&
           next_line(&io, SW_FROM_SERVER, &rest, &piece->at, &offset, &line)) {
        bool waited = st->mode == SMTP_MODE_WAIT;
        smtp_server_line(&io, &line);
        if (waited && st->mode != SMTP_MODE_WAIT)
            break; /* what was held comes before the server's next line */
    }
    if (st->mode == SMTP_MODE_OPAQUE)
        return piece->bytes.len;
    return (size_t)(offset - piece->at.offset);
}

/* One step of the client's bytes: a line, octets of a message, or nothing while a reply has to
 * decide. */
static size_t client_step(struct smtp_io *io, struct sw_span rest, const struct sw_at *at,
                          bool *line_open)
{
    struct smtp_state *st = io->state;
    io->begin = io->end = *at;
    switch (st->mode) {
    case SMTP_MODE_BODY:
        return smtp_body_feed(io, rest);
    case SMTP_MODE_BDAT:
        return smtp_bdat_feed(io, rest);
    case SMTP_MODE_COMMAND:
    case SMTP_MODE_AUTH:
    case SMTP_MODE_UNKNOWN: {
        struct sw_line line;
        uint64_t offset = at->offset;
        struct sw_span bytes = rest;
        if (next_line(io, SW_FROM_CLIENT, &bytes, at, &offset, &line))
            smtp_client_line(io, &line);
        else
            *line_open = true;
        return (size_t)(offset - at->offset);
    }
    case SMTP_MODE_OPAQUE:
        return rest.len;
    case SMTP_MODE_WAIT:
    case SMTP_MODE_TLS:
        break;
    }
    return 0;
}

/*
 * What was pipelined behind STARTTLS has been read, and now TLS does begin. No command begins with
 * such a byte.
 */
SW_RARE static bool hello_at_last(struct smtp_io *io, uint8_t first, struct sw_at at)
{
    struct smtp_state *st = io->state;
    if (st->mode != SMTP_MODE_COMMAND || st->lines[SW_FROM_CLIENT].open || !smtp_is_tls_byte(first))
        return false;
    struct smtp_event event = {.kind = SMTP_EVENT_TLS_HANDOVER,
                               .from = SW_FROM_CLIENT,
                               .verb = SMTP_VERB_STARTTLS,
                               .flags = SMTP_FLAG_GUESSED,
                               .begin = at,
                               .end = at};
    st->mode = SMTP_MODE_TLS;
    st->tls_checked = true;
    smtp_emit(io, &event);
    return true;
}

/*
 * A login with Kerberos or DIGEST-MD5 may bring an encryption of its own, from the next byte on:
 * blocks that begin with their length in four bytes (RFC 4422 3.7), of which the first is zero.
 */
SW_RARE static void sasl_layer_begins(struct smtp_io *io, uint8_t first, struct sw_at at)
{
    struct smtp_state *st = io->state;
    if (st->mode != SMTP_MODE_COMMAND || st->lines[SW_FROM_CLIENT].open)
        return;
    st->sasl_layer = false;
    if (first != 0)
        return;
    io->begin = io->end = at;
    smtp_go_opaque(io, SW_FROM_CLIENT, SMTP_OPAQUE_SASL_LAYER);
}

/* Reads lines and messages until a reply has to decide, or a PROXY header ends; returns the bytes
 * used. */
size_t smtp_client_bytes(struct smtp_io *io, struct sw_span bytes, struct sw_at at)
{
    struct smtp_state *st = io->state;
    bool line_open = false;
    size_t used = 0;
    while (used < bytes.len && !line_open && !io->past_proxy) {
        struct sw_span rest = sw_span_from(bytes, used);
        if (st->mode == SMTP_MODE_WAIT && st->wait_unsure)
            smtp_release_hold(st, rest, io->sink);
        if (st->mode == SMTP_MODE_WAIT || st->mode == SMTP_MODE_TLS)
            break;
        struct sw_at here = {at.offset + used, at.frame, at.time_ns};
        if (st->resumed && hello_at_last(io, rest.ptr[0], here))
            break;
        if (st->sasl_layer)
            sasl_layer_begins(io, rest.ptr[0], here);
        used += client_step(io, rest, &here, &line_open);
    }
    return used;
}

static size_t feed_client(struct smtp_state *st, const struct sw_piece *piece,
                          const struct smtp_sink *sink)
{
    struct smtp_io io = smtp_io_at(st, sink, piece->at);
    size_t used = 0;
    if (!st->proxy_checked && (st->midstream || st->greeted || st->next_id > 1))
        smtp_proxy_none(&io);
    if (!st->proxy_checked || st->proxy_left > 0)
        used = smtp_proxy_bytes(&io, piece->bytes, piece->at);
    struct sw_at at = {piece->at.offset + used, piece->at.frame, piece->at.time_ns};
    used += smtp_client_bytes(&io, sw_span_from(piece->bytes, used), at);
    bool behind_starttls =
        st->mode == SMTP_MODE_WAIT &&
        (st->wait_verb == SMTP_VERB_STARTTLS || st->wait_verb == SMTP_VERB_X_ANONYMOUSTLS);
    if (used < piece->bytes.len && behind_starttls && !st->told_behind &&
        !smtp_is_tls_byte(piece->bytes.ptr[used])) { /* a hello may have overtaken the 220 */
        st->told_behind = true;
        at.offset = piece->at.offset + used;
        io = smtp_io_at(st, sink, at);
        smtp_odd(&io, SW_FROM_CLIENT, SMTP_ODD_AFTER_STARTTLS, (struct sw_span){NULL, 0}, 0);
    }
    return used;
}

size_t smtp_feed(struct smtp_state *state, const struct sw_piece *piece,
                 const struct smtp_sink *sink)
{
    if (piece->bytes.len == 0)
        return 0;
    if (state->mode == SMTP_MODE_TLS) {
        if (piece->from == SW_FROM_SERVER)
            judge_behind_handover(state, piece->bytes.ptr[0], piece->at, sink);
        return 0;
    }
    return piece->from == SW_FROM_SERVER ? feed_server(state, piece, sink)
                                         : feed_client(state, piece, sink);
}

void smtp_resume_clear(struct smtp_state *state, struct sw_at at, const struct smtp_sink *sink)
{
    struct smtp_io io = smtp_io_at(state, sink, at);
    struct smtp_event event = {
        .kind = SMTP_EVENT_RESUMED, .from = SW_FROM_CLIENT, .begin = at, .end = at};
    state->mode = SMTP_MODE_COMMAND;
    state->resumed = true;
    smtp_emit(&io, &event);
}

void smtp_release(struct smtp_state *state)
{
    sw_lines_clear(&state->lines[SW_FROM_CLIENT]);
    sw_lines_clear(&state->lines[SW_FROM_SERVER]);
    size_t at = offsetof(struct smtp_state, secrets);
    if (!smtp_echo_is_possible(state))
        at = offsetof(struct smtp_state, behind);
    sw_wipe((uint8_t *)state + at, sizeof(*state) - at);
}
