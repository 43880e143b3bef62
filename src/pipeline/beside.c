#include "pipeline/beside.h"

#include "session/lookup.h"

enum { SERVER_CHUNKS = 32 };

bool sw_beside_is_web(uint16_t port, const struct sw_chunk *chunk)
{
    struct sw_span bytes = chunk->bytes;
    return port == 80 && chunk->from == SW_CLIENT &&
           (sw_span_starts(bytes, SW_SPAN_LIT("GET ")) ||
            sw_span_starts(bytes, SW_SPAN_LIT("HEAD ")) ||
            sw_span_starts(bytes, SW_SPAN_LIT("POST ")));
}

/* The value of a header field, or empty. */
static struct sw_span field(struct sw_span bytes, const char *name)
{
    size_t at = sw_span_find_nocase(bytes, sw_span_str(name));
    struct sw_span value = sw_span_from(bytes, at + strlen(name));
    return sw_span_trim(sw_span_sub(value, 0, sw_span_index(value, '\n')));
}

static struct sw_span without_port(struct sw_span host)
{
    size_t n = 0;
    while (n < host.len && host.ptr[n] != ':' && host.ptr[n] != '/')
        n++;
    return sw_span_sub(host, 0, n);
}

static void note_host(struct sw_beside *b, struct sw_span bytes)
{
    struct sw_span owner = sw_name_owner(without_port(field(bytes, "\nHost:")));
    if (owner.len == 0 || owner.len > sizeof(b->owner))
        return;
    memcpy(b->owner, owner.ptr, owner.len);
    b->owner_length = (uint32_t)owner.len;
}

/*
 * 511 says it (RFC 6585 section 6). A temporary redirection to a server of another owner is what
 * portals without it do; a site's own move to HTTPS stays with its owner.
 */
static enum sw_beside_news web_answer(const struct sw_beside *b, struct sw_span bytes)
{
    struct sw_span rest = bytes;
    struct sw_span version = sw_span_word(&rest);
    uint64_t status = 0;
    if (!sw_span_starts(version, SW_SPAN_LIT("HTTP/1.")) ||
        !sw_span_u64(sw_span_trim(sw_span_word(&rest)), &status))
        return SW_BESIDE_OVER;
    if (status == 511)
        return SW_BESIDE_PORTAL;
    if (status != 302 && status != 303 && status != 307)
        return SW_BESIDE_OVER;
    struct sw_span location = field(bytes, "\nLocation:");
    size_t scheme = sw_span_find_nocase(location, SW_SPAN_LIT("://"));
    struct sw_span owner = sw_name_owner(without_port(sw_span_from(location, scheme + 3)));
    bool elsewhere = b->owner_length > 0 && owner.len > 0 &&
                     !sw_span_eq_nocase(owner, sw_span_make(b->owner, b->owner_length));
    return elsewhere ? SW_BESIDE_PORTAL : SW_BESIDE_OVER;
}

/* Where the owner's name stands in a field, with what is in front of it up to the host. */
static uint32_t show_owner(struct sw_span payload, const char *name, struct sw_extract_range *shown)
{
    size_t at = sw_span_find_nocase(payload, sw_span_str(name));
    if (at == payload.len)
        return 0;
    struct sw_span value = field(payload, name);
    size_t scheme = sw_span_find_nocase(value, SW_SPAN_LIT("://"));
    struct sw_span host = scheme < value.len ? sw_span_from(value, scheme + 3) : value;
    struct sw_span owner = sw_name_owner(without_port(host));
    shown[0] = (struct sw_extract_range){at, (uint64_t)(host.ptr - payload.ptr)};
    if (owner.len == 0)
        return 1;
    uint64_t begin = (uint64_t)(owner.ptr - payload.ptr);
    uint64_t dot = owner.ptr > host.ptr ? 1 : 0;
    shown[1] = (struct sw_extract_range){begin - dot, begin + owner.len};
    return 2;
}

uint32_t sw_beside_shown(struct sw_span payload, struct sw_extract_range shown[SW_BESIDE_SHOWN])
{
    static const char *const methods[] = {"GET ", "HEAD ", "POST "};
    enum { STATUS_LINE = 13 }; /* "HTTP/1.1 302 " */
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct sw_span method = sw_span_str(methods[i]);
        if (!sw_span_starts(payload, method))
            continue;
        shown[0] = (struct sw_extract_range){0, method.len};
        return 1 + show_owner(payload, "\nHost:", shown + 1);
    }
    if (!sw_span_starts(payload, SW_SPAN_LIT("HTTP/1.")))
        return 0;
    shown[0] = (struct sw_extract_range){0, STATUS_LINE};
    return 1 + show_owner(payload, "\nLocation:", shown + 1);
}

/* RFC 2449 section 8.1.1 ([IN-USE]), RFC 5530 ([INUSE]), and what servers say without them. */
static bool is_busy(enum sw_beside_kind kind, struct sw_span line)
{
    bool no = kind == SW_BESIDE_POP ? sw_span_starts_nocase(line, SW_SPAN_LIT("-ERR"))
                                    : sw_span_find_nocase(line, SW_SPAN_LIT(" NO ")) < line.len;
    if (!no)
        return false;
    static const char *const words[] = {"[IN-USE]", "[INUSE]", "lock", "in use", "busy"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (sw_span_find_nocase(line, sw_span_str(words[i])) < line.len)
            return true;
    }
    return false;
}

static enum sw_beside_news mailbox_answer(const struct sw_beside *b, struct sw_span bytes)
{
    enum { LINES = 8 };
    for (int i = 0; i < LINES && bytes.len > 0; i++) {
        size_t lf = sw_span_index(bytes, '\n');
        if (is_busy(b->kind, sw_span_sub(bytes, 0, lf)))
            return SW_BESIDE_BUSY;
        bytes = sw_span_from(bytes, lf + 1);
    }
    return b->chunks >= SERVER_CHUNKS ? SW_BESIDE_OVER : SW_BESIDE_NOTHING;
}

enum sw_beside_news sw_beside_chunk(struct sw_beside *b, const struct sw_chunk *chunk)
{
    if (chunk->from == SW_CLIENT) {
        if (b->kind == SW_BESIDE_WEB)
            note_host(b, chunk->bytes);
        return SW_BESIDE_NOTHING;
    }
    b->chunks++;
    return b->kind == SW_BESIDE_WEB ? web_answer(b, chunk->bytes) : mailbox_answer(b, chunk->bytes);
}
