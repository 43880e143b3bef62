#include "seal.h"

#include "crypto/schedule.h"

#include <openssl/evp.h>
#include <stdlib.h>

enum { TLS_1_3 = 0x0304, HEADER = 5, TAG = 16, KEY = 16, IV = 12, SALT = 4, SECRET = 32 };

static void must(bool truth)
{
    if (!truth)
        abort();
}

struct keys {
    uint8_t key[KEY];
    uint8_t nonce[IV];
};

static void put_number(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

/* RFC 8446 7.2 and 7.3. */
static bool keys_of_13(const struct seal *how, struct sw_span secret, struct keys *keys)
{
    uint8_t now[SECRET];
    uint8_t next[SECRET];
    struct sw_span from = sw_span_make(now, SECRET);
    if (secret.len != SECRET)
        return false;
    memcpy(now, secret.ptr, SECRET);
    for (int i = 0; i < how->updates && i < SEAL_UPDATES; i++) {
        must(sw_tls_expand_label("SHA256", from, "traffic upd", next, SECRET));
        memcpy(now, next, SECRET);
    }
    must(sw_tls_expand_label("SHA256", from, "key", keys->key, KEY));
    must(sw_tls_expand_label("SHA256", from, "iv", keys->nonce, IV));
    for (int i = 0; i < 8; i++)
        keys->nonce[IV - 1 - i] ^= (uint8_t)(how->sequence >> (8 * i));
    return true;
}

/* RFC 5246 6.3 and RFC 5288 3: two keys, two salts; the rest of the nonce is in the record. */
static bool keys_of_12(const struct seal *how, const struct sw_opener_hello *hello,
                       struct sw_span master, struct keys *keys)
{
    uint8_t seed[2 * SW_KEYLOG_RANDOM];
    uint8_t block[2 * (KEY + SALT)];
    if (master.len != 48)
        return false;
    memcpy(seed, hello->server_random, SW_KEYLOG_RANDOM);
    memcpy(seed + SW_KEYLOG_RANDOM, hello->client_random, SW_KEYLOG_RANDOM);
    must(sw_tls_prf("SHA256", master, "key expansion", sw_span_make(seed, sizeof(seed)), block,
                    sizeof(block)));
    memcpy(keys->key, block + how->side * KEY, KEY);
    memcpy(keys->nonce, block + 2 * KEY + how->side * SALT, SALT);
    put_number(keys->nonce + SALT, how->sequence, 8);
    return true;
}

static void encrypt(const struct keys *keys, struct sw_span aad, struct sw_span text, uint8_t *out)
{
    int n = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    must(EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, keys->key, keys->nonce) == 1);
    must(EVP_EncryptUpdate(ctx, NULL, &n, aad.ptr, (int)aad.len) == 1);
    must(EVP_EncryptUpdate(ctx, out, &n, text.ptr, (int)text.len) == 1);
    must(EVP_EncryptFinal_ex(ctx, out + text.len, &n) == 1);
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, out + text.len) == 1);
    EVP_CIPHER_CTX_free(ctx);
}

static size_t seal_13(const struct seal *how, struct sw_span secret, struct sw_span text,
                      uint8_t *out)
{
    struct keys keys;
    uint8_t inner[SEAL_TEXT + 1];
    if (!keys_of_13(how, secret, &keys))
        return 0;
    memcpy(inner, text.ptr, text.len);
    inner[text.len] = how->content;
    memcpy(out, "\x17\x03\x03", 3);
    put_number(out + 3, text.len + 1 + TAG, 2);
    encrypt(&keys, sw_span_make(out, HEADER), sw_span_make(inner, text.len + 1), out + HEADER);
    return HEADER + text.len + 1 + TAG;
}

static size_t seal_12(const struct seal *how, const struct sw_opener_hello *hello,
                      struct sw_span master, struct sw_span text, uint8_t *out)
{
    struct keys keys;
    uint8_t aad[13];
    if (!keys_of_12(how, hello, master, &keys))
        return 0;
    put_number(aad, how->sequence, 8);
    aad[8] = how->content;
    put_number(aad + 9, hello->version, 2);
    put_number(aad + 11, text.len, 2);
    out[0] = how->content;
    put_number(out + 1, hello->version, 2);
    put_number(out + 3, 8 + text.len + TAG, 2);
    put_number(out + HEADER, how->sequence, 8);
    encrypt(&keys, sw_span_make(aad, sizeof(aad)), text, out + HEADER + 8);
    return HEADER + 8 + text.len + TAG;
}

size_t seal_record(const struct seal *how, const struct sw_opener_hello *hello,
                   const struct sw_keylog *log, struct sw_span text, uint8_t out[SEAL_RECORD])
{
    must(text.len > 0 && text.len <= SEAL_TEXT);
    struct sw_span early = sw_keylog_find(log, hello->client_random, SW_KEYLOG_EARLY);
    bool of_13 = hello->version == TLS_1_3 || (how->label == SW_KEYLOG_EARLY && early.len > 0);
    struct sw_span secret =
        sw_keylog_find(log, hello->client_random, of_13 ? how->label : SW_KEYLOG_MASTER);
    return of_13 ? seal_13(how, secret, text, out) : seal_12(how, hello, secret, text, out);
}
