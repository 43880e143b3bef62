/*
 * body.c - the text of a message: DATA until the dot (RFC 5321 4.1.1.4), BDAT by exact octets (RFC
 * 3030).
 *
 * The text is scanned, never kept. Blocks in which every line ends in CRLF and none begins with a
 * dot are passed over as a whole; the rest goes line by line, and only the first bytes of a line
 * are looked at one by one. States say what the last bytes were, so that any chunking gives the
 * same result: a dot that may be the end is kept back until the bytes behind it have been seen.
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
    AFTER_GAP,   /* where in a line is not known, and nothing was seen since */
};

enum { BLOCK = 256 };

static struct sw_at at_byte(const struct smtp_io *io, size_t i)
{
    return (struct sw_at){io->begin.offset + i, io->begin.frame, io->begin.time_ns};
}

void smtp_body_begin(struct smtp_state *state, uint32_t id)
{
    state->mode = SMTP_MODE_BODY;
    state->body_id = id;
    state->body_octets = 0;
    state->body_state = LINE_START;
    state->false_end_last = false;
    state->told_lf = false;
    state->told_cr = false;
    state->told_false_end = 0;
    state->after_gap[SW_FROM_CLIENT] = false;
    state->skip_to_line_end[SW_FROM_CLIENT] = false;
}

/* `length` octets, of which those in `bytes` are known. */
static void tell_octets(struct smtp_io *io, struct sw_span bytes, uint64_t length, uint32_t flags)
{
    if (io->state->mode == SMTP_MODE_BDAT && io->state->bdat_blob)
        return;
    io->state->body_octets += io->state->mode == SMTP_MODE_BDAT ? length : 0;
    struct smtp_event event = {
        .kind = SMTP_EVENT_BODY,
        .from = SW_FROM_CLIENT,
        .verb = io->state->mode == SMTP_MODE_BDAT ? SMTP_VERB_BDAT : SMTP_VERB_DATA,
        .flags = flags,
        .answers = io->state->body_id,
        .text = bytes,
        .number = length,
        .begin = io->begin,
        .end = io->end,
    };
    smtp_emit(io, &event);
}

/* Octets at the end of what was seen that are part of the end of data if the next ones fit. */
static size_t kept_back(const struct smtp_state *st)
{
    return st->body_state == DOT ? 1 : st->body_state == DOT_CR ? 2 : 0;
}

/* The octets that were kept back before and are text after all. */
static void tell_kept(struct smtp_io *io, size_t n)
{
    if (n > 0)
        tell_octets(io, sw_span_sub(SW_SPAN_LIT(".\r"), 0, n), n, 0);
}

void smtp_body_flush(struct smtp_io *io)
{
    tell_kept(io, kept_back(io->state));
    io->state->body_state = MID_LINE;
}

void smtp_body_missing(struct smtp_io *io, uint64_t length)
{
    smtp_body_flush(io);
    io->state->body_octets += length;
    io->state->body_state = AFTER_GAP;
    io->state->false_end_last = false;
    tell_octets(io, (struct sw_span){NULL, 0}, length, SMTP_FLAG_CUT);
}

bool smtp_body_is_all_gap(const struct smtp_state *state)
{
    return state->body_state == AFTER_GAP;
}

void smtp_body_end(struct smtp_io *io, enum smtp_verb verb, uint32_t flags)
{
    struct smtp_state *st = io->state;
    bool dot = verb == SMTP_VERB_END_OF_DATA;
    uint32_t id = dot ? st->next_id++ : st->body_id;
    struct smtp_event event = {
        .kind = SMTP_EVENT_END_OF_DATA,
        .from = SW_FROM_CLIENT,
        .verb = verb,
        .flags = flags,
        .id = id,
        .answers = st->body_id,
        .number = st->body_octets,
        .begin = io->end,
        .end = io->end,
    };
    if (st->mode == SMTP_MODE_BODY)
        smtp_body_flush(io);
    st->mode = SMTP_MODE_COMMAND;
    st->after_gap[SW_FROM_CLIENT] = false;
    st->body_octets = 0;
    st->body_id = 0;
    smtp_emit(io, &event);
    if (!dot)
        return;
    smtp_forget_lost_replies(st);
    (void)smtp_queue_push(st, id, SMTP_VERB_END_OF_DATA, SMTP_FLAG_LAST | flags);
}

static void tell_odd(struct smtp_io *io, size_t at, enum smtp_anomaly anomaly, uint64_t number)
{
    struct smtp_io here = *io;
    here.begin = here.end = at_byte(io, at);
    smtp_odd(&here, SW_FROM_CLIENT, anomaly, (struct sw_span){NULL, 0}, number);
}

static void false_end(struct smtp_io *io, size_t at, enum smtp_false_end variant)
{
    struct smtp_state *st = io->state;
    /* behind CRLF "." CR one more byte has been seen already */
    st->false_end_last = variant != SMTP_FALSE_CRLF_DOT_CR;
    if (st->told_false_end & 1 << variant)
        return;
    st->told_false_end = (uint8_t)(st->told_false_end | 1 << variant);
    tell_odd(io, at, SMTP_ODD_FALSE_END, variant);
}

/*
 * From `at` on, whole blocks without a lone CR, a lone LF or a dot behind an LF. The byte before
 * `at` is there. One pass without branches, which compilers turn into vector code.
 */
static size_t ordinary_blocks(struct sw_span bytes, size_t at)
{
    while (bytes.len - at >= BLOCK) {
        const uint8_t *p = bytes.ptr + at;
        const uint8_t *before = p - 1;
        uint8_t odd = 0;
        for (size_t i = 0; i < BLOCK; i++) {
            uint8_t after_lf = before[i] == '\n';
            uint8_t after_cr = before[i] == '\r';
            uint8_t lf = p[i] == '\n';
            uint8_t dot = p[i] == '.';
            odd = (uint8_t)(odd | (lf ^ after_cr) | (dot & after_lf));
        }
        if (odd)
            break;
        at += BLOCK;
    }
    return at;
}

/* From inside a line to behind its LF, or to the end of the bytes. Lone CRs and LFs are told once a
 * message. */
static size_t skip_line(struct smtp_io *io, struct sw_span bytes, size_t at)
{
    struct smtp_state *st = io->state;
    struct sw_span rest = sw_span_from(bytes, at);
    size_t lf = sw_span_index(rest, '\n');
    size_t cr = st->told_cr ? lf : sw_span_index(sw_span_sub(rest, 0, lf), '\r');
    bool complete = lf < rest.len;
    bool cr_before = lf > 0 ? rest.ptr[lf - 1] == '\r' : st->body_state == MID_LINE_CR;
    bool cr_behind = st->body_state == MID_LINE_CR && lf > 0;
    if ((cr_behind || cr + 1 < lf) && !st->told_cr) { /* told at the byte behind it */
        st->told_cr = true;
        tell_odd(io, cr_behind ? at : at + cr + 1, SMTP_ODD_BARE_CR, 0);
    }
    if (!complete) {
        st->body_state = cr_before && lf > 0 ? MID_LINE_CR : MID_LINE;
        return bytes.len;
    }
    if (!cr_before && !st->told_lf) {
        st->told_lf = true;
        tell_odd(io, at + lf, SMTP_ODD_BARE_LF, 0);
    }
    st->body_state = cr_before ? LINE_START : LF_LINE_START;
    return at + lf + 1;
}

/* One byte where it may be part of an end of data. Returns true when this was the end. */
static bool step(struct smtp_io *io, uint8_t c, size_t at)
{
    struct smtp_state *st = io->state;
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
            false_end(io, at, after_lf ? SMTP_FALSE_LF_DOT_LF : SMTP_FALSE_CRLF_DOT_LF);
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
        false_end(io, at, SMTP_FALSE_CRLF_DOT_CR);
        st->body_octets--; /* stuffed as well */
        st->body_state = c == '\r' ? MID_LINE_CR : MID_LINE;
        return false;
    case LF_DOT_CR:
        if (c == '\n') {
            false_end(io, at, SMTP_FALSE_LF_DOT_CRLF);
            st->body_state = LINE_START;
        } else {
            st->body_state = c == '\r' ? MID_LINE_CR : MID_LINE;
        }
        return false;
    case MID_LINE:
    case MID_LINE_CR:
    case AFTER_GAP:
        break;
    }
    return false;
}

static bool at_line_start(const struct smtp_state *st)
{
    return st->body_state != MID_LINE && st->body_state != MID_LINE_CR &&
           st->body_state != AFTER_GAP;
}

/* Walks over text; returns the index behind the end of data, or 0 when it is not in `bytes`. */
static size_t find_end(struct smtp_io *io, struct sw_span bytes)
{
    struct smtp_state *st = io->state;
    size_t at = 0;
    size_t slow_until = 1; /* blocks need the byte before them */
    while (at < bytes.len) {
        st->false_end_last = false;
        bool line_start = st->body_state == LINE_START || st->body_state == LF_LINE_START;
        if (at >= slow_until && (line_start || !at_line_start(st))) {
            size_t behind = ordinary_blocks(bytes, at);
            slow_until = behind + BLOCK;
            if (behind > at) {
                uint8_t last = bytes.ptr[behind - 1];
                st->body_state = last == '\n' ? LINE_START : last == '\r' ? MID_LINE_CR : MID_LINE;
                st->body_octets += behind - at;
                at = behind;
                continue;
            }
        }
        if (!at_line_start(st)) {
            size_t next = skip_line(io, bytes, at);
            st->body_octets += next - at;
            at = next;
            continue;
        }
        if (line_start && bytes.ptr[at] != '.') {
            st->body_state =
                MID_LINE; /* the byte may be the line's end itself: skip_line sees it */
            continue;
        }
        st->body_octets++;
        if (step(io, bytes.ptr[at], at))
            return at + 1;
        at++;
    }
    return 0;
}

size_t smtp_body_feed(struct smtp_io *io, struct sw_span bytes)
{
    struct smtp_state *st = io->state;
    enum { TERMINATOR = 3 }; /* ".", CR, LF */
    size_t kept = kept_back(st);
    size_t end = find_end(io, bytes);
    size_t used = end > 0 ? end : bytes.len;
    size_t hidden = end > 0 ? TERMINATOR : kept_back(st);
    if (hidden <= used) { /* else all of it, and what was kept before, stays back */
        tell_kept(io, kept);
        if (used > hidden)
            tell_octets(io, sw_span_sub(bytes, 0, used - hidden), used - hidden, 0);
    }
    if (end == 0)
        return used;
    st->body_octets -= TERMINATOR;
    st->body_state = LINE_START; /* nothing is kept back any more */
    io->end = at_byte(io, end - 1);
    smtp_body_end(io, SMTP_VERB_END_OF_DATA, 0);
    return used;
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
    st->bdat_blob = false;
    st->mode = SMTP_MODE_BDAT;
}

void smtp_blob_announced(struct smtp_state *state, struct sw_span argument)
{
    uint64_t size;
    bool good = sw_span_u64(sw_span_word(&argument), &size) && size <= UINT32_MAX;
    state->bdat_left = good ? size : 0;
}

void smtp_blob_begin(struct smtp_state *state)
{
    state->bdat_blob = true;
    state->bdat_last = false;
    if (state->bdat_left > 0)
        state->mode = SMTP_MODE_BDAT;
}

static void chunk_ends(struct smtp_io *io)
{
    if (io->state->bdat_last)
        smtp_body_end(io, SMTP_VERB_BDAT, 0);
    else
        io->state->mode = SMTP_MODE_COMMAND;
}

size_t smtp_bdat_feed(struct smtp_io *io, struct sw_span bytes)
{
    struct smtp_state *st = io->state;
    size_t n = bytes.len < st->bdat_left ? bytes.len : (size_t)st->bdat_left;
    st->bdat_left -= n;
    if (n > 0) {
        tell_octets(io, sw_span_sub(bytes, 0, n), n, 0);
        io->end = at_byte(io, n - 1);
    }
    if (st->bdat_left == 0)
        chunk_ends(io);
    return n;
}

void smtp_bdat_missing(struct smtp_io *io, uint64_t length)
{
    struct smtp_state *st = io->state;
    st->bdat_left -= length;
    tell_octets(io, (struct sw_span){NULL, 0}, length, SMTP_FLAG_CUT);
    if (st->bdat_left == 0)
        chunk_ends(io);
}
