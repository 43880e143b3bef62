/*
 * tui_list.c - the list: filtered, sorted, and what it says of the chosen session.
 */
#include "live/tui_state.h"

#include <stdlib.h>

enum { HEAD_LINES = 2, FOOT_LINES = 5, STAGES_X_FROM_RIGHT = SW_BOARD_STAGES };

static const char *const sort_names[SW_TUI_SORTS] = {"time", "outcome", "cause", "client",
                                                     "server"};
static const char stage_letters[] = "DTGELAMRDQ";
static const char marks[] = {'.', '+', 'x', '?'};

/* The turn of `f` behind "all": what is wanted most comes first. */
static const enum sw_outcome turn[] = {SW_OUTCOME_STUCK, SW_OUTCOME_PARTIAL, SW_OUTCOME_DELIVERED,
                                       SW_OUTCOME_UNKNOWN, SW_OUTCOME_NO_MAIL};
_Static_assert(sizeof(turn) / sizeof(turn[0]) == SW_OUTCOME_COUNT, "every outcome has its turn");

/* The only outcome that is shown, or "all". */
static const char *only_word(const struct sw_tui *tui)
{
    return tui->only ? sw_outcome_name(turn[tui->only - 1]) : "all";
}

static int body_lines(void)
{
    return LINES - HEAD_LINES - FOOT_LINES;
}

/* --- which, and in which order --- */

/* Every word stands somewhere in what the list knows of it. */
static bool has_words(const struct sw_board_row *row, const char *words)
{
    const struct sw_span places[] = {
        sw_span_str(row->client),  sw_span_str(row->server),
        sw_span_str(row->name),    sw_span_str(sw_cause_name(row->cause)),
        sw_span_str(row->summary), sw_span_str(sw_outcome_name(row->outcome)),
    };
    struct sw_span rest = sw_span_str(words);
    for (struct sw_span word = sw_span_word(&rest); word.len > 0; word = sw_span_word(&rest)) {
        bool there = false;
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
            there = there || sw_span_find_nocase(places[i], word) < places[i].len;
        if (!there)
            return false;
    }
    return true;
}

static int compare(const struct sw_board_row *a, const struct sw_board_row *b,
                   enum sw_tui_sort sort)
{
    int order = 0;
    switch (sort) {
    case SW_TUI_BY_OUTCOME:
        order = (a->outcome > b->outcome) - (a->outcome < b->outcome);
        break;
    case SW_TUI_BY_CAUSE:
        order = strcmp(sw_cause_name(a->cause), sw_cause_name(b->cause));
        break;
    case SW_TUI_BY_CLIENT:
        order = strcmp(a->client, b->client);
        break;
    case SW_TUI_BY_SERVER:
        order = strcmp(a->name[0] ? a->name : a->server, b->name[0] ? b->name : b->server);
        break;
    case SW_TUI_BY_TIME:
        order = (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
        break;
    case SW_TUI_SORTS:
        break;
    }
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static bool goes_before(const struct sw_tui *tui, uint64_t a, uint64_t b)
{
    int order = compare(sw_board_row(tui->board, a), sw_board_row(tui->board, b), tui->sort);
    return tui->upwards ? order > 0 : order < 0;
}

/* Merge sort, by halves of growing size: no quadratic case, no recursion. */
static void sort_found(struct sw_tui *tui)
{
    unsigned n = tui->found_count;
    uint64_t *from = tui->found;
    uint64_t *spare = malloc((n ? n : 1) * sizeof(*spare));
    uint64_t *to = spare;
    if (!spare)
        return;
    for (unsigned size = 1; size < n; size *= 2) {
        for (unsigned at = 0; at < n; at += 2 * size) {
            unsigned middle = at + size < n ? at + size : n;
            unsigned end = at + 2 * size < n ? at + 2 * size : n;
            unsigned a = at;
            unsigned b = middle;
            for (unsigned i = at; i < end; i++) {
                bool first = b == end || (a < middle && !goes_before(tui, from[b], from[a]));
                to[i] = first ? from[a++] : from[b++];
            }
        }
        uint64_t *other = from;
        from = to;
        to = other;
    }
    if (from != tui->found)
        memcpy(tui->found, from, n * sizeof(*from));
    free(spare);
}

void sw_tui_list_make(struct sw_tui *tui)
{
    tui->found_count = 0;
    tui->drawn_next = tui->board->next;
    for (uint64_t number = tui->board->first; number < tui->board->next; number++) {
        const struct sw_board_row *row = sw_board_row(tui->board, number);
        bool shown =
            (!tui->only || row->outcome == turn[tui->only - 1]) && has_words(row, tui->words);
        if (shown && tui->found_count < SW_BOARD_ROWS)
            tui->found[tui->found_count++] = number;
    }
    sort_found(tui);
}

/* The place of the chosen row; the nearest that is there becomes the chosen one. */
static unsigned place_of_chosen(struct sw_tui *tui)
{
    unsigned place = 0;
    for (unsigned i = 0; i < tui->found_count; i++) {
        if (tui->found[i] == tui->chosen)
            place = i;
    }
    tui->chosen = tui->found_count > 0 ? tui->found[place] : 0;
    return place;
}

/* --- drawing --- */

static void put_cell(struct sw_tui *tui, int y, int *x, int width, int attributes,
                     struct sw_span text)
{
    sw_tui_put(tui, y, *x, width, attributes, text);
    *x += width;
    (void)attrset(attributes);
    (void)mvaddch(y, (*x)++, ' ');
    (void)attrset(A_NORMAL);
}

static int tone_of(enum sw_outcome outcome)
{
    if (outcome == SW_OUTCOME_STUCK || outcome == SW_OUTCOME_PARTIAL)
        return sw_tui_attributes(SW_TUI_STUCK);
    return sw_tui_attributes(outcome == SW_OUTCOME_DELIVERED ? SW_TUI_GOOD : SW_TUI_PLAIN);
}

/* Names of outcomes that need somebody are in capitals. */
static const char *outcome_word(enum sw_outcome outcome)
{
    if (outcome == SW_OUTCOME_STUCK)
        return "STUCK";
    return outcome == SW_OUTCOME_PARTIAL ? "PARTIAL" : sw_outcome_name(outcome);
}

/* Widths of cause, client and server, for this terminal. */
static void share_columns(int *cause, int *client, int *server)
{
    int left = COLS - (1 + 8 + 1 + 9 + 1 + STAGES_X_FROM_RIGHT + 4);
    *client = 15;
    *cause = (left - *client) * 11 / 20;
    *cause = *cause > 30 ? 30 : *cause;
    *server = left - *cause - *client;
}

/* "192.0.2.7" of "192.0.2.7:25", "2001:db8::7" of "[2001:db8::7]:25". */
static struct sw_span without_port(const char *end)
{
    const char *port = strrchr(end, ':');
    const char *bracket = strrchr(end, ']');
    if (bracket)
        return sw_span_make((const uint8_t *)end + 1, (size_t)(bracket - end) - 1);
    bool bare = !port || strchr(end, ':') != port; /* an IPv6 address without one */
    return sw_span_make((const uint8_t *)end, bare ? strlen(end) : (size_t)(port - end));
}

/* The server's name, or its address; with the port where there is room for all of it. */
static struct sw_span server_word(const struct sw_board_row *row, int width)
{
    if (row->name[0])
        return sw_span_str(row->name);
    return strlen(row->server) <= (size_t)width ? sw_span_str(row->server)
                                                : without_port(row->server);
}

static void draw_row(struct sw_tui *tui, int y, const struct sw_board_row *row, bool chosen)
{
    char time[SW_TIME_TEXT_BYTES];
    char stages[SW_BOARD_STAGES + 1] = "";
    int cause_width, client_width, server_width;
    int base = chosen ? A_REVERSE : A_NORMAL;
    int x = 0;
    share_columns(&cause_width, &client_width, &server_width);
    (void)sw_time_format(row->start_ns, 0, time);
    for (int i = 0; i < SW_BOARD_STAGES; i++)
        stages[i] = marks[row->stages[i].mark];
    (void)attrset(base);
    (void)mvaddch(y, x++, chosen ? '>' : ' ');
    put_cell(tui, y, &x, 8, base, sw_span_make((const uint8_t *)time + 11, 8));
    put_cell(tui, y, &x, 9, base | tone_of(row->outcome), sw_span_str(outcome_word(row->outcome)));
    put_cell(tui, y, &x, cause_width, base, sw_span_str(sw_cause_name(row->cause)));
    put_cell(tui, y, &x, client_width, base, without_port(row->client));
    put_cell(tui, y, &x, server_width, base, server_word(row, server_width));
    sw_tui_put(tui, y, x, COLS - x, base, sw_span_str(stages));
}

static void draw_head(struct sw_tui *tui)
{
    char state[200], kept[40] = "";
    const struct sw_board *board = tui->board;
    const uint64_t *by = board->counts.by_outcome;
    if (board->first > 1)
        (void)snprintf(kept, sizeof(kept), " (the last %llu are here)",
                       (unsigned long long)(board->next - board->first));
    (void)snprintf(
        state, sizeof(state), "%s%s%s  %llu session%s%s, %llu stuck, %llu partial",
        tui->held ? "  HELD" : "", tui->only ? "  only " : "", tui->only ? only_word(tui) : "",
        (unsigned long long)board->counts.sessions, board->counts.sessions == 1 ? "" : "s", kept,
        (unsigned long long)by[SW_OUTCOME_STUCK], (unsigned long long)by[SW_OUTCOME_PARTIAL]);
    sw_tui_heading(tui, " smtpwhy ", sw_span_str(tui->hooks->title), state);
    int cause_width, client_width, server_width;
    int x = 1;
    int bold = A_BOLD;
    share_columns(&cause_width, &client_width, &server_width);
    sw_tui_put(tui, 1, 0, COLS, bold, SW_SPAN_LIT(""));
    put_cell(tui, 1, &x, 8, bold, SW_SPAN_LIT("time"));
    put_cell(tui, 1, &x, 9, bold, SW_SPAN_LIT("outcome"));
    put_cell(tui, 1, &x, cause_width, bold, SW_SPAN_LIT("cause"));
    put_cell(tui, 1, &x, client_width, bold, SW_SPAN_LIT("client"));
    put_cell(tui, 1, &x, server_width, bold, SW_SPAN_LIT("server"));
    sw_tui_put(tui, 1, x, COLS - x, bold, sw_span_str(stage_letters));
}

/* "tcp +12ms greeting +1.2s", "T+12ms G+1.2s": where the session came, and how long each answer
 * took. */
static void list_stages(struct sw_tui_items *line, const struct sw_board_row *row, bool letters)
{
    for (int i = 0; i < SW_BOARD_STAGES; i++) {
        const struct sw_board_cell *cell = &row->stages[i];
        if (cell->mark == SW_BOARD_NOT)
            continue;
        const char letter[] = {stage_letters[i], '\0'};
        const char *name = letters ? letter : sw_board_stage_name((enum sw_board_stage)i);
        const char *gap = line->used > 0 ? " " : "";
        const char *blank = letters ? "" : " ";
        double ms = (double)cell->delay_ns / 1e6;
        if (cell->delay_ns == SW_TIME_NONE)
            sw_tui_item(line, "%s%s%s%c", gap, name, blank, marks[cell->mark]);
        else
            sw_tui_item(line, "%s%s%s%c%.*f%s", gap, name, blank, marks[cell->mark],
                        ms < 10 || ms >= 1000, ms < 1000 ? ms : ms / 1000, ms < 1000 ? "ms" : "s");
    }
}

/* By their names, or where these are too long by the letters of the columns. */
static void draw_stages(struct sw_tui *tui, int y, const struct sw_board_row *row)
{
    struct sw_tui_items named = {.used = 0};
    struct sw_tui_items lettered = {.used = 0};
    list_stages(&named, row, false);
    list_stages(&lettered, row, true);
    sw_tui_put(tui, y, 0, COLS, A_NORMAL, sw_span_str(named.left_out ? lettered.text : named.text));
}

/* The verdict on two lines, broken at a blank. */
static void draw_summary(struct sw_tui *tui, int y, const struct sw_board_row *row)
{
    struct sw_span text = sw_span_str(row->summary);
    size_t cut = text.len < (size_t)COLS ? text.len : (size_t)COLS;
    while (cut < text.len && cut > 0 && text.ptr[cut] != ' ')
        cut--;
    sw_tui_put(tui, y, 0, COLS, A_BOLD, sw_span_sub(text, 0, cut));
    sw_tui_put(tui, y + 1, 0, COLS, A_BOLD, sw_span_trim(sw_span_from(text, cut)));
}

/* What is looked for and what can be done; what matters less has less right to be there. */
static void list_keys(struct sw_tui_items *line, const struct sw_tui *tui)
{
    if (tui->typing || tui->words[0]) {
        sw_tui_item(line, " /%s%s   %u of %llu", sw_tui_words_shown(tui->words),
                    tui->typing ? "_" : "", tui->found_count,
                    (unsigned long long)(tui->board->next - tui->board->first));
        if (tui->only)
            sw_tui_item(line, ", only %s", only_word(tui));
        sw_tui_item(line, tui->typing ? "   enter keeps it, escape forgets it"
                                      : "   / changes it, escape forgets it");
        return;
    }
    sw_tui_item(line, " enter open  / search  ? help  q quit  f %s", only_word(tui));
    sw_tui_item(line, "  o by %s%s", sort_names[tui->sort], tui->upwards ? " (reverse)" : "");
    sw_tui_item(line, "  w save");
    sw_tui_item(line, "  p hold");
}

static void draw_foot(struct sw_tui *tui)
{
    struct sw_tui_items line = {.used = 0};
    list_keys(&line, tui);
    int y = LINES - FOOT_LINES;
    const struct sw_board_row *row = sw_tui_chosen(tui);
    (void)mvhline(y, 0, '-', COLS);
    for (int i = 1; i < FOOT_LINES - 1; i++)
        sw_tui_put(tui, y + i, 0, COLS, A_NORMAL, SW_SPAN_LIT(""));
    if (row) {
        draw_summary(tui, y + 1, row);
        draw_stages(tui, y + 3, row);
    } else {
        sw_tui_put(tui, y + 1, 0, COLS, A_NORMAL,
                   tui->board->counts.sessions > 0 ? SW_SPAN_LIT("No session is like that.")
                                                   : sw_span_str(tui->hooks->none));
    }
    sw_tui_bar(tui, LINES - 1, SW_TUI_BAR, tui->said[0] ? tui->said : line.text);
}

/* The place of the first row of the screen: the chosen one is on it, and no line is left empty. */
static unsigned top_for(unsigned top, unsigned place, unsigned lines, unsigned count)
{
    unsigned last = count > lines ? count - lines : 0;
    top = place < top ? place : top;
    top = place >= top + lines ? place - lines + 1 : top;
    return top < last ? top : last;
}

void sw_tui_list_draw(struct sw_tui *tui)
{
    unsigned lines = (unsigned)body_lines();
    tui->top = top_for(tui->top, place_of_chosen(tui), lines, tui->found_count);
    (void)erase();
    draw_head(tui);
    for (unsigned i = 0; i < lines && tui->top + i < tui->found_count; i++) {
        const struct sw_board_row *row = sw_board_row(tui->board, tui->found[tui->top + i]);
        if (row)
            draw_row(tui, HEAD_LINES + (int)i, row, row->number == tui->chosen);
    }
    draw_foot(tui);
}

/* --- keys --- */

static void move_to(struct sw_tui *tui, long place)
{
    long last = (long)tui->found_count - 1;
    place = place > last ? last : place;
    place = place < 0 ? 0 : place;
    if (tui->found_count > 0)
        tui->chosen = tui->found[place];
}

void sw_tui_list_key(struct sw_tui *tui, int key)
{
    long at = (long)place_of_chosen(tui);
    switch (key) {
    case KEY_UP:
    case 'k':
        move_to(tui, at - 1);
        break;
    case KEY_DOWN:
    case 'j':
        move_to(tui, at + 1);
        break;
    case KEY_PPAGE:
        move_to(tui, at - body_lines());
        break;
    case KEY_NPAGE:
        move_to(tui, at + body_lines());
        break;
    case KEY_HOME:
    case 'g':
        move_to(tui, 0);
        break;
    case KEY_END:
    case 'G':
        move_to(tui, (long)tui->found_count);
        break;
    case 'f':
        tui->only = (tui->only + 1) % (SW_OUTCOME_COUNT + 1);
        sw_tui_list_make(tui);
        break;
    case 'o':
        tui->sort = (tui->sort + 1) % SW_TUI_SORTS;
        sw_tui_list_make(tui);
        break;
    case 'O':
        tui->upwards = !tui->upwards;
        sw_tui_list_make(tui);
        break;
    case 'p':
        tui->held = !tui->held;
        break;
    case '\n':
    case '\r':
    case KEY_ENTER:
        tui->view = tui->found_count > 0 ? SW_TUI_SESSION : SW_TUI_LIST;
        tui->line = tui->hit = 0;
        memcpy(tui->sought, tui->words, sizeof(tui->sought));
        break;
    default:
        break;
    }
}
