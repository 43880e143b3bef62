/*
 * story_mail.c - the mails of a session in its story: from whom, for whom, what was sent of the
 * text, and what the server said to each.
 */
#include "analyzer/story.h"

enum { QUOTE = 120, NAME = 80, MAILS_TOLD = 3 };

static void quote_reply(struct sw_prose *story, const struct sw_step *reply)
{
    sw_quote_reply(story, reply, QUOTE);
    sw_prose_say(story, " (frame ", reply->first, ")");
}

/* Of several recipients: "one of them", "3 of them", "both", "all". */
static const char *of_them(const struct sw_prose *story, const struct sw_message *m, unsigned n)
{
    if (n == m->recipient_count)
        return n == 2 ? "both" : "all of them";
    const char *text = n == 1 ? "one of them" : sw_arena_printf(story->arena, "%u of them", n);
    return text ? text : "some of them";
}

static void tell_refused(const struct sw_message *m, const struct sw_recipient *first,
                         unsigned refused, struct sw_prose *story)
{
    sw_prose_say(story, "; ");
    if (m->recipient_count == 1) {
        sw_prose_say(story, "the recipient was refused with ");
    } else {
        sw_prose_add(story, refused == 1 ? "%s, " : "%s were refused, the first one, ",
                     of_them(story, m, refused));
        sw_prose_wire(story, first->address, NAME);
        sw_prose_say(story, refused == 1 ? ", was refused with " : ", with ");
    }
    quote_reply(story, first->reply);
}

static void tell_recipients(const struct sw_case *c, const struct sw_message *m,
                            struct sw_prose *story)
{
    const struct sw_recipient *r;
    const struct sw_recipient *first_refused = NULL;
    unsigned refused = 0;
    unsigned open = 0;
    SW_EACH(r, m->recipients) {
        if (!r->reply) {
            open += !sw_was_taken(m, r); /* the answer to the text is one for all */
        } else if (!sw_reply_is(r->reply, 2)) {
            refused++;
            first_refused = first_refused ? first_refused : r;
        }
    }
    if (m->recipient_count == 0)
        return;
    if (m->recipient_count == 1) {
        sw_prose_say(story, " for ");
        sw_prose_wire(story, m->recipients->address, NAME);
    } else {
        sw_prose_say(story, " for ", m->recipient_count, " recipients");
    }
    sw_prose_say(story, " (frame ", sw_step_last(m->recipients->command), ")");
    if (refused > 0)
        tell_refused(m, first_refused, refused, story);
    bool answers_seen = c->server_seen && !c->reply_lost;
    if (open > 0 && answers_seen && m->recipient_count == 1)
        sw_prose_say(story, ", without an answer");
    else if (open > 0 && answers_seen)
        sw_prose_say(story, "; no answer about ", of_them(story, m, open));
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
        sw_prose_say(story, " The server takes mails up to ", sw_size_text(c->arena, limit), ".");
    if (m->has_size && (over || more || less))
        sw_prose_say(story, " The program had declared a size of ",
                     sw_size_text(c->arena, declared), ".");
}

/* LMTP answers for each recipient by itself (RFC 2033 4.2). */
static bool answered_each(const struct sw_message *m)
{
    return m->final && (m->final->flags & SMTP_FLAG_RECIPIENT) && m->accepted_count > 1;
}

static void tell_each(const struct sw_message *m, struct sw_prose *story)
{
    const struct sw_recipient *r;
    const struct sw_recipient *first_refused = NULL;
    unsigned taken = 0;
    unsigned refused = 0;
    SW_EACH(r, m->recipients) {
        taken += sw_reply_is(r->final, 2);
        if (!r->final || sw_reply_is(r->final, 2))
            continue;
        refused++;
        first_refused = first_refused ? first_refused : r;
    }
    sw_prose_say(story, " The server answered for each recipient: it took the mail for ", taken,
                 " of ", m->recipient_count);
    if (first_refused) {
        sw_prose_say(story, refused == 1 ? " and refused it for "
                                         : " and refused it for others, first for ");
        sw_prose_wire(story, first_refused->address, NAME);
        sw_prose_say(story, " with ");
        quote_reply(story, first_refused->final);
    }
    sw_prose_say(story, ".");
}

static void tell_final(const struct sw_case *c, const struct sw_message *m, struct sw_prose *story)
{
    if (!m->final)
        return;
    if (answered_each(m)) {
        tell_each(m, story);
        return;
    }
    const struct sw_step *asked = m->final->command;
    bool early = asked && asked->verb == SMTP_VERB_BDAT && !(asked->flags & SMTP_FLAG_LAST);
    if (early)
        sw_prose_say(story, " The server took what there was for the whole message: ");
    else if (m->final->after_close && c->facts->closed.frame && !c->closed_by_server)
        sw_prose_say(story,
                     " The server's answer came after the client had closed the connection: ");
    else
        sw_prose_say(story, " The server's answer to it: ");
    quote_reply(story, m->final);
    sw_prose_say(story, ".");
}

static void tell_text(const struct sw_case *c, const struct sw_message *m, struct sw_prose *story)
{
    if (m->data && m->data->reply && m->data->verb == SMTP_VERB_DATA &&
        m->data->reply->code != 354) {
        sw_prose_say(story, " DATA was answered ");
        quote_reply(story, m->data->reply);
        sw_prose_say(story, ".");
    }
    if (m->end_of_data)
        sw_prose_say(story, " The text of ", sw_size_text(c->arena, m->body_octets),
                     " was complete in frame ", m->end_mark, ".");
    else if (m->body_seen)
        sw_prose_say(story, " ", sw_size_text(c->arena, m->body_octets),
                     " of the text went up (until frame ", m->body_last, "), but not its end.");
    else if (m->go_ahead)
        sw_prose_say(story, " The server asked for the text (frame ", m->go_ahead->first,
                     "); none came.");
    const struct sw_oddity *end = sw_case_oddity(c, SMTP_ODD_FALSE_END_LAST);
    if (end && m->body_seen && !m->end_of_data)
        sw_prose_say(story, " What the client took for the end (frame ", end->mark,
                     ") was none for the server: the line ends around the dot are not both CR LF.");
    tell_size(c, m, story);
    tell_final(c, m, story);
    if (m->abandoned && !m->final && !m->end_of_data)
        sw_prose_say(story, " The client gave it up with ", smtp_verb_name(m->abandoned->verb),
                     " (frame ", sw_step_last(m->abandoned), ").");
}

static void tell_refused_sender(const struct sw_message *m, struct sw_prose *story)
{
    if (!m->mail->reply || sw_reply_is(m->mail->reply, 2))
        return;
    sw_prose_say(story, "; the sender was refused with ");
    quote_reply(story, m->mail->reply);
    if (m->recipient_count > 0)
        sw_prose_say(story, ". It went on all the same");
}

static void tell_mail(const struct sw_case *c, const struct sw_message *m, const char *who,
                      struct sw_prose *story)
{
    if (m->mail) {
        sw_prose_say(story, " ", who, " offered a mail from ");
        if (m->sender.len > 0)
            sw_prose_wire(story, m->sender, NAME);
        else
            sw_prose_say(story, "the empty sender <>");
        sw_prose_say(story, " (frame ", sw_step_last(m->mail), ")");
        tell_refused_sender(m, story);
    } else {
        sw_prose_say(story, " A mail whose beginning is not in the capture went on");
    }
    tell_recipients(c, m, story);
    sw_prose_say(story, ".");
    tell_text(c, m, story);
}

void sw_story_mails(const struct sw_case *c, bool name_client, struct sw_prose *story)
{
    const struct sw_message *m;
    unsigned told = 0;
    SW_EACH(m, c->session->messages) {
        unsigned left = c->session->message_count - told;
        if (told++ == MAILS_TOLD) {
            sw_prose_add(story,
                         left == 1 ? " One further mail followed." : " %u further mails followed.",
                         left);
            return;
        }
        tell_mail(c, m, told > 1 ? "Then the client" : name_client ? "The client" : "It", story);
    }
}
