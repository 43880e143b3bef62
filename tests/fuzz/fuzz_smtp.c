/*
 * fuzz_smtp.c - a whole connection from the input: a list of steps, each a direction and how its
 * bytes are cut, or a gap, or an end. The same bytes in one go, as the input cuts them, and byte by
 * byte must give the same events in every field.
 */
#include "transcripts/replay.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum cut { WHOLE, AS_TOLD, BYTEWISE };

enum { SERVER = 0x01, GAP = 0x3E, FIN = 0x3C, LONGEST = 4000 };

static void feed(struct replay *r, enum sw_from from, struct sw_span bytes, uint64_t frame,
                 size_t step)
{
    for (size_t at = 0; at < bytes.len; at += step)
        replay_feed(r, from, sw_span_sub(bytes, at, step), frame);
}

/* Steps: a byte that tells what it is, one that is a length, then so many bytes. */
static void play(struct replay *r, const uint8_t *data, size_t size, enum cut cut)
{
    replay_begin(r, size > 0 && (data[0] & 1));
    size_t at = 1;
    uint64_t frame = 1;
    while (at + 2 <= size) {
        uint8_t how = data[at];
        size_t len = data[at + 1];
        enum sw_from from = how & SERVER ? SW_FROM_SERVER : SW_FROM_CLIENT;
        at += 2;
        if ((how & 0x3E) == GAP) {
            replay_gap(r, from, len, frame++);
            continue;
        }
        if ((how & 0x3E) == FIN) {
            replay_fin(r, from, frame++);
            continue;
        }
        len = len < size - at ? len : size - at;
        size_t step = cut == WHOLE ? LONGEST : cut == BYTEWISE ? 1 : 1 + (how >> 1 & 31);
        feed(r, from, sw_span_make(data + at, len), frame, step);
        at += len;
        frame++;
    }
    if (replay_end(r, frame) != 0)
        abort();
}

static void compare(const struct replay *a, const struct replay *b)
{
    if (a->used != b->used || memcmp(a->log, b->log, a->used) != 0 || a->detail != b->detail ||
        a->octets != b->octets)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct replay whole, other;
    if (size > LONGEST)
        return 0;
    play(&whole, data, size, WHOLE);
    play(&other, data, size, AS_TOLD);
    compare(&whole, &other);
    play(&other, data, size, BYTEWISE);
    compare(&whole, &other);
    return 0;
}
