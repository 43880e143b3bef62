#include "cli/help.h"

#include "report/field.h"
#include "report/page.h"
#include "smtpwhy.h"

#include <stdio.h>
#include <string.h>

enum { OPTION_COLUMNS = 32, COMMAND_COLUMNS = 12, LIMIT_COLUMNS = 20, FORMAT_COLUMNS = 10 };

static void put_commands(struct sw_page *page)
{
    for (int i = 0; i < SW_COMMAND_COUNT; i++) {
        const struct sw_command_row *row = sw_command_at((enum sw_command)i);
        if (row->built)
            sw_page_paragraph(page, 2, row->name, COMMAND_COLUMNS, SW_TONE_PLAIN,
                              sw_span_str(row->help));
    }
}

static void put_option(struct sw_page *page, const struct sw_option *option)
{
    char left[80];
    char letter[5] = "    ";
    if (option->letter)
        (void)snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    (void)snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name,
                   option->argument ? " " : "", option->argument ? option->argument : "");
    sw_page_paragraph(page, 2, left, OPTION_COLUMNS, SW_TONE_PLAIN, sw_span_str(option->help));
}

static void put_usage(struct sw_page *page, enum sw_command command)
{
    char line[160];
    for (int i = 0; i < SW_COMMAND_COUNT; i++) {
        const struct sw_command_row *row = sw_command_at((enum sw_command)i);
        if (!row->built || (command != SW_COMMAND_ANALYSE && command != (enum sw_command)i))
            continue;
        (void)snprintf(line, sizeof(line), "smtpwhy %s", row->usage);
        sw_page_paragraph(page, 2, NULL, 0, SW_TONE_PLAIN, sw_span_str(line));
    }
}

void sw_help_print(enum sw_command command, unsigned width, struct sw_writer *out)
{
    struct sw_page page;
    const struct sw_option *option;
    const struct sw_command_row *row = sw_command_at(command);
    sw_page_open(&page, out, width, false);
    if (command == SW_COMMAND_ANALYSE)
        sw_writer_text(
            out, "Reads network captures and says for each SMTP session whether the mail left the "
                 "outbox,\nand if not why, who must act, and which frames prove it.\n");
    else
        sw_page_paragraph(&page, 0, row->name, COMMAND_COLUMNS, SW_TONE_PLAIN,
                          sw_span_str(row->help));
    sw_writer_text(out, "\nUsage\n");
    put_usage(&page, command);
    if (command == SW_COMMAND_ANALYSE) {
        sw_writer_text(out, "\nSubcommands\n");
        put_commands(&page);
    }
    sw_writer_text(out, "\nOptions\n");
    for (size_t i = 0; (option = sw_option_at(i)); i++) {
        if (option->built && (option->commands & (1u << command)))
            put_option(&page, option);
    }
    if (command == SW_COMMAND_ANALYSE)
        sw_writer_text(
            out, "\nExit status\n"
                 "  0  done, whatever the verdicts\n"
                 "  1  --fail-on matched, or the policy was broken\n"
                 "  2  usage, an input that could not be read at all, or an output that could not\n"
                 "     be written\n"
                 "  3  analysed, but incomplete: a damaged file, dropped packets, a limit hit,\n"
                 "     a store that has not got everything yet or of which a shard is missing\n");
    if (row->more)
        sw_writer_text(out, row->more);
    sw_page_release(&page);
}

static void print_limits(enum sw_command command, unsigned width, struct sw_writer *out)
{
    (void)command;
    struct sw_page page;
    struct sw_limit_info info;
    sw_page_open(&page, out, width, false);
    sw_writer_text(
        out, "Limits, for --limits NAME=VALUE,... (sizes may end in K, M, G or T, times in s)\n");
    for (size_t i = 0; sw_limit_describe(i, &info); i++) {
        char text[200];
        const char *unit = info.seconds ? "s" : "";
        unsigned long long value = info.fallback;
        for (const char *letter = "KMGT"; info.bytes && *letter && value % 1024 == 0; letter++) {
            value /= 1024;
            unit = letter;
        }
        (void)snprintf(text, sizeof(text), "%llu%.1s  %s", value, unit, info.what);
        sw_page_paragraph(&page, 2, info.name, LIMIT_COLUMNS, SW_TONE_PLAIN, sw_span_str(text));
    }
    sw_page_release(&page);
}

static void print_policy(enum sw_command command, unsigned width, struct sw_writer *out)
{
    (void)command;
    struct sw_page page;
    sw_page_open(&page, out, width, false);
    sw_writer_text(out, "A policy is a text file of sections; '#' begins a comment.\n\n"
                        "  [policy]          name = TITLE\n"
                        "  [rules]           rules for everybody\n"
                        "  [rules TITLE]     rules for those named by client =, server = and user "
                        "=;\n"
                        "                    the last section that fits and names a rule decides\n"
                        "  [waiver TITLE]    what is known and allowed for a time: rule = or "
                        "finding =,\n"
                        "                    until = DATE and reason = are required; client =, "
                        "server = and\n"
                        "                    user = say for whom\n\n"
                        "client takes addresses and networks, server these and names "
                        "(*.example.com), user\nnames; lists have commas. Any rule can be 'off'. "
                        "Rules\n");
    for (int i = 0; i < SW_RULE_COUNT; i++) {
        const struct sw_rule_info *info = sw_rule_info((enum sw_rule)i);
        char left[80];
        (void)snprintf(left, sizeof(left), "%s = %s", info->key, info->example);
        sw_page_paragraph(&page, 2, left, OPTION_COLUMNS, SW_TONE_PLAIN, sw_span_str(info->demand));
    }
    sw_writer_text(out, "\nThe policy that is built in\n\n");
    sw_writer_text(out, sw_policy_default_text());
    sw_page_release(&page);
}

/* The index-th format of all, with its name if the subcommand can write it; false behind the last.
 */
static bool format_at(enum sw_command command, size_t index, const char **name, const char **what)
{
    *name = NULL;
    if (command == SW_COMMAND_AUDIT) {
        const struct sw_audit_format *format = sw_audit_format(index);
        *name = format ? format->name : NULL;
        *what = format ? format->what : NULL;
        return format != NULL;
    }
    const struct sw_report_format *format = sw_report_format(index);
    if (format && sw_command_writes(command, format)) {
        *name = format->name;
        *what = format->what;
    }
    return format != NULL;
}

/* "audit: text, json, junit, html" */
static void put_formats_of(enum sw_command command, struct sw_page *page)
{
    char line[200];
    size_t used = (size_t)snprintf(line, sizeof(line), "%s:", sw_command_at(command)->name);
    const char *name;
    const char *what;
    const char *gap = " ";
    for (size_t i = 0; format_at(command, i, &name, &what) && used < sizeof(line); i++) {
        if (!name)
            continue;
        used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s", gap, name);
        gap = ", ";
    }
    if (gap[0] == ',')
        sw_page_paragraph(page, 2, NULL, 0, SW_TONE_PLAIN, sw_span_str(line));
}

static void print_formats(enum sw_command command, unsigned width, struct sw_writer *out)
{
    struct sw_page page;
    const char *name;
    const char *what;
    if (command == SW_COMMAND_TUI) {
        sw_writer_text(out, "The terminal view has no output formats.\n");
        return;
    }
    sw_page_open(&page, out, width, false);
    sw_writer_text(out, "Output formats, for -o FORMAT[:PATH]\n");
    for (size_t i = 0; format_at(command, i, &name, &what); i++) {
        if (name)
            sw_page_paragraph(&page, 2, name, FORMAT_COLUMNS, SW_TONE_PLAIN, sw_span_str(what));
    }
    if (command == SW_COMMAND_ANALYSE) {
        sw_writer_text(out, "\nThose of the subcommands\n");
        for (int i = SW_COMMAND_ANALYSE + 1; i < SW_COMMAND_COUNT; i++)
            put_formats_of((enum sw_command)i, &page);
    }
    sw_page_release(&page);
}

static void print_fields(enum sw_command command, unsigned width, struct sw_writer *out)
{
    (void)command;
    (void)width;
    sw_field_print(out);
}

static void print_options(enum sw_command command, unsigned width, struct sw_writer *out)
{
    (void)command;
    (void)width;
    const struct sw_option *option;
    for (size_t i = 0; (option = sw_option_at(i)); i++) {
        char letter[2] = {option->letter ? option->letter : '-', '\0'};
        sw_writer_format(out, "%s\t%s\t%s\t%s\t", letter, option->name,
                         option->argument ? option->argument : "-",
                         option->built ? "built" : "later");
        bool first = true;
        for (int c = 0; c < SW_COMMAND_COUNT; c++) {
            if (!(option->commands & (1u << c)))
                continue;
            sw_writer_format(out, "%s%s", first ? "" : ",",
                             sw_command_at((enum sw_command)c)->name);
            first = false;
        }
        sw_writer_format(out, "\t%s\n", option->help);
    }
}

static const struct sw_help_topic topics[] = {
    {"limits", print_limits}, {"formats", print_formats}, {"fields", print_fields},
    {"policy", print_policy}, {"options", print_options},
};

const struct sw_help_topic *sw_help_topic_at(size_t index)
{
    return index < sizeof(topics) / sizeof(topics[0]) ? &topics[index] : NULL;
}

const struct sw_help_topic *sw_help_topic_find(const char *name)
{
    const struct sw_help_topic *topic;
    for (size_t i = 0; (topic = sw_help_topic_at(i)); i++) {
        if (strcmp(topic->name, name) == 0)
            return topic;
    }
    return NULL;
}
