/*
 * analyse.h - the default subcommand: captures in, reports out, an exit status.
 */
#ifndef SW_CLI_ANALYSE_H
#define SW_CLI_ANALYSE_H

#include "cli/options.h"
#include "cli/outputs.h"

enum {
    SW_EXIT_DONE = 0,
    SW_EXIT_MATCHED = 1,    /* --fail-on */
    SW_EXIT_TROUBLE = 2,    /* usage, or an input or output that failed as a whole */
    SW_EXIT_INCOMPLETE = 3, /* damage, drops, limits */
};

/* Gets every record besides the reports: one at a time, though on any thread; in no fixed order
 * where several captures are read side by side. */
struct sw_tap {
    void (*record)(void *ctx, const struct sw_record *record);
    void *ctx;
};

/* Analyses the files of the settings; messages go to standard error. Returns the exit status. */
int sw_analyse(const struct sw_settings *settings);
/* The same into outputs that are open already (there may be none), and the tap (may be NULL). */
int sw_analyse_into(const struct sw_settings *settings, struct sw_outputs *outputs,
                    const struct sw_tap *tap);
/* The subcommands explain, causes and findings. */
int sw_explain_command(const struct sw_settings *settings);

#endif
