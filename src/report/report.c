#include "report/report.h"

#include <stdlib.h>

extern const struct sw_report_format sw_report_text;
extern const struct sw_report_format sw_report_json;

/* Every output format; a new one is a line here. */
static const struct sw_report_format *const formats[] = {
    &sw_report_text,
    &sw_report_json,
};

enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

const struct sw_report_format *sw_report_format(size_t index)
{
    return index < FORMATS ? formats[index] : NULL;
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
    if (part->style->quiet)
        return;
    sw_veil_session(&part->veil, record->session);
    part->format->session(part, record->session, record->verdict);
}

void sw_part_record(struct sw_part *part, const struct sw_record *record)
{
    switch (record->kind) {
    case SW_RECORD_SESSION:
        record_session(part, record);
        break;
    case SW_RECORD_SUMMARY:
        part->format->summary(part, record->summary);
        break;
    }
}

void sw_part_close(struct sw_part *part)
{
    if (part->format->close)
        part->format->close(part);
    free(part->state);
    part->state = NULL;
    sw_veil_release(&part->veil);
}
