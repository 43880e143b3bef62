/*
 * text.h - wire text made safe to show, and the line assembler.
 *
 * Everything the wire can say passes sw_text_next() (or the escapers built on it) before a person
 * or a machine reads it.
 */
#ifndef SW_BASE_TEXT_H
#define SW_BASE_TEXT_H

#include "base/span.h"

/*
 * Decodes the next UTF-8 character of *rest and moves on. Returns its code point, or -1 for one
 * byte that is not valid UTF-8 (RFC 3629: overlong forms, surrogates and values over U+10FFFF are
 * not). *rest must not be empty.
 */
int32_t sw_text_next(struct sw_span *rest);

/* True when the whole span is valid UTF-8. */
bool sw_text_is_utf8(struct sw_span s);

/*
 * True for characters that must not reach a terminal or a page as they are: C0 and C1 controls,
 * DEL, and the bidirectional and invisible formatting characters that can make text lie.
 */
bool sw_text_is_unsafe(int32_t code_point);

/* Writes a code point (0 to 0x10FFFF) as UTF-8; returns the number of bytes, 1 to 4. */
size_t sw_text_put_utf8(int32_t code_point, uint8_t out[4]);

/*
 * Lends blocks, so that a parser without memory of its own can keep an unfinished line. lend()
 * gives one of n_bytes, or NULL when the budget is used up. It takes the line's `block` (of
 * `before` bytes; NULL: the line has none) for it and moves what is in it; with NULL it stays as it
 * was. take_back() gets a block of n_bytes again. It may hold a secret: the lender wipes it.
 */
struct sw_lender {
    uint8_t *(*lend)(void *ctx, uint8_t *block, size_t before, size_t n_bytes);
    void (*take_back)(void *ctx, uint8_t *block, size_t n_bytes);
    void *ctx;
};

enum {
    SW_LINE_BYTES = 4096, /* what is kept of one unfinished line; the rest is counted, not kept */
    SW_LINE_FIRST_BYTES = 128, /* the first block: most lines are cut after a few bytes */
};

/* How a line ended. */
enum sw_line_end {
    SW_LINE_CRLF,
    SW_LINE_LF,     /* a lone LF */
    SW_LINE_CRCRLF, /* more than one CR before the LF */
    SW_LINE_OPEN,   /* cut by a gap or by the end of the stream */
};

/* One line without its end. `text` is borrowed until the next call on the same assembler. */
struct sw_line {
    struct sw_span text;
    uint64_t length; /* of the whole line without its end; more than text.len when it was cut */
    enum sw_line_end end;
    bool bare_cr;    /* a CR inside the line that no LF follows */
    bool plain;      /* surely whole, ended by CRLF, without a control character below 14 */
    uint64_t offset; /* stream offset of the first byte */
};

/* Assembles lines of one direction over any chunking. All zero but `lender` is the initial state.
 */
struct sw_lines {
    const struct sw_lender *lender;
    uint8_t *block;  /* borrowed while a line is unfinished */
    uint32_t kept;   /* bytes in the block, */
    uint32_t room;   /* of so many */
    uint64_t length; /* bytes of the unfinished line so far */
    uint64_t start;  /* its stream offset */
    bool last_cr;    /* the byte before was a CR */
    bool bare_cr;
    bool open; /* a line has begun */
};

/*
 * Takes bytes from *chunk up to and including the next LF. Returns true when a line is complete:
 * *line is filled and *chunk, *offset moved behind its LF. Returns false when the chunk is used up:
 * its bytes are kept (copied to a lent block). A line inside one chunk is never copied.
 */
bool sw_lines_next(struct sw_lines *lines, struct sw_span *chunk, uint64_t *offset,
                   struct sw_line *line);
/* What there is of an unfinished line (end = SW_LINE_OPEN), or false when there is none. Ends that
 * line. */
bool sw_lines_flush(struct sw_lines *lines, struct sw_line *line);
/* Forgets an unfinished line and gives the block back. Call it before the owner is freed. */
void sw_lines_clear(struct sw_lines *lines);

#endif
