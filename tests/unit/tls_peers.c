#include "tls_peers.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

EVP_PKEY *peers_rsa_key, *peers_ec_key;
char peers_keys[PEERS_KEYS];
char peers_long_text[PEERS_LONG];

static X509 *rsa_cert, *ec_cert;
static size_t keys_used;

static const char GREETING[] = "220 mx.example.org\r\n", HELLO[] = "EHLO pc\r\n",
                  NOOP[] = "NOOP\r\n", OK[] = "250 OK\r\n", DONE[] = "250 2.0.0 Ok\r\n";

static void keep_keys(const SSL *ssl, const char *line)
{
    (void)ssl;
    keys_used += (size_t)snprintf(peers_keys + keys_used, PEERS_KEYS - keys_used, "%s\n", line);
}

void peers_forget_keys(void)
{
    keys_used = 0;
    peers_keys[0] = '\0';
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

int peers_setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(peers_long_text); i++)
        peers_long_text[i] = i % 61 == 60 ? '\n' : (char)('A' + i % 61 % 26);
    peers_rsa_key = EVP_RSA_gen(2048);
    peers_ec_key = EVP_EC_gen("P-256");
    rsa_cert = certificate(peers_rsa_key);
    ec_cert = certificate(peers_ec_key);
    return rsa_cert && ec_cert ? 0 : -1;
}

int peers_teardown(void **state)
{
    (void)state;
    X509_free(rsa_cert);
    X509_free(ec_cert);
    EVP_PKEY_free(peers_rsa_key);
    EVP_PKEY_free(peers_ec_key);
    return 0;
}

SSL_CTX *peers_context(bool server, const struct peers_wish *wish)
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
        SSL_CTX_use_PrivateKey(ctx, peers_rsa_key);
        SSL_CTX_use_certificate(ctx, ec_cert);
        SSL_CTX_use_PrivateKey(ctx, peers_ec_key);
        SSL_CTX_set_dh_auto(ctx, 1);
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"x", 1);
        SSL_CTX_set_options(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION | SSL_OP_NO_ANTI_REPLAY);
        SSL_CTX_set_max_early_data(ctx, wish->early ? 1 << 16 : 0);
        SSL_CTX_set_recv_max_early_data(ctx, 1 << 16);
    } else {
        SSL_CTX_set_keylog_callback(ctx, keep_keys);
    }
    const char *groups = server ? wish->server_groups : wish->client_groups;
    if (groups)
        assert_int_equal(SSL_CTX_set1_groups_list(ctx, groups), 1);
    return ctx;
}

/* One connection between two ends. */
struct pair {
    SSL *end[2]; /* client, server */
    struct peers_wire *wire;
};

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

/* Moves what one end has written to the other, and notes it. */
static bool carry(const struct pair *pair, int side)
{
    struct peers_wire *wire = pair->wire;
    uint8_t part[4096];
    int n = BIO_read(SSL_get_wbio(pair->end[side]), part, sizeof(part));
    if (n <= 0)
        return false;
    assert_true(wire->used + 5 + (size_t)n <= PEERS_WIRE);
    uint8_t *at = wire->bytes + wire->used;
    *at++ = (uint8_t)side;
    for (int i = 0; i < 4; i++)
        *at++ = (uint8_t)((unsigned)n >> (8 * i));
    memcpy(at, part, (size_t)n);
    wire->used += 5 + (size_t)n;
    assert_int_equal(BIO_write(SSL_get_rbio(pair->end[1 - side]), part, n), n);
    return true;
}

static void carry_all(const struct pair *pair)
{
    bool moved = true;
    while (moved) {
        moved = carry(pair, 0);
        moved = carry(pair, 1) || moved;
    }
}

/* What the other side said comes to this one. */
static void hear_text(const struct pair *pair, int side, const char *text, size_t len)
{
    static char got[PEERS_TEXT];
    size_t have = 0;
    while (have < len) {
        int n = SSL_read(pair->end[side], got + have, (int)(sizeof(got) - have));
        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_memory_equal(got, text, len);
}

static void say(const struct pair *pair, int side, const char *text, size_t len)
{
    assert_int_equal(SSL_write(pair->end[side], text, (int)len), (int)len);
    carry_all(pair);
    hear_text(pair, 1 - side, text, len);
}

static void say_line(const struct pair *pair, int side, const char *line)
{
    say(pair, side, line, strlen(line));
}

static void shake(const struct pair *pair)
{
    SSL *client = pair->end[0];
    SSL *server = pair->end[1];
    for (int i = 0; i < 20 && !(SSL_is_init_finished(client) && SSL_is_init_finished(server));
         i++) {
        (void)SSL_do_handshake(client);
        carry_all(pair);
        (void)SSL_do_handshake(server);
        carry_all(pair);
    }
    if (!SSL_is_init_finished(client))
        ERR_print_errors_fp(stderr);
    assert_true(SSL_is_init_finished(client) && SSL_is_init_finished(server));
}

static size_t early_bytes(const struct peers_wish *wish)
{
    return strlen(wish->early) * (wish->early_records ? (size_t)wish->early_records : 1);
}

/* 0-RTT (RFC 8446 2.3): the client's first flight has text in it. */
static void send_early(const struct pair *pair, const struct peers_wish *wish)
{
    char got[256];
    size_t len = strlen(wish->early);
    size_t n = 0;
    if (wish->early_is_refused)
        SSL_set_max_early_data(pair->end[1], 0);
    for (size_t sent = 0; sent < early_bytes(wish); sent += len)
        assert_int_equal(SSL_write_early_data(pair->end[0], wish->early, len, &n), 1);
    carry_all(pair);
    if (wish->early_is_refused || wish->server_groups)
        return;
    for (size_t have = 0; have < early_bytes(wish); have += n)
        assert_int_equal(SSL_read_early_data(pair->end[1], got, sizeof(got), &n),
                         SSL_READ_EARLY_DATA_SUCCESS);
    if (wish->early_is_answered)
        assert_int_equal(SSL_write_early_data(pair->end[1], GREETING, strlen(GREETING), &n), 1);
    for (int i = 0; i < 20; i++) {
        (void)SSL_do_handshake(pair->end[0]);
        carry_all(pair);
        if (SSL_read_early_data(pair->end[1], got, sizeof(got), &n) == SSL_READ_EARLY_DATA_FINISH)
            break;
    }
}

/* A second handshake inside the first (RFC 5246 7.4.1.1). */
static void renegotiate(const struct pair *pair, int side)
{
    char nothing[8];
    assert_int_equal(SSL_renegotiate(pair->end[side]), 1);
    (void)SSL_do_handshake(pair->end[side]);
    for (int i = 0; i < 20; i++) { /* what is read is handshake only */
        carry_all(pair);
        assert_true(SSL_read(pair->end[0], nothing, sizeof(nothing)) <= 0);
        carry_all(pair);
        assert_true(SSL_read(pair->end[1], nothing, sizeof(nothing)) <= 0);
    }
    assert_int_equal(SSL_total_renegotiations(pair->end[0]), 1);
    assert_false(SSL_renegotiate_pending(pair->end[side]));
}

static void dialogue(const struct pair *pair, const struct peers_wish *wish)
{
    bool again = wish->renegotiate[0] || wish->renegotiate[1];
    if (wish->early_is_answered)
        hear_text(pair, 0, GREETING, strlen(GREETING));
    else
        say_line(pair, 1, GREETING);
    say_line(pair, 0, HELLO);
    for (int i = 0; i < wish->key_updates; i++) {
        int kind = i % 2 ? SSL_KEY_UPDATE_NOT_REQUESTED : SSL_KEY_UPDATE_REQUESTED;
        assert_int_equal(SSL_key_update(pair->end[0], kind), 1);
        (void)SSL_do_handshake(pair->end[0]);
        carry_all(pair);
    }
    if (again)
        renegotiate(pair, wish->renegotiate[1]);
    if (wish->key_updates > 0 || again) {
        say_line(pair, 0, NOOP);
        say_line(pair, 1, OK);
    }
    say(pair, 0, peers_long_text, sizeof(peers_long_text));
    say_line(pair, 1, DONE);
}

void peers_talk(SSL_CTX *client_ctx, SSL_CTX *server_ctx, const struct peers_wish *wish,
                SSL_SESSION **session, struct peers_wire *wire)
{
    struct pair pair = {{end_of(client_ctx, false), end_of(server_ctx, true)}, wire};
    bool resume = session && *session;
    if (resume)
        assert_int_equal(SSL_set_session(pair.end[0], *session), 1);
    if (resume && wish->early)
        send_early(&pair, wish);
    shake(&pair);
    if (resume)
        assert_true(SSL_session_reused(pair.end[0]));
    if (resume && wish->early)
        assert_int_equal(SSL_get_early_data_status(pair.end[0]),
                         wish->early_is_refused || wish->server_groups ? SSL_EARLY_DATA_REJECTED
                                                                       : SSL_EARLY_DATA_ACCEPTED);
    dialogue(&pair, wish);
    if (session) {
        SSL_SESSION_free(*session);
        *session = SSL_get1_session(pair.end[0]);
    }
    (void)SSL_shutdown(pair.end[0]);
    carry_all(&pair);
    (void)SSL_shutdown(pair.end[1]);
    carry_all(&pair);
    SSL_free(pair.end[0]);
    SSL_free(pair.end[1]);
}

void peers_connect(const struct peers_wish *wish, struct peers_wire *wire)
{
    peers_forget_keys();
    wire->used = 0;
    SSL_CTX *client = peers_context(false, wish);
    SSL_CTX *server = peers_context(true, wish);
    peers_talk(client, server, wish, NULL, wire);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* --- the listener --- */

static void on_event(void *ctx, const struct tls_event *event)
{
    struct peers_heard *h = ctx;
    sw_decrypt_event(&h->decrypt, &h->tls, event, &h->sink);
    if (event->kind != TLS_EVENT_APPLICATION)
        return;
    int side = event->from == SW_FROM_SERVER;
    assert_true(h->used[side] + event->bytes.len <= PEERS_TEXT);
    memcpy(h->text[side] + h->used[side], event->bytes.ptr, event->bytes.len);
    h->used[side] += event->bytes.len;
}

static void hear(struct peers_heard *h, const struct peers_wire *wire, size_t step, int leave_out,
                 int most)
{
    uint64_t offset[2] = {0, 0};
    int number = 0;
    for (size_t at = 0; at < wire->used && number < most; number++) {
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
}

static void listen(struct peers_heard *h, const struct peers_wire *wire, const char *log,
                   const struct sw_rsa_key *rsa, size_t step, int leave_out, int most)
{
    struct sw_keylog *keylog = sw_keylog_new();
    struct sw_keylog_counts counts = {0};
    sw_keylog_add(keylog, sw_span_str(log), &counts);
    assert_int_equal(counts.broken, 0);
    memset(h, 0, sizeof(*h));
    h->sink = (struct tls_sink){on_event, h};
    const struct sw_decrypt_keys all = {keylog, rsa};
    sw_decrypt_init(&h->decrypt, &all);
    tls_init(&h->tls, false);
    hear(h, wire, step, leave_out, most);
    h->rsa_unfit = h->decrypt.rsa_unfit;
    h->ephemeral = h->decrypt.ephemeral;
    h->short_of_memory = h->decrypt.short_of_memory;
    h->loss = h->decrypt.loss.bytes;
    sw_decrypt_release(&h->decrypt);
    sw_keylog_free(keylog);
}

void peers_listen(struct peers_heard *h, const struct peers_wire *wire, const char *log,
                  const struct sw_rsa_key *rsa, size_t step, int leave_out)
{
    listen(h, wire, log, rsa, step, leave_out, INT_MAX);
}

void peers_listen_until(struct peers_heard *h, const struct peers_wire *wire, const char *log,
                        int pieces)
{
    listen(h, wire, log, NULL, PEERS_WIRE, -1, pieces);
}

static void assert_heard(const struct peers_heard *heard, struct sw_span early, bool with_noop)
{
    char client[64];
    char server[64];
    (void)snprintf(client, sizeof(client), "%s%s", HELLO, with_noop ? NOOP : "");
    (void)snprintf(server, sizeof(server), "%s%s%s", GREETING, with_noop ? OK : "", DONE);
    size_t n = strlen(client);
    const char *text = heard->text[0] + early.len;
    assert_int_equal(heard->used[0], early.len + n + sizeof(peers_long_text));
    if (early.len > 0)
        assert_memory_equal(heard->text[0], early.ptr, early.len);
    assert_memory_equal(text, client, n);
    assert_memory_equal(text + n, peers_long_text, sizeof(peers_long_text));
    assert_int_equal(heard->used[1], strlen(server));
    assert_memory_equal(heard->text[1], server, strlen(server));
}

void peers_assert_all_heard(const struct peers_heard *heard, bool with_noop)
{
    assert_heard(heard, (struct sw_span){NULL, 0}, with_noop);
}

void peers_assert_heard_behind(const struct peers_heard *heard, struct sw_span early)
{
    assert_heard(heard, early, false);
}

void peers_assert_only_behind(const struct peers_heard *heard, struct sw_span early)
{
    static char said[PEERS_TEXT];
    if (early.len > 0)
        memcpy(said, early.ptr, early.len);
    size_t length = early.len + (size_t)snprintf(said + early.len, sizeof(said) - early.len, "%s%s",
                                                 HELLO, NOOP);
    memcpy(said + length, peers_long_text, sizeof(peers_long_text));
    length += sizeof(peers_long_text);
    size_t at = 0;
    for (size_t i = 0; i < heard->used[0]; i++, at++) {
        while (at < length && said[at] != heard->text[0][i])
            at++;
        assert_true(at < length);
    }
}

void peers_assert_only_what_was_said(const struct peers_heard *heard)
{
    peers_assert_only_behind(heard, (struct sw_span){NULL, 0});
}
