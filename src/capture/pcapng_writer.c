#include "capture/pcapng_writer.h"

#include "base/time.h"
#include "capture/pcapng.h"

enum {
    OPTION_MAX_BYTES = 65535,
    OPTION_HEAD_BYTES = 4,
    OPTIONS_MAX = 12, /* of one block, besides comments */
    COMMENTS_MAX = 96,
    FRAME_HEAD_BYTES = 20,
    /* options of any block */
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    /* of a section */
    OPTION_HARDWARE = 2,
    OPTION_SYSTEM = 3,
    OPTION_APPLICATION = 4,
    /* of an interface */
    OPTION_NAME = 2,
    OPTION_DESCRIPTION = 3,
    OPTION_RESOLUTION = 9,
    OPTION_FILTER = 11,
    /* of a frame */
    OPTION_DROP_COUNT = 4,
    /* of statistics */
    OPTION_START = 2,
    OPTION_FINISH = 3,
    OPTION_RECEIVED = 4,
    OPTION_INTERFACE_DROPS = 5,
    OPTION_SYSTEM_DROPS = 7,
    /* records of a name resolution block */
    RECORD_IPV4 = 1,
    RECORD_IPV6 = 2,
};

/* The options of one block. Numbers live in `numbers`, texts are borrowed. */
struct options {
    uint16_t codes[OPTIONS_MAX];
    struct sw_span values[OPTIONS_MAX];
    uint8_t numbers[OPTIONS_MAX][8];
    unsigned count;
    const struct sw_pcapng_comments *comments;
};

static void put_bytes(struct sw_pcapng_writer *writer, const void *bytes, size_t size)
{
    writer->bytes += size;
    if (size > 0)
        writer->put(writer->ctx, sw_span_make(bytes, size));
}

static void store_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void store_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void store_u64(uint8_t *at, uint64_t value)
{
    store_u32(at, (uint32_t)value);
    store_u32(at + 4, (uint32_t)(value >> 32));
}

static void put_u32(struct sw_pcapng_writer *writer, uint32_t value)
{
    uint8_t bytes[4];
    store_u32(bytes, value);
    put_bytes(writer, bytes, sizeof(bytes));
}

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

static void put_padded(struct sw_pcapng_writer *writer, struct sw_span bytes)
{
    static const uint8_t nothing[3];
    put_bytes(writer, bytes.ptr, bytes.len);
    put_bytes(writer, nothing, padded(bytes.len) - bytes.len);
}

/* As much of a text as an option can hold, up to the end of a character. */
static struct sw_span fitting(struct sw_span text)
{
    if (text.len <= OPTION_MAX_BYTES)
        return text;
    size_t len = OPTION_MAX_BYTES;
    while (len > 0 && (text.ptr[len] & 0xC0) == 0x80)
        len--;
    return sw_span_sub(text, 0, len);
}

/* --- options --- */

static void add_text(struct options *options, uint16_t code, const char *text)
{
    if (!text || !text[0])
        return;
    options->codes[options->count] = code;
    options->values[options->count++] = fitting(sw_span_str(text));
}

static void add_u8(struct options *options, uint16_t code, uint8_t value)
{
    uint8_t *at = options->numbers[options->count];
    at[0] = value;
    options->codes[options->count] = code;
    options->values[options->count++] = sw_span_make(at, 1);
}

static void add_u64(struct options *options, uint16_t code, uint64_t value)
{
    uint8_t *at = options->numbers[options->count];
    store_u64(at, value);
    options->codes[options->count] = code;
    options->values[options->count++] = sw_span_make(at, 8);
}

static unsigned comment_count(const struct options *options)
{
    unsigned count = options->comments ? options->comments->count : 0;
    return count < COMMENTS_MAX ? count : COMMENTS_MAX;
}

static size_t options_size(const struct options *options)
{
    size_t size = 0;
    for (unsigned i = 0; i < options->count; i++)
        size += OPTION_HEAD_BYTES + padded(options->values[i].len);
    for (unsigned i = 0; i < comment_count(options); i++)
        size += OPTION_HEAD_BYTES + padded(fitting(options->comments->list[i]).len);
    return size > 0 ? size + OPTION_HEAD_BYTES : 0;
}

static void put_option(struct sw_pcapng_writer *writer, uint16_t code, struct sw_span value)
{
    uint8_t head[OPTION_HEAD_BYTES];
    store_u16(head, code);
    store_u16(head + 2, (uint16_t)value.len);
    put_bytes(writer, head, sizeof(head));
    put_padded(writer, value);
}

static void put_options(struct sw_pcapng_writer *writer, const struct options *options)
{
    for (unsigned i = 0; i < comment_count(options); i++)
        put_option(writer, OPTION_COMMENT, fitting(options->comments->list[i]));
    for (unsigned i = 0; i < options->count; i++)
        put_option(writer, options->codes[i], options->values[i]);
    if (options_size(options) > 0)
        put_option(writer, OPTION_END, sw_span_make(NULL, 0));
}

/* --- blocks --- */

/* A block of a fixed part, bytes that are padded (may be empty), and options. */
static void put_block(struct sw_pcapng_writer *writer, uint32_t type, struct sw_span fixed,
                      struct sw_span bytes, const struct options *options)
{
    size_t size = SW_BLOCK_LEAST_BYTES + fixed.len + padded(bytes.len) + options_size(options);
    put_u32(writer, type);
    put_u32(writer, (uint32_t)size);
    put_bytes(writer, fixed.ptr, fixed.len);
    put_padded(writer, bytes);
    put_options(writer, options);
    put_u32(writer, (uint32_t)size);
}

void sw_pcapng_put_section(struct sw_pcapng_writer *writer,
                           const struct sw_pcapng_section_info *section)
{
    uint8_t fixed[16];
    struct options options = {.comments = &section->comments};
    store_u32(fixed, 0x1A2B3C4D); /* tells the byte order */
    store_u16(fixed + 4, 1);
    store_u16(fixed + 6, 0);
    store_u64(fixed + 8, UINT64_MAX); /* how long the section will be is not known */
    add_text(&options, OPTION_HARDWARE, section->hardware);
    add_text(&options, OPTION_SYSTEM, section->system);
    add_text(&options, OPTION_APPLICATION, section->application);
    writer->interfaces = 0;
    put_block(writer, SW_BLOCK_SECTION, sw_span_make(fixed, sizeof(fixed)), sw_span_make(NULL, 0),
              &options);
}

uint32_t sw_pcapng_put_interface(struct sw_pcapng_writer *writer,
                                 const struct sw_pcapng_interface_info *interface)
{
    uint8_t fixed[8] = {0};
    struct options options = {.comments = &interface->comments};
    store_u16(fixed, sw_capture_link_in_file(interface->link_type));
    store_u32(fixed + 4, interface->snaplen);
    add_text(&options, OPTION_NAME, interface->name);
    add_text(&options, OPTION_DESCRIPTION, interface->description);
    add_u8(&options, OPTION_RESOLUTION, interface->time_digits == 9 ? 9 : 6);
    uint8_t filter[1 + 1024]; /* a byte says that it is an expression */
    size_t len = interface->filter ? strlen(interface->filter) : 0;
    if (len > 0 && len < sizeof(filter)) {
        filter[0] = 0;
        memcpy(filter + 1, interface->filter, len);
        options.codes[options.count] = OPTION_FILTER;
        options.values[options.count++] = sw_span_make(filter, len + 1);
    }
    put_block(writer, SW_BLOCK_INTERFACE, sw_span_make(fixed, sizeof(fixed)), sw_span_make(NULL, 0),
              &options);
    return writer->interfaces++;
}

/* High half first, each half in the file's byte order. */
static void store_time(uint8_t *at, int64_t time_ns, uint8_t digits)
{
    uint64_t ns = time_ns > 0 ? (uint64_t)time_ns : 0;
    uint64_t ticks = digits == 9 ? ns : ns / 1000;
    store_u32(at, (uint32_t)(ticks >> 32));
    store_u32(at + 4, (uint32_t)ticks);
}

static void add_time(struct options *options, uint16_t code, int64_t time_ns, uint8_t digits)
{
    if (time_ns == SW_TIME_NONE)
        return;
    uint8_t *at = options->numbers[options->count];
    store_time(at, time_ns, digits);
    options->codes[options->count] = code;
    options->values[options->count++] = sw_span_make(at, 8);
}

void sw_pcapng_put_frame(struct sw_pcapng_writer *writer, uint32_t interface, uint8_t time_digits,
                         const struct sw_frame *frame, const struct sw_pcapng_comments *comments,
                         uint64_t drops)
{
    uint8_t fixed[FRAME_HEAD_BYTES];
    struct options options = {.comments = comments};
    store_u32(fixed, interface);
    store_time(fixed + 4, frame->time_ns, time_digits);
    store_u32(fixed + 12, frame->caplen);
    store_u32(fixed + 16, frame->len);
    if (drops > 0)
        add_u64(&options, OPTION_DROP_COUNT, drops);
    put_block(writer, SW_BLOCK_ENHANCED_PACKET, sw_span_make(fixed, sizeof(fixed)),
              sw_span_make(frame->bytes, frame->caplen), &options);
}

void sw_pcapng_put_secrets(struct sw_pcapng_writer *writer, uint32_t type, struct sw_span secrets)
{
    uint8_t fixed[8];
    const struct options none = {.count = 0};
    store_u32(fixed, type);
    store_u32(fixed + 4, (uint32_t)secrets.len);
    put_block(writer, SW_BLOCK_SECRETS, sw_span_make(fixed, sizeof(fixed)), secrets, &none);
}

static size_t address_size(const struct sw_pcapng_name *name)
{
    return name->ip_version == 6 ? 16 : 4;
}

static bool fits(const struct sw_pcapng_name *name)
{
    return name->name.len > 0 && name->name.len < 1024 &&
           sw_span_index(name->name, 0) == name->name.len;
}

void sw_pcapng_put_names(struct sw_pcapng_writer *writer, const struct sw_pcapng_name *names,
                         unsigned count)
{
    size_t size = SW_BLOCK_LEAST_BYTES + OPTION_HEAD_BYTES;
    for (unsigned i = 0; i < count; i++) {
        if (fits(&names[i]))
            size += OPTION_HEAD_BYTES + padded(address_size(&names[i]) + names[i].name.len + 1);
    }
    put_u32(writer, SW_BLOCK_NAMES);
    put_u32(writer, (uint32_t)size);
    for (unsigned i = 0; i < count; i++) {
        const struct sw_pcapng_name *name = &names[i];
        static const uint8_t nothing[4];
        uint8_t head[OPTION_HEAD_BYTES];
        if (!fits(name))
            continue;
        size_t value = address_size(name) + name->name.len + 1;
        store_u16(head, name->ip_version == 6 ? RECORD_IPV6 : RECORD_IPV4);
        store_u16(head + 2, (uint16_t)value);
        put_bytes(writer, head, sizeof(head));
        put_bytes(writer, name->bytes, address_size(name));
        put_bytes(writer, name->name.ptr, name->name.len);
        put_bytes(writer, nothing, 1 + padded(value) - value); /* the name's NUL, and the rest */
    }
    put_option(writer, OPTION_END, sw_span_make(NULL, 0));
    put_u32(writer, (uint32_t)size);
}

void sw_pcapng_put_statistics(struct sw_pcapng_writer *writer, uint32_t interface,
                              uint8_t time_digits,
                              const struct sw_pcapng_statistics_info *statistics)
{
    uint8_t fixed[12];
    struct options options = {.comments = &statistics->comments};
    store_u32(fixed, interface);
    store_time(fixed + 4, statistics->time_ns, time_digits);
    add_time(&options, OPTION_START, statistics->start_ns, time_digits);
    add_time(&options, OPTION_FINISH, statistics->end_ns, time_digits);
    if (statistics->received > 0) /* 0: not told */
        add_u64(&options, OPTION_RECEIVED, statistics->received);
    add_u64(&options, OPTION_INTERFACE_DROPS, statistics->dropped_by_interface);
    add_u64(&options, OPTION_SYSTEM_DROPS, statistics->dropped_by_system);
    put_block(writer, SW_BLOCK_STATISTICS, sw_span_make(fixed, sizeof(fixed)),
              sw_span_make(NULL, 0), &options);
}

void sw_pcapng_put_block(struct sw_pcapng_writer *writer, uint32_t type, struct sw_span body)
{
    const struct options none = {.count = 0};
    put_block(writer, type, sw_span_make(NULL, 0), body, &none);
}
