#include "crypto/record.h"

#include "base/wipe.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

enum { TLS_1_0 = 0x0301, TLS_1_3 = 0x0304, NONCE = 12, AAD_13 = 5, AAD_12 = 13, MOST_BLOCK = 16 };

void sw_record_clear(struct sw_record_key *key)
{
    EVP_CIPHER_CTX_free(key->cipher);
    sw_wipe(key, sizeof(*key));
    key->suite = NULL;
}

static EVP_CIPHER_CTX *context_of(struct sw_record_key *key)
{
    if (key->cipher)
        return key->cipher;
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, key->suite->cipher, NULL);
    EVP_CIPHER_CTX *ctx = cipher ? EVP_CIPHER_CTX_new() : NULL;
    if (ctx && EVP_DecryptInit_ex2(ctx, cipher, NULL, NULL, NULL) != 1) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    EVP_CIPHER_free(cipher);
    key->cipher = ctx;
    return ctx;
}

static size_t put16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return 2;
}

static void put64(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (56 - 8 * i));
}

/* The sequence number over the end of the fixed part (RFC 8446 5.3, RFC 7905 2). */
static void mix_nonce(const struct sw_record_key *key, uint8_t nonce[NONCE])
{
    uint8_t sequence[8];
    put64(sequence, key->sequence);
    memcpy(nonce, key->iv, NONCE);
    for (int i = 0; i < 8; i++)
        nonce[NONCE - 8 + i] ^= sequence[i];
}

static bool decrypt_aead(struct sw_record_key *key, const uint8_t nonce[NONCE], struct sw_span aad,
                         struct sw_span cipher_text, struct sw_span tag, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = context_of(key);
    bool ccm = key->suite->mode == SW_SUITE_CCM || key->suite->mode == SW_SUITE_CCM8;
    uint8_t expected[16];
    memcpy(expected, tag.ptr, tag.len);
    int n = 0;
    if (!ctx || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, NONCE, NULL) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)tag.len, expected) != 1 ||
        EVP_DecryptInit_ex2(ctx, NULL, key->key, nonce, NULL) != 1)
        return false;
    /* CCM wants the length first, and checks the tag in the one and only update */
    if (ccm && EVP_DecryptUpdate(ctx, NULL, &n, NULL, (int)cipher_text.len) != 1)
        return false;
    if (EVP_DecryptUpdate(ctx, NULL, &n, aad.ptr, (int)aad.len) != 1)
        return false;
    static const uint8_t nothing;
    const uint8_t *from = cipher_text.len > 0 ? cipher_text.ptr : &nothing;
    if (EVP_DecryptUpdate(ctx, out, &n, from, (int)cipher_text.len) != 1)
        return false;
    return ccm || EVP_DecryptFinal_ex(ctx, out + n, &n) == 1;
}

static size_t tag_bytes(const struct sw_suite *suite)
{
    return suite->mode == SW_SUITE_CCM8 ? 8 : 16;
}

static bool open_13(struct sw_record_key *key, const struct sw_record_in *in, uint8_t *out,
                    size_t *length, uint8_t *content)
{
    size_t tag = tag_bytes(key->suite);
    if (in->body.len < tag + 1)
        return false;
    uint8_t nonce[NONCE];
    uint8_t aad[AAD_13] = {in->content, (uint8_t)(in->version >> 8), (uint8_t)in->version};
    put16(aad + 3, in->body.len);
    mix_nonce(key, nonce);
    size_t n = in->body.len - tag;
    if (!decrypt_aead(key, nonce, sw_span_make(aad, sizeof(aad)), sw_span_sub(in->body, 0, n),
                      sw_span_from(in->body, n), out))
        return false;
    while (n > 0 && out[n - 1] == 0) /* padding (RFC 8446 5.4) */
        n--;
    if (n == 0)
        return false;
    *content = out[n - 1];
    *length = n - 1;
    return true;
}

/* What TLS 1.2 and before authenticate beside the text (RFC 5246 6.2.3). */
static void fill_aad(const struct sw_record_key *key, const struct sw_record_in *in, size_t length,
                     uint8_t aad[AAD_12])
{
    put64(aad, key->sequence);
    aad[8] = in->content;
    put16(aad + 9, in->version);
    put16(aad + 11, length);
}

static bool open_aead_12(struct sw_record_key *key, const struct sw_record_in *in, uint8_t *out,
                         size_t *length)
{
    size_t tag = tag_bytes(key->suite);
    size_t explicit_bytes = key->suite->mode == SW_SUITE_CHACHA20 ? 0 : 8;
    if (in->body.len < tag + explicit_bytes)
        return false;
    uint8_t nonce[NONCE];
    uint8_t aad[AAD_12];
    size_t n = in->body.len - tag - explicit_bytes;
    if (explicit_bytes > 0) { /* RFC 5288 3, RFC 6655 3: four fixed bytes, eight in the record */
        memcpy(nonce, key->iv, 4);
        memcpy(nonce + 4, in->body.ptr, 8);
    } else {
        mix_nonce(key, nonce);
    }
    fill_aad(key, in, n, aad);
    *length = n;
    return decrypt_aead(key, nonce, sw_span_make(aad, sizeof(aad)),
                        sw_span_sub(in->body, explicit_bytes, n),
                        sw_span_from(in->body, explicit_bytes + n), out);
}

/* HMAC over the pseudo-header and the bytes; `first` is mac_bytes long. */
static bool mac_is(const struct sw_record_key *key, const struct sw_record_in *in,
                   struct sw_span bytes, const uint8_t *first)
{
    uint8_t aad[AAD_12];
    uint8_t mac[EVP_MAX_MD_SIZE];
    size_t n = 0;
    fill_aad(key, in, bytes.len, aad);
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    char digest[8] = {0};
    memcpy(digest, key->suite->mac, strnlen(key->suite->mac, sizeof(digest) - 1));
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    static const uint8_t nothing;
    bool same = ctx && EVP_MAC_init(ctx, key->mac, key->suite->mac_bytes, params) == 1 &&
                EVP_MAC_update(ctx, aad, sizeof(aad)) == 1 &&
                EVP_MAC_update(ctx, bytes.len > 0 ? bytes.ptr : &nothing, bytes.len) == 1 &&
                EVP_MAC_final(ctx, mac, &n, sizeof(mac)) == 1 && n == key->suite->mac_bytes &&
                CRYPTO_memcmp(mac, first, n) == 0;
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(hmac);
    sw_wipe(mac, sizeof(mac));
    return same;
}

static bool decrypt_cbc(struct sw_record_key *key, const uint8_t *iv, struct sw_span text,
                        uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = context_of(key);
    int n = 0;
    return ctx && EVP_DecryptInit_ex2(ctx, NULL, key->key, iv, NULL) == 1 &&
           EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
           EVP_DecryptUpdate(ctx, out, &n, text.ptr, (int)text.len) == 1 && (size_t)n == text.len;
}

/* Takes the padding off (RFC 5246 6.2.3.2): all of its bytes say how many come before the last. */
static bool unpad(const uint8_t *out, size_t *n)
{
    size_t padding = *n > 0 ? out[*n - 1] + (size_t)1 : 0;
    if (padding == 0 || padding > *n)
        return false;
    for (size_t i = 1; i <= padding; i++) {
        if (out[*n - i] != padding - 1)
            return false;
    }
    *n -= padding;
    return true;
}

static size_t block_of(const struct sw_record_key *key)
{
    return key->suite->key_bytes == 24 ? 8 : MOST_BLOCK; /* 3DES, AES */
}

void sw_record_pass(struct sw_record_key *key, const struct sw_record_in *in)
{
    size_t mac = key->encrypt_then_mac ? key->suite->mac_bytes : 0;
    if (key->version > TLS_1_0 || key->suite->mode != SW_SUITE_CBC ||
        in->body.len < mac + block_of(key))
        return;
    memcpy(key->iv, in->body.ptr + in->body.len - mac - block_of(key), block_of(key));
    key->chain_lost = false;
}

static bool open_cbc(struct sw_record_key *key, const struct sw_record_in *in, uint8_t *out,
                     size_t *length)
{
    size_t block = block_of(key);
    size_t mac = key->suite->mac_bytes;
    size_t iv_bytes = key->version > TLS_1_0 ? block : 0;
    struct sw_span body = in->body;
    if (key->encrypt_then_mac) { /* the MAC does not cover the IV of TLS 1.0 */
        if (body.len < mac || (iv_bytes == 0 && key->chain_lost))
            return false;
        body.len -= mac;
        if (!mac_is(key, in, body, body.ptr + body.len))
            return false;
    }
    if (body.len < iv_bytes + block || body.len % block != 0)
        return false;
    struct sw_span text = sw_span_from(body, iv_bytes);
    size_t n = text.len;
    if (!decrypt_cbc(key, iv_bytes > 0 ? body.ptr : key->iv, text, out) || !unpad(out, &n))
        return false;
    if (!key->encrypt_then_mac) {
        if (n < mac)
            return false;
        n -= mac;
        if (!mac_is(key, in, sw_span_make(out, n), out + n))
            return false;
    }
    if (iv_bytes == 0) /* the next record goes on where this one ended (RFC 2246 6.2.3.2) */
        memcpy(key->iv, text.ptr + text.len - block, block);
    *length = n;
    return true;
}

bool sw_record_open(struct sw_record_key *key, const struct sw_record_in *in, uint8_t *out,
                    size_t *length, uint8_t *content)
{
    bool opened;
    *content = in->content;
    if (key->version >= TLS_1_3)
        opened = open_13(key, in, out, length, content);
    else if (key->suite->mode == SW_SUITE_CBC)
        opened = open_cbc(key, in, out, length);
    else
        opened = open_aead_12(key, in, out, length);
    if (opened)
        key->sequence++;
    else
        sw_wipe(out, in->body.len); /* what was decrypted and did not prove right */
    return opened;
}
