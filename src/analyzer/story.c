#include "analyzer/story.h"

#include "analyzer/token_error.h"
#include "base/address.h"

enum { QUOTE = 120, NAME = 80, LOGINS_TOLD = 3 };

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
    const char *zeros = reply->code < 10 ? "00" : reply->code < 100 ? "0" : "";
    if (reply->code > 0)
        sw_prose_say(prose, "\"", zeros, reply->code, " ");
    else
        sw_prose_say(prose, "\""); /* a line that is no reply */
    sw_prose_wire(prose, words_of(prose->arena, reply), most);
    sw_prose_say(prose, "\"");
}

static void quote_reply(struct sw_prose *story, const struct sw_step *reply)
{
    sw_quote_reply(story, reply, QUOTE);
    sw_prose_say(story, " (frame ", reply->first, ")");
}

const char *sw_story_within(const struct sw_case *c, int64_t ns)
{
    if (ns < 100 * SW_NS_PER_MS)
        return "at once";
    const char *text = sw_arena_printf(c->arena, "within %s", sw_duration_text(c->arena, ns));
    return text ? text : "";
}

/* What the client had looked up before. */
static void tell_name(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_naming *naming = c->session->naming;
    if (!naming || c->no_names)
        return;
    sw_prose_say(story, "The name service gave the address of ");
    sw_prose_wire(story, naming->name, NAME);
    sw_prose_say(story, " (frame ", naming->answered, "). ");
}

/* What an ICMP error says, in words (RFC 792, RFC 1812 5.2.7, RFC 4443); NULL when it is a rare
 * one. */
static const char *icmp_words(const struct sw_flow_icmp *icmp)
{
    static const struct {
        uint8_t version, type, code;
        const char *words;
    } known[] = {
        {4, 3, 0, "there is no way to that network"},
        {4, 3, 1, "the computer there cannot be reached"},
        {4, 3, 2, "the computer there does not speak TCP"},
        {4, 3, 3, "the port is closed"},
        {4, 3, 4, "the packet is too large for the way"},
        {4, 3, 9, "a rule forbids it"},
        {4, 3, 10, "a rule forbids it"},
        {4, 3, 13, "a rule forbids it"},
        {4, 11, 0, "the packet was passed on too often"},
        {6, 1, 0, "there is no way to that network"},
        {6, 1, 1, "a rule forbids it"},
        {6, 1, 3, "the computer there cannot be reached"},
        {6, 1, 4, "the port is closed"},
        {6, 1, 5, "a rule forbids it"},
        {6, 1, 6, "a rule forbids it"},
        {6, 2, 0, "the packet is too large for the way"},
        {6, 3, 0, "the packet was passed on too often"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].version == icmp->ip_version && known[i].type == icmp->type &&
            known[i].code == icmp->code)
            return known[i].words;
    }
    return NULL;
}

static bool same_icmp(const struct sw_flow_icmp *a, const struct sw_flow_icmp *b)
{
    return a->type == b->type && a->code == b->code && a->ip_version == b->ip_version &&
           memcmp(a->from, b->from, sizeof(a->from)) == 0;
}

/* One sentence for a row of equal errors. */
static void tell_icmp(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_flow_facts *f = c->facts;
    for (uint8_t i = 0; i < f->icmp_count;) {
        const struct sw_flow_icmp *icmp = &f->icmp[i];
        uint8_t end = i;
        while (end < f->icmp_count && same_icmp(icmp, &f->icmp[end]))
            end++;
        const char *words = icmp_words(icmp);
        sw_prose_say(story, " ", sw_address_text(c->arena, icmp->from, icmp->ip_version),
                     " answered");
        if (words)
            sw_prose_say(story, " that ", words);
        sw_prose_add(story,
                     words ? " (ICMP error type %u code %u, frame %s"
                           : " with an ICMP error (type %u code %u, frame %s",
                     icmp->type, icmp->code, sw_prose_frame(story, icmp->mark.frame));
        if (end - i > 1)
            sw_prose_say(story, ", and ", end - i - 1U, " more, last in frame ",
                         f->icmp[end - 1].mark);
        sw_prose_say(story, ").");
        i = end;
    }
}

static void tell_connect(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_flow_facts *f = c->facts;
    char client[SW_ADDRESS_TEXT_BYTES];
    char server[SW_ADDRESS_TEXT_BYTES];
    sw_address_format(f->tuple.src, f->tuple.ip_version, client);
    sw_address_format(f->tuple.dst, f->tuple.ip_version, server);
    if (!f->syn.frame && f->syn_ack.frame) {
        sw_prose_say(story, server, " accepted a connection of ", client, " on port ",
                     f->tuple.dst_port, " (frame ", f->syn_ack,
                     "); the request for it is not in the capture.");
        return;
    }
    if (!f->syn.frame) {
        sw_prose_add(story,
                     "The connection from %s to %s port %u was already open when the capture began "
                     "(frame %s).",
                     client, server, f->tuple.dst_port, sw_prose_frame(story, f->first.frame));
        return;
    }
    sw_prose_say(story, client, " asked for a connection to ", server, " port ", f->tuple.dst_port,
                 " (frame ", f->syn, ")");
    if (f->syn_count > 1)
        sw_prose_say(story, ", ",
                     f->syn_count == 2 ? "twice"
                                       : sw_arena_printf(c->arena, "%u times", f->syn_count),
                     " ", sw_story_within(c, f->last_syn.time_ns - f->syn.time_ns),
                     " (last in frame ", f->last_syn, ")");
    if (f->refused)
        sw_prose_say(story, " and was refused (RST, frame ", f->half[SW_SERVER].rst, ").");
    else if (f->established.frame)
        sw_prose_say(story, "; it was up in frame ", f->established, ".");
    else if (f->syn_ack.frame)
        sw_prose_say(story, "; the server accepted (frame ", f->syn_ack, ").");
    else if (c->server_seen || f->icmp_count > 0)
        sw_prose_say(story, ".");
    else
        sw_prose_say(story, "; no answer to it is in the capture.");
    tell_icmp(c, story);
}

static void tell_proxy(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_proxied *p = sw_session_proxied(c->session);
    if (p->kind == SW_PROXY_NONE)
        return;
    if (!p->asked.frame && p->refused) {
        sw_prose_say(story, " The proxy took no login of the client's (frame ", p->answered, ").");
        return;
    }
    sw_prose_say(story, " The client asked this ", p->kind == SW_PROXY_HTTP ? "HTTP" : "SOCKS",
                 " proxy for ");
    sw_prose_wire(story, sw_span_make(p->host, p->host_length), NAME);
    sw_prose_say(story, " port ", p->port, " (frame ", p->asked, ")");
    if (p->open)
        sw_prose_say(story, " and was connected (frame ", p->answered, ").");
    else if (p->refused)
        sw_prose_say(story, "; the proxy refused with code ", p->status, " (frame ", p->answered,
                     ").");
    else
        sw_prose_say(story, c->reply_lost ? "; what the proxy answered is not in the capture."
                                          : "; the proxy did not answer.");
}

static void tell_greeting(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_oddity *o;
    SW_EACH(o, c->session->oddities) {
        if (o->kind == SMTP_ODD_EARLY_TALKER && c->server_seen)
            sw_prose_say(story, " The client spoke before the greeting (frame ", o->mark, ").");
    }
    const struct sw_step *greeting = c->session->greeting;
    if (greeting) {
        sw_prose_say(story, " The server greeted");
        int64_t delay_ns = c->session->greeting_delay_ns;
        if (delay_ns >= 2 * SW_NS_PER_S)
            sw_prose_say(story, " after ", sw_duration_text(c->arena, delay_ns));
        sw_prose_say(story, " with ");
        quote_reply(story, greeting);
        bool unfinished = c->waiting == SW_WAITING_GREETING;
        sw_prose_say(
            story, unfinished ? ", which is not the last line of a greeting; no other came." : ".");
    }
}

static void tell_hello(const struct sw_hello *hello, const char *who, struct sw_prose *story)
{
    sw_prose_say(story, " ", who, " said ", smtp_verb_name(hello->command->verb));
    if (hello->command->argument.len > 0) {
        sw_prose_say(story, " ");
        sw_prose_wire(story, hello->command->argument, NAME);
    }
    sw_prose_say(story, " (frame ", sw_step_last(hello->command), ")");
    if (hello->reply && !sw_reply_is(hello->reply, 2)) {
        sw_prose_say(story, " and got ");
        quote_reply(story, hello->reply);
    }
    sw_prose_say(story, ".");
}

/* The first hello that was refused, when another one follows on the same side of the encryption. */
static const struct sw_hello *refused_before(const struct sw_session *session,
                                             const struct sw_hello *last)
{
    const struct sw_hello *hello;
    SW_EACH(hello, session->hellos) {
        if (hello == last)
            return NULL;
        if (hello->reply && !sw_reply_is(hello->reply, 2) &&
            hello->command->encrypted == last->command->encrypted)
            return hello;
    }
    return NULL;
}

static void tell_hellos(const struct sw_session *session, const struct sw_hello *last,
                        const char *who, struct sw_prose *story)
{
    const struct sw_hello *refused = refused_before(session, last);
    if (refused)
        tell_hello(refused, who, story);
    tell_hello(last, refused ? "Then it" : who, story);
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
        tell_hellos(session, clear, "The client", story);
    if (!tls_first)
        sw_story_tls(c, story);
    if (inside)
        tell_hellos(session, inside, clear ? "Inside the encryption it" : "The client", story);
}

static void tell_logins(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_auth *auth;
    unsigned told = 0;
    SW_EACH(auth, c->session->auths) {
        if (told++ == LOGINS_TOLD) {
            sw_prose_say(story, " Further logins followed.");
            return;
        }
        sw_prose_say(story, " It tried to log in with ");
        sw_prose_wire(story, auth->mechanism, NAME);
        if (auth->user.len > 0) {
            sw_prose_say(story, " as ");
            sw_prose_wire(story, auth->user, NAME);
        }
        if (auth->computer.len > 0) {
            sw_prose_say(story, " from the computer ");
            sw_prose_wire(story, auth->computer, NAME);
        }
        sw_prose_say(story, " (frame ", sw_step_last(auth->command), ")");
        if (auth->cancelled)
            sw_prose_say(story, ", gave up in the middle of it (frame ", sw_step_last(auth->last),
                         ")");
        if (auth->result == SW_AUTH_ACCEPTED) {
            sw_prose_say(story, " and was let in (frame ", auth->reply->first, ").");
        } else if (auth->reply) {
            sw_prose_say(story, " and got ");
            quote_reply(story, auth->reply);
            sw_prose_say(story, ".");
        } else {
            sw_prose_say(story, "; no answer decided it.");
        }
        sw_token_error_tell(auth, story);
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

/* A refused command that belongs to no mail and no login: what servers lose their patience over. */
static bool is_other_refusal(const struct sw_step *s)
{
    bool other = s->from == SW_SERVER && s->command && !s->message &&
                 (sw_reply_is(s, 4) || sw_reply_is(s, 5)) &&
                 (s->phase == SW_PHASE_GREETING || s->phase == SW_PHASE_HELLO ||
                  s->phase == SW_PHASE_RCPT || s->phase == SW_PHASE_DATA);
    bool told = s->verb == SMTP_VERB_EHLO || s->verb == SMTP_VERB_HELO ||
                s->verb == SMTP_VERB_LHLO || s->verb == SMTP_VERB_QUIT;
    return other && !told;
}

/* Those from one frame up to, not with, another. True when something was told. */
static bool tell_other_refusals(const struct sw_case *c, uint64_t from, uint64_t until,
                                struct sw_prose *story)
{
    const struct sw_step *first = NULL;
    unsigned refused = 0;
    const struct sw_step *s = c->survey.refused ? c->session->steps : NULL;
    for (; s; s = s->next) {
        if (!is_other_refusal(s) || s->first.frame < from || s->first.frame >= until)
            continue;
        refused++;
        first = first ? first : s;
    }
    if (refused == 0)
        return false;
    const char *verb = smtp_verb_name(first->verb);
    sw_prose_say(story, " ", verb[0] ? verb : "A command", " (frame ", sw_step_last(first->command),
                 ") was answered ");
    quote_reply(story, first);
    if (refused == 2)
        sw_prose_say(story, ", and one more was refused");
    else if (refused > 2)
        sw_prose_say(story, ", and ", refused - 1, " more were refused");
    sw_prose_say(story, ".");
    return true;
}

/* The mails, and the refused commands before and behind the first one. */
static void tell_dialogue(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_message *m = c->session->messages;
    uint64_t mail = m && m->mail ? sw_step_last(m->mail).frame : UINT64_MAX;
    bool told = tell_other_refusals(c, 0, mail, story);
    sw_story_mails(c, told, story);
    (void)tell_other_refusals(c, mail, UINT64_MAX, story);
}

/* A goodbye in answer to another command than QUIT. */
static bool is_early_goodbye(const struct sw_step *reply)
{
    return reply->code == 221 && reply->command && reply->verb != SMTP_VERB_QUIT;
}

/* What a server that does not speak SMTP said first, or the last line that nobody asked for. */
static const struct sw_step *unasked_word(const struct sw_case *c)
{
    const struct sw_step *last = c->session->last_reply;
    if (!last || !((last->flags & SMTP_FLAG_UNSOLICITED) || is_early_goodbye(last)))
        return NULL;
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        bool strange = s->from == SW_SERVER && s->code == 0 && sw_span_trim(s->text).len > 0;
        if (strange && last->code == 0)
            return s;
    }
    return last;
}

static void tell_word(const struct sw_step *word, struct sw_prose *story)
{
    if (word->code == 0 && sw_span_trim(word->text).len == 0) {
        sw_prose_say(story, " The server sent an empty line (frame ", word->first, ").");
        return;
    }
    bool unasked = word->code != 0 && !is_early_goodbye(word);
    sw_prose_say(story, unasked ? " Unasked, the server said " : " The server said ");
    quote_reply(story, word);
    sw_prose_say(story, ".");
}

static void tell_waiting(const struct sw_case *c, struct sw_prose *story)
{
    if (c->pending) {
        sw_prose_say(story, " ", pending_name(c->pending), " (frame ", sw_step_last(c->pending),
                     ") stayed unanswered");
        if (c->waited_ns >= SW_NS_PER_S)
            sw_prose_say(story, " for ", sw_duration_text(c->arena, c->waited_ns));
        sw_prose_say(story, ".");
    } else {
        sw_prose_say(story, " The server said nothing ", c->session->greeting ? "more " : "",
                     "for ", sw_duration_text(c->arena, c->waited_ns), ".");
    }
}

static void tell_close(const struct sw_case *c, struct sw_prose *story)
{
    const char *where =
        sw_case_close_is_unseen(c) ? "not in the capture, but confirmed in frame " : "frame ";
    sw_story_tls_goodbye(c, story);
    sw_prose_say(story, " The ", c->facts->closed_by == SW_SERVER ? "server" : "client", " ",
                 c->reset ? "cut" : "closed", " the connection (", where, c->facts->closed, ").");
}

enum ending { UNANSWERED, UNASKED, GOODBYE, CLOSED, ENDINGS };

/* When each of the last events happened; 0 = it did not, or a mail has told it already. */
static void find_endings(const struct sw_case *c, uint64_t at[ENDINGS])
{
    const struct sw_step *word = unasked_word(c);
    const struct sw_step *quit = c->session->quit;
    const struct sw_message *m = c->session->message;
    bool both_visible = c->client_seen && c->server_seen && !c->reply_lost;
    bool no_greeting = c->waiting == SW_WAITING_GREETING && c->established;
    bool quit_told = m && m->abandoned == quit && !m->final && !m->end_of_data;
    if (c->waited_ns > 0 && both_visible && c->pending)
        at[UNANSWERED] = sw_step_last(c->pending).frame;
    else if (c->waited_ns > 0 && both_visible && no_greeting)
        at[UNANSWERED] = c->facts->established.frame;
    if (word)
        at[UNASKED] = word->first.frame;
    if (quit && !quit_told)
        at[GOODBYE] = quit->first.frame;
    if (!c->facts->refused)
        at[CLOSED] = c->facts->closed.frame;
}

/* How it ended, in the order in which it happened. */
static void tell_end(const struct sw_case *c, struct sw_prose *story)
{
    uint64_t at[ENDINGS] = {0};
    find_endings(c, at);
    for (int told = 0; told < ENDINGS; told++) {
        int next = -1;
        for (int i = 0; i < ENDINGS; i++) {
            if (at[i] > 0 && (next < 0 || at[i] < at[next]))
                next = i;
        }
        if (next < 0)
            return;
        at[next] = 0;
        switch ((enum ending)next) {
        case UNANSWERED:
            tell_waiting(c, story);
            break;
        case UNASKED:
            tell_word(unasked_word(c), story);
            break;
        case GOODBYE:
            sw_prose_say(story, " The client said QUIT (frame ", c->session->quit->first, ").");
            break;
        case CLOSED:
            tell_close(c, story);
            break;
        case ENDINGS:
            break;
        }
    }
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
    tell_dialogue(c, story);
    sw_story_tls_again(c, story);
    sw_story_tcp(c, story);
    tell_end(c, story);
    sw_story_tls_end(c, story);
}

static bool damaged(const struct sw_flow_facts *facts, enum sw_side side)
{
    const struct sw_half_facts *half = &facts->half[side];
    return half->damaged > 0 || (half->first_wrong && half->checksums_right);
}

void sw_story_caveats(const struct sw_case *c, const struct sw_verdict *verdict,
                      struct sw_prose *story)
{
    const uint64_t *quality = verdict->quality;
    const struct sw_half_facts *half = c->facts->half;
    uint64_t lost_bytes = half[SW_CLIENT].gap_bytes + half[SW_SERVER].gap_bytes;
    if (quality[SW_QUALITY_ONE_SIDED])
        sw_prose_say(story, " Only the ", c->client_seen ? "client" : "server",
                     "'s packets are in the capture.");
    bool misplaced = half[SW_CLIENT].came_late + half[SW_SERVER].came_late > 0;
    if (misplaced)
        sw_prose_say(story, " Packets came so late into the capture that they had to be taken for "
                            "lost.");
    else if (lost_bytes > 0)
        sw_prose_say(story, " The capture lost ", lost_bytes, " bytes of this connection.");
    if (half[SW_CLIENT].fin_unseen || half[SW_SERVER].fin_unseen)
        sw_prose_say(story, " The capture lacks a packet that closed the connection (FIN).");
    if (quality[SW_QUALITY_SNAPLEN])
        sw_prose_say(story,
                     " Packets were cut when they were recorded (record with full packets, -s 0).");
    if (c->session->lost_frames > 0)
        sw_prose_add(story,
                     " The recorder lost %llu packets of whatever kind at that time; some may have "
                     "been of this connection.",
                     (unsigned long long)c->session->lost_frames);
    if (damaged(c->facts, SW_CLIENT) || damaged(c->facts, SW_SERVER))
        sw_prose_say(story, " Packets have wrong checksums: what they hold may not be what was "
                            "sent.");
    if (c->facts->conflicts > 0)
        sw_prose_say(
            story,
            " Two copies of the same bytes differ, so it is not certain what the other side read.");
    if (quality[SW_QUALITY_LIMITS])
        sw_prose_say(story, " A limit was reached; not everything of this session was kept.");
}
