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

#include "base/scan.h"

enum body_state {
    LINE_START,    /* after CRLF, or at the very beginning */
    LF_LINE_START, /* after a lone LF */
    MID_LINE,
    MID_LINE_CR, /* the last byte was a CR */
    DOT,         /* CRLF "." */
    DOT_CR,      /* CRLF "." CR */
    LF_DOT,      /* LF "." */
    LF_DOT_CR,   /* LF "." CR */
    CR_DOT,      /* a lone CR, "." */
    CR_DOT_CR,   /* a lone CR, "." CR */
    AFTER_GAP,   /* where in a line is not known, and nothing was seen since */
};

enum {
    SLOW = 64,              /* bytes that are walked over where something is not ordinary */
    TEXT_LINE_LIMIT = 1000, /* with its CRLF (RFC 5321 4.5.3.1.6) */
};

void smtp_body_begin(struct smtp_state *state, uint32_t id)
{
    state->mode = SMTP_MODE_BODY;
    state->body_id = id;
    state->body_octets = 0;
    state->text_over = false;
    state->body_state = LINE_START;
    smtp_false_end_forget(state);
    state->told_lf = false;
    state->told_cr = false;
    state->told_false_end = 0;
    state->told_smuggling = 0;
    state->line_octets = 0;
    state->told_long = false;
    state->long_line = (struct sw_at){0};
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

/* The octets that were kept back before and are text after all. They stand before the piece at
 * hand. */
static void tell_kept(struct smtp_io *io, size_t n)
{
    struct smtp_io there = *io;
    there.begin.offset = there.end.offset = 0;
    if (n > 0)
        tell_octets(&there, sw_span_sub(SW_SPAN_LIT(".\r"), 0, n), n, 0);
}

/* Told when the text is over, so that it stands at the same place for any chunking. */
static void tell_long_line(struct smtp_io *io)
{
    struct smtp_state *st = io->state;
    if (st->told_long || st->long_line.frame == 0)
        return;
    st->told_long = true;
    struct smtp_io there = smtp_io_at(st, io->sink, st->long_line);
    smtp_odd(&there, SW_FROM_CLIENT, SMTP_ODD_LONG_LINE, (struct sw_span){NULL, 0}, 0);
}

void smtp_body_flush(struct smtp_io *io)
{
    tell_kept(io, kept_back(io->state));
    tell_long_line(io);
    io->state->body_state = MID_LINE;
}

void smtp_body_missing(struct smtp_io *io, uint64_t length)
{
    smtp_body_flush(io);
    io->state->body_octets += length;
    io->state->body_state = AFTER_GAP;
    smtp_false_end_forget(io->state);
    io->state->line_octets = 0;
    io->state->line_dotted = false;
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

static void tell_odd(const struct smtp_io *io, size_t at, enum smtp_anomaly anomaly)
{
    smtp_odd_at(io, smtp_io_byte(io, at), anomaly, 0);
}

static void tell_bare_lf(struct smtp_io *io, size_t at)
{
    if (!io->state->told_lf)
        tell_odd(io, at, SMTP_ODD_BARE_LF);
    io->state->told_lf = true;
}

/* `at` is the byte behind the CR. */
static void tell_bare_cr(struct smtp_io *io, size_t at)
{
    if (!io->state->told_cr)
        tell_odd(io, at, SMTP_ODD_BARE_CR);
    io->state->told_cr = true;
}

/*
 * Tells lone CRs between `at` and `end`, where no LF is. Returns the index of a dot right behind
 * one, or `end`.
 */
static size_t lone_crs(struct smtp_io *io, struct sw_span bytes, size_t at, size_t end)
{
    bool after_cr = io->state->body_state == MID_LINE_CR;
    while (at < end) {
        if (after_cr) {
            tell_bare_cr(io, at);
            if (bytes.ptr[at] == '.')
                return at;
        }
        struct sw_span rest = sw_span_sub(bytes, at, end - at);
        size_t cr = sw_span_index(rest, '\r');
        if (cr == rest.len)
            break;
        at += cr + 1;
        after_cr = true;
    }
    return end;
}

/* From inside a line to behind its LF, or to a place that has to be looked at byte by byte, or to
 * the end of the bytes. Lone CRs and LFs are told once a message. */
static size_t skip_line(struct smtp_io *io, struct sw_span bytes, size_t at)
{
    struct smtp_state *st = io->state;
    size_t lf = at + sw_span_index(sw_span_from(bytes, at), '\n');
    bool complete = lf < bytes.len;
    size_t dot = lone_crs(io, bytes, at, lf);
    if (dot < lf) {
        st->body_state = CR_DOT;
        return dot + 1;
    }
    bool cr_before = lf > at ? bytes.ptr[lf - 1] == '\r' : st->body_state == MID_LINE_CR;
    if (!complete) {
        st->body_state = cr_before && lf > at ? MID_LINE_CR : MID_LINE;
        return bytes.len;
    }
    if (!cr_before)
        tell_bare_lf(io, lf);
    st->body_state = cr_before ? LINE_START : LF_LINE_START;
    return lf + 1;
}

/* The byte behind a lone CR. */
static enum body_state behind_lone_cr(uint8_t c)
{
    return c == '.' ? CR_DOT : c == '\r' ? MID_LINE_CR : MID_LINE;
}

/* The byte behind a dot that stands alone on its line so far. */
static void behind_dot(struct smtp_io *io, struct sw_span bytes, size_t at)
{
    static const struct {
        uint8_t with_cr;
        uint8_t with_lf; /* enum smtp_false_end */
    } next[] = {
        [DOT] = {DOT_CR, SMTP_FALSE_CRLF_DOT_LF},
        [LF_DOT] = {LF_DOT_CR, SMTP_FALSE_LF_DOT_LF},
        [CR_DOT] = {CR_DOT_CR, SMTP_FALSE_CR_DOT_LF},
    };
    struct smtp_state *st = io->state;
    uint8_t before = st->body_state;
    uint8_t c = bytes.ptr[at];
    if (c == '\r') {
        st->body_state = next[before].with_cr;
    } else if (c == '\n') {
        tell_bare_lf(io, at);
        st->body_state = LF_LINE_START;
        smtp_false_end(io, bytes, at, (enum smtp_false_end)next[before].with_lf);
    } else {
        if (before == DOT)
            st->body_octets--; /* the stuffed dot is no part of the message (RFC 5321 4.5.2) */
        st->body_state = MID_LINE;
    }
}

/* The byte behind a dot and a CR. Returns true when this was the end. */
static bool behind_dot_cr(struct smtp_io *io, struct sw_span bytes, size_t at)
{
    static const struct {
        uint8_t with_lf, without; /* enum smtp_false_end */
    } look[] = {
        [DOT_CR] = {0, SMTP_FALSE_CRLF_DOT_CR},
        [LF_DOT_CR] = {SMTP_FALSE_LF_DOT_CRLF, SMTP_FALSE_LF_DOT_CR},
        [CR_DOT_CR] = {SMTP_FALSE_CR_DOT_CRLF, SMTP_FALSE_CR_DOT_CR},
    };
    struct smtp_state *st = io->state;
    uint8_t before = st->body_state;
    uint8_t c = bytes.ptr[at];
    if (c == '\n') {
        if (before == DOT_CR)
            return true;
        st->body_state = LINE_START;
        smtp_false_end(io, bytes, at, (enum smtp_false_end)look[before].with_lf);
        return false;
    }
    if (before == DOT_CR)
        st->body_octets--; /* stuffed as well */
    st->body_state = (uint8_t)behind_lone_cr(c);
    tell_bare_cr(io, at);
    smtp_false_end(io, bytes, at, (enum smtp_false_end)look[before].without);
    return false;
}

/* One byte where it may be part of an end of data. Returns true when this was the end. */
static bool step(struct smtp_io *io, struct sw_span bytes, size_t at)
{
    struct smtp_state *st = io->state;
    bool dot = bytes.ptr[at] == '.';
    switch ((enum body_state)st->body_state) {
    case LINE_START:
        st->body_state = dot ? DOT : MID_LINE;
        return false;
    case LF_LINE_START:
        st->body_state = dot ? LF_DOT : MID_LINE;
        return false;
    case DOT:
    case LF_DOT:
    case CR_DOT:
        behind_dot(io, bytes, at);
        return false;
    case DOT_CR:
    case LF_DOT_CR:
    case CR_DOT_CR:
        return behind_dot_cr(io, bytes, at);
    case MID_LINE:
    case MID_LINE_CR:
    case AFTER_GAP:
        break;
    }
    return false;
}

bool smtp_body_inside_line(const struct smtp_state *state)
{
    return state->body_state != LINE_START && state->body_state != LF_LINE_START;
}

static bool at_line_start(const struct smtp_state *st)
{
    return st->body_state != MID_LINE && st->body_state != MID_LINE_CR &&
           st->body_state != AFTER_GAP;
}

static enum body_state behind_ordinary(uint8_t last)
{
    return last == '\n' ? LINE_START : last == '\r' ? MID_LINE_CR : MID_LINE;
}

/* What the scan asks of a byte and the one before, of which only the state is left. */
static bool goes_on_ordinarily(enum body_state state, uint8_t c)
{
    switch (state) {
    case LINE_START:
        return c != '.' && c != '\n';
    case MID_LINE:
        return c != '\n';
    case MID_LINE_CR:
        return c == '\n';
    case LF_LINE_START:
    case DOT:
    case DOT_CR:
    case LF_DOT:
    case LF_DOT_CR:
    case CR_DOT:
    case CR_DOT_CR:
    case AFTER_GAP:
        break;
    }
    return false;
}

/* Walks over text; returns the index behind the end of data, or 0 when it is not in `bytes`. */
static size_t find_end(struct smtp_io *io, struct sw_span bytes)
{
    struct smtp_state *st = io->state;
    size_t at = 0;
    size_t slow_until = 1; /* the scan needs the byte before */
    if (bytes.len > 0 && goes_on_ordinarily((enum body_state)st->body_state, bytes.ptr[0])) {
        st->body_state = (uint8_t)behind_ordinary(bytes.ptr[0]);
        st->body_octets++;
        at = 1;
    }
    while (at < bytes.len) {
        bool line_start = st->body_state == LINE_START || st->body_state == LF_LINE_START;
        if (at >= slow_until && (line_start || !at_line_start(st))) {
            size_t behind = sw_scan_ordinary_text(bytes, at);
            slow_until = behind + SLOW;
            if (behind > at) {
                st->body_state = (uint8_t)behind_ordinary(bytes.ptr[behind - 1]);
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
        if (step(io, bytes, at))
            return at + 1;
        at++;
    }
    return 0;
}

/*
 * Notes where a line of the text gets too long. From the start of a line it looks back from the
 * limit: most bytes are never touched, because a line ends long before.
 */
static void measure_lines(struct smtp_io *io, struct sw_span bytes)
{
    struct smtp_state *st = io->state;
    size_t at = 0;
    while (at < bytes.len) {
        if (st->line_octets == 0)
            st->line_dotted = bytes.ptr[at] == '.';
        uint32_t limit = TEXT_LINE_LIMIT + st->line_dotted;
        size_t left = bytes.len - at;
        if (st->line_octets < limit) {
            size_t room = limit - st->line_octets;
            size_t to = at + (room < left ? room : left);
            size_t start = at + sw_scan_behind_last(sw_span_sub(bytes, at, to - at), '\n');
            if (start > at && to == bytes.len) { /* behind it there is no other */
                st->line_octets = (uint32_t)(to - start);
                st->line_dotted = start < to && bytes.ptr[start] == '.';
                return;
            }
            st->line_octets = start > at ? 0 : st->line_octets + (uint32_t)(to - at);
            at = start > at ? start : to;
            if (st->line_octets == limit && st->long_line.frame == 0)
                st->long_line = smtp_io_byte(io, at - 1);
        } else { /* on to its end */
            size_t lf = sw_span_index(sw_span_from(bytes, at), '\n');
            st->line_octets = lf < left ? 0 : st->line_octets;
            at = lf < left ? at + lf + 1 : bytes.len;
        }
    }
}

size_t smtp_body_feed(struct smtp_io *io, struct sw_span bytes)
{
    struct smtp_state *st = io->state;
    enum { TERMINATOR = 3 }; /* ".", CR, LF */
    size_t kept = kept_back(st);
    smtp_false_end_behind(io, bytes, 0);
    size_t end = find_end(io, bytes);
    size_t used = end > 0 ? end : bytes.len;
    measure_lines(io, sw_span_sub(bytes, 0, used));
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
    io->end = smtp_io_byte(io, end - 1);
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
        io->end = smtp_io_byte(io, n - 1);
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
