#include "base/network.h"

#include <arpa/inet.h>

bool sw_network_parse(struct sw_span text, struct sw_network *network)
{
    char address[64];
    size_t slash = sw_span_index(text, '/');
    if (slash == 0 || slash >= sizeof(address))
        return false;
    memcpy(address, text.ptr, slash);
    address[slash] = '\0';
    *network = (struct sw_network){.ip_version = 0};
    if (inet_pton(AF_INET, address, network->address) == 1)
        network->ip_version = 4;
    else if (inet_pton(AF_INET6, address, network->address) == 1)
        network->ip_version = 6;
    else
        return false;
    uint64_t most = network->ip_version == 4 ? 32 : 128;
    uint64_t bits = most;
    if (slash < text.len && (!sw_span_u64(sw_span_from(text, slash + 1), &bits) || bits > most))
        return false;
    network->bits = (uint8_t)bits;
    return true;
}

bool sw_network_holds(const struct sw_network *network, const uint8_t address[16], int ip_version)
{
    if (network->ip_version != ip_version)
        return false;
    unsigned whole = network->bits / 8;
    unsigned rest = network->bits % 8;
    if (memcmp(network->address, address, whole) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xFF00u >> rest);
    return rest == 0 || ((network->address[whole] ^ address[whole]) & mask) == 0;
}
