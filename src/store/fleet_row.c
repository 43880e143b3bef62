#include "store/fleet_row.h"

#include "base/address.h"
#include "base/format.h"
#include "base/time.h"
#include "store/fleet_schema.h"

#include <stdio.h>
#include <stdlib.h>

#define NS_PER_DAY (INT64_C(86400) * SW_NS_PER_S)

/* The days that every version of ClickHouse has: 1970 to 2037. A day is only where a row is kept;
 * `start_ns` is the truth. */
enum { LAST_DAY = 24836 };

static void put(struct sw_fleet_text *row, struct sw_span bytes)
{
    sw_fleet_text_put(row, bytes);
}

static void put_str(struct sw_fleet_text *row, const char *text)
{
    put(row, sw_span_str(text));
}

/* Bytes stay as they are, also those that are no UTF-8: what is read back has to be the same. */
static void put_string(struct sw_fleet_text *row, struct sw_span text)
{
    static const char digits[] = "0123456789abcdef";
    char *at = sw_fleet_text_room(row, 6 * text.len + 2);
    if (!at)
        return;
    *at++ = '"';
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '"' || c == '\\') {
            *at++ = '\\';
            *at++ = (char)c;
        } else if (c < 0x20) {
            const char escape[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
            memcpy(at, escape, sizeof(escape));
            at += sizeof(escape);
        } else {
            *at++ = (char)c;
        }
    }
    *at++ = '"';
    row->used = (size_t)(at - row->bytes);
}

static void put_number(struct sw_fleet_text *row, uint64_t value)
{
    sw_fleet_text_number(row, value);
}

static void key(struct sw_fleet_text *row, const char *name)
{
    put_str(row, row->used == 0 ? "{\"" : ",\"");
    put_str(row, name);
    put_str(row, "\":");
}

static void text(struct sw_fleet_text *row, const char *name, struct sw_span value)
{
    key(row, name);
    put_string(row, value);
}

static void number(struct sw_fleet_text *row, const char *name, uint64_t value)
{
    key(row, name);
    put_number(row, value);
}

static void signed_number(struct sw_fleet_text *row, const char *name, int64_t value)
{
    key(row, name);
    if (value < 0)
        put_str(row, "-");
    put_number(row, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static int64_t day_of(const struct sw_fact *fact)
{
    int64_t day = fact->start_ns / NS_PER_DAY;
    return day < 0 ? 0 : day > LAST_DAY ? LAST_DAY : day;
}

uint32_t sw_fleet_row_month(const struct sw_fact *fact)
{
    char when[SW_TIME_TEXT_BYTES];
    (void)sw_time_format(day_of(fact) * NS_PER_DAY, 0, when);
    return (uint32_t)(strtoul(when, NULL, 10) * 100 + strtoul(when + 5, NULL, 10));
}

static void put_place(struct sw_fleet_text *row, const struct sw_fact *fact)
{
    char when[SW_TIME_TEXT_BYTES];
    (void)sw_time_format(day_of(fact) * NS_PER_DAY, 0, when);
    text(row, "day", sw_span_make(when, 10));
    signed_number(row, "start_ns", fact->start_ns);
    text(row, "file", sw_span_str(fact->file));
    key(row, "files");
    for (unsigned i = 0; fact->file_count > 1 && i < fact->file_count; i++) {
        put_str(row, i > 0 ? "," : "[");
        put_string(row, sw_span_str(fact->files[i]));
    }
    put_str(row, fact->file_count > 1 ? "]" : "[]");
    number(row, "first_frame", fact->first_frame);
}

static void put_peers(struct sw_fleet_text *row, const struct sw_fact *fact)
{
    char address[SW_ADDRESS_TEXT_BYTES];
    char address_key[SW_FLEET_KEY_BYTES];
    sw_address_format(fact->client, fact->ip_version, address);
    text(row, "client", sw_span_str(address));
    sw_address_format(fact->server, fact->ip_version, address);
    text(row, "server", sw_span_str(fact->has_server ? address : ""));
    text(row, "client_key", sw_span_str(sw_fleet_key(fact->client, fact->ip_version, address_key)));
    text(row, "server_key",
         sw_span_str(
             sw_fleet_key(fact->server, fact->has_server ? fact->ip_version : 0, address_key)));
    number(row, "server_port", fact->server_port);
    text(row, "server_name", fact->server_name);
    text(row, "outcome", sw_span_str(sw_outcome_name(fact->outcome)));
    text(row, "cause", sw_span_str(sw_cause_info(fact->cause)->id));
    text(
        row, "security",
        sw_span_str(fact->security != SW_SECURITY_UNKNOWN ? sw_security_name(fact->security) : ""));
}

/* One array for each part of the logins. */
static void put_logins(struct sw_fleet_text *row, const struct sw_fact *fact)
{
    static const char *const names[] = {"login_user", "login_mechanism", "login_exposed",
                                        "login_accepted", "login_frame"};
    number(row, "login", (uint64_t)fact->login);
    for (unsigned part = 0; part < sizeof(names) / sizeof(names[0]); part++) {
        key(row, names[part]);
        put_str(row, "[");
        for (unsigned i = 0; i < fact->login_count; i++) {
            const struct sw_fact_login *login = &fact->logins[i];
            const uint64_t numbers[] = {0, 0, login->exposed, login->accepted, login->frame};
            if (i > 0)
                put_str(row, ",");
            if (part < 2)
                put_string(row, part == 0 ? login->user : login->mechanism);
            else
                put_number(row, numbers[part]);
        }
        put_str(row, "]");
    }
}

static void put_findings(struct sw_fleet_text *row, const struct sw_fact *fact)
{
    static const char *const names[] = {"finding", "finding_severity", "finding_frame"};
    for (unsigned part = 0; part < sizeof(names) / sizeof(names[0]); part++) {
        key(row, names[part]);
        put_str(row, "[");
        for (unsigned i = 0; i < fact->finding_count; i++) {
            const struct sw_fact_finding *finding = &fact->findings[i];
            if (i > 0)
                put_str(row, ",");
            if (part == 0)
                put_string(row, sw_span_str(sw_finding_info(finding->id)->id));
            else
                put_number(row, part == 1 ? (uint64_t)finding->severity : finding->frame);
        }
        put_str(row, "]");
    }
}

static void put_certificate(struct sw_fleet_text *row, const struct sw_fact *fact)
{
    const struct sw_fact_certificate *c = &fact->certificate;
    int64_t end_ns = 0;
    if (c->known && sw_time_parse(c->not_after, &end_ns) != 0)
        end_ns = 0;
    number(row, "certified", (uint64_t)fact->certified);
    text(row, "certificate", sw_span_str(c->known ? c->sha256 : ""));
    text(row, "certificate_subject", c->subject);
    text(row, "certificate_issuer", c->issuer);
    text(row, "certificate_names", c->names);
    text(row, "certificate_not_before", sw_span_str(c->not_before));
    text(row, "certificate_not_after", sw_span_str(c->not_after));
    signed_number(row, "certificate_end_ns", end_ns);
    number(row, "certificate_problems", c->problems);
    number(row, "certificate_frame", c->frame);
}

static void put_protection(struct sw_fleet_text *row, const struct sw_fact *fact)
{
    number(row, "clear_mail", (uint64_t)fact->clear_mail);
    number(row, "clear_mail_frame", fact->clear_mail_frame);
    number(row, "starttls", (uint64_t)fact->starttls);
    number(row, "starttls_frame", fact->starttls_frame);
    number(row, "tls", (uint64_t)fact->tls);
    number(row, "tls_version", fact->tls_version);
    number(row, "tls_frame", fact->tls_frame);
    put_certificate(row, fact);
    bool greeted = fact->greeting_delay_ns != SW_TIME_NONE;
    signed_number(row, "greeting_delay_ns", greeted ? fact->greeting_delay_ns : -1);
    number(row, "greeting_due", fact->greeting_due);
    signed_number(row, "greeting_wait_ns", fact->greeting_wait_ns);
    number(row, "greeting_frame", fact->greeting_frame);
    text(row, "clear_keywords", fact->clear_keywords);
    text(row, "inner_keywords", fact->inner_keywords);
}

/* What the question of an audit is made of, as fleet_pack.h has it. */
static void put_packed(struct sw_fleet_row *row, const struct sw_fact *fact, const char *sensor)
{
    struct sw_fleet_text *packed = &row->packed;
    sw_fleet_pack_found(packed, fact);
    text(&row->line, "found", sw_span_make(packed->bytes, packed->used));
    sw_fleet_pack_alike(packed, fact);
    text(&row->line, "alike", sw_span_make(packed->bytes, packed->used));
    sw_fleet_pack_example(packed, fact, sensor);
    text(&row->line, "example", sw_span_make(packed->bytes, packed->used));
}

struct sw_span sw_fleet_row_write(struct sw_fleet_row *row, const struct sw_fact *fact,
                                  const char *sensor, uint64_t run_ver)
{
    struct sw_fleet_text *line = &row->line;
    line->used = 0;
    text(line, "sensor", sw_span_str(sensor));
    text(line, "session_uid", sw_span_str(fact->id));
    number(line, "run_ver", run_ver);
    put_place(line, fact);
    put_peers(line, fact);
    put_logins(line, fact);
    put_protection(line, fact);
    put_findings(line, fact);
    put_packed(row, fact, sensor);
    put_str(line, "}\n");
    bool good = !line->failed && !row->packed.failed;
    line->failed = row->packed.failed = false;
    return sw_span_make(line->bytes, good ? line->used : 0);
}

void sw_fleet_row_release(struct sw_fleet_row *row)
{
    sw_fleet_text_release(&row->line);
    sw_fleet_text_release(&row->packed);
}
