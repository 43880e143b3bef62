/*
 * series.c - finds among captures the files that a recorder wrote one after the other: the same
 * name but for a number or a time in it, put in the order of their first frames. Whether one really
 * continues the other is decided while they are read (run.c).
 */
#include "pipeline/series.h"

#include "base/text.h"
#include "base/time.h"
#include "capture/capture.h"
#include "smtpwhy.h"

#include <stdlib.h>

enum {
    TIME_DIGITS_LEAST = 6, /* hhmmss; epoch seconds have 10, full times 14 */
    RING_TIME_DIGITS = 14,
    RING_NUMBER_DIGITS_LEAST = 5,
};

static struct sw_span without_end(struct sw_span s, size_t n)
{
    return sw_span_sub(s, 0, s.len - n);
}

static bool ends_with(struct sw_span s, struct sw_span end)
{
    return s.len >= end.len && sw_span_eq_nocase(sw_span_from(s, s.len - end.len), end);
}

static size_t digits_at_end(struct sw_span s)
{
    size_t n = 0;
    while (n < s.len && sw_ascii_digit(s.ptr[s.len - 1 - n]))
        n++;
    return n;
}

/* Takes digits, with `before` in front of them, off the end of *s; an empty span when there are
 * none. */
static struct sw_span take_number(struct sw_span *s, uint8_t before)
{
    size_t n = digits_at_end(*s);
    struct sw_span digits = sw_span_from(*s, s->len - n);
    if (n == 0 || s->len == n || s->ptr[s->len - n - 1] != before)
        return (struct sw_span){NULL, 0};
    *s = without_end(*s, n + 1);
    return digits;
}

/* A growing name; what does not fit makes it useless, which is what `number` alone then says. */
static void add(char *out, struct sw_span text, bool mark_digits)
{
    size_t used = strlen(out);
    for (size_t i = 0; i < text.len && used + 1 < SW_SERIES_NAME_BYTES; i++)
        out[used++] = mark_digits && sw_ascii_digit(text.ptr[i]) ? '#' : (char)text.ptr[i];
    out[used] = '\0';
}

static void add_both(struct sw_series_name *name, struct sw_span text, bool mark_digits)
{
    add(name->stem, text, false);
    add(name->key, text, mark_digits);
}

/* "_00001_20260101120000" or, in newer versions, the other way round. */
static bool parse_ring(struct sw_span body, struct sw_span extension, struct sw_series_name *name)
{
    struct sw_span second = take_number(&body, '_');
    struct sw_span first = second.len ? take_number(&body, '_') : second;
    struct sw_span number = second.len == RING_TIME_DIGITS ? first : second;
    struct sw_span time = second.len == RING_TIME_DIGITS ? second : first;
    if (time.len != RING_TIME_DIGITS || number.len < RING_NUMBER_DIGITS_LEAST ||
        !sw_span_u64(number, &name->number))
        return false;
    add_both(name, body, false);
    add_both(name, SW_SPAN_LIT("_#"), false);
    add_both(name, extension, false);
    name->counts = true;
    return true;
}

static bool is_capture_extension(struct sw_span extension)
{
    static const char *const known[] = {".pcap", ".pcapng", ".cap", ".dmp", ".dump"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (sw_span_eq_nocase(extension, sw_span_str(known[i])))
            return true;
    }
    return false;
}

static size_t count_digits(struct sw_span s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += sw_ascii_digit(s.ptr[i]);
    return n;
}

/* Where the last `byte` stands, or s.len. */
static size_t last_index(struct sw_span s, uint8_t byte)
{
    for (size_t i = s.len; i > 0; i--) {
        if (s.ptr[i - 1] == byte)
            return i - 1;
    }
    return s.len;
}

void sw_series_parse(const char *path, struct sw_series_name *name)
{
    static const char *const packings[] = {".gz", ".zst", ".lz4"};
    *name = (struct sw_series_name){.counts = false};
    struct sw_span file = sw_span_str(path);
    if (file.len + 4 >= SW_SERIES_NAME_BYTES)
        return;
    size_t slash = last_index(file, '/');
    if (slash < file.len) {
        add_both(name, sw_span_sub(file, 0, slash + 1), false);
        file = sw_span_from(file, slash + 1);
    }
    struct sw_span packing = {NULL, 0};
    for (size_t i = 0; i < sizeof(packings) / sizeof(packings[0]); i++) {
        struct sw_span end = sw_span_str(packings[i]);
        if (ends_with(file, end)) {
            packing = sw_span_from(file, file.len - end.len);
            file = without_end(file, end.len);
        }
    }
    size_t dot = last_index(file, '.');
    struct sw_span body = sw_span_sub(file, 0, dot);
    struct sw_span extension = sw_span_from(file, dot);
    if (parse_ring(body, extension, name)) {
        add_both(name, packing, false);
        return;
    }
    /* tcpdump -C counts behind the whole name; the first file has no number without -W. */
    size_t digits = digits_at_end(extension);
    struct sw_span number = sw_span_from(extension, extension.len - digits);
    if (is_capture_extension(without_end(extension, digits)) &&
        (digits == 0 || sw_span_u64(number, &name->number))) {
        name->counts = true;
        extension = without_end(extension, digits);
    }
    bool timed = count_digits(body) >= TIME_DIGITS_LEAST;
    name->counts = name->counts || timed;
    add_both(name, body, timed);
    add_both(name, extension, false);
    add_both(name, packing, false);
}

bool sw_series_follows(const char *a, const char *b)
{
    struct sw_series_name before;
    struct sw_series_name behind;
    sw_series_parse(a, &before);
    sw_series_parse(b, &behind);
    if (!before.counts || !behind.counts || strcmp(before.stem, behind.stem) != 0)
        return false;
    return behind.number == before.number + 1 || (behind.number == 0 && before.number > 0);
}

/* --- series among captures --- */

struct entry {
    const char *path;
    char *key;
    unsigned index;   /* where it was named */
    unsigned leader;  /* the first index of its series */
    int64_t first_ns; /* of its first frame */
};

/* The time of the first frame; SW_TIME_NONE when there is none. */
static int64_t first_time(const char *path)
{
    const struct sw_capture_options options = {.unpacked_bytes = 1 << 20};
    struct sw_capture *capture = NULL;
    struct sw_status status = sw_capture_open(path, &options, &capture);
    if (status.code != SW_OK)
        return SW_TIME_NONE;
    struct sw_frame frame;
    status = sw_capture_next(capture, &frame);
    sw_capture_close(capture);
    return status.code == SW_OK ? frame.time_ns : SW_TIME_NONE;
}

static int by_key(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    int keys = strcmp(a->key ? a->key : "", b->key ? b->key : "");
    int paths = keys ? keys : strcmp(a->path, b->path);
    if (paths != 0)
        return paths;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* By the place of the series' first file, then by time, then as named. */
static int by_series(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    if (a->leader != b->leader)
        return a->leader < b->leader ? -1 : 1;
    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* The same file named twice is no series. */
static bool named_before(const struct entry *entries, unsigned from, unsigned at)
{
    return at > from && strcmp(entries[at - 1].path, entries[at].path) == 0;
}

/* Entries of one key stand together: those with a first frame get the same leader. */
static void lead(struct entry *entries, unsigned from, unsigned to)
{
    unsigned leader = UINT32_MAX;
    if (to - from < 2 || !entries[from].key)
        return;
    for (unsigned i = from; i < to; i++) {
        if (named_before(entries, from, i))
            continue;
        entries[i].first_ns = first_time(entries[i].path);
        if (entries[i].first_ns == SW_TIME_NONE)
            continue;
        if (entries[i].index < leader)
            leader = entries[i].index;
    }
    for (unsigned i = from; i < to; i++) {
        if (entries[i].first_ns != SW_TIME_NONE)
            entries[i].leader = leader;
    }
}

static void find(struct entry *entries, unsigned count)
{
    qsort(entries, count, sizeof(*entries), by_key);
    for (unsigned from = 0; from < count;) {
        unsigned to = from + 1;
        while (to < count && entries[from].key && entries[to].key &&
               strcmp(entries[from].key, entries[to].key) == 0)
            to++;
        lead(entries, from, to);
        from = to;
    }
    qsort(entries, count, sizeof(*entries), by_series);
}

static bool fill(struct entry *entries, const char *const *paths, unsigned count)
{
    struct sw_series_name name;
    for (unsigned i = 0; i < count; i++) {
        entries[i] =
            (struct entry){.path = paths[i], .index = i, .leader = i, .first_ns = SW_TIME_NONE};
        sw_series_parse(paths[i], &name);
        if (!name.counts || strcmp(paths[i], "-") == 0)
            continue;
        size_t size = strlen(name.key) + 1;
        entries[i].key = malloc(size);
        if (!entries[i].key)
            return false;
        memcpy(entries[i].key, name.key, size);
    }
    return true;
}

struct sw_series *sw_series_find(const char *const *paths, unsigned count, unsigned *series_count)
{
    /* One block: the series, and behind them the list of paths that they point into. */
    struct sw_series *series = calloc(count ? count : 1, sizeof(*series) + sizeof(*paths));
    struct entry *entries = calloc(count ? count : 1, sizeof(*entries));
    const char **ordered = series ? (const char **)(void *)(series + count) : NULL;
    bool good = entries && series && count > 0 && fill(entries, paths, count);
    *series_count = 0;
    if (good)
        find(entries, count);
    for (unsigned i = 0; good && i < count; i++) {
        ordered[i] = entries[i].path;
        bool more = i > 0 && entries[i].leader == entries[i - 1].leader &&
                    series[*series_count - 1].count < SW_SERIES_FILES_MAX;
        if (!more)
            series[(*series_count)++].paths = &ordered[i];
        series[*series_count - 1].count++;
    }
    for (unsigned i = 0; entries && i < count; i++)
        free(entries[i].key);
    free(entries);
    if (good)
        return series;
    free(series);
    return NULL;
}

void sw_series_free(struct sw_series *series)
{
    free(series);
}
