/*
 * body.c - the text of a message: DATA until the dot (RFC 5321 4.1.1.4), BDAT by exact octets (RFC
 * 3030).
 *
 * The text is scanned, never kept: memchr finds the line ends, and only the first bytes of a line
 * are looked at one by one. States say what the last bytes were, so that any chunking gives the
 * same result.
 */
#include "dissectors/smtp/internal.h"

enum body_state {
    LINE_START,    /* after CRLF, or at the very beginning */
    LF_LINE_START, /* after a lone LF */
    MID_LINE,
    MID_LINE_CR, /* the last byte was a CR */
    DOT,         /* CRLF "." */
    DOT_CR,      /* CRLF "." CR */
    LF_DOT,      /* LF "." */
    LF_DOT_CR,   /* LF "." CR */
};

/* End-of-data look-alikes, as `number` of SMTP_ODD_FALSE_END (CERT VU#302671). */
enum false_end {
    FALSE_LF_DOT_LF = 1,
    FALSE_LF_DOT_CRLF = 2,
    FALSE_CRLF_DOT_LF = 3,
    FALSE_CRLF_DOT_CR = 4,
};

void smtp_body_begin(struct smtp_state *state, uint32_t id)
{
    state->mode = SMTP_MODE_BODY;
    state->body_id = id;
    state->body_octets = 0;
    state->body_state = LINE_START;
    state->false_end_last = false;
    state->told_lf = false;
    state->told_cr = false;
}

static void tell_octets(struct smtp_io *io, struct sw_span bytes, uint32_t flags)
{
    struct smtp_event event = {
        .kind = SMTP_EVENT_BODY,
        .from = SW_FROM_CLIENT,
        .verb = io->state->mode == SMTP_MODE_BDAT ? SMTP_VERB_BDAT : SMTP_VERB_DATA,
        .flags = flags,
        .answers = io->state->body_id,
        .text = bytes,
        .number = bytes.len,
        .begin = io->begin,
        .end = io->end,
    };
    if (bytes.len > 0)
        smtp_emit(io, &event);
}

void smtp_body_missing(struct smtp_io *io, uint64_t length)
{
    struct smtp_event event = {
        .kind = SMTP_EVENT_BODY,
        .from = SW_FROM_CLIENT,
        .verb = io->state->mode == SMTP_MODE_BDAT ? SMTP_VERB_BDAT : SMTP_VERB_DATA,
        .flags = SMTP_FLAG_CUT,
        .answers = io->state->body_id,
        .number = length,
        .begin = io->begin,
        .end = io->end,
    };
    io->state->body_octets += length;
    io->state->body_state = MID_LINE; /* where in a line it goes on is not known */
    io->state->false_end_last = false;
    smtp_emit(io, &event);
}

void smtp_body_end(struct smtp_io *io, enum smtp_verb verb, uint32_t flags)
{
    struct smtp_state *st = io->state;
    uint32_t id = verb == SMTP_VERB_BDAT ? st->body_id : st->next_id++;
    struct smtp_event event = {
        .kind = SMTP_EVENT_END_OF_DATA,
        .from = SW_FROM_CLIENT,
        .verb = verb,
        .flags = flags,
        .id = id,
        .answers = st->body_id,
        .number = st->body_octets,
        .begin = io->begin,
        .end = io->end,
    };
    st->mode = SMTP_MODE_COMMAND;
    st->lmtp_replies = 0;
    smtp_emit(io, &event);
    if (verb == SMTP_VERB_END_OF_DATA)
        smtp_queue_push(st, id, SMTP_VERB_END_OF_DATA, SMTP_FLAG_LAST | flags);
    st->body_octets = 0;
}

static void false_end(struct smtp_io *io, struct sw_span bytes, size_t at, enum false_end variant)
{
    io->state->false_end_last = true;
    smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_FALSE_END, sw_span_sub(bytes, at + 1, 40), variant);
}

/* From inside a line to behind its LF, or to the end of the bytes. Lone CRs and LFs are told once a
 * piece. */
static size_t skip_line(struct smtp_io *io, struct sw_span bytes, size_t at)
{
    struct smtp_state *st = io->state;
    struct sw_span rest = sw_span_from(bytes, at);
    size_t lf = sw_span_index(rest, '\n');
    size_t cr = sw_span_index(sw_span_sub(rest, 0, lf), '\r');
    bool complete = lf < rest.len;
    bool cr_before = lf > 0 ? rest.ptr[lf - 1] == '\r' : st->body_state == MID_LINE_CR;
    bool lone_cr = (st->body_state == MID_LINE_CR && lf > 0) || cr + 1 < lf;
    if (lone_cr && !st->told_cr) {
        st->told_cr = true;
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_BARE_CR, (struct sw_span){NULL, 0}, 0);
    }
    if (!complete) {
        st->body_state = cr_before && lf > 0 ? MID_LINE_CR : MID_LINE;
        return bytes.len;
    }
    if (!cr_before && !st->told_lf) {
        st->told_lf = true;
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_BARE_LF, (struct sw_span){NULL, 0}, 0);
    }
    st->body_state = cr_before ? LINE_START : LF_LINE_START;
    return at + lf + 1;
}

/* One byte where it may be part of an end of data. Returns true when this was the end. */
static bool step(struct smtp_io *io, struct sw_span bytes, size_t at)
{
    struct smtp_state *st = io->state;
    uint8_t c = bytes.ptr[at];
    bool after_lf = st->body_state == LF_DOT || st->body_state == LF_DOT_CR;
    switch ((enum body_state)st->body_state) {
    case LINE_START:
        st->body_state = c == '.' ? DOT : MID_LINE;
        return false;
    case LF_LINE_START:
        st->body_state = c == '.' ? LF_DOT : MID_LINE;
        return false;
    case DOT:
    case LF_DOT:
        if (c == '\r') {
            st->body_state = after_lf ? LF_DOT_CR : DOT_CR;
        } else if (c == '\n') {
            false_end(io, bytes, at, after_lf ? FALSE_LF_DOT_LF : FALSE_CRLF_DOT_LF);
            st->body_state = LF_LINE_START;
        } else {
            if (!after_lf)
                st->body_octets--; /* the stuffed dot is no part of the message (RFC 5321 4.5.2) */
            st->body_state = MID_LINE;
        }
        return false;
    case DOT_CR:
        if (c == '\n')
            return true;
        false_end(io, bytes, at, FALSE_CRLF_DOT_CR);
        st->body_state = c == '\r' ? MID_LINE_CR : MID_LINE;
        return false;
    case LF_DOT_CR:
        if (c == '\n') {
            false_end(io, bytes, at, FALSE_LF_DOT_CRLF);
            st->body_state = LINE_START;
        } else {
            st->body_state = c == '\r' ? MID_LINE_CR : MID_LINE;
        }
        return false;
    case MID_LINE:
    case MID_LINE_CR:
        break;
    }
    return false;
}

static bool at_line_start(const struct smtp_state *st)
{
    return st->body_state != MID_LINE && st->body_state != MID_LINE_CR;
}

size_t smtp_body_feed(struct smtp_io *io, struct sw_span bytes)
{
    struct smtp_state *st = io->state;
    size_t at = 0;
    while (at < bytes.len) {
        st->false_end_last = false;
        if (!at_line_start(st)) {
            size_t next = skip_line(io, bytes, at);
            st->body_octets += next - at;
            at = next;
            continue;
        }
        bool starts_line = st->body_state == LINE_START || st->body_state == LF_LINE_START;
        if (starts_line && bytes.ptr[at] != '.') {
            st->body_state =
                MID_LINE; /* the byte itself may be the line's end; skip_line sees it */
            continue;
        }
        st->body_octets++;
        if (step(io, bytes, at)) {
            st->body_octets -= 3; /* ".", CR, LF */
            tell_octets(io, sw_span_sub(bytes, 0, at + 1 >= 3 ? at - 2 : 0), 0);
            smtp_body_end(io, SMTP_VERB_END_OF_DATA, 0);
            return at + 1;
        }
        at++;
    }
    tell_octets(io, bytes, 0);
    return bytes.len;
}

void smtp_bdat_begin(struct smtp_io *io, struct sw_span argument, uint32_t id, uint32_t *flags,
                     uint64_t *size)
{
    struct smtp_state *st = io->state;
    struct sw_span rest = argument;
    struct sw_span number = sw_span_word(&rest);
    struct sw_span last = sw_span_word(&rest);
    bool is_last = sw_span_eq_nocase(last, SW_SPAN_LIT("LAST"));
    bool good = sw_span_u64(number, size) && *size <= UINT32_MAX && (last.len == 0 || is_last) &&
                sw_span_trim(rest).len == 0;
    if (!good) { /* no octets follow that anybody could count; the reply keeps its place in the
                    queue */
        *size = 0;
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_BAD_BDAT, argument, 0);
        return;
    }
    if (is_last)
        *flags |= SMTP_FLAG_LAST;
    st->body_id = id;
    st->bdat_left = *size;
    st->bdat_last = is_last;
    st->mode = SMTP_MODE_BDAT;
}

size_t smtp_bdat_feed(struct smtp_io *io, struct sw_span bytes)
{
    struct smtp_state *st = io->state;
    size_t n = bytes.len < st->bdat_left ? bytes.len : (size_t)st->bdat_left;
    st->bdat_left -= n;
    st->body_octets += n;
    tell_octets(io, sw_span_sub(bytes, 0, n), 0);
    if (st->bdat_left > 0)
        return n;
    if (st->bdat_last)
        smtp_body_end(io, SMTP_VERB_BDAT, 0);
    else
        st->mode = SMTP_MODE_COMMAND;
    return n;
}
