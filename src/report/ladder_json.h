/*
 * ladder_json.h - a ladder as a JSON array, one object a rung, with the fields of struct sw_rung.
 */
#ifndef SW_REPORT_LADDER_JSON_H
#define SW_REPORT_LADDER_JSON_H

#include "report/json_writer.h"
#include "report/ladder.h"

/* The member `key` of an open object: every rung with all its keys, unknown ones null. */
void sw_ladder_json(const struct sw_ladder *ladder, struct sw_json *json, const char *key);

#endif
