/*
 * fuzz_dns.c - one message of UDP, and the same bytes as a TCP stream: in one go, cut as the first
 * octet says, and octet by octet must give the same events.
 */
#include "base/hash.h"
#include "dissectors/dns/dns.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct digest {
    uint64_t events;
    uint64_t sum;
};

static void add(struct digest *d, const void *bytes, size_t n)
{
    d->events++;
    d->sum = d->sum * 31 + sw_hash_bytes(&sw_hash_fixed_key, sw_span_make(bytes, n));
}

static void add_name(struct digest *d, const struct dns_name *name)
{
    if (name->length > DNS_NAME_BYTES || name->text[name->length] != '\0')
        abort();
    for (uint16_t i = 0; i < name->length; i++) {
        if (name->text[i] <= ' ' || name->text[i] > '~')
            abort();
    }
    add(d, name->text, name->length);
}

static void on_message(void *ctx, const struct dns_message *m, struct sw_at at)
{
    add_name(ctx, &m->name);
    add(ctx, &at.offset, sizeof(at.offset));
}

static void on_record(void *ctx, const struct dns_message *m, const struct dns_record *r)
{
    (void)m;
    add_name(ctx, r->owner);
    if (r->target)
        add_name(ctx, r->target);
    add(ctx, r->address, sizeof(r->address));
    add(ctx, r->text.ptr, r->text.len);
}

static void on_end(void *ctx, const struct dns_message *m, bool broken)
{
    (void)m;
    add(ctx, &broken, sizeof(broken));
}

static struct digest stream(struct sw_span bytes, size_t step)
{
    static struct dns_stream s;
    struct digest d = {0};
    struct dns_sink sink = {&d, on_message, on_record, on_end};
    s = (struct dns_stream){0};
    for (size_t at = 0; at < bytes.len; at += step) {
        struct sw_piece piece = {SW_FROM_SERVER, {at, 1, 0}, sw_span_sub(bytes, at, step)};
        dns_stream_feed(&s, &piece, &sink);
    }
    return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct digest udp = {0};
    struct dns_sink sink = {&udp, on_message, on_record, on_end};
    (void)dns_read(sw_span_make(data + 1, size - 1), (struct sw_at){0}, &sink);
    struct sw_span bytes = sw_span_make(data + 1, size - 1);
    struct digest whole = stream(bytes, size);
    struct digest cut = stream(bytes, 1u + data[0]);
    struct digest single = stream(bytes, 1);
    if (memcmp(&whole, &cut, sizeof(whole)) != 0 || memcmp(&whole, &single, sizeof(whole)) != 0)
        abort();
    return 0;
}
