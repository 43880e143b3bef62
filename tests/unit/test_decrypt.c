/*
 * Real handshakes between two ends of OpenSSL, over memory, through the TLS dissector and the
 * decryption: what was said must come out, and nothing else.
 */
#include "tls_peers.h"

#include <openssl/pem.h>

static struct peers_wire wire;
static struct peers_heard heard;
static const struct sw_rsa_key *with_rsa; /* what the listener has beside the log */

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

static void assert_opens(const struct peers_wish *wish)
{
    bool noop = wish->key_updates > 0 || wish->renegotiate[0] || wish->renegotiate[1];
    peers_connect(wish, &wire);
    peers_listen(&heard, &wire, peers_keys, with_rsa, 100000, -1);
    peers_assert_all_heard(&heard, noop);
    peers_listen(&heard, &wire, peers_keys, with_rsa, 7, -1);
    peers_assert_all_heard(&heard, noop);
}

static const char *const suites_12[] = {
#include "decrypt_suites.def"
};

static void test_every_suite_of_12(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(suites_12) / sizeof(suites_12[0]); i++) {
        print_message("%s\n", suites_12[i]);
        assert_opens(&(struct peers_wish){.version = TLS1_2_VERSION, .suites = suites_12[i]});
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
        assert_opens(&(struct peers_wish){.version = TLS1_3_VERSION, .suites = suites_13[i]});
}

static void test_old_versions(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION};
    for (int i = 0; i < 2; i++) {
        assert_opens(&(struct peers_wish){.version = versions[i], .suites = "AES128-SHA"});
        assert_opens(
            &(struct peers_wish){.version = versions[i], .suites = "ECDHE-RSA-AES256-SHA"});
        assert_opens(&(struct peers_wish){.version = versions[i],
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
        assert_opens(&(struct peers_wish){
            .version = TLS1_2_VERSION, .suites = cbc[i], .options = SSL_OP_NO_ENCRYPT_THEN_MAC});
        assert_opens(&(struct peers_wish){.version = TLS1_2_VERSION,
                                          .suites = cbc[i],
                                          .options = SSL_OP_NO_EXTENDED_MASTER_SECRET});
    }
}

static void test_key_update(void **state)
{
    (void)state;
    static const int numbers[] = {1, 2, 30}; /* OpenSSL takes 32 in a row */
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        assert_opens(&(struct peers_wish){.version = TLS1_3_VERSION,
                                          .suites = "TLS_AES_256_GCM_SHA384",
                                          .key_updates = numbers[i]});
}

static void test_hello_retry(void **state)
{
    (void)state;
    assert_opens(&(struct peers_wish){.version = TLS1_3_VERSION,
                                      .suites = "TLS_AES_128_GCM_SHA256",
                                      .client_groups = "X25519:P-384",
                                      .server_groups = "P-384"});
}

/* The second handshake is inside the first, and each side changes its keys when it says so. Where
 * the server asks for it, OpenSSL takes up the first one's session. */
static void test_renegotiation(void **state)
{
    (void)state;
    static const char *const suites[] = {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-SHA384",
                                         "ECDHE-RSA-CHACHA20-POLY1305", "AES128-SHA"};
    for (size_t i = 0; i < 2 * sizeof(suites) / sizeof(suites[0]); i++) {
        struct peers_wish wish = {.version = TLS1_2_VERSION, .suites = suites[i / 2]};
        wish.renegotiate[i % 2] = true;
        assert_opens(&wish);
        for (int lost = 0; lost < 24; lost++) {
            peers_listen(&heard, &wire, peers_keys, NULL, 5000, lost);
            peers_assert_only_what_was_said(&heard);
        }
    }
    assert_opens(&(struct peers_wish){
        .version = TLS1_VERSION, .suites = "AES128-SHA", .renegotiate = {true}});
    struct sw_rsa_key *key = through_a_file(peers_rsa_key); /* worked out, both times */
    peers_connect(&(struct peers_wish){.version = TLS1_2_VERSION,
                                       .suites = "AES128-SHA256",
                                       .renegotiate = {true}},
                  &wire);
    peers_listen(&heard, &wire, "", key, 1000, -1);
    peers_assert_all_heard(&heard, true);
    sw_rsa_key_free(key);
}

static void resume(int version, const char *suites, uint64_t options)
{
    const struct peers_wish wish = {.version = version, .suites = suites, .options = options};
    peers_forget_keys();
    SSL_CTX *client = peers_context(false, &wish);
    SSL_CTX *server = peers_context(true, &wish);
    SSL_SESSION *session = NULL;
    wire.used = 0;
    peers_talk(client, server, &wish, &session, &wire);
    assert_non_null(session);
    wire.used = 0;
    peers_talk(client, server, &wish, &session, &wire);
    peers_listen(&heard, &wire, peers_keys, with_rsa, 1000, -1);
    peers_assert_all_heard(&heard, false);
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

static void test_keys_of_another_connection(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct peers_wish wish = {.version = i ? TLS1_3_VERSION : TLS1_2_VERSION,
                                        .suites = i ? suites_13[0] : suites_12[1]};
        peers_connect(&wish, &wire);
        char other[PEERS_KEYS];
        memcpy(other, peers_keys, strlen(peers_keys) + 1);
        peers_connect(&wish, &wire);
        peers_listen(&heard, &wire, other, with_rsa, 1000, -1);
        assert_int_equal(heard.used[0], 0);
        assert_int_equal(heard.used[1], 0);
        /* and the right randoms with wrong secrets */
        for (char *line = peers_keys; *line; line = strchr(line, '\n') + 1) {
            char *secret = strchr(strchr(line, ' ') + 1, ' ') + 1;
            secret[0] = secret[0] == '0' ? '1' : '0';
        }
        peers_listen(&heard, &wire, peers_keys, with_rsa, 1000, -1);
        assert_int_equal(heard.used[0], 0);
        assert_int_equal(heard.used[1], 0);
    }
}

/* Only the lines with this word. */
static void keep_lines(char out[PEERS_KEYS], const char *word)
{
    size_t used = 0;
    for (const char *line = peers_keys; *line; line = strchr(line, '\n') + 1) {
        size_t len = (size_t)(strchr(line, '\n') + 1 - line);
        const char *found = strstr(line, word);
        if (!found || found >= line + len)
            continue;
        memcpy(out + used, line, len);
        used += len;
    }
    out[used] = '\0';
    assert_true(used > 0);
}

/* The secrets of one side open that side and nothing of the other. */
static void test_log_of_one_side(void **state)
{
    (void)state;
    static const char *const sides[] = {"CLIENT_", "SERVER_"};
    static const size_t lengths[] = {9 + PEERS_LONG, 20 + 14};
    peers_connect(&(struct peers_wish){.version = TLS1_3_VERSION, .suites = suites_13[0]}, &wire);
    for (int side = 0; side < 2; side++) {
        char some[PEERS_KEYS];
        keep_lines(some, sides[side]);
        peers_listen(&heard, &wire, some, NULL, 1000, -1);
        assert_int_equal(heard.used[side], lengths[side]);
        assert_int_equal(heard.used[1 - side], 0);
    }
}

/* Nobody does that by accident; and the secret that comes first in the log fits only one of them.
 */
static void test_two_secrets_for_one_random(void **state)
{
    (void)state;
    static char log[2 * PEERS_KEYS];
    for (int i = 0; i < 2; i++) {
        const struct peers_wish wish = {.version = i ? TLS1_3_VERSION : TLS1_2_VERSION,
                                        .suites = i ? suites_13[0] : suites_12[1]};
        peers_connect(&wish, &wire);
        /* the same random with other secrets, before and behind the right ones */
        static char wrong[PEERS_KEYS];
        (void)snprintf(wrong, sizeof(wrong), "%s", peers_keys);
        for (char *line = wrong; *line; line = strchr(line, '\n') + 1) {
            char *secret = strchr(strchr(line, ' ') + 1, ' ') + 1;
            secret[0] = secret[0] == '0' ? '1' : '0';
        }
        (void)snprintf(log, sizeof(log), "%s%s", peers_keys, wrong);
        peers_listen(&heard, &wire, log, NULL, 1000, -1);
        peers_assert_all_heard(&heard, false);
        (void)snprintf(log, sizeof(log), "%s%s", wrong, peers_keys);
        peers_listen(&heard, &wire, log, NULL, 1000, -1);
        assert_int_equal(heard.used[0] + heard.used[1], 0);
    }
}

/* The capture ends anywhere: what came out before is what was said. */
static void test_truncated(void **state)
{
    (void)state;
    static const struct peers_wish wishes[] = {
        {.version = TLS1_3_VERSION, .suites = "TLS_AES_128_GCM_SHA256"},
        {.version = TLS1_2_VERSION, .suites = "AES128-SHA"},
    };
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        peers_connect(&wishes[i], &wire);
        for (int pieces = 0; pieces < 24; pieces++) {
            peers_listen_until(&heard, &wire, peers_keys, pieces);
            peers_assert_only_what_was_said(&heard);
        }
    }
}

/* --- early data --- */

#define EARLY "EHLO early\r\n"

static const struct sw_span early_text = SW_SPAN_LIT(EARLY), nothing;

/* A connection that takes up the session of one before, with text in its first flight. */
static void connect_early(const struct peers_wish *wish)
{
    struct peers_wish before = *wish;
    before.client_groups = before.server_groups = NULL;
    before.early_is_answered = false;
    SSL_CTX *client = peers_context(false, &before);
    SSL_CTX *server = peers_context(true, &before);
    SSL_SESSION *session = NULL;
    peers_forget_keys();
    wire.used = 0;
    peers_talk(client, server, &before, &session, &wire);
    if (wish->server_groups) {
        SSL_CTX_set1_groups_list(client, wish->client_groups);
        SSL_CTX_set1_groups_list(server, wish->server_groups);
    }
    wire.used = 0;
    peers_talk(client, server, wish, &session, &wire);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static void listen_early(const char *log, struct sw_span expected)
{
    peers_listen(&heard, &wire, log, NULL, 100000, -1);
    peers_assert_heard_behind(&heard, expected);
    peers_listen(&heard, &wire, log, NULL, 7, -1);
    peers_assert_heard_behind(&heard, expected);
    for (int lost = 0; lost < 12; lost++) {
        peers_listen(&heard, &wire, log, NULL, 5000, lost);
        peers_assert_only_behind(&heard, expected);
    }
}

static void test_early_data(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(suites_13) / sizeof(suites_13[0]); i++) {
        connect_early(&(struct peers_wish){
            .version = TLS1_3_VERSION, .suites = suites_13[i], .early = EARLY});
        listen_early(peers_keys, early_text);
    }
}

/* What the server refuses was never said, whichever way it refuses. */
static void test_early_data_refused(void **state)
{
    (void)state;
    connect_early(&(struct peers_wish){.version = TLS1_3_VERSION,
                                       .suites = suites_13[0],
                                       .early = EARLY,
                                       .early_is_refused = true});
    listen_early(peers_keys, nothing);
    connect_early(&(struct peers_wish){.version = TLS1_3_VERSION,
                                       .suites = suites_13[0],
                                       .client_groups = "X25519:P-384",
                                       .server_groups = "P-384",
                                       .early = EARLY});
    listen_early(peers_keys, nothing);
}

/* All lines but those with this word. */
static void drop_lines(char out[PEERS_KEYS], const char *word)
{
    size_t used = 0;
    for (const char *line = peers_keys; *line; line = strchr(line, '\n') + 1) {
        size_t len = (size_t)(strchr(line, '\n') + 1 - line);
        const char *found = strstr(line, word);
        if (found && found < line + len)
            continue;
        memcpy(out + used, line, len);
        used += len;
    }
    out[used] = '\0';
}

static void test_early_data_and_half_a_log(void **state)
{
    (void)state;
    static char some[PEERS_KEYS];
    struct peers_wish wish = {.version = TLS1_3_VERSION, .suites = suites_13[1], .early = EARLY};
    connect_early(&wish);
    drop_lines(some, "EARLY_TRAFFIC");
    listen_early(some, nothing);
    /* the server's answer cannot be read, and the client's end of its early data proves it */
    drop_lines(some, "SERVER_HANDSHAKE");
    listen_early(some, early_text);
    drop_lines(some, "SERVER_");
    peers_listen(&heard, &wire, some, NULL, 1000, -1);
    assert_int_equal(heard.used[1], 0);
    assert_memory_equal(heard.text[0], EARLY, early_text.len);
    /* and proves it too late: the server has spoken, to whatever the early data was */
    wish.early_is_answered = true;
    connect_early(&wish);
    listen_early(peers_keys, early_text);
    drop_lines(some, "SERVER_HANDSHAKE");
    listen_early(some, nothing);
}

/* What is kept of it until the server has taken it has an end: the beginning comes out, and
 * nothing behind what is missing. */
static void test_a_lot_of_early_data(void **state)
{
    (void)state;
    enum { MANY = SW_EARLY_RECORDS + 8, LARGE = 3000 };
    static char large[LARGE + 1];
    memset(large, 'E', LARGE);
    connect_early(&(struct peers_wish){
        .version = TLS1_3_VERSION, .suites = suites_13[0], .early = EARLY, .early_records = MANY});
    peers_listen(&heard, &wire, peers_keys, NULL, 1000, -1);
    for (int i = 0; i < SW_EARLY_RECORDS; i++)
        assert_memory_equal(heard.text[0] + (size_t)i * early_text.len, EARLY, early_text.len);
    assert_memory_equal(heard.text[0] + SW_EARLY_RECORDS * early_text.len, "EHLO pc", 7);
    assert_true(heard.short_of_memory);
    assert_int_equal(heard.loss, (MANY - SW_EARLY_RECORDS) * (early_text.len + 1 + 16));
    connect_early(&(struct peers_wish){
        .version = TLS1_3_VERSION, .suites = suites_13[0], .early = large, .early_records = 10});
    peers_listen(&heard, &wire, peers_keys, NULL, 1000, -1);
    assert_memory_equal(heard.text[0] + (size_t)LARGE * (SW_EARLY_BYTES / (LARGE + 17)), "EHLO pc",
                        7);
}

static void test_half_a_log(void **state)
{
    (void)state;
    peers_connect(&(struct peers_wish){.version = TLS1_3_VERSION, .suites = suites_13[0]}, &wire);
    /* without the handshake secrets, as some programs log: the traffic keys still fit */
    char some[PEERS_KEYS];
    keep_lines(some, "TRAFFIC_SECRET_0");
    peers_listen(&heard, &wire, some, with_rsa, 1000, -1);
    peers_assert_all_heard(&heard, false);
}

static void test_damage_and_loss_give_no_wrong_text(void **state)
{
    (void)state;
    enum { END = 1000 }; /* so many bytes at the end of the text */
    static const struct peers_wish wishes[] = {
        {.version = TLS1_3_VERSION, .suites = "TLS_AES_128_GCM_SHA256"},
        {.version = TLS1_2_VERSION, .suites = "ECDHE-RSA-AES128-GCM-SHA256"},
        {.version = TLS1_2_VERSION, .suites = "ECDHE-RSA-AES256-SHA384"},
        {.version = TLS1_2_VERSION, .suites = "AES128-SHA", .options = SSL_OP_NO_ENCRYPT_THEN_MAC},
        {.version = TLS1_VERSION, .suites = "AES128-SHA"},
        {.version = TLS1_VERSION, .suites = "AES128-SHA", .options = SSL_OP_NO_ENCRYPT_THEN_MAC},
    };
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        peers_connect(&wishes[i], &wire);
        int went_on = 0;
        for (int lost = 0; lost < 24; lost++) {
            peers_listen(&heard, &wire, peers_keys, with_rsa, 5000, lost);
            peers_assert_only_what_was_said(&heard);
            if (heard.used[0] > END && heard.used[0] < sizeof(peers_long_text) &&
                memcmp(heard.text[0] + heard.used[0] - END,
                       peers_long_text + sizeof(peers_long_text) - END, END) == 0)
                went_on++;
        }
        /* One piece lost leaves what comes later readable; how often depends on where the records
         * of a handshake end, which differ by some bytes. */
        assert_true(went_on > 1);
        size_t at = wire.used / 2;
        wire.bytes[at] ^= 0x40;
        peers_listen(&heard, &wire, peers_keys, with_rsa, 5000, -1);
        peers_assert_only_what_was_said(&heard);
        assert_true(heard.used[0] < 9 + sizeof(peers_long_text));
    }
}

static void assert_nothing_heard(const struct peers_wish *wish, bool fresh_keys)
{
    peers_connect(wish, &wire);
    peers_listen(&heard, &wire, "", with_rsa, 1000, -1);
    assert_int_equal(heard.used[0] + heard.used[1], 0);
    assert_true(heard.ephemeral == fresh_keys && heard.rsa_unfit == !fresh_keys);
}

static void test_rsa_key(void **state)
{
    (void)state;
    assert_null(through_a_file(peers_ec_key));
    struct sw_rsa_key *key = through_a_file(peers_rsa_key);
    with_rsa = key;
    static const struct peers_wish wishes[] = {
        {.version = TLS1_VERSION, .suites = "AES128-SHA"},
        {.version = TLS1_1_VERSION, .suites = "AES256-SHA"},
        {.version = TLS1_2_VERSION, .suites = "AES256-GCM-SHA384"},
        {.version = TLS1_2_VERSION, .suites = "AES128-GCM-SHA256"},
        {.version = TLS1_2_VERSION, .suites = "AES128-SHA256"},
        {.version = TLS1_2_VERSION, .suites = "AES128-CCM8"},
    };
    for (size_t i = 0; i < 2 * sizeof(wishes) / sizeof(wishes[0]); i++) {
        struct peers_wish wish = wishes[i / 2];
        wish.options = i % 2 ? SSL_OP_NO_EXTENDED_MASTER_SECRET : 0;
        peers_connect(&wish, &wire);
        peers_listen(&heard, &wire, "", with_rsa, 100000, -1);
        peers_assert_all_heard(&heard, false);
        peers_listen(&heard, &wire, "", with_rsa, 7, -1);
        peers_assert_all_heard(&heard, false);
        for (int lost = 0; lost < 6; lost++) { /* a hole in the handshake gives no wrong text */
            peers_listen(&heard, &wire, "", with_rsa, 5000, lost);
            peers_assert_only_what_was_said(&heard);
        }
    }
    assert_nothing_heard(&(struct peers_wish){.version = TLS1_2_VERSION, .suites = suites_12[1]},
                         true);
    assert_nothing_heard(&(struct peers_wish){.version = TLS1_3_VERSION, .suites = suites_13[0]},
                         true);
    with_rsa = NULL;
    sw_rsa_key_free(key);
}

static void test_rsa_key_of_another_server(void **state)
{
    (void)state;
    EVP_PKEY *other = EVP_RSA_gen(2048);
    struct sw_rsa_key *key = through_a_file(other);
    with_rsa = key;
    assert_nothing_heard(&(struct peers_wish){.version = TLS1_2_VERSION, .suites = "AES128-SHA256"},
                         false);
    with_rsa = NULL;
    sw_rsa_key_free(key);
    EVP_PKEY_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_suite_of_12),
        cmocka_unit_test(test_no_suite_is_forgotten),
        cmocka_unit_test(test_every_suite_of_13),
        cmocka_unit_test(test_old_versions),
        cmocka_unit_test(test_mac_then_encrypt_and_plain_master_secret),
        cmocka_unit_test(test_key_update),
        cmocka_unit_test(test_hello_retry),
        cmocka_unit_test(test_renegotiation),
        cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_keys_of_another_connection),
        cmocka_unit_test(test_rsa_key),
        cmocka_unit_test(test_rsa_key_of_another_server),
        cmocka_unit_test(test_half_a_log),
        cmocka_unit_test(test_log_of_one_side),
        cmocka_unit_test(test_two_secrets_for_one_random),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_early_data),
        cmocka_unit_test(test_early_data_refused),
        cmocka_unit_test(test_early_data_and_half_a_log),
        cmocka_unit_test(test_a_lot_of_early_data),
        cmocka_unit_test(test_damage_and_loss_give_no_wrong_text),
    };
    return cmocka_run_group_tests(tests, peers_setup, peers_teardown);
}
