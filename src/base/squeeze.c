#include "base/squeeze.h"

#include "base/wipe.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum {
    WORD = 8,
    GROUP = 64, /* words that share a map of those that are not 0 */
    KNOWN = 16,
    /* The first byte of a word: how many bytes follow, */
    NEAR_MOST = 3,   /* up to this: of what differs from a known word, whose place stands above, */
    RAW = NEAR_MOST, /* and beyond: of the word itself, and this */
    TAG_MASK = 0xF,
    PLACE_SHIFT = 4,
    LOW_BITS = 8 * NEAR_MOST, /* that a word and the known one may differ in */
};

/* A known word has the place that its upper bits give it; where they are 0 that is 0, whose word
 * stays 0. */
static unsigned place_of(uint64_t word)
{
    return (unsigned)((word >> LOW_BITS) * UINT64_C(0x9E3779B97F4A7C15) >> 60);
}

static void learn(uint64_t *known, unsigned place, uint64_t word)
{
    known[place] = place > 0 ? word : 0;
}

/* How many bytes there are up to the last that is not 0. */
static unsigned bytes_of(uint64_t word)
{
    unsigned last_bit = 63 - (unsigned)__builtin_clzll(word | 1);
    return last_bit / 8 + (word != 0);
}

/* One word; eight bytes are written behind the first whatever it takes. */
static uint8_t *put_word(uint8_t *out, uint64_t *known, uint64_t word)
{
    unsigned place = place_of(word);
    uint64_t differs = word ^ known[place];
    bool near = differs >> LOW_BITS == 0;
    uint64_t kept = near ? differs : word;
    unsigned count = bytes_of(kept);
    learn(known, place, word);
    *out = (uint8_t)(near ? count | place << PLACE_SHIFT : count + RAW);
    memcpy(out + 1, &kept, WORD);
    return out + 1 + count;
}

static uint64_t is_not_0(const uint8_t *in)
{
    uint64_t word;
    memcpy(&word, in, WORD);
    return word != 0;
}

/* A bit for each word that is not 0: made without a branch, as nobody can guess them. */
static uint64_t map_of(const uint8_t *in, size_t count)
{
    uint64_t map = 0;
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const uint8_t *at = in + i * WORD;
        uint64_t four = is_not_0(at) | is_not_0(at + WORD) << 1 | is_not_0(at + 2 * WORD) << 2 |
                        is_not_0(at + 3 * WORD) << 3;
        map |= four << i;
    }
    for (; i < count; i++)
        map |= is_not_0(in + i * WORD) << i;
    return map;
}

size_t sw_squeeze(const void *memory, size_t n, uint8_t *out)
{
    assert(n % WORD == 0);
    const uint8_t *in = memory, *begin = out;
    uint64_t known[KNOWN] = {0};
    for (size_t words = n / WORD; words > 0;) {
        size_t count = words < GROUP ? words : GROUP;
        uint64_t map = map_of(in, count);
        memcpy(out, &map, sizeof(map));
        out += sizeof(map);
        for (; map; map &= map - 1) {
            uint64_t word;
            memcpy(&word, in + (size_t)__builtin_ctzll(map) * WORD, WORD);
            out = put_word(out, known, word);
        }
        in += count * WORD;
        words -= count;
    }
    sw_wipe(known, sizeof(known)); /* what is squeezed may hold a password */
    memset(out, 0, WORD);          /* who reads the last word reads eight bytes */
    return (size_t)(out + WORD - begin);
}

static const uint8_t *take_word(const uint8_t *in, uint64_t *known, uint64_t *word)
{
    static const uint64_t masks[] = {0,
                                     UINT64_C(0xFF),
                                     UINT64_C(0xFFFF),
                                     UINT64_C(0xFFFFFF),
                                     UINT64_C(0xFFFFFFFF),
                                     UINT64_C(0xFFFFFFFFFF),
                                     UINT64_C(0xFFFFFFFFFFFF),
                                     UINT64_C(0xFFFFFFFFFFFFFF),
                                     UINT64_MAX};
    unsigned tag = *in & TAG_MASK;
    bool near = tag <= NEAR_MOST;
    unsigned count = near ? tag : tag - RAW;
    uint64_t kept;
    memcpy(&kept, in + 1, WORD);
    *word = (kept & masks[count]) ^ (near ? known[*in >> PLACE_SHIFT] : 0);
    learn(known, place_of(*word), *word);
    return in + 1 + count;
}

size_t sw_unsqueeze(const uint8_t *in, void *memory, size_t n)
{
    assert(n % WORD == 0);
    const uint8_t *begin = in;
    uint8_t *out = memory;
    uint64_t known[KNOWN] = {0};
    memset(out, 0, n);
    for (size_t words = n / WORD; words > 0;) {
        size_t count = words < GROUP ? words : GROUP;
        uint64_t map;
        memcpy(&map, in, sizeof(map));
        in += sizeof(map);
        for (; map; map &= map - 1) {
            uint64_t word;
            in = take_word(in, known, &word);
            memcpy(out + (size_t)__builtin_ctzll(map) * WORD, &word, WORD);
        }
        out += count * WORD;
        words -= count;
    }
    sw_wipe(known, sizeof(known));
    return (size_t)(in + WORD - begin);
}
