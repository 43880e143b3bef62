#include "base/scan.h"

#include <endian.h>

/* Clang and the sanitizers get along without. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) &&                            \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

enum { BLOCK = 64 };

/* As many bytes as the widest registers hold; compilers take two of the narrower ones. */
typedef int8_t octets __attribute__((vector_size(32)));

/* Is any bit set? Inline, so that it belongs to its caller's processor. */
static inline __attribute__((always_inline)) bool any(const octets *mask)
{
    uint64_t part[sizeof(octets) / sizeof(uint64_t)];
    memcpy(part, mask, sizeof(part));
    return (part[0] | part[1] | part[2] | part[3]) != 0;
}

static inline __attribute__((always_inline)) bool is_ordinary(const uint8_t *block, size_t len)
{
    octets odd = {0};
    for (size_t i = 0; i < len; i += sizeof(octets)) {
        octets here, before;
        memcpy(&here, block + i, sizeof(here));
        memcpy(&before, block + i - 1, sizeof(before));
        odd |= ((here == '\n') ^ (before == '\r')) | ((here == '.') & (before == '\n'));
    }
    return !any(&odd);
}

WIDE size_t sw_scan_ordinary_text(struct sw_span text, size_t at)
{
    while (text.len - at >= 2 * BLOCK && is_ordinary(text.ptr + at, 2 * BLOCK))
        at += 2 * BLOCK;
    while (text.len - at >= BLOCK && is_ordinary(text.ptr + at, BLOCK))
        at += BLOCK;
    /* What is left may be the end of a block that begins among what was seen. */
    bool end = text.len - at < BLOCK && text.len > BLOCK;
    return end && is_ordinary(text.ptr + text.len - BLOCK, BLOCK) ? text.len : at;
}

size_t sw_scan_control(struct sw_span bytes)
{
    enum { BOUND = '\r' + 1 };
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t at = 0;
    for (uint64_t eight; bytes.len - at >= sizeof(eight); at += sizeof(eight)) {
        memcpy(&eight, bytes.ptr + at, sizeof(eight));
        uint64_t hits = (eight - ones * BOUND) & ~eight & (ones * 0x80);
        if (hits && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
            return at + (size_t)__builtin_ctzll(hits) / 8; /* a borrow spoils later bytes only */
        if (hits)
            break;
    }
    while (at < bytes.len && bytes.ptr[at] >= BOUND)
        at++;
    return at;
}

WIDE static uint64_t sum_blocks(const uint8_t *at, size_t blocks)
{
    uint64_t low = 0;
    uint64_t high = 0;
    for (size_t i = 0; i < blocks * (BLOCK / sizeof(uint64_t)); i++) {
        uint64_t word;
        memcpy(&word, at + i * sizeof(word), sizeof(word));
        low += word & UINT32_MAX;
        high += word >> 32;
    }
    return low + high;
}

uint64_t sw_scan_sum(struct sw_span bytes)
{
    size_t blocks = bytes.len / BLOCK;
    uint64_t sum = blocks > 0 ? sum_blocks(bytes.ptr, blocks) : 0;
    size_t at = blocks * BLOCK;
    for (uint64_t two; bytes.len - at >= sizeof(two); at += sizeof(two)) {
        memcpy(&two, bytes.ptr + at, sizeof(two));
        sum += (two & UINT32_MAX) + (two >> 32);
    }
    uint32_t word;
    if (bytes.len - at >= sizeof(word)) {
        memcpy(&word, bytes.ptr + at, sizeof(word));
        sum += word;
        at += sizeof(word);
    }
    if (at == bytes.len)
        return sum;
    word = bytes.ptr[at];
    if (bytes.len - at > 1)
        word |= (uint32_t)bytes.ptr[at + 1] << 8;
    if (bytes.len - at > 2)
        word |= (uint32_t)bytes.ptr[at + 2] << 16;
    return sum + htole32(word); /* as it would stand in memory */
}

/* From `to` on backwards over whole blocks in which the byte is not. */
WIDE static size_t before_blocks(const uint8_t *bytes, size_t to, int8_t byte)
{
    for (; to >= sizeof(octets); to -= sizeof(octets)) {
        octets block;
        memcpy(&block, bytes + to - sizeof(block), sizeof(block));
        octets equal = block == byte;
        if (any(&equal))
            break;
    }
    return to;
}

size_t sw_scan_behind_last(struct sw_span bytes, uint8_t byte)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t to = bytes.len > 0 ? before_blocks(bytes.ptr, bytes.len, (int8_t)byte) : 0;
    for (uint64_t eight; to >= sizeof(eight); to -= sizeof(eight)) {
        memcpy(&eight, bytes.ptr + to - sizeof(eight), sizeof(eight));
        eight ^= ones * byte;
        if ((eight - ones) & ~eight & (ones * 0x80))
            break; /* it is among them */
    }
    while (to > 0 && bytes.ptr[to - 1] != byte)
        to--;
    return to;
}
