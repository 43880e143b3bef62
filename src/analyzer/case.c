/*
 * case.c - works out what the rules ask about: who waited for whom, for how long, and who ended it.
 */
#include "analyzer/case.h"

enum sw_stage sw_stage_of_phase(enum sw_phase phase)
{
    switch (phase) {
    case SW_PHASE_CONNECT:
        return SW_STAGE_CONNECT;
    case SW_PHASE_GREETING:
        return SW_STAGE_GREETING;
    case SW_PHASE_HELLO:
        return SW_STAGE_HELLO;
    case SW_PHASE_STARTTLS:
        return SW_STAGE_STARTTLS;
    case SW_PHASE_TLS:
        return SW_STAGE_TLS;
    case SW_PHASE_AUTH:
        return SW_STAGE_AUTH;
    case SW_PHASE_MAIL:
        return SW_STAGE_MAIL;
    case SW_PHASE_RCPT:
        return SW_STAGE_RCPT;
    case SW_PHASE_DATA:
        return SW_STAGE_DATA;
    case SW_PHASE_BODY:
        return SW_STAGE_BODY;
    case SW_PHASE_FINAL:
        return SW_STAGE_FINAL;
    case SW_PHASE_QUIT:
        return SW_STAGE_QUIT;
    }
    return SW_STAGE_CONNECT;
}

enum sw_stage sw_case_waiting_stage(const struct sw_case *c)
{
    if (c->waiting == SW_WAITING_BODY)
        return SW_STAGE_BODY;
    if (c->pending)
        return sw_stage_of_phase(c->pending->phase);
    if (c->waiting == SW_WAITING_GREETING || !c->session->last_reply)
        return SW_STAGE_GREETING;
    return sw_stage_of_phase(c->session->last_reply->phase);
}

static enum sw_reply_stage reply_stage(enum sw_phase phase)
{
    switch (phase) {
    case SW_PHASE_CONNECT:
    case SW_PHASE_GREETING:
        return SW_REPLY_STAGE_GREETING;
    case SW_PHASE_HELLO:
    case SW_PHASE_QUIT:
        return SW_REPLY_STAGE_HELLO;
    case SW_PHASE_STARTTLS:
    case SW_PHASE_TLS:
        return SW_REPLY_STAGE_STARTTLS;
    case SW_PHASE_AUTH:
        return SW_REPLY_STAGE_AUTH;
    case SW_PHASE_MAIL:
        return SW_REPLY_STAGE_MAIL;
    case SW_PHASE_RCPT:
        return SW_REPLY_STAGE_RCPT;
    case SW_PHASE_DATA:
        return SW_REPLY_STAGE_DATA;
    case SW_PHASE_BODY:
    case SW_PHASE_FINAL:
        return SW_REPLY_STAGE_FINAL;
    }
    return SW_REPLY_STAGE_HELLO;
}

bool sw_case_first_is_doubtful(const struct sw_case *c, enum sw_side side)
{
    const struct sw_half_facts *half = &c->facts->half[side];
    bool damaged = half->first_wrong && half->checksums_right;
    return damaged || c->session->first_bytes[side].late;
}

const struct sw_oddity *sw_case_oddity(const struct sw_case *c, enum smtp_anomaly kind)
{
    const struct sw_oddity *o;
    SW_EACH(o, c->session->oddities) {
        if (o->kind == kind)
            return o;
    }
    return NULL;
}

/* What the wire showed of the client's patience, and of what it asked for. */
static void note_requests(const struct sw_case *c, const struct sw_step *reply,
                          struct sw_reply_context *context)
{
    context->client_spoke_early = sw_case_oddity(c, SMTP_ODD_EARLY_TALKER) != NULL;
    context->spoke_after_starttls = sw_case_oddity(c, SMTP_ODD_AFTER_STARTTLS) != NULL;
    struct sw_span ignored;
    const struct sw_step *command = reply->command;
    const struct sw_step *mail =
        command && command->message && command->message->mail ? command->message->mail : command;
    struct sw_span path, params;
    context->wants_utf8 = mail && smtp_path_parse(mail->argument, &path, &params) &&
                          smtp_param_find(params, "SMTPUTF8", &ignored);
    context->mail_accepted = c->known.first_taken > 0 && c->known.first_taken <= reply->first.frame;
}

/* The login that the reply decides, or whose challenge it is. */
static const struct sw_auth *login_of(const struct sw_case *c, const struct sw_step *reply)
{
    if (reply->phase != SW_PHASE_AUTH)
        return NULL;
    const struct sw_auth *auth = sw_known_login_of(&c->known, reply);
    if (auth || reply->code != 334)
        return auth;
    SW_EACH(auth, c->session->auths) {
        if (auth->challenge == reply)
            break;
    }
    return auth;
}

bool sw_case_is_turned_away(const struct sw_case *c, const struct sw_step *reply)
{
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    bool listens =
        c->client_seen && c->complete_start && client->acked_bytes <= c->session->header_bytes;
    return listens && !c->client_spoke && reply != c->session->greeting && reply->code / 100 == 5;
}

/* What was known when the reply came: capabilities before it, logins before it. */
static struct sw_reply_context context_of(const struct sw_case *c, const struct sw_step *reply)
{
    /* A word out of the blue answers nothing; where it fell says little about what it means. */
    bool unasked = (reply->flags & SMTP_FLAG_UNSOLICITED) && !(reply->flags & SMTP_FLAG_GUESSED) &&
                   reply->phase != SW_PHASE_BODY && c->session->greeting != NULL;
    struct sw_reply_context context = {
        .stage = sw_case_is_turned_away(c, reply) ? SW_REPLY_STAGE_GREETING
                 : unasked                        ? SW_REPLY_STAGE_HELLO
                                                  : reply_stage(reply->phase),
        .chunk = reply->verb == SMTP_VERB_BDAT,
        .dialogue_known = true,
        .tls_active = reply->encrypted,
        .inside_text = reply->phase == SW_PHASE_BODY && (reply->flags & SMTP_FLAG_UNSOLICITED),
    };
    const struct sw_known_hello *hello = sw_known_hello_at(&c->known, reply->first.frame);
    if (hello) {
        context.starttls_offered = hello->starttls;
        context.auth_offered = hello->auth;
    }
    uint32_t accepted, rejected;
    sw_known_logins_at(&c->known, reply, &accepted, &rejected);
    context.authenticated = accepted > 0;
    context.failed_logins += rejected;
    const struct sw_auth *auth = login_of(c, reply);
    if (auth) {
        context.auth_oauth = auth->kind == SMTP_MECH_XOAUTH2 || auth->kind == SMTP_MECH_OAUTHBEARER;
        context.auth_cancelled = auth->cancelled;
    }
    note_requests(c, reply, &context);
    return context;
}

void sw_case_read(const struct sw_case *c, const struct sw_step *reply,
                  struct sw_reply_reading *out)
{
    struct sw_last_reading *last = c->last_read;
    if (last->reply != reply) {
        struct sw_reply_context context = context_of(c, reply);
        struct sw_enhanced enhanced = {reply->enhanced.klass, reply->enhanced.subject,
                                       reply->enhanced.detail};
        sw_reply_read(c->kb, reply->code, enhanced, reply->text, &context, &last->reading);
        last->reply = reply;
    }
    *out = last->reading;
}

/* "Timeout exceeded" within the text: the client stood still, thought that it was done, or its line
 * was too slow. */
static enum sw_cause cause_within_text(const struct sw_case *c, const struct sw_step *reply)
{
    if (sw_case_oddity(c, SMTP_ODD_FALSE_END_LAST))
        return SW_CAUSE_DATA_BARE_LF; /* what the client took for the end was none */
    return sw_case_slow_upload(c, reply->message, reply->first) ? SW_CAUSE_DATA_UPLOAD_TOO_SLOW
                                                                : SW_CAUSE_DATA_CLIENT_STALLED;
}

enum sw_cause sw_case_cause_of(const struct sw_case *c, const struct sw_step *reply)
{
    struct sw_reply_reading reading;
    sw_case_read(c, reply, &reading);
    bool timeout = reading.cause == SW_CAUSE_SERVER_IDLE_TIMEOUT ||
                   reading.cause == SW_CAUSE_DATA_CLIENT_STALLED;
    return timeout && reply->phase == SW_PHASE_BODY ? cause_within_text(c, reply) : reading.cause;
}

const struct sw_message_verdict *sw_case_mail_of(const struct sw_case *c,
                                                 const struct sw_step *reply)
{
    const struct sw_message *m = reply->message;
    return m && m->index < c->message_count ? &c->messages[m->index] : NULL;
}

/* Commands that a server may leave unanswered without keeping anybody from sending mail. */
static bool matters(const struct sw_step *command)
{
    return command->from == SW_CLIENT && command->verb != SMTP_VERB_QUIT;
}

/*
 * The client had waited, and said its goodbye, before this command was answered: too late for it.
 * Behind a whole text the answer counts all the same, as the server has the mail.
 */
static bool came_behind_goodbye(const struct sw_session *session, const struct sw_step *s)
{
    const struct sw_step *quit = session->quit;
    if (!quit || !matters(s) || !s->reply || s->phase == SW_PHASE_FINAL || s == quit)
        return false;
    return s->reply->first.time_ns > quit->first.time_ns &&
           quit->first.time_ns - sw_step_last(s).time_ns >= SW_PATIENCE_NS;
}

/*
 * A goodbye that is answered settles what the capture may have lost before it. It does not settle a
 * whole text that the server has and says nothing of, nor a command for which the client had
 * waited.
 */
static bool still_wanted(const struct sw_session *session, const struct sw_step *pending,
                         const struct sw_step *quit)
{
    const struct sw_half_facts *server = &session->facts->half[SW_SERVER];
    if (!pending || server->gap_bytes > 0 || server->truncated_bytes > 0)
        return false;
    return pending->phase == SW_PHASE_FINAL ||
           quit->first.time_ns - sw_step_last(pending).time_ns >= SW_PATIENCE_NS;
}

/* The first command behind the last answered one; replies before it that the capture lost do not
 * matter any more. */
static const struct sw_step *find_pending(const struct sw_session *session)
{
    const struct sw_step *pending = NULL;
    const struct sw_step *s;
    SW_EACH(s, session->steps) {
        if (came_behind_goodbye(session, s))
            return pending ? pending : s;
        bool goodbye = s->from == SW_CLIENT && s->verb == SMTP_VERB_QUIT && s->reply;
        if (goodbye && !still_wanted(session, pending, s))
            pending = NULL;
        if (!matters(s))
            continue;
        if (s->reply)
            pending = NULL;
        else if (!pending)
            pending = s;
    }
    return pending;
}

/* Did the text of a message begin and not end? */
static bool inside_text(const struct sw_message *m)
{
    return m && (m->go_ahead || m->body_seen) && !m->end_of_data && !m->final && !m->abandoned;
}

static struct sw_mark later(struct sw_mark a, struct sw_mark b)
{
    return b.frame && (!a.frame || b.time_ns > a.time_ns) ? b : a;
}

/* The greeting began, and its last line never came: the client has to wait for that (RFC 5321
 * 4.2.1). */
static bool greeting_unfinished(const struct sw_case *c)
{
    const struct sw_step *greeting = c->session->greeting;
    return greeting && (greeting->flags & SMTP_FLAG_CUT) && c->session->last_reply == greeting &&
           !c->client_spoke && !c->reply_lost && c->facts->closed_by != SW_SERVER;
}

/* What the client was waiting for when the dialogue ended, and since when. */
static void find_waiting(struct sw_case *c)
{
    const struct sw_session *s = c->session;
    const struct sw_message *m = s->message;
    c->pending = c->survey.unanswered ? find_pending(s) : NULL;
    if (!c->server_spoke || greeting_unfinished(c)) {
        c->waiting = SW_WAITING_GREETING;
        c->wait_begin = s->greeting                   ? s->greeting->first
                        : c->facts->established.frame ? c->facts->established
                                                      : c->facts->first;
        if (c->pending && sw_step_last(c->pending).time_ns > c->wait_begin.time_ns)
            c->pending = NULL; /* the greeting is what is missing; early words change nothing */
    } else if (c->pending) {
        c->waiting = SW_WAITING_REPLY;
        c->wait_begin = sw_step_last(c->pending);
    } else if (inside_text(m)) {
        c->waiting = SW_WAITING_BODY;
        c->wait_begin = m->body_seen ? m->body_last : sw_step_last(m->go_ahead);
    } else {
        c->waiting = SW_WAITING_NOTHING;
        c->wait_begin = s->last_reply ? sw_step_last(s->last_reply) : c->facts->last;
        if (s->last_command)
            c->wait_begin = later(c->wait_begin, sw_step_last(s->last_command));
    }
}

/*
 * Is this QUIT the end of the client's patience? One that was sent along with the command, or at
 * once while the client then kept the connection, is none: it went on waiting for the answers.
 */
static bool ends_waiting(const struct sw_case *c, const struct sw_step *quit)
{
    bool pipelined = quit->first.frame == c->wait_begin.frame;
    bool at_once = quit->first.time_ns - c->wait_begin.time_ns < SW_PATIENCE_NS;
    return !pipelined && !(at_once && c->facts->closed.frame);
}

/* Who says goodbye inside TLS has left; the other side may be the first to close the connection
 * then. What says only that the same side closes, as the FIN does, tells nothing new. */
static const struct sw_tls_alert *left_inside(const struct sw_case *c)
{
    const struct sw_tls *tls = c->session->tls_facts;
    const struct sw_flow_facts *f = c->facts;
    const struct sw_tls_alert *goodbye = tls && tls->decrypted ? sw_tls_goodbye(tls) : NULL;
    if (!goodbye || f->closed_by < 0 || goodbye->mark.frame >= f->closed.frame)
        return NULL;
    bool same_side = goodbye->from == (enum sw_side)f->closed_by;
    return same_side && !tls_alert_is_error(goodbye->description) ? NULL : goodbye;
}

/* How the waiting ended: the client's QUIT, FIN or RST, the server's close, or not at all. */
static void find_end(struct sw_case *c)
{
    const struct sw_flow_facts *f = c->facts;
    c->goodbye = left_inside(c);
    struct sw_mark close = c->goodbye ? c->goodbye->mark : f->closed;
    int closed_by = c->goodbye ? (int)c->goodbye->from : f->closed_by;
    c->closed_by_client = closed_by == SW_CLIENT;
    c->closed_by_server = closed_by == SW_SERVER;
    c->reset =
        !c->goodbye &&
        (f->close == SW_CLOSE_RST ||
         (f->closed_by >= 0 && f->half[f->closed_by].rst.frame == close.frame && close.frame));
    if (c->closed_by_client)
        c->gave_up = close;
    const struct sw_step *quit = c->session->quit;
    bool quit_after = quit && quit->first.time_ns >= c->wait_begin.time_ns && quit != c->pending &&
                      c->waiting != SW_WAITING_NOTHING;
    if (quit_after && ends_waiting(c, quit) &&
        (!c->gave_up.frame || quit->first.time_ns < c->gave_up.time_ns))
        c->gave_up = quit->first;
    c->orderly_quit = quit && c->waiting == SW_WAITING_NOTHING;
    int64_t until = c->session->final.time_ns;
    if (c->gave_up.frame)
        until = c->gave_up.time_ns;
    else if (close.frame)
        until = close.time_ns;
    c->waited_ns = until > c->wait_begin.time_ns ? until - c->wait_begin.time_ns : 0;
}

/* Is there a mail whose answer did not come, though others came behind it? */
static bool text_unanswered(const struct sw_session *session)
{
    const struct sw_step *text = NULL;
    const struct sw_step *s;
    SW_EACH(s, session->steps) {
        bool of_text =
            s->phase == SW_PHASE_DATA || s->phase == SW_PHASE_BODY || s->phase == SW_PHASE_FINAL;
        if (s->from == SW_CLIENT && of_text && !s->reply)
            text = s;
        else if (s->from == SW_SERVER && text)
            return true;
    }
    return false;
}

void sw_case_open(struct sw_case *c, struct sw_session *session, const struct sw_reply_kb *kb,
                  const struct sw_history *history, struct sw_last_reading *last_read)
{
    const struct sw_flow_facts *f = session->facts;
    last_read->reply = NULL;
    *c = (struct sw_case){
        .session = session,
        .facts = f,
        .arena = &session->arena,
        .kb = kb,
        .history = history,
        .last_read = last_read,
    };
    c->client_seen = f->half[SW_CLIENT].packets > 0;
    c->server_seen = f->half[SW_SERVER].packets > 0;
    const struct sw_first_bytes *first = &session->first_bytes[SW_CLIENT];
    bool beyond_syn = first->len > 0 && first->mark.frame != f->syn.frame;
    c->established = f->established.frame != 0 || beyond_syn ||
                     session->first_bytes[SW_SERVER].len > 0 ||
                     (f->midstream && c->client_seen && c->server_seen && !f->refused);
    c->server_spoke = f->half[SW_SERVER].bytes > 0;
    c->client_spoke = f->half[SW_CLIENT].bytes > session->header_bytes;
    c->encrypted = session->tls != SW_TLS_NONE && session->tls != SW_TLS_CLEAR &&
                   session->tls != SW_TLS_STARTTLS_ACCEPTED &&
                   !(session->tls_facts && session->tls_facts->decrypted);
    c->complete_start = !f->midstream;
    c->reply_lost = f->half[SW_SERVER].gap_bytes > 0 || f->half[SW_SERVER].truncated_bytes > 0 ||
                    f->conflicts > 0 ||
                    (session->tls_facts && session->tls_facts->closed[SW_SERVER] > 0);
    c->capped = session->steps_left_out > 0 || session->arena.exhausted;
    c->reply_lost = c->reply_lost || c->capped;
    bool only_gaps = f->conflicts == 0 && !c->capped && !session->tls_facts;
    c->answer_lost = c->reply_lost && (!only_gaps || text_unanswered(session) ||
                                       session->answer_missing || !session->last_reply);
    sw_survey_make(&c->survey, session);
    c->tried_mail = c->survey.first_mail != NULL;
    if (c->tried_mail)
        c->first_mail = c->survey.first_mail->first;
    c->scanner =
        !session->lookup && history && sw_history_is_scan(history, &f->tuple, f->first.time_ns);
    sw_known_fill(&c->known, session, c->arena);
    find_waiting(c);
    find_end(c);
    sw_case_judge_messages(c);
}

bool sw_case_offers_are_known(const struct sw_case *c)
{
    const struct sw_hello *hello = c->session->hello;
    if (!hello || !hello->reply)
        return !c->reply_lost && c->complete_start;
    return !(hello->reply->flags & (SMTP_FLAG_CUT | SMTP_FLAG_GUESSED));
}

static void prove(struct sw_ruling *ruling, const struct sw_evidence *proof)
{
    for (int i = 0; i < SW_PROOFS && proof->mark.frame; i++) {
        struct sw_evidence *e = &ruling->evidence[i];
        if (e->mark.frame == proof->mark.frame && e->from == proof->from)
            return; /* two things of one frame: the first says enough */
        if (e->mark.frame)
            continue;
        *e = *proof;
        return;
    }
}

void sw_ruling_prove(struct sw_ruling *ruling, struct sw_mark mark, enum sw_origin from,
                     const char *what)
{
    prove(ruling, &(struct sw_evidence){.mark = mark, .from = from, .what = what});
}

void sw_ruling_prove_step(struct sw_ruling *ruling, const struct sw_step *step, const char *what)
{
    bool client = step->from == SW_CLIENT;
    prove(ruling, &(struct sw_evidence){.mark = client ? sw_step_last(step) : step->first,
                                        .step = step,
                                        .from = client ? SW_ORIGIN_CLIENT : SW_ORIGIN_SERVER,
                                        .what = what});
}

void sw_ruling_prove_beside(struct sw_ruling *ruling, struct sw_mark mark, enum sw_origin from,
                            const char *what)
{
    prove(ruling,
          &(struct sw_evidence){.mark = mark, .from = from, .what = what, .elsewhere = true});
}

static void prove_goodbye(const struct sw_case *c, struct sw_ruling *ruling)
{
    const char *name = tls_alert_name(c->goodbye->description);
    const char *what =
        name ? sw_arena_printf(c->arena, "ends the encrypted connection (alert %s)", name) : NULL;
    sw_ruling_prove(ruling, c->goodbye->mark,
                    c->goodbye->from == SW_SERVER ? SW_ORIGIN_SERVER : SW_ORIGIN_CLIENT,
                    what ? what : "ends the encrypted connection");
}

void sw_case_prove_close(const struct sw_case *c, struct sw_ruling *ruling)
{
    bool by_server = c->facts->closed_by == SW_SERVER;
    enum sw_origin closer = by_server ? SW_ORIGIN_SERVER : SW_ORIGIN_CLIENT;
    enum sw_origin other = by_server ? SW_ORIGIN_CLIENT : SW_ORIGIN_SERVER;
    if (!c->facts->closed.frame)
        return;
    if (c->goodbye)
        prove_goodbye(c, ruling);
    else if (c->reset)
        sw_ruling_prove(ruling, c->facts->closed, closer, "connection cut (RST)");
    else if (sw_case_close_is_unseen(c))
        sw_ruling_prove(ruling, c->facts->closed, other,
                        "confirms that the other side closed (its FIN is not in the capture)");
    else
        sw_ruling_prove(ruling, c->facts->closed, closer, "connection closed (FIN)");
}

void sw_case_prove_scan(const struct sw_case *c, struct sw_ruling *ruling)
{
    struct sw_mark others[SW_SCAN_OTHERS];
    sw_history_scanned(c->history, &c->facts->tuple, c->facts->first.time_ns, others);
    for (int i = 0; i < SW_SCAN_OTHERS; i++)
        sw_ruling_prove_beside(ruling, others[i], SW_ORIGIN_CLIENT,
                               "connection request to another port or host");
}

void sw_ruling_also_first(struct sw_ruling *ruling, enum sw_cause cause,
                          enum sw_confidence confidence)
{
    for (int i = 3; i > 0; i--) {
        ruling->also[i] = ruling->also[i - 1];
        ruling->also_confidence[i] = ruling->also_confidence[i - 1];
    }
    ruling->also[0] = cause;
    ruling->also_confidence[0] = confidence;
}

void sw_ruling_also(struct sw_ruling *ruling, enum sw_cause cause, enum sw_confidence confidence)
{
    for (int i = 0; i < 4; i++) {
        if (ruling->also[i] == cause || cause == ruling->cause)
            return;
        if (ruling->also[i] == SW_CAUSE_NONE) {
            ruling->also[i] = cause;
            ruling->also_confidence[i] = confidence;
            return;
        }
    }
}
