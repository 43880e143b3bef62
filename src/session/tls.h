/*
 * tls.h - what was seen of TLS in one connection: hellos, certificates, alerts, and the sizes of
 * what stayed closed.
 *
 * It hangs in the session's arena, is made at the first byte of TLS, and says what was seen, never
 * what it means. Nothing secret is in it.
 */
#ifndef SW_SESSION_TLS_H
#define SW_SESSION_TLS_H

#include "dissectors/tls/tls.h"
#include "flow/flow.h"

enum {
    SW_TLS_CERTIFICATES = 10,     /* certificates kept of a chain */
    SW_TLS_DER_BYTES = 24 * 1024, /* and their bytes in all */
    SW_TLS_RECORDS = 512,         /* entries of the list of encrypted records */
    SW_TLS_ALERTS = 16,
};

/* What is wrong with a certificate, as bits; names in sw_certificate_problem_name(). */
enum sw_certificate_problem {
    SW_CERTIFICATE_EXPIRED,
    SW_CERTIFICATE_NOT_YET_VALID,
    SW_CERTIFICATE_NOT_TRUSTED, /* not verifiable with the trust anchors at hand */
    SW_CERTIFICATE_SELF_SIGNED,
    SW_CERTIFICATE_CHAIN_INCOMPLETE,
    SW_CERTIFICATE_HOST_MISMATCH,
    SW_CERTIFICATE_WEAK_KEY,
    SW_CERTIFICATE_WEAK_SIGNATURE,
    SW_CERTIFICATE_EXPIRES_SOON,
    SW_CERTIFICATE_INTERCEPTED, /* the issuer is a product that opens TLS on the way */
    SW_CERTIFICATE_PROBLEMS,
};

/* Who opens TLS on the way. */
enum sw_interceptor_kind {
    SW_INTERCEPTOR_NONE,
    SW_INTERCEPTOR_LOCAL,   /* on the sender's own machine */
    SW_INTERCEPTOR_GATEWAY, /* in the network */
};

/* "certificate-expired" ... (RFC 8460 4.3 where it has a name). */
const char *sw_certificate_problem_name(enum sw_certificate_problem problem);

/* One certificate of the chain that a side sent, in the order sent. */
struct sw_certificate {
    struct sw_certificate *next;
    struct sw_mark mark;                /* its last byte */
    struct sw_span der;                 /* empty when it is cut or did not fit */
    bool read;                          /* the fields below were read from it */
    struct sw_span subject, issuer;     /* one line each, as OpenSSL writes RFC 2253 names */
    char not_before[24], not_after[24]; /* RFC 3339; empty when it cannot be read */
    struct sw_span
        names; /* DNS names and addresses of subjectAltName (else the CN), joined by LF */
    char sha256[65];
    uint32_t problems; /* 1 << enum sw_certificate_problem */
    enum sw_interceptor_kind interceptor;
    const char *product; /* of the interceptor, or NULL */
};

struct sw_tls_alert {
    struct sw_tls_alert *next;
    enum sw_side from;
    bool known;     /* level and description could be read */
    bool encrypted; /* sent inside the encryption (and read with a key, when known) */
    uint8_t level, description;
    struct sw_mark mark;
};

/* Encrypted records of one side in a row: one at a time at first, then in a lump. */
struct sw_tls_record {
    struct sw_tls_record *next;
    enum sw_side from;
    uint8_t content; /* of the first one's header, enum tls_content */
    bool guessed;    /* behind a gap, or cut by one */
    uint32_t count;
    uint32_t first_bytes; /* length of the first one's body */
    uint32_t last_bytes;
    uint64_t bytes; /* of all */
    struct sw_mark first, last;
};

/* What is no TLS where TLS was due. */
struct sw_tls_junk {
    struct sw_mark mark; /* frame 0 = none */
    enum tls_junk kind;
};

/* One direction. */
struct sw_tls_side {
    uint64_t bytes;
    struct sw_mark begin;         /* its first byte inside TLS */
    struct sw_mark last;          /* end of its last record */
    uint64_t records;             /* all of them */
    uint32_t messages;            /* handshake messages that could be read, 1 << type */
    struct sw_mark change_cipher; /* ChangeCipherSpec */
    struct sw_tls_junk junk;
    bool gap;        /* bytes are missing */
    bool unsure;     /* the way was lost and found again */
    bool cut;        /* the last record was not finished */
    bool alert_told; /* the record that is being read holds an alert, and it was opened */
};

/* What became of the keys that were given. */
enum sw_tls_keys {
    SW_TLS_KEYS_NONE,        /* no keys were given */
    SW_TLS_KEYS_FOREIGN,     /* none of them is for this connection */
    SW_TLS_KEYS_UNFIT,       /* one is for it, and opens nothing */
    SW_TLS_KEYS_NO_SUITE,    /* the cipher suite cannot be opened by this program */
    SW_TLS_KEYS_RSA_UNFIT,   /* the RSA key is not the one that the client encrypted to */
    SW_TLS_KEYS_RSA_USELESS, /* an RSA key was given, and the keys were agreed on afresh */
    SW_TLS_KEYS_FIT,
};

struct sw_tls {
    struct sw_tls_side side[2]; /* by enum sw_side */

    /* ClientHello: the first one, but for what a second one after a retry says again */
    struct sw_mark client_hello;      /* frame 0 = not seen */
    struct sw_mark client_hello_last; /* the last ClientHello */
    uint16_t client_version;          /* the highest that it offers */
    uint16_t client_legacy;           /* the legacy field */
    const uint16_t *ciphers;          /* offered, GREASE left out */
    uint16_t cipher_count;
    struct sw_span sni; /* empty = none */
    bool
        encrypted_hello; /* it has an encrypted part besides (ECH), and the SNI may be a stand-in */
    struct sw_span alpn;
    char ja3[33];
    char ja4[40];
    bool client_renegotiation_info, client_psk, client_ticket, client_id, fallback, early_data;
    uint32_t client_hello_bytes; /* its length */

    /* ServerHello */
    struct sw_mark server_hello; /* frame 0 = not seen */
    struct sw_mark retry;        /* HelloRetryRequest */
    uint16_t version, cipher;    /* chosen */
    uint8_t compression;
    bool server_renegotiation_info;
    uint8_t downgrade; /* the sentinel of RFC 8446 4.1.3 in the random: 0 none, 1 up to TLS 1.1, 2
                          TLS 1.2 */
    bool psk_accepted;
    uint16_t dh_bits; /* size of the server's own finite-field group, 0 = none seen */

    struct sw_certificate *certificates; /* of the server */
    uint16_t certificates_sent;          /* how many it sent, kept or not */
    bool certificates_packed;            /* they came compressed (RFC 8879), and */
    const char *certificates_unread;     /* by this method, which could not be undone; else NULL */
    bool certificate_cut;                /* bytes of the message are missing or did not fit */
    bool chain_open;                     /* it does not verify, and it is cut: nothing follows */
    struct sw_mark certificate;          /* its last byte */
    struct sw_mark certificate_request;  /* from the server */
    struct sw_mark server_done;          /* ServerHelloDone */
    bool client_certificate, client_certificate_empty;
    struct sw_mark finished[2]; /* Finished messages that could be read (decrypted) */

    /* 0-RTT (RFC 8446 2.3): records of the client that came before the ServerHello */
    struct sw_mark early; /* the first one; frame 0 = none */
    uint32_t early_records;
    uint64_t early_bytes;            /* of their plain text */
    bool early_taken, early_refused; /* by the server, as far as it is known */
    bool early_opened;               /* with a key, and it is part of the dialogue */

    struct sw_tls_alert *alerts;
    struct sw_tls_record *records; /* encrypted ones, both sides in capture order */
    uint64_t records_left_out;
    bool decrypted; /* application data was opened with a key */
    enum sw_tls_keys keys;
    uint64_t closed[2]; /* application records of a side that stayed closed though there are keys */

    /* private to the builder */
    struct sw_certificate **certificates_tail;
    struct sw_tls_alert **alerts_tail;
    struct sw_tls_record **records_tail;
    struct sw_tls_record *last_record;
    uint32_t record_entries, alert_count, turn_entries;
    uint32_t der_used;
    uint8_t *der; /* of the certificate that is being read */
    uint32_t der_have, der_length;
};

/* The first alert of a side (or of both, with side < 0) that ends the handshake, or NULL. */
const struct sw_tls_alert *sw_tls_fatal(const struct sw_tls *tls, int side);

/* The alert that ended the connection inside the encryption: the first close_notify, or the first
 * that nothing may follow (RFC 8446 6, RFC 5246 7.2). NULL: none that could be read. */
const struct sw_tls_alert *sw_tls_goodbye(const struct sw_tls *tls);

/* Up to TLS 1.2: with this record another handshake was asked for behind the client's first words,
 * or NULL. */
const struct sw_tls_record *sw_tls_second_handshake(const struct sw_tls *tls);

/* Up to TLS 1.2: the server went on without a certificate because the client named an old session;
 * TLS 1.3: it accepted a pre-shared key. */
bool sw_tls_is_resumed(const struct sw_tls *tls);

/* Length of the record that holds a Finished of TLS 1.3 and nothing else (RFC 8446 4.4.4, 5.2). */
uint32_t sw_tls_finished_bytes(const struct sw_tls *tls);

/* Can this record of the client, or a row of them, hold its Finished of TLS 1.3? Where early data
 * may come before it (RFC 8446 4.2.10) it holds that and nothing else. */
bool sw_tls_may_finish(const struct sw_tls *tls, const struct sw_tls_record *record);

/* Both sides have finished the handshake, as far as it can be seen from outside. */
bool sw_tls_is_established(const struct sw_tls *tls);

/* The name that the client asked for, as far as it can be seen: empty when the hello has an
 * encrypted part, because what can be read is a stand-in then, or may be one (Encrypted Client
 * Hello). */
struct sw_span sw_tls_wanted_name(const struct sw_tls *tls);

/* True for a host of one of the big public mail providers. */
bool sw_is_public_provider(struct sw_span name);

#endif
