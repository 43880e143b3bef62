/*
 * outcome.c - what happened to each mail and each recipient, and to all of them together.
 */
#include "analyzer/case.h"

static bool is_refusal(const struct sw_step *reply)
{
    return sw_reply_is(reply, 4) || sw_reply_is(reply, 5);
}

/* The client has closed, and the server says that it noticed. */
static bool after_close(const struct sw_step *reply)
{
    return reply->after_close && (reply->flags & SMTP_FLAG_UNSOLICITED);
}

/* A negative reply while the text was still coming, or to one of the BDAT chunks before the last.
 */
static const struct sw_step *refusal_in_text(const struct sw_case *c, const struct sw_message *m)
{
    const struct sw_step *s;
    SW_EACH(s, m->mail ? m->mail : c->session->steps) {
        if (s->from == SW_SERVER && s->message && s->message->index > m->index)
            break; /* replies come in the order of their commands */
        bool in_text =
            s->from == SW_SERVER && s->message == m &&
            (s->phase == SW_PHASE_BODY || s->phase == SW_PHASE_DATA || s->phase == SW_PHASE_FINAL);
        if (in_text && is_refusal(s) && !after_close(s) && !(s->flags & SMTP_FLAG_RECIPIENT))
            return s;
    }
    return NULL;
}

/* The reply that decided about the mail as a whole, or NULL: refused MAIL, DATA, text or end of
 * data. */
static const struct sw_step *refusal_of_message(const struct sw_case *c, const struct sw_message *m)
{
    if (m->mail && is_refusal(m->mail->reply))
        return m->mail->reply;
    if (m->final)
        return is_refusal(m->final) && !(m->final->flags & SMTP_FLAG_RECIPIENT) ? m->final : NULL;
    return refusal_in_text(c, m);
}

static enum sw_cause cause_of(const struct sw_case *c, const struct sw_step *reply)
{
    struct sw_reply_reading reading;
    sw_case_read(c, reply, &reading);
    return reading.cause;
}

/* Was a sender or a recipient offered without an answer that can be seen? */
static bool any_reply_missing(const struct sw_message *m)
{
    bool sender_taken = false;
    const struct sw_recipient *r;
    SW_EACH(r, m->recipients) {
        if (!r->reply)
            return true;
        sender_taken = sender_taken || sw_reply_is(r->reply, 2);
    }
    return m->mail && !m->mail->reply && !sender_taken;
}

/* The whole mail was sent, and the answer is among what the capture lost: it may be yes or no. */
static bool final_is_lost(const struct sw_case *c, const struct sw_message *m)
{
    return c->reply_lost && m->end_of_data && !m->final;
}

/* The capture ends while it is under way: its end is not to be seen. */
static bool still_under_way(const struct sw_case *c, const struct sw_message *m)
{
    bool last = m == c->session->message && !m->abandoned;
    bool ended = c->facts->closed_by >= 0 || c->gave_up.frame;
    return last && !ended;
}

/* How a mail ended that nobody refused and nobody accepted: given up in order, broken off, or not
 * to be seen. */
static enum sw_outcome outcome_without_reply(const struct sw_case *c, const struct sw_message *m)
{
    if (final_is_lost(c, m))
        return SW_OUTCOME_UNKNOWN;
    if (m->abandoned && m->body_seen && !m->end_of_data)
        return c->reply_lost ? SW_OUTCOME_UNKNOWN : SW_OUTCOME_STUCK; /* chunks, not the last one */
    bool too_late = c->pending && c->pending->reply && c->pending->message == m; /* it had waited */
    if (m->abandoned && too_late)
        return SW_OUTCOME_STUCK;
    if (m->abandoned && !m->end_of_data && !m->go_ahead) /* or refused, and the capture lost it */
        return c->reply_lost && any_reply_missing(m) ? SW_OUTCOME_UNKNOWN : SW_OUTCOME_NO_MAIL;
    const struct sw_step *word = c->session->last_reply;
    if (word && word->code == 421 && m->mail && word->first.time_ns >= m->mail->first.time_ns)
        return SW_OUTCOME_STUCK; /* the server ends the session (RFC 5321 3.8) */
    bool lost = c->reply_lost || !c->server_seen;
    if (lost || still_under_way(c, m))
        return SW_OUTCOME_UNKNOWN;
    return SW_OUTCOME_STUCK;
}

/* LMTP (RFC 2033 4.2): others have their answer to the text, this recipient's never came. */
static bool is_left_out(const struct sw_message *m, const struct sw_recipient *r)
{
    bool each = m->final && (m->final->flags & SMTP_FLAG_RECIPIENT);
    return each && !r->final && sw_reply_is(r->reply, 2);
}

static void judge_recipient(const struct sw_case *c, const struct sw_message_verdict *mv,
                            struct sw_recipient_verdict *rv, const struct sw_step *refusal)
{
    const struct sw_message *m = mv->message;
    const struct sw_recipient *r = rv->recipient;
    const struct sw_step *own = is_refusal(r->final)   ? r->final
                                : is_refusal(r->reply) ? r->reply
                                                       : NULL;
    if (sw_was_taken(m, r)) {
        rv->outcome = SW_OUTCOME_DELIVERED;
        rv->cause = SW_CAUSE_OK_DELIVERED;
        rv->reply = r->final ? r->final : m->final;
        return;
    }
    rv->reply = own ? own : refusal;
    if (rv->reply) {
        rv->outcome = SW_OUTCOME_STUCK;
        rv->cause = cause_of(c, rv->reply);
        return;
    }
    bool others = mv->outcome == SW_OUTCOME_PARTIAL || mv->outcome == SW_OUTCOME_DELIVERED;
    rv->outcome = is_left_out(m, r) ? outcome_without_reply(c, m)
                  : others          ? SW_OUTCOME_UNKNOWN
                                    : mv->outcome;
    rv->cause = SW_CAUSE_NONE; /* the session's, set when that is known */
    if (is_left_out(m, r) && rv->outcome == SW_OUTCOME_STUCK)
        rv->cause =
            c->closed_by_server ? SW_CAUSE_DATA_CLOSED_AFTER_DOT : SW_CAUSE_DATA_NO_REPLY_AFTER_DOT;
}

/* Counts what was taken and what was not, over the recipients that count. */
static void count_recipients(const struct sw_case *c, const struct sw_message *m, unsigned *taken,
                             unsigned *refused, unsigned *open)
{
    enum sw_outcome silence = outcome_without_reply(c, m);
    const struct sw_recipient *r;
    SW_EACH(r, m->recipients) {
        if (sw_was_taken(m, r))
            (*taken)++;
        else if (is_refusal(r->final) || is_refusal(r->reply))
            *refused += !sw_taken_recipient_later(&c->taken, r);
        else if (is_left_out(m, r) && silence == SW_OUTCOME_STUCK)
            (*refused)++; /* nobody has said that it has the mail */
        else
            (*open)++;
    }
}

static bool any_left_out(const struct sw_message *m)
{
    const struct sw_recipient *r;
    SW_EACH(r, m->recipients) {
        if (is_left_out(m, r))
            return true;
    }
    return false;
}

static void judge_message(struct sw_case *c, struct sw_message_verdict *mv)
{
    const struct sw_message *m = mv->message;
    unsigned taken = 0;
    unsigned refused = 0;
    unsigned open = 0;
    count_recipients(c, m, &taken, &refused, &open);
    const struct sw_step *refusal = refusal_of_message(c, m);
    mv->counts = true;
    if (sw_reply_is(m->final, 2) || taken > 0) {
        mv->outcome = refused > 0 ? SW_OUTCOME_PARTIAL : SW_OUTCOME_DELIVERED;
        if (taken == 0 && m->recipients)
            mv->outcome = refused > 0 ? SW_OUTCOME_STUCK : SW_OUTCOME_DELIVERED;
        if (mv->outcome == SW_OUTCOME_DELIVERED && open > 0 && !c->reply_lost && any_left_out(m))
            mv->outcome = SW_OUTCOME_UNKNOWN;
    } else if (!refusal && open > 0 && (final_is_lost(c, m) || still_under_way(c, m))) {
        mv->outcome = SW_OUTCOME_UNKNOWN;
    } else if (refusal || refused > 0) {
        mv->outcome = SW_OUTCOME_STUCK;
    } else {
        mv->outcome = outcome_without_reply(c, m);
        mv->counts = mv->outcome != SW_OUTCOME_NO_MAIL;
    }
    mv->reply = m->final ? m->final : refusal;
    mv->cause = SW_CAUSE_NONE;
    if (mv->outcome == SW_OUTCOME_DELIVERED)
        mv->cause = SW_CAUSE_OK_DELIVERED;
    else if (mv->outcome == SW_OUTCOME_PARTIAL)
        mv->cause = SW_CAUSE_OK_DELIVERED_PARTIAL;
    struct sw_recipient_verdict *rv = mv->recipients;
    const struct sw_recipient *r;
    SW_EACH(r, m->recipients) {
        if (!rv || rv >= mv->recipients + mv->recipient_count)
            break;
        rv->recipient = r;
        judge_recipient(c, mv, rv, refusal);
        rv++;
    }
    if (mv->outcome != SW_OUTCOME_STUCK)
        return;
    for (uint32_t i = 0; i < mv->recipient_count && mv->cause == SW_CAUSE_NONE; i++) {
        mv->cause = mv->recipients[i].cause;
        if (!mv->reply)
            mv->reply = mv->recipients[i].reply;
    }
    if (mv->cause == SW_CAUSE_NONE && refusal)
        mv->cause = cause_of(c, refusal);
}

/* "The same sender and recipients, later accepted": the first try does not count. */
static bool overcome(const struct sw_case *c, const struct sw_message *m)
{
    const struct sw_recipient *r;
    if (!m->recipients)
        return sw_taken_sender_later(&c->taken, m);
    SW_EACH(r, m->recipients) {
        if (!sw_taken_recipient_later(&c->taken, r))
            return false;
    }
    return true;
}

/* RFC 3207 4.2: with TLS the dialogue begins anew; what was refused in clear before it stops nobody
 * any more. */
static bool before_tls(const struct sw_case *c, const struct sw_step *step)
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

static void judge_anew(struct sw_message_verdict *mv, enum sw_outcome outcome, enum sw_cause cause)
{
    mv->outcome = outcome;
    mv->cause = cause;
    for (uint32_t i = 0; i < mv->recipient_count; i++) {
        mv->recipients[i].outcome = outcome;
        mv->recipients[i].cause = cause;
    }
}

bool sw_case_is_web_request(const struct sw_case *c)
{
    return c->session->first_bytes[SW_CLIENT].content == SW_CONTENT_HTTP &&
           !sw_session_hello(c->session, false);
}

static void judge_all(struct sw_case *c)
{
    bool recites = sw_case_recites(c);
    bool request = sw_case_is_web_request(c);
    bool any_taken = false;
    bool any_refused = false;
    bool any_unknown = false;
    for (uint32_t i = 0; i < c->message_count; i++) {
        struct sw_message_verdict *mv = &c->messages[i];
        judge_message(c, mv);
        if (recites) /* what the server says is no answer to anything */
            judge_anew(mv, SW_OUTCOME_UNKNOWN, SW_CAUSE_NONE);
        if (request && mv->outcome == SW_OUTCOME_STUCK) {
            judge_anew(mv, SW_OUTCOME_NO_MAIL, SW_CAUSE_OK_NO_ATTEMPT);
            mv->counts = false;
        }
        if (mv->outcome == SW_OUTCOME_STUCK &&
            (overcome(c, mv->message) || before_tls(c, mv->message->mail)))
            mv->counts = false;
        if (!mv->counts)
            continue;
        c->any_message_counts = true;
        any_taken =
            any_taken || mv->outcome == SW_OUTCOME_DELIVERED || mv->outcome == SW_OUTCOME_PARTIAL;
        any_refused =
            any_refused || mv->outcome == SW_OUTCOME_STUCK || mv->outcome == SW_OUTCOME_PARTIAL;
        any_unknown = any_unknown || mv->outcome == SW_OUTCOME_UNKNOWN;
    }
    if (any_taken && any_refused)
        c->outcome = SW_OUTCOME_PARTIAL;
    else if (any_unknown)
        c->outcome = SW_OUTCOME_UNKNOWN;
    else if (any_taken)
        c->outcome = SW_OUTCOME_DELIVERED;
    else
        c->outcome = any_refused ? SW_OUTCOME_STUCK : SW_OUTCOME_NO_MAIL;
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

/* Was the mail that this reply belongs to taken after all, or tried again with success? */
static bool belongs_to_overcome(const struct sw_case *c, const struct sw_step *reply)
{
    if (!reply->message || reply->message->index >= c->message_count)
        return false;
    const struct sw_message_verdict *mv = &c->messages[reply->message->index];
    return !mv->counts || mv->outcome == SW_OUTCOME_DELIVERED;
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

/* In mid-stream a reply without anything around it: what it answers is not known. */
static bool out_of_context(const struct sw_case *c, const struct sw_step *reply)
{
    return c->facts->midstream && !reply->command && reply != c->session->greeting &&
           c->client_spoke && !c->session->hellos && !c->session->messages;
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
        if (is_refusal(auth->reply) && auth->reply->code == 535)
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
        return hello && hello->command->verb == SMTP_VERB_HELO && is_refusal(hello->reply) &&
               hello->reply->first.frame > reply->first.frame;
    return reply->phase == SW_PHASE_AUTH && reply->code == 504 && login &&
           login->first.frame > reply->first.frame;
}

static void find_refusal(struct sw_case *c)
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
        if (s->from != SW_SERVER || !is_refusal(s))
            continue;
        looked = true;
        if (!can_stop_mail(s) || is_nested_mail(s) || out_of_context(c, s) ||
            went_unheeded(&heedless, s) || after_close(s))
            continue;
        if (is_consequence(c, s) || belongs_to_overcome(c, s) ||
            went_on_after(&progress[s->phase], s) || before_tls(c, s) ||
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

void sw_case_judge_messages(struct sw_case *c)
{
    const struct sw_message *m;
    uint32_t count = 0;
    SW_EACH(m, c->session->messages)
        count++;
    c->messages = count ? sw_arena_alloc(c->arena, count * sizeof(*c->messages)) : NULL;
    c->message_count = c->messages ? count : 0;
    uint32_t i = 0;
    SW_EACH(m, c->session->messages) {
        if (i == c->message_count)
            break;
        struct sw_message_verdict *mv = &c->messages[i++];
        mv->message = m;
        if (m->recipient_count > 0)
            mv->recipients = sw_arena_alloc(c->arena, m->recipient_count * sizeof(*mv->recipients));
        mv->recipient_count = mv->recipients ? m->recipient_count : 0;
    }
    sw_taken_fill(&c->taken, c->session, c->arena);
    judge_all(c);
    if (c->survey.refused)
        find_refusal(c);
}
