/*
 * false_end.c - what looks like the end of a text and is none by the standard: a dot alone on its
 * line whose line ends are not both CRLF (RFC 5321 4.1.1.4, CERT VU#302671).
 *
 * Whether it is the end is up to the server: its answer decides where the text was over. Until then
 * the text goes on, and the first bytes behind the look-alike are kept: they may be a command.
 */
#include "dissectors/smtp/internal.h"

/* Is that how a line begins with which a smuggled message begins or goes on? */
static bool is_mail_command(struct sw_span line)
{
    static const char *const words[] = {"MAIL FROM:", "RCPT TO:", "EHLO ",  "HELO ",  "LHLO ",
                                        "DATA\r",     "DATA\n",   "RSET\r", "RSET\n", "BDAT "};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (sw_span_starts_nocase(line, sw_span_str(words[i])))
            return true;
    }
    return false;
}

static struct sw_span behind(const struct smtp_state *st)
{
    return sw_span_make(st->behind, st->behind_len);
}

void smtp_false_end_behind(struct smtp_io *io, struct sw_span bytes, size_t at)
{
    struct smtp_state *st = io->state;
    for (; at < bytes.len && st->behind_open; at++) {
        uint8_t c = bytes.ptr[at];
        if (st->behind_len == 0)
            st->behind_begin = smtp_io_byte(io, at);
        st->behind[st->behind_len++] = c;
        if (c != '\r' && c != '\n' && st->behind_len < SMTP_BEHIND_BYTES)
            continue;
        st->behind_open = false;
        unsigned bit = 1U << st->false_end;
        bool told = st->told_smuggling & bit;
        if (!told && is_mail_command(behind(st))) {
            st->told_smuggling = (uint16_t)(st->told_smuggling | bit);
            smtp_odd_at(io, smtp_io_byte(io, at), SMTP_ODD_SMUGGLING, st->false_end);
        }
    }
}

void smtp_false_end(struct smtp_io *io, struct sw_span bytes, size_t at,
                    enum smtp_false_end variant)
{
    struct smtp_state *st = io->state;
    bool ends_in_cr = variant == SMTP_FALSE_CRLF_DOT_CR || variant == SMTP_FALSE_LF_DOT_CR ||
                      variant == SMTP_FALSE_CR_DOT_CR;
    unsigned bit = 1U << variant;
    st->false_end = (uint8_t)variant;
    st->false_end_at = smtp_io_byte(io, at);
    st->false_end_octets = st->body_octets - ends_in_cr;
    if (!(st->told_false_end & bit))
        smtp_odd_at(io, st->false_end_at, SMTP_ODD_FALSE_END, variant);
    st->told_false_end = (uint16_t)(st->told_false_end | bit);
    st->behind_open = true;
    st->behind_len = 0;
    smtp_false_end_behind(io, bytes, ends_in_cr ? at : at + 1);
}

void smtp_false_end_forget(struct smtp_state *state)
{
    state->false_end = 0;
    state->behind_open = false;
}

bool smtp_false_end_is_last(const struct smtp_state *state)
{
    return state->behind_open && state->behind_len == 0;
}

void smtp_false_end_taken(struct smtp_io *io)
{
    struct smtp_state *st = io->state;
    bool all_kept = st->behind_open;
    bool inside_line = smtp_body_inside_line(st);
    smtp_odd(io, SW_FROM_SERVER, SMTP_ODD_FALSE_END_TAKEN, (struct sw_span){NULL, 0}, 0);
    struct smtp_io there = smtp_io_at(st, io->sink, st->false_end_at);
    st->body_octets = st->false_end_octets;
    smtp_body_end(&there, SMTP_VERB_END_OF_DATA, SMTP_FLAG_GUESSED);
    smtp_false_end_forget(st);
    if (all_kept) { /* they begin the client's next line */
        there = smtp_io_at(st, io->sink, st->behind_begin);
        (void)smtp_client_bytes(&there, behind(st), st->behind_begin);
        return;
    }
    st->mode = SMTP_MODE_UNKNOWN; /* commands or the rest of the text: the next lines tell */
    st->text_over = true;
    st->after_gap[SW_FROM_CLIENT] = true;
    st->skip_to_line_end[SW_FROM_CLIENT] = inside_line;
}

void smtp_false_end_left(struct smtp_io *io)
{
    enum { LEFT = 1 }; /* no variant has bit 0 */
    struct smtp_state *st = io->state;
    if (st->false_end == 0 || (st->told_false_end & LEFT))
        return;
    uint64_t octets = st->body_octets - st->false_end_octets;
    bool goodbye =
        octets == sizeof("QUIT\r\n") - 1 && sw_span_eq_nocase(behind(st), SW_SPAN_LIT("QUIT\r"));
    if (!smtp_false_end_is_last(st) && !goodbye)
        return;
    st->told_false_end |= LEFT;
    smtp_odd_at(io, st->false_end_at, SMTP_ODD_FALSE_END_LAST, st->false_end);
}
