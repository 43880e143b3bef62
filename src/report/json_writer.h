/*
 * json_writer.h - writes one JSON value after the other, whatever bytes it is given.
 *
 * Invariants: the output is always valid UTF-8 and valid JSON. Wire bytes that are not UTF-8 become
 * U+FFFD each, and the member gains a sibling "<key>_hex" with all its bytes; control,
 * bidirectional and invisible characters are written as \u escapes, so that the output is safe on a
 * terminal too. Numbers are plain decimals.
 *
 * `key` is the member's name inside an object (our own text, nothing in it needs an escape) and
 * NULL inside an array or at the top.
 *
 * A record has hundreds of members, and writing it is much of the work of a short session. So the
 * small functions stand here: the compiler knows the key where it is a literal and writes it, with
 * what stands around it, in a few instructions. What is in every record is written in runs, below.
 */
#ifndef SW_REPORT_JSON_WRITER_H
#define SW_REPORT_JSON_WRITER_H

#include "base/format.h"
#include "base/frame_ref.h"
#include "base/time.h"
#include "report/writer.h"

#include <assert.h>

enum {
    SW_JSON_DEPTH = 12,
    SW_JSON_KEY_BYTES = 200,  /* the longest key */
    SW_JSON_PIECE = 1024,     /* what of a string is written at once */
    SW_JSON_RUN_BYTES = 2048, /* what may be added between two strings of a run */
};

/* Inline always, also where the compiler would rather make one function of them: with the key as a
 * literal they are a third of the instructions. Not with the checks of a sanitizer in each of them:
 * a file of them takes twice as long to compile then. */
#ifdef __SANITIZE_ADDRESS__
#define SW_JSON_INLINE static inline
#else
#define SW_JSON_INLINE static inline __attribute__((always_inline))
#endif

struct sw_json {
    struct sw_writer *out;
    unsigned depth;
    bool more; /* a value stands before the next one at this level: a comma comes first */
    /* The file of a frame, where captures were read as a series; NULL: each frame's number says
     * all. The span lives until the next call. */
    struct sw_span (*file_of)(const void *ctx, uint64_t frame);
    const void *file_ctx;
    /* Where a run goes on after an error: SW_WRITER_AT_ONCE bytes of the owner of runs. */
    uint8_t *nowhere;
    const uint8_t *far; /* up to here a run has room to go on (sw_json_note_room) */
    int64_t second; /* of the last time that was written, and its text: most of a record is one */
    char second_text[SW_TIME_TEXT_BYTES];
    struct sw_format_near frames; /* those of a record are close to one another */
};

void sw_json_begin(struct sw_json *json, struct sw_writer *out);
/* Ends the line; all objects and arrays must be closed. */
void sw_json_end_line(struct sw_json *json);

/* --- for the functions of this header only --- */

/* Adds bytes to what is being written at `at`; the room is there. */
static inline uint8_t *sw_json_add(uint8_t *at, const void *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

/* Comma and key of a value; `value` more bytes have room behind them. NULL after an error. */
SW_JSON_INLINE uint8_t *sw_json_key(struct sw_json *json, const char *key, size_t value)
{
    size_t len = key ? strlen(key) : 0;
    assert(len <= SW_JSON_KEY_BYTES);
    uint8_t *at = sw_writer_room(json->out, len + sizeof(",\"\":") + value);
    if (!at)
        return NULL;
    *at = ',';
    at += json->more;
    json->more = true;
    if (!key)
        return at;
    *at++ = '"';
    at = sw_json_add(at, key, len);
    return sw_json_add(at, "\":", 2);
}

/* A literal and its length, which the compiler knows. */
#define SW_JSON_TEXT(text) "" text, sizeof(text) - 1
#define SW_JSON_LITERAL(at, text) sw_json_add((at), SW_JSON_TEXT(text))

/* The same with the digits of a number; most are small. */
static inline uint8_t *sw_json_add_number(uint8_t *at, uint64_t value)
{
    if (value < 10) {
        *at = (uint8_t)('0' + value);
        return at + 1;
    }
    return at + sw_format_number(value, at);
}

/* The number, or null when it is 0. */
static inline uint8_t *sw_json_add_some(uint8_t *at, uint64_t value)
{
    return value ? sw_json_add_number(at, value) : SW_JSON_LITERAL(at, "null");
}

/* The digits of a duration, or of a time with its quotation marks: at most this many bytes. */
enum { SW_JSON_DURATION_BYTES = SW_DIGITS + 11, SW_JSON_TIME_BYTES = SW_TIME_TEXT_BYTES + 2 };
uint8_t *sw_json_add_duration(uint8_t *at, int64_t duration_ns);
uint8_t *sw_json_add_moment(struct sw_json *json, uint8_t *at, int64_t time_ns, int digits);

/* What was written ends at `end`. */
static inline void sw_json_done(struct sw_json *json, const uint8_t *end)
{
    if (json->out->error == 0)
        json->out->used = (size_t)(end - json->out->bytes);
    assert(json->out->error != 0 || json->out->used <= json->out->room);
}

/* Comma, key and a few characters that need no escape. */
SW_JSON_INLINE void sw_json_literal(struct sw_json *json, const char *key, const char *value,
                                    size_t len)
{
    uint8_t *at = sw_json_key(json, key, len);
    if (at)
        sw_json_done(json, sw_json_add(at, value, len));
}

SW_JSON_INLINE void sw_json_open(struct sw_json *json, const char *key, char bracket)
{
    sw_json_literal(json, key, &bracket, 1);
    assert(json->depth + 1 < SW_JSON_DEPTH);
    json->depth++;
    json->more = false;
}

static inline void sw_json_close(struct sw_json *json, char bracket)
{
    assert(json->depth > 0);
    json->depth--;
    json->more = true;
    sw_writer_char(json->out, bracket);
}

/* The room that a string needs at `at`: any of its pieces has an escape at its end. */
enum { SW_JSON_STRING_BYTES = SW_JSON_PIECE + 64 };
/*
 * A string with its quotation marks, from `at` on. When some of it was not UTF-8 and there is a
 * `key`, its sibling "<key>_hex" follows. Returns where it ends; behind that there is room for a
 * run. After an error that is json->nowhere.
 */
uint8_t *sw_json_add_string(struct sw_json *json, uint8_t *at, const char *key,
                            struct sw_span bytes);
/* "<key>_hex" with all bytes. */
void sw_json_hex(struct sw_json *json, const char *key, struct sw_span bytes);
/* What has no room where the writer is; for the functions of runs below. */
uint8_t *sw_json_go_on_beyond(struct sw_json *json, uint8_t *at);
uint8_t *sw_json_add_copy_beyond(struct sw_json *json, uint8_t *at, struct sw_span bytes);
/* The file of a frame as a sibling of `key`. */
void sw_json_file(struct sw_json *json, const char *key, uint64_t frame);

/* Notes how far a run has room, whenever room of the writer was taken: it may have grown. */
static inline void sw_json_note_room(struct sw_json *json)
{
    const struct sw_writer *out = json->out;
    bool any = out->error == 0 && out->room >= SW_WRITER_AT_ONCE;
    json->far = any ? out->bytes + (out->room - SW_WRITER_AT_ONCE) : json->nowhere;
}

/* --- values --- */

SW_JSON_INLINE void sw_json_object(struct sw_json *json, const char *key)
{
    sw_json_open(json, key, '{');
}

static inline void sw_json_end_object(struct sw_json *json)
{
    sw_json_close(json, '}');
}

SW_JSON_INLINE void sw_json_array(struct sw_json *json, const char *key)
{
    sw_json_open(json, key, '[');
}

static inline void sw_json_end_array(struct sw_json *json)
{
    sw_json_close(json, ']');
}

SW_JSON_INLINE void sw_json_null(struct sw_json *json, const char *key)
{
    sw_json_literal(json, key, "null", 4);
}

SW_JSON_INLINE void sw_json_bool(struct sw_json *json, const char *key, bool value)
{
    sw_json_literal(json, key, value ? "true" : "false", value ? 4 : 5);
}

SW_JSON_INLINE void sw_json_number(struct sw_json *json, const char *key, uint64_t value)
{
    uint8_t *at = sw_json_key(json, key, SW_DIGITS);
    if (at)
        sw_json_done(json, sw_json_add_number(at, value));
}

/* The number, or null when it is 0. */
SW_JSON_INLINE void sw_json_some(struct sw_json *json, const char *key, uint64_t value)
{
    if (value == 0)
        sw_json_null(json, key);
    else
        sw_json_number(json, key, value);
}

/*
 * A frame's number, or null when it is 0. In a series the file follows it as a sibling: "file"
 * beside "frame", "<key>_file" beside any other key.
 */
SW_JSON_INLINE void sw_json_frame(struct sw_json *json, const char *key, uint64_t frame)
{
    sw_json_some(json, key, sw_frame_number(frame));
    if (json->file_of && frame != 0 && key)
        sw_json_file(json, key, frame);
}

/* A duration as seconds: decimal, up to nine digits, no trailing zeros; SW_TIME_NONE is null. */
SW_JSON_INLINE void sw_json_seconds(struct sw_json *json, const char *key, int64_t duration_ns)
{
    if (duration_ns == SW_TIME_NONE) {
        sw_json_null(json, key);
        return;
    }
    uint8_t *at = sw_json_key(json, key, SW_JSON_DURATION_BYTES);
    if (at)
        sw_json_done(json, sw_json_add_duration(at, duration_ns));
}

/* RFC 3339 with `digits` fraction digits; SW_TIME_NONE is null. */
SW_JSON_INLINE void sw_json_time(struct sw_json *json, const char *key, int64_t time_ns, int digits)
{
    if (time_ns == SW_TIME_NONE) {
        sw_json_null(json, key);
        return;
    }
    uint8_t *at = sw_json_key(json, key, SW_JSON_TIME_BYTES);
    if (at)
        sw_json_done(json, sw_json_add_moment(json, at, time_ns, digits));
}

/* A string as a member. */
SW_JSON_INLINE void sw_json_string(struct sw_json *json, const char *key, const char *hex_key,
                                   struct sw_span bytes)
{
    uint8_t *at = sw_json_key(json, key, SW_JSON_STRING_BYTES);
    sw_json_note_room(json);
    if (at && (at = sw_json_add_string(json, at, hex_key, bytes)))
        sw_json_done(json, at);
}

/* Our own text; NULL is null. */
SW_JSON_INLINE void sw_json_text(struct sw_json *json, const char *key, const char *text)
{
    if (text)
        sw_json_string(json, key, NULL, sw_span_str(text));
    else
        sw_json_null(json, key);
}

/* A word of our own, in which nothing needs an escape; NULL is null. */
SW_JSON_INLINE void sw_json_word(struct sw_json *json, const char *key, const char *word)
{
    if (!word) {
        sw_json_null(json, key);
        return;
    }
    size_t len = strlen(word);
    assert(len <= SW_JSON_KEY_BYTES);
    uint8_t *at = sw_json_key(json, key, len + 2);
    if (!at)
        return;
    *at++ = '"';
    at = sw_json_add(at, word, len);
    *at++ = '"';
    sw_json_done(json, at);
}

/* Bytes from the wire. */
SW_JSON_INLINE void sw_json_wire(struct sw_json *json, const char *key, struct sw_span bytes)
{
    sw_json_string(json, key, key, bytes);
}

/* The same with a key from the wire (an EHLO keyword); inside an object only, no sibling. */
void sw_json_wire_member(struct sw_json *json, struct sw_span key, struct sw_span bytes);

/*
 * --- runs ---
 *
 * Members that are in every record are written one behind the other at a place that the caller
 * holds, with commas, keys and brackets in literals. Room is asked for once in a while only: at
 * least SW_JSON_RUN_BYTES are there behind sw_json_run() and behind every string and copy, and no
 * more may be added before the next of them. After an error a run goes on, into json->nowhere.
 */

/* Room for a run at `at`, where a run ends. */
static inline uint8_t *sw_json_go_on(struct sw_json *json, uint8_t *at)
{
    assert(json->out->error != 0 || at <= json->out->bytes + json->out->room);
    return at <= json->far ? at : sw_json_go_on_beyond(json, at);
}

/* Begins a run behind what was written by any other function. */
static inline uint8_t *sw_json_run(struct sw_json *json)
{
    uint8_t *at = sw_writer_room(json->out, SW_WRITER_AT_ONCE);
    sw_json_note_room(json);
    return at ? at : json->nowhere;
}

/* The run ends at `at`; other members of the same object may follow. */
static inline void sw_json_ran(struct sw_json *json, const uint8_t *at)
{
    sw_json_done(json, at);
    json->more = true;
}

/* Comma and key. */
#define SW_JSON_MEMBER(at, key) SW_JSON_LITERAL(at, ",\"" key "\":")

/* Bytes that were written as JSON before, of any length. */
static inline uint8_t *sw_json_add_copy(struct sw_json *json, uint8_t *at, struct sw_span bytes)
{
    if (bytes.len > SW_JSON_RUN_BYTES)
        return sw_json_add_copy_beyond(json, at, bytes);
    return sw_json_go_on(json, sw_json_add(at, bytes.ptr, bytes.len));
}

/* Ends a list whose items have a comma behind each. */
static inline uint8_t *sw_json_end_list(uint8_t *at)
{
    at -= at[-1] == ',';
    *at++ = ']';
    return at;
}

static inline uint8_t *sw_json_add_bool(uint8_t *at, bool value)
{
    return value ? SW_JSON_LITERAL(at, "true") : SW_JSON_LITERAL(at, "false");
}

/* A word of our own, in which nothing needs an escape; NULL is null. */
static inline uint8_t *sw_json_add_word(uint8_t *at, const char *word)
{
    if (!word)
        return SW_JSON_LITERAL(at, "null");
    size_t len = strlen(word);
    assert(len <= SW_JSON_KEY_BYTES);
    *at++ = '"';
    at = sw_json_add(at, word, len);
    *at++ = '"';
    return at;
}

/* A duration, or null for SW_TIME_NONE. */
static inline uint8_t *sw_json_add_seconds(uint8_t *at, int64_t duration_ns)
{
    return duration_ns == SW_TIME_NONE ? SW_JSON_LITERAL(at, "null")
                                       : sw_json_add_duration(at, duration_ns);
}

/* A time, or null for SW_TIME_NONE. */
static inline uint8_t *sw_json_add_time(struct sw_json *json, uint8_t *at, int64_t time_ns,
                                        int digits)
{
    return time_ns == SW_TIME_NONE ? SW_JSON_LITERAL(at, "null")
                                   : sw_json_add_moment(json, at, time_ns, digits);
}

/* A frame's number, or null when it is 0. */
static inline uint8_t *sw_json_add_frame_number(struct sw_json *json, uint8_t *at, uint64_t frame)
{
    uint64_t number = sw_frame_number(frame);
    if (number == 0)
        return SW_JSON_LITERAL(at, "null");
    return at + sw_format_close(&json->frames, number, at);
}

/* The same; in a series its file follows, "file" where the key is
 * "frame", else "<key>_file". */
static inline uint8_t *sw_json_add_frame(struct sw_json *json, uint8_t *at, const char *key,
                                         uint64_t frame)
{
    at = sw_json_add_frame_number(json, at, frame);
    if (!json->file_of || frame == 0)
        return at;
    sw_json_ran(json, at);
    sw_json_file(json, key, frame);
    return sw_json_run(json);
}

#endif
