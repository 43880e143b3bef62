/*
 * capture.c - saved captures through libpcap, with the checks and messages that a user needs.
 */
#include "capture/capture.h"

#include "capture/kind.h"

#include <inttypes.h>
#include <pcap.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 200 }; /* of a long path in a message: the offset behind it must not be cut */

struct sw_capture {
    char name[NAME_BYTES + 4]; /* for messages */
    struct sw_input *input;
    FILE *stream; /* ours until libpcap has taken it */
    pcap_t *pcap;
    struct bpf_program filter;
    bool has_filter;
    struct sw_kind kind;
    int32_t link_type;
    uint32_t snaplen_bytes;
    uint64_t offset; /* of the next record or block */
    struct sw_capture_counters count;
};

static void set_name(struct sw_capture *capture, const char *path)
{
    size_t len = strlen(path);
    if (strcmp(path, "-") == 0)
        (void)snprintf(capture->name, sizeof(capture->name), "standard input");
    else if (len <= NAME_BYTES)
        (void)snprintf(capture->name, sizeof(capture->name), "%s", path);
    else
        (void)snprintf(capture->name, sizeof(capture->name), "...%s", path + len - NAME_BYTES);
}

static bool link_is_known(int32_t link_type)
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

/* Link types that nobody decodes are named, so that the user knows what to record instead. */
static struct sw_status check_link_type(const struct sw_capture *capture)
{
    if (link_is_known(capture->link_type))
        return sw_status_ok();
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

static struct sw_status start_libpcap(struct sw_capture *capture)
{
    capture->stream = sw_input_stream(capture->input);
    if (!capture->stream)
        return sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", capture->name);
    char error[PCAP_ERRBUF_SIZE] = "";
    capture->pcap = pcap_fopen_offline_with_tstamp_precision(capture->stream,
                                                             PCAP_TSTAMP_PRECISION_NANO, error);
    if (!capture->pcap) {
        uint64_t at = sw_input_offset(capture->input);
        return sw_status_make(SW_UNREADABLE, at,
                              "%s: its header cannot be used, at byte %" PRIu64
                              ": %s; record or copy it again",
                              capture->name, at, error);
    }
    capture->stream = NULL; /* libpcap closes it */
    capture->link_type = pcap_datalink(capture->pcap);
    capture->snaplen_bytes = (uint32_t)pcap_snapshot(capture->pcap);
    capture->offset = sw_input_offset(capture->input);
    return sw_status_ok();
}

static struct sw_status start(struct sw_capture *capture, const char *path,
                              const struct sw_capture_options *options)
{
    struct sw_status status = sw_input_open(path, capture->name, &capture->input);
    if (status.code == SW_OK)
        status = sw_kind_look(capture->input, path, capture->name, &capture->kind);
    if (status.code == SW_OK)
        status = start_libpcap(capture);
    if (status.code == SW_OK)
        status = check_link_type(capture);
    if (status.code == SW_OK)
        status = compile_filter(capture, options->filter);
    return status;
}

struct sw_status sw_capture_open(const char *path, const struct sw_capture_options *options,
                                 struct sw_capture **out)
{
    *out = NULL;
    struct sw_capture *capture = calloc(1, sizeof(*capture));
    if (!capture)
        return sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", path);
    set_name(capture, path);
    struct sw_status status = start(capture, path, options);
    if (status.code != SW_OK)
        sw_capture_close(capture);
    else
        *out = capture;
    return status;
}

/*
 * libpcap has one link type and one snapshot length for a whole file, and gives up where a pcapng
 * file has more. That is no damage, and its own words are all that tells the two apart.
 */
static const char *beyond_libpcap(const char *error)
{
    static const char *const known[][2] = {
        {"different from the type of the first", "its interfaces have different link types"},
        {"different from the snapshot length", "its interfaces have different snapshot lengths"},
        {"different byte orders", "its sections have different byte orders"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strstr(error, known[i][0]))
            return known[i][1];
    }
    return NULL;
}

static struct sw_status stopped(const struct sw_capture *capture)
{
    uint64_t start = capture->offset;
    const char *error = pcap_geterr(capture->pcap);
    const char *mixed = beyond_libpcap(error);
    if (mixed)
        return sw_status_make(SW_UNSUPPORTED, start,
                              "%s: cannot be read on from byte %" PRIu64 ", behind frame %" PRIu64
                              ": %s; record each interface into a file of its own",
                              capture->name, start, capture->count.frames, mixed);
    const char *cut =
        sw_input_at_end(capture->input) ? "the file ends inside the next record, " : "";
    return sw_status_make(SW_DAMAGED, start,
                          "%s: damaged at byte %" PRIu64 ", behind frame %" PRIu64
                          " (%s%s); what stands before was analysed",
                          capture->name, start, capture->count.frames, cut, error);
}

/* A pcapng file can claim any 64-bit time; what int64_t nanoseconds cannot hold is its limit. */
static int64_t time_of(const struct pcap_pkthdr *header)
{
    const int64_t second = INT64_C(1000000000);
    int64_t seconds = header->ts.tv_sec;
    int64_t fraction = header->ts.tv_usec; /* nanoseconds, as asked for at the start */
    if (fraction < 0 || fraction > UINT32_MAX * INT64_C(1000))
        fraction = 0;
    int64_t carry = fraction / second; /* a million microseconds are a second */
    if (seconds >= INT64_MAX / second - carry)
        return INT64_MAX;
    if (seconds <= INT64_MIN / second)
        return INT64_MIN + 1; /* INT64_MIN itself is "never" */
    return (seconds + carry) * second + fraction % second;
}

/*
 * Where the next record begins. That of a pcap file follows from the length of this one (unless
 * libpcap cut it to the snapshot length), which is cheaper than to ask the stream.
 */
static uint64_t offset_behind(const struct sw_capture *capture, const struct pcap_pkthdr *header)
{
    if (capture->kind.record_header_bytes != 0 && header->caplen < capture->snaplen_bytes)
        return capture->offset + capture->kind.record_header_bytes + header->caplen;
    return sw_input_offset(capture->input);
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
            return stopped(capture);
        capture->offset = offset_behind(capture, header);
        capture->count.frames++;
        capture->count.bytes += header->caplen;
        if (capture->has_filter && pcap_offline_filter(&capture->filter, header, bytes) == 0) {
            capture->count.filtered++;
            continue;
        }
        *frame = (struct sw_frame){
            .number = capture->count.frames,
            .time_ns = time_of(header),
            .bytes = bytes,
            .caplen = header->caplen,
            .len = header->len > header->caplen ? header->len : header->caplen,
            .link_type = capture->link_type,
            .time_digits = capture->kind.time_digits,
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
    *at_bytes = capture->offset;
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
