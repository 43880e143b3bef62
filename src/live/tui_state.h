/*
 * tui_state.h - what the terminal view is made of; private to its files: tui.c keys and life,
 * tui_list.c the list, tui_session.c one session.
 */
#ifndef SW_LIVE_TUI_STATE_H
#define SW_LIVE_TUI_STATE_H

#include "live/tui.h"
#include "report/page.h"

#include <curses.h>

enum { SW_TUI_WORDS = 80, SW_TUI_LEAST_COLUMNS = 60, SW_TUI_LEAST_LINES = 12 };

enum sw_tui_sort {
    SW_TUI_BY_TIME,
    SW_TUI_BY_OUTCOME,
    SW_TUI_BY_CAUSE,
    SW_TUI_BY_CLIENT,
    SW_TUI_BY_SERVER,
    SW_TUI_SORTS,
};

enum sw_tui_view { SW_TUI_LIST, SW_TUI_SESSION, SW_TUI_HELP };

/* Attributes by meaning. */
enum sw_tui_tone { SW_TUI_PLAIN, SW_TUI_BAR, SW_TUI_DIM, SW_TUI_STUCK, SW_TUI_GOOD, SW_TUI_MARK };

struct sw_tui {
    const struct sw_board *board;
    const struct sw_tui_hooks *hooks;
    SCREEN *screen;
    enum sw_tui_view view;
    bool typing; /* words are being typed */
    char words[SW_TUI_WORDS];
    char said[200]; /* the bottom line */
    enum sw_tui_sort sort;
    bool upwards;
    int outcome; /* shown only, -1: all */
    bool held;   /* the list stands still */
    uint64_t held_next;
    /* the list */
    uint64_t *found; /* numbers of rows, in the order of the screen */
    unsigned found_count;
    uint64_t chosen; /* number of the row, 0: none */
    unsigned top;
    uint64_t drawn_next; /* up to this row it was made */
    /* a session */
    bool told; /* the story in place of the ladder; beside it where there is room */
    unsigned line, line_count;
    struct sw_writer scratch;
    bool dirty;
};

/* False: message says what is wrong with it. */
bool sw_tui_terminal(char *message, size_t room);
void sw_tui_list_make(struct sw_tui *tui);
void sw_tui_list_draw(struct sw_tui *tui);
void sw_tui_list_key(struct sw_tui *tui, int key);
void sw_tui_session_draw(struct sw_tui *tui);
void sw_tui_session_key(struct sw_tui *tui, int key);
/* The text at a place, escaped, cut to so many columns. */
void sw_tui_put(struct sw_tui *tui, int y, int x, int columns, int attributes, struct sw_span text);
int sw_tui_attributes(enum sw_tui_tone tone);
/* A whole line in a tone, with a text. */
void sw_tui_bar(struct sw_tui *tui, int y, enum sw_tui_tone tone, const char *text);
const struct sw_board_row *sw_tui_chosen(const struct sw_tui *tui);

#endif
