/*
 * handshake.c - handshake messages out of records, whatever the records cut (RFC 8446 4 and 5.1).
 */
#include "dissectors/tls/internal.h"

enum { HEADER = 4, LONGEST = 1 << 18 }; /* a Certificate may be long; nothing is longer */

static bool is_known(uint8_t message)
{
    switch (message) {
    case TLS_MESSAGE_HELLO_REQUEST:
    case TLS_MESSAGE_CLIENT_HELLO:
    case TLS_MESSAGE_SERVER_HELLO:
    case TLS_MESSAGE_NEW_SESSION_TICKET:
    case TLS_MESSAGE_END_OF_EARLY_DATA:
    case TLS_MESSAGE_ENCRYPTED_EXTENSIONS:
    case TLS_MESSAGE_CERTIFICATE:
    case TLS_MESSAGE_SERVER_KEY_EXCHANGE:
    case TLS_MESSAGE_CERTIFICATE_REQUEST:
    case TLS_MESSAGE_SERVER_HELLO_DONE:
    case TLS_MESSAGE_CERTIFICATE_VERIFY:
    case TLS_MESSAGE_CLIENT_KEY_EXCHANGE:
    case TLS_MESSAGE_FINISHED:
    case TLS_MESSAGE_CERTIFICATE_STATUS:
    case TLS_MESSAGE_KEY_UPDATE:
    case 21: /* certificate_url (RFC 6066) */
    case 23: /* supplemental_data (RFC 4680) */
    case TLS_MESSAGE_COMPRESSED_CERTIFICATE:
    case 67: /* next_protocol */
        return true;
    default:
        return false;
    }
}

static struct tls_event message_event(const struct tls_io *io, enum tls_event_kind kind)
{
    const struct tls_half *half = io->half;
    struct tls_event event = tls_event_at(io, kind);
    event.code = half->message_type;
    event.number = half->message_length;
    if (kind != TLS_EVENT_HANDSHAKE_BYTES)
        event.begin = half->message_begin;
    if (half->message_cut)
        event.flags |= TLS_FLAG_CUT;
    return event;
}

static bool is_hello(const struct tls_half *half)
{
    return half->message_type == TLS_MESSAGE_CLIENT_HELLO ||
           half->message_type == TLS_MESSAGE_SERVER_HELLO ||
           half->message_type == TLS_MESSAGE_ENCRYPTED_EXTENSIONS;
}

static void end_message(struct tls_io *io)
{
    struct tls_half *half = io->half;
    half->message_open = false;
    half->message_have = 0;
    io->begin = io->end;
    if (is_hello(half)) {
        half->hello.cut = half->hello.cut || half->message_cut;
        tls_hello_end(io);
    } else if (half->message_type == TLS_MESSAGE_CERTIFICATE) {
        tls_certificate_end(io);
    }
    struct tls_event event = message_event(io, TLS_EVENT_HANDSHAKE_END);
    tls_emit(io, &event);
}

static void begin_message(struct tls_io *io)
{
    struct tls_half *half = io->half;
    half->message_open = true;
    half->message_cut = false;
    half->message_left = half->message_length;
    if (is_hello(half))
        tls_hello_begin(half, half->message_type);
    else if (half->message_type == TLS_MESSAGE_CERTIFICATE)
        tls_certificate_begin(io->state, half);
    else if (half->message_type == TLS_MESSAGE_SERVER_KEY_EXCHANGE)
        tls_key_exchange_begin(io->state, half);
    struct tls_event event = message_event(io, TLS_EVENT_HANDSHAKE);
    tls_emit(io, &event);
    event = message_event(io, TLS_EVENT_HANDSHAKE_BYTES);
    event.begin = half->message_begin;
    event.bytes = sw_span_make(half->message_head, HEADER);
    tls_emit(io, &event);
    if (half->message_left == 0)
        end_message(io);
}

void tls_handshake_record(struct tls_half *half, uint32_t length)
{
    if (!half->lost)
        return;
    half->probe = true;
    half->probe_length = length;
    half->message_have = 0;
}

static void header_byte(struct tls_io *io, uint8_t byte)
{
    struct tls_half *half = io->half;
    if (half->message_have == 0)
        half->message_begin = io->begin;
    half->message_head[half->message_have++] = byte;
    if (half->message_have < HEADER)
        return;
    half->message_type = half->message_head[0];
    half->message_length = (uint32_t)half->message_head[1] << 16 |
                           (uint32_t)half->message_head[2] << 8 | half->message_head[3];
    bool sound = is_known(half->message_type) && half->message_length <= LONGEST;
    if (half->probe) { /* zeros are no proof, and a message is not longer than its only record */
        sound = sound && half->message_type != TLS_MESSAGE_HELLO_REQUEST &&
                half->message_length + HEADER <= half->probe_length;
        half->probe = false;
        half->lost = !sound;
        half->message_have = 0;
    } else if (!sound) {
        half->lost = true;
        half->message_have = 0;
        tls_odd(io, TLS_ODD_LENGTH, half->message_type, half->message_length);
    }
    if (sound)
        begin_message(io);
}

static void message_bytes(struct tls_io *io, struct sw_span bytes)
{
    struct tls_half *half = io->half;
    struct tls_event event = message_event(io, TLS_EVENT_HANDSHAKE_BYTES);
    event.bytes = bytes;
    struct sw_at end = io->end;
    tls_emit(io, &event);
    if (is_hello(half))
        tls_hello_bytes(io, bytes);
    else if (half->message_type == TLS_MESSAGE_CERTIFICATE)
        tls_certificate_bytes(io, bytes);
    else if (half->message_type == TLS_MESSAGE_SERVER_KEY_EXCHANGE)
        tls_key_exchange_bytes(io, bytes);
    io->end = end;
    half->message_left -= (uint32_t)bytes.len;
    if (half->message_left == 0)
        end_message(io);
}

void tls_handshake_bytes(struct tls_io *io, struct sw_span bytes)
{
    struct tls_half *half = io->half;
    struct sw_at begin = io->begin;
    struct sw_at end = io->end;
    size_t used = 0;
    while (used < bytes.len && (!half->lost || half->probe)) {
        size_t n = half->message_open ? half->message_left : 1;
        struct sw_span part = sw_span_sub(bytes, used, n);
        tls_io_move(io, begin, used, part.len);
        if (half->message_open)
            message_bytes(io, part);
        else
            header_byte(io, part.ptr[0]);
        used += part.len;
    }
    io->begin = begin;
    io->end = end;
}

void tls_handshake_cut(struct tls_io *io)
{
    struct tls_half *half = io->half;
    if (half->message_open) {
        half->message_cut = true;
        end_message(io);
    }
    half->message_have = 0;
    half->probe = false;
}

void tls_handshake_missing(struct tls_io *io, uint64_t length)
{
    struct tls_half *half = io->half;
    bool inside = half->message_open && length > 0 && length <= half->message_left;
    if (!inside) {
        tls_handshake_cut(io);
        half->lost = true;
        return;
    }
    half->message_cut = true;
    struct tls_event event = message_event(io, TLS_EVENT_HANDSHAKE_BYTES);
    event.number = length;
    tls_emit(io, &event);
    if (is_hello(half))
        half->step = 0;
    else if (half->message_type == TLS_MESSAGE_CERTIFICATE)
        tls_certificate_missing(io, length);
    else
        half->step = 0;
    half->message_left -= (uint32_t)length;
    if (half->message_left == 0)
        end_message(io);
}
