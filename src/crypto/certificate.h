/*
 * certificate.h - X.509 certificates as they were sent: what they say, and whether a client that
 * trusts these anchors could have accepted them at a given time.
 *
 * All problems are collected, not only the first. Input is untrusted: the caller bounds its size
 * (SW_X509_CHAIN, SW_X509_BYTES), OpenSSL's own limits bound the work of one check, and the result
 * of a chain is remembered, so that a server met a thousand times is read and verified once.
 *
 * A trust object belongs to one thread.
 */
#ifndef SW_CRYPTO_CERTIFICATE_H
#define SW_CRYPTO_CERTIFICATE_H

#include "base/arena.h"

enum {
    SW_X509_CHAIN = 10,
    SW_X509_BYTES = 32 * 1024,
    SW_X509_SOON_DAYS = 14, /* "expires soon" */
};

/* What is wrong with one certificate, as bits. */
enum sw_x509_problem {
    SW_X509_EXPIRED = 0x01,
    SW_X509_NOT_YET_VALID = 0x02,
    SW_X509_NOT_TRUSTED = 0x04, /* of the first one: not verifiable with these anchors */
    SW_X509_SELF_SIGNED = 0x08, /* of the first one: its own issuer, and no anchor */
    SW_X509_INCOMPLETE = 0x10,  /* of the first one: a certificate in between was not sent */
    SW_X509_HOST_MISMATCH = 0x20,
    SW_X509_WEAK_KEY = 0x40,
    SW_X509_WEAK_SIGNATURE = 0x80,
    SW_X509_EXPIRES_SOON = 0x100,
};

/* What one certificate says; spans are in the arena that was given. */
struct sw_x509_facts {
    bool read; /* false: not a certificate that OpenSSL can read; the rest is empty */
    struct sw_span subject, issuer;
    struct sw_span names;               /* joined by LF */
    int64_t not_before_s, not_after_s;  /* seconds since 1970; INT64_MIN and INT64_MAX when odd */
    char not_before[24], not_after[24]; /* RFC 3339, or empty */
    char sha256[65];
    uint32_t problems;
};

/*
 * Where trust anchors are: a PEM file and a directory of hashed names; with neither (NULL) where
 * the system has them. They are read when they are first wanted. For any number of threads. The
 * names are borrowed. NULL when memory is short.
 */
struct sw_anchors;
struct sw_anchors *sw_anchors_new(const char *ca_file, const char *ca_path);
void sw_anchors_free(struct sw_anchors *anchors);

/*
 * Judges by those anchors (on a machine without any nothing is said about issuers), on one thread;
 * may outlive them. NULL when they cannot be read; then `message` says why.
 */
struct sw_trust;
struct sw_trust *sw_trust_new(struct sw_anchors *anchors, char *message, size_t room);
void sw_trust_free(struct sw_trust *trust);

/*
 * Reads `count` certificates in the order sent (an empty span = one that is not whole) and judges
 * the chain that begins with the first at `time_s`. `host` (may be empty) is the name or address
 * that the client wanted. Fills out[0 .. count - 1].
 */
void sw_certificate_check(struct sw_trust *trust, const struct sw_span *ders, size_t count,
                          struct sw_span host, int64_t time_s, struct sw_arena *arena,
                          struct sw_x509_facts *out);

#endif
