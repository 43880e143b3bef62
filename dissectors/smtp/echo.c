/*
 * echo.c - servers quote what they do not understand ('500 unrecognized command: "..."'), and that
 * may be a password. What must not be shown is remembered by length and hash, never itself; a line
 * of the server is cut where it repeats it. Long lines are quoted in part, so that of a long secret
 * only the beginning is looked for.
 */
#include "dissectors/smtp/internal.h"

enum {
    SHORTEST = 6, /* shorter ones would be found in ordinary words */
    LOOKED_FOR = 16,
};

static const uint64_t factor = 0x100000001B3u;

static uint64_t hash_of(struct sw_span s)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < s.len; i++)
        hash = hash * factor + s.ptr[i] + 1;
    return hash;
}

void smtp_echo_remember_whole(struct smtp_state *state, struct sw_span secret)
{
    if (secret.len < SHORTEST)
        return;
    struct sw_span begin = sw_span_sub(secret, 0, LOOKED_FOR);
    state->secrets[state->secret_next++ % SMTP_SECRETS] =
        (struct smtp_secret){hash_of(begin), (uint32_t)begin.len};
}

void smtp_echo_remember(struct smtp_state *state, struct sw_span words)
{
    for (struct sw_span word = sw_span_word(&words); word.len > 0; word = sw_span_word(&words))
        smtp_echo_remember_whole(state, word);
}

/* Index of the first run of bytes with this hash, or s.len. */
static size_t find(struct sw_span s, const struct smtp_secret *secret)
{
    if (secret->length == 0 || secret->length > s.len)
        return s.len;
    uint64_t leaving = 1; /* what the first byte of the run counts */
    for (uint32_t i = 1; i < secret->length; i++)
        leaving *= factor;
    uint64_t hash = hash_of(sw_span_sub(s, 0, secret->length));
    for (size_t at = 0;; at++) {
        if (hash == secret->hash)
            return at;
        if (at + secret->length == s.len)
            return s.len;
        hash = (hash - (s.ptr[at] + 1u) * leaving) * factor + s.ptr[at + secret->length] + 1;
    }
}

/* A run of base64 (RFC 4648 4) that is no word: of those no capital stands behind a small letter.
 */
static bool begins_encoded(struct sw_span text)
{
    enum { LEAST = 8 };
    bool mixed = false;
    size_t n = 0;
    for (; n < text.len; n++) {
        uint8_t c = text.ptr[n];
        bool capital = c >= 'A' && c <= 'Z';
        if (!sw_ascii_alpha(c) && !sw_ascii_digit(c) && c != '+' && c != '/')
            break;
        mixed = mixed || (capital && n > 0 && sw_ascii_upper(text.ptr[n - 1]) != text.ptr[n - 1]);
    }
    return mixed && n >= LEAST;
}

/* How much of a line stands before the login that it quotes, which may have been said in a part of
 * the dialogue that the capture lacks. */
static size_t before_login(struct sw_span line)
{
    size_t at = sw_span_find_nocase(line, SW_SPAN_LIT("AUTH "));
    struct sw_span rest = sw_span_from(line, at + strlen("AUTH "));
    struct sw_span mechanism = sw_span_word(&rest);
    struct sw_span data = sw_span_trim(rest);
    bool login = smtp_mechanism_of(mechanism) != SMTP_MECH_UNKNOWN && begins_encoded(data);
    return login ? (size_t)(data.ptr - line.ptr) : line.len;
}

struct sw_span smtp_echo_cut(const struct smtp_state *state, struct sw_span line)
{
    bool refusal = line.len > 0 && (line.ptr[0] == '4' || line.ptr[0] == '5');
    size_t shown = refusal ? before_login(line) : line.len;
    if (!smtp_echo_is_possible(state))
        return sw_span_sub(line, 0, shown);
    /* each is looked for in the whole line: one may be part of another */
    for (size_t i = 0; i < SMTP_SECRETS; i++) {
        size_t at = find(line, &state->secrets[i]);
        shown = at < shown ? at : shown;
    }
    return sw_span_sub(line, 0, shown);
}
