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
    sw_early_clear(&decrypt->early, decrypt->account);
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
    sw_early_clear(&decrypt->early, decrypt->account);
    if (hello->early_data &&
        sw_keylog_find(decrypt->keys.log, hello->random, SW_KEYLOG_EARLY).len > 0)
        sw_early_begin(&decrypt->early, decrypt->account);
}

static void on_server_hello(struct sw_decrypt *decrypt, const struct tls_event *event)
{
    if (event->hello->retry || !event->hello->pre_shared_key) /* RFC 8446 4.2.10: refused */
        sw_early_clear(&decrypt->early, decrypt->account);
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
    bool early = event->from == SW_FROM_CLIENT && decrypt->early.fate == SW_EARLY_WAITING;
    if (!(event->flags & TLS_FLAG_ENCRYPTED) || event->number == 0 ||
        event->number > TLS_RECORD_LARGEST || !(decrypt->opener || early))
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
    if (decrypt->early_ended) {
        sw_opener_early_over(opener);
        sw_early_clear(&decrypt->early, decrypt->account);
    }
    decrypt->finished[side] = decrypt->key_update[side] = decrypt->early_ended = false;
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
    case SW_OPENED_EARLY:
        decrypt->wrong++;
        break;
    case SW_OPENED_NO_RESOURCE:
        decrypt->short_of_memory = true;
        break;
    }
}

/* Opens one whole record and hands on what was in it. `out` has room for its body. */
static enum sw_opened open_record(struct sw_decrypt *decrypt, struct tls_state *tls,
                                  const struct tls_event *event, struct sw_span body, uint8_t *out,
                                  const struct tls_sink *sink)
{
    int side = side_of(event->from);
    const struct sw_record_in in = {(uint8_t)event->code, event->version, body};
    size_t length = 0;
    uint8_t content = 0;
    enum sw_opened how =
        sw_opener_record(opener_of(decrypt, side), side, &in, out, &length, &content);
    if (how != SW_OPENED)
        return how;
    count(decrypt, how);
    tls_inner(tls, event->from, content, sw_span_make(out, length), event, sink);
    follow(decrypt, side, content);
    return how;
}

/* --- early data --- */

/* The server took it: what is kept of it is opened. Behind the first record that does not open
 * the rest is lost. */
static void take_early(struct sw_decrypt *decrypt, struct tls_state *tls,
                       const struct tls_sink *sink)
{
    struct sw_early *early = &decrypt->early;
    struct sw_decrypt_loss loss = {early->left_out_bytes, early->left_out_at};
    struct sw_early_record *record;
    uint8_t *out = malloc(SW_EARLY_BYTES);
    bool lost = !out;
    decrypt->short_of_memory = decrypt->short_of_memory || lost || early->over_cap;
    early->due = false;
    early->fate = SW_EARLY_TAKEN;
    sw_opener_early_taken(decrypt->opener);
    while ((record = sw_early_next(early)) != NULL) {
        struct sw_span body = sw_span_make(record->body, (size_t)record->end.number);
        enum sw_opened how =
            lost ? SW_OPENED_EARLY : open_record(decrypt, tls, &record->end, body, out, sink);
        if (how != SW_OPENED) {
            count(decrypt, how);
            loss.at = lost ? loss.at : record->end.begin;
            loss.bytes += body.len;
            lost = true;
        }
        sw_early_free(record, decrypt->account);
    }
    if (loss.bytes > 0)
        sw_opener_lost(decrypt->opener, 0);
    decrypt->loss = loss;
    sw_wipe_free(out, SW_EARLY_BYTES);
}

/* A record that may be early data waits, unless it is the message that ends it. */
static void keep_early(struct sw_decrypt *decrypt, struct tls_state *tls,
                       const struct tls_event *event, struct sw_decrypt_record *record,
                       const struct tls_sink *sink)
{
    struct sw_early *early = &decrypt->early;
    struct sw_span body = sw_span_make(record->bytes, record->length);
    const struct sw_record_in in = {(uint8_t)event->code, event->version, body};
    bool ends = decrypt->opener && sw_opener_early_ends(decrypt->opener, early->records, &in,
                                                        record->bytes + record->length);
    sw_early_keep(early, event, body, decrypt->account);
    if (ends)
        take_early(decrypt, tls, sink);
}

/* What the server says of it, and whether it is too late to find out: once the server has spoken,
 * words before that would come out behind its own. */
static void watch_early(struct sw_decrypt *decrypt, const struct tls_event *event)
{
    struct sw_early *early = &decrypt->early;
    bool decrypted = event->from == SW_FROM_SERVER && (event->flags & TLS_FLAG_DECRYPTED);
    if (early->fate != SW_EARLY_WAITING || !decrypted)
        return;
    if (event->kind == TLS_EVENT_ENCRYPTED_EXTENSIONS && event->hello->early_data)
        early->due = true;
    else if (event->kind == TLS_EVENT_APPLICATION ||
             (event->kind == TLS_EVENT_ENCRYPTED_EXTENSIONS && !(event->flags & TLS_FLAG_CUT)))
        sw_early_clear(early, decrypt->account);
}

/* --- */

static enum sw_decrypt_fate whole_record(struct sw_decrypt *decrypt, struct tls_state *tls,
                                         const struct tls_event *event,
                                         struct sw_decrypt_record *record,
                                         const struct tls_sink *sink)
{
    bool early = event->from == SW_FROM_CLIENT && decrypt->early.fate == SW_EARLY_WAITING;
    enum sw_opened how = SW_OPENED_EARLY;
    if (decrypt->opener)
        how = open_record(decrypt, tls, event, sw_span_make(record->bytes, record->length),
                          record->bytes + record->length, sink);
    if (how == SW_OPENED) {
        if (early) /* its Finished, without an end of early data before it */
            sw_early_clear(&decrypt->early, decrypt->account);
        if (decrypt->early.due)
            take_early(decrypt, tls, sink);
        return SW_DECRYPT_OPENED;
    }
    if (early && (how == SW_OPENED_EARLY || how == SW_OPENED_NO_KEY)) {
        keep_early(decrypt, tls, event, record, sink);
        return SW_DECRYPT_EARLY;
    }
    count(decrypt, how);
    return how == SW_OPENED_EARLY && decrypt->early.fate != SW_EARLY_TAKEN ? SW_DECRYPT_EARLY
                                                                           : SW_DECRYPT_CLOSED;
}

/* A record of which a part is missing. */
static enum sw_decrypt_fate cut_record(struct sw_decrypt *decrypt, const struct tls_event *event)
{
    int side = side_of(event->from);
    if (decrypt->opener)
        sw_opener_skip(opener_of(decrypt, side), side);
    if (side == 1 || decrypt->early.fate != SW_EARLY_WAITING)
        return SW_DECRYPT_CLOSED;
    sw_early_leave_out(&decrypt->early, event->begin, event->number);
    return SW_DECRYPT_EARLY;
}

static void on_record_end(struct sw_decrypt *decrypt, struct tls_state *tls,
                          const struct tls_event *event, const struct tls_sink *sink)
{
    struct sw_decrypt_record *record = &decrypt->record[side_of(event->from)];
    decrypt->last = SW_DECRYPT_NOTHING;
    if (!record->bytes)
        return;
    if ((event->flags & TLS_FLAG_CUT) || record->have < record->length)
        decrypt->last = cut_record(decrypt, event);
    else
        decrypt->last = whole_record(decrypt, tls, event, record, sink);
    drop_record(decrypt, record);
}

static void on_gap(struct sw_decrypt *decrypt, const struct tls_event *event)
{
    int side = side_of(event->from);
    if (decrypt->opener)
        sw_opener_lost(opener_of(decrypt, side), side);
    if (side == 0 && decrypt->early.fate == SW_EARLY_WAITING)
        sw_early_leave_out(&decrypt->early, event->begin, event->number + 1);
}

static void on_handshake_end(struct sw_decrypt *decrypt, const struct tls_event *event)
{
    int side = side_of(event->from);
    if (!(event->flags & TLS_FLAG_DECRYPTED))
        return;
    if (event->code == TLS_MESSAGE_FINISHED)
        decrypt->finished[side] = true;
    if (event->code == TLS_MESSAGE_KEY_UPDATE)
        decrypt->key_update[side] = true;
    if (event->code == TLS_MESSAGE_END_OF_EARLY_DATA && side == 0)
        decrypt->early_ended = true;
}

static void on_application(struct sw_decrypt *decrypt, const struct tls_event *event)
{
    if (event->from == SW_FROM_CLIENT && decrypt->early.fate == SW_EARLY_TAKEN)
        decrypt->early_opened++;
    watch_early(decrypt, event);
}

void sw_decrypt_event(struct sw_decrypt *decrypt, struct tls_state *tls,
                      const struct tls_event *event, const struct tls_sink *sink)
{
    if (!decrypt->keys.log)
        return;
    decrypt->given = decrypt->given || decrypt->keys.rsa || sw_keylog_count(decrypt->keys.log) > 0;
    if (decrypt->keys.rsa)
        handshake(decrypt, event);
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
    case TLS_EVENT_ENCRYPTED_EXTENSIONS:
        watch_early(decrypt, event);
        break;
    case TLS_EVENT_APPLICATION:
        on_application(decrypt, event);
        break;
    case TLS_EVENT_HANDSHAKE_END:
        on_handshake_end(decrypt, event);
        break;
    case TLS_EVENT_GAP:
        on_gap(decrypt, event);
        break;
    case TLS_EVENT_HANDSHAKE:
    case TLS_EVENT_HANDSHAKE_BYTES:
    case TLS_EVENT_CERTIFICATE:
    case TLS_EVENT_CERTIFICATE_BYTES:
    case TLS_EVENT_CERTIFICATE_END:
    case TLS_EVENT_DH_PRIME:
    case TLS_EVENT_ALERT:
    case TLS_EVENT_ANOMALY:
        break;
    }
}
