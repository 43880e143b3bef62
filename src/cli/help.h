/*
 * help.h - what --help and --version say, made from the tables.
 */
#ifndef SW_CLI_HELP_H
#define SW_CLI_HELP_H

#include "cli/options.h"

/* Usage, subcommands and the options of one subcommand. */
void sw_help_print(enum sw_command command, unsigned width, struct sw_writer *out);
/* --help limits: every cap with its default. */
/* How a policy is written: all rules, scopes and waivers, and the policy that is built in. */
void sw_help_policy(unsigned width, struct sw_writer *out);
void sw_help_limits(unsigned width, struct sw_writer *out);
/* --help options: the table as tab-separated lines, for scripts: letter, name, argument, built,
 * subcommands, help. */
void sw_help_options(struct sw_writer *out);

#endif
