#include "capture/kind.h"

#include "base/cursor.h"
#include "base/text.h"

#include <string.h>

enum {
    LOOK_BYTES = 512,
    PCAP_HEADER_BYTES = 24,
    PCAPNG_HEADER_BYTES = 28, /* of a section without options */
    TAR_MAGIC_AT = 257,
};

struct container {
    struct sw_span magic;
    size_t at;
    const char *what;
};

#define UNPACK(name, tool) "is compressed (" name "); unpack it first (" tool ")"
#define CONVERT(name) "is a " name " file; convert it first (editcap -F pcap IN OUT)"

/* Files that may well hold a capture, but in a form that is not read. */
static const char *container_of(struct sw_span first)
{
    const struct container known[] = {
        {SW_SPAN_LIT("\x1f\x8b"), 0, UNPACK("gzip", "gunzip")},
        {SW_SPAN_LIT("\x28\xb5\x2f\xfd"), 0, UNPACK("zstd", "unzstd")},
        {SW_SPAN_LIT("\x04\x22\x4d\x18"), 0, UNPACK("lz4", "unlz4")},
        {SW_SPAN_LIT("\xfd\x37\x7a\x58\x5a\x00"), 0, UNPACK("xz", "unxz")},
        {SW_SPAN_LIT("BZh"), 0, UNPACK("bzip2", "bunzip2")},
        {SW_SPAN_LIT("LZIP"), 0, UNPACK("lzip", "lzip -d")},
        {SW_SPAN_LIT("\x1f\x9d"), 0, UNPACK("compress", "uncompress")},
        {SW_SPAN_LIT("PK\x03\x04"), 0, UNPACK("zip", "unzip")},
        {SW_SPAN_LIT("7z\xbc\xaf\x27\x1c"), 0, UNPACK("7-zip", "7z x")},
        {SW_SPAN_LIT("ustar"), TAR_MAGIC_AT, "is a tar archive; unpack it first (tar -x)"},
        {SW_SPAN_LIT("snoop\0\0\0"), 0, CONVERT("snoop")},
        {SW_SPAN_LIT("GMBU"), 0, CONVERT("Network Monitor 2")},
        {SW_SPAN_LIT("RTSS"), 0, CONVERT("Network Monitor 1")},
        {SW_SPAN_LIT("XCP\0"), 0, CONVERT("NetXRay")},
        {SW_SPAN_LIT("TRSNIFF data"), 0, CONVERT("Sniffer")},
        {SW_SPAN_LIT("iptrace "), 0, CONVERT("iptrace (AIX)")},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (sw_span_starts(sw_span_from(first, known[i].at), known[i].magic))
            return known[i].what;
    }
    return NULL;
}

static bool ends_with(const char *path, const char *suffix)
{
    struct sw_span whole = sw_span_str(path);
    struct sw_span end = sw_span_str(suffix);
    return whole.len >= end.len && sw_span_eq_nocase(sw_span_from(whole, whole.len - end.len), end);
}

/* No control characters but line ends and tabs: what people see when they export a listing. */
static bool is_text(struct sw_span first)
{
    while (first.len > 0) {
        bool may_be_cut = first.len < 4;
        int32_t c = sw_text_next(&first);
        if (c < 0 && !may_be_cut)
            return false;
        if (c >= 0 && c < 0x20 && c != '\t' && c != '\r' && c != '\n')
            return false;
    }
    return true;
}

static struct sw_status refuse(struct sw_span first, const char *path, const char *name)
{
    const char *container = container_of(first);
    if (container)
        return sw_status_make(SW_UNSUPPORTED, 0, "%s: %s", name, container);
    /* Event traces have no magic number of their own. */
    if (ends_with(path, ".etl"))
        return sw_status_make(SW_UNSUPPORTED, 0,
                              "%s: is a Windows event trace; convert it first (pktmon etl2pcap, or "
                              "etl2pcapng for a trace of netsh)",
                              name);
    if (sw_span_starts(first, SW_SPAN_LIT("\xff\xfe")))
        return sw_status_make(SW_UNREADABLE, 0,
                              "%s: is text in UTF-16 (byte 0), as a > in PowerShell makes of "
                              "whatever is written; let the recorder write the file: -w FILE",
                              name);
    if (is_text(first))
        return sw_status_make(SW_UNREADABLE, 0,
                              "%s: is text, not a capture (byte 0); the packets themselves are "
                              "needed: tcpdump -w FILE, or Save As in Wireshark",
                              name);
    struct sw_cursor c = sw_cursor_make(first);
    uint32_t magic = sw_cursor_be32(&c);
    if (c.bad)
        return sw_status_make(SW_UNREADABLE, 0,
                              "%s: not a capture: only %zu bytes; record it again", name,
                              first.len);
    return sw_status_make(SW_UNREADABLE, 0,
                          "%s: not a capture: begins (byte 0) with %08x, which is neither pcap nor "
                          "pcapng; check what wrote it",
                          name, magic);
}

/* The magic number as it stands in the file; the recorder's byte order may be either. */
static bool is_pcap(uint32_t magic)
{
    switch (magic) {
    case SW_PCAP_MICRO:
    case SW_PCAP_MICRO_SWAPPED:
    case SW_PCAP_MODIFIED:
    case SW_PCAP_MODIFIED_SWAPPED:
    case SW_PCAP_NANO:
    case SW_PCAP_NANO_SWAPPED:
        return true;
    default:
        return false;
    }
}

/* Why nothing useful could be read, when it is not what was read. */
static struct sw_status no_bytes(const struct sw_input *input, const char *name, size_t there)
{
    switch (input->why) {
    case SW_INPUT_FAILED:
        return sw_status_make(SW_UNREADABLE, there, "%s: cannot be read at byte %zu: %s", name,
                              there, strerror(input->error));
    case SW_INPUT_NO_MEMORY:
        return sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", name);
    case SW_INPUT_CUT:
    case SW_INPUT_BROKEN:
        return sw_status_make(SW_UNREADABLE, there,
                              "%s: its compressed data (%s) is %s before a whole header, at byte "
                              "%zu of the unpacked capture; copy it again",
                              name, sw_input_packing(input),
                              input->why == SW_INPUT_CUT ? "cut off" : "damaged", there);
    case SW_INPUT_LIMIT_MEMORY:
        return sw_status_make(SW_UNREADABLE, 0,
                              "%s: unpacking it (%s) takes more memory than the limit 'memory' "
                              "allows; raise it (--help limits), or unpack the file first",
                              name, sw_input_packing(input));
    case SW_INPUT_WHOLE:
    case SW_INPUT_LIMIT_SIZE:
    case SW_INPUT_LIMIT_RATIO:
        break;
    }
    return sw_status_ok();
}

struct sw_status sw_kind_look(struct sw_input *input, const char *path, const char *name,
                              struct sw_kind *kind)
{
    struct sw_span first = sw_input_peek(input, PCAP_HEADER_BYTES);
    struct sw_status status = sw_status_ok();
    if (first.len < PCAP_HEADER_BYTES)
        status = no_bytes(input, name, first.len);
    if (status.code != SW_OK)
        return status;
    if (first.len == 0)
        return sw_status_make(SW_UNREADABLE, 0,
                              "%s: is empty (0 bytes): nothing was recorded in it, or the recorder "
                              "still holds it back (end it, or give tcpdump -U)",
                              name);
    struct sw_cursor c = sw_cursor_make(first);
    kind->magic = sw_cursor_be32(&c);
    kind->pcapng = kind->magic == SW_PCAPNG_SECTION;
    if (!kind->pcapng && !is_pcap(kind->magic))
        return refuse(sw_input_peek(input, LOOK_BYTES), path, name);
    size_t need = kind->pcapng ? PCAPNG_HEADER_BYTES : PCAP_HEADER_BYTES;
    size_t there = sw_input_peek(input, need).len;
    if (there < need)
        return sw_status_make(SW_UNREADABLE, there,
                              "%s: cut off in its header, at byte %zu of %zu; record or copy it "
                              "again",
                              name, there, need);
    return sw_status_ok();
}
