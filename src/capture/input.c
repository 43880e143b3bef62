#define _GNU_SOURCE /* fopencookie */
#include "capture/input.h"

#include "base/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEEK_BYTES = 4096, STREAM_BYTES = 256 * 1024 };

struct sw_input {
    int fd;
    bool own_fd;
    uint64_t size;
    uint64_t consumed;
    uint8_t peeked[PEEK_BYTES]; /* read ahead of the stream to look at it */
    size_t peeked_len, peeked_at;
    char buffer[STREAM_BYTES];
};

struct sw_status sw_input_open(const char *path, const char *name, struct sw_input **out)
{
    *out = NULL;
    struct sw_input *input = calloc(1, sizeof(*input));
    if (!input)
        return sw_status_make(SW_NO_MEMORY, 0, "%s: out of memory", name);
    bool standard = strcmp(path, "-") == 0;
    input->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    input->own_fd = !standard;
    struct stat info;
    if (input->fd < 0 || fstat(input->fd, &info) != 0) {
        struct sw_status status = sw_status_make(SW_UNREADABLE, 0, "%s: %s", name, strerror(errno));
        sw_input_close(input);
        return status;
    }
    if (S_ISDIR(info.st_mode)) {
        sw_input_close(input);
        return sw_status_make(SW_UNREADABLE, 0, "%s: is a directory; name the capture files in it",
                              name);
    }
    input->size = S_ISREG(info.st_mode) && info.st_size > 0 ? (uint64_t)info.st_size : 0;
    *out = input;
    return sw_status_ok();
}

void sw_input_close(struct sw_input *input)
{
    if (!input)
        return;
    if (input->own_fd && input->fd >= 0)
        (void)close(input->fd);
    free(input);
}

/* Makes at least n bytes visible, if there are so many. */
static struct sw_span peek(struct sw_input *input, size_t n)
{
    if (n > PEEK_BYTES)
        n = PEEK_BYTES;
    while (input->peeked_len < n) {
        ssize_t got = read(input->fd, input->peeked + input->peeked_len, n - input->peeked_len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        input->peeked_len += (size_t)got;
    }
    return sw_span_make(input->peeked, input->peeked_len);
}

struct container {
    struct sw_span magic;
    const char *what;
};

/* Files that hold captures, but in a wrapping that is not read. */
static const char *known_container(struct sw_span first)
{
    const struct container known[] = {
        {SW_SPAN_LIT("\x1f\x8b"), "gzip; unpack it first (gunzip)"},
        {SW_SPAN_LIT("\x28\xb5\x2f\xfd"), "zstd; unpack it first (unzstd)"},
        {SW_SPAN_LIT("\x04\x22\x4d\x18"), "lz4; unpack it first (unlz4)"},
        {SW_SPAN_LIT("\xfd"
                     "7zXZ"),
         "xz; unpack it first (unxz)"},
        {SW_SPAN_LIT("BZh"), "bzip2; unpack it first (bunzip2)"},
        {SW_SPAN_LIT("PK\x03\x04"), "zip; unpack it first (unzip)"},
        {SW_SPAN_LIT("snoop\0\0\0"), "snoop; convert it with editcap -F pcap"},
        {SW_SPAN_LIT("GMBU"), "Network Monitor; convert it with editcap -F pcap"},
        {SW_SPAN_LIT("RTSS"), "Network Monitor 1; convert it with editcap -F pcap"},
        {SW_SPAN_LIT("XCP\0"), "NetXRay; convert it with editcap -F pcap"},
        {SW_SPAN_LIT("TRSNIFF"), "Sniffer; convert it with editcap -F pcap"},
        {SW_SPAN_LIT("MDMP"), "an event trace; convert it with etl2pcapng"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (sw_span_starts(first, known[i].magic))
            return known[i].what;
    }
    return NULL;
}

enum {
    PCAPNG_SECTION = 0x0A0D0D0A,
    PCAPNG_INTERFACE = 1,
    PCAPNG_TSRESOL = 9,
};

static uint32_t read32(struct sw_cursor *c, bool little)
{
    return little ? sw_cursor_le32(c) : sw_cursor_be32(c);
}

static uint16_t read16(struct sw_cursor *c, bool little)
{
    return little ? sw_cursor_le16(c) : sw_cursor_be16(c);
}

/* The resolution of the first interface (pcapng if_tsresol): finer than a microsecond counts as
 * nanoseconds. */
static uint8_t pcapng_time_digits(struct sw_span file)
{
    struct sw_cursor c = sw_cursor_make(file);
    sw_cursor_skip(&c, 4);
    struct sw_cursor order = c;
    sw_cursor_skip(&order, 4);
    bool little = sw_cursor_le32(&order) == 0x1A2B3C4D;
    uint32_t section = read32(&c, little);
    struct sw_cursor idb = sw_cursor_make(sw_span_from(file, section));
    if (read32(&idb, little) != PCAPNG_INTERFACE)
        return 6;
    uint32_t length = read32(&idb, little);
    if (length < 20)
        return 6;
    struct sw_cursor options = sw_cursor_make(sw_span_sub(sw_cursor_rest(&idb), 8, length - 20));
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

static bool classic_magic(uint32_t magic, uint8_t *time_digits)
{
    switch (magic) { /* as a big-endian number; the reader's byte order does not matter */
    case 0xA1B2C3D4:
    case 0xD4C3B2A1:
    case 0xA1B2CD34: /* with the fields of a modified libpcap */
    case 0x34CDB2A1:
        *time_digits = 6;
        return true;
    case 0xA1B23C4D:
    case 0x4D3CB2A1:
        *time_digits = 9;
        return true;
    default:
        return false;
    }
}

struct sw_status sw_input_check(struct sw_input *input, const char *name, bool *classic,
                                uint8_t *time_digits)
{
    struct sw_span first = peek(input, 24);
    if (first.len == 0)
        return sw_status_make(SW_UNREADABLE, 0,
                              "%s: is empty (0 bytes); nothing was recorded in it", name);
    const char *container = known_container(first);
    if (container)
        return sw_status_make(SW_UNSUPPORTED, 0, "%s: is compressed or another format: %s", name,
                              container);
    struct sw_cursor c = sw_cursor_make(first);
    uint32_t magic = sw_cursor_be32(&c);
    *classic = first.len >= 4 && classic_magic(magic, time_digits);
    bool pcapng = first.len >= 4 && magic == PCAPNG_SECTION;
    if (!*classic && !pcapng)
        return sw_status_make(SW_UNREADABLE, 0,
                              "%s: not a capture file (byte 0 is neither pcap nor pcapng)", name);
    if (first.len < 24)
        return sw_status_make(SW_UNREADABLE, first.len,
                              "%s: cut in its header: only %zu bytes; record it again", name,
                              first.len);
    if (pcapng)
        *time_digits = pcapng_time_digits(peek(input, input->size ? PEEK_BYTES : 512));
    return sw_status_ok();
}

static ssize_t cookie_read(void *cookie, char *out, size_t room)
{
    struct sw_input *input = cookie;
    size_t ahead = input->peeked_len - input->peeked_at;
    if (ahead > 0) {
        size_t n = ahead < room ? ahead : room;
        memcpy(out, input->peeked + input->peeked_at, n);
        input->peeked_at += n;
        input->consumed += n;
        return (ssize_t)n;
    }
    ssize_t got;
    do {
        got = read(input->fd, out, room);
    } while (got < 0 && errno == EINTR);
    if (got > 0)
        input->consumed += (uint64_t)got;
    return got;
}

FILE *sw_input_stream(struct sw_input *input)
{
    FILE *stream = fopencookie(input, "rb", (cookie_io_functions_t){.read = cookie_read});
    if (stream)
        (void)setvbuf(stream, input->buffer, _IOFBF, sizeof(input->buffer));
    return stream;
}

uint64_t sw_input_consumed(const struct sw_input *input)
{
    return input->consumed;
}

uint64_t sw_input_size(const struct sw_input *input)
{
    return input->size;
}
