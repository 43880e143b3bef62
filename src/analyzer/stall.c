#include "analyzer/stall.h"

#include <stdio.h>

static struct sw_mark later(struct sw_mark a, struct sw_mark b)
{
    return b.frame && (!a.frame || b.time_ns > a.time_ns) ? b : a;
}

/* Every command answered, the last mail accepted or none begun after it: nobody waits. */
static bool is_at_rest(const struct sw_session *session)
{
    const struct sw_step *reply = session->last_reply;
    bool answered = reply && session->last_command && session->last_command->reply;
    return answered && !session->message && session->messages && session->tls < SW_TLS_HELLO;
}

bool sw_stall_begin(struct sw_stall *stall)
{
    const struct sw_flow_facts *f = stall->facts;
    if (f->closed_by >= 0)
        return false;
    struct sw_mark since = later(f->last_syn, f->established);
    for (int side = 0; side < 2; side++)
        since = later(since, f->half[side].last_data);
    stall->since = since;
    return since.frame && !(stall->session && is_at_rest(stall->session));
}

static const char *command_name(const struct sw_step *command)
{
    if (command->verb == SMTP_VERB_END_OF_DATA)
        return "the end of the text";
    if (command->verb == SMTP_VERB_AUTH_DATA)
        return "the login";
    const char *name = smtp_verb_name(command->verb);
    return name[0] ? name : "a command";
}

/* In the dialogue: its last line tells whose turn it is. */
static void dialogue(const struct sw_session *session, long long seconds, char *out)
{
    const struct sw_message *m = session->message;
    const struct sw_step *command = session->last_command;
    const struct sw_step *reply = session->last_reply;
    if (m && m->go_ahead && !m->end_of_data)
        (void)snprintf(out, SW_STALL_WORDS_BYTES,
                       m->body_seen ? "the text of the mail stopped %lld s ago, without its end"
                                    : "354 was given %lld s ago, the client has sent nothing since",
                       seconds);
    else if (command && !command->reply)
        (void)snprintf(out, SW_STALL_WORDS_BYTES,
                       "%s was sent %lld s ago, the server has not answered", command_name(command),
                       seconds);
    else if (reply)
        (void)snprintf(out, SW_STALL_WORDS_BYTES,
                       "the server said %03u %lld s ago, the client has sent nothing since",
                       reply->code, seconds);
    else
        (void)snprintf(out, SW_STALL_WORDS_BYTES, "nothing was said for %lld s", seconds);
}

void sw_stall_words(const struct sw_stall *stall, char out[SW_STALL_WORDS_BYTES])
{
    const struct sw_flow_facts *f = stall->facts;
    const struct sw_session *session = stall->session;
    long long seconds = (stall->now_ns - stall->since.time_ns) / SW_NS_PER_S;
    bool spoken = f->half[SW_SERVER].bytes > 0;
    if (!f->syn_ack.frame && !spoken)
        (void)snprintf(out, SW_STALL_WORDS_BYTES,
                       "the last of %u requests for a connection was sent %lld s ago, nobody has "
                       "answered",
                       f->syn_count, seconds);
    else if (session && session->tls >= SW_TLS_HELLO && session->tls != SW_TLS_CLEAR)
        (void)snprintf(out, SW_STALL_WORDS_BYTES,
                       "inside the encrypted connection nothing was said for %lld s", seconds);
    else if (!spoken)
        (void)snprintf(out, SW_STALL_WORDS_BYTES,
                       "the connection was made %lld s ago, the server has not said a word",
                       (long long)((stall->now_ns - f->established.time_ns) / SW_NS_PER_S));
    else if (session)
        dialogue(session, seconds, out);
    else
        (void)snprintf(out, SW_STALL_WORDS_BYTES, "nothing was said for %lld s", seconds);
}
