/*
 * Any bytes as a frame: the first byte chooses the link type, the second how much the snaplen cut
 * off. What the headers say must stay inside the frame.
 */
#include "decode/decode.h"

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
    if (packet->bad_checksum)
        must(packet->payload.len == packet->payload_wire);
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
    if (sw_decode(&frame, &packet) == SW_DECODE_IP)
        check(&frame, &packet);
    return 0;
}
