/*
 * names.c - the words for tunnels.
 */
#include "decode/packet.h"

#include <stddef.h>

const char *sw_tunnel_name(enum sw_tunnel_kind kind)
{
    static const char *const names[] = {
#define SW_TUNNEL(id, name, number) [SW_TUNNEL_##id] = (name),
#include "decode/tunnel.def"
#undef SW_TUNNEL
    };
    return kind < SW_TUNNEL_KINDS ? names[kind] : "tunnel";
}

const char *sw_tunnel_number(enum sw_tunnel_kind kind)
{
    static const char *const numbers[] = {
#define SW_TUNNEL(id, name, number) [SW_TUNNEL_##id] = (number),
#include "decode/tunnel.def"
#undef SW_TUNNEL
    };
    return kind < SW_TUNNEL_KINDS ? numbers[kind] : "";
}

const char *sw_unread_name(enum sw_unread unread)
{
    static const char *const names[] = {
        NULL,
#define SW_UNREAD(id, name) [SW_UNREAD_##id] = (name),
#include "decode/unread.def"
#undef SW_UNREAD
    };
    return unread < SW_UNREAD_COUNT ? names[unread] : NULL;
}
