/*
 * veil.h - pseudonyms for --anonymize: the same address, host or user gets the same pseudonym
 * everywhere in one run.
 *
 * Every text that a report shows of a session passes sw_veil_text(), every address
 * sw_veil_address(). While the veil is off both give back what they were given. In a text it
 * replaces IP addresses, mail addresses, domain names, what may be encoded (challenges of logins),
 * and the words that the session itself shows to be names (users that logged in, mailbox names,
 * what both sides called themselves). Pseudonyms are keyed hashes: with a random key they cannot be
 * compared between runs, and not be looked up.
 *
 * Life: init, then session and text ..., release. One veil belongs to one thread.
 */
#ifndef SW_REPORT_VEIL_H
#define SW_REPORT_VEIL_H

#include "analyzer/delivery.h"
#include "base/address.h"
#include "base/hash.h"
#include "report/writer.h"
#include "session/session.h"

enum { SW_VEIL_WORDS = 1024, SW_VEIL_PHRASES = 256 };

struct sw_veil {
    bool on;
    struct sw_hash_key key;
    struct sw_writer text; /* the last text */
    /* names in the session, borrowed from it */
    struct sw_span words[SW_VEIL_WORDS]; /* a table by hash, a quarter of it stays empty */
    uint32_t word_count;
    struct sw_span phrases[SW_VEIL_PHRASES]; /* names that are no single word */
    uint32_t phrase_count;
};

void sw_veil_init(struct sw_veil *veil, bool on, struct sw_hash_key key);
/* Learns the names of a session; they are borrowed until the next call. */
void sw_veil_session(struct sw_veil *veil, const struct sw_session *session);
/* Learns the names of a story in place of those of the last session, which is gone. */
void sw_veil_delivery(struct sw_veil *veil, const struct sw_delivery *delivery);
/* The text to show in place of `text`; borrowed until the next call on the same veil. */
struct sw_span sw_veil_text(struct sw_veil *veil, struct sw_span text);
/* A text that is a name as a whole (a user, a host), whatever it looks like. */
struct sw_span sw_veil_name(struct sw_veil *veil, struct sw_span name);
/* The address to show: IPv4 out of 240.0.0.0/4, IPv6 out of fd00::/8. Returns its length. */
size_t sw_veil_address(const struct sw_veil *veil, const uint8_t address[16], int ip_version,
                       char out[SW_ADDRESS_TEXT_BYTES]);
/* Sixteen hex digits in place of an id that was made from addresses. */
void sw_veil_id(const struct sw_veil *veil, const char id[17], char out[17]);
void sw_veil_release(struct sw_veil *veil);

#endif
