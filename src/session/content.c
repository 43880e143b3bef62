/*
 * content.c - what the first bytes of a direction are, by signatures that cost a few compares.
 */
#include "session/builder.h"

struct signature {
    struct sw_span bytes;
    enum sw_content content;
    bool nocase;
};

/* Protocols in which the server speaks first, or that answer a client at once. */
static bool match_any(const struct signature *list, size_t n, struct sw_span first,
                      enum sw_content *content)
{
    for (size_t i = 0; i < n; i++) {
        bool hit = list[i].nocase ? sw_span_starts_nocase(first, list[i].bytes)
                                  : sw_span_starts(first, list[i].bytes);
        if (hit) {
            *content = list[i].content;
            return true;
        }
    }
    return false;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool server_content(struct sw_span first, enum sw_content *content)
{
    if (sw_ascii_digit(first.ptr[0])) /* a reply of SMTP, most of the time */
        return false;
    const struct signature known[] = {
        {SW_SPAN_LIT("HTTP/"), SW_CONTENT_HTTP, true},
        {SW_SPAN_LIT("<html"), SW_CONTENT_HTTP, true},
        {SW_SPAN_LIT("<!DOCTYPE"), SW_CONTENT_HTTP, true},
        {SW_SPAN_LIT("SSH-"), SW_CONTENT_SSH, false},
        {SW_SPAN_LIT("+OK"), SW_CONTENT_POP3, true},
        {SW_SPAN_LIT("-ERR"), SW_CONTENT_POP3, true},
        {SW_SPAN_LIT("* OK"), SW_CONTENT_IMAP, true},
        {SW_SPAN_LIT("* PREAUTH"), SW_CONTENT_IMAP, true},
        {SW_SPAN_LIT("* BYE"), SW_CONTENT_IMAP, true},
    };
    return match_any(known, COUNT(known), first, content);
}

/* A tag and a command that may come before the login (RFC 9051 6.1, 6.2; ID: RFC 2971). Every
 * client has digits in its tags, and no command of SMTP has one. */
static bool is_imap_command(struct sw_span first)
{
    static const char *const commands[] = {"LOGIN",    "CAPABILITY", "AUTHENTICATE",
                                           "STARTTLS", "LOGOUT",     "ID"};
    struct sw_span rest = sw_span_sub(first, 0, sw_span_index(first, '\r'));
    struct sw_span tag = sw_span_word(&rest);
    struct sw_span command = sw_span_word(&rest);
    bool numbered = false;
    for (size_t i = 0; i < tag.len; i++)
        numbered = numbered || sw_ascii_digit(tag.ptr[i]);
    for (size_t i = 0; numbered && i < COUNT(commands); i++) {
        if (sw_span_eq_nocase(command, sw_span_str(commands[i])))
            return true;
    }
    return false;
}

static bool client_content(struct sw_span first, enum sw_content *content)
{
    if (first.ptr[0] == 'E' || first.ptr[0] == 'e') /* EHLO, most of the time */
        return false;
    const struct signature known[] = {
        {SW_SPAN_LIT("GET "), SW_CONTENT_HTTP, false},
        {SW_SPAN_LIT("POST "), SW_CONTENT_HTTP, false},
        {SW_SPAN_LIT("HEAD "), SW_CONTENT_HTTP, false},
        {SW_SPAN_LIT("PUT "), SW_CONTENT_HTTP, false},
        {SW_SPAN_LIT("OPTIONS "), SW_CONTENT_HTTP, false},
        {SW_SPAN_LIT("CONNECT "), SW_CONTENT_HTTP, false},
        {SW_SPAN_LIT("SSH-"), SW_CONTENT_SSH, false},
        {SW_SPAN_LIT("USER "), SW_CONTENT_POP3, true}, /* or FTP: the server's greeting tells */
        {SW_SPAN_LIT("APOP "), SW_CONTENT_POP3, true},
        {SW_SPAN_LIT("CAPA\r\n"), SW_CONTENT_POP3, true},
        {SW_SPAN_LIT("STLS\r\n"), SW_CONTENT_POP3, true},
        {SW_SPAN_LIT("PROXY "), SW_CONTENT_PROXY, false},
        {SW_SPAN_LIT("\r\n\r\n\0\r\nQUIT\n"), SW_CONTENT_PROXY, false},
    };
    if (match_any(known, COUNT(known), first, content))
        return true;
    if (is_imap_command(first)) {
        *content = SW_CONTENT_IMAP;
        return true;
    }
    /* SOCKS5: version, number of methods, methods; SOCKS4: version, CONNECT (RFC 1928 3). */
    bool socks5 = first.len >= 3 && first.ptr[0] == 5 && first.ptr[1] > 0 &&
                  first.len == (size_t)first.ptr[1] + 2;
    bool socks4 = first.len >= 9 && first.ptr[0] == 4 && first.ptr[1] == 1;
    if (socks5 || socks4)
        *content = SW_CONTENT_SOCKS;
    return socks5 || socks4;
}

/* A TLS record header (RFC 8446 5.1), or a ClientHello in the form of SSL 2 (RFC 5246 E.2). */
static bool looks_like_tls(struct sw_span first)
{
    bool record = first.ptr[0] >= 20 && first.ptr[0] <= 24 &&
                  (first.len < 2 || first.ptr[1] == 3) && (first.len < 3 || first.ptr[2] <= 4);
    if (record)
        return true;
    return first.len >= 5 && (first.ptr[0] & 0x80) && first.ptr[2] == 1 &&
           (first.ptr[3] == 3 || (first.ptr[3] == 0 && first.ptr[4] == 2));
}

static bool is_printable(struct sw_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (c < 0x20 && c != '\r' && c != '\n' && c != '\t')
            return false;
    }
    return true;
}

enum sw_content sw_content_of(enum sw_side from, struct sw_span first)
{
    enum sw_content content = SW_CONTENT_NOTHING;
    if (first.len == 0)
        return SW_CONTENT_NOTHING;
    if (looks_like_tls(first))
        return SW_CONTENT_TLS;
    if (from == SW_SERVER ? server_content(first, &content) : client_content(first, &content))
        return content;
    if (smtp_probe_fits(from == SW_SERVER ? SW_FROM_SERVER : SW_FROM_CLIENT, first))
        return SW_CONTENT_SMTP;
    if (from == SW_SERVER && sw_span_starts(first, SW_SPAN_LIT("220")) &&
        sw_span_find_nocase(first, SW_SPAN_LIT("FTP")) < first.len) /* RFC 959 5.4 */
        return SW_CONTENT_FTP;
    return is_printable(first) ? SW_CONTENT_TEXT : SW_CONTENT_BINARY;
}
