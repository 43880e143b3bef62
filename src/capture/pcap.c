/*
 * pcap.c - files of tcpdump's own format: microseconds or nanoseconds, either byte order, and A.
 * Kuznetzov's variant with longer record headers.
 */
#include "capture/internal.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    HEADER_BYTES = 24,
    RECORD_BYTES = 16,
    MODIFIED_RECORD_BYTES = 24,  /* interface, protocol and packet type behind the lengths */
    LINK_TYPE_MASK = 0x03FFFFFF, /* above it: how long the checksum of a frame is */
    DGUX_VERSION = 543,
};

#define NS_PER_SECOND INT64_C(1000000000)

static inline __attribute__((always_inline)) uint32_t get32(struct sw_cursor *c, bool big)
{
    return big ? sw_cursor_be32(c) : sw_cursor_le32(c);
}

static uint16_t get16(struct sw_cursor *c, bool big)
{
    return big ? sw_cursor_be16(c) : sw_cursor_le16(c);
}

static void read_magic(struct sw_pcap *pcap, uint32_t magic)
{
    bool modified = magic == SW_PCAP_MODIFIED || magic == SW_PCAP_MODIFIED_SWAPPED;
    pcap->big = magic == SW_PCAP_MICRO || magic == SW_PCAP_NANO || magic == SW_PCAP_MODIFIED;
    pcap->nano = magic == SW_PCAP_NANO || magic == SW_PCAP_NANO_SWAPPED;
    pcap->record_header_bytes = modified ? MODIFIED_RECORD_BYTES : RECORD_BYTES;
}

/* As libpcap has it: before version 2.3 the two lengths of a record stood the other way round, in
 * 2.3 sometimes, and in the one of DG/UX always. */
static bool read_version(struct sw_pcap *pcap, uint16_t major, uint16_t minor)
{
    pcap->lengths_swapped = major == DGUX_VERSION || (major == 2 && minor < 3);
    pcap->lengths_maybe_swapped = major == 2 && minor == 3;
    return (major == 2 && minor <= 4) || (major == DGUX_VERSION && minor == 0);
}

struct sw_status sw_pcap_open(struct sw_capture *capture)
{
    struct sw_pcap *pcap = &capture->pcap;
    read_magic(pcap, capture->kind.magic);
    struct sw_cursor c = sw_cursor_make(sw_input_peek(capture->input, HEADER_BYTES));
    sw_cursor_skip(&c, 4);
    uint16_t major = get16(&c, pcap->big);
    uint16_t minor = get16(&c, pcap->big);
    sw_cursor_skip(&c, 12); /* time zone, accuracy, snapshot length */
    uint32_t link_type = get32(&c, pcap->big) & LINK_TYPE_MASK;
    if (!read_version(pcap, major, minor))
        return sw_status_make(SW_UNREADABLE, 4,
                              "%s: its header cannot be used, at byte 4: version %u.%u of the pcap "
                              "format is not known; record or copy it again",
                              capture->name, major, minor);
    (void)sw_input_skip(capture->input, HEADER_BYTES);
    pcap->link_type = sw_capture_link_of_file(link_type);
    if (!sw_capture_link_is_known(pcap->link_type))
        return sw_capture_strange_link(capture, pcap->link_type);
    return sw_filter_for(&capture->filter, pcap->link_type, &pcap->filter);
}

struct record {
    int64_t seconds, fraction;
    uint32_t caplen, len;
};

/* Inline, so that the order of bytes is asked for once. */
static inline __attribute__((always_inline)) void read_fields(const uint8_t *at, bool big,
                                                              struct record *record)
{
    struct sw_cursor c = sw_cursor_make(sw_span_make(at, RECORD_BYTES));
    record->seconds = get32(&c, big);
    record->fraction = get32(&c, big);
    record->caplen = get32(&c, big);
    record->len = get32(&c, big);
}

static inline void read_record(const uint8_t *at, bool big, struct record *record)
{
    if (big)
        read_fields(at, true, record);
    else
        read_fields(at, false, record);
}

/* Apart, so that its text is no burden of every frame. */
static __attribute__((noinline)) enum sw_status_code too_long(struct sw_capture *capture,
                                                              uint32_t caplen)
{
    char what[80];
    (void)snprintf(what, sizeof(what), "a record of %" PRIu32 " bytes, which no frame has", caplen);
    return sw_capture_damage(capture, sw_input_offset(capture->input), 0, what);
}

enum sw_status_code sw_pcap_next(struct sw_capture *capture, struct sw_frame *frame,
                                 const struct sw_filter_slot **filter)
{
    struct sw_input *input = capture->input;
    const struct sw_pcap *pcap = &capture->pcap;
    if (!sw_input_has(input, pcap->record_header_bytes))
        return sw_capture_short(capture, sw_input_offset(input));
    struct record record;
    read_record(input->at, pcap->big, &record);
    uint32_t caplen = record.caplen;
    uint32_t len = record.len;
    if (pcap->lengths_swapped || (pcap->lengths_maybe_swapped && caplen > len)) {
        uint32_t swap = caplen;
        caplen = len;
        len = swap;
    }
    if (caplen > SW_FRAME_MAX_BYTES)
        return too_long(capture, caplen);
    if (!sw_input_has(input, pcap->record_header_bytes + (size_t)caplen))
        return sw_capture_short(capture, sw_input_offset(input));
    frame->time_ns = record.seconds * NS_PER_SECOND + record.fraction * (pcap->nano ? 1 : 1000);
    frame->bytes = input->at + pcap->record_header_bytes;
    frame->caplen = caplen;
    frame->len = len;
    frame->interface = 0;
    frame->link_type = pcap->link_type;
    frame->time_digits = pcap->nano ? 9 : 6;
    input->at += pcap->record_header_bytes + (size_t)caplen;
    *filter = pcap->filter;
    return SW_OK;
}
