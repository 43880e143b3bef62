/*
 * cause.h - why a mail did or did not leave: the ids, and what is known of each of them.
 *
 * One truth: cause.def has a narrow row for each cause, wording_<family>.c the texts. Everything
 * here is constant data; the numbers of the enums are not part of any output, the ids are.
 */
#ifndef SW_ANALYZER_CAUSE_H
#define SW_ANALYZER_CAUSE_H

#include "base/span.h"

enum sw_cause {
    SW_CAUSE_NONE = 0,
#define SW_CAUSE(symbol, id, tier, parent, family, actor, permanence) SW_CAUSE_##symbol,
#include "analyzer/cause.def"
#undef SW_CAUSE
    SW_CAUSE_COUNT, /* one more than the number of causes */
};

/* Who must act. */
enum sw_actor {
    SW_ACTOR_NONE,
    SW_ACTOR_SENDER_CLIENT,  /* the person or program that sends */
    SW_ACTOR_SENDER_NETWORK, /* its network or provider */
    SW_ACTOR_SENDER_ADMIN,   /* who runs the sending domain or outgoing server */
    SW_ACTOR_SERVER_ADMIN,   /* who runs the server of this session */
    SW_ACTOR_RECIPIENT_SIDE,
    SW_ACTOR_MIDDLEBOX, /* who runs a firewall, proxy or filter on the way */
    SW_ACTOR_COUNT,
};

/* Is it worth trying again without changing anything? */
enum sw_permanence {
    SW_PERMANENCE_NONE, /* nothing went wrong */
    SW_PERMANENCE_TEMPORARY,
    SW_PERMANENCE_PERMANENT,
    SW_PERMANENCE_UNKNOWN,
    SW_PERMANENCE_COUNT,
};

/* Where in the dialogue the evidence of a verdict stands. */
enum sw_stage {
    SW_STAGE_DNS,
    SW_STAGE_ROUTE,
    SW_STAGE_CONNECT,
    SW_STAGE_GREETING,
    SW_STAGE_HELLO,
    SW_STAGE_STARTTLS,
    SW_STAGE_TLS,
    SW_STAGE_AUTH,
    SW_STAGE_MAIL,
    SW_STAGE_RCPT,
    SW_STAGE_DATA,  /* before the 354 */
    SW_STAGE_BODY,  /* during the text */
    SW_STAGE_FINAL, /* the reply to the end of data */
    SW_STAGE_QUIT,
    SW_STAGE_COUNT,
};

/* Which group of the list a cause belongs to. */
enum sw_family {
    SW_FAMILY_DNS,
    SW_FAMILY_ROUTE,
    SW_FAMILY_TCP_CONNECT,
    SW_FAMILY_GREETING,
    SW_FAMILY_PORTMODE,
    SW_FAMILY_MIDDLEBOX,
    SW_FAMILY_HELLO,
    SW_FAMILY_STARTTLS,
    SW_FAMILY_TLS,
    SW_FAMILY_AUTH,
    SW_FAMILY_MAIL,
    SW_FAMILY_RCPT,
    SW_FAMILY_DATA,
    SW_FAMILY_SESSION,
    SW_FAMILY_QUIT,
    SW_FAMILY_OUTCOME,
    SW_FAMILY_UNKNOWN,
    SW_FAMILY_COUNT,
};

struct sw_cause_info {
    const char *id; /* "tcp-refused" */
    int tier;       /* 1 or 2 */
    enum sw_cause parent;
    enum sw_family family;
    enum sw_actor actor;
    enum sw_permanence permanence;
};

enum { SW_ADVICE_MAX = 5 };

/*
 * The texts of a cause. Summary and meaning are templates, see advice.h for what fills them. A
 * summary is one plain sentence; advice ends with NULL and its first step is the one to try first.
 */
struct sw_cause_wording {
    const char *summary;
    const char *meaning;
    const char *advice[SW_ADVICE_MAX + 1];
    const char *references;
};

/* What is known of a cause; of SW_CAUSE_NONE a row whose id is "". Never NULL. */
const struct sw_cause_info *sw_cause_info(enum sw_cause cause);
/* The texts of a cause; of SW_CAUSE_NONE a row of empty texts. Never NULL. */
const struct sw_cause_wording *sw_cause_wording(enum sw_cause cause);

/* The same where a reply with this code decided (0: none): 421 alone ends a session. */
const struct sw_cause_wording *sw_cause_wording_of_code(enum sw_cause cause, int code);
/* The stable id ("tcp-refused"); "" for SW_CAUSE_NONE. */
const char *sw_cause_name(enum sw_cause cause);
/* The cause with this id (any case), or SW_CAUSE_NONE. */
enum sw_cause sw_cause_by_id(struct sw_span id);

/* "sender-client", "none", ... as in the record. */
const char *sw_actor_name(enum sw_actor actor);
/* "temporary", "permanent", "none", "unknown". */
const char *sw_permanence_name(enum sw_permanence permanence);
/* "dns", "connect", ... as in the record. */
const char *sw_stage_name(enum sw_stage stage);
/* "dns", "tcp-connect", ... as in the public list of causes. */
const char *sw_family_name(enum sw_family family);

#endif
