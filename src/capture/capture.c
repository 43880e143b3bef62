/*
 * capture.c - what all saved captures have in common: opening, filtering, counting, and the
 * messages that a user needs.
 */
#include "capture/internal.h"

#include <inttypes.h>
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>

static void set_name(struct sw_capture *capture, const char *path)
{
    size_t len = strlen(path);
    if (strcmp(path, "-") == 0)
        (void)snprintf(capture->name, sizeof(capture->name), "standard input");
    else if (len <= SW_CAPTURE_NAME_BYTES)
        (void)snprintf(capture->name, sizeof(capture->name), "%s", path);
    else
        (void)snprintf(capture->name, sizeof(capture->name), "...%s",
                       path + len - SW_CAPTURE_NAME_BYTES);
}

bool sw_capture_link_is_known(int32_t link_type)
{
    switch (link_type) {
#define SW_LINK(number, reader) case number:
#include "capture/link.def"
#undef SW_LINK
        return true;
    default:
        return false;
    }
}

int32_t sw_capture_link_of_file(uint32_t link_type)
{
    /* www.tcpdump.org/linktypes.html; the others have one number on Linux */
    switch (link_type) {
    case 100:
        return DLT_ATM_RFC1483;
    case 101:
        return DLT_RAW;
    case 106:
        return DLT_ATM_CLIP;
    default:
        return (int32_t)link_type;
    }
}

uint16_t sw_capture_link_in_file(int32_t link_type)
{
    switch (link_type) {
    case DLT_ATM_RFC1483:
        return 100;
    case DLT_RAW:
        return 101;
    case DLT_ATM_CLIP:
        return 106;
    default:
        return (uint16_t)link_type;
    }
}

/* Link types that nobody decodes are named, so that the user knows what to record instead. */
struct sw_status sw_capture_strange_link(const struct sw_capture *capture, int32_t link_type)
{
    const char *name = pcap_datalink_val_to_name(link_type);
    return sw_status_make(
        SW_UNSUPPORTED, 0,
        "%s: frames of link type %s (%d) cannot be decoded; record on an Ethernet "
        "interface or on 'any'",
        capture->name, name ? name : "unknown", link_type);
}

/* In a compressed file offsets are those of the capture inside. */
static const char *inside(const struct sw_capture *capture)
{
    return sw_input_packing(capture->input) ? " of the unpacked capture" : "";
}

enum sw_status_code sw_capture_damage(struct sw_capture *capture, uint64_t offset, uint64_t on_at,
                                      const char *what)
{
    char tail[80] = "what stands before was analysed";
    if (on_at > 0)
        (void)snprintf(tail, sizeof(tail), "the analysis goes on at byte %" PRIu64, on_at);
    capture->fault = sw_status_make(
        SW_DAMAGED, offset, "%s: damaged at byte %" PRIu64 "%s, behind frame %" PRIu64 " (%s); %s",
        capture->name, offset, inside(capture), capture->count.frames, what, tail);
    capture->ended = capture->ended || on_at == 0;
    return SW_DAMAGED;
}

static enum sw_status_code limited(struct sw_capture *capture, uint64_t offset, const char *which)
{
    capture->fault = sw_status_make(SW_LIMITED, offset,
                                    "%s: to unpack it takes more than the limit '%s' allows "
                                    "(--help limits); what stands before "
                                    "byte %" PRIu64 " of the unpacked capture was analysed",
                                    capture->name, which, offset);
    capture->count.limit = which;
    return SW_LIMITED;
}

enum sw_status_code sw_capture_short(struct sw_capture *capture, uint64_t offset)
{
    const struct sw_input *input = capture->input;
    char what[120];
    capture->ended = true;
    switch (input->why) {
    case SW_INPUT_WHOLE:
        if (sw_input_left(input) == 0)
            return SW_END;
        return sw_capture_damage(capture, offset, 0, "the file ends inside the next record");
    case SW_INPUT_CUT:
        (void)snprintf(what, sizeof(what), "its compressed data (%s) is cut off",
                       sw_input_packing(input));
        return sw_capture_damage(capture, offset, 0, what);
    case SW_INPUT_BROKEN:
        (void)snprintf(what, sizeof(what),
                       "its compressed data (%s) is damaged near byte %" PRIu64 " of the file",
                       sw_input_packing(input), sw_input_done(input));
        return sw_capture_damage(capture, offset, 0, what);
    case SW_INPUT_FAILED:
        return sw_capture_damage(capture, offset, 0, strerror(input->error));
    case SW_INPUT_LIMIT_SIZE:
        return limited(capture, offset, "unpacked");
    case SW_INPUT_LIMIT_RATIO:
        return limited(capture, offset, "unpack-ratio");
    case SW_INPUT_LIMIT_MEMORY:
        return limited(capture, offset, "memory");
    case SW_INPUT_NO_MEMORY:
        break;
    }
    capture->fault = sw_status_make(SW_NO_MEMORY, offset, "%s: out of memory at byte %" PRIu64,
                                    capture->name, offset);
    return SW_NO_MEMORY;
}

static struct sw_status start(struct sw_capture *capture, const char *path,
                              const struct sw_capture_options *options)
{
    const struct sw_unpack_limits limits = {options->unpacked_bytes, options->unpacked_ratio,
                                            options->window_bytes, options->account};
    struct sw_status status = sw_input_open(path, capture->name, &limits, &capture->input);
    if (status.code == SW_OK)
        status = sw_kind_look(capture->input, path, capture->name, &capture->kind);
    if (status.code != SW_OK)
        return status;
    return capture->kind.pcapng ? sw_pcapng_open(capture) : sw_pcap_open(capture);
}

struct sw_status sw_capture_open(const char *path, const struct sw_capture_options *options,
                                 struct sw_capture **out)
{
    *out = NULL;
    struct sw_capture *capture = calloc(1, sizeof(*capture));
    if (!capture)
        return sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", path);
    set_name(capture, path);
    capture->options = *options;
    capture->filter.expression = options->filter;
    capture->strange_link = SW_NO_LINK_TYPE;
    struct sw_status status = start(capture, path, options);
    if (status.code != SW_OK)
        sw_capture_close(capture);
    else
        *out = capture;
    return status;
}

/* Everything was read: link types that nobody decodes are told now that their number is known. */
static struct sw_status at_end(struct sw_capture *capture)
{
    const struct sw_capture_counters *count = &capture->count;
    bool any = count->unsupported > 0 || (count->frames == 0 && capture->all_strange);
    capture->ended = true;
    if (capture->told_unsupported || !any)
        return (struct sw_status){.code = SW_END};
    capture->told_unsupported = true;
    if (count->unsupported == count->frames)
        return sw_capture_strange_link(capture, capture->strange_link);
    const char *name = pcap_datalink_val_to_name(capture->strange_link);
    return sw_status_make(SW_UNSUPPORTED, 0,
                          "%s: %" PRIu64 " of its %" PRIu64
                          " frames are of link types that cannot be decoded (%s, %d); the others "
                          "were analysed",
                          capture->name, count->unsupported, count->frames, name ? name : "unknown",
                          capture->strange_link);
}

static enum sw_status_code read_next(struct sw_capture *capture, struct sw_frame *frame,
                                     const struct sw_filter_slot **filter)
{
    if (capture->pcapng) /* which may hold the first frame of a file that is at its end */
        return sw_pcapng_next(capture, frame, filter);
    return capture->ended ? SW_END : sw_pcap_next(capture, frame, filter);
}

struct sw_status sw_capture_next(struct sw_capture *capture, struct sw_frame *frame)
{
    for (;;) {
        const struct sw_filter_slot *filter = NULL;
        frame->drops = 0; /* only pcapng tells */
        enum sw_status_code code = read_next(capture, frame, &filter);
        if (code == SW_END)
            return at_end(capture);
        if (code != SW_OK)
            return capture->fault;
        frame->number = ++capture->count.frames;
        frame->file = 0;
        if (frame->len < frame->caplen)
            frame->len = frame->caplen;
        capture->count.bytes += frame->caplen;
        if (!filter || sw_filter_matches(filter, frame))
            return sw_status_ok();
        capture->count.filtered++;
    }
}

const struct sw_capture_counters *sw_capture_count(const struct sw_capture *capture)
{
    return &capture->count;
}

void sw_capture_progress(const struct sw_capture *capture, uint64_t *at_bytes, uint64_t *size_bytes)
{
    *at_bytes = sw_input_done(capture->input);
    *size_bytes = capture->input->size;
}

void sw_capture_close(struct sw_capture *capture)
{
    if (!capture)
        return;
    sw_pcapng_close(capture);
    sw_filter_release(&capture->filter);
    sw_input_close(capture->input);
    free(capture);
}
