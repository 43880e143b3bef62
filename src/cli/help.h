/*
 * help.h - what --help and --version say, made from the tables.
 */
#ifndef SW_CLI_HELP_H
#define SW_CLI_HELP_H

#include "cli/options.h"

/* Usage, subcommands and the options of one subcommand. */
void sw_help_print(enum sw_command command, unsigned width, struct sw_writer *out);
/* A page behind --help TOPIC. */
struct sw_help_topic {
    const char *name;
    void (*print)(enum sw_command command, unsigned width, struct sw_writer *out);
};

/*
 * The index-th topic, NULL behind the last: limits (every cap with its default), formats (those of
 * the subcommand), policy
 * (how one is written, and the one that is built in), fields (of the flat formats, as a table in
 * Markdown), options (tab-separated lines, for scripts: letter, name, argument, built, subcommands,
 * help).
 */
const struct sw_help_topic *sw_help_topic_at(size_t index);
/* The topic of this name, or NULL. */
const struct sw_help_topic *sw_help_topic_find(const char *name);

#endif
