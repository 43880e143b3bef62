/*
 * run_options.h - what a run gets of the command line.
 */
#ifndef SW_CLI_RUN_OPTIONS_H
#define SW_CLI_RUN_OPTIONS_H

#include "cli/options.h"

/* All but who takes the records and the progress. Strings are borrowed from the settings. */
struct sw_run_options sw_run_options_of(const struct sw_settings *settings);

#endif
