/*
 * case.h - the case file of one session: what the rules need to know, worked out once; private to
 * the analyzer.
 *
 * Rules are pure: they look at the case and give a ruling. They never look at packets.
 */
#ifndef SW_ANALYZER_CASE_H
#define SW_ANALYZER_CASE_H

#include "analyzer/conduct.h"
#include "analyzer/history.h"
#include "analyzer/known.h"
#include "analyzer/reply.h"
#include "analyzer/survey.h"
#include "analyzer/taken.h"
#include "analyzer/verdict.h"

#define SW_PATIENCE_NS                                                                             \
    (5 * SW_NS_PER_S) /* a client that leaves after that has given up waiting                      \
                       */

/* How the client's side of the dialogue stood when it ended. */
enum sw_waiting {
    SW_WAITING_NOTHING,  /* the server had answered everything: it was the client's turn */
    SW_WAITING_GREETING, /* connected, and not one byte from the server */
    SW_WAITING_REPLY,    /* a command was unanswered */
    SW_WAITING_BODY,     /* the client was sending (or should have been sending) the text */
};

/* The reply that was read last: the recipient, the mail, the session and the client's conduct ask
 * for the same one. */
struct sw_last_reading {
    const struct sw_step *reply;
    struct sw_reply_reading reading;
};

struct sw_case {
    struct sw_session *session;
    const struct sw_flow_facts *facts;
    struct sw_arena *arena;
    const struct sw_reply_kb *kb;
    const struct sw_history *history;
    bool no_names; /* hosts are called by their addresses */
    struct sw_survey survey;

    bool server_seen, client_seen; /* packets of that side are in the capture */
    bool established;
    bool server_spoke, client_spoke; /* payload; a PROXY header is none of the client */
    bool encrypted;                  /* the dialogue went into TLS and was not read */
    bool complete_start;             /* the handshake is in the capture */
    bool reply_lost;  /* bytes of the server are missing: a reply may be among them */
    bool answer_lost; /* of these, behind the last reply that is there: what seems to be waiting at
                         the end may be none */
    bool capped;      /* a cap was reached: lines of the dialogue were not kept */

    enum sw_waiting waiting;
    const struct sw_step *pending; /* the first unanswered command */
    struct sw_mark wait_begin;     /* when that waiting began */
    struct sw_mark gave_up; /* QUIT, FIN or RST with which the client ended the waiting; frame 0 =
                               it did not */
    int64_t waited_ns; /* from wait_begin to gave_up, to the server's close, or to the end of the
                          capture */

    bool closed_by_client, closed_by_server; /* first goodbye of TLS that was read, FIN or RST */
    const struct sw_tls_alert *goodbye;      /* it was this; FIN or RST came later */
    bool reset;                              /* it was an RST */
    bool orderly_quit;                       /* QUIT was sent and nothing else was pending */
    bool tried_mail;                         /* MAIL was sent, */
    struct sw_mark first_mail;               /* first here */
    bool scanner; /* the client was trying many hosts or ports in vain at that time */

    struct sw_message_verdict *messages;
    uint32_t message_count;
    struct sw_taken taken;   /* what was taken, by name */
    struct sw_known known;   /* what was known at each time */
    enum sw_outcome outcome; /* of all messages together; NO_MAIL when there were none */
    bool any_message_counts;

    const struct sw_step *refusal;   /* the first negative reply that was not overcome */
    struct sw_reply_reading reading; /* what it means */

    struct sw_last_reading *last_read;
    uint32_t *wording_names; /* by cause: what its wording asks for (advice.h), 0 = not looked at */

    struct sw_conduct_signs signs; /* what it adds up to with earlier sessions of the client */
};

enum { SW_PROOFS = 6 };

/* What a rule says. Zero-initialised cause = it does not apply. */
struct sw_ruling {
    enum sw_cause cause;
    enum sw_outcome outcome;
    enum sw_confidence confidence;
    enum sw_stage stage;
    const struct sw_step *reply;            /* the reply that is the cause */
    struct sw_evidence evidence[SW_PROOFS]; /* frames that prove it; frame 0 = unused */
    enum sw_cause also[4];
    enum sw_confidence also_confidence[4];
    bool has_permanence; /* set by the rule, else the cause's own */
    enum sw_permanence permanence;
};

/* Works the case out. The messages array lives in the session's arena; `last_read` is lent as long
 * as the case is open. */
void sw_case_open(struct sw_case *c, struct sw_session *session, const struct sw_reply_kb *kb,
                  const struct sw_history *history, struct sw_last_reading *last_read);

/* Did the text flow, but too slowly for the patience of either side? `end`: what ended it. */
bool sw_case_slow_upload(const struct sw_case *c, const struct sw_message *m, struct sw_mark end);
/* Fills c->messages, c->outcome and c->refusal. Part of sw_case_open. */
void sw_case_judge_messages(struct sw_case *c);
/* Fills c->refusal and c->reading; the mails must have been judged. Part of the same. */
void sw_case_find_refusal(struct sw_case *c);
/* Was this said in clear before TLS began, with which all begins anew? */
bool sw_case_before_tls(const struct sw_case *c, const struct sw_step *step);
/* What a negative reply means at its place in the dialogue. */
void sw_case_read(const struct sw_case *c, const struct sw_step *reply,
                  struct sw_reply_reading *out);
/* The same, where it says "timeout" within a text in the light of how that came. */
enum sw_cause sw_case_cause_of(const struct sw_case *c, const struct sw_step *reply);
/* The mail that a reply belongs to, or NULL. */
const struct sw_message_verdict *sw_case_mail_of(const struct sw_case *c,
                                                 const struct sw_step *reply);
/* Was the mail that this refusal belongs to taken after all, or tried again with success? */
bool sw_case_is_overcome(const struct sw_case *c, const struct sw_step *refusal);
/* What ended the session is proved by other things than replies: the mail that was under way then
 * is stuck as well. Sums up anew; false: what became of another one is not known. */
bool sw_case_settle(struct sw_case *c);
/* The first oddity of a kind, of either side, or NULL. */
const struct sw_oddity *sw_case_oddity(const struct sw_case *c, enum smtp_anomaly kind);
/* The stage of a verdict that stands at a phase of the dialogue. */
enum sw_stage sw_stage_of_phase(enum sw_phase phase);
/* Are the first bytes of this side, as the capture has them, perhaps not the ones that it sent? */
bool sw_case_first_is_doubtful(const struct sw_case *c, enum sw_side side);
/* Where the dialogue stood when it ended. */
enum sw_stage sw_case_waiting_stage(const struct sw_case *c);
/* What TCP proves of the end, whatever became of the mails before. */
bool sw_case_tcp_proves(const struct sw_case *c, struct sw_ruling *ruling);
/* Full-size segments of this side were repeated in vain, and none of that size ever arrived. */
bool sw_case_only_large_are_lost(const struct sw_case *c, enum sw_side side);
/* What the cause of a session comes to for a mail whose text had not been sent as a whole. */
enum sw_cause sw_case_cause_without_text(const struct sw_case *c, enum sw_cause cause);
/* Adds one piece of evidence to a ruling; ignored when the mark is empty or the ruling is full. */
void sw_ruling_prove(struct sw_ruling *ruling, struct sw_mark mark, enum sw_origin from,
                     const char *what);
/* The same for a line of the dialogue: a command is complete with its last byte, a reply decides
 * with its first. */
void sw_ruling_prove_step(struct sw_ruling *ruling, const struct sw_step *step, const char *what);
/* The same for a frame of another connection, on which the ruling rests as well. */
void sw_ruling_prove_beside(struct sw_ruling *ruling, struct sw_mark mark, enum sw_origin from,
                            const char *what);
void sw_ruling_also(struct sw_ruling *ruling, enum sw_cause cause, enum sw_confidence confidence);
/* The same, before the others; the last one gives way when the ruling is full. */
void sw_ruling_also_first(struct sw_ruling *ruling, enum sw_cause cause,
                          enum sw_confidence confidence);
/* Is all that the server said to the last EHLO (or its kin) in the capture? */
bool sw_case_offers_are_known(const struct sw_case *c);
/* Did the server say its answers before it was asked anything? */
bool sw_case_recites(const struct sw_case *c);
/* The reply whose words a firewall has painted over ('*' or 'X'), or NULL. */
const struct sw_step *sw_case_painted(const struct sw_case *c);

/* Was the client led to a wrong address? Then that ruling, with `failure` (what the connection
 * shows by itself) beside it. */
bool sw_case_sinkholed(const struct sw_case *c, enum sw_cause failure, struct sw_ruling *ruling);

/* The same when a network's log-in page stands in the way. */
bool sw_case_portal(const struct sw_case *c, enum sw_cause failure, struct sw_ruling *ruling);
/* Lays a silence at the door of a log-in page, a refusal to relay at that of a redirected port,
 * where that is proved. */
void sw_blame_place(const struct sw_case *c, struct sw_ruling *ruling);

/* Remembers that the connection request was refused, by the server or on the way; later ones of the
 * client are judged in that light. */
void sw_case_note_refusal(const struct sw_case *c, struct sw_history *history);

/* Who closed shows only in what the other side acknowledged. */
static inline bool sw_case_close_is_unseen(const struct sw_case *c)
{
    const struct sw_flow_facts *f = c->facts;
    return f->closed_by >= 0 && f->close == SW_CLOSE_FIN && f->half[f->closed_by].fin_unseen;
}

/* How the connection ended, if it did. */
void sw_case_prove_close(const struct sw_case *c, struct sw_ruling *ruling);

/* Names further attempts of the scan that this connection was part of. */
void sw_case_prove_scan(const struct sw_case *c, struct sw_ruling *ruling);

/* The rules, by what they look at, in the order in which they are asked. */
bool sw_rule_lookup(const struct sw_case *c, struct sw_ruling *ruling);  /* no connection at all */
bool sw_rule_connect(const struct sw_case *c, struct sw_ruling *ruling); /* never established */
bool sw_rule_proxy(const struct sw_case *c, struct sw_ruling *ruling);   /* no way through it */
bool sw_rule_scanner(const struct sw_case *c, struct sw_ruling *ruling); /* part of a port scan */
/* A refusal for good behind the greeting, before the client has said a word: it is about who the
 * client is or where it comes from, never about how it introduces itself. */
bool sw_case_is_turned_away(const struct sw_case *c, const struct sw_step *reply);
/* A request to a web server, and the server answered no EHLO in it: commands of SMTP in it are part
 * of its text. */
bool sw_case_is_web_request(const struct sw_case *c);
bool sw_rule_first_bytes(const struct sw_case *c,
                         struct sw_ruling *ruling); /* other protocols, port and mode */
bool sw_rule_capped(const struct sw_case *c, struct sw_ruling *ruling); /* too much to keep */
bool sw_rule_recited(const struct sw_case *c,
                     struct sw_ruling *ruling); /* answers before questions */
bool sw_rule_accepted(const struct sw_case *c,
                      struct sw_ruling *ruling);                     /* delivered and partial */
bool sw_rule_tcp(const struct sw_case *c, struct sw_ruling *ruling); /* what TCP itself proves */
bool sw_rule_refused(const struct sw_case *c, struct sw_ruling *ruling); /* a negative reply */
bool sw_rule_unread(const struct sw_case *c, struct sw_ruling *ruling);
bool sw_rule_encrypted(const struct sw_case *c, struct sw_ruling *ruling);
bool sw_rule_broken(const struct sw_case *c, struct sw_ruling *ruling); /* closes and silences */
bool sw_rule_no_mail(const struct sw_case *c,
                     struct sw_ruling *ruling); /* probes, tests, given-up greetings */
bool sw_rule_unknown(const struct sw_case *c, struct sw_ruling *ruling); /* always says something */

/* Asked last: lays what another rule found at the door of a middlebox that gave itself away. */
void sw_blame_middlebox(const struct sw_case *c, struct sw_ruling *ruling);

/* The words for the ruling, as they fit this session. */
const struct sw_cause_wording *sw_case_wording(const struct sw_case *c,
                                               const struct sw_ruling *ruling);
/* Texts: fills summary, explanation, advice and evidence of the verdict from the ruling. */
void sw_narrate(const struct sw_case *c, const struct sw_ruling *ruling,
                struct sw_verdict *verdict);

#endif
