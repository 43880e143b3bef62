/*
 * smtp.h - the SMTP dissector: bytes of both directions in, the dialogue out as events.
 *
 * Pure: no allocation, no I/O. The state is a plain struct owned by the caller; unfinished lines
 * live in blocks that the caller lends (base/text.h). Replies drive the state, not commands (RFC
 * 5321 3.3): a body begins at the 354, a hand-over to TLS at the 220 that answers STARTTLS.
 *
 * Bytes whose meaning only the server's next reply decides (what follows DATA, AUTH, STARTTLS) are
 * not consumed: smtp_feed() then returns less than it was given and the caller keeps the rest
 * ("held") and offers it again after smtp_holds_client() has become false. One rule, no guessing,
 * and the same events for any chunking.
 *
 * Secrets never become part of an event: of AUTH only the mechanism, the user name and lengths come
 * out, a line that is no command we know is not quoted where it may be a misplaced login, and a
 * line of the server that repeats any of it is cut there.
 *
 * Life: init, then any of feed, gap; end; release.
 */
#ifndef SW_DISSECTORS_SMTP_SMTP_H
#define SW_DISSECTORS_SMTP_SMTP_H

#include "base/text.h"
#include "dissectors/dissector.h"

/* Verbs we know; SMTP_VERB_UNKNOWN is any other word, SMTP_VERB_JUNK a line that begins with no
 * word at all. */
enum smtp_verb {
    SMTP_VERB_NONE, /* no command: the connection itself (the greeting answers it) */
    SMTP_VERB_UNKNOWN,
    SMTP_VERB_JUNK,
    SMTP_VERB_HELO,
    SMTP_VERB_EHLO,
    SMTP_VERB_LHLO,
    SMTP_VERB_MAIL,
    SMTP_VERB_RCPT,
    SMTP_VERB_DATA,
    SMTP_VERB_BDAT,
    SMTP_VERB_BURL,
    SMTP_VERB_RSET,
    SMTP_VERB_NOOP,
    SMTP_VERB_QUIT,
    SMTP_VERB_VRFY,
    SMTP_VERB_EXPN,
    SMTP_VERB_HELP,
    SMTP_VERB_AUTH,
    SMTP_VERB_STARTTLS,
    SMTP_VERB_X_ANONYMOUSTLS,
    SMTP_VERB_ETRN,
    SMTP_VERB_ATRN,
    SMTP_VERB_TURN,
    SMTP_VERB_XCLIENT,
    SMTP_VERB_XFORWARD,
    SMTP_VERB_XEXCH50, /* Exchange to Exchange: properties as octets, behind a 354 */
    SMTP_VERB_SEND,
    SMTP_VERB_SOML,
    SMTP_VERB_SAML,
    SMTP_VERB_DEBUG,
    SMTP_VERB_WIZ,
    SMTP_VERB_AUTH_DATA,   /* a continuation line of AUTH */
    SMTP_VERB_END_OF_DATA, /* the dot; also what the final replies of LMTP answer */
    SMTP_VERB_COUNT,
};

/* Upper-case name of a verb ("MAIL"); "." for END_OF_DATA, "" for NONE, UNKNOWN, JUNK, "(auth)" for
 * AUTH_DATA. */
const char *smtp_verb_name(enum smtp_verb verb);

/* Enhanced status code (RFC 3463: subject and detail have three digits at most); klass 0 = there
 * is none. */
struct smtp_enhanced {
    uint32_t klass : 4;
    uint32_t subject : 14;
    uint32_t detail : 14;
};

/* Mechanisms of AUTH (RFC 4954 and the IANA SASL registry). */
enum smtp_mechanism {
    SMTP_MECH_UNKNOWN,
    SMTP_MECH_PLAIN,
    SMTP_MECH_LOGIN,
    SMTP_MECH_CRAM_MD5,
    SMTP_MECH_DIGEST_MD5,
    SMTP_MECH_SCRAM, /* every SCRAM-* */
    SMTP_MECH_NTLM,
    SMTP_MECH_GSSAPI, /* GSSAPI, GS2-*, NEGOTIATE, GSS-SPNEGO */
    SMTP_MECH_XOAUTH2,
    SMTP_MECH_OAUTHBEARER,
    SMTP_MECH_EXTERNAL,
    SMTP_MECH_ANONYMOUS,
};

enum smtp_event_kind {
    SMTP_EVENT_COMMAND,      /* a line of the client: command or AUTH continuation */
    SMTP_EVENT_REPLY_LINE,   /* one line of a reply that has several, or may have */
    SMTP_EVENT_REPLY,        /* a reply is complete (or was cut, see flags) */
    SMTP_EVENT_AUTH_USER,    /* the user name of the running AUTH became known */
    SMTP_EVENT_DATA_BEGIN,   /* 354: what follows is the message */
    SMTP_EVENT_BODY,         /* octets of a message (DATA after the 354, or BDAT) */
    SMTP_EVENT_END_OF_DATA,  /* the dot, or the last octet of a BDAT LAST chunk */
    SMTP_EVENT_TLS_HANDOVER, /* 220 to STARTTLS: the next byte of each direction is TLS */
    SMTP_EVENT_RESUMED,      /* clear text went on after the hand-over (decrypted capture) */
    SMTP_EVENT_GAP,          /* bytes are missing here */
    SMTP_EVENT_ANOMALY,
    SMTP_EVENT_PROXY, /* a whole PROXY protocol header before the greeting; text = source address,
                         begin and end = all of it */
};

enum smtp_anomaly {
    SMTP_ODD_JUNK_LINE,          /* server line that is no reply */
    SMTP_ODD_MIXED_CODES,        /* code changes inside a multi-line reply; the last one counts */
    SMTP_ODD_UNTERMINATED_REPLY, /* "250-" was never followed by "250 ", the dialogue went on */
    SMTP_ODD_BARE_LF,            /* line ended by LF alone */
    SMTP_ODD_BARE_CR,
    SMTP_ODD_LONG_LINE,      /* over the limits of RFC 5321 4.5.3.1 (of a text: told at its end) */
    SMTP_ODD_EARLY_TALKER,   /* the client speaks before the greeting */
    SMTP_ODD_AFTER_STARTTLS, /* client bytes behind STARTTLS before its reply */
    SMTP_ODD_INJECTED_REPLY, /* server bytes behind the 220 that are no TLS */
    SMTP_ODD_OPAQUE,         /* nothing more is read; number = enum smtp_opaque */
    SMTP_ODD_PIPELINED,      /* command sent before the reply to the one before it */
    SMTP_ODD_BAD_BDAT,       /* BDAT whose argument is no chunk size */
    SMTP_ODD_QUEUE_FULL,     /* more commands outstanding than are kept; told once */
    SMTP_ODD_RESYNC,         /* the dissector found its place again after a gap or in mid-stream */
    SMTP_ODD_FALSE_END, /* an end-of-data look-alike inside a message; number = enum smtp_false_end.
                           Each variant is told once a message */
    SMTP_ODD_NUL,       /* a NUL in a command or reply */
    SMTP_ODD_SMUGGLING, /* a mail command stands right behind an end-of-data look-alike; number =
                           enum smtp_false_end. Each variant is told once a message */
    SMTP_ODD_FALSE_END_TAKEN, /* the server answered at an end-of-data look-alike: it was the end */
    SMTP_ODD_FALSE_END_LAST,  /* the text breaks off behind one that was not answered; number = enum
                                 smtp_false_end */
};

/* End-of-data look-alikes (CERT VU#302671): every pair of line ends around a dot but CRLF, CRLF. */
enum smtp_false_end {
    SMTP_FALSE_LF_DOT_LF = 1,
    SMTP_FALSE_LF_DOT_CRLF = 2,
    SMTP_FALSE_CRLF_DOT_LF = 3,
    SMTP_FALSE_CRLF_DOT_CR = 4,
    SMTP_FALSE_LF_DOT_CR = 5,
    SMTP_FALSE_CR_DOT_CR = 6,
    SMTP_FALSE_CR_DOT_CRLF = 7,
    SMTP_FALSE_CR_DOT_LF = 8,
    SMTP_FALSE_END_COUNT,
};

/* Why nothing more is read. */
enum smtp_opaque {
    SMTP_OPAQUE_TURNED = 1,     /* ATRN or TURN: the server is the client now (RFC 2645 5.2.1) */
    SMTP_OPAQUE_SASL_LAYER = 2, /* the login agreed upon encryption of its own (RFC 4954 4) */
};

/* Flags of commands and replies. */
enum smtp_flag {
    SMTP_FLAG_CUT = 0x01,         /* cut by a gap, the end, or a cap: text is what there is */
    SMTP_FLAG_UNSOLICITED = 0x02, /* reply that answers no command */
    SMTP_FLAG_LAST = 0x04,        /* BDAT or BURL ... LAST; reply: the final answer to a message */
    SMTP_FLAG_PIPELINED = 0x08,   /* command sent while an earlier one was unanswered */
    SMTP_FLAG_INITIAL = 0x10,     /* AUTH with an initial response */
    SMTP_FLAG_CANCEL = 0x20,      /* AUTH continuation "*" */
    SMTP_FLAG_GUESSED = 0x40,     /* read in mid-stream or after a gap: the pairing is a guess */
    SMTP_FLAG_RECIPIENT =
        0x80, /* LMTP: one of the final replies, number = index among accepted recipients */
    SMTP_FLAG_EMPTY = 0x100,  /* AUTH continuation without a byte */
    SMTP_FLAG_HIDDEN = 0x200, /* a line that is no command: it may hold a secret and is not told */
    SMTP_FLAG_UNSURE = 0x400, /* reply: others are lost, and it may as well answer another command
                                 than the one that is named */
    SMTP_FLAG_ONE_LINE = 0x800, /* reply: its only line was not told before, it is `text` */
    SMTP_FLAG_SECRET = 0x1000,  /* AUTH or its continuation: with the password or token itself */
};

/*
 * One event. Spans live only during the emit call. Fields that a kind does not name are zero.
 *
 * COMMAND: id (1, 2, ... in the order sent), verb, word (the verb as written), text = argument
 * (AUTH: mechanism only; AUTH_DATA: empty; BURL: without its access token; empty as well for an
 * unknown verb or a junk line that may hold a secret or be part of a refused text), number = size
 * of BDAT chunk / length of AUTH data, flags, begin/end = first and last byte. REPLY_LINE: code,
 * text = the line behind code and separator, number = index of the line, flags CUT. A junk line
 * inside a reply has code 0. REPLY: code (0 when no three digits could be read), enhanced (of the
 * first line that has one), answers = id of the command (0 = none: greeting or unsolicited), verb =
 * the verb answered, number = lines, begin = first, end = last byte. Follows its REPLY_LINEs, but
 * for one with the flag ONE_LINE, which has none: text = the line behind code and separator. A junk
 * line outside a reply is a REPLY with code 0 of its own that answers nothing, and takes no command
 * off the queue. AUTH_USER: text = user name (decoded, may hold any bytes), word = the client's
 * computer (NTLM only, else empty), mechanism, answers = id of the AUTH command. DATA_BEGIN,
 * END_OF_DATA: id/answers = DATA or BDAT command; END_OF_DATA has an id of its own (it is answered
 * like a command), number = octets of the message after dot-unstuffing, without the terminator,
 * begin = end = its last byte. BODY: text = the octets as they came (dots still stuffed, without
 * the terminator, in pieces that depend on the chunks), number = their count; flags CUT with a
 * count but no text for octets that are missing, GUESSED without text when it is not sure that this
 * is a message. ANOMALY: anomaly, text = a short excerpt (of server lines only), from.
 */
struct smtp_event {
    enum smtp_event_kind kind;
    enum sw_from from;
    enum smtp_verb verb;
    enum smtp_anomaly anomaly;
    enum smtp_mechanism mechanism;
    uint32_t flags;
    uint32_t id;
    uint32_t answers;
    uint16_t code;
    struct smtp_enhanced enhanced;
    struct sw_span word;
    struct sw_span text;
    uint64_t number;
    struct sw_at begin;
    struct sw_at end;
};

struct smtp_sink {
    void (*emit)(void *ctx, const struct smtp_event *event);
    void *ctx;
};

enum {
    SMTP_QUEUE = 32, /* runs of outstanding commands that are kept; what is beyond is counted, and
                        its replies answer nothing that is known */
};

/* What a client line is at this moment. */
enum smtp_mode {
    SMTP_MODE_UNKNOWN, /* mid-stream or after a gap: body or commands, not yet told */
    SMTP_MODE_COMMAND,
    SMTP_MODE_WAIT, /* held: the reply to DATA, AUTH or STARTTLS decides */
    SMTP_MODE_AUTH, /* 334 was given: the next line is AUTH data */
    SMTP_MODE_BODY,
    SMTP_MODE_BDAT,
    SMTP_MODE_TLS,    /* handed over */
    SMTP_MODE_OPAQUE, /* bytes are taken and not looked at */
};

/* A run of unanswered commands of one kind with consecutive ids: fifty RCPT take one entry. */
struct smtp_pending {
    uint32_t id; /* of the first */
    uint16_t count;
    uint8_t verb;
    uint8_t flags;
};

enum { SMTP_SECRETS = 8, SMTP_BEHIND_BYTES = 10, SMTP_PROXY_BYTES = 32 };

/* Something of a login that a server might repeat. */
struct smtp_secret {
    uint64_t hash;
    uint32_t length;
};

/* The whole state: under 1 KiB, no pointers but the lender's blocks. Fields are private to
 * dissectors/smtp, but for `mode`, which the caller may read. What most sessions never touch stands
 * at the end. */
struct smtp_state {
    struct sw_lines lines[2];   /* by enum sw_from */
    struct sw_at line_begin[2]; /* of the line that is being read */
    enum smtp_mode mode;
    bool midstream;
    bool lmtp;
    bool server_spoke;
    bool greeted;
    bool after_gap[2];
    bool skip_to_line_end[2]; /* in the middle of a line after a gap */
    uint32_t next_id;
    /* unanswered commands; they themselves stand in `queue` */
    uint16_t queue_head, queue_len; /* runs */
    uint32_t queue_lost;            /* outstanding commands beyond the queue */
    bool told_full;
    bool pipelines;    /* the client has sent commands without waiting for replies */
    bool unsure;       /* replies are lost, and it is not known whose */
    uint8_t sent_last; /* the verb of the last command */
    /* what is waited for in SMTP_MODE_WAIT */
    uint32_t wait_id;
    uint8_t wait_verb;
    bool wait_unsure; /* the reply may be lost: the bytes themselves decide */
    bool decide;      /* SMTP_MODE_UNKNOWN: the first line tells whether a DATA was accepted */
    /* the client's lines */
    bool text_refused;   /* DATA was refused: what is no command may be the text all the same */
    bool text_over;      /* it went on behind its end: the server takes its lines for commands */
    bool near_login;     /* what is no command may be a misplaced password */
    uint16_t junk_lines; /* in a row that are no commands */
    bool told_early;
    bool told_behind;    /* bytes behind STARTTLS were reported */
    bool tls_checked;    /* the server's first byte after the hand-over was looked at */
    bool sasl_layer;     /* the login that was accepted may have brought one */
    bool resumed;        /* clear text went on after a hand-over; TLS may still begin */
    bool proxy_checked;  /* there is no header of the PROXY protocol, version 2, or no more of it */
    uint32_t proxy_left; /* bytes of it still to come */
    /* running reply */
    bool junk_answer; /* a line that is no reply came while a command was unanswered */
    bool reply_open;
    uint16_t reply_code;
    uint32_t reply_lines;
    struct smtp_enhanced reply_enhanced;
    uint32_t reply_flags;
    struct sw_at reply_begin;
    /* running AUTH */
    enum smtp_mechanism mechanism;
    uint32_t auth_id;
    uint8_t auth_step;
    uint8_t auth_prompt; /* what the server's last 334 asks for: 'u', 'p', 0, or '?': it is lost */
    bool auth_user_told;
    bool auth_unsure; /* nobody said 334: a line that is a command ends the login */
    /* running message */
    uint32_t body_id;
    uint64_t body_octets;
    uint64_t bdat_left;
    bool bdat_blob; /* the octets are none of a message (XEXCH50) */
    bool bdat_last;
    uint8_t body_state;      /* the last octets seen, as a state of the end-of-data automaton */
    uint8_t false_end;       /* the last end-of-data look-alike of this text, 0 = none */
    bool told_lf, told_cr;   /* lone line ends of this text were reported */
    bool behind_open;        /* the line behind the look-alike is being looked at */
    bool line_dotted;        /* the open line of the text begins with a (doubled) dot */
    uint32_t line_octets;    /* of that line */
    uint16_t told_false_end; /* variants that were reported, as bits */
    uint16_t told_smuggling;
    uint32_t accepted_recipients; /* of the running transaction, for LMTP */
    uint32_t lmtp_replies;        /* final replies given so far */
    bool told_long;
    uint8_t behind_len;
    uint8_t proxy_have;
    uint8_t secret_next;
    struct smtp_pending queue[SMTP_QUEUE]; /* from `queue_head` on; mostly only the first is used */
    struct sw_at long_line; /* where the first line of the text passed its limit; frame 0 = none */
    uint64_t wait_missing; /* octets that the capture lacks behind the command that is waited for */
    struct sw_at false_end_at;                /* the look-alike's last byte */
    uint64_t false_end_octets;                /* of the text, up to and with it */
    struct sw_at behind_begin;                /* of the line behind it */
    struct smtp_secret secrets[SMTP_SECRETS]; /* the last ones */
    uint8_t behind[SMTP_BEHIND_BYTES];        /* the first bytes of the line behind a look-alike */
    uint8_t proxy[SMTP_PROXY_BYTES];          /* of the client while they may be such a header */
};

enum { SMTP_NEAR_BYTES = offsetof(struct smtp_state, queue) }; /* all that most sessions need */

/* `midstream`: the capture does not show the connection's beginning. `lender` must outlive the
 * state. */
void smtp_init(struct smtp_state *state, const struct sw_lender *lender, bool midstream);

/*
 * Takes one piece. Returns the bytes used: less than piece->bytes.len when the rest is held
 * (client), when a hold has just ended (server: offer the held bytes first, then the rest), or, in
 * either direction, when the rest belongs to TLS (state->mode == SMTP_MODE_TLS after
 * SMTP_EVENT_TLS_HANDOVER; what is held comes first then too). In that mode it uses nothing; it may
 * still be offered the server's first bytes behind the hand-over, and says whether they are no TLS
 * (SMTP_ODD_INJECTED_REPLY). It also stops behind SMTP_EVENT_PROXY, where TLS may begin: then the
 * rest is offered again at once, unless it is TLS.
 */
size_t smtp_feed(struct smtp_state *state, const struct sw_piece *piece,
                 const struct smtp_sink *sink);

/* True while client bytes cannot be judged before the server speaks. */
bool smtp_holds_client(const struct smtp_state *state);

/*
 * The reply that would decide will not come (it is lost, the capture has one side only, or too much
 * is held): what follows is judged by what it looks like. After STARTTLS the first byte of `next`
 * (the held bytes) decides, else the lines that are fed from now on. Afterwards smtp_holds_client()
 * is false.
 */
void smtp_release_hold(struct smtp_state *state, struct sw_span next, const struct smtp_sink *sink);

/* `length` bytes of one direction are missing at `at` (0 = unknown many). */
void smtp_gap(struct smtp_state *state, enum sw_from from, uint64_t length, struct sw_at at,
              const struct smtp_sink *sink);

/* True for the first byte of a TLS record or of an SSL 2 hello, which is none of a command. */
bool smtp_is_tls_byte(uint8_t first);

/* After a hand-over clear text goes on (the capture was decrypted in place): back to commands. */
void smtp_resume_clear(struct smtp_state *state, struct sw_at at, const struct smtp_sink *sink);

/* One direction ends; unfinished lines come out with SMTP_FLAG_CUT. Call for both, then release. */
void smtp_end(struct smtp_state *state, enum sw_from from, struct sw_at at,
              const struct smtp_sink *sink);

/* Gives lent blocks back, and wipes what may be part of a secret. */
void smtp_release(struct smtp_state *state);

enum { SMTP_PROBE_COMMON = 40 }; /* words that other protocols have, too */

/*
 * How much the first bytes of a direction look like SMTP, 0 (no) to 100 (certain).
 * Server: "220 ", "220-", "421 ", "554 " and kin, higher with ESMTP/SMTP/mail words, 0 for other
 * bytes. Client: a known verb at the start of a line; 0 for other bytes. An unfinished first word
 * gives 1: wait for more.
 */
int smtp_probe(enum sw_from from, struct sw_span first);
/* Whether that is more than 1. */
bool smtp_probe_fits(enum sw_from from, struct sw_span first);

/* Parts of lines that several readers need. */

/*
 * Cuts the reverse-path or forward-path out of the argument of MAIL or RCPT ("FROM:<a@b> SIZE=1"):
 * *path is what stands between the angle brackets (or the bare word), *params the rest. False when
 * there is no colon.
 */
bool smtp_path_parse(struct sw_span argument, struct sw_span *path, struct sw_span *params);
/* Value of one ESMTP parameter ("SIZE") in params, case-insensitive; false when it is not there. */
bool smtp_param_find(struct sw_span params, const char *keyword, struct sw_span *value);
/* One EHLO reply line "KEYWORD args": keyword and parameters. "AUTH=LOGIN" gives keyword "AUTH="
 * (legacy form). */
void smtp_keyword_parse(struct sw_span line, struct sw_span *keyword, struct sw_span *params);
/* Reads "5.7.1" at the start of text (class must be 2, 4 or 5); *used gets its length with one
 * following blank. */
bool smtp_enhanced_parse(struct sw_span text, struct smtp_enhanced *enhanced, size_t *used);
enum smtp_mechanism smtp_mechanism_of(struct sw_span name);

#endif
