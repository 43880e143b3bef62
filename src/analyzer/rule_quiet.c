/*
 * rule_quiet.c - sessions in which nothing went wrong and no mail went: probes, tests, clients that
 * did not like what they were offered; and those of which the capture shows too little.
 */
#include "analyzer/case.h"

static struct sw_ruling no_mail(enum sw_cause cause, enum sw_confidence confidence,
                                enum sw_stage stage)
{
    return (struct sw_ruling){
        .cause = cause, .outcome = SW_OUTCOME_NO_MAIL, .confidence = confidence, .stage = stage};
}

static void prove_last_words(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_session *s = c->session;
    if (s->last_reply)
        sw_ruling_prove_step(ruling, s->last_reply, "last reply of the server");
    if (s->quit)
        sw_ruling_prove_step(ruling, s->quit, "QUIT");
    else
        sw_case_prove_close(c, ruling);
}

static bool used(const struct sw_session *session, enum smtp_verb verb)
{
    const struct sw_step *s;
    SW_EACH(s, session->steps) {
        if (s->from == SW_CLIENT && s->verb == verb)
            return true;
    }
    return false;
}

/* A command that asks for something; NOOP, RSET, HELP and QUIT do not, nor does STARTTLS in whose
 * TLS the client says EHLO again. */
static bool asked_for_more_than_hello(const struct sw_session *session)
{
    const struct sw_step *s;
    SW_EACH(s, session->steps) {
        if (s->from != SW_CLIENT)
            continue;
        bool harmless = s->verb == SMTP_VERB_EHLO || s->verb == SMTP_VERB_HELO ||
                        s->verb == SMTP_VERB_LHLO || s->verb == SMTP_VERB_NOOP ||
                        s->verb == SMTP_VERB_RSET || s->verb == SMTP_VERB_HELP ||
                        s->verb == SMTP_VERB_QUIT;
        bool tls_began = s->verb == SMTP_VERB_STARTTLS && sw_reply_is(s->reply, 2) &&
                         session->tls == SW_TLS_APPLICATION;
        if (!harmless && !tls_began)
            return true;
    }
    return false;
}

/* The mail of which chunks were sent, not the last one (RFC 3030), before the client took it back;
 * NULL: there is none. */
static const struct sw_message *taken_back(const struct sw_session *session)
{
    const struct sw_message *m;
    SW_EACH(m, session->messages) {
        if (m->abandoned && m->data && m->body_seen && !m->end_mark.frame)
            break;
    }
    return m;
}

/* MAIL and RCPT answered, then an orderly end without DATA: somebody checked an address. */
static bool address_check(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_session *s = c->session;
    bool asked = used(s, SMTP_VERB_VRFY) || used(s, SMTP_VERB_EXPN);
    bool mail = s->messages != NULL;
    if ((!asked && !mail) || c->any_message_counts || c->waiting != SW_WAITING_NOTHING)
        return false;
    bool orderly = s->quit || (mail && s->messages->abandoned);
    if (!orderly)
        return false;
    const struct sw_message *begun = taken_back(s);
    if (begun) {
        *ruling = no_mail(SW_CAUSE_OK_VRFY_ONLY, SW_CONFIDENCE_POSSIBLE, SW_STAGE_BODY);
        sw_ruling_also(ruling, SW_CAUSE_DATA_NO_FINAL_DOT, SW_CONFIDENCE_POSSIBLE);
        sw_ruling_prove(ruling, begun->body_last, SW_ORIGIN_CLIENT, "last bytes of the text");
        sw_ruling_prove_step(ruling, begun->abandoned, "the client gives the mail up");
        return true;
    }
    bool null_sender =
        mail && (s->messages->sender.len == 0 ||
                 sw_span_starts_nocase(s->messages->sender, SW_SPAN_LIT("postmaster")));
    *ruling = no_mail(SW_CAUSE_OK_VRFY_ONLY,
                      null_sender || !mail ? SW_CONFIDENCE_LIKELY : SW_CONFIDENCE_POSSIBLE,
                      mail && s->messages->recipients ? SW_STAGE_RCPT
                      : mail                          ? SW_STAGE_MAIL
                                                      : SW_STAGE_HELLO);
    if (mail && !null_sender)
        sw_ruling_also(ruling, SW_CAUSE_TCP_CLIENT_CLOSED_EARLY, SW_CONFIDENCE_POSSIBLE);
    prove_last_words(c, ruling);
    return true;
}

static bool login_test(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_session *s = c->session;
    bool ended = s->quit || c->facts->closed.frame;
    if (!s->authenticated || c->tried_mail || !ended || c->waiting != SW_WAITING_NOTHING)
        return false;
    *ruling = no_mail(SW_CAUSE_OK_AUTH_TEST_ONLY, SW_CONFIDENCE_LIKELY, SW_STAGE_AUTH);
    prove_last_words(c, ruling);
    return true;
}

/* Connected and left again without a word, or after the greeting only. */
static bool probe(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_session *s = c->session;
    if (s->hellos || c->tried_mail || s->auths || s->starttls)
        return false;
    bool greeted = s->greeting && sw_reply_is(s->greeting, 2);
    bool only_harmless = !asked_for_more_than_hello(s);
    bool left = c->closed_by_client || s->quit;
    if (!left && !(greeted && c->closed_by_server && !c->client_spoke))
        return false;
    if (!greeted && (c->client_spoke || c->waited_ns >= 5 * SW_NS_PER_S))
        return false;
    if (!greeted && c->reply_lost)
        return false; /* the words that sent the client away may be those that are missing */
    *ruling = no_mail(SW_CAUSE_OK_NO_ATTEMPT,
                      only_harmless ? SW_CONFIDENCE_CERTAIN : SW_CONFIDENCE_LIKELY,
                      greeted ? SW_STAGE_GREETING : SW_STAGE_CONNECT);
    if (greeted)
        sw_ruling_prove_step(ruling, s->greeting, "greeting");
    else
        sw_ruling_prove(ruling, c->facts->established, SW_ORIGIN_CLIENT, "connected");
    prove_last_words(c, ruling);
    return true;
}

/* --- EHLO, an answer, and goodbye: what did the client miss? --- */

static bool offers_password_login(const struct sw_hello *hello)
{
    static const char *const mechanisms[] = {"PLAIN",      "LOGIN",  "CRAM-MD5",
                                             "DIGEST-MD5", "SCRAM-", "NTLM"};
    const struct sw_capability *cap;
    SW_EACH(cap, hello->capabilities) {
        if (!sw_span_eq_nocase(cap->keyword, SW_SPAN_LIT("AUTH")) &&
            !sw_span_eq_nocase(cap->keyword, SW_SPAN_LIT("AUTH=")))
            continue;
        struct sw_span rest = cap->params;
        for (struct sw_span word = sw_span_word(&rest); word.len > 0; word = sw_span_word(&rest)) {
            for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
                if (sw_span_starts_nocase(word, sw_span_str(mechanisms[i])))
                    return true;
            }
        }
    }
    return false;
}

static bool announces_tiny_size(const struct sw_hello *hello)
{
    const struct sw_capability *size = sw_capability_find(hello, "SIZE");
    uint64_t limit = 0;
    return size && sw_span_u64(sw_span_trim(size->params), &limit) && limit > 0 &&
           limit < 64 * 1024;
}

/* What the client may have missed, the first hit wins; NONE = nothing. */
static enum sw_cause missed_by_client(const struct sw_case *c, const struct sw_hello *hello)
{
    uint16_t port = c->facts->tuple.dst_port;
    bool submission = port == 587 || port == 465 || port == 2525;
    bool starttls = sw_capability_find(hello, "STARTTLS") != NULL;
    bool auth = sw_capability_find(hello, "AUTH") || sw_capability_find(hello, "AUTH=");
    bool inside_tls = hello->encrypted;
    if (sw_case_painted(c))
        return SW_CAUSE_MBX_ESMTP_MASKED;
    if (hello->command->verb == SMTP_VERB_HELO && (port == 465 || port == 587) &&
        c->session->hellos != hello)
        return SW_CAUSE_HELLO_EHLO_UNSUPPORTED;
    if (submission && inside_tls && !auth)
        return SW_CAUSE_AUTH_NOT_OFFERED;
    if (submission && !inside_tls && !starttls && !auth)
        return SW_CAUSE_STARTTLS_NOT_OFFERED;
    if (submission && !inside_tls && starttls && !auth)
        return SW_CAUSE_AUTH_HIDDEN_UNTIL_TLS;
    if (submission && auth && !offers_password_login(hello))
        return SW_CAUSE_AUTH_MECH_MISMATCH;
    if (announces_tiny_size(hello))
        return SW_CAUSE_MAIL_SIZE_ANNOUNCED;
    if (port == 25 && !inside_tls && !starttls && hello->command->verb == SMTP_VERB_EHLO)
        return SW_CAUSE_STARTTLS_NOT_OFFERED;
    return SW_CAUSE_NONE;
}

static bool left_after_hello(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_session *s = c->session;
    const struct sw_hello *hello = s->hello;
    if (!hello || !sw_reply_is(hello->reply, 2) || asked_for_more_than_hello(s) ||
        c->waiting != SW_WAITING_NOTHING)
        return false;
    if (s->tls == SW_TLS_APPLICATION && !hello->encrypted)
        return false; /* what is offered inside TLS was not asked */
    struct sw_mark end = s->quit ? s->quit->first : c->facts->closed;
    bool by_client = s->quit || c->closed_by_client;
    if (!by_client || end.time_ns - sw_step_last(hello->reply).time_ns > 60 * SW_NS_PER_S)
        return false;
    enum sw_cause missed = missed_by_client(c, hello);
    struct sw_mark earlier = {0};
    if (c->history && missed == SW_CAUSE_NONE)
        earlier = sw_history_has_tried_mail(c->history, &c->facts->tuple);
    bool likely = missed == SW_CAUSE_MBX_ESMTP_MASKED || missed == SW_CAUSE_HELLO_EHLO_UNSUPPORTED;
    if (missed != SW_CAUSE_NONE) {
        *ruling = (struct sw_ruling){
            .cause = missed,
            .outcome = SW_OUTCOME_STUCK,
            .confidence = likely ? SW_CONFIDENCE_LIKELY : SW_CONFIDENCE_POSSIBLE,
            .stage = SW_STAGE_HELLO,
        };
        if (!likely)
            sw_ruling_also(ruling, SW_CAUSE_OK_NO_ATTEMPT, SW_CONFIDENCE_POSSIBLE);
    } else if (earlier.frame) {
        *ruling = (struct sw_ruling){
            .cause = SW_CAUSE_CLIENT_GAVE_UP_AFTER_EHLO,
            .outcome = SW_OUTCOME_STUCK,
            .confidence = SW_CONFIDENCE_POSSIBLE,
            .stage = SW_STAGE_HELLO,
        };
    } else {
        *ruling = no_mail(SW_CAUSE_OK_NO_ATTEMPT, SW_CONFIDENCE_LIKELY, SW_STAGE_HELLO);
    }
    sw_ruling_prove_step(ruling, hello->reply, "what the server offers");
    sw_ruling_prove(ruling, end, SW_ORIGIN_CLIENT, s->quit ? "QUIT" : "the client leaves");
    sw_ruling_prove_beside(ruling, earlier, SW_ORIGIN_CLIENT,
                           "the same client hands over mail in an earlier session");
    return true;
}

/* The furthest point that was reached; the goodbye is none. */
static enum sw_stage furthest(const struct sw_session *session)
{
    const struct sw_step *last = session->last_reply;
    const struct sw_step *s;
    SW_EACH(s, session->steps) {
        if (s->from == SW_SERVER && s->phase != SW_PHASE_QUIT)
            last = s;
    }
    return sw_stage_of_phase(last->phase);
}

/* Everything else that ended without an attempt: odd commands, long pauses, commands that send no
 * mail. */
static bool nothing_asked(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_session *s = c->session;
    bool ended = s->quit || c->facts->closed.frame;
    if (!ended || c->tried_mail || c->any_message_counts || c->waiting != SW_WAITING_NOTHING ||
        !s->last_reply || c->reply_lost)
        return false;
    *ruling = no_mail(SW_CAUSE_OK_NO_ATTEMPT, SW_CONFIDENCE_LIKELY, furthest(s));
    prove_last_words(c, ruling);
    return true;
}

/* A port scanner's question to the server, whatever it was answered. */
bool sw_rule_scanner(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (!c->scanner || c->tried_mail || c->session->auths || !c->server_spoke || c->encrypted)
        return false;
    *ruling = no_mail(SW_CAUSE_OK_NO_ATTEMPT, SW_CONFIDENCE_LIKELY, SW_STAGE_GREETING);
    prove_last_words(c, ruling);
    sw_case_prove_scan(c, ruling);
    return true;
}

bool sw_rule_no_mail(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (c->any_message_counts || c->encrypted || !c->client_seen || !c->server_seen ||
        c->facts->half[SW_CLIENT].gap_bytes + c->facts->half[SW_CLIENT].truncated_bytes > 0 ||
        c->facts->midstream)
        return false; /* what is not in the capture may have been an attempt */
    return address_check(c, ruling) || login_test(c, ruling) || probe(c, ruling) ||
           left_after_hello(c, ruling) || nothing_asked(c, ruling);
}

/* How far the client got, as far as it can be seen. */
static const struct sw_step *last_but_quit(const struct sw_session *session)
{
    const struct sw_step *last = NULL;
    const struct sw_step *s;
    SW_EACH(s, session->steps) {
        if (s->verb != SMTP_VERB_QUIT)
            last = s;
    }
    return last;
}

bool sw_rule_unknown(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_flow_facts *f = c->facts;
    bool answer_unseen =
        !c->server_seen && (f->half[SW_CLIENT].packets > f->syn_count || f->midstream);
    bool one_sided = !c->client_seen || answer_unseen;
    bool silent_side =
        (c->facts->midstream || c->client_spoke) && !one_sided &&
        (!c->server_spoke && c->facts->half[SW_CLIENT].acked_bytes > 0 && c->reply_lost);
    const struct sw_half_facts *server = &f->half[SW_SERVER];
    bool listening = f->closed_by == SW_CLIENT && !c->reset && c->waiting == SW_WAITING_REPLY &&
                     !server->fin.frame && !server->rst.frame; /* RFC 9293 3.6: half-closed */
    bool in_progress = !one_sided && c->complete_start && !c->reply_lost &&
                       (f->closed_by < 0 || listening) &&
                       !f->limit_hit; /* else it was given up, and may have gone on */
    enum sw_cause cause = one_sided     ? SW_CAUSE_UNK_ONE_SIDED
                          : silent_side ? SW_CAUSE_UNK_INCOMPLETE
                          : in_progress ? SW_CAUSE_UNK_IN_PROGRESS
                                        : SW_CAUSE_UNK_INCOMPLETE;
    /* An answer that was not seen comes before what followed it; a goodbye is no progress. */
    const struct sw_step *reached =
        one_sided || c->reply_lost ? last_but_quit(c->session) : c->pending;
    enum sw_stage stage = reached                         ? sw_stage_of_phase(reached->phase)
                          : c->waiting == SW_WAITING_BODY ? SW_STAGE_BODY
                          : c->session->last_reply
                              ? sw_stage_of_phase(c->session->last_reply->phase)
                          : c->established ? SW_STAGE_GREETING
                                           : SW_STAGE_CONNECT;
    *ruling = (struct sw_ruling){
        .cause = cause,
        .outcome = SW_OUTCOME_UNKNOWN,
        .confidence = SW_CONFIDENCE_CERTAIN,
        .stage = stage,
    };
    if (c->session->last_command)
        sw_ruling_prove_step(ruling, c->session->last_command, "last command seen");
    if (c->session->last_reply)
        sw_ruling_prove_step(ruling, c->session->last_reply, "last reply seen");
    sw_ruling_prove(ruling, c->facts->last, SW_ORIGIN_NETWORK, "last packet of the connection");
    return true;
}
