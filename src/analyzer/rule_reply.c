/*
 * rule_reply.c - sessions that a reply decides: mail accepted, accepted in part, or refused.
 */
#include "analyzer/case.h"

/* The weakest link: a capture that shows only part of the session, or a pairing that had to be
 * guessed. */
static enum sw_confidence confidence_of_reply(const struct sw_case *c, const struct sw_step *reply)
{
    bool partial_view = !c->complete_start || !c->client_seen || c->session->gaps_in_dialogue > 0 ||
                        c->facts->half[SW_SERVER].gap_bytes > 0 || c->facts->conflicts > 0;
    bool guessed = reply->flags & (SMTP_FLAG_GUESSED | SMTP_FLAG_CUT);
    if (reply->flags & SMTP_FLAG_UNSURE)
        return SW_CONFIDENCE_POSSIBLE;
    return partial_view || guessed ? SW_CONFIDENCE_LIKELY : SW_CONFIDENCE_CERTAIN;
}

static const char *name_of(enum smtp_verb verb)
{
    if (verb == SMTP_VERB_END_OF_DATA)
        return "end of the message";
    return verb == SMTP_VERB_AUTH_DATA ? "login data" : smtp_verb_name(verb);
}

static void prove_reply(struct sw_ruling *ruling, const struct sw_step *reply, const char *what)
{
    if (reply->command)
        sw_ruling_prove_step(ruling, reply->command, name_of(reply->command->verb));
    sw_ruling_prove_step(ruling, reply, what);
}

static const struct sw_message_verdict *first_with(const struct sw_case *c, enum sw_outcome outcome)
{
    for (uint32_t i = 0; i < c->message_count; i++) {
        if (c->messages[i].counts && c->messages[i].outcome == outcome)
            return &c->messages[i];
    }
    return NULL;
}

/* Of several recipients one has no answer that can be seen: it may have been refused. */
static bool recipient_unseen(const struct sw_case *c, const struct sw_message *m)
{
    bool each =
        m->final && (m->final->flags & SMTP_FLAG_RECIPIENT); /* LMTP: has a word of its own */
    const struct sw_recipient *r;
    SW_EACH(r, m->recipients) {
        if (c->reply_lost && m->recipient_count > 1 && (!r->reply || (each && !r->final)))
            return true;
    }
    return false;
}

/* A word that nobody knows, in a capture with damaged ones: it may have been RCPT or MAIL. */
static bool is_garbled(const struct sw_case *c, const struct sw_step *command)
{
    bool unknown = command->verb == SMTP_VERB_UNKNOWN || command->verb == SMTP_VERB_JUNK;
    return unknown && c->facts->half[SW_CLIENT].damaged > 0;
}

/* Where words of the client are missing it is not known whether what was refused is this mail's, or
 * one of its recipients (RFC 2033: each has an answer of its own). */
static bool refused_unseen(const struct sw_case *c)
{
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    bool words_lost = client->gap_bytes > 0 || client->truncated_bytes > 0 || c->facts->midstream;
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        bool refusal = sw_reply_is(s, 5) || (sw_reply_is(s, 4) && s->code != 421);
        if (refusal && (!c->client_seen || (s->command ? is_garbled(c, s->command) : words_lost)))
            return true;
    }
    return false;
}

/*
 * Replies that the capture lost may take the weight from this refusal: the same thing tried once
 * more, without an answer that can be seen; or a 503 (and kin) behind what was refused unseen.
 */
static bool rests_on_lost_replies(const struct sw_case *c, const struct sw_step *refusal)
{
    if (!c->reply_lost)
        return false;
    bool sequence =
        refusal->code == 503 || (refusal->verb == SMTP_VERB_DATA && refusal->code == 554);
    bool behind = false;
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        behind = behind || s == refusal;
        if (s->from != SW_CLIENT || s->reply || s == refusal->command)
            continue;
        if (behind ? s->phase == refusal->phase : sequence && s->phase <= refusal->phase)
            return true;
    }
    return false;
}

/* The goodbye was not answered after the mail was safe. */
static bool goodbye_failed(const struct sw_case *c)
{
    const struct sw_step *quit = c->session->quit;
    return quit && !quit->reply && c->facts->closed_by >= 0 && c->complete_start &&
           c->server_seen && !c->reply_lost;
}

/* All that the client said is there, and was read. */
static bool client_read(const struct sw_case *c)
{
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    const struct sw_tls *tls = c->session->tls_facts;
    bool opened = !c->encrypted && (!tls || tls->closed[SW_CLIENT] == 0);
    return c->complete_start && client->gap_bytes == 0 && client->truncated_bytes == 0 &&
           c->facts->conflicts == 0 && !c->capped && opened;
}

/* The first close_notify (alert 0), when it is the client's: it says no more (RFC 8446 6.1). */
static struct sw_mark client_ended_tls(const struct sw_case *c)
{
    const struct sw_tls *tls = c->session->tls_facts;
    const struct sw_tls_alert *alert;
    if (tls) {
        SW_EACH(alert, tls->alerts) {
            if (alert->known && alert->description == 0)
                return alert->from == SW_CLIENT ? alert->mark : (struct sw_mark){0};
        }
    }
    return (struct sw_mark){0};
}

/*
 * How the client ended the connection without a QUIT (RFC 5321 4.1.1.10), as many programs do;
 * frame 0: it did not. A server that has said 421 or 221 ends it itself.
 */
static struct sw_mark goodbye_omitted(const struct sw_case *c)
{
    const struct sw_step *last = c->session->last_reply;
    bool ended_by_server = last && (last->code == 421 || last->code == 221);
    if (c->session->quit || ended_by_server || !client_read(c))
        return (struct sw_mark){0};
    struct sw_mark end = client_ended_tls(c);
    return end.frame || !c->closed_by_client ? end : c->facts->closed;
}

/* The mail is safe; what went wrong behind it. */
static void blame_goodbye(const struct sw_case *c, struct sw_ruling *ruling)
{
    bool failed = goodbye_failed(c);
    struct sw_mark omitted = goodbye_omitted(c);
    if (!failed && !omitted.frame)
        return;
    ruling->cause = SW_CAUSE_QUIT_PROBLEM;
    ruling->stage = SW_STAGE_QUIT;
    if (failed) {
        sw_ruling_prove_step(ruling, c->session->quit, "QUIT, not answered");
        sw_case_prove_close(c, ruling);
    } else {
        sw_ruling_prove(ruling, omitted, SW_ORIGIN_CLIENT, "the client ends without QUIT");
    }
}

/*
 * Did the confirmation come after the client had given up? One that sends its QUIT and its FIN
 * along with the text, and does not reset the connection, goes on reading: that is no giving up.
 */
static bool came_too_late(const struct sw_case *c, const struct sw_message *m)
{
    const struct sw_step *quit = c->session->quit;
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    if (!m->final->after_close)
        return false;
    bool said_all = quit && m->end_of_data && client->fin.frame && !client->rst.frame &&
                    client->fin.time_ns - m->end_mark.time_ns < SW_PATIENCE_NS;
    return !said_all;
}

static void rule_delivered(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_message_verdict *mv = first_with(c, SW_OUTCOME_DELIVERED);
    const struct sw_step *final = mv->message->final;
    *ruling = (struct sw_ruling){
        .cause = SW_CAUSE_OK_DELIVERED,
        .outcome = SW_OUTCOME_DELIVERED,
        .confidence = confidence_of_reply(c, final),
        .stage = SW_STAGE_FINAL,
        .has_permanence = true,
        .permanence = SW_PERMANENCE_NONE,
    };
    if (recipient_unseen(c, mv->message) || refused_unseen(c))
        ruling->confidence = SW_CONFIDENCE_POSSIBLE;
    bool late = came_too_late(c, mv->message);
    if (late)
        ruling->cause = SW_CAUSE_DATA_LATE_REPLY;
    prove_reply(ruling, final, "accepted");
    if (!late)
        blame_goodbye(c, ruling);
    ruling->reply = late ? final : NULL;
}

/* Some recipients of an accepted message were refused. */
static const struct sw_recipient_verdict *first_refused(const struct sw_message_verdict *mv)
{
    for (uint32_t i = 0; i < mv->recipient_count; i++) {
        if (mv->recipients[i].outcome == SW_OUTCOME_STUCK)
            return &mv->recipients[i];
    }
    return NULL;
}

/* Not one of them was refused for good: they may still get it, unchanged. */
static bool all_put_off(const struct sw_message_verdict *mv)
{
    for (uint32_t i = 0; i < mv->recipient_count; i++) {
        const struct sw_recipient_verdict *rv = &mv->recipients[i];
        if (rv->outcome == SW_OUTCOME_STUCK && !sw_reply_is(rv->reply, 4))
            return false;
    }
    return true;
}

static void rule_partial_recipients(const struct sw_case *c, const struct sw_message_verdict *mv,
                                    struct sw_ruling *ruling)
{
    const struct sw_recipient_verdict *refused = first_refused(mv);
    *ruling = (struct sw_ruling){
        .cause = SW_CAUSE_OK_DELIVERED_PARTIAL,
        .outcome = SW_OUTCOME_PARTIAL,
        .confidence = SW_CONFIDENCE_CERTAIN,
        .stage = SW_STAGE_FINAL,
    };
    if (refused && refused->reply) {
        ruling->reply = refused->reply;
        ruling->confidence = confidence_of_reply(c, refused->reply);
        ruling->has_permanence = all_put_off(mv);
        ruling->permanence = SW_PERMANENCE_TEMPORARY;
        prove_reply(ruling, refused->reply, "refused");
    } else if (refused) { /* the connection ended before the answer for that one */
        ruling->confidence = SW_CONFIDENCE_LIKELY;
        ruling->has_permanence = true;
        ruling->permanence = SW_PERMANENCE_TEMPORARY;
        sw_ruling_prove(ruling, c->facts->closed,
                        c->closed_by_server ? SW_ORIGIN_SERVER : SW_ORIGIN_CLIENT,
                        "the end, before an answer for all recipients");
    }
    for (uint32_t i = 0; i < mv->recipient_count; i++) {
        if (mv->recipients[i].outcome == SW_OUTCOME_STUCK)
            sw_ruling_also(ruling, mv->recipients[i].cause, SW_CONFIDENCE_CERTAIN);
    }
    if (mv->message->final)
        prove_reply(ruling, mv->message->final, "accepted for the others");
}

static bool any_temporary_recipient(const struct sw_case *c)
{
    for (uint32_t i = 0; i < c->message_count; i++) {
        const struct sw_message_verdict *mv = &c->messages[i];
        for (uint32_t j = 0; mv->counts && j < mv->recipient_count; j++) {
            if (mv->recipients[j].outcome == SW_OUTCOME_STUCK &&
                sw_reply_is(mv->recipients[j].reply, 4))
                return true;
        }
    }
    return false;
}

/* "421 too many errors" behind a row of refused logins, and kin: worth naming beside the cause. */
static void add_later_refusals(const struct sw_case *c, const struct sw_step *refusal,
                               struct sw_ruling *ruling)
{
    const struct sw_step *s;
    SW_EACH(s, refusal->next) {
        if (s->from != SW_SERVER || s->code == 503 || !sw_reply_is_refusal(s))
            continue;
        if (s->verb == SMTP_VERB_UNKNOWN || s->verb == SMTP_VERB_JUNK || s->verb == SMTP_VERB_RSET)
            continue;
        if (sw_reply_to_nobody(s) || sw_case_is_overcome(c, s))
            continue;
        struct sw_reply_reading reading;
        sw_case_read(c, s, &reading);
        if (reading.cause != SW_CAUSE_NONE && reading.cause != SW_CAUSE_DATA_NO_VALID_RCPT)
            sw_ruling_also(ruling, reading.cause, SW_CONFIDENCE_LIKELY);
        if (reading.also != SW_CAUSE_NONE)
            sw_ruling_also(ruling, reading.also, SW_CONFIDENCE_POSSIBLE);
    }
}

/* The login that the server has accepted, though it asks for one. */
static void prove_login(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_auth *auth;
    SW_EACH(auth, c->session->auths) {
        if (auth->result == SW_AUTH_ACCEPTED && auth->reply) {
            sw_ruling_prove(ruling, auth->reply->first, SW_ORIGIN_SERVER, "login accepted");
            return;
        }
    }
}

/* The refusal decides: what it says is the reason why its mail, or no mail at all, was sent. */
static void rule_by_refusal(const struct sw_case *c, const struct sw_step *reply,
                            struct sw_ruling *ruling)
{
    const struct sw_message_verdict *mail = sw_case_mail_of(c, reply);
    struct sw_reply_reading reading;
    sw_case_read(c, reply, &reading);
    *ruling = (struct sw_ruling){
        .cause = mail && mail->reply == reply ? mail->cause : sw_case_cause_of(c, reply),
        .outcome = c->outcome == SW_OUTCOME_PARTIAL ? SW_OUTCOME_PARTIAL : SW_OUTCOME_STUCK,
        .confidence = confidence_of_reply(c, reply),
        .stage =
            sw_case_is_turned_away(c, reply) ? SW_STAGE_GREETING : sw_stage_of_phase(reply->phase),
        .reply = reply,
        .has_permanence = true,
        .permanence = reading.permanence,
    };
    bool adrift = c->facts->midstream && !reply->command;
    bool words_lost = (reply->flags & SMTP_FLAG_CUT) || !c->client_seen || adrift;
    if (rests_on_lost_replies(c, reply) || (words_lost && reading.decided_by != SW_REPLY_BY_TEXT))
        ruling->confidence = SW_CONFIDENCE_POSSIBLE;
    if (ruling->cause == SW_CAUSE_RCPT_PARTIAL) /* the specific one first */
        sw_ruling_also(ruling, reading.cause, SW_CONFIDENCE_CERTAIN);
    if (any_temporary_recipient(c))
        ruling->permanence = SW_PERMANENCE_TEMPORARY;
    bool by_code =
        reading.decided_by == SW_REPLY_BY_CODE || reading.decided_by == SW_REPLY_BY_NOTHING;
    if (by_code && ruling->confidence == SW_CONFIDENCE_CERTAIN && reply->text.len > 0)
        ruling->confidence =
            SW_CONFIDENCE_LIKELY; /* that it was refused is certain, why is the usual reading */
    if (reading.also != SW_CAUSE_NONE)
        sw_ruling_also(ruling, reading.also, SW_CONFIDENCE_POSSIBLE);
    if (reading.login_denied)
        prove_login(c, ruling);
    prove_reply(ruling, reply, "refused");
    add_later_refusals(c, reply, ruling);
}

/* Part of the mail is safe: one message for some recipients, or some messages of several. */
static bool rule_partial(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_message_verdict *stuck = first_with(c, SW_OUTCOME_STUCK);
    const struct sw_message_verdict *partly = first_with(c, SW_OUTCOME_PARTIAL);
    bool stuck_comes_first = stuck && (!partly || stuck->message->index < partly->message->index);
    if (!stuck_comes_first) {
        if (!partly)
            return false;
        rule_partial_recipients(c, partly, ruling);
        return true;
    }
    /* the reason why the first failed mail failed: a reply, or how the connection ended */
    if (sw_reply_is_refusal(stuck->reply)) {
        rule_by_refusal(c, stuck->reply, ruling);
        return true;
    }
    if (!sw_case_tcp_proves(c, ruling) && !sw_rule_broken(c, ruling))
        return false;
    ruling->outcome = SW_OUTCOME_PARTIAL;
    return true;
}

bool sw_rule_accepted(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (c->outcome == SW_OUTCOME_DELIVERED && first_with(c, SW_OUTCOME_DELIVERED)) {
        rule_delivered(c, ruling);
        return true;
    }
    return c->outcome == SW_OUTCOME_PARTIAL && rule_partial(c, ruling);
}

/* A refused token is explained in a challenge; the final 535 may never come (RFC 7628 3.2.3). */
static bool token_refused(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_auth *auth = c->session->auth;
    if (!auth || auth->error_json.len == 0 || auth->reply || c->tried_mail)
        return false;
    *ruling = (struct sw_ruling){
        .cause = SW_CAUSE_AUTH_OAUTH_REJECTED,
        .outcome = SW_OUTCOME_STUCK,
        .confidence = SW_CONFIDENCE_CERTAIN,
        .stage = SW_STAGE_AUTH,
        .reply = auth->challenge,
    };
    prove_reply(ruling, auth->challenge, "the server explains why it refuses the token");
    return true;
}

bool sw_rule_refused(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (!c->refusal)
        return token_refused(c, ruling);
    if (c->reading.cause == SW_CAUSE_NONE)
        return false;
    bool undecided = c->any_message_counts && c->outcome == SW_OUTCOME_UNKNOWN;
    if (c->outcome == SW_OUTCOME_DELIVERED || c->outcome == SW_OUTCOME_PARTIAL || undecided)
        return false;
    rule_by_refusal(c, c->refusal, ruling);
    return true;
}
