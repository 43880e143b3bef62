/*
 * mail_kind.c - what the first bytes prove: that a connection is mail, that it is none, or neither.
 */
#include "pipeline/mail.h"

static bool speaks_smtp(const struct sw_mail *mail, enum sw_side side)
{
    const struct sw_first_bytes *first = &mail->session.first_bytes[side];
    return first->content == SW_CONTENT_SMTP;
}

/* The server is one of POP or IMAP. */
static bool meets_mailbox(const struct sw_mail *mail)
{
    enum sw_content content = mail->session.first_bytes[SW_SERVER].content;
    return content == SW_CONTENT_POP3 || content == SW_CONTENT_IMAP;
}

static bool says_hello(const struct sw_mail *mail)
{
    struct sw_span bytes = sw_session_opening(&mail->session, SW_CLIENT);
    return sw_span_starts_nocase(bytes, SW_SPAN_LIT("EHLO ")) ||
           sw_span_starts_nocase(bytes, SW_SPAN_LIT("HELO "));
}

static int probe(const struct sw_mail *mail, enum sw_side side)
{
    return smtp_probe(side == SW_SERVER ? SW_FROM_SERVER : SW_FROM_CLIENT,
                      sw_session_opening(&mail->session, side));
}

bool sw_mail_has_common_words_only(const struct sw_mail *mail)
{
    return probe(mail, SW_CLIENT) == SMTP_PROBE_COMMON && probe(mail, SW_SERVER) < 80 &&
           !mail->session.hellos && !mail->session.messages;
}

bool sw_mail_is_confirmed(const struct sw_mail *mail)
{
    if (mail->tentative && sw_mail_has_common_words_only(mail))
        return mail->session.named && strcmp(mail->session.named, "smtp") == 0;
    if (speaks_smtp(mail, SW_CLIENT) && speaks_smtp(mail, SW_SERVER))
        return true;
    if (meets_mailbox(mail))
        return says_hello(mail);
    /* a greeting that names the protocol needs no client to prove it */
    return mail->session.first_bytes[SW_CLIENT].len == 0 && speaks_smtp(mail, SW_SERVER) &&
           probe(mail, SW_SERVER) >= 80;
}

bool sw_mail_is_refuted(const struct sw_mail *mail)
{
    if (mail->no_proxy)
        return true;
    if (meets_mailbox(mail)) /* "EHL" may still become an EHLO */
        return mail->session.first_bytes[SW_CLIENT].len >= 5 && !says_hello(mail);
    for (enum sw_side side = SW_CLIENT; side <= SW_SERVER; side++) {
        const struct sw_first_bytes *first = &mail->session.first_bytes[side];
        if (first->len == 0 || first->content == SW_CONTENT_SMTP ||
            first->content == SW_CONTENT_PROXY)
            continue;
        if (probe(mail, side) == 0)
            return true;
    }
    return false;
}
