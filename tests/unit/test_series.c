/* Names of captures that one recorder wrote one after the other. */
#include "pipeline/series.h"
#include "smtpwhy.h"
#include "support/saved.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { FILES_MAX = 8 };

static bool same_series(const char *a, const char *b)
{
    struct sw_series_name first;
    struct sw_series_name second;
    sw_series_parse(a, &first);
    sw_series_parse(b, &second);
    return first.counts && second.counts && strcmp(first.key, second.key) == 0;
}

struct pair {
    const char *a, *b;
    bool same, follows;
};

static void test_names(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"d/mail.pcap", "d/mail.pcap1", true, true},
        {"mail.pcap1", "mail.pcap2", true, true},
        {"mail.pcap9", "mail.pcap10", true, true},
        {"mail.pcap1", "mail.pcap3", true, false},
        {"mail.pcap2", "mail.pcap1", true, false},
        {"mail.pcap09", "mail.pcap00", true, true}, /* a ring begins again */
        {"mail.pcap1.gz", "mail.pcap2.gz", true, true},
        {"mail.pcapng4", "mail.pcapng5", true, true},
        {"mail.pcap1", "mail.pcapng2", false, false},
        {"mail.pcap1", "other.pcap2", false, false},
        {"a/mail.pcap1", "b/mail.pcap2", false, false},
        {"mail1.pcap", "mail2.pcap", false, false}, /* anybody's numbers */
        {"mail1", "mail2", false, false},
        {"x_00001_20260101120000.pcapng", "x_00002_20260101130000.pcapng", true, true},
        {"x_00001_20260101120000.pcapng", "x_00003_20260101130000.pcapng", true, false},
        {"x_20260101120000_00001.pcapng", "x_20260101130000_00002.pcapng", true, true},
        {"x_00001_20260101120000.pcapng.gz", "x_00002_20260101130000.pcapng.gz", true, true},
        {"x_00001_20260101120000.pcapng", "y_00002_20260101130000.pcapng", false, false},
        {"m-2026-01-01_12:00:00.pcap", "m-2026-01-01_13:00:00.pcap", true, false},
        {"m-120000.pcap", "m-120000.pcap1", true, true}, /* -G and -C */
        {"m-120000.pcap1", "m-130000.pcap", true, false},
        {"m-12000.pcap", "m-13000.pcap", false, false}, /* no time has five digits */
        {"m-1767225600.pcap", "m-1767229200.pcap", true, false},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (same_series(pairs[i].a, pairs[i].b) != pairs[i].same)
            fail_msg("%s and %s: not %d", pairs[i].a, pairs[i].b, pairs[i].same);
        if (sw_series_follows(pairs[i].a, pairs[i].b) != pairs[i].follows)
            fail_msg("%s follows %s: not %d", pairs[i].b, pairs[i].a, pairs[i].follows);
    }
}

static void test_long_name(void **state)
{
    (void)state;
    char path[3000];
    struct sw_series_name name;
    memset(path, 'a', sizeof(path));
    (void)snprintf(path + 2900, 100, ".pcap1");
    sw_series_parse(path, &name);
    assert_false(name.counts);
}

/* Files in a directory of their own; what sw_series_find() makes of them, as one text. */
struct folder {
    char at[64];
    char paths[FILES_MAX][128];
    const char *list[FILES_MAX];
    unsigned count;
};

static void begin(struct folder *f)
{
    *f = (struct folder){.count = 0};
    (void)snprintf(f->at, sizeof(f->at), "/tmp/smtpwhy-series-XXXXXX");
    assert_non_null(mkdtemp(f->at));
}

/* A capture whose only frame was seen at that second; 0: without frames. */
static void put(struct folder *f, const char *name, uint32_t seconds)
{
    struct saved *s = saved_new();
    saved_pcap(s, 0xA1B2C3D4, 65535, 1);
    if (seconds > 0)
        saved_record(s, seconds, 0, 60, 60, 'a');
    char path[sizeof(f->paths[0])];
    (void)snprintf(path, sizeof(path), "%s/%s", f->at, name);
    memcpy(f->paths[f->count], path, sizeof(path));
    f->list[f->count] = f->paths[f->count];
    f->count++;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(s->bytes, 1, s->len, file), s->len);
    assert_int_equal(fclose(file), 0);
    free(s);
}

static void assert_found(struct folder *f, const char *expected)
{
    char text[512] = "";
    unsigned count = 0;
    struct sw_series *series = sw_series_find(f->list, f->count, &count);
    assert_non_null(series);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned p = 0; p < series[i].count; p++) {
            const char *path = series[i].paths[p];
            const char *slash = strrchr(path, '/');
            size_t used = strlen(text);
            (void)snprintf(text + used, sizeof(text) - used, "%s%s", slash ? slash + 1 : path,
                           p + 1 < series[i].count ? " " : "\n");
        }
    }
    sw_series_free(series);
    assert_string_equal(text, expected);
    for (unsigned i = 0; i < f->count; i++)
        (void)unlink(f->list[i]);
    (void)rmdir(f->at);
}

static void test_order_is_that_of_time(void **state)
{
    (void)state;
    struct folder f;
    begin(&f);
    put(&f, "other.pcap", 7);
    put(&f, "mail.pcap2", 30);
    put(&f, "mail.pcap10", 90);
    put(&f, "more.pcap", 8);
    put(&f, "mail.pcap", 10);
    put(&f, "mail.pcap1", 20);
    assert_found(&f, "other.pcap\nmail.pcap mail.pcap1 mail.pcap2 mail.pcap10\nmore.pcap\n");
}

static void test_ring_that_began_again(void **state)
{
    (void)state;
    struct folder f;
    begin(&f);
    put(&f, "mail.pcap0", 40);
    put(&f, "mail.pcap1", 20);
    put(&f, "mail.pcap2", 30);
    assert_found(&f, "mail.pcap1 mail.pcap2 mail.pcap0\n");
}

static void test_what_is_no_part_of_it(void **state)
{
    (void)state;
    struct folder f;
    begin(&f);
    put(&f, "mail.pcap", 10);
    put(&f, "mail.pcap1", 0);
    put(&f, "mail.pcap2", 30);
    f.list[f.count++] = f.list[0]; /* named twice */
    f.list[f.count++] = "-";
    f.list[f.count++] = "/nowhere/mail.pcap3";
    assert_found(&f, "mail.pcap mail.pcap2\nmail.pcap1\nmail.pcap\n-\nmail.pcap3\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_order_is_that_of_time),
        cmocka_unit_test(test_ring_that_began_again),
        cmocka_unit_test(test_what_is_no_part_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
