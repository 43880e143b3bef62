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
static bool is_pcap(uint32_t magic, struct sw_kind *kind)
{
    switch (magic) {
    case 0xA1B2C3D4:
    case 0xD4C3B2A1:
        *kind = (struct sw_kind){.time_digits = 6, .record_header_bytes = 16};
        return true;
    case 0xA1B2CD34: /* of a modified libpcap (A. Kuznetzov's), with more in each record's header */
    case 0x34CDB2A1:
        *kind = (struct sw_kind){.time_digits = 6, .record_header_bytes = 24};
        return true;
    case 0xA1B23C4D:
    case 0x4D3CB2A1:
        *kind = (struct sw_kind){.time_digits = 9, .record_header_bytes = 16};
        return true;
    default:
        return false;
    }
}

enum {
    PCAPNG_SECTION = 0x0A0D0D0A, /* reads the same in both byte orders */
    PCAPNG_INTERFACE = 1,
    PCAPNG_TSRESOL = 9,
    PCAPNG_BLOCKS_MAX = 64, /* before the first interface */
};

static uint32_t read32(struct sw_cursor *c, bool little)
{
    return little ? sw_cursor_le32(c) : sw_cursor_be32(c);
}

static uint16_t read16(struct sw_cursor *c, bool little)
{
    return little ? sw_cursor_le16(c) : sw_cursor_be16(c);
}

/* Anything finer than a microsecond counts as nanoseconds. `options` of an interface description.
 */
static uint8_t digits_of_interface(struct sw_cursor options, bool little)
{
    while (options.left >= 4) {
        uint16_t code = read16(&options, little);
        uint16_t size = read16(&options, little);
        struct sw_span value = sw_cursor_take(&options, ((size_t)size + 3) & ~(size_t)3);
        if (options.bad || code == 0)
            return 6;
        if (code == PCAPNG_TSRESOL && value.len > 0) {
            uint8_t power = value.ptr[0] & 0x7F;
            bool binary = value.ptr[0] & 0x80;
            return power > (binary ? 20 : 6) ? 9 : 6;
        }
    }
    return 6;
}

/* Goes from block to block to the first interface; 6 is the default, also where nothing is found.
 */
static uint8_t digits_of_pcapng(struct sw_input *input)
{
    struct sw_cursor start = sw_cursor_make(sw_input_peek(input, 12));
    sw_cursor_skip(&start, 8);
    bool little = sw_cursor_le32(&start) == 0x1A2B3C4D;
    size_t at = 0;
    for (int blocks = 0; blocks < PCAPNG_BLOCKS_MAX; blocks++) {
        struct sw_span seen = sw_input_peek(input, at + 8);
        struct sw_cursor head = sw_cursor_make(sw_span_from(seen, at));
        uint32_t type = read32(&head, little);
        size_t length = read32(&head, little);
        if (head.bad || length < 12 || length > SW_INPUT_PEEK_MAX_BYTES - at)
            return 6;
        if (type == PCAPNG_INTERFACE && length >= 20) {
            seen = sw_input_peek(input, at + length);
            return digits_of_interface(sw_cursor_make(sw_span_sub(seen, at + 16, length - 20)),
                                       little);
        }
        at += length;
    }
    return 6;
}

struct sw_status sw_kind_look(struct sw_input *input, const char *path, const char *name,
                              struct sw_kind *kind)
{
    struct sw_span first = sw_input_peek(input, PCAP_HEADER_BYTES);
    if (sw_input_error(input) != 0)
        return sw_status_make(SW_UNREADABLE, first.len, "%s: cannot be read at byte %zu: %s", name,
                              first.len, strerror(sw_input_error(input)));
    if (first.len == 0)
        return sw_status_make(SW_UNREADABLE, 0,
                              "%s: is empty (0 bytes); nothing was recorded in it", name);
    struct sw_cursor c = sw_cursor_make(first);
    uint32_t magic = sw_cursor_be32(&c);
    bool pcapng = magic == PCAPNG_SECTION;
    if (!pcapng && !is_pcap(magic, kind))
        return refuse(sw_input_peek(input, LOOK_BYTES), path, name);
    size_t need = pcapng ? PCAPNG_HEADER_BYTES : PCAP_HEADER_BYTES;
    size_t there = sw_input_peek(input, need).len;
    if (there < need)
        return sw_status_make(SW_UNREADABLE, there,
                              "%s: cut off in its header, at byte %zu of %zu; record or copy it "
                              "again",
                              name, there, need);
    if (pcapng)
        *kind = (struct sw_kind){.time_digits = digits_of_pcapng(input)};
    return sw_status_ok();
}
