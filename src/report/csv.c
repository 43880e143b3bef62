/*
 * csv.c - one row a session (RFC 4180), a header line first; the columns are those of field.def.
 *
 * Lines end with CRLF. Items of a list are separated by "; ". Wire text is escaped as in the text
 * report, so that a cell is one line. A cell that a spreadsheet would take for a formula has an
 * apostrophe before it.
 */
#include "report/field.h"
#include "report/page.h"

#include "base/text.h"

static void open_csv(struct sw_part *part)
{
    if (part->index > 0)
        return;
    bool more = false;
    for (size_t i = 0; i < sw_field_count(); i++) {
        const char *name = sw_field_at(i)->csv;
        if (!name)
            continue;
        sw_writer_text(part->out, more ? "," : "");
        sw_writer_text(part->out, name);
        more = true;
    }
    sw_writer_text(part->out, "\r\n");
}

/* Spreadsheets look behind blanks, and at the wide forms of these signs too. */
static bool is_formula(struct sw_span cell)
{
    while (cell.len > 0) {
        int32_t c = sw_text_next(&cell);
        if (c == ' ' || c == 0xA0 || c == 0x3000)
            continue;
        return c == '=' || c == '+' || c == '-' || c == '@' || c == 0xFF1D || c == 0xFF0B ||
               c == 0xFF0D || c == 0xFF20;
    }
    return false;
}

/* Quoted whenever anything but a plain word is in it. */
static void put_text(struct sw_writer *out, struct sw_span text)
{
    struct sw_writer safe;
    sw_writer_open_memory(&safe);
    sw_page_escape(&safe, text, false);
    struct sw_span cell = sw_writer_span(&safe);
    sw_writer_char(out, '"');
    if (is_formula(cell))
        sw_writer_char(out, '\'');
    while (cell.len > 0) {
        size_t quote = sw_span_index(cell, '"');
        sw_writer_put(out, sw_span_sub(cell, 0, quote));
        if (quote < cell.len)
            sw_writer_text(out, "\"\"");
        cell = sw_span_from(cell, quote + 1);
    }
    sw_writer_char(out, '"');
    sw_writer_release(&safe);
}

static void put_list(struct sw_writer *out, struct sw_span list)
{
    struct sw_writer joined;
    struct sw_span item;
    sw_writer_open_memory(&joined);
    while (sw_field_next(&list, &item)) {
        sw_writer_text(&joined, joined.used > 0 ? "; " : "");
        sw_writer_put(&joined, item);
    }
    put_text(out, sw_writer_span(&joined));
    sw_writer_release(&joined);
}

static void put_seconds(struct sw_writer *out, int64_t ns)
{
    uint64_t positive = ns > 0 ? (uint64_t)ns : 0;
    sw_writer_format(out, "%llu.%09llu", (unsigned long long)(positive / SW_NS_PER_S),
                     (unsigned long long)(positive % SW_NS_PER_S));
}

static void put_value(struct sw_field_source *source, const struct sw_field *field,
                      const struct sw_field_value *value)
{
    struct sw_writer *out = source->part->out;
    char time[SW_TIME_TEXT_BYTES];
    switch (field->type) {
    case SW_FIELD_TEXT:
        put_text(out, value->text);
        break;
    case SW_FIELD_NUMBER:
        sw_writer_number(out, value->number);
        break;
    case SW_FIELD_FLAG:
        sw_writer_text(out, value->number ? "true" : "false");
        break;
    case SW_FIELD_TIME:
        sw_time_format(value->time_ns, source->session->facts->time_digits, time);
        sw_writer_text(out, time);
        break;
    case SW_FIELD_DURATION:
    case SW_FIELD_SECONDS:
        put_seconds(out, value->time_ns);
        break;
    case SW_FIELD_LIST:
    case SW_FIELD_NUMBERS:
        put_list(out, value->text);
        break;
    }
}

static void write_session(struct sw_part *part, const struct sw_session *session,
                          const struct sw_verdict *verdict)
{
    struct sw_field_source source;
    bool more = false;
    sw_field_open(&source, part, session, verdict);
    for (size_t i = 0; i < sw_field_count(); i++) {
        const struct sw_field *field = sw_field_at(i);
        struct sw_field_value value;
        if (!field->csv)
            continue;
        sw_writer_text(part->out, more ? "," : "");
        more = true;
        if (sw_field_get(&source, field, &value))
            put_value(&source, field, &value);
    }
    sw_writer_text(part->out, "\r\n");
    sw_field_release(&source);
}

extern const struct sw_report_format sw_report_csv;
const struct sw_report_format sw_report_csv = {
    .name = "csv",
    .what = "one row a session, for spreadsheets",
    .open = open_csv,
    .session = write_session,
};
