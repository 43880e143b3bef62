/*
 * json_delivery.c - the line of a mail that took several sessions.
 */
#include "report/json.h"

static void put_end(struct sw_part *part, struct sw_json *json, const char *key,
                    const uint8_t address[16], uint16_t port, int ip_version)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    if (address)
        sw_veil_address(&part->veil, address, ip_version, ip);
    sw_json_object(json, key);
    sw_json_word(json, "ip", address ? ip : NULL);
    sw_json_some(json, "port", port);
}

static void put_ends(struct sw_part *part, struct sw_json *json, const struct sw_delivery *d)
{
    const struct sw_tuple *t = &d->tuple;
    put_end(part, json, "client", t->src, 0, t->ip_version); /* each session has its own port */
    sw_json_null(json, "name");
    sw_json_null(json, "name_source");
    if (d->proxied_for.len > 0)
        sw_json_wire(json, "proxied_for", sw_veil_text(&part->veil, d->proxied_for));
    else
        sw_json_null(json, "proxied_for");
    sw_json_end_object(json);
    put_end(part, json, "destination", d->has_server ? t->dst : NULL, t->dst_port, t->ip_version);
    if (d->server_name.len > 0 && !part->style->no_names) {
        sw_json_wire(json, "name", sw_veil_name(&part->veil, d->server_name));
        sw_json_text(json, "name_source", d->server_name_source);
    } else {
        sw_json_null(json, "name");
        sw_json_null(json, "name_source");
    }
    sw_json_end_object(json);
}

static void put_envelope(struct sw_part *part, struct sw_json *json, const struct sw_delivery *d)
{
    if (d->has_sender)
        sw_json_wire(json, "mail_from", sw_veil_text(&part->veil, d->sender));
    else
        sw_json_null(json, "mail_from");
    sw_json_array(json, "recipients");
    for (uint32_t i = 0; i < d->recipient_count; i++)
        sw_json_wire(json, NULL, sw_veil_text(&part->veil, d->recipients[i]));
    sw_json_end_array(json);
}

static void put_id(struct sw_part *part, struct sw_json *json, const char *key, const char *id)
{
    char shown[17];
    if (id)
        sw_veil_id(&part->veil, id, shown);
    sw_json_text(json, key, id ? shown : NULL);
}

static void put_attempts(struct sw_part *part, struct sw_json *json, const struct sw_delivery *d)
{
    sw_json_array(json, "attempts");
    for (uint32_t i = 0; i < d->attempt_count; i++)
        put_id(part, json, NULL, d->attempts[i].id);
    sw_json_end_array(json);
}

/* The sessions that are the one before them in the list, seen on the other side of a NAT. */
static void put_same(struct sw_part *part, struct sw_json *json, const struct sw_delivery *d)
{
    sw_json_array(json, "same_as");
    for (uint32_t i = 0; i < d->attempt_count; i++) {
        if (d->attempts[i].same_as)
            put_id(part, json, NULL, d->attempts[i].id);
    }
    sw_json_end_array(json);
}

void sw_json_delivery(struct sw_part *part, const struct sw_delivery *d)
{
    struct sw_json json;
    sw_json_begin(&json, part->out);
    sw_json_object(&json, NULL);
    sw_json_word(&json, "type", "delivery");
    sw_json_number(&json, "schema", 1);
    put_id(part, &json, "id", d->id);
    put_ends(part, &json, d);
    put_envelope(part, &json, d);
    put_attempts(part, &json, d);
    sw_json_word(&json, "outcome", sw_outcome_name(d->outcome));
    sw_json_word(&json, "cause", d->cause == SW_CAUSE_NONE ? NULL : sw_cause_name(d->cause));
    sw_json_time(&json, "first_attempt", d->first_attempt_ns, d->time_digits);
    sw_json_time(&json, "delivered_at", d->delivered_ns, d->time_digits);
    sw_json_seconds(&json, "waited_s",
                    d->delivered_ns == SW_TIME_NONE
                        ? SW_TIME_NONE
                        : sw_time_between(d->first_attempt_ns, d->delivered_ns));
    sw_json_wire(&json, "summary", sw_veil_text(&part->veil, sw_span_str(d->summary)));
    put_id(part, &json, "recovered_by", d->recovered_by);
    put_same(part, &json, d);
    sw_json_word(&json, "confidence", sw_confidence_name(d->confidence));
    sw_json_end_object(&json);
    sw_json_end_line(&json);
}
