/*
 * dns.h - DNS messages as events: what was asked, and what the answer held (RFC 1035, 2308, 7505).
 *
 * One call reads one message of UDP; a stream cuts the bytes of a TCP connection into messages
 * (RFC 1035 section 4.2.2, RFC 7766). Nothing is allocated, no name is followed for ever.
 *
 * Invariants: names are lower-case ASCII with every other byte escaped as \DDD, and never longer
 * than DNS_NAME_BYTES. Compression pointers only lead backwards, and only so many in one name, so
 * that a message costs time linear in its length. A message that is cut or contradicts itself gives
 * what was read before that, and `broken`. Events are borrowed during the call.
 */
#ifndef DISSECTORS_DNS_DNS_H
#define DISSECTORS_DNS_DNS_H

#include "dissectors/dissector.h"

enum {
    DNS_NAME_BYTES = 255,       /* of a name as text; what is longer is cut and marked */
    DNS_RECORDS_MAX = 256,      /* of one message; the rest is not read */
    DNS_TEXT_BYTES = 255,       /* of one TXT record; the rest is not kept */
    DNS_STREAM_BYTES = 4 * 1024 /* of one message over TCP; the rest is not kept */
};

/* Types of records that matter to mail. */
enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_TLSA = 52,
};

enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
};

enum dns_section {
    DNS_ANSWER,
    DNS_AUTHORITY,
    DNS_ADDITIONAL,
};

/* "mx.example.org" without the final dot; the root is empty. */
struct dns_name {
    uint16_t length;
    bool cut; /* longer than what is kept */
    char text[DNS_NAME_BYTES + 1];
};

/* The header and the first question. */
struct dns_message {
    uint16_t id;
    bool response;
    uint8_t opcode;
    uint8_t rcode;      /* of the header: the extended bits of EDNS are not added */
    bool truncated;     /* TC: the whole answer comes over TCP */
    uint16_t questions; /* as the header counts them */
    uint16_t answers;
    uint16_t type; /* of the question; 0 when there is none */
    struct dns_name name;
};

struct dns_record {
    enum dns_section section;
    uint16_t type;
    uint32_t ttl_s;
    const struct dns_name *owner;
    uint8_t address[16];           /* A in the first four bytes; AAAA */
    uint16_t preference;           /* MX; priority of SRV */
    uint16_t port;                 /* SRV */
    const struct dns_name *target; /* MX, CNAME, SRV, NS, PTR; NULL for other types */
    bool null_mx;                  /* preference 0 and the root: RFC 7505 section 3 */
    struct sw_span text;           /* TXT: its strings joined; TLSA: usage, selector, match, data */
};

struct dns_sink {
    void *ctx;
    /* First; then the records in their order. */
    void (*message)(void *ctx, const struct dns_message *message, struct sw_at at);
    void (*record)(void *ctx, const struct dns_message *message, const struct dns_record *record);
    /* Last. `broken` = cut short, or it contradicts itself: there may have been more. */
    void (*end)(void *ctx, const struct dns_message *message, bool broken);
};

/* One message. False (and no event) when it is none: too short, or no class IN question, or an
 * opcode other than QUERY. */
bool dns_read(struct sw_span bytes, struct sw_at at, const struct dns_sink *sink);

/* One direction of a TCP connection. All zero is its beginning. */
struct dns_stream {
    uint8_t head[2];
    uint8_t have;  /* bytes of the length so far */
    uint32_t left; /* bytes of the message still to come */
    uint32_t kept;
    bool lost; /* not at a message boundary any more */
    struct sw_at at;
    uint8_t bytes[DNS_STREAM_BYTES];
};

/* Takes the whole piece. A message is told with the place of its first byte. */
void dns_stream_feed(struct dns_stream *stream, const struct sw_piece *piece,
                     const struct dns_sink *sink);
/* Bytes are missing: where the next message begins is not known any more. */
void dns_stream_gap(struct dns_stream *stream);

#endif
