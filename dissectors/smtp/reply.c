/*
 * reply.c - the server's side: lines, replies over several lines, and what each one answers.
 */
#include "dissectors/smtp/internal.h"

enum { REPLY_LINE_LIMIT = 512 };

struct reply_line {
    bool valid;
    bool last;
    uint16_t code;
    struct sw_span text;
};

/* RFC 5321 4.2.1: three digits, then a blank, a hyphen, or nothing. Codes nobody knows are codes
 * all the same. */
static struct reply_line parse_line(struct sw_span line)
{
    struct reply_line r = {.text = line};
    if (line.len < 3 || !sw_ascii_digit(line.ptr[0]) || !sw_ascii_digit(line.ptr[1]) ||
        !sw_ascii_digit(line.ptr[2]))
        return r;
    if (line.len > 3 && line.ptr[3] != ' ' && line.ptr[3] != '-' && line.ptr[3] != '\t')
        return r;
    r.valid = true;
    r.code = (uint16_t)((line.ptr[0] - '0') * 100 + (line.ptr[1] - '0') * 10 + (line.ptr[2] - '0'));
    r.last = line.len == 3 || line.ptr[3] != '-';
    r.text = sw_span_from(line, 4);
    return r;
}

static void tell_line(struct smtp_io *io, uint16_t code, struct sw_span text, uint32_t flags)
{
    struct smtp_event event = {
        .kind = SMTP_EVENT_REPLY_LINE,
        .from = SW_FROM_SERVER,
        .flags = flags,
        .code = code,
        .text = text,
        .number = io->state->reply_lines++,
        .begin = io->begin,
        .end = io->end,
    };
    smtp_emit(io, &event);
}

static void open_reply(struct smtp_io *io, uint16_t code)
{
    struct smtp_state *st = io->state;
    st->reply_open = true;
    st->reply_code = code;
    st->reply_lines = 0;
    st->reply_enhanced = (struct smtp_enhanced){0};
    st->reply_begin = io->begin;
    st->reply_flags = 0;
}

/* --- what a complete reply does --- */

static void end_of_wait(struct smtp_state *st, uint32_t id)
{
    const struct smtp_pending *last = smtp_queue_last(st);
    if (st->mode == SMTP_MODE_WAIT && (!last || last->id == id))
        st->mode = SMTP_MODE_COMMAND;
    st->wait_unsure = false;
}

static void pop(struct smtp_state *st)
{
    st->queue_head = (uint16_t)((st->queue_head + 1) % SMTP_QUEUE);
    st->queue_len--;
}

static bool is_final(const struct smtp_pending *p)
{
    return p->verb == SMTP_VERB_END_OF_DATA ||
           (p->verb == SMTP_VERB_BDAT && (p->flags & SMTP_FLAG_LAST));
}

/* LMTP answers the end of data once for each accepted recipient (RFC 2033 4.2). */
static bool expects_more(struct smtp_state *st, const struct smtp_pending *p,
                         struct smtp_event *event)
{
    if (!is_final(p))
        return false;
    event->flags |= SMTP_FLAG_LAST;
    bool each = st->lmtp && st->accepted_recipients > 0 && event->code != 421;
    if (!each) {
        st->accepted_recipients = 0;
        return false;
    }
    event->flags |= SMTP_FLAG_RECIPIENT;
    event->number = st->lmtp_replies++;
    if (st->lmtp_replies < st->accepted_recipients)
        return true;
    st->accepted_recipients = 0;
    st->lmtp_replies = 0;
    return false;
}

static void data_answered(struct smtp_io *io, uint32_t id, uint16_t code)
{
    struct smtp_state *st = io->state;
    if (st->mode == SMTP_MODE_BODY && st->body_id == id) {
        if (code / 100 != 3)
            st->mode = SMTP_MODE_COMMAND; /* the text had been assumed */
        return;
    }
    end_of_wait(st, id);
    if (code != 354 || st->mode != SMTP_MODE_COMMAND)
        return;
    struct smtp_event event = {
        .kind = SMTP_EVENT_DATA_BEGIN,
        .from = SW_FROM_SERVER,
        .verb = SMTP_VERB_DATA,
        .id = id,
        .answers = id,
        .begin = io->begin,
        .end = io->end,
    };
    smtp_body_begin(st, id);
    smtp_emit(io, &event);
}

static void starttls_answered(struct smtp_io *io, enum smtp_verb verb, uint32_t id, uint16_t code)
{
    end_of_wait(io->state, id);
    if (code / 100 != 2)
        return;
    struct smtp_event event = {
        .kind = SMTP_EVENT_TLS_HANDOVER,
        .from = SW_FROM_SERVER,
        .verb = verb,
        .answers = id,
        .begin = io->begin,
        .end = io->end,
    };
    io->state->mode = SMTP_MODE_TLS;
    smtp_emit(io, &event);
}

static void login_answered(struct smtp_state *st, uint32_t id, uint16_t code)
{
    end_of_wait(st, id);
    if (code == 334 && st->mode == SMTP_MODE_COMMAND)
        st->mode = SMTP_MODE_AUTH;
    else if (code != 334 && st->mode == SMTP_MODE_AUTH)
        st->mode = SMTP_MODE_COMMAND;
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
        starttls_answered(io, verb, id, code);
        break;
    case SMTP_VERB_RCPT:
        st->accepted_recipients += positive;
        break;
    case SMTP_VERB_LHLO:
        st->lmtp = st->lmtp || positive;
        st->accepted_recipients = positive ? 0 : st->accepted_recipients;
        break;
    case SMTP_VERB_MAIL:
    case SMTP_VERB_RSET:
    case SMTP_VERB_EHLO:
    case SMTP_VERB_HELO:
        st->accepted_recipients = positive ? 0 : st->accepted_recipients;
        break;
    default: /* the others change nothing; the numbers come from a queue of bytes */
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
    bool end_unseen = st->after_gap[SW_FROM_CLIENT] || st->false_end_last;
    if (end_unseen && event->code / 100 != 3) {
        smtp_body_end(io, SMTP_VERB_END_OF_DATA, SMTP_FLAG_GUESSED);
        event->flags |= SMTP_FLAG_GUESSED;
        return;
    }
    event->answers = st->body_id;
    event->verb = SMTP_VERB_DATA;
    event->flags |= SMTP_FLAG_UNSOLICITED;
}

/* Nothing is outstanding: the greeting of a capture that starts late, a reply whose command was
 * lost, or unasked. */
static void reply_to_nothing(struct smtp_io *io, struct smtp_event *event)
{
    struct smtp_state *st = io->state;
    bool lost_command = st->queue_lost > 0 || st->after_gap[SW_FROM_CLIENT];
    bool first_words = st->midstream && !st->greeted && st->next_id == 1;
    bool greeting_code =
        event->code == 220 || event->code == 421 || event->code == 554 || event->code == 521;
    if (st->queue_lost > 0)
        st->queue_lost--;
    if (first_words && greeting_code) {
        st->greeted = true;
        return;
    }
    event->flags |= SMTP_FLAG_UNSOLICITED;
    if (lost_command || st->midstream)
        event->flags |= SMTP_FLAG_GUESSED;
    st->greeted = true;
    if (event->code == 354 && lost_command) { /* the DATA is missing, its text comes */
        smtp_body_begin(st, st->next_id++);
        st->after_gap[SW_FROM_CLIENT] = false;
    }
}

/* The only command that a reply code can answer, or NONE. */
static enum smtp_verb only_command_for(uint16_t code)
{
    switch (code) {
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
static void keep_step_by_code(struct smtp_io *io)
{
    struct smtp_state *st = io->state;
    enum smtp_verb wanted = only_command_for(st->reply_code);
    if (wanted == SMTP_VERB_NONE || st->queue[st->queue_head].verb == SMTP_VERB_NONE)
        return;
    for (uint16_t i = 0; i < st->queue_len; i++) {
        uint8_t verb = st->queue[(st->queue_head + i) % SMTP_QUEUE].verb;
        bool fits = verb == wanted || (wanted == SMTP_VERB_AUTH && verb == SMTP_VERB_AUTH_DATA);
        if (!fits)
            continue;
        if (i > 0)
            smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_RESYNC, (struct sw_span){NULL, 0}, i);
        while (i-- > 0)
            pop(st);
        return;
    }
}

void smtp_reply_complete(struct smtp_io *io, uint32_t flags)
{
    struct smtp_state *st = io->state;
    struct smtp_event event = {
        .kind = SMTP_EVENT_REPLY,
        .from = SW_FROM_SERVER,
        .flags = flags | st->reply_flags,
        .code = st->reply_code,
        .enhanced = st->reply_enhanced,
        .number = st->reply_lines,
        .begin = st->reply_begin,
        .end = io->end,
    };
    st->reply_open = false;
    if (st->mode == SMTP_MODE_BODY && st->queue_len == 0)
        reply_inside_text(io, &event);
    if (st->queue_len == 0) {
        if (!event.answers)
            reply_to_nothing(io, &event);
        smtp_emit(io, &event);
        return;
    }
    st->junk_answer = false;
    keep_step_by_code(io);
    struct smtp_pending p = st->queue[st->queue_head];
    event.answers = p.id;
    event.verb = (enum smtp_verb)p.verb;
    event.flags |= p.flags & SMTP_FLAG_GUESSED;
    if (!expects_more(st, &p, &event))
        pop(st);
    smtp_emit(io, &event);
    act_on(io, (enum smtp_verb)p.verb, p.id, event.code);
}

static void junk_line(struct smtp_io *io, struct sw_span line)
{
    struct smtp_state *st = io->state;
    smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_JUNK_LINE, line, 0);
    if (st->reply_open) { /* a text broken over lines: it belongs to the reply around it */
        tell_line(io, 0, line, 0);
        return;
    }
    st->junk_answer = true;
    open_reply(io, 0);
    tell_line(io, 0, line, 0);
    struct smtp_event event = {
        .kind = SMTP_EVENT_REPLY,
        .from = SW_FROM_SERVER,
        .flags = SMTP_FLAG_UNSOLICITED,
        .number = 1,
        .begin = st->reply_begin,
        .end = io->end,
    };
    st->reply_open = false;
    smtp_emit(io, &event); /* it answers nothing: no command loses its reply to it */
}

static void note_line(struct smtp_io *io, const struct sw_line *line)
{
    if (line->end == SW_LINE_LF)
        smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_BARE_LF, line->text, 0);
    if (line->bare_cr)
        smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_BARE_CR, line->text, 0);
    if (line->length + 2 > REPLY_LINE_LIMIT)
        smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_LONG_LINE, sw_span_sub(line->text, 0, 40), 0);
    if (sw_span_index(line->text, 0) < line->text.len)
        smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_NUL, sw_span_sub(line->text, 0, 40), 0);
}

void smtp_server_line(struct smtp_io *io, const struct sw_line *line)
{
    struct smtp_state *st = io->state;
    struct reply_line r = parse_line(line->text);
    bool cut = line->end == SW_LINE_OPEN || line->text.len < line->length;
    if (st->skip_to_line_end[SW_FROM_SERVER]) { /* behind a gap: the rest of a line, unless it looks
                                                   whole */
        st->skip_to_line_end[SW_FROM_SERVER] = false;
        if (!r.valid)
            return;
    }
    st->server_spoke = true;
    note_line(io, line);
    if (!r.valid) {
        if (line->end != SW_LINE_OPEN)
            junk_line(io, line->text);
        return;
    }
    if (!st->reply_open) {
        open_reply(io, r.code);
    } else if (r.code != st->reply_code) {
        smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_MIXED_CODES, line->text, r.code);
        st->reply_code = r.code;
    }
    size_t used;
    struct smtp_enhanced enhanced;
    if (st->reply_enhanced.klass == 0 && smtp_enhanced_parse(r.text, &enhanced, &used) &&
        enhanced.klass == r.code / 100)
        st->reply_enhanced = enhanced;
    if (r.code == 334)
        smtp_auth_prompt(st, r.text);
    if (cut)
        st->reply_flags |= SMTP_FLAG_CUT;
    tell_line(io, r.code, r.text, cut ? SMTP_FLAG_CUT : 0);
    if (r.last || line->end == SW_LINE_OPEN)
        smtp_reply_complete(io, 0);
}
