/*
 * extension.c - what the extensions of a hello say (RFC 6066, RFC 7301, RFC 8446 4.2, and others by
 * the line).
 */
#include "dissectors/tls/internal.h"

#include "base/cursor.h"

enum {
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_GROUPS = 10,
    EXTENSION_POINT_FORMATS = 11,
    EXTENSION_SIGNATURE_ALGORITHMS = 13,
    EXTENSION_ALPN = 16,
    EXTENSION_ENCRYPT_THEN_MAC = 22,
    EXTENSION_EXTENDED_MASTER_SECRET = 23,
    EXTENSION_SESSION_TICKET = 35,
    EXTENSION_PRE_SHARED_KEY = 41,
    EXTENSION_EARLY_DATA = 42,
    EXTENSION_SUPPORTED_VERSIONS = 43,
    EXTENSION_KEY_SHARE = 51,
    EXTENSION_ENCRYPTED_CLIENT_HELLO = 0xFE0D,
    EXTENSION_RENEGOTIATION_INFO = 0xFF01,
};

/* RFC 6066 3: a list with one name of type 0. */
static void server_name(struct tls_hello *hello, struct sw_cursor *body)
{
    hello->has_name = true;
    sw_cursor_skip(body, 2);
    uint8_t type = sw_cursor_u8(body);
    struct sw_span name = sw_cursor_take(body, sw_cursor_be16(body));
    if (body->bad || type != 0 || name.len > TLS_NAME)
        return;
    memcpy(hello->name, name.ptr, name.len);
    hello->name_len = (uint8_t)name.len;
}

static void alpn(struct tls_hello *hello, struct sw_cursor *body)
{
    sw_cursor_skip(body, 2);
    struct sw_span name = sw_cursor_take(body, sw_cursor_u8(body));
    if (name.len > TLS_ALPN)
        name.len = TLS_ALPN;
    if (name.len > 0)
        memcpy(hello->alpn, name.ptr, name.len);
    hello->alpn_len = (uint8_t)name.len;
}

/* RFC 8446 4.2.1. In a server's hello the one version it chose. */
static void supported_versions(struct tls_hello *hello, bool from_server, struct sw_cursor *body)
{
    if (from_server) {
        uint16_t version = sw_cursor_be16(body);
        if (!body->bad)
            hello->version = version;
        return;
    }
    uint8_t length = sw_cursor_u8(body);
    uint16_t highest = 0;
    for (uint8_t i = 0; i + 1 < length; i = (uint8_t)(i + 2)) {
        uint16_t version = sw_cursor_be16(body);
        if (body->bad)
            break;
        TLS_LIST_ADD(hello->versions, version);
        bool draft = version >> 8 == 0x7F || version >> 8 == 0xFB; /* drafts of TLS 1.3 */
        uint16_t counted = draft ? TLS_VERSION_1_3 : version;
        if (!tls_is_grease(version) && counted > highest && counted <= TLS_VERSION_1_3)
            highest = counted;
    }
    if (highest)
        hello->version = highest;
}

/* Counts what the list was said to hold; keeps what the body (which may be cut) holds of it. */
#define READ_LIST(list, cursor)                                                                    \
    do {                                                                                           \
        uint16_t announced = (uint16_t)(sw_cursor_be16(cursor) / 2);                               \
        for (uint16_t i = 0; i < announced && !(cursor)->bad; i++) {                               \
            uint16_t value = sw_cursor_be16(cursor);                                               \
            if (!(cursor)->bad)                                                                    \
                TLS_LIST_ADD(list, value);                                                         \
        }                                                                                          \
        (list).count = announced;                                                                  \
    } while (0)

static void point_formats(struct tls_hello *hello, struct sw_cursor *body)
{
    struct sw_span formats = sw_cursor_take(body, sw_cursor_u8(body));
    size_t n = formats.len < TLS_FORMATS ? formats.len : TLS_FORMATS;
    if (n > 0)
        memcpy(hello->formats, formats.ptr, n);
    hello->format_count = (uint8_t)n;
}

void tls_extension(struct tls_hello *hello, bool from_server, uint16_t type, uint32_t length,
                   struct sw_span bytes)
{
    struct sw_cursor body = sw_cursor_make(bytes);
    switch (type) {
    case EXTENSION_SERVER_NAME:
        if (!from_server)
            server_name(hello, &body);
        break;
    case EXTENSION_GROUPS:
        READ_LIST(hello->groups, &body);
        break;
    case EXTENSION_POINT_FORMATS:
        point_formats(hello, &body);
        break;
    case EXTENSION_SIGNATURE_ALGORITHMS:
        READ_LIST(hello->schemes, &body);
        break;
    case EXTENSION_ALPN:
        alpn(hello, &body);
        break;
    case EXTENSION_ENCRYPT_THEN_MAC:
        hello->encrypt_then_mac = true;
        break;
    case EXTENSION_EXTENDED_MASTER_SECRET:
        hello->extended_master = true;
        break;
    case EXTENSION_SESSION_TICKET:
        hello->ticket = length > 0;
        break;
    case EXTENSION_PRE_SHARED_KEY:
        hello->pre_shared_key = true;
        break;
    case EXTENSION_EARLY_DATA:
        hello->early_data = true;
        break;
    case EXTENSION_SUPPORTED_VERSIONS:
        supported_versions(hello, from_server, &body);
        break;
    case EXTENSION_KEY_SHARE: /* the server's one share, or the group that a retry asks for */
        if (from_server)
            hello->group = sw_cursor_be16(&body);
        break;
    case EXTENSION_ENCRYPTED_CLIENT_HELLO:
        hello->encrypted_hello = true;
        break;
    case EXTENSION_RENEGOTIATION_INFO:
        hello->empty_renegotiation_info = true;
        break;
    default:
        break;
    }
}
