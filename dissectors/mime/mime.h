/*
 * mime.h - the message dissector: the octets of a message in, the telling fields of its top-level
 * header block out as events (RFC 5322 2.2, 3.6).
 *
 * Pure: no allocation, no I/O, no pointers in the state. It reads up to the first empty line, the
 * first line that is no header field, or the cap, and nothing behind that: a body is never looked
 * at, let alone kept. Any re-chunking of the same octets gives the same events.
 *
 * Life: init, then feed or gap until mime_is_done(); end.
 */
#ifndef SW_DISSECTORS_MIME_MIME_H
#define SW_DISSECTORS_MIME_MIME_H

#include "base/span.h"

/* The fields that come out; MIME_FIELD_OTHER is any other one and comes out never. */
enum mime_field {
    MIME_FIELD_OTHER,
    MIME_FIELD_MESSAGE_ID,
    MIME_FIELD_FROM,
    MIME_FIELD_TO,
    MIME_FIELD_CC,
    MIME_FIELD_SUBJECT,
    MIME_FIELD_DATE,
    MIME_FIELD_CONTENT_TYPE,
    MIME_FIELD_DKIM_SIGNATURE,
    MIME_FIELD_BCC,
    MIME_FIELD_RECEIVED,
    MIME_FIELD_ORIGINATING_IP, /* X-Originating-IP */
    MIME_FIELD_MAILER,         /* X-Mailer, User-Agent, X-User-Agent */
    MIME_FIELD_REPLY_TO,
    MIME_FIELD_IN_REPLY_TO,
    MIME_FIELD_COUNT,
};

enum {
    MIME_VALUE_BYTES = 998,     /* what is read of one value (RFC 5322 2.1.1: one full line) */
    MIME_NAME_BYTES = 20,       /* longer names are none of ours */
    MIME_HEADER_BYTES = 262144, /* a header block that is longer is read no further */
};

enum mime_event_kind {
    MIME_EVENT_FIELD, /* a field is complete, in the order in which they stand */
    MIME_EVENT_END,   /* the header block is over; the last event */
};

enum mime_flag {
    MIME_FLAG_CUT = 0x01, /* FIELD: the value is longer, or its end is missing; END: the rest of the
                             header block is missing (gap, cap, end of the message in a line) */
};

/*
 * One event. Spans live only during the emit call; they are wire text: escape them before showing.
 *
 * FIELD: field; text = the value, unfolded, without blanks around it, with encoded words decoded to
 * UTF-8 (RFC 2047; those in a character set that is not known stay as they are). MESSAGE_ID:
 * without the angle brackets, which are no part of it (RFC 5322 3.6.4). DKIM_SIGNATURE: no text.
 * FROM, BCC, REPLY_TO: address = the first address, without display name. FROM, TO, CC, BCC,
 * REPLY_TO: number = addresses in it, also of those behind a cut.
 * END: number = octets of the header block with its empty line, as they came.
 */
struct mime_event {
    enum mime_event_kind kind;
    enum mime_field field;
    uint32_t flags;
    struct sw_span text;
    struct sw_span address;
    uint64_t number;
};

struct mime_sink {
    void (*emit)(void *ctx, const struct mime_event *event);
    void *ctx;
};

/* Counts the addresses of a list as its octets pass (RFC 5322 3.4). */
struct mime_addresses {
    uint32_t count;
    uint16_t comment; /* depth */
    bool quoted;
    bool angle;   /* between angle brackets: a route may hold commas */
    bool escaped; /* behind a backslash */
    bool found;   /* the address at hand has begun */
};

/* The whole state, a little over 1 KiB. Private to dissectors/mime. */
struct mime_state {
    uint8_t place; /* enum place of mime.c */
    uint8_t field; /* enum mime_field of the field at hand, when `open` */
    bool open;     /* a field has begun and was not told */
    bool cut;      /* its value is longer than what is kept */
    bool stuffed;
    bool after_crlf; /* at the start of a line, and its end was CRLF */
    bool cr;         /* the octet before was a CR inside a value */
    uint8_t name_len;
    uint16_t value_len;
    struct mime_addresses addresses;
    uint64_t octets;
    uint8_t name[MIME_NAME_BYTES]; /* of these two only what their lengths say is set */
    uint8_t value[MIME_VALUE_BYTES];
};

/* `stuffed`: the octets are those of DATA, where a dot at the start of a line is doubled (RFC 5321
 * 4.5.2); it is taken away here. */
void mime_init(struct mime_state *state, bool stuffed);
/* Takes octets of the message; what lies behind the header block is not looked at. */
void mime_feed(struct mime_state *state, struct sw_span octets, const struct mime_sink *sink);
/* Octets are missing here: where the header block ends cannot be told any more. */
void mime_gap(struct mime_state *state, const struct mime_sink *sink);
/* The message ends; a header block that is still open ends with it. */
void mime_end(struct mime_state *state, const struct mime_sink *sink);
/* True when nothing more will come out. */
bool mime_is_done(const struct mime_state *state);

/* Parts of values that others need as well. */

/*
 * Writes `value` with its encoded words decoded (RFC 2047 2, 6.2) to out, at most `room` bytes;
 * returns the number of bytes. Blanks between two encoded words are left out.
 */
size_t mime_decode_words(struct sw_span value, uint8_t *out, size_t room);
/* The first address of an address list, without display name, comments and angle brackets; empty
 * when there is none. */
struct sw_span mime_first_address(struct sw_span list);
/* Counts on over `octets` of a list; at its end `mime_addresses_end` adds the last one. */
void mime_addresses_feed(struct mime_addresses *addresses, struct sw_span octets);
uint32_t mime_addresses_end(struct mime_addresses *addresses);

#endif
