/*
 * json_tls.c - what was seen of TLS.
 */
#include "report/json.h"

#include <stdio.h>

static void put_alerts(struct sw_json *json, const struct sw_tls *tls)
{
    const struct sw_tls_alert *alert;
    sw_json_array(json, "alerts");
    SW_EACH(alert, tls->alerts) {
        char number[8];
        const char *name = tls_alert_name(alert->description);
        (void)snprintf(number, sizeof(number), "%u", alert->description);
        sw_json_object(json, NULL);
        sw_json_word(json, "from", alert->from == SW_SERVER ? "server" : "client");
        sw_json_text(json, "level", !alert->known ? NULL : alert->level == 1 ? "warning" : "fatal");
        sw_json_text(json, "description", !alert->known ? NULL : name ? name : number);
        sw_json_frame(json, "frame", alert->mark.frame);
        sw_json_bool(json, "encrypted", alert->encrypted);
        sw_json_end_object(json);
    }
    sw_json_end_array(json);
}

static void put_lines(struct sw_json_line *line, const char *key, struct sw_span lines)
{
    sw_json_array(&line->json, key);
    while (lines.len > 0) {
        size_t end = sw_span_index(lines, '\n');
        sw_json_wire(&line->json, NULL,
                     sw_veil_name(&line->part->veil, sw_span_sub(lines, 0, end)));
        lines = sw_span_from(lines, end + 1);
    }
    sw_json_end_array(&line->json);
}

/* A name that is a host as a whole, or one that has names in it; null when it is empty. */
static void put_name(struct sw_json_line *line, const char *key, struct sw_span name, bool host)
{
    if (name.len == 0)
        sw_json_null(&line->json, key);
    else if (host)
        sw_json_wire(&line->json, key, sw_veil_name(&line->part->veil, name));
    else
        sw_json_line_wire(line, key, name);
}

static void put_certificate(struct sw_json_line *line, const struct sw_certificate *c)
{
    struct sw_json *json = &line->json;
    bool shown = !line->part->veil.on; /* a digest could be looked up */
    sw_json_object(json, NULL);
    put_name(line, "subject", c->subject, false);
    put_name(line, "issuer", c->issuer, false);
    sw_json_text(json, "not_before", c->not_before[0] ? c->not_before : NULL);
    sw_json_text(json, "not_after", c->not_after[0] ? c->not_after : NULL);
    put_lines(line, "names", c->names);
    sw_json_text(json, "sha256", c->sha256[0] && shown ? c->sha256 : NULL);
    sw_json_array(json, "problems");
    for (unsigned i = 0; i < SW_CERTIFICATE_PROBLEMS; i++) {
        if (c->problems & (1u << i))
            sw_json_text(json, NULL, sw_certificate_problem_name((enum sw_certificate_problem)i));
    }
    sw_json_end_array(json);
    sw_json_end_object(json);
}

/* A number that has no name here is written as it stands. */
static void put_code(struct sw_json *json, const char *key, uint16_t code, const char *name)
{
    char number[8];
    (void)snprintf(number, sizeof(number), "0x%04X", code);
    sw_json_text(json, key, name ? name : code ? number : NULL);
}

static void put_tls(struct sw_json_line *line, const struct sw_tls *tls)
{
    struct sw_json *json = &line->json;
    sw_json_object(json, "tls");
    put_code(json, "version", tls->version, tls_version_name(tls->version));
    put_code(json, "cipher", tls->cipher, tls_cipher_name(tls->cipher));
    put_name(line, "sni", tls->sni, true);
    sw_json_text(json, "ja3", tls->ja3[0] ? tls->ja3 : NULL);
    sw_json_text(json, "ja4", tls->ja4[0] ? tls->ja4 : NULL);
    put_alerts(json, tls);
    sw_json_array(json, "certificates");
    const struct sw_certificate *c;
    SW_EACH(c, tls->certificates)
        put_certificate(line, c);
    sw_json_end_array(json);
    sw_json_bool(json, "decrypted", tls->decrypted);
    if (tls->server_hello.frame)
        sw_json_bool(json, "resumed", sw_tls_is_resumed(tls));
    else
        sw_json_null(json, "resumed");
    sw_json_end_object(json);
}

uint8_t *sw_json_line_tls(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_tls *tls = line->session->tls_facts;
    if (!tls)
        return SW_JSON_LITERAL(at, ",\"tls\":null");
    sw_json_ran(&line->json, at);
    put_tls(line, tls);
    return sw_json_run(&line->json);
}
