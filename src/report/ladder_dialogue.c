/*
 * ladder_dialogue.c - rungs of what was said, the silences between, and where the verdict's
 * evidence stands.
 */
#include "report/ladder_build.h"

#include "base/base64.h"

static enum sw_stage stage_of(enum sw_phase phase)
{
    static const enum sw_stage stages[] = {
        [SW_PHASE_CONNECT] = SW_STAGE_CONNECT, [SW_PHASE_GREETING] = SW_STAGE_GREETING,
        [SW_PHASE_HELLO] = SW_STAGE_HELLO,     [SW_PHASE_STARTTLS] = SW_STAGE_STARTTLS,
        [SW_PHASE_TLS] = SW_STAGE_TLS,         [SW_PHASE_AUTH] = SW_STAGE_AUTH,
        [SW_PHASE_MAIL] = SW_STAGE_MAIL,       [SW_PHASE_RCPT] = SW_STAGE_RCPT,
        [SW_PHASE_DATA] = SW_STAGE_DATA,       [SW_PHASE_BODY] = SW_STAGE_BODY,
        [SW_PHASE_FINAL] = SW_STAGE_FINAL,     [SW_PHASE_QUIT] = SW_STAGE_QUIT,
    };
    return stages[phase];
}

static enum sw_rung_mood mood_of(const struct sw_step *step)
{
    if (step->from == SW_CLIENT || step->code < 400)
        return SW_RUNG_PLAIN;
    return step->code < 500 ? SW_RUNG_ODD : SW_RUNG_BAD;
}

static void text_of_mail(struct sw_ladder_maker *m, const struct sw_message *message,
                         bool encrypted)
{
    char pause[SW_VIEW_DURATION_BYTES];
    struct sw_rung *rung = sw_ladder_add(m, SW_RUNG_TEXT, SW_ORIGIN_CLIENT, message->body_first,
                                         encrypted ? SW_RANK_INSIDE : SW_RANK_CLEAR, SW_STAGE_BODY);
    sw_writer_format(&m->text, "the text of the mail, %llu bytes",
                     (unsigned long long)message->body_octets);
    if (message->body_pause_ns >= SW_LADDER_SILENCE_NS) {
        sw_view_duration(message->body_pause_ns, pause);
        sw_writer_format(&m->text, ", longest pause %s", pause);
    }
    if (message->body_missing > 0)
        sw_writer_format(&m->text, ", %llu missing in the capture",
                         (unsigned long long)message->body_missing);
    sw_ladder_say(m, rung);
    if (!rung)
        return;
    if (message->body_last.frame)
        rung->last = message->body_last;
    rung->encrypted = encrypted;
}

/* What a server asks for during a login is encoded (RFC 4954 4): "334 VXNlcm5hbWU6" is hardly a
 * question to a reader. Only what ends in a colon is one; challenges are something else. */
static void say_question(struct sw_ladder_maker *m, const struct sw_step *step)
{
    uint8_t text[32];
    int len = step->code == 334 ? sw_base64_decode(step->text, text, sizeof(text)) : 0;
    if (len <= 0 || (size_t)len == sizeof(text) || text[len - 1] != ':')
        return;
    for (int i = 0; i < len; i++) {
        if (text[i] < ' ' || text[i] > '~')
            return;
    }
    sw_writer_format(&m->text, " (%.*s)", len, (const char *)text);
}

static struct sw_rung *say_step(struct sw_ladder_maker *m, const struct sw_step *step)
{
    bool client = step->from == SW_CLIENT;
    enum sw_rung_kind kind = client ? SW_RUNG_COMMAND : SW_RUNG_REPLY;
    struct sw_rung *rung =
        sw_ladder_add(m, kind, (enum sw_origin)step->from, step->first,
                      step->encrypted ? SW_RANK_INSIDE : SW_RANK_CLEAR, stage_of(step->phase));
    if (client)
        sw_view_command(step, &m->text);
    else
        sw_view_reply(step, true, &m->text);
    if (!client)
        say_question(m, step);
    sw_ladder_say(m, rung);
    if (!rung)
        return NULL;
    rung->step = step;
    rung->last = sw_step_last(step);
    rung->code = step->code;
    rung->mood = mood_of(step);
    rung->encrypted = step->encrypted;
    return rung;
}

/* The text of a mail stands before its end, or where the dialogue breaks off. */
static void steps(struct sw_ladder_maker *m)
{
    const struct sw_step *step;
    const struct sw_message *told = NULL;
    const struct sw_message *message;
    SW_EACH(step, m->session->steps) {
        message = step->message;
        bool ends = step->verb == SMTP_VERB_END_OF_DATA && step->from == SW_CLIENT;
        if (ends && message && message->body_seen && message != told) {
            text_of_mail(m, message, step->encrypted);
            told = message;
        }
        (void)say_step(m, step);
    }
    SW_EACH(message, m->session->messages) {
        const struct sw_step *before = message->go_ahead ? message->go_ahead : message->data;
        if (message->body_seen && !message->end_of_data && before)
            text_of_mail(m, message, before->encrypted);
    }
}

static const char *const content_words[] = {
    [SW_CONTENT_NOTHING] = NULL,
    [SW_CONTENT_SMTP] = NULL,
    [SW_CONTENT_TLS] = NULL,
    [SW_CONTENT_HTTP] = "HTTP (a web program)",
    [SW_CONTENT_SSH] = "SSH",
    [SW_CONTENT_POP3] = "POP3 (for mailboxes)",
    [SW_CONTENT_IMAP] = "IMAP (for mailboxes)",
    [SW_CONTENT_SOCKS] = "SOCKS",
    [SW_CONTENT_PROXY] = "a PROXY header",
    [SW_CONTENT_FTP] = "FTP",
    [SW_CONTENT_TEXT] = "text that is no SMTP",
    [SW_CONTENT_BINARY] = "bytes that are no SMTP",
};

/* Where the dialogue has nothing of a side, its first bytes are told by what they are: they may
 * hold secrets. */
static void other_bytes(struct sw_ladder_maker *m, enum sw_side side)
{
    const struct sw_first_bytes *first = &m->session->first_bytes[side];
    const struct sw_step *step;
    if (!content_words[first->content])
        return;
    SW_EACH(step, m->session->steps) {
        if (step->from == side && step->first.frame == first->mark.frame)
            return;
    }
    struct sw_rung *rung = sw_ladder_add(m, SW_RUNG_OTHER, (enum sw_origin)side, first->mark,
                                         SW_RANK_CLEAR, SW_STAGE_GREETING);
    sw_ladder_say_text(m, rung, content_words[first->content]);
    if (rung && first->content != SW_CONTENT_PROXY)
        rung->mood = SW_RUNG_ODD;
}

void sw_ladder_dialogue(struct sw_ladder_maker *m)
{
    steps(m);
    if (m->session->proxied)
        return; /* they are those of the way through the proxy */
    other_bytes(m, SW_CLIENT);
    other_bytes(m, SW_SERVER);
}

/* Whose turn it is, as the rungs so far show it. */
struct turn {
    enum sw_origin whose;
    uint32_t unanswered; /* commands */
    bool nobody;         /* it is over */
};

static enum sw_origin opposite(enum sw_origin origin)
{
    return origin == SW_ORIGIN_CLIENT ? SW_ORIGIN_SERVER : SW_ORIGIN_CLIENT;
}

static void take_tcp_turn(struct turn *turn, const struct sw_rung *rung,
                          const struct sw_session *session)
{
    enum sw_side side = rung->from == SW_ORIGIN_SERVER ? SW_SERVER : SW_CLIENT;
    const struct sw_half_facts *half = &session->facts->half[side];
    uint64_t frame = rung->first.frame;
    bool handshake = rung->rank == SW_RANK_OPEN;
    if (handshake && !rung->lost) /* behind it the server greets, but on a port for TLS */
        turn->whose = session->implicit_tls_port ? SW_ORIGIN_CLIENT : SW_ORIGIN_SERVER;
    else if (rung->lost || frame == half->fin.frame)
        turn->whose = opposite(rung->from);
    else if (frame == half->zero_window.frame)
        turn->whose = rung->from; /* the other one may not send */
    turn->nobody = turn->nobody || frame == half->rst.frame;
}

static void take_turn(struct turn *turn, const struct sw_rung *rung,
                      const struct sw_session *session)
{
    switch (rung->kind) {
    case SW_RUNG_LOOKUP:
        turn->whose = rung->from == SW_ORIGIN_CLIENT ? SW_ORIGIN_NETWORK : SW_ORIGIN_CLIENT;
        break;
    case SW_RUNG_TCP:
        take_tcp_turn(turn, rung, session);
        break;
    case SW_RUNG_COMMAND:
        turn->unanswered++;
        turn->whose = SW_ORIGIN_SERVER;
        break;
    case SW_RUNG_REPLY:
        turn->unanswered -= turn->unanswered > 0;
        turn->whose = turn->unanswered > 0 ? SW_ORIGIN_SERVER : SW_ORIGIN_CLIENT;
        break;
    case SW_RUNG_TEXT:
        turn->whose = SW_ORIGIN_CLIENT;
        break;
    case SW_RUNG_TLS:
    case SW_RUNG_OTHER:
        turn->whose = opposite(rung->from);
        break;
    case SW_RUNG_ICMP:
        turn->whose = SW_ORIGIN_CLIENT;
        break;
    case SW_RUNG_SILENCE:
    case SW_RUNG_NOTE:
    case SW_RUNG_KINDS:
        break;
    }
}

static void add_silence(struct sw_ladder_maker *m, const struct turn *turn, uint64_t at,
                        int64_t from_ns, int64_t to_ns)
{
    char lasted[SW_VIEW_DURATION_BYTES];
    struct sw_mark mark = {.frame = at ? at : 1, .time_ns = from_ns};
    struct sw_rung *rung =
        sw_ladder_add(m, SW_RUNG_SILENCE, turn->whose, mark, SW_RANK_SILENCE, m->verdict->stage);
    sw_view_duration(to_ns - from_ns, lasted);
    sw_writer_format(&m->text, "nothing for %s", lasted);
    if (!turn->nobody)
        sw_writer_format(&m->text, ", waiting for the %s",
                         turn->whose == SW_ORIGIN_CLIENT   ? "client"
                         : turn->whose == SW_ORIGIN_SERVER ? "server"
                                                           : "network");
    sw_ladder_say(m, rung);
    if (!rung)
        return;
    rung->at = at;
    rung->first.frame = rung->last.frame = 0;
    rung->last.time_ns = to_ns;
    rung->lasted_ns = to_ns - from_ns;
    rung->mood = SW_RUNG_ODD;
}

static void last_silence(struct sw_ladder_maker *m, const struct turn *turn, int64_t end_ns)
{
    const struct sw_flow_facts *f = m->session->facts;
    bool closed = f->close == SW_CLOSE_FIN || f->close == SW_CLOSE_RST;
    int64_t final_ns = m->session->final.frame ? m->session->final.time_ns : f->last.time_ns;
    if (closed || m->session->lookup)
        final_ns = f->last.time_ns;
    if (final_ns - end_ns >= SW_LADDER_SILENCE_NS)
        add_silence(m, turn, UINT64_MAX, end_ns, final_ns);
    if (f->close == SW_CLOSE_OPEN && f->established.frame) {
        sw_writer_text(&m->text, "the capture ends here, the connection is still open");
        sw_ladder_note(m, true, SW_RUNG_PLAIN);
    }
}

void sw_ladder_silences(struct sw_ladder_maker *m)
{
    struct turn turn = {.whose = SW_ORIGIN_SERVER};
    uint32_t count = m->ladder->count; /* silences are added behind these */
    int64_t end_ns = SW_TIME_NONE;
    for (uint32_t i = 0; i < count; i++) {
        struct sw_rung rung = m->ladder->rungs[i];
        if (!rung.first.frame)
            continue;
        if (end_ns != SW_TIME_NONE && rung.first.time_ns - end_ns >= SW_LADDER_SILENCE_NS)
            add_silence(m, &turn, rung.at, end_ns, rung.first.time_ns);
        take_turn(&turn, &rung, m->session);
        end_ns = rung.last.time_ns > end_ns ? rung.last.time_ns : end_ns;
    }
    if (end_ns != SW_TIME_NONE)
        last_silence(m, &turn, end_ns);
}

/* How well a rung fits a piece of evidence: 0 not at all. A frame may hold several lines of the
 * dialogue, and something else besides. */
static int fits(const struct sw_rung *rung, const struct sw_evidence *e)
{
    uint64_t frame = e->mark.frame;
    if (e->step && rung->step == e->step)
        return 6;
    if (!rung->first.frame || frame < rung->first.frame || frame > rung->last.frame)
        return 0;
    bool same = rung->from == e->from;
    bool begins = rung->first.frame == frame;
    if (begins && same)
        return e->step || rung->step ? 4 : 5;
    if (same)
        return rung->last.frame == frame ? 3 : 2;
    return begins ? 1 : 0;
}

static struct sw_rung *rung_of(struct sw_ladder_maker *m, const struct sw_evidence *e)
{
    struct sw_rung *best = NULL;
    int best_fit = 0;
    for (uint32_t i = 0; i < m->ladder->count && !e->elsewhere; i++) {
        struct sw_rung *rung = &m->ladder->rungs[i];
        int fit = fits(rung, e);
        if (fit > best_fit) {
            best = rung;
            best_fit = fit;
        }
    }
    if (best)
        return best;
    best = sw_ladder_add(m, e->elsewhere ? SW_RUNG_NOTE : SW_RUNG_TCP, e->from, e->mark,
                         SW_RANK_BEHIND, m->verdict->stage);
    if (e->elsewhere)
        sw_writer_text(&m->text, "another connection: ");
    sw_writer_text(&m->text, e->what);
    sw_ladder_say(m, best);
    return best;
}

/* A second proof in one rung bears its number, and a frame that is not the rung's first is named.
 */
static void say_proof(struct sw_ladder_maker *m, struct sw_rung *rung, const struct sw_evidence *e,
                      unsigned number)
{
    if (rung->evidence) {
        sw_writer_put(&m->text, rung->proves);
        sw_writer_format(&m->text, "; E%u: ", number);
    }
    if (e->mark.frame != rung->first.frame)
        sw_writer_format(&m->text, "frame %llu, ",
                         (unsigned long long)sw_frame_number(e->mark.frame));
    sw_writer_text(&m->text, e->what);
    rung->proves = sw_ladder_keep(m, sw_writer_span(&m->text));
    sw_writer_clear(&m->text);
    if (!rung->evidence)
        rung->evidence = number;
}

void sw_ladder_evidence(struct sw_ladder_maker *m)
{
    const struct sw_evidence *e;
    unsigned number = 0;
    SW_EACH(e, m->verdict->evidence) {
        number++;
        struct sw_rung *rung = e->mark.frame ? rung_of(m, e) : NULL;
        if (rung)
            say_proof(m, rung, e, number);
    }
}
