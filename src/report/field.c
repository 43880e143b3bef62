/*
 * field.c - the table of field.def, and how its values are handed out.
 */
#include "report/field_read.h"

bool sw_field_give_text(struct sw_field_source *s, struct sw_field_value *v, struct sw_span text)
{
    v->text = sw_veil_text(&s->part->veil, text);
    return text.len > 0;
}

bool sw_field_give_name(struct sw_field_source *s, struct sw_field_value *v, struct sw_span name)
{
    v->text = sw_veil_name(&s->part->veil, name);
    return name.len > 0;
}

/* A word of our own. */
bool sw_field_give_word(struct sw_field_value *v, const char *word)
{
    v->text = word ? sw_span_str(word) : (struct sw_span){NULL, 0};
    return v->text.len > 0;
}

bool sw_field_give_number(struct sw_field_value *v, uint64_t number)
{
    v->number = number;
    return true;
}

bool sw_field_give_time(struct sw_field_value *v, int64_t time_ns)
{
    v->time_ns = time_ns;
    return time_ns != SW_TIME_NONE;
}

/* What was put together in s->text and holds no names. */
bool sw_field_give_made(struct sw_field_source *s, struct sw_field_value *v)
{
    v->text = sw_writer_span(&s->text);
    return v->text.len > 0;
}

void sw_field_add_item(struct sw_field_source *s, struct sw_span item)
{
    sw_writer_text(&s->text, s->text.used > 0 ? "\n" : "");
    for (size_t i = 0; i < item.len; i++)
        sw_writer_char(&s->text, item.ptr[i] == '\n' ? ' ' : (char)item.ptr[i]);
}

bool sw_field_give_address(struct sw_field_source *s, struct sw_field_value *v,
                           const uint8_t address[16])
{
    char ip[SW_ADDRESS_TEXT_BYTES];
    sw_veil_address(&s->part->veil, address, s->session->facts->tuple.ip_version, ip);
    sw_writer_text(&s->text, ip);
    return sw_field_give_made(s, v);
}

static const struct sw_field table[] = {
#define SW_FIELD(name, field_type, in_csv, in_ecs, in_ocsf, meaning)                               \
    {.type = SW_FIELD_##field_type,                                                                \
     .csv = (in_csv),                                                                              \
     .ecs = (in_ecs),                                                                              \
     .ocsf = (in_ocsf),                                                                            \
     .what = (meaning),                                                                            \
     .get = sw_field_get_##name},
#define SW_CONSTANT(field_type, text, in_ecs, in_ocsf, meaning)                                    \
    {.type = SW_FIELD_##field_type,                                                                \
     .ecs = (in_ecs),                                                                              \
     .ocsf = (in_ocsf),                                                                            \
     .what = (meaning),                                                                            \
     .constant = (text)},
#include "report/field.def"
#undef SW_FIELD
#undef SW_CONSTANT
};

size_t sw_field_count(void)
{
    return sizeof(table) / sizeof(table[0]);
}

const struct sw_field *sw_field_at(size_t index)
{
    return index < sw_field_count() ? &table[index] : NULL;
}

void sw_field_open(struct sw_field_source *source, struct sw_part *part,
                   const struct sw_session *session, const struct sw_verdict *verdict)
{
    *source = (struct sw_field_source){.part = part, .session = session, .verdict = verdict};
    sw_writer_open_memory(&source->text);
}

void sw_field_release(struct sw_field_source *source)
{
    sw_writer_release(&source->text);
}

bool sw_field_get(struct sw_field_source *source, const struct sw_field *field,
                  struct sw_field_value *value)
{
    *value = (struct sw_field_value){.number = 0};
    sw_writer_clear(&source->text);
    if (!field->constant)
        return field->get(source, value);
    value->text = sw_span_str(field->constant);
    return field->type != SW_FIELD_NUMBER || sw_span_u64(value->text, &value->number);
}

bool sw_field_next(struct sw_span *list, struct sw_span *item)
{
    if (list->len == 0)
        return false;
    size_t lf = sw_span_index(*list, '\n');
    *item = sw_span_sub(*list, 0, lf);
    *list = sw_span_from(*list, lf + 1);
    return true;
}

static void print_name(struct sw_writer *out, const char *name)
{
    sw_writer_text(out, name ? " | `" : " | ");
    sw_writer_text(out, name ? name : "");
    sw_writer_text(out, name ? "`" : "");
}

void sw_field_print(struct sw_writer *out)
{
    static const char *const types[] = {
        [SW_FIELD_TEXT] = "text",  [SW_FIELD_NUMBER] = "number",     [SW_FIELD_FLAG] = "true/false",
        [SW_FIELD_TIME] = "time",  [SW_FIELD_DURATION] = "duration", [SW_FIELD_SECONDS] = "seconds",
        [SW_FIELD_LIST] = "texts", [SW_FIELD_NUMBERS] = "numbers"};
    sw_writer_text(out, "| what | type | CSV | ECS | OCSF |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < sw_field_count(); i++) {
        const struct sw_field *field = &table[i];
        sw_writer_format(out, "| %s", field->what);
        if (field->constant && field->type != SW_FIELD_LIST)
            sw_writer_format(out, ": always %s", field->constant);
        sw_writer_format(out, " | %s", types[field->type]);
        print_name(out, field->csv);
        print_name(out, field->ecs);
        print_name(out, field->ocsf);
        sw_writer_text(out, " |\n");
    }
}
