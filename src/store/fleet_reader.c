/*
 * fleet_reader.c - reads the answer of the store. It is not trusted more than a capture is: a value
 * that makes no sense is passed over, and one that has no end ends the reading.
 */
#include "store/fleet_query.h"

#include "base/cursor.h"
#include "base/time.h"

#include <stdlib.h>

enum { ROW_BYTES_MOST = 16 << 20, ROW_ARENA = 64 << 20 };

/* Unsigned LEB128. */
static uint64_t read_length(struct sw_cursor *c)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 63 && !c->bad; shift += 7) {
        uint8_t byte = sw_cursor_u8(c);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    c->bad = true;
    return 0;
}

static struct sw_span read_span(struct sw_cursor *c)
{
    uint64_t length = read_length(c);
    return sw_cursor_take(c, length > SIZE_MAX ? SIZE_MAX : (size_t)length);
}

/* One row; the cursor is bad when it has not come completely. */
static void read_row(struct sw_fleet_reader *r, struct sw_cursor *c)
{
    struct sw_fact *f = &r->fact;
    *f = (struct sw_fact){.id = "", .part = r->part};
    uint64_t count = sw_cursor_le64(c);
    struct sw_span text = read_span(c);
    f->others = count > 0 ? count - 1 : 0;
    if (r->part == SW_FACT_CLIENT_COUNT) {
        if (!c->bad)
            sw_fleet_unpack_found_alone(f, &r->codes, text);
        return;
    }
    struct sw_span example = read_span(c);
    int64_t last_ns = (int64_t)sw_cursor_le64(c);
    if (r->part == SW_FACT_BUT_CLIENT) {
        f->greeting_delay_ns = (int64_t)sw_cursor_le64(c);
        f->greeting_wait_ns = (int64_t)sw_cursor_le64(c);
    }
    if (r->part == SW_FACT_BUT_CLIENT && r->keywords) {
        f->clear_keywords = read_span(c);
        f->inner_keywords = read_span(c);
    }
    if (c->bad)
        return;
    if (r->part == SW_FACT_CLIENT)
        sw_fleet_unpack_found(f, &r->codes, text);
    else
        sw_fleet_unpack_alike(f, &r->codes, text, &r->row);
    sw_fleet_unpack_example(f, example, &r->row);
    f->span_ns = last_ns > f->start_ns ? sw_time_between(f->start_ns, last_ns) : 0;
}

void sw_fleet_reader_init(struct sw_fleet_reader *reader,
                          void (*take)(void *ctx, const struct sw_fact *fact), void *ctx)
{
    *reader = (struct sw_fleet_reader){.take = take, .ctx = ctx};
    sw_arena_init(&reader->row, ROW_ARENA, NULL);
    sw_fleet_codes_init(&reader->codes);
}

bool sw_fleet_reader_take(void *ctx, struct sw_span piece)
{
    struct sw_fleet_reader *r = ctx;
    if (r->used + piece.len > r->room) {
        size_t room = r->room ? r->room : 65536;
        while (room < r->used + piece.len)
            room *= 2;
        uint8_t *bytes = room <= 2 * (size_t)ROW_BYTES_MOST ? realloc(r->bytes, room) : NULL;
        if (!bytes)
            return false;
        r->bytes = bytes;
        r->room = room;
    }
    if (piece.len > 0)
        memcpy(r->bytes + r->used, piece.ptr, piece.len);
    r->used += piece.len;
    struct sw_span rest = sw_span_make(r->bytes, r->used);
    while (rest.len > 0) {
        struct sw_cursor c = sw_cursor_make(rest);
        read_row(r, &c);
        bool whole = !c.bad;
        if (whole) {
            rest = sw_cursor_rest(&c);
            r->facts++;
            r->take(r->ctx, &r->fact);
        }
        bool short_of_memory = r->row.exhausted;
        sw_arena_release(&r->row);
        if (short_of_memory)
            return false;
        if (!whole)
            break;
    }
    if (rest.len > 0)
        memmove(r->bytes, rest.ptr, rest.len);
    r->used = rest.len;
    return true;
}

bool sw_fleet_reader_is_done(const struct sw_fleet_reader *reader)
{
    return reader->used == 0;
}

void sw_fleet_reader_release(struct sw_fleet_reader *reader)
{
    sw_arena_release(&reader->row);
    free(reader->bytes);
    *reader = (struct sw_fleet_reader){.take = NULL};
}
