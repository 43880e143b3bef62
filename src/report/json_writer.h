/*
 * json_writer.h - writes one JSON value after the other, whatever bytes it is given.
 *
 * Invariants: the output is always valid UTF-8 and valid JSON. Wire bytes that are not UTF-8 become
 * U+FFFD each, and the member gains a sibling "<key>_hex" with all its bytes; control,
 * bidirectional and invisible characters are written as \u escapes, so that the output is safe on a
 * terminal too. Numbers are plain decimals.
 *
 * `key` is the member's name inside an object (our own text) and NULL inside an array or at the
 * top.
 */
#ifndef SW_REPORT_JSON_WRITER_H
#define SW_REPORT_JSON_WRITER_H

#include "report/writer.h"

enum { SW_JSON_DEPTH = 12 };

struct sw_json {
    struct sw_writer *out;
    unsigned depth;
    bool more[SW_JSON_DEPTH]; /* something was written at this depth: a comma comes first */
    /* The file of a frame, where captures were read as a series; NULL: each frame's number says
     * all. The span lives until the next call. */
    struct sw_span (*file_of)(const void *ctx, uint64_t frame);
    const void *file_ctx;
};

void sw_json_begin(struct sw_json *json, struct sw_writer *out);
/* Ends the line; all objects and arrays must be closed. */
void sw_json_end_line(struct sw_json *json);

void sw_json_object(struct sw_json *json, const char *key);
void sw_json_end_object(struct sw_json *json);
void sw_json_array(struct sw_json *json, const char *key);
void sw_json_end_array(struct sw_json *json);

void sw_json_null(struct sw_json *json, const char *key);
void sw_json_bool(struct sw_json *json, const char *key, bool value);
void sw_json_number(struct sw_json *json, const char *key, uint64_t value);
/* The number, or null when it is 0. */
void sw_json_some(struct sw_json *json, const char *key, uint64_t value);
/*
 * A frame's number, or null when it is 0. In a series the file follows it as a sibling: "file"
 * beside "frame", "<key>_file" beside any other key.
 */
void sw_json_frame(struct sw_json *json, const char *key, uint64_t frame);
/* A duration as seconds: decimal, up to nine digits, no trailing zeros; SW_TIME_NONE is null. */
void sw_json_seconds(struct sw_json *json, const char *key, int64_t duration_ns);
/* RFC 3339 with `digits` fraction digits; SW_TIME_NONE is null. */
void sw_json_time(struct sw_json *json, const char *key, int64_t time_ns, int digits);
/* Our own text; NULL is null. */
void sw_json_text(struct sw_json *json, const char *key, const char *text);
/* Bytes from the wire. */
void sw_json_wire(struct sw_json *json, const char *key, struct sw_span bytes);
/* The same with a key from the wire (an EHLO keyword); inside an object only, no sibling. */
void sw_json_wire_member(struct sw_json *json, struct sw_span key, struct sw_span bytes);

#endif
