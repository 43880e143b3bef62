/*
 * queue.c - commands that are not answered yet, oldest first (RFC 2920 3.1: replies come in the
 * order of the commands).
 *
 * Kept as runs: a group of MAIL, a hundred RCPT and DATA takes three entries.
 */
#include "dissectors/smtp/internal.h"

static struct smtp_pending *run_at(struct smtp_state *state, uint16_t i)
{
    return &state->queue[(state->queue_head + i) % SMTP_QUEUE];
}

bool smtp_queue_push(struct smtp_state *state, uint32_t id, enum smtp_verb verb, uint32_t flags)
{
    uint8_t kept = (uint8_t)(flags & (SMTP_FLAG_LAST | SMTP_FLAG_GUESSED));
    bool waits = state->queue_len == 0 || smtp_queue_at_greeting(state);
    state->pipelines = state->pipelines || !waits;
    state->sent_last = (uint8_t)verb;
    if (state->queue_lost > 0) { /* order is everything: what is behind the lost ones is lost too */
        state->queue_lost++;
        return false;
    }
    if (state->queue_len > 0) {
        struct smtp_pending *last = run_at(state, (uint16_t)(state->queue_len - 1));
        if (last->verb == verb && last->flags == kept && last->id + last->count == id &&
            last->count < UINT16_MAX) {
            last->count++;
            return true;
        }
    }
    if (state->queue_len == SMTP_QUEUE) {
        state->queue_lost++;
        return false;
    }
    *run_at(state, state->queue_len++) = (struct smtp_pending){id, 1, (uint8_t)verb, kept};
    return true;
}

bool smtp_queue_first(const struct smtp_state *state, struct smtp_pending *first)
{
    if (state->queue_len == 0)
        return false;
    *first = state->queue[state->queue_head];
    return true;
}

void smtp_queue_pop(struct smtp_state *state)
{
    struct smtp_pending *first = run_at(state, 0);
    first->id++;
    if (--first->count > 0)
        return;
    state->queue_head = (uint16_t)((state->queue_head + 1) % SMTP_QUEUE);
    if (--state->queue_len == 0)
        state->queue_head = 0; /* the same few entries, again and again: the others stay cold */
}

uint32_t smtp_queue_count_of(const struct smtp_state *state, enum smtp_verb verb)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < state->queue_len; i++) {
        const struct smtp_pending *run = &state->queue[(state->queue_head + i) % SMTP_QUEUE];
        count += run->verb == verb ? run->count : 0;
    }
    return count;
}

uint32_t smtp_queue_count(const struct smtp_state *state)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < state->queue_len; i++)
        count += state->queue[(state->queue_head + i) % SMTP_QUEUE].count;
    return count;
}

uint32_t smtp_queue_before(const struct smtp_state *state, enum smtp_verb verb)
{
    uint32_t before = 0;
    for (uint16_t i = 0; i < state->queue_len; i++) {
        const struct smtp_pending *run = &state->queue[(state->queue_head + i) % SMTP_QUEUE];
        if (run->verb == verb)
            return before;
        before += run->count;
    }
    return UINT32_MAX;
}

void smtp_queue_clear(struct smtp_state *state)
{
    state->queue_head = 0;
    state->queue_len = 0;
    state->queue_lost = 0;
}

bool smtp_queue_at_greeting(const struct smtp_state *state)
{
    return state->queue_len > 0 && state->queue[state->queue_head].verb == SMTP_VERB_NONE;
}
