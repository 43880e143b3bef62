#include "base/address.h"

#include "base/format.h"

#include <arpa/inet.h>

/* Four decimal numbers: most addresses, and inet_ntop makes them with printf. */
static size_t format_ip4(const uint8_t address[4], char *out)
{
    uint8_t *at = (uint8_t *)out;
    for (unsigned i = 0; i < 4; i++) {
        unsigned n = address[i];
        if (n >= 100) {
            *at++ = (uint8_t)('0' + n / 100);
            sw_format_pair(n % 100, at);
            at += 2;
        } else if (n >= 10) {
            sw_format_pair(n, at);
            at += 2;
        } else {
            *at++ = (uint8_t)('0' + n);
        }
        *at++ = i < 3 ? '.' : '\0';
    }
    return (size_t)(at - (uint8_t *)out) - 1;
}

size_t sw_address_format(const uint8_t address[16], int ip_version, char out[SW_ADDRESS_TEXT_BYTES])
{
    /* inet_ntop writes the canonical form of RFC 5952 on Linux; it cannot fail with this room. */
    if (ip_version != 6)
        return format_ip4(address, out);
    if (!inet_ntop(AF_INET6, address, out, SW_ADDRESS_TEXT_BYTES))
        out[0] = '\0';
    return strlen(out);
}
