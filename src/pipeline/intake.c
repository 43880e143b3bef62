#include "pipeline/intake.h"

bool sw_intake_init(struct sw_intake *intake, const struct sw_fragment_limits *limits,
                    const struct sw_hash_key *key, struct sw_summary *summary, size_t *account)
{
    *intake = (struct sw_intake){.summary = summary};
    intake->fragments = sw_fragments_new(limits, key);
    if (intake->fragments)
        sw_fragments_account(intake->fragments, account);
    return intake->fragments != NULL;
}

/*
 * Parts are counted when their packet is settled: with the packet when it became whole, else as
 * other. A packet inside a tunnel may itself be a part; every such round takes one tunnel header
 * off, so they come to an end.
 */
static enum sw_decode_result join(struct sw_intake *intake, const struct sw_frame *frame,
                                  struct sw_packet *packet, uint64_t *frames)
{
    enum sw_decode_result result = SW_DECODE_FRAGMENT;
    bool conflict = false;
    while (result == SW_DECODE_FRAGMENT) {
        struct sw_whole whole;
        if (!sw_fragments_take(intake->fragments, packet, frame->time_ns, &whole))
            return SW_DECODE_FRAGMENT;
        struct sw_packet part = *packet;
        result = sw_decode_whole(&part, whole.bytes, whole.wire, packet);
        conflict = conflict || whole.conflict;
        if (result == SW_DECODE_FRAGMENT) /* it goes on as one of the parts of another packet */
            intake->summary->frames_decoded += whole.frames - 1;
        else
            *frames = whole.frames;
    }
    packet->conflicting = conflict;
    return result;
}

/* What becomes of a frame that is not simply a packet. */
static bool settle(struct sw_intake *intake, const struct sw_frame *frame, struct sw_packet *packet,
                   enum sw_decode_result result)
{
    uint64_t frames = 1;
    if (result == SW_DECODE_FRAGMENT)
        result = join(intake, frame, packet, &frames);
    intake->unread[packet->unread] += frames;
    switch (result) {
    case SW_DECODE_IP:
        intake->summary->frames_decoded += frames;
        return true;
    case SW_DECODE_OTHER:
        intake->summary->frames_other += frames;
        return false;
    case SW_DECODE_BROKEN:
        intake->summary->frames_undecodable += frames;
        return false;
    case SW_DECODE_FRAGMENT: /* kept, until its packet is settled */
        return false;
    }
    return false;
}

bool sw_intake_packet(struct sw_intake *intake, const struct sw_frame *frame,
                      struct sw_packet *packet)
{
    enum sw_decode_result result = sw_decode(frame, packet);
    intake->part = result == SW_DECODE_FRAGMENT;
    if (result != SW_DECODE_IP || packet->unread != SW_UNREAD_NOTHING)
        return settle(intake, frame, packet, result);
    intake->summary->frames_decoded++;
    return true;
}

void sw_intake_finish(struct sw_intake *intake)
{
    struct sw_summary *summary = intake->summary;
    sw_fragments_finish(intake->fragments);
    const struct sw_fragment_counters *c = sw_fragments_count(intake->fragments);
    summary->frames_decoded += c->copies;
    summary->frames_other += c->incomplete;
    sw_summary_count(summary->skipped, "fragments-incomplete", c->incomplete);
    sw_summary_count(summary->skipped, "fragments-contradicting", c->conflicts);
    sw_summary_count(summary->limits, "fragments", c->limit_hits);
    for (int i = SW_UNREAD_NOTHING + 1; i < SW_UNREAD_COUNT; i++)
        sw_summary_count(summary->skipped, sw_unread_name((enum sw_unread)i), intake->unread[i]);
}

void sw_intake_release(struct sw_intake *intake)
{
    sw_fragments_free(intake->fragments);
    intake->fragments = NULL;
}
