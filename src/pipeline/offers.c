/*
 * offers.c - the names that a client tells its server: EHLO, senders, recipients.
 */
#include "pipeline/mail.h"

void sw_mail_tell_offers(struct sw_mail *mail, struct sw_book *book)
{
    const struct sw_step *last = mail->session.last_command;
    const struct sw_step *noted = mail->offers_noted;
    if (last == noted)
        return;
    mail->offers_noted = last;
    for (const struct sw_step *step = noted ? noted->next : mail->session.steps; step;
         step = step->next) {
        bool hello = step->verb == SMTP_VERB_EHLO || step->verb == SMTP_VERB_HELO;
        bool address = step->verb == SMTP_VERB_MAIL || step->verb == SMTP_VERB_RCPT;
        if (step->from != SW_CLIENT || (!hello && !address))
            continue;
        struct sw_span name = step->argument;
        if (address)
            name = sw_span_from(name, sw_span_index(name, '@') + 1);
        name = sw_span_sub(name, 0, sw_span_index(name, '>'));
        name = sw_span_sub(name, 0, sw_span_index(name, ' '));
        if (name.len > 0)
            sw_book_offered(book, &mail->facts->tuple, name);
    }
}
