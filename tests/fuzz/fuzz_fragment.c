/*
 * Any parts in any order, against a model that keeps every byte of every packet: of two copies the
 * first wins, a packet is whole when nothing is missing, every part is counted once, and the caps
 * hold. Four bytes say what a part is: packet and end, place, length, how much was cut off.
 */
#include "flow/fragment.h"

#include <stdlib.h>

enum { PACKETS = 4, UNITS = 32, BYTES = UNITS * 8, HELD_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
    if (!truth)
        abort();
}

struct model {
    bool has_end;
    uint32_t total;
    uint8_t there[BYTES]; /* 0 missing, 1 cut off, 2 captured */
    uint8_t bytes[BYTES];
    uint32_t frames;
};

/* True when it makes the packet whole. */
static bool model_takes(struct model *m, const struct sw_packet *part)
{
    uint32_t from = part->part.offset;
    uint32_t end = from + part->payload_wire;
    m->frames++;
    if (!m->has_end && !part->part.more) {
        m->has_end = true;
        m->total = end;
    } else if (m->has_end && (end > m->total || (!part->part.more && end < m->total))) {
        return false;
    }
    for (uint32_t at = from; at < end; at++) {
        if (m->there[at] != 0)
            continue;
        bool captured = at - from < part->payload.len;
        m->there[at] = captured ? 2 : 1;
        if (captured)
            m->bytes[at] = part->payload.ptr[at - from];
    }
    for (uint32_t at = 0; at < m->total; at++) {
        if (m->there[at] == 0)
            return false;
    }
    return m->has_end;
}

static void check(const struct model *m, const struct sw_whole *whole)
{
    uint32_t captured = 0;
    while (captured < m->total && m->there[captured] == 2)
        captured++;
    must(whole->wire == m->total);
    must(whole->bytes.len == captured);
    must(captured == 0 || memcmp(whole->bytes.ptr, m->bytes, captured) == 0);
    must(whole->frames == m->frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sw_fragment_limits limits = {PACKETS, HELD_MAX};
    struct sw_fragments *f = sw_fragments_new(&limits, &sw_hash_fixed_key);
    static struct model models[PACKETS];
    memset(models, 0, sizeof(models));
    uint64_t parts = 0;
    uint64_t joined = 0;
    for (size_t at = 0; at + 4 <= size && at < 4 * 200; at += 4) {
        const uint8_t *d = data + at;
        unsigned id = d[0] % PACKETS;
        uint32_t from = (uint32_t)(d[1] % UNITS) * 8;
        uint32_t units = 1 + d[2] % (UNITS - from / 8);
        bool more = (d[0] & 0x40) != 0;
        uint32_t wire = units * 8 - (more ? 0 : d[2] >> 5);
        uint8_t bytes[BYTES];
        for (uint32_t i = 0; i < wire; i++) /* many copies agree, some do not */
            bytes[i] = (uint8_t)((from + i) * 5 + (d[0] & 0x80 ? d[3] : 0));
        struct sw_packet part = {.tuple = {.ip_version = 6}, .part = {id, from, 6, more}};
        uint32_t cut = d[3] & 0x80 ? d[3] & 0x1F : 0;
        part.payload = sw_span_make(bytes, wire > cut ? wire - cut : 0);
        part.payload_wire = wire;
        struct sw_whole whole;
        /* A second between the parts: no copy of a whole packet, and nothing is too old. */
        int64_t time_ns = (int64_t)(at / 4) * 100 * 1000 * 1000;
        bool done = sw_fragments_take(f, &part, time_ns, &whole);
        parts++;
        bool expected = model_takes(&models[id], &part);
        must(done == expected);
        if (done) {
            check(&models[id], &whole);
            joined += whole.frames;
            memset(&models[id], 0, sizeof(models[id]));
        }
        must(sw_fragments_held(f) <= HELD_MAX);
    }
    sw_fragments_finish(f);
    const struct sw_fragment_counters *c = sw_fragments_count(f);
    must(c->copies == 0 && c->limit_hits == 0);
    must(joined + c->incomplete == parts);
    must(sw_fragments_held(f) == 0);
    sw_fragments_free(f);
    return 0;
}
