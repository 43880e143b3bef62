/*
 * tui_terminal.c - is this a terminal that the view can be drawn on? In a file of its own, as the
 * header of terminfo makes macros of everyday words.
 */
#include "live/tui_state.h"

#include <stdlib.h>
#include <term.h>
#include <unistd.h>

bool sw_tui_terminal(char *message, size_t room)
{
    const char *name = getenv("TERM");
    int error = 0;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        (void)snprintf(message, room,
                       "the terminal view needs a terminal on standard input and output; for a "
                       "file or a pipe take the text report");
        return false;
    }
    bool known = name && name[0] && setupterm(name, STDOUT_FILENO, &error) == OK;
    char address[] = "cup";
    const char *moves = known ? tigetstr(address) : NULL;
    if (moves && moves != (char *)-1) /* as terminfo says that it is no text */
        return true;
    (void)snprintf(message, room,
                   "the terminal view needs a terminal whose cursor can be moved, and TERM is "
                   "'%.40s'; take the text report",
                   name ? name : "");
    return false;
}
