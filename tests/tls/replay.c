#include "tls/replay.h"

#include <stdarg.h>
#include <stdio.h>

static void mix(uint64_t *hash, uint64_t value)
{
    *hash = (*hash ^ value) * 0x100000001B3u;
}

static void say(struct tls_replay *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void say(struct tls_replay *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(r->log + r->used, TLS_REPLAY_LOG - r->used, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < TLS_REPLAY_LOG - r->used)
        r->used += (size_t)n;
}

static void say_flags(struct tls_replay *r, uint32_t flags)
{
    static const char *const names[] = {"encrypted", "decrypted", "cut", "guessed", "ssl2"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (flags & (1u << i))
            say(r, " %s", names[i]);
    }
}

static void say_list(struct tls_replay *r, const char *name, const uint16_t *at, uint16_t kept,
                     uint16_t count)
{
    if (count == 0)
        return;
    say(r, " %s=", name);
    for (uint16_t i = 0; i < kept; i++)
        say(r, "%s%04x", i ? "," : "", at[i]);
    if (count > kept)
        say(r, ",+%u", (unsigned)(count - kept));
}

static void say_hello(struct tls_replay *r, const struct tls_hello *h)
{
    static const struct {
        const char *name;
        size_t offset;
    } flags[] = {
        {"retry", offsetof(struct tls_hello, retry)},
        {"renegotiation-info", offsetof(struct tls_hello, empty_renegotiation_info)},
        {"fallback", offsetof(struct tls_hello, fallback_scsv)},
        {"etm", offsetof(struct tls_hello, encrypt_then_mac)},
        {"ems", offsetof(struct tls_hello, extended_master)},
        {"early-data", offsetof(struct tls_hello, early_data)},
        {"psk", offsetof(struct tls_hello, pre_shared_key)},
        {"ticket", offsetof(struct tls_hello, ticket)},
        {"ech", offsetof(struct tls_hello, encrypted_hello)},
    };
    if (h->legacy_version) /* EncryptedExtensions has neither */
        say(r, " legacy=%04x version=%04x random=%02x..%02x id=%u", h->legacy_version, h->version,
            h->random[0], h->random[TLS_RANDOM - 1], h->session_id_len);
    if (h->cipher)
        say(r, " cipher=%04x compression=%u", h->cipher, h->compression);
    if (h->group)
        say(r, " group=%04x", h->group);
    if (h->has_name)
        say(r, " name=\"%.*s\"", h->name_len, (const char *)h->name);
    if (h->alpn_len)
        say(r, " alpn=\"%.*s\"", h->alpn_len, (const char *)h->alpn);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        bool on;
        memcpy(&on, (const char *)h + flags[i].offset, sizeof(on));
        if (on)
            say(r, " %s", flags[i].name);
    }
    say_list(r, "ciphers", h->ciphers.at, h->ciphers.kept, h->ciphers.count);
    say_list(r, "extensions", h->extensions.at, h->extensions.kept, h->extensions.count);
    say_list(r, "versions", h->versions.at, h->versions.kept, h->versions.count);
    say_list(r, "groups", h->groups.at, h->groups.kept, h->groups.count);
    say_list(r, "schemes", h->schemes.at, h->schemes.kept, h->schemes.count);
}

/* Pieces depend on the chunks; together they must not. */
static void count_bytes(struct tls_replay *r, const struct tls_event *e)
{
    r->bytes[e->from][e->kind] += e->bytes.len + e->number * (e->bytes.len == 0);
    for (size_t i = 0; i < e->bytes.len; i++)
        mix(&r->octets[e->from][e->kind], e->bytes.ptr[i]);
}

static uint64_t told(struct tls_replay *r, enum sw_from from, enum tls_event_kind kind)
{
    uint64_t n = r->bytes[from][kind];
    r->bytes[from][kind] = 0;
    mix(&r->detail, r->octets[from][kind]);
    return n;
}

static void expect(struct tls_replay *r, bool good)
{
    r->broken = r->broken || !good;
}

/* What opens is closed once, in order. */
static void check_order(struct tls_replay *r, const struct tls_event *e)
{
    int *records = &r->open_records[e->from];
    int *messages = &r->open_messages[e->from];
    int *certificates = &r->open_certificates[e->from];
    switch (e->kind) {
    case TLS_EVENT_RECORD:
        expect(r, (*records)++ == 0);
        break;
    case TLS_EVENT_RECORD_BYTES:
        expect(r, *records == 1 && e->bytes.len > 0);
        break;
    case TLS_EVENT_RECORD_END:
        expect(r, --*records == 0);
        break;
    case TLS_EVENT_HANDSHAKE:
        expect(r, (*messages)++ == 0);
        break;
    case TLS_EVENT_HANDSHAKE_BYTES:
        expect(r, *messages == 1 && (e->bytes.len > 0 || e->number > 0));
        break;
    case TLS_EVENT_HANDSHAKE_END:
        expect(r, --*messages == 0 && *certificates == 0);
        break;
    case TLS_EVENT_CERTIFICATE:
        expect(r, *messages == 1 && (*certificates)++ == 0);
        break;
    case TLS_EVENT_CERTIFICATE_BYTES:
        expect(r, *certificates == 1 && e->bytes.len > 0);
        break;
    case TLS_EVENT_CERTIFICATE_END:
        expect(r, --*certificates == 0);
        break;
    case TLS_EVENT_CLIENT_HELLO:
    case TLS_EVENT_SERVER_HELLO:
    case TLS_EVENT_ENCRYPTED_EXTENSIONS:
        expect(r, e->hello != NULL && e->hello->ciphers.kept <= TLS_CIPHERS);
        break;
    case TLS_EVENT_DH_PRIME:
    case TLS_EVENT_ALERT:
    case TLS_EVENT_APPLICATION:
    case TLS_EVENT_GAP:
    case TLS_EVENT_ANOMALY:
        break;
    }
}

static void on_event(void *ctx, const struct tls_event *e)
{
    static const char *const odd[] = {
        "junk", "resync", "length", "hello", "alert", "second-server-hello", "empty-record"};
    static const char *const junk[] = {"binary", "smtp", "http", "text"};
    struct tls_replay *r = ctx;
    char side = e->from == SW_FROM_SERVER ? 'S' : 'C';
    check_order(r, e);
    if (e->kind == TLS_EVENT_RECORD_BYTES || e->kind == TLS_EVENT_HANDSHAKE_BYTES ||
        e->kind == TLS_EVENT_CERTIFICATE_BYTES) {
        count_bytes(r, e);
        return;
    }
    const uint64_t fields[] = {e->kind,
                               e->from,
                               e->anomaly,
                               e->flags,
                               e->version,
                               e->code,
                               e->number,
                               e->begin.offset,
                               e->begin.frame,
                               e->end.offset,
                               e->end.frame,
                               e->bytes.len,
                               (uint64_t)e->end.time_ns};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        mix(&r->detail, fields[i]);
    switch (e->kind) {
    case TLS_EVENT_RECORD:
        say(r, "record %c %u %04x %llu", side, e->code, e->version, (unsigned long long)e->number);
        break;
    case TLS_EVENT_RECORD_END:
        r->record[e->from] = *e;
        say(r, "end %c %llu", side, (unsigned long long)told(r, e->from, TLS_EVENT_RECORD_BYTES));
        break;
    case TLS_EVENT_HANDSHAKE:
        say(r, "  message %c %u %llu", side, e->code, (unsigned long long)e->number);
        break;
    case TLS_EVENT_HANDSHAKE_END:
        say(r, "  done %c %llu", side,
            (unsigned long long)told(r, e->from, TLS_EVENT_HANDSHAKE_BYTES));
        break;
    case TLS_EVENT_CLIENT_HELLO:
        say(r, "  client-hello");
        say_hello(r, e->hello);
        break;
    case TLS_EVENT_SERVER_HELLO:
        say(r, "  server-hello");
        say_hello(r, e->hello);
        break;
    case TLS_EVENT_ENCRYPTED_EXTENSIONS:
        say(r, "  extensions");
        say_hello(r, e->hello);
        break;
    case TLS_EVENT_CERTIFICATE:
        say(r, "  certificate %c %u %llu", side, e->code, (unsigned long long)e->number);
        break;
    case TLS_EVENT_CERTIFICATE_END:
        say(r, "  certificate-end %c %llu", side,
            (unsigned long long)told(r, e->from, TLS_EVENT_CERTIFICATE_BYTES));
        break;
    case TLS_EVENT_DH_PRIME:
        say(r, "  prime %llu", (unsigned long long)e->number);
        break;
    case TLS_EVENT_ALERT:
        say(r, "  alert %c %llu %u", side, (unsigned long long)e->number, e->code);
        break;
    case TLS_EVENT_APPLICATION:
        say(r, "  application %c %zu", side, e->bytes.len);
        break;
    case TLS_EVENT_GAP:
        say(r, "gap %c %llu", side, (unsigned long long)e->number);
        break;
    case TLS_EVENT_ANOMALY:
        say(r, "odd %c %s", side, odd[e->anomaly]);
        if (e->anomaly == TLS_ODD_JUNK)
            say(r, " %s", junk[e->number]);
        else
            say(r, " %u %llu", e->code, (unsigned long long)e->number);
        break;
    case TLS_EVENT_RECORD_BYTES:
    case TLS_EVENT_HANDSHAKE_BYTES:
    case TLS_EVENT_CERTIFICATE_BYTES:
        break;
    }
    say_flags(r, e->flags);
    say(r, "\n");
}

void tls_replay_begin(struct tls_replay *r, bool midstream)
{
    memset(r, 0, sizeof(*r));
    tls_init(&r->tls, midstream);
    r->sink = (struct tls_sink){on_event, r};
}

static struct sw_at at(const struct tls_replay *r, enum sw_from from, uint64_t frame)
{
    return (struct sw_at){r->offset[from], frame, (int64_t)frame * 1000};
}

void tls_replay_feed(struct tls_replay *r, enum sw_from from, struct sw_span bytes, uint64_t frame)
{
    struct sw_piece piece = {.from = from, .at = at(r, from, frame), .bytes = bytes};
    tls_feed(&r->tls, &piece, &r->sink);
    r->offset[from] += bytes.len;
}

void tls_replay_inner(struct tls_replay *r, enum sw_from from, uint8_t content, struct sw_span text)
{
    tls_inner(&r->tls, from, content, text, &r->record[from], &r->sink);
}

void tls_replay_gap(struct tls_replay *r, enum sw_from from, uint64_t length, uint64_t frame)
{
    tls_gap(&r->tls, from, length, at(r, from, frame), &r->sink);
    r->offset[from] += length;
}

void tls_replay_end(struct tls_replay *r, uint64_t frame)
{
    tls_end(&r->tls, SW_FROM_CLIENT, at(r, SW_FROM_CLIENT, frame), &r->sink);
    tls_end(&r->tls, SW_FROM_SERVER, at(r, SW_FROM_SERVER, frame), &r->sink);
    for (int side = 0; side < 2; side++)
        expect(r, r->open_records[side] == 0 && r->open_messages[side] == 0);
}
