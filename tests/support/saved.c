#include "support/saved.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void must(bool truth)
{
    if (!truth)
        abort();
}

struct saved *saved_new(void)
{
    struct saved *s = calloc(1, sizeof(*s));
    must(s != NULL);
    return s;
}

void saved_bytes(struct saved *s, const void *bytes, size_t n)
{
    must(n <= sizeof(s->bytes) - s->len);
    if (n > 0)
        memcpy(s->bytes + s->len, bytes, n);
    s->len += n;
}

static void put(struct saved *s, uint64_t value, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const uint8_t byte = (uint8_t)(value >> 8 * (s->big ? n - 1 - i : i));
        saved_bytes(s, &byte, 1);
    }
}

void saved_u16(struct saved *s, uint16_t value)
{
    put(s, value, 2);
}

void saved_u32(struct saved *s, uint32_t value)
{
    put(s, value, 4);
}

void saved_u64(struct saved *s, uint64_t value)
{
    put(s, value, 8);
}

void saved_poke(struct saved *s, size_t at, uint32_t value)
{
    size_t end = s->len;
    s->len = at;
    saved_u32(s, value);
    s->len = end;
}

static void fill_bytes(struct saved *s, uint32_t n, uint8_t fill)
{
    must(n <= sizeof(s->bytes) - s->len);
    memset(s->bytes + s->len, fill, n);
    s->len += n;
}

void saved_pcap(struct saved *s, uint32_t magic, uint32_t snaplen, uint32_t link_type)
{
    saved_u32(s, magic);
    saved_u16(s, 2);
    saved_u16(s, 4);
    saved_u32(s, 0);
    saved_u32(s, 0);
    saved_u32(s, snaplen);
    saved_u32(s, link_type);
}

void saved_record(struct saved *s, uint32_t seconds, uint32_t fraction, uint32_t caplen,
                  uint32_t len, uint8_t fill)
{
    saved_u32(s, seconds);
    saved_u32(s, fraction);
    saved_u32(s, caplen);
    saved_u32(s, len);
    fill_bytes(s, caplen, fill);
}

size_t saved_begin(struct saved *s, uint32_t type)
{
    size_t at = s->len;
    saved_u32(s, type);
    saved_u32(s, 0);
    return at;
}

void saved_end(struct saved *s, size_t at)
{
    fill_bytes(s, (uint32_t)(-s->len & 3), 0);
    uint32_t length = (uint32_t)(s->len - at + 4);
    saved_u32(s, length);
    size_t end = s->len;
    s->len = at + 4;
    saved_u32(s, length);
    s->len = end;
}

void saved_option(struct saved *s, uint16_t code, const void *value, uint16_t n)
{
    saved_u16(s, code);
    saved_u16(s, n);
    saved_bytes(s, value, n);
    fill_bytes(s, -(uint32_t)n & 3, 0);
}

void saved_block(struct saved *s, uint32_t type, const void *body, size_t n)
{
    size_t at = saved_begin(s, type);
    saved_bytes(s, body, n);
    saved_end(s, at);
}

void saved_section(struct saved *s)
{
    size_t at = saved_begin(s, 0x0A0D0D0A);
    saved_u32(s, 0x1A2B3C4D);
    saved_u16(s, 1);
    saved_u16(s, 0);
    saved_u32(s, UINT32_MAX); /* the section's length is not told */
    saved_u32(s, UINT32_MAX);
    saved_end(s, at);
}

void saved_interface(struct saved *s, uint16_t link_type, uint32_t snaplen, int tsresol)
{
    size_t at = saved_begin(s, 1);
    saved_u16(s, link_type);
    saved_u16(s, 0);
    saved_u32(s, snaplen);
    if (tsresol != SAVED_NO_TSRESOL) {
        saved_u16(s, 2); /* a name before it */
        saved_u16(s, 5);
        saved_bytes(s, "eth0\0\0\0", 8);
        saved_u16(s, 9);
        saved_u16(s, 1);
        saved_bytes(s, (const uint8_t[]){(uint8_t)tsresol, 0, 0, 0}, 4);
        saved_u32(s, 0);
    }
    saved_end(s, at);
}

void saved_packet(struct saved *s, uint32_t interface, uint64_t time, uint32_t caplen, uint32_t len,
                  uint8_t fill)
{
    size_t at = saved_begin(s, 6);
    saved_u32(s, interface);
    saved_u32(s, (uint32_t)(time >> 32));
    saved_u32(s, (uint32_t)time);
    saved_u32(s, caplen);
    saved_u32(s, len);
    fill_bytes(s, caplen, fill);
    saved_end(s, at);
}

const char *saved_write(struct saved *s)
{
    (void)snprintf(s->path, sizeof(s->path), "/tmp/smtpwhy-test-XXXXXX");
    int fd = mkstemp(s->path);
    must(fd >= 0);
    FILE *file = fdopen(fd, "wb");
    must(file != NULL);
    must(fwrite(s->bytes, 1, s->len, file) == s->len);
    must(fclose(file) == 0);
    return s->path;
}

void saved_remove(struct saved *s)
{
    (void)unlink(s->path);
    free(s);
}
