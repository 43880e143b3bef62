/*
 * json_transport.c - the capture, the two ends, TLS, TCP and the quality of the capture.
 */
#include "report/json.h"

/* "vxlan vni 42 192.0.2.1 > 192.0.2.2, ...": the outermost header first. */
static void put_tunnel(struct sw_json_line *line, const struct sw_tunnel *tunnel)
{
    if (!tunnel) {
        sw_json_null(&line->json, "tunnel");
        return;
    }
    struct sw_writer text;
    sw_writer_open_memory(&text);
    for (uint8_t i = 0; i < tunnel->count; i++) {
        const struct sw_tunnel_header *h = &tunnel->headers[i];
        const char *number = sw_tunnel_number(h->kind);
        sw_writer_format(&text, "%s%s", i > 0 ? ", " : "", sw_tunnel_name(h->kind));
        if (h->id != 0 && *number)
            sw_writer_format(&text, " %s %u", number, h->id);
        if (h->ip_version == 0)
            continue;
        char src[SW_ADDRESS_TEXT_BYTES];
        char dst[SW_ADDRESS_TEXT_BYTES];
        sw_veil_address(&line->part->veil, h->src, h->ip_version, src);
        sw_veil_address(&line->part->veil, h->dst, h->ip_version, dst);
        sw_writer_format(&text, " %s > %s", src, dst);
    }
    sw_json_wire(&line->json, "tunnel", sw_writer_span(&text));
    sw_writer_release(&text);
}

/* All captures that the session spans. */
static void put_files(struct sw_json_line *line)
{
    const struct sw_flow_facts *facts = line->session->facts;
    uint32_t last = sw_frame_file(facts->last.frame);
    sw_json_array(&line->json, "files");
    for (uint32_t i = sw_frame_file(facts->first.frame); i <= last; i++) {
        const char *file = sw_session_file_of(line->session, sw_frame_ref(i, 1));
        sw_json_wire(&line->json, NULL, sw_view_file(file, &line->part->veil));
    }
    sw_json_end_array(&line->json);
}

static void put_filter(struct sw_json_line *line)
{
    const struct sw_veil *veil = &line->part->veil;
    struct sw_json *json = &line->json;
    if (!line->session->lookup) { /* nothing in it needs an escape */
        sw_json_literal(json, "display_filter", "\"", 1);
        sw_view_filter(line->session, veil, json->out);
        sw_writer_char(json->out, '"');
        return;
    }
    struct sw_writer filter;
    sw_writer_open_memory(&filter);
    sw_view_filter(line->session, veil, &filter);
    sw_json_wire(json, "display_filter", sw_writer_span(&filter));
    sw_writer_release(&filter);
}

void sw_json_line_capture(struct sw_json_line *line)
{
    struct sw_json *json = &line->json;
    const struct sw_flow_facts *facts = line->session->facts;
    sw_json_object(json, "capture");
    sw_json_wire(json, "file", sw_view_file(line->session->file, &line->part->veil));
    put_files(line);
    sw_json_some(json, "first_frame", sw_frame_number(facts->first.frame)); /* it is of "file" */
    sw_json_frame(json, "last_frame", facts->last.frame);
    put_filter(line);
    put_tunnel(line, facts->tunnel);
    sw_json_end_object(json);
}

/* `address` NULL: there is none. */
static void put_end(struct sw_json_line *line, const char *key, const uint8_t *address,
                    uint16_t port)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    if (address)
        sw_veil_address(&line->part->veil, address, line->session->facts->tuple.ip_version, ip);
    sw_json_object(&line->json, key);
    sw_json_word(&line->json, "ip", address ? ip : NULL);
    sw_json_some(&line->json, "port", port);
}

void sw_json_line_ends(struct sw_json_line *line)
{
    struct sw_json *json = &line->json;
    const struct sw_tuple *t = &line->session->facts->tuple;
    put_end(line, "client", t->src, t->src_port);
    sw_json_null(json, "name");
    sw_json_null(json, "name_source");
    if (line->session->proxied_for.len > 0)
        sw_json_line_wire(line, "proxied_for", line->session->proxied_for);
    else
        sw_json_null(json, "proxied_for");
    sw_json_end_object(json);
    put_end(line, "server", sw_view_has_server(line->session) ? t->dst : NULL, t->dst_port);
    struct sw_span name = sw_view_server_name(line->verdict, line->part->style->no_names);
    if (name.len > 0) {
        sw_json_wire(json, "name", sw_veil_name(&line->part->veil, name));
        sw_json_word(json, "name_source", line->verdict->server_name_source);
    } else {
        sw_json_null(json, "name");
        sw_json_null(json, "name_source");
    }
    sw_json_end_object(json);
}

/* Inline, so that the keys are literals to the compiler. */
SW_JSON_INLINE void put_pair(struct sw_json *json, const char *key, uint64_t client,
                             uint64_t server)
{
    enum { BYTES = sizeof("{\"client\":,\"server\":}") + 2 * SW_DIGITS };
    uint8_t *at = sw_json_key(json, key, BYTES);
    if (!at)
        return;
    at = sw_json_add_number(SW_JSON_LITERAL(at, "{\"client\":"), client);
    at = sw_json_add_number(SW_JSON_LITERAL(at, ",\"server\":"), server);
    *at++ = '}';
    sw_json_done(json, at);
}

/* What each side announced as its largest segment; null = its SYN is not in the capture. */
static void put_mss(struct sw_json *json, uint16_t client, uint16_t server)
{
    sw_json_object(json, "mss");
    if (client)
        sw_json_number(json, "client", client);
    else
        sw_json_null(json, "client");
    if (server)
        sw_json_number(json, "server", server);
    else
        sw_json_null(json, "server");
    sw_json_end_object(json);
}

/* `from` is the role of who sent the error, `ip` its address. */
static void put_icmp(struct sw_json_line *line)
{
    struct sw_json *json = &line->json;
    const struct sw_flow_facts *facts = line->session->facts;
    sw_json_array(json, "icmp");
    for (unsigned i = 0; i < facts->icmp_count; i++) {
        const struct sw_flow_icmp *icmp = &facts->icmp[i];
        const struct sw_tuple *t = &facts->tuple;
        bool server = memcmp(icmp->from, t->dst, sizeof(t->dst)) == 0;
        bool client = memcmp(icmp->from, t->src, sizeof(t->src)) == 0;
        char ip[SW_ADDRESS_TEXT_BYTES];
        sw_veil_address(&line->part->veil, icmp->from, icmp->ip_version, ip);
        sw_json_object(json, NULL);
        sw_json_number(json, "type", icmp->type);
        sw_json_number(json, "code", icmp->code);
        sw_json_word(json, "from", server ? "server" : client ? "client" : "network");
        sw_json_frame(json, "frame", icmp->mark.frame);
        sw_json_word(json, "ip", ip);
        sw_json_end_object(json);
    }
    sw_json_end_array(json);
}

/* The RST that ended the connection, and what speaks for or against its alleged sender. */
static void put_reset(struct sw_json *json, const struct sw_flow_facts *facts)
{
    if (facts->closed_by < 0 || facts->close != SW_CLOSE_RST) {
        sw_json_null(json, "reset");
        return;
    }
    const struct sw_half_facts *half = &facts->half[facts->closed_by];
    sw_json_object(json, "reset");
    sw_json_word(json, "from", sw_view_closed_by(facts));
    sw_json_frame(json, "frame", half->rst.frame);
    sw_json_number(json, "ttl", half->rst_ttl);
    sw_json_array(json, "other_ttls");
    bool others = half->packets > 1; /* packets that are no RST */
    if (others)
        sw_json_number(json, NULL, half->ttl_min);
    if (others && half->ttl_max != half->ttl_min)
        sw_json_number(json, NULL, half->ttl_max);
    sw_json_end_array(json);
    sw_json_frame(json, "sender_went_on", half->after_rst.frame);
    sw_json_end_object(json);
}

/* When the client asked for the connection, as `t_s` of the dialogue: since the first frame. */
static void put_syn_times(struct sw_json *json, const struct sw_flow_facts *facts)
{
    sw_json_array(json, "syn_times_s");
    for (uint32_t i = 0; i < facts->syn_count && i < SW_FLOW_SYN_TIMES; i++)
        sw_json_seconds(json, NULL, facts->syn_ns[i] - facts->first.time_ns);
    sw_json_end_array(json);
}

void sw_json_line_tcp(struct sw_json_line *line)
{
    struct sw_json *json = &line->json;
    const struct sw_flow_facts *facts = line->session->facts;
    const struct sw_half_facts *client = &facts->half[SW_CLIENT];
    const struct sw_half_facts *server = &facts->half[SW_SERVER];
    if (line->session->lookup) {
        sw_json_null(json, "tcp");
        return;
    }
    sw_json_object(json, "tcp");
    sw_json_seconds(json, "handshake_rtt_s", sw_view_handshake_rtt(facts));
    sw_json_number(json, "syn_count", facts->syn_count);
    put_syn_times(json, facts);
    put_pair(json, "bytes", client->bytes, server->bytes);
    put_pair(json, "packets", client->packets, server->packets);
    put_pair(json, "retransmissions", client->retransmissions, server->retransmissions);
    put_pair(json, "fast_retransmissions", client->fast_retransmissions,
             server->fast_retransmissions);
    put_pair(json, "spurious_retransmissions", client->spurious_retransmissions,
             server->spurious_retransmissions);
    put_pair(json, "out_of_order", client->out_of_order, server->out_of_order);
    put_pair(json, "keepalives", client->keepalives, server->keepalives);
    put_pair(json, "not_captured_bytes", client->gap_bytes, server->gap_bytes);
    put_pair(json, "lost_bytes", client->hole_bytes, server->hole_bytes);
    put_mss(json, client->mss, server->mss);
    sw_json_seconds(json, "greeting_delay_s", sw_view_delay(line->session->greeting));
    sw_json_seconds(json, "longest_silence_s", sw_view_longest_silence(line->session));
    sw_json_seconds(json, "zero_window_s", client->zero_window_ns + server->zero_window_ns);
    sw_json_word(json, "closed_by", sw_view_closed_by(facts));
    sw_json_word(json, "close", sw_view_close_name(facts->close));
    sw_json_word(json, "half_closed_by", sw_view_half_closed_by(facts));
    put_reset(json, facts);
    sw_json_number(json, "unacknowledged_bytes", client->unacked_bytes);
    put_icmp(line);
    sw_json_end_object(json);
}

void sw_json_line_quality(struct sw_json_line *line)
{
    struct sw_json *json = &line->json;
    sw_json_array(json, "capture_quality");
    for (int i = 0; i < SW_QUALITY_COUNT; i++) {
        if (line->verdict->quality[i] == 0)
            continue;
        sw_json_object(json, NULL);
        sw_json_word(json, "kind", sw_quality_name((enum sw_quality)i));
        sw_json_number(json, "count", line->verdict->quality[i]);
        sw_json_end_object(json);
    }
    sw_json_end_array(json);
}
