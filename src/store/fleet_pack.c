#include "store/fleet_pack.h"

#include "base/address.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/network.h"
#include "base/time.h"
#include "store/fleet_schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { CODE_BYTES = 6, CODE_BITS = 30 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *sw_fleet_text_room(struct sw_fleet_text *text, size_t more)
{
    if (text->failed || more > SIZE_MAX / 4 - text->used)
        return NULL;
    if (text->used + more > text->room) {
        size_t room = text->room ? text->room : 4096;
        while (room < text->used + more)
            room *= 2;
        char *bytes = realloc(text->bytes, room);
        text->failed = !bytes;
        if (!bytes)
            return NULL;
        text->bytes = bytes;
        text->room = room;
    }
    return text->bytes + text->used;
}

void sw_fleet_text_put(struct sw_fleet_text *text, struct sw_span bytes)
{
    char *at = sw_fleet_text_room(text, bytes.len);
    if (!at || bytes.len == 0)
        return;
    memcpy(at, bytes.ptr, bytes.len);
    text->used += bytes.len;
}

void sw_fleet_text_number(struct sw_fleet_text *text, uint64_t value)
{
    uint8_t digits[SW_DIGITS];
    sw_fleet_text_put(text, sw_span_make(digits, sw_format_number(value, digits)));
}

void sw_fleet_text_release(struct sw_fleet_text *text)
{
    free(text->bytes);
    *text = (struct sw_fleet_text){.bytes = NULL};
}

static void put_field(struct sw_fleet_text *text, struct sw_span value)
{
    char *at = sw_fleet_text_room(text, 2 * value.len + 1);
    if (!at)
        return;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i];
        if (c == '\t' || c == '\n' || c == '\\') {
            *at++ = '\\';
            c = c == '\t' ? 't' : c == '\n' ? 'n' : c;
        }
        *at++ = (char)c;
    }
    *at++ = '\t';
    text->used = (size_t)(at - text->bytes);
}

static void put_str(struct sw_fleet_text *text, const char *value)
{
    put_field(text, sw_span_str(value));
}

static void put_number(struct sw_fleet_text *text, uint64_t value)
{
    sw_fleet_text_number(text, value);
    sw_fleet_text_put(text, SW_SPAN_LIT("\t"));
}

/* The next field; what was escaped is put into the arena. */
static struct sw_span take_field(struct sw_span *rest, struct sw_arena *arena)
{
    size_t end = sw_span_index(*rest, '\t');
    struct sw_span field = sw_span_sub(*rest, 0, end);
    *rest = sw_span_from(*rest, end + 1);
    if (sw_span_index(field, '\\') == field.len)
        return field;
    char *out = sw_arena_text(arena, field.len);
    size_t used = 0;
    for (size_t i = 0; out && i < field.len; i++) {
        uint8_t c = field.ptr[i];
        if (c == '\\' && i + 1 < field.len) {
            c = field.ptr[++i];
            c = c == 't' ? '\t' : c == 'n' ? '\n' : c;
        }
        out[used++] = (char)c;
    }
    return sw_span_make(out, used);
}

static const char *take_str(struct sw_span *rest, struct sw_arena *arena)
{
    struct sw_span field = take_field(rest, arena);
    char *out = sw_arena_text(arena, field.len + 1);
    if (!out)
        return "";
    if (field.len > 0)
        memcpy(out, field.ptr, field.len);
    out[field.len] = '\0';
    return out;
}

/* 0 when it is none. */
static uint64_t take_number(struct sw_span *rest)
{
    uint64_t value = 0;
    size_t end = sw_span_index(*rest, '\t');
    if (!sw_span_u64(sw_span_sub(*rest, 0, end), &value))
        value = 0;
    *rest = sw_span_from(*rest, end + 1);
    return value;
}

static enum sw_seen take_seen(struct sw_span *rest)
{
    uint64_t value = take_number(rest);
    return value <= SW_SEEN_YES ? (enum sw_seen)value : SW_SEEN_NOTHING;
}

/* The version; 0 when it is none. */
static uint8_t take_address(struct sw_span *rest, struct sw_arena *arena, uint8_t address[16])
{
    struct sw_network network;
    struct sw_span text = take_field(rest, arena);
    if (text.len == 0 || !sw_network_parse(text, &network))
        return 0;
    memcpy(address, network.address, sizeof(network.address));
    return network.ip_version;
}

/* Thirty bits of the id's hash in five characters: a unit test sees to it that they differ. */
static uint32_t code_of(enum sw_finding_id id)
{
    uint64_t hash = sw_hash_bytes(&sw_hash_fixed_key, sw_span_str(sw_finding_info(id)->id));
    return (uint32_t)(hash >> (64 - CODE_BITS));
}

void sw_fleet_codes_init(struct sw_fleet_codes *codes)
{
    for (int id = 0; id < SW_FINDING_COUNT; id++)
        codes->codes[id] = code_of((enum sw_finding_id)id);
}

static void put_findings(struct sw_fleet_text *text, const struct sw_fact *fact)
{
    for (unsigned i = 0; i < fact->finding_count; i++) {
        uint32_t code = code_of(fact->findings[i].id);
        uint8_t out[CODE_BYTES];
        for (unsigned c = 0; c < CODE_BYTES - 1; c++)
            out[c] = (uint8_t)alphabet[code >> (CODE_BITS - 6 * (c + 1)) & 63];
        out[CODE_BYTES - 1] = (uint8_t)('0' + (int)fact->findings[i].severity);
        sw_fleet_text_put(text, sw_span_make(out, sizeof(out)));
    }
}

static enum sw_finding_id finding_of(const struct sw_fleet_codes *codes, struct sw_span text)
{
    uint32_t code = 0;
    for (unsigned c = 0; c < CODE_BYTES - 1; c++) {
        const char *at = strchr(alphabet, text.ptr[c]);
        if (text.ptr[c] == '\0' || !at)
            return SW_FINDING_COUNT;
        code = code << 6 | (uint32_t)(at - alphabet);
    }
    for (int id = 0; id < SW_FINDING_COUNT; id++) {
        if (codes->codes[id] == code)
            return (enum sw_finding_id)id;
    }
    return SW_FINDING_COUNT;
}

/* One that this version does not know keeps its place, so that the frames fit, until those are
 * read. */
static void take_findings(struct sw_fact *fact, const struct sw_fleet_codes *codes,
                          struct sw_span text)
{
    for (; text.len >= CODE_BYTES && fact->finding_count < SW_FACT_FINDINGS;
         text = sw_span_from(text, CODE_BYTES)) {
        enum sw_finding_id id = finding_of(codes, text);
        unsigned severity = (unsigned)text.ptr[CODE_BYTES - 1] - '0';
        if (severity >= SW_SEVERITY_COUNT)
            id = SW_FINDING_COUNT;
        fact->findings[fact->finding_count++] = (struct sw_fact_finding){
            id, id == SW_FINDING_COUNT ? SW_SEVERITY_INFO : (enum sw_severity)severity, 0};
    }
}

/* The client's key, a blank, and the findings. */
void sw_fleet_pack_found(struct sw_fleet_text *text, const struct sw_fact *fact)
{
    char key[SW_FLEET_KEY_BYTES];
    text->used = 0;
    if (fact->finding_count == 0)
        return;
    sw_fleet_text_put(text, sw_span_str(sw_fleet_key(fact->client, fact->ip_version, key)));
    sw_fleet_text_put(text, SW_SPAN_LIT(" "));
    put_findings(text, fact);
}

static unsigned hex_value(uint8_t digit)
{
    return digit <= '9' ? (unsigned)digit - '0' : (unsigned)digit - 'a' + 10;
}

static void take_key(struct sw_fact *fact, struct sw_span key)
{
    struct sw_span digits = sw_span_from(key, 1);
    bool good = digits.len == 8 || digits.len == 32;
    for (size_t i = 0; i < digits.len; i++)
        good = good &&
               (sw_ascii_digit(digits.ptr[i]) || (digits.ptr[i] >= 'a' && digits.ptr[i] <= 'f'));
    if (!good)
        return;
    fact->ip_version = digits.len == 8 ? 4 : 6;
    for (size_t i = 0; i < digits.len / 2; i++)
        fact->client[i] =
            (uint8_t)(hex_value(digits.ptr[2 * i]) << 4 | hex_value(digits.ptr[2 * i + 1]));
}

void sw_fleet_unpack_found(struct sw_fact *fact, const struct sw_fleet_codes *codes,
                           struct sw_span text)
{
    size_t blank = sw_span_index(text, ' ');
    take_key(fact, sw_span_sub(text, 0, blank));
    take_findings(fact, codes, sw_span_from(text, blank + 1));
}

/* Frames are told from the first one on; none is an empty field. */
static void put_frame(struct sw_fleet_text *text, const struct sw_fact *fact, uint64_t frame,
                      struct sw_span end)
{
    if (frame != 0)
        sw_fleet_text_number(text, frame - fact->first_frame);
    sw_fleet_text_put(text, end);
}

static uint64_t frame_of(const struct sw_fact *fact, struct sw_span text)
{
    uint64_t distance = 0;
    return sw_span_u64(text, &distance) ? fact->first_frame + distance : 0;
}

static uint64_t take_frame(const struct sw_fact *fact, struct sw_span *rest)
{
    size_t end = sw_span_index(*rest, '\t');
    uint64_t frame = frame_of(fact, sw_span_sub(*rest, 0, end));
    *rest = sw_span_from(*rest, end + 1);
    return frame;
}

static void take_finding_frames(struct sw_fact *fact, struct sw_span frames)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < fact->finding_count; i++) {
        struct sw_fact_finding finding = fact->findings[i];
        size_t end = sw_span_index(frames, ' ');
        finding.frame = frame_of(fact, sw_span_sub(frames, 0, end));
        frames = sw_span_from(frames, end + 1);
        if (finding.id != SW_FINDING_COUNT)
            fact->findings[kept++] = finding;
    }
    fact->finding_count = kept;
}

void sw_fleet_unpack_found_alone(struct sw_fact *fact, const struct sw_fleet_codes *codes,
                                 struct sw_span text)
{
    sw_fleet_unpack_found(fact, codes, text);
    take_finding_frames(fact, (struct sw_span){NULL, 0});
}

static void pack_certificate(struct sw_fleet_text *text, const struct sw_fact *fact)
{
    const struct sw_fact_certificate *c = &fact->certificate;
    put_number(text, (uint64_t)fact->certified);
    put_str(text, c->known ? c->sha256 : "");
    put_number(text, c->problems);
    put_field(text, c->subject);
    put_field(text, c->issuer);
    put_field(text, c->names);
    put_str(text, c->not_before);
    put_str(text, c->not_after);
}

static void unpack_certificate(struct sw_fact *fact, struct sw_span *rest, struct sw_arena *arena)
{
    struct sw_fact_certificate *c = &fact->certificate;
    fact->certified = take_seen(rest);
    c->sha256 = take_str(rest, arena);
    c->known = c->sha256[0] != '\0';
    c->problems = (uint32_t)take_number(rest);
    c->subject = take_field(rest, arena);
    c->issuer = take_field(rest, arena);
    c->names = take_field(rest, arena);
    c->not_before = take_str(rest, arena);
    c->not_after = take_str(rest, arena);
}

void sw_fleet_pack_alike(struct sw_fleet_text *text, const struct sw_fact *fact)
{
    char address[SW_ADDRESS_TEXT_BYTES];
    text->used = 0;
    put_findings(text, fact);
    sw_fleet_text_put(text, SW_SPAN_LIT("\t"));
    sw_address_format(fact->server, fact->ip_version, address);
    put_str(text, fact->has_server ? address : "");
    put_number(text, fact->server_port);
    put_field(text, fact->server_name);
    put_str(text, sw_outcome_name(fact->outcome));
    put_str(text, sw_cause_info(fact->cause)->id);
    put_number(text, (uint64_t)fact->login);
    put_number(text, (uint64_t)fact->clear_mail);
    put_number(text, (uint64_t)fact->starttls);
    put_number(text, (uint64_t)fact->tls);
    put_number(text, fact->tls_version);
    pack_certificate(text, fact);
    put_number(text, fact->greeting_due);
    put_number(text, fact->greeting_delay_ns != SW_TIME_NONE);
    for (unsigned i = 0; i < fact->login_count; i++) {
        put_field(text, fact->logins[i].user);
        put_number(text, fact->logins[i].exposed);
    }
}

void sw_fleet_unpack_alike(struct sw_fact *fact, const struct sw_fleet_codes *codes,
                           struct sw_span text, struct sw_arena *arena)
{
    struct sw_span rest = text;
    take_findings(fact, codes, take_field(&rest, arena));
    fact->has_server = take_address(&rest, arena, fact->server) != 0;
    fact->server_port = (uint16_t)take_number(&rest);
    fact->server_name = take_field(&rest, arena);
    fact->outcome = sw_fact_outcome(take_field(&rest, arena));
    fact->cause = sw_cause_by_id(take_field(&rest, arena));
    fact->login = take_seen(&rest);
    fact->clear_mail = take_seen(&rest);
    fact->starttls = take_seen(&rest);
    fact->tls = take_seen(&rest);
    fact->tls_version = (uint16_t)take_number(&rest);
    unpack_certificate(fact, &rest, arena);
    fact->greeting_due = take_number(&rest) != 0;
    if (take_number(&rest) == 0)
        fact->greeting_delay_ns = SW_TIME_NONE;
    while (rest.len > 0 && fact->login_count < SW_FACT_LOGINS) {
        struct sw_fact_login *login = &fact->logins[fact->login_count++];
        login->user = take_field(&rest, arena);
        login->exposed = take_number(&rest) != 0;
    }
}

void sw_fleet_pack_example(struct sw_fleet_text *text, const struct sw_fact *fact,
                           const char *sensor)
{
    char address[SW_ADDRESS_TEXT_BYTES];
    char moment[17];
    const struct sw_span tab = SW_SPAN_LIT("\t");
    text->used = 0;
    /* with the sign turned round, so that the order of the texts is that of the times */
    (void)snprintf(moment, sizeof(moment), "%016" PRIx64,
                   (uint64_t)fact->start_ns ^ (UINT64_C(1) << 63));
    sw_fleet_text_put(text, sw_span_str(moment));
    put_str(text, fact->id);
    sw_address_format(fact->client, fact->ip_version, address);
    put_str(text, address);
    put_number(text, fact->first_frame);
    for (unsigned i = 0; i < fact->finding_count; i++)
        put_frame(text, fact, fact->findings[i].frame, SW_SPAN_LIT(" "));
    sw_fleet_text_put(text, tab);
    put_frame(text, fact, fact->clear_mail_frame, tab);
    put_frame(text, fact, fact->starttls_frame, tab);
    put_frame(text, fact, fact->tls_frame, tab);
    put_frame(text, fact, fact->certificate.frame, tab);
    put_frame(text, fact, fact->greeting_frame, tab);
    for (unsigned i = 0; i < fact->login_count; i++)
        put_frame(text, fact, fact->logins[i].frame, SW_SPAN_LIT(" "));
    sw_fleet_text_put(text, tab);
    put_str(text, sensor);
    put_str(text, fact->file);
    for (unsigned i = 0; fact->file_count > 1 && i < fact->file_count; i++)
        put_str(text, fact->files[i]);
}

/* "SENSOR:FILE", of one capture or of all of a series. */
static void unpack_files(struct sw_fact *fact, struct sw_span *rest, struct sw_arena *arena)
{
    const char *sensor = take_str(rest, arena);
    fact->file = sw_arena_printf(arena, "%s:%s", sensor, take_str(rest, arena));
    if (!fact->file)
        fact->file = "";
    unsigned count = 0;
    for (size_t i = 0; i < rest->len; i++)
        count += rest->ptr[i] == '\t';
    const char **files = count > 0 ? sw_arena_alloc(arena, count * sizeof(*files)) : NULL;
    for (unsigned i = 0; files && i < count; i++) {
        files[i] = sw_arena_printf(arena, "%s:%s", sensor, take_str(rest, arena));
        if (!files[i])
            files[i] = "";
    }
    fact->files = files;
    fact->file_count = files ? count : 0;
}

void sw_fleet_unpack_example(struct sw_fact *fact, struct sw_span text, struct sw_arena *arena)
{
    struct sw_span rest = text;
    const char *moment = take_str(&rest, arena);
    if (strlen(moment) == 32) {
        char digits[17] = "";
        memcpy(digits, moment, 16);
        fact->start_ns = (int64_t)(strtoull(digits, NULL, 16) ^ (UINT64_C(1) << 63));
        fact->id = moment + 16;
    }
    fact->ip_version = take_address(&rest, arena, fact->client);
    fact->first_frame = take_number(&rest);
    take_finding_frames(fact, take_field(&rest, arena));
    fact->clear_mail_frame = take_frame(fact, &rest);
    fact->starttls_frame = take_frame(fact, &rest);
    fact->tls_frame = take_frame(fact, &rest);
    fact->certificate.frame = take_frame(fact, &rest);
    fact->greeting_frame = take_frame(fact, &rest);
    struct sw_span logins = take_field(&rest, arena);
    for (unsigned i = 0; i < fact->login_count; i++) {
        size_t end = sw_span_index(logins, ' ');
        fact->logins[i].frame = frame_of(fact, sw_span_sub(logins, 0, end));
        logins = sw_span_from(logins, end + 1);
    }
    unpack_files(fact, &rest, arena);
}
