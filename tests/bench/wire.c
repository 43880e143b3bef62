#include "wire.h"

#include <string.h>

static void put16(uint8_t *at, uint16_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
    put16(at, (uint16_t)(v >> 16));
    put16(at + 2, (uint16_t)v);
}

static void out32(uint8_t *at, uint32_t v) /* the file's own order: little-endian */
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

void wire_begin(struct wire *w, FILE *out, uint64_t seed)
{
    *w = (struct wire){
        .out = out, .time_us = UINT64_C(1700000000000000), .step_us = 10, .random = seed};
    uint8_t head[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0};
    out32(head + 16, 262144);
    out32(head + 20, 1);
    fwrite(head, sizeof(head), 1, out);
}

uint64_t wire_random(struct wire *w)
{
    uint64_t z = (w->random += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t wire_below(struct wire *w, uint32_t below)
{
    return (uint32_t)(wire_random(w) % below);
}

void wire_frame(struct wire *w, const uint8_t *frame, size_t len)
{
    uint8_t head[16];
    out32(head, (uint32_t)(w->time_us / 1000000));
    out32(head + 4, (uint32_t)(w->time_us % 1000000));
    out32(head + 8, (uint32_t)len);
    out32(head + 12, (uint32_t)len);
    fwrite(head, sizeof(head), 1, w->out);
    fwrite(frame, len, 1, w->out);
    w->time_us += w->step_us;
    w->frames++;
    w->bytes += len;
}

static uint32_t sum16(uint32_t sum, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += ((uint32_t)bytes[i] << 8) | bytes[i + 1];
    if (len % 2)
        sum += (uint32_t)bytes[len - 1] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

void wire_segment(struct wire *w, const struct wire_flow *f, int side, unsigned flags, uint32_t seq,
                  uint32_t ack, const void *payload, size_t len)
{
    static const uint8_t ethernet[14] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};
    uint8_t frame[14 + 20 + 24 + 65536];
    size_t options = flags & WIRE_SYN ? 4 : 0;
    uint8_t *ip = frame + 14;
    uint8_t *tcp = ip + 20;
    memcpy(frame, ethernet, sizeof(ethernet));
    memset(ip, 0, 40);
    ip[0] = 0x45;
    put16(ip + 2, (uint16_t)(40 + options + len));
    put16(ip + 4, (uint16_t)w->frames);
    ip[8] = side == 0 ? 64 : 57;
    ip[9] = 6;
    put32(ip + 12, f->address[side]);
    put32(ip + 16, f->address[1 - side]);
    put16(ip + 10, fold(sum16(0, ip, 20)));
    put16(tcp, f->port[side]);
    put16(tcp + 2, f->port[1 - side]);
    put32(tcp + 4, seq);
    put32(tcp + 8, flags & WIRE_ACK ? ack : 0);
    tcp[12] = (uint8_t)((5 + options / 4) << 4);
    tcp[13] = (uint8_t)flags;
    put16(tcp + 14, 65535);
    if (options) {
        tcp[20] = 2;
        tcp[21] = 4;
        put16(tcp + 22, WIRE_MSS + 12);
    }
    if (len > 0)
        memcpy(tcp + 20 + options, payload, len);
    uint32_t sum = sum16(6 + (uint32_t)(20 + options + len), ip + 12, 8);
    put16(tcp + 16, fold(sum16(sum, tcp, 20 + options + len)));
    wire_frame(w, frame, 34 + 20 + options + len);
}

void wire_open(struct wire *w, struct wire_flow *f)
{
    wire_segment(w, f, 0, WIRE_SYN, f->seq[0]++, 0, NULL, 0);
    wire_segment(w, f, 1, WIRE_SYN | WIRE_ACK, f->seq[1]++, f->seq[0], NULL, 0);
    wire_segment(w, f, 0, WIRE_ACK, f->seq[0], f->seq[1], NULL, 0);
}

void wire_send(struct wire *w, struct wire_flow *f, int side, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (unsigned n = 1; len > 0; n++) {
        size_t part = len < WIRE_MSS ? len : WIRE_MSS;
        wire_segment(w, f, side, WIRE_ACK | WIRE_PSH, f->seq[side], f->seq[1 - side], at, part);
        f->seq[side] += (uint32_t)part;
        at += part;
        len -= part;
        if (n % 2 == 0 || len == 0)
            wire_segment(w, f, 1 - side, WIRE_ACK, f->seq[1 - side], f->seq[side], NULL, 0);
    }
}

void wire_say(struct wire *w, struct wire_flow *f, int side, const char *text)
{
    wire_send(w, f, side, text, strlen(text));
}

void wire_close(struct wire *w, struct wire_flow *f, int first)
{
    for (int i = 0; i < 2; i++) {
        int side = i == 0 ? first : 1 - first;
        wire_segment(w, f, side, WIRE_FIN | WIRE_ACK, f->seq[side]++, f->seq[1 - side], NULL, 0);
        wire_segment(w, f, 1 - side, WIRE_ACK, f->seq[1 - side], f->seq[side], NULL, 0);
    }
}
