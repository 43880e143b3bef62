#include "analyzer/story.h"

#include "analyzer/token_error.h"

enum { QUOTE = 120, NAME = 80, MAILS_TOLD = 3 };

static const char *frame(struct sw_prose *story, struct sw_mark mark)
{
    return sw_prose_frame(story, mark.frame);
}

/* All lines of a reply, those behind the first without the enhanced code of the first. */
static struct sw_span words_of(struct sw_arena *arena, const struct sw_step *reply)
{
    struct smtp_enhanced first;
    size_t used;
    bool repeats = sw_span_index(reply->text, '\n') < reply->text.len &&
                   smtp_enhanced_parse(reply->text, &first, &used);
    uint8_t *copy = repeats ? sw_arena_alloc(arena, reply->text.len) : NULL;
    if (!copy)
        return reply->text;
    struct sw_span code = sw_span_sub(reply->text, 0, used);
    size_t at = 0;
    struct sw_span rest = reply->text;
    for (bool behind = false; rest.len > 0; behind = true) {
        size_t end = sw_span_index(rest, '\n');
        size_t line = end < rest.len ? end + 1 : end;
        size_t skip = behind && sw_span_starts(rest, code) ? code.len : 0;
        memcpy(copy + at, rest.ptr + skip, line - skip);
        at += line - skip;
        rest = sw_span_from(rest, line);
    }
    return sw_span_make(copy, at);
}

void sw_quote_reply(struct sw_prose *prose, const struct sw_step *reply, size_t most)
{
    if (reply->code > 0)
        sw_prose_add(prose, "\"%03u ", reply->code);
    else
        sw_prose_add(prose, "\""); /* a line that is no reply */
    sw_prose_wire(prose, words_of(prose->arena, reply), most);
    sw_prose_add(prose, "\"");
}

static void quote_reply(struct sw_prose *story, const struct sw_step *reply)
{
    sw_quote_reply(story, reply, QUOTE);
    sw_prose_add(story, " (frame %s)", frame(story, reply->first));
}

/* What the client had looked up before. */
static void tell_name(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_naming *naming = c->session->naming;
    if (!naming)
        return;
    sw_prose_add(story, "The name service gave the address of ");
    sw_prose_wire(story, naming->name, NAME);
    sw_prose_add(story, " (frame %s). ", frame(story, naming->answered));
}

static void tell_connect(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_flow_facts *f = c->facts;
    const char *client = sw_address_text(c->arena, f->tuple.src, f->tuple.ip_version);
    const char *server = sw_address_text(c->arena, f->tuple.dst, f->tuple.ip_version);
    if (!f->syn.frame) {
        sw_prose_add(story,
                     "The connection from %s to %s port %u was already open when the capture began "
                     "(frame %s).",
                     client, server, f->tuple.dst_port, frame(story, f->first));
        return;
    }
    sw_prose_add(story, "%s asked for a connection to %s port %u (frame %s)", client, server,
                 f->tuple.dst_port, frame(story, f->syn));
    if (f->syn_count > 1)
        sw_prose_add(story, ", %u times within %s (last in frame %s)", f->syn_count,
                     sw_duration_text(c->arena, f->last_syn.time_ns - f->syn.time_ns),
                     frame(story, f->last_syn));
    if (f->refused)
        sw_prose_add(story, " and was refused (RST, frame %s).",
                     frame(story, f->half[SW_SERVER].rst));
    else if (f->established.frame)
        sw_prose_add(story, "; it was up in frame %s.", frame(story, f->established));
    else if (f->syn_ack.frame)
        sw_prose_add(story, "; the server accepted (frame %s).", frame(story, f->syn_ack));
    else if (c->server_seen || f->icmp_count > 0)
        sw_prose_add(story, ".");
    else
        sw_prose_add(story, "; no answer to it is in the capture.");
    for (uint8_t i = 0; i < f->icmp_count; i++) {
        const struct sw_flow_icmp *icmp = &f->icmp[i];
        sw_prose_add(story, " %s answered with an ICMP error, type %u code %u (frame %s).",
                     sw_address_text(c->arena, icmp->from, icmp->ip_version), icmp->type,
                     icmp->code, frame(story, icmp->mark));
    }
}

static void tell_proxy(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_proxied *p = &c->session->proxied;
    if (p->kind == SW_PROXY_NONE)
        return;
    if (!p->asked.frame && p->refused) {
        sw_prose_add(story, " The proxy took no login of the client's (frame %s).",
                     frame(story, p->answered));
        return;
    }
    sw_prose_add(story, " The client asked this %s proxy for ",
                 p->kind == SW_PROXY_HTTP ? "HTTP" : "SOCKS");
    sw_prose_wire(story, sw_span_make(p->host, p->host_length), NAME);
    sw_prose_add(story, " port %u (frame %s)", p->port, frame(story, p->asked));
    if (p->open)
        sw_prose_add(story, " and was connected (frame %s).", frame(story, p->answered));
    else if (p->refused)
        sw_prose_add(story, "; the proxy refused with code %u (frame %s).", p->status,
                     frame(story, p->answered));
    else
        sw_prose_add(story, "; the proxy did not answer.");
}

static void tell_greeting(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_oddity *o;
    SW_EACH(o, c->session->oddities) {
        if (o->kind == SMTP_ODD_EARLY_TALKER && c->server_seen)
            sw_prose_add(story, " The client spoke before the greeting (frame %s).",
                         frame(story, o->mark));
    }
    const struct sw_step *greeting = c->session->greeting;
    if (greeting) {
        sw_prose_add(story, " The server greeted");
        if (greeting->delay_ns >= 2 * SW_NS_PER_S)
            sw_prose_add(story, " after %s", sw_duration_text(c->arena, greeting->delay_ns));
        sw_prose_add(story, " with ");
        quote_reply(story, greeting);
        sw_prose_add(story, ".");
    }
}

static void tell_hello(const struct sw_hello *hello, const char *who, struct sw_prose *story)
{
    sw_prose_add(story, " %s said %s ", who, smtp_verb_name(hello->command->verb));
    sw_prose_wire(story, hello->command->argument, NAME);
    sw_prose_add(story, " (frame %s)", frame(story, hello->command->last));
    if (hello->reply && !sw_reply_is(hello->reply, 2)) {
        sw_prose_add(story, " and got ");
        quote_reply(story, hello->reply);
    }
    sw_prose_add(story, ".");
}

/* How the two met, with the encryption where it was set up: before the first word (implicit TLS),
 * or between the hello in clear text and the one inside. */
static void tell_meeting(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_session *session = c->session;
    const struct sw_step *greeting = session->greeting;
    const struct sw_hello *clear = NULL;
    const struct sw_hello *inside = NULL;
    const struct sw_hello *hello;
    SW_EACH(hello, session->hellos)
        *(hello->command->encrypted ? &inside : &clear) = hello;
    bool tls_first = greeting && sw_tls_begins_before(session->tls_facts, greeting->first);
    if (tls_first)
        sw_story_tls(c, story);
    tell_greeting(c, story);
    if (clear)
        tell_hello(clear, "The client", story);
    if (!tls_first)
        sw_story_tls(c, story);
    if (inside)
        tell_hello(inside, clear ? "Inside the encryption it" : "The client", story);
}

static void tell_logins(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_auth *auth;
    unsigned told = 0;
    SW_EACH(auth, c->session->auths) {
        if (told++ == MAILS_TOLD) {
            sw_prose_add(story, " Further logins followed.");
            return;
        }
        sw_prose_add(story, " It tried to log in with ");
        sw_prose_wire(story, auth->mechanism, NAME);
        if (auth->user.len > 0) {
            sw_prose_add(story, " as ");
            sw_prose_wire(story, auth->user, NAME);
        }
        if (auth->computer.len > 0) {
            sw_prose_add(story, " from the computer ");
            sw_prose_wire(story, auth->computer, NAME);
        }
        sw_prose_add(story, " (frame %s)", frame(story, auth->command->last));
        if (auth->cancelled)
            sw_prose_add(story, ", gave up in the middle of it (frame %s)",
                         frame(story, auth->last->last));
        if (auth->result == SW_AUTH_ACCEPTED) {
            sw_prose_add(story, " and was let in (frame %s).", frame(story, auth->reply->first));
        } else if (auth->reply) {
            sw_prose_add(story, " and got ");
            quote_reply(story, auth->reply);
            sw_prose_add(story, ".");
        } else {
            sw_prose_add(story, "; no answer decided it.");
        }
        sw_token_error_tell(auth, story);
    }
}

static void tell_recipients(const struct sw_message *m, struct sw_prose *story)
{
    const struct sw_recipient *r;
    const struct sw_recipient *first_refused = NULL;
    unsigned refused = 0;
    unsigned open = 0;
    SW_EACH(r, m->recipients) {
        if (!r->reply)
            open++;
        else if (!sw_reply_is(r->reply, 2)) {
            refused++;
            first_refused = first_refused ? first_refused : r;
        }
    }
    if (m->recipient_count == 0)
        return;
    if (m->recipient_count == 1) {
        sw_prose_add(story, " for ");
        sw_prose_wire(story, m->recipients->address, NAME);
    } else {
        sw_prose_add(story, " for %u recipients", m->recipient_count);
    }
    sw_prose_add(story, " (frame %s)", frame(story, m->recipients->command->last));
    if (refused > 0) {
        sw_prose_add(story, "; ");
        if (m->recipient_count > 1) {
            if (refused == 1)
                sw_prose_add(story, "one of them, ");
            else
                sw_prose_add(story, "%u of them were refused, the first one, ", refused);
            sw_prose_wire(story, first_refused->address, NAME);
            sw_prose_add(story, refused == 1 ? ", was refused with " : ", with ");
        } else {
            sw_prose_add(story, "the recipient was refused with ");
        }
        quote_reply(story, first_refused->reply);
    }
    if (open > 0 && m->recipient_count == 1)
        sw_prose_add(story, ", without an answer");
    else if (open > 0)
        sw_prose_add(story, "; no answer about %u of them", open);
}

/* The size that the server announced, the one that the program declared, and the one that was seen
 * (RFC 1870), where they do not agree. */
static void tell_size(const struct sw_case *c, const struct sw_message *m, struct sw_prose *story)
{
    const struct sw_capability *size = sw_capability_find(c->session->hello, "SIZE");
    uint64_t limit = 0;
    if (size && !sw_span_u64(sw_span_trim(size->params), &limit))
        limit = 0;
    bool whole = m->end_of_data != NULL && m->body_missing == 0;
    uint64_t seen = m->body_seen ? m->body_octets : 0;
    uint64_t declared = m->has_size ? m->size_declared : 0;
    bool over = limit > 0 && (declared > limit || seen > limit);
    bool more = m->has_size && seen / 2 > declared; /* estimates are usual, halves are not */
    bool less = m->has_size && whole && seen < declared / 2;
    if (over)
        sw_prose_add(story, " The server takes mails up to %s.", sw_size_text(c->arena, limit));
    if (m->has_size && (over || more || less))
        sw_prose_add(story, " The program had declared a size of %s.",
                     sw_size_text(c->arena, declared));
}

static void tell_text(const struct sw_case *c, const struct sw_message *m, struct sw_prose *story)
{
    if (m->data && m->data->reply && m->data->verb == SMTP_VERB_DATA &&
        m->data->reply->code != 354) {
        sw_prose_add(story, " DATA was answered ");
        quote_reply(story, m->data->reply);
        sw_prose_add(story, ".");
    }
    if (m->end_of_data)
        sw_prose_add(story, " The text of %s was complete in frame %s.",
                     sw_size_text(c->arena, m->body_octets), frame(story, m->end_mark));
    else if (m->body_seen)
        sw_prose_add(story, " %s of the text were sent (until frame %s), its end was not.",
                     sw_size_text(c->arena, m->body_octets), frame(story, m->body_last));
    else if (m->go_ahead)
        sw_prose_add(story, " The server asked for the text (frame %s); none came.",
                     frame(story, m->go_ahead->first));
    const struct sw_oddity *end = sw_case_oddity(c, SMTP_ODD_FALSE_END_LAST);
    if (end && m->body_seen && !m->end_of_data)
        sw_prose_add(story,
                     " What the client took for the end (frame %s) was none for the server: "
                     "the line ends around the dot are not both CR LF.",
                     frame(story, end->mark));
    tell_size(c, m, story);
    if (m->final) {
        const struct sw_step *asked = m->final->command;
        bool early = asked && asked->verb == SMTP_VERB_BDAT && !(asked->flags & SMTP_FLAG_LAST);
        sw_prose_add(story, early ? " The server took what there was for the whole message: "
                                  : " The server's answer to it: ");
        quote_reply(story, m->final);
        sw_prose_add(story, ".");
    }
    if (m->abandoned && !m->final && !m->end_of_data)
        sw_prose_add(story, " The client gave it up with %s (frame %s).",
                     smtp_verb_name(m->abandoned->verb), frame(story, m->abandoned->last));
}

static void tell_refused_sender(const struct sw_message *m, struct sw_prose *story)
{
    if (!m->mail->reply || sw_reply_is(m->mail->reply, 2))
        return;
    sw_prose_add(story, "; the sender was refused with ");
    quote_reply(story, m->mail->reply);
    if (m->recipient_count > 0)
        sw_prose_add(story, ". It went on all the same");
}

static void tell_mails(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_message *m;
    unsigned told = 0;
    SW_EACH(m, c->session->messages) {
        if (told++ == MAILS_TOLD) {
            sw_prose_add(story, " %u further mails followed.",
                         c->session->message_count - MAILS_TOLD);
            return;
        }
        if (m->mail) {
            sw_prose_add(story, " It offered a mail from ");
            if (m->sender.len > 0)
                sw_prose_wire(story, m->sender, NAME);
            else
                sw_prose_add(story, "the empty sender <>");
            sw_prose_add(story, " (frame %s)", frame(story, m->mail->last));
            tell_refused_sender(m, story);
        } else {
            sw_prose_add(story, " A mail whose beginning is not in the capture went on");
        }
        tell_recipients(m, story);
        sw_prose_add(story, ".");
        tell_text(c, m, story);
    }
}

static const char *pending_name(const struct sw_step *pending)
{
    if (pending->verb == SMTP_VERB_END_OF_DATA)
        return "The end of the message";
    if (pending->verb == SMTP_VERB_AUTH_DATA)
        return "The login";
    const char *verb = smtp_verb_name(pending->verb);
    return verb[0] ? verb : "A line of the client";
}

/* Refused commands that belong to no mail and no login: what servers lose their patience over. */
static void tell_other_refusals(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_step *first = NULL;
    unsigned refused = 0;
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        bool other = s->from == SW_SERVER && s->command && !s->message &&
                     (sw_reply_is(s, 4) || sw_reply_is(s, 5)) &&
                     (s->phase == SW_PHASE_GREETING || s->phase == SW_PHASE_HELLO ||
                      s->phase == SW_PHASE_RCPT || s->phase == SW_PHASE_DATA);
        bool told = s->verb == SMTP_VERB_EHLO || s->verb == SMTP_VERB_HELO ||
                    s->verb == SMTP_VERB_LHLO || s->verb == SMTP_VERB_QUIT;
        if (!other || told)
            continue;
        refused++;
        first = first ? first : s;
    }
    if (refused == 0)
        return;
    const char *verb = smtp_verb_name(first->verb);
    if (verb[0])
        sw_prose_add(story, " %s (frame %s)", verb, frame(story, first->command->last));
    else
        sw_prose_add(story, " A command (frame %s)", frame(story, first->command->last));
    sw_prose_add(story, " was answered ");
    quote_reply(story, first);
    if (refused > 1)
        sw_prose_add(story, ", and %u more were refused", refused - 1);
    sw_prose_add(story, ".");
}

/* The client's goodbye, where no mail that it gave up has told it already. */
static void tell_goodbye(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_step *quit = c->session->quit;
    const struct sw_message *m = c->session->message;
    bool told = m && m->abandoned == quit && !m->final && !m->end_of_data;
    if (quit && !told)
        sw_prose_add(story, " The client said QUIT (frame %s).", frame(story, quit->first));
}

static void tell_last_word(const struct sw_step *last, struct sw_prose *story)
{
    sw_prose_add(story, last->code ? " Unasked, the server said " : " The server said ");
    quote_reply(story, last);
    sw_prose_add(story, ".");
}

static void tell_end(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_flow_facts *f = c->facts;
    const struct sw_step *last = c->session->last_reply;
    bool unasked = last && (last->flags & SMTP_FLAG_UNSOLICITED);
    bool after_close = unasked && f->closed.frame && last->first.frame > f->closed.frame;
    if (unasked && !after_close)
        tell_last_word(last, story);
    bool both_visible = c->client_seen && c->server_seen && !c->reply_lost;
    if (c->pending && c->waited_ns > 0 && both_visible) {
        sw_prose_add(story, " %s (frame %s) stayed unanswered", pending_name(c->pending),
                     frame(story, c->pending->last));
        if (c->waited_ns >= SW_NS_PER_S)
            sw_prose_add(story, " for %s", sw_duration_text(c->arena, c->waited_ns));
        sw_prose_add(story, ".");
    } else if (c->waiting == SW_WAITING_GREETING && c->established && c->waited_ns > 0 &&
               both_visible) {
        sw_prose_add(story, " The server said nothing for %s.",
                     sw_duration_text(c->arena, c->waited_ns));
    }
    tell_goodbye(c, story);
    if (!f->closed.frame || f->refused)
        return;
    sw_prose_add(story, " The %s %s the connection (frame %s).",
                 c->closed_by_server ? "server" : "client", c->reset ? "cut" : "closed",
                 frame(story, f->closed));
    if (after_close)
        tell_last_word(last, story);
}

void sw_story_tell(const struct sw_case *c, struct sw_prose *story)
{
    if (c->session->lookup) {
        sw_story_lookup(c, story);
        return;
    }
    tell_name(c, story);
    tell_connect(c, story);
    tell_proxy(c, story);
    tell_meeting(c, story);
    tell_logins(c, story);
    sw_unread_tell(c, story);
    tell_other_refusals(c, story);
    tell_mails(c, story);
    sw_story_tcp(c, story);
    tell_end(c, story);
    sw_story_tls_end(c, story);
}

void sw_story_caveats(const struct sw_case *c, const struct sw_verdict *verdict,
                      struct sw_prose *story)
{
    const uint64_t *quality = verdict->quality;
    if (quality[SW_QUALITY_ONE_SIDED])
        sw_prose_add(story, " Only the %s's packets are in the capture.",
                     c->client_seen ? "client" : "server");
    if (quality[SW_QUALITY_GAPS])
        sw_prose_add(story, " The capture lost %llu bytes of this connection.",
                     (unsigned long long)(c->facts->half[SW_CLIENT].gap_bytes +
                                          c->facts->half[SW_SERVER].gap_bytes));
    if (quality[SW_QUALITY_SNAPLEN])
        sw_prose_add(story,
                     " Packets were cut when they were recorded (record with full packets, -s 0).");
    if (c->facts->conflicts > 0)
        sw_prose_add(
            story,
            " Two copies of the same bytes differ, so it is not certain what the other side read.");
    if (quality[SW_QUALITY_LIMITS])
        sw_prose_add(story, " A limit was reached; not everything of this session was kept.");
}
