/*
 * json_summary.c - the last line: counts over everything that was read.
 */
#include "report/json.h"

#include <arpa/inet.h>

static void put_frames(struct sw_json *json, const struct sw_summary *s)
{
    sw_json_object(json, "frames");
    sw_json_number(json, "read", s->frames_read);
    sw_json_number(json, "decoded", s->frames_decoded);
    sw_json_number(json, "other", s->frames_other);
    sw_json_number(json, "undecodable", s->frames_undecodable);
    sw_json_number(json, "filtered", s->frames_filtered);
    sw_json_end_object(json);
}

static void put_outcomes(struct sw_json *json, const char *key,
                         const uint64_t counts[SW_OUTCOME_COUNT])
{
    sw_json_object(json, key);
    for (int i = 0; i < SW_OUTCOME_COUNT; i++)
        sw_json_number(json, sw_outcome_name((enum sw_outcome)i), counts[i]);
    sw_json_end_object(json);
}

static void put_host_ip(struct sw_part *part, struct sw_json *json, const char *ip)
{
    char shown[SW_ADDRESS_TEXT_BYTES];
    uint8_t bytes[16] = {0};
    if (inet_pton(AF_INET, ip, bytes) == 1)
        sw_veil_address(&part->veil, bytes, 4, shown);
    else if (inet_pton(AF_INET6, ip, bytes) == 1)
        sw_veil_address(&part->veil, bytes, 6, shown);
    else
        shown[0] = '\0';
    sw_json_word(json, "ip", shown);
}

static void put_hosts(struct sw_part *part, struct sw_json *json, const char *key,
                      const struct sw_host_count *hosts, uint32_t count)
{
    sw_json_array(json, key);
    for (uint32_t i = 0; i < count; i++) {
        sw_json_object(json, NULL);
        put_host_ip(part, json, hosts[i].ip);
        sw_json_number(json, "sessions", hosts[i].sessions);
        put_outcomes(json, "by_outcome", hosts[i].by_outcome);
        sw_json_end_object(json);
    }
    sw_json_end_array(json);
}

static void put_named(struct sw_json *json, const char *key, const struct sw_named_count *list)
{
    sw_json_object(json, key);
    for (int i = 0; i < SW_NAMED_COUNTS && list[i].name; i++)
        sw_json_number(json, list[i].name, list[i].count);
    sw_json_end_object(json);
}

static void put_causes(struct sw_json *json, const struct sw_summary *s)
{
    sw_json_object(json, "by_cause");
    for (int i = 0; i < SW_CAUSE_COUNT; i++) {
        if (s->by_cause[i] > 0)
            sw_json_number(json, sw_cause_name((enum sw_cause)i), s->by_cause[i]);
    }
    sw_json_end_object(json);
}

static void put_findings(struct sw_json *json, const struct sw_summary *s)
{
    sw_json_object(json, "findings");
    for (int i = 0; i < SW_FINDING_COUNT; i++) {
        uint64_t count = 0;
        for (int severity = 0; severity < SW_SEVERITY_COUNT; severity++)
            count += s->by_finding[i][severity];
        if (count > 0)
            sw_json_number(json, sw_finding_info((enum sw_finding_id)i)->id, count);
    }
    sw_json_end_object(json);
}

static void put_damage(struct sw_json *json, const struct sw_summary *s)
{
    const struct sw_damage *d;
    sw_json_array(json, "damage");
    SW_EACH(d, s->damage) {
        sw_json_object(json, NULL);
        sw_json_wire(json, "file", sw_span_str(d->file));
        sw_json_number(json, "offset", d->offset_bytes);
        sw_json_wire(json, "what", sw_span_str(d->what));
        sw_json_end_object(json);
    }
    sw_json_end_array(json);
}

void sw_json_summary(struct sw_part *part, const struct sw_summary *s)
{
    struct sw_json json;
    sw_json_begin(&json, part->out);
    sw_json_object(&json, NULL);
    sw_json_word(&json, "type", "summary");
    sw_json_number(&json, "schema", 1);
    put_frames(&json, s);
    sw_json_number(&json, "bytes", s->bytes);
    sw_json_number(&json, "sessions", s->sessions);
    sw_json_number(&json, "deliveries", s->deliveries);
    put_outcomes(&json, "by_outcome", s->by_outcome);
    put_causes(&json, s);
    put_hosts(part, &json, "by_client", s->clients, s->client_count);
    put_hosts(part, &json, "by_server", s->servers, s->server_count);
    put_findings(&json, s);
    put_named(&json, "skipped", s->skipped);
    put_named(&json, "limits", s->limits);
    put_damage(&json, s);
    sw_json_text(&json, "version", part->style->version);
    put_outcomes(&json, "mails", s->mails);
    sw_json_object(&json, "traffic");
    sw_json_number(&json, "tcp_connections", s->tcp_connections);
    sw_json_number(&json, "udp_packets", s->udp_packets);
    sw_json_number(&json, "dns_packets", s->dns_packets);
    sw_json_end_object(&json);
    sw_json_end_object(&json);
    sw_json_end_line(&json);
}
