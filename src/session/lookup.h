/*
 * lookup.h - what name look-ups and neighbour requests tell about an attempt: the whole story of
 * one that failed before any connection, and the name behind a connection's address.
 *
 * Spans point into the arena of the session they belong to.
 */
#ifndef SW_SESSION_LOOKUP_H
#define SW_SESSION_LOOKUP_H

#include "base/span.h"
#include "flow/flow.h"

/* How a look-up (or a search for a neighbour) ended. */
enum sw_lookup_end {
    SW_LOOKUP_NXDOMAIN,    /* the name does not exist */
    SW_LOOKUP_SERVFAIL,    /* only errors came: SERVFAIL, REFUSED and the like */
    SW_LOOKUP_TIMEOUT,     /* asked again and again, no answer */
    SW_LOOKUP_UNREACHABLE, /* every question was answered by an ICMP error */
    SW_LOOKUP_CUT,         /* the answer was truncated, and the whole one did not come over TCP */
    SW_LOOKUP_NODATA,      /* the name exists and has no address */
    SW_LOOKUP_SINKHOLED,   /* an address where no mail server can be */
    SW_LOOKUP_NULL_MX,     /* RFC 7505 */
    SW_LOOKUP_NEIGHBOUR,   /* ARP or neighbour discovery without an answer */
};

/* A failed look-up that no connection followed: the session has no TCP. */
struct sw_lookup {
    enum sw_lookup_end end;
    struct sw_span name; /* what was looked up; empty for a neighbour that has none */
    bool guess;          /* nothing says that it was about mail but that there is nothing else */
    bool deaf;           /* the capture shows no answer to anybody: it may hold one side only */
    bool asked_mx;
    uint16_t id;            /* of the first question, in the message */
    uint32_t questions;     /* that were seen, repeats and all types */
    uint32_t answers;       /* that were seen */
    uint8_t rcode;          /* of the deciding answer */
    struct sw_mark asked;   /* first question */
    struct sw_mark again;   /* last question, when there are more than one */
    struct sw_mark foreign; /* an answer that the client cannot have taken for its own */
    struct sw_mark decided; /* the answer or ICMP error that decided; frame 0 = none came */
    struct sw_mark
        ipv6; /* NODATA: the answer with IPv6 addresses; frame 0 = there are none either */
    struct sw_mark retried, retry_over; /* CUT: the attempt over TCP and its end; frame 0 = none */
    /* what it rests on besides: that answers reach the recorder, and the question and answer that
     * led to the neighbour; frame 0 = not known, or nothing */
    struct sw_mark heard, led_asked, led;
    struct sw_mark heard_by; /* the same of a connection, where `heard` is not known */
    uint8_t resolver[16];    /* who was asked (last), or the neighbour's address */
    uint8_t ip_version;      /* of resolver */
    uint8_t address[16];     /* SINKHOLED: where the name led */
    uint8_t address_version;
};

/* Where an address leads that a public name should not have. */
enum sw_address_kind {
    SW_ADDRESS_PUBLIC,
    SW_ADDRESS_NOWHERE, /* 0.0.0.0, loopback: nobody but the client itself */
    SW_ADDRESS_PRIVATE, /* RFC 1918, link-local, unique local */
};

enum { SW_NAMING_OTHERS = 3 };

/* The name that had been looked up for a connection's server before it was opened. */
struct sw_naming {
    struct sw_span name;
    struct sw_mark answered; /* the answer that held the address */
    enum sw_address_kind kind;
    bool by_mx; /* the name came out of an MX record */
    struct sw_mark mx_answered;
    struct sw_span mx_of; /* of that domain, when it is known */
    uint32_t unrelated;   /* names of other domains that led to the same address, a few of them */
    struct sw_mark others[SW_NAMING_OTHERS]; /* and the answers that say so */
    struct sw_mark
        tlsa; /* an answer with TLSA records for its port 25 (RFC 7672); frame 0 = none */
    struct sw_mark mta_sts;    /* one that announces a policy of the domain (RFC 8461); the same */
    struct sw_mark superseded; /* another address of the name was connected about when this one was
                                  tried; frame 0 = none */
};

/* What kind of address it is. RFC 6890. */
enum sw_address_kind sw_address_kind_of(const uint8_t address[16], int ip_version);
/* True when the first label says that the host takes mail: smtp, mail, mx1, mta-2, relay, ... */
bool sw_name_says_mail(struct sw_span name);
/* True for names that the public name service does not know: one label, .local, .lan, ... */
bool sw_name_is_private(struct sw_span name);
/* The last two labels, three below a second level such as .co.uk: who a name belongs to, roughly.
 */
struct sw_span sw_name_owner(struct sw_span name);

#endif
