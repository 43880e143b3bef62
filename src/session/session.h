/*
 * session.h - the model of one connection that carries (or tried to carry) mail: session > message
 * > exchange; or of an attempt that never became a connection, because a name or a neighbour could
 * not be found.
 *
 * It says what was seen, never what it means: meaning is the analyzer's. Everything hangs in the
 * session's arena and dies with it in one call. Lists are singly linked in the order in which
 * things happened.
 *
 * Invariants: spans and pointers inside a session point into its arena or to constants. A step is
 * never changed after the next one of its side was added, except that a command learns its reply.
 * No secret is ever stored.
 */
#ifndef SW_SESSION_SESSION_H
#define SW_SESSION_SESSION_H

#include "base/arena.h"
#include "dissectors/smtp/smtp.h"
#include "flow/flow.h"
#include "session/lookup.h"
#include "session/tls.h"

struct sw_message;
struct sw_header_reader; /* private to header.c */

/* Where in the dialogue something stands. */
enum sw_phase {
    SW_PHASE_CONNECT,  /* before the TCP handshake is complete */
    SW_PHASE_GREETING, /* waiting for the server's first line */
    SW_PHASE_HELLO, /* EHLO, HELO, LHLO and everything that has no phase of its own before MAIL */
    SW_PHASE_STARTTLS,
    SW_PHASE_TLS,
    SW_PHASE_AUTH,
    SW_PHASE_MAIL,
    SW_PHASE_RCPT,
    SW_PHASE_DATA,  /* DATA until its 354 */
    SW_PHASE_BODY,  /* the text of the message */
    SW_PHASE_FINAL, /* waiting for the answer to the end of data */
    SW_PHASE_QUIT,
};

/* One line of the dialogue: a command (with its arguments) or a whole reply. A session has a dozen
 * and more, and they lie untouched until it is judged: small as they are, few lines of the caches
 * are waited for then. */
struct sw_step {
    struct sw_step *next;
    struct sw_message *message;  /* the mail this belongs to, or NULL */
    union {                      /* by `from` */
        struct sw_step *reply;   /* the (final) answer to a command, or NULL */
        struct sw_step *command; /* what a reply answers, or NULL */
    };
    union {
        struct sw_span argument; /* of a command */
        struct sw_span text;     /* of a reply: all lines, codes and separators stripped, joined by
                                    LF; capped */
    };
    struct sw_mark first;    /* frame and time of the first byte; of the last: sw_step_last() */
    enum smtp_verb verb : 8; /* of the command, or of the command a reply answers */
    enum sw_phase phase : 8; /* of the command; of a reply: the phase of what it answers */
    enum sw_side from : 1;
    bool encrypted : 1;            /* inside TLS */
    bool after_close : 1;          /* a reply that came after the client's FIN or RST */
    bool has_lines : 1;            /* a reply of more than one */
    bool spread : 1;               /* its last byte came in another packet than its first */
    uint8_t word_len;              /* of a verb that we do not know; see sw_step_word() */
    uint16_t flags;                /* enum smtp_flag */
    uint16_t code;                 /* of a reply; a command has none */
    struct smtp_enhanced enhanced; /* of a reply */
    uint32_t id;                   /* the dissector's id of a command */
};

/* A step that is `spread`. */
struct sw_spread_step {
    struct sw_step step;
    struct sw_mark last;
};

/* Frame and time of the last byte. */
static inline struct sw_mark sw_step_last(const struct sw_step *step)
{
    return step->spread ? ((const struct sw_spread_step *)step)->last : step->first;
}

/* The verb of a command in capital letters, or, when we do not know it, as it was written: then it
 * stands in memory right before the argument. */
static inline struct sw_span sw_step_word(const struct sw_step *command)
{
    const char *name = smtp_verb_name(command->verb);
    return name[0] || command->word_len == 0
               ? sw_span_str(name)
               : sw_span_make(command->argument.ptr - command->word_len, command->word_len);
}

struct sw_recipient {
    struct sw_recipient *next;
    struct sw_span address; /* without angle brackets */
    struct sw_step *command;
    struct sw_step *reply; /* to RCPT */
    struct sw_step *final; /* LMTP: its own final reply */
    uint32_t number;       /* 0, 1, ... within the session */
};

/* One of a list of addresses. */
struct sw_correspondent {
    struct sw_correspondent *next;
    struct sw_span text; /* with the display name */
    struct sw_span address;
};

enum { SW_LETTERHEAD_HOPS = 32, SW_LETTERHEAD_LIST = 100 };

/* What else stands there: for formats that show it, so it is kept for these only (letterhead of
 * struct sw_session_limits). */
struct sw_letterhead {
    struct sw_span from;              /* with the display name */
    struct sw_correspondent *to, *cc; /* SW_LETTERHEAD_LIST at most */
    struct sw_correspondent *reply_to;
    struct sw_span in_reply_to;
    struct sw_span received, received_later; /* the last Received field, and the one before */
    struct {
        uint8_t address[16];
        int ip_version;
    } hops[SW_LETTERHEAD_HOPS]; /* that Received fields name, from the top */
    uint32_t hop_count;
};

/* The header block of a mail (RFC 5322 3.6), as far as it was seen. */
struct sw_header {
    bool seen;
    bool cut;            /* its end is missing */
    bool dkim_signature; /* there is one; whether it is good is not checked */
    bool repeats;        /* From, To, Bcc or Subject stands there twice */
    bool shell_code;     /* a field begins as Shellshock does (CVE-2014-6271) */
    uint32_t to_count;   /* addresses */
    uint32_t cc_count;
    uint32_t bcc_count;
    struct sw_span from; /* the (first) address */
    struct sw_span date;
    struct sw_span content_type;      /* without parameters */
    struct sw_span bcc;               /* the (first) address */
    struct sw_span mailer;            /* X-Mailer or User-Agent */
    struct sw_span originating_ip;    /* X-Originating-IP */
    struct sw_span received;          /* the beginning of the oldest Received field */
    struct sw_letterhead *letterhead; /* or NULL */
};

/* Of a mail whose header block was not seen. */
extern const struct sw_header sw_header_none;

/* One attempted mail: from its MAIL to what ended it. */
struct sw_message {
    struct sw_message *next;
    struct sw_step *mail; /* NULL when the capture starts behind it */
    struct sw_span sender;
    uint64_t size_declared;
    struct sw_recipient *recipients;
    struct sw_recipient *last_recipient;
    uint32_t index; /* 0, 1, ... within the session */
    uint32_t recipient_count;
    uint32_t accepted_count; /* RCPTs answered 2xx */
    bool has_size;
    bool body_seen;
    bool dot_alone;           /* the end of the text came in a packet without any text */
    bool chunks_missing;      /* a gap before the first octet of it that was seen */
    struct sw_step *data;     /* DATA, or the first BDAT */
    struct sw_step *go_ahead; /* 354; for BDAT NULL */
    struct sw_mark body_first, body_last;
    uint64_t body_octets;
    int64_t body_pause_ns;       /* the longest wait between two pieces of the text */
    uint64_t body_missing;       /* octets of it that the capture lacks */
    struct sw_step *end_of_data; /* the dot, or the BDAT LAST command */
    struct sw_mark end_mark;
    struct sw_step *final;          /* answer to the end of data (LMTP: the last one) */
    struct sw_step *abandoned;      /* RSET, EHLO or QUIT of the client that ended it */
    const struct sw_header *header; /* never NULL */
    struct sw_span message_id;      /* without angle brackets; empty when it was not seen */
    struct sw_span subject;         /* encoded words decoded to UTF-8 */
};

enum sw_auth_result {
    SW_AUTH_UNANSWERED,
    SW_AUTH_ACCEPTED,
    SW_AUTH_REJECTED,
    SW_AUTH_TEMPORARY,
    SW_AUTH_CANCELLED,
};

struct sw_auth {
    struct sw_auth *next;
    struct sw_span mechanism;
    enum smtp_mechanism kind;
    struct sw_span user;
    struct sw_span computer; /* the client's, where the mechanism tells it (NTLM) */
    struct sw_step *command;
    struct sw_step *last; /* the last client line of the exchange (the command itself when there was
                             no other) */
    struct sw_step *secret; /* the line that carries the password or token itself, or NULL */
    struct sw_step *reply;  /* the deciding reply, or NULL */
    enum sw_auth_result result;
    bool cancelled;
    bool encrypted;
    struct sw_span error_json; /* decoded 334 error of XOAUTH2/OAUTHBEARER */
    struct sw_step *challenge; /* the last 334 */
};

struct sw_capability {
    struct sw_capability *next;
    struct sw_span keyword;
    struct sw_span params;
};

/* One EHLO (LHLO, HELO) and what it told. */
struct sw_hello {
    struct sw_hello *next;
    struct sw_step *command;
    struct sw_step *reply;
    bool encrypted;
    struct sw_capability *capabilities; /* of a 250 to EHLO or LHLO */
};

/* Anything odd, with its place; the analyzer makes findings of it. */
struct sw_oddity {
    struct sw_oddity *next;
    enum smtp_anomaly kind;
    enum sw_side from;
    struct sw_mark mark;
    struct sw_span text;
    uint64_t number;
    uint32_t count; /* how often the same kind was seen from this side */
};

/* What the first bytes of a direction are. */
enum sw_content {
    SW_CONTENT_NOTHING,
    SW_CONTENT_SMTP,
    SW_CONTENT_TLS,
    SW_CONTENT_HTTP,
    SW_CONTENT_SSH,
    SW_CONTENT_POP3,
    SW_CONTENT_IMAP,
    SW_CONTENT_SOCKS,
    SW_CONTENT_PROXY, /* PROXY protocol */
    SW_CONTENT_FTP,
    SW_CONTENT_TEXT, /* printable, none of the above */
    SW_CONTENT_BINARY,
};

enum { SW_FIRST_BYTES = 96 };

/* What is known of them; they themselves: sw_session_opening(). */
struct sw_first_bytes {
    struct sw_mark mark;
    enum sw_content content : 8;
    uint8_t len;
    bool cut;     /* what came behind them is not in the capture */
    bool late;    /* nor is what came before them */
    bool settled; /* further ones will not change what they are */
};

/* A proxy that the client asked for its server, in the same connection. */
enum sw_proxy_kind {
    SW_PROXY_NONE,
    SW_PROXY_HTTP,
    SW_PROXY_SOCKS4,
    SW_PROXY_SOCKS5,
};

enum { SW_PROXIED_HOST = 253 };

struct sw_proxied {
    enum sw_proxy_kind kind;
    bool open;       /* the proxy connected; what follows is the dialogue with the server */
    bool refused;    /* it said no */
    uint16_t port;   /* asked for, 0 = never said */
    uint16_t status; /* HTTP status, or code of the SOCKS reply (255 = no login that suits) */
    struct sw_mark asked, answered;
    uint8_t host_length;
    uint8_t host[SW_PROXIED_HOST]; /* wire text */
};

/* How TLS stands. */
enum sw_tls_state {
    SW_TLS_NONE,
    SW_TLS_STARTTLS_ACCEPTED, /* 220 to STARTTLS, nothing yet behind it */
    SW_TLS_HELLO,             /* a ClientHello was seen */
    SW_TLS_SERVER_HELLO,      /* and records of the server */
    SW_TLS_APPLICATION,       /* both sides have finished the handshake: it is established */
    SW_TLS_CLEAR,             /* after STARTTLS clear text went on */
};

/* Caps of one session; fields that are 0 take their defaults. */
struct sw_session_limits {
    size_t arena_bytes;   /* everything that is kept of one session */
    uint32_t steps;       /* dialogue lines that are kept */
    uint32_t reply_bytes; /* text that is kept of one reply */
    bool aside;           /* only so much may be shown as other verdicts need (kept.c) */
    bool letterhead;      /* more of the headers of mails is kept */
};

/* Lists are appended at *tail; first holds the head. */
/* Bytes of a direction's stream, [begin, end), that were read as something that may be shown. */
struct sw_kept {
    struct sw_kept *next;
    uint64_t begin, end;
};

struct sw_session {
    struct sw_arena arena;
    const struct sw_flow_facts
        *facts;  /* the flow's; final once `ended`, borrowed as long as the record lives */
    char id[17]; /* 16 hex digits */
    char community_id[40]; /* "1:..." */
    bool ended;
    bool mail_port;         /* the server's port is one of the mail ports */
    bool implicit_tls_port; /* 465 */
    bool lmtp;
    bool swapped;       /* sides were corrected by content */
    bool has_dissector; /* SMTP was recognised */
    bool authenticated;
    const char *file;         /* name of the capture of its first frame, borrowed from the run */
    const char *const *files; /* the captures of the series that were read as one, */
    unsigned file_count;      /* 0 or 1: no series */
    enum sw_tls_state tls;
    const struct sw_lookup *lookup; /* not NULL: there was no connection; facts hold the client and
                                       the first and last frame only */
    const struct sw_naming *naming; /* what the client had looked up for the server, or NULL */
    const char *named;         /* what it is when it is none of the known; NULL: nobody can tell */
    struct sw_span given_name; /* of the server, as the capture itself says; empty = not at all */
    struct sw_mark
        final; /* when it was taken as final: last frame of it, and the clock at that moment */
    uint64_t lost_frames; /* that the recorder says it lost while this session ran, of any kind */

    struct sw_step *steps;
    struct sw_step **steps_tail;
    uint32_t step_count;
    uint32_t steps_left_out; /* over the cap: counted, not kept */

    struct sw_step *greeting;  /* reply that answers the connection, or NULL */
    int64_t greeting_delay_ns; /* from the handshake to its first byte, 0 = not known */
    struct sw_hello *hellos;
    struct sw_hello **hellos_tail;
    struct sw_hello *hello; /* the last one */
    struct sw_step *starttls;
    struct sw_auth *auths;
    struct sw_auth **auths_tail;
    struct sw_auth *auth; /* the running or last one */
    struct sw_message *messages;
    struct sw_message **messages_tail;
    struct sw_message *message; /* the running one, or NULL */
    uint32_t message_count;
    uint32_t gaps_in_dialogue; /* gaps that the dissector saw */
    struct sw_step *quit;
    struct sw_oddity *oddities;
    struct sw_oddity **oddities_tail;
    struct sw_step *last_command; /* the last command of the client */
    struct sw_step *last_reply;   /* the last reply of the server */
    struct sw_span proxied_for;   /* real client named by PROXY, XCLIENT or XFORWARD */

    struct sw_proxied *proxied;           /* NULL: none; see sw_session_proxied() */
    struct sw_first_bytes first_bytes[2]; /* by enum sw_side; behind a proxy: of the tunnel; behind
                                             a PROXY header: what comes after it */
    struct sw_tls *tls_facts;             /* NULL before the first byte of TLS */
    /* By enum sw_side, in order and disjoint: all that is known to be no login. What is not in the
     * list is either one, or nobody knows what it is. */
    struct sw_kept *kept[2];
    struct sw_kept *kept_last[2];
    struct sw_mark conflict; /* the first second copy of bytes that differed; frame 0 = none */
    bool text_unsure;        /* of the mail that is being sent: it may be commands as well */
    bool words_missing;  /* bytes of the client are missing behind the last words that are there */
    bool answer_missing; /* bytes of the server are missing behind the last reply that is there */
    bool limits_hit;
    uint32_t header_bytes; /* of a PROXY header, with which the client's bytes begin */

    /* private to the builder */
    uint32_t recipient_count;   /* of all messages */
    struct sw_step *adopted_to; /* up to here no reply waits for a login that came later */
    struct sw_session_limits limits;
    struct sw_step *unanswered; /* the first command that may still get a reply */
    uint8_t *reply_text;        /* the reply that is being read */
    uint32_t reply_used, reply_room;
    struct sw_header_reader *header_reader; /* of the session's mails, one after the other */
    bool reply_cut;
    uint8_t opening[2][SW_FIRST_BYTES]; /* the first bytes; nothing is set behind their lengths */
};

/* Walks of lists that everybody needs. */
#define SW_EACH(item, list) for ((item) = (list); (item); (item) = (item)->next)

/* The EHLO keyword of the capabilities in force at a hello, or NULL; case-insensitive. */
const struct sw_capability *sw_capability_find(const struct sw_hello *hello, const char *keyword);
/* The first bytes of a direction. */
static inline struct sw_span sw_session_opening(const struct sw_session *session, enum sw_side side)
{
    return sw_span_make(session->opening[side], session->first_bytes[side].len);
}
/* Of a session without a proxy it is empty. */
const struct sw_proxied *sw_session_proxied(const struct sw_session *session);
/* From the last byte of what a reply answers (a command, or the handshake) to its first one; 0: it
 * is not known. */
int64_t sw_session_delay(const struct sw_session *session, const struct sw_step *reply);
/* The last hello that was answered 2xx with the given encryption; NULL when there was none. */
const struct sw_hello *sw_session_hello(const struct sw_session *session, bool encrypted);
/* Name of the capture that a frame of the session stands in. */
const char *sw_session_file_of(const struct sw_session *session, uint64_t frame);
/* True when its first and last frame stand in different captures of a series. */
bool sw_session_spans_files(const struct sw_session *session);
/* 2xx, 4xx, 5xx? A missing reply is neither. */
static inline bool sw_reply_is(const struct sw_step *reply, int first_digit)
{
    return reply && reply->code / 100 == first_digit;
}
static inline bool sw_reply_is_refusal(const struct sw_step *reply)
{
    return sw_reply_is(reply, 4) || sw_reply_is(reply, 5);
}
/* The client has closed, and the server says that it noticed: "lost input connection". */
static inline bool sw_reply_to_nobody(const struct sw_step *reply)
{
    return reply->after_close && (reply->flags & SMTP_FLAG_UNSOLICITED);
}

#endif
