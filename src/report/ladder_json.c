/*
 * ladder_json.c - a ladder as JSON, for programs that draw it.
 */
#include "report/ladder_json.h"

static void put_rung(struct sw_json *json, const struct sw_rung *rung)
{
    sw_json_object(json, NULL);
    sw_json_text(json, "kind", sw_rung_kind_name(rung->kind));
    sw_json_text(json, "mood", sw_rung_mood_name(rung->mood));
    sw_json_text(json, "stage", sw_stage_name(rung->stage));
    sw_json_text(json, "from", sw_origin_name(rung->from));
    sw_json_frame(json, "frame", rung->first.frame);
    sw_json_frame(json, "last_frame", rung->last.frame);
    bool elsewhere = rung->kind == SW_RUNG_NOTE && rung->first.frame; /* at no time of this one */
    sw_json_seconds(json, "t_s", elsewhere ? SW_TIME_NONE : rung->t_ns);
    sw_json_seconds(json, "lasted_s", rung->lasted_ns);
    sw_json_number(json, "packets", rung->packets ? rung->packets : 1);
    sw_json_some(json, "code", rung->code);
    sw_json_bool(json, "lost", rung->lost);
    sw_json_bool(json, "encrypted", rung->encrypted);
    sw_json_some(json, "evidence", rung->evidence);
    if (rung->evidence)
        sw_json_wire(json, "proves", rung->proves);
    else
        sw_json_null(json, "proves");
    sw_json_wire(json, "text", rung->text);
    sw_json_end_object(json);
}

void sw_ladder_json(const struct sw_ladder *ladder, struct sw_json *json, const char *key)
{
    sw_json_array(json, key);
    for (uint32_t i = 0; i < ladder->count; i++)
        put_rung(json, &ladder->rungs[i]);
    sw_json_end_array(json);
}
