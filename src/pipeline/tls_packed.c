/*
 * tls_packed.c - CompressedCertificate (RFC 8879): the message is gathered, unpacked, and read as
 * the Certificate message that it stands for.
 */
#include "pipeline/tls.h"

#include "base/account.h"
#include "base/cursor.h"
#include "crypto/unpack.h"

#include <stdlib.h>

enum {
    HEADER = 4,                /* of the handshake message; it comes with the bytes */
    FIELDS = 2 + 3 + 3,        /* algorithm, length, length of what follows */
    PACKED_BYTES = 32 * 1024,  /* more than is kept of certificates anyway */
    UNPACKED_BYTES = 64 * 1024 /* longer ones are said to be unread */
};

void sw_tls_packed_clear(struct sw_tls_packed *packed, size_t *account)
{
    if (packed->bytes)
        sw_account_give(account, packed->length);
    free(packed->bytes);
    *packed = (struct sw_tls_packed){.bytes = NULL};
}

static void begin(struct sw_tls_way *way, const struct tls_event *event)
{
    struct sw_tls_packed *packed = &way->packed;
    sw_tls_packed_clear(packed, way->account);
    packed->open = true;
    if (event->number < FIELDS || event->number > PACKED_BYTES)
        return;
    packed->length = HEADER + (uint32_t)event->number;
    packed->bytes = malloc(packed->length);
    if (packed->bytes)
        sw_account_take(way->account, packed->length);
}

static void gather(struct sw_tls_packed *packed, const struct tls_event *event)
{
    packed->broken = packed->broken || (event->flags & TLS_FLAG_CUT);
    if (!packed->bytes || event->bytes.len > packed->length - packed->have)
        return;
    if (event->bytes.len > 0)
        memcpy(packed->bytes + packed->have, event->bytes.ptr, event->bytes.len);
    packed->have += (uint32_t)event->bytes.len;
}

/* Reads what was gathered; false: the certificates stay unread. */
static bool read_message(struct sw_tls_way *way, const struct tls_event *event, uint16_t *method)
{
    const struct sw_tls_packed *packed = &way->packed;
    if (!packed->bytes || packed->broken || packed->have != packed->length)
        return false;
    struct sw_cursor c = sw_cursor_make(sw_span_make(packed->bytes, packed->length));
    sw_cursor_skip(&c, HEADER);
    *method = sw_cursor_be16(&c);
    uint32_t length = sw_cursor_be24(&c);
    struct sw_span body = sw_cursor_take(&c, sw_cursor_be24(&c));
    if (c.bad || length == 0 || length > UNPACKED_BYTES)
        return false;
    uint8_t *whole = malloc(length);
    if (!whole)
        return false;
    sw_account_take(way->account, length);
    bool good = sw_unpack(*method, body, whole, length);
    if (good)
        tls_certificate_read(&way->state, event, sw_span_make(whole, length), &way->sink);
    sw_account_give(way->account, length);
    free(whole);
    return good;
}

void sw_tls_packed_event(struct sw_tls_way *way, const struct tls_event *event)
{
    if (event->code != TLS_MESSAGE_COMPRESSED_CERTIFICATE || event->from != SW_FROM_SERVER)
        return;
    if (event->kind == TLS_EVENT_HANDSHAKE) {
        begin(way, event);
    } else if (event->kind == TLS_EVENT_HANDSHAKE_BYTES) {
        gather(&way->packed, event);
    } else if (event->kind == TLS_EVENT_HANDSHAKE_END && way->packed.open) {
        uint16_t method = SW_PACKING_NONE;
        bool good = read_message(way, event, &method);
        sw_session_tls_packed(way->session, good ? NULL : sw_packing_name(method));
        sw_tls_packed_clear(&way->packed, way->account);
    }
}
