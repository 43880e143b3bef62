/*
 * field_transport.c - values of the capture, the two ends, TLS and TCP.
 */
#include "report/field_read.h"

/* The capture and the ends. */

SW_FIELD_READER(start)
{
    return sw_field_give_time(v, s->session->facts->first.time_ns);
}

SW_FIELD_READER(end)
{
    return sw_field_give_time(v, s->session->facts->last.time_ns);
}

SW_FIELD_READER(duration)
{
    const struct sw_flow_facts *f = s->session->facts;
    return sw_field_give_time(v, sw_view_since(f->first.time_ns, f->last.time_ns));
}

SW_FIELD_READER(id)
{
    char id[17];
    sw_veil_id(&s->part->veil, s->session->id, id);
    sw_writer_text(&s->text, id);
    return sw_field_give_made(s, v);
}

SW_FIELD_READER(community_id)
{
    return !s->part->veil.on && sw_field_give_word(v, s->session->community_id);
}

SW_FIELD_READER(file)
{
    v->text = sw_view_file(s->session->file, &s->part->veil);
    return v->text.len > 0;
}

SW_FIELD_READER(first_frame)
{
    return sw_field_give_number(v, sw_frame_number(s->session->facts->first.frame));
}

SW_FIELD_READER(last_frame)
{
    return sw_field_give_number(v, sw_frame_number(s->session->facts->last.frame));
}

SW_FIELD_READER(last_frame_file)
{
    if (s->session->file_count < 2)
        return false;
    const char *file = sw_session_file_of(s->session, s->session->facts->last.frame);
    v->text = sw_view_file(file, &s->part->veil);
    return v->text.len > 0;
}

SW_FIELD_READER(display_filter)
{
    sw_view_filter(s->session, &s->part->veil, &s->text);
    return sw_field_give_made(s, v);
}

SW_FIELD_READER(client_ip)
{
    return sw_field_give_address(s, v, s->session->facts->tuple.src);
}

SW_FIELD_READER(client_port)
{
    return sw_field_give_number(v, s->session->facts->tuple.src_port) && v->number > 0;
}

SW_FIELD_READER(server_ip)
{
    return sw_view_has_server(s->session) &&
           sw_field_give_address(s, v, s->session->facts->tuple.dst);
}

SW_FIELD_READER(server_port)
{
    return sw_field_give_number(v, s->session->facts->tuple.dst_port) && v->number > 0;
}

SW_FIELD_READER(server_name)
{
    return sw_field_give_name(s, v, sw_view_server_name(s->verdict, s->part->style->no_names));
}

SW_FIELD_READER(related_ips)
{
    (void)sw_field_give_address(s, v, s->session->facts->tuple.src);
    if (sw_view_has_server(s->session)) {
        sw_writer_char(&s->text, '\n');
        (void)sw_field_give_address(s, v, s->session->facts->tuple.dst);
    }
    return sw_field_give_made(s, v);
}

SW_FIELD_READER(protocol)
{
    (void)s;
    return sw_field_give_word(v, s->verdict->protocol);
}

SW_FIELD_READER(transport)
{
    return sw_field_give_word(v, s->session->lookup ? NULL : "tcp");
}

SW_FIELD_READER(ip_type)
{
    return sw_field_give_word(v, s->session->facts->tuple.ip_version == 6 ? "ipv6" : "ipv4");
}

SW_FIELD_READER(ip_version)
{
    return sw_field_give_number(v, s->session->facts->tuple.ip_version == 6 ? 6 : 4);
}

SW_FIELD_READER(security)
{
    return sw_field_give_word(v, sw_security_name(s->verdict->security));
}

/* TLS. */

static const struct sw_tls *tls_of(const struct sw_field_source *s)
{
    return s->session->tls_facts;
}

SW_FIELD_READER(tls_established)
{
    const struct sw_tls *tls = tls_of(s);
    return tls && sw_field_give_number(v, sw_tls_is_established(tls));
}

SW_FIELD_READER(tls_resumed)
{
    const struct sw_tls *tls = tls_of(s);
    return tls && tls->server_hello.frame && sw_field_give_number(v, sw_tls_is_resumed(tls));
}

static const char *version_of(const struct sw_field_source *s)
{
    const struct sw_tls *tls = tls_of(s);
    return tls ? tls_version_name(tls->version) : NULL;
}

SW_FIELD_READER(tls_version)
{
    return sw_field_give_word(v, version_of(s));
}

SW_FIELD_READER(tls_number)
{
    const char *name = version_of(s);
    return sw_field_give_word(v, name && strchr(name, 'v') ? strchr(name, 'v') + 1 : NULL);
}

SW_FIELD_READER(tls_family)
{
    const char *name = version_of(s);
    return sw_field_give_word(v, !name ? NULL : name[0] == 'T' ? "tls" : "ssl");
}

SW_FIELD_READER(tls_cipher)
{
    const struct sw_tls *tls = tls_of(s);
    return sw_field_give_word(v, tls ? tls_cipher_name(tls->cipher) : NULL);
}

SW_FIELD_READER(tls_sni)
{
    const struct sw_tls *tls = tls_of(s);
    return tls && sw_field_give_name(s, v, tls->sni);
}

static const struct sw_tls_alert *fatal_alert(const struct sw_field_source *s)
{
    return tls_of(s) ? sw_tls_fatal(tls_of(s), -1) : NULL;
}

SW_FIELD_READER(tls_alert)
{
    const struct sw_tls_alert *alert = fatal_alert(s);
    return sw_field_give_word(v, alert ? tls_alert_name(alert->description) : NULL);
}

SW_FIELD_READER(tls_alert_number)
{
    const struct sw_tls_alert *alert = fatal_alert(s);
    return alert && sw_field_give_number(v, alert->description);
}

SW_FIELD_READER(ja3)
{
    return tls_of(s) && sw_field_give_word(v, tls_of(s)->ja3);
}

SW_FIELD_READER(ja4)
{
    return tls_of(s) && sw_field_give_word(v, tls_of(s)->ja4);
}

/* The server's own, when it could be read. */
static const struct sw_certificate *certificate_of(const struct sw_field_source *s)
{
    const struct sw_certificate *c = tls_of(s) ? tls_of(s)->certificates : NULL;
    return c && c->read ? c : NULL;
}

SW_FIELD_READER(cert_subject)
{
    const struct sw_certificate *c = certificate_of(s);
    return c && sw_field_give_text(s, v, c->subject);
}

SW_FIELD_READER(cert_issuer)
{
    const struct sw_certificate *c = certificate_of(s);
    return c && sw_field_give_text(s, v, c->issuer);
}

SW_FIELD_READER(cert_from)
{
    const struct sw_certificate *c = certificate_of(s);
    return c && sw_field_give_word(v, c->not_before);
}

SW_FIELD_READER(cert_until)
{
    const struct sw_certificate *c = certificate_of(s);
    return c && sw_field_give_word(v, c->not_after);
}

SW_FIELD_READER(cert_sha256)
{
    const struct sw_certificate *c = certificate_of(s);
    return c && !s->part->veil.on && sw_field_give_word(v, c->sha256);
}

SW_FIELD_READER(cert_problems)
{
    const struct sw_certificate *c = certificate_of(s);
    for (unsigned i = 0; c && i < SW_CERTIFICATE_PROBLEMS; i++) {
        if (c->problems & (1u << i))
            sw_field_add_item(
                s, sw_span_str(sw_certificate_problem_name((enum sw_certificate_problem)i)));
    }
    return sw_field_give_made(s, v);
}

/* TCP and the capture. */

static const struct sw_half_facts *half(const struct sw_field_source *s, enum sw_side side)
{
    return &s->session->facts->half[side];
}

SW_FIELD_READER(client_bytes)
{
    return !s->session->lookup && sw_field_give_number(v, half(s, SW_CLIENT)->bytes);
}

SW_FIELD_READER(server_bytes)
{
    return !s->session->lookup && sw_field_give_number(v, half(s, SW_SERVER)->bytes);
}

SW_FIELD_READER(client_packets)
{
    return !s->session->lookup && sw_field_give_number(v, half(s, SW_CLIENT)->packets);
}

SW_FIELD_READER(server_packets)
{
    return !s->session->lookup && sw_field_give_number(v, half(s, SW_SERVER)->packets);
}

SW_FIELD_READER(retransmissions)
{
    return !s->session->lookup && sw_field_give_number(v, half(s, SW_CLIENT)->retransmissions +
                                                              half(s, SW_SERVER)->retransmissions);
}

SW_FIELD_READER(rtt)
{
    return !s->session->lookup && sw_field_give_time(v, sw_view_handshake_rtt(s->session->facts));
}

SW_FIELD_READER(greeting_delay)
{
    return sw_field_give_time(v, sw_view_delay(s->session, s->session->greeting));
}

SW_FIELD_READER(silence)
{
    return !s->session->lookup && sw_field_give_time(v, sw_view_longest_silence(s->session));
}

SW_FIELD_READER(closed_by)
{
    return !s->session->lookup && sw_field_give_word(v, sw_view_closed_by(s->session->facts));
}

SW_FIELD_READER(close)
{
    return !s->session->lookup &&
           sw_field_give_word(v, sw_view_close_name(s->session->facts->close));
}

SW_FIELD_READER(quality)
{
    for (int i = 0; i < SW_QUALITY_COUNT; i++) {
        if (s->verdict->quality[i] > 0)
            sw_field_add_item(s, sw_span_str(sw_quality_name((enum sw_quality)i)));
    }
    return sw_field_give_made(s, v);
}

SW_FIELD_READER(findings)
{
    const struct sw_finding *f;
    SW_EACH(f, s->verdict->findings)
        sw_field_add_item(s, sw_span_str(sw_finding_info(f->id)->id));
    return sw_field_give_made(s, v);
}

SW_FIELD_READER(program_version)
{
    return sw_field_give_word(v, s->part->style->version);
}
