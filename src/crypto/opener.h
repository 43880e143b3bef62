/*
 * opener.h - opens the records of one TLS connection with the secrets of a key log (RFC 5246, RFC
 * 7366, RFC 7627, RFC 8446).
 *
 * It never gives text that did not authenticate: a wrong key, a damaged record and a record of
 * another epoch all give nothing and say so. Secrets and keys are wiped with it. Life: new (at the
 * ServerHello), record ..., told of what the plain text said; free.
 */
#ifndef SW_CRYPTO_OPENER_H
#define SW_CRYPTO_OPENER_H

#include "crypto/keylog.h"
#include "crypto/record.h"

/* What the hellos agreed on. */
struct sw_opener_hello {
    uint16_t version;
    uint16_t cipher;
    uint8_t client_random[SW_KEYLOG_RANDOM];
    uint8_t server_random[SW_KEYLOG_RANDOM];
    bool encrypt_then_mac;
    bool early_data; /* the client may send records that only its PSK protects (0-RTT) */
};

enum sw_opened {
    SW_OPENED,
    SW_OPENED_NO_KEY,      /* the log has no secret for this connection, or not for this part */
    SW_OPENED_NO_SUITE,    /* a cipher suite or version that cannot be opened here */
    SW_OPENED_WRONG,       /* a secret is there, and the record does not authenticate with it */
    SW_OPENED_EARLY,       /* the same, but it may be early data, which the server passes over */
    SW_OPENED_NO_RESOURCE, /* memory, or OpenSSL cannot */
};

struct sw_opener;

/* Always makes one (NULL without memory): what is missing shows at the records. `side` is 0 for the
 * client and 1 for the server everywhere. The log is only used during the call. */
struct sw_opener *sw_opener_new(const struct sw_opener_hello *hello, const struct sw_keylog *log);
/* The same with a master secret that was worked out (RSA key exchange); before TLS 1.3 only. */
struct sw_opener *sw_opener_from_master(const struct sw_opener_hello *hello, struct sw_span master);
void sw_opener_free(struct sw_opener *opener);

/* One encrypted record, whole. `out` has room for in->body.len bytes. */
enum sw_opened sw_opener_record(struct sw_opener *opener, int side, const struct sw_record_in *in,
                                uint8_t *out, size_t *length, uint8_t *content);
/*
 * Early data (RFC 8446 4.2.10) of the client has a key of its own, which is that of a cipher of an
 * earlier session. A server that takes early data chooses that very cipher, so that the key is
 * known at the ServerHello; until the server is known to have taken it such a record is left
 * closed.
 */
/* The server took it: records of the client are tried with the early key first. */
void sw_opener_early_taken(struct sw_opener *opener);
/* EndOfEarlyData was in the record before: the key is not used any more. */
void sw_opener_early_over(struct sw_opener *opener);
/* Is this record, with `number` ones of early data before it, the client's EndOfEarlyData, which it
 * only sends when the server has taken the data? Nothing changes. `out` as below. */
bool sw_opener_early_ends(struct sw_opener *opener, uint64_t number, const struct sw_record_in *in,
                          uint8_t *out);
/* A Finished of this side was in the record before: its traffic keys are due (TLS 1.3). */
void sw_opener_finished(struct sw_opener *opener, int side);
/* A KeyUpdate of this side was in the record before (RFC 8446 4.6.3). */
void sw_opener_key_update(struct sw_opener *opener, int side);
/* Records of this side are missing, nobody knows how many; at most SW_OPENER_SEARCH are skipped. */
void sw_opener_lost(struct sw_opener *opener, int side);
/* Exactly one record was passed over (a part of it is missing). */
void sw_opener_skip(struct sw_opener *opener, int side);

enum { SW_OPENER_SEARCH = 64 };

#endif
