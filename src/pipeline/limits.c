#include "pipeline/limits.h"

#include "base/limit.h"

#include <assert.h>
#include <stddef.h>

/* What the program needs before it has read anything: code, libraries, tables, trust anchors, and
 * buffers. The rest of the limit `memory` is for the traffic. */
#define SW_RESERVED_BYTES (UINT64_C(32) << 20)
/* And of the rest this part is what lies unused between blocks that are counted. */
#define SW_WASTED_PART 24

/* Where a limit stands in struct sw_engine_limits. */
struct place {
    size_t offset, size;
};

static const struct place places[SW_LIMIT_COUNT] = {
#define SW_LIMIT(id, name, field, ...)                                                             \
    [SW_LIMIT_##id] = {offsetof(struct sw_engine_limits, field),                                   \
                       sizeof(((struct sw_engine_limits *)0)->field)},
#include "base/limit.def"
#undef SW_LIMIT
};

static_assert(sizeof(size_t) == sizeof(uint64_t), "limits are stored as 32 or 64 bits");

static void store(struct sw_engine_limits *limits, enum sw_limit limit, uint64_t value)
{
    uint8_t *at = (uint8_t *)limits + places[limit].offset;
    uint32_t narrow = (uint32_t)value;
    if (places[limit].size == sizeof(narrow))
        memcpy(at, &narrow, sizeof(narrow));
    else
        memcpy(at, &value, sizeof(value));
}

/* A number with an optional K, M, G, T or s behind it. */
static bool read_value(struct sw_span text, uint64_t most, uint64_t *value)
{
    uint64_t unit = 1;
    if (text.len > 1 && !sw_ascii_digit(text.ptr[text.len - 1])) {
        uint8_t suffix = sw_ascii_upper(text.ptr[text.len - 1]);
        unit = suffix == 'K'   ? 1024
               : suffix == 'M' ? 1024 * 1024
               : suffix == 'G' ? 1024 * 1024 * 1024
               : suffix == 'T' ? UINT64_C(1) << 40
                               : 0;
        if (suffix == 'S')
            unit = 1;
        text.len--;
    }
    if (unit == 0 || !sw_span_u64(text, value) || *value > most / unit)
        return false;
    *value *= unit;
    return true;
}

/* As it is written on the command line: 48M, 2K, 16, 1s. */
static struct sw_status too_small(const struct sw_limit_row *row)
{
    unsigned long long least = row->least;
    const char *unit = row->unit == SW_LIMIT_UNIT_SECONDS ? "s" : "";
    for (const char *u = "KMGT"; row->unit == SW_LIMIT_UNIT_BYTES && *u && least % 1024 == 0; u++) {
        least /= 1024;
        unit = u;
    }
    return sw_status_make(SW_USAGE, 0, "--limits: %s must be at least %llu%.1s", row->name, least,
                          unit);
}

/* Reads one "name=value"; *limit and *value are what it says. */
static struct sw_status read_one(struct sw_span item, enum sw_limit *limit, uint64_t *value)
{
    size_t equals = sw_span_index(item, '=');
    struct sw_span name = sw_span_sub(item, 0, equals);
    for (int i = 0; i < SW_LIMIT_COUNT; i++) {
        const struct sw_limit_row *row = sw_limit_row((enum sw_limit)i);
        if (!sw_span_eq(name, sw_span_str(row->name)))
            continue;
        uint64_t most = row->unit == SW_LIMIT_UNIT_SECONDS   ? UINT32_MAX
                        : places[i].size == sizeof(uint32_t) ? UINT32_MAX
                                                             : INT64_MAX;
        if (equals == item.len || !read_value(sw_span_from(item, equals + 1), most, value))
            return sw_status_make(SW_USAGE, 0,
                                  "--limits: '%.*s' is not name=number (with K, M, G, T or s)",
                                  (int)item.len, (const char *)item.ptr);
        if (*value < row->least)
            return too_small(row);
        if (row->unit == SW_LIMIT_UNIT_SECONDS)
            *value *= (uint64_t)SW_NS_PER_S;
        *limit = (enum sw_limit)i;
        return sw_status_ok();
    }
    return sw_status_make(SW_USAGE, 0,
                          "--limits: there is no limit named '%.*s'; see smtpwhy --help limits",
                          (int)name.len, (const char *)name.ptr);
}

/* What was not set takes its default, or less where little memory is allowed. */
static void store_default(struct sw_engine_limits *limits, enum sw_limit limit)
{
    const struct sw_limit_row *row = sw_limit_row(limit);
    uint64_t value = sw_limit_default(limit);
    if (row->part) {
        uint64_t share = limits->memory_bytes / row->part / row->each;
        uint64_t least = share > row->least ? share : row->least;
        value = value < least ? value : least;
    }
    store(limits, limit, value);
}

struct sw_status sw_limits_parse(struct sw_engine_limits *limits, const char *text, unsigned beside)
{
    bool given[SW_LIMIT_COUNT] = {false};
    *limits = (struct sw_engine_limits){.memory_bytes = sw_limit_default(SW_LIMIT_MEMORY)};
    struct sw_span rest = sw_span_str(text);
    while (rest.len > 0) {
        size_t comma = sw_span_index(rest, ',');
        enum sw_limit limit = SW_LIMIT_MEMORY;
        uint64_t value = 0;
        struct sw_status status = read_one(sw_span_sub(rest, 0, comma), &limit, &value);
        if (status.code != SW_OK)
            return status;
        store(limits, limit, value);
        given[limit] = true;
        rest = sw_span_from(rest, comma + 1);
    }
    uint64_t traffic_bytes = limits->memory_bytes - SW_RESERVED_BYTES;
    traffic_bytes -= traffic_bytes / SW_WASTED_PART;
    limits->memory_bytes = traffic_bytes / (beside ? beside : 1);
    for (int i = SW_LIMIT_MEMORY + 1; i < SW_LIMIT_COUNT; i++) {
        if (!given[i])
            store_default(limits, (enum sw_limit)i);
    }
    return sw_status_ok();
}

bool sw_limit_describe(size_t index, struct sw_limit_info *info)
{
    if (index >= SW_LIMIT_COUNT)
        return false;
    const struct sw_limit_row *row = sw_limit_row((enum sw_limit)index);
    *info = (struct sw_limit_info){
        .name = row->name,
        .what = row->what,
        .shed = row->shed,
        .fallback = row->fallback,
        .seconds = row->unit == SW_LIMIT_UNIT_SECONDS,
        .bytes = row->unit == SW_LIMIT_UNIT_BYTES,
    };
    return true;
}

bool sw_mail_ports_parse(struct sw_mail_ports *out, const char *list)
{
    *out = (struct sw_mail_ports){{25, 465, 587, 2525, 24}, 5};
    if (!list)
        return true;
    out->count = 0;
    struct sw_span rest = sw_span_str(list);
    while (rest.len > 0) {
        size_t comma = sw_span_index(rest, ',');
        uint64_t port = 0;
        if (!sw_span_u64(sw_span_trim(sw_span_sub(rest, 0, comma)), &port) || port == 0 ||
            port > 65535 || out->count == SW_MAIL_PORTS_MAX)
            return false;
        out->ports[out->count++] = (uint16_t)port;
        rest = sw_span_from(rest, comma + 1);
    }
    return out->count > 0;
}

bool sw_mail_ports_has(const struct sw_mail_ports *ports, uint16_t port)
{
    for (unsigned i = 0; i < ports->count; i++) {
        if (ports->ports[i] == port)
            return true;
    }
    return false;
}
