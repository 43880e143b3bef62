/*
 * builder.c - steps of the dialogue: what both sides said, and which reply answers which command.
 */
#include "session/build.h"

#include "base/limit.h"
#include "base/rare.h"
#include "base/wipe.h"

static void fill_limits(struct sw_session_limits *l)
{
    l->arena_bytes = l->arena_bytes ? l->arena_bytes : sw_limit_default(SW_LIMIT_SESSION_BYTES);
    l->steps = l->steps ? l->steps : (uint32_t)sw_limit_default(SW_LIMIT_SESSION_LINES);
    l->reply_bytes =
        l->reply_bytes ? l->reply_bytes : (uint32_t)sw_limit_default(SW_LIMIT_REPLY_BYTES);
}

void sw_session_init(struct sw_session *session, const struct sw_session_limits *limits,
                     size_t *account)
{
    memset(session, 0, offsetof(struct sw_session, opening));
    if (limits)
        session->limits = *limits;
    fill_limits(&session->limits);
    sw_arena_init(&session->arena, session->limits.arena_bytes, account);
    session->steps_tail = &session->steps;
    session->hellos_tail = &session->hellos;
    session->auths_tail = &session->auths;
    session->messages_tail = &session->messages;
    session->oddities_tail = &session->oddities;
}

void sw_session_first_bytes(struct sw_session *session, enum sw_side from, struct sw_span bytes,
                            struct sw_mark mark)
{
    struct sw_first_bytes *first = &session->first_bytes[from];
    if (first->len == SW_FIRST_BYTES || first->cut || bytes.len == 0)
        return;
    if (first->len == 0)
        first->mark = mark;
    size_t room = (size_t)SW_FIRST_BYTES - first->len;
    size_t n = bytes.len < room ? bytes.len : room;
    memcpy(session->opening[from] + first->len, bytes.ptr, n);
    first->len = (uint8_t)(first->len + n);
    if (first->settled)
        return;
    struct sw_span known = sw_session_opening(session, from);
    first->content = sw_content_of(from, known);
    first->settled = first->content == SW_CONTENT_SMTP && sw_span_index(known, '\n') < known.len;
}

static enum sw_phase phase_of_verb(const struct sw_session *session, const struct smtp_event *event)
{
    switch (event->verb) {
    case SMTP_VERB_NONE:
        return SW_PHASE_GREETING;
    case SMTP_VERB_STARTTLS:
    case SMTP_VERB_X_ANONYMOUSTLS:
        return SW_PHASE_STARTTLS;
    case SMTP_VERB_AUTH:
    case SMTP_VERB_AUTH_DATA:
        return SW_PHASE_AUTH;
    case SMTP_VERB_MAIL:
    case SMTP_VERB_SEND:
    case SMTP_VERB_SOML:
    case SMTP_VERB_SAML:
        return SW_PHASE_MAIL;
    case SMTP_VERB_RCPT:
        return SW_PHASE_RCPT;
    case SMTP_VERB_DATA:
        return SW_PHASE_DATA;
    case SMTP_VERB_BDAT:
    case SMTP_VERB_BURL:
        return (event->flags & SMTP_FLAG_LAST) ? SW_PHASE_FINAL : SW_PHASE_BODY;
    case SMTP_VERB_END_OF_DATA:
        return SW_PHASE_FINAL;
    case SMTP_VERB_QUIT:
        return SW_PHASE_QUIT;
    case SMTP_VERB_HELO:
    case SMTP_VERB_EHLO:
    case SMTP_VERB_LHLO:
        return SW_PHASE_HELLO;
    case SMTP_VERB_UNKNOWN:
    case SMTP_VERB_JUNK:
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
    case SMTP_VERB_COUNT:
        break;
    }
    const struct sw_message *m = session->message;
    if (!m)
        return session->hellos ? SW_PHASE_HELLO : SW_PHASE_GREETING;
    return m->recipients ? SW_PHASE_RCPT : SW_PHASE_MAIL;
}

static struct sw_mark mark_of(struct sw_at at)
{
    return (struct sw_mark){at.frame, at.time_ns};
}

/* Most begin and end in the same packet. */
static struct sw_step *new_step(struct sw_session *session, const struct smtp_event *event)
{
    const struct sw_at *begin = &event->begin;
    const struct sw_at *end = &event->end;
    struct sw_step *step;
    if (begin->frame == end->frame && begin->time_ns == end->time_ns) {
        step = SW_ARENA_NEW(&session->arena, struct sw_step);
    } else {
        struct sw_spread_step *spread = SW_ARENA_NEW(&session->arena, struct sw_spread_step);
        step = spread ? &spread->step : NULL;
        if (spread) {
            spread->last = mark_of(*end);
            step->spread = true;
        }
    }
    if (step)
        step->first = mark_of(*begin);
    return step;
}

/* A new step at the end of the dialogue; NULL (and counted) over the caps. */
static struct sw_step *add_step(struct sw_session *session, enum sw_side from,
                                const struct smtp_event *event, bool encrypted)
{
    if (session->step_count >= session->limits.steps) {
        session->steps_left_out++;
        session->limits_hit = true;
        return NULL;
    }
    struct sw_step *step = new_step(session, event);
    if (!step) {
        session->steps_left_out++;
        session->limits_hit = true;
        return NULL;
    }
    step->from = from;
    step->verb = event->verb;
    step->flags = (uint16_t)event->flags;
    step->id = event->id;
    step->encrypted = encrypted;
    step->phase = phase_of_verb(session, event);
    *session->steps_tail = step;
    session->steps_tail = &step->next;
    session->step_count++;
    return step;
}

/* A verb that has no name by which it could be told is kept as it was written. */
SW_RARE static void keep_unknown(struct sw_session *session, struct sw_step *step,
                                 const struct smtp_event *event)
{
    struct sw_span word = sw_span_sub(event->word, 0, UINT8_MAX);
    struct sw_span argument = event->text;
    char *text = sw_arena_text(&session->arena, word.len + argument.len);
    if (!text)
        return;
    memcpy(text, word.ptr, word.len);
    if (argument.len > 0)
        memcpy(text + word.len, argument.ptr, argument.len);
    step->word_len = (uint8_t)word.len;
    step->argument = sw_span_make(text + word.len, argument.len);
}

static void on_command(struct sw_session *session, const struct smtp_event *event, bool encrypted)
{
    struct sw_step *step = add_step(session, SW_CLIENT, event, encrypted);
    if (!step)
        return;
    if (event->verb == SMTP_VERB_UNKNOWN && event->word.len > 0)
        keep_unknown(session, step, event);
    else
        step->argument = sw_arena_copy(&session->arena, event->text);
    session->last_command = step;
    session->words_missing = false;
    if (!session->unanswered)
        session->unanswered = step;
    sw_build_command(session, step, event);
}

/* Room for `need` bytes of the reply that is being read. */
static bool reply_makes_room(struct sw_session *session, uint32_t need)
{
    if (need <= session->reply_room)
        return true;
    if (session->reply_room > 0 &&
        sw_arena_resize(&session->arena, session->reply_text, session->reply_room, need)) {
        session->reply_room = need;
        return true;
    }
    uint32_t room = session->reply_room * 2 > need ? session->reply_room * 2 : need;
    uint8_t *bigger = (uint8_t *)sw_arena_text(&session->arena, room);
    if (!bigger)
        return false;
    if (session->reply_used > 0)
        memcpy(bigger, session->reply_text, session->reply_used);
    session->reply_text = bigger;
    session->reply_room = room;
    return true;
}

static void on_reply_line(struct sw_session *session, const struct smtp_event *event)
{
    uint32_t need = session->reply_used + (uint32_t)event->text.len + 1;
    if (event->text.len > session->limits.reply_bytes || need > session->limits.reply_bytes ||
        !reply_makes_room(session, need)) {
        session->reply_cut = true;
        return;
    }
    if (event->number > 0 && session->reply_used > 0)
        session->reply_text[session->reply_used++] = '\n';
    if (event->text.len > 0)
        memcpy(session->reply_text + session->reply_used, event->text.ptr, event->text.len);
    session->reply_used += (uint32_t)event->text.len;
}

/* The text of a reply whose lines came before; *cut: it lacks some. */
static struct sw_span take_reply(struct sw_session *session, bool *cut)
{
    struct sw_span text = sw_span_make(session->reply_text, session->reply_used);
    if (session->reply_text) /* what is left of its room may be used for others */
        (void)sw_arena_resize(&session->arena, text.ptr, session->reply_room, text.len);
    *cut = session->reply_cut;
    session->reply_text = NULL;
    session->reply_used = 0;
    session->reply_room = 0;
    session->reply_cut = false;
    return text;
}

/* And of one of a single line. */
static struct sw_span keep_line(struct sw_session *session, const struct smtp_event *event,
                                bool *cut)
{
    size_t length = event->text.len;
    bool fits = length < session->limits.reply_bytes;
    struct sw_span text =
        fits ? sw_arena_copy(&session->arena, event->text) : (struct sw_span){NULL, 0};
    *cut = text.len < length;
    return text;
}

enum {
    LOOK_BACK_STEPS = 64
}; /* a reply later than that behind its command is not paired any more */

/* The command with this id; moves `unanswered` over what can get no reply any more. */
static struct sw_step *find_command(struct sw_session *session, uint32_t id)
{
    struct sw_step *found = NULL;
    unsigned walked = 0;
    for (struct sw_step *s = session->unanswered; s && !found; s = s->next, walked++) {
        if (s->from == SW_CLIENT && s->id == id)
            found = s;
    }
    struct sw_step *s = session->unanswered;
    while (s && s != found && (walked > LOOK_BACK_STEPS || s->from == SW_SERVER || s->reply)) {
        s = s->next;
        walked--;
    }
    session->unanswered = s;
    return found;
}

/* Bytes are missing around it: a word on a recipient's mailbox was none on the hello or the sender
 * (RFC 3463 3.2). */
static void move_to_recipient(struct sw_step *reply)
{
    const struct smtp_enhanced *e = &reply->enhanced;
    bool of_recipient = e->klass != 0 && e->subject == 1 && (e->detail == 1 || e->detail == 5);
    bool before = reply->phase == SW_PHASE_HELLO || reply->phase == SW_PHASE_MAIL;
    if (of_recipient && before)
        reply->phase = SW_PHASE_RCPT;
}

/*
 * A reply that answers no command of the capture: it belongs to where the dialogue stands. In a
 * capture without the client's side the replies alone tell the story: what follows a 354 is the
 * answer to the text.
 */
static void place_unasked(struct sw_session *session, struct sw_step *reply,
                          const struct sw_flow_facts *facts)
{
    if (reply->command) {
        reply->phase = SW_PHASE_BODY; /* the server breaks into the text */
        return;
    }
    bool of_login = reply->code == 235 || reply->code == 334 || reply->code == 535;
    reply->phase = of_login && (reply->flags & SMTP_FLAG_GUESSED) ? SW_PHASE_AUTH
                   : session->last_command                        ? session->last_command->phase
                                                                  : SW_PHASE_GREETING;
    if (reply->flags & SMTP_FLAG_GUESSED)
        move_to_recipient(reply);
    bool lost_command = (reply->flags & SMTP_FLAG_GUESSED) && facts->half[SW_CLIENT].bytes > 0;
    if (facts->half[SW_SERVER].gap_bytes > 0 || (lost_command && !facts->midstream))
        reply->flags |= SMTP_FLAG_UNSURE; /* counted off, and some are missing */
    if (facts->half[SW_CLIENT].bytes == 0)
        sw_build_lonely_reply(session, reply, !facts->midstream && !session->last_reply);
}

/* What confirms the client's FIN came behind it, wherever that was recorded; a FIN that
 * acknowledges what only comes behind it was recorded too early. */
static bool came_after_end(const struct sw_step *reply, const struct sw_half_facts *client)
{
    uint64_t frame = reply->first.frame;
    bool confirms = client->fin_confirmed && client->fin_confirmed <= frame;
    bool behind = client->fin.frame && client->fin.frame < frame && !client->fin_ahead;
    return confirms || behind || (client->rst.frame && client->rst.frame < frame);
}

static void on_reply(struct sw_session *session, const struct smtp_event *event,
                     const struct sw_flow_facts *facts, bool encrypted)
{
    bool cut = false;
    struct sw_span text = event->flags & SMTP_FLAG_ONE_LINE ? keep_line(session, event, &cut)
                                                            : take_reply(session, &cut);
    struct sw_step *step = add_step(session, SW_SERVER, event, encrypted);
    if (!step)
        return;
    step->text = text;
    step->code = event->code;
    step->enhanced = event->enhanced;
    step->has_lines = event->number > 1;
    if (cut)
        step->flags |= SMTP_FLAG_CUT;
    step->command = event->answers ? find_command(session, event->answers) : NULL;
    if (step->command) {
        step->phase = step->command->phase;
        step->message = step->command->message;
    }
    if (event->flags & SMTP_FLAG_UNSOLICITED)
        place_unasked(session, step, facts);
    if (facts->half[SW_SERVER].gap_bytes > 0)
        move_to_recipient(step);
    step->after_close = came_after_end(step, &facts->half[SW_CLIENT]);
    session->last_reply = step;
    bool whole = !(step->flags & (SMTP_FLAG_CUT | SMTP_FLAG_UNSOLICITED));
    session->answer_missing = session->answer_missing && !whole;
    sw_build_reply(session, step, event);
}

static void on_end_of_data(struct sw_session *session, const struct smtp_event *event,
                           bool encrypted)
{
    bool dot = event->verb == SMTP_VERB_END_OF_DATA;
    struct sw_step *step = dot ? add_step(session, SW_CLIENT, event, encrypted) : NULL;
    if (step && !session->unanswered)
        session->unanswered = step;
    if (step)
        session->last_command = step;
    sw_build_end_of_data(session, step, event);
}

static void on_anomaly(struct sw_session *session, const struct smtp_event *event)
{
    enum { ODDITIES_KEPT = 64 };
    enum sw_side from = event->from == SW_FROM_SERVER ? SW_SERVER : SW_CLIENT;
    unsigned known = 0;
    struct sw_oddity *o;
    SW_EACH(o, session->oddities) {
        if (o->kind == event->anomaly && o->from == from && o->number == event->number) {
            o->count++;
            return;
        }
        known++;
    }
    o = known < ODDITIES_KEPT ? SW_ARENA_NEW(&session->arena, struct sw_oddity) : NULL;
    if (!o) {
        session->limits_hit = true;
        return;
    }
    o->kind = event->anomaly;
    o->from = from;
    o->mark = mark_of(event->begin);
    o->text = sw_arena_copy(&session->arena, sw_span_sub(event->text, 0, 80));
    o->number = event->number;
    o->count = 1;
    *session->oddities_tail = o;
    session->oddities_tail = &o->next;
}

/* What a load balancer says of its client is not what that client begins with. */
SW_RARE static void begin_behind_header(struct sw_session *session, const struct smtp_event *event)
{
    sw_session_keep(session, SW_CLIENT, event->begin.offset, event->begin.offset + event->number);
    session->header_bytes = (uint32_t)(event->end.offset + 1);
    session->first_bytes[SW_CLIENT] = (struct sw_first_bytes){0};
}

void sw_session_smtp(struct sw_session *session, const struct smtp_event *event,
                     const struct sw_flow_facts *facts, bool encrypted)
{
    session->facts = facts;
    switch (event->kind) {
    case SMTP_EVENT_COMMAND:
        if (!encrypted)
            sw_keep_command(session, event);
        on_command(session, event, encrypted);
        break;
    case SMTP_EVENT_REPLY_LINE:
        if (!encrypted)
            sw_keep_reply_line(session, event);
        on_reply_line(session, event);
        break;
    case SMTP_EVENT_REPLY:
        if (!encrypted && (event->flags & SMTP_FLAG_ONE_LINE))
            sw_keep_reply_line(session, event);
        on_reply(session, event, facts, encrypted);
        break;
    case SMTP_EVENT_AUTH_USER:
        if (session->auth && session->auth->user.len == 0) {
            session->auth->user = sw_arena_copy(&session->arena, event->text);
            session->auth->computer = sw_arena_copy(&session->arena, event->word);
        }
        break;
    case SMTP_EVENT_DATA_BEGIN:
        if (!encrypted)
            session->text_unsure = event->flags & SMTP_FLAG_GUESSED;
        if (event->flags & SMTP_FLAG_GUESSED)
            sw_build_text_begins(session);
        break; /* else the 354 itself said it */
    case SMTP_EVENT_BODY:
        if (!encrypted)
            sw_keep_text(session, event);
        session->words_missing = session->words_missing && event->text.len == 0;
        sw_build_body(session, event);
        break;
    case SMTP_EVENT_END_OF_DATA:
        if (!encrypted)
            sw_keep_end_of_text(session, event);
        on_end_of_data(session, event, encrypted);
        break;
    case SMTP_EVENT_TLS_HANDOVER:
        session->tls = SW_TLS_STARTTLS_ACCEPTED;
        break;
    case SMTP_EVENT_RESUMED:
        session->tls = SW_TLS_CLEAR;
        break;
    case SMTP_EVENT_GAP:
        session->gaps_in_dialogue++;
        session->answer_missing = session->answer_missing || event->from == SW_FROM_SERVER;
        if (event->from == SW_FROM_CLIENT && session->message && !session->message->body_seen)
            session->message->chunks_missing = true;
        break;
    case SMTP_EVENT_ANOMALY:
        on_anomaly(session, event);
        break;
    case SMTP_EVENT_PROXY:
        if (!encrypted)
            begin_behind_header(session, event);
        session->proxied_for = sw_arena_copy(&session->arena, event->text);
        break;
    }
}

void sw_session_finish(struct sw_session *session, const struct sw_flow_facts *facts,
                       int64_t now_ns)
{
    sw_build_header_end(session);
    sw_keep_signature(session);
    session->facts = facts;
    session->ended = true;
    session->final = (struct sw_mark){facts->last.frame, now_ns};
    if (session->arena.exhausted || facts->limit_hit)
        session->limits_hit = true;
}

struct sw_proxied *sw_session_proxy_begin(struct sw_session *session)
{
    if (!session->proxied)
        session->proxied = SW_ARENA_NEW(&session->arena, struct sw_proxied);
    session->limits_hit = session->limits_hit || !session->proxied;
    return session->proxied;
}

void sw_session_release(struct sw_session *session)
{
    sw_wipe(session->opening, sizeof(session->opening)); /* a late capture may begin in a login */
    sw_arena_release(&session->arena);
}
