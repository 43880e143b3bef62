/*
 * opaque.c - TLS that stays closed: the record layer is walked (RFC 8446 5.1), so that handshake
 * and application data can be told apart.
 */
#include "session/build.h"

enum {
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_APPLICATION = 23,
    RECORD_LARGEST = (1 << 14) + 2048,
};

static void count_record(struct sw_tls_walk *walk)
{
    uint8_t type = walk->head[0];
    uint32_t length = ((uint32_t)walk->head[3] << 8) | walk->head[4];
    if (type < 20 || type > 24 || walk->head[1] != 3 || length > RECORD_LARGEST) {
        walk->lost = true;
        return;
    }
    walk->handshake_records += type == RECORD_HANDSHAKE;
    walk->application_records += type == RECORD_APPLICATION;
    walk->alert_records += type == RECORD_ALERT;
    walk->left = length;
}

static void walk_records(struct sw_tls_walk *walk, struct sw_span bytes)
{
    while (bytes.len > 0 && !walk->lost) {
        if (walk->left > 0) {
            size_t n = bytes.len < walk->left ? bytes.len : walk->left;
            walk->left -= (uint32_t)n;
            bytes = sw_span_from(bytes, n);
            continue;
        }
        walk->head[walk->have++] = bytes.ptr[0];
        bytes = sw_span_from(bytes, 1);
        if (walk->have == sizeof(walk->head)) {
            walk->have = 0;
            count_record(walk);
        }
    }
}

void sw_session_opaque(struct sw_session *session, enum sw_side from, struct sw_span bytes,
                       struct sw_mark mark)
{
    if (from == SW_CLIENT && session->tls_bytes[SW_CLIENT] == 0)
        session->tls_begin = mark;
    session->tls_bytes[from] += bytes.len;
    walk_records(&session->tls_walk[from], bytes);
    const struct sw_tls_walk *client = &session->tls_walk[SW_CLIENT];
    const struct sw_tls_walk *server = &session->tls_walk[SW_SERVER];
    if (client->application_records > 0 && server->application_records > 0)
        session->tls = SW_TLS_APPLICATION;
    else if (server->handshake_records > 0)
        session->tls = SW_TLS_SERVER_HELLO;
    else if (client->handshake_records > 0)
        session->tls = SW_TLS_HELLO;
}
