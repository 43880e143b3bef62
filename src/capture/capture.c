/*
 * capture.c - saved captures through libpcap, with the checks and messages that a user needs.
 */
#include "capture/capture.h"

#include "capture/input.h"

#include <inttypes.h>
#include <pcap.h>
#include <stdlib.h>
#include <string.h>

struct sw_capture {
    const char *name; /* for messages */
    struct sw_input *input;
    FILE *stream;
    pcap_t *pcap;
    struct bpf_program filter;
    bool has_filter;
    bool classic; /* pcap, not pcapng: offsets can be computed */
    uint8_t time_digits;
    int32_t link_type;
    uint64_t offset_bytes; /* behind the last whole record of a classic file */
    struct sw_capture_counters count;
};

enum { CLASSIC_HEADER = 24, CLASSIC_RECORD = 16 };

static struct sw_status refuse(struct sw_capture *capture, struct sw_status status)
{
    sw_capture_close(capture);
    return status;
}

/* Link types that nobody decodes are named, so that the user knows what to record instead. */
static struct sw_status check_link_type(const struct sw_capture *capture)
{
    static const int32_t decoded[] = {0, 1, 12, 14, 101, 108, 113, 228, 229, 276};
    for (size_t i = 0; i < sizeof(decoded) / sizeof(decoded[0]); i++) {
        if (capture->link_type == decoded[i])
            return sw_status_ok();
    }
    const char *name = pcap_datalink_val_to_name(capture->link_type);
    return sw_status_make(
        SW_UNSUPPORTED, 0,
        "%s: frames of link type %s (%d) cannot be decoded; record on an Ethernet "
        "interface or on 'any'",
        capture->name, name ? name : "unknown", capture->link_type);
}

static struct sw_status compile_filter(struct sw_capture *capture, const char *expression)
{
    if (!expression)
        return sw_status_ok();
    if (pcap_compile(capture->pcap, &capture->filter, expression, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return sw_status_make(SW_USAGE, 0, "filter '%s': %s", expression,
                              pcap_geterr(capture->pcap));
    capture->has_filter = true;
    return sw_status_ok();
}

struct sw_status sw_capture_open(const char *path, const struct sw_capture_options *options,
                                 struct sw_capture **out)
{
    *out = NULL;
    struct sw_capture *capture = calloc(1, sizeof(*capture));
    if (!capture)
        return sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", path);
    capture->name = strcmp(path, "-") == 0 ? "standard input" : path;
    struct sw_status status = sw_input_open(path, capture->name, &capture->input);
    if (status.code != SW_OK)
        return refuse(capture, status);
    status =
        sw_input_check(capture->input, capture->name, &capture->classic, &capture->time_digits);
    if (status.code != SW_OK)
        return refuse(capture, status);
    capture->stream = sw_input_stream(capture->input);
    if (!capture->stream)
        return refuse(capture, sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", path));
    char error[PCAP_ERRBUF_SIZE] = "";
    capture->pcap = pcap_fopen_offline_with_tstamp_precision(capture->stream,
                                                             PCAP_TSTAMP_PRECISION_NANO, error);
    if (!capture->pcap)
        return refuse(capture,
                      sw_status_make(SW_UNREADABLE, sw_input_consumed(capture->input),
                                     "%s: not a readable capture: %s", capture->name, error));
    capture->stream = NULL; /* libpcap closes it */
    capture->link_type = pcap_datalink(capture->pcap);
    capture->offset_bytes = CLASSIC_HEADER;
    status = check_link_type(capture);
    if (status.code == SW_OK)
        status = compile_filter(capture, options->filter);
    if (status.code != SW_OK)
        return refuse(capture, status);
    *out = capture;
    return sw_status_ok();
}

static uint64_t position(const struct sw_capture *capture)
{
    return capture->classic ? capture->offset_bytes : sw_input_consumed(capture->input);
}

static struct sw_status damaged(const struct sw_capture *capture)
{
    return sw_status_make(SW_DAMAGED, position(capture),
                          "%s: damaged at byte %" PRIu64 ", behind frame %" PRIu64
                          ": %s; what stands before was analysed",
                          capture->name, position(capture), capture->count.frames,
                          pcap_geterr(capture->pcap));
}

struct sw_status sw_capture_next(struct sw_capture *capture, struct sw_frame *frame)
{
    for (;;) {
        struct pcap_pkthdr *header = NULL;
        const u_char *bytes = NULL;
        int result = pcap_next_ex(capture->pcap, &header, &bytes);
        if (result == PCAP_ERROR_BREAK)
            return (struct sw_status){.code = SW_END};
        if (result != 1)
            return damaged(capture);
        capture->count.frames++;
        capture->count.bytes += header->caplen;
        capture->offset_bytes += CLASSIC_RECORD + (uint64_t)header->caplen;
        if (capture->has_filter && pcap_offline_filter(&capture->filter, header, bytes) == 0) {
            capture->count.filtered++;
            continue;
        }
        *frame = (struct sw_frame){
            .number = capture->count.frames,
            .time_ns = (int64_t)header->ts.tv_sec * INT64_C(1000000000) + header->ts.tv_usec,
            .bytes = bytes,
            .caplen = header->caplen,
            .len = header->len > header->caplen ? header->len : header->caplen,
            .link_type = capture->link_type,
            .time_digits = capture->time_digits,
        };
        return sw_status_ok();
    }
}

const struct sw_capture_counters *sw_capture_count(const struct sw_capture *capture)
{
    return &capture->count;
}

void sw_capture_progress(const struct sw_capture *capture, uint64_t *at_bytes, uint64_t *size_bytes)
{
    *at_bytes = position(capture);
    *size_bytes = sw_input_size(capture->input);
}

void sw_capture_close(struct sw_capture *capture)
{
    if (!capture)
        return;
    if (capture->has_filter)
        pcap_freecode(&capture->filter);
    if (capture->pcap)
        pcap_close(capture->pcap);
    if (capture->stream)
        (void)fclose(capture->stream);
    sw_input_close(capture->input);
    free(capture);
}
