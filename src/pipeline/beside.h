/*
 * beside.h - connections beside the mail that explain it: the web page of a network that wants a
 * log-in first, the mailbox that is in use. Private to the pipeline room.
 *
 * Only what stands whole in one chunk is seen: it is a hint, never the only proof.
 */
#ifndef SW_PIPELINE_BESIDE_H
#define SW_PIPELINE_BESIDE_H

#include "analyzer/extract.h"
#include "flow/flow.h"

/* What the user pointer of a flow is; the first member of each kind. */
enum sw_watch {
    SW_WATCH_MAIL,    /* struct sw_mail */
    SW_WATCH_DNS,     /* a pair of DNS streams */
    SW_WATCH_BESIDE,  /* struct sw_beside */
    SW_WATCH_RESTING, /* struct sw_mail_rest */
};

enum sw_beside_kind { SW_BESIDE_WEB, SW_BESIDE_POP, SW_BESIDE_IMAP };

enum { SW_BESIDE_OWNER = 64 };

struct sw_beside {
    enum sw_watch watch;
    enum sw_beside_kind kind;
    uint32_t chunks; /* of the server */
    uint32_t owner_length;
    uint8_t owner[SW_BESIDE_OWNER]; /* of the web server that was asked for */
};

enum sw_beside_news {
    SW_BESIDE_NOTHING, /* so far */
    SW_BESIDE_OVER,    /* nothing of interest will come */
    SW_BESIDE_PORTAL,  /* another server answered, and sent the client to itself */
    SW_BESIDE_BUSY,    /* the mailbox is locked */
};

/*
 * What of the payload of a frame of a web connection the news of a log-in page rests on: the
 * method, who owns the server that was asked for and the one that answered. Offsets in the payload,
 * in order; returns how many there are.
 */
enum { SW_BESIDE_SHOWN = 3 };
uint32_t sw_beside_shown(struct sw_span payload, struct sw_extract_range shown[SW_BESIDE_SHOWN]);
/* Does a client ask a web server for a page? */
bool sw_beside_is_web(uint16_t port, const struct sw_chunk *chunk);
enum sw_beside_news sw_beside_chunk(struct sw_beside *beside, const struct sw_chunk *chunk);

#endif
