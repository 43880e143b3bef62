/*
 * story_tcp.c - what TCP went through, as far as it matters for a mail that did not get away.
 */
#include "analyzer/story.h"

#define LONG_ZERO_NS (5 * SW_NS_PER_S)

enum { MANY_REPETITIONS = 3, TTL_SPREAD = 2 };

static const char *frame(struct sw_prose *story, struct sw_mark mark)
{
    return sw_prose_frame(story, mark.frame);
}

static const char *name_of(int side)
{
    return side == SW_CLIENT ? "client" : "server";
}

static void tell_window(const struct sw_half_facts *half, const struct sw_case *c, int side,
                        struct sw_prose *story)
{
    if (half->zero_window_ns < LONG_ZERO_NS)
        return;
    sw_prose_add(story, " From frame %s on the %s took no more data (window 0)",
                 frame(story, half->zero_window), name_of(side));
    if (half->zero_window_probes > 0)
        sw_prose_add(story, " and said so %u times, last in frame %s", half->zero_window_probes,
                     frame(story, half->zero_window_answer));
    sw_prose_add(story, "; it had none for %s in all.",
                 sw_duration_text(c->arena, half->zero_window_ns));
}

static void tell_repetitions(const struct sw_half_facts *half, int side, struct sw_prose *story)
{
    if (half->rto_open >= MANY_REPETITIONS)
        sw_prose_add(story,
                     " The %s sent a packet with %u bytes again %u times (frames %s to %s) and "
                     "it was never acknowledged.",
                     name_of(side), half->rto_bytes, half->rto_open, frame(story, half->rto_first),
                     frame(story, half->rto_last));
    else if (half->retransmissions >= half->data_packets && half->retransmissions > 1)
        sw_prose_say(story, " The ", name_of(side), " had to send its packets again ",
                     half->retransmissions, " times, last in frame ", half->rto_last, ".");
    else if (half->retransmissions >= MANY_REPETITIONS)
        sw_prose_say(story,
                     side == SW_CLIENT ? " The client had to send " : " The server had to send ",
                     half->retransmissions, " of ", half->data_packets,
                     " packets again, last in frame ", half->rto_last, ".");
    if (half->hole_bytes > 0)
        sw_prose_say(story, " ", half->hole_bytes, " bytes of the ", name_of(side),
                     " before frame ", half->hole, " never arrived.");
}

static void tell_reset(const struct sw_half_facts *half, int side, struct sw_prose *story)
{
    if (!half->rst.frame || half->packets < (side == SW_SERVER ? 2 : 3))
        return;
    int rst = half->rst_ttl;
    if (rst > half->ttl_max + TTL_SPREAD || rst + TTL_SPREAD < half->ttl_min)
        sw_prose_add(story,
                     " The RST in frame %s came with a TTL of %d, the other packets of the %s "
                     "with %d.",
                     frame(story, half->rst), rst, name_of(side), half->ttl_max);
    if (half->after_rst.frame)
        sw_prose_add(story, " In frame %s the %s went on as if it had sent no RST.",
                     frame(story, half->after_rst), name_of(side));
}

void sw_story_tcp(const struct sw_case *c, struct sw_prose *story)
{
    if (c->outcome == SW_OUTCOME_DELIVERED)
        return;
    for (int side = 0; side < 2; side++) {
        const struct sw_half_facts *half = &c->facts->half[side];
        tell_window(half, c, side, story);
        tell_repetitions(half, side, story);
        tell_reset(half, side, story);
    }
    for (uint8_t i = 0; i < c->facts->icmp_count; i++) {
        const struct sw_flow_icmp *icmp = &c->facts->icmp[i];
        if (icmp->ip_version == 4 ? icmp->type != 3 || icmp->code != 4 : icmp->type != 2)
            continue;
        sw_prose_add(story, " In frame %s %s said that packets are too large for the next link",
                     frame(story, icmp->mark),
                     sw_address_text(c->arena, icmp->from, icmp->ip_version));
        if (icmp->mtu > 0)
            sw_prose_add(story, ", which takes %u bytes", icmp->mtu);
        sw_prose_add(story, ".");
    }
}
