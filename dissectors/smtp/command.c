/*
 * command.c - the client's side: commands, their arguments, and when the next bytes have to wait
 * for a reply.
 */
#include "base/address.h"
#include "dissectors/smtp/internal.h"

enum { COMMAND_LIMIT = 512, AUTH_LIMIT = 12288, JUNK_TOLD = 8 };

void smtp_queue_push(struct smtp_state *state, uint32_t id, enum smtp_verb verb, unsigned flags)
{
    if (state->queue_len == SMTP_QUEUE) {
        state->queue_lost++;
        return;
    }
    uint16_t at = (uint16_t)((state->queue_head + state->queue_len) % SMTP_QUEUE);
    state->queue[at] = (struct smtp_pending){id, (uint8_t)verb, (uint8_t)flags};
    state->queue_len++;
}

struct smtp_pending *smtp_queue_last(struct smtp_state *state)
{
    if (state->queue_len == 0)
        return NULL;
    return &state->queue[(state->queue_head + state->queue_len - 1) % SMTP_QUEUE];
}

static struct smtp_event command_event(const struct smtp_io *io, enum smtp_verb verb,
                                       uint32_t flags)
{
    return (struct smtp_event){
        .kind = SMTP_EVENT_COMMAND,
        .from = SW_FROM_CLIENT,
        .verb = verb,
        .flags = flags,
        .id = io->state->next_id++,
        .begin = io->begin,
        .end = io->end,
    };
}

/* A line of the login: nothing of it comes out but its length. */
static void auth_line(struct smtp_io *io, const struct sw_line *line)
{
    struct smtp_state *st = io->state;
    uint32_t flags = line->end == SW_LINE_OPEN ? SMTP_FLAG_CUT : 0;
    if (line->text.len == 0)
        flags |= SMTP_FLAG_EMPTY;
    if (line->text.len == 1 && line->text.ptr[0] == '*')
        flags |= SMTP_FLAG_CANCEL;
    struct smtp_event event = command_event(io, SMTP_VERB_AUTH_DATA, flags);
    event.mechanism = st->mechanism;
    event.number = line->length;
    event.answers = st->auth_id;
    if (line->length + 2 > AUTH_LIMIT)
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_LONG_LINE, (struct sw_span){NULL, 0}, 0);
    smtp_emit(io, &event);
    smtp_auth_data(io, line->text);
    smtp_queue_push(st, event.id, SMTP_VERB_AUTH_DATA, 0);
    st->mode = SMTP_MODE_WAIT;
}

static void auth_command(struct smtp_io *io, struct smtp_event *event, struct sw_span argument)
{
    struct sw_span rest = argument;
    struct sw_span mechanism = sw_span_word(&rest);
    struct sw_span data = sw_span_trim(rest);
    event->text = mechanism;
    event->mechanism = smtp_mechanism_of(mechanism);
    event->number = data.len;
    if (data.len > 0)
        event->flags |= SMTP_FLAG_INITIAL;
    smtp_emit(io, event);
    smtp_queue_push(io->state, event->id, SMTP_VERB_AUTH, 0);
    bool empty_response = data.len == 1 && data.ptr[0] == '='; /* RFC 4954 4 */
    smtp_auth_begin(io, mechanism, empty_response ? (struct sw_span){NULL, 0} : data, event->id);
    io->state->mode = SMTP_MODE_WAIT;
}

static void bdat_command(struct smtp_io *io, struct smtp_event *event, struct sw_span argument)
{
    struct smtp_state *st = io->state;
    event->text = argument;
    uint32_t flags = 0;
    uint64_t size = 0;
    enum smtp_mode before = st->mode;
    smtp_bdat_begin(io, argument, event->id, &flags, &size);
    event->flags |= flags;
    event->number = size;
    smtp_emit(io, event);
    smtp_queue_push(st, event->id, SMTP_VERB_BDAT, flags);
    if (st->mode == SMTP_MODE_BDAT && st->bdat_left == 0) /* BDAT 0, BDAT 0 LAST */
        (void)smtp_bdat_feed(io, (struct sw_span){NULL, 0});
    else if (st->mode != SMTP_MODE_BDAT)
        st->mode = before;
}

/* The line of the PROXY protocol, version 1: "PROXY TCP4 source destination sport dport". */
static bool proxy_line(struct smtp_io *io, struct sw_span text)
{
    struct smtp_state *st = io->state;
    if (st->next_id != 1 || st->greeted || st->midstream ||
        !sw_span_starts(text, SW_SPAN_LIT("PROXY ")))
        return false;
    struct sw_span rest = sw_span_from(text, 6);
    struct sw_span family = sw_span_word(&rest);
    struct smtp_event event = {
        .kind = SMTP_EVENT_PROXY, .from = SW_FROM_CLIENT, .begin = io->begin, .end = io->end};
    if (sw_span_starts(family, SW_SPAN_LIT("TCP")))
        event.text = sw_span_word(&rest);
    smtp_emit(io, &event);
    return true;
}

static void note_line(struct smtp_io *io, const struct sw_line *line)
{
    if (line->end == SW_LINE_LF)
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_BARE_LF, (struct sw_span){NULL, 0}, 0);
    if (line->bare_cr)
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_BARE_CR, (struct sw_span){NULL, 0}, 0);
    if (line->length + 2 > COMMAND_LIMIT && !sw_span_starts_nocase(line->text, SW_SPAN_LIT("AUTH")))
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_LONG_LINE, (struct sw_span){NULL, 0}, 0);
    if (sw_span_index(line->text, 0) < line->text.len)
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_NUL, (struct sw_span){NULL, 0}, 0);
}

/*
 * "250-..." that was never ended: the client takes it for the whole answer and goes on, so it is.
 * Not for the greeting, where a client that speaks too early proves nothing.
 */
static void close_open_reply(struct smtp_io *io)
{
    struct smtp_state *st = io->state;
    if (st->junk_answer && !st->reply_open && st->queue_len == 1 &&
        st->queue[st->queue_head].verb != SMTP_VERB_NONE) {
        st->junk_answer = false; /* the client took the unreadable line for the answer */
        st->queue_len = 0;
        return;
    }
    if (!st->reply_open || st->queue_len != 1 || st->queue[st->queue_head].verb == SMTP_VERB_NONE)
        return;
    smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_UNTERMINATED_REPLY, (struct sw_span){NULL, 0},
             st->reply_code);
    smtp_reply_complete(io, 0);
}

/* Replies may be lost in a gap of the server: what was asked before it counts as answered, unseen,
 * once the client goes on. */
static void forget_lost_replies(struct smtp_state *st)
{
    if (!st->after_gap[SW_FROM_SERVER])
        return;
    st->after_gap[SW_FROM_SERVER] = false;
    st->queue_len = 0;
    st->queue_lost = 0;
}

static void note_order(struct smtp_io *io, struct smtp_event *event)
{
    struct smtp_state *st = io->state;
    bool before_greeting = !st->midstream && !st->greeted && st->queue_len > 0 &&
                           st->queue[st->queue_head].verb == SMTP_VERB_NONE;
    if (before_greeting) {
        if (!st->told_early && !st->server_spoke)
            smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_EARLY_TALKER, (struct sw_span){NULL, 0}, 0);
        st->told_early = true;
    }
    if (st->queue_len == 0)
        return;
    event->flags |= SMTP_FLAG_PIPELINED;
    if (!before_greeting)
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_PIPELINED, (struct sw_span){NULL, 0}, 0);
}

static void command_line(struct smtp_io *io, const struct sw_line *line, uint32_t flags)
{
    struct smtp_state *st = io->state;
    struct sw_span text = line->text;
    if (proxy_line(io, text))
        return;
    forget_lost_replies(st);
    struct sw_span rest = text;
    struct sw_span word = sw_span_word(&rest);
    enum smtp_verb verb = smtp_verb_of(word);
    if (verb == SMTP_VERB_JUNK && ++st->junk_lines > JUNK_TOLD)
        return; /* binary or text that is no dialogue: a few lines of it tell enough */
    if (verb != SMTP_VERB_JUNK)
        st->junk_lines = 0;
    note_line(io, line);
    close_open_reply(io);
    if (line->end == SW_LINE_OPEN || text.len < line->length)
        flags |= SMTP_FLAG_CUT;
    struct smtp_event event = command_event(io, verb, flags);
    note_order(io, &event);
    event.word = verb == SMTP_VERB_JUNK ? (struct sw_span){NULL, 0} : word;
    struct sw_span argument = sw_span_trim(rest);
    if (verb == SMTP_VERB_AUTH) {
        auth_command(io, &event, argument);
        return;
    }
    if (verb == SMTP_VERB_BDAT) {
        bdat_command(io, &event, argument);
        return;
    }
    event.text = verb == SMTP_VERB_JUNK ? sw_span_sub(text, 0, 64) : argument;
    smtp_emit(io, &event);
    smtp_queue_push(st, event.id, verb, flags & SMTP_FLAG_GUESSED);
    if (verb == SMTP_VERB_DATA || verb == SMTP_VERB_STARTTLS || verb == SMTP_VERB_X_ANONYMOUSTLS)
        st->mode = SMTP_MODE_WAIT;
}

/* Mid-stream or behind a gap: commands, or still the text of a message? */
static void unknown_line(struct smtp_io *io, const struct sw_line *line)
{
    struct smtp_state *st = io->state;
    if (st->skip_to_line_end[SW_FROM_CLIENT]) {
        st->skip_to_line_end[SW_FROM_CLIENT] = false;
        if (!smtp_looks_like_command(line->text))
            return;
    }
    if (line->text.len == 1 && line->text.ptr[0] == '.') {
        smtp_body_end(io, SMTP_VERB_END_OF_DATA, SMTP_FLAG_GUESSED);
        return;
    }
    if (smtp_looks_like_command(line->text)) {
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_RESYNC, (struct sw_span){NULL, 0}, 0);
        st->mode = SMTP_MODE_COMMAND;
        st->after_gap[SW_FROM_CLIENT] = false;
        command_line(io, line, SMTP_FLAG_GUESSED);
        return;
    }
    struct smtp_event event = {.kind = SMTP_EVENT_BODY,
                               .from = SW_FROM_CLIENT,
                               .verb = SMTP_VERB_DATA,
                               .flags = SMTP_FLAG_GUESSED,
                               .number = line->length + 2,
                               .begin = io->begin,
                               .end = io->end};
    st->body_octets += event.number;
    smtp_emit(io, &event);
}

void smtp_client_line(struct smtp_io *io, const struct sw_line *line)
{
    switch (io->state->mode) {
    case SMTP_MODE_AUTH:
        auth_line(io, line);
        break;
    case SMTP_MODE_UNKNOWN:
        unknown_line(io, line);
        break;
    case SMTP_MODE_COMMAND:
    case SMTP_MODE_WAIT:
    case SMTP_MODE_BODY:
    case SMTP_MODE_BDAT:
    case SMTP_MODE_TLS:
        command_line(io, line, 0);
        break;
    }
}
