/*
 * analyse.h - the default subcommand: captures in, reports out, an exit status.
 */
#ifndef SW_CLI_ANALYSE_H
#define SW_CLI_ANALYSE_H

#include "cli/options.h"

enum {
    SW_EXIT_DONE = 0,
    SW_EXIT_MATCHED = 1,    /* --fail-on */
    SW_EXIT_TROUBLE = 2,    /* usage, or an input or output that failed as a whole */
    SW_EXIT_INCOMPLETE = 3, /* damage, drops, limits */
};

/* Analyses the files of the settings; messages go to standard error. Returns the exit status. */
int sw_analyse(const struct sw_settings *settings);
/* The subcommands explain, causes and findings. */
int sw_explain_command(const struct sw_settings *settings);

#endif
