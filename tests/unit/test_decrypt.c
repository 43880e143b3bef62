/*
 * Real handshakes between two ends of OpenSSL, over memory, through the TLS dissector and the
 * decryption: what was said must come out, and nothing else.
 */
#include "pipeline/decrypt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

enum { TEXT = 70000, KEYS = 16384, WIRE = 200000 };

static EVP_PKEY *rsa_key, *ec_key;
static X509 *rsa_cert, *ec_cert;
static char keys[KEYS];
static size_t keys_used;

/* What went over the wire, in order: a byte of direction, four of length, the bytes. */
struct wire {
    uint8_t bytes[WIRE];
    size_t used;
};

static void keep_keys(const SSL *ssl, const char *line)
{
    (void)ssl;
    keys_used += (size_t)snprintf(keys + keys_used, KEYS - keys_used, "%s\n", line);
}

static X509 *certificate(EVP_PKEY *key)
{
    X509 *x = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"mx.example.org", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

static int make_keys(void **state)
{
    (void)state;
    rsa_key = EVP_RSA_gen(2048);
    ec_key = EVP_EC_gen("P-256");
    rsa_cert = certificate(rsa_key);
    ec_cert = certificate(ec_key);
    return rsa_cert && ec_cert ? 0 : -1;
}

static int drop_keys(void **state)
{
    (void)state;
    X509_free(rsa_cert);
    X509_free(ec_cert);
    EVP_PKEY_free(rsa_key);
    EVP_PKEY_free(ec_key);
    return 0;
}

/* What a test wants of the connection. */
struct wish {
    int version;
    const char *suites; /* of 1.2 and before, or of 1.3 */
    uint64_t options;
    const char *client_groups, *server_groups;
    bool key_update;
};

static SSL_CTX *context(bool server, const struct wish *wish)
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_set_min_proto_version(ctx, wish->version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, wish->version), 1);
    char list[128];
    (void)snprintf(list, sizeof(list), "%s:@SECLEVEL=0",
                   wish->version == TLS1_3_VERSION ? "DEFAULT" : wish->suites);
    assert_int_equal(SSL_CTX_set_cipher_list(ctx, list), 1);
    if (wish->version == TLS1_3_VERSION)
        assert_int_equal(SSL_CTX_set_ciphersuites(ctx, wish->suites), 1);
    SSL_CTX_set_options(ctx, wish->options);
    if (server) {
        SSL_CTX_use_certificate(ctx, rsa_cert);
        SSL_CTX_use_PrivateKey(ctx, rsa_key);
        SSL_CTX_use_certificate(ctx, ec_cert);
        SSL_CTX_use_PrivateKey(ctx, ec_key);
        SSL_CTX_set_dh_auto(ctx, 1);
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"x", 1);
    } else {
        SSL_CTX_set_keylog_callback(ctx, keep_keys);
    }
    const char *groups = server ? wish->server_groups : wish->client_groups;
    if (groups)
        assert_int_equal(SSL_CTX_set1_groups_list(ctx, groups), 1);
    return ctx;
}

/* Moves what one end has written to the other, and notes it. */
static bool carry(SSL *from, SSL *to, int side, struct wire *wire)
{
    uint8_t part[4096];
    int n = BIO_read(SSL_get_wbio(from), part, sizeof(part));
    if (n <= 0)
        return false;
    assert_true(wire->used + 5 + (size_t)n <= WIRE);
    uint8_t *at = wire->bytes + wire->used;
    *at++ = (uint8_t)side;
    for (int i = 0; i < 4; i++)
        *at++ = (uint8_t)((unsigned)n >> (8 * i));
    memcpy(at, part, (size_t)n);
    wire->used += 5 + (size_t)n;
    assert_int_equal(BIO_write(SSL_get_rbio(to), part, n), n);
    return true;
}

static void carry_all(SSL *client, SSL *server, struct wire *wire)
{
    bool moved = true;
    while (moved) {
        moved = carry(client, server, 0, wire);
        moved = carry(server, client, 1, wire) || moved;
    }
}

static void say(SSL *from, SSL *to, SSL *client, SSL *server, struct wire *wire, const char *text,
                size_t len)
{
    char got[TEXT];
    assert_int_equal(SSL_write(from, text, (int)len), (int)len);
    carry_all(client, server, wire);
    size_t have = 0;
    while (have < len) {
        int n = SSL_read(to, got + have, (int)(sizeof(got) - have));
        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_memory_equal(got, text, len);
}

static char long_text[40000];

static SSL *end_of(SSL_CTX *ctx, bool server)
{
    SSL *ssl = SSL_new(ctx);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    return ssl;
}

/* A connection: handshake, a dialogue, a long text, goodbye. `session` is taken up and renewed. */
static void talk(SSL_CTX *client_ctx, SSL_CTX *server_ctx, const struct wish *wish,
                 SSL_SESSION **session, struct wire *wire)
{
    SSL *client = end_of(client_ctx, false);
    SSL *server = end_of(server_ctx, true);
    if (session && *session)
        assert_int_equal(SSL_set_session(client, *session), 1);
    for (int i = 0; i < 20 && !(SSL_is_init_finished(client) && SSL_is_init_finished(server));
         i++) {
        (void)SSL_do_handshake(client);
        carry_all(client, server, wire);
        (void)SSL_do_handshake(server);
        carry_all(client, server, wire);
    }
    if (!SSL_is_init_finished(client))
        ERR_print_errors_fp(stderr);
    assert_true(SSL_is_init_finished(client) && SSL_is_init_finished(server));
    if (session && *session)
        assert_true(SSL_session_reused(client));
    say(server, client, client, server, wire, "220 mx.example.org\r\n", 20);
    say(client, server, client, server, wire, "EHLO pc\r\n", 9);
    if (wish->key_update) {
        assert_int_equal(SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED), 1);
        say(client, server, client, server, wire, "NOOP\r\n", 6);
        say(server, client, client, server, wire, "250 OK\r\n", 8);
    }
    say(client, server, client, server, wire, long_text, sizeof(long_text));
    say(server, client, client, server, wire, "250 2.0.0 Ok\r\n", 14);
    if (session) {
        SSL_SESSION_free(*session);
        *session = SSL_get1_session(client);
    }
    (void)SSL_shutdown(client);
    carry_all(client, server, wire);
    (void)SSL_shutdown(server);
    carry_all(client, server, wire);
    SSL_free(client);
    SSL_free(server);
}

struct heard {
    struct sw_decrypt decrypt;
    struct tls_state tls;
    struct tls_sink sink;
    size_t used[2];
    char text[2][TEXT];
};

static void on_event(void *ctx, const struct tls_event *event)
{
    struct heard *h = ctx;
    sw_decrypt_event(&h->decrypt, &h->tls, event, &h->sink);
    if (event->kind != TLS_EVENT_APPLICATION)
        return;
    int side = event->from == SW_FROM_SERVER;
    assert_true(h->used[side] + event->bytes.len <= TEXT);
    memcpy(h->text[side] + h->used[side], event->bytes.ptr, event->bytes.len);
    h->used[side] += event->bytes.len;
}

static const struct sw_rsa_key *with_rsa; /* what listen() has beside the log */
static bool rsa_unfit, ephemeral;

/* Reads the wire in pieces of `step` bytes; `leave_out` is the number of the piece that is lost, or
 * -1. */
static void listen(struct heard *h, const struct wire *wire, const char *log, size_t step,
                   int leave_out)
{
    struct sw_keylog *keylog = sw_keylog_new();
    struct sw_keylog_counts counts = {0};
    sw_keylog_add(keylog, sw_span_str(log), &counts);
    assert_int_equal(counts.broken, 0);
    memset(h, 0, sizeof(*h));
    h->sink = (struct tls_sink){on_event, h};
    const struct sw_decrypt_keys all = {keylog, with_rsa};
    sw_decrypt_init(&h->decrypt, &all);
    tls_init(&h->tls, false);
    uint64_t offset[2] = {0, 0};
    int number = 0;
    for (size_t at = 0; at < wire->used; number++) {
        int side = wire->bytes[at];
        size_t len = 0;
        for (size_t i = 0; i < 4; i++)
            len |= (size_t)wire->bytes[at + 1 + i] << (8 * i);
        at += 5;
        for (size_t i = 0; i < len; i += step) {
            struct sw_piece piece = {
                .from = side ? SW_FROM_SERVER : SW_FROM_CLIENT,
                .at = {offset[side], (uint64_t)number + 1, number},
                .bytes = sw_span_sub(sw_span_make(wire->bytes + at, len), i, step),
            };
            if (number == leave_out)
                tls_gap(&h->tls, piece.from, piece.bytes.len, piece.at, &h->sink);
            else
                tls_feed(&h->tls, &piece, &h->sink);
            offset[side] += piece.bytes.len;
        }
        at += len;
    }
    rsa_unfit = h->decrypt.rsa_unfit;
    ephemeral = h->decrypt.ephemeral;
    sw_decrypt_release(&h->decrypt);
    sw_keylog_free(keylog);
}

static void assert_all_heard(const struct heard *h, bool key_update)
{
    const char *client = key_update ? "EHLO pc\r\nNOOP\r\n" : "EHLO pc\r\n";
    const char *server = key_update ? "220 mx.example.org\r\n250 OK\r\n250 2.0.0 Ok\r\n"
                                    : "220 mx.example.org\r\n250 2.0.0 Ok\r\n";
    size_t n = strlen(client);
    assert_int_equal(h->used[0], n + sizeof(long_text));
    assert_memory_equal(h->text[0], client, n);
    assert_memory_equal(h->text[0] + n, long_text, sizeof(long_text));
    assert_int_equal(h->used[1], strlen(server));
    assert_memory_equal(h->text[1], server, strlen(server));
}

static struct wire wire;
static struct heard heard;

static void connect_once(const struct wish *wish)
{
    keys_used = 0;
    keys[0] = '\0';
    wire.used = 0;
    SSL_CTX *client = context(false, wish);
    SSL_CTX *server = context(true, wish);
    talk(client, server, wish, NULL, &wire);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static void assert_opens(const struct wish *wish)
{
    connect_once(wish);
    listen(&heard, &wire, keys, 100000, -1);
    assert_all_heard(&heard, wish->key_update);
    listen(&heard, &wire, keys, 7, -1);
    assert_all_heard(&heard, wish->key_update);
}

static const char *const suites_12[] = {
#include "decrypt_suites.def"
};

static void test_every_suite_of_12(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(suites_12) / sizeof(suites_12[0]); i++) {
        print_message("%s\n", suites_12[i]);
        assert_opens(&(struct wish){.version = TLS1_2_VERSION, .suites = suites_12[i]});
    }
}

/* The list above is that of OpenSSL: a suite that it gains must be added. */
static void test_no_suite_is_forgotten(void **state)
{
    (void)state;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    STACK_OF(SSL_CIPHER) *all = SSL_get1_supported_ciphers(ssl);
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        const SSL_CIPHER *c = sk_SSL_CIPHER_value(all, i);
        bool known = strncmp(SSL_CIPHER_get_name(c), "TLS_", 4) == 0;
        for (size_t j = 0; j < sizeof(suites_12) / sizeof(suites_12[0]); j++)
            known = known || strcmp(SSL_CIPHER_get_name(c), suites_12[j]) == 0;
        if (!known)
            print_message("not tested: %s\n", SSL_CIPHER_get_name(c));
        assert_true(known);
        assert_non_null(sw_suite_find((uint16_t)SSL_CIPHER_get_protocol_id(c)));
    }
    sk_SSL_CIPHER_free(all);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static const char *const suites_13[] = {
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",   "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256",
};

static void test_every_suite_of_13(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(suites_13) / sizeof(suites_13[0]); i++)
        assert_opens(&(struct wish){.version = TLS1_3_VERSION, .suites = suites_13[i]});
}

static void test_old_versions(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION};
    for (int i = 0; i < 2; i++) {
        assert_opens(&(struct wish){.version = versions[i], .suites = "AES128-SHA"});
        assert_opens(&(struct wish){.version = versions[i], .suites = "ECDHE-RSA-AES256-SHA"});
        assert_opens(&(struct wish){.version = versions[i],
                                    .suites = "AES256-SHA",
                                    .options = SSL_OP_NO_ENCRYPT_THEN_MAC |
                                               SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS});
    }
}

static void test_mac_then_encrypt_and_plain_master_secret(void **state)
{
    (void)state;
    static const char *const cbc[] = {"AES128-SHA", "ECDHE-RSA-AES256-SHA384", "AES256-SHA256"};
    for (int i = 0; i < 3; i++) {
        assert_opens(&(struct wish){
            .version = TLS1_2_VERSION, .suites = cbc[i], .options = SSL_OP_NO_ENCRYPT_THEN_MAC});
        assert_opens(&(struct wish){.version = TLS1_2_VERSION,
                                    .suites = cbc[i],
                                    .options = SSL_OP_NO_EXTENDED_MASTER_SECRET});
    }
}

static void test_key_update(void **state)
{
    (void)state;
    assert_opens(&(struct wish){
        .version = TLS1_3_VERSION, .suites = "TLS_AES_256_GCM_SHA384", .key_update = true});
}

static void test_hello_retry(void **state)
{
    (void)state;
    assert_opens(&(struct wish){.version = TLS1_3_VERSION,
                                .suites = "TLS_AES_128_GCM_SHA256",
                                .client_groups = "X25519:P-384",
                                .server_groups = "P-384"});
}

static void resume(int version, const char *suites, uint64_t options)
{
    const struct wish wish = {.version = version, .suites = suites, .options = options};
    keys_used = 0;
    SSL_CTX *client = context(false, &wish);
    SSL_CTX *server = context(true, &wish);
    SSL_SESSION *session = NULL;
    wire.used = 0;
    talk(client, server, &wish, &session, &wire);
    assert_non_null(session);
    wire.used = 0;
    talk(client, server, &wish, &session, &wire);
    listen(&heard, &wire, keys, 1000, -1);
    assert_all_heard(&heard, false);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static void test_resumed(void **state)
{
    (void)state;
    resume(TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", 0);
    resume(TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", SSL_OP_NO_TICKET);
    resume(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", 0);
}

/* Nothing may come out that was not said: whatever is heard is a part of it, in order. */
static void assert_only_what_was_said(const struct heard *h)
{
    char said[TEXT];
    memcpy(said, "EHLO pc\r\n", 9);
    memcpy(said + 9, long_text, sizeof(long_text));
    size_t at = 0;
    for (size_t i = 0; i < h->used[0]; i++, at++) {
        while (at < 9 + sizeof(long_text) && said[at] != h->text[0][i])
            at++;
        assert_true(at < 9 + sizeof(long_text));
    }
}

static void test_keys_of_another_connection(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct wish wish = {.version = i ? TLS1_3_VERSION : TLS1_2_VERSION,
                                  .suites = i ? suites_13[0] : suites_12[1]};
        connect_once(&wish);
        char other[KEYS];
        memcpy(other, keys, keys_used + 1);
        connect_once(&wish);
        listen(&heard, &wire, other, 1000, -1);
        assert_int_equal(heard.used[0], 0);
        assert_int_equal(heard.used[1], 0);
        /* and the right randoms with wrong secrets */
        for (char *line = keys; *line; line = strchr(line, '\n') + 1) {
            char *secret = strchr(strchr(line, ' ') + 1, ' ') + 1;
            secret[0] = secret[0] == '0' ? '1' : '0';
        }
        listen(&heard, &wire, keys, 1000, -1);
        assert_int_equal(heard.used[0], 0);
        assert_int_equal(heard.used[1], 0);
    }
}

static void test_half_a_log(void **state)
{
    (void)state;
    connect_once(&(struct wish){.version = TLS1_3_VERSION, .suites = suites_13[0]});
    /* without the handshake secrets, as some programs log: the traffic keys still fit */
    char some[KEYS] = "";
    size_t used = 0;
    for (const char *line = keys; *line; line = strchr(line, '\n') + 1) {
        size_t len = (size_t)(strchr(line, '\n') + 1 - line);
        if (strstr(line, "TRAFFIC_SECRET_0") && strstr(line, "TRAFFIC_SECRET_0") < line + len) {
            memcpy(some + used, line, len);
            used += len;
        }
    }
    some[used] = '\0';
    assert_true(used > 0);
    listen(&heard, &wire, some, 1000, -1);
    assert_all_heard(&heard, false);
}

static void test_damage_and_loss_give_no_wrong_text(void **state)
{
    (void)state;
    static const struct wish wishes[] = {
        {.version = TLS1_3_VERSION, .suites = "TLS_AES_128_GCM_SHA256"},
        {.version = TLS1_2_VERSION, .suites = "ECDHE-RSA-AES128-GCM-SHA256"},
        {.version = TLS1_2_VERSION, .suites = "ECDHE-RSA-AES256-SHA384"},
        {.version = TLS1_2_VERSION, .suites = "AES128-SHA", .options = SSL_OP_NO_ENCRYPT_THEN_MAC},
    };
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        connect_once(&wishes[i]);
        size_t most = 0;
        for (int lost = 0; lost < 24; lost++) {
            listen(&heard, &wire, keys, 5000, lost);
            assert_only_what_was_said(&heard);
            most = heard.used[0] > most && heard.used[0] < sizeof(long_text) ? heard.used[0] : most;
        }
        assert_true(most > sizeof(long_text) / 2); /* one piece lost leaves the rest readable */
        size_t at = wire.used / 2;
        wire.bytes[at] ^= 0x40;
        listen(&heard, &wire, keys, 5000, -1);
        assert_only_what_was_said(&heard);
        assert_true(heard.used[0] < 9 + sizeof(long_text));
    }
}

/* The key as the program gets it: out of a file. */
static struct sw_rsa_key *through_a_file(EVP_PKEY *key)
{
    char path[] = "/tmp/test_decrypt.XXXXXX";
    char message[256] = "";
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    (void)fclose(file);
    struct sw_rsa_key *read = sw_rsa_key_read(path, message, sizeof(message));
    (void)remove(path);
    if (!read)
        assert_non_null(strstr(message, "holds no RSA private key"));
    return read;
}

static void assert_nothing_heard(const struct wish *wish, bool fresh_keys)
{
    connect_once(wish);
    listen(&heard, &wire, "", 1000, -1);
    assert_int_equal(heard.used[0] + heard.used[1], 0);
    assert_true(ephemeral == fresh_keys && rsa_unfit == !fresh_keys);
}

static void test_rsa_key(void **state)
{
    (void)state;
    assert_null(through_a_file(ec_key));
    struct sw_rsa_key *key = through_a_file(rsa_key);
    with_rsa = key;
    static const struct wish wishes[] = {
        {.version = TLS1_VERSION, .suites = "AES128-SHA"},
        {.version = TLS1_1_VERSION, .suites = "AES256-SHA"},
        {.version = TLS1_2_VERSION, .suites = "AES256-GCM-SHA384"},
        {.version = TLS1_2_VERSION, .suites = "AES128-GCM-SHA256"},
        {.version = TLS1_2_VERSION, .suites = "AES128-SHA256"},
        {.version = TLS1_2_VERSION, .suites = "AES128-CCM8"},
    };
    for (size_t i = 0; i < 2 * sizeof(wishes) / sizeof(wishes[0]); i++) {
        struct wish wish = wishes[i / 2];
        wish.options = i % 2 ? SSL_OP_NO_EXTENDED_MASTER_SECRET : 0;
        connect_once(&wish);
        listen(&heard, &wire, "", 100000, -1);
        assert_all_heard(&heard, false);
        listen(&heard, &wire, "", 7, -1);
        assert_all_heard(&heard, false);
        for (int lost = 0; lost < 6; lost++) { /* a hole in the handshake gives no wrong text */
            listen(&heard, &wire, "", 5000, lost);
            assert_only_what_was_said(&heard);
        }
    }
    assert_nothing_heard(&(struct wish){.version = TLS1_2_VERSION, .suites = suites_12[1]}, true);
    assert_nothing_heard(&(struct wish){.version = TLS1_3_VERSION, .suites = suites_13[0]}, true);
    with_rsa = NULL;
    sw_rsa_key_free(key);
}

static void test_rsa_key_of_another_server(void **state)
{
    (void)state;
    EVP_PKEY *other = EVP_RSA_gen(2048);
    struct sw_rsa_key *key = through_a_file(other);
    with_rsa = key;
    assert_nothing_heard(&(struct wish){.version = TLS1_2_VERSION, .suites = "AES128-SHA256"},
                         false);
    with_rsa = NULL;
    sw_rsa_key_free(key);
    EVP_PKEY_free(other);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(long_text); i++)
        long_text[i] = i % 61 == 60 ? '\n' : (char)('A' + i % 61 % 26);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_suite_of_12),
        cmocka_unit_test(test_no_suite_is_forgotten),
        cmocka_unit_test(test_every_suite_of_13),
        cmocka_unit_test(test_old_versions),
        cmocka_unit_test(test_mac_then_encrypt_and_plain_master_secret),
        cmocka_unit_test(test_key_update),
        cmocka_unit_test(test_hello_retry),
        cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_keys_of_another_connection),
        cmocka_unit_test(test_rsa_key),
        cmocka_unit_test(test_rsa_key_of_another_server),
        cmocka_unit_test(test_half_a_log),
        cmocka_unit_test(test_damage_and_loss_give_no_wrong_text),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
