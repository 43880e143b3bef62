/*
 * book_entry.h - the pages of the book; private to its files.
 */
#ifndef SW_PIPELINE_BOOK_ENTRY_H
#define SW_PIPELINE_BOOK_ENTRY_H

#include "pipeline/book.h"

enum {
    ENTRY_ADDRESSES = 8,
    ENTRY_ASKS = 8, /* questions that an answer or ICMP error can still be matched to */
};

/* So soon nobody asks again: it is the same question, recorded once more. */
#define BOOK_COPY_NS (SW_NS_PER_S / 20)

/* The types that decide whether a host can be reached, and what it asks of those who send to it. */
enum entry_type { ENTRY_A, ENTRY_AAAA, ENTRY_MX, ENTRY_POLICY, ENTRY_SERVICE, ENTRY_TYPES };

/* Names of policies: TLSA records of port 25 (RFC 7672 2.2.1), the TXT record of MTA-STS (RFC 8461
 * 3.1). */
#define BOOK_TLSA_PREFIX "_25._tcp."
#define BOOK_STS_PREFIX "_mta-sts."

struct entry_answers {
    uint32_t questions;
    struct sw_mark found, nodata, nxdomain, failed; /* the first answer of each kind */
    struct sw_mark
        cut; /* an answer without a record, truncated: the whole one is to come over TCP */
    uint8_t failed_rcode;
};

/* One address that a name led to, in the chain of its (client, address). */
struct entry_address {
    struct entry_address *next;                /* in the chain of its client and address */
    struct entry_address *next_any;            /* in the chain of its address */
    struct entry_address **place, **place_any; /* what points to it there */
    struct entry *entry;
    uint64_t hash, hash_any;
    struct sw_mark connected; /* a connection to it was accepted, last there; frame 0 = never */
    uint8_t address[16];
    uint8_t ip_version;
    struct sw_mark answered;
};

struct entry_ask {
    int64_t time_ns;
    uint8_t resolver[16];
    uint16_t port;
    uint16_t id;
    bool unreachable;
    bool answered;
};

/* What one client asked about one name. */
struct entry {
    struct entry *next; /* in the chain of its hash */
    struct entry *older, *newer;
    uint64_t hash;
    uint64_t id; /* of this use of the memory */
    uint8_t client[16];
    uint8_t ip_version;
    uint8_t resolver_version;
    uint8_t time_digits;
    bool settled; /* the wait is over */
    bool told;    /* a record of it has been handed out */
    bool used;    /* a connection to one of its addresses was tried */
    bool null_mx;
    bool asked_on; /* the resolver that was asked over the loopback asked another one */
    uint32_t own;  /* questions that were not a mail server's checks */
    uint32_t answers;
    struct sw_mark foreign; /* an answer to none of its questions */
    uint32_t unreachable;   /* questions answered by ICMP */
    struct sw_mark unreachable_mark;
    struct sw_mark retried; /* a connection for the whole of a truncated answer, from retry_port */
    struct sw_mark retry_over; /* it ended */
    uint16_t retry_port;
    struct sw_mark first, last;
    struct sw_mark asked, again;
    uint8_t resolver[16];
    bool of_service;     /* an SRV record named this host as one that takes mail */
    struct entry *mx_of; /* the domain whose MX record named this host, while its id is mx_of_id */
    uint64_t mx_of_id;
    struct sw_mark mx_answered; /* that record */
    struct entry_answers types[ENTRY_TYPES];
    struct entry_ask asks[ENTRY_ASKS];
    uint32_t ask_count;
    struct entry_address addresses[ENTRY_ADDRESSES];
    uint32_t address_count;
    struct dns_name name;
};

/* Oldest first. */
struct entry_list {
    struct entry *oldest, *newest;
};

enum { HOST_OFFERS = 16 };

struct host {
    struct host *next;
    uint8_t address[16];
    int64_t serving_until_ns;
    uint64_t offers[HOST_OFFERS]; /* hashes of the owners of names that it was told, newest over
                                     oldest */
    uint32_t offer_count;
    bool used;
    bool resolver; /* answers questions of others */
};

struct neighbour {
    struct neighbour *older, *newer;
    uint8_t asker[16], target[16];
    uint8_t ip_version;
    uint8_t time_digits;
    bool answered;
    bool told;
    uint32_t asked;
    struct sw_mark first, last;
};

enum { HOSTS = 4096, HOST_BUCKETS = 1024 };

struct sw_book {
    struct sw_book_limits limits;
    struct sw_book_sink sink;
    struct sw_hash_key key;
    struct entry **buckets;
    struct entry_address **address_buckets;
    struct entry_address **any_buckets;
    size_t bucket_mask;
    uint32_t entry_count;
    uint64_t next_id;
    struct entry_list waiting, settled;
    struct host *hosts; /* HOSTS of them, allocated at the first need */
    struct host *host_buckets[HOST_BUCKETS];
    uint32_t next_host;
    struct host *last_host;       /* that was asked for, or NULL */
    struct host local;            /* whoever asks over the loopback: all servers in one */
    uint8_t local_client[16];     /* that address of the one who asked last, */
    bool has_local_client;        /* if anybody did */
    struct neighbour *neighbours; /* limits.neighbours of them, allocated at the first need */
    uint32_t neighbour_count;
    struct neighbour *oldest_neighbour, *newest_neighbour;
    struct neighbour *next_neighbour; /* the first whose wait is not over */
    uint64_t dropped;
    size_t *account, own_account;
    bool heard;
    struct sw_mark heard_at; /* the first answer of a neighbour or a resolver, */
    struct sw_mark heard_by; /* or of another server */
    /* the message that is being read */
    struct entry *reading;
    struct sw_tuple tuple;
    struct sw_mark mark;
    uint8_t time_digits;
    bool found;
};

/* The entry of a client and a name, or NULL. */
struct entry *sw_book_find(const struct sw_book *book, const uint8_t client[16],
                           struct sw_span name);
/* It was spoken of: it waits (again) from now on. */
void sw_book_touch(struct sw_book *book, struct entry *entry, struct sw_mark mark);
struct entry *sw_book_find_or_make(struct sw_book *book, const uint8_t client[16],
                                   uint8_t ip_version, const struct dns_name *name,
                                   struct sw_mark mark);
void sw_book_add_address(struct sw_book *book, struct entry *entry, const uint8_t address[16],
                         uint8_t ip_version, struct sw_mark mark);
struct host *sw_book_host(struct sw_book *book, const uint8_t address[16]);
/* The host that asks a question from this address. Over the loopback it is the recording machine,
 * whose other addresses nothing shows: any server that is offered mail may be it. */
struct host *sw_book_asker(struct sw_book *book, const uint8_t client[16], uint8_t ip_version);
/* Was the host told a name of the same owner by somebody who offered it mail? */
bool sw_book_was_offered(const struct sw_book *book, const struct host *host, struct sw_span name);
/* Tells the sink when the entry failed. `at_end` = the capture is over and shows no mail: any name
 * counts. */
void sw_book_settle(struct sw_book *book, struct entry *entry, int64_t now_ns, bool at_end);
void sw_book_settle_oldest(struct sw_book *book, int64_t now_ns);
/* The same as sw_book_heard, of a resolver or a neighbour. */
void sw_book_heard_name(struct sw_book *book, struct sw_mark mark);
enum { BOOK_NODES = 16 };

/*
 * What led this client to the address, the newest first, at most BOOK_NODES. A client that asks
 * over one IP version and connects over the other has two addresses: when it asked nothing itself,
 * names that clients of the other version asked for count.
 */
uint32_t sw_book_nodes(const struct sw_book *book, const uint8_t client[16],
                       const uint8_t address[16], uint8_t ip_version,
                       struct entry_address *nodes[BOOK_NODES]);
void sw_book_neighbours_time(struct sw_book *book, int64_t now_ns);

#endif
