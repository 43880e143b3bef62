/*
 * fuzz_certificate.c - a chain from the input: each certificate is two bytes of length and its
 * bytes; the first byte of the input chooses the host (which may be the first piece: a name comes
 * from the wire as well) and the day. The chain is judged twice, so that what is remembered of it
 * must agree with what was found.
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
    static const char *const hosts[] = {"",  "mx.example.org", "192.0.2.25", "2001:db8::25",
                                        "*", "mx.example.org."};
    enum { HOSTS = sizeof(hosts) / sizeof(hosts[0]), TIMES = 4, FIRST_PIECE = HOSTS };
    static const int64_t times_s[TIMES] = {1700000000, 0, 4102444800, INT64_MIN / 2};
    static struct sw_anchors *anchors;
    static struct sw_trust *trust;
    struct sw_span ders[SW_X509_CHAIN];
    struct sw_x509_facts first[SW_X509_CHAIN];
    struct sw_x509_facts second[SW_X509_CHAIN];
    if (!anchors) {
        anchors = sw_anchors_new(NULL, NULL);
        trust = sw_trust_new(anchors, NULL, 0);
    }
    if (!trust || size == 0)
        return 0;
    unsigned choice = data[0] % (HOSTS + 1);
    int64_t time_s = times_s[data[0] / (HOSTS + 1) % TIMES];
    size_t count = split(data, size, ders);
    bool of_input = choice == FIRST_PIECE && count > 0;
    struct sw_span host = of_input ? ders[0] : sw_span_str(hosts[choice % HOSTS]);
    if (of_input)
        memmove(ders, ders + 1, --count * sizeof(ders[0]));
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 16, NULL);
    sw_certificate_check(trust, ders, count, host, time_s, &arena, first);
    sw_certificate_check(trust, ders, count, host, time_s, &arena, second);
    for (size_t i = 0; i < count; i++) {
        if (first[i].read != second[i].read || first[i].problems != second[i].problems)
            abort();
        if (!first[i].read && first[i].problems != 0)
            abort();
    }
    sw_arena_release(&arena);
    return 0;
}
