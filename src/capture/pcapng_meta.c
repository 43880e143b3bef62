/*
 * pcapng_meta.c - what a pcapng file holds beside frames: sections, interfaces, names, secrets,
 * statistics, comments.
 */
#include "capture/pcapng.h"

#include <stdlib.h>

enum {
    ORDER_MAGIC = 0x1A2B3C4D,
    /* options of any block */
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    /* of an interface */
    OPTION_NAME = 2,
    OPTION_DESCRIPTION = 3,
    OPTION_FILTER = 11,
    OPTION_TIME_RESOLUTION = 9,
    OPTION_TIME_OFFSET = 14,
    /* of a frame */
    OPTION_DROP_COUNT = 4,
    /* of the statistics */
    OPTION_FINISH = 3,
    OPTION_INTERFACE_DROPS = 5,
    OPTION_SYSTEM_DROPS = 7,
    /* records of a name resolution block */
    RECORD_END = 0,
    RECORD_IPV4 = 1,
    RECORD_IPV6 = 2,
    DEFAULT_RESOLUTION = 6, /* microseconds */
};

struct option {
    uint16_t code;
    struct sw_span value;
};

/* The next option or name record; false at the end, and where what follows is none. */
static bool next_option(const struct sw_pcapng *ng, struct sw_cursor *c, struct option *option)
{
    if (c->left < 4)
        return false;
    option->code = sw_pcapng_u16(ng, c);
    uint16_t size = sw_pcapng_u16(ng, c);
    struct sw_span padded = sw_cursor_take(c, ((size_t)size + 3) & ~(size_t)3);
    option->value = sw_span_sub(padded, 0, size);
    return !c->bad && option->code != OPTION_END;
}

static void tell_comment(const struct sw_capture *capture, uint64_t frame, struct sw_span text)
{
    const struct sw_capture_sinks *sinks = &capture->options.sinks;
    if (sinks->comment)
        sinks->comment(sinks->ctx, frame, text);
}

bool sw_pcapng_section(struct sw_capture *capture, struct sw_span body)
{
    struct sw_pcapng *ng = capture->pcapng;
    struct sw_cursor c = sw_cursor_make(body);
    uint32_t order = sw_cursor_be32(&c);
    ng->big = order == ORDER_MAGIC;
    uint16_t major = sw_pcapng_u16(ng, &c);
    sw_cursor_skip(&c, 2 + 8); /* minor version; the section's length, which is often not known */
    if (c.bad || major != 1)
        return false;
    /* Interfaces are numbered anew in each section. */
    ng->before += ng->count;
    ng->count = 0;
    ng->in_section = true;
    struct option option;
    while (next_option(ng, &c, &option)) {
        if (option.code == OPTION_COMMENT)
            tell_comment(capture, 0, option.value);
    }
    return true;
}

static bool room_for_one(struct sw_pcapng *ng)
{
    if (ng->count < ng->room)
        return true;
    uint32_t room = ng->room ? ng->room * 2 : 8;
    if (room > SW_INTERFACES_MAX)
        return false;
    struct sw_interface *more = realloc(ng->interfaces, room * sizeof(*more));
    if (!more)
        return false;
    ng->interfaces = more;
    ng->room = room;
    return true;
}

/* Anything finer than a microsecond counts as nanoseconds. */
static uint8_t digits_of(uint8_t resolution)
{
    uint8_t power = resolution & 0x7F;
    bool binary = resolution & 0x80;
    return power > (binary ? 20 : 6) ? 9 : 6;
}

static void interface_options(struct sw_capture *capture, struct sw_interface *interface,
                              struct sw_cursor c, struct sw_capture_interface *told)
{
    const struct sw_pcapng *ng = capture->pcapng;
    struct option option;
    while (next_option(ng, &c, &option)) {
        struct sw_cursor value = sw_cursor_make(option.value);
        if (option.code == OPTION_COMMENT)
            tell_comment(capture, 0, option.value);
        else if (option.code == OPTION_NAME)
            told->name = option.value;
        else if (option.code == OPTION_DESCRIPTION)
            told->description = option.value;
        else if (option.code == OPTION_FILTER && value.left > 0 && sw_cursor_u8(&value) == 0)
            told->filter = sw_cursor_rest(&value); /* 0: an expression */
        else if (option.code == OPTION_TIME_RESOLUTION && value.left > 0)
            interface->resolution = sw_cursor_u8(&value);
        else if (option.code == OPTION_TIME_OFFSET && value.left >= 8)
            interface->offset_s = (int64_t)sw_pcapng_u64(ng, &value);
    }
    interface->digits = digits_of(interface->resolution);
}

enum sw_status_code sw_pcapng_interface(struct sw_capture *capture, struct sw_span body)
{
    struct sw_pcapng *ng = capture->pcapng;
    struct sw_cursor c = sw_cursor_make(body);
    struct sw_interface interface = {.resolution = DEFAULT_RESOLUTION};
    interface.link_type = sw_capture_link_of_file(sw_pcapng_u16(ng, &c));
    sw_cursor_skip(&c, 2);
    interface.snaplen = sw_pcapng_u32(ng, &c);
    if (c.bad || !room_for_one(ng))
        return SW_DAMAGED;
    struct sw_capture_interface told = {.index = ng->before + ng->count,
                                        .snaplen = interface.snaplen};
    interface_options(capture, &interface, c, &told);
    const struct sw_capture_sinks *sinks = &capture->options.sinks;
    if (sinks->interface)
        sinks->interface(sinks->ctx, &told);
    interface.known = sw_capture_link_is_known(interface.link_type);
    ng->in_all++;
    if (interface.known) {
        ng->known_in_all++;
        capture->fault = sw_filter_for(&capture->filter, interface.link_type, &interface.filter);
        if (capture->fault.code != SW_OK)
            return capture->fault.code;
    } else if (capture->strange_link == SW_NO_LINK_TYPE) {
        capture->strange_link = interface.link_type;
    }
    capture->all_strange = ng->known_in_all == 0;
    ng->interfaces[ng->count++] = interface;
    return SW_OK;
}

/* A name record: the address, then names that end with a NUL each. */
static void tell_names(const struct sw_capture *capture, int version, struct sw_span value)
{
    const struct sw_capture_sinks *sinks = &capture->options.sinks;
    size_t size = version == 6 ? 16 : 4;
    struct sw_span address = sw_span_sub(value, 0, size);
    struct sw_span rest = sw_span_from(value, size);
    while (sinks->name && rest.len > 0) {
        struct sw_span name = sw_span_sub(rest, 0, sw_span_index(rest, 0));
        if (name.len > 0)
            sinks->name(sinks->ctx, version, address, name);
        rest = sw_span_from(rest, name.len + 1);
    }
}

bool sw_pcapng_names(struct sw_capture *capture, struct sw_span body)
{
    struct sw_cursor c = sw_cursor_make(body);
    struct option record;
    while (next_option(capture->pcapng, &c, &record)) {
        if (record.code == RECORD_IPV4)
            tell_names(capture, 4, record.value);
        else if (record.code == RECORD_IPV6)
            tell_names(capture, 6, record.value);
    }
    return !c.bad;
}

void sw_pcapng_count_drops(struct sw_capture *capture, struct sw_interface *interface)
{
    uint64_t drops = interface->drops_in_frames > interface->drops_in_all
                         ? interface->drops_in_frames
                         : interface->drops_in_all;
    if (drops <= interface->drops_told)
        return;
    capture->count.drops += drops - interface->drops_told;
    interface->drops_told = drops;
}

/* The recording went on to this moment, whether or not frames came. */
static void note_end(struct sw_capture *capture, const struct sw_interface *interface,
                     struct sw_cursor *value)
{
    uint64_t high = sw_pcapng_u32(capture->pcapng, value);
    uint64_t ticks = high << 32 | sw_pcapng_u32(capture->pcapng, value);
    int64_t end_ns = sw_pcapng_time(interface, ticks);
    if (end_ns > capture->count.end_ns)
        capture->count.end_ns = end_ns;
}

bool sw_pcapng_statistics(struct sw_capture *capture, struct sw_span body)
{
    struct sw_pcapng *ng = capture->pcapng;
    struct sw_cursor c = sw_cursor_make(body);
    uint32_t id = sw_pcapng_u32(ng, &c);
    sw_cursor_skip(&c, 8);
    if (c.bad || id >= ng->count)
        return false;
    struct sw_interface *interface = &ng->interfaces[id];
    uint64_t drops = 0;
    struct option option;
    while (next_option(ng, &c, &option)) {
        struct sw_cursor value = sw_cursor_make(option.value);
        if (value.left >= 8 &&
            (option.code == OPTION_INTERFACE_DROPS || option.code == OPTION_SYSTEM_DROPS))
            drops += sw_pcapng_u64(ng, &value);
        else if (value.left >= 8 && option.code == OPTION_FINISH)
            note_end(capture, interface, &value);
        else if (option.code == OPTION_COMMENT)
            tell_comment(capture, 0, option.value);
    }
    interface->drops_in_all = drops;
    sw_pcapng_count_drops(capture, interface);
    return true;
}

bool sw_pcapng_secrets(struct sw_capture *capture, struct sw_span body)
{
    const struct sw_capture_sinks *sinks = &capture->options.sinks;
    struct sw_cursor c = sw_cursor_make(body);
    uint32_t type = sw_pcapng_u32(capture->pcapng, &c);
    uint32_t size = sw_pcapng_u32(capture->pcapng, &c);
    struct sw_span secrets = sw_cursor_take(&c, size);
    if (c.bad)
        return false;
    if (sinks->secrets)
        sinks->secrets(sinks->ctx, type, secrets);
    return true;
}

void sw_pcapng_frame_options(struct sw_capture *capture, struct sw_interface *from, uint64_t number,
                             struct sw_span options)
{
    const struct sw_pcapng *ng = capture->pcapng;
    struct sw_cursor c = sw_cursor_make(options);
    struct option option;
    while (next_option(ng, &c, &option)) {
        struct sw_cursor value = sw_cursor_make(option.value);
        if (option.code == OPTION_COMMENT)
            tell_comment(capture, number, option.value);
        else if (option.code == OPTION_DROP_COUNT && value.left >= 8)
            from->drops_in_frames += sw_pcapng_u64(ng, &value);
    }
    sw_pcapng_count_drops(capture, from);
}

#define NS_PER_SECOND INT64_C(1000000000)

/* Ticks of 10^-power seconds. */
static void decimal_time(uint64_t ticks, unsigned power, uint64_t *seconds, uint64_t *ns)
{
    uint64_t per_second = 1;
    for (unsigned i = 0; i < power; i++)
        per_second = per_second > UINT64_MAX / 10 ? 0 : per_second * 10;
    *seconds = per_second ? ticks / per_second : 0;
    uint64_t rest = per_second ? ticks % per_second : ticks;
    for (; power < 9; power++)
        rest *= 10;
    for (; power > 9; power--)
        rest /= 10;
    *ns = rest;
}

/* Ticks of 2^-power seconds; 34 bits of a fraction are more than nanoseconds need. */
static void binary_time(uint64_t ticks, unsigned power, uint64_t *seconds, uint64_t *ns)
{
    enum { ENOUGH = 34 };
    uint64_t fraction = power < 64 ? ticks & ((UINT64_C(1) << power) - 1) : ticks;
    *seconds = power < 64 ? ticks >> power : 0;
    for (; power > ENOUGH; power--)
        fraction >>= 1;
    *ns = fraction * (uint64_t)NS_PER_SECOND >> power;
}

/* A file can claim any 64-bit time; what int64_t nanoseconds cannot hold is its limit. */
int64_t sw_pcapng_time(const struct sw_interface *interface, uint64_t ticks)
{
    unsigned power = interface->resolution & 0x7F;
    uint64_t seconds = 0;
    uint64_t ns = 0;
    if (interface->resolution & 0x80)
        binary_time(ticks, power, &seconds, &ns);
    else
        decimal_time(ticks, power, &seconds, &ns);
    if (seconds >= (uint64_t)(INT64_MAX / NS_PER_SECOND))
        return INT64_MAX;
    const int64_t most = INT64_MAX / NS_PER_SECOND;
    if (interface->offset_s >= most)
        return INT64_MAX;
    if (interface->offset_s <= -most)
        return INT64_MIN + 1; /* INT64_MIN itself is "never" */
    int64_t whole = (int64_t)seconds + interface->offset_s;
    if (whole >= most)
        return INT64_MAX;
    return whole * NS_PER_SECOND + (int64_t)ns;
}
