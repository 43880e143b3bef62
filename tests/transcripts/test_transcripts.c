/*
 * test_transcripts.c - every transcript, whole, at every two-way split of each segment, and byte by
 * byte.
 */
#include "replay.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEGMENTS = 256, SCRIPT = 1 << 16 };

enum kind { SEGMENT, GAP, FIN };

struct step {
    enum kind kind;
    enum sw_from from;
    size_t at, len; /* in bytes, or len = missing octets */
};

struct transcript {
    char name[128];
    char script[SCRIPT]; /* the part above the line, as it stands in the file */
    char expected[REPLAY_LOG];
    uint8_t bytes[SCRIPT];
    size_t used;
    struct step steps[SEGMENTS];
    size_t count;
    bool midstream;
};

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

static void unescape(struct transcript *t, const char *text)
{
    for (; *text; text++) {
        char c = *text;
        if (c == '\\' && text[1]) {
            c = *++text;
            switch (c) {
            case 'r':
                c = '\r';
                break;
            case 'n':
                c = '\n';
                break;
            case 't':
                c = '\t';
                break;
            case '0':
                c = '\0';
                break;
            case 'x':
                c = (char)(hex(text[1]) * 16 + hex(text[2]));
                text += 2;
                break;
            default:
                break;
            }
        }
        t->bytes[t->used++] = (uint8_t)c;
    }
}

/* "gap C 20" */
static bool read_gap(const char *line, char *side, unsigned long *length)
{
    if (strncmp(line, "gap ", 4) != 0)
        return false;
    *side = line[4];
    *length = strtoul(line + 5, NULL, 10);
    return true;
}

static void read_step(struct transcript *t, const char *line)
{
    struct step *step = &t->steps[t->count];
    char side;
    unsigned long length;
    if (line[0] == '#' || line[0] == '\0')
        return;
    if (strcmp(line, "midstream") == 0) {
        t->midstream = true;
        return;
    }
    if (read_gap(line, &side, &length)) {
        *step = (struct step){GAP, side == 'S' ? SW_FROM_SERVER : SW_FROM_CLIENT, 0, length};
        t->count++;
        return;
    }
    if (strcmp(line, "fin C") == 0 || strcmp(line, "fin S") == 0) {
        *step = (struct step){FIN, line[4] == 'S' ? SW_FROM_SERVER : SW_FROM_CLIENT, 0, 0};
        t->count++;
        return;
    }
    assert_true((line[0] == 'C' || line[0] == 'S') && (line[1] == ':' || line[1] == '.'));
    *step = (struct step){SEGMENT, line[0] == 'S' ? SW_FROM_SERVER : SW_FROM_CLIENT, t->used, 0};
    unescape(t, line[2] == ' ' ? line + 3 : line + 2);
    if (line[1] == ':') {
        t->bytes[t->used++] = '\r';
        t->bytes[t->used++] = '\n';
    }
    step->len = t->used - step->at;
    t->count++;
}

static void load(struct transcript *t, const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    memset(t, 0, sizeof(*t));
    char line[8192];
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
static const char *replay(const struct transcript *t, struct replay *r, size_t which, size_t split,
                          bool bytewise)
{
    replay_begin(r, t->midstream);
    for (size_t i = 0; i < t->count; i++) {
        const struct step *step = &t->steps[i];
        uint64_t frame = i + 1;
        if (step->kind == GAP) {
            replay_gap(r, step->from, step->len, frame);
            continue;
        }
        if (step->kind == FIN) {
            replay_fin(r, step->from, frame);
            continue;
        }
        size_t first = bytewise ? 1 : i == which ? split : step->len;
        for (size_t at = 0; at < step->len;) {
            size_t n = bytewise ? 1 : at == 0 ? first : step->len - at;
            replay_feed(r, step->from, sw_span_make(t->bytes + step->at + at, n), frame);
            at += n;
        }
    }
    assert_int_equal(replay_end(r, t->count + 1), 0);
    if (r->leaked)
        fail_msg("%s: an event shows the password", t->name);
    return r->log;
}

static void check(struct transcript *t, struct replay *r)
{
    const char *log = replay(t, r, SIZE_MAX, 0, false);
    if (strcmp(log, t->expected) != 0)
        fail_msg("%s: expected\n%s\ngot\n%s", t->name, t->expected, log);
    uint64_t detail = r->detail;
    uint64_t octets = r->octets;
    for (size_t i = 0; i < t->count; i++) {
        for (size_t split = 1; t->steps[i].kind == SEGMENT && split < t->steps[i].len; split++) {
            if (t->steps[i].len > 2000 && split % 97 != 1)
                continue;
            log = replay(t, r, i, split, false);
            if (strcmp(log, t->expected) != 0 || r->detail != detail || r->octets != octets)
                fail_msg("%s: segment %zu cut at %zu gives\n%s", t->name, i + 1, split, log);
        }
    }
    log = replay(t, r, SIZE_MAX, 0, true);
    if (strcmp(log, t->expected) != 0 || r->detail != detail || r->octets != octets)
        fail_msg("%s: byte by byte gives\n%s", t->name, log);
}

static void rewrite(struct transcript *t, const char *path, struct replay *r)
{
    const char *log = replay(t, r, SIZE_MAX, 0, false);
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
    static struct replay r;
    const char *folder = SW_SOURCE_DIR "/tests/transcripts";
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    unsigned count = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        size_t len = strlen(entry->d_name);
        if (len < 5 || strcmp(entry->d_name + len - 4, ".txt") != 0 ||
            strcmp(entry->d_name, "CMakeLists.txt") == 0)
            continue;
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        load(&t, path);
        snprintf(t.name, sizeof(t.name), "%.120s", entry->d_name);
        if (getenv("SW_UPDATE"))
            rewrite(&t, path, &r);
        check(&t, &r);
        count++;
    }
    (void)closedir(dir);
    assert_true(count >= 50);
    print_message("%u transcripts\n", count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_transcript)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
