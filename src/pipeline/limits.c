#include "pipeline/limits.h"

#include <stddef.h>

#define SW_DEFAULT_UNPACKED_BYTES (UINT64_C(1) << 40)
#define SW_DEFAULT_UNPACK_RATIO UINT64_C(1000) /* gzip ends at 1032, honest captures below 300 */

enum width { WIDTH_U32, WIDTH_U64, WIDTH_SIZE, WIDTH_NS };

struct row {
    const char *name;
    const char *what;
    size_t offset;
    enum width width;
    uint64_t fallback; /* the default, for the user to read; seconds for times */
    uint64_t least;
};

#define AT(field) offsetof(struct sw_engine_limits, field)

static const struct row table[] = {
    {"connections", "TCP connections watched at once", AT(flow.flows), WIDTH_U32, 200000, 16},
    {"half-open", "of these, connections whose handshake is not complete", AT(flow.half_open),
     WIDTH_U32, 50000, 16},
    {"held-bytes", "out-of-order bytes kept of one direction", AT(flow.held_per_side_bytes),
     WIDTH_U32, 256 * 1024, 2048},
    {"held-total", "out-of-order bytes kept of all connections", AT(flow.held_total_bytes),
     WIDTH_U64, UINT64_C(64) << 20, 2048},
    {"fragments", "IP packets put together from parts at once", AT(fragments.packets), WIDTH_U32,
     4096, 4},
    {"fragment-bytes", "bytes of IP packets in parts", AT(fragments.bytes), WIDTH_U64,
     UINT64_C(16) << 20, 64 * 1024},
    {"session-bytes", "what is kept of one session", AT(session.arena_bytes), WIDTH_SIZE,
     1024 * 1024, 16 * 1024},
    {"session-lines", "lines of dialogue kept of one session", AT(session.steps), WIDTH_U32, 16384,
     64},
    {"reply-bytes", "text kept of one reply", AT(session.reply_bytes), WIDTH_U32, 16 * 1024, 512},
    {"unfinished-lines", "lines that wait for their end at once (4 KiB each)", AT(lent_blocks),
     WIDTH_U32, 16384, 2},
    {"unpacked", "what one compressed capture may unpack into", AT(unpacked_bytes), WIDTH_U64,
     SW_DEFAULT_UNPACKED_BYTES, 1024},
    {"unpack-ratio", "unpacked bytes for each byte of a compressed capture", AT(unpack_ratio),
     WIDTH_U64, SW_DEFAULT_UNPACK_RATIO, 1},
    {"lookups", "names that were looked up, of all clients", AT(book.lookups), WIDTH_U32, 16384, 4},
    {"neighbours", "requests for hardware addresses kept at once", AT(book.neighbours), WIDTH_U32,
     1024, 4},
    {"dns-streams", "TCP connections to name servers read at once", AT(dns_streams), WIDTH_U32,
     1024, 1},
    {"stories", "mails that are watched for further attempts", AT(ledger.stories), WIDTH_U32, 65536,
     16},
    {"held-attempts", "attempts that wait for earlier ones to end", AT(ledger.tries), WIDTH_U32,
     32768, 16},
    {"strangers", "connections of unknown kind that are looked at at once", AT(strangers),
     WIDTH_U32, 1024, 1},
    {"idle", "an established connection without packets is given up after", AT(flow.idle_ns),
     WIDTH_NS, 900, 1},
    {"connect", "an unanswered connection attempt is given up after", AT(flow.connect_ns), WIDTH_NS,
     130, 1},
    {"stall", "live: a connection in which nothing is said is mentioned after", AT(stall_ns),
     WIDTH_NS, 60, 1},
};

enum { ROWS = sizeof(table) / sizeof(table[0]) };

static void store(struct sw_engine_limits *limits, const struct row *row, uint64_t value)
{
    uint8_t *at = (uint8_t *)limits + row->offset;
    uint32_t narrow = (uint32_t)value;
    size_t size = (size_t)value;
    int64_t ns = (int64_t)value * SW_NS_PER_S;
    switch (row->width) {
    case WIDTH_U32:
        memcpy(at, &narrow, sizeof(narrow));
        break;
    case WIDTH_U64:
        memcpy(at, &value, sizeof(value));
        break;
    case WIDTH_SIZE:
        memcpy(at, &size, sizeof(size));
        break;
    case WIDTH_NS:
        memcpy(at, &ns, sizeof(ns));
        break;
    }
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

static struct sw_status set_one(struct sw_engine_limits *limits, struct sw_span item)
{
    size_t equals = sw_span_index(item, '=');
    struct sw_span name = sw_span_sub(item, 0, equals);
    for (size_t i = 0; i < ROWS; i++) {
        if (!sw_span_eq(name, sw_span_str(table[i].name)))
            continue;
        uint64_t value = 0;
        uint64_t most = table[i].width == WIDTH_U64 ? INT64_MAX : UINT32_MAX;
        if (equals == item.len || !read_value(sw_span_from(item, equals + 1), most, &value))
            return sw_status_make(SW_USAGE, 0,
                                  "--limits: '%.*s' is not name=number (with K, M, G, T or s)",
                                  (int)item.len, (const char *)item.ptr);
        if (value < table[i].least)
            return sw_status_make(SW_USAGE, 0, "--limits: %s must be at least %llu", table[i].name,
                                  (unsigned long long)table[i].least);
        store(limits, &table[i], value);
        return sw_status_ok();
    }
    return sw_status_make(SW_USAGE, 0,
                          "--limits: there is no limit named '%.*s'; see smtpwhy --help limits",
                          (int)name.len, (const char *)name.ptr);
}

struct sw_status sw_limits_parse(struct sw_engine_limits *limits, const char *text)
{
    *limits = (struct sw_engine_limits){0};
    limits->session = sw_session_default_limits;
    limits->unpacked_bytes = SW_DEFAULT_UNPACKED_BYTES;
    limits->unpack_ratio = SW_DEFAULT_UNPACK_RATIO;
    struct sw_span rest = sw_span_str(text);
    while (rest.len > 0) {
        size_t comma = sw_span_index(rest, ',');
        struct sw_status status = set_one(limits, sw_span_sub(rest, 0, comma));
        if (status.code != SW_OK)
            return status;
        rest = sw_span_from(rest, comma + 1);
    }
    return sw_status_ok();
}

bool sw_limit_describe(size_t index, struct sw_limit_info *info)
{
    if (index >= ROWS)
        return false;
    *info = (struct sw_limit_info){
        .name = table[index].name,
        .what = table[index].what,
        .fallback = table[index].fallback,
        .seconds = table[index].width == WIDTH_NS,
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
