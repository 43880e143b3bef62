/*
 * tls.c - the entry points and the record layer (RFC 8446 5.1, RFC 5246 6.2).
 */
#include "dissectors/tls/internal.h"

_Static_assert(sizeof(struct tls_state) <= TLS_STATE_BYTES, "one state a session: it has a size");

void tls_init(struct tls_state *state, bool midstream)
{
    *state = (struct tls_state){0};
    for (int side = 0; side < 2; side++) {
        state->half[side].midstream = midstream;
        state->half[side].lost = midstream;
        state->half[side].sync = midstream ? TLS_SYNC_SEARCH : TLS_SYNC_HEADER;
    }
}

struct tls_event tls_event_at(const struct tls_io *io, enum tls_event_kind kind)
{
    return (struct tls_event){
        .kind = kind, .from = io->from, .flags = io->flags, .begin = io->begin, .end = io->end};
}

void tls_emit(const struct tls_io *io, const struct tls_event *event)
{
    io->sink->emit(io->sink->ctx, event);
}

void tls_odd(const struct tls_io *io, enum tls_anomaly anomaly, uint16_t code, uint64_t number)
{
    struct tls_event event = tls_event_at(io, TLS_EVENT_ANOMALY);
    event.anomaly = anomaly;
    event.code = code;
    event.number = number;
    tls_emit(io, &event);
}

static uint16_t be16(const uint8_t *at)
{
    return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

static struct tls_io io_at(struct tls_state *state, enum sw_from from, struct sw_at at,
                           const struct tls_sink *sink)
{
    return (struct tls_io){.state = state,
                           .half = &state->half[from],
                           .sink = sink,
                           .from = from,
                           .begin = at,
                           .end = at};
}

/* --- headers --- */

/* A hello of SSL 2 (RFC 5246 E.2): a length with its high bit set, CLIENT-HELLO, a version. */
static bool is_ssl2_hello(const uint8_t head[TLS_RECORD_HEADER])
{
    uint16_t version = be16(head + 3);
    return (head[0] & 0x80) && head[2] == 1 &&
           (version == TLS_VERSION_SSL2 || (version >> 8 == 3 && (version & 0xFF) <= 4));
}

static bool is_record_header(const uint8_t head[TLS_RECORD_HEADER])
{
    return head[0] >= TLS_CONTENT_CHANGE_CIPHER_SPEC && head[0] <= TLS_CONTENT_HEARTBEAT &&
           head[1] == 3 && head[2] <= 4 && be16(head + 3) <= TLS_RECORD_LARGEST;
}

/*
 * Behind a gap five bytes have to prove more: the version that the records before had, and a length
 * that such a record can have. Random bytes pass once in some ten millions.
 */
static bool is_likely_header(const struct tls_half *half, const uint8_t head[TLS_RECORD_HEADER])
{
    uint16_t length = be16(head + 3);
    uint16_t version = be16(head + 1);
    if (!is_record_header(head) || length == 0 || version == TLS_VERSION_SSL3)
        return false;
    if (half->record_version >= TLS_VERSION_1_1 && version != half->record_version)
        return false;
    switch (head[0]) {
    case TLS_CONTENT_CHANGE_CIPHER_SPEC:
        return length == 1;
    case TLS_CONTENT_ALERT:
        return length == 2 || (length >= 18 && length <= 128);
    case TLS_CONTENT_HANDSHAKE:
        return length >= 4;
    case TLS_CONTENT_APPLICATION:
        return length > 16;
    default:
        return false;
    }
}

/*
 * Is the body cipher text? Application data always; an alert or handshake message of TLS 1.3 never
 * (encrypted ones travel as application data, RFC 8446 5.2); up to TLS 1.2 everything behind
 * ChangeCipherSpec. Without the ServerHello the version is not known: a Finished is short, the
 * second ClientHello that may follow a ChangeCipherSpec in TLS 1.3 (RFC 8446 D.4) is not.
 */
static bool is_encrypted(const struct tls_state *state, const struct tls_half *half)
{
    enum { LONGEST_FINISHED = 100 };
    if (half->record_type == TLS_CONTENT_APPLICATION)
        return true;
    if (half->record_type == TLS_CONTENT_ALERT && half->record_length != 2 &&
        half->record_length >= 16)
        return true;
    if (!half->change_cipher || state->version == TLS_VERSION_1_3)
        return false;
    if (half->record_type == TLS_CONTENT_ALERT)
        return half->record_length != 2; /* no cipher makes two bytes of two */
    if (state->version == 0 && half->record_type == TLS_CONTENT_HANDSHAKE)
        return half->record_length < LONGEST_FINISHED;
    return half->record_type != TLS_CONTENT_CHANGE_CIPHER_SPEC || half->record_length != 1;
}

static enum tls_junk junk_of(struct sw_span first)
{
    static const char *const http[] = {"HTTP/", "GET /", "POST ", "HEAD ", "OPTIO", "CONNE"};
    for (size_t i = 0; i < sizeof(http) / sizeof(http[0]); i++) {
        if (first.len == TLS_RECORD_HEADER && sw_span_eq(first, sw_span_str(http[i])))
            return TLS_JUNK_HTTP;
    }
    bool digits = first.len >= 3;
    bool text = first.len > 0;
    for (size_t i = 0; i < first.len; i++) {
        uint8_t c = first.ptr[i];
        digits = digits && (i >= 3 || sw_ascii_digit(c));
        text = text && ((c >= ' ' && c <= '~') || c == '\r' || c == '\n' || c == '\t');
    }
    bool separator =
        first.len == 3 ||
        (first.len > 3 && (first.ptr[3] == ' ' || first.ptr[3] == '-' || first.ptr[3] == '\r'));
    if (digits && separator)
        return TLS_JUNK_SMTP;
    return text ? TLS_JUNK_TEXT : TLS_JUNK_BINARY;
}

static void tell_junk(struct tls_io *io)
{
    struct tls_half *half = io->half;
    struct sw_span first = sw_span_make(half->head, half->have);
    struct tls_event event = tls_event_at(io, TLS_EVENT_ANOMALY);
    event.anomaly = TLS_ODD_JUNK;
    event.number = (uint64_t)junk_of(first);
    event.bytes = first;
    event.begin = half->record_begin;
    bool told = half->told_junk;
    half->told_junk = true;
    half->first_done = true;
    half->sync = TLS_SYNC_SEARCH;
    half->have = 0;
    if (!told)
        tls_emit(io, &event);
    tls_handshake_missing(io, 0);
}

/* --- records --- */

static struct tls_event record_event(const struct tls_io *io, enum tls_event_kind kind)
{
    const struct tls_half *half = io->half;
    struct tls_event event = tls_event_at(io, kind);
    event.begin = half->record_begin;
    event.code = half->record_type;
    event.version = half->record_version;
    event.number = half->record_length;
    event.flags |= half->record_flags;
    return event;
}

static void end_record(struct tls_io *io)
{
    struct tls_half *half = io->half;
    io->begin = io->end;
    if (half->record_flags & TLS_FLAG_SSL2)
        tls_hello_end(io);
    else if (half->record_type == TLS_CONTENT_CHANGE_CIPHER_SPEC &&
             !(half->record_flags & TLS_FLAG_ENCRYPTED))
        half->change_cipher = true;
    if (half->record_type == TLS_CONTENT_ALERT && !(half->record_flags & TLS_FLAG_ENCRYPTED) &&
        half->alert_have > 0)
        tls_odd(io, TLS_ODD_ALERT, 0, half->record_length);
    half->sync = TLS_SYNC_HEADER;
    half->have = 0;
    struct tls_event event = record_event(io, TLS_EVENT_RECORD_END);
    tls_emit(io, &event); /* last: the sink may come back with tls_inner() */
}

static void begin_record(struct tls_io *io, bool ssl2)
{
    struct tls_half *half = io->half;
    half->first_done = true;
    half->midstream = false;
    half->record_type = ssl2 ? TLS_CONTENT_HANDSHAKE : half->head[0];
    half->record_version = be16(half->head + (ssl2 ? 3 : 1));
    half->record_length =
        ssl2 ? (uint32_t)(half->head[0] & 0x7F) << 8 | half->head[1] : be16(half->head + 3);
    half->record_left = half->record_length;
    half->record_flags = half->guessed ? TLS_FLAG_GUESSED : 0;
    if (ssl2)
        half->record_flags |= TLS_FLAG_SSL2;
    else if (is_encrypted(io->state, half))
        half->record_flags |= TLS_FLAG_ENCRYPTED;
    half->alert_have = 0;
    half->sync = TLS_SYNC_BODY;
    if (half->record_type == TLS_CONTENT_HANDSHAKE && !(half->record_flags & TLS_FLAG_ENCRYPTED))
        tls_handshake_record(half, half->record_length);
    struct tls_event event = record_event(io, TLS_EVENT_RECORD);
    tls_emit(io, &event);
    if (half->record_left > 0)
        return;
    bool readable = !(half->record_flags & TLS_FLAG_ENCRYPTED);
    if (readable && !half->told_empty) {
        half->told_empty = true;
        tls_odd(io, TLS_ODD_EMPTY_RECORD, half->record_type, 0);
    }
    end_record(io);
}

static void body_bytes(struct tls_io *io, struct sw_span bytes);

static void header_byte(struct tls_io *io, uint8_t byte)
{
    struct tls_half *half = io->half;
    if (half->have == 0)
        half->record_begin = io->begin;
    half->head[half->have++] = byte;
    if (half->have < TLS_RECORD_HEADER)
        return;
    bool plausible =
        half->guessed ? is_likely_header(half, half->head) : is_record_header(half->head);
    if (plausible) {
        half->guessed = false;
        begin_record(io, false);
    } else if (half->guessed) { /* what was found behind the gap was none */
        half->sync = TLS_SYNC_SEARCH;
        half->have--;
        memmove(half->head, half->head + 1, half->have);
    } else if (io->from == SW_FROM_CLIENT && !half->first_done && is_ssl2_hello(half->head)) {
        struct sw_span first = sw_span_make(half->head + 2, 3);
        tls_hello_ssl2_begin(half);
        begin_record(io, true);
        body_bytes(io, first);
    } else {
        tell_junk(io);
    }
}

static void search_byte(struct tls_io *io, uint8_t byte)
{
    struct tls_half *half = io->half;
    half->head[half->have++] = byte;
    if (half->have < TLS_RECORD_HEADER)
        return;
    if (!is_likely_header(half, half->head)) {
        half->have--;
        memmove(half->head, half->head + 1, half->have);
        return;
    }
    half->record_begin = io->begin;
    half->record_begin.offset -= TLS_RECORD_HEADER - 1;
    half->guessed = true;
    tls_odd(io, TLS_ODD_RESYNC, half->head[0], 0);
    begin_record(io, false);
}

static void alert_bytes(struct tls_io *io, struct sw_span bytes)
{
    struct tls_half *half = io->half;
    struct sw_at begin = io->begin;
    for (size_t i = 0; i < bytes.len; i++) {
        tls_io_move(io, begin, i, 1);
        if (half->alert_have++ == 0) {
            half->alert_level = bytes.ptr[i];
            continue;
        }
        half->alert_have = 0; /* RFC 5246 6.2.1 allows several in one record */
        bool valid = half->alert_level == 1 || half->alert_level == 2;
        if (!valid) {
            tls_odd(io, TLS_ODD_ALERT, bytes.ptr[i], half->alert_level);
            continue;
        }
        struct tls_event event = tls_event_at(io, TLS_EVENT_ALERT);
        event.code = bytes.ptr[i];
        event.number = half->alert_level;
        if (!(io->flags & TLS_FLAG_DECRYPTED))
            event.begin = half->record_begin;
        tls_emit(io, &event);
    }
}

/* Some of the body of the record at hand; io->begin and end are its first and last byte. */
static void body_bytes(struct tls_io *io, struct sw_span bytes)
{
    struct tls_half *half = io->half;
    struct sw_at end = io->end;
    if (half->record_flags & TLS_FLAG_SSL2) {
        tls_hello_bytes(io, bytes);
    } else if (half->record_flags & TLS_FLAG_ENCRYPTED) {
        struct tls_event event = record_event(io, TLS_EVENT_RECORD_BYTES);
        event.begin = io->begin;
        event.bytes = bytes;
        tls_emit(io, &event);
    } else if (half->record_type == TLS_CONTENT_HANDSHAKE) {
        tls_handshake_bytes(io, bytes);
    } else if (half->record_type == TLS_CONTENT_ALERT) {
        alert_bytes(io, bytes);
    }
    io->end = end;
    half->record_left -= (uint32_t)bytes.len;
    if (half->record_left == 0)
        end_record(io);
}

void tls_feed(struct tls_state *state, const struct sw_piece *piece, const struct tls_sink *sink)
{
    struct tls_io io = io_at(state, piece->from, piece->at, sink);
    struct tls_half *half = io.half;
    size_t used = 0;
    while (used < piece->bytes.len && half->sync != TLS_SYNC_CLOSED) {
        io.begin.offset = io.end.offset = piece->at.offset + used;
        if (half->sync == TLS_SYNC_HEADER) {
            header_byte(&io, piece->bytes.ptr[used++]);
        } else if (half->sync == TLS_SYNC_SEARCH) {
            search_byte(&io, piece->bytes.ptr[used++]);
        } else {
            struct sw_span body = sw_span_sub(piece->bytes, used, half->record_left);
            io.end.offset = io.begin.offset + body.len - 1;
            io.flags = half->record_flags & TLS_FLAG_GUESSED;
            used += body.len;
            body_bytes(&io, body);
            io.flags = 0;
        }
    }
}

void tls_inner(struct tls_state *state, enum sw_from from, uint8_t content, struct sw_span text,
               const struct tls_event *record, const struct tls_sink *sink)
{
    struct tls_io io = io_at(state, from, record->begin, sink);
    io.end = record->end;
    io.flags = TLS_FLAG_DECRYPTED | (record->flags & TLS_FLAG_GUESSED);
    struct tls_half *half = io.half;
    if (content == TLS_CONTENT_HANDSHAKE) {
        tls_handshake_record(half, (uint32_t)text.len);
        tls_handshake_bytes(&io, text);
    } else if (content == TLS_CONTENT_ALERT) {
        half->alert_have = 0;
        alert_bytes(&io, text);
    } else if (content == TLS_CONTENT_APPLICATION && text.len > 0) {
        struct tls_event event = tls_event_at(&io, TLS_EVENT_APPLICATION);
        event.bytes = text;
        tls_emit(&io, &event);
    }
}

/* --- gaps and ends --- */

/* Inside a record's body the way is not lost. */
static void body_missing(struct tls_io *io, uint64_t length)
{
    struct tls_half *half = io->half;
    half->record_flags |= TLS_FLAG_CUT;
    bool readable = !(half->record_flags & TLS_FLAG_ENCRYPTED);
    if (readable && half->record_type == TLS_CONTENT_HANDSHAKE)
        tls_handshake_missing(io, length);
    half->alert_have = 0;
    half->record_left -= (uint32_t)length;
    if (half->record_left == 0)
        end_record(io);
}

void tls_gap(struct tls_state *state, enum sw_from from, uint64_t length, struct sw_at at,
             const struct tls_sink *sink)
{
    struct tls_io io = io_at(state, from, at, sink);
    struct tls_half *half = io.half;
    struct tls_event event = tls_event_at(&io, TLS_EVENT_GAP);
    event.number = length;
    tls_emit(&io, &event);
    if (half->sync == TLS_SYNC_CLOSED)
        return;
    if (half->sync == TLS_SYNC_BODY && length > 0 && length <= half->record_left) {
        body_missing(&io, length);
        return;
    }
    if (half->sync == TLS_SYNC_BODY) {
        half->record_flags |= TLS_FLAG_CUT;
        if (half->record_flags & TLS_FLAG_SSL2)
            half->hello.cut = true;
        end_record(&io);
    }
    tls_handshake_missing(&io, 0);
    half->sync = TLS_SYNC_SEARCH;
    half->have = 0;
    half->first_done = true;
}

void tls_end(struct tls_state *state, enum sw_from from, struct sw_at at,
             const struct tls_sink *sink)
{
    struct tls_io io = io_at(state, from, at, sink);
    struct tls_half *half = io.half;
    if (half->sync == TLS_SYNC_BODY) {
        half->record_flags |= TLS_FLAG_CUT;
        if (half->record_flags & TLS_FLAG_SSL2)
            half->hello.cut = true;
        end_record(&io);
    } else if (half->sync == TLS_SYNC_HEADER && half->have > 0 && !half->guessed) {
        bool may_begin = half->head[0] >= TLS_CONTENT_CHANGE_CIPHER_SPEC &&
                         half->head[0] <= TLS_CONTENT_HEARTBEAT &&
                         (half->have < 2 || half->head[1] == 3);
        if (!may_begin)
            tell_junk(&io);
    }
    tls_handshake_cut(&io);
    half->sync = TLS_SYNC_CLOSED;
}
