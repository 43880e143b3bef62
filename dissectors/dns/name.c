/*
 * name.c - names and their compression (RFC 1035 sections 3.1 and 4.1.4).
 */
#include "dissectors/dns/internal.h"

enum {
    NAME_OCTETS = 255, /* RFC 1035 section 2.3.4 */
    POINTERS_MAX = 32, /* in one name; real ones have one or two */
    LABEL_KIND = 0xC0, /* the two highest bits of a length */
    LABEL_POINTER = 0xC0,
};

static void put(struct dns_name *name, const char *text, size_t n)
{
    if (name->cut || name->length + n > DNS_NAME_BYTES) {
        name->cut = true;
        return;
    }
    memcpy(name->text + name->length, text, n);
    name->length = (uint16_t)(name->length + n);
}

static bool is_plain(uint8_t c)
{
    return sw_ascii_alpha(c) || sw_ascii_digit(c) || c == '-' || c == '_' || c == '/' || c == '*';
}

/* Escapes as RFC 1035 section 5.1 writes them; a dot inside a label must not look like one between
 * labels. */
static void put_octet(struct dns_name *name, uint8_t c)
{
    char text[4] = {'\\', (char)('0' + c / 100), (char)('0' + c / 10 % 10), (char)('0' + c % 10)};
    if (is_plain(c)) {
        text[0] = (char)sw_ascii_lower(c);
        put(name, text, 1);
        return;
    }
    put(name, text, 4);
}

static void put_label(struct dns_name *name, struct sw_span label)
{
    if (name->length > 0 || name->cut)
        put(name, ".", 1);
    for (size_t i = 0; i < label.len && !name->cut; i++)
        put_octet(name, label.ptr[i]);
}

bool dns_name_read(struct sw_span message, struct sw_cursor *c, struct dns_name *name)
{
    struct sw_cursor at = *c;
    struct sw_cursor behind = *c;
    size_t limit = message.len - c->left; /* pointers lead to before this */
    size_t octets = 0;
    unsigned pointers = 0;
    *name = (struct dns_name){0};
    for (;;) {
        uint8_t length = sw_cursor_u8(&at);
        if ((length & LABEL_KIND) == LABEL_POINTER) {
            size_t target = (size_t)(length & ~LABEL_KIND) << 8 | sw_cursor_u8(&at);
            if (at.bad || target >= limit || pointers == POINTERS_MAX)
                return false;
            if (pointers++ == 0)
                behind = at;
            limit = target;
            at = sw_cursor_make(sw_span_from(message, target));
            continue;
        }
        struct sw_span label = sw_cursor_take(&at, length);
        octets += (size_t)length + 1;
        if (at.bad || (length & LABEL_KIND) != 0 || octets > NAME_OCTETS)
            return false;
        if (length == 0)
            break;
        put_label(name, label);
    }
    name->text[name->length] = '\0';
    *c = pointers > 0 ? behind : at;
    return true;
}
