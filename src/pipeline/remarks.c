#include "pipeline/remarks.h"

#include "base/base64.h"
#include "base/wipe.h"

#include <stdlib.h>

enum { SHORTEST = 4 }; /* what is shorter stands in every text */

void sw_remarks_clear(struct sw_remark_list *list)
{
    for (unsigned i = 0; i < list->count; i++)
        sw_wipe_free((void *)(uintptr_t)list->texts[i].ptr, list->texts[i].len);
    list->count = 0;
}

void sw_remarks_release(struct sw_remarks *remarks)
{
    sw_remarks_clear(&remarks->of_capture);
    sw_remarks_clear(&remarks->of_frame);
    sw_wipe_free(remarks->secrets, SW_REMARK_SECRETS * sizeof(*remarks->secrets));
    sw_wipe(remarks, sizeof(*remarks));
}

/* As much of a text as is kept, up to the end of a character. */
static size_t fitting(struct sw_span text)
{
    if (text.len <= SW_REMARK_BYTES)
        return text.len;
    size_t len = SW_REMARK_BYTES;
    while (len > 0 && (text.ptr[len] & 0xC0) == 0x80)
        len--;
    return len;
}

void sw_remarks_take(struct sw_remarks *remarks, uint64_t frame, struct sw_span text)
{
    struct sw_remark_list *list = frame == 0 ? &remarks->of_capture : &remarks->of_frame;
    if (text.len == 0 || sw_span_starts(text, SW_SPAN_LIT("smtpwhy E")))
        return;
    remarks->any = true;
    if (frame != 0 && frame != remarks->frame)
        sw_remarks_clear(list);
    if (frame != 0)
        remarks->frame = frame;
    size_t len = fitting(text);
    uint8_t *copy = list->count < SW_REMARKS ? malloc(len) : NULL;
    if (!copy)
        return;
    memcpy(copy, text.ptr, len);
    list->texts[list->count++] = sw_span_make(copy, len);
}

static void add_secret(struct sw_remarks *remarks, struct sw_span secret)
{
    if (secret.len < SHORTEST || secret.len > SW_REMARK_SECRET)
        return;
    for (unsigned i = 0; i < remarks->secret_count; i++) {
        if (sw_span_eq(sw_span_make(remarks->secrets[i].bytes, remarks->secrets[i].length), secret))
            return;
    }
    if (!remarks->secrets)
        remarks->secrets = calloc(SW_REMARK_SECRETS, sizeof(*remarks->secrets));
    if (!remarks->secrets || remarks->secret_count == SW_REMARK_SECRETS)
        return;
    struct sw_remark_secret *s = &remarks->secrets[remarks->secret_count++];
    s->length = (uint8_t)secret.len;
    memcpy(s->bytes, secret.ptr, secret.len);
}

/* A login is base64 of parts between NULs (RFC 4616) or control characters (RFC 7628). */
static void add_decoded(struct sw_remarks *remarks, struct sw_span run)
{
    uint8_t plain[4 * SW_REMARK_SECRET];
    int len = sw_base64_decode(run, plain, sizeof(plain));
    struct sw_span rest = sw_span_make(plain, len > 0 ? (size_t)len : 0);
    while (rest.len > 0) {
        size_t end = 0;
        while (end < rest.len && rest.ptr[end] >= ' ')
            end++;
        add_secret(remarks, sw_span_sub(rest, 0, end));
        rest = sw_span_from(rest, end + 1);
    }
    sw_wipe(plain, sizeof(plain));
}

void sw_remarks_learn(struct sw_remarks *remarks, struct sw_mask *mask,
                      const struct sw_frame *frame)
{
    struct sw_frame shown;
    if (!sw_mask_take(mask, frame, &shown))
        return;
    uint32_t begin = 0;
    bool any = false; /* a byte between `begin` and here is hidden */
    for (uint32_t i = 0; i <= frame->caplen; i++) {
        uint8_t byte = i < frame->caplen ? frame->bytes[i] : 0;
        bool hidden = i < frame->caplen && shown.bytes[i] != byte;
        any = any || hidden;
        if (hidden || byte == 'A' || byte == '=') /* these look the same when they are hidden */
            continue;
        struct sw_span run = sw_span_make(frame->bytes + begin, i - begin);
        if (any && run.len >= SHORTEST) {
            add_secret(remarks, run);
            add_decoded(remarks, run);
        }
        begin = i + 1;
        any = false;
    }
}

/* "CLIENT_RANDOM ...", "SERVER_TRAFFIC_SECRET_0 ...", "RSA Session-ID:...": a line of a key log. */
static bool is_key(struct sw_span line)
{
    struct sw_span word = sw_span_word(&line);
    return sw_span_find_nocase(word, SW_SPAN_LIT("CLIENT_RANDOM")) < word.len ||
           sw_span_find_nocase(word, SW_SPAN_LIT("_SECRET")) < word.len ||
           (sw_span_eq(word, SW_SPAN_LIT("RSA")) && line.len > 0);
}

static size_t without_keys(const uint8_t *from, size_t len, uint8_t *to)
{
    struct sw_span rest = sw_span_make(from, len);
    size_t used = 0;
    while (rest.len > 0) {
        size_t end = sw_span_index(rest, '\n');
        struct sw_span line = sw_span_sub(rest, 0, end < rest.len ? end + 1 : end);
        if (!is_key(line)) {
            memmove(to + used, line.ptr, line.len);
            used += line.len;
        }
        rest = sw_span_from(rest, line.len);
    }
    return used;
}

struct sw_span sw_remarks_clean(struct sw_remarks *remarks, struct sw_span text, bool with_keys)
{
    size_t len = fitting(text);
    memcpy(remarks->text, text.ptr, len);
    if (!with_keys)
        len = without_keys(remarks->text, len, remarks->text);
    for (unsigned i = 0; i < remarks->secret_count; i++) {
        struct sw_span secret = sw_span_make(remarks->secrets[i].bytes, remarks->secrets[i].length);
        for (size_t at = 0; at < len;) {
            at += sw_span_find_nocase(sw_span_make(remarks->text + at, len - at), secret);
            if (at < len)
                memset(remarks->text + at, 'A', secret.len);
        }
    }
    return sw_span_make(remarks->text, len);
}
