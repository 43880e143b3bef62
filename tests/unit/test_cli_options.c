/*
 * The command line: the table is sound, and what users type is read right or refused with the right
 * words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/nearest.h"
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

static struct sw_settings settings;
static const char *words[16];
static char message[SW_CLI_MESSAGE_BYTES];

/* Splits a command line at blanks and reads it. */
static bool parse(const char *line)
{
    static char copy[512];
    char *argv[20];
    int argc = 0;
    (void)snprintf(copy, sizeof(copy), "smtpwhy %s", line);
    for (char *at = copy; *at;) {
        argv[argc++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = '\0';
    }
    argv[argc] = NULL;
    settings.words = words;
    message[0] = '\0';
    return sw_options_parse(argc, argv, &settings, message);
}

static void refuses(const char *line, const char *expected)
{
    assert_false(parse(line));
    if (!strstr(message, expected))
        fail_msg("'%s' is refused with '%s', not '%s'", line, message, expected);
}

static void test_table_is_sound(void **state)
{
    (void)state;
    const struct sw_option *a;
    for (size_t i = 0; (a = sw_option_at(i)); i++) {
        const struct sw_option *b;
        assert_non_null(a->help);
        assert_true(a->help[0] && a->commands);
        assert_int_equal(a->built, a->take != NULL);
        for (size_t j = 0; j < i && (b = sw_option_at(j)); j++) {
            assert_string_not_equal(a->name, b->name);
            assert_true(!a->letter || a->letter != b->letter);
        }
    }
    for (int i = 0; i < SW_COMMAND_COUNT; i++)
        assert_non_null(sw_command_at((enum sw_command)i)->name);
}

static void test_files_and_values(void **state)
{
    (void)state;
    assert_true(
        parse("-nv -ojson:out.jsonl -o text a.pcap --filter=tcp -c 10 -r b.pcap - -j 2 -- -x"));
    assert_int_equal(settings.command, SW_COMMAND_ANALYSE);
    assert_int_equal(settings.word_count, 4);
    assert_string_equal(settings.words[0], "a.pcap");
    assert_string_equal(settings.words[1], "b.pcap");
    assert_string_equal(settings.words[2], "-");
    assert_string_equal(settings.words[3], "-x");
    assert_true(settings.no_names && settings.verbose && !settings.quiet);
    assert_int_equal(settings.output_count, 2);
    assert_string_equal(settings.outputs[0].format->name, "json");
    assert_string_equal(settings.outputs[0].path, "out.jsonl");
    assert_null(settings.outputs[1].path);
    assert_string_equal(settings.filter, "tcp");
    assert_int_equal(settings.stop_after_frames, 10);
    assert_int_equal(settings.jobs, 2);
}

static void test_live(void **state)
{
    (void)state;
    assert_true(parse("live -i eth0,eth1 -i any -s 0 -f tcp"));
    assert_int_equal(settings.command, SW_COMMAND_LIVE);
    assert_int_equal(settings.live.device_count, 3);
    assert_string_equal(settings.live.names[1], "eth1");
    assert_string_equal(settings.live.names[2], "any");
    assert_int_equal(settings.live.snaplen_bytes, 0);
    assert_true(parse("live -D"));
    assert_true(settings.live.list_devices);
}

static void test_subcommands(void **state)
{
    (void)state;
    assert_true(parse("explain -o json 0x800CCC0B"));
    assert_int_equal(settings.command, SW_COMMAND_EXPLAIN);
    assert_string_equal(settings.words[0], "0x800CCC0B");
    assert_true(parse("analyse a.pcap"));
    assert_int_equal(settings.word_count, 1);
    assert_true(parse("a.pcap explain"));
    assert_int_equal(settings.command, SW_COMMAND_ANALYSE);
    assert_true(parse("tui FILE"));
    assert_int_equal(settings.command, SW_COMMAND_TUI);
    refuses("explain --filter tcp x", "--filter does not apply to 'explain'");
}

static void test_help_takes_a_topic(void **state)
{
    (void)state;
    assert_true(parse("--help limits"));
    assert_true(settings.help);
    assert_string_equal(settings.help_topic, "limits");
    assert_true(parse("--help a.pcap"));
    assert_null(settings.help_topic);
    assert_true(parse("--help topic"));
    assert_string_equal(settings.help_topic, "topic"); /* which is told that there is none */
    assert_true(parse("--help live"));
    assert_null(settings.help_topic);
    assert_int_equal(settings.command, SW_COMMAND_LIVE);
    assert_true(parse("explain -h"));
    assert_true(settings.help);
}

static void test_mistakes(void **state)
{
    (void)state;
    refuses("--fliter tcp a", "no option --fliter; the nearest is --filter");
    refuses("--zzzzzzzzzzz a", "no option --zzzzzzzzzzz");
    refuses("-Z a", "no option -Z");
    refuses("--store f a", "--store takes http://");
    refuses("--store=http://u:p@h a", "--store: a password does not belong on a command line");
    refuses("-i eth0", "-i does not apply to 'analyse'");
    refuses("live -r FILE -i eth0", "-r does not apply to 'live'");
    refuses("live -i eth0,,eth1", "takes a list of interfaces");
    refuses("live -i eth0,eth0", "named twice");
    refuses("live -i eth0 -s 20", "takes a number of bytes from 96");
    refuses("-o junit a", "only 'audit' has the output format 'junit'; available: text");
    refuses("-o yaml a", "there is no output format 'yaml'; available: text, json");
    refuses("-o json -o text a", "two outputs to 'standard output'");
    refuses("-o json:x -o text:x a", "two outputs to 'x'");
    refuses("-o json: a", "no path");
    refuses("a -o", "-o needs a value: FORMAT[:PATH]");
    refuses("a --output", "--output needs a value");
    refuses("--quiet=1 a", "--quiet takes no value");
    refuses("-c 0 a", "-c takes a number");
    refuses("-c ten a", "-c takes a number");
    refuses("-j 0 a", "-j takes a number from 1");
    refuses("--color sometimes a", "--color takes auto, always or never");
    refuses("--only stuk a", "--only: there is no outcome 'stuk'");
    refuses("--fail-on x a", "--fail-on: nothing to fail on is named 'x'");
    refuses("-v -q a", "-v and -q exclude each other");
}

static void test_distance(void **state)
{
    (void)state;
    assert_int_equal(sw_nearest_distance("filter", "filter"), 0);
    assert_int_equal(sw_nearest_distance("fliter", "filter"), 1);
    assert_int_equal(sw_nearest_distance("", "abc"), 3);
    assert_int_equal(sw_nearest_distance("colour", "color"), 1);
    assert_int_equal(sw_nearest_distance("kitten", "sitting"), 3);
    assert_true(sw_nearest_distance("0123456789012345678901234567890123456789", "x") == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_sound),     cmocka_unit_test(test_files_and_values),
        cmocka_unit_test(test_subcommands),        cmocka_unit_test(test_live),
        cmocka_unit_test(test_help_takes_a_topic), cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
