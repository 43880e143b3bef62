#include "pipeline/decrypt.h"

#include "base/account.h"
#include "base/wipe.h"

#include <stdlib.h>

enum { HANDSHAKE_HEADER = 4, EXCHANGE_LENGTH = 2 };

void sw_decrypt_init(struct sw_decrypt *decrypt, const struct sw_decrypt_keys *keys)
{
    *decrypt = (struct sw_decrypt){.keys = *keys};
    decrypt->account = &decrypt->own_account;
}

static void drop_record(struct sw_decrypt *decrypt, struct sw_decrypt_record *record)
{
    if (record->bytes) {
        sw_wipe(record->bytes, 2 * (size_t)record->length);
        sw_account_give(decrypt->account, 2 * (size_t)record->length);
    }
    free(record->bytes);
    *record = (struct sw_decrypt_record){.bytes = NULL};
}

static void drop_message(struct sw_decrypt_exchange *exchange)
{
    free(exchange->message);
    exchange->message = NULL;
    exchange->length = exchange->have = 0;
}

static void drop_exchange(struct sw_decrypt_exchange *exchange)
{
    sw_transcript_free(exchange->transcript);
    drop_message(exchange);
    *exchange = (struct sw_decrypt_exchange){.transcript = NULL};
}

void sw_decrypt_release(struct sw_decrypt *decrypt)
{
    drop_exchange(&decrypt->exchange);
    sw_opener_free(decrypt->opener);
    sw_opener_free(decrypt->next);
    drop_record(decrypt, &decrypt->record[0]);
    drop_record(decrypt, &decrypt->record[1]);
    sw_wipe(decrypt, sizeof(*decrypt));
}

static int side_of(enum sw_from from)
{
    return from == SW_FROM_SERVER ? 1 : 0;
}

static struct sw_opener *opener_of(const struct sw_decrypt *decrypt, int side)
{
    return decrypt->moved[side] ? decrypt->next : decrypt->opener;
}

static void on_client_hello(struct sw_decrypt *decrypt, const struct tls_hello *hello)
{
    memcpy(decrypt->hello.client_random, hello->random, sizeof(decrypt->hello.client_random));
    decrypt->hello.early_data = hello->early_data;
    decrypt->in_keylog = decrypt->in_keylog || sw_keylog_knows(decrypt->keys.log, hello->random);
}

static void on_server_hello(struct sw_decrypt *decrypt, const struct tls_event *event)
{
    if (event->hello->retry)
        return; /* the real one follows, and the client's random stays (RFC 8446 4.1.2) */
    struct sw_opener_hello *hello = &decrypt->hello;
    hello->version = event->hello->version;
    hello->cipher = event->hello->cipher;
    hello->encrypt_then_mac = event->hello->encrypt_then_mac;
    memcpy(hello->server_random, event->hello->random, sizeof(hello->server_random));
    decrypt->exchange.extended = event->hello->extended_master;
    const struct sw_suite *suite = sw_suite_find(hello->cipher);
    decrypt->ephemeral = suite && !suite->rsa;
    if (!suite || !suite->rsa)
        drop_exchange(&decrypt->exchange); /* nothing to work out */
    struct sw_opener *opener = sw_opener_new(hello, decrypt->keys.log);
    if (!opener) {
        decrypt->short_of_memory = true;
        return;
    }
    struct sw_opener **place = decrypt->opener ? &decrypt->next : &decrypt->opener;
    sw_opener_free(*place);
    *place = opener;
    decrypt->saw_hello = true;
}

/* --- RSA key exchange --- */

static void on_message(struct sw_decrypt *decrypt, const struct tls_event *event)
{
    struct sw_decrypt_exchange *exchange = &decrypt->exchange;
    if (event->code == TLS_MESSAGE_CLIENT_HELLO) {
        drop_exchange(exchange);
        exchange->transcript = sw_transcript_new();
        decrypt->short_of_memory = decrypt->short_of_memory || !exchange->transcript;
    }
    drop_message(exchange);
    if (!exchange->transcript || event->code != TLS_MESSAGE_CLIENT_KEY_EXCHANGE ||
        event->number > EXCHANGE_LENGTH + SW_RSA_BYTES)
        return;
    exchange->length = HANDSHAKE_HEADER + (uint32_t)event->number;
    exchange->message = malloc(exchange->length);
    decrypt->short_of_memory = decrypt->short_of_memory || !exchange->message;
}

static void on_message_bytes(struct sw_decrypt *decrypt, const struct tls_event *event)
{
    struct sw_decrypt_exchange *exchange = &decrypt->exchange;
    exchange->broken = exchange->broken || (event->flags & TLS_FLAG_CUT);
    if (exchange->transcript && event->code != TLS_MESSAGE_HELLO_REQUEST) /* RFC 5246 7.4.1.1 */
        sw_transcript_add(exchange->transcript, event->bytes);
    if (!exchange->message || event->code != TLS_MESSAGE_CLIENT_KEY_EXCHANGE ||
        event->bytes.len > exchange->length - exchange->have)
        return;
    memcpy(exchange->message + exchange->have, event->bytes.ptr, event->bytes.len);
    exchange->have += (uint32_t)event->bytes.len;
}

/* The opener of the ServerHello had no secret: here it is. */
static void open_with(struct sw_decrypt *decrypt, struct sw_span master)
{
    struct sw_opener **place = decrypt->next ? &decrypt->next : &decrypt->opener;
    struct sw_opener *opener = sw_opener_from_master(&decrypt->hello, master);
    if (!opener) {
        decrypt->short_of_memory = true;
        return;
    }
    sw_opener_free(*place);
    *place = opener;
}

static void on_key_exchange(struct sw_decrypt *decrypt)
{
    struct sw_decrypt_exchange *exchange = &decrypt->exchange;
    const struct sw_suite *suite = sw_suite_find(decrypt->hello.cipher);
    struct sw_span message = sw_span_make(exchange->message, exchange->have);
    bool whole = exchange->message && exchange->have == exchange->length;
    if (!whole || message.len < HANDSHAKE_HEADER + EXCHANGE_LENGTH || !decrypt->opener || !suite ||
        !suite->rsa || (exchange->extended && exchange->broken) ||
        sw_keylog_knows(decrypt->keys.log, decrypt->hello.client_random))
        return;
    const struct sw_rsa_exchange from = {
        .version = decrypt->hello.version,
        .digest = suite->digest,
        .encrypted = sw_span_from(message, HANDSHAKE_HEADER + EXCHANGE_LENGTH),
        .client_random = decrypt->hello.client_random,
        .server_random = decrypt->hello.server_random,
        .transcript = exchange->extended ? exchange->transcript : NULL,
    };
    uint8_t master[SW_MASTER_BYTES];
    if (sw_rsa_master(decrypt->keys.rsa, &from, master)) {
        decrypt->in_keylog = true;
        open_with(decrypt, sw_span_make(master, sizeof(master)));
    } else {
        decrypt->rsa_unfit = true;
    }
    sw_wipe(master, sizeof(master));
}

static void handshake(struct sw_decrypt *decrypt, const struct tls_event *event)
{
    if (event->kind == TLS_EVENT_HANDSHAKE)
        on_message(decrypt, event);
    else if (event->kind == TLS_EVENT_HANDSHAKE_BYTES)
        on_message_bytes(decrypt, event);
    else if (event->kind == TLS_EVENT_HANDSHAKE_END &&
             event->code == TLS_MESSAGE_CLIENT_KEY_EXCHANGE) {
        on_key_exchange(decrypt);
        drop_exchange(&decrypt->exchange);
    } else if (event->kind == TLS_EVENT_GAP) {
        decrypt->exchange.broken = true;
    }
}

/* --- records --- */

/* Both sides use the keys of the second handshake. */
static void settle(struct sw_decrypt *decrypt)
{
    if (!decrypt->moved[0] || !decrypt->moved[1])
        return;
    sw_opener_free(decrypt->opener);
    decrypt->opener = decrypt->next;
    decrypt->next = NULL;
    decrypt->moved[0] = decrypt->moved[1] = false;
}

static void on_record(struct sw_decrypt *decrypt, const struct tls_event *event)
{
    struct sw_decrypt_record *record = &decrypt->record[side_of(event->from)];
    drop_record(decrypt, record);
    if (!(event->flags & TLS_FLAG_ENCRYPTED) || event->number == 0 ||
        event->number > TLS_RECORD_LARGEST || !decrypt->opener)
        return;
    record->bytes = malloc(2 * (size_t)event->number);
    if (record->bytes) {
        record->length = (uint32_t)event->number;
        sw_account_take(decrypt->account, 2 * (size_t)event->number);
    } else {
        decrypt->short_of_memory = true;
    }
}

static void on_bytes(struct sw_decrypt *decrypt, const struct tls_event *event)
{
    struct sw_decrypt_record *record = &decrypt->record[side_of(event->from)];
    if (!record->bytes || event->bytes.len > record->length - record->have)
        return;
    memcpy(record->bytes + record->have, event->bytes.ptr, event->bytes.len);
    record->have += (uint32_t)event->bytes.len;
}

/* What the plain text of the record said about the keys of the next one. */
static void follow(struct sw_decrypt *decrypt, int side, uint8_t content)
{
    struct sw_opener *opener = opener_of(decrypt, side);
    if (decrypt->finished[side])
        sw_opener_finished(opener, side);
    if (decrypt->key_update[side])
        sw_opener_key_update(opener, side);
    decrypt->finished[side] = decrypt->key_update[side] = false;
    if (content == TLS_CONTENT_CHANGE_CIPHER_SPEC && decrypt->next) {
        decrypt->moved[side] = true;
        settle(decrypt);
    }
}

static void count(struct sw_decrypt *decrypt, enum sw_opened how)
{
    switch (how) {
    case SW_OPENED:
        decrypt->opened++;
        break;
    case SW_OPENED_NO_KEY:
        decrypt->without_key++;
        break;
    case SW_OPENED_NO_SUITE:
        decrypt->no_suite = true;
        break;
    case SW_OPENED_WRONG:
        decrypt->wrong++;
        break;
    case SW_OPENED_NO_RESOURCE:
        decrypt->short_of_memory = true;
        break;
    }
}

static void on_record_end(struct sw_decrypt *decrypt, struct tls_state *tls,
                          const struct tls_event *event, const struct tls_sink *sink)
{
    int side = side_of(event->from);
    struct sw_decrypt_record *record = &decrypt->record[side];
    struct sw_opener *opener = opener_of(decrypt, side);
    if (!record->bytes || !opener)
        return;
    if ((event->flags & TLS_FLAG_CUT) || record->have < record->length) {
        sw_opener_skip(opener, side);
    } else {
        const struct sw_record_in in = {
            .content = (uint8_t)event->code,
            .version = event->version,
            .body = sw_span_make(record->bytes, record->length),
        };
        uint8_t *text = record->bytes + record->length;
        size_t length = 0;
        uint8_t content = 0;
        enum sw_opened how = sw_opener_record(opener, side, &in, text, &length, &content);
        count(decrypt, how);
        if (how == SW_OPENED) {
            tls_inner(tls, event->from, content, sw_span_make(text, length), event, sink);
            follow(decrypt, side, content);
        }
    }
    drop_record(decrypt, record);
}

void sw_decrypt_event(struct sw_decrypt *decrypt, struct tls_state *tls,
                      const struct tls_event *event, const struct tls_sink *sink)
{
    if (!decrypt->keys.log)
        return;
    decrypt->given = decrypt->given || decrypt->keys.rsa || sw_keylog_count(decrypt->keys.log) > 0;
    if (decrypt->keys.rsa)
        handshake(decrypt, event);
    int side = side_of(event->from);
    bool decrypted = event->flags & TLS_FLAG_DECRYPTED;
    switch (event->kind) {
    case TLS_EVENT_CLIENT_HELLO:
        on_client_hello(decrypt, event->hello);
        break;
    case TLS_EVENT_SERVER_HELLO:
        on_server_hello(decrypt, event);
        break;
    case TLS_EVENT_RECORD:
        on_record(decrypt, event);
        break;
    case TLS_EVENT_RECORD_BYTES:
        on_bytes(decrypt, event);
        break;
    case TLS_EVENT_RECORD_END:
        on_record_end(decrypt, tls, event, sink);
        break;
    case TLS_EVENT_HANDSHAKE_END:
        if (decrypted && event->code == TLS_MESSAGE_FINISHED)
            decrypt->finished[side] = true;
        if (decrypted && event->code == TLS_MESSAGE_KEY_UPDATE)
            decrypt->key_update[side] = true;
        break;
    case TLS_EVENT_GAP:
        if (decrypt->opener)
            sw_opener_lost(opener_of(decrypt, side), side);
        break;
    case TLS_EVENT_HANDSHAKE:
    case TLS_EVENT_HANDSHAKE_BYTES:
    case TLS_EVENT_CERTIFICATE:
    case TLS_EVENT_CERTIFICATE_BYTES:
    case TLS_EVENT_CERTIFICATE_END:
    case TLS_EVENT_DH_PRIME:
    case TLS_EVENT_ALERT:
    case TLS_EVENT_APPLICATION:
    case TLS_EVENT_ANOMALY:
        break;
    }
}
