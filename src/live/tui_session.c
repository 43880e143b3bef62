/*
 * tui_session.c - one session in full: its ladder with the evidence marked, and its story, beside
 * each other where there is room.
 */
#include "live/tui_state.h"

enum { TEXT_COLUMNS = 78, BESIDE_COLUMNS = 2 * TEXT_COLUMNS + 1, SHIFT = 10 };

static unsigned body_lines(void)
{
    return (unsigned)LINES - 2;
}

/* The n-th line, or an empty one. */
static struct sw_span line_at(struct sw_span text, unsigned n)
{
    for (; n > 0; n--)
        text = sw_span_from(text, sw_span_index(text, '\n') + 1);
    return sw_span_sub(text, 0, sw_span_index(text, '\n'));
}

static unsigned count_lines(struct sw_span text)
{
    unsigned count = 0;
    for (; text.len > 0; count++)
        text = sw_span_from(text, sw_span_index(text, '\n') + 1);
    return count;
}

/* Evidence is marked in the text, E1 and so on; the tone only makes it easier to find. */
static int tone_of(struct sw_span line, bool hit)
{
    bool proof = line.len > 1 && line.ptr[0] == 'E' && sw_ascii_digit(line.ptr[1]);
    return sw_tui_attributes(proof ? SW_TUI_MARK : SW_TUI_PLAIN) |
           sw_tui_attributes(hit ? SW_TUI_BAR : SW_TUI_PLAIN);
}

static struct sw_span shown(const struct sw_tui *tui, const struct sw_board_row *row, bool other)
{
    return tui->told != other ? row->told : row->flow;
}

/* hit: the line that was found, from 1. */
static void draw_text(struct sw_tui *tui, int x, int columns, struct sw_span text, unsigned hit)
{
    for (unsigned i = 0; i < tui->line; i++)
        text = sw_span_from(text, sw_span_index(text, '\n') + 1);
    for (unsigned i = 0; i < body_lines() && text.len > 0; i++) {
        struct sw_span line = sw_span_sub(text, 0, sw_span_index(text, '\n'));
        sw_tui_put_from(tui, 1 + (int)i, x, columns, tui->shift,
                        tone_of(line, tui->line + i + 1 == hit), line);
        text = sw_span_from(text, line.len + 1);
    }
}

static struct sw_span without_folders(struct sw_span path)
{
    size_t slash = path.len;
    while (slash > 0 && path.ptr[slash - 1] != '/')
        slash--;
    return sw_span_from(path, slash);
}

/* So much of a text can be out of sight. */
static int most_shift(void)
{
    return COLS < TEXT_COLUMNS ? TEXT_COLUMNS - COLS : 0;
}

static void list_keys(struct sw_tui_items *line, const struct sw_tui *tui)
{
    if (tui->typing || tui->sought[0])
        sw_tui_item(line, " /%s%s  ", sw_tui_words_shown(tui->sought), tui->typing ? "_" : "");
    sw_tui_item(line, " line %u of %u   / n search  tab %s  q back", tui->line + 1, tui->line_count,
                tui->told ? "ladder" : "story");
    if (most_shift() > 0)
        sw_tui_item(line, "  left right");
    sw_tui_item(line, "  up down");
    sw_tui_item(line, "  w save");
}

void sw_tui_session_draw(struct sw_tui *tui)
{
    const struct sw_board_row *row = sw_tui_chosen(tui);
    struct sw_tui_items line = {.used = 0};
    char before[60], after[80];
    (void)erase();
    if (!row) {
        tui->view = SW_TUI_LIST;
        sw_tui_list_draw(tui);
        return;
    }
    bool beside = COLS >= BESIDE_COLUMNS;
    unsigned others = count_lines(shown(tui, row, true));
    tui->line_count = count_lines(shown(tui, row, false));
    if (beside && others > tui->line_count)
        tui->line_count = others;
    unsigned most = tui->line_count > body_lines() ? tui->line_count - body_lines() : 0;
    tui->line = tui->line < most ? tui->line : most;
    (void)snprintf(before, sizeof(before), " session %llu of ", (unsigned long long)row->number);
    (void)snprintf(after, sizeof(after), "  %s  %s", sw_outcome_name(row->outcome),
                   sw_cause_name(row->cause));
    tui->shift = tui->shift < most_shift() ? tui->shift : most_shift();
    sw_tui_heading(tui, before, without_folders(row->file), after);
    draw_text(tui, 0, beside ? TEXT_COLUMNS : COLS, shown(tui, row, false), tui->hit);
    if (beside)
        draw_text(tui, TEXT_COLUMNS + 1, COLS - TEXT_COLUMNS - 1, shown(tui, row, true), 0);
    list_keys(&line, tui);
    sw_tui_bar(tui, LINES - 1, SW_TUI_BAR, tui->said[0] ? tui->said : line.text);
}

/* The next line that holds the words: behind the one that was found, or from the top of the screen
 * on. */
static void find_next(struct sw_tui *tui, const struct sw_board_row *row)
{
    struct sw_span words = sw_span_str(tui->sought);
    for (unsigned i = tui->hit ? tui->hit : tui->line; words.len > 0 && i < tui->line_count; i++) {
        struct sw_span line = line_at(shown(tui, row, false), i);
        if (sw_span_find_nocase(line, words) < line.len) {
            bool on_screen = i >= tui->line && i < tui->line + body_lines();
            tui->line = on_screen ? tui->line : i;
            tui->hit = i + 1;
            return;
        }
    }
    sw_tui_say(tui, words.len > 0 ? " these words do not come again" : " type / and words first");
}

void sw_tui_session_key(struct sw_tui *tui, int key)
{
    const struct sw_board_row *row = sw_tui_chosen(tui);
    unsigned page = body_lines() - 1;
    if (key != 'n')
        tui->hit = 0; /* what is searched next begins at what is seen then */
    switch (key) {
    case KEY_UP:
    case 'k':
        tui->line -= tui->line > 0;
        break;
    case KEY_DOWN:
    case 'j':
        tui->line++;
        break;
    case KEY_LEFT:
        tui->shift = tui->shift > SHIFT ? tui->shift - SHIFT : 0;
        break;
    case KEY_RIGHT:
        tui->shift += SHIFT;
        break;
    case KEY_PPAGE:
        tui->line = tui->line > page ? tui->line - page : 0;
        break;
    case KEY_NPAGE:
    case ' ':
        tui->line += page;
        break;
    case KEY_HOME:
    case 'g':
        tui->line = 0;
        break;
    case KEY_END:
    case 'G':
        tui->line = tui->line_count;
        break;
    case '\t':
        tui->told = !tui->told;
        tui->line = 0;
        break;
    case 'n':
        if (row)
            find_next(tui, row);
        break;
    default:
        break;
    }
}
