/*
 * eve.c - JSON Lines in the envelope of Suricata's EVE, so that what ships and shows EVE takes our
 * events too.
 *
 * For each session: an event `smtp` for each mail (one at least, where SMTP was spoken) and `tls`
 * with Suricata's own keys, and an event `outbox` with the verdict; at the end one `stats`. All
 * events of a session have its flow_id. docs/eve.schema.json describes them.
 */
#include "report/json_writer.h"
#include "report/report.h"
#include "report/view.h"

#include "base/address.h"

#include <stdio.h>
#include <stdlib.h>

struct eve {
    struct sw_json json;
    struct sw_part *part;
    const struct sw_session *session;
    const struct sw_verdict *verdict;
};

/* Wire text through the veil; without a "_hex" sibling, which readers of EVE do not expect. */
static void put_wire(struct eve *eve, const char *key, struct sw_span text)
{
    struct sw_span shown = sw_veil_text(&eve->part->veil, text);
    if (key)
        sw_json_wire_member(&eve->json, sw_span_str(key), shown);
    else
        sw_json_wire(&eve->json, NULL, shown);
}

static void put_some(struct eve *eve, const char *key, struct sw_span text)
{
    if (text.len > 0)
        put_wire(eve, key, text);
}

/* "2023-11-14T22:13:20.123456+0000" */
static void put_time(struct sw_json *json, const char *key, int64_t time_ns)
{
    char text[SW_TIME_TEXT_BYTES];
    size_t len = sw_time_format(time_ns, 6, text);
    (void)snprintf(text + len - 1, sizeof(text) - len + 1, "+0000"); /* in place of the Z */
    sw_json_text(json, key, text);
}

/* Readers take numbers as doubles: 52 bits of the session's id. */
static uint64_t flow_id(struct eve *eve)
{
    char id[17];
    sw_veil_id(&eve->part->veil, eve->session->id, id);
    return strtoull(id, NULL, 16) & ((UINT64_C(1) << 52) - 1);
}

static const char *protocol_of(const struct sw_session *session)
{
    if (!session->lookup)
        return "TCP";
    return session->lookup->end == SW_LOOKUP_NEIGHBOUR ? "ARP" : "UDP";
}

static const char *application_of(const struct eve *eve)
{
    if (eve->session->lookup)
        return eve->session->lookup->end == SW_LOOKUP_NEIGHBOUR ? "failed" : "dns";
    return strcmp(eve->verdict->protocol, "unknown") == 0 ? "failed" : eve->verdict->protocol;
}

static void put_address(struct eve *eve, const char *key, const uint8_t address[16], int version)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    sw_veil_address(&eve->part->veil, address, version, ip);
    sw_json_text(&eve->json, key, ip);
}

static void put_ends(struct eve *eve)
{
    const struct sw_session *s = eve->session;
    const struct sw_tuple *t = &s->facts->tuple;
    put_address(eve, "src_ip", t->src, t->ip_version);
    if (t->src_port)
        sw_json_number(&eve->json, "src_port", t->src_port);
    if (s->lookup)
        put_address(eve, "dest_ip", s->lookup->resolver, s->lookup->ip_version);
    else
        put_address(eve, "dest_ip", t->dst, t->ip_version);
    if (t->dst_port)
        sw_json_number(&eve->json, "dest_port", t->dst_port);
}

/* The keys that every event has. */
static void begin_event(struct eve *eve, const char *type, struct sw_mark mark)
{
    struct sw_json *json = &eve->json;
    const struct sw_session *s = eve->session;
    const char *file = sw_session_file_of(s, mark.frame);
    sw_json_begin(json, eve->part->out);
    sw_json_object(json, NULL);
    put_time(json, "timestamp", mark.frame ? mark.time_ns : s->facts->first.time_ns);
    sw_json_number(json, "flow_id", flow_id(eve));
    sw_json_wire_member(json, SW_SPAN_LIT("pcap_filename"), sw_view_file(file, &eve->part->veil));
    sw_json_number(json, "pcap_cnt", sw_frame_number(mark.frame));
    sw_json_text(json, "event_type", type);
    put_ends(eve);
    sw_json_text(json, "proto", protocol_of(s));
    sw_json_text(json, "app_proto", application_of(eve));
    if (s->community_id[0] && !eve->part->veil.on)
        sw_json_text(json, "community_id", s->community_id);
}

static void end_event(struct eve *eve)
{
    sw_json_end_object(&eve->json);
    sw_json_end_line(&eve->json);
}

/* "<anna@example.net>", as Suricata writes paths. */
static void put_path(struct eve *eve, const char *key, struct sw_span path)
{
    struct sw_writer bracketed;
    sw_writer_open_memory(&bracketed);
    sw_writer_char(&bracketed, '<');
    sw_writer_put(&bracketed, sw_veil_text(&eve->part->veil, path));
    sw_writer_char(&bracketed, '>');
    if (key)
        sw_json_wire_member(&eve->json, sw_span_str(key), sw_writer_span(&bracketed));
    else
        sw_json_wire(&eve->json, NULL, sw_writer_span(&bracketed));
    sw_writer_release(&bracketed);
}

static void put_smtp(struct eve *eve, const struct sw_message *m)
{
    struct sw_json *json = &eve->json;
    const struct sw_hello *hello = eve->session->hello;
    const struct sw_recipient *r;
    sw_json_object(json, "smtp");
    if (hello && hello->command && hello->command->argument.len > 0)
        sw_json_wire_member(json, SW_SPAN_LIT("helo"),
                            sw_veil_name(&eve->part->veil, hello->command->argument));
    if (m && m->mail)
        put_path(eve, "mail_from", m->sender);
    if (m && m->recipients) {
        sw_json_array(json, "rcpt_to");
        SW_EACH(r, m->recipients)
            put_path(eve, NULL, r->address);
        sw_json_end_array(json);
    }
    sw_json_end_object(json);
}

static void put_email(struct eve *eve, const struct sw_message *m)
{
    struct sw_json *json = &eve->json;
    if (!m || !m->header->seen)
        return;
    sw_json_object(json, "email");
    sw_json_text(json, "status", m->header->cut ? "PARSE_ERROR" : "PARSE_DONE");
    put_some(eve, "from", m->header->from);
    if (!eve->part->veil.on)
        put_some(eve, "subject", m->subject);
    put_some(eve, "date", m->header->date);
    put_some(eve, "message_id", m->message_id);
    put_some(eve, "x_mailer", m->header->mailer);
    sw_json_end_object(json);
}

/* Where a mail was decided, else where it began. */
static struct sw_mark mark_of(const struct sw_message *m)
{
    if (m->final)
        return m->final->first;
    return m->mail ? m->mail->first : m->body_first;
}

static void write_smtp(struct eve *eve)
{
    const struct sw_session *s = eve->session;
    const struct sw_message *m;
    if (!s->messages && s->has_dissector) {
        begin_event(eve, "smtp", s->steps ? s->steps->first : s->facts->first);
        sw_json_number(&eve->json, "tx_id", 0);
        put_smtp(eve, NULL);
        end_event(eve);
    }
    SW_EACH(m, s->messages) {
        begin_event(eve, "smtp", mark_of(m));
        sw_json_number(&eve->json, "tx_id", m->index);
        put_smtp(eve, m);
        put_email(eve, m);
        end_event(eve);
    }
}

/* Suricata's "TLS 1.3", "SSLv3". */
static void put_version(struct sw_json *json, uint16_t version)
{
    const char *name = tls_version_name(version);
    char text[16];
    if (!name)
        return;
    if (strncmp(name, "TLSv", 4) == 0)
        (void)snprintf(text, sizeof(text), "TLS %s", name + 4);
    else
        (void)snprintf(text, sizeof(text), "%s", name);
    sw_json_text(json, "version", text);
}

/* Suricata writes no zone. */
static void put_day(struct sw_json *json, const char *key, const char *time)
{
    char text[24];
    size_t len = strlen(time);
    if (len == 0 || len >= sizeof(text))
        return;
    memcpy(text, time, len + 1);
    if (text[len - 1] == 'Z')
        text[len - 1] = '\0';
    sw_json_text(json, key, text);
}

static void write_tls(struct eve *eve)
{
    const struct sw_tls *tls = eve->session->tls_facts;
    struct sw_json *json = &eve->json;
    if (!tls || !tls->client_hello.frame)
        return;
    const struct sw_certificate *c = tls->certificates;
    begin_event(eve, "tls", tls->server_hello.frame ? tls->server_hello : tls->client_hello);
    sw_json_object(json, "tls");
    if (c && c->read) {
        put_some(eve, "subject", c->subject);
        put_some(eve, "issuerdn", c->issuer);
        put_day(json, "notbefore", c->not_before);
        put_day(json, "notafter", c->not_after);
    }
    if (tls->sni.len > 0)
        sw_json_wire_member(json, SW_SPAN_LIT("sni"), sw_veil_name(&eve->part->veil, tls->sni));
    if (tls->server_hello.frame) {
        put_version(json, tls->version);
        sw_json_bool(json, "session_resumed", sw_tls_is_resumed(tls));
    }
    if (tls->ja3[0]) {
        sw_json_object(json, "ja3");
        sw_json_text(json, "hash", tls->ja3);
        sw_json_end_object(json);
    }
    if (tls->ja4[0])
        sw_json_text(json, "ja4", tls->ja4);
    sw_json_end_object(json);
    end_event(eve);
}

static void put_evidence(struct eve *eve)
{
    struct sw_json *json = &eve->json;
    const struct sw_evidence *e;
    sw_json_array(json, "evidence");
    SW_EACH(e, eve->verdict->evidence) {
        sw_json_object(json, NULL);
        if (eve->session->file_count > 1) {
            const char *file = sw_session_file_of(eve->session, e->mark.frame);
            sw_json_wire_member(json, SW_SPAN_LIT("pcap_filename"),
                                sw_view_file(file, &eve->part->veil));
        }
        sw_json_number(json, "pcap_cnt", sw_frame_number(e->mark.frame));
        sw_json_text(json, "from", sw_origin_name(e->from));
        put_wire(eve, "text", sw_span_str(e->what));
        sw_json_end_object(json);
    }
    sw_json_end_array(json);
}

static void put_remedy(struct eve *eve)
{
    sw_json_array(&eve->json, "remedy");
    for (const char *const *advice = eve->verdict->advice; advice && *advice; advice++)
        put_wire(eve, NULL, sw_span_str(*advice));
    sw_json_end_array(&eve->json);
}

static void put_reply(struct eve *eve)
{
    const struct sw_step *reply = eve->verdict->reply;
    char enhanced[SW_VIEW_ENHANCED_BYTES];
    if (!reply)
        return;
    sw_view_enhanced(reply->enhanced, enhanced);
    if (reply->code)
        sw_json_number(&eve->json, "code", reply->code);
    if (enhanced[0])
        sw_json_text(&eve->json, "enhanced", enhanced);
    put_wire(eve, "reply", reply->text);
}

static void put_outbox(struct eve *eve)
{
    struct sw_json *json = &eve->json;
    const struct sw_verdict *v = eve->verdict;
    const struct sw_finding *f;
    char id[17];
    sw_veil_id(&eve->part->veil, eve->session->id, id);
    sw_json_object(json, "outbox");
    sw_json_number(json, "schema", 1);
    sw_json_text(json, "session", id);
    sw_json_text(json, "outcome", sw_outcome_name(v->outcome));
    sw_json_text(json, "verdict", sw_cause_name(v->cause));
    sw_json_text(json, "stage", sw_stage_name(v->stage));
    sw_json_text(json, "permanence", sw_permanence_name(v->permanence));
    sw_json_text(json, "actor", sw_actor_name(v->actor));
    sw_json_text(json, "confidence", sw_confidence_name(v->confidence));
    if (sw_security_name(v->security))
        sw_json_text(json, "security", sw_security_name(v->security));
    put_reply(eve);
    put_wire(eve, "summary", sw_span_str(v->summary ? v->summary : ""));
    put_wire(eve, "explanation", sw_span_str(v->explanation ? v->explanation : ""));
    put_evidence(eve);
    put_remedy(eve);
    sw_json_array(json, "findings");
    SW_EACH(f, v->findings)
        sw_json_text(json, NULL, sw_finding_info(f->id)->id);
    sw_json_end_array(json);
    sw_json_array(json, "capture_quality");
    for (int i = 0; i < SW_QUALITY_COUNT; i++) {
        if (v->quality[i] > 0)
            sw_json_text(json, NULL, sw_quality_name((enum sw_quality)i));
    }
    sw_json_end_array(json);
    sw_json_end_object(json);
}

static void write_session(struct sw_part *part, const struct sw_session *session,
                          const struct sw_verdict *verdict)
{
    struct eve eve = {.part = part, .session = session, .verdict = verdict};
    write_smtp(&eve);
    write_tls(&eve);
    const struct sw_evidence *proof = verdict->evidence;
    begin_event(&eve, "outbox", proof ? proof->mark : session->facts->last);
    put_outbox(&eve);
    end_event(&eve);
}

static void write_summary(struct sw_part *part, const struct sw_summary *summary)
{
    struct sw_json json;
    sw_json_begin(&json, part->out);
    sw_json_object(&json, NULL);
    put_time(&json, "timestamp", summary->last_ns == SW_TIME_NONE ? 0 : summary->last_ns);
    sw_json_text(&json, "event_type", "stats");
    sw_json_object(&json, "stats");
    sw_json_object(&json, "decoder");
    sw_json_number(&json, "pkts", summary->frames_read);
    sw_json_number(&json, "bytes", summary->bytes);
    sw_json_number(&json, "invalid", summary->frames_undecodable);
    sw_json_end_object(&json);
    sw_json_object(&json, "outbox");
    sw_json_number(&json, "sessions", summary->sessions);
    sw_json_number(&json, "deliveries", summary->deliveries);
    for (int i = 0; i < SW_OUTCOME_COUNT; i++)
        sw_json_number(&json, sw_outcome_name((enum sw_outcome)i), summary->by_outcome[i]);
    sw_json_end_object(&json);
    sw_json_end_object(&json);
    sw_json_end_object(&json);
    sw_json_end_line(&json);
}

extern const struct sw_report_format sw_report_eve;
const struct sw_report_format sw_report_eve = {
    .name = "eve",
    .what = "JSON Lines in the envelope of Suricata's EVE: events smtp, tls, outbox, stats",
    .sums_up = true,
    .session = write_session,
    .summary = write_summary,
};
