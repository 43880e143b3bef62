/*
 * refusal.c - which negative reply kept the mail from being sent: the first one that was neither
 * overcome nor passed over by the dialogue.
 */
#include "analyzer/case.h"

/* RFC 3207 4.2: with TLS the dialogue begins anew; what was refused in clear before it stops nobody
 * any more. */
bool sw_case_before_tls(const struct sw_case *c, const struct sw_step *step)
{
    const struct sw_step *starttls = c->session->starttls;
    bool began = c->session->tls == SW_TLS_HELLO || c->session->tls == SW_TLS_SERVER_HELLO ||
                 c->session->tls == SW_TLS_APPLICATION;
    if (!began || !starttls || !step || step->encrypted)
        return false;
    if (!starttls->reply) /* lost by the capture; what followed shows that it was a yes */
        return step->first.time_ns < starttls->first.time_ns;
    return sw_reply_is(starttls->reply, 2) && step->first.time_ns < starttls->reply->first.time_ns;
}

/* A reply that any server gives at any time: no progress. */
static bool is_idle_talk(const struct sw_step *reply)
{
    return reply->verb == SMTP_VERB_NOOP || reply->verb == SMTP_VERB_RSET ||
           reply->verb == SMTP_VERB_HELP;
}

/* Does `s` show that a refusal in that phase stopped nobody? */
static bool is_progress(const struct sw_step *s, enum sw_phase phase)
{
    if (s->from != SW_SERVER || !sw_reply_is(s, 2) || is_idle_talk(s))
        return false;
    switch (phase) {
    case SW_PHASE_HELLO:
        return s->phase == SW_PHASE_HELLO || s->phase == SW_PHASE_MAIL;
    case SW_PHASE_STARTTLS:
        return s->phase == SW_PHASE_MAIL || s->phase == SW_PHASE_AUTH;
    case SW_PHASE_AUTH: /* a server may let anybody in behind it; an accepted recipient proves it */
        return (s->phase == SW_PHASE_AUTH && s->code == 235) || s->phase == SW_PHASE_RCPT;
    case SW_PHASE_MAIL:
        return s->phase == SW_PHASE_MAIL;
    case SW_PHASE_RCPT:
    case SW_PHASE_DATA:
    case SW_PHASE_BODY:
    case SW_PHASE_FINAL:
    case SW_PHASE_QUIT:
    case SW_PHASE_CONNECT:
    case SW_PHASE_GREETING:
    case SW_PHASE_TLS:
        break;
    }
    return false;
}

/*
 * A look ahead from one step after the other: what was found stays found until it is passed, so
 * that all looks together go through the dialogue once.
 */
struct ahead {
    const struct sw_step *found; /* the next step of the kind */
    bool searched, none;
};

/* The dialogue has come to `s`. */
static void pass(struct ahead *ahead, const struct sw_step *s)
{
    if (ahead->found == s)
        *ahead = (struct ahead){NULL, false, false};
}

/* Another sender was taken: that does not help the mail whose own was refused. */
static bool is_other_mail(const struct sw_step *refusal, const struct sw_step *progress)
{
    const struct sw_message *m = refusal->message;
    return refusal->phase == SW_PHASE_MAIL && m && progress->message && m != progress->message &&
           !sw_span_eq_nocase(m->sender, progress->message->sender);
}

static bool went_on_after(struct ahead *ahead, const struct sw_step *refusal)
{
    const struct sw_step *s;
    if (!ahead->searched) {
        SW_EACH(s, refusal->next) {
            if (is_progress(s, refusal->phase))
                break;
        }
        *ahead = (struct ahead){s, true, s == NULL};
    }
    return !ahead->none && !is_other_mail(refusal, ahead->found);
}

/* Replies to commands that send no mail are no reason why mail did not go. */
static bool can_stop_mail(const struct sw_step *reply)
{
    switch (reply->verb) {
    case SMTP_VERB_RSET:
    case SMTP_VERB_NOOP:
    case SMTP_VERB_VRFY:
    case SMTP_VERB_EXPN:
    case SMTP_VERB_HELP:
    case SMTP_VERB_ETRN:
    case SMTP_VERB_ATRN:
    case SMTP_VERB_TURN:
    case SMTP_VERB_XCLIENT:
    case SMTP_VERB_XFORWARD:
    case SMTP_VERB_XEXCH50:
    case SMTP_VERB_DEBUG:
    case SMTP_VERB_WIZ:
    case SMTP_VERB_UNKNOWN:
    case SMTP_VERB_JUNK:
        return reply->code == 421;
    case SMTP_VERB_QUIT: /* the client was leaving anyway */
        return false;
    case SMTP_VERB_NONE:
    case SMTP_VERB_HELO:
    case SMTP_VERB_EHLO:
    case SMTP_VERB_LHLO:
    case SMTP_VERB_MAIL:
    case SMTP_VERB_RCPT:
    case SMTP_VERB_DATA:
    case SMTP_VERB_BDAT:
    case SMTP_VERB_BURL:
    case SMTP_VERB_AUTH:
    case SMTP_VERB_STARTTLS:
    case SMTP_VERB_X_ANONYMOUSTLS:
    case SMTP_VERB_SEND:
    case SMTP_VERB_SOML:
    case SMTP_VERB_SAML:
    case SMTP_VERB_AUTH_DATA:
    case SMTP_VERB_END_OF_DATA:
    case SMTP_VERB_COUNT:
        break;
    }
    return true;
}

bool sw_case_is_overcome(const struct sw_case *c, const struct sw_step *refusal)
{
    const struct sw_message_verdict *mv = sw_case_mail_of(c, refusal);
    return mv && (!mv->counts || mv->outcome == SW_OUTCOME_DELIVERED);
}

/* "503 nested MAIL": the running transaction goes on as if it had not been said. */
static bool is_nested_mail(const struct sw_step *reply)
{
    return reply->verb == SMTP_VERB_MAIL && reply->code == 503 && !reply->message;
}

/* A 503 that comes because an earlier command was refused is a consequence, never the cause. */
static bool is_consequence(const struct sw_case *c, const struct sw_step *reply)
{
    bool sequence = reply->code == 503 || (reply->verb == SMTP_VERB_DATA && reply->code == 554);
    return sequence && c->refusal && c->refusal->message == reply->message;
}

/* In mid-stream a reply without anything around it, of which neither the words nor the enhanced
 * code say what it is about: what it answers is not known. */
static bool out_of_context(const struct sw_case *c, const struct sw_step *reply)
{
    bool alone = c->facts->midstream && !reply->command && reply != c->session->greeting &&
                 c->client_spoke && !c->session->hellos && !c->session->messages;
    if (!alone)
        return false;
    struct sw_reply_reading reading;
    sw_case_read(c, reply, &reading);
    return reading.decided_by == SW_REPLY_BY_CODE;
}

/* Said unasked, and the dialogue went on all the same (a goodbye does not count): it stopped
 * nothing. */
static bool went_unheeded(struct ahead *ahead, const struct sw_step *reply)
{
    if (!(reply->flags & SMTP_FLAG_UNSOLICITED) || reply->code == 421 || reply->command)
        return false;
    const struct sw_step *s;
    if (!ahead->searched) {
        SW_EACH(s, reply->next) {
            if (s->from == SW_SERVER && sw_reply_is(s, 2) && s->code != 221)
                break;
        }
        *ahead = (struct ahead){s, true, s == NULL};
    }
    return !ahead->none;
}

/* The refusal of the last login that was judged by more than its mechanism, or NULL. */
static const struct sw_step *last_login_judged(const struct sw_case *c)
{
    const struct sw_step *last = NULL;
    const struct sw_auth *auth;
    SW_EACH(auth, c->session->auths) {
        if (sw_reply_is_refusal(auth->reply) && auth->reply->code == 535)
            last = auth->reply;
    }
    return last;
}

/*
 * The client took the refusal for a hint, and tried what every server has: HELO behind an unknown
 * EHLO (RFC 5321 3.2), another mechanism behind one that the server does not know. What was said to
 * that is the reason.
 */
static bool another_way_was_tried(const struct sw_case *c, const struct sw_step *reply,
                                  const struct sw_step *login)
{
    const struct sw_hello *hello = c->session->hello;
    if (reply->verb == SMTP_VERB_EHLO && (reply->code == 500 || reply->code == 502))
        return hello && hello->command->verb == SMTP_VERB_HELO &&
               sw_reply_is_refusal(hello->reply) && hello->reply->first.frame > reply->first.frame;
    return reply->phase == SW_PHASE_AUTH && reply->code == 504 && login &&
           login->first.frame > reply->first.frame;
}

void sw_case_find_refusal(struct sw_case *c)
{
    const struct sw_step *login = last_login_judged(c);
    struct ahead progress[SW_PHASE_QUIT + 1] = {{NULL, false, false}}; /* by phase of the refusal */
    struct ahead heedless = {NULL, false, false};
    const struct sw_step *goodbye = c->session->quit ? c->session->quit->reply : NULL;
    bool looked = false; /* nobody looks ahead before there is a refusal */
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        pass(&heedless, s);
        for (int phase = 0; looked && phase <= SW_PHASE_QUIT; phase++)
            pass(&progress[phase], s);
        if (s->from != SW_SERVER || !sw_reply_is_refusal(s))
            continue;
        looked = true;
        if (!can_stop_mail(s) || is_nested_mail(s) || out_of_context(c, s) ||
            went_unheeded(&heedless, s) || sw_reply_to_nobody(s))
            continue;
        if (is_consequence(c, s) || sw_case_is_overcome(c, s) ||
            went_on_after(&progress[s->phase], s) || sw_case_before_tls(c, s) ||
            another_way_was_tried(c, s, login))
            continue;
        bool idle_end = !s->command && c->outcome == SW_OUTCOME_DELIVERED;
        if (!c->refusal && !idle_end)
            c->refusal = s;
        if (s == goodbye)
            break; /* what the server says behind the answered goodbye changes nothing */
    }
    if (c->refusal)
        sw_case_read(c, c->refusal, &c->reading);
}
