/*
 * stream.c - messages in a TCP connection: two octets of length before each.
 */
#include "dissectors/dns/internal.h"

static struct sw_span take(struct sw_span *rest, size_t n)
{
    struct sw_span part = sw_span_sub(*rest, 0, n);
    *rest = sw_span_from(*rest, part.len);
    return part;
}

static void read_length(struct dns_stream *s, struct sw_span *rest, const struct sw_piece *piece)
{
    if (s->have == 0) {
        s->at = piece->at;
        s->at.offset += piece->bytes.len - rest->len;
    }
    s->head[s->have++] = take(rest, 1).ptr[0];
    if (s->have < sizeof(s->head))
        return;
    s->left = (uint32_t)s->head[0] << 8 | s->head[1];
    s->kept = 0;
    if (s->left == 0)
        s->have = 0; /* an empty message is none */
}

static void keep(struct dns_stream *s, struct sw_span part)
{
    size_t room = sizeof(s->bytes) - s->kept;
    size_t n = part.len < room ? part.len : room;
    if (n > 0)
        memcpy(s->bytes + s->kept, part.ptr, n);
    s->kept += (uint32_t)n;
}

void dns_stream_feed(struct dns_stream *s, const struct sw_piece *piece,
                     const struct dns_sink *sink)
{
    struct sw_span rest = piece->bytes;
    while (rest.len > 0 && !s->lost) {
        if (s->have < sizeof(s->head)) {
            read_length(s, &rest, piece);
            continue;
        }
        struct sw_span part = take(&rest, s->left);
        keep(s, part);
        s->left -= (uint32_t)part.len;
        if (s->left > 0)
            continue;
        s->have = 0;
        (void)dns_read(sw_span_make(s->bytes, s->kept), s->at, sink); /* else it is no DNS */
    }
}

void dns_stream_gap(struct dns_stream *s)
{
    s->lost = true;
}
