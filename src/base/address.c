#include "base/address.h"

#include <arpa/inet.h>

void sw_address_format(const uint8_t address[16], int ip_version, char out[SW_ADDRESS_TEXT_BYTES])
{
    /* inet_ntop writes the canonical form of RFC 5952 on Linux; it cannot fail with this room. */
    if (!inet_ntop(ip_version == 6 ? AF_INET6 : AF_INET, address, out, SW_ADDRESS_TEXT_BYTES))
        out[0] = '\0';
}
