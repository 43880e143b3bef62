/*
 * zeek.h - tab-separated logs as Zeek writes them; private to zeek*.c.
 *
 * A log is a table of columns: the header lines and the rows are written from the same table.
 */
#ifndef SW_REPORT_ZEEK_H
#define SW_REPORT_ZEEK_H

#include "report/report.h"
#include "report/view.h"

/* What a row is about. */
struct sw_zeek_row {
    struct sw_part *part;
    struct sw_writer *out;
    const struct sw_session *session;
    const struct sw_verdict *verdict;
    const struct sw_message *message; /* of smtp.log; NULL: no mail was named */
};

struct sw_zeek_column {
    const char *name, *type;
    void (*put)(struct sw_zeek_row *row);
};

struct sw_zeek_log {
    const char *path; /* "smtp" */
    const struct sw_zeek_column
        *columns; /* behind ts, uid and the four of id; a NULL name ends it */
};

extern const struct sw_zeek_log sw_zeek_smtp, sw_zeek_ssl, sw_zeek_verdict;

/* Values: unset is "-", an empty text or set "(empty)", the rest is escaped as Zeek does. */
void sw_zeek_unset(struct sw_zeek_row *row);
void sw_zeek_text(struct sw_zeek_row *row, struct sw_span text);      /* through the veil */
void sw_zeek_name(struct sw_zeek_row *row, struct sw_span name);      /* a name as a whole */
void sw_zeek_some_text(struct sw_zeek_row *row, struct sw_span text); /* the same two, */
void sw_zeek_some_name(struct sw_zeek_row *row, struct sw_span name); /* but nothing is unset */
void sw_zeek_literal(struct sw_zeek_row *row, struct sw_span text);   /* it passed the veil */
void sw_zeek_word(struct sw_zeek_row *row, const char *word);         /* our own; NULL is unset */
void sw_zeek_count(struct sw_zeek_row *row, uint64_t count);
void sw_zeek_bool(struct sw_zeek_row *row, bool value);
void sw_zeek_time(struct sw_zeek_row *row, int64_t time_ns);
/* One item of a set or vector; *any tells whether one stood before. */
void sw_zeek_item(struct sw_zeek_row *row, struct sw_span item, bool *any);
void sw_zeek_items_end(struct sw_zeek_row *row, bool any);

#endif
