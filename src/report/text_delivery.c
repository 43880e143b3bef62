/*
 * text_delivery.c - which sessions are one mail, and what became of it.
 */
#include "report/text.h"

enum { DELIVERIES_LISTED = 20, NUMBERS_LISTED = 6, RECIPIENTS_LISTED = 3 };

/* "Sessions 1, 2 and 3", "Sessions 1, 2, 3, 4, 5 and 40 more". */
static void add_numbers(const struct sw_delivery *d, struct sw_writer *out)
{
    uint32_t listed = d->attempt_count;
    if (listed > NUMBERS_LISTED)
        listed = NUMBERS_LISTED - 1;
    sw_writer_text(out, "Sessions");
    for (uint32_t i = 0; i < listed; i++) {
        bool last = i > 0 && i + 1 == d->attempt_count;
        sw_writer_format(out, "%s" SW_PAGE_NO_BREAK "%llu",
                         i == 0 ? ""
                         : last ? " and"
                                : ",",
                         (unsigned long long)d->attempts[i].number);
    }
    if (listed < d->attempt_count)
        sw_writer_format(out, " and %u more", d->attempt_count - listed);
}

static bool is_one_connection(const struct sw_delivery *d)
{
    for (uint32_t i = 1; i < d->attempt_count; i++) {
        if (!d->attempts[i].same_as)
            return false;
    }
    return true;
}

static void add_envelope(const struct sw_delivery *d, struct sw_writer *out)
{
    if (!d->has_sender)
        return;
    sw_writer_text(out, " from ");
    if (d->sender.len > 0)
        sw_writer_put(out, d->sender);
    else
        sw_writer_text(out, "the mail system (a notice, without a sender)");
    for (uint32_t i = 0; i < d->recipient_count && i < RECIPIENTS_LISTED; i++) {
        bool last = i + 1 == d->recipient_count;
        sw_writer_text(out, i == 0 ? " to " : last ? " and " : ", ");
        sw_writer_put(out, d->recipients[i]);
    }
    if (d->recipient_count > RECIPIENTS_LISTED)
        sw_writer_format(out, " and %u more", d->recipient_count - RECIPIENTS_LISTED);
}

void sw_text_delivery(struct sw_part *part, const struct sw_delivery *d)
{
    struct sw_text *text = part->state;
    struct sw_writer line;
    if (text->deliveries_listed >= DELIVERIES_LISTED && !part->style->verbose &&
        !part->style->live) {
        text->deliveries_hidden++;
        return;
    }
    text->deliveries_listed++;
    sw_text_heading(part);
    if (text->last_was_line)
        sw_page_newline(&text->page);
    text->last_was_line = false;
    sw_writer_open_memory(&line);
    add_numbers(d, &line);
    sw_writer_format(&line, " are %s%s", d->confidence == SW_CONFIDENCE_POSSIBLE ? "probably " : "",
                     is_one_connection(d) ? "one connection, with mail" : "one mail");
    add_envelope(d, &line);
    sw_writer_format(&line, ": %s.", d->summary);
    sw_page_paragraph(&text->page, SW_TEXT_INDENT, NULL, 0, sw_text_tone(d->outcome),
                      sw_veil_text(&part->veil, sw_writer_span(&line)));
    sw_page_newline(&text->page);
    sw_writer_release(&line);
}
