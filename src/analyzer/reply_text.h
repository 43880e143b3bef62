/*
 * reply_text.h - a reply's text as the wordings see it, byte by byte, with the place it came from.
 *
 * Lower case, accents folded to plain letters (UTF-8, and Latin-1 where the bytes are no UTF-8),
 * Cyrillic letters as the Latin ones that sound like them, those of East Asia as they are, curly
 * quotes made straight, runs of blanks and line ends made one blank, an enhanced status code at the
 * start of a line left out, and of a mail address only its '@': "<spam-report@example.org>" says
 * nothing about spam. Nothing is copied or allocated.
 */
#ifndef SW_ANALYZER_REPLY_TEXT_H
#define SW_ANALYZER_REPLY_TEXT_H

#include "base/span.h"

enum { SW_REPLY_TEXT_MAX_BYTES = 65535 };

struct sw_reply_text {
    struct sw_span text;
    size_t at;          /* what comes next */
    size_t offset;      /* where the byte that was given came from */
    size_t end;         /* behind it */
    uint8_t pending[2]; /* what one character gives behind its first byte; 0 = nothing */
    bool line_start;
    bool token_start; /* a separator was read last */
    bool blank;       /* a blank was given last, or nothing yet */
    bool in_word;     /* none of that: a letter that comes next is given as it is, in lower case */
};

/* Starts at the beginning; what is over 64 KiB is left out. */
void sw_reply_text_init(struct sw_reply_text *t, struct sw_span text);
/* What is given for a byte of ASCII inside of a word; 0: it has to be looked at more closely. */
extern const uint8_t sw_reply_text_letters[256];
int sw_reply_text_look(struct sw_reply_text *t);

/* The next byte, or -1 at the end. t->offset and t->end then tell where it stands in the text. */
static inline int sw_reply_text_next(struct sw_reply_text *t)
{
    if (!t->in_word || t->at >= t->text.len)
        return sw_reply_text_look(t);
    uint8_t letter = sw_reply_text_letters[t->text.ptr[t->at]];
    if (letter == 0)
        return sw_reply_text_look(t);
    t->offset = t->at++;
    t->end = t->at;
    t->blank = false;
    return letter;
}

#endif
