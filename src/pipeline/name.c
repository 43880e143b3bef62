/*
 * name.c - the names of a session: its own id and Community ID v1.
 */
#include "base/hash.h"
#include "crypto/digest.h"
#include "pipeline/engine.h"

static size_t put(uint8_t *out, size_t at, const void *bytes, size_t n)
{
    memcpy(out + at, bytes, n);
    return at + n;
}

static size_t put16(uint8_t *out, size_t at, uint16_t v)
{
    out[at] = (uint8_t)(v >> 8);
    out[at + 1] = (uint8_t)v;
    return at + 2;
}

/* https://github.com/corelight/community-id-spec: seed, smaller address first, protocol, a zero,
 * ports; SHA-1, base64. */
static void community_id(const struct sw_tuple *t, char out[40])
{
    uint8_t in[64];
    size_t address_bytes = t->ip_version == 6 ? 16 : 4;
    int order = memcmp(t->src, t->dst, address_bytes);
    bool swap = order > 0 || (order == 0 && t->src_port > t->dst_port);
    size_t n = put16(in, 0, 0);
    n = put(in, n, swap ? t->dst : t->src, address_bytes);
    n = put(in, n, swap ? t->src : t->dst, address_bytes);
    in[n++] = t->transport;
    in[n++] = 0;
    n = put16(in, n, swap ? t->dst_port : t->src_port);
    n = put16(in, n, swap ? t->src_port : t->dst_port);
    uint8_t digest[SW_SHA1_BYTES];
    if (!sw_sha1(sw_span_make(in, n), digest)) {
        out[0] = '\0';
        return;
    }
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;
    out[at++] = '1';
    out[at++] = ':';
    for (size_t i = 0; i < SW_SHA1_BYTES; i += 3) {
        uint32_t bits = (uint32_t)digest[i] << 16 | (uint32_t)digest[i + 1] << 8;
        bool last = i + 2 >= SW_SHA1_BYTES;
        if (!last)
            bits |= digest[i + 2];
        out[at++] = alphabet[bits >> 18 & 63];
        out[at++] = alphabet[bits >> 12 & 63];
        out[at++] = alphabet[bits >> 6 & 63];
        out[at++] = last ? '=' : alphabet[bits & 63];
    }
    out[at] = '\0';
}

void sw_session_name(struct sw_session *session)
{
    const struct sw_flow_facts *facts = session->facts;
    const struct sw_tuple *t = &facts->tuple;
    uint8_t in[64];
    size_t n = put(in, 0, t->src, sizeof(t->src));
    n = put(in, n, t->dst, sizeof(t->dst));
    n = put16(in, n, t->src_port);
    n = put16(in, n, t->dst_port);
    in[n++] = t->ip_version;
    for (int shift = 56; shift >= 0; shift -= 8)
        in[n++] = (uint8_t)((uint64_t)facts->first.time_ns >> shift);
    uint64_t id = sw_hash_sized(&sw_hash_fixed_key, in, n);
    if (session->lookup) /* two names may be looked up at the same moment */
        id ^= sw_hash_bytes(&sw_hash_fixed_key, session->lookup->name);
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(id >> (56 - 8 * i));
    sw_hex(bytes, sizeof(bytes), session->id);
    if (!session->lookup)
        community_id(t, session->community_id);
}
