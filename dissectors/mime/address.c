/*
 * address.c - address lists (RFC 5322 3.4): how many there are, and the first one.
 */
#include "dissectors/mime/mime.h"

/* Octets of an address or a name that need no second look: behind them stands something that does,
 * or nothing. */
static size_t behind_word(struct sw_span s, size_t at)
{
    static const bool telling[256] = {
        ['('] = true, ['"'] = true, ['<'] = true,  [','] = true, [';'] = true,
        [':'] = true, [' '] = true, ['\t'] = true, ['\r'] = true};
    while (at < s.len && !telling[s.ptr[at]])
        at++;
    return at;
}

/* One octet outside quotes, comments and angle brackets. */
static void plain_octet(struct mime_addresses *a, uint8_t c)
{
    switch (c) {
    case ',':
    case ';': /* the end of a group */
        (void)mime_addresses_end(a);
        break;
    case ':':
        a->found = false; /* what stood before it is the name of a group */
        break;
    case '<':
        a->angle = true;
        a->found = true;
        break;
    case ' ':
    case '\t':
    case '\r':
        break;
    default:
        a->found = true;
        break;
    }
}

void mime_addresses_feed(struct mime_addresses *a, struct sw_span octets)
{
    for (size_t i = 0; i < octets.len; i++) {
        bool plain = !a->escaped && !a->quoted && !a->angle && a->comment == 0;
        size_t behind = plain ? behind_word(octets, i) : i;
        a->found = a->found || behind > i;
        i = behind;
        if (i == octets.len)
            return;
        uint8_t c = octets.ptr[i];
        bool literal = a->quoted || a->comment > 0;
        if (a->escaped) {
            a->escaped = false;
        } else if (literal && c == '\\') {
            a->escaped = true;
        } else if (a->quoted) {
            a->quoted = c != '"';
        } else if (c == '(' && a->comment < UINT16_MAX) {
            a->comment++;
        } else if (a->comment > 0) {
            a->comment = (uint16_t)(a->comment - (c == ')'));
        } else if (c == '"') {
            a->quoted = true;
            a->found = true;
        } else if (a->angle) {
            a->angle = c != '>';
        } else {
            plain_octet(a, c);
        }
    }
}

uint32_t mime_addresses_end(struct mime_addresses *a)
{
    if (a->found && a->count < UINT32_MAX)
        a->count++;
    a->found = false;
    return a->count;
}

/* The index behind the quoted string or comment that begins at `at`. */
static size_t behind_literal(struct sw_span s, size_t at)
{
    uint8_t close = s.ptr[at] == '"' ? '"' : ')';
    size_t depth = 0;
    for (size_t i = at; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (c == '\\')
            i++;
        else if (c == close && (close == '"' ? i > at : --depth == 0))
            return i + 1;
        else if (c == '(' && close == ')')
            depth++;
    }
    return s.len;
}

struct sw_span mime_first_address(struct sw_span list)
{
    size_t begin = 0; /* of the address that is being read */
    size_t end = 0;   /* behind the last octet of it that is no comment */
    for (size_t i = 0; i < list.len;) {
        size_t behind = behind_word(list, i);
        if (behind > i) {
            end = i = behind;
            continue;
        }
        uint8_t c = list.ptr[i];
        if (c == '(') {
            if (end <= begin)
                begin = behind_literal(list, i);
            i = behind_literal(list, i);
            continue;
        }
        if (c == '"') {
            i = behind_literal(list, i);
            end = i;
            continue;
        }
        if (c == '<') {
            struct sw_span rest = sw_span_from(list, i + 1);
            return sw_span_trim(sw_span_sub(rest, 0, sw_span_index(rest, '>')));
        }
        if ((c == ',' || c == ';') && end > begin)
            break;
        i++;
        if (c == ':' || c == ',' || c == ';')
            begin = end = i;
    }
    return end > begin ? sw_span_trim(sw_span_sub(list, begin, end - begin))
                       : (struct sw_span){NULL, 0};
}
