/*
 * internal.h - the parts of the TLS dissector to each other.
 */
#ifndef SW_DISSECTORS_TLS_INTERNAL_H
#define SW_DISSECTORS_TLS_INTERNAL_H

#include "dissectors/tls/tls.h"

/* What every reader needs: whose bytes they are, where they stand, where events go. */
struct tls_io {
    struct tls_state *state;
    struct tls_half *half;
    const struct tls_sink *sink;
    enum sw_from from;
    struct sw_at begin; /* of the byte or piece at hand */
    struct sw_at end;
    uint32_t flags; /* added to every event: TLS_FLAG_DECRYPTED, TLS_FLAG_GUESSED */
};

/* Moves to `length` bytes that stand `used` bytes behind `from`; what was decrypted stands where
 * its record does. */
static inline void tls_io_move(struct tls_io *io, struct sw_at from, size_t used, size_t length)
{
    if (io->flags & TLS_FLAG_DECRYPTED)
        return;
    io->begin.offset = from.offset + used;
    io->end.offset = io->begin.offset + length - 1;
}

/* An event of this kind at the place of the bytes at hand. */
struct tls_event tls_event_at(const struct tls_io *io, enum tls_event_kind kind);
void tls_emit(const struct tls_io *io, const struct tls_event *event);
void tls_odd(const struct tls_io *io, enum tls_anomaly anomaly, uint16_t code, uint64_t number);

/* --- handshake messages (handshake.c) --- */

/* Bytes of handshake records or of their plain text. io->begin is the place of the first one. */
void tls_handshake_bytes(struct tls_io *io, struct sw_span bytes);
/* A readable record with handshake messages begins: the place to find the way again after
 * something was lost. */
void tls_handshake_record(struct tls_half *half, uint32_t length);
/* `length` bytes of handshake records are missing; 0 = unknown many. */
void tls_handshake_missing(struct tls_io *io, uint64_t length);
/* No more bytes come: an open message ends as it is. */
void tls_handshake_cut(struct tls_io *io);

/* --- hellos (hello.c, extension.c) --- */

void tls_hello_begin(struct tls_half *half, uint8_t message);
void tls_hello_bytes(struct tls_io *io, struct sw_span bytes);
/* The message is over: emits the hello, learns version and cipher. */
void tls_hello_end(struct tls_io *io);
/* A hello in SSL 2 framing: its bytes from the message type on go to tls_hello_bytes(). */
void tls_hello_ssl2_begin(struct tls_half *half);
/* What the body of one extension says; `length` is what was sent, `body` what is kept of it. */
void tls_extension(struct tls_hello *hello, bool from_server, uint16_t type, uint32_t length,
                   struct sw_span body);

/* --- certificate lists and key exchanges (certificate.c) --- */

void tls_certificate_begin(const struct tls_state *state, struct tls_half *half);
void tls_certificate_bytes(struct tls_io *io, struct sw_span bytes);
void tls_certificate_missing(struct tls_io *io, uint64_t length);
void tls_certificate_end(struct tls_io *io);
void tls_key_exchange_begin(const struct tls_state *state, struct tls_half *half);
void tls_key_exchange_bytes(struct tls_io *io, struct sw_span bytes);

#define TLS_LIST_ADD(list, value)                                                                  \
    do {                                                                                           \
        if ((list).kept < sizeof((list).at) / sizeof((list).at[0]))                                \
            (list).at[(list).kept++] = (value);                                                    \
        if ((list).count < UINT16_MAX)                                                             \
            (list).count++;                                                                        \
    } while (0)

#endif
