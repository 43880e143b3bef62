#include "crypto/opener.h"

#include "base/wipe.h"
#include "crypto/schedule.h"

#include <stdlib.h>

enum {
    TLS_1_0 = 0x0301,
    TLS_1_2 = 0x0303,
    TLS_1_3 = 0x0304,
    MASTER = 48,
    DIGEST = 48,
    HANDSHAKE = 22,   /* content type */
    MOST_MISSES = 16, /* then it is not searched any more: the cost stays bounded */
};

/* The keys of one direction. */
struct half {
    struct sw_record_key key;
    uint8_t secret[DIGEST];  /* TLS 1.3: of the traffic keys in force */
    uint8_t traffic[DIGEST]; /* TLS 1.3: of those that follow the Finished */
    bool has_traffic;
    bool in_handshake; /* TLS 1.3: before the Finished */
    bool lost;         /* the sequence number is a guess */
    uint8_t misses;    /* searches in a row that found nothing */
};

struct sw_opener {
    struct sw_opener_hello hello;
    const struct sw_suite *suite;
    bool failed; /* OpenSSL could not */
    struct half half[2];
    struct half early;   /* of the client, before its half */
    bool early_in_force; /* the server took early data, and it has not ended */
};

static size_t digest_bytes(const struct sw_suite *suite)
{
    return strcmp(suite->digest, "SHA384") == 0 ? 48 : 32;
}

/* Sets key and IV of a direction from a traffic secret (RFC 8446 7.3). */
static bool set_traffic(struct sw_opener *opener, struct half *half, const uint8_t *secret)
{
    const struct sw_suite *suite = opener->suite;
    struct sw_span from = sw_span_make(secret, digest_bytes(suite));
    sw_record_clear(&half->key);
    half->key.suite = suite;
    half->key.version = opener->hello.version;
    if (half->secret != secret)
        memcpy(half->secret, secret, from.len);
    if (sw_tls_expand_label(suite->digest, from, "key", half->key.key, suite->key_bytes) &&
        sw_tls_expand_label(suite->digest, from, "iv", half->key.iv, 12))
        return true;
    sw_record_clear(&half->key);
    opener->failed = true;
    return false;
}

static void begin_13(struct sw_opener *opener, const struct sw_keylog *log)
{
    static const enum sw_keylog_label handshake[] = {SW_KEYLOG_CLIENT_HANDSHAKE,
                                                     SW_KEYLOG_SERVER_HANDSHAKE};
    static const enum sw_keylog_label traffic[] = {SW_KEYLOG_CLIENT_TRAFFIC,
                                                   SW_KEYLOG_SERVER_TRAFFIC};
    size_t need = digest_bytes(opener->suite);
    for (int side = 0; side < 2; side++) {
        struct half *half = &opener->half[side];
        const uint8_t *random = opener->hello.client_random;
        struct sw_span secret = sw_keylog_find(log, random, handshake[side]);
        struct sw_span later = sw_keylog_find(log, random, traffic[side]);
        half->in_handshake = true;
        half->has_traffic = later.len == need;
        if (half->has_traffic)
            memcpy(half->traffic, later.ptr, need);
        if (secret.len == need)
            (void)set_traffic(opener, half, secret.ptr);
    }
    struct sw_span early = sw_keylog_find(log, opener->hello.client_random, SW_KEYLOG_EARLY);
    if (opener->hello.early_data && early.len == need)
        (void)set_traffic(opener, &opener->early, early.ptr);
}

/* RFC 5246 6.3: what the key block is cut into. */
static void begin_12(struct sw_opener *opener, struct sw_span master)
{
    const struct sw_suite *suite = opener->suite;
    const char *digest = opener->hello.version >= TLS_1_2 ? suite->digest : "MD5-SHA1";
    bool cbc = suite->mode == SW_SUITE_CBC;
    size_t iv = cbc ? (suite->key_bytes == 24 ? 8 : 16) : suite->mode == SW_SUITE_CHACHA20 ? 12 : 4;
    uint8_t seed[2 * SW_KEYLOG_RANDOM];
    uint8_t block[2 * (SW_RECORD_MAC + SW_RECORD_KEY + SW_RECORD_IV)];
    memcpy(seed, opener->hello.server_random, SW_KEYLOG_RANDOM);
    memcpy(seed + SW_KEYLOG_RANDOM, opener->hello.client_random, SW_KEYLOG_RANDOM);
    size_t mac = suite->mac_bytes;
    size_t need = 2 * (mac + suite->key_bytes + iv);
    if (!sw_tls_prf(digest, master, "key expansion", sw_span_make(seed, sizeof(seed)), block,
                    need)) {
        opener->failed = true;
        return;
    }
    for (size_t side = 0; side < 2; side++) {
        struct sw_record_key *key = &opener->half[side].key;
        *key = (struct sw_record_key){
            .suite = suite,
            .version = opener->hello.version,
            .encrypt_then_mac = cbc && opener->hello.encrypt_then_mac,
        };
        memcpy(key->mac, block + side * mac, mac);
        memcpy(key->key, block + 2 * mac + side * suite->key_bytes, suite->key_bytes);
        memcpy(key->iv, block + 2 * (mac + suite->key_bytes) + side * iv, iv);
    }
    sw_wipe(block, sizeof(block));
}

static struct sw_opener *make(const struct sw_opener_hello *hello)
{
    struct sw_opener *opener = calloc(1, sizeof(*opener));
    if (!opener)
        return NULL;
    opener->hello = *hello;
    bool known = hello->version >= TLS_1_0 && hello->version <= TLS_1_3;
    bool of_13 = hello->cipher >> 8 == 0x13;
    if (known && of_13 == (hello->version == TLS_1_3))
        opener->suite = sw_suite_find(hello->cipher);
    return opener;
}

struct sw_opener *sw_opener_from_master(const struct sw_opener_hello *hello, struct sw_span master)
{
    struct sw_opener *opener = make(hello);
    if (opener && opener->suite && hello->version < TLS_1_3 && master.len == MASTER)
        begin_12(opener, master);
    return opener;
}

struct sw_opener *sw_opener_new(const struct sw_opener_hello *hello, const struct sw_keylog *log)
{
    if (hello->version < TLS_1_3)
        return sw_opener_from_master(hello,
                                     sw_keylog_find(log, hello->client_random, SW_KEYLOG_MASTER));
    struct sw_opener *opener = make(hello);
    if (opener && opener->suite)
        begin_13(opener, log);
    return opener;
}

void sw_opener_free(struct sw_opener *opener)
{
    if (!opener)
        return;
    for (int side = 0; side < 2; side++)
        sw_record_clear(&opener->half[side].key);
    sw_record_clear(&opener->early.key);
    sw_wipe(opener, sizeof(*opener));
    free(opener);
}

/* The client's next record may be early data. */
static bool may_be_early(const struct sw_opener *opener)
{
    return opener->hello.early_data && opener->half[0].in_handshake;
}

void sw_opener_early_taken(struct sw_opener *opener)
{
    opener->early_in_force = opener->early.key.suite && may_be_early(opener);
}

void sw_opener_early_over(struct sw_opener *opener)
{
    opener->early_in_force = false;
    sw_record_clear(&opener->early.key);
}

bool sw_opener_early_ends(struct sw_opener *opener, uint64_t number, const struct sw_record_in *in,
                          uint8_t *out)
{
    static const uint8_t end[] = {5, 0, 0, 0}; /* RFC 8446 4.5 */
    struct sw_record_key *key = &opener->early.key;
    size_t length = 0;
    uint8_t content = 0;
    if (!key->suite)
        return false;
    uint64_t due = key->sequence;
    key->sequence = number;
    bool ends = sw_record_open(key, in, out, &length, &content) && content == HANDSHAKE &&
                length == sizeof(end) && memcmp(out, end, sizeof(end)) == 0;
    key->sequence = due;
    sw_wipe(out, in->body.len);
    return ends;
}

void sw_opener_finished(struct sw_opener *opener, int side)
{
    struct half *half = &opener->half[side];
    if (opener->hello.version < TLS_1_3 || !half->in_handshake || !opener->suite)
        return;
    half->in_handshake = false;
    if (side == 0)
        sw_opener_early_over(opener);
    if (half->has_traffic)
        (void)set_traffic(opener, half, half->traffic);
    else
        sw_record_clear(&half->key);
}

void sw_opener_key_update(struct sw_opener *opener, int side)
{
    struct half *half = &opener->half[side];
    if (opener->hello.version < TLS_1_3 || half->in_handshake || !half->key.suite)
        return;
    uint8_t next[DIGEST];
    size_t need = digest_bytes(opener->suite);
    if (sw_tls_expand_label(opener->suite->digest, sw_span_make(half->secret, need), "traffic upd",
                            next, need))
        (void)set_traffic(opener, half, next);
    else
        opener->failed = true;
    sw_wipe(next, sizeof(next));
}

void sw_opener_lost(struct sw_opener *opener, int side)
{
    if (side == 0)
        opener->early.lost = true;
    opener->half[side].lost = true;
    opener->half[side].key.chain_lost = true;
}

void sw_opener_skip(struct sw_opener *opener, int side)
{
    if (side == 0 && may_be_early(opener)) { /* nobody knows whose number it had */
        sw_opener_lost(opener, side);
        return;
    }
    opener->half[side].key.sequence++;
    opener->half[side].key.chain_lost = true;
}

/* With the number that is due, or behind a loss with one of the next. */
static bool try_numbers(struct half *half, const struct sw_record_in *in, uint8_t *out,
                        size_t *length, uint8_t *content)
{
    uint64_t due = half->key.sequence;
    int most = half->lost && half->misses < MOST_MISSES ? SW_OPENER_SEARCH : 0;
    for (int ahead = 0; ahead <= most; ahead++) {
        half->key.sequence = due + (uint64_t)ahead;
        if (sw_record_open(&half->key, in, out, length, content)) {
            half->lost = false;
            half->misses = 0;
            return true;
        }
    }
    if (most > 0)
        half->misses++;
    half->key.sequence = due;
    return false;
}

/* The Finished was not read (no handshake secret, or it is missing): the traffic keys may be in
 * force already. */
static bool try_traffic(struct sw_opener *opener, struct half *half, const struct sw_record_in *in,
                        uint8_t *out, size_t *length, uint8_t *content)
{
    if (!half->in_handshake || !half->has_traffic)
        return false;
    struct half later = {.lost = half->lost};
    if (!set_traffic(opener, &later, half->traffic) ||
        !try_numbers(&later, in, out, length, content)) {
        sw_record_clear(&later.key);
        sw_wipe(&later, sizeof(later));
        return false;
    }
    sw_record_clear(&half->key);
    memcpy(later.traffic, half->traffic, sizeof(later.traffic));
    *half = later;
    sw_wipe(&later, sizeof(later));
    return true;
}

enum sw_opened sw_opener_record(struct sw_opener *opener, int side, const struct sw_record_in *in,
                                uint8_t *out, size_t *length, uint8_t *content)
{
    struct half *half = &opener->half[side];
    if (!opener->suite)
        return SW_OPENED_NO_SUITE;
    if (opener->failed)
        return SW_OPENED_NO_RESOURCE;
    if (side == 0 && opener->early_in_force &&
        try_numbers(&opener->early, in, out, length, content))
        return SW_OPENED;
    if (half->key.suite && try_numbers(half, in, out, length, content))
        return SW_OPENED;
    if (try_traffic(opener, half, in, out, length, content))
        return SW_OPENED;
    bool any = half->key.suite || (half->in_handshake && half->has_traffic);
    if (!any)
        return SW_OPENED_NO_KEY;
    if (side == 0 && may_be_early(opener)) {
        if (opener->early_in_force)
            opener->early.key.sequence++;
        return SW_OPENED_EARLY;
    }
    if (half->key.suite) {
        half->key.sequence++; /* damaged: the next one has the next number */
        sw_record_pass(&half->key, in);
    }
    return SW_OPENED_WRONG;
}
