#include "base/squeeze.h"

#include "base/wipe.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* What a half of a word is: two bits each in the word's first byte. */
enum tag {
    TAG_ZERO,
    TAG_BYTE, /* below 256 */
    TAG_NEAR, /* but for its low byte one of the words before */
    TAG_RAW,
};

enum {
    WORD = 8,
    GROUP = 64, /* words that share a map of those that are not 0 */
    KNOWN = 16,
    HALF_BITS = 32,
    TAG_BITS = 2,
    TAG_MASK = 3,
    PLACE_SHIFT = 4, /* the place of the first near half stands behind the tags */
    PLACE_BITS = 4,
    NO_PLACE = KNOWN,
    /* tags of words that need no more than their first byte */
    TAGS_SAME = 0,        /* a word that was before, by its place: none is 0 */
    TAGS_HIGH = TAG_BYTE, /* one byte in a half: behind the tags if it fits there */
    TAGS_LOW = TAG_BYTE << TAG_BITS,
    TAGS_MASK = 0xF,
    LEAST_BYTE = 1 << PLACE_BITS, /* that does not fit there */
};

/* A known word has the place that its upper 24 bits give it. */
static unsigned place_of(uint32_t half)
{
    return (half >> 8) * UINT32_C(0x9E3779B1) >> 28;
}

static unsigned place_of_word(uint64_t word)
{
    return (unsigned)(word * UINT64_C(0x9E3779B97F4A7C15) >> (64 - PLACE_BITS));
}

struct packer {
    uint8_t *out;
    uint8_t *first; /* of the word in work */
    unsigned place; /* that stands in it, or NO_PLACE */
    uint32_t known[KNOWN];
    uint64_t *words; /* KNOWN that were before, by place_of_word(); none of one byte */
};

static void put_half(struct packer *p, uint32_t half, unsigned shift)
{
    if (half == 0)
        return;
    if (half <= UINT8_MAX) {
        *p->first |= (uint8_t)(TAG_BYTE << shift);
        *p->out++ = (uint8_t)half;
        return;
    }
    unsigned place = place_of(half);
    bool near = (p->known[place] ^ half) <= UINT8_MAX;
    p->known[place] = half;
    if (!near) {
        *p->first |= (uint8_t)(TAG_RAW << shift);
        memcpy(p->out, &half, sizeof(half));
        p->out += sizeof(half);
        return;
    }
    *p->first |= (uint8_t)(TAG_NEAR << shift);
    if (p->place == NO_PLACE) {
        *p->first |= (uint8_t)(place << PLACE_SHIFT);
        p->place = place;
    } else {
        *p->out++ = (uint8_t)place;
    }
    *p->out++ = (uint8_t)half;
}

static void put_byte(struct packer *p, unsigned tags, uint64_t byte)
{
    bool fits = byte < LEAST_BYTE;
    *p->out++ = (uint8_t)(tags | (fits ? (unsigned)byte << PLACE_SHIFT : 0));
    if (!fits)
        *p->out++ = (uint8_t)byte;
}

static void put_word(struct packer *p, uint64_t word)
{
    uint32_t high = (uint32_t)(word >> HALF_BITS);
    uint32_t low = (uint32_t)word;
    if (word <= UINT8_MAX) {
        put_byte(p, TAGS_LOW, low);
        return;
    }
    if (low == 0 && high <= UINT8_MAX) {
        put_byte(p, TAGS_HIGH, high);
        return;
    }
    unsigned place = place_of_word(word);
    p->first = p->out++;
    *p->first = (uint8_t)(TAGS_SAME | place << PLACE_SHIFT);
    if (p->words[place] == word)
        return;
    p->words[place] = word;
    *p->first = 0;
    p->place = NO_PLACE;
    put_half(p, high, 0);
    put_half(p, low, TAG_BITS);
}

/* A bit for each word that is not 0: made without a branch, as nobody can guess them. */
static uint64_t map_of(const uint8_t *in, size_t count)
{
    uint64_t map = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t word;
        memcpy(&word, in + i * WORD, WORD);
        map |= (uint64_t)(word != 0) << i;
    }
    return map;
}

size_t sw_squeeze(const void *memory, size_t n, uint8_t *out)
{
    assert(n % WORD == 0);
    const uint8_t *in = memory;
    uint64_t known[KNOWN] = {0};
    struct packer p = {.out = out, .words = known};
    for (size_t words = n / WORD; words > 0;) {
        size_t count = words < GROUP ? words : GROUP;
        uint64_t map = map_of(in, count);
        memcpy(p.out, &map, sizeof(map));
        p.out += sizeof(map);
        for (; map; map &= map - 1) {
            uint64_t word;
            memcpy(&word, in + (size_t)__builtin_ctzll(map) * WORD, WORD);
            put_word(&p, word);
        }
        in += count * WORD;
        words -= count;
    }
    sw_wipe(known, sizeof(known)); /* what is squeezed may hold a password */
    return (size_t)(p.out - out);
}

struct unpacker {
    const uint8_t *in;
    uint8_t first;
    unsigned place;
    uint32_t known[KNOWN];
    uint64_t *words; /* KNOWN that were before, by place_of_word(); none of one byte */
};

static uint32_t take_half(struct unpacker *u, unsigned tag)
{
    uint32_t half = 0;
    switch ((enum tag)tag) {
    case TAG_ZERO:
        return 0;
    case TAG_BYTE:
        return *u->in++;
    case TAG_NEAR:
        if (u->place == NO_PLACE)
            u->place = u->first >> PLACE_SHIFT;
        else
            u->place = *u->in++;
        half = (u->known[u->place] & ~(uint32_t)UINT8_MAX) | *u->in++;
        u->known[u->place] = half;
        return half;
    case TAG_RAW:
        memcpy(&half, u->in, sizeof(half));
        u->in += sizeof(half);
        u->known[place_of(half)] = half;
        return half;
    }
    return half;
}

static uint64_t take_byte(struct unpacker *u)
{
    unsigned byte = u->first >> PLACE_SHIFT;
    return byte ? byte : *u->in++;
}

static uint64_t take_word(struct unpacker *u)
{
    u->first = *u->in++;
    unsigned tags = u->first & TAGS_MASK;
    if (tags == TAGS_LOW)
        return take_byte(u);
    if (tags == TAGS_HIGH)
        return take_byte(u) << HALF_BITS;
    if (tags == TAGS_SAME)
        return u->words[u->first >> PLACE_SHIFT];
    u->place = NO_PLACE;
    uint64_t high = take_half(u, tags & TAG_MASK);
    uint64_t word = high << HALF_BITS | take_half(u, tags >> TAG_BITS);
    u->words[place_of_word(word)] = word;
    return word;
}

size_t sw_unsqueeze(const uint8_t *in, void *memory, size_t n)
{
    assert(n % WORD == 0);
    uint8_t *out = memory;
    uint64_t known[KNOWN] = {0};
    struct unpacker u = {.in = in, .words = known};
    memset(out, 0, n);
    for (size_t words = n / WORD; words > 0;) {
        size_t count = words < GROUP ? words : GROUP;
        uint64_t map;
        memcpy(&map, u.in, sizeof(map));
        u.in += sizeof(map);
        for (; map; map &= map - 1) {
            uint64_t word = take_word(&u);
            memcpy(out + (size_t)__builtin_ctzll(map) * WORD, &word, WORD);
        }
        out += count * WORD;
        words -= count;
    }
    sw_wipe(known, sizeof(known));
    return (size_t)(u.in - in);
}
