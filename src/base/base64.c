#include "base/base64.h"

static int value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int sw_base64_decode(struct sw_span text, uint8_t *out, size_t room)
{
    uint32_t bits = 0;
    unsigned count = 0;
    size_t len = 0;
    for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++) {
        int v = value_of(text.ptr[i]);
        if (v < 0)
            return -1;
        bits = (bits << 6) | (uint32_t)v;
        count += 6;
        if (count >= 8) {
            count -= 8;
            if (len < room)
                out[len++] = (uint8_t)(bits >> count);
        }
    }
    return (int)len;
}
