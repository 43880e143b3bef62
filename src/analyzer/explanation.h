/*
 * explanation.h - the answer to "what does this mean?": a cause or finding id, what the user's
 * program shows, a reply code, or a reply pasted from anywhere.
 *
 * Nothing is printed here. All strings are constants or live in the caller's arena; parts of the
 * query that come back are printable text with every other byte escaped.
 */
#ifndef SW_ANALYZER_EXPLANATION_H
#define SW_ANALYZER_EXPLANATION_H

#include "analyzer/client_code.h"
#include "analyzer/finding.h"
#include "analyzer/reply.h"
#include "base/arena.h"

enum sw_explanation_kind {
    SW_EXPLANATION_CAUSE,
    SW_EXPLANATION_FINDING,
    SW_EXPLANATION_CLIENT_CODE,
    SW_EXPLANATION_REPLY,      /* a pasted reply */
    SW_EXPLANATION_REPLY_CODE, /* a bare code: 421, 5.7.139 */
    SW_EXPLANATION_UNKNOWN,
};

enum {
    SW_EXPLANATION_ADVICE = 8,
    SW_EXPLANATION_CODES = 24,
    SW_EXPLANATION_REFERENCES = 8,
    SW_EXPLANATION_NEAREST = 5,
    SW_EXPLANATION_CAUSES = SW_CLIENT_CODE_CAUSES,
};

struct sw_explanation {
    enum sw_explanation_kind kind;
    const char *query;   /* as asked, printable */
    enum sw_cause cause; /* SW_CAUSE_NONE when there is no single one */
    enum sw_permanence permanence;
    enum sw_actor actor;
    const char *summary; /* one plain sentence, or NULL for unknown input */
    const char *meaning; /* one or more paragraphs separated by LF, or NULL */
    const char *advice[SW_EXPLANATION_ADVICE + 1];                       /* ends with NULL */
    const struct sw_client_code *client_codes[SW_EXPLANATION_CODES + 1]; /* ends with NULL */
    const char *references[SW_EXPLANATION_REFERENCES + 1];               /* ends with NULL */
    const char *nearest[SW_EXPLANATION_NEAREST + 1]; /* only for unknown input; ends with NULL */
    /* the other causes that this may stand for (client codes, bare reply codes); ends with NONE */
    enum sw_cause causes[SW_EXPLANATION_CAUSES + 1];
    bool causes_told; /* the meaning names each of them */
    /* only for a finding */
    enum sw_finding_id finding; /* else SW_FINDING_COUNT */
    /* only for a reply */
    int code; /* 0 when there was none */
    struct sw_enhanced enhanced;
    struct sw_reply_reading reading;
    enum sw_reply_stage stage;
    bool stage_given;          /* false: it was guessed from the reply */
    const char *decided_words; /* the words that decided, printable, or NULL */
};

/*
 * Explains one query. A reply may begin with its stage (greeting hello starttls auth mail rcpt data
 * final, or the verb, in any case) and a colon or blank; backslash and 'n' written out separate the
 * lines of a reply. Always fills *out; only a full arena leaves texts NULL.
 */
void sw_explain(const struct sw_reply_kb *kb, struct sw_span query, struct sw_arena *arena,
                struct sw_explanation *out);

/* Does this line go on with what the lines before it (each with its LF) say: a reply of several
 * lines, a folded line of a bounce? */
bool sw_explain_goes_on(struct sw_span so_far, struct sw_span line);
/* Is text of several lines one thing that is asked about as a whole: a bounce, an error message, a
 * dialogue? Else each line (or reply of several lines) is. */
bool sw_explain_is_one(struct sw_span text);

/* "cause", "finding", "client-code", "reply", "reply-code", "unknown". */
const char *sw_explanation_kind_name(enum sw_explanation_kind kind);

#endif
