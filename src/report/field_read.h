/*
 * field_read.h - what the readers of single values share; private to field*.c. A reader is one
 * function, SW_FIELD_READER(name), for each name in field.def.
 */
#ifndef SW_REPORT_FIELD_READ_H
#define SW_REPORT_FIELD_READ_H

#include "report/field.h"
#include "report/view.h"

#define SW_FIELD_READER(name)                                                                      \
    bool sw_field_get_##name(struct sw_field_source *s, struct sw_field_value *v)

#define SW_FIELD(name, type, csv, ecs, ocsf, what) SW_FIELD_READER(name);
#define SW_CONSTANT(type, text, ecs, ocsf, what)
#include "report/field.def"
#undef SW_FIELD
#undef SW_CONSTANT

/* These end a reader: the value, or none (false). */
bool sw_field_give_text(struct sw_field_source *s, struct sw_field_value *v, struct sw_span text);
bool sw_field_give_name(struct sw_field_source *s, struct sw_field_value *v, struct sw_span name);
/* A word of our own; NULL or empty is none. */
bool sw_field_give_word(struct sw_field_value *v, const char *word);
bool sw_field_give_number(struct sw_field_value *v, uint64_t number);
bool sw_field_give_time(struct sw_field_value *v, int64_t time_ns);
bool sw_field_give_address(struct sw_field_source *s, struct sw_field_value *v,
                           const uint8_t address[16]);
/* What was put together in s->text and has passed the veil. */
bool sw_field_give_made(struct sw_field_source *s, struct sw_field_value *v);
/* One more item of a list in s->text; it has passed the veil. */
void sw_field_add_item(struct sw_field_source *s, struct sw_span item);

#endif
