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
    enum sw_tui_view view, behind; /* behind the page of keys */
    bool typing;                   /* words are being typed */
    char words[SW_TUI_WORDS];      /* of the list */
    char sought[SW_TUI_WORDS];     /* in a session; those of the list at first */
    char said[200];                /* the bottom line */
    enum sw_tui_sort sort;
    bool upwards;
    unsigned only; /* its place in the turn of outcomes, 0: all are shown */
    bool held;     /* the list stands still */
    /* the list */
    uint64_t *found; /* numbers of rows, in the order of the screen */
    unsigned found_count;
    uint64_t chosen; /* number of the row, 0: none */
    unsigned top;
    uint64_t drawn_next; /* up to this row it was made */
    /* a session */
    bool told; /* the story in place of the ladder; beside it where there is room */
    unsigned line, line_count;
    unsigned hit; /* the line that was found, from 1; 0: none */
    int shift;    /* columns that are out of sight on the left */
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
/* The same, without its first columns. */
void sw_tui_put_from(struct sw_tui *tui, int y, int x, int columns, int skipped, int attributes,
                     struct sw_span text);
int sw_tui_attributes(enum sw_tui_tone tone);
/* A whole line in a tone, with a text. */
void sw_tui_bar(struct sw_tui *tui, int y, enum sw_tui_tone tone, const char *text);
/* The first line: a title between two texts, cut where there is no room for all. */
void sw_tui_heading(struct sw_tui *tui, const char *before, struct sw_span title,
                    const char *after);
/* The end of the words, where they are too long to be shown whole. */
const char *sw_tui_words_shown(const char *words);
/* A line made of items: each is there as a whole, or where there is no room for it not at all. */
struct sw_tui_items {
    char text[300];
    size_t used;
    bool left_out; /* one that had no room */
};
void sw_tui_item(struct sw_tui_items *items, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const struct sw_board_row *sw_tui_chosen(const struct sw_tui *tui);

#endif
