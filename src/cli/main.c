/*
 * main.c - smtpwhy, the program: reads the command line and hands over.
 */
#include "cli/analyse.h"
#include "cli/audit.h"
#include "cli/complain.h"
#include "cli/fleet.h"
#include "cli/help.h"
#include "cli/live.h"
#include "cli/outputs.h"
#include "cli/tui.h"
#include "smtpwhy.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int usage_error(const char *message)
{
    sw_complain("%s\nTry 'smtpwhy --help'.", message);
    return SW_EXIT_TROUBLE;
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
        sw_help_topic_find(settings->help_topic)->print(sw_outputs_width(), &out);
    bool good = sw_writer_flush(&out);
    sw_writer_release(&out);
    return good ? SW_EXIT_DONE : SW_EXIT_TROUBLE;
}

static int run(const struct sw_settings *settings)
{
    if (settings->help_topic && !sw_help_topic_find(settings->help_topic))
        return usage_error("--help knows the topics limits, formats, fields, policy and options");
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
    return sw_analyse(settings);
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
    int status =
        sw_options_parse(argc, argv, &settings, message) ? run(&settings) : usage_error(message);
    free(words);
    return status;
}
