/*
 * fleet_reader.c - reads the answer of the store. It is not trusted more than a capture is: a value
 * that makes no sense is passed over, and one that has no end ends the reading.
 */
#include "store/fleet_query.h"

#include "base/cursor.h"
#include "base/network.h"
#include "base/time.h"

#include <stdlib.h>

enum { ROW_BYTES_MOST = 16 << 20, ARRAY_MOST = 70000, ROW_ARENA = 64 << 20 };

/* Unsigned LEB128. */
static uint64_t read_length(struct sw_cursor *c)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 63 && !c->bad; shift += 7) {
        uint8_t byte = sw_cursor_u8(c);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    c->bad = true;
    return 0;
}

static struct sw_span read_span(struct sw_cursor *c)
{
    uint64_t length = read_length(c);
    return sw_cursor_take(c, length > SIZE_MAX ? SIZE_MAX : (size_t)length);
}

static const char *read_str(struct sw_fleet_reader *r, struct sw_cursor *c, struct sw_span before)
{
    struct sw_span text = read_span(c);
    char *out = sw_arena_text(&r->row, before.len + text.len + 1);
    if (!out)
        return "";
    if (before.len > 0)
        memcpy(out, before.ptr, before.len);
    if (text.len > 0)
        memcpy(out + before.len, text.ptr, text.len);
    out[before.len + text.len] = '\0';
    return out;
}

/* How many items follow; what is beyond `most` has to be passed over. */
static unsigned read_count(struct sw_cursor *c)
{
    uint64_t count = read_length(c);
    if (count > ARRAY_MOST)
        c->bad = true;
    return c->bad ? 0 : (unsigned)count;
}

static enum sw_seen read_seen(struct sw_cursor *c)
{
    uint8_t value = sw_cursor_u8(c);
    return value <= SW_SEEN_YES ? (enum sw_seen)value : SW_SEEN_NOTHING;
}

/* 0 when it is none. */
static uint8_t read_address(struct sw_cursor *c, uint8_t address[16])
{
    struct sw_network network;
    struct sw_span text = read_span(c);
    if (text.len == 0 || !sw_network_parse(text, &network))
        return 0;
    memcpy(address, network.address, sizeof(network.address));
    return network.ip_version;
}

static void read_logins(struct sw_fact *f, struct sw_cursor *c)
{
    f->login = read_seen(c);
    unsigned count = read_count(c);
    for (unsigned i = 0; i < count && !c->bad; i++) {
        struct sw_span user = read_span(c);
        if (i < SW_FACT_LOGINS)
            f->logins[f->login_count++].user = user;
    }
    count = read_count(c);
    for (unsigned i = 0; i < count && !c->bad; i++) {
        uint8_t exposed = sw_cursor_u8(c);
        if (i < f->login_count)
            f->logins[i].exposed = exposed != 0;
    }
}

/* "aud-x:2 aud-y:3"; `known` gets the ids as they stand, with those that this version does not
 * have. */
static unsigned read_findings(struct sw_fact *f, struct sw_cursor *c,
                              enum sw_finding_id known[SW_FACT_FINDINGS])
{
    struct sw_span rest = read_span(c);
    unsigned kept = 0;
    for (struct sw_span word = sw_span_word(&rest); word.len > 0 && kept < SW_FACT_FINDINGS;
         word = sw_span_word(&rest)) {
        size_t colon = sw_span_index(word, ':');
        enum sw_finding_id id = sw_finding_by_id(sw_span_sub(word, 0, colon));
        uint64_t severity = 0;
        if (!sw_span_u64(sw_span_from(word, colon + 1), &severity) || severity >= SW_SEVERITY_COUNT)
            id = SW_FINDING_COUNT;
        known[kept++] = id;
        if (id != SW_FINDING_COUNT)
            f->findings[f->finding_count++] =
                (struct sw_fact_finding){id, (enum sw_severity)severity, 0};
    }
    return kept;
}

static void read_keys(struct sw_fact *f, struct sw_fleet_reader *r, struct sw_cursor *c)
{
    f->has_server = read_address(c, f->server) != 0;
    f->server_port = sw_cursor_le16(c);
    f->server_name = read_span(c);
    f->outcome = sw_fact_outcome(read_span(c));
    f->cause = sw_cause_by_id(read_span(c));
    read_logins(f, c);
    f->clear_mail = read_seen(c);
    f->starttls = read_seen(c);
    f->tls = read_seen(c);
    f->tls_version = sw_cursor_le16(c);
    f->certified = read_seen(c);
    f->certificate.sha256 = read_str(r, c, sw_span_str(""));
    f->certificate.known = f->certificate.sha256[0] != '\0';
    f->certificate.problems = sw_cursor_le32(c);
    f->greeting_due = sw_cursor_u8(c) != 0;
    if (sw_cursor_u8(c) != 0)
        f->greeting_delay_ns = SW_TIME_NONE;
}

static void read_files(struct sw_fact *f, struct sw_fleet_reader *r, struct sw_cursor *c,
                       struct sw_span sensor)
{
    f->file = read_str(r, c, sensor);
    unsigned count = read_count(c);
    if (count == 0 || count > c->left) /* each has a length at least */
        return;
    const char **files = sw_arena_alloc(&r->row, count * sizeof(*files));
    for (unsigned i = 0; i < count && !c->bad; i++) {
        const char *name = read_str(r, c, sensor);
        if (files)
            files[i] = name;
    }
    f->files = files;
    f->file_count = files ? count : 0;
}

static void read_certificate(struct sw_fact_certificate *certificate, struct sw_fleet_reader *r,
                             struct sw_cursor *c)
{
    certificate->subject = read_span(c);
    certificate->issuer = read_span(c);
    certificate->names = read_span(c);
    certificate->not_before = read_str(r, c, sw_span_str(""));
    certificate->not_after = read_str(r, c, sw_span_str(""));
    certificate->frame = sw_cursor_le64(c);
}

static void read_frames(struct sw_cursor *c, uint64_t *frames, unsigned room)
{
    unsigned count = read_count(c);
    for (unsigned i = 0; i < count && !c->bad; i++) {
        uint64_t frame = sw_cursor_le64(c);
        if (i < room)
            frames[i] = frame;
    }
}

/* Of the earliest session, what both questions ask for. */
static void read_place(struct sw_fact *f, struct sw_fleet_reader *r, struct sw_cursor *c)
{
    f->start_ns = (int64_t)sw_cursor_le64(c);
    struct sw_span uid = sw_cursor_take(c, 16);
    char *id = sw_arena_text(&r->row, 17);
    if (id && uid.len == 16) {
        memcpy(id, uid.ptr, 16);
        id[16] = '\0';
        f->id = id;
    }
    const char *sensor = read_str(r, c, sw_span_str(""));
    read_files(f, r, c, sw_span_str(sw_arena_printf(&r->row, "%s:", sensor)));
    f->first_frame = sw_cursor_le64(c);
}

static void read_finding_frames(struct sw_fact *f, struct sw_cursor *c,
                                const enum sw_finding_id known[SW_FACT_FINDINGS], unsigned kept)
{
    uint64_t frames[SW_FACT_FINDINGS] = {0};
    unsigned at = 0;
    read_frames(c, frames, SW_FACT_FINDINGS);
    for (unsigned i = 0; i < kept && at < f->finding_count; i++) {
        if (known[i] != SW_FINDING_COUNT)
            f->findings[at++].frame = frames[i];
    }
}

static void read_protection(struct sw_fact *f, struct sw_fleet_reader *r, struct sw_cursor *c)
{
    uint64_t logins[SW_FACT_LOGINS] = {0};
    f->ip_version = read_address(c, f->client);
    f->security = sw_fact_security(read_span(c));
    read_frames(c, logins, SW_FACT_LOGINS);
    for (unsigned i = 0; i < f->login_count; i++)
        f->logins[i].frame = logins[i];
    f->clear_mail_frame = sw_cursor_le64(c);
    f->starttls_frame = sw_cursor_le64(c);
    f->tls_frame = sw_cursor_le64(c);
    read_certificate(&f->certificate, r, c);
    f->greeting_frame = sw_cursor_le64(c);
}

/* One row; the cursor is bad when it has not come completely. */
static void read_row(struct sw_fleet_reader *r, struct sw_cursor *c)
{
    enum sw_finding_id known[SW_FACT_FINDINGS];
    struct sw_fact *f = &r->fact;
    bool whole = r->part != SW_FACT_CLIENT;
    *f = (struct sw_fact){.id = "", .part = r->part};
    uint64_t count = sw_cursor_le64(c);
    int64_t last_ns = (int64_t)sw_cursor_le64(c);
    f->others = count > 0 ? count - 1 : 0;
    if (whole) {
        f->greeting_delay_ns = (int64_t)sw_cursor_le64(c);
        f->greeting_wait_ns = (int64_t)sw_cursor_le64(c);
        read_keys(f, r, c);
    } else {
        f->ip_version = read_address(c, f->client);
    }
    unsigned kept = read_findings(f, c, known);
    read_place(f, r, c);
    read_finding_frames(f, c, known, kept);
    if (whole)
        read_protection(f, r, c);
    f->span_ns = last_ns > f->start_ns ? sw_time_between(f->start_ns, last_ns) : 0;
}

void sw_fleet_reader_init(struct sw_fleet_reader *reader,
                          void (*take)(void *ctx, const struct sw_fact *fact), void *ctx)
{
    *reader = (struct sw_fleet_reader){.take = take, .ctx = ctx};
    sw_arena_init(&reader->row, ROW_ARENA, NULL);
}

bool sw_fleet_reader_take(void *ctx, struct sw_span piece)
{
    struct sw_fleet_reader *r = ctx;
    if (r->used + piece.len > r->room) {
        size_t room = r->room ? r->room : 65536;
        while (room < r->used + piece.len)
            room *= 2;
        uint8_t *bytes = room <= 2 * (size_t)ROW_BYTES_MOST ? realloc(r->bytes, room) : NULL;
        if (!bytes)
            return false;
        r->bytes = bytes;
        r->room = room;
    }
    if (piece.len > 0)
        memcpy(r->bytes + r->used, piece.ptr, piece.len);
    r->used += piece.len;
    struct sw_span rest = sw_span_make(r->bytes, r->used);
    while (rest.len > 0) {
        struct sw_cursor c = sw_cursor_make(rest);
        read_row(r, &c);
        bool whole = !c.bad;
        if (whole) {
            rest = sw_cursor_rest(&c);
            r->facts++;
            r->take(r->ctx, &r->fact);
        }
        bool short_of_memory = r->row.exhausted;
        sw_arena_release(&r->row);
        if (short_of_memory)
            return false;
        if (!whole)
            break;
    }
    if (rest.len > 0)
        memmove(r->bytes, rest.ptr, rest.len);
    r->used = rest.len;
    return true;
}

bool sw_fleet_reader_is_done(const struct sw_fleet_reader *reader)
{
    return reader->used == 0;
}

void sw_fleet_reader_release(struct sw_fleet_reader *reader)
{
    sw_arena_release(&reader->row);
    free(reader->bytes);
    *reader = (struct sw_fleet_reader){.take = NULL};
}
