/*
 * fuzz_certificate.c - a chain from the input: each certificate is two bytes of length and its
 * bytes; the first byte of the input chooses the host. The chain is judged twice, so that what is
 * remembered of it must agree with what was found.
 */
#include "crypto/certificate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t split(const uint8_t *data, size_t size, struct sw_span ders[SW_X509_CHAIN])
{
    size_t count = 0;
    size_t at = 1;
    while (at + 2 <= size && count < SW_X509_CHAIN) {
        size_t length = (size_t)data[at] << 8 | data[at + 1];
        at += 2;
        length = length < size - at ? length : size - at;
        ders[count++] = sw_span_make(data + at, length);
        at += length;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const hosts[] = {"", "mx.example.org", "192.0.2.25", "2001:db8::25", "*"};
    static struct sw_trust *trust;
    struct sw_span ders[SW_X509_CHAIN];
    struct sw_x509_facts first[SW_X509_CHAIN];
    struct sw_x509_facts second[SW_X509_CHAIN];
    if (!trust)
        trust = sw_trust_new(NULL, NULL, NULL, 0);
    if (!trust || size == 0)
        return 0;
    struct sw_span host = sw_span_str(hosts[data[0] % 5]);
    size_t count = split(data, size, ders);
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 16, NULL);
    sw_certificate_check(trust, ders, count, host, 1700000000, &arena, first);
    sw_certificate_check(trust, ders, count, host, 1700000000, &arena, second);
    for (size_t i = 0; i < count; i++) {
        if (first[i].read != second[i].read || first[i].problems != second[i].problems)
            abort();
        if (!first[i].read && first[i].problems != 0)
            abort();
    }
    sw_arena_release(&arena);
    return 0;
}
