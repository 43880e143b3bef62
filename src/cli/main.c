/*
 * main.c - smtpwhy, the program: reads the command line and hands over.
 */
#include "cli/analyse.h"
#include "cli/audit.h"
#include "cli/complain.h"
#include "cli/fleet.h"
#include "cli/help.h"
#include "cli/live.h"
#include "cli/nearest.h"
#include "cli/outputs.h"
#include "cli/tui.h"
#include "smtpwhy.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usage_error(const char *message)
{
    sw_complain("%s", message);
    (void)fputs("Try 'smtpwhy --help'.\n", stderr);
    return SW_EXIT_TROUBLE;
}

/* "smtpwhy analyze x.pcap", "smtpwhy help": a subcommand was meant, and there is no such file. */
static const char *meant_command(const struct sw_settings *settings, const char *first)
{
    enum { SLIPS = 2 };
    const char *word = settings->word_count > 0 ? settings->words[0] : NULL;
    if (word != first || strpbrk(word, "./") || strlen(word) < 4 || access(word, F_OK) == 0)
        return NULL;
    for (int i = 0; i < SW_COMMAND_COUNT; i++) {
        const char *name = sw_command_at((enum sw_command)i)->name;
        if (sw_nearest_distance(word, name) <= SLIPS)
            return name;
    }
    return strcmp(word, "help") == 0 ? "--help" : NULL;
}

static int unknown_topic(const char *topic)
{
    char message[SW_CLI_MESSAGE_BYTES];
    (void)snprintf(message, sizeof(message),
                   "--help knows nothing about '%.40s'; topics are limits, formats, fields and "
                   "policy, or name a subcommand",
                   topic);
    return usage_error(message);
}

static int print_help(const struct sw_settings *settings)
{
    struct sw_writer out;
    sw_writer_open_fd(&out, STDOUT_FILENO);
    if (settings->version && !settings->help)
        sw_writer_format(&out, "smtpwhy %s\n", SMTPWHY_VERSION);
    else if (!settings->help_topic)
        sw_help_print(settings->command, sw_outputs_width(), &out);
    else
        sw_help_topic_find(settings->help_topic)
            ->print(settings->command, sw_outputs_width(), &out);
    bool good = sw_writer_flush(&out);
    sw_writer_release(&out);
    return good ? SW_EXIT_DONE : SW_EXIT_TROUBLE;
}

static int run(const struct sw_settings *settings, const char *first)
{
    char message[SW_CLI_MESSAGE_BYTES];
    if (settings->help_topic && !sw_help_topic_find(settings->help_topic))
        return unknown_topic(settings->help_topic);
    if (settings->help || settings->version)
        return print_help(settings);
    if (settings->command == SW_COMMAND_LIVE)
        return sw_live(settings);
    if (settings->command != SW_COMMAND_ANALYSE && settings->command != SW_COMMAND_AUDIT &&
        settings->command != SW_COMMAND_TUI)
        return sw_explain_command(settings);
    const char *wrong = sw_fleet_contradiction(settings);
    if (wrong)
        return usage_error(wrong);
    if (settings->command == SW_COMMAND_AUDIT)
        return sw_audit_command(settings);
    if (settings->word_count == 0 && settings->store && settings->command == SW_COMMAND_ANALYSE)
        return sw_fleet_send_command(settings);
    if (settings->word_count == 0)
        return usage_error("no capture given; name a FILE, or '-' for standard input");
    if (settings->command == SW_COMMAND_TUI)
        return sw_tui_files(settings);
    const char *meant = meant_command(settings, first);
    if (!meant)
        return sw_analyse(settings);
    (void)snprintf(message, sizeof(message), "there is no file '%.40s'; did you mean 'smtpwhy %s'?",
                   first, meant);
    return usage_error(message);
}

int main(int argc, char **argv)
{
    char message[SW_CLI_MESSAGE_BYTES];
    struct sw_settings settings = {.words = calloc((size_t)argc + 1, sizeof(char *))};
    const char **words = settings.words;
    /* A reader that goes away is an error of the output, not the end of the program. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (!words)
        return usage_error("out of memory");
    int status = sw_options_parse(argc, argv, &settings, message)
                     ? run(&settings, argc > 1 ? argv[1] : NULL)
                     : usage_error(message);
    free(words);
    return status;
}
