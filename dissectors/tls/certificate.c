/*
 * certificate.c - the list in a Certificate message (RFC 5246 7.4.2, RFC 8446 4.4.2), and the size
 * of the group in a ServerKeyExchange (RFC 5246 7.4.3). Both are read as they come, kept is
 * nothing.
 */
#include "dissectors/tls/internal.h"

enum step {
    STEP_DONE,
    STEP_CONTEXT_LENGTH, /* TLS 1.3 only, as the extensions of each entry */
    STEP_CONTEXT,
    STEP_LIST_LENGTH,
    STEP_LENGTH,
    STEP_DER,
    STEP_EXTENSIONS_LENGTH,
    STEP_EXTENSIONS,
    STEP_PRIME_LENGTH,
    STEP_PRIME,
};

static void go(struct tls_half *half, enum step step, uint32_t left)
{
    half->step = (uint8_t)step;
    half->left = left;
    half->field = 0;
}

void tls_certificate_begin(const struct tls_state *state, struct tls_half *half)
{
    half->item = 0;
    half->item_open = false;
    half->broken = state->version == TLS_VERSION_1_3; /* here: "entries have extensions" */
    if (half->broken)
        go(half, STEP_CONTEXT_LENGTH, 1);
    else
        go(half, STEP_LIST_LENGTH, 3);
}

static void end_item(struct tls_io *io)
{
    struct tls_half *half = io->half;
    io->begin = io->end;
    struct tls_event event = tls_event_at(io, TLS_EVENT_CERTIFICATE_END);
    event.code = half->item++;
    if (half->broken)
        go(half, STEP_EXTENSIONS_LENGTH, 2);
    else
        go(half, half->outer > 0 ? STEP_LENGTH : STEP_DONE, 3);
    half->item_open = false;
    tls_emit(io, &event);
}

static void begin_item(struct tls_io *io, uint32_t length)
{
    struct tls_half *half = io->half;
    if (half->outer < 3 || length > half->outer - 3 || length == 0) {
        go(half, STEP_DONE, 0);
        tls_odd(io, TLS_ODD_LENGTH, TLS_MESSAGE_CERTIFICATE, length);
        return;
    }
    half->outer -= 3 + length;
    go(half, STEP_DER, length);
    half->item_open = true;
    struct tls_event event = tls_event_at(io, TLS_EVENT_CERTIFICATE);
    event.code = half->item;
    event.number = length;
    tls_emit(io, &event);
}

static void end_number(struct tls_io *io)
{
    struct tls_half *half = io->half;
    uint32_t value = half->field;
    switch ((enum step)half->step) {
    case STEP_CONTEXT_LENGTH:
        go(half, value ? STEP_CONTEXT : STEP_LIST_LENGTH, value ? value : 3);
        return;
    case STEP_LIST_LENGTH:
        half->outer = value;
        if (value > half->message_length)
            tls_odd(io, TLS_ODD_LENGTH, TLS_MESSAGE_CERTIFICATE, value);
        go(half, value > 0 && value <= half->message_length ? STEP_LENGTH : STEP_DONE, 3);
        return;
    case STEP_LENGTH:
        begin_item(io, value);
        return;
    case STEP_EXTENSIONS_LENGTH:
        if (half->outer < 2 || value > half->outer - 2) {
            go(half, STEP_DONE, 0);
            return;
        }
        half->outer -= 2 + value;
        if (value > 0)
            go(half, STEP_EXTENSIONS, value);
        else
            go(half, half->outer > 0 ? STEP_LENGTH : STEP_DONE, 3);
        return;
    case STEP_PRIME_LENGTH:
        go(half, value ? STEP_PRIME : STEP_DONE, value);
        return;
    case STEP_DONE:
    case STEP_CONTEXT:
    case STEP_DER:
    case STEP_EXTENSIONS:
    case STEP_PRIME:
        return;
    }
}

/* Bytes of a DER, a context or extensions; the field ends with its last one. */
static void field_bytes(struct tls_io *io, struct sw_span bytes)
{
    struct tls_half *half = io->half;
    half->left -= (uint32_t)bytes.len;
    switch ((enum step)half->step) {
    case STEP_DER: {
        struct tls_event event = tls_event_at(io, TLS_EVENT_CERTIFICATE_BYTES);
        event.code = half->item;
        event.bytes = bytes;
        tls_emit(io, &event);
        if (half->left == 0)
            end_item(io);
        return;
    }
    case STEP_CONTEXT:
        if (half->left == 0)
            go(half, STEP_LIST_LENGTH, 3);
        return;
    case STEP_EXTENSIONS:
        if (half->left == 0)
            go(half, half->outer > 0 ? STEP_LENGTH : STEP_DONE, 3);
        return;
    default:
        return;
    }
}

void tls_certificate_bytes(struct tls_io *io, struct sw_span bytes)
{
    struct tls_half *half = io->half;
    struct sw_at begin = io->begin;
    size_t used = 0;
    while (used < bytes.len && half->step != STEP_DONE) {
        bool number = half->step == STEP_CONTEXT_LENGTH || half->step == STEP_LIST_LENGTH ||
                      half->step == STEP_LENGTH || half->step == STEP_EXTENSIONS_LENGTH;
        struct sw_span part = sw_span_sub(bytes, used, number ? 1 : half->left);
        tls_io_move(io, begin, used, part.len);
        used += part.len;
        if (!number) {
            field_bytes(io, part);
            continue;
        }
        half->field = half->field << 8 | part.ptr[0];
        if (--half->left == 0)
            end_number(io);
    }
}

static void cut_item(struct tls_io *io)
{
    struct tls_half *half = io->half;
    if (!half->item_open)
        return;
    struct tls_event event = tls_event_at(io, TLS_EVENT_CERTIFICATE_END);
    event.code = half->item++;
    event.flags |= TLS_FLAG_CUT;
    half->item_open = false;
    tls_emit(io, &event);
}

void tls_certificate_missing(struct tls_io *io, uint64_t length)
{
    struct tls_half *half = io->half;
    cut_item(io);
    if (half->step == STEP_DER && length < half->left)
        half->left -= (uint32_t)length; /* the rest of it is passed over, too */
    else
        go(half, STEP_DONE, 0);
    if (half->step == STEP_DER)
        half->step = STEP_EXTENSIONS;
}

void tls_certificate_end(struct tls_io *io)
{
    cut_item(io);
}

void tls_certificate_read(struct tls_state *state, const struct tls_event *packed,
                          struct sw_span body, const struct tls_sink *sink)
{
    struct tls_half *half = &state->half[packed->from];
    struct tls_io io = {
        .state = state,
        .half = half,
        .sink = sink,
        .from = packed->from,
        .begin = packed->begin,
        .end = packed->end,
        .flags = packed->flags | TLS_FLAG_DECRYPTED, /* all of it stands where the message does */
    };
    half->message_length = (uint32_t)body.len;
    tls_certificate_begin(state, half);
    tls_certificate_bytes(&io, body);
    tls_certificate_end(&io);
    struct tls_event event = tls_event_at(&io, TLS_EVENT_HANDSHAKE_END);
    event.code = TLS_MESSAGE_CERTIFICATE;
    event.number = body.len;
    tls_emit(&io, &event);
}

/* --- ServerKeyExchange --- */

/* Only suites of the DHE kind begin their parameters with a prime. */
void tls_key_exchange_begin(const struct tls_state *state, struct tls_half *half)
{
    const char *name = tls_cipher_name(state->cipher);
    struct sw_span suite = sw_span_str(name ? name : "");
    bool finite = sw_span_starts(suite, SW_SPAN_LIT("TLS_DHE_")) ||
                  sw_span_starts(suite, SW_SPAN_LIT("TLS_DH_anon_"));
    bool psk = sw_span_starts(suite, SW_SPAN_LIT("TLS_DHE_PSK_")); /* a hint stands before it */
    go(half, finite && !psk ? STEP_PRIME_LENGTH : STEP_DONE, 2);
}

void tls_key_exchange_bytes(struct tls_io *io, struct sw_span bytes)
{
    struct tls_half *half = io->half;
    struct sw_at begin = io->begin;
    for (size_t i = 0; i < bytes.len && half->step != STEP_DONE; i++) {
        uint8_t byte = bytes.ptr[i];
        tls_io_move(io, begin, i, 1);
        if (half->step == STEP_PRIME_LENGTH) {
            half->field = half->field << 8 | byte;
            if (--half->left == 0)
                end_number(io);
            continue;
        }
        if (byte == 0 && --half->left > 0)
            continue; /* leading zeros */
        uint32_t bits = byte ? half->left * 8 : 0;
        for (uint8_t mask = 0x80; mask > byte && byte != 0; mask >>= 1)
            bits--;
        go(half, STEP_DONE, 0);
        struct tls_event event = tls_event_at(io, TLS_EVENT_DH_PRIME);
        event.number = bits;
        tls_emit(io, &event);
    }
}
