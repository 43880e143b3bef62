/*
 * test_tls.c - every transcript of a TLS connection, whole, at every two-way split of each segment,
 * and byte by byte. See README.md.
 */
#include "tls/replay.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEGMENTS = 128, SCRIPT = 1 << 16, DEPTH = 12 };

enum kind { SEGMENT, GAP, INNER };

struct step {
    enum kind kind;
    enum sw_from from;
    uint8_t content;
    size_t at, len;
};

struct transcript {
    char script[SCRIPT];
    char expected[TLS_REPLAY_LOG];
    uint8_t bytes[SCRIPT];
    size_t used;
    struct step steps[SEGMENTS];
    size_t count;
    bool midstream;
};

static uint8_t hex_pair(const char *text)
{
    char pair[3] = {text[0], text[1], 0};
    char *end;
    unsigned long value = strtoul(pair, &end, 16);
    assert_true(*end == '\0' && end == pair + 2);
    return (uint8_t)value;
}

static void put(struct transcript *t, uint8_t byte)
{
    assert_true(t->used < SCRIPT);
    t->bytes[t->used++] = byte;
}

/* "*32:aa": thirty-two times the byte aa. */
static const char *put_run(struct transcript *t, const char *text)
{
    char *end;
    unsigned long n = strtoul(text + 1, &end, 10);
    assert_true(*end == ':');
    uint8_t byte = hex_pair(end + 1);
    while (n-- > 0)
        put(t, byte);
    return end + 3;
}

/* Hex digits, "text", *n:xx, and [k ... ] for a block with its length in k bytes before it. */
static void assemble(struct transcript *t, const char *text)
{
    size_t open[DEPTH];
    size_t width[DEPTH];
    int depth = 0;
    while (*text) {
        if (*text == ' ') {
            text++;
        } else if (*text == '[') {
            assert_true(depth < DEPTH);
            width[depth] = (size_t)(text[1] - '0');
            open[depth] = t->used;
            for (size_t i = 0; i < width[depth]; i++)
                put(t, 0);
            depth++;
            text += 2;
        } else if (*text == ']') {
            assert_true(depth > 0);
            depth--;
            size_t length = t->used - open[depth] - width[depth];
            for (size_t i = 0; i < width[depth]; i++)
                t->bytes[open[depth] + i] = (uint8_t)(length >> 8 * (width[depth] - 1 - i));
            text++;
        } else if (*text == '"') {
            for (text++; *text && *text != '"'; text++)
                put(t, (uint8_t)*text);
            assert_true(*text == '"');
            text++;
        } else if (*text == '*') {
            text = put_run(t, text);
        } else {
            put(t, hex_pair(text));
            text += 2;
        }
    }
    assert_int_equal(depth, 0);
}

static void read_step(struct transcript *t, const char *line)
{
    struct step *step = &t->steps[t->count];
    if (line[0] == '#' || line[0] == '\0')
        return;
    if (strcmp(line, "midstream") == 0) {
        t->midstream = true;
        return;
    }
    assert_true(t->count < SEGMENTS);
    step->at = t->used;
    if (strncmp(line, "gap ", 4) == 0) {
        step->kind = GAP;
        step->from = line[4] == 'S' ? SW_FROM_SERVER : SW_FROM_CLIENT;
        step->len = strtoul(line + 5, NULL, 10);
    } else if (strncmp(line, "inner ", 6) == 0) {
        step->kind = INNER;
        step->from = line[6] == 'S' ? SW_FROM_SERVER : SW_FROM_CLIENT;
        step->content = (uint8_t)strtoul(line + 8, NULL, 10);
        assemble(t, line + 10);
        step->len = t->used - step->at;
    } else {
        assert_true((line[0] == 'C' || line[0] == 'S') && line[1] == ':');
        step->kind = SEGMENT;
        step->from = line[0] == 'S' ? SW_FROM_SERVER : SW_FROM_CLIENT;
        assemble(t, line + 2);
        step->len = t->used - step->at;
    }
    t->count++;
}

static void load(struct transcript *t, const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    memset(t, 0, sizeof(*t));
    static char line[1 << 15];
    bool above = true;
    while (fgets(line, sizeof(line), file)) {
        if (!above) {
            strncat(t->expected, line, sizeof(t->expected) - strlen(t->expected) - 1);
            continue;
        }
        strncat(t->script, line, sizeof(t->script) - strlen(t->script) - 1);
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "----") == 0)
            above = false;
        else
            read_step(t, line);
    }
    (void)fclose(file);
}

/* Replays with segment `which` cut at `split` (SIZE_MAX = no such), or everything byte by byte. */
static const char *replay(const struct transcript *t, struct tls_replay *r, size_t which,
                          size_t split, bool bytewise)
{
    tls_replay_begin(r, t->midstream);
    for (size_t i = 0; i < t->count; i++) {
        const struct step *step = &t->steps[i];
        uint64_t frame = i + 1;
        struct sw_span bytes = sw_span_make(t->bytes + step->at, step->len);
        if (step->kind == GAP) {
            tls_replay_gap(r, step->from, step->len, frame);
            continue;
        }
        if (step->kind == INNER) {
            tls_replay_inner(r, step->from, step->content, bytes);
            continue;
        }
        for (size_t at = 0; at < step->len;) {
            size_t n = bytewise ? 1 : at == 0 && i == which ? split : step->len - at;
            tls_replay_feed(r, step->from, sw_span_sub(bytes, at, n), frame);
            at += n;
        }
    }
    tls_replay_end(r, t->count + 1);
    return r->log;
}

static void check(const struct transcript *t, const char *name)
{
    static struct tls_replay r;
    const char *log = replay(t, &r, SIZE_MAX, 0, false);
    if (strcmp(log, t->expected) != 0)
        fail_msg("%s: expected\n%s\ngot\n%s", name, t->expected, log);
    assert_false(r.broken);
    uint64_t detail = r.detail;
    for (size_t i = 0; i < t->count; i++) {
        for (size_t split = 1; t->steps[i].kind == SEGMENT && split < t->steps[i].len; split++) {
            log = replay(t, &r, i, split, false);
            if (strcmp(log, t->expected) != 0 || r.detail != detail || r.broken)
                fail_msg("%s: segment %zu cut at %zu gives\n%s", name, i + 1, split, log);
        }
    }
    log = replay(t, &r, SIZE_MAX, 0, true);
    if (strcmp(log, t->expected) != 0 || r.detail != detail || r.broken)
        fail_msg("%s: byte by byte gives\n%s", name, log);
}

static void rewrite(struct transcript *t, const char *path)
{
    static struct tls_replay r;
    const char *log = replay(t, &r, SIZE_MAX, 0, false);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(t->script, file);
    if (!strstr(t->script, "\n----\n"))
        fputs("----\n", file);
    fputs(log, file);
    (void)fclose(file);
    snprintf(t->expected, sizeof(t->expected), "%s", log);
}

static void test_every_transcript(void **state)
{
    (void)state;
    static struct transcript t;
    const char *folder = SW_SOURCE_DIR "/tests/tls";
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    unsigned count = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        size_t len = strlen(entry->d_name);
        if (len < 5 || strcmp(entry->d_name + len - 4, ".txt") != 0 ||
            strcmp(entry->d_name, "CMakeLists.txt") == 0)
            continue;
        char path[512];
        snprintf(path, sizeof(path), "%s/%.200s", folder, entry->d_name);
        load(&t, path);
        if (getenv("SW_UPDATE"))
            rewrite(&t, path);
        check(&t, entry->d_name);
        count++;
    }
    (void)closedir(dir);
    assert_true(count >= 20);
    print_message("%u transcripts\n", count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_transcript)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
