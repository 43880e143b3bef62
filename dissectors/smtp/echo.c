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

struct sw_span smtp_echo_cut(const struct smtp_state *state, struct sw_span line)
{
    if (!smtp_echo_is_possible(state))
        return line;
    size_t shown = line.len; /* each is looked for in the whole line: one may be part of another */
    for (size_t i = 0; i < SMTP_SECRETS; i++) {
        size_t at = find(line, &state->secrets[i]);
        shown = at < shown ? at : shown;
    }
    return sw_span_sub(line, 0, shown);
}
