/*
 * fuzz_pcapng.c - a pcapng file made by a script: each step is a block of a chosen type whose body
 * is the input's, with lengths that are right or wrong at either end. Where libpcap reads the whole
 * file and nothing was found wrong with it here, both must give the same packets.
 */
#include "source.h"

#include <pcap.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 64 * 1024, BODY_MAX = 255 };

struct file {
    uint8_t bytes[ROOM];
    size_t len;
    bool big;
};

static void put32(struct file *f, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        f->bytes[f->len++] = (uint8_t)(value >> 8 * (f->big ? 3 - i : i));
}

static void put(struct file *f, const uint8_t *bytes, size_t n)
{
    if (n > 0)
        memcpy(f->bytes + f->len, bytes, n);
    f->len += n;
}

/* `wrong`: bit 0 the length in front, bit 1 the one behind, bit 2 cut off before its end. */
static void block(struct file *f, uint32_t type, const uint8_t *body, size_t n, unsigned wrong)
{
    uint32_t length = (uint32_t)((n + 3) & ~(size_t)3) + 12;
    put32(f, type);
    put32(f, wrong & 1 ? length + 4 + (uint32_t)n % 7 : length);
    put(f, body, n);
    while (f->len % 4 != 0 && !(wrong & 4))
        f->bytes[f->len++] = 0;
    if (!(wrong & 4))
        put32(f, wrong & 2 ? length ^ 8 : length);
}

static void section(struct file *f, bool big)
{
    f->big = big;
    static const uint8_t orders[2][16] = {
        {0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255},
        {0x1A, 0x2B, 0x3C, 0x4D, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255},
    };
    block(f, 0x0A0D0D0A, orders[big], 16, 0);
}

static void interface(struct file *f)
{
    uint8_t body[8] = {0};
    body[f->big ? 1 : 0] = 1; /* Ethernet */
    block(f, 1, body, sizeof(body), 0);
}

/* A frame that is in order, with the input's bytes. */
static void packet(struct file *f, const uint8_t *bytes, size_t n)
{
    struct file body = {.big = f->big};
    put32(&body, 0);
    put32(&body, 0x0005F5E1);
    put32(&body, (uint32_t)n);
    put32(&body, (uint32_t)n);
    put32(&body, (uint32_t)n + 1);
    put(&body, bytes, n);
    block(f, 6, body.bytes, body.len, 0);
}

static void step(struct file *f, uint8_t how, const uint8_t *body, size_t n)
{
    static const uint32_t types[] = {1, 2, 3, 4, 5, 6, 10, 9, 0xBAD, 0x0A0D0D0A, 77};
    unsigned wrong = how >> 4 & 7;
    unsigned which = how & 15;
    if (which == 11)
        section(f, how & 16);
    else if (which == 12)
        interface(f);
    else if (which >= 13)
        packet(f, body, n);
    else
        block(f, types[which], body, n, how & 128 ? wrong : 0);
}

static bool by_libpcap(const char *path, struct source_sum *sum)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(path, error);
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int result = -1;
    while (pcap && (result = pcap_next_ex(pcap, &header, &bytes)) == 1) {
        sum->packets++;
        sum->bytes = source_hash(sum->bytes, bytes, header->caplen);
    }
    if (pcap)
        pcap_close(pcap);
    return result == PCAP_ERROR_BREAK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct file f;
    f.len = 0;
    section(&f, size > 0 && (data[0] & 1));
    interface(&f);
    for (size_t at = 1; at + 2 <= size && f.len < ROOM - 2 * BODY_MAX - 100;) {
        size_t n = data[at + 1];
        size_t left = size - at - 2;
        n = n < left ? n : left;
        step(&f, data[at], data + at + 2, n);
        at += 2 + n;
    }
    const char *path = source_file(sw_span_make(f.bytes, f.len));
    struct source_sum ours = source_read(path, f.len, 0);
    struct source_sum theirs = {.clean = true};
    if (!ours.clean || !by_libpcap(path, &theirs))
        return 0;
    if (ours.packets != theirs.packets || ours.bytes != theirs.bytes)
        abort();
    return 0;
}
