/*
 * outcome.c - what happened to each mail and each recipient, and to all of them together.
 */
#include "analyzer/case.h"

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
        if (in_text && sw_reply_is_refusal(s) && !sw_reply_to_nobody(s) &&
            !(s->flags & SMTP_FLAG_RECIPIENT))
            return s;
    }
    return NULL;
}

/* The reply that decided about the mail as a whole, or NULL: refused MAIL, DATA, text or end of
 * data. */
static const struct sw_step *refusal_of_message(const struct sw_case *c, const struct sw_message *m)
{
    if (m->mail && sw_reply_is_refusal(m->mail->reply))
        return m->mail->reply;
    if (m->final)
        return sw_reply_is_refusal(m->final) && !(m->final->flags & SMTP_FLAG_RECIPIENT) ? m->final
                                                                                         : NULL;
    return refusal_in_text(c, m);
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

/* It seems to have been given up without a refusal: that one, or the last chunk of the text
 * (RFC 3030), may be what the capture lost, or what a text began with that was there first. */
static bool more_may_be_lost(const struct sw_case *c, const struct sw_message *m)
{
    if (m->body_seen)
        return c->reply_lost || c->facts->half[SW_CLIENT].gap_bytes > 0 || !m->data;
    return c->reply_lost && any_reply_missing(m);
}

/* The whole mail was sent, and the answer is among what the capture lost: it may be yes or no. */
static bool final_is_lost(const struct sw_case *c, const struct sw_message *m)
{
    return c->reply_lost && m->end_of_data && !m->final;
}

/* The capture ends while it is under way: its end is not to be seen. Behind a whole text that waits
 * for its answer the next mail may be under way as well (RFC 2920). */
static bool still_under_way(const struct sw_case *c, const struct sw_message *m)
{
    bool open = m == c->session->message || (m->end_mark.frame && !m->final);
    bool ended = c->facts->closed_by >= 0 || c->gave_up.frame;
    return open && !m->abandoned && !ended;
}

/* The client gave it up for want of an answer, be it that one came behind its goodbye. */
static bool waited_in_vain(const struct sw_case *c, const struct sw_message *m)
{
    if (!c->pending || c->pending->message != m)
        return false;
    bool patience_ended = c->gave_up.frame && c->waited_ns >= SW_PATIENCE_NS;
    return c->pending->reply || (patience_ended && !c->reply_lost);
}

/*
 * The server ends the session (RFC 5321 3.8) while this mail is under way, or in answer to the RSET
 * that takes it back; a client that says its goodbye was leaving anyway. NULL: it does not.
 */
static const struct sw_step *shutdown_of(const struct sw_case *c, const struct sw_message *m)
{
    const struct sw_step *word = c->session->last_reply;
    if (!word || word->code != 421 || sw_reply_to_nobody(word))
        return NULL;
    if (!m->mail || word->first.time_ns < m->mail->first.time_ns)
        return NULL;
    bool taken_back = m->abandoned && !m->end_of_data && !m->go_ahead;
    bool to_that = word->command == m->abandoned && word->verb != SMTP_VERB_QUIT;
    return taken_back && !to_that ? NULL : word;
}

/* How a mail ended that nobody refused and nobody accepted: given up in order, broken off, or not
 * to be seen. */
static enum sw_outcome outcome_without_reply(const struct sw_case *c, const struct sw_message *m)
{
    if (final_is_lost(c, m))
        return SW_OUTCOME_UNKNOWN;
    if (m->abandoned && waited_in_vain(c, m))
        return SW_OUTCOME_STUCK;
    if (shutdown_of(c, m))
        return SW_OUTCOME_STUCK;
    if (m->abandoned && !m->end_of_data && !m->go_ahead)
        return more_may_be_lost(c, m) ? SW_OUTCOME_UNKNOWN : SW_OUTCOME_NO_MAIL;
    bool lost = c->reply_lost || !c->server_seen || (c->facts->midstream && !c->server_spoke);
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
    const struct sw_step *own = sw_reply_is_refusal(r->final)   ? r->final
                                : sw_reply_is_refusal(r->reply) ? r->reply
                                                                : NULL;
    bool no_sender = refusal && m->mail && refusal == m->mail->reply;
    if (no_sender && own && own->code == 503)
        own = NULL; /* it says just that */
    if (sw_was_taken(m, r)) {
        rv->outcome = SW_OUTCOME_DELIVERED;
        rv->cause = SW_CAUSE_OK_DELIVERED;
        rv->reply = r->final ? r->final : m->final;
        return;
    }
    rv->reply = own ? own : refusal;
    if (rv->reply) {
        rv->outcome = SW_OUTCOME_STUCK;
        rv->cause = sw_case_cause_of(c, no_sender ? refusal : rv->reply);
        return;
    }
    bool others = mv->outcome == SW_OUTCOME_PARTIAL || mv->outcome == SW_OUTCOME_DELIVERED;
    rv->outcome = is_left_out(m, r) ? outcome_without_reply(c, m)
                  : others          ? SW_OUTCOME_UNKNOWN
                  : mv->counts      ? mv->outcome
                                    : SW_OUTCOME_NO_MAIL; /* whatever was said to others */
    rv->cause = SW_CAUSE_NONE;                       /* the session's, set when that is known */
    if (is_left_out(m, r) && rv->outcome == SW_OUTCOME_STUCK)
        rv->cause =
            c->closed_by_server ? SW_CAUSE_DATA_CLOSED_AFTER_DOT : SW_CAUSE_DATA_NO_REPLY_AFTER_DOT;
}

/* Recipients of a mail by what became of them. */
struct tally {
    unsigned taken, refused;
    unsigned overcome; /* refused, and taken later in the session: that does not count */
    unsigned open;
};

static struct tally count_recipients(const struct sw_case *c, const struct sw_message *m)
{
    struct tally n = {0};
    enum sw_outcome silence = outcome_without_reply(c, m);
    const struct sw_recipient *r;
    SW_EACH(r, m->recipients) {
        bool refused = sw_reply_is_refusal(r->final) || sw_reply_is_refusal(r->reply);
        if (sw_was_taken(m, r))
            n.taken++;
        else if (refused && sw_taken_recipient_later(&c->taken, r))
            n.overcome++;
        else if (refused || (is_left_out(m, r) && silence == SW_OUTCOME_STUCK))
            n.refused++; /* or nobody has said that it has the mail */
        else
            n.open++;
    }
    return n;
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

/*
 * The first negative reply to the mail or to one of its recipients, which is the reason why nobody
 * got it; one that was overcome only where there is no other. `whole`: what refused all of it.
 */
static const struct sw_step *first_refusal(const struct sw_case *c, const struct sw_message *m,
                                           const struct sw_step *whole)
{
    if (m->mail && sw_reply_is_refusal(m->mail->reply))
        return m->mail->reply;
    const struct sw_step *overcome = NULL;
    const struct sw_step *at_end = NULL; /* LMTP */
    const struct sw_recipient *r;
    SW_EACH(r, m->recipients) {
        const struct sw_step *own = sw_reply_is_refusal(r->reply)   ? r->reply
                                    : sw_reply_is_refusal(r->final) ? r->final
                                                                    : NULL;
        if (!own)
            continue;
        if (sw_taken_recipient_later(&c->taken, r))
            overcome = overcome ? overcome : own;
        else if (own == r->reply)
            return own;
        else
            at_end = at_end ? at_end : own;
    }
    bool follows = overcome && m->accepted_count == 0; /* "no valid recipients" */
    if (whole && !follows)
        return whole;
    return at_end ? at_end : overcome;
}

/* One recipient was accepted, another refused, and then the client gave the whole mail up. Behind
 * a 421 it had no choice: the server ends the session (RFC 5321 3.8). */
static bool given_up_over_one(const struct sw_message *m, const struct sw_step *reason)
{
    return reason->verb == SMTP_VERB_RCPT && reason->code != 421 && m->accepted_count > 0 &&
           !m->data && !m->final && !m->go_ahead && !m->body_seen;
}

/* Why a mail is stuck, as far as replies tell; else the session's cause is its own as well. */
static void find_reason(const struct sw_case *c, struct sw_message_verdict *mv,
                        const struct sw_step *whole)
{
    const struct sw_message *m = mv->message;
    const struct sw_step *reason = first_refusal(c, m, whole);
    reason = reason ? reason : shutdown_of(c, m);
    if (reason) {
        mv->reply = reason;
        mv->cause =
            given_up_over_one(m, reason) ? SW_CAUSE_RCPT_PARTIAL : sw_case_cause_of(c, reason);
    }
    for (uint32_t i = 0; i < mv->recipient_count && mv->cause == SW_CAUSE_NONE; i++) {
        mv->cause = mv->recipients[i].cause;
        if (!mv->reply)
            mv->reply = mv->recipients[i].reply;
    }
}

static void judge_recipients(const struct sw_case *c, struct sw_message_verdict *mv,
                             const struct sw_step *refusal)
{
    struct sw_recipient_verdict *rv = mv->recipients;
    const struct sw_recipient *r;
    SW_EACH(r, mv->message->recipients) {
        if (!rv || rv >= mv->recipients + mv->recipient_count)
            break;
        rv->recipient = r;
        judge_recipient(c, mv, rv, refusal);
        rv++;
    }
}

static void judge_message(struct sw_case *c, struct sw_message_verdict *mv)
{
    const struct sw_message *m = mv->message;
    const struct tally n = count_recipients(c, m);
    const struct sw_step *refusal = refusal_of_message(c, m);
    mv->counts = true;
    if (sw_reply_is(m->final, 2) || n.taken > 0) {
        mv->outcome = n.refused > 0 ? SW_OUTCOME_PARTIAL : SW_OUTCOME_DELIVERED;
        if (n.taken == 0 && n.refused + n.overcome > 0)
            mv->outcome = SW_OUTCOME_STUCK; /* a text for nobody */
        if (mv->outcome == SW_OUTCOME_DELIVERED && n.open > 0 && !c->reply_lost && any_left_out(m))
            mv->outcome = SW_OUTCOME_UNKNOWN;
    } else if (!refusal && n.open > 0 && (final_is_lost(c, m) || still_under_way(c, m))) {
        mv->outcome = SW_OUTCOME_UNKNOWN;
    } else if (refusal || n.refused > 0) {
        mv->outcome = SW_OUTCOME_STUCK;
    } else {
        mv->outcome = outcome_without_reply(c, m);
        bool doubtful = m->abandoned && m->body_seen && !m->mail && !m->data; /* a text at all? */
        mv->counts = mv->outcome != SW_OUTCOME_NO_MAIL && !doubtful;
        if (mv->outcome == SW_OUTCOME_NO_MAIL && n.overcome > 0)
            mv->outcome = SW_OUTCOME_STUCK; /* this try was refused; the next one was not */
    }
    mv->reply = m->final ? m->final : refusal;
    if (mv->outcome == SW_OUTCOME_DELIVERED)
        mv->cause = SW_CAUSE_OK_DELIVERED;
    else if (mv->outcome == SW_OUTCOME_PARTIAL)
        mv->cause = SW_CAUSE_OK_DELIVERED_PARTIAL;
    judge_recipients(c, mv, refusal);
    if (mv->outcome == SW_OUTCOME_STUCK)
        find_reason(c, mv, refusal);
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

/* Over the mails that count. */
static void sum_up(struct sw_case *c)
{
    bool any_taken = false;
    bool any_refused = false;
    bool any_unknown = false;
    for (uint32_t i = 0; i < c->message_count; i++) {
        const struct sw_message_verdict *mv = &c->messages[i];
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

static void judge_all(struct sw_case *c)
{
    bool recites = sw_case_recites(c);
    bool request = sw_case_is_web_request(c);
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
            (overcome(c, mv->message) || sw_case_before_tls(c, mv->message->mail)))
            mv->counts = false;
    }
    sum_up(c);
}

/* Is it open, or taken back only after a command of it had gone unanswered? */
static bool shares_the_end(const struct sw_case *c, const struct sw_message_verdict *mv)
{
    bool open = mv->outcome == SW_OUTCOME_UNKNOWN && mv->message == c->session->message;
    bool unanswered = mv->outcome == SW_OUTCOME_NO_MAIL && mv->cause == SW_CAUSE_NONE &&
                      c->pending && c->pending->message == mv->message;
    return open || unanswered;
}

bool sw_case_settle(struct sw_case *c)
{
    for (uint32_t i = 0; i < c->message_count; i++) {
        struct sw_message_verdict *mv = &c->messages[i];
        if (!shares_the_end(c, mv))
            continue;
        for (uint32_t j = 0; j < mv->recipient_count; j++) {
            if (mv->recipients[j].outcome == mv->outcome)
                mv->recipients[j].outcome = SW_OUTCOME_STUCK;
        }
        mv->outcome = SW_OUTCOME_STUCK;
        mv->counts = true;
    }
    sum_up(c);
    return c->outcome != SW_OUTCOME_UNKNOWN;
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
        sw_case_find_refusal(c);
}
