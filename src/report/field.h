/*
 * field.h - the one table (field.def) of the formats that say a session in one row: CSV, ECS, OCSF.
 *
 * Every text and address passed the veil; nothing secret is in any field.
 */
#ifndef SW_REPORT_FIELD_H
#define SW_REPORT_FIELD_H

#include "report/report.h"

enum sw_field_type {
    SW_FIELD_TEXT, /* text from the wire or of our own */
    SW_FIELD_NUMBER,
    SW_FIELD_FLAG,
    SW_FIELD_TIME,     /* time_ns, since 1970 */
    SW_FIELD_DURATION, /* time_ns; in the unit of the format */
    SW_FIELD_SECONDS,  /* time_ns; in seconds everywhere */
    SW_FIELD_LIST,     /* texts, separated by LF */
    SW_FIELD_NUMBERS,  /* numbers, separated by LF */
};

struct sw_field_value {
    struct sw_span text; /* TEXT, LIST, NUMBERS; borrowed until the next value is read */
    uint64_t number;     /* NUMBER, FLAG */
    int64_t time_ns;     /* TIME, DURATION, SECONDS */
};

/* The session that values are read of, and where they are put together. */
struct sw_field_source {
    struct sw_part *part;
    const struct sw_session *session;
    const struct sw_verdict *verdict;
    struct sw_writer text;
};

struct sw_field {
    enum sw_field_type type;
    const char *csv, *ecs, *ocsf;
    const char *what;
    const char *constant; /* its value, when it is the same everywhere; else NULL */
    bool (*get)(struct sw_field_source *source, struct sw_field_value *value);
};

/* The index-th row, NULL behind the last. */
const struct sw_field *sw_field_at(size_t index);
size_t sw_field_count(void);

/* Before the first value is read; release afterwards. */
void sw_field_open(struct sw_field_source *source, struct sw_part *part,
                   const struct sw_session *session, const struct sw_verdict *verdict);
void sw_field_release(struct sw_field_source *source);
/* False: the session has no such value. */
bool sw_field_get(struct sw_field_source *source, const struct sw_field *field,
                  struct sw_field_value *value);
/* Cuts the next text off a LIST or NUMBERS; false when there is none left. */
bool sw_field_next(struct sw_span *list, struct sw_span *item);

/* All rows as a table in Markdown: name in each format, type, meaning. */
void sw_field_print(struct sw_writer *out);

#endif
