/*
 * tui.h - the terminal view: the list of sessions with how far each came, and a session in full.
 *
 * Invariants: nothing that the wire said reaches the terminal unescaped; no information is in the
 * colour alone; 80 columns and 24 lines are enough. The terminal is given back as it was, however
 * it ends. Life: open, turn whenever a key was pressed or a moment has passed, close.
 */
#ifndef SW_LIVE_TUI_H
#define SW_LIVE_TUI_H

#include "report/board.h"

struct sw_tui;

struct sw_tui_hooks {
    void *ctx;
    const char *title; /* what is looked at */
    const char *none;  /* what is said while there is no session */
    bool newest_first;
    /* Saves the packets of a session; the message says where, or why not. NULL: it cannot be done.
     */
    void (*save)(void *ctx, const struct sw_board_row *row, char *message, size_t room);
};

/* NULL: message says what is wrong with the terminal. Board and hooks are borrowed. */
struct sw_tui *sw_tui_open(const struct sw_board *board, const struct sw_tui_hooks *hooks,
                           char *message, size_t room);
/* Takes the keys that were pressed and draws. False: the user wants to leave. */
bool sw_tui_turn(struct sw_tui *tui);
/* A word for the bottom line. */
void sw_tui_say(struct sw_tui *tui, const char *text);
void sw_tui_close(struct sw_tui *tui);

#endif
