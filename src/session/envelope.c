/*
 * envelope.c - mails and their recipients: what MAIL, RCPT, DATA, BDAT and their replies do to the
 * model.
 *
 * Replies drive it (RFC 5321 4.1.4): a second EHLO or a RSET ends a transaction only when the
 * server accepts it, a MAIL inside a transaction begins a new mail only when the server does not
 * call it nested.
 */
#include "session/build.h"

static struct sw_message *new_message(struct sw_session *session, struct sw_step *mail)
{
    struct sw_message *m = SW_ARENA_NEW(&session->arena, struct sw_message);
    if (!m)
        return NULL;
    m->index = session->message_count++;
    m->mail = mail;
    m->header = &sw_header_none;
    struct sw_span path;
    struct sw_span params;
    if (mail && smtp_path_parse(mail->argument, &path, &params)) {
        m->sender = path;
        struct sw_span size;
        m->has_size =
            smtp_param_find(params, "SIZE", &size) && sw_span_u64(size, &m->size_declared);
    }
    if (mail)
        mail->message = m;
    *session->messages_tail = m;
    session->messages_tail = &m->next;
    session->message = m;
    return m;
}

/* Answered as a whole, or on its way to be: its end has been sent, and what comes behind that is
 * no part of it, whether the answer is here yet or not (RFC 2920 3.1, RFC 3030 2). */
static bool is_complete(const struct sw_message *m)
{
    return m->final || m->end_mark.frame;
}

/* A transaction that a further MAIL would be nested in. */
static bool transaction_is_open(const struct sw_message *m)
{
    if (!m || is_complete(m) || m->abandoned)
        return false;
    return !m->mail || !m->mail->reply || sw_reply_is(m->mail->reply, 2);
}

static void on_mail(struct sw_session *session, struct sw_step *step)
{
    /* The server has not answered a RSET yet: the client already counts on it (pipelining). */
    bool reset_on_its_way = session->message && session->message->abandoned;
    if (!reset_on_its_way && transaction_is_open(session->message)) {
        step->message = NULL; /* the reply tells whether this is a mail of its own */
        return;
    }
    (void)new_message(session, step);
}

static void add_recipient(struct sw_session *session, struct sw_message *m, struct sw_step *step)
{
    struct sw_recipient *r = m ? SW_ARENA_NEW(&session->arena, struct sw_recipient) : NULL;
    if (!r)
        return;
    struct sw_span path;
    struct sw_span params;
    r->address = smtp_path_parse(step->argument, &path, &params) ? path : step->argument;
    r->command = step;
    r->number = session->recipient_count++;
    step->message = m;
    if (m->last_recipient)
        m->last_recipient->next = r;
    else
        m->recipients = r;
    m->last_recipient = r;
    m->recipient_count++;
}

/* Complete, or given up with the server's consent: nothing can be added to it. */
static bool is_over(const struct sw_message *m)
{
    return is_complete(m) || (m->abandoned && sw_reply_is(m->abandoned->reply, 2));
}

/* RCPT without MAIL: nothing is attempted unless the server takes it; else its reply tells the
 * error. */
static void on_rcpt(struct sw_session *session, struct sw_step *step)
{
    struct sw_message *m = session->message;
    const struct sw_half_facts *client = &session->facts->half[SW_CLIENT];
    bool unseen = session->facts->midstream || client->gap_bytes > 0 ||
                  client->truncated_bytes > 0; /* the MAIL may be */
    bool belongs = m && !is_over(m);
    if (!belongs && !unseen)
        return;
    if (!belongs)
        m = new_message(session, NULL);
    add_recipient(session, m, step);
}

static void on_data(struct sw_session *session, struct sw_step *step)
{
    struct sw_message *m = session->message;
    if (!m || is_over(m))
        return; /* a text without an envelope, unless the server takes it */
    step->message = m;
    if (!m->data)
        m->data = step;
}

static void on_reset(struct sw_session *session, struct sw_step *step)
{
    struct sw_message *m = session->message;
    step->message = m;
    if (m && !is_complete(m) && !m->abandoned)
        m->abandoned = step;
}

void sw_build_command(struct sw_session *session, struct sw_step *step,
                      const struct smtp_event *event)
{
    switch (step->verb) {
    case SMTP_VERB_HELO:
    case SMTP_VERB_EHLO:
    case SMTP_VERB_LHLO:
        sw_build_hello(session, step);
        on_reset(session, step);
        break;
    case SMTP_VERB_MAIL:
    case SMTP_VERB_SEND:
    case SMTP_VERB_SOML:
    case SMTP_VERB_SAML:
        on_mail(session, step);
        break;
    case SMTP_VERB_RCPT:
        on_rcpt(session, step);
        break;
    case SMTP_VERB_DATA:
    case SMTP_VERB_BDAT:
    case SMTP_VERB_BURL:
        on_data(session, step);
        break;
    case SMTP_VERB_RSET:
        on_reset(session, step);
        break;
    case SMTP_VERB_QUIT:
        session->quit = step;
        on_reset(session, step);
        break;
    case SMTP_VERB_AUTH:
    case SMTP_VERB_AUTH_DATA:
        sw_build_auth(session, step, event);
        break;
    case SMTP_VERB_STARTTLS:
    case SMTP_VERB_X_ANONYMOUSTLS:
        session->starttls = step;
        break;
    case SMTP_VERB_NONE:
    case SMTP_VERB_UNKNOWN:
    case SMTP_VERB_JUNK:
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
    case SMTP_VERB_END_OF_DATA:
    case SMTP_VERB_COUNT:
        break;
    }
}

/* What went out behind this MAIL while nobody knew whether it is a mail of its own. */
static void move_followers(struct sw_message *from, struct sw_message *to)
{
    struct sw_step *s;
    SW_EACH(s, to->mail->next) {
        if (s->from == SW_CLIENT && s->message == from)
            s->message = to;
    }
    struct sw_recipient **place = &from->recipients;
    struct sw_recipient *last = NULL;
    while (*place && (*place)->command->message == from) {
        last = *place;
        place = &last->next;
    }
    to->recipients = *place;
    to->last_recipient = *place ? from->last_recipient : NULL;
    from->last_recipient = last;
    *place = NULL;
    struct sw_recipient *r;
    SW_EACH(r, to->recipients) {
        from->recipient_count--;
        to->recipient_count++;
    }
    if (from->data && from->data->message == to) {
        to->data = from->data;
        from->data = NULL;
    }
    if (from->abandoned && from->abandoned->message == to) {
        to->abandoned = from->abandoned;
        from->abandoned = NULL;
    }
}

/* A MAIL within a mail: the server began anew by itself, and the old one is given up. */
static void on_mail_reply(struct sw_session *session, struct sw_step *reply)
{
    struct sw_step *mail = reply->command;
    if (!mail || mail->message || !sw_reply_is(reply, 2))
        return; /* a mail of its own already, or none */
    struct sw_message *old = session->message;
    if (old && old->mail && old->mail->id > mail->id)
        return; /* given up since, for the one that goes on */
    struct sw_message *m = new_message(session, mail);
    reply->message = m;
    if (!old || !m)
        return;
    if (!old->body_seen)
        move_followers(old, m);
    if (!old->abandoned)
        old->abandoned = mail;
}

static void on_rcpt_reply(struct sw_session *session, struct sw_step *reply)
{
    if (!reply->message && reply->command && sw_reply_is(reply, 2)) {
        bool running = session->message && !is_over(session->message);
        add_recipient(session, running ? session->message : new_message(session, NULL),
                      reply->command);
        reply->message = reply->command->message;
    }
    struct sw_message *m = reply->message;
    if (!m)
        return;
    struct sw_recipient *r;
    SW_EACH(r, m->recipients) {
        if (r->command == reply->command)
            break;
    }
    if (!r || r->reply)
        return;
    r->reply = reply;
    if (sw_reply_is(reply, 2))
        m->accepted_count++;
}

/* LMTP: the n-th accepted recipient (RFC 2033 4.2). */
static struct sw_recipient *accepted_recipient(struct sw_message *m, uint64_t n)
{
    struct sw_recipient *r;
    SW_EACH(r, m->recipients) {
        if (sw_reply_is(r->reply, 2) && n-- == 0)
            return r;
    }
    return NULL;
}

static void on_final_reply(struct sw_step *reply, uint64_t nth)
{
    struct sw_message *m = reply->message;
    if (!m)
        return;
    if (reply->flags & SMTP_FLAG_RECIPIENT) {
        struct sw_recipient *r = accepted_recipient(m, nth);
        if (r)
            r->final = reply;
    }
    m->final = reply;
}

static void on_data_reply(struct sw_session *session, struct sw_step *reply)
{
    if (reply->code != 354)
        return;
    if (!reply->message && reply->command) /* the server takes a text without an envelope */
        reply->command->message = reply->message = new_message(session, NULL);
    struct sw_message *m = reply->message;
    if (m) {
        m->go_ahead = reply;
        m->data = reply->command;
    }
}

static void answer_command(struct sw_step *reply)
{
    struct sw_step *command = reply->command;
    if (!command)
        return;
    if (!command->reply || (reply->flags & SMTP_FLAG_RECIPIENT))
        command->reply = reply;
}

/*
 * The answer to a chunk that is not the last one. A server that names the place in its queue has
 * taken the mail over, whatever was still to come; if more comes, the later answers count.
 */
static void on_chunk_reply(struct sw_step *reply)
{
    bool names_place = sw_span_find_nocase(reply->text, SW_SPAN_LIT("ok id=")) < reply->text.len ||
                       sw_span_find_nocase(reply->text, SW_SPAN_LIT("queued")) < reply->text.len;
    if (!reply->message || !sw_reply_is(reply, 2) || !names_place)
        return;
    reply->flags |= SMTP_FLAG_GUESSED;
    reply->message->final = reply;
}

/* The server believes what a proxy in front of it says about the client: "ADDR=192.0.2.1",
 * "ADDR=IPV6:2001:db8::1", "ADDR=[UNAVAILABLE]". */
static void on_proxy_reply(struct sw_session *session, const struct sw_step *reply)
{
    struct sw_span address;
    if (!reply->command || !sw_reply_is(reply, 2) ||
        !smtp_param_find(reply->command->argument, "ADDR", &address) ||
        sw_span_starts(address, SW_SPAN_LIT("[")))
        return;
    bool tagged = sw_span_starts_nocase(address, SW_SPAN_LIT("IPV6:"));
    session->proxied_for = tagged ? sw_span_from(address, 5) : address;
}

static void on_greeting(struct sw_session *session, struct sw_step *reply)
{
    const struct sw_flow_facts *f = session->facts;
    if ((reply->flags & SMTP_FLAG_UNSOLICITED) || session->greeting)
        return;
    session->greeting = reply;
    int64_t since_ns = f->established.frame ? f->established.time_ns : f->syn_ack.time_ns;
    bool known = f->established.frame || f->syn_ack.frame;
    if (known && reply->first.time_ns > since_ns)
        session->greeting_delay_ns = reply->first.time_ns - since_ns;
}

void sw_build_reply(struct sw_session *session, struct sw_step *reply,
                    const struct smtp_event *event)
{
    answer_command(reply);
    switch (reply->verb) {
    case SMTP_VERB_NONE:
        on_greeting(session, reply);
        break;
    case SMTP_VERB_HELO:
    case SMTP_VERB_EHLO:
    case SMTP_VERB_LHLO:
        sw_build_hello_reply(session, reply);
        break;
    case SMTP_VERB_MAIL:
    case SMTP_VERB_SEND:
    case SMTP_VERB_SOML:
    case SMTP_VERB_SAML:
        on_mail_reply(session, reply);
        break;
    case SMTP_VERB_RCPT:
        on_rcpt_reply(session, reply);
        break;
    case SMTP_VERB_DATA:
        on_data_reply(session, reply);
        break;
    case SMTP_VERB_BDAT:
    case SMTP_VERB_BURL:
    case SMTP_VERB_END_OF_DATA:
        if (reply->verb == SMTP_VERB_END_OF_DATA || (reply->flags & SMTP_FLAG_LAST))
            on_final_reply(reply, event->number);
        else
            on_chunk_reply(reply);
        break;
    case SMTP_VERB_AUTH:
    case SMTP_VERB_AUTH_DATA:
        sw_build_auth_reply(session, reply);
        break;
    case SMTP_VERB_XCLIENT:
    case SMTP_VERB_XFORWARD:
        on_proxy_reply(session, reply);
        break;
    case SMTP_VERB_RSET:
        break;
    case SMTP_VERB_UNKNOWN:
    case SMTP_VERB_JUNK:
    case SMTP_VERB_NOOP:
    case SMTP_VERB_QUIT:
    case SMTP_VERB_VRFY:
    case SMTP_VERB_EXPN:
    case SMTP_VERB_HELP:
    case SMTP_VERB_STARTTLS:
    case SMTP_VERB_X_ANONYMOUSTLS:
    case SMTP_VERB_ETRN:
    case SMTP_VERB_ATRN:
    case SMTP_VERB_TURN:
    case SMTP_VERB_XEXCH50:
    case SMTP_VERB_DEBUG:
    case SMTP_VERB_WIZ:
    case SMTP_VERB_COUNT:
        break;
    }
}

void sw_build_text_begins(struct sw_session *session)
{
    if (session->message && session->message->final)
        (void)new_message(session, NULL); /* its envelope was not seen as one */
}

/* The mail whose text is on the wire: octets that come before the 354 is seen belong to the running
 * one. */
static struct sw_message *body_message(struct sw_session *session)
{
    if (!session->message)
        (void)new_message(session, NULL); /* the capture starts inside a text */
    return session->message;
}

void sw_build_body(struct sw_session *session, const struct smtp_event *event)
{
    struct sw_message *m = body_message(session);
    if (!m)
        return;
    struct sw_mark mark = {event->end.frame, event->end.time_ns};
    sw_build_header(session, m, event);
    if (!m->body_seen)
        m->body_first = (struct sw_mark){event->begin.frame, event->begin.time_ns};
    struct sw_mark before = m->body_seen || !m->go_ahead ? m->body_last : sw_step_last(m->go_ahead);
    if (before.frame && mark.time_ns - before.time_ns > m->body_pause_ns)
        m->body_pause_ns = mark.time_ns - before.time_ns;
    m->body_seen = true;
    m->body_last = mark;
    if (event->flags & SMTP_FLAG_CUT)
        m->body_missing += event->number;
    else
        m->body_octets += event->number;
}

void sw_build_end_of_data(struct sw_session *session, struct sw_step *step,
                          const struct smtp_event *event)
{
    struct sw_message *m = body_message(session);
    if (!m)
        return;
    if (step)
        step->message = m;
    sw_build_header_end(session);
    m->end_of_data = step ? step : m->data;
    if (!step && m->final && !(m->final->flags & SMTP_FLAG_LAST))
        m->final = NULL; /* the answer to a chunk before: that to this one decides */
    m->end_mark = (struct sw_mark){event->end.frame, event->end.time_ns};
    m->body_octets = event->number;
    m->dot_alone = m->body_seen && step && m->body_last.frame != m->end_mark.frame;
    if (!m->body_seen)
        m->body_first = m->end_mark;
    m->body_seen = true;
    m->body_last = m->end_mark;
}

/* In the words of most servers for a mail that they have taken (RFC 3463: X.6.0, Exchange). */
static bool says_that_it_is_taken(const struct sw_step *reply)
{
    const struct smtp_enhanced *e = &reply->enhanced;
    static const struct sw_span words[] = {SW_SPAN_LIT("queued as "), SW_SPAN_LIT("queued mail"),
                                           SW_SPAN_LIT("message queued"),
                                           SW_SPAN_LIT("accepted for delivery")};
    if (reply->code != 250)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (sw_span_find_nocase(reply->text, words[i]) < reply->text.len)
            return true;
    }
    return e->klass == 2 && e->subject == 6 && e->detail == 0;
}

/* A login: nothing else gets such a code (RFC 4954 6, RFC 5248; 432 and 534 of RFC 2554), or such
 * an enhanced one (some say X.7.9 and X.7.11 to X.7.13 of a mail), or the server had asked for more
 * of it. */
static bool answers_login(const struct sw_session *session, const struct sw_step *reply)
{
    static const int codes[] = {235, 334, 432, 524, 525, 534, 535, 538};
    const struct smtp_enhanced *e = &reply->enhanced;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (reply->code == codes[i])
            return true;
    }
    return (e->klass >= 4 && e->subject == 7 && e->detail == 8) ||
           (session->last_reply && session->last_reply->code == 334);
}

void sw_build_lonely_reply(struct sw_session *session, struct sw_step *reply, bool first)
{
    struct sw_message *m = session->message;
    reply->flags |= SMTP_FLAG_GUESSED;
    bool second = session->greeting && session->last_reply == session->greeting;
    reply->phase = second                          ? SW_PHASE_HELLO
                   : answers_login(session, reply) ? SW_PHASE_AUTH
                                                   : SW_PHASE_RCPT;
    if (first)
        reply->phase = SW_PHASE_GREETING;
    if (reply->code == 221)
        reply->phase = SW_PHASE_QUIT;
    if (reply->code == 354) {
        m = new_message(session, NULL);
        if (m)
            m->go_ahead = reply;
        reply->phase = SW_PHASE_DATA;
    } else if (!m && says_that_it_is_taken(reply)) {
        m = new_message(session, NULL);
        if (m)
            m->final = reply;
        reply->phase = SW_PHASE_FINAL;
    } else if (m && m->go_ahead && !m->final && reply->code >= 200 && reply->code != 334) {
        m->final = reply;
        reply->phase = SW_PHASE_FINAL;
    }
    reply->message = m;
}
