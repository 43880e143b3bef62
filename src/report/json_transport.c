/*
 * json_transport.c - the capture, the two ends, TLS, TCP and the quality of the capture.
 */
#include "report/json.h"

/* "vxlan vni 42 192.0.2.1 > 192.0.2.2, ...": the outermost header first. */
static uint8_t *add_tunnel(struct sw_json_line *line, uint8_t *at, const struct sw_tunnel *tunnel)
{
    if (!tunnel)
        return SW_JSON_LITERAL(at, ",\"tunnel\":null");
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
    at = SW_JSON_MEMBER(at, "tunnel");
    at = sw_json_add_string(&line->json, at, "tunnel", sw_writer_span(&text));
    sw_writer_release(&text);
    return at;
}

/* All captures that the session spans. */
static uint8_t *add_files(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_flow_facts *facts = line->session->facts;
    uint32_t last = sw_frame_file(facts->last.frame);
    at = SW_JSON_LITERAL(at, ",\"files\":[");
    for (uint32_t i = sw_frame_file(facts->first.frame); i <= last; i++) {
        const char *file = sw_session_file_of(line->session, sw_frame_ref(i, 1));
        at = sw_json_add_string(&line->json, at, NULL, sw_view_file(file, &line->part->veil));
        *at++ = ',';
    }
    return sw_json_end_list(at);
}

static uint8_t *add_filter(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_veil *veil = &line->part->veil;
    struct sw_json *json = &line->json;
    at = SW_JSON_MEMBER(at, "display_filter");
    if (!line->session->lookup) { /* nothing in it needs an escape */
        *at++ = '"';
        sw_json_ran(json, at);
        sw_view_filter(line->session, veil, json->out);
        at = sw_json_run(json);
        *at++ = '"';
        return at;
    }
    struct sw_writer filter;
    sw_writer_open_memory(&filter);
    sw_view_filter(line->session, veil, &filter);
    at = sw_json_add_string(json, at, "display_filter", sw_writer_span(&filter));
    sw_writer_release(&filter);
    return at;
}

/* Of one capture all records begin with the same names. */
static uint8_t *add_names(struct sw_json_line *line, uint8_t *at)
{
    struct sw_json *json = &line->json;
    struct sw_json_memo *memo = &line->memo;
    struct sw_span file = sw_view_file(line->session->file, &line->part->veil);
    bool series = line->session->file_count > 1;
    if (!series && memo->capture.len > 0 && sw_span_eq(file, memo->capture_file))
        return sw_json_add_copy(json, at, memo->capture);
    const struct sw_json_passage passage = sw_json_passage(json, at);
    at = SW_JSON_LITERAL(at, ",\"capture\":{\"file\":");
    at = add_files(line, sw_json_add_string(json, at, "file", file));
    if (!series) {
        sw_json_keep(json, &passage, at, &memo->capture);
        sw_json_keep_bytes(file, &memo->capture_file);
    }
    return at;
}

uint8_t *sw_json_line_capture(struct sw_json_line *line, uint8_t *at)
{
    struct sw_json *json = &line->json;
    const struct sw_flow_facts *facts = line->session->facts;
    at = SW_JSON_MEMBER(add_names(line, at), "first_frame"); /* it is of "file" */
    at = sw_json_add_frame_number(json, at, facts->first.frame);
    at = SW_JSON_MEMBER(at, "last_frame");
    at = sw_json_add_frame(json, at, "last_frame", facts->last.frame);
    at = add_tunnel(line, add_filter(line, at), facts->tunnel);
    return SW_JSON_LITERAL(at, "}");
}

/* `address` NULL: there is none. */
static uint8_t *add_end(struct sw_json_line *line, uint8_t *at, const uint8_t *address,
                        uint16_t port)
{
    if (address) {
        *at++ = '"';
        at += sw_veil_address(&line->part->veil, address, line->session->facts->tuple.ip_version,
                              (char *)at);
        *at++ = '"';
    } else {
        at = SW_JSON_LITERAL(at, "null");
    }
    return sw_json_add_some(SW_JSON_MEMBER(at, "port"), port);
}

uint8_t *sw_json_line_ends(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_tuple *t = &line->session->facts->tuple;
    at = SW_JSON_LITERAL(at, ",\"client\":{\"ip\":");
    at = add_end(line, at, t->src, t->src_port);
    at = SW_JSON_LITERAL(at, ",\"name\":null,\"name_source\":null,\"proxied_for\":");
    at = line->session->proxied_for.len > 0
             ? sw_json_line_add_wire(line, at, "proxied_for", line->session->proxied_for)
             : SW_JSON_LITERAL(at, "null");
    at = SW_JSON_LITERAL(at, "},\"server\":{\"ip\":");
    at = add_end(line, at, sw_view_has_server(line->session) ? t->dst : NULL, t->dst_port);
    struct sw_span name = sw_view_server_name(line->verdict, line->part->style->no_names);
    if (name.len == 0)
        return SW_JSON_LITERAL(at, ",\"name\":null,\"name_source\":null}");
    at = SW_JSON_MEMBER(at, "name");
    at = sw_json_add_string(&line->json, at, "name", sw_veil_name(&line->part->veil, name));
    at = SW_JSON_MEMBER(at, "name_source");
    at = sw_json_add_word(at, line->verdict->server_name_source);
    return SW_JSON_LITERAL(at, "}");
}

/* A number of each side, with all that stands before them. Inline, so that `key` is a literal to
 * the compiler. */
SW_JSON_INLINE uint8_t *add_pair(uint8_t *at, const char *key, size_t len, uint64_t client,
                                 uint64_t server)
{
    at = sw_json_add_number(sw_json_add(at, key, len), client);
    at = sw_json_add_number(SW_JSON_LITERAL(at, ",\"server\":"), server);
    *at++ = '}';
    return at;
}

#define PAIR(key) SW_JSON_TEXT(",\"" key "\":{\"client\":")

/* What each side announced as its largest segment; null = its SYN is not in the capture. */
static uint8_t *add_mss(uint8_t *at, uint16_t client, uint16_t server)
{
    at = sw_json_add_some(SW_JSON_LITERAL(at, ",\"mss\":{\"client\":"), client);
    at = sw_json_add_some(SW_JSON_MEMBER(at, "server"), server);
    return SW_JSON_LITERAL(at, "}");
}

/* `from` is the role of who sent the error, `ip` its address. */
static uint8_t *add_icmp(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_flow_facts *facts = line->session->facts;
    at = SW_JSON_LITERAL(at, ",\"icmp\":[");
    for (unsigned i = 0; i < facts->icmp_count; i++) {
        const struct sw_flow_icmp *icmp = &facts->icmp[i];
        const struct sw_tuple *t = &facts->tuple;
        bool server = memcmp(icmp->from, t->dst, sizeof(t->dst)) == 0;
        bool client = memcmp(icmp->from, t->src, sizeof(t->src)) == 0;
        char ip[SW_ADDRESS_TEXT_BYTES];
        (void)sw_veil_address(&line->part->veil, icmp->from, icmp->ip_version, ip);
        at = SW_JSON_LITERAL(sw_json_go_on(&line->json, at), "{\"type\":");
        at = sw_json_add_number(at, icmp->type);
        at = sw_json_add_number(SW_JSON_MEMBER(at, "code"), icmp->code);
        at = SW_JSON_MEMBER(at, "from");
        at = sw_json_add_word(at, server ? "server" : client ? "client" : "network");
        at = SW_JSON_MEMBER(at, "frame");
        at = sw_json_add_frame(&line->json, at, "frame", icmp->mark.frame);
        at = sw_json_add_word(SW_JSON_MEMBER(at, "ip"), ip);
        at = SW_JSON_LITERAL(at, "},");
    }
    return sw_json_end_list(at);
}

/* The RST that ended the connection, and what speaks for or against its alleged sender. */
static uint8_t *add_reset(struct sw_json *json, uint8_t *at, const struct sw_flow_facts *facts)
{
    if (facts->closed_by < 0 || facts->close != SW_CLOSE_RST)
        return SW_JSON_LITERAL(at, ",\"reset\":null");
    const struct sw_half_facts *half = &facts->half[facts->closed_by];
    at = SW_JSON_LITERAL(at, ",\"reset\":{\"from\":");
    at = sw_json_add_word(at, sw_view_closed_by(facts));
    at = sw_json_add_frame(json, SW_JSON_MEMBER(at, "frame"), "frame", half->rst.frame);
    at = sw_json_add_number(SW_JSON_MEMBER(at, "ttl"), half->rst_ttl);
    at = SW_JSON_LITERAL(at, ",\"other_ttls\":[");
    bool others = half->packets > 1; /* packets that are no RST */
    if (others)
        at = sw_json_add_number(at, half->ttl_min);
    if (others && half->ttl_max != half->ttl_min)
        at = sw_json_add_number(SW_JSON_LITERAL(at, ","), half->ttl_max);
    at = SW_JSON_LITERAL(at, "],\"sender_went_on\":");
    at = sw_json_add_frame(json, at, "sender_went_on", half->after_rst.frame);
    return SW_JSON_LITERAL(at, "}");
}

/* When the client asked for the connection, as `t_s` of the dialogue: since the first frame. */
static uint8_t *add_syn_times(struct sw_json *json, uint8_t *at, const struct sw_flow_facts *facts)
{
    at = SW_JSON_LITERAL(at, ",\"syn_times_s\":[");
    for (uint32_t i = 0; i < facts->syn_count && i < SW_FLOW_SYN_TIMES; i++) {
        at = sw_json_add_seconds(at, facts->syn_ns[i] - facts->first.time_ns);
        *at++ = ',';
    }
    return sw_json_go_on(json, sw_json_end_list(at));
}

static uint8_t *add_pairs(uint8_t *at, const struct sw_half_facts *c, const struct sw_half_facts *s)
{
    at = add_pair(at, PAIR("bytes"), c->bytes, s->bytes);
    at = add_pair(at, PAIR("packets"), c->packets, s->packets);
    at = add_pair(at, PAIR("retransmissions"), c->retransmissions, s->retransmissions);
    at = add_pair(at, PAIR("fast_retransmissions"), c->fast_retransmissions,
                  s->fast_retransmissions);
    at = add_pair(at, PAIR("spurious_retransmissions"), c->spurious_retransmissions,
                  s->spurious_retransmissions);
    at = add_pair(at, PAIR("out_of_order"), c->out_of_order, s->out_of_order);
    at = add_pair(at, PAIR("keepalives"), c->keepalives, s->keepalives);
    at = add_pair(at, PAIR("not_captured_bytes"), c->gap_bytes, s->gap_bytes);
    at = add_pair(at, PAIR("lost_bytes"), c->hole_bytes, s->hole_bytes);
    return add_mss(at, c->mss, s->mss);
}

uint8_t *sw_json_line_tcp(struct sw_json_line *line, uint8_t *at)
{
    struct sw_json *json = &line->json;
    const struct sw_flow_facts *facts = line->session->facts;
    const struct sw_half_facts *client = &facts->half[SW_CLIENT];
    const struct sw_half_facts *server = &facts->half[SW_SERVER];
    if (line->session->lookup)
        return SW_JSON_LITERAL(at, ",\"tcp\":null");
    at = SW_JSON_LITERAL(sw_json_go_on(json, at), ",\"tcp\":{\"handshake_rtt_s\":");
    at = sw_json_add_seconds(at, sw_view_handshake_rtt(facts));
    at = sw_json_add_number(SW_JSON_MEMBER(at, "syn_count"), facts->syn_count);
    at = add_pairs(add_syn_times(json, at, facts), client, server);
    at = SW_JSON_MEMBER(at, "greeting_delay_s");
    at = sw_json_add_seconds(at, sw_view_delay(line->session, line->session->greeting));
    at = SW_JSON_MEMBER(at, "longest_silence_s");
    at = sw_json_add_seconds(at, sw_view_longest_silence(line->session));
    at = SW_JSON_MEMBER(at, "zero_window_s");
    at = sw_json_add_seconds(at, client->zero_window_ns + server->zero_window_ns);
    at = sw_json_add_word(SW_JSON_MEMBER(at, "closed_by"), sw_view_closed_by(facts));
    at = sw_json_add_word(SW_JSON_MEMBER(at, "close"), sw_view_close_name(facts->close));
    at = sw_json_add_word(SW_JSON_MEMBER(at, "half_closed_by"), sw_view_half_closed_by(facts));
    at = add_reset(json, at, facts);
    at = SW_JSON_MEMBER(at, "unacknowledged_bytes");
    at = add_icmp(line, sw_json_add_number(at, client->unacked_bytes));
    return SW_JSON_LITERAL(at, "}");
}

uint8_t *sw_json_line_quality(struct sw_json_line *line, uint8_t *at)
{
    at = SW_JSON_LITERAL(sw_json_go_on(&line->json, at), ",\"capture_quality\":[");
    for (int i = 0; i < SW_QUALITY_COUNT; i++) {
        if (line->verdict->quality[i] == 0)
            continue;
        at = SW_JSON_LITERAL(at, "{\"kind\":");
        at = sw_json_add_word(at, sw_quality_name((enum sw_quality)i));
        at = sw_json_add_number(SW_JSON_MEMBER(at, "count"), line->verdict->quality[i]);
        at = SW_JSON_LITERAL(at, "},");
    }
    return sw_json_end_list(at);
}
