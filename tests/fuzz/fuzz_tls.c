/*
 * fuzz_tls.c - a TLS connection from the input: steps of a byte that tells what follows, one that
 * is a length, and so many bytes: a segment of either side, a gap, or plain text of the last
 * encrypted record. The same bytes in one go and byte by byte must give the same events.
 */
#include "tls/replay.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SERVER = 0x01, GAP = 0x06, INNER = 0x04, LONG = 0x08, LONGEST = 4000 };

static void play(struct tls_replay *r, const uint8_t *data, size_t size, size_t step)
{
    tls_replay_begin(r, size > 0 && (data[0] & 1));
    size_t at = 1;
    uint64_t frame = 1;
    while (at + 2 <= size) {
        uint8_t how = data[at];
        size_t len = (how & LONG) ? data[at + 1] * 8u : data[at + 1];
        enum sw_from from = how & SERVER ? SW_FROM_SERVER : SW_FROM_CLIENT;
        at += 2;
        if ((how & 0x06) == GAP) {
            tls_replay_gap(r, from, len, frame++);
            continue;
        }
        len = len < size - at ? len : size - at;
        struct sw_span bytes = sw_span_make(data + at, len);
        if ((how & 0x06) == INNER && r->open_records[from] == 0)
            tls_replay_inner(r, from, (uint8_t)(20 + (how >> 4 & 3)), bytes);
        else
            for (size_t i = 0; i < len; i += step)
                tls_replay_feed(r, from, sw_span_sub(bytes, i, step), frame);
        at += len;
        frame++;
    }
    tls_replay_end(r, frame);
    if (r->broken)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_replay whole, other;
    if (size > LONGEST)
        return 0;
    play(&whole, data, size, LONGEST);
    play(&other, data, size, size > 0 ? 1 + data[0] / 2 : 1);
    if (whole.used != other.used || memcmp(whole.log, other.log, whole.used) != 0 ||
        whole.detail != other.detail)
        abort();
    play(&other, data, size, 1);
    if (whole.used != other.used || memcmp(whole.log, other.log, whole.used) != 0 ||
        whole.detail != other.detail)
        abort();
    return 0;
}
