#include "analyzer/client_code.h"

#define SW_CLIENT(client, code, symbol, message, wire, ...)                                        \
    {client, code, symbol, message, wire, {__VA_ARGS__}},

static const struct sw_client_code codes[] = {
#include "analyzer/client_code_windows.def"

#include "analyzer/client_code_programs.def"

#include "analyzer/client_code_servers.def"

#include "analyzer/client_code_libraries.def"
};

/* A byte for each of those at the end, which no cause lists. */
#undef SW_CLIENT
#define SW_CLIENT(...) 0,
enum {
    CODE_COUNT = sizeof(codes) / sizeof(codes[0]),
    UNLISTED = sizeof((const uint8_t[]){
#include "analyzer/client_code_libraries.def"
    }),
    LISTED = CODE_COUNT - UNLISTED,
};

/*
 * The causes of each row as a set, of which each word stands with that of the other rows: each
 * session that failed looks through all of them, and few are about it.
 */
enum { CAUSE_WORDS = 3 };
_Static_assert(SW_CAUSE_COUNT <= 64 * CAUSE_WORDS, "a bit for each");

#define CAUSE_BIT(word, cause)                                                                     \
    ((cause) == SW_CAUSE_NONE || (cause) / 64 != (word) ? 0 : UINT64_C(1) << (cause) % 64)
#define CAUSE_BITS(w, a, b, c, d, e, f, g, h, i, j, k, l, ...)                                     \
    (CAUSE_BIT(w, a) | CAUSE_BIT(w, b) | CAUSE_BIT(w, c) | CAUSE_BIT(w, d) | CAUSE_BIT(w, e) |     \
     CAUSE_BIT(w, f) | CAUSE_BIT(w, g) | CAUSE_BIT(w, h) | CAUSE_BIT(w, i) | CAUSE_BIT(w, j) |     \
     CAUSE_BIT(w, k) | CAUSE_BIT(w, l))

#undef SW_CLIENT
#define SW_CLIENT(client, code, symbol, message, wire, ...)                                        \
    CAUSE_BITS(WORD, __VA_ARGS__, SW_CAUSE_NONE, SW_CAUSE_NONE, SW_CAUSE_NONE, SW_CAUSE_NONE,      \
               SW_CAUSE_NONE, SW_CAUSE_NONE, SW_CAUSE_NONE, SW_CAUSE_NONE, SW_CAUSE_NONE,          \
               SW_CAUSE_NONE, SW_CAUSE_NONE, SW_CAUSE_NONE),

static const uint64_t cause_bits[CAUSE_WORDS][LISTED] = {
    {
#define WORD 0
#include "analyzer/client_code_windows.def"

#include "analyzer/client_code_programs.def"

#include "analyzer/client_code_servers.def"
#undef WORD
    },
    {
#define WORD 1
#include "analyzer/client_code_windows.def"

#include "analyzer/client_code_programs.def"

#include "analyzer/client_code_servers.def"
#undef WORD
    },
    {
#define WORD 2
#include "analyzer/client_code_windows.def"

#include "analyzer/client_code_programs.def"

#include "analyzer/client_code_servers.def"
#undef WORD
    },
};

/*
 * How well a row fits the words. A number or a name is certain; of the quoted sentences the one of
 * which most is found wins, so their weight is the count of their letters.
 */
enum {
    WEIGHT_VALUE = 5000,  /* 0x800CCC0B in any form */
    WEIGHT_NAME = 4000,   /* smtpSendTimeout, WSAETIMEDOUT */
    WEIGHT_NUMBER = 3000, /* 10060; 35 beside the name of its program */
    LEAST_SENTENCE = 14,
    SHORT_SENTENCE = 8, /* enough when nothing else was asked */
};

bool sw_client_code_listed(const struct sw_client_code *row)
{
    return row < codes + LISTED && strcmp(row->code, "-") != 0;
}

const struct sw_client_code *sw_client_codes(size_t *count)
{
    *count = CODE_COUNT;
    return codes;
}

const struct sw_client_code *sw_client_code_next(enum sw_cause cause,
                                                 const struct sw_client_code *before)
{
    const uint64_t *bits = cause_bits[cause / 64];
    const uint64_t wanted = CAUSE_BIT(cause / 64, cause);
    for (size_t i = before ? (size_t)(before - codes) + 1 : 0; i < LISTED; i++) {
        if ((bits[i] & wanted) && strcmp(codes[i].code, "-") != 0)
            return &codes[i];
    }
    return NULL;
}

static bool is_word_byte(uint8_t c)
{
    return sw_ascii_alpha(c) || sw_ascii_digit(c) || c == '_';
}

/* The next run of letters, digits and underscores of *rest; empty at the end. */
static struct sw_span next_token(struct sw_span *rest)
{
    size_t at = 0;
    while (at < rest->len && !is_word_byte(rest->ptr[at]))
        at++;
    size_t end = at;
    while (end < rest->len && is_word_byte(rest->ptr[end]))
        end++;
    struct sw_span token = sw_span_sub(*rest, at, end - at);
    *rest = sw_span_from(*rest, end);
    return token;
}

static bool read_hex(struct sw_span s, uint32_t *value)
{
    if (s.len > 2 && s.ptr[0] == '0' && sw_ascii_lower(s.ptr[1]) == 'x')
        s = sw_span_from(s, 2);
    if (s.len != 8)
        return false;
    uint32_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = sw_ascii_lower(s.ptr[i]);
        if (!sw_ascii_digit(c) && (c < 'a' || c > 'f'))
            return false;
        v = (v << 4) | (uint32_t)(sw_ascii_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *value = v;
    return true;
}

/* 0x800CCC0B, 800CCC0B, 2148322315 or (with the sign before it) -2146644981. */
static bool read_value(struct sw_span token, bool negative, uint32_t *value)
{
    uint64_t decimal;
    if (sw_span_u64(token, &decimal) && token.len >= 9) {
        uint64_t v = negative ? (UINT64_C(1) << 32) - decimal : decimal;
        *value = (uint32_t)v;
        return decimal <= UINT32_MAX && v >= 0x80000000u && v <= UINT32_MAX;
    }
    return read_hex(token, value) && *value >= 0x80000000u;
}

/* Is the value one of those (or inside the range) that a row's code shows? */
static bool row_has_value(const struct sw_client_code *row, uint32_t value)
{
    struct sw_span rest = sw_span_str(row->code);
    if (!sw_span_starts(rest, SW_SPAN_LIT("0x")))
        return false;
    uint32_t last = 0;
    while (rest.len > 0) {
        const uint8_t *before = rest.ptr;
        struct sw_span token = next_token(&rest);
        uint32_t v;
        if (!read_hex(token, &v))
            continue;
        bool range = token.ptr > before && token.ptr[-1] == '-';
        if (v == value || (range && value >= last && value <= v))
            return true;
        last = v;
    }
    return false;
}

static bool is_number_row(const struct sw_client_code *row)
{
    uint64_t number;
    return sw_span_u64(sw_span_str(row->code), &number);
}

static bool mentions(struct sw_span words, const char *word)
{
    return sw_span_find_nocase(words, sw_span_str(word)) < words.len;
}

/* A small number means something only alone or beside the name of the program that exits with it.
 */
static bool number_means(const struct sw_client_code *row, struct sw_span words,
                         struct sw_span token)
{
    if (token.len >= 5 || sw_span_trim(words).len == token.len)
        return true;
    if (sw_span_starts(sw_span_str(row->client), SW_SPAN_LIT("curl")))
        return mentions(words, "curl");
    return mentions(words, "msmtp") || mentions(words, "sendmail") || mentions(words, "exit");
}

/* Names as in sources: with an underscore, or small letters before a capital. */
static bool looks_like_name(struct sw_span token)
{
    bool joined = false;
    for (size_t i = 1; i < token.len; i++) {
        uint8_t c = token.ptr[i], before = token.ptr[i - 1];
        joined = joined || c == '_' || (c >= 'A' && c <= 'Z' && before >= 'a' && before <= 'z');
    }
    bool capitals = token.ptr[1] >= 'A' && token.ptr[1] <= 'Z'; /* ECONNRESET, not Exception */
    bool winsock = token.len >= 8 && (token.ptr[0] == 'E' || token.ptr[0] == 'W') && capitals;
    return token.len >= 6 && (joined || winsock);
}

/* Does `text` (a code or symbol column) hold the name? "SEC_ERROR_*" holds all that begin so. */
static bool column_has_name(const char *text, struct sw_span name)
{
    struct sw_span rest = sw_span_str(text);
    while (rest.len > 0) {
        struct sw_span token = next_token(&rest);
        if (token.len == 0)
            break;
        bool open = rest.len > 0 && rest.ptr[0] == '*' && token.len >= 6;
        /* elsewhere Windows' names are known without their WSA (ECONNREFUSED) */
        bool winsock = sw_span_starts(token, SW_SPAN_LIT("WSA"));
        if (sw_span_eq_nocase(token, name) ||
            (winsock && sw_span_eq(sw_span_from(token, 3), name)) ||
            (open && sw_span_starts_nocase(name, token)))
            return true;
    }
    return false;
}

static size_t token_weight(const struct sw_client_code *row, struct sw_span words)
{
    struct sw_span rest = words;
    size_t weight = 0;
    while (rest.len > 0) {
        const uint8_t *before = rest.ptr;
        struct sw_span token = next_token(&rest);
        if (token.len == 0)
            break;
        uint32_t value;
        bool negative = token.ptr > before && token.ptr[-1] == '-';
        size_t here = 0;
        if (read_value(token, negative, &value) && row_has_value(row, value))
            here = WEIGHT_VALUE;
        else if (looks_like_name(token) &&
                 (column_has_name(row->code, token) || column_has_name(row->symbol, token)))
            here = WEIGHT_NAME;
        else if (is_number_row(row) && sw_span_eq(token, sw_span_str(row->code)) &&
                 number_means(row, words, token))
            here = WEIGHT_NUMBER;
        weight = here > weight ? here : weight;
    }
    return weight;
}

/* Placeholders of the quoted sentences, besides the ellipsis. */
static const char *const gaps[] = {"\xe2\x80\xa6", "h[ip]:25", "h[ip]", "<command>", "%S",
                                   "%s",           "%d",       "%1",    "%2",        "\"x\"",
                                   "\"",           "'",        "nnn",   "4xx/5xx"};

/* The length of the placeholder at the start of `s`, or 0. */
static size_t gap_length(struct sw_span s)
{
    for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
        if (sw_span_starts(s, sw_span_str(gaps[i])))
            return strlen(gaps[i]);
    }
    return 0;
}

/*
 * Finds the parts of a sentence one after the other in the words. Returns how many letters were
 * found, 0 when a part is missing.
 */
static size_t sentence_weight(struct sw_span sentence, struct sw_span words)
{
    size_t found = 0;
    while (sentence.len > 0) {
        size_t end = 0;
        while (end < sentence.len && gap_length(sw_span_from(sentence, end)) == 0)
            end++;
        struct sw_span part = sw_span_trim(sw_span_sub(sentence, 0, end));
        size_t gap = gap_length(sw_span_from(sentence, end));
        sentence = sw_span_from(sentence, end + gap);
        while (part.len > 0 && (part.ptr[part.len - 1] == ':' || part.ptr[part.len - 1] == '.'))
            part.len--;
        if (part.len < 3)
            continue;
        size_t at = sw_span_find_nocase(words, part);
        if (at >= words.len)
            return 0;
        found += part.len;
        words = sw_span_from(words, at + part.len);
    }
    return found;
}

/* The length up to the next separator of sentences; *skip gets that of the separator. */
static size_t sentence_end(struct sw_span s, size_t *skip)
{
    static const char *const separators[] = {" / ", " - ", ". "};
    size_t end = s.len;
    *skip = 0;
    for (size_t i = 0; i < sizeof(separators) / sizeof(separators[0]); i++) {
        size_t at = sw_span_find_nocase(s, sw_span_str(separators[i]));
        if (at < end) {
            end = at;
            *skip = strlen(separators[i]);
        }
    }
    return end;
}

/* The best of the sentences that a column holds, and how much of it is found; *said becomes it. */
static size_t best_sentence(const char *column, struct sw_span words, struct sw_span *said)
{
    struct sw_span rest = sw_span_str(column);
    size_t best = 0;
    while (rest.len > 0) {
        size_t skip;
        size_t end = sentence_end(rest, &skip);
        struct sw_span sentence = sw_span_sub(rest, 0, end);
        /* qmail-remote begins its reports with Z or D for the queue, which logs leave out */
        if (sentence.len > 2 && sentence.ptr[0] == 'Z' && sw_ascii_alpha(sentence.ptr[1]))
            sentence = sw_span_from(sentence, 1);
        size_t weight = sentence_weight(sentence, words);
        if (weight > best) {
            best = weight;
            *said = sentence;
        }
        rest = sw_span_from(rest, end + skip);
    }
    return best;
}

static size_t column_weight(const char *column, struct sw_span words)
{
    struct sw_span said;
    size_t best = best_sentence(column, words, &said);
    bool whole = best >= SHORT_SENTENCE && best + 4 >= words.len; /* little else was asked */
    return best >= LEAST_SENTENCE || whole ? best : 0;
}

struct sw_span sw_client_code_said(const struct sw_client_code *row, struct sw_span words)
{
    struct sw_span said = sw_span_str(row->code);
    (void)best_sentence(row->code, words, &said);
    return said;
}

size_t sw_client_code_weight(const struct sw_client_code *row, struct sw_span words)
{
    size_t weight = token_weight(row, words);
    if (weight > 0)
        return weight;
    if (words.len > 1 && sw_span_eq_nocase(words, sw_span_str(row->code)))
        return WEIGHT_NAME;
    size_t most = sw_span_starts(sw_span_str(row->symbol), SW_SPAN_LIT("any other"))
                      ? LEAST_SENTENCE /* said before many a more telling sentence */
                      : SIZE_MAX;
    size_t by_code = column_weight(row->code, words);
    size_t by_message = column_weight(row->message, words);
    size_t weight_of_words = by_code > by_message ? by_code : by_message;
    return weight_of_words < most ? weight_of_words : most;
}

const struct sw_client_code *sw_client_code_find(struct sw_span words,
                                                 const struct sw_client_code *before)
{
    size_t limit = before ? sw_client_code_weight(before, words) : SIZE_MAX;
    const struct sw_client_code *best = NULL;
    size_t best_weight = 0;
    for (size_t i = 0; i < CODE_COUNT; i++) {
        size_t weight = sw_client_code_weight(&codes[i], words);
        bool after = weight < limit || (weight == limit && &codes[i] > before);
        if (weight > best_weight && after) {
            best = &codes[i];
            best_weight = weight;
        }
    }
    return best;
}

bool sw_client_code_certain(const struct sw_client_code *row, struct sw_span words)
{
    return sw_client_code_weight(row, words) >= WEIGHT_NUMBER;
}
