/*
 * answer.c - which command a reply answers, and what it changes. Replies drive the state (RFC 5321
 * 3.3), not commands: a text begins at the 354, TLS at the 220.
 */
#include "dissectors/smtp/internal.h"

static bool is_final(const struct smtp_pending *p)
{
    bool chunk = p->verb == SMTP_VERB_BDAT || p->verb == SMTP_VERB_BURL;
    return p->verb == SMTP_VERB_END_OF_DATA || (chunk && (p->flags & SMTP_FLAG_LAST));
}

/* LMTP answers the end of data once for each accepted recipient (RFC 2033 4.2). */
static bool expects_more(struct smtp_state *st, const struct smtp_pending *p,
                         struct smtp_event *event)
{
    if (p->verb == SMTP_VERB_XEXCH50 && event->code == 354)
        return true; /* what it asks for is answered as well */
    if (!is_final(p))
        return false;
    event->flags |= SMTP_FLAG_LAST;
    bool each = st->lmtp && st->accepted_recipients > 0 && event->code != 421;
    if (each) {
        event->flags |= SMTP_FLAG_RECIPIENT;
        event->number = st->lmtp_replies++;
        if (st->lmtp_replies < st->accepted_recipients)
            return true;
    }
    st->accepted_recipients = 0;
    st->lmtp_replies = 0;
    return false;
}

static void tell_text_begins(struct smtp_io *io, uint32_t id, uint32_t flags)
{
    struct smtp_event event = {
        .kind = SMTP_EVENT_DATA_BEGIN,
        .from = SW_FROM_SERVER,
        .verb = SMTP_VERB_DATA,
        .flags = flags,
        .id = id,
        .answers = id,
        .begin = io->begin,
        .end = io->end,
    };
    smtp_emit(io, &event);
}

static void data_answered(struct smtp_io *io, uint32_t id, uint16_t code)
{
    struct smtp_state *st = io->state;
    if (st->mode == SMTP_MODE_BODY && st->body_id == id) { /* the text had been assumed */
        if (code / 100 != 3)
            st->mode = SMTP_MODE_COMMAND;
        return;
    }
    uint64_t missing = st->wait_missing;
    st->text_refused = code != 354;
    if (!smtp_wait_end(st, id) || code != 354)
        return;
    tell_text_begins(io, id, 0);
    smtp_body_begin_within_line(io, id);
    if (missing > 0)
        smtp_body_missing(io, missing);
}

static void tell_handover(struct smtp_io *io, enum smtp_verb verb, uint32_t id, uint32_t flags)
{
    struct smtp_event event = {
        .kind = SMTP_EVENT_TLS_HANDOVER,
        .from = SW_FROM_SERVER,
        .verb = verb,
        .flags = flags,
        .answers = id,
        .begin = io->begin,
        .end = io->end,
    };
    sw_lines_clear(&io->state->lines[SW_FROM_CLIENT]);
    io->state->mode = SMTP_MODE_TLS;
    io->state->tls_checked = false;
    smtp_emit(io, &event);
}

static void login_answered(struct smtp_state *st, uint32_t id, uint16_t code)
{
    bool waited = smtp_wait_end(st, id);
    if (code == 334 && (waited || st->mode == SMTP_MODE_AUTH)) {
        st->mode = SMTP_MODE_AUTH;
        st->auth_unsure = false;
        st->skip_to_line_end[SW_FROM_CLIENT] = false;
    } else if (code != 334 && st->mode == SMTP_MODE_AUTH) {
        st->mode = SMTP_MODE_COMMAND;
    }
    bool may_encrypt = st->mechanism == SMTP_MECH_GSSAPI || st->mechanism == SMTP_MECH_DIGEST_MD5;
    st->sasl_layer = code == 235 && may_encrypt;
}

/* What the answer to one command changes; called behind its event. */
static void act_on(struct smtp_io *io, enum smtp_verb verb, uint32_t id, uint16_t code)
{
    struct smtp_state *st = io->state;
    bool positive = code / 100 == 2;
    switch (verb) {
    case SMTP_VERB_NONE:
        st->greeted = true;
        break;
    case SMTP_VERB_AUTH:
    case SMTP_VERB_AUTH_DATA:
        login_answered(st, id, code);
        break;
    case SMTP_VERB_DATA:
        data_answered(io, id, code);
        break;
    case SMTP_VERB_STARTTLS:
    case SMTP_VERB_X_ANONYMOUSTLS:
        if (smtp_wait_end(st, id) && positive)
            tell_handover(io, verb, id, 0);
        else if (positive)
            st->resumed = true; /* the client has gone on in clear; its hello may still come */
        break;
    case SMTP_VERB_XEXCH50:
        if (smtp_wait_end(st, id) && code == 354)
            smtp_blob_begin(st);
        break;
    case SMTP_VERB_ATRN:
    case SMTP_VERB_TURN:
        if (code == 250)
            smtp_go_opaque(io, SW_FROM_SERVER, SMTP_OPAQUE_TURNED);
        break;
    case SMTP_VERB_RCPT:
        st->accepted_recipients += positive;
        break;
    case SMTP_VERB_LHLO:
        st->lmtp = st->lmtp || positive;
        st->accepted_recipients = positive ? 0 : st->accepted_recipients;
        break;
    case SMTP_VERB_MAIL:
    case SMTP_VERB_SEND:
    case SMTP_VERB_SOML:
    case SMTP_VERB_SAML:
    case SMTP_VERB_RSET:
        st->accepted_recipients = positive ? 0 : st->accepted_recipients;
        break;
    case SMTP_VERB_EHLO:
    case SMTP_VERB_HELO:
        st->accepted_recipients = positive ? 0 : st->accepted_recipients;
        st->lmtp = st->lmtp && !positive; /* RFC 2033 4.1: a server of LMTP refuses both */
        break;
    case SMTP_VERB_UNKNOWN:
    case SMTP_VERB_JUNK:
    case SMTP_VERB_BDAT:
    case SMTP_VERB_BURL:
    case SMTP_VERB_NOOP:
    case SMTP_VERB_QUIT:
    case SMTP_VERB_VRFY:
    case SMTP_VERB_EXPN:
    case SMTP_VERB_HELP:
    case SMTP_VERB_ETRN:
    case SMTP_VERB_XCLIENT:
    case SMTP_VERB_XFORWARD:
    case SMTP_VERB_DEBUG:
    case SMTP_VERB_WIZ:
    case SMTP_VERB_END_OF_DATA:
    case SMTP_VERB_COUNT:
        break;
    }
}

/*
 * A reply in the middle of a text. The dot may be unseen (a gap, or a server that takes a
 * look-alike for the end), or the server breaks in.
 */
static void reply_inside_text(struct smtp_io *io, struct smtp_event *event)
{
    struct smtp_state *st = io->state;
    bool after_gap = st->after_gap[SW_FROM_CLIENT];
    bool sure = !after_gap || smtp_body_is_all_gap(st);
    bool breaks_in = event->code / 100 == 3 || (event->code == 421 && !sure);
    bool accepts = event->code / 100 == 2;
    bool refuses = smtp_false_end_is_last(st) && event->code / 100 > 3 && event->code != 421;
    if (st->false_end && (accepts || refuses)) {
        smtp_false_end_taken(io);
        return;
    }
    if (after_gap && !breaks_in) {
        /* The reply tells that the text is over; the place where it ended was not seen. */
        struct smtp_io there = *io;
        there.begin.offset = there.end.offset = 0;
        smtp_body_end(&there, SMTP_VERB_END_OF_DATA, SMTP_FLAG_GUESSED);
        if (!sure) { /* it may have broken in all the same: the next lines tell */
            st->mode = SMTP_MODE_UNKNOWN;
            st->after_gap[SW_FROM_CLIENT] = true;
        }
        return;
    }
    if (event->code == 421)
        smtp_false_end_left(io);
    event->answers = st->body_id;
    event->verb = SMTP_VERB_DATA;
    event->flags |= SMTP_FLAG_UNSOLICITED;
}

/* Nothing is outstanding: the greeting of a capture that starts late, a reply whose command was
 * lost, or unasked. */
static void reply_to_nothing(struct smtp_io *io, struct smtp_event *event)
{
    struct smtp_state *st = io->state;
    uint16_t code = event->code;
    bool lost_command = st->queue_lost > 0 || st->after_gap[SW_FROM_CLIENT] || st->midstream;
    bool first_words = st->midstream && !st->greeted && st->next_id == 1;
    bool unknown = st->mode == SMTP_MODE_UNKNOWN && !st->decide;
    bool greeted = st->greeted;
    st->greeted = true;
    if (st->queue_lost > 0)
        st->queue_lost--;
    if (first_words && (code == 220 || code == 421 || code == 554 || code == 521)) {
        smtp_emit(io, event);
        if (unknown && st->body_octets == 0)
            st->mode = SMTP_MODE_COMMAND;
        return;
    }
    event->flags |= SMTP_FLAG_UNSOLICITED | (lost_command ? SMTP_FLAG_GUESSED : 0);
    smtp_emit(io, event);
    if (!lost_command || !unknown)
        return;
    if (code == 354) { /* the DATA is missing, its text comes */
        uint32_t id = st->next_id++;
        tell_text_begins(io, id, SMTP_FLAG_GUESSED);
        smtp_body_begin_within_line(io, id);
    } else if (code == 334) { /* an AUTH is missing: the next line may be a password */
        smtp_auth_lost(st);
        st->mode = SMTP_MODE_AUTH;
        st->skip_to_line_end[SW_FROM_CLIENT] = false;
    } else if (code == 220 && greeted) { /* nothing but STARTTLS gets that in the middle */
        tell_handover(io, SMTP_VERB_STARTTLS, 0, SMTP_FLAG_GUESSED);
    }
}

/*
 * The only command that a reply can answer, or NONE. Behind a gap enhanced codes help as well: RFC
 * 3463 3.2, X.1.1 and X.1.5 speak of the mailbox of a recipient.
 */
static enum smtp_verb only_command_for(const struct smtp_state *st, const struct smtp_event *event)
{
    const struct smtp_enhanced *e = &event->enhanced;
    if (st->unsure && e->klass != 0 && e->subject == 1 && (e->detail == 1 || e->detail == 5))
        return SMTP_VERB_RCPT;
    switch (event->code) {
    case 220:
        return SMTP_VERB_STARTTLS;
    case 535: /* some servers say it to MAIL, too (RFC 4954 6: 530) */
        return st->unsure || st->after_gap[SW_FROM_SERVER] ? SMTP_VERB_AUTH : SMTP_VERB_NONE;
    case 221:
        return SMTP_VERB_QUIT;
    case 235:
    case 334:
        return SMTP_VERB_AUTH;
    case 354:
        return SMTP_VERB_DATA;
    default:
        return SMTP_VERB_NONE;
    }
}

/*
 * A code that only one command gets, while an earlier one is still unanswered: the earlier reply
 * was lost or unreadable. The queue is brought back in step.
 */
static void keep_step_by_code(struct smtp_io *io, const struct smtp_event *event)
{
    struct smtp_state *st = io->state;
    enum smtp_verb wanted = only_command_for(st, event);
    if (wanted == SMTP_VERB_NONE || smtp_queue_at_greeting(st))
        return;
    uint32_t before = smtp_queue_before(st, wanted);
    if (wanted == SMTP_VERB_AUTH) {
        uint32_t further = smtp_queue_before(st, SMTP_VERB_AUTH_DATA);
        before = further < before ? further : before;
    }
    if (before == UINT32_MAX)
        return;
    st->unsure = st->unsure && wanted == SMTP_VERB_RCPT; /* one of several recipients, but whose? */
    if (before == 0)
        return;
    smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_RESYNC, (struct sw_span){NULL, 0}, before);
    while (before-- > 0)
        smtp_queue_pop(st);
}

/*
 * Nothing accepts a DATA but a 3yz: a 2yz belongs to a command whose place in the queue was lost.
 * Behind a gap a 421 may stand for itself, for what the server would say to anything (RFC 5321
 * 3.8), and a code that only one command gets answers no other.
 */
static bool cannot_answer(const struct smtp_state *st, const struct smtp_pending *p,
                          const struct smtp_event *event)
{
    uint16_t code = event->code;
    if (p->verb == SMTP_VERB_DATA && code / 100 == 2)
        return true;
    if (p->verb == SMTP_VERB_END_OF_DATA && code == 221) /* to a QUIT that is lost */
        return true;
    if ((!st->after_gap[SW_FROM_SERVER] && !st->unsure) || p->verb == SMTP_VERB_NONE)
        return false;
    enum smtp_verb wanted = only_command_for(st, event);
    bool login = wanted == SMTP_VERB_AUTH && p->verb == SMTP_VERB_AUTH_DATA;
    return code == 421 || (wanted != SMTP_VERB_NONE && p->verb != wanted && !login);
}

/* Behind a gap of the server a text is being sent: its 354 is in the gap, and what is said now is
 * said within the text. */
static bool text_goes_on(const struct smtp_state *st, uint16_t code)
{
    struct smtp_pending p;
    return st->mode == SMTP_MODE_BODY && st->after_gap[SW_FROM_SERVER] && st->body_octets > 0 &&
           code / 100 != 3 && smtp_queue_first(st, &p) && p.id == st->body_id &&
           smtp_queue_count(st) == 1;
}

/* "050 ...": Sendmail tells what it does, before the reply itself comes (its command VERB). */
static bool is_chatter(uint16_t code)
{
    return code > 0 && code < 100;
}

void smtp_answer(struct smtp_io *io, struct smtp_event *event)
{
    struct smtp_state *st = io->state;
    if (is_chatter(event->code)) {
        event->flags |= SMTP_FLAG_UNSOLICITED;
        smtp_emit(io, event);
        return;
    }
    if (text_goes_on(st, event->code))
        smtp_queue_pop(st);
    if (st->mode == SMTP_MODE_BODY && st->queue_len == 0 && st->queue_lost == 0)
        reply_inside_text(io, event);
    if (event->answers) {
        smtp_emit(io, event);
        return;
    }
    st->junk_answer = st->junk_answer && st->queue_len == 0;
    keep_step_by_code(io, event);
    struct smtp_pending p;
    if (!smtp_queue_first(st, &p)) {
        reply_to_nothing(io, event);
        return;
    }
    if (cannot_answer(st, &p, event)) {
        event->flags |= SMTP_FLAG_UNSOLICITED | SMTP_FLAG_GUESSED;
        smtp_emit(io, event);
        return;
    }
    event->answers = p.id;
    event->verb = (enum smtp_verb)p.verb;
    event->flags |= p.flags & SMTP_FLAG_GUESSED;
    if (st->after_gap[SW_FROM_SERVER])
        event->flags |= SMTP_FLAG_GUESSED;
    bool text_lost = p.verb == SMTP_VERB_DATA && event->code / 100 != 3; /* a 354 may be lost */
    if (st->unsure || (st->after_gap[SW_FROM_SERVER] && text_lost))
        event->flags |= SMTP_FLAG_UNSURE;
    if (!expects_more(st, &p, event))
        smtp_queue_pop(st);
    smtp_emit(io, event);
    act_on(io, event->verb, p.id, event->code);
}
