/*
 * hello.c - ClientHello, ServerHello and HelloRetryRequest (RFC 8446 4.1, RFC 5246 7.4.1), read
 * byte by byte as they come; the ClientHello of SSL 2 (RFC 5246 E.2); and the rest of a server's
 * hello in TLS 1.3, EncryptedExtensions (RFC 8446 4.3.1).
 */
#include "dissectors/tls/internal.h"

/* Where in a hello the next byte stands; `left` is what is left of the field or list. */
enum step {
    STEP_DONE, /* nothing of interest follows */
    STEP_VERSION,
    STEP_RANDOM,
    STEP_ID_LENGTH,
    STEP_ID,
    STEP_CIPHERS_LENGTH,
    STEP_CIPHERS,
    STEP_COMPRESSIONS_LENGTH,
    STEP_COMPRESSIONS,
    STEP_CIPHER,
    STEP_COMPRESSION,
    STEP_EXTENSIONS_LENGTH,
    STEP_EXTENSION_TYPE,
    STEP_EXTENSION_LENGTH,
    STEP_EXTENSION,
    STEP_SSL2_TYPE,
    STEP_SSL2_VERSION,
    STEP_SSL2_CIPHERS_LENGTH,
    STEP_SSL2_ID_LENGTH,
    STEP_SSL2_CHALLENGE_LENGTH,
    STEP_SSL2_CIPHERS,
    STEP_SSL2_ID,
    STEP_SSL2_CHALLENGE,
};

/* The random of a HelloRetryRequest (RFC 8446 4.1.3). */
static const uint8_t retry_random[TLS_RANDOM] = {
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C};

static void go(struct tls_half *half, enum step step, uint32_t left)
{
    half->step = (uint8_t)step;
    half->left = left;
    half->field = 0;
    half->field_have = 0;
}

void tls_hello_begin(struct tls_half *half, uint8_t message)
{
    half->hello = (struct tls_hello){0};
    half->item = message;
    half->broken = false;
    if (message == TLS_MESSAGE_ENCRYPTED_EXTENSIONS)
        go(half, STEP_EXTENSIONS_LENGTH, 2);
    else
        go(half, STEP_VERSION, 2);
}

void tls_hello_ssl2_begin(struct tls_half *half)
{
    tls_hello_begin(half, TLS_MESSAGE_CLIENT_HELLO);
    half->message_type = TLS_MESSAGE_CLIENT_HELLO;
    half->hello.ssl2 = true;
    go(half, STEP_SSL2_TYPE, 1);
}

/* A length that cannot be: what follows is not read. */
static void stop(struct tls_io *io)
{
    io->half->broken = true;
    io->half->hello.cut = true;
    go(io->half, STEP_DONE, 0);
    tls_odd(io, TLS_ODD_HELLO, io->half->message_type, 0);
}

static void next_extension(struct tls_half *half)
{
    go(half, half->outer > 0 ? STEP_EXTENSION_TYPE : STEP_DONE, 2);
}

static void end_extension(struct tls_io *io)
{
    struct tls_half *half = io->half;
    tls_extension(&half->hello, io->from == SW_FROM_SERVER, half->item, half->field,
                  sw_span_make(half->scratch, half->scratch_have));
    next_extension(half);
}

/* A cipher suite that is a signal and no cipher. */
static void note_cipher(struct tls_hello *hello, uint16_t cipher)
{
    TLS_LIST_ADD(hello->ciphers, cipher);
    hello->empty_renegotiation_info = hello->empty_renegotiation_info || cipher == 0x00FF;
    hello->fallback_scsv = hello->fallback_scsv || cipher == 0x5600;
}

/* The number in half->field is complete. */
static void end_number(struct tls_io *io)
{
    struct tls_half *half = io->half;
    struct tls_hello *hello = &half->hello;
    uint32_t value = half->field;
    bool server = half->message_type == TLS_MESSAGE_SERVER_HELLO;
    switch ((enum step)half->step) {
    case STEP_VERSION:
        hello->legacy_version = hello->version = (uint16_t)value;
        go(half, STEP_RANDOM, TLS_RANDOM);
        return;
    case STEP_ID_LENGTH:
        if (value > TLS_SESSION_ID) {
            stop(io);
            return;
        }
        go(half, STEP_ID, value);
        if (value == 0)
            go(half, server ? STEP_CIPHER : STEP_CIPHERS_LENGTH, 2);
        return;
    case STEP_CIPHERS_LENGTH:
        go(half, value ? STEP_CIPHERS : STEP_COMPRESSIONS_LENGTH, value ? value : 1);
        return;
    case STEP_COMPRESSIONS_LENGTH:
        go(half, value ? STEP_COMPRESSIONS : STEP_EXTENSIONS_LENGTH, value ? value : 2);
        return;
    case STEP_CIPHER:
        hello->cipher = (uint16_t)value;
        go(half, STEP_COMPRESSION, 1);
        return;
    case STEP_COMPRESSION:
        hello->compression = (uint8_t)value;
        go(half, STEP_EXTENSIONS_LENGTH, 2);
        return;
    case STEP_EXTENSIONS_LENGTH:
        half->outer = value;
        next_extension(half);
        return;
    case STEP_EXTENSION_TYPE:
        half->item = (uint16_t)value;
        TLS_LIST_ADD(hello->extensions, half->item);
        if (half->outer < 4) {
            stop(io);
            return;
        }
        half->outer -= 4;
        go(half, STEP_EXTENSION_LENGTH, 2);
        return;
    case STEP_EXTENSION_LENGTH:
        if (value > half->outer) {
            stop(io);
            return;
        }
        half->outer -= value;
        half->scratch_have = 0;
        go(half, STEP_EXTENSION, value);
        half->field = value;
        if (value == 0)
            end_extension(io);
        return;
    default:
        return;
    }
}

/* The same for the numbers of an SSL 2 hello. */
static void end_ssl2_number(struct tls_io *io)
{
    struct tls_half *half = io->half;
    uint32_t value = half->field;
    switch ((enum step)half->step) {
    case STEP_SSL2_TYPE:
        go(half, STEP_SSL2_VERSION, 2);
        return;
    case STEP_SSL2_VERSION:
        half->hello.legacy_version = half->hello.version = (uint16_t)value;
        go(half, STEP_SSL2_CIPHERS_LENGTH, 2);
        return;
    case STEP_SSL2_CIPHERS_LENGTH:
        half->outer = value;
        go(half, STEP_SSL2_ID_LENGTH, 2);
        return;
    case STEP_SSL2_ID_LENGTH:
        half->item = (uint16_t)value;
        go(half, STEP_SSL2_CHALLENGE_LENGTH, 2);
        return;
    case STEP_SSL2_CHALLENGE_LENGTH:
        half->scratch_have = (uint16_t)value;
        if (value > TLS_RANDOM || half->item > TLS_SESSION_ID || half->outer % 3 != 0)
            stop(io);
        else
            go(half, half->outer ? STEP_SSL2_CIPHERS : STEP_SSL2_ID, half->outer);
        return;
    default:
        return;
    }
}

/* Bytes of a field that is kept as it is, or is passed over; the last one of them ends it. */
static void field_byte(struct tls_io *io, uint8_t byte)
{
    struct tls_half *half = io->half;
    struct tls_hello *hello = &half->hello;
    bool server = half->message_type == TLS_MESSAGE_SERVER_HELLO;
    bool last = --half->left == 0;
    switch ((enum step)half->step) {
    case STEP_RANDOM:
        hello->random[half->field_have++] = byte;
        if (last)
            go(half, STEP_ID_LENGTH, 1);
        return;
    case STEP_ID:
        hello->session_id[hello->session_id_len++] = byte;
        if (last)
            go(half, server ? STEP_CIPHER : STEP_CIPHERS_LENGTH, 2);
        return;
    case STEP_CIPHERS:
        half->field = half->field << 8 | byte;
        if (half->field_have++ == 1) {
            note_cipher(hello, (uint16_t)half->field);
            half->field = half->field_have = 0;
        }
        if (last && half->field_have != 0)
            hello->cut = true; /* an odd number of bytes */
        if (last)
            go(half, STEP_COMPRESSIONS_LENGTH, 1);
        return;
    case STEP_COMPRESSIONS:
        if (last)
            go(half, STEP_EXTENSIONS_LENGTH, 2);
        return;
    case STEP_EXTENSION:
        if (half->scratch_have < TLS_SCRATCH)
            half->scratch[half->scratch_have++] = byte;
        if (last)
            end_extension(io);
        return;
    case STEP_SSL2_CIPHERS:
        half->field = half->field << 8 | byte;
        if (half->field_have++ == 2) {
            if (half->field <= UINT16_MAX) /* 00xxyy: a suite of SSL 3 and TLS */
                note_cipher(hello, (uint16_t)half->field);
            half->field = half->field_have = 0;
        }
        if (last)
            go(half, half->item ? STEP_SSL2_ID : STEP_SSL2_CHALLENGE,
               half->item ? half->item : half->scratch_have);
        return;
    case STEP_SSL2_ID:
        hello->session_id[hello->session_id_len++] = byte;
        if (last)
            go(half, STEP_SSL2_CHALLENGE, half->scratch_have);
        return;
    case STEP_SSL2_CHALLENGE: /* right-aligned, RFC 5246 E.2 */
        memmove(hello->random, hello->random + 1, TLS_RANDOM - 1);
        hello->random[TLS_RANDOM - 1] = byte;
        if (last)
            go(half, STEP_DONE, 0);
        return;
    default:
        return;
    }
}

static bool is_number(enum step step)
{
    switch (step) {
    case STEP_VERSION:
    case STEP_ID_LENGTH:
    case STEP_CIPHERS_LENGTH:
    case STEP_COMPRESSIONS_LENGTH:
    case STEP_CIPHER:
    case STEP_COMPRESSION:
    case STEP_EXTENSIONS_LENGTH:
    case STEP_EXTENSION_TYPE:
    case STEP_EXTENSION_LENGTH:
    case STEP_SSL2_TYPE:
    case STEP_SSL2_VERSION:
    case STEP_SSL2_CIPHERS_LENGTH:
    case STEP_SSL2_ID_LENGTH:
    case STEP_SSL2_CHALLENGE_LENGTH:
        return true;
    case STEP_DONE:
    case STEP_RANDOM:
    case STEP_ID:
    case STEP_CIPHERS:
    case STEP_COMPRESSIONS:
    case STEP_EXTENSION:
    case STEP_SSL2_CIPHERS:
    case STEP_SSL2_ID:
    case STEP_SSL2_CHALLENGE:
        break;
    }
    return false;
}

void tls_hello_bytes(struct tls_io *io, struct sw_span bytes)
{
    struct tls_half *half = io->half;
    struct sw_at begin = io->begin;
    for (size_t i = 0; i < bytes.len && half->step != STEP_DONE; i++) {
        tls_io_move(io, begin, i, 1);
        if (!is_number((enum step)half->step)) {
            if (half->left > 0)
                field_byte(io, bytes.ptr[i]);
            continue;
        }
        half->field = half->field << 8 | bytes.ptr[i];
        if (--half->left > 0)
            continue;
        if (half->hello.ssl2)
            end_ssl2_number(io);
        else
            end_number(io);
    }
}

/* A hello may end where its extensions would begin (RFC 5246 7.4.1.2); anywhere else it is cut. */
static bool ended_well(const struct tls_half *half)
{
    if (half->step == STEP_DONE)
        return !half->broken;
    bool no_extensions = half->step == STEP_EXTENSIONS_LENGTH && half->left == 2;
    bool no_challenge = half->hello.ssl2 && half->left == 0;
    return no_extensions || no_challenge;
}

void tls_hello_end(struct tls_io *io)
{
    struct tls_half *half = io->half;
    struct tls_hello *hello = &half->hello;
    bool extensions = half->message_type == TLS_MESSAGE_ENCRYPTED_EXTENSIONS;
    bool server = half->message_type == TLS_MESSAGE_SERVER_HELLO || extensions;
    bool from_server = io->from == SW_FROM_SERVER;
    if (!ended_well(half) && !hello->cut) {
        hello->cut = true;
        tls_odd(io, TLS_ODD_HELLO, half->message_type, 0);
    }
    if (server != from_server)
        return; /* nobody sends the other side's hello; a broken thing, told by its message type */
    struct tls_event event = tls_event_at(io, extensions ? TLS_EVENT_ENCRYPTED_EXTENSIONS
                                              : server   ? TLS_EVENT_SERVER_HELLO
                                                         : TLS_EVENT_CLIENT_HELLO);
    if (hello->cut)
        event.flags |= TLS_FLAG_CUT;
    event.version = hello->version;
    if (server && !extensions) {
        hello->retry = memcmp(hello->random, retry_random, TLS_RANDOM) == 0;
        if (io->state->server_hello && !(io->flags & TLS_FLAG_DECRYPTED))
            tls_odd(io, TLS_ODD_SECOND_SERVER_HELLO, hello->version, 0);
        io->state->server_hello = io->state->server_hello || !hello->retry;
        io->state->version = hello->version;
        io->state->cipher = hello->cipher;
    }
    event.begin = hello->ssl2 ? half->record_begin : half->message_begin;
    event.hello = hello;
    tls_emit(io, &event);
}
