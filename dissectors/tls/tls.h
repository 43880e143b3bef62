/*
 * tls.h - the TLS dissector: records of both directions in, handshake messages, alerts and record
 * sizes out as events (RFC 8446, RFC 5246, RFC 6101, and the hello of SSL 2).
 *
 * Pure: no allocation, no I/O, no cryptography. The state is a plain struct of constant size
 * (below TLS_STATE_BYTES) that the caller owns. Nothing of a handshake message is buffered but the
 * fields of a hello; what has no bound on the wire (certificates, records) comes out in pieces.
 *
 * What is encrypted stays closed here: of such a record only header, place and time are told, and
 * its bytes as they are. A caller that has the keys opens the record at TLS_EVENT_RECORD_END and
 * gives the plain text to tls_inner(); what is in it then comes out as the same events, with
 * TLS_FLAG_DECRYPTED.
 *
 * A gap inside a record's body is passed over. After any other gap the dissector looks for the next
 * record header and says that it guesses. What is no record at all is told once a direction, as
 * junk with what it looks like; behind it a header is looked for in the same way.
 *
 * Life: init, then any of feed, inner, gap; end for both directions.
 */
#ifndef SW_DISSECTORS_TLS_TLS_H
#define SW_DISSECTORS_TLS_TLS_H

#include "dissectors/dissector.h"

/* ContentType (RFC 8446 5.1). */
enum tls_content {
    TLS_CONTENT_CHANGE_CIPHER_SPEC = 20,
    TLS_CONTENT_ALERT = 21,
    TLS_CONTENT_HANDSHAKE = 22,
    TLS_CONTENT_APPLICATION = 23,
    TLS_CONTENT_HEARTBEAT = 24,
};

/* HandshakeType (RFC 8446 4, RFC 5246 7.4); other values occur on the wire. */
enum tls_message {
    TLS_MESSAGE_HELLO_REQUEST = 0,
    TLS_MESSAGE_CLIENT_HELLO = 1,
    TLS_MESSAGE_SERVER_HELLO = 2,
    TLS_MESSAGE_NEW_SESSION_TICKET = 4,
    TLS_MESSAGE_END_OF_EARLY_DATA = 5,
    TLS_MESSAGE_ENCRYPTED_EXTENSIONS = 8,
    TLS_MESSAGE_CERTIFICATE = 11,
    TLS_MESSAGE_SERVER_KEY_EXCHANGE = 12,
    TLS_MESSAGE_CERTIFICATE_REQUEST = 13,
    TLS_MESSAGE_SERVER_HELLO_DONE = 14,
    TLS_MESSAGE_CERTIFICATE_VERIFY = 15,
    TLS_MESSAGE_CLIENT_KEY_EXCHANGE = 16,
    TLS_MESSAGE_FINISHED = 20,
    TLS_MESSAGE_CERTIFICATE_STATUS = 22,
    TLS_MESSAGE_KEY_UPDATE = 24,
    TLS_MESSAGE_COMPRESSED_CERTIFICATE = 25, /* RFC 8879 */
};

enum {
    TLS_VERSION_SSL2 = 0x0002,
    TLS_VERSION_SSL3 = 0x0300,
    TLS_VERSION_1_0 = 0x0301,
    TLS_VERSION_1_1 = 0x0302,
    TLS_VERSION_1_2 = 0x0303,
    TLS_VERSION_1_3 = 0x0304,
};

enum {
    TLS_RECORD_HEADER = 5,
    TLS_RECORD_LARGEST = (1 << 14) + 2048, /* RFC 5246 6.2.3; TLS 1.3 allows 256 over 2^14 */
    TLS_RANDOM = 32,
    TLS_SESSION_ID = 32,
    TLS_CIPHERS = 160, /* what is kept of the lists of a hello; the rest is counted */
    TLS_EXTENSIONS = 64,
    TLS_VERSIONS = 16,
    TLS_GROUPS = 32,
    TLS_SCHEMES = 48,
    TLS_FORMATS = 8,
    TLS_NAME = 255, /* SNI */
    TLS_ALPN = 64,  /* of the first protocol name */
    TLS_SCRATCH = 264,
    TLS_STATE_BYTES = 4096,
};

/* A list of 16-bit codes; `count` is what was sent, at most `kept` of them are there. */
#define TLS_LIST(name, size)                                                                       \
    struct {                                                                                       \
        uint16_t count;                                                                            \
        uint16_t kept;                                                                             \
        uint16_t at[size];                                                                         \
    } name

/* What ClientHello, ServerHello and HelloRetryRequest say; GREASE values (RFC 8701) are in the
 * lists as they were sent. */
struct tls_hello {
    bool ssl2;                     /* SSL 2 framing (RFC 5246 E.2) */
    bool cut;                      /* broken, or part of it is missing: what is here was there */
    bool retry;                    /* HelloRetryRequest */
    bool empty_renegotiation_info; /* renegotiation_info or its SCSV was sent (RFC 5746) */
    bool fallback_scsv;            /* TLS_FALLBACK_SCSV (RFC 7507) */
    bool encrypt_then_mac;         /* RFC 7366 */
    bool extended_master;          /* extended_master_secret (RFC 7627) */
    bool early_data;               /* RFC 8446 4.2.10 */
    bool pre_shared_key;           /* client: offered; server: accepted */
    bool ticket;                   /* client: a ticket of RFC 5077 that is not empty */
    bool encrypted_hello;          /* encrypted_client_hello: the SNI is a stand-in */
    uint16_t legacy_version;
    uint16_t version;    /* client: the highest offered; server: the one chosen (supported_versions
                            over the legacy field) */
    uint16_t cipher;     /* server: chosen */
    uint16_t group;      /* server: of its key share or of HelloRetryRequest, 0 = none */
    uint8_t compression; /* server: chosen */
    uint8_t random[TLS_RANDOM];
    uint8_t session_id[TLS_SESSION_ID];
    uint8_t session_id_len;
    bool has_name; /* an SNI extension was there */
    uint8_t name_len;
    uint8_t name[TLS_NAME];
    uint8_t alpn_len; /* of the first name in the list (server: the chosen one) */
    uint8_t alpn[TLS_ALPN];
    uint8_t format_count;
    uint8_t formats[TLS_FORMATS];
    TLS_LIST(ciphers, TLS_CIPHERS);
    TLS_LIST(extensions, TLS_EXTENSIONS);
    TLS_LIST(versions, TLS_VERSIONS);
    TLS_LIST(groups, TLS_GROUPS);
    TLS_LIST(schemes, TLS_SCHEMES); /* signature_algorithms */
};

enum tls_event_kind {
    TLS_EVENT_RECORD,          /* the header of a record was read */
    TLS_EVENT_RECORD_BYTES,    /* some of its body; only of encrypted records */
    TLS_EVENT_RECORD_END,      /* its last byte was read (or passed over) */
    TLS_EVENT_HANDSHAKE,       /* the header of a handshake message was read */
    TLS_EVENT_HANDSHAKE_BYTES, /* some of it, its header included; all messages that can be read */
    TLS_EVENT_HANDSHAKE_END,
    TLS_EVENT_CLIENT_HELLO,         /* before the HANDSHAKE_END of its message */
    TLS_EVENT_SERVER_HELLO,         /* HelloRetryRequest too: hello->retry */
    TLS_EVENT_ENCRYPTED_EXTENSIONS, /* the hello has what they say, and nothing else */
    TLS_EVENT_CERTIFICATE,          /* one certificate of a Certificate message begins */
    TLS_EVENT_CERTIFICATE_BYTES,
    TLS_EVENT_CERTIFICATE_END,
    TLS_EVENT_DH_PRIME,    /* ServerKeyExchange with a finite-field group of the server's own */
    TLS_EVENT_ALERT,       /* one that can be read */
    TLS_EVENT_APPLICATION, /* plain text out of an application record; from tls_inner() only */
    TLS_EVENT_GAP,
    TLS_EVENT_ANOMALY,
};

enum tls_anomaly {
    TLS_ODD_JUNK,   /* no TLS record where one was due: see enum tls_junk in `number`; told
                       once a direction, which is closed then */
    TLS_ODD_RESYNC, /* a record header was found behind a gap or in mid-stream */
    TLS_ODD_LENGTH, /* a length that does not fit what holds it; `code` is the message type */
    TLS_ODD_HELLO,  /* a hello with a broken inside; hello->cut */
    TLS_ODD_ALERT,  /* an alert record in clear that is no alert */
    TLS_ODD_SECOND_SERVER_HELLO,
    TLS_ODD_EMPTY_RECORD, /* a record in clear without content, in a row; told once */
};

/* What junk looks like. */
enum tls_junk {
    TLS_JUNK_BINARY,
    TLS_JUNK_SMTP, /* three digits and a separator */
    TLS_JUNK_HTTP,
    TLS_JUNK_TEXT,
};

enum tls_flag {
    TLS_FLAG_ENCRYPTED = 0x01, /* the record's body is cipher text */
    TLS_FLAG_DECRYPTED = 0x02, /* came out of tls_inner() */
    TLS_FLAG_CUT = 0x04,       /* bytes of it are missing, or it was not finished */
    TLS_FLAG_GUESSED = 0x08,   /* read behind a gap or in mid-stream: it only looks like that */
    TLS_FLAG_SSL2 = 0x10,
};

/*
 * One event. Spans and the hello live only during the emit call. Fields that a kind does not name
 * are zero. begin and end are the first and last byte seen of what the event tells (in the stream
 * of the direction; of decrypted things: of their record).
 *
 * RECORD, RECORD_END: code = content type (of an SSL 2 hello: HANDSHAKE), version, number = length
 * of the body, flags. A record has exactly one of each; RECORD_END with CUT when bytes are missing.
 * RECORD_BYTES: bytes.
 * HANDSHAKE, HANDSHAKE_END: code = message type, number = length without its header.
 * HANDSHAKE_BYTES: bytes; CUT with a number but no bytes for what is missing.
 * CLIENT_HELLO, SERVER_HELLO, ENCRYPTED_EXTENSIONS: hello.
 * CERTIFICATE: number = length of the DER, code = its place in the message, 0 first.
 * CERTIFICATE_BYTES: bytes. CERTIFICATE_END: CUT when bytes of it are missing.
 * DH_PRIME: number = bits.
 * ALERT: code = description, number = level.
 * APPLICATION: bytes, RECORD's flags.
 * GAP: number = bytes missing, 0 = unknown many.
 * ANOMALY: anomaly, code, number, bytes = the first bytes of junk (at most TLS_RECORD_HEADER).
 */
struct tls_event {
    enum tls_event_kind kind;
    enum sw_from from;
    enum tls_anomaly anomaly;
    uint32_t flags;
    uint16_t version;
    uint16_t code;
    uint64_t number;
    struct sw_span bytes;
    const struct tls_hello *hello;
    struct sw_at begin;
    struct sw_at end;
};

struct tls_sink {
    void (*emit)(void *ctx, const struct tls_event *event);
    void *ctx;
};

/* Fields are private to dissectors/tls but for those of struct tls_state that say otherwise. */

enum tls_sync {
    TLS_SYNC_HEADER, /* at a record boundary, or in a header */
    TLS_SYNC_BODY,
    TLS_SYNC_SEARCH, /* behind a gap: looking for a header */
    TLS_SYNC_CLOSED, /* over: nothing is read any more */
};

struct tls_half {
    /* the record layer */
    enum tls_sync sync;
    uint8_t head[TLS_RECORD_HEADER];
    uint8_t have;    /* bytes of the header */
    bool midstream;  /* the first record's header has not been found yet */
    bool guessed;    /* found by searching, not yet confirmed by the next header */
    bool first_done; /* a record was read */
    bool told_empty, told_junk;
    uint8_t record_type;
    uint16_t record_version;
    uint32_t record_length;
    uint32_t record_left;
    uint32_t record_flags;
    struct sw_at record_begin;
    /* the readable content of alerts */
    uint8_t alert_level;
    uint8_t alert_have;
    /* handshake messages */
    bool lost;             /* not at a message boundary */
    bool probe;            /* lost, and a record begins: its first bytes may be a message header */
    uint32_t probe_length; /* of that record */
    bool change_cipher;    /* ChangeCipherSpec was sent */
    uint8_t message_head[4];
    uint8_t message_have;
    uint8_t message_type;
    bool message_open;
    bool message_cut;
    uint32_t message_length;
    uint32_t message_left; /* of the body */
    struct sw_at message_begin;
    /* the walk inside a hello or a certificate list */
    uint8_t step;
    uint8_t field_have; /* bytes of the field so far */
    uint16_t item;      /* extension type, or number of the certificate */
    uint32_t field;     /* value being read */
    uint32_t left;      /* of the current list or item */
    uint32_t outer;     /* of what holds it */
    bool broken;
    bool item_open; /* a certificate has begun */
    uint16_t scratch_have;
    uint8_t scratch[TLS_SCRATCH]; /* the body of one extension */
    struct tls_hello hello;
};

struct tls_state {
    struct tls_half half[2]; /* by enum sw_from */
    uint16_t version;        /* negotiated, 0 = not known. The caller may read it. */
    uint16_t cipher;         /* the same */
    bool server_hello;       /* one that is no HelloRetryRequest was seen */
};

/* `midstream`: the capture does not show where TLS began. */
void tls_init(struct tls_state *state, bool midstream);

/* Takes one piece of one direction, all of it. */
void tls_feed(struct tls_state *state, const struct sw_piece *piece, const struct tls_sink *sink);

/*
 * The plain text of one whole encrypted record of `from`, without padding and (TLS 1.3) with its
 * inner content type. To be called from the sink at the RECORD_END of that record, or between
 * feeds; begin and end of the record are taken from `record`.
 */
void tls_inner(struct tls_state *state, enum sw_from from, uint8_t content, struct sw_span text,
               const struct tls_event *record, const struct tls_sink *sink);

/* `length` bytes of one direction are missing at `at` (0 = unknown many). */
void tls_gap(struct tls_state *state, enum sw_from from, uint64_t length, struct sw_at at,
             const struct tls_sink *sink);

/* One direction ends: what is unfinished comes out with TLS_FLAG_CUT. */
void tls_end(struct tls_state *state, enum sw_from from, struct sw_at at,
             const struct tls_sink *sink);

/* True for the values of RFC 8701, which mean nothing. */
bool tls_is_grease(uint16_t code);

/* True for an alert that ends a connection because something is wrong; close_notify (0),
 * user_canceled (90) and no_renegotiation (100) do not (RFC 8446 6, RFC 5246 7.2). */
bool tls_alert_is_error(uint8_t description);

/* Names of the registries, NULL when there is none here: "TLSv1.2", "TLS_AES_128_GCM_SHA256",
 * "unknown_ca". */
const char *tls_version_name(uint16_t version);
const char *tls_cipher_name(uint16_t cipher);
const char *tls_alert_name(uint8_t description);

/* What a cipher suite is made of, read off its registered name. */
enum tls_mode {
    TLS_MODE_UNKNOWN,
    TLS_MODE_NULL,
    TLS_MODE_STREAM, /* RC4 */
    TLS_MODE_CBC,
    TLS_MODE_GCM,
    TLS_MODE_CCM,
    TLS_MODE_CCM_8,
    TLS_MODE_CHACHA,
};

struct tls_suite {
    enum tls_mode mode;
    uint8_t block_bytes; /* of CBC */
    uint8_t mac_bytes;   /* of everything that is no AEAD */
    uint8_t hash_bytes;  /* of the handshake: length of a Finished of TLS 1.3 */
    bool tls13;
    bool static_key; /* no forward secrecy: RSA, DH or ECDH with the certificate's key */
    bool anonymous;  /* no certificate */
    bool psk;
    bool exported; /* the weak ones of the export rules */
    bool weak;     /* NULL, RC4, RC2, DES, 3DES, IDEA, or MD5 */
};

/* False for a number without a name here; *out is all zero then. */
bool tls_suite(uint16_t cipher, struct tls_suite *out);

/*
 * Client fingerprints. JA3: the text whose MD5 it is. JA4: its first part, and the two texts of
 * whose SHA-256 the first 12 digits are used (RFC 8701 values are left out, lists are sorted).
 * All NUL-terminated; false when the hello is cut or a list did not fit.
 */
enum { TLS_JA3_TEXT = 2048, TLS_JA4_TEXT = 1280 };
struct tls_ja4 {
    char first[12];
    char ciphers[TLS_JA4_TEXT];    /* empty: twelve zeros stand for it */
    char extensions[TLS_JA4_TEXT]; /* empty: twelve zeros stand for it */
};
bool tls_ja3(const struct tls_hello *hello, char text[TLS_JA3_TEXT]);
bool tls_ja4(const struct tls_hello *hello, struct tls_ja4 *out);

/*
 * Reads a Certificate message that came compressed, within the event that ended the compressed one
 * (TLS_EVENT_HANDSHAKE_END of TLS_MESSAGE_COMPRESSED_CERTIFICATE); its events stand in that place.
 */
void tls_certificate_read(struct tls_state *state, const struct tls_event *packed,
                          struct sw_span body, const struct tls_sink *sink);

#endif
