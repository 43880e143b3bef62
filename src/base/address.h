/*
 * address.h - IP addresses as text.
 */
#ifndef SW_BASE_ADDRESS_H
#define SW_BASE_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

enum { SW_ADDRESS_TEXT_BYTES = 46 };

/*
 * Writes an address (network byte order, IPv4 in the first 4 bytes) as "192.0.2.1" or "2001:db8::1"
 * (RFC 5952), with a NUL. ip_version is 4 or 6. Returns the length without the NUL.
 */
size_t sw_address_format(const uint8_t address[16], int ip_version,
                         char out[SW_ADDRESS_TEXT_BYTES]);

#endif
