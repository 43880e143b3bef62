/*
 * audit.h - the subcommand audit: captures in, one judgement out.
 */
#ifndef SW_CLI_AUDIT_H
#define SW_CLI_AUDIT_H

#include "cli/options.h"

/* Audits the files of the settings; messages go to standard error. Returns the exit status. */
int sw_audit_command(const struct sw_settings *settings);

#endif
