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
