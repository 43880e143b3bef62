#include "dissectors/smtp/internal.h"

enum { NAME_ROOM = 16, SIGN = 4 };

static const char names[SMTP_VERB_COUNT][NAME_ROOM] = {
    [SMTP_VERB_NONE] = "",
    [SMTP_VERB_UNKNOWN] = "",
    [SMTP_VERB_JUNK] = "",
    [SMTP_VERB_HELO] = "HELO",
    [SMTP_VERB_EHLO] = "EHLO",
    [SMTP_VERB_LHLO] = "LHLO",
    [SMTP_VERB_MAIL] = "MAIL",
    [SMTP_VERB_RCPT] = "RCPT",
    [SMTP_VERB_DATA] = "DATA",
    [SMTP_VERB_BDAT] = "BDAT",
    [SMTP_VERB_BURL] = "BURL",
    [SMTP_VERB_RSET] = "RSET",
    [SMTP_VERB_NOOP] = "NOOP",
    [SMTP_VERB_QUIT] = "QUIT",
    [SMTP_VERB_VRFY] = "VRFY",
    [SMTP_VERB_EXPN] = "EXPN",
    [SMTP_VERB_HELP] = "HELP",
    [SMTP_VERB_AUTH] = "AUTH",
    [SMTP_VERB_STARTTLS] = "STARTTLS",
    [SMTP_VERB_X_ANONYMOUSTLS] = "X-ANONYMOUSTLS",
    [SMTP_VERB_ETRN] = "ETRN",
    [SMTP_VERB_ATRN] = "ATRN",
    [SMTP_VERB_TURN] = "TURN",
    [SMTP_VERB_XCLIENT] = "XCLIENT",
    [SMTP_VERB_XFORWARD] = "XFORWARD",
    [SMTP_VERB_XEXCH50] = "XEXCH50",
    [SMTP_VERB_SEND] = "SEND",
    [SMTP_VERB_SOML] = "SOML",
    [SMTP_VERB_SAML] = "SAML",
    [SMTP_VERB_DEBUG] = "DEBUG",
    [SMTP_VERB_WIZ] = "WIZ",
    [SMTP_VERB_AUTH_DATA] = "(auth)",
    [SMTP_VERB_END_OF_DATA] = ".",
};

const char *smtp_verb_name(enum smtp_verb verb)
{
    return names[verb];
}

/* The first bytes of a word as one number, in which the case of letters is lost; few words have the
 * same. */
static uint32_t sign_of(const void *word, size_t len)
{
    const uint32_t without_case = 0xDFDFDFDF;
    uint32_t sign = 0;
    if (len >= SIGN)
        memcpy(&sign, word, SIGN);
    else
        memcpy(&sign, word, len);
    return sign & without_case;
}

enum smtp_verb smtp_verb_of(struct sw_span word)
{
    if (word.len == 0 || !sw_ascii_alpha(word.ptr[0]))
        return SMTP_VERB_JUNK;
    if (word.len == 6 && sw_span_eq_nocase(word, SW_SPAN_LIT("X-EXPS")))
        return SMTP_VERB_AUTH; /* what Exchange calls it between its own servers */
    uint32_t sign = sign_of(word.ptr, word.len);
    for (int v = SMTP_VERB_HELO; v < SMTP_VERB_AUTH_DATA; v++) {
        if (sign != sign_of(names[v], SIGN))
            continue;
        bool whole = word.len == SIGN && names[v][SIGN] == '\0'; /* letters, of which all agree */
        if (whole || sw_span_eq_nocase(word, sw_span_str(names[v])))
            return (enum smtp_verb)v;
    }
    for (size_t i = 0; i < word.len; i++) {
        if (!sw_ascii_alpha(word.ptr[i]) && !sw_ascii_digit(word.ptr[i]) && word.ptr[i] != '-')
            return SMTP_VERB_JUNK;
    }
    return SMTP_VERB_UNKNOWN;
}

/* An argument of one word with, for some verbs, something known behind it: "EHLO a b c" is prose.
 */
static bool is_one_word(struct sw_span rest)
{
    struct sw_span word = sw_span_word(&rest);
    return word.len > 0 && sw_span_trim(rest).len == 0;
}

static bool is_login(struct sw_span rest)
{
    struct sw_span mechanism = sw_span_word(&rest);
    return smtp_mechanism_of(mechanism) != SMTP_MECH_UNKNOWN &&
           (sw_span_trim(rest).len == 0 || is_one_word(rest));
}

static bool is_chunk(struct sw_span rest)
{
    uint64_t size;
    struct sw_span number = sw_span_word(&rest);
    struct sw_span last = sw_span_trim(rest);
    return sw_span_u64(number, &size) &&
           (last.len == 0 || sw_span_eq_nocase(last, SW_SPAN_LIT("LAST")));
}

/* MAIL without FROM: and the like occur in texts too; a line that is to be taken for a command
 * needs its grammar. */
bool smtp_looks_like_command(struct sw_span line)
{
    struct sw_span rest = line;
    struct sw_span word = sw_span_word(&rest);
    if (word.ptr != line.ptr)
        return false; /* no command begins with a blank, folded headers do */
    rest = sw_span_trim(rest);
    switch (smtp_verb_of(word)) {
    case SMTP_VERB_MAIL:
        return sw_span_starts_nocase(rest, SW_SPAN_LIT("FROM:"));
    case SMTP_VERB_RCPT:
        return sw_span_starts_nocase(rest, SW_SPAN_LIT("TO:"));
    case SMTP_VERB_AUTH:
        return is_login(rest);
    case SMTP_VERB_BDAT:
        return is_chunk(rest);
    case SMTP_VERB_HELO:
    case SMTP_VERB_EHLO:
    case SMTP_VERB_LHLO:
    case SMTP_VERB_VRFY:
    case SMTP_VERB_EXPN:
        return is_one_word(rest);
    case SMTP_VERB_DATA:
    case SMTP_VERB_RSET:
    case SMTP_VERB_NOOP:
    case SMTP_VERB_QUIT:
    case SMTP_VERB_STARTTLS:
    case SMTP_VERB_X_ANONYMOUSTLS:
        return rest.len == 0;
    case SMTP_VERB_NONE:
    case SMTP_VERB_UNKNOWN:
    case SMTP_VERB_JUNK:
    case SMTP_VERB_BURL:
    case SMTP_VERB_HELP:
    case SMTP_VERB_ETRN:
    case SMTP_VERB_ATRN:
    case SMTP_VERB_TURN:
    case SMTP_VERB_XCLIENT:
    case SMTP_VERB_XFORWARD:
    case SMTP_VERB_XEXCH50:
    case SMTP_VERB_SEND:
    case SMTP_VERB_SOML:
    case SMTP_VERB_SAML:
    case SMTP_VERB_DEBUG:
    case SMTP_VERB_WIZ:
    case SMTP_VERB_AUTH_DATA:
    case SMTP_VERB_END_OF_DATA:
    case SMTP_VERB_COUNT:
        break;
    }
    return false;
}
