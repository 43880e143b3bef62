#include "crypto/rsa.h"

#include "base/wipe.h"
#include "crypto/schedule.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

enum { RANDOM = 32, TLS_1_2 = 0x0303, HASHES = 3 };

struct sw_rsa_key {
    EVP_PKEY *key;
};

static int no_passphrase(char *buffer, int size, int writing, void *ctx)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)ctx;
    return 0;
}

struct sw_rsa_key *sw_rsa_key_read(const char *path, char *message, size_t room)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        (void)snprintf(message, room, "--rsa-key: %s: %s", path, strerror(errno));
        return NULL;
    }
    char *buffer = malloc(BUFSIZ); /* of our own, to be wiped */
    if (buffer)
        (void)setvbuf(file, buffer, _IOFBF, BUFSIZ);
    EVP_PKEY *read = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
    (void)fclose(file);
    sw_wipe_free(buffer, BUFSIZ);
    struct sw_rsa_key *key = read && EVP_PKEY_is_a(read, "RSA") ? calloc(1, sizeof(*key)) : NULL;
    if (!key) {
        (void)snprintf(message, room,
                       "--rsa-key: %s: holds no RSA private key in PEM without a "
                       "passphrase",
                       path);
        EVP_PKEY_free(read);
        return NULL;
    }
    key->key = read;
    return key;
}

void sw_rsa_key_free(struct sw_rsa_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->key);
    free(key);
}

/* --- the transcript --- */

static const char *const hashes[HASHES] = {"MD5-SHA1", "SHA256", "SHA384"};

struct sw_transcript {
    EVP_MD_CTX *hash[HASHES];
};

struct sw_transcript *sw_transcript_new(void)
{
    struct sw_transcript *transcript = calloc(1, sizeof(*transcript));
    for (int i = 0; transcript && i < HASHES; i++) {
        EVP_MD *md = EVP_MD_fetch(NULL, hashes[i], NULL);
        transcript->hash[i] = EVP_MD_CTX_new();
        bool begun =
            md && transcript->hash[i] && EVP_DigestInit_ex2(transcript->hash[i], md, NULL) == 1;
        EVP_MD_free(md);
        if (!begun) {
            sw_transcript_free(transcript);
            return NULL;
        }
    }
    return transcript;
}

void sw_transcript_add(struct sw_transcript *transcript, struct sw_span bytes)
{
    for (int i = 0; i < HASHES; i++)
        (void)EVP_DigestUpdate(transcript->hash[i], bytes.ptr, bytes.len);
}

void sw_transcript_free(struct sw_transcript *transcript)
{
    if (!transcript)
        return;
    for (int i = 0; i < HASHES; i++)
        EVP_MD_CTX_free(transcript->hash[i]);
    free(transcript);
}

/* The hash so far; its length, or 0. */
static size_t transcript_hash(const struct sw_transcript *transcript, const char *digest,
                              uint8_t out[EVP_MAX_MD_SIZE])
{
    unsigned n = 0;
    for (int i = 0; i < HASHES; i++) {
        if (strcmp(hashes[i], digest) != 0)
            continue;
        EVP_MD_CTX *copy = EVP_MD_CTX_new();
        if (!copy || EVP_MD_CTX_copy_ex(copy, transcript->hash[i]) != 1 ||
            EVP_DigestFinal_ex(copy, out, &n) != 1)
            n = 0;
        EVP_MD_CTX_free(copy);
    }
    return n;
}

/* --- the secrets --- */

static bool decrypt(const struct sw_rsa_key *key, struct sw_span encrypted,
                    uint8_t out[SW_MASTER_BYTES])
{
    uint8_t text[SW_RSA_BYTES];
    size_t n = sizeof(text);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->key, NULL);
    bool fits = ctx && (size_t)EVP_PKEY_get_size(key->key) <= sizeof(text) &&
                EVP_PKEY_decrypt_init(ctx) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
                EVP_PKEY_decrypt(ctx, text, &n, encrypted.ptr, encrypted.len) == 1 &&
                n == SW_MASTER_BYTES;
    EVP_PKEY_CTX_free(ctx);
    if (fits)
        memcpy(out, text, SW_MASTER_BYTES);
    sw_wipe(text, sizeof(text));
    return fits;
}

bool sw_rsa_master(const struct sw_rsa_key *key, const struct sw_rsa_exchange *exchange,
                   uint8_t out[SW_MASTER_BYTES])
{
    uint8_t premaster[SW_MASTER_BYTES];
    if (!decrypt(key, exchange->encrypted, premaster))
        return false;
    const char *digest = exchange->version >= TLS_1_2 ? exchange->digest : "MD5-SHA1";
    uint8_t seed[2 * EVP_MAX_MD_SIZE];
    size_t length = 2 * RANDOM;
    const char *label = "master secret";
    if (exchange->transcript) {
        label = "extended master secret";
        length = transcript_hash(exchange->transcript, digest, seed);
    } else {
        memcpy(seed, exchange->client_random, RANDOM);
        memcpy(seed + RANDOM, exchange->server_random, RANDOM);
    }
    bool done = length > 0 && sw_tls_prf(digest, sw_span_make(premaster, sizeof(premaster)), label,
                                         sw_span_make(seed, length), out, SW_MASTER_BYTES);
    sw_wipe(premaster, sizeof(premaster));
    return done;
}
