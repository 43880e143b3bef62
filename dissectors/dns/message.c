/*
 * message.c - one DNS message: header, question, records.
 */
#include "dissectors/dns/internal.h"

enum {
    FLAG_RESPONSE = 0x8000,
    FLAG_TRUNCATED = 0x0200,
    OPCODE_QUERY = 0,
    CLASS_IN = 1,
    CLASS_MASK = 0x7FFF, /* the highest bit is multicast DNS's (RFC 6762 section 18.12) */
    HEADER_BYTES = 12,
};

/* A message on its way through the parser. */
struct reader {
    struct sw_span bytes;
    struct sw_cursor c;
    struct dns_message message;
    const struct dns_sink *sink;
    unsigned records;
    struct dns_name owner;
    struct dns_name target;
    uint8_t text[DNS_TEXT_BYTES];
};

static bool read_header(struct reader *r, uint16_t counts[3])
{
    struct dns_message *m = &r->message;
    m->id = sw_cursor_be16(&r->c);
    uint16_t flags = sw_cursor_be16(&r->c);
    m->questions = sw_cursor_be16(&r->c);
    for (int i = 0; i < 3; i++)
        counts[i] = sw_cursor_be16(&r->c);
    m->answers = counts[DNS_ANSWER];
    m->response = (flags & FLAG_RESPONSE) != 0;
    m->truncated = (flags & FLAG_TRUNCATED) != 0;
    m->opcode = (uint8_t)(flags >> 11 & 0x0F);
    m->rcode = (uint8_t)(flags & 0x0F);
    return !r->c.bad && m->opcode == OPCODE_QUERY;
}

/* The first question; nobody asks more than one in a message. */
static bool read_question(struct reader *r)
{
    struct dns_message *m = &r->message;
    struct dns_name ignored;
    for (uint16_t i = 0; i < m->questions; i++) {
        if (!dns_name_read(r->bytes, &r->c, i == 0 ? &m->name : &ignored))
            return false;
        uint16_t type = sw_cursor_be16(&r->c);
        uint16_t klass = sw_cursor_be16(&r->c);
        if (r->c.bad || (klass & CLASS_MASK) != CLASS_IN)
            return false;
        if (i == 0)
            m->type = type;
        else if (i == 3)
            return false; /* no message of this world */
    }
    return m->questions > 0;
}

/* TXT: strings with a length before each (RFC 1035 section 3.3.14). */
static struct sw_span read_text(struct reader *r, struct sw_span data)
{
    struct sw_cursor c = sw_cursor_make(data);
    size_t used = 0;
    while (c.left > 0) {
        struct sw_span part = sw_cursor_take(&c, sw_cursor_u8(&c));
        size_t n = part.len < sizeof(r->text) - used ? part.len : sizeof(r->text) - used;
        if (n > 0)
            memcpy(r->text + used, part.ptr, n);
        used += n;
    }
    return sw_span_make(r->text, used);
}

/* The data of a record; `data` is a cursor over it that still stands inside the message, for names.
 */
static bool read_data(struct reader *r, struct sw_span data, struct dns_record *record)
{
    size_t start = (size_t)(data.ptr - r->bytes.ptr);
    struct sw_cursor c = sw_cursor_make(sw_span_from(r->bytes, start));
    switch (record->type) {
    case DNS_A:
    case DNS_AAAA:
        if (data.len != (record->type == DNS_A ? 4 : 16))
            return false;
        memcpy(record->address, data.ptr, data.len);
        return true;
    case DNS_TXT:
        record->text = read_text(r, data);
        return true;
    case DNS_TLSA:
        record->text = data;
        return true;
    case DNS_MX:
        record->preference = sw_cursor_be16(&c);
        break;
    case DNS_SRV:
        record->preference = sw_cursor_be16(&c);
        sw_cursor_skip(&c, 2); /* weight */
        record->port = sw_cursor_be16(&c);
        break;
    case DNS_CNAME:
    case DNS_NS:
    case DNS_PTR:
        break;
    default:
        return true;
    }
    if (c.bad || !dns_name_read(r->bytes, &c, &r->target))
        return false;
    if (c.left < r->bytes.len - start - data.len)
        return false; /* the name is longer than its record */
    record->target = &r->target;
    record->null_mx = record->type == DNS_MX && record->preference == 0 && r->target.length == 0;
    return true;
}

static bool read_record(struct reader *r, enum dns_section section)
{
    struct dns_record record = {.section = section, .owner = &r->owner};
    if (!dns_name_read(r->bytes, &r->c, &r->owner))
        return false;
    record.type = sw_cursor_be16(&r->c);
    uint16_t klass = sw_cursor_be16(&r->c);
    record.ttl_s = sw_cursor_be32(&r->c);
    struct sw_span data = sw_cursor_take(&r->c, sw_cursor_be16(&r->c));
    if (r->c.bad)
        return false;
    if ((klass & CLASS_MASK) != CLASS_IN)
        return true; /* OPT keeps a size where the class is (RFC 6891) */
    if (data.len == 0)
        return true;
    if (!read_data(r, data, &record))
        return false;
    r->sink->record(r->sink->ctx, &r->message, &record);
    return true;
}

static bool read_sections(struct reader *r, const uint16_t counts[3])
{
    for (int section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++) {
        for (uint16_t i = 0; i < counts[section]; i++) {
            if (r->records++ == DNS_RECORDS_MAX || !read_record(r, (enum dns_section)section))
                return false;
        }
    }
    return true;
}

bool dns_read(struct sw_span bytes, struct sw_at at, const struct dns_sink *sink)
{
    struct reader r = {.bytes = bytes, .c = sw_cursor_make(bytes), .sink = sink};
    uint16_t counts[3] = {0};
    if (bytes.len < HEADER_BYTES || !read_header(&r, counts) || !read_question(&r))
        return false;
    sink->message(sink->ctx, &r.message, at);
    bool whole = read_sections(&r, counts);
    sink->end(sink->ctx, &r.message, !whole);
    return true;
}
