/*
 * network.h - a range of IP addresses: "192.0.2.0/24", "2001:db8::/32", or one address alone.
 */
#ifndef SW_BASE_NETWORK_H
#define SW_BASE_NETWORK_H

#include "base/span.h"

struct sw_network {
    uint8_t address[16]; /* network byte order, IPv4 in the first 4 bytes */
    uint8_t ip_version;  /* 4 or 6 */
    uint8_t bits;
};

/* Reads a range (RFC 4632, RFC 4291 2.3). False when the text is none; *network is then undefined.
 */
bool sw_network_parse(struct sw_span text, struct sw_network *network);
/* Is the address in it? */
bool sw_network_holds(const struct sw_network *network, const uint8_t address[16], int ip_version);

#endif
