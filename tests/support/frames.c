#include "support/frames.h"

#include <stdlib.h>

const uint8_t frames_src4[4] = {192, 0, 2, 1};
const uint8_t frames_dst4[4] = {198, 51, 100, 25};
const uint8_t frames_src6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
const uint8_t frames_dst6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 2, [15] = 25};

/* A test that went wrong must stop, in every build. */
static void must(bool truth)
{
    if (!truth)
        abort();
}

void frames_bytes(struct frames *f, const void *bytes, size_t n)
{
    must(n <= sizeof(f->bytes) - f->len);
    if (n > 0)
        memcpy(f->bytes + f->len, bytes, n);
    f->len += n;
}

void frames_u8(struct frames *f, unsigned value)
{
    const uint8_t byte = (uint8_t)value;
    frames_bytes(f, &byte, 1);
}

void frames_u16(struct frames *f, unsigned value)
{
    frames_u8(f, value >> 8);
    frames_u8(f, value & 0xFF);
}

void frames_u32(struct frames *f, uint32_t value)
{
    frames_u16(f, value >> 16);
    frames_u16(f, value & 0xFFFF);
}

void frames_text(struct frames *f, const char *text)
{
    frames_bytes(f, text, strlen(text));
}

void frames_set16(struct frames *f, size_t at, unsigned value)
{
    must(at + 2 <= f->len);
    f->bytes[at] = (uint8_t)(value >> 8);
    f->bytes[at + 1] = (uint8_t)value;
}

void frames_ethernet(struct frames *f, unsigned type)
{
    static const uint8_t addresses[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
    frames_bytes(f, addresses, sizeof(addresses));
    frames_u16(f, type);
}

void frames_vlan(struct frames *f, unsigned id, unsigned type)
{
    frames_u16(f, id);
    frames_u16(f, type);
}

void frames_ip4(struct frames *f, unsigned protocol)
{
    f->ip_at = f->len;
    f->version = 4;
    frames_u16(f, 0x4500);
    frames_u16(f, 0); /* length: see frames_finish */
    frames_u16(f, 0x1234);
    frames_u16(f, 0x4000); /* don't fragment */
    frames_u8(f, 63);
    frames_u8(f, protocol);
    frames_u16(f, 0);
    frames_bytes(f, frames_src4, 4);
    frames_bytes(f, frames_dst4, 4);
}

void frames_ip6(struct frames *f, unsigned next)
{
    f->ip_at = f->len;
    f->version = 6;
    frames_u32(f, 0x60000000);
    frames_u16(f, 0);
    frames_u8(f, next);
    frames_u8(f, 62);
    frames_bytes(f, frames_src6, 16);
    frames_bytes(f, frames_dst6, 16);
}

void frames_tcp(struct frames *f, unsigned flags, const void *options, size_t options_len)
{
    must(options_len % 4 == 0 && options_len <= 40);
    f->tcp_at = f->len;
    frames_u16(f, FRAMES_SRC_PORT);
    frames_u16(f, FRAMES_DST_PORT);
    frames_u32(f, FRAMES_SEQ);
    frames_u32(f, FRAMES_ACK);
    frames_u8(f, (unsigned)(5 + options_len / 4) << 4);
    frames_u8(f, flags);
    frames_u16(f, FRAMES_WINDOW);
    frames_u16(f, 0); /* checksum: see frames_finish */
    frames_u16(f, 0);
    frames_bytes(f, options, options_len);
}

void frames_udp(struct frames *f, size_t payload_len)
{
    frames_u16(f, FRAMES_SRC_PORT);
    frames_u16(f, 53);
    frames_u16(f, (unsigned)(8 + payload_len));
    frames_u16(f, 0);
}

uint32_t frames_sum16(uint32_t sum, const uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return sum;
}

static void write_tcp_checksum(struct frames *f)
{
    size_t length = f->len - f->tcp_at;
    size_t address = f->version == 6 ? 16 : 4;
    const uint8_t *from = f->bytes + f->ip_at + (f->version == 6 ? 8 : 12);
    uint32_t sum = frames_sum16(6 + (uint32_t)length, from, 2 * address);
    frames_set16(f, f->tcp_at + 16, 0);
    sum = frames_sum16(sum, f->bytes + f->tcp_at, length);
    frames_set16(f, f->tcp_at + 16, ~sum & 0xFFFF);
}

void frames_finish(struct frames *f)
{
    size_t length = f->len - f->ip_at;
    if (f->version == 4)
        frames_set16(f, f->ip_at + 2, (unsigned)length);
    else
        frames_set16(f, f->ip_at + 4, (unsigned)(length - 40));
    if (f->tcp_at != 0)
        write_tcp_checksum(f);
}

static enum sw_decode_result decode(const uint8_t *bytes, size_t caplen, size_t len,
                                    int32_t link_type, struct sw_packet *packet)
{
    const struct sw_frame frame = {
        .number = 1,
        .bytes = bytes,
        .caplen = (uint32_t)caplen,
        .len = (uint32_t)len,
        .link_type = link_type,
        .time_digits = 6,
    };
    /* What decoding does not write must not matter. */
    memset(packet, 0xA5, sizeof(*packet));
    return sw_decode(&frame, packet);
}

enum sw_decode_result frames_decode(const struct frames *f, int32_t link_type,
                                    struct sw_packet *packet)
{
    return decode(f->bytes, f->len, f->len, link_type, packet);
}

static enum sw_decode_result decode_block(const struct frames *f, int32_t link_type, size_t caplen,
                                          struct sw_packet *packet)
{
    static uint8_t *held; /* the packet borrows from it until the next call */
    uint8_t *block = malloc(caplen > 0 ? caplen : 1);
    must(block != NULL);
    memcpy(block, f->bytes, caplen);
    free(held);
    held = block;
    enum sw_decode_result result = decode(block, caplen, f->len, link_type, packet);
    if (result == SW_DECODE_IP && packet->payload.len > 0) {
        must(packet->payload.ptr >= block);
        must(packet->payload.ptr + packet->payload.len <= block + caplen);
    }
    return result;
}

enum sw_decode_result frames_decode_cut(const struct frames *f, int32_t link_type, size_t caplen,
                                        struct sw_packet *packet)
{
    must(caplen <= f->len);
    return decode_block(f, link_type, caplen, packet);
}

size_t frames_cut_everywhere(const struct frames *f, int32_t link_type)
{
    size_t shortest = SIZE_MAX;
    for (size_t caplen = 0; caplen <= f->len; caplen++) {
        struct sw_packet packet;
        enum sw_decode_result result = decode_block(f, link_type, caplen, &packet);
        if (result != SW_DECODE_IP) {
            must(shortest == SIZE_MAX); /* more bytes never make it worse */
            continue;
        }
        if (shortest == SIZE_MAX)
            shortest = caplen;
        must(packet.payload.len <= packet.payload_wire);
        must(packet.transport != SW_TRANSPORT_NONE);
    }
    return shortest;
}
