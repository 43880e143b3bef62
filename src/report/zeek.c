/*
 * zeek.c - the logs of -o zeek:DIR: smtp.log and ssl.log with Zeek's own columns, and smtpwhy.log
 * with the verdict of every session. How Zeek's ASCII writer escapes is kept to the letter.
 */
#include "report/zeek.h"

#include "base/address.h"
#include "base/text.h"

#include <stdlib.h>

static const char *const files[] = {"smtp.log", "ssl.log", "smtpwhy.log", NULL};
static const struct sw_zeek_log *const logs[] = {&sw_zeek_smtp, &sw_zeek_ssl, &sw_zeek_verdict};

enum { LOGS = sizeof(logs) / sizeof(logs[0]) };

struct zeek {
    bool headed;
};

static void hex(struct sw_writer *out, uint8_t byte)
{
    sw_writer_format(out, "\\x%02x", byte);
}

/*
 * Valid UTF-8 stays, a backslash is doubled, everything else that is not printable is \xhh. A comma
 * is escaped inside a set only.
 */
static void put_escaped(struct sw_writer *out, struct sw_span text, bool in_set)
{
    while (text.len > 0) {
        struct sw_span before = text;
        int32_t c = sw_text_next(&text);
        size_t bytes = before.len - text.len;
        if (c == '\\')
            sw_writer_text(out, "\\\\");
        else if (c < 0 || sw_text_is_unsafe(c) || (c == ',' && in_set))
            for (size_t i = 0; i < bytes; i++)
                hex(out, before.ptr[i]);
        else
            sw_writer_put(out, sw_span_sub(before, 0, bytes));
    }
}

/* A text that reads like "unset" or "empty" must not be taken for it. */
static void put_value(struct sw_writer *out, struct sw_span text, bool in_set)
{
    bool ambiguous = sw_span_eq(text, SW_SPAN_LIT("-")) || sw_span_eq(text, SW_SPAN_LIT("(empty)"));
    if (ambiguous) {
        hex(out, text.ptr[0]);
        text = sw_span_from(text, 1);
    }
    put_escaped(out, text, in_set);
}

void sw_zeek_unset(struct sw_zeek_row *row)
{
    sw_writer_char(row->out, '-');
}

void sw_zeek_literal(struct sw_zeek_row *row, struct sw_span text)
{
    if (text.len == 0)
        sw_writer_text(row->out, "(empty)");
    else
        put_value(row->out, text, false);
}

void sw_zeek_text(struct sw_zeek_row *row, struct sw_span text)
{
    sw_zeek_literal(row, sw_veil_text(&row->part->veil, text));
}

void sw_zeek_name(struct sw_zeek_row *row, struct sw_span name)
{
    sw_zeek_literal(row, sw_veil_name(&row->part->veil, name));
}

void sw_zeek_some_text(struct sw_zeek_row *row, struct sw_span text)
{
    if (text.len > 0)
        sw_zeek_text(row, text);
    else
        sw_zeek_unset(row);
}

void sw_zeek_some_name(struct sw_zeek_row *row, struct sw_span name)
{
    if (name.len > 0)
        sw_zeek_name(row, name);
    else
        sw_zeek_unset(row);
}

void sw_zeek_word(struct sw_zeek_row *row, const char *word)
{
    if (word && word[0])
        put_value(row->out, sw_span_str(word), false);
    else
        sw_zeek_unset(row);
}

void sw_zeek_count(struct sw_zeek_row *row, uint64_t count)
{
    sw_writer_number(row->out, count);
}

void sw_zeek_bool(struct sw_zeek_row *row, bool value)
{
    sw_writer_char(row->out, value ? 'T' : 'F');
}

void sw_zeek_time(struct sw_zeek_row *row, int64_t time_ns)
{
    uint64_t ns = time_ns > 0 ? (uint64_t)time_ns : 0;
    sw_writer_format(row->out, "%llu.%06llu", (unsigned long long)(ns / SW_NS_PER_S),
                     (unsigned long long)(ns % SW_NS_PER_S / 1000));
}

void sw_zeek_item(struct sw_zeek_row *row, struct sw_span item, bool *any)
{
    if (*any)
        sw_writer_char(row->out, ',');
    *any = true;
    if (item.len > 0)
        put_value(row->out, item, true);
}

void sw_zeek_items_end(struct sw_zeek_row *row, bool any)
{
    if (!any)
        sw_writer_text(row->out, "(empty)");
}

/* "C" and eleven digits to the base of 62, out of the session's id. */
static void put_uid(struct sw_zeek_row *row)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char id[17];
    char uid[13] = "C";
    sw_veil_id(&row->part->veil, row->session->id, id);
    uint64_t value = strtoull(id, NULL, 16);
    for (int i = 11; i > 0; i--, value /= 62)
        uid[i] = digits[value % 62];
    sw_writer_text(row->out, uid);
}

static void put_address(struct sw_zeek_row *row, const uint8_t address[16], int version)
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    sw_veil_address(&row->part->veil, address, version, ip);
    sw_writer_text(row->out, ip);
}

/* A look-up goes to its resolver. */
static void put_id(struct sw_zeek_row *row)
{
    const struct sw_session *s = row->session;
    const struct sw_tuple *t = &s->facts->tuple;
    put_address(row, t->src, t->ip_version);
    sw_writer_format(row->out, "\t%u\t", t->src_port);
    if (s->lookup)
        put_address(row, s->lookup->resolver, s->lookup->ip_version);
    else
        put_address(row, t->dst, t->ip_version);
    sw_writer_format(row->out, "\t%u", t->dst_port);
}

static void put_row(struct sw_zeek_row *row, const struct sw_zeek_log *log, int64_t time_ns)
{
    sw_zeek_time(row, time_ns);
    sw_writer_char(row->out, '\t');
    put_uid(row);
    sw_writer_char(row->out, '\t');
    put_id(row);
    for (const struct sw_zeek_column *column = log->columns; column->name; column++) {
        sw_writer_char(row->out, '\t');
        column->put(row);
    }
    sw_writer_char(row->out, '\n');
}

static void put_moment(struct sw_writer *out, const char *what, int64_t time_ns)
{
    char text[SW_TIME_TEXT_BYTES];
    size_t len = sw_time_format(time_ns, 0, text);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == 'T' || text[i] == ':')
            text[i] = '-';
    }
    text[len - 1] = '\0'; /* the Z */
    sw_writer_format(out, "#%s\t%s\n", what, text);
}

static void put_header(struct sw_writer *out, const struct sw_zeek_log *log, int64_t time_ns)
{
    sw_writer_text(out, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n"
                        "#unset_field\t-\n");
    sw_writer_format(out, "#path\t%s\n", log->path);
    put_moment(out, "open", time_ns);
    sw_writer_text(out, "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p");
    for (const struct sw_zeek_column *column = log->columns; column->name; column++)
        sw_writer_format(out, "\t%s", column->name);
    sw_writer_text(out, "\n#types\ttime\tstring\taddr\tport\taddr\tport");
    for (const struct sw_zeek_column *column = log->columns; column->name; column++)
        sw_writer_format(out, "\t%s", column->type);
    sw_writer_char(out, '\n');
}

/* The first part heads the logs, at its first session or at its end. */
static void put_headers(struct sw_part *part, int64_t time_ns)
{
    struct zeek *zeek = part->state;
    struct sw_writer *out = part->out;
    if (zeek->headed || part->index > 0)
        return;
    zeek->headed = true;
    for (unsigned i = 0; i < LOGS; i++, out = out->next)
        put_header(out, logs[i], time_ns);
}

static void write_smtp(struct sw_zeek_row *row)
{
    const struct sw_session *s = row->session;
    const struct sw_message *m;
    row->out = row->part->out;
    if (!s->messages && s->has_dissector)
        put_row(row, &sw_zeek_smtp, s->facts->first.time_ns);
    SW_EACH(m, s->messages) {
        row->message = m;
        put_row(row, &sw_zeek_smtp, m->mail ? m->mail->first.time_ns : s->facts->first.time_ns);
    }
    row->message = NULL;
}

static void write_session(struct sw_part *part, const struct sw_session *session,
                          const struct sw_verdict *verdict)
{
    struct sw_zeek_row row = {.part = part, .session = session, .verdict = verdict};
    put_headers(part, session->facts->first.time_ns);
    write_smtp(&row);
    row.out = part->out->next;
    const struct sw_tls *tls = session->tls_facts;
    if (tls && (tls->client_hello.frame || tls->server_hello.frame))
        put_row(&row, &sw_zeek_ssl,
                tls->client_hello.frame ? tls->client_hello.time_ns : tls->server_hello.time_ns);
    row.out = row.out->next;
    put_row(&row, &sw_zeek_verdict, session->facts->first.time_ns);
}

static void write_summary(struct sw_part *part, const struct sw_summary *summary)
{
    struct sw_writer *out = part->out;
    put_headers(part, 0);
    for (unsigned i = 0; i < LOGS; i++, out = out->next)
        put_moment(out, "close", summary->last_ns == SW_TIME_NONE ? 0 : summary->last_ns);
}

static void close_logs(struct sw_part *part)
{
    put_headers(part, 0);
}

extern const struct sw_report_format sw_report_zeek;
const struct sw_report_format sw_report_zeek = {
    .name = "zeek",
    .what = "Zeek's smtp.log and ssl.log, and smtpwhy.log with the verdicts, in a directory",
    .files = files,
    .letterheads = true,
    .whole = true,
    .state_bytes = sizeof(struct zeek),
    .session = write_session,
    .summary = write_summary,
    .close = close_logs,
};
