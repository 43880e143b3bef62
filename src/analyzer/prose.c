#include "analyzer/prose.h"

#include "base/address.h"
#include "base/text.h"

enum { FIRST_ROOM = 256 };

/* Makes room for so many bytes and a NUL. */
bool sw_prose_grow(struct sw_prose *prose, size_t more)
{
    size_t need = prose->used + more + 1;
    size_t room = prose->room ? prose->room * 2 : FIRST_ROOM;
    while (room < need)
        room *= 2;
    char *bigger = prose->full ? NULL : sw_arena_text(prose->arena, room);
    if (!bigger) {
        prose->full = true;
        return false;
    }
    if (prose->text)
        memcpy(bigger, prose->text, prose->used);
    prose->text = bigger;
    prose->room = room;
    return true;
}

static bool make_room(struct sw_prose *prose, size_t more)
{
    return prose->room - prose->used > more || sw_prose_grow(prose, more);
}

void sw_prose_add(struct sw_prose *prose, const char *format, ...)
{
    for (int attempt = 0; attempt < 2 && !prose->full; attempt++) {
        char *at = prose->text ? prose->text + prose->used : NULL;
        size_t room = prose->room - prose->used;
        va_list args;
        va_start(args, format);
        int len = sw_format_va(at, room, format, args);
        va_end(args);
        if (len < 0)
            return;
        if ((size_t)len < room) {
            prose->used += (size_t)len;
            return;
        }
        if (!make_room(prose, (size_t)len))
            return; /* what did not fit is written again, or not at all */
    }
}

static inline void put_number(struct sw_prose *prose, uint64_t number)
{
    if (make_room(prose, SW_DIGITS))
        prose->used += sw_format_number(number, (uint8_t *)prose->text + prose->used);
}

void sw_prose_put_number(struct sw_prose *prose, uint64_t number)
{
    put_number(prose, number);
}

void sw_prose_put_frame(struct sw_prose *prose, struct sw_mark mark)
{
    if (prose->series)
        sw_prose_put_text(prose, sw_prose_frame(prose, mark.frame));
    else if (make_room(prose, SW_DIGITS))
        prose->used += sw_format_close(&prose->frames, sw_frame_number(mark.frame),
                                       (uint8_t *)prose->text + prose->used);
}

/*
 * Are eight bytes printable ASCII, and no blank beside another? Words of what may be odd have their
 * high bit set; it may also say so of eight that are not: a '!' behind a blank.
 */
static bool is_plain_eight(const uint8_t *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t eight;
    memcpy(&eight, at, sizeof(eight));
    uint64_t other = eight ^ (ones * ' ');
    uint64_t blanks = (other - ones) & ~other & (ones * 0x80);
    uint64_t odd = eight | (eight - ones * ' ') | (eight + ones) | (blanks & blanks << 8);
    return (odd & (ones * 0x80)) == 0;
}

/*
 * How many bytes from the start, at most `most`, are shown as they are: printable ASCII, and of
 * blanks one at a time. `blank`: what was shown last is one.
 */
static size_t plain_run(struct sw_span wire, size_t most, bool blank)
{
    enum { EIGHT = 8 };
    most = wire.len < most ? wire.len : most;
    size_t n = 0;
    while (n < most) {
        bool whole = most - n >= EIGHT;
        /* the last few bytes are looked at together with those before them, which are plain */
        size_t from = whole ? n : n >= EIGHT ? most - EIGHT : SIZE_MAX;
        if (from != SIZE_MAX && !blank && is_plain_eight(wire.ptr + from)) {
            n = from + EIGHT;
            blank = wire.ptr[n - 1] == ' ';
            continue;
        }
        uint8_t c = wire.ptr[n];
        if (c >= 0x7F || c < ' ' || (c == ' ' && blank))
            break;
        blank = c == ' ';
        n++;
    }
    return n;
}

/* Adds a text of which each byte is plain; false: it is not, or there may be no room for it. */
static bool put_plain(struct sw_prose *prose, struct sw_span wire)
{
    enum { EIGHT = 8 };
    if (wire.len < EIGHT || prose->room - prose->used <= wire.len)
        return false;
    char *out = prose->text + prose->used;
    for (size_t n = 0; n < wire.len; n += EIGHT) {
        /* the last few are looked at together with those before them */
        size_t from = wire.len - n < EIGHT ? wire.len - EIGHT : n;
        bool split = n > 0 && wire.ptr[n] == ' ' && wire.ptr[n - 1] == ' ';
        if (split || !is_plain_eight(wire.ptr + from))
            return false;
        memcpy(out + from, wire.ptr + from, EIGHT);
    }
    prose->used += wire.len;
    return true;
}

void sw_prose_wire(struct sw_prose *prose, struct sw_span wire, size_t most)
{
    wire = sw_span_trim(wire);
    if (wire.len <= most && put_plain(prose, wire)) /* nearly all are */
        return;
    bool blank = false;
    for (size_t shown = 0; wire.len > 0 && !prose->full; shown++) {
        size_t plain = plain_run(wire, most - shown, blank);
        if (plain > 0) {
            sw_prose_put(prose, wire.ptr, plain);
            blank = wire.ptr[plain - 1] == ' ';
            wire = sw_span_from(wire, plain);
            shown += plain;
            if (wire.len == 0)
                return;
        }
        if (shown == most) {
            sw_prose_say(prose, "...");
            return;
        }
        int32_t c = sw_text_next(&wire);
        bool is_blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (is_blank && blank)
            continue;
        blank = is_blank;
        uint8_t utf8[4];
        if (is_blank)
            c = ' ';
        else if (c < 0 || sw_text_is_unsafe(c))
            c = '?';
        size_t n = sw_text_put_utf8(c, utf8);
        sw_prose_put(prose, utf8, n);
    }
}

const char *sw_prose_text(const struct sw_prose *prose)
{
    if (!prose->text)
        return "";
    prose->text[prose->used] = '\0';
    return prose->text;
}

const char *sw_wire_text(struct sw_arena *arena, struct sw_span wire, size_t most)
{
    wire = sw_span_trim(wire);
    if (wire.len > 0 && plain_run(wire, most, false) == wire.len) { /* nearly all names are */
        char *copy = sw_arena_text(arena, wire.len + 1);
        if (!copy)
            return "";
        memcpy(copy, wire.ptr, wire.len);
        copy[wire.len] = '\0';
        return copy;
    }
    struct sw_prose prose = {.arena = arena};
    sw_prose_wire(&prose, wire, most);
    return sw_prose_text(&prose);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* A number and what it counts. */
static const char *number_of(struct sw_arena *arena, uint64_t number, const char *unit)
{
    uint8_t digits[SW_DIGITS];
    size_t n = sw_format_number(number, digits);
    size_t behind = strlen(unit);
    char *text = sw_arena_text(arena, n + behind + 1);
    if (!text)
        return "";
    memcpy(text, digits, n);
    memcpy(text + n, unit, behind + 1);
    return text;
}

const char *sw_number_text(struct sw_arena *arena, uint64_t number)
{
    return number_of(arena, number, "");
}

const char *sw_duration_text(struct sw_arena *arena, int64_t ns)
{
    if (ns < 0)
        ns = 0;
    int64_t seconds = (ns + SW_NS_PER_S / 2) / SW_NS_PER_S;
    if (ns < SW_NS_PER_S)
        return number_of(arena, (uint64_t)(ns / SW_NS_PER_MS),
                         ns / SW_NS_PER_MS == 1 ? " millisecond" : " milliseconds");
    if (ns < 10 * SW_NS_PER_S) {
        int tenths = (int)((ns + SW_NS_PER_S / 20) / (SW_NS_PER_S / 10));
        if (tenths % 10 == 0)
            return or_empty(
                sw_arena_printf(arena, "%d second%s", tenths / 10, tenths == 10 ? "" : "s"));
        return or_empty(sw_arena_printf(arena, "%d.%d seconds", tenths / 10, tenths % 10));
    }
    if (seconds < 120)
        return number_of(arena, (uint64_t)seconds, " seconds");
    if (seconds < 7200)
        return number_of(arena, (uint64_t)(seconds + 30) / 60, " minutes");
    return number_of(arena, (uint64_t)(seconds + 1800) / 3600, " hours");
}

/* The name of a file without its directories. */
static struct sw_span base_name(const char *path)
{
    struct sw_span name = sw_span_str(path);
    for (size_t slash; (slash = sw_span_index(name, '/')) < name.len;)
        name = sw_span_from(name, slash + 1);
    return name;
}

const char *sw_prose_frame(const struct sw_prose *prose, uint64_t frame)
{
    unsigned long long number = (unsigned long long)sw_frame_number(frame);
    if (!prose->series)
        return sw_number_text(prose->arena, number);
    struct sw_span file = base_name(sw_session_file_of(prose->session, frame));
    return or_empty(
        sw_arena_printf(prose->arena, "%llu of %s", number, sw_wire_text(prose->arena, file, 80)));
}

const char *sw_size_text(struct sw_arena *arena, uint64_t bytes)
{
    if (bytes < 10000)
        return number_of(arena, bytes, bytes == 1 ? " byte" : " bytes");
    if (bytes < 1000000)
        return number_of(arena, (bytes + 500) / 1000, " kB");
    uint64_t tenths = (bytes + 50000) / 100000;
    return or_empty(sw_arena_printf(arena, "%llu.%d MB", (unsigned long long)(tenths / 10),
                                    (int)(tenths % 10)));
}

const char *sw_address_text(struct sw_arena *arena, const uint8_t address[16], int ip_version)
{
    char text[SW_ADDRESS_TEXT_BYTES];
    sw_address_format(address, ip_version, text);
    return or_empty(sw_arena_strdup(arena, text));
}
