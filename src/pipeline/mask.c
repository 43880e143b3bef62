#include "pipeline/mask_inside.h"

#include "base/frame_ref.h"
#include "base/wipe.h"
#include "decode/decode.h"

#include <stdlib.h>

enum { DNS_PORT = 53 };

bool sw_mask_init(struct sw_mask *mask, const struct sw_extract *plan)
{
    *mask = (struct sw_mask){.plan = plan, .index_size = 16};
    while (mask->index_size < 2 * plan->session_count + 2)
        mask->index_size *= 2;
    size_t count = plan->session_count + 1;
    mask->index[0] = calloc(mask->index_size, sizeof(uint32_t));
    mask->index[1] = calloc(mask->index_size, sizeof(uint32_t));
    mask->next = calloc(count, sizeof(*mask->next));
    mask->near = calloc(count, sizeof(*mask->near));
    mask->frames = calloc(count * SW_EXTRACT_FRAMES, sizeof(*mask->frames));
    mask->part_index = calloc(SW_MASK_PART_BUCKETS, sizeof(*mask->part_index));
    if (!mask->index[0] || !mask->index[1] || !mask->next || !mask->near || !mask->frames ||
        !mask->part_index)
        return false;
    sw_mask_index(mask);
    return true;
}

void sw_mask_rewind(struct sw_mask *mask)
{
    memset(mask->near, 0, (mask->plan->session_count + 1) * sizeof(*mask->near));
}

void sw_mask_release(struct sw_mask *mask)
{
    free(mask->index[0]);
    free(mask->index[1]);
    free(mask->next);
    free(mask->near);
    free(mask->frames);
    free(mask->parts);
    free(mask->part_index);
    sw_wipe_free(mask->scratch, mask->scratch_room);
    *mask = (struct sw_mask){.plan = NULL};
}

bool sw_mask_copy(struct sw_mask *mask, const struct sw_frame *frame)
{
    if (frame->caplen > mask->scratch_room) {
        uint8_t *bigger = malloc(frame->caplen);
        if (!bigger)
            return false;
        sw_wipe_free(mask->scratch, mask->scratch_room); /* it may hold a login */
        mask->scratch = bigger;
        mask->scratch_room = frame->caplen;
    }
    if (frame->caplen > 0)
        memcpy(mask->scratch, frame->bytes, frame->caplen);
    return true;
}

static bool is_dns(const struct sw_tuple *t)
{
    return t->src_port == DNS_PORT || t->dst_port == DNS_PORT;
}

/* A question of a client whose look-up is in the plan, or an answer to it. */
static bool of_lookup(const struct sw_mask *mask, const struct sw_packet *packet, uint64_t ref)
{
    uint32_t session = 0;
    bool quote = packet->icmp.has_quote && is_dns(&packet->icmp.quote);
    const struct sw_tuple *t = quote ? &packet->icmp.quote : &packet->tuple;
    if (packet->neighbour.seen) {
        struct sw_mask_key key =
            sw_mask_client_key(packet->neighbour.asker, packet->neighbour.ip_version);
        return sw_mask_find(mask, SW_MASK_LOOKUPS, &key, ref, 0, &session);
    }
    if (!is_dns(t))
        return false;
    struct sw_mask_key from = sw_mask_client_key(t->src, t->ip_version);
    struct sw_mask_key to = sw_mask_client_key(t->dst, t->ip_version);
    return sw_mask_find(mask, SW_MASK_LOOKUPS, &from, ref, 0, &session) ||
           sw_mask_find(mask, SW_MASK_LOOKUPS, &to, ref, 0, &session);
}

static bool take_packet(struct sw_mask *mask, const struct sw_frame *frame,
                        const struct sw_packet *packet, uint64_t ref)
{
    uint32_t session = 0;
    if (packet->transport == SW_TRANSPORT_TCP) {
        bool found = sw_mask_find_connection(mask, packet, ref, &session);
        if (!found && of_lookup(mask, packet, ref))
            return true; /* questions and answers, over TCP */
        if (!found && !sw_mask_is_further(mask, ref))
            return false;
        uint64_t nowhere[2] = {0, 0};
        sw_mask_segment(mask, frame, packet, found ? &mask->plan->sessions[session] : NULL,
                        found ? mask->near[session] : nowhere);
        return true;
    }
    bool quotes = packet->icmp.has_quote && packet->icmp.quote.transport == SW_MASK_TCP;
    struct sw_mask_key key = sw_mask_tuple_key(&packet->icmp.quote);
    if (quotes && sw_mask_find(mask, SW_MASK_CONNECTIONS, &key, ref, 0, &session)) {
        sw_mask_quote(mask, frame, packet, &mask->plan->sessions[session], mask->near[session]);
        return true;
    }
    return !quotes && (of_lookup(mask, packet, ref) || sw_mask_is_further(mask, ref));
}

bool sw_mask_take(struct sw_mask *mask, const struct sw_frame *frame, struct sw_frame *out)
{
    struct sw_packet packet = {.payload = {NULL, 0}};
    uint64_t ref = sw_frame_ref(frame->file, frame->number);
    if (frame->link_type == SW_NO_LINK_TYPE || !sw_mask_copy(mask, frame))
        return false;
    bool taken = false;
    switch (sw_decode(frame, &packet)) {
    case SW_DECODE_IP:
        taken = take_packet(mask, frame, &packet, ref);
        break;
    case SW_DECODE_FRAGMENT:
        taken = sw_mask_take_part(mask, frame, &packet, ref);
        break;
    case SW_DECODE_OTHER:
        taken = of_lookup(mask, &packet, ref) ||
                (packet.neighbour.seen && sw_mask_is_further(mask, ref));
        break;
    case SW_DECODE_BROKEN:
        break;
    }
    *out = *frame;
    out->bytes = mask->scratch;
    return taken;
}
