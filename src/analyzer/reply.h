/*
 * reply.h - what a server means by a reply: the knowledge base of wordings and codes.
 *
 * The text outranks the enhanced code, the enhanced code outranks the basic code, all of them in
 * the light of the stage; permanence follows the first digit on the wire. Only plain words ("access
 * denied") say less than a provider's own number (5.7.705). Knowledge is rows in
 * reply_*.def: a new wording is one row there and one line in tests/replies/corpus.tsv.
 *
 * Invariants: a built sw_reply_kb is read-only and may be shared between threads. Reading a reply
 * takes time linear in its text (one Aho-Corasick automaton over all wordings), allocates nothing
 * and keeps nothing.
 */
#ifndef SW_ANALYZER_REPLY_H
#define SW_ANALYZER_REPLY_H

#include "analyzer/cause.h"
#include "analyzer/enhanced.h"

/* What the reply answers. */
enum sw_reply_stage {
    SW_REPLY_STAGE_GREETING, /* the connection itself */
    SW_REPLY_STAGE_HELLO,    /* EHLO, HELO, LHLO, and commands without a stage of their own */
    SW_REPLY_STAGE_STARTTLS,
    SW_REPLY_STAGE_AUTH,
    SW_REPLY_STAGE_MAIL,
    SW_REPLY_STAGE_RCPT,
    SW_REPLY_STAGE_DATA,  /* DATA, before any text */
    SW_REPLY_STAGE_FINAL, /* the end of data, or BDAT */
    SW_REPLY_STAGE_COUNT,
};

/*
 * What is known of the session when the reply arrives. Zero-initialise, then set what is known; the
 * facts below `dialogue_known` count only when it is set (a pasted reply has no dialogue).
 */
struct sw_reply_context {
    enum sw_reply_stage stage;
    bool chunk; /* it answers BDAT, a command, and no dot */
    bool dialogue_known;
    bool starttls_offered; /* by the EHLO reply in force or the one before TLS */
    bool tls_active;
    bool auth_offered;
    bool authenticated;        /* a 235 was seen */
    bool auth_oauth;           /* the AUTH exchange is XOAUTH2 or OAUTHBEARER */
    bool auth_cancelled;       /* the client sent '*' */
    bool client_spoke_early;   /* bytes of the client came before the greeting */
    bool spoke_after_starttls; /* bytes of the client came behind STARTTLS before its reply */
    bool wants_utf8;           /* the MAIL or RCPT asks for SMTPUTF8 */
    bool mail_accepted;        /* a mail of this connection was accepted before */
    bool inside_text;          /* it breaks into the text of a message, whose end nobody sent yet */
    uint32_t failed_logins;    /* rejected AUTH exchanges before this reply */
};

enum sw_reply_decided {
    SW_REPLY_BY_NOTHING,  /* a positive reply, or not a reply code at all */
    SW_REPLY_BY_TEXT,     /* a known wording */
    SW_REPLY_BY_ENHANCED, /* the enhanced status code and the stage */
    SW_REPLY_BY_CODE,     /* the basic code and the stage */
};

/* A row of the wording table: see reply_specific.def for what the fields hold. */
struct sw_reply_pattern {
    const char *needle;    /* lower case; '|' at an end asks for a word boundary there */
    const char *companion; /* a second needle that must be in the text too, or NULL */
    uint16_t stages;       /* bit mask over enum sw_reply_stage */
    uint16_t codes;        /* 0: any negative reply; 4 or 5: replies of that class; else one code */
    enum sw_cause cause;
    enum sw_cause also;
    const char *source;
    const char *example_code;
    bool plain; /* of reply_generic.def: words that many servers use for many things */
};

struct sw_reply_reading {
    enum sw_cause cause; /* SW_CAUSE_NONE when nothing negative was said */
    enum sw_cause also;  /* a weaker second reading, or SW_CAUSE_NONE */
    enum sw_permanence permanence;
    enum sw_reply_decided decided_by;
    size_t text_offset, text_length;    /* of the words that decided, in the text as given */
    const struct sw_reply_pattern *row; /* the row that decided, or NULL */
    bool own_number;                    /* a provider's own enhanced code decided */
    bool remapped;                      /* the stage turned the row's cause into another one */
    bool login_denied;                  /* it asks for the login that it has accepted */
};

/* In the tables this word stands for any IPv4 address. */
#define SW_REPLY_ADDRESS "<ip>"

struct sw_reply_automaton;

/* The numbers of a row's words in the automaton, and the next row with the same needle, plus one;
 * 0: none. */
struct sw_reply_words {
    uint16_t needle, companion;
    uint16_t next;
};

struct sw_reply_kb {
    struct sw_reply_automaton *automaton;
    struct sw_reply_words *words; /* of each row */
    uint16_t *first_row;          /* of each word: the first row it is the needle of, plus one */
    uint16_t address;             /* number of the word for an address */
};

/* Builds the automaton (about 200 kB). False when there is no memory. */
bool sw_reply_kb_init(struct sw_reply_kb *kb);
/* Gives it back; the base may be built again. */
void sw_reply_kb_release(struct sw_reply_kb *kb);

/*
 * Reads one reply. `text`: all its lines without codes and separators, joined by LF (an enhanced
 * code at the start of a line may still be there); only the first 64 KiB are looked at. `enhanced`:
 * the first enhanced code, klass 0 for none. Fills *out wholly. RFC 5321 section 4.2, RFC 3463.
 */
void sw_reply_read(const struct sw_reply_kb *kb, int code, struct sw_enhanced enhanced,
                   struct sw_span text, const struct sw_reply_context *ctx,
                   struct sw_reply_reading *out);

/* "greeting", "hello", ... "final". */
const char *sw_reply_stage_name(enum sw_reply_stage stage);
/* "text", "enhanced", "code", "nothing". */
const char *sw_reply_decided_name(enum sw_reply_decided decided);

/* The table of wordings, for tests and listings; *count gets the number of rows. */
const struct sw_reply_pattern *sw_reply_patterns(size_t *count);

#endif
