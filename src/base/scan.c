#include "base/scan.h"

/* Clang and the sanitizers get along without. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) &&                            \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

enum { BLOCK = 64 };

WIDE size_t sw_scan_ordinary_text(struct sw_span text, size_t at)
{
    while (text.len - at >= BLOCK) {
        const uint8_t *p = text.ptr + at;
        const uint8_t *before = p - 1;
        uint8_t odd = 0;
        for (size_t i = 0; i < BLOCK; i++) {
            uint8_t after_lf = before[i] == '\n';
            uint8_t after_cr = before[i] == '\r';
            uint8_t lf = p[i] == '\n';
            uint8_t dot = p[i] == '.';
            odd = (uint8_t)(odd | (lf ^ after_cr) | (dot & after_lf));
        }
        if (odd)
            break;
        at += BLOCK;
    }
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
    uint32_t word;
    for (; bytes.len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, bytes.ptr + at, sizeof(word));
        sum += word;
    }
    uint8_t tail[sizeof(word)] = {0};
    for (size_t i = 0; at < bytes.len; at++, i++)
        tail[i] = bytes.ptr[at];
    memcpy(&word, tail, sizeof(word));
    return sum + word;
}

size_t sw_scan_behind_last(struct sw_span bytes, uint8_t byte)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t to = bytes.len;
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
