/*
 * text_detail.c - what -v adds to a session: the whole explanation, the dialogue, the mails, TCP
 * and the capture.
 */
#include "report/text.h"

#include "analyzer/client_code.h"

#include <inttypes.h>
#include <stdio.h>

static void put_advice(struct sw_text_session *s)
{
    struct sw_writer list;
    sw_writer_open_memory(&list);
    int step = 1;
    for (const char *const *advice = s->verdict->advice; advice && *advice; advice++) {
        sw_writer_format(&list, "%s%d. ", step > 1 ? "\n" : "", step);
        sw_writer_text(&list, *advice);
        step++;
    }
    if (list.used > 0)
        sw_page_paragraph(s->page, SW_TEXT_INDENT, "advice", SW_TEXT_LABEL, SW_TONE_PLAIN,
                          sw_writer_span(&list));
    sw_writer_release(&list);
}

static void put_client_codes(struct sw_text_session *s)
{
    struct sw_writer list;
    sw_writer_open_memory(&list);
    const struct sw_client_code *code = NULL;
    const char *client = "";
    while (s->verdict->has_client_codes && (code = sw_client_code_next(s->verdict->cause, code))) {
        const char *program = sw_client_code_program(code);
        bool same = strcmp(client, program) == 0; /* rows of one program stand together */
        if (same)
            sw_writer_text(&list, ", ");
        else
            sw_writer_format(&list, "%s%s: ", list.used ? "\n" : "", program);
        sw_writer_text(&list, code->code);
        client = program;
    }
    if (list.used > 0)
        sw_page_paragraph(s->page, SW_TEXT_INDENT, "shows as", SW_TEXT_LABEL, SW_TONE_PLAIN,
                          sw_writer_span(&list));
    sw_writer_release(&list);
}

static void put_also(struct sw_text_session *s)
{
    struct sw_writer list;
    const struct sw_also *also;
    sw_writer_open_memory(&list);
    SW_EACH(also, s->verdict->also)
        sw_writer_format(&list, "%s%s (%s)", list.used ? ", " : "", sw_cause_name(also->cause),
                         sw_confidence_name(also->confidence));
    if (list.used > 0)
        sw_page_paragraph(s->page, SW_TEXT_INDENT, "also", SW_TEXT_LABEL, SW_TONE_PLAIN,
                          sw_writer_span(&list));
    sw_writer_release(&list);
}

static void put_recipient(struct sw_writer *list, const struct sw_recipient_verdict *rv)
{
    sw_writer_text(list, "\n  to <");
    sw_writer_put(list, rv->recipient->address);
    sw_writer_format(list, ">: %s", sw_outcome_name(rv->outcome));
    if (rv->cause != SW_CAUSE_NONE)
        sw_writer_format(list, ", %s", sw_cause_name(rv->cause));
    if (!rv->reply)
        return;
    sw_writer_text(list, ": ");
    sw_view_reply(rv->reply, false, list);
}

/* All of a few recipients; of many the first that were accepted and the first that were not. */
static void put_recipients(struct sw_writer *list, const struct sw_message_verdict *mv)
{
    enum { ALL_OF = 12, FIRST = 5 };
    uint32_t shown[SW_OUTCOME_COUNT] = {0};
    uint32_t left[SW_OUTCOME_COUNT] = {0};
    uint32_t more = 0;
    for (uint32_t i = 0; i < mv->recipient_count; i++) {
        enum sw_outcome outcome = mv->recipients[i].outcome;
        if (mv->recipient_count <= ALL_OF || shown[outcome] < FIRST) {
            put_recipient(list, &mv->recipients[i]);
            shown[outcome]++;
        } else {
            left[outcome]++;
            more++;
        }
    }
    if (more == 0)
        return;
    sw_writer_format(list, "\n  and %" PRIu32 " more:", more);
    bool first = true;
    for (int i = 0; i < SW_OUTCOME_COUNT; i++) {
        if (left[i] == 0)
            continue;
        sw_writer_format(list, "%s %" PRIu32 " %s", first ? "" : ",", left[i],
                         sw_outcome_name((enum sw_outcome)i));
        first = false;
    }
    sw_writer_text(list, " (-o json has all)");
}

/* What the mail says of itself. */
static void put_header(struct sw_text_session *s, const struct sw_message *m,
                       struct sw_writer *list)
{
    if (m->subject.len > 0 && !s->part->veil.on) {
        sw_writer_text(list, "\n  subject: ");
        sw_writer_put(list, m->subject);
    }
    if (m->message_id.len > 0) {
        sw_writer_text(list, "\n  message id: ");
        sw_writer_put(list, m->message_id);
    }
}

static void put_upload(struct sw_writer *list, const struct sw_message *m)
{
    sw_writer_format(list, ", %" PRIu64 " octets sent", m->body_octets);
    if (sw_view_upload(m) < SW_NS_PER_S)
        return;
    char text[SW_VIEW_DURATION_BYTES];
    sw_view_duration(sw_view_upload(m), text);
    sw_writer_format(list, " in %s", text);
}

static void put_mails(struct sw_text_session *s)
{
    for (uint32_t i = 0; i < s->verdict->message_count; i++) {
        const struct sw_message_verdict *mv = &s->verdict->messages[i];
        const struct sw_message *m = mv->message;
        struct sw_writer list;
        sw_writer_open_memory(&list);
        sw_writer_text(&list, "from ");
        if (m->mail) {
            sw_writer_char(&list, '<');
            sw_writer_put(&list, m->sender);
            sw_writer_char(&list, '>');
        } else {
            sw_writer_text(&list, "(not in the capture)");
        }
        if (m->has_size)
            sw_writer_format(&list, ", %" PRIu64 " octets announced", m->size_declared);
        if (m->body_seen)
            put_upload(&list, m);
        sw_writer_format(&list, ": %s", sw_outcome_name(mv->outcome));
        put_header(s, m, &list);
        put_recipients(&list, mv);
        sw_text_item(s, "mail", SW_TONE_PLAIN, sw_writer_span(&list));
        sw_writer_release(&list);
    }
}

static void put_certificate(struct sw_text_session *s, const struct sw_certificate *c)
{
    struct sw_writer list;
    if (!c->read)
        return;
    sw_writer_open_memory(&list);
    sw_writer_put(&list, c->subject);
    sw_writer_text(&list, ", issued by ");
    sw_writer_put(&list, c->issuer);
    sw_writer_format(&list, ", %s to %s", c->not_before, c->not_after);
    for (unsigned i = 0; i < SW_CERTIFICATE_PROBLEMS; i++) {
        if (c->problems & (1u << i))
            sw_writer_format(&list, ", %s",
                             sw_certificate_problem_name((enum sw_certificate_problem)i));
    }
    sw_text_item(s, "certified", c->problems ? SW_TONE_WARN : SW_TONE_PLAIN, sw_writer_span(&list));
    sw_writer_release(&list);
}

static void put_tls(struct sw_text_session *s)
{
    const struct sw_tls *tls = s->session->tls_facts;
    if (!tls)
        return;
    const char *version = tls_version_name(tls->version);
    const char *cipher = tls_cipher_name(tls->cipher);
    struct sw_writer list;
    sw_writer_open_memory(&list);
    if (tls->server_hello.frame)
        sw_writer_format(&list, "%s with %s%s", version ? version : "a version without a name",
                         cipher ? cipher : "a cipher without a name",
                         sw_tls_is_resumed(tls) ? ", resumed" : "");
    else
        sw_writer_text(&list, "no ServerHello seen");
    if (tls->sni.len > 0) {
        sw_writer_text(&list, ", for ");
        sw_writer_put(&list, tls->sni);
    }
    if (tls->ja4[0])
        sw_writer_format(&list, ", client %s", tls->ja4);
    sw_text_item(s, "tls", SW_TONE_PLAIN, sw_writer_span(&list));
    sw_writer_release(&list);
    const struct sw_certificate *c;
    SW_EACH(c, tls->certificates)
        put_certificate(s, c);
}

static void put_logins(struct sw_text_session *s)
{
    const struct sw_auth *auth;
    SW_EACH(auth, s->session->auths) {
        struct sw_writer list;
        sw_writer_open_memory(&list);
        sw_writer_put(&list, auth->mechanism);
        if (auth->user.len > 0) {
            sw_writer_text(&list, " as ");
            sw_writer_put(&list, sw_veil_name(&s->part->veil, auth->user));
        }
        if (auth->computer.len > 0) {
            sw_writer_text(&list, " on ");
            sw_writer_put(&list, sw_veil_name(&s->part->veil, auth->computer));
        }
        sw_writer_format(&list, ": %s%s", sw_view_auth_name(auth->result),
                         auth->encrypted ? "" : ", not encrypted");
        sw_page_paragraph(s->page, SW_TEXT_INDENT, "login", SW_TEXT_LABEL, SW_TONE_PLAIN,
                          sw_writer_span(&list));
        sw_writer_release(&list);
    }
}

static void add_duration(struct sw_writer *list, const char *what, int64_t duration_ns)
{
    char text[SW_VIEW_DURATION_BYTES];
    if (duration_ns == SW_TIME_NONE)
        return;
    sw_view_duration(duration_ns, text);
    sw_writer_format(list, "%s%s %s", list->used ? ", " : "", what, text);
}

/* How often the client asked for the connection: repetitions come at growing distances. */
static void put_syns(struct sw_writer *list, const struct sw_flow_facts *f)
{
    uint32_t told = f->syn_count < SW_FLOW_SYN_TIMES ? f->syn_count : SW_FLOW_SYN_TIMES;
    sw_writer_format(list, "%u SYN%s", f->syn_count, f->syn_count == 1 ? "" : "s");
    for (uint32_t i = 1; i < told; i++) {
        char text[SW_VIEW_DURATION_BYTES];
        sw_view_duration(f->syn_ns[i] - f->syn_ns[i - 1], text);
        sw_writer_format(list, "%s%s", i == 1 ? " (" : ", ", text);
    }
    if (told > 1)
        sw_writer_text(list, told < f->syn_count ? ", ... apart)" : " apart)");
}

/* A request for a connection that came to nothing. */
static void put_attempt(struct sw_text_session *s, const struct sw_flow_facts *f,
                        struct sw_writer *list)
{
    sw_writer_text(list, "never connected, ");
    put_syns(list, f);
    if (f->last.frame != f->first.frame)
        add_duration(list, "in all", f->last.time_ns - f->first.time_ns);
    if (f->refused)
        sw_writer_text(list, ", refused (rst)");
    else if (f->close == SW_CLOSE_ICMP)
        sw_writer_text(list, ", refused by the network (icmp)");
    else if (f->close == SW_CLOSE_TIMEOUT)
        sw_writer_text(list, ", given up");
    sw_text_item(s, "tcp", SW_TONE_PLAIN, sw_writer_span(list));
}

static void put_tcp(struct sw_text_session *s)
{
    const struct sw_flow_facts *f = s->session->facts;
    const char *closed_by = sw_view_closed_by(f);
    struct sw_writer list;
    if (s->session->lookup)
        return;
    sw_writer_open_memory(&list);
    if (f->syn.frame && !f->syn_ack.frame && !f->established.frame) {
        put_attempt(s, f, &list);
        sw_writer_release(&list);
        return;
    }
    add_duration(&list, "handshake", sw_view_handshake_rtt(f));
    add_duration(&list, "greeting after", sw_view_delay(s->session, s->session->greeting));
    add_duration(&list, "longest silence", sw_view_longest_silence(s->session));
    add_duration(&list, "in all", f->last.time_ns - f->first.time_ns);
    sw_writer_format(&list, "\n%" PRIu64 " bytes from the client, %" PRIu64 " from the server",
                     f->half[SW_CLIENT].bytes, f->half[SW_SERVER].bytes);
    uint64_t again = f->half[SW_CLIENT].retransmissions + f->half[SW_SERVER].retransmissions;
    if (again > 0)
        sw_writer_format(&list, ", %" PRIu64 " retransmitted", again);
    if (f->syn_count > 1) {
        sw_writer_text(&list, ", ");
        put_syns(&list, f);
    }
    if (closed_by)
        sw_writer_format(&list, ", closed by the %s (%s)", closed_by, sw_view_close_name(f->close));
    else
        sw_writer_text(&list,
                       f->close == SW_CLOSE_TIMEOUT ? ", never closed (given up)" : ", not closed");
    sw_text_item(s, "tcp", SW_TONE_PLAIN, sw_writer_span(&list));
    sw_writer_release(&list);
}

static void put_quality(struct sw_text_session *s)
{
    struct sw_writer list;
    sw_writer_open_memory(&list);
    for (int i = 0; i < SW_QUALITY_COUNT; i++) {
        if (s->verdict->quality[i] > 0)
            sw_writer_format(&list, "%s%s %" PRIu64, list.used ? ", " : "",
                             sw_quality_name((enum sw_quality)i), s->verdict->quality[i]);
    }
    if (list.used == 0)
        sw_writer_text(&list, "complete");
    sw_page_paragraph(s->page, SW_TEXT_INDENT, "capture", SW_TEXT_LABEL, SW_TONE_PLAIN,
                      sw_writer_span(&list));
    sw_writer_clear(&list);
    sw_view_filter(s->session, &s->part->veil, &list);
    sw_page_paragraph(s->page, SW_TEXT_INDENT, "wireshark", SW_TEXT_LABEL, SW_TONE_PLAIN,
                      sw_writer_span(&list));
    sw_writer_release(&list);
}

static void put_findings(struct sw_text_session *s)
{
    const struct sw_finding *f;
    SW_EACH(f, s->verdict->findings) {
        struct sw_writer list;
        sw_writer_open_memory(&list);
        sw_writer_format(&list, "%s (%s): ", sw_finding_info(f->id)->id,
                         sw_severity_name(f->severity));
        sw_writer_text(&list, f->summary);
        if (f->frame) {
            sw_writer_text(&list, " (");
            sw_view_frame(s->session, f->frame, &list);
            sw_writer_char(&list, ')');
        }
        sw_text_item(s, "finding", SW_TONE_PLAIN, sw_writer_span(&list));
        sw_writer_release(&list);
    }
}

void sw_text_detail(struct sw_text_session *s)
{
    const struct sw_cause_wording *wording = sw_cause_wording(s->verdict->cause);
    if (s->verdict->explanation && s->verdict->explanation[0])
        sw_text_item(s, "seen", SW_TONE_PLAIN, sw_span_str(s->verdict->explanation));
    put_advice(s);
    put_client_codes(s);
    put_also(s);
    if (wording->references && wording->references[0])
        sw_page_paragraph(s->page, SW_TEXT_INDENT, "references", SW_TEXT_LABEL, SW_TONE_PLAIN,
                          sw_span_str(wording->references));
    put_mails(s);
    put_tls(s);
    put_logins(s);
    put_findings(s);
    put_tcp(s);
    put_quality(s);
    sw_text_dialogue(s);
}
