/*
 * Any bytes as a frame: the first byte chooses the link type, the second how much the snaplen cut
 * off. What the headers say must stay inside the frame.
 */
#include "decode/decode.h"
#include "decode/layer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void check(const struct sw_frame *frame, const struct sw_packet *packet)
{
    must(packet->transport != SW_TRANSPORT_NONE);
    must(packet->tuple.ip_version == 4 || packet->tuple.ip_version == 6);
    must(packet->payload.len <= packet->payload_wire);
    if (packet->payload.len > 0) {
        must(packet->payload.ptr >= frame->bytes);
        must(packet->payload.ptr + packet->payload.len <= frame->bytes + frame->caplen);
    }
    if (packet->transport == SW_TRANSPORT_TCP)
        must(packet->tcp.sack_count <= SW_TCP_SACKS);
    bool is_icmp =
        packet->transport == SW_TRANSPORT_ICMP || packet->transport == SW_TRANSPORT_ICMP6;
    if (is_icmp && packet->icmp.has_quote)
        must(packet->icmp.quote.transport == 6 || packet->icmp.quote.transport == 17);
    if (sw_packet_is_damaged(packet))
        must(packet->payload.len == packet->payload_wire);
}

/* A part, and what comes of it when it is taken for the whole packet. */
static void check_part(const struct sw_frame *frame, const struct sw_packet *part)
{
    must(part->payload_wire > 0 && part->payload.len <= part->payload_wire);
    must(part->part.offset + part->payload_wire <= 65535);
    must(part->transport == SW_TRANSPORT_NONE);
    if (part->payload.len > 0)
        must(part->payload.ptr + part->payload.len <= frame->bytes + frame->caplen);
    struct sw_packet whole;
    memset(&whole, 0xA5, sizeof(whole));
    if (sw_decode_whole(part, part->payload, part->payload_wire, &whole) == SW_DECODE_IP)
        check(frame, &whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int32_t link_types[] = {
#define SW_LINK(number, reader) number,
#include "capture/link.def"
#undef SW_LINK
    };
    if (size < 2)
        return 0;
    const struct sw_frame frame = {
        .number = 1,
        .bytes = data + 2,
        .caplen = (uint32_t)size - 2,
        .len = (uint32_t)size - 2 + data[1],
        .link_type = link_types[data[0] % (sizeof(link_types) / sizeof(link_types[0]))],
        .time_digits = 6,
    };
    struct sw_packet packet;
    memset(&packet, 0xA5, sizeof(packet));
    enum sw_decode_result result = sw_decode(&frame, &packet);
    struct sw_packet walked;
    memset(&walked, 0xA5, sizeof(walked));
    must(sw_decode_walk(&frame, &walked) == result);
    if (sw_decode_straight(&frame, &(struct sw_packet){0})) /* the short cut changes nothing */
        must(memcmp(&packet, &walked, sizeof(packet)) == 0);
    must(packet.unread < SW_UNREAD_COUNT);
    must(packet.tunnel.count <= SW_TUNNELS_MAX);
    for (uint8_t i = 0; i < packet.tunnel.count; i++)
        must(packet.tunnel.headers[i].kind < SW_TUNNEL_KINDS);
    if (result == SW_DECODE_IP)
        check(&frame, &packet);
    if (result == SW_DECODE_FRAGMENT)
        check_part(&frame, &packet);
    return 0;
}
