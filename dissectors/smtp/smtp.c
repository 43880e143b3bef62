/*
 * smtp.c - the entry points: pieces in, lines and message octets on to the right reader.
 */
#include "base/address.h"
#include "dissectors/smtp/internal.h"

_Static_assert(sizeof(struct smtp_state) < 1024, "one state a session: it has to stay small");

void smtp_emit(const struct smtp_io *io, const struct smtp_event *event)
{
    io->sink->emit(io->sink->ctx, event);
}

void smtp_odd(const struct smtp_io *io, enum sw_from from, enum smtp_anomaly anomaly,
              struct sw_span text, uint64_t number)
{
    struct smtp_event event = {
        .kind = SMTP_EVENT_ANOMALY,
        .from = from,
        .anomaly = anomaly,
        .text = from == SW_FROM_SERVER || anomaly == SMTP_ODD_FALSE_END ? sw_span_sub(text, 0, 80)
                                                                        : (struct sw_span){NULL, 0},
        .number = number,
        .begin = io->begin,
        .end = io->end,
    };
    smtp_emit(io, &event);
}

void smtp_init(struct smtp_state *state, const struct sw_lender *lender, bool midstream)
{
    *state = (struct smtp_state){.midstream = midstream, .next_id = 1};
    state->lines[0].lender = lender;
    state->lines[1].lender = lender;
    state->mode = midstream ? SMTP_MODE_UNKNOWN : SMTP_MODE_COMMAND;
    if (!midstream)
        smtp_queue_push(state, 0, SMTP_VERB_NONE, 0);
}

static struct smtp_io io_at(struct smtp_state *state, const struct smtp_sink *sink, struct sw_at at)
{
    return (struct smtp_io){.state = state, .sink = sink, .begin = at, .end = at};
}

/* The next line of a direction; fills io->begin and end with its first and last byte. */
static bool next_line(struct smtp_io *io, enum sw_from from, struct sw_span *rest, struct sw_at at,
                      uint64_t *offset, struct sw_line *line)
{
    struct smtp_state *st = io->state;
    struct sw_lines *lines = &st->lines[from];
    if (!lines->open)
        st->line_begin[from] = (struct sw_at){*offset, at.frame, at.time_ns};
    if (!sw_lines_next(lines, rest, offset, line))
        return false;
    io->begin = st->line_begin[from];
    io->end = (struct sw_at){*offset - 1, at.frame, at.time_ns};
    return true;
}

static size_t feed_server(struct smtp_state *st, const struct sw_piece *piece,
                          const struct smtp_sink *sink)
{
    struct sw_span rest = piece->bytes;
    uint64_t offset = piece->at.offset;
    struct smtp_io io = io_at(st, sink, piece->at);
    struct sw_line line;
    while (st->mode != SMTP_MODE_TLS &&
           next_line(&io, SW_FROM_SERVER, &rest, piece->at, &offset, &line)) {
        bool waited = st->mode == SMTP_MODE_WAIT;
        smtp_server_line(&io, &line);
        if (waited && st->mode != SMTP_MODE_WAIT)
            break; /* what was held comes before the server's next line */
    }
    return (size_t)(offset - piece->at.offset);
}

/* One step of the client's bytes: a line, octets of a message, or nothing while a reply has to
 * decide. */
static size_t client_step(struct smtp_io *io, struct sw_span rest, struct sw_at at, bool *line_open)
{
    struct smtp_state *st = io->state;
    io->begin = io->end = at;
    switch (st->mode) {
    case SMTP_MODE_BODY:
        return smtp_body_feed(io, rest);
    case SMTP_MODE_BDAT:
        return smtp_bdat_feed(io, rest);
    case SMTP_MODE_COMMAND:
    case SMTP_MODE_AUTH:
    case SMTP_MODE_UNKNOWN: {
        struct sw_line line;
        uint64_t offset = at.offset;
        struct sw_span bytes = rest;
        if (next_line(io, SW_FROM_CLIENT, &bytes, at, &offset, &line))
            smtp_client_line(io, &line);
        else
            *line_open = true;
        return (size_t)(offset - at.offset);
    }
    case SMTP_MODE_WAIT:
    case SMTP_MODE_TLS:
        break;
    }
    return 0;
}

/* The source address of a complete header of the PROXY protocol, version 2. */
static void tell_proxy(struct smtp_io *io)
{
    struct smtp_state *st = io->state;
    char text[SW_ADDRESS_TEXT_BYTES] = "";
    uint8_t address[16] = {0};
    uint8_t family = st->proxy[13] >> 4;
    size_t length = family == 1 ? 4 : 16;
    if ((family == 1 || family == 2) && st->proxy_have >= 16 + length) {
        memcpy(address, st->proxy + 16, length);
        sw_address_format(address, family == 1 ? 4 : 6, text);
    }
    struct smtp_event event = {
        .kind = SMTP_EVENT_PROXY,
        .from = SW_FROM_CLIENT,
        .text = sw_span_str(text),
        .begin = io->begin,
        .end = io->end,
    };
    smtp_emit(io, &event);
}

static size_t client_bytes(struct smtp_io *io, struct sw_span bytes, struct sw_at at);

/*
 * The binary header of the PROXY protocol, version 2, at the very beginning. Returns the bytes that
 * belong to it, or that were found to be no header and were read as lines.
 */
static size_t proxy_bytes(struct smtp_io *io, struct sw_span bytes, struct sw_at at)
{
    static const uint8_t signature[12] = {0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D,
                                          0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};
    struct smtp_state *st = io->state;
    size_t used = 0;
    while (used < bytes.len && !st->proxy_checked) {
        size_t have = st->proxy_have;
        if (have < sizeof(signature) && bytes.ptr[used] != signature[have]) {
            st->proxy_checked = true; /* what had looked like one are lines after all */
            (void)client_bytes(io, sw_span_make(signature, have), at);
            break;
        }
        st->proxy[st->proxy_have++] = bytes.ptr[used++];
        have++;
        size_t length = have >= 16 ? 16 + (size_t)(st->proxy[14] << 8 | st->proxy[15]) : SIZE_MAX;
        if (have < length && have < sizeof(st->proxy))
            continue;
        st->proxy_checked = true;
        st->proxy_left = (uint32_t)(length - have);
        io->begin = io->end = at;
        tell_proxy(io);
    }
    size_t rest = bytes.len - used < st->proxy_left ? bytes.len - used : st->proxy_left;
    st->proxy_left -= (uint32_t)rest;
    return used + rest;
}

/* Reads lines and messages until a reply has to decide; returns the bytes used. */
static size_t client_bytes(struct smtp_io *io, struct sw_span bytes, struct sw_at at)
{
    struct smtp_state *st = io->state;
    bool line_open = false;
    size_t used = 0;
    while (used < bytes.len && !line_open) {
        struct sw_span rest = sw_span_from(bytes, used);
        if (st->mode == SMTP_MODE_WAIT && st->wait_unsure)
            smtp_release_hold(st, rest, io->sink);
        if (st->mode == SMTP_MODE_WAIT || st->mode == SMTP_MODE_TLS)
            break;
        struct sw_at here = {at.offset + used, at.frame, at.time_ns};
        used += client_step(io, rest, here, &line_open);
    }
    return used;
}

static size_t feed_client(struct smtp_state *st, const struct sw_piece *piece,
                          const struct smtp_sink *sink)
{
    struct smtp_io io = io_at(st, sink, piece->at);
    size_t used = 0;
    if (!st->proxy_checked && (st->midstream || st->greeted || st->next_id > 1))
        st->proxy_checked = true;
    if (!st->proxy_checked || st->proxy_left > 0)
        used = proxy_bytes(&io, piece->bytes, piece->at);
    struct sw_at at = {piece->at.offset + used, piece->at.frame, piece->at.time_ns};
    used += client_bytes(&io, sw_span_from(piece->bytes, used), at);
    const struct smtp_pending *last = smtp_queue_last(st);
    if (used < piece->bytes.len && st->mode == SMTP_MODE_WAIT && last &&
        last->verb == SMTP_VERB_STARTTLS) {
        io.begin = io.end = piece->at;
        smtp_odd(&io, SW_FROM_CLIENT, SMTP_ODD_AFTER_STARTTLS, (struct sw_span){NULL, 0}, 0);
    }
    return used;
}

size_t smtp_feed(struct smtp_state *state, const struct sw_piece *piece,
                 const struct smtp_sink *sink)
{
    if (state->mode == SMTP_MODE_TLS)
        return 0;
    return piece->from == SW_FROM_SERVER ? feed_server(state, piece, sink)
                                         : feed_client(state, piece, sink);
}

bool smtp_holds_client(const struct smtp_state *state)
{
    return state->mode == SMTP_MODE_WAIT && !state->wait_unsure;
}

static bool looks_like_tls(struct sw_span s)
{
    return s.len > 0 && (s.ptr[0] == 0x16 || (s.ptr[0] & 0x80));
}

void smtp_release_hold(struct smtp_state *state, struct sw_span next, const struct smtp_sink *sink)
{
    if (state->mode != SMTP_MODE_WAIT)
        return;
    const struct smtp_pending *last = smtp_queue_last(state);
    enum smtp_verb verb = last ? (enum smtp_verb)last->verb : SMTP_VERB_NONE;
    bool command = smtp_looks_like_command(sw_span_sub(next, 0, sw_span_index(next, '\n')));
    bool reply_is_lost = state->wait_unsure;
    state->wait_unsure = false;
    state->mode = SMTP_MODE_COMMAND;
    if (verb == SMTP_VERB_DATA && !command) {
        smtp_body_begin(state, last->id);
        if (reply_is_lost) /* the 354 was in the gap, and so was what came before it */
            state->queue_len = 0;
    } else if ((verb == SMTP_VERB_AUTH || verb == SMTP_VERB_AUTH_DATA) && !command) {
        state->mode = SMTP_MODE_AUTH;
        if (state->auth_step == 0 && state->mechanism == SMTP_MECH_LOGIN)
            state->auth_prompt = 'u';
    } else if ((verb == SMTP_VERB_STARTTLS || verb == SMTP_VERB_X_ANONYMOUSTLS) &&
               looks_like_tls(next)) {
        struct smtp_event event = {.kind = SMTP_EVENT_TLS_HANDOVER,
                                   .from = SW_FROM_SERVER,
                                   .verb = verb,
                                   .answers = last->id,
                                   .flags = SMTP_FLAG_GUESSED};
        state->mode = SMTP_MODE_TLS;
        sink->emit(sink->ctx, &event);
    }
}

static void gap_in_server(struct smtp_io *io)
{
    struct smtp_state *st = io->state;
    struct sw_line line;
    if (sw_lines_flush(&st->lines[SW_FROM_SERVER], &line)) {
        struct sw_at begin = st->line_begin[SW_FROM_SERVER];
        struct smtp_io at = *io;
        at.begin = begin;
        smtp_server_line(&at, &line);
        sw_lines_clear(&st->lines[SW_FROM_SERVER]);
    }
    if (st->reply_open)
        smtp_reply_complete(io, SMTP_FLAG_CUT);
    st->after_gap[SW_FROM_SERVER] = true;
    st->skip_to_line_end[SW_FROM_SERVER] = true;
    if (st->mode == SMTP_MODE_WAIT)
        st->wait_unsure = true;
}

static void cut_client_line(struct smtp_io *io)
{
    struct smtp_state *st = io->state;
    struct sw_line line;
    if (!sw_lines_flush(&st->lines[SW_FROM_CLIENT], &line))
        return;
    struct smtp_io at = *io;
    at.begin = st->line_begin[SW_FROM_CLIENT];
    smtp_client_line(&at, &line);
    sw_lines_clear(&st->lines[SW_FROM_CLIENT]);
}

static void gap_in_client(struct smtp_io *io, uint64_t length)
{
    struct smtp_state *st = io->state;
    st->after_gap[SW_FROM_CLIENT] = true;
    switch (st->mode) {
    case SMTP_MODE_BODY:
        smtp_body_missing(io, length);
        return;
    case SMTP_MODE_BDAT:
        if (length > 0 &&
            length <= st->bdat_left) { /* counted by octets: nothing is lost but the octets */
            smtp_body_missing(io, length);
            st->bdat_left -= length;
            if (st->bdat_left == 0)
                (void)smtp_bdat_feed(io, (struct sw_span){NULL, 0});
            return;
        }
        break;
    case SMTP_MODE_TLS:
        return;
    case SMTP_MODE_AUTH: /* a line of the login is missing; the server answers it all the same */
        sw_lines_clear(&st->lines[SW_FROM_CLIENT]);
        smtp_queue_push(st, st->next_id++, SMTP_VERB_AUTH_DATA, SMTP_FLAG_GUESSED);
        st->auth_step =
            UINT8_MAX; /* which line comes next is not known: no name is told any more */
        st->auth_prompt = 'p';
        st->mode = SMTP_MODE_WAIT;
        return;
    case SMTP_MODE_COMMAND:
        cut_client_line(io);
        break;
    case SMTP_MODE_UNKNOWN:
    case SMTP_MODE_WAIT:
        sw_lines_clear(&st->lines[SW_FROM_CLIENT]);
        break;
    }
    if (st->mode == SMTP_MODE_TLS || st->mode == SMTP_MODE_WAIT)
        return;
    st->mode = SMTP_MODE_UNKNOWN;
    st->skip_to_line_end[SW_FROM_CLIENT] = true;
}

void smtp_gap(struct smtp_state *state, enum sw_from from, uint64_t length, struct sw_at at,
              const struct smtp_sink *sink)
{
    struct smtp_io io = io_at(state, sink, at);
    if (state->mode == SMTP_MODE_TLS)
        return;
    struct smtp_event event = {
        .kind = SMTP_EVENT_GAP, .from = from, .number = length, .begin = at, .end = at};
    smtp_emit(&io, &event);
    if (from == SW_FROM_SERVER)
        gap_in_server(&io);
    else
        gap_in_client(&io, length);
}

void smtp_resume_clear(struct smtp_state *state, struct sw_at at, const struct smtp_sink *sink)
{
    struct smtp_io io = io_at(state, sink, at);
    struct smtp_event event = {
        .kind = SMTP_EVENT_RESUMED, .from = SW_FROM_CLIENT, .begin = at, .end = at};
    state->mode = SMTP_MODE_COMMAND;
    smtp_emit(&io, &event);
}

void smtp_end(struct smtp_state *state, enum sw_from from, struct sw_at at,
              const struct smtp_sink *sink)
{
    struct smtp_io io = io_at(state, sink, at);
    if (state->mode == SMTP_MODE_TLS)
        return;
    if (from == SW_FROM_CLIENT) {
        if (state->mode == SMTP_MODE_COMMAND || state->mode == SMTP_MODE_AUTH)
            cut_client_line(&io);
        sw_lines_clear(&state->lines[SW_FROM_CLIENT]);
        return;
    }
    struct sw_line line;
    if (sw_lines_flush(&state->lines[SW_FROM_SERVER], &line)) {
        io.begin = state->line_begin[SW_FROM_SERVER];
        smtp_server_line(&io, &line);
    }
    sw_lines_clear(&state->lines[SW_FROM_SERVER]);
    if (state->reply_open)
        smtp_reply_complete(&io, SMTP_FLAG_CUT);
}

void smtp_release(struct smtp_state *state)
{
    sw_lines_clear(&state->lines[SW_FROM_CLIENT]);
    sw_lines_clear(&state->lines[SW_FROM_SERVER]);
}
