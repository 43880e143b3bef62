#include "report/page.h"

#include "base/text.h"

void sw_page_open(struct sw_page *page, struct sw_writer *out, unsigned width, bool color)
{
    *page = (struct sw_page){.out = out, .width = width, .color = color};
    sw_writer_open_memory(&page->safe);
}

void sw_page_release(struct sw_page *page)
{
    sw_writer_release(&page->safe);
}

void sw_page_escape(struct sw_writer *to, struct sw_span text, bool keep_lines)
{
    while (text.len > 0) {
        uint8_t first = text.ptr[0];
        int32_t c = sw_text_next(&text);
        if (c < 0)
            sw_writer_format(to, "\\x%02x", first);
        else if (c == '\n' && keep_lines)
            sw_writer_char(to, '\n');
        else if (c == '\n' || c == '\t')
            sw_writer_char(to, ' ');
        else if (!sw_text_is_unsafe(c))
            sw_writer_code_point(to, c);
        else if (c < 0x80)
            sw_writer_format(to, "\\x%02x", (unsigned)c);
        else
            sw_writer_format(to, "\\u%04x", (unsigned)c);
    }
}

static void begin_tone(struct sw_page *page, enum sw_tone tone)
{
    static const char *const codes[] = {
        [SW_TONE_PLAIN] = "",        [SW_TONE_BOLD] = "\033[1m",   [SW_TONE_DIM] = "\033[2m",
        [SW_TONE_GOOD] = "\033[32m", [SW_TONE_BAD] = "\033[1;31m", [SW_TONE_WARN] = "\033[33m",
        [SW_TONE_NOTE] = "\033[36m",
    };
    if (page->color)
        sw_writer_text(page->out, codes[tone]);
}

static void end_tone(struct sw_page *page, enum sw_tone tone)
{
    if (page->color && tone != SW_TONE_PLAIN)
        sw_writer_text(page->out, "\033[0m");
}

void sw_page_put(struct sw_page *page, enum sw_tone tone, struct sw_span text)
{
    begin_tone(page, tone);
    sw_page_escape(page->out, text, false);
    end_tone(page, tone);
}

void sw_page_text(struct sw_page *page, enum sw_tone tone, const char *text)
{
    sw_page_put(page, tone, sw_span_str(text));
}

/* Characters of a safe text; every one counts as one column. */
static size_t count_columns(struct sw_span safe)
{
    size_t n = 0;
    for (size_t i = 0; i < safe.len; i++) {
        if ((safe.ptr[i] & 0xC0) != 0x80)
            n++;
    }
    return n;
}

size_t sw_page_columns(struct sw_page *page, struct sw_span text)
{
    sw_writer_clear(&page->safe);
    sw_page_escape(&page->safe, text, false);
    return count_columns(sw_writer_span(&page->safe));
}

void sw_page_newline(struct sw_page *page)
{
    sw_writer_char(page->out, '\n');
}

/* Bytes of the first `columns` characters. */
static size_t bytes_of(struct sw_span safe, size_t columns)
{
    size_t i = 0;
    while (i < safe.len) {
        if ((safe.ptr[i] & 0xC0) != 0x80 && columns-- == 0)
            break;
        i++;
    }
    return i;
}

/* How much of one line (without LF) fits into `room` columns: up to the last blank, else a hard
 * cut. */
static size_t fit(struct sw_span line, size_t room)
{
    size_t all = bytes_of(line, room);
    if (all >= line.len || line.ptr[all] == ' ')
        return all;
    for (size_t i = all; i > 0; i--) {
        if (line.ptr[i - 1] == ' ')
            return i - 1;
    }
    return all;
}

static struct sw_span without_blanks_behind(struct sw_span line)
{
    while (line.len > 0 && line.ptr[line.len - 1] == ' ')
        line.len--;
    return line;
}

/* No-break spaces have done their work when the lines are made. */
static void put_piece(struct sw_page *page, struct sw_span piece)
{
    struct sw_span no_break = SW_SPAN_LIT(SW_PAGE_NO_BREAK);
    while (piece.len > 0) {
        size_t at = sw_span_find_nocase(piece, no_break);
        sw_writer_put(page->out, sw_span_sub(piece, 0, at));
        sw_writer_text(page->out, at < piece.len ? " " : "");
        piece = sw_span_from(piece, at + no_break.len);
    }
}

static struct sw_span skip_blanks(struct sw_span line)
{
    size_t n = 0;
    while (n < line.len && line.ptr[n] == ' ')
        n++;
    return sw_span_from(line, n);
}

/* One line of the text, wrapped; *first tells whether the indent already stands there. */
static void put_wrapped(struct sw_page *page, struct sw_span line, unsigned hang, enum sw_tone tone,
                        bool *first)
{
    size_t room = page->width > hang + 20 ? page->width - hang : 20;
    do {
        if (!*first)
            sw_writer_repeat(page->out, ' ', hang);
        *first = false;
        size_t n = fit(line, room);
        if (n == 0 && line.len > 0) /* a blank at the very start of a full line */
            n = bytes_of(line, room);
        begin_tone(page, tone);
        put_piece(page, without_blanks_behind(sw_span_sub(line, 0, n)));
        end_tone(page, tone);
        sw_page_newline(page);
        line = skip_blanks(sw_span_from(line, n));
    } while (line.len > 0);
}

void sw_page_wrap(struct sw_page *page, unsigned hang, enum sw_tone tone, struct sw_span text)
{
    sw_writer_clear(&page->safe);
    sw_page_escape(&page->safe, text, true);
    struct sw_span rest = sw_writer_span(&page->safe);
    bool first = true;
    do {
        size_t lf = sw_span_index(rest, '\n');
        put_wrapped(page, sw_span_sub(rest, 0, lf), hang, tone, &first);
        rest = sw_span_from(rest, lf + 1);
    } while (rest.len > 0);
}

void sw_page_paragraph(struct sw_page *page, unsigned indent, const char *label,
                       unsigned label_width, enum sw_tone tone, struct sw_span text)
{
    sw_writer_repeat(page->out, ' ', indent);
    if (label) {
        size_t len = strlen(label);
        sw_page_text(page, SW_TONE_DIM, label);
        sw_writer_repeat(page->out, ' ', len < label_width ? label_width - len : 0);
    }
    sw_page_wrap(page, indent + label_width, tone, text);
}
