/*
 * fuzz_decrypt.c - a TLS connection and the keys for it from the input, through the dissector and
 * the decryption.
 *
 * The input: a byte of flags, a key log (two bytes of length, the text), with RSA an RSA key in the
 * same way, and steps: a byte that tells side and kind, two of length, and
 *   RAW     so many bytes of that side, as they come
 *   GAP     so many are missing
 *   SEALED  how (five bytes, below) and so many bytes of plain text, which the fuzzer encrypts with
 *           the secrets of the log: hostile text behind the right keys; or damages afterwards.
 *
 * However the bytes are cut, the same text must come out. What comes out of a record that was
 * sealed here must be what went in, and nothing of one that was damaged. Early data must not come
 * out before something was sealed that can be the word for it.
 */
#include "base/cursor.h"
#include "pipeline/decrypt.h"
#include "seal.h"
#include "source.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MIDSTREAM = 1, RSA = 2 };                    /* flags */
enum { SERVER = 1, KIND = 6, GAP = 2, SEALED = 4 }; /* of a step; another kind is RAW */
enum { LONGEST = 1 << 15, STEPS = 64, EARLY_DATA = 0x2A };

struct run {
    struct sw_decrypt decrypt;
    struct tls_state tls;
    struct tls_sink sink;
    const struct sw_keylog *log;
    uint64_t offset[2];
    uint64_t text; /* a hash over what came out, by side and record */
    uint64_t fed, opened_bytes;
    bool taken; /* the server may have said that it takes early data, or the client that it ends */
    struct {
        bool sealed;
        bool readable; /* and undamaged */
        bool of_text;  /* its content is application data */
        bool early;
        struct sw_span text;
        size_t heard; /* of the text */
    } step[STEPS + 1];
};

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void on_text(struct run *run, const struct tls_event *event)
{
    uint64_t frame = event->begin.frame;
    must(frame <= STEPS);
    run->text = source_hash(run->text ^ frame ^ (uint64_t)event->from << 32, event->bytes.ptr,
                            (uint32_t)event->bytes.len);
    run->opened_bytes += event->bytes.len;
    if (!run->step[frame].sealed)
        return;
    struct sw_span rest = sw_span_from(run->step[frame].text, run->step[frame].heard);
    must(run->step[frame].readable && run->step[frame].of_text);
    must(run->taken || !run->step[frame].early);
    must(sw_span_starts(rest, event->bytes));
    run->step[frame].heard += event->bytes.len;
}

static void on_event(void *ctx, const struct tls_event *event)
{
    struct run *run = ctx;
    sw_decrypt_event(&run->decrypt, &run->tls, event, &run->sink);
    if (event->kind == TLS_EVENT_APPLICATION)
        on_text(run, event);
}

static void feed(struct run *run, enum sw_from from, struct sw_span bytes, uint64_t frame,
                 size_t cut)
{
    for (size_t at = 0; at < bytes.len; at += cut) {
        struct sw_piece piece = {
            .from = from,
            .at = {run->offset[from], frame, (int64_t)frame},
            .bytes = sw_span_sub(bytes, at, cut),
        };
        tls_feed(&run->tls, &piece, &run->sink);
        run->offset[from] += piece.bytes.len;
        run->fed += piece.bytes.len;
    }
}

/* Five bytes: label, updates, sequence number, content, damage (0 = none; else what one byte is
 * changed by, and which one). */
static void sealed(struct run *run, enum sw_from from, struct sw_cursor *in, size_t length,
                   uint64_t frame, size_t cut)
{
    static const enum sw_keylog_label labels[2][3] = {
        {SW_KEYLOG_EARLY, SW_KEYLOG_CLIENT_HANDSHAKE, SW_KEYLOG_CLIENT_TRAFFIC},
        {SW_KEYLOG_EARLY, SW_KEYLOG_SERVER_HANDSHAKE, SW_KEYLOG_SERVER_TRAFFIC},
    };
    uint8_t record[SEAL_RECORD];
    struct seal how = {.side = (int)from, .label = labels[from][sw_cursor_u8(in) % 3]};
    how.updates = sw_cursor_u8(in) % (SEAL_UPDATES + 1);
    how.sequence = sw_cursor_u8(in);
    how.content = sw_cursor_u8(in);
    uint8_t damage = sw_cursor_u8(in);
    struct sw_span text = sw_cursor_take(in, length);
    if (text.len == 0 || text.len > SEAL_TEXT)
        return;
    size_t n = seal_record(&how, &run->decrypt.hello, run->log, text, record);
    if (n == 0)
        return;
    record[n - 1 - (damage * 7u) % n] ^= damage;
    run->step[frame].sealed = true;
    run->step[frame].readable = damage == 0;
    run->step[frame].of_text = how.content == TLS_CONTENT_APPLICATION;
    run->step[frame].text = text;
    const uint8_t *random = run->decrypt.hello.client_random;
    run->step[frame].early =
        how.label == SW_KEYLOG_EARLY && sw_keylog_find(run->log, random, SW_KEYLOG_EARLY).len > 0;
    uint8_t word = from == SW_FROM_SERVER ? EARLY_DATA : TLS_MESSAGE_END_OF_EARLY_DATA;
    run->taken = run->taken ||
                 (how.content == TLS_CONTENT_HANDSHAKE && sw_span_index(text, word) < text.len);
    feed(run, from, sw_span_make(record, n), frame, cut);
}

static void play(struct run *run, struct sw_cursor in, bool midstream,
                 const struct sw_decrypt_keys *keys, size_t cut)
{
    *run = (struct run){.log = keys->log};
    run->sink = (struct tls_sink){on_event, run};
    sw_decrypt_init(&run->decrypt, keys);
    tls_init(&run->tls, midstream);
    uint64_t frame = 1;
    for (; in.left > 0 && frame < STEPS; frame++) {
        uint8_t how = sw_cursor_u8(&in);
        size_t length = sw_cursor_be16(&in);
        enum sw_from from = how & SERVER ? SW_FROM_SERVER : SW_FROM_CLIENT;
        struct sw_at at = {run->offset[from], frame, (int64_t)frame};
        if ((how & KIND) == GAP) {
            tls_gap(&run->tls, from, length, at, &run->sink);
            run->offset[from] += length;
        } else if ((how & KIND) == SEALED) {
            sealed(run, from, &in, length, frame, cut);
        } else {
            feed(run, from, sw_cursor_take(&in, length < in.left ? length : in.left), frame, cut);
        }
    }
    struct sw_at last = {0, frame, (int64_t)frame};
    tls_end(&run->tls, SW_FROM_CLIENT, last, &run->sink);
    tls_end(&run->tls, SW_FROM_SERVER, last, &run->sink);
    must(run->opened_bytes <= run->fed);
}

static void compare(struct run *a, struct run *b)
{
    must(a->text == b->text && a->opened_bytes == b->opened_bytes);
    must(a->decrypt.opened == b->decrypt.opened && a->decrypt.wrong == b->decrypt.wrong);
    must(a->decrypt.in_keylog == b->decrypt.in_keylog);
    sw_decrypt_release(&b->decrypt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run whole;
    static struct run cut;
    if (size > LONGEST)
        return 0;
    struct sw_cursor in = sw_cursor_make(sw_span_make(data, size));
    struct sw_keylog_counts counts = {0};
    uint8_t flags = sw_cursor_u8(&in);
    struct sw_keylog *log = sw_keylog_new();
    must(log != NULL);
    sw_keylog_add(log, sw_cursor_take(&in, sw_cursor_be16(&in)), &counts);
    struct sw_rsa_key *rsa = NULL;
    if (flags & RSA) {
        char message[256];
        struct sw_span pem = sw_cursor_take(&in, sw_cursor_be16(&in));
        rsa = sw_rsa_key_read(source_file(pem), message, sizeof(message));
    }
    const struct sw_decrypt_keys keys = {log, rsa};
    play(&whole, in, flags & MIDSTREAM, &keys, LONGEST);
    play(&cut, in, flags & MIDSTREAM, &keys, 1u + flags / 4u);
    compare(&whole, &cut);
    sw_decrypt_release(&whole.decrypt);
    sw_rsa_key_free(rsa);
    sw_keylog_free(log);
    return 0;
}
