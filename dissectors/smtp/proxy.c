/*
 * proxy.c - the header that a load balancer puts before everything else: PROXY protocol, version 1
 * (a line) and 2 (binary). The client that speaks it is no early talker.
 */
#include "base/address.h"
#include "dissectors/smtp/internal.h"

static const uint8_t signature[12] = {0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D,
                                      0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};

enum { ADDRESSES_AT = 16 };

/* How much of a header of version 2 is understood: the signature, the lengths, the addresses. What
 * stands behind them may be anything. */
static uint32_t known_bytes(const struct smtp_state *st)
{
    uint8_t family = st->proxy[13] >> 4;
    uint32_t addresses = family == 1 ? 12 : family == 2 ? 36 : 0;
    uint32_t known = ADDRESSES_AT + addresses;
    return known < st->proxy_have ? known : st->proxy_have;
}

/* The source address of a complete header of version 2. */
static void tell_proxy(struct smtp_io *io)
{
    io->past_proxy = true;
    struct smtp_state *st = io->state;
    char text[SW_ADDRESS_TEXT_BYTES] = "";
    uint8_t address[16] = {0};
    uint8_t family = st->proxy[13] >> 4;
    size_t length = family == 1 ? 4 : 16;
    if ((family == 1 || family == 2) && st->proxy_have >= 16 + length) {
        memcpy(address, st->proxy + 16, length);
        sw_address_format(address, family == 1 ? 4 : 6, text);
    }
    struct smtp_event event = {
        .kind = SMTP_EVENT_PROXY,
        .from = SW_FROM_CLIENT,
        .text = sw_span_str(text),
        .number = known_bytes(st),
        .begin = io->begin,
        .end = io->end,
    };
    smtp_emit(io, &event);
}

void smtp_proxy_none(struct smtp_io *io)
{
    struct smtp_state *st = io->state;
    if (st->proxy_checked)
        return;
    st->proxy_checked = true;
    struct sw_at start = {0, io->begin.frame, io->begin.time_ns};
    (void)smtp_client_bytes(io, sw_span_make(st->proxy, st->proxy_have), start);
}

/* Of a header no more is kept than its beginning and the addresses. */
static void add_to_header(struct smtp_state *st, uint8_t byte)
{
    st->proxy[st->proxy_have++] = byte;
    size_t have = st->proxy_have;
    size_t length = have >= 16 ? 16 + (size_t)(st->proxy[14] << 8 | st->proxy[15]) : SIZE_MAX;
    if (have < length && have < sizeof(st->proxy))
        return;
    st->proxy_checked = true;
    st->proxy_left = (uint32_t)(length - have);
}

size_t smtp_proxy_bytes(struct smtp_io *io, struct sw_span bytes, struct sw_at at)
{
    struct smtp_state *st = io->state;
    size_t used = 0;
    while (used < bytes.len && !st->proxy_checked) {
        size_t have = st->proxy_have;
        if (have < sizeof(signature) && bytes.ptr[used] != signature[have]) {
            smtp_proxy_none(io);
            return used;
        }
        add_to_header(st, bytes.ptr[used++]);
    }
    size_t rest = bytes.len - used < st->proxy_left ? bytes.len - used : st->proxy_left;
    st->proxy_left -= (uint32_t)rest;
    used += rest;
    if (st->proxy_checked && st->proxy_left == 0) {
        io->begin = (struct sw_at){0, at.frame, at.time_ns};
        io->end = (struct sw_at){at.offset + used - 1, at.frame, at.time_ns};
        tell_proxy(io);
    }
    return used;
}

/* "PROXY TCP4 source destination sport dport" */
bool smtp_proxy_line(struct smtp_io *io, struct sw_span text)
{
    struct smtp_state *st = io->state;
    if (st->next_id != 1 || st->greeted || st->midstream ||
        !sw_span_starts(text, SW_SPAN_LIT("PROXY ")))
        return false;
    struct sw_span rest = sw_span_from(text, 6);
    struct sw_span family = sw_span_word(&rest);
    struct smtp_event event = {
        .kind = SMTP_EVENT_PROXY, .from = SW_FROM_CLIENT, .begin = io->begin, .end = io->end};
    if (sw_span_starts(family, SW_SPAN_LIT("TCP")))
        event.text = sw_span_word(&rest);
    event.number = io->end.offset - io->begin.offset + 1;
    io->past_proxy = true;
    smtp_emit(io, &event);
    return true;
}
