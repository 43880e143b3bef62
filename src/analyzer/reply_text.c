#include "analyzer/reply_text.h"

#include "analyzer/enhanced.h"

void sw_reply_text_init(struct sw_reply_text *t, struct sw_span text)
{
    *t = (struct sw_reply_text){
        .text = sw_span_sub(text, 0, SW_REPLY_TEXT_MAX_BYTES),
        .line_start = true,
        .token_start = true,
        .blank = true,
    };
}

/* Latin-1 letters 0xC0 .. 0xFF as plain ones; '?' where there is none. */
static const char latin1[] = "aaaaaaaceeeeiiiidnooooo?ouuuuytsaaaaaaaceeeeiiiidnooooo?ouuuuyty";

/* The Polish, Czech and kindred letters of U+0100 .. U+017F. */
static char fold_latin_a(unsigned code)
{
    static const struct {
        uint16_t first, last;
        char plain;
    } runs[] = {
        {0x100, 0x105, 'a'}, {0x106, 0x10d, 'c'}, {0x10e, 0x111, 'd'}, {0x112, 0x11b, 'e'},
        {0x11c, 0x123, 'g'}, {0x124, 0x127, 'h'}, {0x128, 0x131, 'i'}, {0x134, 0x135, 'j'},
        {0x136, 0x138, 'k'}, {0x139, 0x142, 'l'}, {0x143, 0x14b, 'n'}, {0x14c, 0x151, 'o'},
        {0x154, 0x159, 'r'}, {0x15a, 0x161, 's'}, {0x162, 0x167, 't'}, {0x168, 0x173, 'u'},
        {0x174, 0x175, 'w'}, {0x176, 0x178, 'y'}, {0x179, 0x17e, 'z'},
    };
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        if (code >= runs[i].first && code <= runs[i].last)
            return runs[i].plain;
    }
    return '?';
}

/*
 * The letters of U+0410 .. U+042F and U+0430 .. U+044F, in the usual romanisation; "" for the two
 * signs, which stand for no sound.
 */
static const char cyrillic[32][3] = {"a",  "b",  "v",  "g",  "d", "e", "zh", "z", "i",  "y", "k",
                                     "l",  "m",  "n",  "o",  "p", "r", "s",  "t", "u",  "f", "kh",
                                     "ts", "ch", "sh", "sh", "",  "y", "",   "e", "yu", "ya"};

static const char *fold_cyrillic(unsigned code)
{
    if (code >= 0x410 && code <= 0x44F)
        return cyrillic[(code - 0x410) % 32];
    switch (code) {
    case 0x401:
    case 0x451:
    case 0x404:
    case 0x454:
        return "e";
    case 0x406:
    case 0x456:
    case 0x407:
    case 0x457:
        return "i";
    case 0x490:
    case 0x491:
        return "g";
    default:
        return "?";
    }
}

static bool is_continuation(struct sw_span s, size_t at)
{
    return at < s.len && (s.ptr[at] & 0xC0) == 0x80;
}

/* Quotation marks and blanks of U+2000 .. U+207F that mean an ASCII one. */
static char fold_punctuation(uint8_t last)
{
    switch (last) {
    case 0x98:
    case 0x99:
        return '\'';
    case 0x9c:
    case 0x9d:
    case 0x9e:
        return '"';
    case 0x90:
    case 0x91:
    case 0x92:
    case 0x93:
    case 0x94:
        return '-';
    default:
        return last <= 0x8a || last == 0xaf ? ' ' : '?';
    }
}

/* Folds the character at t->at, which is not ASCII, and moves behind it; 0: it gives nothing. */
static uint8_t fold_wide(struct sw_reply_text *t)
{
    struct sw_span s = t->text;
    uint8_t lead = s.ptr[t->at++];
    if ((lead & 0xE0) == 0xC0 && is_continuation(s, t->at)) {
        unsigned code = ((lead & 0x1Fu) << 6) | (s.ptr[t->at++] & 0x3Fu);
        if (code == 0xA0)
            return ' ';
        if (code == 0xDF)
            t->pending[0] = 's';
        if (code >= 0xC0 && code <= 0xFF)
            return (uint8_t)latin1[code - 0xC0];
        if (code >= 0x400 && code <= 0x52F) {
            const char *letters = fold_cyrillic(code);
            t->pending[0] = letters[0] ? (uint8_t)letters[1] : 0;
            return (uint8_t)letters[0];
        }
        return code >= 0x100 && code < 0x180 ? (uint8_t)fold_latin_a(code) : '?';
    }
    if (lead == 0xE2 && is_continuation(s, t->at) && is_continuation(s, t->at + 1)) {
        bool general = s.ptr[t->at] == 0x80;
        uint8_t last = s.ptr[t->at + 1];
        t->at += 2;
        return general ? (uint8_t)fold_punctuation(last) : '?';
    }
    if (lead >= 0xE3 && lead <= 0xEF && is_continuation(s, t->at) &&
        is_continuation(s, t->at + 1)) {
        t->pending[0] = s.ptr[t->at++];
        t->pending[1] = s.ptr[t->at++];
        return lead;
    }
    if (lead == 0xA0)
        return ' ';
    if (lead == 0xDF)
        t->pending[0] = 's';
    return lead >= 0xC0 ? (uint8_t)latin1[lead - 0xC0] : lead;
}

/* Servers repeat the code on every line of a reply; it is no part of the sentence. */
static void skip_enhanced(struct sw_reply_text *t)
{
    struct sw_enhanced code;
    size_t length = sw_enhanced_parse(sw_span_from(t->text, t->at), &code);
    size_t behind = t->at + length;
    if (length > 0 && (behind == t->text.len || t->text.ptr[behind] == ' '))
        t->at = behind;
    t->line_start = false;
}

/* What ends a mail address where replies show one. */
static bool is_separator(uint8_t c)
{
    return c <= ' ' || c == '<' || c == '>' || c == '(' || c == ')' || c == '"' || c == '\'' ||
           c == ',' || c == ';' || c == ':' || c == '[' || c == ']' || c == '=';
}

/* Behind the mail address that begins at t->at, or t->at when none does. */
static size_t address_end(const struct sw_reply_text *t)
{
    size_t end = t->at, sign = t->text.len;
    while (end < t->text.len && !is_separator(t->text.ptr[end])) {
        if (t->text.ptr[end] == '@')
            sign = end;
        end++;
    }
    return sign < end && sign > t->at ? end : t->at;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

#define PLAIN(c) [c] = (c)
#define LETTER(lower) [lower] = (lower), [(lower)-32] = (lower)

/* All that is neither a separator nor a blank. */
const uint8_t sw_reply_text_letters[256] = {
    LETTER('a'), LETTER('b'), LETTER('c'), LETTER('d'), LETTER('e'), LETTER('f'), LETTER('g'),
    LETTER('h'), LETTER('i'), LETTER('j'), LETTER('k'), LETTER('l'), LETTER('m'), LETTER('n'),
    LETTER('o'), LETTER('p'), LETTER('q'), LETTER('r'), LETTER('s'), LETTER('t'), LETTER('u'),
    LETTER('v'), LETTER('w'), LETTER('x'), LETTER('y'), LETTER('z'), PLAIN('0'),  PLAIN('1'),
    PLAIN('2'),  PLAIN('3'),  PLAIN('4'),  PLAIN('5'),  PLAIN('6'),  PLAIN('7'),  PLAIN('8'),
    PLAIN('9'),  PLAIN('!'),  PLAIN('#'),  PLAIN('$'),  PLAIN('%'),  PLAIN('&'),  PLAIN('*'),
    PLAIN('+'),  PLAIN('-'),  PLAIN('.'),  PLAIN('/'),  PLAIN('?'),  PLAIN('@'),  PLAIN('\\'),
    PLAIN('^'),  PLAIN('_'),  PLAIN('`'),  PLAIN('{'),  PLAIN('|'),  PLAIN('}'),  PLAIN('~'),
};

int sw_reply_text_look(struct sw_reply_text *t)
{
    if (t->pending[0]) {
        uint8_t c = t->pending[0];
        t->pending[0] = t->pending[1];
        t->pending[1] = 0;
        t->in_word = t->pending[0] == 0 && !t->line_start && !t->token_start;
        return c;
    }
    while (t->at < t->text.len) {
        if (t->line_start)
            skip_enhanced(t);
        if (t->at >= t->text.len)
            break;
        t->offset = t->at;
        size_t behind = t->token_start ? address_end(t) : t->at;
        t->token_start = false;
        if (behind > t->at) {
            t->at = t->end = behind;
            t->blank = false;
            t->in_word = true;
            return '@';
        }
        uint8_t c = t->text.ptr[t->at];
        t->line_start = c == '\n';
        t->token_start = is_separator(c);
        if (c < 0x80)
            t->at++;
        else
            c = fold_wide(t);
        t->end = t->at;
        t->in_word = t->pending[0] == 0 && !t->line_start && !t->token_start;
        bool blank = is_blank(c);
        if ((blank && t->blank) || c == 0)
            continue;
        t->blank = blank;
        return blank ? ' ' : sw_ascii_lower(c);
    }
    return -1;
}
