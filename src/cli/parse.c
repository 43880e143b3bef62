/*
 * parse.c - reads a command line with the table of options.
 */
#include "cli/help.h"
#include "cli/nearest.h"
#include "cli/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A walk over the arguments. */
struct walk {
    int argc;
    char **argv;
    int at;
    struct sw_settings *settings;
    char *message;
};

static bool refuse(struct walk *walk, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(struct walk *walk, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(walk->message, SW_CLI_MESSAGE_BYTES, format, args);
    va_end(args);
    return false;
}

static const struct sw_option *by_letter(char letter)
{
    const struct sw_option *option;
    for (size_t i = 0; (option = sw_option_at(i)); i++) {
        if (option->letter && option->letter == letter)
            return option;
    }
    return NULL;
}

static const struct sw_option *by_name(struct sw_span name)
{
    const struct sw_option *option;
    for (size_t i = 0; (option = sw_option_at(i)); i++) {
        if (sw_span_eq(sw_span_str(option->name), name))
            return option;
    }
    return NULL;
}

static bool unknown_option(struct walk *walk, const char *name)
{
    const struct sw_option *option;
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; (option = sw_option_at(i)); i++) {
        size_t distance = sw_nearest_distance(name, option->name);
        if (option->built && distance < best) {
            best = distance;
            nearest = option->name;
        }
    }
    if (!nearest || !sw_nearest_is_slip(name, best))
        return refuse(walk, "there is no option --%.60s", name);
    return refuse(walk, "there is no option --%.60s; the nearest is --%s", name, nearest);
}

/* The option is known, but another subcommand's. */
static bool refuse_here(struct walk *walk, const struct sw_option *option, const char *shown)
{
    char others[160] = "";
    size_t used = 0;
    for (int i = 0; i < SW_COMMAND_COUNT && used < sizeof(others); i++) {
        const struct sw_command_row *row = sw_command_at((enum sw_command)i);
        if (row->built && (option->commands & (1u << i)))
            used += (size_t)snprintf(others + used, sizeof(others) - used, "%s'%s'",
                                     used ? ", " : "", row->name);
    }
    return refuse(walk, "%s does not apply to '%s', only to %s", shown,
                  sw_command_at(walk->settings->command)->name, others);
}

/* Hands the value to the option; `shown` is how the option was written. */
static bool apply(struct walk *walk, const struct sw_option *option, const char *shown,
                  const char *value)
{
    if (!option->built)
        return refuse(walk, "%s is not available in this build", shown);
    if (!(option->commands & (1u << walk->settings->command)))
        return refuse_here(walk, option, shown);
    char message[SW_CLI_MESSAGE_BYTES] = "";
    if (option->take(walk->settings, value, message))
        return true;
    bool goes_on = strncmp(message, "takes ", 6) == 0; /* "-j takes a number ..." */
    return refuse(walk, goes_on ? "%s %s" : "%s: %s", shown, message);
}

/* The argument of an option that is written as a word of its own. */
static bool next_value(struct walk *walk, const struct sw_option *option, const char *shown,
                       const char **value)
{
    if (walk->at + 1 >= walk->argc)
        return refuse(walk, "%s needs a value: %s", shown, option->argument);
    *value = walk->argv[++walk->at];
    return true;
}

static bool is_optional(const struct sw_option *option)
{
    return option->argument && option->argument[0] == '[';
}

static bool find_command(const char *word, enum sw_command *command)
{
    for (int i = 0; i < SW_COMMAND_COUNT; i++) {
        *command = (enum sw_command)i;
        if (strcmp(word, sw_command_at(*command)->name) == 0)
            return true;
    }
    return false;
}

/* --help takes the next word, unless it is a file: a topic, or a subcommand, whose help is shown
 * then. */
static const char *optional_value(struct walk *walk)
{
    enum sw_command command;
    if (walk->at + 1 >= walk->argc || walk->argv[walk->at + 1][0] == '-' ||
        strpbrk(walk->argv[walk->at + 1], "./"))
        return NULL;
    const char *word = walk->argv[++walk->at];
    if (!find_command(word, &command))
        return word;
    walk->settings->command = command;
    return NULL;
}

static bool take_long(struct walk *walk)
{
    const char *word = walk->argv[walk->at] + 2;
    struct sw_span name = sw_span_str(word);
    size_t equals = sw_span_index(name, '=');
    const char *value = equals < name.len ? word + equals + 1 : NULL;
    const struct sw_option *option = by_name(sw_span_sub(name, 0, equals));
    char shown[64];
    (void)snprintf(shown, sizeof(shown), "--%.*s", (int)(equals < 60 ? equals : 60), word);
    if (!option)
        return unknown_option(walk, shown + 2);
    if (value && !option->argument)
        return refuse(walk, "%s takes no value", shown);
    if (!option->built)
        return apply(walk, option, shown, NULL);
    if (!value && is_optional(option))
        value = optional_value(walk);
    else if (!value && option->argument && !next_value(walk, option, shown, &value))
        return false;
    return apply(walk, option, shown, value);
}

/* "-2146644981" is no option but the form in which some programs show 0x800CCC0B. */
static bool is_negative_number(const struct walk *walk, const char *word)
{
    return walk->settings->command == SW_COMMAND_EXPLAIN && word[0] == '-' && word[1] >= '0' &&
           word[1] <= '9';
}

/* "-nqv", "-ojson", "-o json". */
static bool take_short(struct walk *walk)
{
    const char *word = walk->argv[walk->at];
    for (size_t i = 1; word[i]; i++) {
        char shown[3] = {'-', word[i], '\0'};
        const struct sw_option *option = by_letter(word[i]);
        if (!option)
            return refuse(walk, "there is no option %s", shown);
        if (!option->argument || !option->built) {
            if (!apply(walk, option, shown, NULL))
                return false;
            continue;
        }
        const char *value = word[i + 1] ? word + i + 1 : NULL;
        if (!value && is_optional(option))
            value = optional_value(walk);
        else if (!value && !next_value(walk, option, shown, &value))
            return false;
        return apply(walk, option, shown, value);
    }
    return true;
}

static bool take_command(struct walk *walk)
{
    enum sw_command command;
    if (walk->argc < 2 || !find_command(walk->argv[1], &command))
        return true;
    if (!sw_command_at(command)->built)
        return refuse(walk, "the subcommand '%s' is not available in this build", walk->argv[1]);
    walk->settings->command = command;
    walk->at = 2;
    return true;
}

/* Those that the subcommand can write. */
static bool formats_are_right(struct walk *walk)
{
    const struct sw_settings *settings = walk->settings;
    for (unsigned i = 0; i < settings->output_count; i++) {
        const struct sw_report_format *format = settings->outputs[i].format;
        if (format && !sw_command_writes(settings->command, format))
            return refuse(walk, "-o %s does not apply to '%s'; %s", format->name,
                          sw_command_at(settings->command)->name,
                          settings->command == SW_COMMAND_LIVE ? "record first, then analyse"
                                                               : "text and json do");
    }
    return true;
}

/* What goes with an output of packets, and what does not. */
static bool packets_are_right(struct walk *walk)
{
    const struct sw_settings *settings = walk->settings;
    bool packets = false;
    for (unsigned i = 0; i < settings->output_count; i++) {
        const struct sw_report_format *format = settings->outputs[i].format;
        if (!format || !format->plan)
            continue;
        packets = true;
        if (settings->anonymize)
            return refuse(walk, "--anonymize and -o %s exclude each other: packets hold addresses",
                          format->name);
        for (unsigned w = 0; w < settings->word_count; w++) {
            if (strcmp(settings->words[w], "-") == 0)
                return refuse(walk,
                              "-o %s reads a capture twice, which standard input does not "
                              "allow; save it to a file first",
                              format->name);
        }
    }
    if (!packets && (settings->keep_keys || settings->keep_credentials))
        return refuse(walk, "--keep-keys and --keep-credentials are about packet output: "
                            "-o pcapng:FILE");
    return true;
}

/* Names of captures; what explain is asked may be anything. */
static bool words_are_right(struct walk *walk)
{
    const struct sw_settings *settings = walk->settings;
    unsigned inputs = 0;
    if (settings->command == SW_COMMAND_EXPLAIN)
        return true;
    for (unsigned i = 0; i < settings->word_count; i++) {
        if (settings->words[i][0] == '\0')
            return refuse(walk, "the name of a file is empty; is a variable of the shell not set?");
        inputs += strcmp(settings->words[i], "-") == 0;
    }
    return inputs < 2 || refuse(walk, "standard input ('-') can be read once only");
}

bool sw_options_parse(int argc, char **argv, struct sw_settings *settings, char *message)
{
    const char **words = settings->words;
    *settings = (struct sw_settings){.command = SW_COMMAND_ANALYSE, .words = words, .jobs = 1};
    struct walk walk = {
        .argc = argc, .argv = argv, .at = 1, .settings = settings, .message = message};
    bool only_words = false;
    if (!take_command(&walk))
        return false;
    for (; walk.at < argc; walk.at++) {
        const char *word = argv[walk.at];
        bool good = true;
        if (only_words || word[0] != '-' || !word[1] || is_negative_number(&walk, word))
            settings->words[settings->word_count++] = word;
        else if (strcmp(word, "--") == 0)
            only_words = true;
        else
            good = word[1] == '-' ? take_long(&walk) : take_short(&walk);
        if (!good)
            return false;
    }
    if (!words_are_right(&walk) || !formats_are_right(&walk) || !packets_are_right(&walk))
        return false;
    if (settings->verbose && settings->quiet)
        return refuse(&walk, "-v and -q exclude each other");
    if (settings->flow && settings->quiet)
        return refuse(&walk, "--flow and -q exclude each other");
    return true;
}
