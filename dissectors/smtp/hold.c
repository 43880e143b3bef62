/*
 * hold.c - client bytes that only a reply can judge: what follows DATA, AUTH and STARTTLS, and what
 * is done when that reply is not there to be seen.
 *
 * Without a reply whole lines decide, never how much of them is known, so that any chunking gives
 * the same events.
 */
#include "dissectors/smtp/internal.h"

void smtp_wait_begin(struct smtp_state *state, uint32_t id, enum smtp_verb verb)
{
    state->mode = SMTP_MODE_WAIT;
    state->wait_id = id;
    state->wait_verb = (uint8_t)verb;
    state->wait_unsure = state->queue_lost > 0; /* its reply could not be told from others */
    state->wait_missing = 0;
    state->told_behind = false;
}

void smtp_mode_commands(struct smtp_state *state)
{
    bool inside_line = state->after_gap[SW_FROM_CLIENT] && state->skip_to_line_end[SW_FROM_CLIENT];
    state->mode = inside_line ? SMTP_MODE_UNKNOWN : SMTP_MODE_COMMAND;
    state->decide = false;
}

bool smtp_wait_end(struct smtp_state *state, uint32_t id)
{
    bool released = state->mode == SMTP_MODE_UNKNOWN && state->decide;
    if ((state->mode != SMTP_MODE_WAIT && !released) || state->wait_id != id)
        return false;
    state->wait_unsure = false;
    smtp_mode_commands(state);
    return true;
}

/* RFC 2920 3.1: whoever goes on behind one of these has its answer, and with it all before it. */
static bool ends_group(enum smtp_verb verb)
{
    switch (verb) {
    case SMTP_VERB_EHLO:
    case SMTP_VERB_HELO:
    case SMTP_VERB_LHLO:
    case SMTP_VERB_DATA:
    case SMTP_VERB_END_OF_DATA:
    case SMTP_VERB_AUTH:
    case SMTP_VERB_AUTH_DATA:
    case SMTP_VERB_STARTTLS:
    case SMTP_VERB_X_ANONYMOUSTLS:
    case SMTP_VERB_VRFY:
    case SMTP_VERB_EXPN:
    case SMTP_VERB_TURN:
    case SMTP_VERB_ATRN:
    case SMTP_VERB_QUIT:
    case SMTP_VERB_NOOP:
        return true;
    default: /* the verb stands in a byte */
        return false;
    }
}

void smtp_forget_lost_replies(struct smtp_state *state)
{
    bool settled = ends_group((enum smtp_verb)state->sent_last) || !state->pipelines;
    bool nothing_due = state->queue_len == 0 && state->queue_lost == 0;
    if (settled && (nothing_due || state->after_gap[SW_FROM_SERVER]))
        state->unsure = false; /* the client waited, so everybody is in step again */
    if (!state->after_gap[SW_FROM_SERVER])
        return;
    state->after_gap[SW_FROM_SERVER] = false;
    if (!settled && !nothing_due)
        state->unsure = true;
    /* RFC 2033 4.1: a client that says LHLO and goes on to a mail has been welcomed as one of LMTP
     */
    if (smtp_queue_count_of(state, SMTP_VERB_LHLO) > 0)
        state->lmtp = true;
    state->accepted_recipients += smtp_queue_count_of(state, SMTP_VERB_RCPT); /* most likely */
    smtp_queue_clear(state);
}

bool smtp_holds_client(const struct smtp_state *state)
{
    return state->mode == SMTP_MODE_WAIT && !state->wait_unsure;
}

/* RFC 8446 5.1: records begin with their type, 20 to 23; RFC 5246 E.2: an SSL 2 hello with its
 * length and the top bit set. */
bool smtp_is_tls_byte(uint8_t first)
{
    return (first >= 0x14 && first <= 0x17) || first >= 0x80;
}

static void release_to_tls(struct smtp_state *state, struct sw_span next,
                           const struct smtp_sink *sink)
{
    smtp_mode_commands(state);
    if (next.len == 0 || !smtp_is_tls_byte(next.ptr[0]))
        return;
    struct smtp_event event = {.kind = SMTP_EVENT_TLS_HANDOVER,
                               .from = SW_FROM_SERVER,
                               .verb = (enum smtp_verb)state->wait_verb,
                               .answers = state->wait_id,
                               .flags = SMTP_FLAG_GUESSED};
    state->mode = SMTP_MODE_TLS;
    state->tls_checked = false;
    sink->emit(sink->ctx, &event);
}

void smtp_release_hold(struct smtp_state *state, struct sw_span next, const struct smtp_sink *sink)
{
    if (state->mode != SMTP_MODE_WAIT)
        return;
    if (state->wait_unsure && state->after_gap[SW_FROM_SERVER]) {
        smtp_queue_clear(state); /* the replies before it are in the gap as well */
        (void)smtp_queue_push(state, state->wait_id, (enum smtp_verb)state->wait_verb, 0);
    }
    state->wait_unsure = false;
    switch (state->wait_verb) {
    case SMTP_VERB_DATA:
        state->mode = SMTP_MODE_UNKNOWN;
        state->decide = true;
        break;
    case SMTP_VERB_AUTH:
    case SMTP_VERB_AUTH_DATA:
        state->mode = SMTP_MODE_AUTH;
        state->auth_unsure = true;
        state->skip_to_line_end[SW_FROM_CLIENT] = false;
        break;
    case SMTP_VERB_XEXCH50:
        smtp_mode_commands(state);
        break;
    default: /* STARTTLS and its kin; the verb stands in a byte */
        release_to_tls(state, next, sink);
        break;
    }
}

void smtp_go_opaque(struct smtp_io *io, enum sw_from from, enum smtp_opaque why)
{
    struct smtp_state *st = io->state;
    sw_lines_clear(&st->lines[SW_FROM_CLIENT]);
    st->mode = SMTP_MODE_OPAQUE;
    smtp_odd(io, from, SMTP_ODD_OPAQUE, (struct sw_span){NULL, 0}, why);
}

/* The octets of a line again, for a reader that wants them with their end: `missing` are not kept
 * of a very long line, then come its CRs. */
static void feed_line(struct smtp_io *io, struct sw_span text, uint64_t missing, uint64_t crs)
{
    static const uint8_t cr = '\r';
    struct smtp_io at = *io;
    at.end = at.begin;
    (void)smtp_body_feed(&at, text);
    at.begin.offset += text.len;
    at.end = at.begin;
    if (missing > 0)
        smtp_body_missing(&at, missing);
    at.begin.offset += missing;
    for (uint64_t i = 0; i < crs; i++) {
        (void)smtp_body_feed(&at, sw_span_make(&cr, 1));
        at.begin.offset++;
    }
}

bool smtp_decide_line(struct smtp_io *io, const struct sw_line *line)
{
    static const uint8_t lf = '\n';
    struct smtp_state *st = io->state;
    st->decide = false;
    st->skip_to_line_end[SW_FROM_CLIENT] = false;
    if (smtp_looks_like_command(line->text)) {
        st->mode = SMTP_MODE_COMMAND;
        return false;
    }
    uint64_t behind = io->end.offset - io->begin.offset - line->text.len;
    uint64_t crs = line->text.len == line->length ? behind : line->end != SW_LINE_LF;
    smtp_body_begin(st, st->wait_id);
    feed_line(io, line->text, behind - crs, crs);
    struct smtp_io at = smtp_io_at(st, io->sink, io->end);
    (void)smtp_body_feed(&at, sw_span_make(&lf, 1));
    return true;
}

void smtp_body_begin_within_line(struct smtp_io *io, uint32_t id)
{
    struct smtp_state *st = io->state;
    struct sw_lines *lines = &st->lines[SW_FROM_CLIENT];
    struct smtp_io at = *io;
    at.begin = st->line_begin[SW_FROM_CLIENT];
    uint64_t length = lines->length;
    struct sw_line line;
    bool open = sw_lines_flush(lines, &line);
    smtp_body_begin(st, id);
    if (open)
        feed_line(&at, line.text, line.length - line.text.len, length - line.length);
    sw_lines_clear(lines);
}
