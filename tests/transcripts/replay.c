#include "replay.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static uint8_t *lend(void *ctx, uint8_t *block, size_t before, size_t n_bytes)
{
    struct replay *r = ctx;
    (void)before;
    r->lent += block ? 0 : 1;
    return realloc(block, n_bytes);
}

static void take_back(void *ctx, uint8_t *block, size_t n_bytes)
{
    struct replay *r = ctx;
    (void)n_bytes;
    r->lent--;
    free(block);
}

static void put(struct replay *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct replay *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(r->log + r->used, sizeof(r->log) - r->used, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < sizeof(r->log) - r->used)
        r->used += (size_t)n;
}

static void put_text(struct replay *r, struct sw_span text)
{
    put(r, " \"");
    for (size_t i = 0; i < text.len && i < 100; i++) {
        uint8_t c = text.ptr[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
            put(r, "%c", c);
        else
            put(r, "\\x%02x", c);
    }
    put(r, text.len > 100 ? "...\"" : "\"");
}

static void put_flags(struct replay *r, uint32_t flags)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } names[] = {{SMTP_FLAG_CUT, "cut"},
                 {SMTP_FLAG_UNSOLICITED, "unsolicited"},
                 {SMTP_FLAG_LAST, "last"},
                 {SMTP_FLAG_PIPELINED, "pipelined"},
                 {SMTP_FLAG_INITIAL, "initial"},
                 {SMTP_FLAG_CANCEL, "cancel"},
                 {SMTP_FLAG_GUESSED, "guessed"},
                 {SMTP_FLAG_UNSURE, "unsure"},
                 {SMTP_FLAG_RECIPIENT, "recipient"},
                 {SMTP_FLAG_EMPTY, "empty"},
                 {SMTP_FLAG_HIDDEN, "hidden"},
                 {SMTP_FLAG_SECRET, "secret"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (flags & names[i].flag)
            put(r, " %s", names[i].name);
    }
}

static const char *odd_name(enum smtp_anomaly anomaly)
{
    static const char *const names[] = {[SMTP_ODD_JUNK_LINE] = "junk-line",
                                        [SMTP_ODD_MIXED_CODES] = "mixed-codes",
                                        [SMTP_ODD_UNTERMINATED_REPLY] = "unterminated-reply",
                                        [SMTP_ODD_BARE_LF] = "bare-lf",
                                        [SMTP_ODD_BARE_CR] = "bare-cr",
                                        [SMTP_ODD_LONG_LINE] = "long-line",
                                        [SMTP_ODD_EARLY_TALKER] = "early-talker",
                                        [SMTP_ODD_AFTER_STARTTLS] = "after-starttls",
                                        [SMTP_ODD_INJECTED_REPLY] = "injected-reply",
                                        [SMTP_ODD_PIPELINED] = "pipelined",
                                        [SMTP_ODD_BAD_BDAT] = "bad-bdat",
                                        [SMTP_ODD_OPAQUE] = "opaque",
                                        [SMTP_ODD_QUEUE_FULL] = "queue-full",
                                        [SMTP_ODD_RESYNC] = "resync",
                                        [SMTP_ODD_FALSE_END] = "false-end",
                                        [SMTP_ODD_NUL] = "nul",
                                        [SMTP_ODD_SMUGGLING] = "smuggling",
                                        [SMTP_ODD_FALSE_END_TAKEN] = "false-end-taken",
                                        [SMTP_ODD_FALSE_END_LAST] = "false-end-last"};
    return names[anomaly];
}

static void put_line(struct replay *r, const struct smtp_event *e)
{
    put(r, "line %03u", e->code);
    put_text(r, e->text);
}

static void put_reply(struct replay *r, const struct smtp_event *e)
{
    put(r, "reply %03u", e->code);
    if (e->enhanced.klass)
        put(r, " %u.%u.%u", e->enhanced.klass, e->enhanced.subject, e->enhanced.detail);
    if (e->verb == SMTP_VERB_NONE && !(e->flags & SMTP_FLAG_UNSOLICITED))
        put(r, " ->greeting");
    else if (e->answers == 0)
        put(r, " ->-");
    else
        put(r, " ->%u %s", e->answers, smtp_verb_name(e->verb));
}

static void put_command(struct replay *r, const struct smtp_event *e)
{
    const char *verb = smtp_verb_name(e->verb);
    put(r, "cmd %u %s", e->id, verb[0] ? verb : e->verb == SMTP_VERB_JUNK ? "(junk)" : "(unknown)");
    if (e->verb == SMTP_VERB_AUTH_DATA) {
        put(r, " %llu octets", (unsigned long long)e->number);
        return;
    }
    put_text(r, e->text);
    if (e->verb == SMTP_VERB_UNKNOWN)
        put_text(r, e->word);
}

/* Octets of a text are written down together, however they were cut. */
static void flush_body(struct replay *r)
{
    if (r->body > 0)
        put(r, "body %llu\n", (unsigned long long)r->body);
    r->body = 0;
}

/* FNV-1a */
static void mix_text(uint64_t *hash, struct sw_span text)
{
    for (size_t i = 0; i < text.len; i++)
        *hash = (*hash ^ text.ptr[i]) * 0x100000001B3u;
}

static void mix(uint64_t *hash, uint64_t value)
{
    mix_text(hash, sw_span_make(&value, sizeof(value)));
}

static void mix_event(struct replay *r, const struct smtp_event *e)
{
    bool octets = e->kind == SMTP_EVENT_BODY && e->text.len > 0;
    mix_text(octets ? &r->octets : &r->detail, e->text);
    if (octets)
        return;
    const uint64_t fields[] = {
        e->kind,
        e->from,
        e->verb,
        e->anomaly,
        e->mechanism,
        e->flags,
        e->id,
        e->answers,
        e->code,
        e->enhanced.klass,
        e->number,
        e->begin.offset,
        e->begin.frame,
        e->end.offset,
        e->end.frame,
        e->text.len,
        e->word.len,
        (uint64_t)e->begin.time_ns,
        (uint64_t)e->end.time_ns,
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        mix(&r->detail, fields[i]);
    mix_text(&r->detail, e->word);
}

/* The password in clear and the part of its base64 that is the same at each of the three offsets.
 */
static void look_for_secret(struct replay *r, const struct smtp_event *e)
{
    static const char *const forms[] = {REPLAY_SECRET, "bGFiLVNlY3JldC00NzEx", "xhYi1TZWNyZXQtNDcx",
                                        "sYWItU2VjcmV0LTQ3MT"};
    for (size_t i = 0; e->kind != SMTP_EVENT_BODY && i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct sw_span form = sw_span_str(forms[i]);
        if (sw_span_find_nocase(e->text, form) < e->text.len ||
            sw_span_find_nocase(e->word, form) < e->word.len)
            r->leaked = true;
    }
}

static void on_event(void *ctx, const struct smtp_event *e)
{
    struct replay *r = ctx;
    char side = e->from == SW_FROM_SERVER ? 'S' : 'C';
    mix_event(r, e);
    look_for_secret(r, e);
    if (e->kind == SMTP_EVENT_BODY && !(e->flags & SMTP_FLAG_CUT)) {
        r->body += e->number;
        return;
    }
    if (e->kind != SMTP_EVENT_ANOMALY)
        flush_body(r);
    switch (e->kind) {
    case SMTP_EVENT_COMMAND:
        put_command(r, e);
        break;
    case SMTP_EVENT_REPLY_LINE:
        put_line(r, e);
        break;
    case SMTP_EVENT_REPLY:
        if (e->flags & SMTP_FLAG_ONE_LINE) {
            put_line(r, e);
            put_flags(r, e->flags & SMTP_FLAG_CUT);
            put(r, "\n");
        }
        put_reply(r, e);
        break;
    case SMTP_EVENT_AUTH_USER:
        put(r, "user");
        put_text(r, e->text);
        if (e->word.len > 0) {
            put(r, " on");
            put_text(r, e->word);
        }
        break;
    case SMTP_EVENT_DATA_BEGIN:
        put(r, "data %u", e->id);
        break;
    case SMTP_EVENT_BODY:
        put(r, "body %llu", (unsigned long long)e->number);
        break;
    case SMTP_EVENT_END_OF_DATA:
        put(r, "end %u \"%s\" %llu", e->id, smtp_verb_name(e->verb), (unsigned long long)e->number);
        break;
    case SMTP_EVENT_TLS_HANDOVER:
        put(r, "tls");
        break;
    case SMTP_EVENT_RESUMED:
        put(r, "clear");
        break;
    case SMTP_EVENT_GAP:
        put(r, "gap %c %llu", side, (unsigned long long)e->number);
        break;
    case SMTP_EVENT_ANOMALY:
        put(r, "odd %s %c", odd_name(e->anomaly), side);
        if (e->anomaly == SMTP_ODD_FALSE_END || e->anomaly == SMTP_ODD_SMUGGLING ||
            e->anomaly == SMTP_ODD_FALSE_END_LAST)
            put(r, " %llu", (unsigned long long)e->number);
        break;
    case SMTP_EVENT_PROXY:
        put(r, "proxy");
        put_text(r, e->text);
        break;
    }
    put_flags(r, e->flags);
    put(r, "\n");
}

void replay_begin(struct replay *r, bool midstream)
{
    memset(r, 0, sizeof(*r));
    r->lender = (struct sw_lender){lend, take_back, r};
    r->sink = (struct smtp_sink){on_event, r};
    smtp_init(&r->smtp, &r->lender, midstream);
}

static void hold(struct replay *r, const struct sw_piece *piece)
{
    if (r->held_count == REPLAY_HELD || r->held_used + piece->bytes.len > sizeof(r->held_bytes))
        return;
    memcpy(r->held_bytes + r->held_used, piece->bytes.ptr, piece->bytes.len);
    r->held[r->held_count++] = (struct replay_piece){r->held_used, piece->bytes.len, piece->at};
    r->held_used += piece->bytes.len;
}

static void drain(struct replay *r, bool forced);

static void feed(struct replay *r, const struct sw_piece *piece, bool forced, size_t behind)
{
    struct sw_piece rest = *piece;
    while (rest.bytes.len > 0) {
        if (r->smtp.mode == SMTP_MODE_TLS && rest.from == SW_FROM_CLIENT) {
            r->opaque = r->opaque || smtp_is_tls_byte(rest.bytes.ptr[0]);
            if (r->opaque)
                return;
            smtp_resume_clear(&r->smtp, rest.at, &r->sink);
        }
        size_t used = smtp_feed(&r->smtp, &rest, &r->sink);
        rest.bytes = sw_span_from(rest.bytes, used);
        rest.at.offset += used;
        if (rest.bytes.len == 0 || (used == 0 && rest.from == SW_FROM_SERVER))
            return;
        if (rest.from == SW_FROM_SERVER) {
            drain(r, false);
        } else if (r->smtp.mode == SMTP_MODE_TLS || !smtp_holds_client(&r->smtp)) {
            continue;
        } else if (forced) {
            smtp_release_hold(&r->smtp, sw_span_make(rest.bytes.ptr, rest.bytes.len + behind),
                              &r->sink);
        } else {
            hold(r, &rest);
            return;
        }
    }
}

static void drain(struct replay *r, bool forced)
{
    static uint8_t bytes[sizeof(r->held_bytes)];
    static struct replay_piece pieces[REPLAY_HELD];
    size_t count = r->held_count;
    size_t total = r->held_used;
    memcpy(bytes, r->held_bytes, r->held_used);
    memcpy(pieces, r->held, count * sizeof(pieces[0]));
    r->held_count = 0;
    r->held_used = 0;
    for (size_t i = 0; i < count; i++) {
        struct sw_piece piece = {SW_FROM_CLIENT, pieces[i].at,
                                 sw_span_make(bytes + pieces[i].from, pieces[i].len)};
        if (r->held_count == 0)
            feed(r, &piece, forced, total - pieces[i].from - pieces[i].len);
        else
            hold(r, &piece);
    }
}

void replay_feed(struct replay *r, enum sw_from from, struct sw_span bytes, uint64_t frame)
{
    struct sw_piece piece = {from, {r->offset[from], frame, (int64_t)frame * 1000000}, bytes};
    r->offset[from] += bytes.len;
    if (from == SW_FROM_CLIENT && r->held_count > 0) {
        hold(r, &piece);
        return;
    }
    feed(r, &piece, false, 0);
    if (from == SW_FROM_SERVER && r->held_count > 0 && !smtp_holds_client(&r->smtp))
        drain(r, false);
}

void replay_gap(struct replay *r, enum sw_from from, uint64_t length, uint64_t frame)
{
    if (from == SW_FROM_CLIENT)
        drain(r, true);
    struct sw_at at = {r->offset[from], frame, (int64_t)frame * 1000000};
    smtp_gap(&r->smtp, from, length, at, &r->sink);
    r->offset[from] += length;
    if (from == SW_FROM_SERVER && r->held_count > 0 && !smtp_holds_client(&r->smtp))
        drain(r, false);
}

void replay_fin(struct replay *r, enum sw_from from, uint64_t frame)
{
    struct sw_at at = {r->offset[from], frame, (int64_t)frame * 1000000};
    if (r->held_count == 0 || from == SW_FROM_SERVER)
        smtp_end(&r->smtp, from, at, &r->sink);
    if (from == SW_FROM_SERVER && !smtp_holds_client(&r->smtp))
        drain(r, false);
}

int replay_end(struct replay *r, uint64_t frame)
{
    struct sw_at at = {0, frame, (int64_t)frame * 1000000};
    drain(r, true);
    smtp_end(&r->smtp, SW_FROM_SERVER, at, &r->sink);
    smtp_end(&r->smtp, SW_FROM_CLIENT, at, &r->sink);
    flush_body(r);
    smtp_release(&r->smtp);
    return r->lent == 0 ? 0 : -1;
}
