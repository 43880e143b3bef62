#include "report/report.h"

#include <stdlib.h>

extern const struct sw_report_format sw_report_text;
extern const struct sw_report_format sw_report_json;
extern const struct sw_report_format sw_report_html;
extern const struct sw_report_format sw_report_csv;
extern const struct sw_report_format sw_report_ecs;
extern const struct sw_report_format sw_report_ocsf;
extern const struct sw_report_format sw_report_zeek;
extern const struct sw_report_format sw_report_eve;
extern const struct sw_report_format sw_report_pcapng;
extern const struct sw_report_format sw_report_tlsrpt;

/* Every output format; a new one is a line here. */
/* clang-format off */
static const struct sw_report_format *const formats[] = {
    &sw_report_text,
    &sw_report_json,
    &sw_report_html,
    &sw_report_csv,
    &sw_report_zeek,
    &sw_report_eve,
    &sw_report_ecs,
    &sw_report_ocsf,
    &sw_report_tlsrpt,
    &sw_report_pcapng,
};
/* clang-format on */

enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

const struct sw_report_format *sw_report_format(size_t index)
{
    return index < FORMATS ? formats[index] : NULL;
}

unsigned sw_report_format_files(const struct sw_report_format *format)
{
    unsigned count = 0;
    while (format->files && format->files[count])
        count++;
    return count > 0 ? count : 1;
}

const struct sw_report_format *sw_report_format_find(const char *name)
{
    for (size_t i = 0; i < FORMATS; i++) {
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    }
    return NULL;
}

bool sw_part_open(struct sw_part *part, const struct sw_report_format *format,
                  const struct sw_report_style *style, struct sw_writer *out, const char *file,
                  unsigned index)
{
    *part = (struct sw_part){
        .format = format, .style = style, .out = out, .file = file, .index = index};
    sw_veil_init(&part->veil, style->anonymize, style->veil_key);
    if (format->state_bytes > 0) {
        part->state = calloc(1, format->state_bytes);
        if (!part->state)
            return false;
    }
    if (format->open)
        format->open(part);
    return true;
}

static void record_session(struct sw_part *part, const struct sw_record *record)
{
    part->seen++;
    if (!sw_select_shows(part->style->select, record->session, record->verdict))
        return;
    part->shown++;
    part->matched =
        part->matched || sw_select_fails(part->style->select, record->session, record->verdict);
    part->stuck += sw_select_fails_stuck(part->style->select, record->verdict->outcome);
    if (part->style->quiet)
        return;
    sw_veil_session(&part->veil, record->session);
    part->format->session(part, record->session, record->verdict);
}

/* A story is shown with any of its sessions. */
static void record_delivery(struct sw_part *part, const struct sw_delivery *delivery)
{
    const struct sw_select *select = part->style->select;
    bool shown = false;
    for (uint32_t i = 0; i < delivery->attempt_count; i++) {
        const struct sw_delivery_attempt *attempt = &delivery->attempts[i];
        if (!sw_select_shows_attempt(select, attempt))
            continue;
        shown = true;
        part->stuck -= attempt->settled && sw_select_fails_stuck(select, attempt->outcome);
    }
    if (!shown || part->style->quiet || !part->format->delivery)
        return;
    sw_veil_delivery(&part->veil, delivery);
    part->format->delivery(part, delivery);
}

void sw_part_record(struct sw_part *part, const struct sw_record *record)
{
    switch (record->kind) {
    case SW_RECORD_SESSION:
        record_session(part, record);
        break;
    case SW_RECORD_DELIVERY:
        record_delivery(part, record->delivery);
        break;
    case SW_RECORD_SUMMARY:
        if (part->format->summary)
            part->format->summary(part, record->summary);
        break;
    case SW_RECORD_STALL:
        if (part->format->stall && !part->style->quiet &&
            sw_select_shows_hosts(part->style->select, record->stall->facts))
            part->format->stall(part, record->stall);
        break;
    }
}

void sw_part_close(struct sw_part *part)
{
    part->matched = part->matched || part->stuck > 0;
    if (part->format->close)
        part->format->close(part);
    free(part->state);
    part->state = NULL;
    sw_veil_release(&part->veil);
}
