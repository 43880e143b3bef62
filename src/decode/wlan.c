/*
 * wlan.c - IEEE 802.11 data frames, and the radio headers in front of them.
 */
#include "decode/layer.h"

enum {
    FLAG_TO_DS = 0x01,
    FLAG_FROM_DS = 0x02,
    FLAG_MORE_PARTS = 0x04,
    FLAG_PROTECTED = 0x40,
    FLAG_ORDER = 0x80,
    SUBTYPE_NO_DATA = 0x4,
    SUBTYPE_QOS = 0x8,
};

/* `padded`: the radio has put the body at a multiple of four bytes. */
enum sw_layer sw_read_wlan(struct sw_inside *in, bool padded)
{
    struct sw_cursor *c = &in->c;
    uint8_t control = sw_cursor_u8(c);
    uint8_t flags = sw_cursor_u8(c);
    sw_cursor_skip(c, 2 + 3 * 6); /* duration, three addresses */
    uint16_t sequence = sw_cursor_le16(c);
    if (c->bad)
        return (control & 0x0C) == 0x08 ? SW_LAYER_BROKEN : SW_LAYER_OTHER;
    bool data = (control & 0x0F) == 0x08; /* version 0, type 2 */
    uint8_t subtype = control >> 4;
    if (!data || (subtype & SUBTYPE_NO_DATA))
        return SW_LAYER_OTHER;
    size_t header = 24;
    if ((flags & FLAG_TO_DS) && (flags & FLAG_FROM_DS)) {
        sw_cursor_skip(c, 6);
        header += 6;
    }
    bool aggregate = false;
    if (subtype & SUBTYPE_QOS) {
        aggregate = (sw_cursor_le16(c) & 0x80) != 0;
        header += 2;
        if (flags & FLAG_ORDER) {
            sw_cursor_skip(c, 4);
            header += 4;
        }
    }
    if (padded && header % 4 != 0)
        sw_cursor_skip(c, 4 - header % 4);
    if (c->bad)
        return SW_LAYER_BROKEN;
    if (flags & FLAG_PROTECTED)
        return sw_layer_unread(in, SW_UNREAD_WLAN_PROTECTED);
    if (aggregate || (flags & FLAG_MORE_PARTS) || (sequence & 0x0F) != 0)
        return sw_layer_unread(in, SW_UNREAD_WLAN_PARTS);
    return SW_LAYER_LLC;
}

/* The flags field, where it is there: it follows the presence words and an 8-byte clock. */
static uint8_t radiotap_flags(struct sw_cursor c)
{
    enum { HAS_CLOCK = 0x01, HAS_FLAGS = 0x02, WORDS_MAX = 32 };
    size_t before = c.left;
    uint32_t present = sw_cursor_le32(&c);
    uint32_t more = present;
    for (int n = 0; (more & 0x80000000u) && n < WORDS_MAX; n++)
        more = sw_cursor_le32(&c);
    if (!(present & HAS_FLAGS))
        return 0;
    if (present & HAS_CLOCK) {
        size_t at =
            4 + (before - c.left); /* from the start of the header, to which it is aligned */
        sw_cursor_skip(&c, (8 - at % 8) % 8 + 8);
    }
    return sw_cursor_u8(&c);
}

enum sw_layer sw_read_radiotap(struct sw_inside *in)
{
    enum { PADDED = 0x20, BAD_CHECKSUM = 0x40 };
    struct sw_cursor header = in->c;
    sw_cursor_skip(&header, 2);
    uint16_t length = sw_cursor_le16(&header);
    sw_cursor_skip(&in->c, length);
    if (header.bad || in->c.bad || length < 8)
        return SW_LAYER_BROKEN;
    uint8_t flags = radiotap_flags(header);
    if (flags & BAD_CHECKSUM)
        return SW_LAYER_BROKEN;
    return sw_read_wlan(in, (flags & PADDED) != 0);
}
