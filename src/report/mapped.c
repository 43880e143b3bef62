/*
 * mapped.c - one event a session in the words of a security schema, as JSON Lines: ECS (Elastic
 * Common Schema) and OCSF (Open Cybersecurity Schema Framework, class 4009, Email Activity).
 *
 * The paths of field.def ("tls.client.ja3") are sorted once, so that what belongs to one object
 * stands together; a value that the session does not have is left out, as both schemas want it.
 */
#include "report/field.h"
#include "report/json_writer.h"

#include <stdlib.h>

enum { FIELDS_MOST = 160, DEPTH_MOST = SW_JSON_DEPTH - 2 };

/* Which of the two. */
struct dialect {
    const char *(*path)(const struct sw_field *field);
    void (*time)(struct sw_json *json, struct sw_span key, int64_t time_ns);
    void (*duration)(struct sw_json *json, struct sw_span key, int64_t time_ns);
};

struct mapped {
    const struct dialect *dialect;
    size_t count;
    struct {
        const char *path;
        const struct sw_field *field;
    } rows[FIELDS_MOST]; /* by path */
};

/* The key as the writer wants it: our own text, with a NUL behind it. */
struct key {
    char text[40];
};

static struct key key_of(struct sw_span name)
{
    struct key key = {""};
    size_t len = name.len < sizeof(key.text) - 1 ? name.len : sizeof(key.text) - 1;
    memcpy(key.text, name.ptr, len);
    return key;
}

static void put_number(struct sw_json *json, struct sw_span key, uint64_t number)
{
    struct key k = key_of(key);
    sw_json_number(json, k.text, number);
}

static void rfc3339(struct sw_json *json, struct sw_span key, int64_t time_ns)
{
    struct key k = key_of(key);
    sw_json_time(json, k.text, time_ns, 9);
}

static void milliseconds(struct sw_json *json, struct sw_span key, int64_t time_ns)
{
    put_number(json, key, time_ns > 0 ? (uint64_t)(time_ns / SW_NS_PER_MS) : 0);
}

static void nanoseconds(struct sw_json *json, struct sw_span key, int64_t time_ns)
{
    put_number(json, key, time_ns > 0 ? (uint64_t)time_ns : 0);
}

static const char *path_ecs(const struct sw_field *field)
{
    return field->ecs;
}

static const char *path_ocsf(const struct sw_field *field)
{
    return field->ocsf;
}

static const struct dialect ecs = {path_ecs, rfc3339, nanoseconds};
static const struct dialect ocsf = {path_ocsf, milliseconds, milliseconds};

static void open_mapped(struct sw_part *part, const struct dialect *dialect)
{
    struct mapped *m = part->state;
    m->dialect = dialect;
    for (size_t i = 0; i < sw_field_count() && m->count < FIELDS_MOST; i++) {
        const struct sw_field *field = sw_field_at(i);
        const char *path = dialect->path(field);
        if (!path)
            continue;
        size_t at = m->count++;
        while (at > 0 && strcmp(m->rows[at - 1].path, path) > 0) {
            m->rows[at] = m->rows[at - 1];
            at--;
        }
        m->rows[at].path = path;
        m->rows[at].field = field;
    }
}

static void open_ecs(struct sw_part *part)
{
    open_mapped(part, &ecs);
}

static void open_ocsf(struct sw_part *part)
{
    open_mapped(part, &ocsf);
}

/* The objects that are open, by their names; steps from those of the last value to those of this
 * one. */
struct place {
    struct sw_json *json;
    struct sw_span names[DEPTH_MOST];
    unsigned depth;
};

static void go_to(struct place *place, struct sw_span *path)
{
    unsigned level = 0;
    for (size_t dot; (dot = sw_span_index(*path, '.')) < path->len; level++) {
        struct sw_span name = sw_span_sub(*path, 0, dot);
        bool open = level < place->depth && sw_span_eq(place->names[level], name);
        *path = sw_span_from(*path, dot + 1);
        if (open)
            continue;
        for (; place->depth > level; place->depth--)
            sw_json_end_object(place->json);
        struct key key = key_of(name);
        sw_json_object(place->json, key.text);
        place->names[place->depth++] = name;
    }
    for (; place->depth > level; place->depth--)
        sw_json_end_object(place->json);
}

static void put_list(struct sw_json *json, struct sw_span key, struct sw_span list, bool numbers)
{
    struct key k = key_of(key);
    struct sw_span item;
    uint64_t number = 0;
    sw_json_array(json, k.text);
    while (sw_field_next(&list, &item)) {
        if (numbers && sw_span_u64(item, &number))
            sw_json_number(json, NULL, number);
        else
            sw_json_wire(json, NULL, item);
    }
    sw_json_end_array(json);
}

static void put_value(const struct mapped *m, struct sw_json *json, struct sw_span key,
                      const struct sw_field *field, const struct sw_field_value *value)
{
    struct key k = key_of(key);
    switch (field->type) {
    case SW_FIELD_TEXT:
        sw_json_wire_member(json, key, value->text);
        break;
    case SW_FIELD_NUMBER:
        sw_json_number(json, k.text, value->number);
        break;
    case SW_FIELD_FLAG:
        sw_json_bool(json, k.text, value->number != 0);
        break;
    case SW_FIELD_TIME:
        m->dialect->time(json, key, value->time_ns);
        break;
    case SW_FIELD_DURATION:
        m->dialect->duration(json, key, value->time_ns);
        break;
    case SW_FIELD_SECONDS:
        sw_json_seconds(json, k.text, value->time_ns);
        break;
    case SW_FIELD_LIST:
    case SW_FIELD_NUMBERS:
        put_list(json, key, value->text, field->type == SW_FIELD_NUMBERS);
        break;
    }
}

static void write_session(struct sw_part *part, const struct sw_session *session,
                          const struct sw_verdict *verdict)
{
    const struct mapped *m = part->state;
    struct sw_field_source source;
    struct sw_json json;
    struct place place = {.json = &json};
    struct sw_span path = {NULL, 0};
    sw_field_open(&source, part, session, verdict);
    sw_json_begin(&json, part->out);
    sw_json_object(&json, NULL);
    for (size_t i = 0; i < m->count; i++) {
        struct sw_field_value value;
        if (!sw_field_get(&source, m->rows[i].field, &value))
            continue;
        path = sw_span_str(m->rows[i].path);
        go_to(&place, &path);
        put_value(m, &json, path, m->rows[i].field, &value);
    }
    for (; place.depth > 0; place.depth--)
        sw_json_end_object(&json);
    sw_json_end_object(&json);
    sw_json_end_line(&json);
    sw_field_release(&source);
}

extern const struct sw_report_format sw_report_ecs;
const struct sw_report_format sw_report_ecs = {
    .name = "ecs",
    .what = "JSON Lines in the Elastic Common Schema, one event a session",
    .state_bytes = sizeof(struct mapped),
    .open = open_ecs,
    .session = write_session,
};

extern const struct sw_report_format sw_report_ocsf;
const struct sw_report_format sw_report_ocsf = {
    .name = "ocsf",
    .what = "JSON Lines in OCSF (class 4009, Email Activity), one event a session",
    .state_bytes = sizeof(struct mapped),
    .open = open_ocsf,
    .session = write_session,
};
