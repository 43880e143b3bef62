#define _XOPEN_SOURCE 600 /* wcwidth(), and curses with wide characters */
#include "live/tui_state.h"

#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>

enum { ESCAPE = 27, COLUMNS_CUT = 512 };

/* As wide as the narrowest window. */
static const char *const help_lines[] = {
    "Keys",
    "",
    "  up down page-up page-down home end   move (or j k g G)",
    "  left right  where a session is wider than the window",
    "  enter     the session: its ladder, the evidence marked",
    "  tab       its story",
    "  escape q  back; in the list: leave",
    "  /         search for words of host, cause, outcome or",
    "            verdict (enter keeps them, escape does not);",
    "            in a session: for a line, n for the next one",
    "  f         only stuck, partial, ...; or all again",
    "  o O       sort by time, outcome, ...; O: backwards",
    "  p         hold the list still, and let it go on",
    "  w         save its packets (raw: passwords are in it)",
    "  ?         this page",
    "",
    "Stages: D dns  T tcp  G greeting  E ehlo  L tls  A auth",
    "        M mail  R rcpt  D data  Q quit",
    "  + done  x refused or broken  ? no answer seen  . not so far",
};

/* --- drawing --- */

int sw_tui_attributes(enum sw_tui_tone tone)
{
    static const int pairs[] = {[SW_TUI_STUCK] = 1, [SW_TUI_GOOD] = 2, [SW_TUI_MARK] = 3};
    switch (tone) {
    case SW_TUI_PLAIN:
        return A_NORMAL;
    case SW_TUI_BAR:
        return A_REVERSE;
    case SW_TUI_DIM:
        return A_DIM;
    case SW_TUI_STUCK:
    case SW_TUI_MARK:
        return A_BOLD | (has_colors() ? COLOR_PAIR(pairs[tone]) : 0);
    case SW_TUI_GOOD:
        return has_colors() ? COLOR_PAIR(pairs[tone]) : A_NORMAL;
    }
    return A_NORMAL;
}

void sw_tui_put_from(struct sw_tui *tui, int y, int x, int columns, int skipped, int attributes,
                     struct sw_span text)
{
    wchar_t wide[COLUMNS_CUT];
    int count = 0;
    int used = 0;
    sw_writer_clear(&tui->scratch);
    sw_page_escape(&tui->scratch, text, false);
    struct sw_span rest = sw_writer_span(&tui->scratch);
    while (rest.len > 0 && count < COLUMNS_CUT - 1) {
        int32_t c = sw_text_next(&rest);
        int width = c < 0x80 ? 1 : wcwidth((wchar_t)c);
        if (skipped > 0) {
            skipped -= width > 0 ? width : 0;
            continue;
        }
        if (used + (width > 0 ? width : 0) > columns)
            break;
        used += width > 0 ? width : 0;
        wide[count++] = (wchar_t)c;
    }
    wide[count] = L'\0';
    (void)attrset(attributes);
    (void)mvaddnwstr(y, x, wide, count);
    for (; used < columns; used++)
        (void)addch(' ');
    (void)attrset(A_NORMAL);
}

void sw_tui_put(struct sw_tui *tui, int y, int x, int columns, int attributes, struct sw_span text)
{
    sw_tui_put_from(tui, y, x, columns, 0, attributes, text);
}

void sw_tui_bar(struct sw_tui *tui, int y, enum sw_tui_tone tone, const char *text)
{
    sw_tui_put(tui, y, 0, COLS, sw_tui_attributes(tone), sw_span_str(text));
}

void sw_tui_heading(struct sw_tui *tui, const char *before, struct sw_span title, const char *after)
{
    char line[COLUMNS_CUT];
    int left = COLS - (int)strlen(before) - (int)strlen(after);
    title = sw_span_sub(title, 0, left > 0 ? (size_t)left : 0);
    (void)snprintf(line, sizeof(line), "%s%.*s%s", before, (int)title.len, (const char *)title.ptr,
                   after);
    sw_tui_bar(tui, 0, SW_TUI_BAR, line);
}

const char *sw_tui_words_shown(const char *words)
{
    size_t len = strlen(words);
    size_t most = (size_t)COLS / 2;
    return len > most ? words + len - most : words;
}

void sw_tui_item(struct sw_tui_items *items, const char *format, ...)
{
    va_list values;
    size_t most = (size_t)COLS < sizeof(items->text) ? (size_t)COLS : sizeof(items->text) - 1;
    char *place = items->text + items->used;
    va_start(values, format);
    int len = vsnprintf(place, sizeof(items->text) - items->used, format, values);
    va_end(values);
    bool fits = len >= 0 && items->used + (size_t)len <= most;
    items->used += fits ? (size_t)len : 0;
    items->left_out = items->left_out || !fits;
    items->text[items->used] = '\0';
}

static void draw_help(struct sw_tui *tui)
{
    (void)erase();
    for (size_t i = 0; i < sizeof(help_lines) / sizeof(help_lines[0]) && (int)i < LINES - 1; i++)
        sw_tui_put(tui, (int)i, 0, COLS, A_NORMAL, sw_span_str(help_lines[i]));
    sw_tui_bar(tui, LINES - 1, SW_TUI_BAR, " any key goes back");
}

/* In short lines, as it is read where there is little room. */
static void draw_too_small(struct sw_tui *tui)
{
    char line[40];
    (void)erase();
    sw_tui_put(tui, 0, 0, COLS, A_NORMAL, SW_SPAN_LIT("window too small"));
    (void)snprintf(line, sizeof(line), "needed: %dx%d", SW_TUI_LEAST_COLUMNS, SW_TUI_LEAST_LINES);
    sw_tui_put(tui, 1, 0, COLS, A_NORMAL, sw_span_str(line));
    (void)snprintf(line, sizeof(line), "it is: %dx%d", COLS, LINES);
    sw_tui_put(tui, 2, 0, COLS, A_NORMAL, sw_span_str(line));
}

static void draw(struct sw_tui *tui)
{
    if (COLS < SW_TUI_LEAST_COLUMNS || LINES < SW_TUI_LEAST_LINES) {
        draw_too_small(tui);
    } else {
        switch (tui->view) {
        case SW_TUI_LIST:
            sw_tui_list_draw(tui);
            break;
        case SW_TUI_SESSION:
            sw_tui_session_draw(tui);
            break;
        case SW_TUI_HELP:
            draw_help(tui);
            break;
        }
    }
    (void)refresh();
    tui->dirty = false;
}

/* --- keys --- */

static void take_word_key(struct sw_tui *tui, int key)
{
    char *words = tui->view == SW_TUI_SESSION ? tui->sought : tui->words;
    size_t used = strlen(words);
    if (key == ESCAPE)
        words[0] = '\0';
    if (key == ESCAPE || key == '\n' || key == '\r' || key == KEY_ENTER) {
        tui->typing = false;
        if (tui->view == SW_TUI_SESSION && words[0])
            sw_tui_session_key(tui, 'n');
    } else if ((key == KEY_BACKSPACE || key == 127 || key == '\b') && used > 0) {
        words[used - 1] = '\0';
    } else if (key >= ' ' && key < 127 && used + 1 < SW_TUI_WORDS) {
        words[used] = (char)key;
        words[used + 1] = '\0';
    }
    if (tui->view == SW_TUI_LIST)
        sw_tui_list_make(tui);
}

static void save(struct sw_tui *tui)
{
    const struct sw_board_row *row = sw_tui_chosen(tui);
    if (!row || !tui->hooks->save)
        (void)snprintf(tui->said, sizeof(tui->said), "%s",
                       row ? "its packets are not at hand" : "no session is chosen");
    else
        tui->hooks->save(tui->hooks->ctx, row, tui->said, sizeof(tui->said));
}

static void open_help(struct sw_tui *tui)
{
    tui->behind = tui->view;
    tui->view = SW_TUI_HELP;
}

/* Those of the list are gone on with; in a session each search is another one. */
static void begin_words(struct sw_tui *tui)
{
    tui->typing = true;
    if (tui->view == SW_TUI_SESSION)
        tui->sought[0] = '\0';
}

/* False: leave. */
static bool take_key(struct sw_tui *tui, int key)
{
    tui->dirty = true;
    tui->said[0] = '\0';
    if (tui->typing) {
        take_word_key(tui, key);
        return true;
    }
    if (tui->view == SW_TUI_HELP) {
        tui->view = tui->behind;
        return true;
    }
    if (key == 'q' || key == ESCAPE) {
        bool leave = tui->view == SW_TUI_LIST && (key == 'q' || !tui->words[0]);
        if (tui->view == SW_TUI_LIST)
            tui->words[0] = '\0';
        tui->view = SW_TUI_LIST;
        sw_tui_list_make(tui);
        return !leave;
    }
    if (key == '?')
        open_help(tui);
    else if (key == '/')
        begin_words(tui);
    else if (key == 'w')
        save(tui);
    else if (key == KEY_RESIZE)
        (void)clear();
    else if (tui->view == SW_TUI_LIST)
        sw_tui_list_key(tui, key);
    else
        sw_tui_session_key(tui, key);
    return true;
}

bool sw_tui_turn(struct sw_tui *tui)
{
    int key;
    while ((key = getch()) != ERR) {
        if (!take_key(tui, key))
            return false;
    }
    if (tui->view == SW_TUI_LIST && !tui->held && tui->drawn_next != tui->board->next) {
        sw_tui_list_make(tui);
        tui->dirty = true;
    }
    if (tui->dirty)
        draw(tui);
    return true;
}

void sw_tui_say(struct sw_tui *tui, const char *text)
{
    (void)snprintf(tui->said, sizeof(tui->said), "%s", text);
    tui->dirty = true;
}

const struct sw_board_row *sw_tui_chosen(const struct sw_tui *tui)
{
    return sw_board_row(tui->board, tui->chosen);
}

/* --- life --- */

/* What is asked of another process just when the window changes its size is not cut short. */
static void calls_go_on(void)
{
    struct sigaction action;
    if (sigaction(SIGWINCH, NULL, &action) != 0)
        return;
    action.sa_flags |= SA_RESTART;
    (void)sigaction(SIGWINCH, &action, NULL);
}

static void set_up(void)
{
    (void)cbreak();
    (void)noecho();
    (void)nonl();
    (void)keypad(stdscr, TRUE);
    (void)nodelay(stdscr, TRUE);
    (void)curs_set(0);
    (void)set_escdelay(25);
    calls_go_on();
    if (has_colors()) {
        (void)start_color();
        (void)use_default_colors();
        (void)init_pair(1, COLOR_RED, -1);
        (void)init_pair(2, COLOR_BLUE, -1);
        (void)init_pair(3, COLOR_YELLOW, -1);
    }
}

struct sw_tui *sw_tui_open(const struct sw_board *board, const struct sw_tui_hooks *hooks,
                           char *message, size_t room)
{
    if (!sw_tui_terminal(message, room))
        return NULL;
    struct sw_tui *tui = calloc(1, sizeof(*tui));
    uint64_t *found = calloc(SW_BOARD_ROWS, sizeof(*found));
    (void)setlocale(LC_ALL, "");
    SCREEN *screen = tui && found ? newterm(NULL, stdout, stdin) : NULL;
    if (!screen) {
        free(tui);
        free(found);
        (void)snprintf(message, room, "the terminal cannot be set up");
        return NULL;
    }
    *tui = (struct sw_tui){.board = board,
                           .hooks = hooks,
                           .screen = screen,
                           .found = found,
                           .upwards = hooks->newest_first,
                           .dirty = true};
    sw_writer_open_memory(&tui->scratch);
    set_up();
    return tui;
}

void sw_tui_close(struct sw_tui *tui)
{
    if (!tui)
        return;
    (void)endwin();
    delscreen(tui->screen);
    sw_writer_release(&tui->scratch);
    free(tui->found);
    free(tui);
}
