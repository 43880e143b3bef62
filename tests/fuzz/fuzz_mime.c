/*
 * fuzz_mime.c - a message from the input: its first byte says how (stuffed or not) and how the rest
 * is cut. In one go, as the input cuts it, and octet by octet must give the same events.
 */
#include "support/mime_log.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void play(struct mime_log *log, uint8_t how, struct sw_span octets, size_t step)
{
    mime_log_begin(log, how & 1);
    for (size_t at = 0; at < octets.len; at += step)
        mime_feed(&log->state, sw_span_sub(octets, at, step), &log->sink);
    if (how & 2)
        mime_gap(&log->state, &log->sink);
    mime_end(&log->state, &log->sink);
    if (!mime_is_done(&log->state))
        abort();
}

static void compare(const struct mime_log *a, const struct mime_log *b)
{
    if (a->used != b->used || a->end_octets != b->end_octets ||
        memcmp(a->text, b->text, a->used) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mime_log whole, other;
    if (size < 1)
        return 0;
    struct sw_span octets = sw_span_make(data + 1, size - 1);
    play(&whole, data[0], octets, size);
    play(&other, data[0], octets, 1 + (size_t)(data[0] >> 2));
    compare(&whole, &other);
    play(&other, data[0], octets, 1);
    compare(&whole, &other);
    return 0;
}
