/*
 * What one TLS connection may take of memory, however long or hostile it is: docs/ARCHITECTURE.md
 * states these figures. Counted are the blocks of this program and of OpenSSL.
 */
#include "pipeline/tls.h"
#include "tls_peers.h"

#include <malloc.h>
#include <openssl/crypto.h>

enum {
    KIB = 1024,
    WAY_BYTES = 6 * KIB,       /* dissector and decryption, before there is a key */
    FACTS_BYTES = 256 * KIB,   /* what is kept of a connection: facts, certificates, sizes */
    OPENING_BYTES = 112 * KIB, /* keys, a record of each direction while it is open, early data */
    RECORD = TLS_RECORD_LARGEST,
};

/* --- blocks, by --wrap and by OpenSSL's hook --- */

static size_t live, peak;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static void *counted(void *block)
{
    live += block ? malloc_usable_size(block) : 0;
    peak = live > peak ? live : peak;
    return block;
}

static void uncounted(void *block)
{
    size_t size = block ? malloc_usable_size(block) : 0;
    live -= size < live ? size : live;
}

void *__wrap_malloc(size_t size)
{
    return counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    uncounted(block);
    return counted(__real_realloc(block, size));
}

void __wrap_free(void *block)
{
    uncounted(block);
    __real_free(block);
}

static void *hook_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(size);
}

static void *hook_realloc(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return realloc(block, size);
}

static void hook_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

/* --- one connection --- */

struct heard {
    struct sw_session session;
    struct sw_tls_way *way;
    uint64_t offset[2];
    uint64_t text;
    size_t before;
};

static void on_text(void *ctx, enum sw_from from, struct sw_span bytes, struct sw_at at)
{
    struct heard *h = ctx;
    (void)from;
    (void)at;
    h->text += bytes.len;
}

static void on_missing(void *ctx, enum sw_from from, uint64_t length, struct sw_at at)
{
    (void)ctx;
    (void)from;
    (void)length;
    (void)at;
}

static void begin(struct heard *h, const struct sw_decrypt_keys *keys)
{
    const struct sw_tls_inner inner = {h, on_text, on_missing};
    memset(h, 0, sizeof(*h));
    h->before = live;
    sw_session_init(&h->session, NULL, NULL);
    h->way = sw_tls_way_new(&h->session, false, keys, &inner);
    assert_non_null(h->way);
    assert_true(live - h->before <= WAY_BYTES);
    peak = live;
}

static void feed(struct heard *h, int side, struct sw_span bytes)
{
    struct sw_piece piece = {
        .from = side ? SW_FROM_SERVER : SW_FROM_CLIENT,
        .at = {h->offset[side], 1 + h->offset[0] + h->offset[1], 1},
        .bytes = bytes,
    };
    sw_tls_way_bytes(h->way, &piece);
    h->offset[side] += bytes.len;
}

static size_t taken(const struct heard *h)
{
    return peak - h->before;
}

static void end_within(struct heard *h, const char *what, size_t most)
{
    print_message("%s: %zu bytes\n", what, taken(h));
    assert_true(taken(h) <= most);
    sw_tls_way_free(h->way);
    sw_session_release(&h->session);
    assert_int_equal(live, h->before);
}

static const struct sw_decrypt_keys no_keys;
static struct heard heard;
static uint8_t record[5 + RECORD];

/* A record of so many bytes of nothing. */
static struct sw_span record_of(uint8_t content, size_t length)
{
    memset(record, 0, sizeof(record));
    record[0] = content;
    record[1] = record[2] = 3;
    record[3] = (uint8_t)(length >> 8);
    record[4] = (uint8_t)length;
    return sw_span_make(record, 5 + length);
}

/* The hellos of the sides from the first to the one before the last. */
static void feed_hellos_of(struct heard *h, const struct peers_wire *wire, int first, int last)
{
    bool told[2] = {false, false};
    for (size_t at = 0; at < wire->used && !(told[0] && told[1]);) {
        int side = wire->bytes[at];
        size_t len = (size_t)wire->bytes[at + 1] | (size_t)wire->bytes[at + 2] << 8;
        struct sw_span part = sw_span_make(wire->bytes + at + 5, len);
        size_t hello = 5 + ((size_t)part.ptr[3] << 8 | part.ptr[4]);
        if (!told[side] && side >= first && side < last)
            feed(h, side, sw_span_sub(part, 0, hello));
        told[side] = true;
        at += 5 + len;
    }
}

/* The hellos of both sides, or only that of the client. */
static void feed_hellos(struct heard *h, const struct peers_wire *wire, int sides)
{
    feed_hellos_of(h, wire, 0, sides);
}

static struct peers_wire wire;

static void connect_13(void)
{
    peers_connect(
        &(struct peers_wish){.version = TLS1_3_VERSION, .suites = "TLS_AES_128_GCM_SHA256"}, &wire);
}

static void put24(uint8_t *at, size_t value)
{
    for (int i = 0; i < 3; i++)
        at[i] = (uint8_t)(value >> (16 - 8 * i));
}

/* As many bytes of certificates as are kept. */
static void feed_certificates(struct heard *h)
{
    enum { HEAD = 4 + 3, ENTRY = 3 + SW_TLS_DER_BYTES / 3, LENGTH = HEAD + 3 * ENTRY, PART = 9000 };
    static uint8_t message[LENGTH];
    message[0] = TLS_MESSAGE_CERTIFICATE;
    put24(message + 1, LENGTH - 4);
    put24(message + 4, LENGTH - HEAD);
    for (size_t i = 0; i < 3; i++)
        put24(message + HEAD + i * ENTRY, ENTRY - 3);
    struct sw_span rest = sw_span_make(message, LENGTH);
    while (rest.len > 0) {
        struct sw_span part = sw_span_sub(rest, 0, PART);
        struct sw_span bytes = record_of(TLS_CONTENT_HANDSHAKE, part.len);
        memcpy(record + 5, part.ptr, part.len);
        feed(h, 1, bytes);
        rest = sw_span_from(rest, part.len);
    }
}

static void test_any_number_of_records(void **state)
{
    (void)state;
    connect_13();
    begin(&heard, &no_keys);
    feed_hellos(&heard, &wire, 1);
    feed_certificates(&heard);
    assert_int_equal(heard.session.tls_facts->certificates_sent, 3);
    assert_false(heard.session.tls_facts->certificate_cut);
    for (int i = 0; i < 200000; i++)
        feed(&heard, i & 1, record_of(TLS_CONTENT_APPLICATION, i % 100 ? 40 : RECORD));
    end_within(&heard, "records", FACTS_BYTES);
}

static void test_any_number_of_hellos_and_alerts(void **state)
{
    (void)state;
    static const uint8_t alert[] = {21, 3, 3, 0, 2, 1, 90};
    connect_13();
    begin(&heard, &no_keys);
    for (int i = 0; i < 20000; i++) {
        feed_hellos(&heard, &wire, 2);
        feed(&heard, i & 1, sw_span_make(alert, sizeof(alert)));
    }
    end_within(&heard, "hellos and alerts", FACTS_BYTES);
}

/* Certificate messages as long as the dissector takes them, of one byte for each certificate, and
 * none of them ends: bytes are lost before. */
static void test_any_number_of_certificates(void **state)
{
    (void)state;
    enum { HEAD = 4 + 3, ENTRY = 4, PART = 16384, PARTS = 16 };
    static const uint8_t head[HEAD] = {11, 0x04, 0, 0, 0x03, 0xFF, 0xFD}; /* 2^18 bytes */
    struct sw_anchors *anchors = sw_anchors_new(NULL, NULL);
    struct sw_tls_setting setting = {.anchors = anchors};
    struct sw_certificate *certificate;
    size_t count = 0;
    connect_13();
    begin(&heard, &no_keys);
    feed_hellos(&heard, &wire, 1);
    for (int i = 0; i < 5 * PARTS; i++) {
        struct sw_span bytes = record_of(TLS_CONTENT_HANDSHAKE, PART);
        size_t sent = (size_t)(i % PARTS) * PART;
        for (size_t k = 0; k < PART; k++)
            record[5 + k] = sent + k < HEAD ? head[k] : (sent + k - HEAD) % ENTRY == 2;
        feed(&heard, 1, bytes);
        if (i % PARTS == PARTS - 1)
            sw_tls_way_gap(heard.way, SW_FROM_SERVER, 0, (struct sw_at){heard.offset[1], 1, 1});
    }
    SW_EACH(certificate, heard.session.tls_facts->certificates)
        count++;
    print_message("%u certificates: %zu bytes\n", heard.session.tls_facts->certificates_sent,
                  taken(&heard));
    assert_true(count > 0 && count <= SW_TLS_CERTIFICATES);
    assert_true(heard.session.tls_facts->certificate_cut);
    assert_true(taken(&heard) <= FACTS_BYTES);
    sw_tls_judge_certificates(&heard.session, &setting);
    sw_tls_setting_release(&setting);
    sw_anchors_free(anchors);
    sw_tls_way_free(heard.way);
    sw_session_release(&heard.session);
}

/* Everything that is opened goes through two buffers that live as long as a record. */
static void test_opened_with_keys(void **state)
{
    (void)state;
    struct sw_keylog_counts counts = {0};
    connect_13();
    struct sw_keylog *log = sw_keylog_new();
    sw_keylog_add(log, sw_span_str(peers_keys), &counts);
    static struct peers_heard first; /* what OpenSSL keeps once and for all is made now */
    peers_listen(&first, &wire, peers_keys, NULL, 5000, -1);
    const struct sw_decrypt_keys keys = {.log = log};
    begin(&heard, &keys);
    for (size_t at = 0; at < wire.used;) {
        size_t len = (size_t)wire.bytes[at + 1] | (size_t)wire.bytes[at + 2] << 8;
        feed(&heard, wire.bytes[at], sw_span_make(wire.bytes + at + 5, len));
        at += 5 + len;
    }
    assert_true(heard.text > PEERS_LONG);
    end_within(&heard, "opened", OPENING_BYTES);
    begin(&heard, &keys); /* the longest records of both sides, and their last bytes never come */
    feed_hellos(&heard, &wire, 2);
    for (int side = 0; side < 2; side++)
        feed(&heard, side, sw_span_sub(record_of(TLS_CONTENT_APPLICATION, RECORD), 0, RECORD));
    assert_true(taken(&heard) > (size_t)4 * RECORD);
    end_within(&heard, "open records", OPENING_BYTES);
    sw_keylog_free(log);
}

/* And early data, while the server's answer to it is awaited. */
static void test_early_data_with_keys(void **state)
{
    (void)state;
    enum { LARGE = 4000, FEW = 5, SMALL = 30 }; /* as much of it, and as many, as are kept */
    static char text[LARGE + 1];
    struct peers_wish wish = {
        .version = TLS1_3_VERSION, .suites = "TLS_AES_128_GCM_SHA256", .early = text};
    for (int small = 0; small < 2; small++) {
        memset(text, 'E', LARGE);
        text[small ? SMALL : LARGE] = '\0';
        wish.early_records = small ? 2 * SW_EARLY_RECORDS : FEW;
        SSL_CTX *client = peers_context(false, &wish);
        SSL_CTX *server = peers_context(true, &wish);
        SSL_SESSION *session = NULL;
        peers_forget_keys();
        for (int i = 0; i < 2; i++) {
            wire.used = 0;
            peers_talk(client, server, &wish, &session, &wire);
        }
        struct sw_keylog_counts counts = {0};
        struct sw_keylog *log = sw_keylog_new();
        sw_keylog_add(log, sw_span_str(peers_keys), &counts);
        const struct sw_decrypt_keys keys = {.log = log};
        begin(&heard, &keys);
        size_t hello = live;
        for (size_t at = 0; wire.bytes[at] == 0;) { /* the client's first flight */
            size_t len = (size_t)wire.bytes[at + 1] | (size_t)wire.bytes[at + 2] << 8;
            feed(&heard, 0, sw_span_make(wire.bytes + at + 5, len));
            at += 5 + len;
        }
        assert_true(live - hello > (small ? SW_EARLY_RECORDS * (size_t)SMALL : FEW * LARGE));
        feed_hellos_of(&heard, &wire, 1, 2);
        for (int side = 0; side < 2; side++)
            feed(&heard, side, sw_span_sub(record_of(TLS_CONTENT_APPLICATION, RECORD), 0, RECORD));
        assert_true(taken(&heard) > (size_t)4 * RECORD);
        end_within(&heard, "early data", OPENING_BYTES);
        sw_keylog_free(log);
        SSL_SESSION_free(session);
        SSL_CTX_free(client);
        SSL_CTX_free(server);
    }
}

int main(void)
{
    if (CRYPTO_set_mem_functions(hook_malloc, hook_realloc, hook_free) != 1)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_number_of_records),
        cmocka_unit_test(test_any_number_of_hellos_and_alerts),
        cmocka_unit_test(test_any_number_of_certificates),
        cmocka_unit_test(test_opened_with_keys),
        cmocka_unit_test(test_early_data_with_keys),
    };
    return cmocka_run_group_tests(tests, peers_setup, peers_teardown);
}
