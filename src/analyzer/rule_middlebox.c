/*
 * rule_middlebox.c - devices and programs on the way that give themselves away in the dialogue.
 *
 * Another rule has said what stopped the mail; here that is laid at a middlebox's door when, and
 * only when, the bytes prove one: painted-over words, STARTTLS that vanished between two sessions
 * or was offered and then unknown, a scanner that greets with its name.
 */
#include "analyzer/case.h"

enum { STARTTLS_LETTERS = 8 };

/*
 * Cisco's PIX and ASA paint the greeting over with '*' and leave 0, 2 and blanks as they were;
 * Postfix knows them by the same sign (smtp_pix_workarounds). Ornament has letters beside it.
 */
static bool is_painted_greeting(const struct sw_step *greeting)
{
    enum { STARS = 4 };
    if (!greeting)
        return false;
    size_t stars = 0;
    for (size_t i = 0; i < greeting->text.len; i++) {
        if (sw_ascii_alpha(greeting->text.ptr[i]))
            return false;
        stars += greeting->text.ptr[i] == '*';
    }
    return stars >= STARS;
}

/* A keyword that is nothing but X and a letter that counts up: "XXXXXXXA", "XXXB". */
static bool is_painted_keyword(struct sw_span keyword)
{
    enum { XES = 3 };
    if (keyword.len <= XES)
        return false;
    for (size_t i = 0; i + 1 < keyword.len; i++) {
        if (keyword.ptr[i] != 'X')
            return false;
    }
    return keyword.ptr[keyword.len - 1] >= 'A' && keyword.ptr[keyword.len - 1] <= 'Z';
}

static bool offers_starttls(const struct sw_case *c)
{
    const struct sw_hello *hello;
    SW_EACH(hello, c->session->hellos) {
        if (!hello->encrypted && sw_capability_find(hello, "STARTTLS"))
            return true;
    }
    return false;
}

/* The painted keyword that has as many letters as STARTTLS (or any when `letters` is 0). */
static const struct sw_step *painted_hello(const struct sw_case *c, size_t letters)
{
    const struct sw_hello *hello;
    SW_EACH(hello, c->session->hellos) {
        const struct sw_capability *cap;
        SW_EACH(cap, hello->capabilities) {
            if (is_painted_keyword(cap->keyword) && (!letters || cap->keyword.len == letters))
                return hello->reply;
        }
    }
    return NULL;
}

const struct sw_step *sw_case_painted(const struct sw_case *c)
{
    if (is_painted_greeting(c->session->greeting))
        return c->session->greeting;
    return painted_hello(c, 0);
}

/* Is any of the words in the text, with no letter before and behind it? */
static bool has_word(struct sw_span text, const char *const *words)
{
    for (; *words; words++) {
        struct sw_span word = sw_span_str(*words);
        for (size_t at = 0; at + word.len <= text.len; at++) {
            size_t end = at + word.len;
            bool bounded = (at == 0 || !sw_ascii_alpha(text.ptr[at - 1])) &&
                           (end == text.len || !sw_ascii_alpha(text.ptr[end]));
            if (bounded && sw_span_eq_nocase(sw_span_sub(text, at, word.len), word))
                return true;
        }
    }
    return false;
}

/* A mail scanner of a security suite, by what it says behind the host name. */
static bool is_scanner(const struct sw_step *greeting)
{
    static const char *const makers[] = {"avast",     "avg",   "norton", "symantec",
                                         "kaspersky", "eset",  "mcafee", "bitdefender",
                                         "g data",    "avira", "panda",  NULL};
    static const char *const trades[] = {"shield",     "scanner",   "proxy",
                                         "anti-virus", "antivirus", NULL};
    if (!greeting)
        return false;
    struct sw_span said = greeting->text;
    struct sw_span first = sw_span_word(&said);
    if (sw_span_index(first, '.') == first.len)
        said = greeting->text; /* no host name in front */
    return has_word(said, makers) && has_word(said, trades);
}

/* Takes the place of the cause, which stays as a second one. */
static void blame(struct sw_ruling *ruling, enum sw_cause cause, const struct sw_step *proof,
                  const char *what)
{
    enum sw_cause before = ruling->cause;
    ruling->cause = cause;
    if (ruling->confidence == SW_CONFIDENCE_CERTAIN)
        ruling->confidence = SW_CONFIDENCE_LIKELY;
    sw_ruling_also_first(ruling, before, SW_CONFIDENCE_LIKELY);
    if (proof)
        sw_ruling_prove_step(ruling, proof, what);
}

static bool is_unknown_command(const struct sw_step *reply)
{
    static const char *const words[] = {
        "unrecognized",   "unrecognised",   "unknown", "not recognized",
        "not recognised", "not understood", NULL};
    return reply && (reply->code == 500 || reply->code == 502) && has_word(reply->text, words);
}

/* The client missed STARTTLS, or was told that there is none. */
static bool starttls_vanished(const struct sw_case *c, struct sw_ruling *ruling)
{
    const char *offered = "STARTTLS is offered";
    if (ruling->cause == SW_CAUSE_STARTTLS_REJECTED_PERM && offers_starttls(c) &&
        is_unknown_command(ruling->reply)) {
        const struct sw_hello *hello = sw_session_hello(c->session, false);
        blame(ruling, SW_CAUSE_MBX_STARTTLS_STRIPPED, hello ? hello->reply : NULL, offered);
        return true;
    }
    bool missed = ruling->cause == SW_CAUSE_STARTTLS_NOT_OFFERED && !offers_starttls(c);
    if (!missed || !c->history)
        return false;
    struct sw_mark offer = sw_history_offers_starttls(c->history, &c->facts->tuple);
    if (!offer.frame)
        return false;
    blame(ruling, SW_CAUSE_MBX_STARTTLS_STRIPPED, NULL, NULL);
    sw_ruling_prove_beside(ruling, offer, SW_ORIGIN_SERVER,
                           "the same server offered STARTTLS in an earlier session");
    return true;
}

/* What goes wrong because words of the server were painted over. */
static bool is_lost_by_painting(enum sw_cause cause)
{
    return cause == SW_CAUSE_HELLO_EHLO_UNSUPPORTED || cause == SW_CAUSE_STARTTLS_NOT_OFFERED ||
           cause == SW_CAUSE_STARTTLS_REJECTED_PERM || cause == SW_CAUSE_AUTH_NOT_OFFERED;
}

static bool may_be_lost_by_painting(enum sw_cause cause)
{
    return cause == SW_CAUSE_RCPT_RELAY_DENIED || cause == SW_CAUSE_AUTH_REQUIRED_NOT_ATTEMPTED ||
           cause == SW_CAUSE_STARTTLS_REQUIRED_NOT_USED || cause == SW_CAUSE_MAIL_POP_BEFORE_SMTP ||
           cause == SW_CAUSE_AUTH_MECH_MISMATCH || cause == SW_CAUSE_SMTP_REPLY_TIMEOUT;
}

static void painted_over(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_step *painted = sw_case_painted(c);
    if (!painted)
        return;
    bool dot_alone = c->session->message && c->session->message->dot_alone;
    if (ruling->cause == SW_CAUSE_DATA_NO_REPLY_AFTER_DOT && dot_alone)
        blame(ruling, SW_CAUSE_MBX_PIX_DOT_SPLIT, painted, "words painted over");
    else if (is_lost_by_painting(ruling->cause))
        blame(ruling, SW_CAUSE_MBX_ESMTP_MASKED, painted, "words painted over");
    else if (may_be_lost_by_painting(ruling->cause))
        sw_ruling_also(ruling, SW_CAUSE_MBX_ESMTP_MASKED, SW_CONFIDENCE_POSSIBLE);
    if (ruling->cause == SW_CAUSE_MBX_ESMTP_MASKED && painted_hello(c, STARTTLS_LETTERS) &&
        !offers_starttls(c))
        sw_ruling_also(ruling, SW_CAUSE_MBX_STARTTLS_STRIPPED, SW_CONFIDENCE_LIKELY);
}

/* A scanner that broke off or fell silent; what the real server says through it counts as ever. */
static void scanner_failed(const struct sw_case *c, struct sw_ruling *ruling)
{
    switch (ruling->cause) {
    case SW_CAUSE_TCP_RESET_BY_SERVER:
    case SW_CAUSE_TCP_SERVER_CLOSED_EARLY:
    case SW_CAUSE_SMTP_REPLY_TIMEOUT:
    case SW_CAUSE_DATA_NO_REPLY_AFTER_DOT:
    case SW_CAUSE_DATA_CLOSED_AFTER_DOT:
        break;
    default: /* the other causes have a reason of their own */
        return;
    }
    if (is_scanner(c->session->greeting))
        blame(ruling, SW_CAUSE_MBX_AV_PROXY, c->session->greeting, "a mail scanner greets");
}

void sw_blame_middlebox(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (ruling->outcome != SW_OUTCOME_STUCK)
        return;
    if (!starttls_vanished(c, ruling))
        painted_over(c, ruling);
    scanner_failed(c, ruling);
}
