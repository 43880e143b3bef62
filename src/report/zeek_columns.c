/*
 * zeek_columns.c - the columns of ssl.log and smtpwhy.log: each value's writer stands above its
 * table. What a column of Zeek's own means is Zeek's; what is not known here is unset.
 */
#include "report/zeek.h"

#include "base/address.h"
#include "base/format.h"

#define PUT(name) static void put_##name(struct sw_zeek_row *row)

PUT(unset)
{
    sw_zeek_unset(row);
}

/* --- ssl.log --- */

static const struct sw_certificate *certificate_of(const struct sw_zeek_row *row)
{
    const struct sw_certificate *c = row->session->tls_facts->certificates;
    return c && c->read ? c : NULL;
}

/* Zeek writes "TLSv12". */
PUT(version)
{
    const char *name = tls_version_name(row->session->tls_facts->version);
    char text[16];
    size_t len = 0;
    for (; name && *name && len < sizeof(text) - 1; name++) {
        if (*name != '.')
            text[len++] = *name;
    }
    text[len] = '\0';
    sw_zeek_word(row, text);
}

PUT(cipher)
{
    sw_zeek_word(row, tls_cipher_name(row->session->tls_facts->cipher));
}

PUT(server_name)
{
    sw_zeek_some_name(row, row->session->tls_facts->sni);
}

PUT(resumed)
{
    sw_zeek_bool(row, sw_tls_is_resumed(row->session->tls_facts));
}

PUT(last_alert)
{
    const struct sw_tls_alert *alert;
    const struct sw_tls_alert *last = NULL;
    SW_EACH(alert, row->session->tls_facts->alerts)
        last = alert->known ? alert : last;
    sw_zeek_word(row, last ? tls_alert_name(last->description) : NULL);
}

PUT(established)
{
    sw_zeek_bool(row, sw_tls_is_established(row->session->tls_facts));
}

static void letter(struct sw_writer *out, bool seen, char c)
{
    if (seen)
        sw_writer_char(out, c);
}

/* The letters of Zeek for what was seen, in the order of the handshake; capitals are the client's.
 */
PUT(ssl_history)
{
    const struct sw_tls *tls = row->session->tls_facts;
    uint32_t server = tls->side[SW_SERVER].messages;
    uint32_t client = tls->side[SW_CLIENT].messages;
    const struct sw_tls_alert *alert;
    struct sw_writer h;
    sw_writer_open_memory(&h);
    letter(&h, tls->client_hello.frame, 'C');
    letter(&h, tls->retry.frame, 'j');
    letter(&h, tls->retry.frame && tls->client_hello_last.frame != tls->client_hello.frame, 'C');
    letter(&h, tls->server_hello.frame, 's');
    letter(&h, server & 1u << TLS_MESSAGE_ENCRYPTED_EXTENSIONS, 'o');
    letter(&h, server & 1u << TLS_MESSAGE_CERTIFICATE, 'x');
    letter(&h, server & 1u << TLS_MESSAGE_CERTIFICATE_STATUS, 'u');
    letter(&h, server & 1u << TLS_MESSAGE_SERVER_KEY_EXCHANGE, 'k');
    letter(&h, tls->certificate_request.frame, 'r');
    letter(&h, tls->server_done.frame, 'n');
    letter(&h, client & 1u << TLS_MESSAGE_CERTIFICATE, 'X');
    letter(&h, client & 1u << TLS_MESSAGE_CLIENT_KEY_EXCHANGE, 'G');
    letter(&h, client & 1u << TLS_MESSAGE_CERTIFICATE_VERIFY, 'Y');
    letter(&h, tls->side[SW_CLIENT].change_cipher.frame, 'I');
    letter(&h, tls->finished[SW_CLIENT].frame, 'F');
    letter(&h, server & 1u << TLS_MESSAGE_NEW_SESSION_TICKET, 't');
    letter(&h, tls->side[SW_SERVER].change_cipher.frame, 'i');
    letter(&h, tls->finished[SW_SERVER].frame, 'f');
    SW_EACH(alert, tls->alerts)
        letter(&h, true, alert->from == SW_CLIENT ? 'L' : 'l');
    sw_zeek_some_text(row, sw_writer_span(&h));
    sw_writer_release(&h);
}

/* A digest could be looked up, so the veil hides it. */
PUT(chain)
{
    const struct sw_certificate *c;
    bool any = false;
    if (!certificate_of(row) || row->part->veil.on) {
        sw_zeek_unset(row);
        return;
    }
    SW_EACH(c, row->session->tls_facts->certificates) {
        if (c->sha256[0])
            sw_zeek_item(row, sw_span_str(c->sha256), &any);
    }
    sw_zeek_items_end(row, any);
}

PUT(cert_subject)
{
    const struct sw_certificate *c = certificate_of(row);
    sw_zeek_some_text(row, c ? c->subject : (struct sw_span){NULL, 0});
}

PUT(cert_issuer)
{
    const struct sw_certificate *c = certificate_of(row);
    sw_zeek_some_text(row, c ? c->issuer : (struct sw_span){NULL, 0});
}

PUT(sni_matches)
{
    const struct sw_certificate *c = certificate_of(row);
    if (!c || row->session->tls_facts->sni.len == 0)
        sw_zeek_unset(row);
    else
        sw_zeek_bool(row, !(c->problems & 1u << SW_CERTIFICATE_HOST_MISMATCH));
}

/* In the words of OpenSSL, as Zeek has them. */
PUT(validation)
{
    static const struct {
        enum sw_certificate_problem problem;
        const char *words;
    } known[] = {
        {SW_CERTIFICATE_EXPIRED, "certificate has expired"},
        {SW_CERTIFICATE_NOT_YET_VALID, "certificate is not yet valid"},
        {SW_CERTIFICATE_SELF_SIGNED, "self signed certificate"},
        {SW_CERTIFICATE_CHAIN_INCOMPLETE, "unable to get local issuer certificate"},
        {SW_CERTIFICATE_NOT_TRUSTED, "unable to get local issuer certificate"},
    };
    const struct sw_certificate *c = certificate_of(row);
    const char *words = c ? "ok" : NULL;
    for (size_t i = sizeof(known) / sizeof(known[0]); c && i > 0; i--) {
        if (c->problems & 1u << known[i - 1].problem)
            words = known[i - 1].words;
    }
    sw_zeek_word(row, words);
}

static const struct sw_zeek_column ssl_columns[] = {
    {"version", "string", put_version},
    {"cipher", "string", put_cipher},
    {"curve", "string", put_unset},
    {"server_name", "string", put_server_name},
    {"resumed", "bool", put_resumed},
    {"last_alert", "string", put_last_alert},
    {"next_protocol", "string", put_unset},
    {"established", "bool", put_established},
    {"ssl_history", "string", put_ssl_history},
    {"cert_chain_fps", "vector[string]", put_chain},
    {"client_cert_chain_fps", "vector[string]", put_unset},
    {"subject", "string", put_cert_subject},
    {"issuer", "string", put_cert_issuer},
    {"client_subject", "string", put_unset},
    {"client_issuer", "string", put_unset},
    {"sni_matches_cert", "bool", put_sni_matches},
    {"validation_status", "string", put_validation},
    {NULL, NULL, NULL},
};

const struct sw_zeek_log sw_zeek_ssl = {"ssl", ssl_columns};

/* --- smtpwhy.log --- */

PUT(community_id)
{
    sw_zeek_word(row, row->part->veil.on ? NULL : row->session->community_id);
}

PUT(protocol)
{
    sw_zeek_word(row, row->verdict->protocol);
}

PUT(duration)
{
    const struct sw_flow_facts *f = row->session->facts;
    sw_zeek_time(row, sw_view_since(f->first.time_ns, f->last.time_ns));
}

/* The letters of Zeek's conn.log. */
static const char *conn_state(const struct sw_session *session)
{
    const struct sw_flow_facts *f = session->facts;
    const struct sw_half_facts *orig = &f->half[SW_CLIENT];
    const struct sw_half_facts *resp = &f->half[SW_SERVER];
    if (session->lookup)
        return NULL;
    if (f->midstream)
        return "OTH";
    if (!f->syn_ack.frame) {
        if (f->refused)
            return "REJ";
        if (orig->rst.frame)
            return "RSTOS0";
        return orig->fin.frame ? "SH" : "S0";
    }
    if (f->close == SW_CLOSE_RST)
        return f->closed_by == SW_SERVER ? "RSTR" : "RSTO";
    if (orig->fin.frame && resp->fin.frame)
        return "SF";
    if (resp->rst.frame)
        return "RSTR";
    if (orig->rst.frame)
        return "RSTO";
    return orig->fin.frame ? "S2" : resp->fin.frame ? "S3" : "S1";
}

PUT(conn_state)
{
    sw_zeek_word(row, conn_state(row->session));
}

PUT(security)
{
    sw_zeek_word(row, sw_security_name(row->verdict->security));
}

PUT(outcome)
{
    sw_zeek_word(row, sw_outcome_name(row->verdict->outcome));
}

PUT(cause)
{
    sw_zeek_word(row, sw_cause_name(row->verdict->cause));
}

PUT(stage)
{
    sw_zeek_word(row, sw_stage_name(row->verdict->stage));
}

PUT(permanence)
{
    sw_zeek_word(row, sw_permanence_name(row->verdict->permanence));
}

PUT(actor)
{
    sw_zeek_word(row, sw_actor_name(row->verdict->actor));
}

PUT(confidence)
{
    sw_zeek_word(row, sw_confidence_name(row->verdict->confidence));
}

PUT(code)
{
    const struct sw_step *reply = row->verdict->reply;
    if (reply && reply->code)
        sw_zeek_count(row, reply->code);
    else
        sw_zeek_unset(row);
}

PUT(enhanced)
{
    char enhanced[SW_VIEW_ENHANCED_BYTES] = "";
    if (row->verdict->reply)
        sw_view_enhanced(row->verdict->reply->enhanced, enhanced);
    sw_zeek_word(row, enhanced);
}

PUT(reply)
{
    const struct sw_step *reply = row->verdict->reply;
    sw_zeek_some_text(row, reply ? reply->text : (struct sw_span){NULL, 0});
}

PUT(server)
{
    sw_zeek_some_name(row, sw_view_server_name(row->verdict, row->part->style->no_names));
}

PUT(summary)
{
    sw_zeek_some_text(row, sw_span_str(row->verdict->summary ? row->verdict->summary : ""));
}

PUT(evidence)
{
    const struct sw_evidence *e;
    bool any = false;
    SW_EACH(e, row->verdict->evidence) {
        char room[SW_DIGITS];
        const char *digits = sw_format_digits(sw_frame_number(e->mark.frame), room);
        size_t len = (size_t)(room + SW_DIGITS - digits);
        sw_zeek_item(row, sw_span_make(digits, len), &any);
    }
    sw_zeek_items_end(row, any);
}

/* Where several captures were read as a series, a number alone says too little. */
PUT(evidence_files)
{
    const struct sw_evidence *e;
    bool any = false;
    SW_EACH(e, row->session->file_count > 1 ? row->verdict->evidence : NULL) {
        const char *file = sw_session_file_of(row->session, e->mark.frame);
        sw_zeek_item(row, sw_view_file(file, &row->part->veil), &any);
    }
    sw_zeek_items_end(row, any);
}

PUT(findings)
{
    const struct sw_finding *f;
    bool any = false;
    SW_EACH(f, row->verdict->findings)
        sw_zeek_item(row, sw_span_str(sw_finding_info(f->id)->id), &any);
    sw_zeek_items_end(row, any);
}

PUT(quality)
{
    bool any = false;
    for (int i = 0; i < SW_QUALITY_COUNT; i++) {
        if (row->verdict->quality[i] > 0)
            sw_zeek_item(row, sw_span_str(sw_quality_name((enum sw_quality)i)), &any);
    }
    sw_zeek_items_end(row, any);
}

PUT(file)
{
    struct sw_span file = sw_view_file(row->session->file, &row->part->veil);
    sw_zeek_literal(row, file);
}

static const struct sw_zeek_column verdict_columns[] = {
    {"community_id", "string", put_community_id},
    {"protocol", "string", put_protocol},
    {"duration", "interval", put_duration},
    {"conn_state", "string", put_conn_state},
    {"security", "string", put_security},
    {"server_name", "string", put_server},
    {"outcome", "string", put_outcome},
    {"cause", "string", put_cause},
    {"stage", "string", put_stage},
    {"permanence", "string", put_permanence},
    {"actor", "string", put_actor},
    {"confidence", "string", put_confidence},
    {"code", "count", put_code},
    {"enhanced", "string", put_enhanced},
    {"reply", "string", put_reply},
    {"summary", "string", put_summary},
    {"evidence", "vector[count]", put_evidence},
    {"findings", "set[string]", put_findings},
    {"capture_quality", "set[string]", put_quality},
    {"file", "string", put_file},
    {"evidence_files", "vector[string]", put_evidence_files},
    {NULL, NULL, NULL},
};

const struct sw_zeek_log sw_zeek_verdict = {"smtpwhy", verdict_columns};
