#include "base/text.h"

#include "base/scan.h"

int32_t sw_text_next(struct sw_span *rest)
{
    const uint8_t *at = rest->ptr;
    uint8_t first = at[0];
    size_t need = first < 0x80                    ? 0
                  : first >= 0xC2 && first < 0xE0 ? 1
                  : (first & 0xF0) == 0xE0        ? 2
                                                  : 3;
    int32_t value = first;
    bool valid = first < 0x80 || (first >= 0xC2 && first <= 0xF4);
    if (valid && need > 0) {
        value = first & (0x3F >> need);
        valid = rest->len > need;
        for (size_t i = 1; valid && i <= need; i++) {
            valid = (at[i] & 0xC0) == 0x80;
            value = (value << 6) | (at[i] & 0x3F);
        }
        static const int32_t smallest[] = {0, 0x80, 0x800, 0x10000};
        valid = valid && value >= smallest[need] && value <= 0x10FFFF &&
                !(value >= 0xD800 && value <= 0xDFFF);
    }
    *rest = sw_span_from(*rest, valid ? need + 1 : 1);
    return valid ? value : -1;
}

/* How many bytes from the start are surely ASCII, in steps of eight. */
static size_t ascii_run(struct sw_span s)
{
    size_t n = 0;
    for (uint64_t eight; s.len - n >= sizeof(eight); n += sizeof(eight)) {
        memcpy(&eight, s.ptr + n, sizeof(eight));
        if (eight & UINT64_C(0x8080808080808080))
            break;
    }
    return n;
}

bool sw_text_is_utf8(struct sw_span s)
{
    s = sw_span_from(s, ascii_run(s));
    while (s.len > 0) {
        if (sw_text_next(&s) < 0)
            return false;
    }
    return true;
}

bool sw_text_is_unsafe(int32_t c)
{
    if (c < 0x20 || (c >= 0x7F && c <= 0x9F))
        return true;
    return (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || c == 0x061C || c == 0x00AD ||
           (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

size_t sw_text_put_utf8(int32_t c, uint8_t out[4])
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | (c >> 6));
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | (c >> 12));
        out[1] = (uint8_t)(0x80 | ((c >> 6) & 0x3F));
        out[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | (c >> 18));
    out[1] = (uint8_t)(0x80 | ((c >> 12) & 0x3F));
    out[2] = (uint8_t)(0x80 | ((c >> 6) & 0x3F));
    out[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}

static void lines_reset(struct sw_lines *lines)
{
    lines->kept = 0;
    lines->length = 0;
    lines->last_cr = false;
    lines->bare_cr = false;
    lines->open = false;
}

void sw_lines_clear(struct sw_lines *lines)
{
    if (lines->block)
        lines->lender->take_back(lines->lender->ctx, lines->block, lines->room);
    lines->block = NULL;
    lines->room = 0;
    lines_reset(lines);
}

/* Notes CRs that no LF follows; the last byte is judged when the next one is known. */
static void note_bare_cr(struct sw_lines *lines, struct sw_span part)
{
    if (lines->last_cr && part.ptr[0] != '\r' && part.ptr[0] != '\n')
        lines->bare_cr = true;
    for (size_t at = sw_span_index(part, '\r'); at + 1 < part.len;) {
        uint8_t next = part.ptr[at + 1];
        if (next != '\r' && next != '\n')
            lines->bare_cr = true;
        at += 1 + sw_span_index(sw_span_from(part, at + 1), '\r');
    }
    lines->last_cr = part.ptr[part.len - 1] == '\r';
}

/* Room for `n_bytes` of the line, as far as there may be: a small block first, then the whole one.
 */
static void make_room(struct sw_lines *lines, size_t n_bytes)
{
    uint32_t room = n_bytes > SW_LINE_FIRST_BYTES ? SW_LINE_BYTES : SW_LINE_FIRST_BYTES;
    if (room <= lines->room)
        return;
    uint8_t *block = lines->lender->lend(lines->lender->ctx, lines->block, lines->room, room);
    if (!block)
        return;
    lines->block = block;
    lines->room = room;
}

static void keep(struct sw_lines *lines, struct sw_span part)
{
    make_room(lines, lines->kept + part.len);
    if (!lines->block)
        return; /* the budget is used up: the line is counted and comes out cut */
    size_t room = lines->room - lines->kept;
    size_t n = part.len < room ? part.len : room;
    if (n > 0)
        memcpy(lines->block + lines->kept, part.ptr, n);
    lines->kept += (uint32_t)n;
}

static size_t count_trailing_cr(struct sw_span s)
{
    size_t n = 0;
    while (n < s.len && s.ptr[s.len - 1 - n] == '\r')
        n++;
    return n;
}

/* `whole` is the line with its CRs but without the LF. */
static void fill_line(struct sw_lines *lines, struct sw_line *line, struct sw_span whole, bool cut)
{
    size_t crs = cut ? (lines->last_cr ? 1 : 0) : count_trailing_cr(whole);
    line->text = cut ? whole : sw_span_sub(whole, 0, whole.len - crs);
    line->length = lines->length - (crs < lines->length ? crs : lines->length);
    line->end = crs == 0 ? SW_LINE_LF : crs == 1 ? SW_LINE_CRLF : SW_LINE_CRCRLF;
    line->bare_cr = lines->bare_cr;
    line->plain = false;
    line->offset = lines->start;
}

/* Nearly all lines: they begin and end within the chunk, and there is nothing to note. */
static bool plain_line(struct sw_lines *lines, struct sw_span *chunk, uint64_t *offset,
                       struct sw_line *line)
{
    size_t len = sw_scan_control(*chunk);
    if (chunk->len - len < 2 || chunk->ptr[len] != '\r' || chunk->ptr[len + 1] != '\n' ||
        len > SW_LINE_BYTES)
        return false;
    if (lines->block)
        sw_lines_clear(lines); /* the line that was handed out before is done with */
    *line = (struct sw_line){
        .text = sw_span_make(chunk->ptr, len),
        .length = len,
        .end = SW_LINE_CRLF,
        .plain = true,
        .offset = *offset,
    };
    *offset += len + 2;
    *chunk = sw_span_make(chunk->ptr + len + 2, chunk->len - len - 2);
    return true;
}

bool sw_lines_next(struct sw_lines *lines, struct sw_span *chunk, uint64_t *offset,
                   struct sw_line *line)
{
    if (chunk->len == 0)
        return false;
    if (!lines->open && plain_line(lines, chunk, offset, line))
        return true;
    if (!lines->open) {
        if (lines->block)
            sw_lines_clear(lines); /* the line that was handed out before is done with */
        lines_reset(lines);
        lines->start = *offset;
        lines->open = true;
    }
    size_t lf = sw_span_index(*chunk, '\n');
    struct sw_span part = sw_span_sub(*chunk, 0, lf);
    if (part.len > 0)
        note_bare_cr(lines, part);
    lines->length += part.len;
    bool complete = lf < chunk->len;
    bool in_one_piece = lines->length == part.len;
    if (!complete || !in_one_piece)
        keep(lines, part);
    size_t used = complete ? lf + 1 : lf;
    *offset += used;
    *chunk = sw_span_from(*chunk, used);
    if (!complete)
        return false;
    /* What is longer than a block is cut, also when it came in one piece: chunking must not show.
     */
    struct sw_span whole = in_one_piece ? sw_span_sub(part, 0, SW_LINE_BYTES)
                                        : sw_span_make(lines->block, lines->kept);
    fill_line(lines, line, whole, whole.len < lines->length);
    lines->open = false;
    return true;
}

bool sw_lines_flush(struct sw_lines *lines, struct sw_line *line)
{
    if (!lines->open || lines->length == 0) {
        sw_lines_clear(lines);
        return false;
    }
    struct sw_span whole = sw_span_make(lines->block, lines->kept);
    size_t crs = count_trailing_cr(whole);
    *line = (struct sw_line){
        .text = sw_span_sub(whole, 0, whole.len - crs),
        .length = lines->length - crs,
        .end = SW_LINE_OPEN,
        .bare_cr = lines->bare_cr,
        .offset = lines->start,
    };
    lines->open = false;
    return true;
}
