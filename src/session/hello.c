/*
 * hello.c - greetings of the client with what the server offers, and logins.
 */
#include "base/base64.h"
#include "session/build.h"

void sw_build_hello(struct sw_session *session, struct sw_step *step)
{
    struct sw_hello *hello = SW_ARENA_NEW(&session->arena, struct sw_hello);
    if (!hello)
        return;
    hello->command = step;
    hello->encrypted = step->encrypted;
    if (step->verb == SMTP_VERB_LHLO)
        session->lmtp = true;
    *session->hellos_tail = hello;
    session->hellos_tail = &hello->next;
    session->hello = hello;
}

/* RFC 5321 4.1.1.1: the first line is the server's name, each further one a keyword with
 * parameters. Behind a gap (`cut`) the line with the name may be missing: a name has a dot. */
static void read_capabilities(struct sw_session *session, struct sw_hello *hello,
                              struct sw_span text, bool cut)
{
    struct sw_capability **tail = &hello->capabilities;
    size_t end = sw_span_index(text, '\n');
    struct sw_span first = sw_span_sub(text, 0, end);
    struct sw_span name = sw_span_word(&first);
    bool nameless = cut && sw_span_index(name, '.') == name.len;
    for (bool more = nameless || end < text.len; more; more = end < text.len) {
        if (!nameless)
            text = sw_span_from(text, end + 1);
        nameless = false;
        end = sw_span_index(text, '\n');
        struct sw_span line = sw_span_trim(sw_span_sub(text, 0, end));
        if (line.len == 0)
            continue;
        struct sw_capability *c = SW_ARENA_NEW(&session->arena, struct sw_capability);
        if (!c)
            return;
        smtp_keyword_parse(line, &c->keyword, &c->params);
        *tail = c;
        tail = &c->next;
    }
}

void sw_build_hello_reply(struct sw_session *session, struct sw_step *reply)
{
    struct sw_hello *hello;
    SW_EACH(hello, session->hellos) {
        if (hello->command == reply->command && reply->command)
            break;
    }
    if (!hello || hello->reply)
        return;
    hello->reply = reply;
    if (sw_reply_is(reply, 2) && hello->command->verb != SMTP_VERB_HELO)
        read_capabilities(session, hello, reply->text, reply->flags & SMTP_FLAG_GUESSED);
    struct sw_message *m = session->message;
    if (m && m->abandoned == hello->command && !sw_reply_is(reply, 2))
        m->abandoned = NULL; /* a refused EHLO leaves the transaction as it was */
}

/* A reply to a login that was captured before it: 334 and 235 can answer nothing else. */
static void adopt_early_reply(struct sw_session *session, struct sw_step *step)
{
    struct sw_step *s;
    SW_EACH(s, session->adopted_to ? session->adopted_to->next : session->steps) {
        bool unasked = s->from == SW_SERVER && !s->command && (s->flags & SMTP_FLAG_UNSOLICITED);
        session->adopted_to = s; /* it was asked for, or now is: it need not be looked at again */
        if (!unasked || (s->code != 334 && s->code != 235))
            continue;
        s->command = step;
        s->phase = SW_PHASE_AUTH;
        step->reply = s;
        sw_build_auth_reply(session, s);
        return;
    }
}

void sw_build_auth(struct sw_session *session, struct sw_step *step, const struct smtp_event *event)
{
    if (step->verb == SMTP_VERB_AUTH) {
        struct sw_auth *auth = SW_ARENA_NEW(&session->arena, struct sw_auth);
        if (!auth)
            return;
        auth->command = step;
        auth->mechanism = step->argument;
        auth->kind = event->mechanism;
        auth->encrypted = step->encrypted;
        *session->auths_tail = auth;
        session->auths_tail = &auth->next;
        session->auth = auth;
    }
    if (!session->auth)
        return; /* the capture starts inside a login */
    session->auth->last = step;
    if ((step->flags & SMTP_FLAG_SECRET) && !session->auth->secret)
        session->auth->secret = step;
    if (step->flags & SMTP_FLAG_CANCEL) {
        session->auth->cancelled = true;
        session->auth->result = SW_AUTH_CANCELLED; /* whatever the server says to it */
    }
    adopt_early_reply(session, step);
}

/* The server explains a refused token in a base64 JSON challenge (RFC 7628 3.2.2). */
static void read_challenge(struct sw_session *session, struct sw_auth *auth, struct sw_step *reply)
{
    auth->challenge = reply;
    if (auth->kind != SMTP_MECH_XOAUTH2 && auth->kind != SMTP_MECH_OAUTHBEARER)
        return;
    uint8_t json[512];
    int len = sw_base64_decode(sw_span_trim(reply->text), json, sizeof(json));
    if (len > 0 && json[0] == '{')
        auth->error_json = sw_arena_copy(&session->arena, sw_span_make(json, (size_t)len));
}

void sw_build_auth_reply(struct sw_session *session, struct sw_step *reply)
{
    struct sw_auth *auth = session->auth;
    if (!auth || auth->reply)
        return;
    if (reply->code == 334) {
        read_challenge(session, auth, reply);
        return;
    }
    auth->reply = reply;
    if (sw_reply_is(reply, 2)) {
        auth->result = SW_AUTH_ACCEPTED;
        if (auth->kind == SMTP_MECH_LOGIN && !auth->secret && auth->last != auth->command)
            auth->secret = auth->last; /* the question is lost, but this was the right answer */
        session->authenticated = true;
    } else if (auth->cancelled) {
        auth->result = SW_AUTH_CANCELLED;
    } else {
        auth->result = sw_reply_is(reply, 4) ? SW_AUTH_TEMPORARY : SW_AUTH_REJECTED;
    }
}
