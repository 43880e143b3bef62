/*
 * command.c - the client's side: commands, their arguments, and when the next bytes have to wait
 * for a reply.
 */
#include "dissectors/smtp/internal.h"

enum {
    COMMAND_LIMIT = 512,
    PARAMETERS_LIMIT = 1200,
    AUTH_LIMIT = 12288,
    JUNK_TOLD = 8,
    JUNK_QUOTED = 64,
    VERB_SHOWN = 12,
    SIZE_SHOWN = 40
};

static void push(struct smtp_io *io, uint32_t id, enum smtp_verb verb, uint32_t flags)
{
    struct smtp_state *st = io->state;
    if (smtp_queue_push(st, id, verb, flags) || st->told_full)
        return;
    st->told_full = true;
    smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_QUEUE_FULL, (struct sw_span){NULL, 0}, 0);
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
    smtp_forget_lost_replies(st);
    uint32_t flags = line->end == SW_LINE_OPEN ? SMTP_FLAG_CUT : 0;
    if (line->text.len == 0)
        flags |= SMTP_FLAG_EMPTY;
    if (line->text.len == 1 && line->text.ptr[0] == '*')
        flags |= SMTP_FLAG_CANCEL;
    flags |= smtp_auth_secret(st, line->text);
    struct smtp_event event = command_event(io, SMTP_VERB_AUTH_DATA, flags);
    event.mechanism = st->mechanism;
    event.number = line->length;
    event.answers = st->auth_id;
    if (line->length + 2 > AUTH_LIMIT)
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_LONG_LINE, (struct sw_span){NULL, 0}, 0);
    smtp_emit(io, &event);
    smtp_auth_data(io, line->text);
    push(io, event.id, SMTP_VERB_AUTH_DATA, 0);
    smtp_wait_begin(st, event.id, SMTP_VERB_AUTH_DATA);
}

/* What stands where the mechanism should may be the password itself (RFC 4422 3.1 names them). */
static struct sw_span mechanism_shown(struct sw_span word)
{
    bool good = word.len <= 20;
    for (size_t i = 0; i < word.len && good; i++) {
        uint8_t c = word.ptr[i];
        good = (c >= 'A' && c <= 'Z') || sw_ascii_digit(c) || c == '-' || c == '_';
    }
    if (good || smtp_mechanism_of(word) != SMTP_MECH_UNKNOWN)
        return word;
    return (struct sw_span){NULL, 0};
}

static void auth_command(struct smtp_io *io, struct smtp_event *event, struct sw_span argument)
{
    struct sw_span rest = argument;
    struct sw_span mechanism = sw_span_word(&rest);
    struct sw_span data = sw_span_trim(rest);
    event->text = mechanism_shown(mechanism);
    if (event->text.len == 0)
        smtp_echo_remember(io->state, mechanism);
    event->mechanism = smtp_mechanism_of(mechanism);
    event->number = data.len;
    bool empty_response = data.len == 1 && data.ptr[0] == '='; /* RFC 4954 4 */
    smtp_auth_begin(io->state, event->mechanism, event->id);
    if (data.len > 0)
        event->flags |= SMTP_FLAG_INITIAL;
    if (!empty_response)
        event->flags |= smtp_auth_secret(io->state, data);
    smtp_emit(io, event);
    push(io, event->id, SMTP_VERB_AUTH, event->flags);
    if (data.len > 0 && !empty_response)
        smtp_auth_data(io, data);
    smtp_wait_begin(io->state, event->id, SMTP_VERB_AUTH);
}

/* Numbers, LAST and such; anything else is no size and may be anything. */
static bool looks_like_size(struct sw_span argument)
{
    for (size_t i = 0; i < argument.len; i++) {
        uint8_t c = argument.ptr[i];
        if (c != ' ' && c != '-' && !sw_ascii_digit(c) && (c < 'A' || c > 'Z'))
            return false;
    }
    return argument.len <= SIZE_SHOWN;
}

static void bdat_command(struct smtp_io *io, struct smtp_event *event, struct sw_span argument)
{
    struct smtp_state *st = io->state;
    bool shown = looks_like_size(argument);
    event->text = shown ? argument : (struct sw_span){NULL, 0};
    event->flags |= shown ? 0 : SMTP_FLAG_HIDDEN;
    if (!shown)
        smtp_echo_remember(st, argument);
    uint32_t flags = 0;
    uint64_t size = 0;
    smtp_bdat_begin(io, argument, event->id, &flags, &size);
    event->flags |= flags;
    event->number = size;
    smtp_emit(io, event);
    push(io, event->id, SMTP_VERB_BDAT, event->flags);
    if (st->mode == SMTP_MODE_BDAT && st->bdat_left == 0) /* BDAT 0, BDAT 0 LAST */
        (void)smtp_bdat_feed(io, (struct sw_span){NULL, 0});
}

/* RFC 4468 3.3: "BURL url [LAST]"; the url may carry a token that opens the mailbox (RFC 4467). */
static void burl_argument(struct smtp_event *event, struct sw_span argument)
{
    struct sw_span rest = argument;
    struct sw_span url = sw_span_word(&rest);
    event->text = sw_span_sub(url, 0, sw_span_find_nocase(url, SW_SPAN_LIT(";urlauth")));
    if (sw_span_eq_nocase(sw_span_trim(rest), SW_SPAN_LIT("LAST")))
        event->flags |= SMTP_FLAG_LAST;
}

/*
 * RFC 5321 4.5.3.1.4; extensions raise it: RFC 4954 4 for AUTH, and for the parameters of MAIL and
 * RCPT each by its own figure (RFC 1870, 3461, 4954, 6152, 6531), together by no more than this.
 */
static size_t line_limit(struct sw_span line)
{
    if (sw_span_starts_nocase(line, SW_SPAN_LIT("AUTH")))
        return AUTH_LIMIT;
    bool envelope = sw_span_starts_nocase(line, SW_SPAN_LIT("MAIL FROM:")) ||
                    sw_span_starts_nocase(line, SW_SPAN_LIT("RCPT TO:"));
    size_t path = sw_span_index(line, '>');
    bool parameters = envelope && sw_span_index(sw_span_from(line, path), '=') + path < line.len;
    return parameters ? COMMAND_LIMIT + PARAMETERS_LIMIT : COMMAND_LIMIT;
}

SW_RARE static void note_line(struct smtp_io *io, const struct sw_line *line)
{
    if (line->end == SW_LINE_LF)
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_BARE_LF, (struct sw_span){NULL, 0}, 0);
    if (line->bare_cr)
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_BARE_CR, (struct sw_span){NULL, 0}, 0);
    if (line->length + 2 > COMMAND_LIMIT && line->length + 2 > line_limit(line->text))
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
    if (st->reply_open && st->after_gap[SW_FROM_SERVER]) {
        smtp_reply_complete(io, SMTP_FLAG_CUT); /* its end is in the gap */
        return;
    }
    if (smtp_queue_count(st) != 1 || smtp_queue_at_greeting(st))
        return;
    if (st->reply_open) {
        smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_UNTERMINATED_REPLY, (struct sw_span){NULL, 0},
                 st->reply_code);
        smtp_reply_complete(io, 0);
    } else if (st->junk_answer) { /* the client took the unreadable line for the answer */
        st->junk_answer = false;
        smtp_queue_clear(st);
    }
}

static void note_order(struct smtp_io *io, struct smtp_event *event)
{
    struct smtp_state *st = io->state;
    bool before_greeting = !st->midstream && !st->greeted && smtp_queue_at_greeting(st);
    if (before_greeting) {
        if (!st->told_early && (!st->server_spoke || st->reply_open))
            smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_EARLY_TALKER, (struct sw_span){NULL, 0}, 0);
        st->told_early = true;
    }
    if (st->queue_len == 0)
        return;
    event->flags |= SMTP_FLAG_PIPELINED;
    if (!before_greeting)
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_PIPELINED, (struct sw_span){NULL, 0}, 0);
}

/* Emits a command; some have something of their own to read first. */
static void tell_command(struct smtp_io *io, struct smtp_event *event, struct sw_span argument)
{
    struct smtp_state *st = io->state;
    if (event->verb == SMTP_VERB_AUTH) {
        auth_command(io, event, argument);
        return;
    }
    if (event->verb == SMTP_VERB_BDAT) {
        bdat_command(io, event, argument);
        return;
    }
    if (event->verb == SMTP_VERB_BURL)
        burl_argument(event, argument);
    if (event->verb == SMTP_VERB_XEXCH50)
        smtp_blob_announced(st, argument);
    smtp_emit(io, event);
    push(io, event->id, event->verb, event->flags);
    if (event->verb == SMTP_VERB_DATA || event->verb == SMTP_VERB_STARTTLS ||
        event->verb == SMTP_VERB_X_ANONYMOUSTLS || event->verb == SMTP_VERB_XEXCH50)
        smtp_wait_begin(st, event->id, event->verb);
}

/* What programs call a command: capital letters, and digits behind the X- of a private one.
 * Anything else may be a password that was sent as a command. */
static bool looks_like_verb(struct sw_span word)
{
    bool own = sw_span_starts(word, SW_SPAN_LIT("X-"));
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = word.ptr[i];
        if ((c < 'A' || c > 'Z') && c != '-' && !(own && sw_ascii_digit(c)))
            return false;
    }
    return word.len <= VERB_SHOWN;
}

/* One printable word that is no command at all; a dot alone ends a text. */
static bool looks_like_password(struct sw_span line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] <= ' ' || line.ptr[i] == 0x7F)
            return false;
    }
    return line.len > 1;
}

/* A line that is no command we know is quoted only where it cannot be a misplaced login, or the
 * text of a mail that goes on although it was refused. */
SW_RARE static void quote_unknown(struct smtp_io *io, struct smtp_event *event, struct sw_span text)
{
    bool lone =
        event->verb == SMTP_VERB_JUNK ? looks_like_password(text) : !looks_like_verb(event->word);
    bool of_a_mail = (io->state->text_refused || io->state->text_over) &&
                     text.len > 1; /* a dot gives nothing away */
    bool hidden = io->state->near_login || of_a_mail || lone;
    bool secret = io->state->near_login || (lone && !of_a_mail) || smtp_may_hold_secret(text);
    if (secret)
        smtp_echo_remember(io->state, text);
    if ((hidden || secret) && text.len > 0)
        event->flags |= SMTP_FLAG_HIDDEN;
    if (hidden) {
        event->word = event->text = (struct sw_span){NULL, 0};
        return;
    }
    if (event->verb == SMTP_VERB_JUNK) {
        event->word = (struct sw_span){NULL, 0};
        event->text = sw_span_sub(text, 0, JUNK_QUOTED);
    }
    if (secret)
        event->text = (struct sw_span){NULL, 0};
}

static bool begins_mail(enum smtp_verb verb)
{
    return verb == SMTP_VERB_MAIL || verb == SMTP_VERB_RSET || verb == SMTP_VERB_EHLO ||
           verb == SMTP_VERB_HELO || verb == SMTP_VERB_LHLO;
}

static void command_line(struct smtp_io *io, const struct sw_line *line, uint32_t flags)
{
    struct smtp_state *st = io->state;
    struct sw_span text = line->text;
    if (smtp_proxy_line(io, text))
        return;
    struct sw_span rest = text;
    struct sw_span word = sw_span_word(&rest);
    enum smtp_verb verb = smtp_verb_of(word);
    bool known = verb != SMTP_VERB_JUNK && verb != SMTP_VERB_UNKNOWN;
    if (verb == SMTP_VERB_JUNK && ++st->junk_lines > JUNK_TOLD)
        return; /* binary or text that is no dialogue: a few lines of it tell enough */
    if (known)
        st->junk_lines = 0;
    if (!line->plain || line->length + 2 > COMMAND_LIMIT)
        note_line(io, line);
    close_open_reply(io);
    if (st->mode == SMTP_MODE_OPAQUE)
        return; /* the sides have turned: it is no command, and its memory is gone */
    smtp_forget_lost_replies(st);
    if (line->end == SW_LINE_OPEN || text.len < line->length)
        flags |= SMTP_FLAG_CUT;
    if (begins_mail(verb)) {
        st->text_refused = false;
        st->text_over = false;
        st->body_octets = 0; /* chunks that were given up count for no further message */
    }
    struct smtp_event event = command_event(io, verb, flags);
    note_order(io, &event);
    event.word = word;
    event.text = sw_span_trim(rest);
    if (!known)
        quote_unknown(io, &event, text);
    else
        st->near_login = verb == SMTP_VERB_AUTH;
    tell_command(io, &event, event.text);
}

/* Where the command before it was lost, it may be part of a login as well. */
static void perhaps_text(struct smtp_io *io, const struct sw_line *line)
{
    bool secret = looks_like_password(line->text) || smtp_may_hold_secret(line->text);
    struct smtp_event event = {.kind = SMTP_EVENT_BODY,
                               .from = SW_FROM_CLIENT,
                               .verb = SMTP_VERB_DATA,
                               .flags = SMTP_FLAG_GUESSED | (secret ? SMTP_FLAG_HIDDEN : 0u),
                               .number = io->end.offset - io->begin.offset + 1,
                               .begin = io->begin,
                               .end = io->end};
    if (secret)
        smtp_echo_remember(io->state, line->text);
    io->state->body_octets += event.number;
    smtp_emit(io, &event);
}

/* Mid-stream or behind a gap: commands, or still the text of a message? */
static void unknown_line(struct smtp_io *io, const struct sw_line *line)
{
    struct smtp_state *st = io->state;
    bool command = smtp_looks_like_command(line->text);
    if (st->decide) {
        if (!smtp_decide_line(io, line))
            command_line(io, line, 0);
        return;
    }
    bool skip = st->skip_to_line_end[SW_FROM_CLIENT];
    st->skip_to_line_end[SW_FROM_CLIENT] = false;
    if (command) {
        smtp_odd(io, SW_FROM_CLIENT, SMTP_ODD_RESYNC, (struct sw_span){NULL, 0}, 0);
        st->mode = SMTP_MODE_COMMAND;
        st->after_gap[SW_FROM_CLIENT] = false;
        st->body_octets = 0;
        command_line(io, line, SMTP_FLAG_GUESSED);
    } else if (skip) {
        return;
    } else if (st->text_over) {
        command_line(io, line, SMTP_FLAG_GUESSED);
    } else if (line->text.len == 1 && line->text.ptr[0] == '.') {
        smtp_body_end(io, SMTP_VERB_END_OF_DATA, SMTP_FLAG_GUESSED);
    } else {
        perhaps_text(io, line);
    }
}

void smtp_client_line(struct smtp_io *io, const struct sw_line *line)
{
    struct smtp_state *st = io->state;
    switch (st->mode) {
    case SMTP_MODE_AUTH:
        if (st->auth_unsure && smtp_looks_like_command(line->text)) {
            st->mode = SMTP_MODE_COMMAND;
            command_line(io, line, 0);
        } else {
            auth_line(io, line);
        }
        break;
    case SMTP_MODE_UNKNOWN:
        unknown_line(io, line);
        break;
    case SMTP_MODE_COMMAND:
    case SMTP_MODE_WAIT:
    case SMTP_MODE_BODY:
    case SMTP_MODE_BDAT:
    case SMTP_MODE_TLS:
    case SMTP_MODE_OPAQUE:
        command_line(io, line, 0);
        break;
    }
}
