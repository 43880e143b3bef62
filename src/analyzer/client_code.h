/*
 * client_code.h - what the user's program shows (0x800CCC0B, "smtpSendTimeout", curl's 35) and the
 * causes that lie behind it.
 *
 * A code explains what the user saw; it is never evidence: the relation is many to many. Constant
 * data from client_code.def.
 */
#ifndef SW_ANALYZER_CLIENT_CODE_H
#define SW_ANALYZER_CLIENT_CODE_H

#include "analyzer/cause.h"

enum { SW_CLIENT_CODE_CAUSES = 12 };

struct sw_client_code {
    const char *client;  /* "Thunderbird", "curl / libcurl (smtp, smtps)", ... */
    const char *code;    /* as the program shows it; may hold several, or a range */
    const char *symbol;  /* its name in the program's sources, or "" */
    const char *message; /* what the user reads */
    const char *wire;    /* what a capture shows when this appears */
    enum sw_cause causes[SW_CLIENT_CODE_CAUSES]; /* ends with SW_CAUSE_NONE when not full */
};

/* The whole table; *count gets the number of rows. */
const struct sw_client_code *sw_client_codes(size_t *count);
/* The program of a row as one would name it to a person. */
const char *sw_client_code_program(const struct sw_client_code *row);
/* Is it one of those that a cause shows as? Not those without a code of their own, nor what
 * libraries say. */
bool sw_client_code_listed(const struct sw_client_code *row);
/*
 * The next code that a cause shows as: pass NULL first, then the row before. NULL at the end.
 */
const struct sw_client_code *sw_client_code_next(enum sw_cause cause,
                                                 const struct sw_client_code *before);
/*
 * The row that a user's words name: hexadecimal, decimal (signed or not) form of a Windows code, a
 * Winsock number, a symbol, the quoted message of a program, a phrase of a mail server's log; alone
 * or inside other text. Pass NULL first, then the row before, for all rows, the best fit first.
 * NULL at the end.
 */
const struct sw_client_code *sw_client_code_find(struct sw_span words,
                                                 const struct sw_client_code *before);

/*
 * How well a row fits the words: 0 not at all, else the more the better.
 */
size_t sw_client_code_weight(const struct sw_client_code *row, struct sw_span words);
/* Of a row's code, which may hold several, the sentence that the words hold; all of it where they
 * hold none. Constant text. */
struct sw_span sw_client_code_said(const struct sw_client_code *row, struct sw_span words);
/* True when the words hold the row's number or name, not only a sentence like its message. */
bool sw_client_code_certain(const struct sw_client_code *row, struct sw_span words);

#endif
