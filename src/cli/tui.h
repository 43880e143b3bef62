/*
 * tui.h - the subcommand tui: the terminal view on saved captures.
 */
#ifndef SW_CLI_TUI_H
#define SW_CLI_TUI_H

#include "cli/options.h"
#include "report/board.h"

/* Messages go to standard error. Returns the exit status. */
int sw_tui_files(const struct sw_settings *settings);
/* Which packets are those of a session. */
struct sw_session_key sw_tui_key(const struct sw_board_row *row);
/* Of live traffic: why none of them could be saved. */
const char *sw_tui_why_none(const struct sw_settings *settings);

#endif
