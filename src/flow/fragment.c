/*
 * fragment.c - parts of IP packets: kept until all are there, or too old.
 */
#include "flow/fragment.h"

#include "base/account.h"
#include "base/fetch.h"
#include "base/limit.h"
#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>

#define PATIENCE_NS (INT64_C(30) * 1000 * 1000 * 1000)
/* Copies of a mirror port follow closely; later the same number is that of another packet. */
#define COPY_NS (INT64_C(10) * 1000 * 1000)

enum {
    BUCKETS_MAX = 1 << 16,
    PIECES_MAX = 64,
    PIECES_FIRST = 4, /* nearly all packets come in two parts or three */
    FIRST_ROOM = 256,
};

struct key {
    uint8_t src[16], dst[16];
    uint32_t id;
    uint32_t tunnel;   /* tells the networks apart that a capture of tunnels holds */
    uint16_t protocol; /* IPv4 only (RFC 791: identification is by it too) */
    uint16_t ip_version;
};

static_assert(sizeof(struct key) == 44, "it is compared and hashed as bytes");

/* [from, to) of the packet's payload, captured up to captured_to. */
struct piece {
    uint32_t from, to, captured_to;
};

struct parts {
    struct parts *hash_next;
    struct parts *older, *newer;
    struct key key;
    uint64_t hash;
    int64_t begun_ns, done_ns;
    bool done; /* nothing but the key is left */
    bool has_end, conflict;
    uint8_t protocol;
    uint16_t piece_count;
    uint32_t total; /* with has_end */
    uint32_t frames;
    uint32_t room, used; /* of bytes, and how far they were written to */
    uint8_t *bytes;
    struct piece *pieces; /* sorted, disjoint; the first ones, or PIECES_MAX elsewhere */
    struct piece first[PIECES_FIRST];
};

struct sw_fragments {
    struct sw_fragment_limits limits;
    struct sw_fragment_counters count;
    struct sw_hash_key hash_key;
    struct parts **buckets; /* more than there are packets: each is far away in memory */
    uint32_t bucket_mask;
    struct parts *oldest, *newest;
    uint32_t packets;
    uint64_t held_bytes;
    size_t *account, own_account;
    uint8_t *lent; /* the bytes of the packet that became whole last */
    uint32_t lent_used;
};

struct sw_fragments *sw_fragments_new(const struct sw_fragment_limits *limits,
                                      const struct sw_hash_key *key)
{
    struct sw_fragments *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->limits.packets = limits && limits->packets ? limits->packets
                                                  : (uint32_t)sw_limit_default(SW_LIMIT_FRAGMENTS);
    f->limits.bytes =
        limits && limits->bytes ? limits->bytes : sw_limit_default(SW_LIMIT_FRAGMENT_BYTES);
    f->hash_key = *key;
    f->account = &f->own_account;
    uint32_t buckets = 1;
    while (buckets < f->limits.packets && buckets < BUCKETS_MAX)
        buckets *= 2;
    f->bucket_mask = buckets - 1;
    f->buckets = calloc(buckets, sizeof(*f->buckets));
    if (!f->buckets) {
        free(f);
        return NULL;
    }
    return f;
}

static void drop_bytes(struct sw_fragments *f, struct parts *p)
{
    f->held_bytes -= p->room;
    *f->account -= p->room;
    sw_wipe_free(p->bytes, p->used);
    p->bytes = NULL;
    p->room = p->used = 0;
}

static void drop_pieces(struct sw_fragments *f, struct parts *p)
{
    if (p->pieces == p->first)
        return;
    sw_account_give(f->account, PIECES_MAX * sizeof(*p->pieces));
    free(p->pieces);
}

/* Room for one more piece; false without memory, or when there are too many. */
static bool make_room_for_piece(struct sw_fragments *f, struct parts *p)
{
    if (p->pieces != p->first || p->piece_count < PIECES_FIRST)
        return p->piece_count < PIECES_MAX;
    struct piece *more = malloc(PIECES_MAX * sizeof(*more));
    if (!more)
        return false;
    memcpy(more, p->first, sizeof(p->first));
    sw_account_take(f->account, PIECES_MAX * sizeof(*more));
    p->pieces = more;
    return true;
}

static struct parts **bucket_of(const struct sw_fragments *f, uint64_t hash)
{
    return &f->buckets[hash & f->bucket_mask];
}

static void remove_parts(struct sw_fragments *f, struct parts *p)
{
    struct parts **at = bucket_of(f, p->hash);
    while (*at != p)
        at = &(*at)->hash_next;
    *at = p->hash_next;
    *(p->older ? &p->older->newer : &f->oldest) = p->newer;
    *(p->newer ? &p->newer->older : &f->newest) = p->older;
    if (!p->done)
        f->count.incomplete += p->frames;
    drop_bytes(f, p);
    drop_pieces(f, p);
    f->packets--;
    sw_account_give(f->account, sizeof(*p));
    free(p);
}

static void expire(struct sw_fragments *f, int64_t now_ns)
{
    while (f->oldest && now_ns - f->oldest->begun_ns > PATIENCE_NS)
        remove_parts(f, f->oldest);
}

static uint32_t tunnel_hash(const struct sw_fragments *f, const struct sw_tunnel *tunnel)
{
    uint64_t hash = 0;
    for (uint8_t i = 0; i < tunnel->count; i++) {
        const struct sw_tunnel_header *h = &tunnel->headers[i];
        const uint64_t words[] = {hash, h->kind, h->id};
        hash = sw_hash_bytes(&f->hash_key, sw_span_make(words, sizeof(words)));
    }
    return (uint32_t)hash;
}

static struct key key_of(const struct sw_fragments *f, const struct sw_packet *part)
{
    struct key key = {
        .id = part->part.id,
        .tunnel = tunnel_hash(f, &part->tunnel),
        .ip_version = part->tuple.ip_version,
        .protocol = part->tuple.ip_version == 4 ? part->part.protocol : 0,
    };
    memcpy(key.src, part->tuple.src, sizeof(key.src));
    memcpy(key.dst, part->tuple.dst, sizeof(key.dst));
    return key;
}

static struct parts *find(struct sw_fragments *f, const struct key *key, uint64_t hash)
{
    for (struct parts *p = *bucket_of(f, hash); p; p = p->hash_next) {
        if (p->hash == hash && memcmp(&p->key, key, sizeof(*key)) == 0)
            return p;
    }
    return NULL;
}

/* The turn of these comes next, and they were not looked at for long. */
static void fetch_oldest(const struct sw_fragments *f)
{
    if (!f->oldest)
        return;
    sw_fetch(bucket_of(f, f->oldest->hash), 1);
    sw_fetch(f->oldest->bytes, f->oldest->used < FIRST_ROOM ? f->oldest->used : FIRST_ROOM);
    if (f->oldest->newer)
        sw_fetch(f->oldest->newer, sizeof(*f->oldest));
}

static struct parts *begin(struct sw_fragments *f, const struct key *key, uint64_t hash,
                           int64_t now_ns)
{
    while (f->packets >= f->limits.packets) {
        f->count.limit_hits += !f->oldest->done;
        remove_parts(f, f->oldest);
        fetch_oldest(f);
    }
    struct parts *p = malloc(sizeof(*p));
    if (!p)
        return NULL;
    memset(p, 0, offsetof(struct parts, first));
    p->pieces = p->first;
    p->key = *key;
    p->hash = hash;
    p->begun_ns = now_ns;
    p->hash_next = *bucket_of(f, hash);
    *bucket_of(f, hash) = p;
    p->older = f->newest;
    *(p->older ? &p->older->newer : &f->oldest) = p;
    f->newest = p;
    f->packets++;
    sw_account_take(f->account, sizeof(*p));
    return p;
}

/* Room for the bytes up to `end`; drives out older packets where the cap demands it. */
static bool make_room(struct sw_fragments *f, struct parts *p, uint32_t end)
{
    if (end <= p->room) {
        p->used = end > p->used ? end : p->used;
        return true;
    }
    uint32_t room = p->room ? p->room : FIRST_ROOM;
    while (room < end)
        room *= 2;
    uint32_t more = room - p->room;
    while (f->held_bytes + more > f->limits.bytes) {
        struct parts *victim = f->oldest == p ? p->newer : f->oldest;
        if (!victim)
            return false;
        f->count.limit_hits += !victim->done;
        remove_parts(f, victim);
    }
    uint8_t *bigger = malloc(room);
    if (!bigger)
        return false;
    if (p->bytes)
        memcpy(bigger, p->bytes, p->used);
    sw_wipe_free(p->bytes, p->used);
    p->bytes = bigger;
    p->room = room;
    p->used = end;
    f->held_bytes += more;
    *f->account += more;
    return true;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Compares what is there already of [from, to) with a second copy of it. */
static void compare(struct parts *p, const struct piece *there, uint32_t from, uint32_t to,
                    const struct sw_packet *part)
{
    uint32_t captured_to =
        least(least(there->captured_to, to), part->part.offset + (uint32_t)part->payload.len);
    if (captured_to > from &&
        memcmp(p->bytes + from, part->payload.ptr + (from - part->part.offset),
               captured_to - from) != 0)
        p->conflict = true;
}

static void insert(struct parts *p, uint16_t at, struct piece piece)
{
    memmove(&p->pieces[at + 1], &p->pieces[at], (p->piece_count - at) * sizeof(piece));
    p->pieces[at] = piece;
    p->piece_count++;
}

/* Adds what is new of the part, around what is there. False: more pieces than are kept. */
static bool add(struct sw_fragments *f, struct parts *p, const struct sw_packet *part)
{
    uint32_t at = part->part.offset;
    uint32_t end = at + part->payload_wire;
    uint32_t captured_end = at + (uint32_t)part->payload.len;
    for (uint16_t i = 0; at < end; i++) {
        uint32_t stop = end;
        if (i < p->piece_count) {
            const struct piece *there = &p->pieces[i];
            if (there->to <= at)
                continue;
            if (there->from <= at) {
                compare(p, there, at, least(there->to, end), part);
                at = there->to;
                continue;
            }
            stop = least(there->from, end);
        }
        if (!make_room_for_piece(f, p))
            return false;
        uint32_t captured_to = captured_end > at ? least(captured_end, stop) : at;
        if (captured_to > at)
            memcpy(p->bytes + at, part->payload.ptr + (at - part->part.offset), captured_to - at);
        insert(p, i, (struct piece){at, stop, captured_to});
        at = stop;
    }
    return true;
}

static bool is_whole(const struct parts *p)
{
    uint32_t at = 0;
    for (uint16_t i = 0; i < p->piece_count && p->pieces[i].from == at; i++)
        at = p->pieces[i].to;
    return p->has_end && at >= p->total;
}

static uint32_t captured_prefix(const struct parts *p)
{
    for (uint16_t i = 0; i < p->piece_count; i++) {
        if (p->pieces[i].captured_to < p->pieces[i].to)
            return least(p->pieces[i].captured_to, p->total);
    }
    return p->total;
}

/* Notes where the packet ends; the first part that says so is believed. False: the part lies
 * outside of the packet. */
static bool note_end(struct parts *p, const struct sw_packet *part)
{
    uint32_t end = part->part.offset + part->payload_wire;
    if (!p->has_end && !part->part.more) {
        p->has_end = true;
        p->total = end;
        if (p->piece_count > 0 && p->pieces[p->piece_count - 1].to > end)
            p->conflict = true;
        return true;
    }
    bool contradicts = p->has_end && (end > p->total || (!part->part.more && end < p->total));
    p->conflict = p->conflict || contradicts;
    return !contradicts;
}

static void hand_over(struct sw_fragments *f, struct parts *p, struct sw_packet *part,
                      int64_t now_ns, struct sw_whole *whole)
{
    *whole = (struct sw_whole){
        .bytes = sw_span_make(p->bytes, captured_prefix(p)),
        .wire = p->total,
        .frames = p->frames,
        .conflict = p->conflict,
    };
    part->part.protocol = p->protocol;
    f->lent = p->bytes;
    f->lent_used = p->used;
    f->held_bytes -= p->room;
    *f->account -= p->room;
    p->bytes = NULL;
    p->room = p->used = 0;
    p->done = true;
    p->done_ns = now_ns;
    f->count.whole++;
    f->count.conflicts += p->conflict;
}

bool sw_fragments_take(struct sw_fragments *f, struct sw_packet *part, int64_t time_ns,
                       struct sw_whole *whole)
{
    sw_wipe_free(f->lent, f->lent_used);
    f->lent = NULL;
    expire(f, time_ns);
    struct key key = key_of(f, part);
    uint64_t hash = sw_hash_bytes(&f->hash_key, sw_span_make(&key, sizeof(key)));
    struct parts *p = find(f, &key, hash);
    if (p && p->done) {
        if (time_ns - p->done_ns <= COPY_NS) {
            f->count.copies++;
            return false;
        }
        remove_parts(f, p);
        p = NULL;
    }
    if (!p)
        p = begin(f, &key, hash, time_ns);
    if (!p) {
        f->count.incomplete++;
        return false;
    }
    p->frames++;
    if (part->part.offset == 0)
        p->protocol = part->part.protocol;
    uint32_t captured_end = part->part.offset + (uint32_t)part->payload.len;
    if (!note_end(p, part))
        return false;
    if (!make_room(f, p, captured_end) || !add(f, p, part)) {
        f->count.limit_hits++;
        remove_parts(f, p);
        return false;
    }
    if (!is_whole(p))
        return false;
    hand_over(f, p, part, time_ns, whole);
    return true;
}

void sw_fragments_finish(struct sw_fragments *f)
{
    while (f->oldest)
        remove_parts(f, f->oldest);
}

const struct sw_fragment_counters *sw_fragments_count(const struct sw_fragments *f)
{
    return &f->count;
}

void sw_fragments_account(struct sw_fragments *f, size_t *account)
{
    *account += f->own_account;
    f->account = account;
}

uint64_t sw_fragments_held(const struct sw_fragments *f)
{
    return f->held_bytes;
}

void sw_fragments_free(struct sw_fragments *f)
{
    if (!f)
        return;
    sw_fragments_finish(f);
    sw_wipe_free(f->lent, f->lent_used);
    free(f->buckets);
    free(f);
}
