/*
 * tls.h - the way of a connection's bytes once they are TLS: the dissector, the facts, the
 * certificates. Private to the pipeline room.
 */
#ifndef SW_PIPELINE_TLS_H
#define SW_PIPELINE_TLS_H

#include "crypto/certificate.h"
#include "pipeline/decrypt.h"
#include "session/builder.h"

/* What certificates are judged by: one for all connections of a run. */
struct sw_tls_setting {
    struct sw_anchors *anchors; /* borrowed */
    const char *server_name;    /* the name that clients wanted, or NULL: SNI tells; borrowed */
    struct sw_trust *trust;     /* loaded when the first certificate is met */
    bool trust_failed;
    struct sw_keylog *keys; /* secrets of connections, or NULL; borrowed */
    struct sw_rsa_key *rsa; /* of a server, or NULL; borrowed */
};

/* True when the anchors can be read; else the message says what is wrong. */
bool sw_tls_setting_load(struct sw_tls_setting *setting, char *message, size_t room);
void sw_tls_setting_release(struct sw_tls_setting *setting);

/* Who takes what was opened with a key. */
struct sw_tls_inner {
    void *ctx;
    /* Plain text, in order. Spans live during the call. */
    void (*text)(void *ctx, enum sw_from from, struct sw_span bytes, struct sw_at at);
    /* About `length` bytes of it could not be opened, or are not in the capture. */
    void (*missing)(void *ctx, enum sw_from from, uint64_t length, struct sw_at at);
};

/* A CompressedCertificate that is being gathered (tls_packed.c). */
struct sw_tls_packed {
    uint8_t *bytes; /* NULL: none, or too long */
    uint32_t length, have;
    bool open, broken;
};

/* One connection inside TLS. */
struct sw_tls_way {
    struct tls_state state;
    struct tls_sink sink;
    struct sw_session *session;
    size_t *account, own_account; /* memory; the session's where it has one */
    struct sw_decrypt decrypt;
    struct sw_tls_inner inner;
    struct sw_tls_packed packed;
};

/* NULL without memory. The session and the keys outlive it. `midstream`: TLS began before the
 * capture. Without keys in it nothing is opened. */
struct sw_tls_way *sw_tls_way_new(struct sw_session *session, bool midstream,
                                  const struct sw_decrypt_keys *keys,
                                  const struct sw_tls_inner *inner);
void sw_tls_way_bytes(struct sw_tls_way *way, const struct sw_piece *piece);
void sw_tls_way_gap(struct sw_tls_way *way, enum sw_from from, uint64_t length, struct sw_at at);
/* Both directions are over; what became of the keys is noted in the session. */
void sw_tls_way_finish(struct sw_tls_way *way, struct sw_at at);
void sw_tls_way_free(struct sw_tls_way *way);

/* Certificates that came compressed (RFC 8879) are unpacked and read; others are none of its
 * business. */
void sw_tls_packed_event(struct sw_tls_way *way, const struct tls_event *event);
void sw_tls_packed_clear(struct sw_tls_packed *packed, size_t *account);

/* Reads the server's certificates and judges them, once it is known what the client had looked up.
 */
void sw_tls_judge_certificates(struct sw_session *session, struct sw_tls_setting *setting);

#endif
