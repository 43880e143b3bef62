/*
 * page.h - text for people: wrapped lines with a hanging label, columns counted in characters,
 * colour only as an extra.
 *
 * Invariants: every text given to a page is escaped before it is written (control, bidirectional
 * and invisible characters and bytes that are not UTF-8 become \x1b or \u202e in words), whoever
 * wrote it. No line is longer than the width, but for a single word that has no place to break:
 * that one is cut at the width. Life: open, any of the others, release.
 */
#ifndef SW_REPORT_PAGE_H
#define SW_REPORT_PAGE_H

#include "report/writer.h"

/* Between two words that must stay on one line; comes out as a blank. */
#define SW_PAGE_NO_BREAK "\xc2\xa0"

enum sw_tone {
    SW_TONE_PLAIN,
    SW_TONE_BOLD,
    SW_TONE_DIM,
    SW_TONE_GOOD, /* green */
    SW_TONE_BAD,  /* red */
    SW_TONE_WARN, /* yellow */
    SW_TONE_NOTE, /* cyan */
};

struct sw_page {
    struct sw_writer *out;
    unsigned width;
    bool color;
    struct sw_writer safe; /* the escaped form of the text in work */
};

void sw_page_open(struct sw_page *page, struct sw_writer *out, unsigned width, bool color);
void sw_page_release(struct sw_page *page);

/* A text as it is, escaped, in a tone; no wrapping. */
void sw_page_put(struct sw_page *page, enum sw_tone tone, struct sw_span text);
void sw_page_text(struct sw_page *page, enum sw_tone tone, const char *text);
/* Columns that a text takes when it is put. */
size_t sw_page_columns(struct sw_page *page, struct sw_span text);
void sw_page_newline(struct sw_page *page);

/*
 * A paragraph: `indent` blanks, the label (in DIM, padded to label_width; NULL and 0 for none),
 * then the text wrapped to the width and hanging under its own beginning. LF in the text begins a
 * new line. Ends with a newline.
 */
void sw_page_paragraph(struct sw_page *page, unsigned indent, const char *label,
                       unsigned label_width, enum sw_tone tone, struct sw_span text);

/* Just the wrapped text and its newline; the cursor stands at column `hang` already. */
void sw_page_wrap(struct sw_page *page, unsigned hang, enum sw_tone tone, struct sw_span text);

/* Appends the escaped form of `text` to `to`; LF stays when keep_lines, else it becomes a blank. */
void sw_page_escape(struct sw_writer *to, struct sw_span text, bool keep_lines);

#endif
