#include "crypto/keylog.h"

#include "base/hash.h"
#include "base/limit.h"
#include "base/wipe.h"

#include <stdlib.h>

struct entry {
    uint8_t random[SW_KEYLOG_RANDOM];
    uint8_t secret[SW_KEYLOG_SECRET];
    uint8_t length; /* of the secret, 0 = the place is free */
    uint8_t label;
};

/* Open addressing over (random, label); never more than half full. */
struct sw_keylog {
    struct sw_hash_key key;
    struct entry *entries;
    size_t room; /* a power of two */
    size_t used, most;
    size_t *account, own_account;
};

enum { FIRST_ROOM = 64 };

static const struct label {
    struct sw_span name;
    enum sw_keylog_label label;
} labels[] = {
    {SW_SPAN_LIT("CLIENT_RANDOM"), SW_KEYLOG_MASTER},
    {SW_SPAN_LIT("CLIENT_EARLY_TRAFFIC_SECRET"), SW_KEYLOG_EARLY},
    {SW_SPAN_LIT("CLIENT_HANDSHAKE_TRAFFIC_SECRET"), SW_KEYLOG_CLIENT_HANDSHAKE},
    {SW_SPAN_LIT("SERVER_HANDSHAKE_TRAFFIC_SECRET"), SW_KEYLOG_SERVER_HANDSHAKE},
    {SW_SPAN_LIT("CLIENT_TRAFFIC_SECRET_0"), SW_KEYLOG_CLIENT_TRAFFIC},
    {SW_SPAN_LIT("SERVER_TRAFFIC_SECRET_0"), SW_KEYLOG_SERVER_TRAFFIC},
};

struct sw_keylog *sw_keylog_new(void)
{
    struct sw_keylog *log = calloc(1, sizeof(*log));
    if (!log)
        return NULL;
    log->key = sw_hash_random_key();
    sw_keylog_bound(log, (size_t)sw_limit_default(SW_LIMIT_KEYS), &log->own_account);
    return log;
}

void sw_keylog_bound(struct sw_keylog *log, size_t most, size_t *account)
{
    log->most = most;
    log->account = account;
}

static void drop_entries(struct sw_keylog *log)
{
    if (log->entries)
        sw_wipe(log->entries, log->room * sizeof(*log->entries));
    *log->account -= log->room * sizeof(*log->entries);
    free(log->entries);
}

void sw_keylog_free(struct sw_keylog *log)
{
    if (!log)
        return;
    drop_entries(log);
    free(log);
}

/* The place of a secret, or the free place where it belongs. */
static struct entry *place_of(const struct sw_keylog *log, const uint8_t *random, unsigned label)
{
    uint64_t hash = sw_hash_bytes(&log->key, sw_span_make(random, SW_KEYLOG_RANDOM)) + label;
    for (size_t at = (size_t)hash & (log->room - 1);; at = (at + 1) & (log->room - 1)) {
        struct entry *e = &log->entries[at];
        if (e->length == 0 ||
            (e->label == label && memcmp(e->random, random, SW_KEYLOG_RANDOM) == 0))
            return e;
    }
}

static bool make_room(struct sw_keylog *log)
{
    if (log->used * 2 < log->room)
        return true;
    struct sw_keylog bigger = *log;
    bigger.room = log->room ? log->room * 2 : FIRST_ROOM;
    bigger.entries = calloc(bigger.room, sizeof(*bigger.entries));
    if (!bigger.entries)
        return false;
    *log->account += bigger.room * sizeof(*bigger.entries);
    for (size_t i = 0; i < log->room; i++) {
        if (log->entries[i].length > 0)
            *place_of(&bigger, log->entries[i].random, log->entries[i].label) = log->entries[i];
    }
    drop_entries(log);
    log->entries = bigger.entries;
    log->room = bigger.room;
    return true;
}

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    uint8_t upper = sw_ascii_upper(c);
    return upper >= 'A' && upper <= 'F' ? upper - 'A' + 10 : -1;
}

/* Hex to bytes; the number of bytes, or 0 when it is no hex or does not fit. */
static size_t from_hex(struct sw_span hex, uint8_t *out, size_t room)
{
    if (hex.len % 2 != 0 || hex.len / 2 > room)
        return 0;
    for (size_t i = 0; i < hex.len; i += 2) {
        int high = digit_of(hex.ptr[i]);
        int low = digit_of(hex.ptr[i + 1]);
        if (high < 0 || low < 0)
            return 0;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return hex.len / 2;
}

static const struct label *label_of(struct sw_span word)
{
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (sw_span_eq(word, labels[i].name))
            return &labels[i];
    }
    return NULL;
}

static void add_line(struct sw_keylog *log, struct sw_span line, struct sw_keylog_counts *counts)
{
    struct sw_span rest = sw_span_trim(line);
    if (rest.len == 0 || rest.ptr[0] == '#')
        return;
    const struct label *label = label_of(sw_span_word(&rest));
    struct entry e = {.length = 0};
    size_t random = from_hex(sw_span_word(&rest), e.random, sizeof(e.random));
    size_t secret = from_hex(sw_span_word(&rest), e.secret, sizeof(e.secret));
    if (!label && random > 0 && secret > 0) {
        counts->unknown++;
    } else if (!label || random != SW_KEYLOG_RANDOM || secret == 0 || sw_span_trim(rest).len > 0) {
        counts->broken++;
    } else if (log->used >= log->most || !make_room(log)) {
        counts->left_out++;
    } else {
        struct entry *place = place_of(log, e.random, label->label);
        if (place->length == 0) {
            e.length = (uint8_t)secret;
            e.label = (uint8_t)label->label;
            *place = e;
            log->used++;
        }
        counts->lines++;
    }
    sw_wipe(&e, sizeof(e));
}

void sw_keylog_add(struct sw_keylog *log, struct sw_span text, struct sw_keylog_counts *counts)
{
    while (text.len > 0) {
        size_t end = sw_span_index(text, '\n');
        add_line(log, sw_span_sub(text, 0, end), counts);
        text = sw_span_from(text, end < text.len ? end + 1 : end);
    }
}

struct sw_span sw_keylog_find(const struct sw_keylog *log, const uint8_t random[SW_KEYLOG_RANDOM],
                              enum sw_keylog_label label)
{
    if (log->used == 0)
        return (struct sw_span){NULL, 0};
    const struct entry *e = place_of(log, random, label);
    return sw_span_make(e->secret, e->length);
}

size_t sw_keylog_count(const struct sw_keylog *log)
{
    return log->used;
}

bool sw_keylog_knows(const struct sw_keylog *log, const uint8_t random[SW_KEYLOG_RANDOM])
{
    for (unsigned label = 0; label < SW_KEYLOG_LABELS; label++) {
        if (sw_keylog_find(log, random, (enum sw_keylog_label)label).len > 0)
            return true;
    }
    return false;
}
