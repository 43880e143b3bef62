/*
 * tcp.h - the header of TCP (RFC 9293 section 3.1); private to the decode room. Inline, because
 * nearly every frame has one.
 */
#ifndef SW_DECODE_TCP_H
#define SW_DECODE_TCP_H

#include "decode/ip.h"

enum { SW_TCP_HEADER_BYTES = 20 };

/* Any options but those of sw_read_only_timestamps(); what makes no sense is left out. */
void sw_read_tcp_options(struct sw_span options, struct sw_tcp_header *tcp);

/* What nearly every sender puts there (RFC 7323 appendix A): NOP, NOP, timestamps. */
static inline bool sw_read_only_timestamps(struct sw_span options, struct sw_tcp_header *tcp)
{
    enum { LENGTH = 12, NOP_NOP_TIMESTAMP_OF_TEN = 0x0101080A };
    if (options.len != LENGTH)
        return false;
    struct sw_cursor c = sw_cursor_make(sw_span_make(options.ptr, LENGTH));
    if (sw_cursor_be32(&c) != NOP_NOP_TIMESTAMP_OF_TEN)
        return false;
    tcp->has_timestamp = true;
    tcp->timestamp = sw_cursor_be32(&c);
    tcp->timestamp_echo = sw_cursor_be32(&c);
    return true;
}

/* A TCP segment as far as it was captured; `wire` is its length by the header of IP, `verifiable`
 * as in struct sw_ip_content. False: its headers are broken. */
static inline bool sw_read_tcp(struct sw_span segment, uint32_t wire, bool verifiable,
                               struct sw_packet *packet)
{
    struct sw_tcp_header *tcp = &packet->tcp;
    if (segment.len < SW_TCP_HEADER_BYTES)
        return false;
    struct sw_cursor h = sw_cursor_make(sw_span_make(segment.ptr, SW_TCP_HEADER_BYTES));
    memset(tcp, 0, offsetof(struct sw_tcp_header, sack)); /* sack_count says what of sack is set */
    packet->tuple.src_port = sw_cursor_be16(&h);
    packet->tuple.dst_port = sw_cursor_be16(&h);
    tcp->seq = sw_cursor_be32(&h);
    tcp->ack = sw_cursor_be32(&h);
    uint8_t offset = sw_cursor_u8(&h);
    tcp->flags = sw_cursor_u8(&h);
    tcp->window = sw_cursor_be16(&h);
    sw_cursor_skip(&h, 2);
    tcp->urgent = sw_cursor_be16(&h);
    uint32_t header = (uint32_t)(offset >> 4) * 4;
    if (header < SW_TCP_HEADER_BYTES || header > wire)
        return false;
    /* Where the snaplen cut into the options, the header without them is worth having. */
    size_t there = header < segment.len ? header : segment.len;
    struct sw_span options =
        sw_span_make(segment.ptr + SW_TCP_HEADER_BYTES, there - SW_TCP_HEADER_BYTES);
    if (header > SW_TCP_HEADER_BYTES && !sw_read_only_timestamps(options, tcp))
        sw_read_tcp_options(options, tcp);
    packet->transport = SW_TRANSPORT_TCP;
    packet->payload = sw_span_make(segment.ptr + there, segment.len - there);
    packet->payload_wire = wire - header;
    bool matters = packet->payload_wire > 0 || (tcp->flags & SW_TCP_SYN);
    if (matters && segment.len == wire && verifiable)
        packet->segment = segment;
    return true;
}

#endif
