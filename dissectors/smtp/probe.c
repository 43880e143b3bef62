/*
 * probe.c - does this look like SMTP?
 */
#include "dissectors/smtp/internal.h"

static bool is_cut(struct sw_span first)
{
    return sw_span_index(first, '\n') == first.len;
}

static bool is_reply(struct sw_span first)
{
    for (size_t i = 0; i < 3; i++) {
        if (i >= first.len || !sw_ascii_digit(first.ptr[i]))
            return false;
    }
    bool separator = first.len == 3 || first.ptr[3] == ' ' || first.ptr[3] == '-' ||
                     first.ptr[3] == '\r' || first.ptr[3] == '\n';
    return separator && first.ptr[0] >= '2' && first.ptr[0] <= '5';
}

static bool names_mail(struct sw_span line)
{
    return sw_span_find_nocase(line, SW_SPAN_LIT("SMTP")) < line.len ||
           sw_span_find_nocase(line, SW_SPAN_LIT("LMTP")) < line.len ||
           sw_span_find_nocase(line, SW_SPAN_LIT("mail")) < line.len;
}

/* It greets with 220, too. */
static bool names_ftp(struct sw_span line)
{
    return sw_span_find_nocase(line, SW_SPAN_LIT("FTP")) < line.len;
}

static struct sw_span first_line(struct sw_span first)
{
    return sw_span_sub(first, 0, sw_span_index(first, '\n'));
}

static int probe_server(struct sw_span first)
{
    if (first.len < 3)
        return first.len > 0 && (first.ptr[0] == '2' || first.ptr[0] == '4' || first.ptr[0] == '5')
                   ? 1
                   : 0;
    if (!is_reply(first))
        return 0;
    struct sw_span line = first_line(first);
    bool greeting =
        sw_span_starts(first, SW_SPAN_LIT("220")) || sw_span_starts(first, SW_SPAN_LIT("421")) ||
        sw_span_starts(first, SW_SPAN_LIT("554")) || sw_span_starts(first, SW_SPAN_LIT("521"));
    bool named = names_mail(line);
    if (!named && names_ftp(line))
        return 0;
    if (greeting)
        return named ? 90 : 60;
    return named ? 55 : 50;
}

static int probe_client(struct sw_span first)
{
    static const char *const openers[] = {
        "EHLO",     "HELO", "LHLO",  "MAIL FROM:", "RCPT TO:",  "STARTTLS",
        "AUTH ",    "RSET", "NOOP",  "QUIT",       "DATA",      "BDAT ",
        "XCLIENT ", "HELP", "VRFY ", "EXPN ",      "PROXY TCP", "ETRN "};
    for (size_t i = 0; i < sizeof(openers) / sizeof(openers[0]); i++) {
        struct sw_span opener = sw_span_str(openers[i]);
        if (sw_span_starts_nocase(first, opener)) {
            uint8_t behind = first.len > opener.len ? first.ptr[opener.len] : ' ';
            bool word = !sw_ascii_alpha(behind) || opener.ptr[opener.len - 1] == ':' ||
                        opener.ptr[opener.len - 1] == ' ' || i == 16;
            bool common = i == 7 || i == 8 || i == 9 || i == 10 ||
                          i == 13; /* words of other protocols, too */
            if (word)
                return common ? SMTP_PROBE_COMMON : 80;
        }
        if (first.len < opener.len && is_cut(first) && sw_span_starts_nocase(opener, first))
            return 1;
    }
    return 0;
}

bool smtp_probe_fits(enum sw_from from, struct sw_span first)
{
    if (from == SW_FROM_CLIENT)
        return smtp_probe(from, first) > 1;
    struct sw_span line = first_line(first);
    return is_reply(first) && (!names_ftp(line) || names_mail(line));
}

int smtp_probe(enum sw_from from, struct sw_span first)
{
    if (first.len == 0)
        return 0;
    return from == SW_FROM_SERVER ? probe_server(first) : probe_client(first);
}
